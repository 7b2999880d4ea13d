//! The help while it is open: `/` looks for a word, `n` for the next.

use crossterm::event::{KeyCode, KeyEvent};

use crate::app::App;
use crate::app::dialog::{Help, Kind};
use crate::app::face::{Face, Line};
use crate::app::field::Field;

/// Keys of the help beside those of every dialog; tells whether it was one.
pub(super) fn press(app: &mut App, key: KeyEvent) -> bool {
    let Some(help) = front(app) else { return false };
    match (key.code, help.typing) {
        (KeyCode::Char('/'), false) => {
            help.find.get_or_insert_default().select();
            help.typing = true;
        }
        (KeyCode::Enter, true) => help.typing = false,
        (KeyCode::Esc, true) => *help = Help::default(),
        (KeyCode::Char('n'), false) if help.find.is_some() => seek(app, Seek::Next),
        (KeyCode::Char('N'), false) if help.find.is_some() => seek(app, Seek::Before),
        _ => return false,
    }
    true
}

/// The word changed.
pub(super) fn typed(app: &mut App) {
    seek(app, Seek::Here);
}

/// From where, and in which direction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seek {
    Here,
    Next,
    Before,
}

/// Scrolls to a line that holds the word, round and round.
fn seek(app: &mut App, from: Seek) {
    let Some(face) = app.dialogs.last().map(|dialog| Face::of(app, dialog)) else { return };
    let Some(word) = front(app).and_then(|help| help.find.as_ref().map(Field::text).map(str::to_lowercase)) else {
        return;
    };
    let lines = face.lines.get(face.pinned..).unwrap_or_default();
    let holds = |line: &Line| matches!(line, Line::Text(text, _) if text.to_lowercase().contains(&word));
    let hits: Vec<usize> = lines.iter().enumerate().filter(|(_, line)| holds(line)).map(|(index, _)| index).collect();
    let Some(help) = front(app) else { return };
    let at = help.hit.unwrap_or(face.window.0);
    let next = match from {
        Seek::Here => hits.iter().find(|hit| **hit >= at).or(hits.first()),
        Seek::Next => hits.iter().find(|hit| **hit > at).or(hits.first()),
        Seek::Before => hits.iter().rev().find(|hit| **hit < at).or(hits.last()),
    };
    help.hit = if word.is_empty() { None } else { next.copied() };
    if let (Some(hit), Some(dialog)) = (help.hit, app.dialogs.last_mut()) {
        // A line above it tells where it stands.
        dialog.scroll = hit.saturating_sub(1);
    }
}

fn front(app: &mut App) -> Option<&mut Help> {
    match app.dialogs.last_mut().map(|dialog| &mut dialog.kind) {
        Some(Kind::Help(help)) => Some(help),
        _ => None,
    }
}
