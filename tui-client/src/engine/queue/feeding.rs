//! The queue as those see it who feed it.

use std::sync::atomic::Ordering;

use super::super::item::{File, Item, Part, Scan, Wish};
use super::super::status::ItemId;
use super::Queue;
use crate::entries::Picked;

impl Queue {
    /// What of its tree an item is, if this is the scan of its own directory.
    pub(crate) fn part(&self, id: ItemId, scan: &Scan) -> Option<Part> {
        let rows = self.rows();
        rows.items.iter().find(|item| item.id == id && item.job == scan.job)?.part.clone()
    }

    /// Whether an item is a move that had begun before.
    pub(crate) fn was_moving_before(&self, id: ItemId) -> bool {
        self.rows().items.iter().any(|item| item.id == id && item.was_moving_before())
    }

    /// Of its entries only these are left.
    pub(crate) fn picked_anew(&self, id: ItemId, picked: Picked) {
        self.note(|rows| rows.with(id, |item| item.part = Some(Part::Picked(picked))));
    }

    /// How much an item of picked entries is, as far as it is known; told once.
    pub(crate) fn begin_feeding(&self, id: ItemId, files: u64, bytes: u64) {
        self.change(|rows| {
            rows.with(id, |item| {
                if !item.is_dir {
                    item.is_dir = true;
                    item.count(files, bytes);
                }
            })
        });
    }

    /// More files of an item, and directories of it to be looked into.
    pub(crate) fn feed(&self, id: ItemId, files: Vec<File>, scans: Vec<Scan>) {
        self.change(|rows| {
            rows.with(id, |item| {
                if !matches!(item.wish, Wish::Cancel { .. }) {
                    item.pending.extend(files);
                    item.scans.extend(scans);
                }
            })
        });
    }

    /// Returns when more of an item may be fed: there is room, not very much of it waits for a person, and fewer than
    /// `scans` of its directories wait to be looked into.
    pub(crate) async fn room_for(&self, id: ItemId, scans: usize) {
        let is_full = |item: &Item| item.id == id && (item.is_held_up() || item.scans.len() >= scans);
        let mut resting = None;
        loop {
            self.room().await;
            let mut change = std::pin::pin!(self.0.any.notified());
            // Before the look, so that no change falls between.
            change.as_mut().enable();
            if !self.rows().items.iter().any(is_full) {
                return;
            }
            resting.get_or_insert_with(|| Resting::begin(self));
            change.await;
        }
    }

    /// How many wait so, and are in nobody's way meanwhile.
    pub(crate) fn resting(&self) -> usize {
        self.0.resting.load(Ordering::Relaxed)
    }
}

/// Counts as resting as long as it lives.
struct Resting<'a>(&'a Queue);

impl<'a> Resting<'a> {
    fn begin(queue: &'a Queue) -> Self {
        queue.0.resting.fetch_add(1, Ordering::Relaxed);
        // Others may be looked into in its place.
        queue.0.bell.send_modify(|count| *count += 1);
        Self(queue)
    }
}

impl Drop for Resting<'_> {
    fn drop(&mut self) {
        self.0.0.resting.fetch_sub(1, Ordering::Relaxed);
    }
}
