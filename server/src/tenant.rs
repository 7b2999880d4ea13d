//! One user who has sessions: the open home, the order in which its names change, the claims of
//! running uploads, and the news for all of the user's sessions.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};
use wire::fault::Detail;
use wire::message::{Kind, Notice, RawPath};
use wire::{Code, Fault, RemotePath, UserName};

use crate::catalog::{Catalog, Record, UserId};
use crate::faults::lost_task;
use crate::publish::small::{self, GROUP, SMALL_PREFIX, Small};
use crate::recovery;
use crate::vault::{Home, Leftover, Stamp, VaultError, staging_name};

/// A user with sessions. Made at the first login, dropped with the last session.
#[derive(Debug)]
pub struct Tenant {
    /// The account.
    pub id: UserId,
    /// Its name.
    pub name: UserName,
    /// Ledger and records.
    pub catalog: Catalog,
    /// Turns at reading whole files for their hashes, a block of memory each.
    pub hashing: Semaphore,
    home: Arc<Home>,
    changes: tokio::sync::Mutex<()>,
    /// The last change may not be settled. Set only while `changes` is held.
    unsettled: AtomicBool,
    claims: Mutex<Claims>,
    small: mpsc::Sender<Small>,
    notices: broadcast::Sender<Notice>,
}

#[derive(Debug, Default)]
struct Claims {
    next: u64,
    held: HashMap<RemotePath, Slot>,
}

#[derive(Debug)]
struct Slot {
    claim: u64,
    gate: Arc<tokio::sync::Mutex<()>>,
    revoke: Option<oneshot::Sender<()>>,
}

/// The sole right to write the staging file of a path. Ends when dropped.
#[derive(Debug)]
pub struct Claim {
    tenant: Arc<Tenant>,
    path: RemotePath,
    claim: u64,
    _gate: tokio::sync::OwnedMutexGuard<()>,
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
    pub fn new(id: UserId, name: UserName, catalog: Catalog, home: Home) -> Arc<Self> {
        let (queue, waiting) = mpsc::channel(GROUP);
        let tenant = Arc::new(Self {
            id,
            name,
            catalog,
            hashing: Semaphore::new(HASHING),
            home: Arc::new(home),
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
        match tokio::task::spawn_blocking(move || work(&home)).await {
            Ok(result) => Ok(result?),
            Err(error) => Err(lost_task(&error)),
        }
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
        self.small.send(small).await.map_err(|_| Fault::new(Code::Draining, "the server is going down"))
    }

    /// Takes over the staging file of `path`: whoever had it is told through its `revoked` and is
    /// waited for. `revoked` of the new holder resolves when it is its turn to go.
    pub async fn claim(self: &Arc<Self>, path: &RemotePath) -> (Claim, oneshot::Receiver<()>) {
        let (revoke, revoked) = oneshot::channel();
        let (claim, gate) = {
            let mut claims = self.claims();
            claims.next += 1;
            let claim = claims.next;
            let slot =
                claims.held.entry(path.clone()).or_insert_with(|| Slot { claim, gate: Arc::default(), revoke: None });
            slot.claim = claim;
            if let Some(older) = slot.revoke.replace(revoke) {
                // An older holder that has just gone needs no telling.
                let _ = older.send(());
            }
            (claim, Arc::clone(&slot.gate))
        };
        let gate = gate.lock_owned().await;
        (Claim { tenant: Arc::clone(self), path: path.clone(), claim, _gate: gate }, revoked)
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
        claims.next += 1;
        let claim = claims.next;
        let slot =
            claims.held.entry(path.clone()).or_insert_with(|| Slot { claim, gate: Arc::default(), revoke: None });
        let _gate = Arc::clone(&slot.gate).try_lock_owned().ok()?;
        (slot.claim, slot.revoke) = (claim, None);
        Some(Claim { tenant: Arc::clone(self), path: path.clone(), claim, _gate })
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
        if claims.held.get(&self.path).is_some_and(|slot| slot.claim == self.claim) {
            claims.held.remove(&self.path);
        }
    }
}

/// Whether a record was made of a file in this state. Here, because catalog and vault do not know each
/// other.
pub(crate) fn is_of(found: &Stamp, recorded: &crate::catalog::Stamp) -> bool {
    (found.size, found.mtime, found.inode) == (recorded.size, recorded.mtime, recorded.inode)
}

/// Files of one user that are read for their hashes at once.
const HASHING: usize = 2;
/// News a slow session may be behind before it loses some; it then asks anew.
const NOTICES: usize = 256;
