//! Accounts: who may log in, and how much each may hold.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, Row, params};
use wire::UserName;
use wire::message::Usage;

use super::sql::{self, Name, Whole};
use super::{Catalog, CatalogError};
use crate::config::Rate;

/// The identity of an account. Never used again, even when the name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(pub(super) i64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A password's hash in PHC form. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Phc(pub String);

impl fmt::Debug for Phc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phc(…)")
    }
}

/// An account as it stood when it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its identity.
    pub id: UserId,
    /// Its name.
    pub name: UserName,
    /// Its password's hash.
    pub phc: Phc,
    /// Bytes it may hold; `None` without limit.
    pub quota: Option<u64>,
    /// Files it may hold; `None` without limit.
    pub max_files: Option<u64>,
    /// Days that something stays in its trash; `None`: it has none.
    pub trash_days: Option<u32>,
    /// Bytes a second that its transfers may take each way.
    pub rate: Rate,
    /// Bytes its files hold.
    pub used: u64,
    /// Files it holds.
    pub files: u64,
    /// Whether logging in and new uploads are refused.
    pub locked: bool,
    /// Rises with every change of the password or the lock, and when a key goes: a session that began under another
    /// generation must end.
    pub generation: u64,
}

impl Catalog {
    /// Makes an account without a trash; [`CatalogError::UserExists`] if the name is taken.
    pub async fn add_user(
        &self,
        name: &UserName,
        phc: Phc,
        quota: Option<u64>,
        max_files: Option<u64>,
    ) -> Result<UserId, CatalogError> {
        self.take_up_user(name, phc, Usage { quota, max_files, ..Usage::default() }, None).await
    }

    /// Makes an account whose home holds files already: `space` tells its limits and what it holds, `trash`
    /// for how many days it keeps what is deleted.
    pub async fn take_up_user(
        &self,
        name: &UserName,
        phc: Phc,
        space: Usage,
        trash: Option<u32>,
    ) -> Result<UserId, CatalogError> {
        let name = name.clone();
        self.write(move |db| {
            let (quota, max_files) = (space.quota.map(Whole), space.max_files.map(Whole));
            let (used, files) = (Whole(space.used), Whole(space.files));
            let figures = params![name.as_str(), phc.0, quota, max_files, used, files, trash];
            match db.prepare_cached(ADD)?.execute(figures)? {
                0 => Err(CatalogError::UserExists(name)),
                _ => Ok(UserId(db.last_insert_rowid())),
            }
        })
        .await
    }

    /// Removes an account with its records, marks and unfinished uploads. Its files are the vault's.
    pub async fn remove_user(&self, name: &UserName) -> Result<UserId, CatalogError> {
        let name = name.clone();
        self.write(move |db| {
            let id = id_of(db, &name)?;
            db.execute("DELETE FROM users WHERE id = ?1", [id.0])?;
            db.execute("DELETE FROM live.reservations WHERE user = ?1", [id.0])?;
            Ok(id)
        })
        .await
    }

    /// Gives an account another password.
    pub async fn set_password(&self, name: &UserName, phc: Phc) -> Result<(), CatalogError> {
        self.alter(name, move |db, id| {
            db.execute("UPDATE users SET phc = ?2, generation = generation + 1 WHERE id = ?1", params![id.0, phc.0])
        })
        .await
    }

    /// Keeps a stronger hash of the same password, unless the password was changed meanwhile.
    /// Running sessions stay.
    pub async fn upgrade_password(&self, user: UserId, old: Phc, new: Phc) -> Result<(), CatalogError> {
        self.write(move |db| {
            db.execute("UPDATE users SET phc = ?3 WHERE id = ?1 AND phc = ?2", params![user.0, old.0, new.0])?;
            Ok(())
        })
        .await
    }

