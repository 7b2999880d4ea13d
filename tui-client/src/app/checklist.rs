//! The checklist of a synchronisation: a plan on the screen, what is to become of each row, and what is marked. Rows
//! come between others while the scan goes on; cursor, marks and decisions stay on theirs.

use std::collections::HashMap;

use wire::message::Kind;

use super::place::Place;
use crate::sync::mode::Mode;
use crate::sync::orders::Totals;
use crate::sync::path::is_below;
use crate::sync::plan::{Action, Finding, Key, Plan, Row};
use crate::sync::scan::Progress;

/// A plan that a person looks at.
#[derive(Clone, Debug)]
pub struct Checklist {
    /// Names its scan.
    pub serial: u64,
    /// The directory on the left.
    pub left: Place,
    /// The directory on the right.
    pub right: Place,
    /// How they are compared.
    pub mode: Mode,
    /// What was found so far.
    pub plan: Plan,
    /// How far the scan has come; `None` when it is over.
    pub scanning: Option<Progress>,
    /// Directories that could not be read.
    pub unread: u64,
    /// The scan ended before its time: there may be more.
    pub partial: bool,
    /// What is shown.
    pub filter: Filter,
    /// The sums of what is planned.
    pub totals: Totals,
    /// Place of the cursor among the rows shown.
    pub cursor: usize,
    /// The first row on the screen.
    pub top: usize,
    /// How many rows are marked.
    pub marked: usize,
    cells: Vec<Cell>,
    shown: Vec<usize>,
}

/// What a person did to a row.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    action: Action,
    /// It is not what was proposed.
    edited: bool,
    marked: bool,
}

/// Which rows are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Filter {
    /// Those that differ.
    #[default]
    Differences,
    /// Those that somebody has to decide.
    Conflicts,
    /// All.
    All,
}

impl Filter {
    /// The next one.
    pub fn next(self) -> Self {
        match self {
            Filter::Differences => Filter::Conflicts,
            Filter::Conflicts => Filter::All,
            Filter::All => Filter::Differences,
        }
    }

    /// What it shows.
    pub fn words(self) -> &'static str {
        match self {
            Filter::Differences => "differences",
            Filter::Conflicts => "conflicts only",
            Filter::All => "all files",
        }
    }

    fn shows(self, finding: Finding) -> bool {
        match self {
            Filter::Differences => finding != Finding::Same,
            Filter::Conflicts => finding.is_conflict(),
            Filter::All => true,
        }
    }
}

impl Checklist {
    /// A scan that has only begun.
    pub fn new(serial: u64, left: Place, right: Place, mode: Mode) -> Self {
        Self {
            serial,
            left,
            right,
            mode,
            plan: Plan::default(),
            scanning: Some(Progress::default()),
            unread: 0,
            partial: false,
            filter: Filter::default(),
            totals: Totals::default(),
            cursor: 0,
            top: 0,
            marked: 0,
            cells: Vec::new(),
            shown: Vec::new(),
        }
    }

    /// Takes up what the scan has found so far.
    pub fn settle(&mut self, plan: Plan) {
        let here = self.current().and_then(|(_, row)| row.key());
        let kept: HashMap<Key, Cell> = self.kept().collect();
        let mode = self.mode;
        let cell = |row: &Row| {
            let old = row.key().and_then(|key| kept.get(&key)).copied().unwrap_or_default();
            // What was decided stays, as long as it still can be.
            let edited = old.edited && row.refuses(old.action).is_none();
            Cell { action: if edited { old.action } else { row.proposal(mode) }, edited, marked: old.marked }
        };
        self.cells = plan.rows.iter().map(cell).collect();
        self.plan = plan;
        self.sum();
        self.sift(here);
    }

    /// Shows other rows.
    pub fn show(&mut self, filter: Filter) {
        let here = self.current().and_then(|(_, row)| row.key());
        self.filter = filter;
        self.sift(here);
    }

    /// How many rows are shown.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// The row at a place of those shown, with its number in the plan.
    pub fn at(&self, place: usize) -> Option<(usize, &Row)> {
        let index = *self.shown.get(place)?;
        Some((index, self.plan.rows.get(index)?))
    }

    /// The row under the cursor.
    pub fn current(&self) -> Option<(usize, &Row)> {
        self.at(self.cursor)
    }

