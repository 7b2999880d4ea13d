//! The queue as those see it who remove the sources of moves.

use std::time::Instant;

use super::super::item::{Emptied, Item, Kept, Leave, Leaving};
use super::super::status::{AfterCopy, ItemId};
use super::Queue;

impl Queue {
    /// Returns when sources may have to go.
    pub(crate) async fn leaving(&self) {
        self.0.leaving.notified().await;
    }

    /// Sources to remove; without the server only those that can do without it.
    pub(crate) fn next_leave(&self, is_online: bool) -> Option<(ItemId, Leave)> {
        let leave = self.rows().next_leave(is_online, Instant::now())?;
        self.0.shown.notify_one();
        Some(leave)
    }

    /// Whether something is to be tried again later.
    pub(crate) fn has_waiting_leaves(&self) -> bool {
        self.rows().has_waiting_leaves()
    }

    /// What became of the sources of files.
    pub(crate) fn left(&self, id: ItemId, files: Vec<(Leaving, Result<(), Kept>)>) {
        self.change(|rows| rows.left(id, files, Instant::now()));
    }

    /// What became of source directories.
    pub(crate) fn emptied(&self, id: ItemId, emptied: Emptied) {
        self.change(|rows| rows.emptied(id, emptied, Instant::now()));
    }

    /// Whether the sources of an item go.
    pub(crate) fn moves(&self, id: ItemId) -> bool {
        let moves = |item: &Item| item.id == id && item.source == AfterCopy::Remove;
        self.rows().items.iter().any(moves)
    }
}
