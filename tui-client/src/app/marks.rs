//! Marks on the entries of a list: a bit for each, so that all of a million can be marked.

use crate::entries::{Entries, Heirs};

/// Marked entries, by their numbers, and the sum of their sizes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    bits: Vec<u64>,
    count: usize,
    bytes: u64,
}

impl Marks {
    /// How many.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing is marked.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the marked files.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the entry is marked.
    pub fn has(&self, id: u32) -> bool {
        let (word, bit) = place(id);
        self.bits.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// Marks or unmarks an entry of this size.
    pub fn set(&mut self, id: u32, size: u64, marked: bool) {
        if self.has(id) == marked {
            return;
        }
        let (word, bit) = place(id);
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        if let Some(bits) = self.bits.get_mut(word) {
            *bits ^= bit;
        }
        if marked {
            (self.count, self.bytes) = (self.count + 1, self.bytes.saturating_add(size));
        } else {
            (self.count, self.bytes) = (self.count.saturating_sub(1), self.bytes.saturating_sub(size));
        }
    }

    /// The marks on the heirs of those marked here, with their own sizes.
    pub fn inherited(&self, heirs: &Heirs, entries: &Entries) -> Self {
        let mut marks = Self::default();
        let words = self.bits.iter().zip(0u32..).filter(|(bits, _)| **bits != 0);
        let marked = words.flat_map(|(_, word)| word * 64..word * 64 + 64).filter(|id| self.has(*id));
        for heir in marked.filter_map(|id| entries.get(heirs.get(id)?)) {
            marks.set(heir.id, heir.size, true);
        }
        marks
    }
}

fn place(id: u32) -> (usize, u64) {
    (id as usize / 64, 1 << (id % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::sample::file;

    #[test]
    fn marks_pass_to_heirs() {
        let mut marks = Marks::default();
        for (id, size, marked) in
            [(0, 1, true), (63, 2, true), (64, 4, true), (64, 4, true), (0, 1, false), (9, 9, false)]
        {
            marks.set(id, size, marked);
        }
        assert_eq!((marks.len(), marks.bytes()), (2, 6));
        assert_eq!((0..200).filter(|id| marks.has(*id)).collect::<Vec<_>>(), [63, 64]);
        let older: Entries = (0..65).map(|n| file(&n.to_string(), 0, 0)).collect::<Vec<_>>().iter().collect();
        let newer: Entries = [file("64", 100, 0), file("1", 1, 0)].iter().collect();
        let heirs = marks.inherited(&Heirs::of(&older, &newer), &newer);
        assert_eq!((heirs.len(), heirs.bytes(), heirs.has(0)), (1, 100, true));
        marks.set(64, 4, false);
        marks.set(63, 2, false);
        assert!(marks.is_empty());
    }
}
