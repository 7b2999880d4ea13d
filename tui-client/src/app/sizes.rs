//! What directories of a list hold, all the way down, where somebody asked: counted one after another, and known
//! by the entries' numbers.

use std::collections::{HashMap, VecDeque};

use super::marks::Marks;
use crate::entries::Heirs;

/// The sums of a pane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    known: HashMap<u32, Sum>,
    /// To be counted after the one under way.
    waiting: VecDeque<u32>,
    /// The number of the count under way, and of the directory it is for.
    counting: Option<(u64, u32)>,
    /// Counts whose directories are not shown any more.
    left: Vec<u64>,
}

/// What a directory holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Bytes of all files below it.
    pub bytes: u64,
    /// Whether all was seen.
    pub complete: bool,
}

impl Sizes {
    /// What is known of a directory.
    pub fn of(&self, id: u32) -> Option<Sum> {
        self.known.get(&id).copied()
    }

    /// What the marked ones hold.
    pub fn marked(&self, marks: &Marks) -> Sum {
        let marked = self.known.iter().filter(|(id, _)| marks.has(**id)).map(|(_, sum)| *sum);
        marked.fold(Sum { bytes: 0, complete: true }, |all, sum| Sum {
            bytes: all.bytes.saturating_add(sum.bytes),
            complete: all.complete && sum.complete,
        })
    }

    /// Wants these counted, which are all that `are` wanted, after those that wait already; one that is known is counted
    /// anew.
    pub fn want(&mut self, ids: &[u32], are: impl Fn(u32) -> bool) {
        let counting = self.counting.map(|(_, id)| id);
        self.known.retain(|id, _| counting == Some(*id) || !are(*id));
        self.waiting.extend(ids);
    }

    /// The next one, when none is being counted.
    pub fn take_next(&mut self) -> Option<u32> {
        if self.counting.is_some() {
            return None;
        }
        // More wishes for the same one are one.
        std::iter::from_fn(|| self.waiting.pop_front()).find(|id| !self.known.contains_key(id))
    }

    /// It is being counted under this number.
    pub fn begin(&mut self, serial: u64, id: u32) {
        self.counting = Some((serial, id));
        self.known.insert(id, Sum::default());
    }

    /// Takes up what a count has found so far; tells whether it is one of these.
    pub fn counted(&mut self, serial: u64, sum: Sum) -> bool {
        let Some((_, id)) = self.counting.filter(|(counting, _)| *counting == serial) else { return false };
        self.known.insert(id, sum);
        if sum.complete {
            self.counting = None;
        }
        true
    }

    /// The count ended before its time; tells which directory it was for.
    pub fn failed(&mut self, serial: u64) -> Option<u32> {
        let (_, id) = self.counting.take_if(|(counting, _)| *counting == serial)?;
        Some(id)
    }

    /// The directory that is being counted, and how many wait.
    pub fn under_way(&self) -> Option<(u32, usize)> {
        self.counting.map(|(_, id)| (id, self.waiting.len()))
    }

    /// Counts no more; what was found stays as "at least". The number of the count that is to be stopped.
    pub fn stop(&mut self) -> Option<u64> {
        self.waiting.clear();
        self.counting.take().map(|(serial, _)| serial)
    }

    /// What stays of it when another directory is shown.
    pub fn elsewhere(&self) -> Self {
        let left = self.left.iter().copied().chain(self.counting.map(|(serial, _)| serial)).collect();
        Self { left, ..Self::default() }
    }

    /// Counts that nobody waits for any more, to be stopped; each is told once.
    pub fn take_left(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.left)
    }

    /// The same for the entries that have the names now.
    pub fn inherited(&self, heirs: &Heirs) -> Self {
        let known = self.known.iter().filter_map(|(id, sum)| Some((heirs.get(*id)?, *sum))).collect();
        let waiting = self.waiting.iter().filter_map(|id| heirs.get(*id)).collect();
        let counting = self.counting.and_then(|(serial, id)| Some((serial, heirs.get(id)?)));
        let left = if counting.is_none() { self.elsewhere().left } else { self.left.clone() };
        Self { known, waiting, counting, left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::sample::directory;
    use crate::entries::Entries;

    const fn sum(bytes: u64, complete: bool) -> Sum {
        Sum { bytes, complete }
    }

    #[test]
    fn one_after_another() {
        let mut sizes = Sizes::default();
        let want = |sizes: &mut Sizes, ids: &[u32]| sizes.want(ids, |id| ids.contains(&id));
        want(&mut sizes, &[7, 8, 7]);
        assert_eq!(sizes.take_next(), Some(7));
        sizes.begin(1, 7);
        assert_eq!((sizes.take_next(), sizes.under_way()), (None, Some((7, 2))));
        assert!(sizes.counted(1, sum(5, false)) && !sizes.counted(2, sum(9, true)));
        assert_eq!(sizes.of(7), Some(sum(5, false)));
        assert!(sizes.counted(1, sum(6, true)));
        assert_eq!(sizes.take_next(), Some(8));
        sizes.begin(2, 8);
        assert_eq!((sizes.failed(1), sizes.failed(2), sizes.take_next()), (None, Some(8), None));
        assert_eq!((sizes.of(7), sizes.of(8)), (Some(sum(6, true)), Some(sum(0, false))));
        let mut marks = Marks::default();
        marks.set(7, 0, true);
        assert_eq!(sizes.marked(&marks), sum(6, true));
        marks.set(8, 0, true);
        assert_eq!(sizes.marked(&marks), sum(6, false));
        want(&mut sizes, &[8, 7]);
        assert_eq!(sizes.take_next(), Some(8));
        sizes.begin(3, 8);
        assert_eq!((sizes.stop(), sizes.stop(), sizes.take_next()), (Some(3), None, None));
    }

    #[test]
    fn heirs_keep_their_sums() {
        let names = |names: &[&str]| -> Entries {
            names.iter().map(|name| directory(name)).collect::<Vec<_>>().iter().collect()
        };
        let mut sizes = Sizes::default();
        for (id, serial) in [(0, 1), (1, 2)] {
            sizes.begin(serial, id);
            sizes.counted(serial, sum(u64::from(id) + 1, true));
        }
        sizes.begin(3, 2);
        let heirs = Heirs::of(&names(&["a", "b", "c"]), &names(&["c", "b", "new"]));
        let after = sizes.inherited(&heirs);
        assert_eq!((after.of(0), after.of(1), after.of(2)), (Some(sum(0, false)), Some(sum(2, true)), None));
        assert_eq!(after.under_way(), Some((0, 0)));
        let none = sizes.inherited(&Heirs::of(&names(&["a", "b", "c"]), &names(&[])));
        assert_eq!((&after.left, none.clone()), (&vec![], sizes.elsewhere()));
        // Another count, and on to another directory before anything was heard of the first.
        let mut third = none.clone();
        third.begin(4, 0);
        let mut third = third.elsewhere();
        assert_eq!((third.take_left(), third), (vec![3, 4], Sizes::default()));
    }
}
