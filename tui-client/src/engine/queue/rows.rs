//! The rows behind the queue's lock: every rule of what is taken, retried, asked and told. Plain
//! data and a clock that is passed in.

mod asked;
mod keeping;
mod leaving;
mod taking;

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wire::fault::Detail;
use wire::{Code, Fault};

use super::super::Refused;
use super::super::item::{Failed, File, Finish, Item, Scan, Target, Wish};
use super::super::keep::history::Past;
use super::super::status::{End, ItemId, Job, Keep, NewItem, Outcome, Side};

/// All items, and who listens.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) items: Vec<Item>,
    next_item: u64,
    next_question: u64,
    listeners: Vec<mpsc::UnboundedSender<Outcome>>,
    refused: Refused,
    /// Something has ended or needs the user since this was last taken.
    pub(super) urgent: bool,
    /// Whether it is kept on the disk, and whose it is then.
    pub(super) keep: Keep,
    pub(super) account: String,
    /// Kept items that are off the list.
    pub(super) gone: Vec<ItemId>,
    /// Items that left the list before their end was told to the history.
    pub(super) past: Vec<Past>,
    /// The order is not what is kept.
    pub(super) reordered: bool,
}

impl Rows {
    pub(super) fn new(refused: Refused) -> Self {
        Self { refused, ..Self::default() }
    }

    pub(super) fn listen(&mut self) -> mpsc::UnboundedReceiver<Outcome> {
        let (to, outcomes) = mpsc::unbounded_channel();
        self.listeners.push(to);
        outcomes
    }

    pub(super) fn add(&mut self, new: NewItem) -> ItemId {
        self.next_item += 1;
        let id = ItemId(self.next_item);
        self.insert(Item::new(id, new));
        id
    }

    /// Does something to an item, unless it is gone.
    pub(super) fn with(&mut self, id: ItemId, how: impl FnOnce(&mut Item)) {
        if let Some(item) = self.items.iter_mut().find(|item| item.id == id) {
            how(item);
        }
    }

    pub(super) fn has_room(&self) -> bool {
        let running = self.items.iter().filter(|item| item.wish == Wish::Run);
        running.map(|item| item.pending.len() + item.leaving.len()).sum::<usize>() < ROOM
    }

    pub(super) fn next_scan(&mut self, now: Instant) -> Option<(ItemId, Scan, CancellationToken)> {
        if !self.has_room() {
            return None;
        }
        self.items.iter_mut().filter(|item| item.wish == Wish::Run && !item.is_held_up()).find_map(|item| {
            let due = item.scans.iter().rposition(|scan| scan.waits.is_none_or(|until| until <= now))?;
            let scan = item.scans.remove(due);
            item.scanning += 1;
            item.tick(now);
            Some((item.id, scan, item.stop.clone()))
        })
    }

    pub(super) fn scanned(&mut self, id: ItemId, scan: Scan, result: Result<(), Fault>, now: Instant) {
        let mut over = None;
        self.with(id, |item| {
            item.scanning = item.scanning.saturating_sub(1);
            item.tick(now);
            match result {
                _ if matches!(item.wish, Wish::Cancel { .. }) => {}
                Ok(()) => item.looked_into(&scan),
                Err(fault) if fault.code.heals() && scan.tries < MOST_TRIES => {
                    let waits = Some(now + pause(scan.tries));
                    item.scans.push(Scan { tries: scan.tries + 1, waits, ..scan });
                }
                // Paused meanwhile: it is looked into again.
                Err(fault) if fault.code == Code::Cancelled => item.scans.push(scan),
                Err(fault) => over = Some((scan, fault)),
            }
        });
        if let Some((scan, fault)) = over {
            self.failed(id, Failed::Scan(scan), &fault);
        }
        self.look_whether_over(id);
    }

    pub(super) fn reject(&mut self, id: ItemId, dir: Job, fault: Fault) {
        self.tell(&nothing(id, dir), 0, 0, None, End::Failed(fault.clone()));
        self.with(id, |item| item.fail(Failed::Name(fault.clone()), &fault));
        self.look_whether_over(id);
    }

