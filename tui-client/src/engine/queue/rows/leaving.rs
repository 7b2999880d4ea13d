//! Sources of moves: what may go, and what came of it.

use std::time::Instant;

use wire::Root;

use super::super::super::item::{Emptied, Failed, File, Kept, Leave, Leaving};
use super::super::super::status::{End, ItemId, Keep};
use super::{MOST_TRIES, Rows, pause};

impl Rows {
    pub(in super::super) fn next_leave(&mut self, is_online: bool, now: Instant) -> Option<(ItemId, Leave)> {
        let is_kept = self.keep == Keep::Kept;
        self.items.iter_mut().find_map(|item| {
            let leave = item.next_leave(is_online, is_kept, now)?;
            item.removing += 1;
            item.tick(now);
            Some((item.id, leave))
        })
    }

    /// Whether something that was tried is to be tried again later.
    pub(in super::super) fn has_waiting_leaves(&self) -> bool {
        let waits = |leaving: &Leaving| leaving.file.waits.is_some();
        self.items.iter().any(|item| item.emptying.waits.is_some() || item.leaving.iter().any(waits))
    }

    /// A file is proven at its target; its outcome is told when its source is gone.
    pub(super) fn leave(&mut self, file: &File, root: Root, moved: (u64, u64)) {
        let file = File { tries: 0, waits: None, ..file.clone() };
        self.with(file.item, |item| {
            item.part(&file, root);
            item.leaving.push_back(Leaving { file, root, moved });
        });
    }

    /// A task has tried to remove the sources of files.
    pub(in super::super) fn left(&mut self, id: ItemId, files: Vec<(Leaving, Result<(), Kept>)>, now: Instant) {
        self.removed(id, now);
        for (mut leaving, result) in files {
            let Leaving { file, root, moved } = &mut leaving;
            match result {
                Ok(()) => {
                    self.tell(file, moved.0, moved.1, Some(*root), End::Done);
                    self.with(id, |item| item.left());
                }
                Err(kept) if kept.heals() && file.tries < MOST_TRIES => {
                    file.waits = Some((now + pause(file.tries), kept.fault));
                    file.tries += 1;
                    self.with(id, |item| item.stay(leaving));
                }
                Err(kept) => {
                    let fault = kept.fault.clone();
                    self.failed(id, Failed::Source(Box::new(leaving), kept), &fault);
                }
            }
        }
        self.look_whether_over(id);
    }

    /// A task has tried to remove directories.
    pub(in super::super) fn emptied(&mut self, id: ItemId, emptied: Emptied, now: Instant) {
        self.removed(id, now);
        let Emptied { mut left, rest } = emptied;
        self.with(id, |item| {
            let emptying = &mut item.emptying;
            emptying.waits = None;
            match rest {
                Some((rest, fault)) if emptying.tries < MOST_TRIES => {
                    emptying.waits = Some((now + pause(emptying.tries), fault));
                    emptying.tries += 1;
                    emptying.directories = rest;
                }
                Some((rest, fault)) => left.extend(rest.iter().map(|_| fault.clone())),
                None => {}
            }
            if let Some(first) = left.first().filter(|_| emptying.left == 0) {
                emptying.why = first.message.clone();
            }
            emptying.left += left.len() as u64;
        });
        self.look_whether_over(id);
    }

    fn removed(&mut self, id: ItemId, now: Instant) {
        self.with(id, |item| {
            item.removing = item.removing.saturating_sub(1);
            item.tick(now);
        });
    }
}
