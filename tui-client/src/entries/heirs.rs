//! Which entry of a new list has the name of which one of an older.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::Entries;

/// By the numbers of the older list. A clone is cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heirs(Arc<Vec<u32>>);

impl Heirs {
    /// Looks up every older name among the newer ones.
    pub fn of(older: &Entries, newer: &Entries) -> Self {
        let (names, mut heirs) = (Names::of(newer), vec![NONE; older.bound()]);
        for id in older.ids() {
            if let Some((heir, found)) = heirs.get_mut(id as usize).zip(names.find(older.name(id))) {
                *heir = found;
            }
        }
        Self(Arc::new(heirs))
    }

    /// The new number of an old one, where the name is still there.
    pub fn get(&self, id: u32) -> Option<u32> {
        self.0.get(id as usize).copied().filter(|heir| *heir != NONE)
    }
}

/// Numbers by the hash of their names, half of the places free: eight bytes an entry, where a map of names
/// takes fifty.
struct Names<'a> {
    entries: &'a Entries,
    table: Vec<u32>,
    hasher: RandomState,
}

impl<'a> Names<'a> {
    fn of(entries: &'a Entries) -> Self {
        let table = vec![NONE; (entries.len() * 2).next_power_of_two()];
        let mut names = Self { entries, table, hasher: RandomState::new() };
        for id in entries.ids() {
            let free = names.places(entries.name(id)).find(|place| names.at(*place) == NONE);
            if let Some(place) = free.and_then(|place| names.table.get_mut(place)) {
                *place = id;
            }
        }
        names
    }

    fn find(&self, name: &[u8]) -> Option<u32> {
        let ids = self.places(name).map(|place| self.at(place));
        ids.take_while(|id| *id != NONE).find(|id| self.entries.name(*id) == name)
    }

    /// Where a name may be: from the place of its hash on, all round.
    fn places(&self, name: &[u8]) -> impl Iterator<Item = usize> + use<> {
        let (mask, first) = (self.table.len() - 1, self.hasher.hash_one(name) as usize);
        (0..=mask).map(move |step| first.wrapping_add(step) & mask)
    }

    fn at(&self, place: usize) -> u32 {
        self.table.get(place).copied().unwrap_or(NONE)
    }
}

/// No entry.
const NONE: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::sample::file;

    #[test]
    fn heirs_have_the_name() {
        let entries = |names: &mut dyn Iterator<Item = u32>| -> Entries {
            names.map(|n| file(&n.to_string(), 0, 0)).collect::<Vec<_>>().iter().collect()
        };
        let (older, newer) = (entries(&mut (0..1000)), entries(&mut (500..2000).rev()));
        let heirs = Heirs::of(&older, &newer);
        for id in older.ids() {
            let heir = heirs.get(id);
            assert_eq!(heir.map(|heir| newer.name(heir)), (id >= 500).then(|| older.name(id)));
        }
        assert_eq!((heirs.get(u32::MAX), Heirs::of(&newer, &Entries::default()).get(0)), (None, None));
        assert_eq!(Heirs::of(&Entries::default(), &newer), Heirs::default());
    }
}