    /// What is to become of a row of the plan.
    pub fn action(&self, index: usize) -> Action {
        self.cells.get(index).map_or(Action::Skip, |cell| cell.action)
    }

    /// Whether it is marked.
    pub fn is_marked(&self, index: usize) -> bool {
        self.cells.get(index).is_some_and(|cell| cell.marked)
    }

    /// All actions, row by row.
    pub fn actions(&self) -> Vec<Action> {
        self.cells.iter().map(|cell| cell.action).collect()
    }

    /// Moves the cursor, stopping at both ends.
    pub fn step(&mut self, rows: isize) {
        self.cursor = self.cursor.saturating_add_signed(rows).min(self.len().saturating_sub(1));
    }

    /// Scrolls so that the cursor is among `height` rows.
    pub fn keep_visible(&mut self, height: usize) {
        let lowest = self.cursor.saturating_sub(height.saturating_sub(1));
        self.top = self.top.clamp(lowest, self.cursor.max(lowest)).min(self.len().saturating_sub(1));
    }

    /// Marks or unmarks the row under the cursor.
    pub fn toggle_mark(&mut self) {
        let cell = self.shown.get(self.cursor).and_then(|index| self.cells.get_mut(*index));
        if let Some(cell) = cell {
            cell.marked = !cell.marked;
        }
        self.count_marks();
    }

    /// Marks what is shown and not marked, and the other way round.
    pub fn invert_marks(&mut self) {
        for index in &self.shown {
            self.cells.get_mut(*index).into_iter().for_each(|cell| cell.marked = !cell.marked);
        }
        self.count_marks();
    }

    /// Plans something for the marked rows, else for the one under the cursor, a directory with all below it; `None`
    /// is what was proposed. Tells how many took it, and why the first did not that did not.
    pub fn decide(&mut self, wanted: Option<Action>) -> (usize, Option<&'static str>) {
        let (mut taken, mut refusal) = (0, None);
        for index in self.selection() {
            let Some((row, cell)) = self.plan.rows.get(index).zip(self.cells.get_mut(index)) else { continue };
            let proposal = row.proposal(self.mode);
            let action = wanted.unwrap_or(proposal);
            match row.refuses(action) {
                Some(reason) => refusal = refusal.or(Some(reason)),
                None => {
                    (cell.action, cell.edited) = (action, action != proposal);
                    taken += 1;
                }
            }
        }
        self.sum();
        (taken, refusal)
    }

    fn selection(&self) -> Vec<usize> {
        if self.marked > 0 {
            return (0..self.cells.len()).filter(|index| self.is_marked(*index)).collect();
        }
        let Some((index, row)) = self.current() else { return Vec::new() };
        let mut all = vec![index];
        if row.kind == Kind::Directory {
            let path = self.plan.path(row);
            let below = self.plan.rows.iter().enumerate().skip(index + 1);
            all.extend(below.take_while(|(_, row)| is_below(self.plan.path(row), path)).map(|(index, _)| index));
        }
        all
    }

    fn kept(&self) -> impl Iterator<Item = (Key, Cell)> {
        let rows = self.plan.rows.iter().zip(&self.cells);
        rows.filter(|(_, cell)| cell.edited || cell.marked).filter_map(|(row, cell)| Some((row.key()?, *cell)))
    }

    fn sum(&mut self) {
        self.totals = Totals::of(self.plan.rows.iter().zip(self.cells.iter().map(|cell| cell.action)));
        self.count_marks();
    }

    fn count_marks(&mut self) {
        self.marked = self.cells.iter().filter(|cell| cell.marked).count();
    }

    /// Finds the rows that are shown, and the cursor's among them: that of a key, else the same place.
    fn sift(&mut self, here: Option<Key>) {
        let rows = self.plan.rows.iter().enumerate();
        self.shown = rows.filter(|(_, row)| self.filter.shows(row.finding)).map(|(index, _)| index).collect();
        let row = |index: &usize| self.plan.rows.get(*index).and_then(Row::key);
        let found = here.and_then(|key| self.shown.iter().position(|index| row(index) == Some(key)));
        let cursor = found.unwrap_or(self.cursor).min(self.len().saturating_sub(1));
        self.top = (self.top + cursor).saturating_sub(self.cursor);
        self.cursor = cursor;
    }
}
