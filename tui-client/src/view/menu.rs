//! The menu bar and the menu that is pulled down.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::widgets::{Clear, Widget};

use super::dialog::draw_box;
use crate::app::App;
use crate::app::menu::{MenuLine, Pulled, Sheet};
use crate::app::text::{clip, columns, fit};
use crate::theme::Theme;

pub(super) fn draw(app: &App, theme: &Theme, pulled: Pulled, buffer: &mut Buffer) {
    let sheet = Sheet::of(app, pulled);
    let bar = Rect::new(0, 0, app.size.0, 1);
    Clear.render(bar, buffer);
    super::line(buffer, bar, 0, "", theme.dialog);
    // The open one last: its brackets stand where the blanks of its neighbours are.
    let open = |(index, _): &(usize, _)| *index == pulled.menu;
    let mut titles: Vec<_> = sheet.titles.iter().enumerate().collect();
    titles.sort_by_key(open);
    for (index, (area, title)) in titles {
        let look = if index == pulled.menu { theme.button_focus } else { theme.dialog };
        // Brackets tell the open one where there is no colour.
        let words = if index == pulled.menu { format!("[{title}]") } else { format!(" {title} ") };
        buffer.set_stringn(area.x, area.y, words, usize::from(area.width), look.0);
    }
    let (first, seen) = sheet.window;
    draw_box(sheet.frame, theme.dialog, (first > 0, first + seen < sheet.lines.len()), buffer);
    for (row, (index, line)) in (0_u16..).zip(sheet.lines.iter().enumerate().skip(first).take(seen)) {
        let area = Rect {
            x: sheet.frame.x + 1,
            y: sheet.frame.y + 1 + row,
            width: sheet.frame.width.saturating_sub(2),
            height: 1,
        };
        draw_line(theme, line, index == pulled.row, area, buffer);
    }
}

fn draw_line(theme: &Theme, line: &MenuLine, selected: bool, area: Rect, buffer: &mut Buffer) {
    let mut look = if selected { theme.button_focus } else { theme.dialog };
    if !line.usable && !selected {
        look.0 = look.0.add_modifier(Modifier::DIM);
    }
    let lead = if selected { '►' } else { ' ' };
    let room = usize::from(area.width).saturating_sub(columns(&line.right) + 2);
    let words = format!("{lead}{}{} ", fit(&clip(&line.title, room.saturating_sub(1)), room), line.right);
    super::line(buffer, area, 0, &words, look);
    let at = line.letter.and_then(|letter| line.title.to_ascii_lowercase().find(letter));
    if let Some(offset) = at.filter(|_| line.usable).and_then(|at| u16::try_from(at + 1).ok()) {
        let cell = Rect { x: area.x.saturating_add(offset), width: 1, ..area };
        buffer.set_style(cell.intersection(area), look.0.add_modifier(Modifier::UNDERLINED | Modifier::BOLD));
    }
}
