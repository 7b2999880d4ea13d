//! The key bar: the words of F1 to F10, from the action table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::App;
use crate::app::layout::bar_slots;
use crate::app::text::fit;
use crate::theme::Theme;

pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    for (number, (x, width)) in (1_u8..).zip(bar_slots(area.width)) {
        let digits = number.to_string();
        let label: String = app.keymap.label(app.focus, number, app.chrome.held).to_owned();
        let room = usize::from(width).saturating_sub(digits.len());
        let label: String = label.chars().take(room).collect();
        let left = area.x.saturating_add(x);
        let (next, _) = buffer.set_stringn(left, area.y, &digits, usize::from(width), theme.bar_number.0);
        // One blank between two words, where there is room for it.
        let filled = if room > 5 { room - 1 } else { room };
        let (end, _) = buffer.set_stringn(next, area.y, fit(&label, filled), room, theme.bar_label.0);
        buffer.set_stringn(end, area.y, " ", room - filled, theme.bar_number.0);
    }
}
