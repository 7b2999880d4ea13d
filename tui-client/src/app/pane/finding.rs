//! Quick search: the next name that begins like a text.

use super::{Loading, Pane};
use crate::app::rows::Rows;
use crate::app::wanted::Wanted;

/// What a search waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeking {
    /// The names themselves: they are still to come.
    Names,
    /// The search of this number, which goes through them beside the screen.
    Beside(u64),
}

/// What a search has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// As much of the text as a name begins with.
    pub text: String,
    /// Where that name stands; `None` where no letter is left.
    pub row: Option<usize>,
}

/// The next row from one on, round, whose name begins with as much as possible of a text. Goes through all names, for
/// each letter that none has once more, as long as it `goes_on`.
pub fn longest(rows: &Rows, from: usize, text: &str, goes_on: impl Fn() -> bool) -> Found {
    let mut text = text.to_owned();
    while !text.is_empty() && goes_on() {
        if let Some(row) = next(rows, from, &Wanted::new(&text), &goes_on) {
            return Found { text, row: Some(row) };
        }
        text.pop();
    }
    Found { text: String::new(), row: None }
}

fn next(rows: &Rows, from: usize, wanted: &Wanted, goes_on: impl Fn() -> bool) -> Option<usize> {
    let (entries, ids) = (rows.entries(), rows.ids());
    let (before, after) = ids.split_at(from.min(ids.len()));
    // As they lie in memory, which is many times faster than row by row.
    let mut hits = vec![false; entries.bound()];
    let looked_at = entries.ids().enumerate().take_while(|(index, _)| index % STRIDE != 0 || goes_on());
    let found = looked_at.map(|(_, id)| id).filter(|id| wanted.begins(entries.name(*id)));
    found.for_each(|id| hits.get_mut(id as usize).into_iter().for_each(|hit| *hit = true));
    let is_hit = |id: &u32| hits.get(*id as usize).is_some_and(|hit| *hit);
    let behind = after.iter().position(is_hit).map(|row| row + before.len());
    behind.or_else(|| before.iter().position(is_hit))
}

impl Pane {
    /// Whether what is typed is for names that are still to come.
    pub fn expects_names(&self) -> bool {
        let is_other = |loading: &Loading| loading.place != self.place || self.rows.entries().is_empty();
        self.loading.as_ref().is_some_and(|loading| !loading.shown && is_other(loading))
    }

    /// The next row that begins with `text`, where it is not far behind a row.
    pub fn near(&self, from: usize, text: &str) -> Option<usize> {
        let wanted = Wanted::new(text);
        let ids = self.rows.ids().get(from..).unwrap_or_default().iter().take(NEAR);
        ids.into_iter().position(|id| wanted.begins(self.rows.entries().name(*id))).map(|row| row + from)
    }

    /// The row of the list that the cursor is on; on `..` the first.
    pub fn list_row(&self) -> usize {
        self.cursor.saturating_sub(self.offset())
    }

    /// Puts the cursor on a row of the list.
    pub fn move_to_list_row(&mut self, row: usize) {
        self.move_to(row + self.offset());
    }

    /// Ends the quick search; the cursor stays.
    pub fn end_search(&mut self) {
        (self.search, self.seeking) = (None, None);
    }
}

/// Rows that are searched before all are.
const NEAR: usize = 500;
/// Names between two looks at whether it goes on.
const STRIDE: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::sample::{file, rows};

    #[test]
    fn a_search_finds_what_is_far_goes_round_and_leaves_off_letters_that_no_name_has() {
        let all: Vec<_> = (0..5000).rev().map(|n| file(&format!("f{n}"), 0, 0)).collect();
        let rows = rows(&all);
        for (from, text, found, row) in [
            (0, "f4321", "f4321", Some(4321)),
            (4321, "f12", "f12", Some(12)),
            (12, "f", "f", Some(12)),
            (13, "f12", "f12", Some(120)),
            (9999, "f0", "f0", Some(0)),
            (7, "f77x1", "f77", Some(77)),
            (7, "g", "", None),
        ] {
            let expected = Found { text: found.to_owned(), row };
            assert_eq!(longest(&rows, from, text, || true), expected, "{text}");
        }
        assert_eq!(longest(&rows, 0, "f1", || false).row, None, "nobody waits for it");
    }
}
