//! Marks: what acts on files takes, and changes of many at once.

use std::ops::Range;

use globset::{Glob, GlobMatcher};
use wire::message::Kind;
use wire::path::escape;

use super::{Pane, Row};
use crate::app::marks::Marks;
use crate::app::order::extension;
use crate::app::rows::Rows;
use crate::app::sizes::Sum;
use crate::entries::EntryRef;

/// A change of many marks. Only what is shown is marked or unmarked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marking {
    /// Of which entries.
    pub which: Which,
    /// To what.
    pub turn: Turn,
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
        let mut marks = marks.clone();
        let glob = match &self.which {
            Which::Matching(glob) => Glob::new(glob).ok().map(|glob| glob.compile_matcher()),
            _ => None,
        };
        let entries = rows.ids().iter().filter_map(|id| rows.entries().get(*id));
        for entry in entries.filter(|entry| self.which.has(entry, glob.as_ref())) {
            let marked = match self.turn {
                Turn::On => true,
                Turn::Off => false,
                Turn::Round => !marks.has(entry.id),
            };
            marks.set(entry.id, entry.size, marked);
        }
        marks
    }
}

impl Which {
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
    /// The marked rows, else the one under the cursor. What is not shown is never among them.
    pub fn selection(&self) -> Vec<EntryRef<'_>> {
        let marked = self.rows.ids().iter().filter(|id| self.marks.has(**id));
        let marked: Vec<_> = marked.filter_map(|id| self.rows.entries().get(*id)).collect();
        match self.current() {
            _ if !marked.is_empty() => marked,
            Row::Entry(entry) => vec![entry],
            Row::Up | Row::Nothing => Vec::new(),
        }
    }

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

    /// Marks or unmarks everything from the cursor to the first row or to the last, and goes there.
    pub fn mark_to_end(&mut self, last: bool) {
        let from = self.cursor;
        self.move_to(if last { usize::MAX } else { 0 });
        self.mark_rows(from.min(self.cursor)..from.max(self.cursor) + 1, from);
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
    use crate::app::sample::{directory, file, local_pane, names};
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
            let marking = Marking { which, turn };
            pane.marks = marking.apply(&pane.rows, &pane.marks);
            assert_eq!(marked(&pane), expected, "{marking:?}");
        }
        assert_eq!(pane.marks.bytes(), 7);
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
        check(&|pane| pane.mark_to_end(true), "x.rs a.rs b.txt Bo", "Bo");
        check(&|pane| pane.mark_step(1), "x.rs a.rs b.txt", "Bo");
        check(&|pane| pane.mark_step(-1), "x.rs a.rs b.txt Bo", "b.txt");
        check(&|pane| pane.mark_step(-2), "x.rs Bo", "x.rs");
        check(&|pane| pane.mark_to_end(false), "Bo", "");
        check(&|pane| pane.mark_step(-1), "Bo", "");
    }

    #[test]
    fn what_is_not_shown_is_neither_marked_nor_acted_on() {
        let mut pane = sample();
        pane.marks = Marking { which: Which::Files, turn: Turn::On }.apply(&pane.rows, &pane.marks);
        pane.reorder(pane.rows.clone().sifted(Sieve { hides_dots: false, text: "rs".into() }));
        assert_eq!((names(&pane.selection()).join(" "), pane.marks_not_shown()), ("a.rs".to_owned(), 2));
        pane.marks = Marking { which: Which::All, turn: Turn::Round }.apply(&pane.rows, &pane.marks);
        assert_eq!(marked(&pane), "x.rs b.txt Bo");
        pane.reorder(pane.rows.clone().sifted(Sieve { hides_dots: false, text: "a.".into() }));
        assert_eq!((names(&pane.selection()).join(" "), pane.marks_not_shown()), ("a.rs".to_owned(), 3));
    }
}
