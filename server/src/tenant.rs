//! One user who has sessions: the open home, the order in which its names change, the claims of
//! running uploads, and the news for all of the user's sessions.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use wire::fault::Detail;
use wire::message::{Kind, Notice, RawPath};
use wire::path::MAX_PATH;
use wire::{Code, Fault, RemotePath, UserName};

use crate::bandwidth::Traffic;
use crate::budget::Share;
use crate::catalog::{Catalog, Record, UserId};
use crate::commons::Commons;
use crate::faults::{going_down, lost_task};
use crate::publish::small::{self, GROUP, SMALL_PREFIX, Small};
use crate::recovery;
use crate::vault::{Home, Leftover, Listing, Page, Stamp, VaultError, staging_name};

/// A user with sessions. Made at the first login, dropped with the last session.
#[derive(Debug)]
pub struct Tenant {
    /// The account.
    pub id: UserId,
    /// Its name.
    pub name: UserName,
    /// Ledger and records.
    pub catalog: Catalog,
    /// What it shares with all others.
    pub commons: Arc<Commons>,
    /// Its bytes.
    pub(crate) traffic: Arc<Traffic>,
    /// Bytes that are set aside on its disk.
    pub(crate) disk: Arc<AtomicU64>,
    /// Turns at looking for names, with the memory of a pattern each.
    pub finding: Semaphore,
    /// Memory for what travels.
    pub(crate) memory: Share,
    /// Turns at reading pages and pieces of files.
    pub(crate) requests: Arc<Semaphore>,
    /// Threads that read or write whole files at once.
    reading: Arc<Semaphore>,
    home: Arc<Home>,
    /// Threads that work on the home at once: others need some, too.
    threads: Arc<Semaphore>,
    changes: tokio::sync::Mutex<()>,
    /// The last change may not be settled. Set only while `changes` is held.
    unsettled: AtomicBool,
    claims: Mutex<Claims>,
    small: mpsc::Sender<Small>,
    notices: broadcast::Sender<Notice>,
}

#[derive(Debug, Default)]
struct Claims {
    held: HashMap<RemotePath, Slot>,
}

/// There while anybody holds the path or waits for it.
#[derive(Debug, Default)]
struct Slot {
    gate: Arc<tokio::sync::Mutex<()>>,
    revoke: Option<oneshot::Sender<()>>,
}

/// The sole right to write the staging file of a path. Ends when dropped.
#[derive(Debug)]
pub struct Claim {
    tenant: Arc<Tenant>,
    path: RemotePath,
    /// `None` while it is waited for.
    gate: Option<tokio::sync::OwnedMutexGuard<()>>,
}

/// The sole right to change names. What is not told to be settled when it ends is looked at again before
/// anything else is promised or changed.
#[derive(Debug)]
pub struct Changing<'a> {
    unsettled: &'a AtomicBool,
    settled: bool,
    _lock: tokio::sync::MutexGuard<'a, ()>,
}

impl Changing<'_> {
    /// Catalog and disk say the same again.
    pub fn settled(mut self) {
        self.settled = true;
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.unsettled.store(!self.settled, Ordering::Release);
    }
}

impl Tenant {
    /// A tenant with its open home; starts the task that publishes small files in groups.
    pub fn new(id: UserId, name: UserName, catalog: Catalog, home: Home, commons: Arc<Commons>) -> Arc<Self> {
        let (queue, waiting) = mpsc::channel(GROUP);
        let tenant = Arc::new(Self {
            id,
            name,
            catalog,
            traffic: commons.traffic.of(id),
            // A disk that does not tell its number is one of its own kind.
            disk: commons.disks.of(home.device().unwrap_or_default()),
            commons: Arc::clone(&commons),
            finding: Semaphore::new(FINDING),
            memory: commons.budget.share(),
            requests: Arc::new(Semaphore::new((commons.live.now().limits.requests / 4).max(1))),
            reading: Arc::new(Semaphore::new(READING)),
            home: Arc::new(home),
            threads: Arc::new(Semaphore::new(THREADS)),
            changes: tokio::sync::Mutex::new(()),
            // Whoever was here before may have left something.
            unsettled: AtomicBool::new(true),
            claims: Mutex::default(),
            small: queue,
            notices: broadcast::channel(NOTICES).0,
        });
        tokio::spawn(small::groups(Arc::downgrade(&tenant), waiting));
        tenant
    }

