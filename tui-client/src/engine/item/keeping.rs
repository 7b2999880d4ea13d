//! An item as it is kept on the disk, and as it comes back from there. Plain data.

use wire::Root;

use super::super::keep::record::{Kept, KeptChosen, KeptJob, Parting, Record, Size};
use super::super::status::{AfterCopy, IfExists, ItemId, Job, NewItem, Priority};
use super::{File, Item, Part, Wish};
use crate::entries::Picked;

/// What is known of how an item is kept.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    /// What was written of it last.
    written: Option<Written>,
    /// It was taken up from the last time, when it was known to be this much.
    pub(super) foretold: Option<Size>,
    /// Its own source is about to go.
    parting: Option<Parting>,
    /// Which of that is on the disk.
    noted: Option<Parting>,
    /// Its end was told to the history.
    is_past: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    if_exists: IfExists,
    limit: Option<u64>,
    priority: Priority,
    parting: Option<Parting>,
    size: Size,
}

impl Item {
    /// One of the last time, which waits to be told to go on.
    pub(crate) fn restored(id: ItemId, kept: &Kept, job: Job) -> Self {
        let source = if kept.moves { AfterCopy::Remove } else { AfterCopy::Keep };
        let mut item = Item::new(id, NewItem { job, if_exists: kept.if_exists, source });
        (item.wish, item.begun) = (Wish::Pause, true);
        item.stop.cancel();
        item.limit.set(kept.limit);
        item.priority = kept.priority;
        let chosen = kept.chosen.as_ref().map(|files| Part::Chosen(files.iter().map(KeptChosen::chosen).collect()));
        item.part = chosen.or_else(|| kept.picked.clone().map(Picked::all).map(Part::Picked));
        item.keeping = Keeping { foretold: Some(kept.size), parting: kept.leaving, ..Keeping::default() };
        item
    }

    /// Whether something of it is on the disk that is no longer so.
    pub(crate) fn forget_written(&mut self) -> bool {
        self.keeping.written.take().is_some()
    }

    /// Whether its end is still to be told to the history.
    pub(crate) fn becomes_past(&mut self) -> bool {
        !std::mem::replace(&mut self.keeping.is_past, true)
    }

    /// Whether it is on the disk.
    pub(crate) fn is_written(&self) -> bool {
        self.keeping.written.is_some()
    }

    /// Writes it to `records`, unless it stands on the disk as it is. How far it is does not count, unless it is to
    /// be `exact`.
    pub(crate) fn write(&mut self, exact: bool, records: &mut Vec<Record>) {
        self.keeping.is_past = false;
        if self.is_emptying() {
            self.keeping.parting = Some(Parting::Directory);
        }
        let now = Written {
            if_exists: self.if_exists,
            limit: self.limit.rate(),
            priority: self.priority,
            parting: self.keeping.parting,
            size: self.size(),
        };
        let stands = self.keeping.written.is_some_and(|old| {
            let same_size = if exact { old.size == now.size } else { old.size.whole == now.size.whole };
            same_size && Written { size: now.size, ..old } == now
        });
        if stands {
            return;
        }
        if self.keeping.written.replace(now).is_none()
            && let Some(part) = &self.part
        {
            records.push(part.record(self.id));
        }
        records.push(Record::Item(Box::new(Kept {
            id: self.id.0,
            job: KeptJob::of(&self.job),
            if_exists: now.if_exists,
            moves: self.source == AfterCopy::Remove,
            limit: now.limit,
            priority: now.priority,
            size: now.size,
            leaving: now.parting,
            is_part: self.part.is_some(),
            chosen: None,
            picked: None,
        })));
    }

    fn size(&self) -> Size {
        let is_new = self.scans.iter().any(|scan| scan.is_root);
        match self.keeping.foretold.filter(|_| is_new) {
            Some(size) => size,
            None => {
                let whole = self.scanning == 0 && self.scans.is_empty();
                let done = self.bytes_done + self.under_way().1;
                Size { files: self.files, bytes: self.bytes, done: done.min(self.bytes), whole }
            }
        }
    }

    /// What it was known to be the last time, as long as it was not looked at anew.
    pub(super) fn foretold(&self) -> Option<Size> {
        self.keeping.foretold.filter(|_| self.files == 0 && self.scans.iter().any(|scan| scan.is_root))
    }

    /// A single file is proven, and its source goes next.
    pub(crate) fn part(&mut self, file: &File, root: Root) {
        if !self.is_dir {
            let (size, mtime) = (file.source.size, file.source.mtime);
            self.keeping.parting = Some(Parting::File { root, size, mtime, identity: file.identity });
        }
    }

    /// Whether it is a move that had begun before.
    pub(crate) fn was_moving_before(&self) -> bool {
        self.source == AfterCopy::Remove && self.begun
    }

    /// What its source is about to do, where that was not yet noted.
    pub(crate) fn parting_to_note(&self) -> Option<Parting> {
        self.keeping.parting.filter(|_| self.keeping.parting != self.keeping.noted)
    }

    /// What it was about to do the last time.
    pub(crate) fn old_parting(&self) -> Option<Parting> {
        self.keeping.parting.filter(|_| self.keeping.foretold.is_some())
    }

    /// That is written down.
    pub(crate) fn note_parting(&mut self, parting: Parting) {
        self.keeping.noted = Some(parting);
    }

    /// Whether its source may go: that of the item itself only once it is noted, so that it is never taken for
    /// something else that has its name later.
    pub(crate) fn may_part(&self) -> bool {
        let files_in_a_tree = self.is_dir && !self.is_emptying();
        files_in_a_tree || (self.keeping.parting.is_some() && self.keeping.parting == self.keeping.noted)
    }

    /// Its source went before the program ended.
    pub(crate) fn was_moved(&mut self, parting: Parting) {
        if let Parting::File { root, size, .. } = parting {
            self.count(1, size);
            self.files_done += 1;
            self.bytes_done += size;
            self.held += size;
            self.root = Some(root);
        }
    }
}