    /// Sets the limit of bytes, which may be below what the account holds: then it can only shrink.
    pub async fn set_quota(&self, name: &UserName, quota: Option<u64>) -> Result<(), CatalogError> {
        self.alter(name, move |db, id| {
            db.execute("UPDATE users SET quota = ?2 WHERE id = ?1", params![id.0, quota.map(Whole)])
        })
        .await
    }

    /// Sets the limit of files, likewise.
    pub async fn set_max_files(&self, name: &UserName, max_files: Option<u64>) -> Result<(), CatalogError> {
        self.alter(name, move |db, id| {
            db.execute("UPDATE users SET max_files = ?2 WHERE id = ?1", params![id.0, max_files.map(Whole)])
        })
        .await
    }

    /// Sets for how many days the account keeps what is deleted. Without a trash, all in it has expired.
    pub async fn set_trash(&self, name: &UserName, days: Option<u32>) -> Result<(), CatalogError> {
        self.alter(name, move |db, id| {
            db.execute("UPDATE users SET trash_days = ?2 WHERE id = ?1", params![id.0, days])
        })
        .await
    }

    /// Sets how many bytes a second the account's transfers may take each way.
    pub async fn set_rate(&self, name: &UserName, rate: Rate) -> Result<(), CatalogError> {
        // 0 is no limit.
        let rate = match rate {
            Rate::Configured => None,
            Rate::Unlimited => Some(Whole(0)),
            Rate::Of(rate) => Some(Whole(rate)),
        };
        self.alter(name, move |db, id| db.execute("UPDATE users SET rate = ?2 WHERE id = ?1", params![id.0, rate]))
            .await
    }

    /// Locks or unlocks an account. Setting what is set already changes nothing.
    pub async fn set_locked(&self, name: &UserName, locked: bool) -> Result<(), CatalogError> {
        self.alter(name, move |db, id| {
            db.execute(
                "UPDATE users SET locked = ?2, generation = generation + 1 WHERE id = ?1 AND locked <> ?2",
                params![id.0, locked],
            )
        })
        .await
    }

    /// All accounts, by name.
    pub async fn users(&self) -> Result<Vec<Account>, CatalogError> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT * FROM users ORDER BY name")?;
            Ok(query.query_map([], account)?.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// The account of that name.
    pub async fn account(&self, name: &UserName) -> Result<Option<Account>, CatalogError> {
        let name = name.clone();
        self.read(move |db| {
            let mut query = db.prepare_cached("SELECT * FROM users WHERE name = ?1")?;
            Ok(query.query_row([name.as_str()], account).optional()?)
        })
        .await
    }

    async fn alter(
        &self,
        name: &UserName,
        alter: impl FnOnce(&Connection, UserId) -> rusqlite::Result<usize> + Send + 'static,
    ) -> Result<(), CatalogError> {
        let name = name.clone();
        self.write(move |db| {
            let id = id_of(db, &name)?;
            Ok(alter(db, id).map(drop)?)
        })
        .await
    }
}

pub(super) fn id_of(db: &Connection, name: &UserName) -> Result<UserId, CatalogError> {
    let id = db.query_row("SELECT id FROM users WHERE name = ?1", [name.as_str()], |row| row.get(0)).optional()?;
    id.map(UserId).ok_or_else(|| CatalogError::NoSuchUser(name.clone()))
}

pub(super) fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: UserId(row.get("id")?),
        name: row.get::<_, Name>("name")?.0,
        phc: Phc(row.get("phc")?),
        quota: sql::limit(row, "quota")?,
        max_files: sql::limit(row, "max_files")?,
        trash_days: row.get("trash_days")?,
        rate: match sql::limit(row, "rate")? {
            None => Rate::Configured,
            Some(0) => Rate::Unlimited,
            Some(rate) => Rate::Of(rate),
        },
        used: sql::whole(row, "used")?,
        files: sql::whole(row, "files")?,
        locked: row.get("locked")?,
        generation: sql::whole(row, "generation")?,
    })
}

const ADD: &str = "
INSERT INTO users (name, phc, quota, max_files, used, files, trash_days) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (name) DO NOTHING";
