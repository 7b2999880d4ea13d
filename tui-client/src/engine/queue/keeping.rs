//! The queue as those see it who keep it on the disk.

use super::super::item::Item;
use super::super::keep::history::Past;
use super::super::keep::record::{Kept, Parting, Record};
use super::super::keep::{Gathered, KeepError};
use super::super::status::{ItemId, Keep};
use super::Queue;

impl Queue {
    /// Returns when something may be to be written.
    pub(crate) async fn to_keep(&self) {
        self.0.keep.notified().await;
    }

    /// Whether it is kept.
    pub(crate) fn keep(&self) -> Keep {
        self.rows().keep.clone()
    }

    /// Whether anything is under way.
    pub(crate) fn is_moving(&self) -> bool {
        self.rows().items.iter().any(Item::is_moving)
    }

    /// Takes up items of the last time, paused. From now on sources of moves wait until it is written that
    /// they go.
    pub(crate) fn restore(&self, kept: Vec<Kept>, account: &str) -> Vec<ItemId> {
        self.change(|rows| {
            rows.keep = Keep::Kept;
            rows.account = account.to_owned();
            kept.iter().filter_map(|kept| rows.restore(kept)).collect()
        })
    }

    /// What has changed since the last time, or all of it.
    pub(crate) fn gather(&self, whole: bool, exact: bool, account: &str) -> Gathered {
        let mut rows = self.rows();
        let mut gathered = Gathered::default();
        gathered.records.extend(rows.gone.drain(..).map(|id| Record::Over(id.0)));
        gathered.past.append(&mut rows.past);
        let (mut new, mut moved) = (false, std::mem::take(&mut rows.reordered));
        let now = std::time::Instant::now();
        for item in &mut rows.items {
            if item.is_over() {
                if item.forget_written() {
                    gathered.records.push(Record::Over(item.id.0));
                }
                if item.becomes_past() {
                    let status = item.status(now, None);
                    gathered.past.extend(Past::of(&status, item.if_exists, item.part.is_some(), account));
                }
                continue;
            }
            if whole {
                item.forget_written();
            }
            let was_written = item.is_written();
            moved |= new && was_written;
            new |= !was_written;
            item.write(exact, &mut gathered.records);
            gathered.partings.extend(item.parting_to_note().map(|parting| (item.id, parting)));
        }
        if whole {
            gathered
                .records
                .retain(|record| matches!(record, Record::Item(_) | Record::Chosen(..) | Record::Picked(..)));
        } else if moved {
            let live = rows.items.iter().filter(|item| item.is_written());
            gathered.records.push(Record::Order(live.map(|item| item.id.0).collect()));
        }
        gathered
    }

    /// It is written that these sources go.
    pub(crate) fn parted(&self, partings: &[(ItemId, Parting)]) {
        if !partings.is_empty() {
            self.note(|rows| {
                for (id, parting) in partings {
                    rows.with(*id, |item| item.note_parting(*parting));
                }
            });
        }
    }

    /// The disk refuses: sources wait for nothing any more.
    pub(crate) fn no_longer_kept(&self, error: &KeepError) {
        tracing::warn!(%error, "the queue is no longer kept");
        self.note(|rows| {
            rows.keep = Keep::Failed(error.to_string());
            rows.urgent = true;
        });
    }

    /// What the source of an item of the last time was about to do.
    pub(crate) fn old_parting(&self, id: ItemId) -> Option<Parting> {
        self.rows().items.iter().find(|item| item.id == id).and_then(Item::old_parting)
    }

    /// The source of an item went before the program ended.
    pub(crate) fn was_moved(&self, id: ItemId, parting: Parting) {
        self.note(|rows| rows.with(id, |item| item.was_moved(parting)));
    }
}
