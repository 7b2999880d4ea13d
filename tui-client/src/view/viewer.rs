//! The viewer: a head with the name, the rows of the file, a foot with the place in it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wire::size;

use crate::app::text::{clip, clip_left, columns, grouped};
use crate::app::viewer::{Goal, Hunt, Mode, Row, Viewer};
use crate::app::{App, Tone, layout};
use crate::theme::{Look, Theme};

/// Draws the viewer everywhere but on the key bar.
pub(super) fn draw(app: &App, viewer: &Viewer, theme: &Theme, buffer: &mut Buffer) {
    let body = layout::viewer_body(app.size);
    let head = Rect { y: 0, height: 1, ..body };
    super::line(buffer, head, 0, &head_words(app, viewer, usize::from(body.width)), theme.queue_cursor);
    for (y, row) in (0..body.height).zip(0_usize..) {
        super::line(buffer, body, y, "", theme.pane);
        if let Some(row) = viewer.rows.get(row) {
            draw_row(viewer, theme, row, Rect { y: body.y + y, height: 1, ..body }, buffer);
        }
    }
    let foot = Rect { y: body.bottom(), height: 1, ..body };
    let (words, look) = foot_words(viewer, theme, usize::from(body.width));
    super::line(buffer, foot, 0, &words, look);
}

fn draw_row(viewer: &Viewer, theme: &Theme, row: &Row, area: Rect, buffer: &mut Buffer) {
    let hit = viewer.hit.unwrap_or_default();
    for glyph in &row.glyphs {
        let Ok(column) = u16::try_from(glyph.column) else { return };
        let x = area.x.saturating_add(column);
        let room = usize::from(area.right().saturating_sub(x));
        let found = glyph.len > 0 && glyph.at < hit.1 && hit.0 < glyph.at + glyph.len;
        let look = match (found, glyph.plain) {
            (true, _) => theme.cursor,
            (false, true) => theme.pane,
            (false, false) => theme.foot,
        };
        buffer.set_stringn(x, area.y, &glyph.text, room, look.0);
    }
}

/// The path at the left, how it is shown at the right.
fn head_words(app: &App, viewer: &Viewer, width: usize) -> String {
    let mode = match (viewer.mode, viewer.wrap) {
        (Mode::Open, _) => "",
        (Mode::Hex, _) => "hex",
        (Mode::Text, true) => "text, wrapped",
        (Mode::Text, false) => "text",
    };
    let column =
        if viewer.column > 0 { format!(", column {}", grouped(viewer.column as u64 + 1)) } else { String::new() };
    let mode = if viewer.waits { "reading…".to_owned() } else { format!("{mode}{column}") };
    let path = viewer.place.short_text(app.home.as_deref());
    apart(&clip_left(&path, width.saturating_sub(columns(&mode) + 4)), &mode, width)
}

/// The place at the left, or what there is to say; how far down it is at the right.
fn foot_words(viewer: &Viewer, theme: &Theme, width: usize) -> (String, Look) {
    let size = viewer.pages.size();
    let percent = if viewer.pages.stamp().is_none() { String::new() } else { format!("{}%", viewer.percent()) };
    let place = match (viewer.pages.stamp(), size) {
        (None, _) => String::new(),
        (Some(_), 0) => "empty".to_owned(),
        (Some(_), _) => format!("{} of {}", grouped(viewer.top), size::show(size)),
    };
    let said = match (&viewer.hunt, &viewer.notice, viewer.complaint()) {
        (Some(hunt), ..) => Some((Tone::Plain, hunting(hunt, size))),
        (None, Some(notice), _) => Some(notice.clone()),
        (None, None, complaint) => complaint.map(|text| (Tone::Bad, text)),
    };
    let Some((tone, said)) = said else {
        let hex = if size > 0 && width >= WIDE { format!("  0x{:x}", viewer.top) } else { String::new() };
        return (apart(&format!("{place}{hex}"), &percent, width), theme.note);
    };
    let (lead, look) = if tone == Tone::Bad { ("!", theme.bad) } else { ("", theme.note) };
    let room = width.saturating_sub(columns(&percent) + 4);
    let both = format!("{place}  {lead}{said}");
    let left = if columns(&both) <= room { both } else { clip(&format!("{lead}{said}"), room) };
    (apart(&left, &percent, width), look)
}

fn hunting(hunt: &Hunt, size: u64) -> String {
    let what = match &hunt.goal {
        Goal::Line(line) => format!("counting to line {}", grouped(*line)),
        Goal::Next(..) | Goal::Previous(..) => "searching".to_owned(),
    };
    let thousandths = (u128::from(hunt.done) * 1000).checked_div(u128::from(size)).unwrap_or(0).min(1000);
    format!("{what}… {}.{}%, Esc ends it", thousandths / 10, thousandths % 10)
}

/// Two texts at the ends of a line.
fn apart(left: &str, right: &str, width: usize) -> String {
    let gap = width.saturating_sub(columns(left) + columns(right) + 2);
    format!(" {left}{}{right} ", " ".repeat(gap))
}

/// Columns from which there is room for a place in both ways of writing it.
const WIDE: usize = 60;
