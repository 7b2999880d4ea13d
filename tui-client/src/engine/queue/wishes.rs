//! The queue as the user changes it: what is to be done, and what no longer.

use tokio_util::sync::CancellationToken;

use super::super::item::{Item, Part, Wish};
use super::super::status::{AfterCopy, Chosen, IfExists, ItemId, Job, NewItem, Priority, Shift};
use super::Queue;
use crate::entries::Picked;

impl Queue {
    /// Adds items at the end.
    pub(crate) fn enqueue(&self, new: Vec<NewItem>) -> Vec<ItemId> {
        self.change(|rows| new.into_iter().map(|new| rows.add(new)).collect())
    }

    /// Adds an item of files that were chosen.
    pub(crate) fn enqueue_chosen(&self, job: Job, chosen: Vec<Chosen>) -> ItemId {
        self.change(|rows| {
            let id = rows.add(NewItem { job, if_exists: IfExists::Ask, source: AfterCopy::Keep });
            rows.with(id, |item| item.part = Some(Part::Chosen(chosen.into())));
            id
        })
    }

    /// Adds an item of entries of a directory.
    pub(crate) fn enqueue_picked(&self, new: NewItem, picked: Picked) -> ItemId {
        self.change(|rows| {
            let id = rows.add(new);
            rows.with(id, |item| item.part = Some(Part::Picked(picked)));
            id
        })
    }

    /// Stops an item until it is resumed.
    pub(crate) fn pause(&self, id: ItemId) {
        self.change(|rows| rows.with(id, pause));
    }

    /// Lets a paused item go on.
    pub(crate) fn resume(&self, id: ItemId) {
        self.change(|rows| rows.with(id, resume));
    }

    /// Stops everything until it is resumed.
    pub(crate) fn pause_all(&self) {
        self.change(|rows| rows.items.iter_mut().for_each(pause));
    }

    /// Lets everything go on.
    pub(crate) fn resume_all(&self) {
        self.change(|rows| rows.items.iter_mut().for_each(resume));
    }

    /// Ends an item.
    pub(crate) fn cancel(&self, id: ItemId, keep: bool) {
        self.change(|rows| {
            rows.with(id, |item| {
                if !item.is_over() {
                    item.cancel(keep);
                }
            })
        });
    }

    /// Takes up again what failed of an item; an item that was cancelled begins anew.
    pub(crate) fn retry(&self, id: ItemId) {
        self.change(|rows| {
            rows.with(id, |item| match item.wish {
                Wish::Cancel { .. } if item.is_over() => {
                    let (job, if_exists, source) = (item.job.clone(), item.if_exists, item.source);
                    let (limit, priority, part) = (item.limit.clone(), item.priority, item.part.clone());
                    *item = Item::new(id, NewItem { job, if_exists, source });
                    (item.limit, item.priority, item.part, item.begun) = (limit, priority, part, true);
                }
                Wish::Cancel { .. } => {}
                _ => item.retry(),
            })
        });
    }

    /// Moves items within the queue.
    pub(crate) fn shift(&self, ids: &[ItemId], shift: Shift) {
        self.change(|rows| rows.shift(ids, shift));
    }

    /// Makes an item more or less urgent.
    pub(crate) fn set_priority(&self, id: ItemId, priority: Priority) {
        self.change(|rows| rows.set_priority(id, priority));
    }

    /// Another limit for the files of an item.
    pub(crate) fn limit(&self, id: ItemId, rate: Option<u64>) {
        self.change(|rows| {
            rows.with(id, |item| {
                item.limit.set(rate);
                item.measure_anew();
            })
        });
    }

    /// Rates are told as of now: what went before went under another limit.
    pub(crate) fn measure_anew(&self) {
        self.note(|rows| rows.items.iter_mut().for_each(Item::measure_anew));
    }

    /// Drops the row of an item that is over, or of a cancelled one as soon as it has stopped.
    pub(crate) fn forget(&self, id: ItemId) {
        self.change(|rows| rows.forget(id));
    }
}

fn pause(item: &mut Item) {
    if item.wish == Wish::Run && !item.is_over() {
        item.wish = Wish::Pause;
        item.stop.cancel();
    }
}

fn resume(item: &mut Item) {
    if item.wish == Wish::Pause {
        item.wish = Wish::Run;
        item.stop = CancellationToken::new();
    }
}
