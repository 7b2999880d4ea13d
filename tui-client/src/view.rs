//! The screen as a picture of the state. Only reads: drawing twice gives the same picture.

mod bar;
mod board;
mod checklist;
mod dialog;
mod gauge;
mod history;
mod hits;
mod log;
mod menu;
mod pane;
mod plain;
mod queue;
mod space;
mod viewer;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::action::Scope;
use crate::app::dialog::Kind;
use crate::app::layout::{Layout, MIN_SIZE};
use crate::app::lists::Lists;
use crate::app::text;
use crate::app::{App, Side, Tone};
use crate::theme::{Look, Theme};

/// Draws the whole screen.
pub fn draw(app: &App, theme: &Theme, frame: &mut Frame) {
    let area = frame.area();
    // The terminal was resized since the state heard of it; the next picture will fit.
    if (area.width, area.height) != app.size {
        return;
    }
    let Some(layout) = Layout::of(app) else {
        return too_small(app, frame);
    };
    let buffer = frame.buffer_mut();
    match (&app.viewer, app.focus, &app.lists) {
        (Some(viewer), ..) => viewer::draw(app, viewer, theme, buffer),
        (_, Scope::Plan, Lists { checklist: Some(list), .. }) => checklist::draw(app, theme, list, area, buffer),
        (_, Scope::History, Lists { history: Some(list), .. }) => history::draw(app, theme, list, area, buffer),
        (_, Scope::Hits, Lists { hits: Some(hits), .. }) => hits::draw(app, theme, hits, area, buffer),
        _ => {
            for side in [Side::Left, Side::Right] {
                pane::draw(app, theme, side, layout.pane(side), buffer);
            }
            if app.board.is_full(app.focus) {
                board::draw(app, theme, layout.queue, buffer);
            } else {
                queue::draw(app, theme, layout.queue, buffer);
            }
        }
    }
    if app.viewer.is_none() {
        note(app, theme, layout.note, buffer);
    }
    bar::draw(app, theme, layout.bar, buffer);
    if let Some(pulled) = app.chrome.menu {
        menu::draw(app, theme, pulled, buffer);
    }
    for (index, dialog) in app.dialogs.iter().enumerate() {
        let front = index + 1 == app.dialogs.len();
        let cursor = dialog::draw(app, theme, dialog, front, frame.buffer_mut());
        if let Some(cursor) = cursor {
            frame.set_cursor_position(cursor);
        }
    }
    plain::reduce(app.chrome.lines, frame.buffer_mut());
}

fn note(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (look, lead) = match app.note.tone {
        Tone::Plain => (theme.note, " "),
        Tone::Good => (theme.good, " "),
        Tone::Bad => (theme.bad, "!"),
    };
    line(buffer, area, 0, &format!("{lead}{}", app.note.text), look);
}

fn too_small(app: &App, frame: &mut Frame) {
    let (width, height) = app.size;
    let mut sentence = format!("Catamaran needs {}x{}; this is {width}x{height}.", MIN_SIZE.0, MIN_SIZE.1);
    if matches!(app.dialogs.last().map(|dialog| &dialog.kind), Some(Kind::Quit)) {
        sentence = "Transfers run. Ctrl-C again quits.".to_owned();
    }
    let area = frame.area();
    let rows = text::wrap(&sentence, usize::from(width));
    for (row, words) in (area.top()..area.bottom()).zip(rows) {
        frame.buffer_mut().set_stringn(area.x, row, words, usize::from(width), Style::new());
    }
}

/// One row of an area, filled from edge to edge.
fn line(buffer: &mut Buffer, area: Rect, row: u16, words: &str, look: Look) {
    if row < area.height {
        let width = usize::from(area.width);
        buffer.set_stringn(area.x, area.y.saturating_add(row), text::fit(words, width), width, look.0);
    }
}

#[cfg(test)]
mod tests;
