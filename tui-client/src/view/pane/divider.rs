//! The line above the foot of a pane: which of its names are shown.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wire::path::escape;

use crate::app::pane::Pane;
use crate::app::text::{clip_left, columns, grouped};
use crate::theme::Look;

/// The filter at the left, the number of hidden names at the right where there is room for both.
pub(super) fn draw(pane: &Pane, look: Look, area: Rect, buffer: &mut Buffer) {
    let room = usize::from(area.width).saturating_sub(4);
    let (filter, hidden) = (filter(pane, room), hidden(pane));
    buffer.set_stringn(area.x.saturating_add(2), area.y, &filter, room, look.0);
    let width = columns(&hidden);
    if columns(&filter) + width <= room {
        let x = area.right().saturating_sub(u16::try_from(width + 2).unwrap_or(u16::MAX));
        buffer.set_stringn(x, area.y, hidden, width, look.0);
    }
}

/// `/abc_  12 of 340`; the line behind the text says that keys go there.
fn filter(pane: &Pane, room: usize) -> String {
    let text = &pane.sieve.text;
    if text.is_empty() && !pane.sifting {
        return String::new();
    }
    let count = if pane.rows.sieve() == &pane.sieve {
        let of = pane.rows.entries().len().saturating_sub(pane.rows.hidden());
        format!("{} of {}", grouped(pane.rows.len() as u64), grouped(of as u64))
    } else {
        "looking…".to_owned()
    };
    let cursor = if pane.sifting { "_" } else { "" };
    let typed = clip_left(&format!("/{}{cursor}", escape(text.as_bytes())), room.saturating_sub(columns(&count) + 4));
    format!(" {typed}  {count} ")
}

fn hidden(pane: &Pane) -> String {
    match pane.rows.hidden() {
        0 => String::new(),
        some => format!(" {} hidden ", grouped(some as u64)),
    }
}
