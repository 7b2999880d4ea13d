//! The catalog: accounts and their keys, the quota ledger, reservations, publishes under way, unfinished uploads,
//! BLAKE3 records and what was found of their files, and what lies in trashes. The only code that touches the database; knows nothing of files or sockets.
//! Every method is one whole operation in one transaction, and nothing of SQL shows outside.

mod accounts;
mod change;
mod findings;
mod keys;
mod ledger;
mod publish;
mod records;
mod rescans;
mod rounds;
mod schema;
mod sql;
mod trash;
mod upgrade;
mod uploads;
mod writer;

#[cfg(test)]
mod conformance;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};
use wire::UserName;

pub use accounts::{Account, Phc, UserId};
pub use change::{Change, ChangeId, Mark, RecordChange};
pub use findings::{Figures, Place, RecordKey, Recorded, Standing, What};
pub use keys::{AccountKey, MAX_KEYS};
pub use ledger::ReservationId;
pub use publish::{IntentId, OpenIntent, PublishIntent, Settled};
pub use records::{Known, Record, Stamp};
pub use rescans::Rescanned;
pub use rounds::{Round, Scope};
pub use trash::{Expired, TrashState, Trashed};
pub use uploads::Upload;

use crate::config::Durability;
use crate::metrics::Histogram;
use writer::Job;

/// A cheap handle on the catalog. Its threads end when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// To the one thread that writes.
    writes: mpsc::Sender<Job>,
    /// To the thread that only reads, so that no listing waits behind a sync of the disk.
    reads: mpsc::Sender<Job>,
    released: Released,
    /// How long transactions took.
    commits: Arc<Histogram>,
}

