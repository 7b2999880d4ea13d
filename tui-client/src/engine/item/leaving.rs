//! The sources of a move after their copy: which may go now, and what remains to be told of those that
//! may not. Plain data.

use std::time::Instant;

use wire::{Fault, Root};

use super::super::status::{AfterCopy, Direction, Job, Side};
use super::{File, Finish, Item, Scan, Target, Wish, direction};

/// A file that is proven at its target, and whose source is to go.
#[derive(Clone, Debug)]
pub(crate) struct Leaving {
    pub(crate) file: File,
    /// Of what was proven.
    pub(crate) root: Root,
    /// What travelled of it, and what the receiver had.
    pub(crate) moved: (u64, u64),
}

/// Why a source is still there.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) fault: Fault,
    pub(crate) again: Again,
}

/// What it takes to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// The source could not be removed: that alone.
    Remove,
    /// Source or target is no longer what was proven: the whole copy, of the source as it is now.
    Copy(Side),
}

/// What is to be removed by one task.
#[derive(Debug)]
pub(crate) enum Leave {
    /// Sources of files.
    Files(Vec<Leaving>),
    /// Directories with how deep they lie, each after those in it.
    Directories(Vec<(usize, Job)>),
}

/// What became of directories.
#[derive(Debug, Default)]
pub(crate) struct Emptied {
    /// Why some stay.
    pub(crate) left: Vec<Fault>,
    /// Those not come to, and why.
    pub(crate) rest: Option<(Vec<(usize, Job)>, Fault)>,
}

/// The source directories of a move.
#[derive(Debug, Default)]
pub(crate) struct Emptying {
    /// With how deep each lies in the tree.
    pub(crate) directories: Vec<(usize, Job)>,
    pub(crate) tries: u32,
    pub(crate) waits: Option<(Instant, Fault)>,
    /// How many stay, and why the first does.
    pub(crate) left: u64,
    pub(crate) why: String,
}

impl Kept {
    /// Whether trying again can help by itself.
    pub(crate) fn heals(&self) -> bool {
        self.again == Again::Remove && self.fault.code.heals()
    }
}

impl Leaving {
    /// Whether it takes the server to remove the source, or to prove what was not sent just now.
    pub(crate) fn needs_server(&self) -> bool {
        self.file.direction() == Direction::Down || self.is_to_be_looked_up()
    }

    /// Nothing of it travelled: it may have been taken for proven by a listing that is old by now.
    pub(crate) fn is_to_be_looked_up(&self) -> bool {
        self.file.direction() == Direction::Up && self.moved.0 == 0
    }
}

impl Item {
    /// Whether the source of a file that ended like this goes next.
    pub(crate) fn leaves(&self, finish: Finish) -> bool {
        let is_move = self.source == AfterCopy::Remove && !matches!(self.wish, Wish::Cancel { .. });
        is_move && matches!(finish, Finish::Done { .. })
    }

    /// A directory was looked into: it goes when everything in it is gone.
    pub(crate) fn looked_into(&mut self, scan: &Scan) {
        if self.source == AfterCopy::Remove && !scan.is_root {
            self.emptying.directories.push((scan.depth, scan.job.clone()));
        }
    }

    /// A source is gone.
    pub(crate) fn left(&mut self) {
        self.files_done += 1;
    }

    /// A source could not be removed yet.
    pub(crate) fn stay(&mut self, leaving: Leaving) {
        if !matches!(self.wish, Wish::Cancel { .. }) {
            self.leaving.push_back(leaving);
        }
    }

    /// Something to remove now. What needs the server waits until it is there.
    pub(crate) fn next_leave(&mut self, is_online: bool, is_kept: bool, now: Instant) -> Option<Leave> {
        if self.wish != Wish::Run || (is_kept && !self.may_part()) {
            return None;
        }
        let is_up = direction(&self.job) == Direction::Up;
        let is_due = |waits: &Option<(Instant, Fault)>| waits.as_ref().is_none_or(|(until, _)| *until <= now);
        if self.is_emptying() {
            let may_go = (is_up || is_online) && is_due(&self.emptying.waits);
            return may_go.then(|| {
                let mut directories = std::mem::take(&mut self.emptying.directories);
                directories.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
                Leave::Directories(directories)
            });
        }
        let may_go = |leaving: &Leaving| is_due(&leaving.file.waits) && (is_online || !leaving.needs_server());
        let mut files = Vec::new();
        while files.len() < if is_up { BATCH } else { 1 }
            && let Some(at) = self.leaving.iter().position(may_go)
        {
            files.extend(self.leaving.remove(at));
        }
        (!files.is_empty()).then_some(Leave::Files(files))
    }

    /// Takes up a source again that stayed.
    pub(super) fn leave_again(&mut self, leaving: Leaving, kept: Kept) {
        let Leaving { file, moved: (sent, held), .. } = leaving.clone();
        let Again::Copy(source) = kept.again else {
            let file = File { tries: 0, waits: None, ..file };
            return self.leaving.push_back(Leaving { file, ..leaving });
        };
        self.bytes_done = self.bytes_done.saturating_sub(file.source.size);
        self.sent = self.sent.saturating_sub(sent);
        self.held = self.held.saturating_sub(held);
        self.recount(file.source.size, source.size);
        self.pending.push_back(File::new(file.item, file.job, file.depth, source, Target::Unknown));
    }

    /// Whether nothing is left to do but to remove directories.
    pub(super) fn is_through(&self) -> bool {
        !self.is_moving()
            && self.scans.is_empty()
            && self.pending.is_empty()
            && self.asked.is_empty()
            && self.parked.is_empty()
            && self.leaving.is_empty()
    }

    /// Whether the source directories are to go: only where no file of the item stays.
    pub(super) fn is_emptying(&self) -> bool {
        let all_gone = self.is_through() && self.failed.is_empty() && self.files_skipped == 0;
        all_gone && !self.emptying.directories.is_empty() && !matches!(self.wish, Wish::Cancel { .. })
    }
}

/// Local files removed by one task.
const BATCH: usize = 256;
