//! A value for each block of a file, as far as any is known. Memory follows what is known and never what
//! a file's size or a block's place claims: a block at the end of all bytes there are costs one page.

use std::collections::BTreeMap;
use std::ops::Range;

/// Places in one page.
const PAGE: u64 = 1024;

/// Values at places, most of them one after another.
#[derive(Debug)]
pub(crate) struct Row<T> {
    /// No page is empty, and none longer than its last value needs.
    pages: BTreeMap<u64, Vec<Option<T>>>,
}

impl<T> Default for Row<T> {
    fn default() -> Self {
        Self { pages: BTreeMap::new() }
    }
}

impl<T: Copy> Row<T> {
    pub(crate) fn get(&self, index: u64) -> Option<T> {
        self.pages.get(&(index / PAGE))?.get(within(index)).copied().flatten()
    }

    pub(crate) fn set(&mut self, index: u64, value: T) {
        let page = self.pages.entry(index / PAGE).or_default();
        let at = within(index);
        if page.len() <= at {
            page.resize(at + 1, None);
        }
        if let Some(slot) = page.get_mut(at) {
            *slot = Some(value);
        }
    }

    pub(crate) fn clear(&mut self, index: u64) {
        if let Some(slot) = self.pages.get_mut(&(index / PAGE)).and_then(|page| page.get_mut(within(index))) {
            *slot = None;
        }
    }

    /// One more than the last place that ever had a value.
    pub(crate) fn end(&self) -> u64 {
        self.pages.last_key_value().map_or(0, |(page, values)| page * PAGE + values.len() as u64)
    }

    /// The values of a range with their places, in order. Pages of which nothing is known take no time.
    pub(crate) fn within(&self, range: Range<u64>) -> impl Iterator<Item = (u64, T)> {
        let pages = self.pages.range(range.start / PAGE..range.end.div_ceil(PAGE).max(range.start / PAGE));
        let values =
            pages.flat_map(|(page, values)| (0..PAGE).map(move |at| page * PAGE + at).zip(values.iter().copied()));
        values.filter_map(move |(index, value)| value.filter(|_| range.contains(&index)).map(|value| (index, value)))
    }
}

/// The place within its page.
fn within(index: u64) -> usize {
    (index % PAGE) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_at_their_places() {
        let mut row = Row::default();
        assert_eq!((row.end(), row.within(0..u64::MAX).count()), (0, 0));
        for index in [3, 1023, 1024, 5000, 3] {
            row.set(index, index * 2);
        }
        row.clear(1024);
        row.clear(77_777);
        assert_eq!(
            [0, 3, 1023, 1024, 5000, u64::MAX].map(|at| row.get(at)),
            [None, Some(6), Some(2046), None, Some(10_000), None]
        );
        assert_eq!(row.end(), 5001);
        let found = |range| row.within(range).collect::<Vec<_>>();
        assert_eq!(found(0..u64::MAX), [(3, 6), (1023, 2046), (5000, 10_000)]);
        assert_eq!(found(4..5000), [(1023, 2046)]);
        assert_eq!(found(5000..5001), [(5000, 10_000)]);
        assert_eq!(found(7..7), []);
    }

    #[test]
    fn a_value_far_out_takes_one_page() {
        let mut row = Row::default();
        row.set(u64::MAX / 4, 2);
        row.set(u64::MAX / 2, 1);
        assert!(row.pages.len() == 2 && row.pages.values().all(|page| page.len() as u64 <= PAGE));
        assert_eq!(row.within(0..u64::MAX).collect::<Vec<_>>(), [(u64::MAX / 4, 2), (u64::MAX / 2, 1)]);
    }
}
