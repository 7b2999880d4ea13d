//! Marks: what acts on files takes, and changes of many at once.

use std::collections::HashSet;
use std::ops::Range;

use globset::{Glob, GlobMatcher};
use wire::message::Kind;
use wire::path::escape;

use super::{Pane, Row};
use crate::app::Side;
use crate::app::marks::Marks;
use crate::app::order::extension;
use crate::app::rows::Rows;
use crate::app::sizes::Sum;
use crate::entries::{Entries, EntryRef, Heirs, Picked};
use crate::sync::path;
use crate::sync::plan::{self, Finding, Plan};

/// A change of many marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marking {
    /// Of entries like these, to this. Only what is shown is marked or unmarked.
    Like(Which, Turn),
    /// Of entries that stood in a row of rows.
    Stretch(Stretch),
    /// To what a comparison found to differ.
    Differing(Differing),
    /// To those of the list before, which was read again.
    Inherited(Heirs, Marks),
    /// Off what was done, by its names.
    Done(Picked),
}

/// Rows from one to another, as they were shown: whatever stands there later, these entries are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The rows as they were.
    rows: Rows,
    /// Which of them.
    range: Range<usize>,
    /// The entry that the cursor came from. It decides: from a marked one on all are unmarked.
    from: Option<u32>,
}

/// What a comparison found, seen from one pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differing {
    /// All of it.
    pub plan: Plan,
    /// The pane.
    pub side: Side,
    /// Directories that could not be read.
    pub unread: u64,
}

/// Entries by what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// All but directories.
    Files,
    /// Only directories.
    Directories,
    /// Files whose names match this glob.
    Matching(String),
    /// Files with this extension, its dot included.
    Extension(Vec<u8>),
}

/// What becomes of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is set.
    On,
    /// It is taken away.
    Off,
    /// What was marked is not, and the other way round.
    Round,
}

/// Markings under way for a list too long to be gone through between two pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Names the latest try.
    pub generation: u64,
    /// One after another.
    pub markings: Vec<Marking>,
}

impl Marking {
    /// The marks after it.
    pub fn apply(&self, rows: &Rows, marks: &Marks) -> Marks {
        match self {
            Marking::Like(which, turn) => which.apply(*turn, rows, marks.clone()),
            Marking::Stretch(stretch) => stretch.apply(rows, marks.clone()),
            Marking::Differing(differing) => differing.marks(rows.entries()),
            Marking::Inherited(heirs, older) => older.inherited(heirs, rows.entries()),
            Marking::Done(done) => without(done, rows.entries(), marks.clone()),
        }
    }

    /// How many entries it goes through.
    pub fn reach(&self, rows: &Rows) -> usize {
        match self {
            Marking::Like(..) => rows.len(),
            Marking::Stretch(stretch) => stretch.range.len(),
            Marking::Differing(differing) => rows.entries().len().max(differing.plan.rows.len()),
            Marking::Inherited(_, older) => older.len(),
            Marking::Done(done) => rows.entries().len().max(done.entries().len()),
        }
    }
}

impl Stretch {
    fn apply(&self, rows: &Rows, mut marks: Marks) -> Marks {
        // Another order or filter leaves the numbers as they are; to look the names up is right in every case.
        let heirs = (!rows.are(&self.rows)).then(|| Heirs::of(self.rows.entries(), rows.entries()));
        let now = |id: u32| heirs.as_ref().map_or(Some(id), |heirs| heirs.get(id));
        let marked = !self.from.and_then(now).is_some_and(|id| marks.has(id));
        let ids = self.rows.ids().get(self.range.clone()).unwrap_or_default();
        for entry in ids.iter().filter_map(|id| rows.entries().get(now(*id)?)) {
            marks.set(entry.id, entry.size, marked);
        }
        marks
    }
}

fn without(done: &Picked, entries: &Entries, mut marks: Marks) -> Marks {
    let heirs = Heirs::of(done.entries(), entries);
    for entry in done.iter().filter_map(|one| entries.get(heirs.get(one.id)?)) {
        marks.set(entry.id, entry.size, false);
    }
    marks
}

