//! The rows of a directory: its entries, and the order they stand in. Made off the screen's thread; the
//! screen only exchanges one for the next, however many there are.

use std::sync::Arc;

use wire::message::Time;

use super::order::Order;
use super::sieve::Sieve;
use crate::entries::{Entries, EntryRef, Heirs};

/// Entries in an order, without `..`, and those of them that are shown. Their numbers stay when more come or the
/// order changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    entries: Entries,
    /// All of them.
    all: Arc<Vec<u32>>,
    /// Those that the sieve lets through; the same list where it lets all through.
    ids: Arc<Vec<u32>>,
    /// How many have a hidden name.
    hidden: usize,
    order: Order,
    sieve: Sieve,
}

/// A directory, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Sorted.
    pub rows: Rows,
    /// Where the rows are that were shown before, when the same directory is read again.
    pub heirs: Option<Heirs>,
    /// Bytes free there; of this machine's disks only.
    pub free: Option<u64>,
    /// When.
    pub at: Time,
}

impl Rows {
    /// All entries in an order.
    pub fn new(entries: Entries, order: Order) -> Self {
        Self::none(order, Sieve::default()).grown(entries)
    }

    /// No entries yet.
    pub fn none(order: Order, sieve: Sieve) -> Self {
        Self { order, sieve, ..Self::default() }
    }

    /// The same with what came since. Only that is sorted; the rest is merged with it.
    pub fn grown(&self, entries: Entries) -> Self {
        let mut ids = Vec::with_capacity(entries.len());
        ids.extend_from_slice(&self.all);
        ids.extend(entries.ids().skip(self.all.len()));
        self.order.sort(&entries, &mut ids);
        Self { entries, all: Arc::new(ids), ..self.clone() }.sifted(self.sieve.clone())
    }

    /// The same in another order and behind another sieve.
    pub fn arranged(&self, order: Order, sieve: Sieve) -> Self {
        if order == self.order {
            return self.clone().sifted(sieve);
        }
        Self::none(order, sieve).grown(self.entries.clone())
    }

    /// The same behind another sieve.
    pub fn sifted(self, sieve: Sieve) -> Self {
        if sieve.is_open() {
            return Self { ids: self.all.clone(), hidden: 0, sieve, ..self };
        }
        let (ids, hidden) = sieve.sift(&self.all, |id| self.entries.name(id));
        Self { ids: Arc::new(ids), hidden, sieve, ..self }
    }

    /// The order they are in.
    pub fn order(&self) -> Order {
        self.order
    }

    /// What is kept out.
    pub fn sieve(&self) -> &Sieve {
        &self.sieve
    }

    /// How many are shown.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether none is shown.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// How many are left out for the dot of their name.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// Whether these are the same entries in the same rows, and not only equal ones.
    pub fn are(&self, other: &Rows) -> bool {
        Arc::ptr_eq(&self.ids, &other.ids)
    }

    /// The entry in a row.
    pub fn get(&self, row: usize) -> Option<EntryRef<'_>> {
        self.entries.get(*self.ids.get(row)?)
    }

    /// The row of an entry.
    pub fn row_of(&self, id: u32) -> Option<usize> {
        self.ids.iter().position(|other| *other == id)
    }

    /// The numbers of the entries shown, row by row.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Those of them that are directories, which stand first in every order.
    pub fn directories(&self) -> &[u32] {
        let (directories, _) = self.ids.split_at(self.ids.partition_point(|id| self.entries.is_directory(*id)));
        directories
    }

    /// The same, shared.
    pub fn shared_ids(&self) -> Arc<Vec<u32>> {
        self.ids.clone()
    }

    /// All entries as they came, shown or not.
    pub fn entries(&self) -> &Entries {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::order::By;
    use crate::app::sample::{directory, file};

    fn names(rows: &Rows) -> String {
        let names: Vec<_> = rows.ids().iter().map(|id| wire::path::escape(rows.entries().name(*id))).collect();
        names.join(" ")
    }

    #[test]
    fn rows_that_come_bit_by_bit_are_those_that_come_at_once() {
        let all: Vec<_> = (0..500).map(|n: u64| file(&format!("f{}", n * 7919 % 500), n % 10, 0)).collect();
        for by in [By::Name, By::Size] {
            let order = Order { by, reverse: by == By::Size };
            let mut rows = Rows::new(Entries::default(), order);
            let mut entries = Entries::default();
            for page in all.chunks(77) {
                page.iter().for_each(|entry| entries.push(entry));
                rows = rows.grown(entries.clone());
                assert_eq!(rows, Rows::new(entries.clone(), order));
            }
            assert_eq!(rows.len(), 500);
            let turned = rows.arranged(Order::default(), Sieve::default());
            assert_eq!(turned, Rows::new(entries, Order::default()));
        }
    }

    #[test]
    fn numbers_name_entries_in_every_order() {
        let rows = Rows::new([file("b", 1, 0), directory("z"), file("a", 2, 0)].iter().collect(), Order::default());
        assert_eq!((names(&rows).as_str(), rows.row_of(0), rows.row_of(3)), ("z a b", Some(2), None));
        let turned = rows.arranged(Order { by: By::Size, reverse: true }, Sieve::default());
        assert_eq!((names(&turned).as_str(), turned.row_of(0)), ("z b a", Some(1)));
        assert_eq!(turned.get(1).map(|entry| (entry.id, entry.size)), Some((0, 1)));
    }

    #[test]
    fn a_sieve_holds_while_rows_come_and_in_every_order() {
        let sieve = Sieve { hides_dots: true, text: "a".into() };
        let all = [file("ba", 1, 0), file(".a", 2, 0), file("c", 3, 0), file("a", 4, 0)];
        let mut entries: Entries = all.iter().take(2).collect();
        let some = Rows::none(Order::default(), sieve.clone()).grown(entries.clone());
        assert_eq!((names(&some).as_str(), some.hidden()), ("ba", 1));
        all.iter().skip(2).for_each(|entry| entries.push(entry));
        let rows = some.grown(entries);
        assert_eq!((names(&rows).as_str(), rows.len(), rows.entries().len()), ("a ba", 2, 4));
        let by_size = Order { by: By::Size, reverse: true };
        assert_eq!(names(&rows.arranged(by_size, sieve)), "ba a");
        assert_eq!(names(&rows.arranged(Order::default(), Sieve::default())), ".a a ba c");
    }
}
