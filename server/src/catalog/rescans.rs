//! Homes that an operator wants to be taken up as they lie on the disk: asked for by a flag, done by the daemon,
//! which alone can keep a home still, and answered here.

use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use wire::UserName;

use super::accounts::UserId;
use super::sql::Name;
use super::{Catalog, CatalogError};

/// What a rescan found and set right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescanned {
    /// Bytes and files that the ledger said before.
    pub before: (u64, u64),
    /// Bytes and files that home and trash hold.
    pub after: (u64, u64),
    /// Files that were put there or changed by hand, and have a record now.
    pub taken: u64,
    /// Records that were forgotten, because their files are gone.
    pub dropped: u64,
    /// Files that are damaged, and stay recorded as such.
    pub damaged: u64,
    /// Files that could not be read, and have no record.
    pub unreadable: u64,
}

impl Catalog {
    /// Asks the daemon for a rescan. An earlier answer is void.
    pub async fn ask_rescan(&self, user: UserId) -> Result<(), CatalogError> {
        self.write(move |db| Ok(db.execute("INSERT OR REPLACE INTO rescans (user) VALUES (?1)", [user.0]).map(drop)?))
            .await
    }

    /// Rescans that nobody has done yet.
    pub async fn asked_rescans(&self) -> Result<Vec<(UserId, UserName)>, CatalogError> {
        self.read(|db| {
            let mut query = db.prepare_cached(ASKED)?;
            let asked = query.query_map([], |row| Ok((UserId(row.get(0)?), row.get::<_, Name>(1)?.0)))?;
            Ok(asked.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Answers a rescan with what it did, or why it failed.
    pub async fn answer_rescan(&self, user: UserId, answer: &Result<Rescanned, String>) -> Result<(), CatalogError> {
        // Figures and a text: they always become JSON.
        let answer = serde_json::to_string(answer).unwrap_or_default();
        self.write(move |db| {
            Ok(db.execute("UPDATE rescans SET answer = ?2 WHERE user = ?1", params![user.0, answer]).map(drop)?)
        })
        .await
    }

    /// The answer, as soon as there is one.
    pub async fn rescan_answer(&self, user: UserId) -> Result<Option<Result<Rescanned, String>>, CatalogError> {
        self.read(move |db| {
            let mut query = db.prepare_cached("SELECT answer FROM rescans WHERE user = ?1")?;
            let answer: Option<Option<String>> = query.query_row([user.0], |row| row.get(0)).optional()?;
            let Some(answer) = answer else { return Err(CatalogError::UserGone) };
            Ok(answer.map(|text| serde_json::from_str(&text).unwrap_or(Err(text))))
        })
        .await
    }

    /// Takes a request back.
    pub async fn withdraw_rescan(&self, user: UserId) -> Result<(), CatalogError> {
        self.write(move |db| Ok(db.execute("DELETE FROM rescans WHERE user = ?1", [user.0]).map(drop)?)).await
    }
}

const ASKED: &str = "
SELECT users.id, users.name FROM rescans JOIN users ON users.id = rescans.user WHERE answer IS NULL ORDER BY users.name";