impl Differing {
    /// What differs or is missing on the other side; of a directory, what differs below it.
    fn marks(&self, entries: &Entries) -> Marks {
        let plan = &self.plan;
        let differs = |row: &&plan::Row| !matches!(row.finding, Finding::Same | Finding::Waiting);
        let has = |row: &&plan::Row| match self.side {
            Side::Left => row.left.is_some(),
            Side::Right => row.right.is_some(),
        };
        let is_nested = |row: &&plan::Row| path::depth(plan.path(row)) > 1;
        let rows = plan.rows.iter().filter(differs).filter(|row| has(row) || is_nested(row));
        let names: HashSet<&[u8]> = rows.map(|row| path::first(plan.path(row))).collect();
        let mut marks = Marks::default();
        for entry in entries.iter().filter(|entry| names.contains(entry.name)) {
            marks.set(entry.id, entry.size, true);
        }
        marks
    }
}

impl Which {
    fn apply(&self, turn: Turn, rows: &Rows, mut marks: Marks) -> Marks {
        let glob = match self {
            Which::Matching(glob) => Glob::new(glob).ok().map(|glob| glob.compile_matcher()),
            _ => None,
        };
        let entries = rows.ids().iter().filter_map(|id| rows.entries().get(*id));
        for entry in entries.filter(|entry| self.has(entry, glob.as_ref())) {
            let marked = match turn {
                Turn::On => true,
                Turn::Off => false,
                Turn::Round => !marks.has(entry.id),
            };
            marks.set(entry.id, entry.size, marked);
        }
        marks
    }

    fn has(&self, entry: &EntryRef<'_>, glob: Option<&GlobMatcher>) -> bool {
        let directory = entry.kind == Kind::Directory;
        match self {
            Which::All => true,
            Which::Files => !directory,
            Which::Directories => directory,
            Which::Matching(_) => !directory && glob.is_some_and(|glob| glob.is_match(escape(entry.name))),
            Which::Extension(wanted) => !directory && extension(entry.name) == wanted,
        }
    }
}

impl Pane {
    /// Bytes of the marked files and of what is known of the marked directories.
    pub fn marked(&self) -> Sum {
        let sum = self.sizes.marked(&self.marks);
        Sum { bytes: sum.bytes.saturating_add(self.marks.bytes()), ..sum }
    }

    /// How many of the marked ones are not shown.
    pub fn marks_not_shown(&self) -> usize {
        if self.marks.is_empty() || self.rows.len() == self.rows.entries().len() {
            return 0;
        }
        let shown = self.rows.ids().iter().filter(|id| self.marks.has(**id)).count();
        self.marks.len().saturating_sub(shown)
    }

    /// Marks or unmarks the row under the cursor.
    pub fn toggle_mark(&mut self) {
        if let Row::Entry(entry) = self.row(self.cursor) {
            let (id, size) = (entry.id, entry.size);
            self.marks.set(id, size, !self.marks.has(id));
        }
    }

    /// Moves the cursor by rows as [`Pane::step`] does and marks what it leaves behind, the last row included when it
    /// stands there already. The row it comes from decides: from a marked one on all are unmarked.
    pub fn mark_step(&mut self, rows: isize) {
        let from = self.cursor;
        self.step(rows);
        let to = self.cursor;
        let left = match rows {
            0.. if to == from => from..from + 1,
            0.. => from..to,
            _ if to == from => from..from + 1,
            _ => to + 1..from + 1,
        };
        self.mark_rows(left, from);
    }

    /// Goes to the first row or to the last; the rows from where the cursor was, to be marked or unmarked.
    pub fn stretch_to_end(&mut self, last: bool) -> Stretch {
        let (from, start) = (self.current_id(), self.cursor);
        self.move_to(if last { usize::MAX } else { 0 });
        let (first, end) = (start.min(self.cursor), start.max(self.cursor) + 1);
        let range = first.saturating_sub(self.offset())..end.saturating_sub(self.offset()).min(self.rows.len());
        Stretch { rows: self.rows.clone(), range, from }
    }

    fn mark_rows(&mut self, rows: Range<usize>, first: usize) {
        let is_marked = |row| matches!(self.row(row), Row::Entry(entry) if self.marks.has(entry.id));
        let marked = !is_marked(first);
        for row in rows {
            if let Row::Entry(entry) = self.row(row) {
                let (id, size) = (entry.id, entry.size);
                self.marks.set(id, size, marked);
            }
        }
    }

