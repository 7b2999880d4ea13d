//! The order of the items, and what is noted of them for those who keep the queue.

use std::time::Instant;

use super::super::super::item::Item;
use super::super::super::keep::history::Past;
use super::super::super::keep::record::Kept;
use super::super::super::status::{ItemId, Keep, Priority, Shift};
use super::Rows;

impl Rows {
    /// Behind the last one that is at least as urgent.
    pub(super) fn insert(&mut self, item: Item) {
        let at = self.items.partition_point(|other| other.priority <= item.priority);
        self.items.insert(at, item);
    }

    /// An item of the last time; `None` where its paths are none.
    pub(in super::super) fn restore(&mut self, kept: &Kept) -> Option<ItemId> {
        let job = kept.job.job()?;
        self.next_item += 1;
        let id = ItemId(self.next_item);
        self.insert(Item::restored(id, kept, job));
        Some(id)
    }

    /// Moves items among those that are not over and as urgent as they are.
    pub(in super::super) fn shift(&mut self, ids: &[ItemId], shift: Shift) {
        let is_chosen = |item: &Item| ids.contains(&item.id);
        let live: Vec<usize> =
            self.items.iter().enumerate().filter(|(_, item)| !item.is_over()).map(|(at, _)| at).collect();
        let steps: Vec<(usize, usize)> = live.iter().copied().zip(live.iter().copied().skip(1)).collect();
        let may_pass = |items: &[Item], passed: usize, chosen: usize| match (items.get(passed), items.get(chosen)) {
            (Some(passed), Some(chosen)) => {
                passed.priority == chosen.priority && is_chosen(chosen) && !is_chosen(passed)
            }
            _ => false,
        };
        match shift {
            Shift::First => self.items.sort_by_key(|item| (item.priority, !is_chosen(item))),
            Shift::Last => self.items.sort_by_key(|item| (item.priority, is_chosen(item))),
            Shift::Earlier => {
                for (before, at) in steps {
                    if may_pass(&self.items, before, at) {
                        self.items.swap(before, at);
                    }
                }
            }
            Shift::Later => {
                for (at, after) in steps.into_iter().rev() {
                    if may_pass(&self.items, after, at) {
                        self.items.swap(at, after);
                    }
                }
            }
        }
        self.reordered = true;
    }

    /// Another priority; among its like an item stays where it was.
    pub(in super::super) fn set_priority(&mut self, id: ItemId, priority: Priority) {
        self.with(id, |item| item.priority = priority);
        self.items.sort_by_key(|item| item.priority);
        self.reordered = true;
    }

    /// An item is off the list.
    pub(super) fn bury(&mut self, mut item: Item) {
        if self.keep != Keep::Kept {
            return;
        }
        if item.forget_written() {
            self.gone.push(item.id);
        }
        if item.becomes_past() {
            let status = item.status(Instant::now(), None);
            self.past.extend(Past::of(&status, item.if_exists, item.part.is_some(), &self.account));
        }
    }
}