/// Why an operation of the catalog was not done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CatalogError {
    /// An account has that name.
    #[error("a user `{0}` exists already")]
    UserExists(UserName),
    /// No account has that name.
    #[error("there is no user `{0}`")]
    NoSuchUser(UserName),
    /// Over [`MAX_KEYS`].
    #[error("`{0}` would have more than {MAX_KEYS} keys, and none was added; --remove-key makes room")]
    TooManyKeys(UserName),
    /// The account has no such key.
    #[error("`{0}` has no such key; --list-keys {0} prints those there are")]
    NoSuchKey(UserName),
    /// The account was removed meanwhile.
    #[error("the account is gone")]
    UserGone,
    /// The account is locked.
    #[error("the account is locked")]
    Locked,
    /// The bytes do not fit the quota.
    #[error("{shortfall} bytes over the quota")]
    OverQuota {
        /// Bytes that are missing.
        shortfall: u64,
    },
    /// The files do not fit the limit of files.
    #[error("{shortfall} files over the limit")]
    OverFiles {
        /// Files that are missing.
        shortfall: u64,
    },
    /// A publish that was settled or abandoned before, or whose account is gone.
    #[error("no such publish is under way")]
    NoSuchIntent,
    /// A figure over `i64::MAX`, which the catalog cannot hold.
    #[error("a size is larger than {} bytes", i64::MAX)]
    TooLarge,
    /// The file is somebody else's.
    #[error("{} is not a catalog of this program", .0.display())]
    Foreign(PathBuf),
    /// The file was written by a newer version.
    #[error(
        "{} has schema version {found}; this program knows versions up to {known}: run a newer one, or put back the \
         copy of an older version that the newer one left beside it (catalog.version-N.sqlite)",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// An older catalog could not be copied, and stays as it was.
    #[error("cannot keep a copy of the catalog in {} before it is brought to this version; make room there", path.display())]
    NoCopy {
        /// Where the copy was to lie.
        path: PathBuf,
        /// Why not.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// The disk that holds the catalog is full.
    #[error("the disk of the catalog is full")]
    NoSpace,
    /// The disk that holds the catalog failed, or can only be read.
    #[error("the disk of the catalog failed")]
    Disk(#[source] Arc<dyn Error + Send + Sync>),
    /// Another program writes to it, for longer than is waited for.
    #[error("another program keeps the catalog locked")]
    Busy,
    /// What lies there is not what was written.
    #[error("the catalog is damaged; stop the server and put back a copy, then --rescan every account")]
    Damaged(#[source] Arc<dyn Error + Send + Sync>),
    /// The database failed.
    #[error("the catalog's database failed")]
    Database(#[source] Arc<dyn Error + Send + Sync>),
    /// The catalog's thread is gone.
    #[error("the catalog is closed")]
    Closed,
}

impl Catalog {
    /// Opens the catalog at `path`, or makes it. A foreign or newer file is refused unchanged. Relaxed, a
    /// power cut may take back the newest transactions, the newest first; it never spoils the file.
    pub fn open(path: &Path, durability: Durability) -> Result<Self, CatalogError> {
        let released = Released::default();
        let writer = schema::open_writer(path, durability)?;
        let reader = schema::open_reader(path)?;
        let (writes, write_jobs) = mpsc::channel(QUEUE);
        let (reads, read_jobs) = mpsc::channel(QUEUE);
        let (freed, commits) = (released.clone(), Arc::<Histogram>::default());
        let timed = Arc::clone(&commits);
        spawn("catalog-writer", move || writer::run(writer, write_jobs, &freed, &timed))?;
        spawn("catalog-reader", move || writer::run_reader(&reader, read_jobs))?;
        Ok(Self { writes, reads, released, commits })
    }

    pub(crate) fn commits(&self) -> &Histogram {
        &self.commits
    }

    /// Changes when another process wrote to the catalog, and only then: the account flags act on
    /// the accounts of a running daemon this way.
    pub async fn data_version(&self) -> Result<i64, CatalogError> {
        self.write(|db| Ok(db.query_row("PRAGMA data_version", [], |row| row.get(0))?)).await
    }

    /// Runs `operation` in a transaction; answered when it is durable, as far as that was asked for.
    async fn write<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<T, CatalogError> {
        ask(&self.writes, operation).await
    }

    /// Runs `operation` on what was last committed.
    async fn read<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<T, CatalogError> {
        ask(&self.reads, operation).await
    }
}

impl CatalogError {
    /// Whether the whole transaction failed, and not one operation in it.
    fn is_of_database(&self) -> bool {
        matches!(self, Self::NoSpace | Self::Disk(_) | Self::Busy | Self::Damaged(_) | Self::Database(_))
    }
}

async fn ask<T: Send + 'static>(
    queue: &mpsc::Sender<Job>,
    operation: impl FnOnce(&Connection) -> Result<T, CatalogError> + Send + 'static,
) -> Result<T, CatalogError> {
    let (reply, answer) = oneshot::channel();
    queue.send(writer::job(operation, reply)).await.map_err(|_| CatalogError::Closed)?;
    answer.await.unwrap_or(Err(CatalogError::Closed))
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), CatalogError> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    spawned.map(drop).map_err(|error| CatalogError::Database(Arc::new(error)))
}

/// Reservations that were let go and not yet struck out. The writer takes them before each batch, so
/// whatever asks about space afterwards knows. It holds no more than there are reservations.
#[derive(Clone, Debug, Default)]
struct Released(Arc<Mutex<Vec<ReservationId>>>);

impl Released {
    fn push(&self, id: ReservationId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(id);
    }

    fn take(&self) -> Vec<ReservationId> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A figure over `i64::MAX` is refused where it is bound, so it shows here as a failed conversion.
impl From<rusqlite::Error> for CatalogError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::ToSqlConversionFailure(_) => Self::TooLarge,
            // A number of a page that the file does not have.
            rusqlite::Error::SqliteFailure(failure, _)
                if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ =>
            {
                Self::Damaged(Arc::new(error))
            }
            error => match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => Self::NoSpace,
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(Arc::new(error)),
                Some(ErrorCode::SystemIoFailure | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
                    Self::Disk(Arc::new(error))
                }
                _ => Self::Database(Arc::new(error)),
            },
        }
    }
}

/// Operations that may wait for a thread before the next asker waits too.
const QUEUE: usize = 1024;
