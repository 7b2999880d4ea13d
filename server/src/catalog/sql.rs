//! Values between Rust and the database: whole numbers, paths, times, rows of chaining values.

use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};
use wire::block::Cv;
use wire::message::Time;
use wire::{RemotePath, Root, UserName};

use super::records::{Record, Stamp};

/// A `u64` kept as an `i64`: one over `i64::MAX` is an error, never a wrap.
pub(super) struct Whole(pub(super) u64);

impl ToSql for Whole {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = i64::try_from(self.0).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(ToSqlOutput::Owned(Value::Integer(value)))
    }
}

impl FromSql for Whole {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let value = value.as_i64()?;
        u64::try_from(value).map(Self).map_err(|_| FromSqlError::OutOfRange(value))
    }
}

/// A label of 64 bits, such as an inode number: kept bit by bit, never calculated with.
pub(super) struct Label(pub(super) u64);

impl ToSql for Label {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Integer(self.0.cast_signed())))
    }
}

impl FromSql for Label {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(|value| Self(value.cast_unsigned()))
    }
}

/// An account's name.
pub(super) struct Name(pub(super) UserName);

impl FromSql for Name {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        UserName::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

/// Chaining values, 32 bytes each.
pub(super) struct Cvs(pub(super) Vec<Cv>);

impl ToSql for Cvs {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Blob(self.0.iter().flat_map(|cv| cv.0).collect())))
    }
}

impl FromSql for Cvs {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_blob()?.as_chunks() {
            (values, []) => Ok(Self(values.iter().copied().map(Cv).collect())),
            (_, _) => Err(FromSqlError::InvalidType),
        }
    }
}

/// The path of columns `dir` and `name`.
pub(super) fn path(row: &rusqlite::Row<'_>) -> rusqlite::Result<RemotePath> {
    joined(&row.get::<_, Vec<u8>>("dir")?, &row.get::<_, Vec<u8>>("name")?)
}

/// The path of a name in a directory.
pub(super) fn joined(dir: &[u8], name: &[u8]) -> rusqlite::Result<RemotePath> {
    RemotePath::parse(&[dir, name].join(&b'/'))
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, error.into()))
}

/// The columns that tell a file's state.
pub(super) fn stamp(row: &rusqlite::Row<'_>) -> rusqlite::Result<Stamp> {
    Ok(Stamp {
        size: row.get::<_, Whole>("size")?.0,
        mtime: Time { secs: row.get("mtime_secs")?, nanos: row.get("mtime_nanos")? },
        inode: row.get::<_, Label>("inode")?.0,
        root: Root(row.get("root")?),
    })
}

/// The same with its chaining values.
pub(super) fn record(row: &rusqlite::Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record { stamp: stamp(row)?, cvs: row.get::<_, Cvs>("cvs")?.0 })
}

/// An optional limit.
pub(super) fn limit(row: &rusqlite::Row<'_>, column: &str) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<Whole>>(column)?.map(|limit| limit.0))
}

/// A figure.
pub(super) fn whole(row: &rusqlite::Row<'_>, column: &str) -> rusqlite::Result<u64> {
    Ok(row.get::<_, Whole>(column)?.0)
}
