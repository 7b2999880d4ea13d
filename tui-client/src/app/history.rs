//! What became of past transfers, as the person goes through it: the newest first, all of them, those with something
//! in their names or reasons, or those that failed.

use std::collections::HashSet;
use std::sync::Arc;

use crate::action::Scope;
use crate::engine::keep::history::{Ending, Past};
use crate::engine::status::AfterCopy;

/// The list and what is kept of it.
#[derive(Clone, Debug)]
pub struct History {
    /// Names the reading of it.
    pub serial: u64,
    /// Who had the keys before.
    pub back: Scope,
    /// Whether it is being read.
    pub reading: bool,
    /// What has ended since and is not in it yet.
    pub behind: usize,
    /// It is read again for that, so often at most.
    pub tries: u8,
    /// Why it cannot be read.
    pub fault: String,
    /// Only entries with this in name or reason are shown.
    pub wanted: String,
    /// Whether that is being typed.
    pub typing: bool,
    /// Only what failed is shown.
    pub failed_only: bool,
    /// Row of the cursor.
    pub cursor: usize,
    /// The first row on the screen.
    pub top: usize,
    /// Marked entries, by their places among all.
    pub marks: HashSet<usize>,
    past: Arc<Vec<Past>>,
    shown: Vec<usize>,
}

impl History {
    /// A list that is being read.
    pub fn new(serial: u64, back: Scope) -> Self {
        Self {
            serial,
            back,
            reading: true,
            behind: 0,
            tries: 0,
            fault: String::new(),
            wanted: String::new(),
            typing: false,
            failed_only: false,
            cursor: 0,
            top: 0,
            marks: HashSet::new(),
            past: Arc::default(),
            shown: Vec::new(),
        }
    }

    /// Takes up what was read, the newest first; marks and cursor stay on their entries. Tells how much is new
    /// since it was read before.
    pub fn take(&mut self, past: Arc<Vec<Past>>) -> usize {
        // Entries are only ever added in front, and the last ones dropped.
        let newer = self
            .past
            .first()
            .map_or(past.len(), |first| past.iter().position(|other| other == first).unwrap_or(past.len()));
        let is_first = std::mem::take(&mut self.reading);
        (self.past, self.fault) = (past, String::new());
        self.marks = self.marks.iter().map(|mark| mark + newer).filter(|mark| *mark < self.past.len()).collect();
        self.shown.iter_mut().for_each(|index| *index += newer);
        let row = self.cursor.saturating_sub(self.top);
        self.choose();
        // At the top what is new comes into sight; further down all stays where it is.
        if self.top > 0 {
            self.top = self.cursor.saturating_sub(row);
        }
        if is_first { 0 } else { newer }
    }

    /// Decides anew what is shown; the cursor stays on its entry, or near it.
    pub fn choose(&mut self) {
        let at = self.shown.get(self.cursor).copied();
        let wanted = self.wanted.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        let fits = |past: &Past| {
            (!self.failed_only || past.end == Ending::Failed)
                && (wanted.is_empty() || has(&past.name) || has(&past.why))
        };
        self.shown = self.past.iter().enumerate().filter(|(_, past)| fits(past)).map(|(index, _)| index).collect();
        let row = at.map_or(0, |at| self.shown.partition_point(|index| *index < at));
        self.cursor = row.min(self.len().saturating_sub(1));
    }

    /// How many are shown.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// How many there are.
    pub fn all(&self) -> usize {
        self.past.len()
    }

    /// The entry in a row, and whether it is marked.
    pub fn get(&self, row: usize) -> Option<(&Past, bool)> {
        let index = self.shown.get(row)?;
        Some((self.past.get(*index)?, self.marks.contains(index)))
    }

    /// The entry under the cursor.
    pub fn current(&self) -> Option<&Past> {
        self.get(self.cursor).map(|(past, _)| past)
    }

    /// The marked entries that are shown, else the one under the cursor.
    pub fn targets(&self) -> Vec<&Past> {
        let rows = (0..self.len()).filter_map(|row| self.get(row));
        let marked: Vec<&Past> = rows.filter(|(_, marked)| *marked).map(|(past, _)| past).collect();
        if marked.is_empty() { self.current().into_iter().collect() } else { marked }
    }

    /// Those shown that failed, and of which nothing became later.
    pub fn failures(&self) -> Vec<&Past> {
        let mut later = HashSet::new();
        let last = self.past.iter().enumerate().filter(|(_, past)| later.insert((&past.account, &past.job)));
        let failed = last.filter(|(index, past)| past.end == Ending::Failed && self.shown.binary_search(index).is_ok());
        failed.map(|(_, past)| past).collect()
    }

    /// Marks or unmarks the entry under the cursor.
    pub fn toggle_mark(&mut self) {
        if let Some(index) = self.shown.get(self.cursor)
            && !self.marks.remove(index)
        {
            self.marks.insert(*index);
        }
    }

    /// Turns the marks of all that is shown round.
    pub fn invert_marks(&mut self) {
        let marks = &self.marks;
        self.marks = self.shown.iter().copied().filter(|index| !marks.contains(index)).collect();
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

/// What became of it, in a word.
pub fn word(past: &Past) -> &'static str {
    match (past.end, past.source) {
        (Ending::Done, _) if past.files > 0 && past.files_skipped == past.files => "skipped",
        (Ending::Done, AfterCopy::Remove) if past.files_skipped == 0 => "moved",
        (end, _) => end.word(),
    }
}