    pub(super) fn settle(&mut self, file: &File, finish: Finish) {
        let (mut moved, mut leaves) = ((0, 0), false);
        self.with(file.item, |item| (moved, leaves) = (item.settle(file, finish), item.leaves(finish)));
        match finish {
            Finish::Done { root, .. } if leaves => return self.leave(file, root, moved),
            Finish::Done { root, .. } => self.tell(file, moved.0, moved.1, Some(root), End::Done),
            Finish::Skipped { .. } => self.tell(file, moved.0, moved.1, None, End::Skipped),
        }
        self.look_whether_over(file.item);
    }

    pub(super) fn faulted(&mut self, mut file: File, fault: Fault, now: Instant) {
        match (fault.code, &fault.detail) {
            (Code::Exists, Detail::Existing { size, mtime, root }) => {
                let there = Side { size: *size, mtime: *mtime, root: *root };
                // What it was to replace is not there any more.
                file.replaces = None;
                file.target = Target::There(there);
                self.put_back(file);
            }
            (code, detail) if code.heals() && file.tries < most_tries(code) => {
                let wait = match detail {
                    Detail::RetryAfter(seconds) => Duration::from_secs((*seconds).into()).min(LONGEST_PAUSE),
                    _ => pause(file.tries),
                };
                file.tries += 1;
                file.waits = Some((now + wait, fault));
                self.put_back(file);
            }
            _ => self.fail(file, &fault),
        }
    }

    pub(super) fn lost(&mut self, mut file: File, now: Instant) {
        if file.tries >= MOST_TRIES {
            let fault = Fault::new(Code::Timeout, "the connection broke at every try");
            return self.fail(file, &fault);
        }
        let fault = Fault::new(Code::Timeout, "the connection broke");
        file.waits = Some((now + pause(file.tries), fault));
        file.tries += 1;
        self.put_back(file);
    }

    pub(super) fn put_back(&mut self, mut file: File) {
        let id = file.item;
        self.with(file.item, |item| match item.wish {
            Wish::Cancel { keep } => {
                // What the lane kept must go after all, or may stay.
                if !keep && !file.discard {
                    (file.discard, file.waits) = (true, None);
                    item.pending.push_back(file);
                }
            }
            _ => item.pending.push_front(file),
        });
        self.look_whether_over(id);
    }

    fn fail(&mut self, file: File, fault: &Fault) {
        // A file that was only to be discarded has failed or been cancelled before.
        if !file.discard {
            self.failed(file.item, Failed::File(Box::new(file)), fault);
        }
    }

    fn look_whether_over(&mut self, id: ItemId) {
        self.urgent |= self.items.iter().any(|item| item.id == id && item.is_over());
        self.sweep();
    }

    pub(super) fn forget(&mut self, id: ItemId) {
        self.with(id, |item| item.forgotten = item.is_over() || matches!(item.wish, Wish::Cancel { .. }));
        self.sweep();
    }

    /// Drops forgotten rows of which nothing is under way.
    fn sweep(&mut self) {
        let goes = |item: &mut Item| item.forgotten && item.is_over() && item.pending.is_empty();
        let going: Vec<Item> = self.items.extract_if(.., goes).collect();
        going.into_iter().for_each(|item| self.bury(item));
    }

    fn tell(&mut self, file: &File, sent: u64, held: u64, root: Option<wire::Root>, end: End) {
        let outcome = Outcome {
            item: file.item,
            direction: file.direction(),
            path: file.shown_target(),
            bytes: file.source.size,
            sent,
            held,
            root,
            end,
        };
        self.listeners.retain(|listener| listener.send(outcome.clone()).is_ok());
    }
}

/// Stands for something of which no file is known.
fn nothing(id: ItemId, job: Job) -> File {
    File::new(id, job, 1, Side { size: 0, mtime: Default::default(), root: None }, Target::Unknown)
}

fn most_tries(code: Code) -> u32 {
    if code == Code::Changed { MOST_CHANGES } else { MOST_TRIES }
}

/// Half a second, then twice as long each time.
fn pause(tries: u32) -> Duration {
    (FIRST_PAUSE * 2_u32.saturating_pow(tries.min(16))).min(LONGEST_PAUSE)
}

/// Files that may wait before scans stop: lanes never run dry, and a million files take no memory.
const ROOM: usize = 2000;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A file that is written to all the time cannot be had.
const MOST_CHANGES: u32 = 5;
/// About five minutes of growing pauses.
const MOST_TRIES: u32 = 14;

#[cfg(test)]
mod tests;
