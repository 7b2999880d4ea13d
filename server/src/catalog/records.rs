//! Records: the BLAKE3 root and chaining values of files at rest, and the state they are true of.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};
use wire::block::Cv;
use wire::message::Time;
use wire::{RemotePath, Root};

use super::accounts::UserId;
use super::findings::Place;
use super::sql::{self, Cvs, Label, Whole};
use super::{Catalog, CatalogError};

/// The state of a file that a record is true of. A file that differs in size, time or inode was
/// changed behind the server's back, and its record says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// Modification time.
    pub mtime: Time,
    /// Inode number.
    pub inode: u64,
    /// BLAKE3 of the content.
    pub root: Root,
}

/// What is known of the content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Of which file it is true.
    pub stamp: Stamp,
    /// The chaining values of its blocks; empty for a file of at most one block, where the root is
    /// the only one.
    pub cvs: Vec<Cv>,
}

/// What a catalog says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// Its content, as it was proven.
    Proven(Record),
    /// That it was found with other bytes than these.
    Damaged(Stamp),
}

impl Catalog {
    /// What is known of one file; nothing of one that was found damaged.
    pub async fn record(&self, user: UserId, path: &RemotePath) -> Result<Option<Record>, CatalogError> {
        match self.known(user, vec![path.clone()]).await?.pop() {
            Some(Known::Proven(record)) => Ok(Some(record)),
            _ => Ok(None),
        }
    }

    /// What is known of each of some files, in their order.
    pub async fn known(&self, user: UserId, paths: Vec<RemotePath>) -> Result<Vec<Known>, CatalogError> {
        self.read(move |db| {
            let mut query = db.prepare_cached(KNOWN)?;
            let mut known = |path: &RemotePath| {
                let known = query.query_row(params![user.0, path.parent().as_bytes(), path.name()], |row| {
                    let is_damaged = row.get("damaged")?;
                    Ok(if is_damaged { Known::Damaged(sql::stamp(row)?) } else { Known::Proven(sql::record(row)?) })
                });
                known.optional().map(|known| known.unwrap_or(Known::Nothing))
            };
            Ok(paths.iter().map(&mut known).collect::<Result<_, _>>()?)
        })
        .await
    }

    /// What is known of some files of one directory, for a page of a listing: a map by name, without
    /// the names that nothing is known of.
    pub async fn records_in(
        &self,
        user: UserId,
        dir: &RemotePath,
        names: Vec<Vec<u8>>,
    ) -> Result<HashMap<Vec<u8>, Stamp>, CatalogError> {
        let dir = dir.clone();
        self.read(move |db| {
            let mut query = db.prepare_cached(STAMP)?;
            let mut found = HashMap::new();
            for name in names {
                let stamp = query.query_row(params![user.0, dir.as_bytes(), name], sql::stamp).optional()?;
                found.extend(stamp.map(|stamp| (name, stamp)));
            }
            Ok(found)
        })
        .await
    }

    /// Keeps what was learnt of a file's content on the way. Other content of the size and time that are recorded is no
    /// change that anybody made: what was proven stays.
    pub async fn put_record(&self, user: UserId, path: &RemotePath, record: Record) -> Result<(), CatalogError> {
        let path = path.clone();
        self.write(move |db| {
            let stamp = record.stamp;
            let put = db.prepare_cached(PUT)?.execute(params![
                user.0,
                path.parent().as_bytes(),
                path.name(),
                Whole(stamp.size),
                stamp.mtime.secs,
                stamp.mtime.nanos,
                Label(stamp.inode),
                stamp.root.0,
                Cvs(record.cvs),
            ])?;
            let is_there =
                || db.query_row("SELECT EXISTS (SELECT 1 FROM users WHERE id = ?1)", [user.0], |row| row.get(0));
            if put == 0 && !is_there()? { Err(CatalogError::UserGone) } else { Ok(()) }
        })
        .await
    }
}

/// Where a file or directory lies, as columns say it: in the home, or in the trash under a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) dir: Vec<u8>,
    pub(super) name: Vec<u8>,
}

impl Spot {
    pub(super) fn home(path: &RemotePath) -> Self {
        Self { dir: path.parent().as_bytes().to_vec(), name: path.name().to_vec() }
    }

