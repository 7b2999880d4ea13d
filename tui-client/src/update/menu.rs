//! The pull-down menus while one is open: it has the keys and the mouse.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Position;

use super::{Effect, actions};
use crate::action::{Action, Spec};
use crate::app::menu::{BAR, Pulled, Sheet};
use crate::app::usable::obstacle;
use crate::app::{App, Tone};

/// Opens the menus, or closes them.
pub(super) fn toggle(app: &mut App) {
    app.chrome.menu = if app.chrome.menu.is_some() { None } else { Some(Pulled::default()) };
}

pub(super) fn press(app: &mut App, key: KeyEvent, out: &mut Vec<Effect>) {
    let Some(pulled) = app.chrome.menu else { return };
    let sheet = Sheet::of(app, pulled);
    let last = sheet.lines.len().saturating_sub(1);
    let row = match key.code {
        _ if app.keymap.action(app.focus, key.into()) == Some(Action::Menu) => return toggle(app),
        KeyCode::Esc => return toggle(app),
        KeyCode::Left | KeyCode::BackTab => return turn(app, pulled, BAR.len() - 1),
        KeyCode::Right | KeyCode::Tab => return turn(app, pulled, 1),
        KeyCode::Enter => return choose(app, &sheet, pulled.row, out),
        KeyCode::Up => pulled.row.checked_sub(1).unwrap_or(last),
        KeyCode::Down => (pulled.row + 1).checked_rem(last + 1).unwrap_or_default(),
        KeyCode::Home | KeyCode::PageUp => 0,
        KeyCode::End | KeyCode::PageDown => last,
        KeyCode::Char(c) => {
            let letter = Some(c.to_ascii_lowercase());
            let Some(row) = sheet.lines.iter().position(|line| line.letter == letter) else { return };
            return choose(app, &sheet, row, out);
        }
        _ => return,
    };
    app.chrome.menu = Some(Pulled { row, ..pulled });
}

/// A click: on a word of the bar, on a line, or beside the menu, which closes it.
pub(super) fn click(app: &mut App, spot: Position, out: &mut Vec<Effect>) {
    let Some(pulled) = app.chrome.menu else { return };
    let sheet = Sheet::of(app, pulled);
    match (sheet.title_at(spot), sheet.line_at(spot)) {
        (Some(menu), _) => app.chrome.menu = Some(Pulled { menu, row: 0 }),
        (None, Some(row)) => choose(app, &sheet, row, out),
        (None, None) => app.chrome.menu = None,
    }
}

/// Runs what a menu or the palette names, or tells why not.
pub(super) fn run(app: &mut App, action: Action, out: &mut Vec<Effect>) {
    let Some(spec) = Spec::of(action) else { return };
    match obstacle(app, spec) {
        Some(reason) => app.tell(Tone::Plain, format!("{}: {reason}", spec.title())),
        None => actions::run(app, action, out),
    }
}

fn turn(app: &mut App, pulled: Pulled, by: usize) {
    app.chrome.menu = Some(Pulled { menu: (pulled.menu + by) % BAR.len(), row: 0 });
}

fn choose(app: &mut App, sheet: &Sheet, row: usize, out: &mut Vec<Effect>) {
    let Some(line) = sheet.lines.get(row) else { return };
    app.chrome.menu = None;
    run(app, line.spec.action, out);
}
