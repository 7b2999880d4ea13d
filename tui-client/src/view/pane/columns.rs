//! The columns of a pane: which there is room for, and what stands in them.

use ratatui::buffer::Buffer;
use wire::message::Kind;
use wire::path::escape;
use wire::size;

use crate::app::App;
use crate::app::layout::columns::Columns;
use crate::app::order::{By, Order};
use crate::app::pane::{Pane, Row};
use crate::app::sizes::Sum;
use crate::app::text::{self, Dates, columns, fit, fit_right};
use crate::entries::EntryRef;
use crate::theme::Look;

/// Name, size, date, whether it can be run, and whether its content is proven.
pub(super) type Cells = [String; 5];

impl Columns {
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
                let is_program = entry.executable && entry.kind == Kind::File;
                let mark = match (pane.marks.has(entry.id), self.runs) {
                    (true, _) => '√',
                    // Where there is no column for it.
                    (false, 0) if is_program => '*',
                    _ => ' ',
                };
                let dates = match self.date {
                    0..16 => Dates::Short,
                    16 => Dates::Long,
                    _ => Dates::Exact,
                };
                let date = text::date(entry.mtime, pane.read_at, &app.zone, dates);
                let runs = if is_program { "x" } else { "" };
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
        for (cell, width) in [(size, self.size), (date, self.date), (runs, self.runs), (proven, self.proven)] {
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
