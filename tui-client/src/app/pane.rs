//! One pane: a directory as far as it was read, the cursor, the marks. Rows are addressed by number only
//! between two messages: cursor and marks stay on their entries, and whatever acts on files takes names.

use wire::message::Time;

use super::marks::Marks;
use super::order::Order;
use super::place::Place;
use super::rows::Rows;
use super::sieve::Sieve;
use super::sizes::Sizes;
use super::trail::{Step, Trail};
use crate::entries::EntryRef;

pub mod finding;
pub mod marking;
mod settling;

use finding::Seeking;
use marking::Pending;

/// One of the two halves of the screen; both are values of this type.
#[derive(Clone, Debug)]
pub struct Pane {
    /// The directory shown.
    pub place: Place,
    /// Its rows, without `..`.
    pub rows: Rows,
    /// Whether these are not all: the read of them goes on, or ended before its time.
    pub partial: bool,
    /// Row of the cursor, `..` counted.
    pub cursor: usize,
    /// The first row on the screen.
    pub top: usize,
    /// What the person marked.
    pub marks: Marks,
    /// The order asked for.
    pub order: Order,
    /// Which names are asked for.
    pub sieve: Sieve,
    /// Whether keys go into the text of the sieve.
    pub sifting: bool,
    /// What directories of the list hold, where somebody asked.
    pub sizes: Sizes,
    /// Where the pane has been.
    pub trail: Trail,
    /// Marks that are being set beside.
    pub marking: Option<Pending>,
    /// A read under way.
    pub loading: Option<Loading>,
    /// The number of the sorting that the rows are waiting for.
    pub sorting: Option<u64>,
    /// Something changed since the last read; a reread is on its way.
    pub stale: bool,
    /// Bytes free on the disk that holds it, where that is known.
    pub free: Option<u64>,
    /// When it was read.
    pub read_at: Time,
    /// Text of the quick search while one is open.
    pub search: Option<String>,
    /// What it, or the way to its next hit, waits for.
    pub seeking: Option<Seeking>,
}

/// A read of a directory that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loading {
    /// Names this read; answers with another number are dropped.
    pub generation: u64,
    /// What is being read.
    pub place: Place,
    /// The name that the cursor goes to when it comes, unless the person moves it first.
    pub land: Option<Vec<u8>>,
    /// Rows seen so far.
    pub found: u64,
    /// Some of what was read is shown already.
    pub shown: bool,
    /// Whether the cursor stays on its entry while others come: not on the first row of a directory just
    /// entered, until somebody moves it.
    pub follows: bool,
    /// How the pane comes there.
    pub step: Step,
}

/// What the cursor stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row<'a> {
    /// `..`
    Up,
    /// A name.
    Entry(EntryRef<'a>),
    /// An empty list.
    Nothing,
}

impl Loading {
    /// A read that has only begun.
    pub fn new(generation: u64, place: Place, land: Option<Vec<u8>>) -> Self {
        Self { generation, place, land, found: 0, shown: false, follows: true, step: Step::New }
    }

    /// Not when a list that stays is read again in no time.
    pub fn is_worth_telling(&self, pane: &Pane) -> bool {
        self.found > 0 || self.place != pane.place
    }
}

impl Pane {
    /// A pane that was not read yet.
    pub fn new(place: Place) -> Self {
        Self {
            place,
            rows: Rows::default(),
            partial: false,
            cursor: 0,
            top: 0,
            marks: Marks::default(),
            order: Order::default(),
            sieve: Sieve::default(),
            sifting: false,
            sizes: Sizes::default(),
            trail: Trail::default(),
            marking: None,
            loading: None,
            sorting: None,
            stale: false,
            free: None,
            read_at: Time::default(),
            search: None,
            seeking: None,
        }
    }

    /// Whether the first row is `..`.
    pub fn has_up(&self) -> bool {
        self.place.parent().is_some()
    }

    /// How many rows there are, `..` included.
    pub fn row_count(&self) -> usize {
        self.rows.len() + self.offset()
    }

