//! Rounds through all recorded files: how far each has come, so that one that was cut off goes on.

use rusqlite::{OptionalExtension, Row, params};

use super::accounts::UserId;
use super::findings::RecordKey;
use super::records::Spot;
use super::sql::{self, Whole};
use super::{Catalog, CatalogError};

/// Whose files a round goes through, and who asked for it. Each has a round of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's, by the clock.
    Clock,
    /// Everybody's, by an operator.
    All,
    /// One account's, by an operator.
    One(UserId),
}

/// A round, as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Whose files.
    pub scope: Scope,
    /// When it began, in seconds since 1970-01-01 UTC.
    pub started: i64,
    /// The last file that was looked at.
    pub at: RecordKey,
    /// Files looked at.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Round {
    /// One that has looked at nothing, and that nobody keeps.
    pub fn first(scope: Scope) -> Self {
        let spot = Spot { dir: Vec::new(), name: Vec::new() };
        let at = RecordKey { user: UserId(scope.first()), spot };
        Self { scope, started: 0, at, files: 0, bytes: 0 }
    }
}

impl Scope {
    /// Accounts have numbers above nought.
    fn number(self) -> i64 {
        match self {
            Scope::Clock => -1,
            Scope::All => 0,
            Scope::One(user) => user.0,
        }
    }

    /// The first account of it, or one before.
    pub(super) fn first(self) -> i64 {
        self.number().max(0)
    }

    /// The last account of it, or one behind.
    pub(super) fn last(self) -> i64 {
        match self {
            Scope::Clock | Scope::All => i64::MAX,
            Scope::One(user) => user.0,
        }
    }
}

impl Catalog {
    /// The round that was cut off, or a new one; a new one in any case if it is to begin `anew`.
    pub async fn begin_round(&self, scope: Scope, anew: bool) -> Result<Round, CatalogError> {
        self.write(move |db| {
            let mut query = db.prepare_cached("SELECT * FROM rounds WHERE scope = ?1 AND ended IS NULL")?;
            let cut_off = query.query_row([scope.number()], |row| round(scope, row)).optional()?;
            if let Some(round) = cut_off.filter(|_| !anew) {
                return Ok(round);
            }
            Ok(db.prepare_cached(BEGIN)?.query_row([scope.number(), scope.first()], |row| round(scope, row))?)
        })
        .await
    }

    /// Keeps how far a round has come, and whether that is the end.
    pub async fn save_round(&self, round: &Round, ended: bool) -> Result<(), CatalogError> {
        let Round { scope, at: RecordKey { user, spot: Spot { dir, name } }, files, bytes, .. } = round.clone();
        self.write(move |db| {
            let figures = params![scope.number(), user.0, dir, name, Whole(files), Whole(bytes), ended];
            Ok(db.prepare_cached(SAVE)?.execute(figures).map(drop)?)
        })
        .await
    }

    /// Whether a round is to begin, or to go on, when one begins every so many days. One that began in the future
    /// began when the clock was wrong.
    pub async fn round_is_due(&self, scope: Scope, every_days: u32) -> Result<bool, CatalogError> {
        self.read(move |db| {
            let waits = db.prepare_cached(WAITS)?.query_row(params![scope.number(), every_days], |row| row.get(0));
            Ok(!waits.optional()?.unwrap_or(false))
        })
        .await
    }
}

fn round(scope: Scope, row: &Row<'_>) -> rusqlite::Result<Round> {
    let spot = Spot { dir: row.get("dir")?, name: row.get("name")? };
    Ok(Round {
        scope,
        started: row.get("started")?,
        at: RecordKey { user: UserId(row.get("user")?), spot },
        files: sql::whole(row, "files")?,
        bytes: sql::whole(row, "bytes")?,
    })
}

/// No record is before the one without a name.
const BEGIN: &str = "
INSERT OR REPLACE INTO rounds (scope, user, dir, name, started, files, bytes)
VALUES (?1, ?2, x'', x'', unixepoch(), 0, 0) RETURNING *";

const SAVE: &str = "
UPDATE rounds SET user = ?2, dir = ?3, name = ?4, files = ?5, bytes = ?6, ended = iif(?7, unixepoch(), NULL)
WHERE scope = ?1";

const WAITS: &str = "
SELECT ended IS NOT NULL AND started <= unixepoch() AND started + ?2 * 86400 > unixepoch() FROM rounds WHERE scope = ?1";
