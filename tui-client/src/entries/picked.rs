//! Some entries of a directory, in an order: four bytes each beside the list they are from, which is shared.

use std::ops::Range;
use std::sync::Arc;

use super::{Entries, EntryRef};

/// Chosen entries. A clone is cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picked {
    entries: Entries,
    ids: Arc<Vec<u32>>,
}

impl Picked {
    /// These numbers of a list.
    pub fn new(entries: Entries, ids: Arc<Vec<u32>>) -> Self {
        Self { entries, ids }
    }

    /// All of a list, as they came.
    pub fn all(entries: Entries) -> Self {
        let ids = Arc::new(entries.ids().collect());
        Self { entries, ids }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The list they are from.
    pub fn entries(&self) -> &Entries {
        &self.entries
    }

    /// Those at these places of the order, as far as there are so many.
    pub fn range(&self, places: Range<usize>) -> impl Iterator<Item = EntryRef<'_>> {
        let places = places.start.min(self.len())..places.end.min(self.len());
        self.ids.get(places).unwrap_or_default().iter().filter_map(|id| self.entries.get(*id))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = EntryRef<'_>> {
        self.range(0..self.len())
    }
}