    /// What stands in a row.
    pub fn row(&self, row: usize) -> Row<'_> {
        match row.checked_sub(self.offset()) {
            None => Row::Up,
            Some(index) => self.rows.get(index).map_or(Row::Nothing, Row::Entry),
        }
    }

    /// What the cursor stands on.
    pub fn current(&self) -> Row<'_> {
        self.row(self.cursor)
    }

    /// The name under the cursor; empty on `..`.
    pub fn current_name(&self) -> &[u8] {
        match self.current() {
            Row::Entry(entry) => entry.name,
            Row::Up | Row::Nothing => b"",
        }
    }

    /// Moves the cursor by rows, stopping at both ends.
    pub fn step(&mut self, rows: isize) {
        self.move_to(self.cursor.saturating_add_signed(rows));
    }

    /// Puts the cursor on a row, or the last one.
    pub fn move_to(&mut self, row: usize) {
        self.cursor = row.min(self.row_count().saturating_sub(1));
        // Whoever moves does not wait to be moved.
        self.seeking = None;
        if let Some(loading) = &mut self.loading {
            (loading.land, loading.follows) = (None, true);
        }
    }

    /// Puts the cursor on a name; stays where it is when there is none such.
    pub fn land_on(&mut self, name: &[u8]) {
        if let Some(row) = self.rows.entries().find(name, 0).and_then(|id| self.rows.row_of(id)) {
            self.move_to(row + self.offset());
        }
    }

    /// Scrolls so that the cursor is among `height` rows on the screen.
    pub fn keep_visible(&mut self, height: usize) {
        let last_top = self.row_count().saturating_sub(height.max(1));
        let lowest = self.cursor.saturating_sub(height.saturating_sub(1));
        self.top = self.top.clamp(lowest, self.cursor.max(lowest)).min(last_top.max(lowest));
    }

    fn current_id(&self) -> Option<u32> {
        match self.current() {
            Row::Entry(entry) => Some(entry.id),
            Row::Up | Row::Nothing => None,
        }
    }

    fn offset(&self) -> usize {
        usize::from(self.has_up())
    }
}

#[cfg(test)]
mod tests {
    use wire::message::Entry;

    use super::*;
    use crate::app::sample::{directory, file, local_pane, reread_of};

    fn reread(pane: &mut Pane, entries: Vec<Entry>) {
        pane.loading = Some(Loading::new(1, pane.place.clone(), None));
        pane.settle(reread_of(pane, entries));
        pane.complete();
    }

    #[test]
    fn cursor_and_marks_stay_on_their_names() {
        let mut pane = local_pane("/d", vec![file("a", 1, 0), file("b", 2, 0), file("c", 4, 0)]);
        pane.move_to(2);
        pane.toggle_mark();
        pane.step(1);
        pane.toggle_mark();
        pane.step(-1);
        assert_eq!((pane.current_name(), pane.marks.bytes()), (b"b".as_slice(), 6));
        reread(&mut pane, vec![directory("0"), file("a", 1, 0), file("b", 8, 0)]);
        assert_eq!((pane.current_name(), pane.marks.bytes(), pane.marks.len()), (b"b".as_slice(), 8, 1));
        reread(&mut pane, vec![]);
        assert_eq!((pane.current(), pane.marks.len()), (Row::Up, 0));
    }

    #[test]
    fn the_cursor_keeps_its_row_when_its_name_is_gone() {
        let mut pane = local_pane("/d", vec![file("a", 1, 0), file("b", 1, 0), file("c", 1, 0)]);
        pane.land_on(b"b");
        reread(&mut pane, vec![file("a", 1, 0), file("c", 1, 0)]);
        assert_eq!(pane.current_name(), b"c");
    }

    #[test]
    fn scrolling_keeps_the_cursor_in_sight() {
        let entries: Vec<_> = (0..100).map(|n| file(&format!("f{n}"), 0, 0)).collect();
        let mut pane = local_pane("/d", entries);
        for (row, height, top) in [(50, 10, 41), (45, 10, 41), (41, 10, 41), (40, 10, 40), (100, 10, 91), (100, 200, 0)]
        {
            pane.move_to(row);
            pane.keep_visible(height);
            assert_eq!(pane.top, top, "row {row}");
        }
        pane.keep_visible(0);
    }
}
