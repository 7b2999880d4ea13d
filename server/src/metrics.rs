//! Figures for Prometheus: what is counted here, and a page of all there is to know, made when it is asked for.
//!
//! - [`text`]: the format
//! - [`page`]: where each figure comes from
//! - [`process`]: memory and open files of this process
//! - [`port`]: the page over HTTP

pub(crate) mod page;
pub(crate) mod port;
pub(crate) mod process;
mod text;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What nothing else keeps a count of.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Logins that opened a session.
    pub(crate) logins: Counter,
    /// Files that got their names.
    pub(crate) published: Counter,
    /// Blocks of uploads that need not travel, for they were there, proven.
    pub(crate) held_up: Counter,
    /// Likewise of downloads.
    pub(crate) held_down: Counter,
    /// Rescans that found the ledger wrong.
    pub(crate) drifts: Counter,
    /// How long content took to be synced.
    pub(crate) syncs: Histogram,
}

/// Only rises.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often something took how long.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    /// One more than there are [`BOUNDS`].
    counts: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Histogram {
    /// Counts what began at `start`.
    pub(crate) fn since(&self, start: Instant) {
        let took = start.elapsed();
        let place = BOUNDS.iter().position(|(bound, _)| took <= *bound).unwrap_or(BOUNDS.len());
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Seconds up to which is counted together, and as they are written.
const BOUNDS: [(Duration, &str); 10] = [
    (Duration::from_millis(1), "0.001"),
    (Duration::from_millis(5), "0.005"),
    (Duration::from_millis(10), "0.01"),
    (Duration::from_millis(25), "0.025"),
    (Duration::from_millis(50), "0.05"),
    (Duration::from_millis(100), "0.1"),
    (Duration::from_millis(250), "0.25"),
    (Duration::from_millis(1000), "1"),
    (Duration::from_millis(2500), "2.5"),
    (Duration::from_millis(10_000), "10"),
];
