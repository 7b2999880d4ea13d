//! A table that never holds more than it may: when it is full, what would be forgotten first goes.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::{Duration, Instant};

use super::By;
use crate::config::PenaltyRules;

/// What is held against somebody. Failures are kept as the time at which the last of them is forgotten: each adds
/// the same span to it, so that they go one by one without anybody counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) forgotten: Instant,
    /// Logins are refused until then.
    pub(super) refused: Instant,
    /// Failures by key among them.
    pub(super) by_key: u32,
}

impl Entry {
    /// Nothing.
    pub(super) fn new(now: Instant) -> Self {
        Self { forgotten: now, refused: now, by_key: 0 }
    }

    /// When nothing of it counts any more.
    pub(super) fn end(&self) -> Instant {
        self.forgotten.max(self.refused)
    }

    /// Failures that are not forgotten.
    pub(super) fn failures(&self, forgive: Duration, now: Instant) -> u32 {
        let left = self.forgotten.saturating_duration_since(now).as_nanos().div_ceil(forgive.as_nanos().max(1));
        u32::try_from(left).unwrap_or(u32::MAX)
    }

    /// The same with one more failure. What is held is bounded too: so much that the longest refusal is due.
    pub(super) fn with_failure(&self, free: u32, by: By, rules: &PenaltyRules, now: Instant) -> Self {
        let forgive = rules.forgive();
        let most = now + forgive * (free.saturating_add(1 + rules.doublings()));
        let forgotten = (self.forgotten.max(now) + forgive).min(most);
        let over = Self { forgotten, ..*self }.failures(forgive, now).saturating_sub(free);
        let refused = match over.checked_sub(1) {
            Some(doublings) => now + rules.refusal(doublings),
            None => self.refused,
        };
        let by_key = if self.forgotten > now { self.by_key } else { 0 };
        Self { forgotten, refused, by_key: by_key.saturating_add(u32::from(by == By::Key)) }
    }

    /// The same without so many failures by key.
    pub(super) fn without(&self, by_key: u32, rules: &PenaltyRules, now: Instant) -> Self {
        let by_key = by_key.min(self.by_key);
        let forgotten = self.forgotten.checked_sub(rules.forgive() * by_key).unwrap_or(now).max(now);
        Self { forgotten, by_key: self.by_key - by_key, ..*self }
    }
}

impl PenaltyRules {
    pub(super) fn forgive(&self) -> Duration {
        Duration::from_secs(self.forgive_seconds.into())
    }

    /// How often the first refusal doubles until it is the longest.
    fn doublings(&self) -> u32 {
        self.longest_seconds.div_ceil(self.first_seconds.max(1)).max(1).next_power_of_two().ilog2()
    }

    fn refusal(&self, doublings: u32) -> Duration {
        let seconds = self.first_seconds.saturating_mul(2_u32.saturating_pow(doublings));
        Duration::from_secs(seconds.min(self.longest_seconds).into())
    }
}

/// Entries by their keys.
#[derive(Debug)]
pub(super) struct Table<K> {
    entries: HashMap<K, Entry>,
    /// The same, by when they end.
    order: BTreeSet<(Instant, K)>,
    capacity: usize,
}

impl<K: Clone + Eq + Hash + Ord> Table<K> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), order: BTreeSet::new(), capacity }
    }

    pub(super) fn get(&self, key: &K) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Enters or replaces. What has ended goes before, and, where there is no room, what ends first.
    pub(super) fn put(&mut self, key: K, entry: Entry, now: Instant) {
        if let Some(before) = self.entries.remove(&key) {
            self.order.remove(&(before.end(), key.clone()));
        }
        while self.order.first().is_some_and(|(end, _)| self.order.len() >= self.capacity || *end <= now)
            && let Some((_, least)) = self.order.pop_first()
        {
            self.entries.remove(&least);
        }
        self.order.insert((entry.end(), key.clone()));
        self.entries.insert(key, entry);
    }

    /// All that has not ended.
    pub(super) fn iter(&self, now: Instant) -> impl Iterator<Item = (&K, &Entry)> {
        self.entries.iter().filter(move |(_, entry)| entry.end() > now)
    }

    pub(super) fn retain(&mut self, stays: impl Fn(&K) -> bool) {
        self.entries.retain(|key, _| stays(key));
        self.order.retain(|(_, key)| stays(key));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.entries.len(), self.order.len());
        self.entries.len()
    }
}

/// What an entry takes at most, in bytes.
#[cfg(test)]
pub(super) const BYTES: usize = 512;
