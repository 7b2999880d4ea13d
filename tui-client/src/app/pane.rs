//! One pane: a directory as it was last read, the cursor, the marks. Rows are addressed by number only
//! between two reads; whatever acts on files takes names.

use std::collections::HashSet;

use globset::GlobMatcher;
use wire::message::{Entry, Kind, Time};
use wire::path::escape;

use super::order::Order;
use super::place::Place;

/// One of the two halves of the screen; both are values of this type.
#[derive(Clone, Debug)]
pub struct Pane {
    /// The directory shown.
    pub place: Place,
    /// Its rows, sorted, without `..`.
    pub entries: Vec<Entry>,
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
    /// Where the cursor goes afterwards; `None` keeps it on its name.
    pub land: Option<Vec<u8>>,
    /// Rows seen so far.
    pub found: u64,
}

/// Marked names and the sum of their sizes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    names: HashSet<Vec<u8>>,
    bytes: u64,
}

/// What the cursor stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row<'a> {
    /// `..`
    Up,
    /// A name.
    Entry(&'a Entry),
    /// An empty list.
    Nothing,
}

impl Marks {
    /// How many names.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether nothing is marked.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Bytes of the marked files.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the name is marked.
    pub fn has(&self, name: &[u8]) -> bool {
        self.names.contains(name)
    }

    fn set(&mut self, entry: &Entry, marked: bool) {
        let changed = if marked { self.names.insert(entry.name.0.clone()) } else { self.names.remove(&entry.name.0) };
        match (changed, marked) {
            (false, _) => {}
            (true, true) => self.bytes = self.bytes.saturating_add(entry.size),
            (true, false) => self.bytes = self.bytes.saturating_sub(entry.size),
        }
    }

    fn clear(&mut self) {
        *self = Marks::default();
    }
}

impl Pane {
    /// A pane that was not read yet.
    pub fn new(place: Place) -> Self {
        Self {
            place,
            entries: Vec::new(),
            cursor: 0,
            top: 0,
            marks: Marks::default(),
            order: Order::default(),
            loading: None,
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
    pub fn rows(&self) -> usize {
        self.entries.len() + usize::from(self.has_up())
    }

    /// What stands in a row.
    pub fn row(&self, row: usize) -> Row<'_> {
        let index = match (self.has_up(), row) {
            (true, 0) => return Row::Up,
            (true, row) => row - 1,
            (false, row) => row,
        };
        self.entries.get(index).map_or(Row::Nothing, Row::Entry)
    }

    /// What the cursor stands on.
    pub fn current(&self) -> Row<'_> {
        self.row(self.cursor)
    }

    /// The name under the cursor; empty on `..`.
    pub fn current_name(&self) -> &[u8] {
        match self.current() {
            Row::Entry(entry) => &entry.name.0,
            Row::Up | Row::Nothing => b"",
        }
    }

    /// The marked rows, else the one under the cursor.
    pub fn selection(&self) -> Vec<&Entry> {
        if !self.marks.is_empty() {
            return self.entries.iter().filter(|entry| self.marks.has(&entry.name.0)).collect();
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
        self.cursor = row.min(self.rows().saturating_sub(1));
    }

    /// Puts the cursor on a name; stays where it is when there is none such.
    pub fn land_on(&mut self, name: &[u8]) {
        if let Some(index) = self.entries.iter().position(|entry| entry.name.0 == name) {
            self.cursor = index + usize::from(self.has_up());
        }
    }

    /// Scrolls so that the cursor is among `height` rows on the screen.
    pub fn keep_visible(&mut self, height: usize) {
        let last_top = self.rows().saturating_sub(height.max(1));
        let lowest = self.cursor.saturating_sub(height.saturating_sub(1));
        self.top = self.top.clamp(lowest, self.cursor.max(lowest)).min(last_top.max(lowest));
    }

    /// Marks or unmarks the row under the cursor.
    pub fn toggle_mark(&mut self) {
        if let Row::Entry(entry) = self.current() {
            let entry = entry.clone();
            let marked = self.marks.has(&entry.name.0);
            self.marks.set(&entry, !marked);
        }
    }

    /// Marks or unmarks every name that the pattern matches, directories left out; tells how many changed.
    pub fn mark_matching(&mut self, pattern: &GlobMatcher, marked: bool) -> usize {
        let before = self.marks.len();
        for entry in self.entries.iter().filter(|entry| entry.kind != Kind::Directory) {
            if pattern.is_match(escape(&entry.name.0)) {
                self.marks.set(entry, marked);
            }
        }
        self.marks.len().abs_diff(before)
    }

    /// Marks what is not marked and the other way round, directories left out.
    pub fn invert_marks(&mut self) {
        for entry in self.entries.iter().filter(|entry| entry.kind != Kind::Directory) {
            let marked = self.marks.has(&entry.name.0);
            self.marks.set(entry, !marked);
        }
    }

    /// Forgets all marks.
    pub fn clear_marks(&mut self) {
        self.marks.clear();
    }

    /// Takes up a list that was read to its end. In the same directory the cursor and the marks stay
    /// on their names; in another the cursor goes where the read was told to land.
    pub fn settle(&mut self, entries: Vec<Entry>, free: Option<u64>, read_at: Time) {
        let Some(loading) = self.loading.take() else { return };
        let same = loading.place == self.place;
        let name = loading.land.unwrap_or_else(|| if same { self.current_name().to_vec() } else { Vec::new() });
        let marked = if same { std::mem::take(&mut self.marks) } else { Marks::default() };
        self.marks.clear();
        if !same {
            (self.cursor, self.top, self.search) = (0, 0, None);
        }
        (self.place, self.entries, self.free, self.read_at) = (loading.place, entries, free, read_at);
        if !marked.is_empty() {
            for entry in self.entries.iter().filter(|entry| marked.has(&entry.name.0)) {
                self.marks.set(entry, true);
            }
        }
        self.move_to(self.cursor);
        if !name.is_empty() {
            self.land_on(&name);
        }
    }

    /// Puts the cursor on the next name from its row on that begins with `text`, letters without case.
    pub fn find(&mut self, text: &str) -> bool {
        let wanted = text.to_lowercase();
        let matches = |entry: &Entry| escape(&entry.name.0).to_lowercase().starts_with(&wanted);
        let offset = usize::from(self.has_up());
        let start = self.cursor.saturating_sub(offset).min(self.entries.len());
        let (before, after) = self.entries.split_at(start);
        let hit = after.iter().position(matches).map(|index| index + start);
        let Some(index) = hit.or_else(|| before.iter().position(matches)) else { return false };
        self.cursor = index + offset;
        true
    }
}

#[cfg(test)]
mod tests {
    use globset::Glob;

    use super::*;
    use crate::app::sample::{directory, file, local_pane, names};

    fn reread(pane: &mut Pane, entries: Vec<Entry>) {
        pane.loading = Some(Loading { generation: 1, place: pane.place.clone(), land: None, found: 0 });
        pane.settle(entries, None, Time::default());
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
}
