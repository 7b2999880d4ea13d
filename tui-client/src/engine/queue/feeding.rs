//! The queue as those see it who feed it with a part of a tree.

use super::super::item::{File, Part, Scan, Wish};
use super::super::status::ItemId;
use super::Queue;
use crate::entries::Picked;

impl Queue {
    /// What of its tree an item is, if this is the scan of its own directory; and how much of that was fed.
    pub(crate) fn part(&self, id: ItemId, scan: &Scan) -> Option<(Part, usize)> {
        let rows = self.rows();
        let item = rows.items.iter().find(|item| item.id == id && item.job == scan.job)?;
        Some((item.part.clone()?, item.fed))
    }

    /// Whether an item is a move that the program did not end the last time.
    pub(crate) fn was_moving_before(&self, id: ItemId) -> bool {
        self.rows().items.iter().any(|item| item.id == id && item.fed == 0 && item.was_moving_before())
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

    /// More of an item's entries; `fed` with them.
    pub(crate) fn feed(&self, id: ItemId, files: Vec<File>, scans: Vec<Scan>, fed: usize) {
        self.change(|rows| {
            rows.with(id, |item| {
                if !matches!(item.wish, Wish::Cancel { .. }) {
                    item.fed = fed;
                    item.pending.extend(files);
                    item.scans.extend(scans);
                }
            })
        });
    }

    /// Returns when more of an item may be fed: there is room, and not very much of it waits for a person or to be
    /// looked into.
    pub(crate) async fn room_for(&self, id: ItemId) {
        loop {
            self.room().await;
            let mut change = std::pin::pin!(self.0.any.notified());
            // Before the look, so that no change falls between.
            change.as_mut().enable();
            if !self.rows().items.iter().any(|item| item.id == id && item.held_up() >= MOST_HELD_UP) {
                return;
            }
            change.await;
        }
    }
}

/// An answer for all is one for those that come later, too.
const MOST_HELD_UP: usize = 1000;
