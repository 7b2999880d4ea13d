//! Publishes under way: announced before a staged file is renamed into place, settled with record
//! and ledger after it. What stands here when a daemon starts was cut off in between.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wire::RemotePath;

use super::accounts::UserId;
use super::ledger::{self, ReservationId};
use super::records::Record;
use super::sql::{self, Cvs, Label, Whole};
use super::{Catalog, CatalogError};

/// The number of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IntentId(i64);

/// A staged file, proven and synced, that is about to be renamed to its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishIntent {
    /// Whose.
    pub user: UserId,
    /// Its path in the home.
    pub path: RemotePath,
    /// The name of the staging file.
    pub staging: String,
    /// What will be true of it: size, time and inode are the staging file's, which a rename keeps.
    pub record: Record,
}

/// A publish that was announced and neither settled nor abandoned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIntent {
    /// Its number.
    pub id: IntentId,
    /// What was announced.
    pub intent: PublishIntent,
}

/// A publish whose rename is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Which.
    pub intent: IntentId,
    /// The size of the file whose place it took.
    pub replaced: Option<u64>,
}

impl Catalog {
    /// Announces publishes; durable when it returns. One answer for each, in the same order.
    pub async fn begin_publish(&self, intents: Vec<PublishIntent>) -> Vec<Result<IntentId, CatalogError>> {
        self.write_each(intents, |_| Ok(()), begin).await
    }

    /// Settles publishes: for each, ledger and record say what the rename did, and its unfinished
    /// upload is gone; and the reservations that covered them end. One answer for each, in the same
    /// order.
    pub async fn settle_publish(
        &self,
        settled: Vec<Settled>,
        ended: Vec<ReservationId>,
    ) -> Vec<Result<(), CatalogError>> {
        let end = move |db: &Connection| {
            ended.iter().try_for_each(|reservation| Ok(ledger::end_reservation(db, *reservation)?))
        };
        self.write_each(settled, end, settle).await
    }

    /// Takes an announcement back: the rename did not happen.
    pub async fn abandon_publish(&self, intent: IntentId) -> Result<(), CatalogError> {
        self.write(move |db| forget(db, intent)).await
    }

    /// All publishes under way.
    pub async fn open_intents(&self) -> Result<Vec<OpenIntent>, CatalogError> {
        self.read(|db| {
            let mut query = db.prepare("SELECT * FROM intents ORDER BY id")?;
            Ok(query.query_map([], open_intent)?.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Runs `first` and then all in one transaction. An item that cannot be done leaves the others alone; a failing
    /// database undoes all of them.
    async fn write_each<I: Send + 'static, T: Send + 'static>(
        &self,
        items: Vec<I>,
        first: impl FnOnce(&Connection) -> Result<(), CatalogError> + Send + 'static,
        each: impl Fn(&Connection, I) -> Result<T, CatalogError> + Send + 'static,
    ) -> Vec<Result<T, CatalogError>> {
        let count = items.len();
        let all = self.write(move |db| {
            first(db)?;
            let run = |item| match each(db, item) {
                Err(error) if error.is_of_database() => Err(error),
                result => Ok(result),
            };
            items.into_iter().map(run).collect::<Result<Vec<_>, _>>()
        });
        all.await.unwrap_or_else(|error| std::iter::repeat_with(|| Err(error.clone())).take(count).collect())
    }
}

fn begin(db: &Connection, intent: PublishIntent) -> Result<IntentId, CatalogError> {
    let stamp = intent.record.stamp;
    let begun = db.prepare_cached(BEGIN)?.execute(params![
        intent.user.0,
        intent.path.parent().as_bytes(),
        intent.path.name(),
        intent.staging,
        Whole(stamp.size),
        stamp.mtime.secs,
        stamp.mtime.nanos,
        Label(stamp.inode),
        stamp.root.0,
        Cvs(intent.record.cvs),
    ])?;
    if begun == 0 { Err(CatalogError::UserGone) } else { Ok(IntentId(db.last_insert_rowid())) }
}

fn settle(db: &Connection, settled: Settled) -> Result<(), CatalogError> {
    let mut query = db.prepare_cached("SELECT user, size FROM intents WHERE id = ?1")?;
    let found = query.query_row([settled.intent.0], |row| Ok((row.get(0)?, row.get::<_, Whole>(1)?.0))).optional()?;
    let Some((user, size)) = found else { return Err(CatalogError::NoSuchIntent) };
    let new_files = u64::from(settled.replaced.is_none());
    ledger::adjust(db, UserId(user), (size, new_files), (settled.replaced.unwrap_or(0), 0))?;
    db.prepare_cached(RECORD)?.execute([settled.intent.0])?;
    db.prepare_cached(END_UPLOAD)?.execute([settled.intent.0])?;
    forget(db, settled.intent)
}

fn forget(db: &Connection, intent: IntentId) -> Result<(), CatalogError> {
    Ok(db.prepare_cached("DELETE FROM intents WHERE id = ?1")?.execute([intent.0]).map(drop)?)
}

fn open_intent(row: &Row<'_>) -> rusqlite::Result<OpenIntent> {
    let intent = PublishIntent {
        user: UserId(row.get("user")?),
        path: sql::path(row)?,
        staging: row.get("staging")?,
        record: sql::record(row)?,
    };
    Ok(OpenIntent { id: IntentId(row.get("id")?), intent })
}

const BEGIN: &str = "
INSERT INTO intents (user, dir, name, staging, size, mtime_secs, mtime_nanos, inode, root, cvs)
SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM users WHERE id = ?1";

const RECORD: &str = "
INSERT INTO records (user, dir, name, size, mtime_secs, mtime_nanos, inode, root, cvs)
SELECT user, dir, name, size, mtime_secs, mtime_nanos, inode, root, cvs FROM intents WHERE id = ?1
ON CONFLICT (user, dir, name) DO UPDATE SET
    size = excluded.size, mtime_secs = excluded.mtime_secs, mtime_nanos = excluded.mtime_nanos,
    inode = excluded.inode, root = excluded.root, cvs = excluded.cvs";

/// A newer upload of the same path has another staging file and stays.
const END_UPLOAD: &str = "
DELETE FROM uploads WHERE (user, dir, name, staging) = (SELECT user, dir, name, staging FROM intents WHERE id = ?1)";
