//! What a look at stored files found to differ from their records. It belongs to the record: whoever stores, moves
//! or removes the file need not think of it.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wire::{RemotePath, UserName};

use super::accounts::UserId;
use super::records::{Spot, Stamp, below};
use super::rounds::Round;
use super::sql::{self, Label, Name};
use super::{Catalog, CatalogError};

/// In what a stored file differs from its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Other bytes, although size and time are the same. Its record vouches for nothing, and it is not served.
    Damaged,
    /// Another size or time: somebody wrote it past the server.
    Changed,
    /// It is not there.
    Missing,
    /// The disk or its mode does not let it be read.
    Unreadable,
}

/// Names one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordKey {
    pub(super) user: UserId,
    pub(super) spot: Spot,
}

/// Where a recorded file lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the home.
    Home(RemotePath),
    /// In the trash: its number there, and its path below that.
    Trash(RemotePath),
}

/// A file with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its record.
    pub key: RecordKey,
    /// Whose it is.
    pub name: UserName,
    /// Where it lies.
    pub place: Place,
    /// What is recorded of it.
    pub stamp: Stamp,
    /// What the last look found.
    pub found: Option<What>,
}

/// What rounds have found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Findings that stand, each kind with its number.
    pub findings: Vec<(What, u64)>,
    /// Files and bytes of the server's own last round.
    pub round: Option<(u64, u64)>,
    /// Whether that goes on.
    pub is_running: bool,
}

/// Whether a record still says what it said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Yes, and nothing that would change it is under way.
    Same,
    /// Yes, but its file may be changing just now.
    Unsettled,
    /// No.
    Other,
}

impl RecordKey {
    /// Of a file in a home.
    pub fn home(user: UserId, path: &RemotePath) -> Self {
        Self { user, spot: Spot::home(path) }
    }

    /// Whose it is.
    pub fn user(&self) -> UserId {
        self.user
    }
}

impl Place {
    /// Something in the trash, by its number there.
    pub fn trash(id: u64) -> Self {
        // A number is a path.
        Place::Trash(RemotePath::parse(id.to_string().as_bytes()).unwrap_or_else(|_| RemotePath::home()))
    }
}

impl What {
    const ALL: [Self; 4] = [What::Damaged, What::Changed, What::Missing, What::Unreadable];

    /// As a word.
    pub fn name(self) -> &'static str {
        match self {
            What::Damaged => "damaged",
            What::Changed => "changed",
            What::Missing => "missing",
            What::Unreadable => "unreadable",
        }
    }

    /// As a column says it: these numbers stay.
    fn number(self) -> u8 {
        match self {
            What::Damaged => 1,
            What::Changed => 2,
            What::Missing => 3,
            What::Unreadable => 4,
        }
    }

    fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.number() == number)
    }
}

impl Catalog {
    /// What the server's own rounds have found.
    pub async fn figures(&self) -> Result<Figures, CatalogError> {
        self.read(|db| {
            let mut figures = Figures::default();
            let count = "SELECT count(*) AS number FROM findings WHERE what = ?1";
            for what in What::ALL {
                let number = db.prepare_cached(count)?.query_row([what.number()], |row| sql::whole(row, "number"))?;
                figures.findings.push((what, number));
            }
            let row = |row: &Row<'_>| Ok((sql::whole(row, "files")?, sql::whole(row, "bytes")?, row.get("running")?));
            if let Some((files, bytes, running)) = db.prepare_cached(LAST)?.query_row([], row).optional()? {
                (figures.round, figures.is_running) = (Some((files, bytes)), running);
            }
            Ok(figures)
        })
        .await
    }

