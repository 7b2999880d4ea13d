//! What was found by name, over the whole screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wire::message::Kind;
use wire::path::escape;
use wire::size;

use crate::app::App;
use crate::app::hits::Hits;
use crate::app::layout::checklist_rows;
use crate::app::text::{Dates, clip, clip_left, columns, date, fit, fit_right, grouped};
use crate::entries::EntryRef;
use crate::theme::Theme;

pub(super) fn draw(app: &App, theme: &Theme, hits: &Hits, area: Rect, buffer: &mut Buffer) {
    let (rows, width) = (checklist_rows(app.size), usize::from(area.width));
    super::line(buffer, area, 0, &title(app, hits, width), theme.active_frame);
    let path = width.saturating_sub(FIGURES + 1);
    let heading = format!(" {}{}{}", fit("Path", path), fit_right("Size", SIZE), fit_right("Modified", DATE));
    super::line(buffer, area, 1, &heading, theme.heading);
    for offset in 0..rows.height {
        let index = hits.top + usize::from(offset);
        let Some(entry) = hits.get(index) else {
            super::line(buffer, rows, offset, "", theme.pane);
            continue;
        };
        let is_marked = hits.marks.has(entry.id);
        let look = match (index == hits.cursor, is_marked, entry.kind) {
            (true, true, _) => theme.marked_cursor,
            (true, false, _) => theme.cursor,
            (false, true, _) => theme.marked,
            (.., Kind::Directory) => theme.directory,
            _ => theme.pane,
        };
        super::line(buffer, rows, offset, &row(app, entry, is_marked, path), look);
    }
    let foot = Rect { y: rows.bottom(), height: 2, ..area };
    let whole = hits.current().and_then(|entry| hits.place_of(entry.name));
    let whole = whole.map(|place| place.short_text(app.home.as_deref())).unwrap_or_default();
    super::line(buffer, foot, 0, &format!(" {}", clip_left(&whole, width.saturating_sub(1))), theme.foot);
    super::line(buffer, foot, 1, &format!(" {}", sums(hits)), theme.queue_heading);
}

/// `─ *.tif below ~/photos ────`
fn title(app: &App, hits: &Hits, width: usize) -> String {
    let pattern = clip(&escape(hits.pattern.as_bytes()), width / 2);
    let lead = format!("─ {pattern} below ");
    let place = clip_left(&hits.place.short_text(app.home.as_deref()), width.saturating_sub(columns(&lead) + 2));
    let line = format!("{lead}{place} ");
    let rest = width.saturating_sub(columns(&line));
    line + &"─".repeat(rest)
}

fn row(app: &App, entry: EntryRef<'_>, is_marked: bool, width: usize) -> String {
    let mark = if is_marked { "√" } else { " " };
    let path = escape(entry.name);
    let (path, bytes) = match entry.kind {
        Kind::File => (path, size::show_short(entry.size)),
        Kind::Directory => (path + "/", "DIR".to_owned()),
        Kind::Link => (path, "LINK".to_owned()),
        Kind::Other => (path, "OTHER".to_owned()),
    };
    let when = date(entry.mtime, app.here().read_at, &app.zone, Dates::Short);
    let path = fit(&clip_left(&path, width), width);
    format!("{mark}{path}{}{}", fit_right(&bytes, SIZE), fit_right(&when, DATE))
}

fn sums(hits: &Hits) -> String {
    let found = match (hits.len(), hits.searching) {
        (0, true) => "Searching…".to_owned(),
        (0, false) => "Nothing of that name".to_owned(),
        (number, true) => format!("{} found, searching…", grouped(number as u64)),
        (number, false) => format!("{} found", grouped(number as u64)),
    };
    let remark = if hits.remark.is_empty() { String::new() } else { format!(", {}", hits.remark) };
    let marked = match hits.marks.len() {
        0 => String::new(),
        number => format!("  {} marked {}", grouped(number as u64), size::show(hits.marks.bytes())),
    };
    found + &remark + &marked
}

const SIZE: usize = 7;
const DATE: usize = 13;
const FIGURES: usize = SIZE + DATE;
