//! What all users share: the settings in force, the bandwidth, the disks, memory and threads, and what is counted.

use std::sync::Arc;

use tokio::sync::Semaphore;
use wire::BLOCK;

use crate::bandwidth::AllTraffic;
use crate::budget::Budget;
use crate::config::Live;
use crate::metrics::Counters;
use crate::publish::Disks;
use crate::tenant::FINDERS;

/// Shared by all users of a server.
#[derive(Debug)]
pub struct Commons {
    /// The settings in force.
    pub live: Live,
    pub(crate) traffic: AllTraffic,
    pub(crate) disks: Disks,
    pub(crate) counters: Counters,
    pub(crate) budget: Arc<Budget>,
    /// Turns at reading pages and pieces of files, for those who look.
    pub(crate) requests: Arc<Semaphore>,
    /// Turns at looking for names, with the memory of a pattern each.
    pub(crate) finders: Arc<Semaphore>,
    /// Threads for steps on the disk that are soon over.
    pub(crate) threads: Arc<Semaphore>,
    /// Threads that read or write whole files, with up to two blocks of memory each.
    pub(crate) readers: Arc<Semaphore>,
}

impl Commons {
    /// With nobody there.
    pub fn new(live: Live) -> Arc<Self> {
        let (traffic, disks, counters) = Default::default();
        let limits = live.now().limits.clone();
        let budget = Budget::new(limits.transfer_memory);
        let [requests, finders, threads, readers] =
            [limits.requests, FINDERS, THREADS, READERS].map(|places| Arc::new(Semaphore::new(places)));
        Arc::new(Self { live, traffic, disks, counters, budget, requests, finders, threads, readers })
    }
}

/// What threads of the disk take together, in bytes.
pub(crate) const MEMORY: usize = THREADS * BLOCK + READERS * 2 * BLOCK;
/// Steps on the disk at once; each may copy a block of an old file.
const THREADS: usize = 48;
/// Whole files that are read or put together at once.
const READERS: usize = 32;