    /// The next files of a round, in its order; none when it is through.
    pub async fn recorded(&self, round: &Round, most: u32) -> Result<Vec<Recorded>, CatalogError> {
        let (after, last) = (round.at.clone(), round.scope.last());
        self.read(move |db| {
            let figures = params![after.user.0, after.spot.dir, after.spot.name, last, most];
            Ok(db.prepare_cached(NEXT)?.query_map(figures, recorded)?.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// The files at a place and below it, behind a record that was seen before.
    pub async fn recorded_below(
        &self,
        user: UserId,
        place: &Place,
        after: Option<RecordKey>,
        most: u32,
    ) -> Result<Vec<Recorded>, CatalogError> {
        let spot = Spot::of(place);
        self.read(move |db| {
            let after = after.map_or(Spot { dir: Vec::new(), name: Vec::new() }, |key| key.spot);
            let [own, deeper] = below(&spot.full());
            let figures =
                params![user.0, spot.dir, spot.name, own.0, own.1, deeper.0, deeper.1, after.dir, after.name, most];
            Ok(db.prepare_cached(BELOW)?.query_map(figures, recorded)?.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// What a round that was cut off had found.
    pub async fn found(&self, round: &Round) -> Result<Vec<Recorded>, CatalogError> {
        let (first, to) = (round.scope.first(), round.at.clone());
        let started = round.started;
        self.read(move |db| {
            let figures = params![first, to.user.0, to.spot.dir, to.spot.name, started];
            Ok(db.prepare_cached(FOUND)?.query_map(figures, recorded)?.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Whether a record is still what it was, and can be held against its file.
    pub async fn standing(&self, key: &RecordKey, stamp: Stamp) -> Result<Standing, CatalogError> {
        let key = key.clone();
        self.read(move |db| {
            let figures = params![key.user.0, key.spot.dir, key.spot.name];
            let row = |row: &Row<'_>| Ok((sql::stamp(row)?, row.get::<_, bool>("busy")?));
            Ok(match db.prepare_cached(STANDING)?.query_row(figures, row).optional()? {
                Some((found, false)) if found == stamp => Standing::Same,
                Some((found, true)) if found == stamp => Standing::Unsettled,
                _ => Standing::Other,
            })
        })
        .await
    }

    /// Keeps what was found of a file, if its record is still this one.
    pub async fn note_finding(&self, key: &RecordKey, stamp: Stamp, what: What) -> Result<(), CatalogError> {
        let key = key.clone();
        self.write(move |db| {
            let figures = params![key.user.0, key.spot.dir, key.spot.name, stamp.root.0, what.number()];
            Ok(db.prepare_cached(NOTE)?.execute(figures).map(drop)?)
        })
        .await
    }

    /// A file was read and is what its record says. It may have got another number on the disk, as after a backup
    /// was put back.
    pub async fn note_proof(&self, key: &RecordKey, stamp: Stamp, inode: u64) -> Result<(), CatalogError> {
        let key = key.clone();
        self.write(move |db| {
            let figures = params![key.user.0, key.spot.dir, key.spot.name, stamp.root.0, Label(inode)];
            db.prepare_cached(PROVEN)?.execute(figures)?;
            clear(db, &key)
        })
        .await
    }

    /// What is recorded of some files of a home, true or not.
    pub async fn stamps(&self, user: UserId, paths: Vec<RemotePath>) -> Result<Vec<(RemotePath, Stamp)>, CatalogError> {
        self.read(move |db| {
            let mut query = db.prepare_cached(STAMP)?;
            let mut all = Vec::new();
            for path in paths {
                let row = query.query_row(params![user.0, path.parent().as_bytes(), path.name()], sql::stamp);
                let stamp = row.optional()?;
                all.extend(stamp.map(|stamp| (path, stamp)));
            }
            Ok(all)
        })
        .await
    }

    /// Forgets files that are gone; says how many it knew.
    pub async fn forget_records(&self, keys: Vec<RecordKey>) -> Result<u64, CatalogError> {
        self.write(move |db| {
            let mut forget = db.prepare_cached("DELETE FROM records WHERE user = ?1 AND dir = ?2 AND name = ?3")?;
            let mut known = 0;
            for key in keys {
                known += forget.execute(params![key.user.0, key.spot.dir, key.spot.name])? as u64;
            }
            Ok(known)
        })
        .await
    }

    /// Bytes and files in the ledger, and whether a change of them is under way.
    pub async fn ledger(&self, user: UserId) -> Result<(u64, u64, bool), CatalogError> {
        self.read(move |db| {
            let row = |row: &Row<'_>| Ok((sql::whole(row, "used")?, sql::whole(row, "files")?, row.get("busy")?));
            db.prepare_cached(LEDGER)?.query_row([user.0], row).optional()?.ok_or(CatalogError::UserGone)
        })
        .await
    }
}

fn clear(db: &Connection, key: &RecordKey) -> Result<(), CatalogError> {
    let mut clear = db.prepare_cached("DELETE FROM findings WHERE user = ?1 AND dir = ?2 AND name = ?3")?;
    Ok(clear.execute(params![key.user.0, key.spot.dir, key.spot.name]).map(drop)?)
}

pub(super) fn place(spot: &Spot) -> rusqlite::Result<Place> {
    Ok(match spot.dir.split_first() {
        Some((0, below)) => Place::Trash(sql::joined(below, &spot.name)?),
        _ => Place::Home(sql::joined(&spot.dir, &spot.name)?),
    })
}

fn recorded(row: &Row<'_>) -> rusqlite::Result<Recorded> {
    let spot = Spot { dir: row.get("dir")?, name: row.get("name")? };
    Ok(Recorded {
        place: place(&spot)?,
        key: RecordKey { user: UserId(row.get("user")?), spot },
        name: row.get::<_, Name>("user_name")?.0,
        stamp: sql::stamp(row)?,
        found: row.get::<_, Option<u8>>("what")?.and_then(What::of),
    })
}

/// The index of records gives their order; the values of the blocks are not read.
const NEXT: &str = "
SELECT records.user, records.dir, records.name, size, mtime_secs, mtime_nanos, inode, root, what,
    users.name AS user_name
FROM records CROSS JOIN users ON users.id = records.user
LEFT JOIN findings ON (findings.user, findings.dir, findings.name) = (records.user, records.dir, records.name)
WHERE (records.user, records.dir, records.name) > (?1, ?2, ?3) AND records.user <= ?4
ORDER BY records.user, records.dir, records.name LIMIT ?5";

const BELOW: &str = "
SELECT records.user, records.dir, records.name, size, mtime_secs, mtime_nanos, inode, root, NULL AS what,
    users.name AS user_name
FROM records CROSS JOIN users ON users.id = records.user
WHERE records.user = ?1 AND (records.dir, records.name) > (?8, ?9)
    AND ((records.dir = ?2 AND records.name = ?3)
        OR (records.dir >= ?4 AND records.dir < ?5) OR (records.dir >= ?6 AND records.dir < ?7))
ORDER BY records.dir, records.name LIMIT ?10";

const FOUND: &str = "
SELECT records.user, records.dir, records.name, size, mtime_secs, mtime_nanos, inode, root, what,
    users.name AS user_name
FROM findings CROSS JOIN records ON (records.user, records.dir, records.name) = (findings.user, findings.dir, findings.name)
JOIN users ON users.id = records.user
WHERE findings.user >= ?1 AND (findings.user, findings.dir, findings.name) <= (?2, ?3, ?4) AND since >= ?5
ORDER BY findings.user, findings.dir, findings.name";

/// Of the scope that is the clock's.
const LAST: &str = "SELECT files, bytes, ended IS NULL AS running FROM rounds WHERE scope = -1";

const STANDING: &str = "
SELECT size, mtime_secs, mtime_nanos, inode, root,
    EXISTS (SELECT 1 FROM changes WHERE user = ?1)
    OR EXISTS (SELECT 1 FROM intents WHERE user = ?1 AND dir = ?2 AND name = ?3) AS busy
FROM records WHERE user = ?1 AND dir = ?2 AND name = ?3";

const NOTE: &str = "
INSERT OR REPLACE INTO findings (user, dir, name, what, since)
SELECT user, dir, name, ?5, unixepoch() FROM records WHERE user = ?1 AND dir = ?2 AND name = ?3 AND root = ?4";

const PROVEN: &str = "UPDATE records SET inode = ?5 WHERE user = ?1 AND dir = ?2 AND name = ?3 AND root = ?4";

const STAMP: &str = "
SELECT size, mtime_secs, mtime_nanos, inode, root FROM records WHERE user = ?1 AND dir = ?2 AND name = ?3";

const LEDGER: &str = "
SELECT used, files,
    EXISTS (SELECT 1 FROM changes WHERE user = ?1) OR EXISTS (SELECT 1 FROM intents WHERE user = ?1) AS busy
FROM users WHERE id = ?1";
