//! One pane: a directory as far as it was read, the cursor, the marks. Rows are addressed by number only
//! between two messages: cursor and marks stay on their entries, and whatever acts on files takes names.

use globset::GlobMatcher;
use wire::message::{Kind, Time};
use wire::path::escape;

use super::marks::Marks;
use super::order::Order;
use super::place::Place;
use super::rows::{Listing, Rows};
use crate::entries::EntryRef;

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
        Self { generation, place, land, found: 0, shown: false, follows: true }
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
            loading: None,
            sorting: None,
            stale: false,
            free: None,
            read_at: Time::default(),
            search: None,
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

    /// The marked rows, else the one under the cursor.
    pub fn selection(&self) -> Vec<EntryRef<'_>> {
        if !self.marks.is_empty() {
            let marked = self.rows.ids().iter().filter(|id| self.marks.has(**id));
            return marked.filter_map(|id| self.rows.entries().get(*id)).collect();
        }
        match self.current() {
            Row::Entry(entry) => vec![entry],
            Row::Up | Row::Nothing => Vec::new(),
        }
    }

    /// Moves the cursor by rows, stopping at both ends.
    pub fn step(&mut self, rows: isize) {
        self.move_to(self.cursor.saturating_add_signed(rows));
    }

    /// Puts the cursor on a row, or the last one.
    pub fn move_to(&mut self, row: usize) {
        self.cursor = row.min(self.row_count().saturating_sub(1));
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

    /// Marks or unmarks the row under the cursor.
    pub fn toggle_mark(&mut self) {
        if let Row::Entry(entry) = self.row(self.cursor) {
            let (id, size) = (entry.id, entry.size);
            self.marks.set(id, size, !self.marks.has(id));
        }
    }

    /// Marks or unmarks every name that the pattern matches, directories left out; tells how many changed.
    pub fn mark_matching(&mut self, pattern: &GlobMatcher, marked: bool) -> usize {
        let before = self.marks.len();
        for entry in self.rows.entries().iter().filter(|entry| entry.kind != Kind::Directory) {
            if pattern.is_match(escape(entry.name)) {
                self.marks.set(entry.id, entry.size, marked);
            }
        }
        self.marks.len().abs_diff(before)
    }

    /// Marks what is not marked and the other way round, directories left out.
    pub fn invert_marks(&mut self) {
        for entry in self.rows.entries().iter().filter(|entry| entry.kind != Kind::Directory) {
            self.marks.set(entry.id, entry.size, !self.marks.has(entry.id));
        }
    }

    /// Forgets all marks.
    pub fn clear_marks(&mut self) {
        self.marks = Marks::default();
    }

    /// Takes up what the read under way has brought so far. In the same directory the cursor and the marks stay
    /// on their names; in another the cursor stays at the top until the name comes that it is to land on.
    pub fn settle(&mut self, listing: Listing) {
        let Some(mut loading) = self.loading.take() else { return };
        let here = self.current_id();
        let kept = match listing.heirs {
            _ if loading.shown => here.filter(|_| loading.follows),
            Some(heirs) if loading.place == self.place => {
                self.marks = self.marks.inherited(&heirs, listing.rows.entries());
                here.and_then(|id| heirs.get(id))
            }
            _ => {
                *self = Self { order: self.order, stale: self.stale, ..Self::new(loading.place.clone()) };
                loading.follows = false;
                None
            }
        };
        let seen = if loading.shown { self.rows.len() } else { 0 };
        (self.rows, self.free, self.read_at) = (listing.rows, listing.free, listing.at);
        (self.partial, self.sorting, loading.shown) = (true, None, true);
        loading.found = loading.found.max(self.rows.len() as u64);
        self.keep_cursor(kept);
        let land = loading.land.as_deref().and_then(|name| self.rows.entries().find(name, seen));
        if let Some(row) = land.and_then(|id| self.rows.row_of(id)) {
            self.cursor = row + self.offset();
            (loading.land, loading.follows) = (None, true);
        }
        self.loading = Some(loading);
    }

    /// The read under way has brought all there is.
    pub fn complete(&mut self) {
        (self.loading, self.partial) = (None, false);
    }

    /// Takes up the same rows in another order.
    pub fn reorder(&mut self, rows: Rows) {
        let here = self.current_id();
        (self.rows, self.sorting) = (rows, None);
        self.keep_cursor(here);
    }

    /// Puts the cursor on the next name from its row on that begins with `text`, letters without case.
    pub fn find(&mut self, text: &str) -> bool {
        let wanted = text.to_lowercase();
        let start = self.cursor.saturating_sub(self.offset()).min(self.rows.len());
        let (before, after) = self.rows.ids().split_at(start);
        let entries = self.rows.entries();
        let near = after.iter().take(NEAR).position(|id| begins(entries.name(*id), &wanted));
        let Some(index) = near.map(|index| index + start).or_else(|| {
            // As they lie in memory, which is many times faster than row by row.
            let mut hits = vec![false; entries.bound()];
            let found = entries.ids().filter(|id| begins(entries.name(*id), &wanted));
            found.for_each(|id| hits.get_mut(id as usize).into_iter().for_each(|hit| *hit = true));
            let is_hit = |id: &u32| hits.get(*id as usize).is_some_and(|hit| *hit);
            let behind = after.iter().position(is_hit).map(|index| index + start);
            behind.or_else(|| before.iter().position(is_hit))
        }) else {
            return false;
        };
        self.move_to(index + self.offset());
        true
    }

    /// Leaves the cursor on an entry wherever that stands now, at the same height of the screen; where it is
    /// gone, the cursor keeps its row.
    fn keep_cursor(&mut self, id: Option<u32>) {
        let row = id.and_then(|id| self.rows.row_of(id)).map_or(self.cursor, |row| row + self.offset());
        let row = row.min(self.row_count().saturating_sub(1));
        self.top = (self.top + row).saturating_sub(self.cursor);
        self.cursor = row;
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

/// Whether a name as it is shown begins with a text in lower case. At the first byte that differs most names
/// are as they are shown.
fn begins(name: &[u8], wanted: &str) -> bool {
    let pairs = name.iter().zip(wanted.as_bytes());
    match pairs.into_iter().find(|(byte, wanted)| byte.to_ascii_lowercase() != **wanted) {
        Some((b' '..=b'~', _)) => false,
        None if wanted.bytes().all(|byte| matches!(byte, b' '..=b'~')) => name.len() >= wanted.len(),
        _ => escape(name).to_lowercase().starts_with(wanted),
    }
}

/// Rows from the cursor on that are searched before all are.
const NEAR: usize = 1000;

#[cfg(test)]
mod tests {
    use globset::Glob;
    use wire::message::Entry;

    use super::*;
    use crate::app::sample::{directory, file, local_pane, names, reread_of};

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

    #[test]
    fn globs_and_search() {
        let mut pane =
            local_pane("/d", vec![directory("x.rs"), file("a.rs", 1, 0), file("b.txt", 2, 0), file("Bo", 4, 0)]);
        let glob = Glob::new("*.rs").unwrap().compile_matcher();
        assert_eq!(pane.mark_matching(&glob, true), 1);
        pane.invert_marks();
        assert_eq!(names(&pane.selection()), ["b.txt", "Bo"]);
        assert!(pane.find("b") && pane.current_name() == b"b.txt");
        assert!(pane.find("bo") && pane.current_name() == b"Bo");
        assert!(!pane.find("nothing") && pane.current_name() == b"Bo");
        assert!(pane.find("a") && pane.current_name() == b"a.rs");
    }

    #[test]
    fn names_begin_as_they_are_shown() {
        let table: [(&[u8], &str, bool); 11] = [
            (b"Notes.md", "notes.", true),
            (b"note", "notes", false),
            (b"x", "", true),
            (b"a\nb", "a\\nb", true),
            (b"a\nb", "a\nb", false),
            (b"\xffz", "\\xff", true),
            ("Été".as_bytes(), "été", true),
            ("été".as_bytes(), "ét", true),
            ("été".as_bytes(), "e", false),
            ("日".as_bytes(), "日本", false),
            (b"plain", "日", false),
        ];
        for (name, wanted, is) in table {
            assert_eq!(begins(name, wanted), is, "{name:?} {wanted}");
            assert_eq!(escape(name).to_lowercase().starts_with(wanted), is);
        }
    }

    #[test]
    fn a_search_finds_what_is_far_and_goes_round() {
        let entries = (0..5000).rev().map(|n| file(&format!("f{n}"), 0, 0)).collect();
        let mut pane = local_pane("/d", entries);
        for (text, name) in [("f4321", "f4321"), ("f12", "f12"), ("F4999", "f4999"), ("f", "f4999"), ("f0", "f0")] {
            assert!(pane.find(text), "{text}");
            assert_eq!(pane.current_name(), name.as_bytes(), "{text}");
        }
        assert!(!pane.find("g") && pane.current_name() == b"f0");
    }
}