    /// Runs a whole operation on the home in a blocking task.
    pub async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Home) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, Fault> {
        let home = Arc::clone(&self.home);
        match self.step(move || work(&home)).await.await {
            Ok(result) => Ok(result?),
            Err(error) => Err(lost_task(&error)),
        }
    }

    /// Begins a step on the disk that is soon over, when it is the user's turn.
    pub(crate) async fn step<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        let turns = turns(&self.threads, &self.commons.threads).await;
        tokio::task::spawn_blocking(move || {
            let _turns = turns;
            work()
        })
    }

    /// As [`Self::on_disk`], for what reads or writes whole files, and may take long.
    pub(crate) async fn long_on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Home) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let turns = turns(&self.reading, &self.commons.readers).await;
        self.read_long(turns, work).await
    }

    /// The turns of [`Self::long_on_disk`], if there are some just now.
    pub(crate) fn reading_now(&self) -> Option<Turns> {
        let own = Arc::clone(&self.reading).try_acquire_owned().ok()?;
        Some((Some(own), Some(Arc::clone(&self.commons.readers).try_acquire_owned().ok()?)))
    }

    /// What may take long, with its turns.
    pub(crate) async fn read_long<T: Send + 'static>(
        &self,
        turns: Turns,
        work: impl FnOnce(&Home) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let home = Arc::clone(&self.home);
        let working = tokio::task::spawn_blocking(move || {
            let _turns = turns;
            work(&home)
        });
        working.await.map_err(|error| lost_task(&error))
    }

    /// The next page of a listing, and the rest of it; `None` at its end.
    pub async fn page(&self, mut listing: Listing) -> Result<Option<(Page, Listing)>, Fault> {
        self.on_disk(move |_| Ok(listing.page(|_| true)?.map(|page| (page, listing)))).await
    }

    /// The record of a file, if the file is still the one that was recorded.
    pub async fn valid_record(&self, path: &RemotePath, stamp: Stamp) -> Result<Option<Record>, Fault> {
        let record = self.catalog.record(self.id, path).await?;
        Ok(record.filter(|record| is_of(&stamp, &record.stamp)))
    }

    /// Adds to a fault `exists` what is known of the file that is in the way.
    pub async fn tell_existing(&self, path: &RemotePath, fault: Fault) -> Fault {
        if fault.code != Code::Exists {
            return fault;
        }
        // Whoever is giving names has then also kept the records of what got one.
        let _settled = self.changes.lock().await;
        let target = path.clone();
        let Ok(node) = self.on_disk(move |home| home.node(&target)).await else { return fault };
        if node.kind != Kind::File {
            return fault;
        }
        let record = self.valid_record(path, node.stamp).await.ok().flatten();
        let root = record.map(|record| record.stamp.root);
        fault.with(Detail::Existing { size: node.stamp.size, mtime: node.stamp.mtime, root })
    }

    /// Held while names change: what the ledger says and what the disk says then change together. A change
    /// that the catalog did not settle, because its disk was full or failed, is made good first; as long as
    /// that cannot be done, nothing else changes.
    pub async fn changing(&self) -> Result<Changing<'_>, Fault> {
        let lock = self.changes.lock().await;
        if self.unsettled.load(Ordering::Acquire) && self.catalog.dirty_users().await?.contains(&self.id) {
            recovery::settle(&self.catalog, &self.home, self.id, &self.name).await?;
        }
        self.unsettled.store(false, Ordering::Release);
        Ok(Changing { unsettled: &self.unsettled, settled: false, _lock: lock })
    }

    /// Makes good what the catalog did not settle, before anybody relies on the ledger.
    pub async fn make_good(&self) -> Result<(), Fault> {
        if self.unsettled.load(Ordering::Acquire) {
            self.changing().await?.settled();
        }
        Ok(())
    }

    /// Counts the home anew, whatever the ledger says, while the caller holds [`Self::changing`].
    pub async fn recount(&self) -> Result<(), Fault> {
        Ok(recovery::settle(&self.catalog, &self.home, self.id, &self.name).await?)
    }

    /// Hands a small file to the group that is published next.
    pub async fn publish_small(&self, small: Small) -> Result<(), Fault> {
        self.small.send(small).await.map_err(|_| going_down())
    }

    /// Takes over the staging file of `path`: whoever had it is told through its `revoked` and is
    /// waited for. `revoked` of the new holder resolves when it is its turn to go.
    pub async fn claim(self: &Arc<Self>, path: &RemotePath) -> (Claim, oneshot::Receiver<()>) {
        let (revoke, revoked) = oneshot::channel();
        let gate = {
            let mut claims = self.claims();
            let slot = claims.held.entry(path.clone()).or_default();
            if let Some(older) = slot.revoke.replace(revoke) {
                // An older holder that has just gone needs no telling.
                let _ = older.send(());
            }
            Arc::clone(&slot.gate)
        };
        // Before it waits, for whoever waits may leave.
        let mut claim = Claim { tenant: Arc::clone(self), path: path.clone(), gate: None };
        claim.gate = Some(gate.lock_owned().await);
        (claim, revoked)
    }

    /// Whether somebody writes the staging file of `path`, or waits to.
    pub fn is_claimed(&self, path: &RemotePath) -> bool {
        self.claims().held.contains_key(path)
    }

    /// Deletes what is left of an upload, unless somebody works on it; says whether it is gone.
    pub async fn discard_upload(self: &Arc<Self>, path: &RemotePath, staging: String) -> Result<bool, Fault> {
        let Some(claim) = self.try_claim(path) else { return Ok(false) };
        let name = staging.clone();
        // The claim goes along: what comes meanwhile waits, and begins afresh.
        let discarded = self.on_disk(move |home| {
            let discarded = home.discard(&name);
            Ok((discarded, claim))
        });
        let (discarded, _claim) = discarded.await?;
        discarded?;
        self.catalog.ended_uploads(self.id, vec![staging]).await?;
        Ok(true)
    }

    /// The claim of `path`, if nobody has it.
    fn try_claim(self: &Arc<Self>, path: &RemotePath) -> Option<Claim> {
        let mut claims = self.claims();
        let slot = claims.held.entry(path.clone()).or_default();
        let gate = Arc::clone(&slot.gate).try_lock_owned().ok()?;
        Some(Claim { tenant: Arc::clone(self), path: path.clone(), gate: Some(gate) })
    }

    /// Drops unfinished uploads that nobody works on, the oldest first, as far as the quota has no room
    /// for them beside what is used and promised. They hold no promise of their own, so they never stand
    /// in the way of a new upload, and together with it never take more of the disk than the quota.
    pub async fn make_room(&self) -> Result<(), Fault> {
        let Some(free) = self.catalog.usage(self.id).await?.free() else { return Ok(()) };
        let busy: HashSet<String> = self.claims().held.keys().map(staging_name).collect();
        let drop_oldest = move |home: &Home| {
            let mut left: Vec<Leftover> = home.staged()?;
            left.retain(|left| !busy.contains(&left.name) && !left.name.starts_with(SMALL_PREFIX));
            left.sort_unstable_by_key(|left| left.mtime);
            let mut bytes: u64 = left.iter().map(|left| left.bytes).sum();
            let mut gone = Vec::new();
            for oldest in left {
                if bytes <= free {
                    break;
                }
                home.discard(&oldest.name)?;
                bytes -= oldest.bytes;
                gone.push(oldest.name);
            }
            Ok(gone)
        };
        let gone = self.on_disk(drop_oldest).await?;
        if !gone.is_empty() {
            tracing::info!(user = %self.name, uploads = gone.len(), "unfinished uploads gave way to a new one");
            self.catalog.ended_uploads(self.id, gone).await?;
        }
        Ok(())
    }

    /// News for every session of the user, from now on.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Tells all sessions that directories changed and how much space is left.
    pub async fn announce(&self, mut directories: Vec<RemotePath>) {
        directories.sort_unstable();
        directories.dedup();
        for directory in &directories {
            // Nobody listening is no fault.
            let _ = self.notices.send(Notice::Changed(RawPath::from(directory)));
        }
        self.announce_usage().await;
    }

    /// Tells all sessions how much space is left.
    pub async fn announce_usage(&self) {
        if let Ok(usage) = self.catalog.usage(self.id).await {
            let _ = self.notices.send(Notice::Usage(usage));
        }
    }

    fn claims(&self) -> MutexGuard<'_, Claims> {
        // The map is whole between any two statements: a panic elsewhere does not spoil it.
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut claims = self.tenant.claims();
        self.gate = None;
        // Nobody comes to it while the claims are locked: the last one clears up.
        if claims.held.get(&self.path).is_some_and(|slot| Arc::strong_count(&slot.gate) == 1) {
            claims.held.remove(&self.path);
        }
    }
}

