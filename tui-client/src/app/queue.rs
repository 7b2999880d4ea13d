//! How the queue is shown: its order on the screen, the selected row, the sums. The items themselves
//! are in the engine's status.

use std::time::Duration;

use super::board::Group;
use crate::engine::status::{Direction, ItemId, ItemStatus, Job, State, Status};

/// What the screen keeps of the queue.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// Items in the order of the screen: what needs the person, what runs, what waits, what is over.
    pub order: Vec<ItemId>,
    /// The selected one.
    pub selected: Option<ItemId>,
    /// The first row on the screen.
    pub top: usize,
    /// The first item of what is summed up: older ones were over when work began again.
    since: Option<ItemId>,
}

/// What the header and the total line tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Items at work.
    pub running: usize,
    /// Items that try again by themselves.
    pub retrying: usize,
    /// Items whose turn has not come.
    pub waiting: usize,
    /// Stopped ones.
    pub paused: usize,
    /// Questions that wait for the person.
    pub needs_you: usize,
    /// Failed ones.
    pub failed: usize,
    /// Done ones.
    pub done: usize,
    /// Items in the total line.
    pub items: usize,
    /// Whether some of them are still being scanned.
    pub scanning: bool,
    /// Their files.
    pub files: u64,
    /// Finished ones.
    pub files_done: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those of them that are settled.
    pub bytes_done: u64,
}

impl Queue {
    /// Takes up a new status: the order follows, the selection stays on its item or its row.
    pub fn follow(&mut self, status: &Status) {
        let live = |item: &&ItemStatus| !item.state.is_over();
        self.since = match (self.since, status.items.iter().filter(live).map(|item| item.id).min()) {
            (_, None) => None,
            (None, first) => first,
            (Some(since), Some(first)) => Some(since.min(first)),
        };
        let row = self.row();
        let mut items: Vec<&ItemStatus> = status.items.iter().collect();
        items.sort_by_key(|item| Group::of(status, item));
        self.order = items.into_iter().map(|item| item.id).collect();
        if !self.selected.is_some_and(|id| self.order.contains(&id)) {
            self.selected = self.order.get(row.min(self.order.len().saturating_sub(1))).copied();
        }
    }

    /// The row of the selected item.
    pub fn row(&self) -> usize {
        self.order.iter().position(|id| Some(*id) == self.selected).unwrap_or_default()
    }

    /// Selects the item some rows away, stopping at both ends.
    pub fn step(&mut self, rows: isize) {
        let row = self.row().saturating_add_signed(rows).min(self.order.len().saturating_sub(1));
        self.selected = self.order.get(row).copied();
    }

    /// Scrolls so that the selected row is among `height` on the screen.
    pub fn keep_visible(&mut self, height: usize) {
        let row = self.row();
        let lowest = row.saturating_sub(height.saturating_sub(1));
        let last_top = self.order.len().saturating_sub(height.max(1));
        self.top = self.top.clamp(lowest, row.max(lowest)).min(last_top.max(lowest));
    }

    /// The figures of the header and of the total line.
    pub fn sums(&self, status: &Status) -> Sums {
        let mut sums =
            Sums { needs_you: usize::try_from(status.open_questions).unwrap_or(usize::MAX), ..Sums::default() };
        for item in &status.items {
            match item.state {
                State::Running => sums.running += 1,
                State::Retrying { .. } => sums.retrying += 1,
                State::Waiting => sums.waiting += 1,
                State::Paused => sums.paused += 1,
                State::Failed(_) => sums.failed += 1,
                State::Done => sums.done += 1,
                State::NeedsYou | State::Cancelled => {}
            }
            let counts = self.since.is_some_and(|since| item.id >= since) && item.state != State::Cancelled;
            if counts {
                sums.items += 1;
                sums.scanning |= item.scanning;
                sums.files += item.files;
                sums.files_done += item.files_done;
                sums.bytes = sums.bytes.saturating_add(item.bytes);
                sums.bytes_done = sums.bytes_done.saturating_add(item.bytes_done);
            }
        }
        sums
    }
}

impl Sums {
    /// Time left at `rate` bytes a second, where it can be told.
    pub fn eta(&self, rate: u64) -> Option<Duration> {
        let left = self.bytes.saturating_sub(self.bytes_done);
        (rate > 0).then(|| Duration::from_secs(left.div_ceil(rate)))
    }
}

/// Whether anything is not over.
pub fn is_busy(status: &Status) -> bool {
    status.items.iter().any(|item| !item.state.is_over())
}

/// Whether every file of an item stands at its target, compared by content.
pub fn is_proven(item: &ItemStatus) -> bool {
    item.state == State::Done && item.files > 0 && item.files_skipped == 0
}

/// Which way the bytes of a job go.
pub fn direction(job: &Job) -> Direction {
    match job {
        Job::Up { .. } => Direction::Up,
        Job::Down { .. } => Direction::Down,
    }
}
