//! The trash of accounts: what lies in it, where that was, and since when. It counts in the ledger like all
//! that an account holds.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wire::{RemotePath, UserName};

use super::accounts::UserId;
use super::change::{self, ChangeId, Mark};
use super::findings::Place;
use super::records::Spot;
use super::sql::{self, Label, Name, Whole};
use super::{Catalog, CatalogError, records};

/// Something in the trash: a file, or a directory with all it held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trashed {
    /// Its number, and its name among what lies there. Never used again.
    pub id: u64,
    /// Where it was.
    pub path: RemotePath,
    /// Its deletion began: it may not be whole.
    pub doomed: bool,
}

/// What a trash holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrashState {
    /// Days that something stays; `None`: the account has no trash.
    pub days: Option<u32>,
    /// Things that were moved there.
    pub items: u64,
    /// Bytes of their files.
    pub bytes: u64,
}

/// Something whose time in the trash is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Whose.
    pub user: UserId,
    /// The same account's name.
    pub name: UserName,
    /// Its number.
    pub id: u64,
    /// Where it was.
    pub path: RemotePath,
}

impl Catalog {
    /// What an account's trash holds.
    pub async fn trash_state(&self, user: UserId) -> Result<TrashState, CatalogError> {
        self.read(move |db| {
            let row = db.prepare_cached(STATE)?.query_row([user.0], state).optional()?;
            row.ok_or(CatalogError::UserGone)
        })
        .await
    }

    /// All that is noted of an account's trash, the oldest first.
    pub async fn trash(&self, user: UserId) -> Result<Vec<Trashed>, CatalogError> {
        self.read(move |db| {
            let mut query = db.prepare_cached("SELECT * FROM trash WHERE user = ?1 ORDER BY id")?;
            Ok(query.query_map([user.0], trashed)?.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Something that can be restored.
    pub async fn trashed(&self, user: UserId, id: u64) -> Result<Option<Trashed>, CatalogError> {
        self.read(move |db| {
            let mut query = db.prepare_cached("SELECT * FROM trash WHERE user = ?1 AND id = ?2 AND NOT doomed")?;
            Ok(query.query_row(params![user.0, Label(id)], trashed).optional()?)
        })
        .await
    }

    /// Marks the ledger as unsettled and notes what is about to be moved to the trash; durable when it
    /// returns. Its number is its name there.
    pub async fn begin_trash(
        &self,
        user: UserId,
        path: &RemotePath,
        bytes: u64,
    ) -> Result<(ChangeId, u64), CatalogError> {
        let path = path.clone();
        self.write(move |db| {
            let dir = path.parent();
            db.prepare_cached(NOTE)?.execute(params![user.0, dir.as_bytes(), path.name(), Whole(bytes)])?;
            let id = db.last_insert_rowid().cast_unsigned();
            let mark = Mark { from: Place::Home(path), to: Some(Place::trash(id)) };
            Ok((change::begin(db, user, &mark)?, id))
        })
        .await
    }

    /// Marks the ledger as unsettled and something as on its way out, which cannot be restored any more.
    /// `None` where there is no such thing.
    pub async fn begin_erase(&self, user: UserId, id: u64) -> Result<Option<ChangeId>, CatalogError> {
        self.write(move |db| {
            let doom = "UPDATE trash SET doomed = 1 WHERE user = ?1 AND id = ?2";
            match db.prepare_cached(doom)?.execute(params![user.0, Label(id)])? {
                0 => Ok(None),
                _ => change::begin(db, user, &Mark { from: Place::trash(id), to: None }).map(Some),
            }
        })
        .await
    }

    /// Forgets what a look at the disk did not find in the trash.
    pub async fn forget_trashed(&self, user: UserId, ids: Vec<u64>) -> Result<(), CatalogError> {
        self.write(move |db| ids.iter().try_for_each(|id| erased(db, user, *id))).await
    }

    /// All whose time is over, of accounts that keep their trash for a while or have none any more; and what
    /// an earlier deletion did not bring to an end. Time counts from one such look to the next, a day at the most: a
    /// clock that was set, to whatever time, ends nothing's stay long before its days are over.
    pub async fn expired(&self) -> Result<Vec<Expired>, CatalogError> {
        self.write(|db| {
            db.prepare_cached(TICK)?.execute([])?;
            let mut query = db.prepare_cached(EXPIRED)?;
            let expired = |row: &Row<'_>| {
                let (user, name) = (UserId(row.get("user")?), row.get::<_, Name>("user_name")?.0);
                Ok(Expired { user, name, id: row.get::<_, Label>("id")?.0, path: sql::path(row)? })
            };
            Ok(query.query_map([], expired)?.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// Records go with what they are of.
pub(super) fn moved_in(db: &Connection, user: UserId, path: &RemotePath, id: u64) -> Result<(), CatalogError> {
    Ok(records::rename(db, user, &Spot::home(path), &Spot::trash(id))?)
}

/// And come back with it.
pub(super) fn moved_out(db: &Connection, user: UserId, id: u64, path: &RemotePath) -> Result<(), CatalogError> {
    records::rename(db, user, &Spot::trash(id), &Spot::home(path))?;
    forget(db, user, id)
}

/// It is gone for good, or never came.
pub(super) fn erased(db: &Connection, user: UserId, id: u64) -> Result<(), CatalogError> {
    records::remove(db, user, &Spot::trash(id))?;
    forget(db, user, id)
}

fn forget(db: &Connection, user: UserId, id: u64) -> Result<(), CatalogError> {
    let mut forget = db.prepare_cached("DELETE FROM trash WHERE user = ?1 AND id = ?2")?;
    Ok(forget.execute(params![user.0, Label(id)]).map(drop)?)
}

fn trashed(row: &Row<'_>) -> rusqlite::Result<Trashed> {
    Ok(Trashed { id: row.get::<_, Label>("id")?.0, path: sql::path(row)?, doomed: row.get("doomed")? })
}

fn state(row: &Row<'_>) -> rusqlite::Result<TrashState> {
    Ok(TrashState { days: row.get("trash_days")?, items: sql::whole(row, "items")?, bytes: sql::whole(row, "bytes")? })
}

const STATE: &str = "
SELECT trash_days,
    (SELECT count(*) FROM trash WHERE user = ?1 AND NOT doomed) AS items,
    (SELECT coalesce(sum(bytes), 0) FROM trash WHERE user = ?1 AND NOT doomed) AS bytes
FROM users WHERE id = ?1";

const NOTE: &str = "
INSERT INTO trash (user, dir, name, bytes, since)
SELECT ?1, ?2, ?3, ?4, counted + max(0, min(unixepoch() - seen, 86400)) FROM clock";

const TICK: &str = "
UPDATE clock SET counted = counted + max(0, min(unixepoch() - seen, 86400)), seen = unixepoch()";

const EXPIRED: &str = "
SELECT trash.id, trash.user, trash.dir, trash.name, users.name AS user_name FROM clock, trash JOIN users ON users.id = trash.user
WHERE doomed OR trash_days IS NULL OR since + trash_days * 86400 <= counted ORDER BY trash.id";