/// Of a user and of all.
pub(crate) type Turns = (Option<OwnedSemaphorePermit>, Option<OwnedSemaphorePermit>);

/// Waits for threads of the disk, first those of the user: of each user a few wait for all. They are given back even if nobody
/// waits for the work any more, but not before it is over.
async fn turns(own: &Arc<Semaphore>, of_all: &Arc<Semaphore>) -> Turns {
    // Never closed.
    let own = Arc::clone(own).acquire_owned().await.ok();
    (own, Arc::clone(of_all).acquire_owned().await.ok())
}

/// Whether a record was made of a file in this state. Here, because catalog and vault do not know each
/// other.
pub(crate) fn is_of(found: &Stamp, recorded: &crate::catalog::Stamp) -> bool {
    (found.size, found.mtime, found.inode) == (recorded.size, recorded.mtime, recorded.inode)
}

/// What a user takes, in bytes: patterns, and news that nobody has read yet.
pub(crate) const MEMORY: usize = NOTICES * MAX_PATH;
/// What looking for names takes, of all users.
pub(crate) const FINDERS_MEMORY: usize = FINDERS * PATTERN;
/// Names that are looked for at once.
const FINDING: usize = 2;
/// The most that a pattern's automata take, by the defaults of their crate: two of 2 MiB for a thread.
const PATTERN: usize = 4 << 20;
/// Names that are looked for at once, of all users.
pub(crate) const FINDERS: usize = 8;
/// Whole files of one user that are read or put together at once.
const READING: usize = 4;
/// Steps on the disk of one user at once: a third of what all have.
const THREADS: usize = 16;
/// News a slow session may be behind before it loses some; it then asks anew.
const NOTICES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Phc;
    use crate::config::{Config, Durability, Live};
    use futures_util::poll;

    async fn tenant(dir: &std::path::Path) -> Arc<Tenant> {
        let name: UserName = "ada".parse().expect("a name");
        let catalog = Catalog::open(&dir.join("catalog"), Durability::Relaxed).expect("opened");
        let id = catalog.add_user(&name, Phc("x".into()), None, None).await.expect("added");
        let vault = crate::vault::Vault::new(dir, Arc::new(Durability::Relaxed));
        let commons = Commons::new(Live::new(Config::default()));
        Tenant::new(id, name.clone(), catalog, vault.home(&name).expect("a home"), commons)
    }

    #[tokio::test]
    async fn who_leaves_while_waiting_for_a_claim_leaves_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let (tenant, path) = (tenant(dir.path()).await, RemotePath::parse(b"a").expect("a path"));
        let (first, mut told) = tenant.claim(&path).await;
        {
            let mut second = Box::pin(tenant.claim(&path));
            assert!(poll!(&mut second).is_pending() && told.try_recv().is_ok(), "the older one is told");
        }
        // The path is held all the same: nobody else may write there.
        let mut third = Box::pin(tenant.claim(&path));
        assert!(poll!(&mut third).is_pending());
        drop(first);
        drop(third.await);
        assert!(tenant.claims().held.is_empty(), "a path that nobody works on is not busy");
    }

    #[tokio::test]
    async fn a_user_has_some_threads_and_not_all() {
        let dir = tempfile::tempdir().expect("a directory");
        let tenant = tenant(dir.path()).await;
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let mut working = tokio::task::JoinSet::new();
        for _ in 0..2 * THREADS {
            let (tenant, wait) = (Arc::clone(&tenant), Arc::clone(&wait));
            // Ends when `go` is dropped.
            let work = move |_: &Home| {
                let _ = wait.lock().expect("whole").recv();
                Ok(())
            };
            working.spawn(async move { tenant.on_disk(work).await });
        }
        while tenant.threads.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(poll!(std::pin::pin!(tenant.on_disk(|_| Ok(())))).is_pending(), "one more waits for its turn");
        drop(go);
        assert_eq!(working.join_all().await.into_iter().filter(Result::is_ok).count(), 2 * THREADS);
    }
}
