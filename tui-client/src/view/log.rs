//! The log below the queue, the newest line at the bottom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::text::{columns, grouped};
use crate::app::{App, Tone};
use crate::theme::Theme;

pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let told = app.log.told();
    let mut words = if told == 0 { "─ Log ".to_owned() } else { format!("─ Log ({}) ", grouped(told)) };
    if app.log.newer() > 0 {
        words += &format!("─ {} newer below ", grouped(app.log.newer() as u64));
    }
    let rule = "─".repeat(usize::from(area.width).saturating_sub(columns(&words)));
    super::line(buffer, area, 0, &(words + &rule), theme.heading);
    let first = if told == 0 { " Nothing was told yet" } else { "" };
    (1..area.height).for_each(|row| super::line(buffer, area, row, if row == 1 { first } else { "" }, theme.queue));
    for (row, line) in (1..area.height).zip(app.log.shown(usize::from(area.height.saturating_sub(1)))) {
        let look = match line.note.tone {
            Tone::Plain => theme.queue,
            Tone::Good => theme.good,
            Tone::Bad => theme.bad,
        };
        super::line(buffer, area, row, &line.words(&app.zone), look);
    }
}
