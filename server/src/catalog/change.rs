//! Changes of a home other than publishes: a mark before, and what came of it after. A mark that is
//! still there when a daemon starts says that this account's ledger must be counted anew.

use rusqlite::{Connection, Row, params};
use wire::RemotePath;

use super::accounts::UserId;
use super::findings::{self, Place};
use super::ledger::{self, ReservationId};
use super::records::Spot;
use super::{Catalog, CatalogError, records, trash};

/// A change under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChangeId {
    id: i64,
    user: UserId,
}

/// What a change is about to do: whatever it is cut off in the middle of, only these names are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// What loses its name.
    pub from: Place,
    /// The name that it gets; none if it goes for good.
    pub to: Option<Place>,
}

/// What a change did to a home.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Bytes that new files hold.
    pub added_bytes: u64,
    /// New files.
    pub added_files: u64,
    /// Bytes that removed files held.
    pub freed_bytes: u64,
    /// Removed files.
    pub freed_files: u64,
    /// Space promised to the change, which ends now.
    pub reservation: Option<ReservationId>,
    /// What it means for the records.
    pub records: RecordChange,
}

/// What a change means for the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RecordChange {
    /// Nothing.
    #[default]
    None,
    /// A file, or a directory with all it held, is gone.
    Removed(RemotePath),
    /// A file, or a directory with all it holds, has another path. What had that path is gone.
    Moved {
        /// Its old path.
        from: RemotePath,
        /// Its new path.
        to: RemotePath,
    },
    /// It lies in the trash.
    Trashed {
        /// Its old path.
        path: RemotePath,
        /// Its number there.
        id: u64,
    },
    /// It is back from the trash.
    Restored {
        /// Its number there.
        id: u64,
        /// Its path.
        path: RemotePath,
    },
    /// What had this number in the trash is gone, or never came there.
    Erased(u64),
}

impl Catalog {
    /// Marks an account's ledger as unsettled; durable when it returns.
    pub async fn begin_change(&self, user: UserId, mark: Mark) -> Result<ChangeId, CatalogError> {
        self.write(move |db| begin(db, user, &mark)).await
    }

    /// The marks of an account that are still there.
    pub async fn marks(&self, user: UserId) -> Result<Vec<Mark>, CatalogError> {
        self.read(move |db| {
            let mut query = db.prepare("SELECT * FROM changes WHERE user = ?1 AND dir IS NOT NULL ORDER BY id")?;
            Ok(query.query_map([user.0], mark)?.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Lets the records of what a change that was cut off did give another name to follow it.
    pub async fn follow(&self, user: UserId, from: &Place, to: &Place) -> Result<(), CatalogError> {
        let (from, to) = (Spot::of(from), Spot::of(to));
        self.write(move |db| Ok(records::rename(db, user, &from, &to)?)).await
    }

    /// Says what a change did, however far it came, and takes its mark away.
    pub async fn settle_change(&self, change: ChangeId, did: Change) -> Result<(), CatalogError> {
        self.write(move |db| {
            if let Some(reservation) = did.reservation {
                ledger::end_reservation(db, reservation)?;
            }
            let (added, freed) = ((did.added_bytes, did.added_files), (did.freed_bytes, did.freed_files));
            ledger::adjust(db, change.user, added, freed)?;
            match &did.records {
                RecordChange::None => {}
                RecordChange::Removed(path) => records::remove(db, change.user, &Spot::home(path))?,
                RecordChange::Moved { from, to } => {
                    records::rename(db, change.user, &Spot::home(from), &Spot::home(to))?;
                }
                RecordChange::Trashed { path, id } => trash::moved_in(db, change.user, path, *id)?,
                RecordChange::Restored { id, path } => trash::moved_out(db, change.user, *id, path)?,
                RecordChange::Erased(id) => trash::erased(db, change.user, *id)?,
            }
            db.prepare_cached("DELETE FROM changes WHERE id = ?1")?.execute([change.id])?;
            Ok(())
        })
        .await
    }

    /// Accounts with an unsettled change or an open publish: their ledgers may be off.
    pub async fn dirty_users(&self) -> Result<Vec<UserId>, CatalogError> {
        self.read(|db| {
            let mut query = db.prepare("SELECT user FROM changes UNION SELECT user FROM intents ORDER BY user")?;
            Ok(query.query_map([], |row| row.get(0).map(UserId))?.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// Leaves the mark, within a transaction.
pub(super) fn begin(db: &Connection, user: UserId, mark: &Mark) -> Result<ChangeId, CatalogError> {
    let (from, to) = (Spot::of(&mark.from), mark.to.as_ref().map(Spot::of));
    let (to_dir, to_name) = (to.as_ref().map(|to| &to.dir), to.as_ref().map(|to| &to.name));
    match db.prepare_cached(BEGIN)?.execute(params![user.0, from.dir, from.name, to_dir, to_name])? {
        0 => Err(CatalogError::UserGone),
        _ => Ok(ChangeId { id: db.last_insert_rowid(), user }),
    }
}

fn mark(row: &Row<'_>) -> rusqlite::Result<Mark> {
    let place = |dir: Vec<u8>, name| findings::place(&Spot { dir, name });
    let from = place(row.get("dir")?, row.get("name")?)?;
    let to = match row.get::<_, Option<Vec<u8>>>("to_dir")? {
        Some(dir) => Some(place(dir, row.get("to_name")?)?),
        None => None,
    };
    Ok(Mark { from, to })
}

const BEGIN: &str = "
INSERT INTO changes (user, dir, name, to_dir, to_name) SELECT id, ?2, ?3, ?4, ?5 FROM users WHERE id = ?1";
