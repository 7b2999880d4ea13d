//! What of its tree an item is, where it is not all. Plain data.

use std::sync::Arc;

use super::super::keep::record::{KeptChosen, Record};
use super::super::status::{Chosen, ItemId};
use crate::entries::Picked;

/// Some of a tree.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// These files, anywhere in it.
    Chosen(Arc<[Chosen]>),
    /// These entries of its directory, with all they hold.
    Picked(Picked),
}

impl Part {
    /// As it is kept.
    pub(super) fn record(&self, id: ItemId) -> Record {
        match self {
            Part::Chosen(chosen) => Record::Chosen(id.0, chosen.iter().map(KeptChosen::of).collect()),
            Part::Picked(picked) => Record::Picked(id.0, picked.clone()),
        }
    }
}
