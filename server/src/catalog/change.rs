//! Changes of a home other than publishes: a mark before, and what came of it after. A mark that is
//! still there when a daemon starts says that this account's ledger must be counted anew.

use rusqlite::Connection;
use wire::RemotePath;

use super::accounts::UserId;
use super::ledger::{self, ReservationId};
use super::records::Spot;
use super::{Catalog, CatalogError, records, trash};

/// A change under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChangeId {
    id: i64,
    user: UserId,
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
    pub async fn begin_change(&self, user: UserId) -> Result<ChangeId, CatalogError> {
        self.write(move |db| begin(db, user)).await
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
pub(super) fn begin(db: &Connection, user: UserId) -> Result<ChangeId, CatalogError> {
    let mut mark = db.prepare_cached("INSERT INTO changes (user) SELECT id FROM users WHERE id = ?1")?;
    match mark.execute([user.0])? {
        0 => Err(CatalogError::UserGone),
        _ => Ok(ChangeId { id: db.last_insert_rowid(), user }),
    }
}
