//! The columns of a pane: which there is room for, and what stands in them.

use ratatui::buffer::Buffer;
use wire::message::Kind;
use wire::path::escape;
use wire::size;

use crate::app::App;
use crate::app::order::{By, Order};
use crate::app::pane::{Pane, Row};
use crate::app::sizes::Sum;
use crate::app::text::{self, Dates, columns, fit, fit_right};
use crate::entries::EntryRef;
use crate::theme::Look;

/// The widths of the columns in a pane; 0 where one is left out.
pub(super) struct Columns {
    name: usize,
    date: usize,
    runs: usize,
    proven: usize,
}

/// Name, size, date, whether it can be run, and whether its content is proven.
pub(super) type Cells = [String; 5];

impl Columns {
    /// As many as there is room for.
    pub(super) fn of(width: u16) -> Self {
        let (date, runs, proven) = match width {
            0..36 => (0, 0, 0),
            36..56 => (12, 0, 0),
            56..76 => (16, 0, 1),
            _ => (19, 1, 1),
        };
        let line = |column: usize| if column > 0 { column + 1 } else { 0 };
        let others = SIZE + 1 + line(date) + line(runs) + line(proven);
        Self { name: usize::from(width).saturating_sub(others), date, runs, proven }
    }

    pub(super) fn heading(&self, order: Order) -> Cells {
        let word =
            |word: &str, by: By| if order.by == by { format!("{word} {}", order.arrow()) } else { word.to_owned() };
        let name = match order.by {
            By::Extension => word("Name .ext", By::Extension),
            By::Unsorted => word("Name, unsorted", By::Unsorted),
            _ => word("Name", By::Name),
        };
        [format!(" {name}"), word("Size", By::Size), word("Modified", By::Time), "x".to_owned(), "✓".to_owned()]
    }

    pub(super) fn row(&self, app: &App, pane: &Pane, row: usize) -> Cells {
        match pane.row(row) {
            Row::Up => [" ..".to_owned(), "UP".to_owned(), String::new(), String::new(), String::new()],
            Row::Entry(entry) => {
                let mark = if pane.marks.has(entry.id) { '√' } else { ' ' };
                let dates = match self.date {
                    0..16 => Dates::Short,
                    16 => Dates::Long,
                    _ => Dates::Exact,
                };
                let date = text::date(entry.mtime, pane.read_at, &app.zone, dates);
                let runs = if entry.executable && entry.kind == Kind::File { "x" } else { "" };
                let proven = if entry.proven { "✓" } else { "" };
                [
                    format!("{mark}{}", escape(entry.name)),
                    size_word(pane, entry),
                    date,
                    runs.to_owned(),
                    proven.to_owned(),
                ]
            }
            Row::Nothing => Default::default(),
        }
    }

    /// Draws the cells with lines between them, exactly as wide as the pane.
    pub(super) fn draw(&self, buffer: &mut Buffer, x: u16, y: u16, cells: &Cells, look: Look, lines: Look) {
        let [name, size, date, runs, proven] = cells;
        let mut parts = vec![(fit(name, self.name), look)];
        for (cell, width) in [(size, SIZE), (date, self.date), (runs, self.runs), (proven, self.proven)] {
            if width > 0 {
                parts.extend([("│".to_owned(), lines), (fit_right(cell, width), look)]);
            }
        }
        let mut at = x;
        for (words, look) in parts {
            (at, _) = buffer.set_stringn(at, y, &words, columns(&words), look.0);
        }
    }
}

fn size_word(pane: &Pane, entry: EntryRef<'_>) -> String {
    match (entry.kind, pane.sizes.of(entry.id)) {
        (Kind::Directory, Some(Sum { bytes, complete: true })) => size::show_short(bytes),
        (Kind::Directory, Some(Sum { bytes, complete: false })) => format!("≥{}", size::show_short(bytes)),
        (Kind::File, _) => size::show_short(entry.size),
        (Kind::Directory, None) => "DIR".to_owned(),
        (Kind::Link, _) => "LINK".to_owned(),
        (Kind::Other, _) => "OTHER".to_owned(),
    }
}

/// `1000K` is never shown: six columns and a blank.
const SIZE: usize = 7;