    /// Forgets all marks.
    pub fn clear_marks(&mut self) {
        self.marks = Marks::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::order::{By, Order};
    use crate::app::sample::{directory, file, local_pane, names, rows};
    use crate::app::sieve::Sieve;

    fn sample() -> Pane {
        local_pane("/d", vec![directory("x.rs"), file("a.rs", 1, 0), file("b.txt", 2, 0), file("Bo", 4, 0)])
    }

    fn marked(pane: &Pane) -> String {
        let rows = pane.rows.entries().iter().filter(|entry| pane.marks.has(entry.id)).collect::<Vec<_>>();
        names(&rows).join(" ")
    }

    #[test]
    fn what_a_marking_is_for() {
        let table = [
            (Which::Matching("*.rs".into()), Turn::On, "a.rs"),
            (Which::Files, Turn::Round, "b.txt Bo"),
            (Which::Extension(b".txt".into()), Turn::Off, "Bo"),
            (Which::Directories, Turn::On, "x.rs Bo"),
            (Which::All, Turn::Round, "a.rs b.txt"),
            (Which::Extension(b"".into()), Turn::On, "a.rs b.txt Bo"),
            (Which::Matching("[".into()), Turn::Off, "a.rs b.txt Bo"),
        ];
        let mut pane = sample();
        for (which, turn, expected) in table {
            let marking = Marking::Like(which, turn);
            pane.marks = marking.apply(&pane.rows, &pane.marks);
            assert_eq!(marked(&pane), expected, "{marking:?}");
        }
        assert_eq!(pane.marks.bytes(), 7);
    }

    fn mark_to_end(pane: &mut Pane, last: bool) {
        let marking = Marking::Stretch(pane.stretch_to_end(last));
        pane.marks = marking.apply(&pane.rows, &pane.marks);
    }

    #[test]
    fn rows_are_marked_while_the_cursor_moves() {
        let mut pane = sample();
        let mut check = |act: &dyn Fn(&mut Pane), expected: &str, cursor: &str| {
            act(&mut pane);
            assert_eq!((marked(&pane).as_str(), pane.current_name()), (expected, cursor.as_bytes()));
        };
        check(&|pane| pane.mark_step(1), "", "x.rs");
        check(&|pane| pane.mark_step(2), "x.rs a.rs", "b.txt");
        check(&|pane| mark_to_end(pane, true), "x.rs a.rs b.txt Bo", "Bo");
        check(&|pane| pane.mark_step(1), "x.rs a.rs b.txt", "Bo");
        check(&|pane| pane.mark_step(-1), "x.rs a.rs b.txt Bo", "b.txt");
        check(&|pane| pane.mark_step(-2), "x.rs Bo", "x.rs");
        check(&|pane| mark_to_end(pane, false), "Bo", "");
        check(&|pane| pane.mark_step(-1), "Bo", "");
    }

    #[test]
    fn entries_are_meant_and_not_rows() {
        let mut pane = sample();
        pane.land_on(b"b.txt");
        let marking = Marking::Stretch(pane.stretch_to_end(true));
        let turned = Order { by: By::Name, reverse: true };
        pane.reorder(pane.rows.arranged(turned, Sieve { hides_dots: false, text: "o".into() }));
        assert_eq!(marking.apply(&pane.rows, &pane.marks).len(), 2, "shown or not");
        // Read again: the numbers are others.
        pane.rows = rows(&[file("Bo", 8, 0), file("new", 1, 0), file("a.rs", 1, 0)]);
        pane.marks = marking.apply(&pane.rows, &Marks::default());
        assert_eq!((marked(&pane).as_str(), pane.marks.bytes()), ("Bo", 8));
    }

    #[test]
    fn what_is_not_shown_is_neither_marked_nor_acted_on() {
        let mut pane = sample();
        pane.marks = Marking::Like(Which::Files, Turn::On).apply(&pane.rows, &pane.marks);
        pane.reorder(pane.rows.clone().sifted(Sieve { hides_dots: false, text: "rs".into() }));
        assert_eq!((names(&pane.selection()).join(" "), pane.marks_not_shown()), ("a.rs".to_owned(), 2));
        pane.marks = Marking::Like(Which::All, Turn::Round).apply(&pane.rows, &pane.marks);
        assert_eq!(marked(&pane), "x.rs b.txt Bo");
        pane.reorder(pane.rows.clone().sifted(Sieve { hides_dots: false, text: "a.".into() }));
        assert_eq!((names(&pane.selection()).join(" "), pane.marks_not_shown()), ("a.rs".to_owned(), 3));
    }
}
