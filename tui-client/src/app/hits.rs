//! What was found by name below a directory, in the order it was found.

use wire::message::{Entry, Kind};

use super::marks::Marks;
use super::place::Place;
use super::sources::Source;
use crate::entries::{Entries, EntryRef};
use crate::sync::path::is_inside;

/// A search for names.
#[derive(Clone, Debug)]
pub struct Hits {
    /// Names it.
    pub serial: u64,
    /// The directory below which is looked.
    pub place: Place,
    /// What for.
    pub pattern: String,
    /// It goes on.
    pub searching: bool,
    /// What else is to be told: why it ended early, or what could not be read.
    pub remark: String,
    /// Row of the cursor.
    pub cursor: usize,
    /// The first row on the screen.
    pub top: usize,
    /// What the person marked.
    pub marks: Marks,
    entries: Entries,
    ids: Vec<u32>,
}

impl Hits {
    /// A search that has only begun.
    pub fn new(serial: u64, place: Place, pattern: String) -> Self {
        Self {
            serial,
            place,
            pattern,
            searching: true,
            remark: String::new(),
            cursor: 0,
            top: 0,
            marks: Marks::default(),
            entries: Entries::default(),
            ids: Vec::new(),
        }
    }

    /// More was found. What leads elsewhere could not be acted on.
    pub fn take(&mut self, page: &[Entry]) {
        page.iter().filter(|entry| is_inside(&entry.name.0)).for_each(|entry| self.entries.push(entry));
        self.ids.extend(self.entries.ids().skip(self.ids.len()));
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The hit in a row; its name is its path below the directory.
    pub fn get(&self, row: usize) -> Option<EntryRef<'_>> {
        self.entries.get(*self.ids.get(row)?)
    }

    /// The hit under the cursor.
    pub fn current(&self) -> Option<EntryRef<'_>> {
        self.get(self.cursor)
    }

    /// Where it is, at its own name.
    pub fn place_of(&self, path: &[u8]) -> Option<Place> {
        path.split(|byte| *byte == b'/').try_fold(self.place.clone(), |place, name| place.join(name).ok())
    }

    /// The marked hits, as many of them as are taken at once, else the one under the cursor.
    pub fn selection(&self) -> Vec<Source> {
        let marked = || self.taken().filter_map(|id| self.entries.get(id));
        let chosen: Vec<_> =
            if self.marks.is_empty() { self.current().into_iter().collect() } else { marked().collect() };
        let source = |entry: &EntryRef<'_>| {
            let (directory, size, mtime) = (entry.kind == Kind::Directory, entry.size, entry.mtime);
            Some(Source { place: self.place_of(entry.name)?, directory, size, mtime })
        };
        chosen.iter().filter_map(source).collect()
    }

    /// Unmarks those of the selection.
    pub fn unmark_taken(&mut self) {
        let taken: Vec<_> = self.taken().filter_map(|id| self.entries.get(id).map(|entry| (id, entry.size))).collect();
        taken.into_iter().for_each(|(id, size)| self.marks.set(id, size, false));
    }

    fn taken(&self) -> impl Iterator<Item = u32> {
        self.ids.iter().copied().filter(|id| self.marks.has(*id)).take(AT_ONCE)
    }

    /// Marks or unmarks the hit under the cursor.
    pub fn toggle_mark(&mut self) {
        if let Some((id, size)) = self.current().map(|entry| (entry.id, entry.size)) {
            self.marks.set(id, size, !self.marks.has(id));
        }
    }

    /// Marks what is not marked, and the other way round.
    pub fn invert_marks(&mut self) {
        for entry in self.entries.iter() {
            self.marks.set(entry.id, entry.size, !self.marks.has(entry.id));
        }
    }

    /// Moves the cursor, stopping at both ends.
    pub fn step(&mut self, rows: isize) {
        self.cursor = self.cursor.saturating_add_signed(rows).min(self.len().saturating_sub(1));
    }

    /// Scrolls so that the cursor is among `height` rows.
    pub fn keep_visible(&mut self, height: usize) {
        let lowest = self.cursor.saturating_sub(height.saturating_sub(1));
        self.top = self.top.clamp(lowest, self.cursor.max(lowest));
    }
}

/// They lie in many directories, so each is an item of the queue, or a step of its own.
const AT_ONCE: usize = 10_000;
