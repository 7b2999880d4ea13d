//! What outlives the program: the queue of an account, and what became of past items. Written beside the
//! transfers, never in their way; knows no network and no screen.
//!
//! - [`record`]: the lines; [`slot`]: the file they are in, one for each client of an account
//! - [`history`]: what is over

pub mod history;
pub(crate) mod record;
mod slot;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::queue::Queue;
use super::status::ItemId;
use history::{History, Past};
use record::{Parting, Record};
use slot::Slot;

/// What was left over from the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Items that were not over, in their order; all of them are paused.
    pub items: Vec<ItemId>,
    /// What the person has to know, where not all could be read.
    pub told: Option<String>,
}

/// Why a queue is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// A file cannot be read, written or locked.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Sixteen others run.
    #[error("too many clients of this account run on this machine")]
    Taken,
}

/// What there is to write.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) records: Vec<Record>,
    /// Items that are over since the last time.
    pub(crate) past: Vec<Past>,
    /// Once this is written, sources may go.
    pub(crate) partings: Vec<(ItemId, Parting)>,
}

/// Keeps a queue until it is dropped.
#[derive(Debug)]
pub(super) struct Keeping {
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Keeping {
    /// Takes up what was left over, and writes from now on what changes.
    pub(super) async fn begin(queue: Queue, state: PathBuf, account: String) -> Result<(Self, Restored), KeepError> {
        let (dir, whose) = (state.join("queue"), account.clone());
        let taken = blocking(&state, move || Slot::take(&dir, &whose)).await?;
        let (slot, found) = taken?;
        let items = queue.restore(found.items, &account);
        let stop = CancellationToken::new();
        let keeper = Keeper { queue, slot, history: History::at(&state), account };
        let task = tokio::spawn(keeper.run(stop.clone()));
        Ok((Self { stop, task: Some(task) }, Restored { items, told: found.told }))
    }

    /// Writes what is left to write, and gives the file back.
    pub(super) async fn end(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            // Only a panic ends it otherwise.
            let _ = task.await;
        }
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Keeper {
    queue: Queue,
    slot: Slot,
    history: History,
    account: String,
}

impl Keeper {
    async fn run(mut self, stop: CancellationToken) {
        let mut progress = Instant::now();
        loop {
            let is_last = stop.is_cancelled();
            let shows_progress = is_last || progress.elapsed() >= PROGRESS;
            if shows_progress {
                progress = Instant::now();
            }
            let whole = self.slot.is_worn();
            let Gathered { records, past, partings } = self.queue.gather(whole, shows_progress, &self.account);
            if whole || !records.is_empty() || !past.is_empty() {
                let path = self.slot.path().to_owned();
                let queue = self.queue.clone();
                let written = blocking(&path, move || {
                    let result = self.write(whole, &records, &past);
                    (self, result)
                });
                match written.await {
                    Ok((keeper, Ok(()))) => self = keeper,
                    Ok((_, Err(error))) | Err(error) => return queue.no_longer_kept(&error),
                }
                self.queue.parted(&partings);
            }
            if is_last {
                return;
            }
            tokio::select! {
                () = self.queue.to_keep() => {}
                () = sleep(PROGRESS), if self.queue.is_moving() => {}
                () = stop.cancelled() => continue,
            }
            tokio::select! {
                () = sleep(PACE) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// What is over is told to the history first: killed between the two, it is in both.
    fn write(&mut self, whole: bool, records: &[Record], past: &[Past]) -> Result<(), KeepError> {
        if let Err(error) = self.history.add(past) {
            tracing::warn!(%error, "the history was not written");
        }
        if whole { self.slot.rewrite(records) } else { self.slot.append(records) }
    }
}

async fn blocking<T: Send + 'static>(path: &Path, work: impl FnOnce() -> T + Send + 'static) -> Result<T, KeepError> {
    let lost = |error: tokio::task::JoinError| KeepError::Io { path: path.to_owned(), source: io::Error::other(error) };
    tokio::task::spawn_blocking(work).await.map_err(lost)
}

/// Between two writes: whatever was asked for is on the disk that soon.
const PACE: Duration = Duration::from_millis(100);
/// Between two notes of how far items are, which are only shown.
const PROGRESS: Duration = Duration::from_secs(5);