    /// In a directory that no path of a home can name, for none holds a NUL.
    pub(super) fn trash(id: u64) -> Self {
        Self { dir: vec![0], name: id.to_string().into_bytes() }
    }

    pub(super) fn of(place: &Place) -> Self {
        match place {
            Place::Home(path) => Self::home(path),
            Place::Trash(path) => {
                let above = path.parent();
                let below: &[u8] = if above.is_home() { b"" } else { b"/" };
                Self { dir: [&[0], below, above.as_bytes()].concat(), name: path.name().to_vec() }
            }
        }
    }

    fn is_home(&self) -> bool {
        self.name.is_empty()
    }

    /// As a directory that holds something.
    pub(super) fn full(&self) -> Vec<u8> {
        let slash: &[u8] = if self.dir.is_empty() { b"" } else { b"/" };
        [&self.dir, slash, &self.name].concat()
    }
}

/// Forgets a file, or a directory with all it holds.
pub(super) fn remove(db: &Connection, user: UserId, spot: &Spot) -> rusqlite::Result<()> {
    if spot.is_home() {
        return db.prepare_cached("DELETE FROM records WHERE user = ?1")?.execute([user.0]).map(drop);
    }
    db.prepare_cached("DELETE FROM records WHERE user = ?1 AND dir = ?2 AND name = ?3")?
        .execute(params![user.0, spot.dir, spot.name])?;
    for (low, high) in below(&spot.full()) {
        db.prepare_cached("DELETE FROM records WHERE user = ?1 AND dir >= ?2 AND dir < ?3")?
            .execute(params![user.0, low, high])?;
    }
    Ok(())
}

/// Gives the records of a file, or of all in a directory, their new paths. The home is never moved.
pub(super) fn rename(db: &Connection, user: UserId, from: &Spot, to: &Spot) -> rusqlite::Result<()> {
    if from == to || from.is_home() {
        return Ok(());
    }
    remove(db, user, to)?;
    db.prepare_cached(RENAME)?.execute(params![user.0, from.dir, from.name, to.dir, to.name])?;
    let (old, new) = (from.full(), to.full());
    for (low, high) in below(&old) {
        let rest = Whole(old.len() as u64 + 1);
        db.prepare_cached(RENAME_BELOW)?.execute(params![user.0, low, high, new, rest])?;
    }
    Ok(())
}

/// The directories from `path` down, as two ranges: itself, and what begins with `path/`. No name
/// holds a NUL, and `0` follows `/`.
pub(super) fn below(path: &[u8]) -> [(Vec<u8>, Vec<u8>); 2] {
    let with = |end: &[u8]| [path, end].concat();
    [(with(b""), with(b"\0")), (with(b"/"), with(b"0"))]
}

const KNOWN: &str = "
SELECT *, EXISTS (SELECT 1 FROM findings WHERE user = ?1 AND dir = ?2 AND name = ?3 AND what = 1) AS damaged
FROM records WHERE user = ?1 AND dir = ?2 AND name = ?3";

const STAMP: &str = "
SELECT size, mtime_secs, mtime_nanos, inode, root FROM records WHERE user = ?1 AND dir = ?2 AND name = ?3
    AND NOT EXISTS (SELECT 1 FROM findings WHERE user = ?1 AND dir = ?2 AND name = ?3 AND what = 1)";

const PUT: &str = "
INSERT INTO records (user, dir, name, size, mtime_secs, mtime_nanos, inode, root, cvs)
SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM users WHERE id = ?1
ON CONFLICT (user, dir, name) DO UPDATE SET
    size = excluded.size, mtime_secs = excluded.mtime_secs, mtime_nanos = excluded.mtime_nanos,
    inode = excluded.inode, root = excluded.root, cvs = excluded.cvs
WHERE (size, mtime_secs, mtime_nanos) <> (excluded.size, excluded.mtime_secs, excluded.mtime_nanos)
    OR root = excluded.root";

const RENAME: &str = "UPDATE records SET dir = ?4, name = ?5 WHERE user = ?1 AND dir = ?2 AND name = ?3";

/// `||` makes a text of two blobs, byte by byte; the cast makes it a blob again.
const RENAME_BELOW: &str = "
UPDATE records SET dir = CAST(?4 || substr(dir, ?5) AS BLOB) WHERE user = ?1 AND dir >= ?2 AND dir < ?3";
