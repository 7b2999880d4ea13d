//! Public keys that open accounts beside their passwords.

use rusqlite::{OptionalExtension, params};
use wire::UserName;
use wire::message::PublicKey;

use super::accounts::{Account, account, id_of};
use super::{Catalog, CatalogError};

/// Keys that an account may have.
pub const MAX_KEYS: u32 = 64;

/// A key of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountKey {
    /// The key.
    pub key: PublicKey,
    /// What its owner calls it.
    pub comment: String,
    /// Seconds since 1970.
    pub added: i64,
}

impl Catalog {
    /// Lets keys, each with its comment, open an account: all of them, or none. Tells of each whether it is new; what
    /// the account has already stays as it is.
    pub async fn add_keys(&self, name: &UserName, keys: Vec<(PublicKey, String)>) -> Result<Vec<bool>, CatalogError> {
        let name = name.clone();
        self.write(move |db| {
            let id = id_of(db, &name)?;
            let mut insert = db.prepare_cached(ADD)?;
            let added = keys.iter().map(|(key, comment)| Ok(insert.execute(params![id.0, key.0, comment])? > 0));
            let added = added.collect::<rusqlite::Result<_>>()?;
            let count: u32 = db.query_row("SELECT count(*) FROM keys WHERE user = ?1", [id.0], |row| row.get(0))?;
            if count > MAX_KEYS { Err(CatalogError::TooManyKeys(name)) } else { Ok(added) }
        })
        .await
    }

    /// The keys of an account, the oldest first.
    pub async fn keys(&self, name: &UserName) -> Result<Vec<AccountKey>, CatalogError> {
        let name = name.clone();
        self.read(move |db| {
            let id = id_of(db, &name)?;
            let mut query =
                db.prepare_cached("SELECT key, comment, added FROM keys WHERE user = ?1 ORDER BY added, comment, key")?;
            let keys = query.query_map([id.0], |row| {
                Ok(AccountKey { key: PublicKey(row.get(0)?), comment: row.get(1)?, added: row.get(2)? })
            })?;
            Ok(keys.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Takes a key from an account; sessions end as with another password.
    pub async fn remove_key(&self, name: &UserName, key: PublicKey) -> Result<(), CatalogError> {
        let name = name.clone();
        self.write(move |db| {
            let id = id_of(db, &name)?;
            if db.execute("DELETE FROM keys WHERE user = ?1 AND key = ?2", params![id.0, key.0])? == 0 {
                return Err(CatalogError::NoSuchKey(name));
            }
            db.execute("UPDATE users SET generation = generation + 1 WHERE id = ?1", [id.0])?;
            Ok(())
        })
        .await
    }

    /// The account of that name and the first of `keys` that it has. The same questions are asked for a name that
    /// nobody has, and for one that nobody can have.
    pub async fn account_of_key(
        &self,
        name: String,
        keys: Vec<PublicKey>,
    ) -> Result<Option<(Account, PublicKey)>, CatalogError> {
        self.read(move |db| {
            let mut query = db.prepare_cached(FIND)?;
            for key in keys {
                if let Some(account) = query.query_row(params![name, key.0], account).optional()? {
                    return Ok(Some((account, key)));
                }
            }
            Ok(None)
        })
        .await
    }
}

const ADD: &str = "
INSERT INTO keys (user, key, comment, added) VALUES (?1, ?2, ?3, unixepoch()) ON CONFLICT (user, key) DO NOTHING";
const FIND: &str = "SELECT users.* FROM users JOIN keys ON keys.user = users.id WHERE name = ?1 AND key = ?2";
