//! One dialog, from its face.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Clear, Widget};

use crate::app::dialog::Dialog;
use crate::app::face::{Control, Face, Line};
use crate::app::text::{clip, columns, fit};
use crate::app::{App, Tone};
use crate::theme::{Look, Theme};

/// Draws a dialog; where the terminal's cursor belongs is returned.
pub(super) fn draw(app: &App, theme: &Theme, dialog: &Dialog, front: bool, buffer: &mut Buffer) -> Option<Position> {
    let face = Face::of(app, dialog);
    let ground = if face.tone == Tone::Bad { theme.dialog_bad } else { theme.dialog };
    let shadow = Rect { x: face.frame.x.saturating_add(2), y: face.frame.y.saturating_add(1), ..face.frame };
    buffer.set_style(shadow.intersection(buffer.area), theme.shadow.0);
    draw_frame(&face, ground, buffer);
    let mut cursor = None;
    for (row, (index, line)) in (0_u16..).zip(face.seen()) {
        let control = face.controls.iter().position(|control| control.line == Some(index));
        let typed = dialog.is_typed_into() && matches!(line, Line::Field(..));
        let focused = front && (typed || control == Some(dialog.focus));
        let area = Rect {
            x: face.frame.x + 2,
            y: face.frame.y + 1 + row,
            width: face.frame.width.saturating_sub(4),
            height: 1,
        };
        let column = draw_line(theme, line, ground, face.tone, focused, area, buffer);
        cursor = cursor.or(column);
    }
    for (index, button) in face.controls.iter().enumerate().filter(|(_, control)| control.line.is_none()) {
        draw_button(theme, button, ground, front && index == dialog.focus, buffer);
    }
    cursor
}

fn draw_frame(face: &Face, ground: Look, buffer: &mut Buffer) {
    let (first, seen) = face.window;
    draw_box(face.frame, ground, (first > 0, first + seen < face.lines.len()), buffer);
    if !face.title.is_empty() {
        let room = usize::from(face.frame.width.saturating_sub(8));
        // What follows a comma is said where there is room.
        let title = match face.title.split_once(", ") {
            Some((first, _)) if columns(&face.title) > room => first,
            _ => &face.title,
        };
        let title = format!(" {} ", clip(title, room));
        buffer.set_stringn(face.frame.x.saturating_add(2), face.frame.y, title, room + 2, ground.0);
    }
    if !face.hint.is_empty() {
        let room = usize::from(face.frame.width.saturating_sub(8));
        let hint = format!(" {} ", clip(&face.hint, room));
        let row = face.frame.bottom().saturating_sub(1);
        buffer.set_stringn(face.frame.x.saturating_add(2), row, hint, room + 2, ground.0);
    }
}

/// An empty box, on nothing of what was there; marks on its right tell that there is more above and below.
pub(super) fn draw_box(frame: Rect, ground: Look, (above, below): (bool, bool), buffer: &mut Buffer) {
    let inner = usize::from(frame.width.saturating_sub(2));
    (0..frame.height).for_each(|row| uncover(buffer, frame.x, frame.y.saturating_add(row)));
    // A style is laid over the one before: what was bold or dim there would stay so.
    Clear.render(frame, buffer);
    for row in 0..frame.height {
        let words = match row {
            0 => format!("┌{}┐", "─".repeat(inner)),
            row if row + 1 == frame.height => format!("└{}┘", "─".repeat(inner)),
            _ => format!("│{}│", " ".repeat(inner)),
        };
        super::line(buffer, frame, row, &words, ground);
    }
    let marks = [(above, "▲", frame.y), (below, "▼", frame.bottom().saturating_sub(1))];
    for (_, mark, y) in marks.into_iter().filter(|(more, ..)| *more) {
        buffer.set_stringn(frame.right().saturating_sub(3), y, mark, 1, ground.0);
    }
}

/// Half a wide character would hide the border that is drawn over its other half.
fn uncover(buffer: &mut Buffer, x: u16, y: u16) {
    let before = x.checked_sub(1).and_then(|x| buffer.cell_mut((x, y)));
    if let Some(cell) = before.filter(|cell| columns(cell.symbol()) > 1) {
        cell.set_symbol(" ");
    }
}

/// Draws one line; of a field with the keys, where its cursor is.
fn draw_line(
    theme: &Theme,
    line: &Line,
    ground: Look,
    tone: Tone,
    focused: bool,
    area: Rect,
    buffer: &mut Buffer,
) -> Option<Position> {
    match line {
        Line::Text(words, told) => {
            let look = match (tone, told) {
                (_, Tone::Plain) => ground,
                (Tone::Bad, _) | (_, Tone::Bad) => theme.dialog_alarm,
                (_, Tone::Good) => theme.dialog_strong,
            };
            buffer.set_stringn(area.x, area.y, words, usize::from(area.width), look.0);
        }
        Line::Field(words, column, fresh) => {
            super::line(buffer, area, 0, words, theme.field);
            if *fresh && focused {
                buffer.set_stringn(area.x, area.y, words, usize::from(area.width), theme.field_fresh.0);
            }
            let x =
                area.x.saturating_add(u16::try_from(*column).unwrap_or(u16::MAX)).min(area.right().saturating_sub(1));
            return focused.then_some(Position::new(x, area.y));
        }
        Line::Choice(words) => {
            let words = if focused { fit(words, usize::from(area.width)) } else { words.clone() };
            let look = if focused { theme.button_focus } else { ground };
            // Some have a sign of their own.
            if focused && !words.starts_with('►') {
                buffer.set_stringn(area.x.saturating_sub(1), area.y, "►", 1, look.0);
            }
            buffer.set_stringn(area.x, area.y, words, usize::from(area.width), look.0);
        }
    }
    None
}

fn draw_button(theme: &Theme, button: &Control, ground: Look, focused: bool, buffer: &mut Buffer) {
    let Some(area) = button.area else { return };
    // Brackets tell the one with the keys where there is no colour.
    let words = if focused {
        format!("►{:^1$}◄", button.label, button.label.chars().count() + 2)
    } else {
        format!("[ {} ]", button.label)
    };
    let look = if focused {
        theme.button_focus
    } else if ground == theme.dialog {
        theme.button
    } else {
        ground
    };
    super::line(buffer, area, 0, &words, look);
}
