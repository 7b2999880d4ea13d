//! Keys and pasted text, sent to whatever has the keys: the front dialog, a search, a pane or the queue.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers, ModifierKeyCode};

use super::{Effect, actions, board, dialogs, history, menu, searching, sifting};
use crate::action::{Action, Look, Scope};
use crate::app::App;
use crate::app::layout::Layout;
use crate::keymap::{Chord, Met, function_key};

pub(super) fn press(app: &mut App, key: KeyEvent, out: &mut Vec<Effect>) {
    hold(app, key);
    if key.kind == KeyEventKind::Release {
        return;
    }
    if matches!(key.code, KeyCode::Modifier(_)) {
        return;
    }
    let Some(key) = through_escape(app, key, out) else { return };
    let first = app.chrome.begun.take();
    let sifting = app.here().sifting && app.focus == Scope::Panes;
    let types = app.board.typing || history::is_typing(app) || sifting || app.here().search.is_some();
    let modal = !app.dialogs.is_empty() || app.chrome.menu.is_some() || types;
    // What quits in the panes quits anywhere, unless it means something else there.
    let quits = || app.keymap.action(Scope::Panes, key.into()).filter(|action| *action == Action::Quit);
    let action = match app.keymap.meet(app.focus, first.filter(|_| !modal), key.into()) {
        Met::Action(action) => Some(action),
        Met::Begins if !modal => return app.chrome.begun = Some(key.into()),
        Met::Begins | Met::Nothing => quits(),
    };
    match action {
        Some(action @ (Action::Quit | Action::Suspend | Action::Look(Look::Quit))) if !(types && is_text(key)) => {
            actions::run(app, action, out);
        }
        // Nothing is shown that keys could act on.
        _ if Layout::of(app).is_none() => {}
        _ if !app.dialogs.is_empty() => dialogs::press(app, key, out),
        _ if app.chrome.menu.is_some() => menu::press(app, key, out),
        _ if app.board.typing && board::type_key(app, key) => {}
        _ if history::is_typing(app) && history::type_key(app, key) => {}
        _ if app.here().search.is_some() && searching::press(app, key, out) => {}
        _ if sifting && sifting::press(app, key, out) => {}
        Some(action) => actions::run(app, action, out),
        None => searching::open_by_alt(app, key, out),
    }
}

/// Whether a key is a character where something is typed.
fn is_text(key: KeyEvent) -> bool {
    matches!(key.code, KeyCode::Char(_)) && !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
}

/// Keeps what is held down, as far as the terminal tells: by the modifiers' own keys, and by what any other key
/// says no longer is.
fn hold(app: &mut App, key: KeyEvent) {
    let own = match key.code {
        KeyCode::Modifier(ModifierKeyCode::LeftShift | ModifierKeyCode::RightShift) => KeyModifiers::SHIFT,
        KeyCode::Modifier(ModifierKeyCode::LeftControl | ModifierKeyCode::RightControl) => KeyModifiers::CONTROL,
        KeyCode::Modifier(ModifierKeyCode::LeftAlt | ModifierKeyCode::RightAlt) => KeyModifiers::ALT,
        KeyCode::Modifier(_) => return,
        _ => return app.chrome.held &= key.modifiers,
    };
    app.chrome.held.set(own, key.kind != KeyEventKind::Release);
}

/// Text from the clipboard goes into a field or a search and is never run as keys.
pub(super) fn paste(app: &mut App, text: &str, out: &mut Vec<Effect>) {
    let sifting = app.here().sifting && app.focus == Scope::Panes;
    match app.dialogs.last_mut() {
        Some(dialog) => {
            if let Some(field) = dialog.field_mut() {
                field.paste(text);
                dialogs::typed(app);
            }
        }
        None if app.chrome.menu.is_some() => {}
        None if sifting => sifting::paste(app, text, out),
        None => {
            for c in text.chars().filter(|c| !c.is_control()) {
                if history::is_typing(app) {
                    history::type_char(app, c);
                } else if app.board.typing {
                    board::type_char(app, c);
                } else if app.here().search.is_some() {
                    searching::extend(app, c, out);
                }
            }
        }
    }
}

pub(super) fn escape_waited(app: &mut App, serial: u64, out: &mut Vec<Effect>) {
    if app.escape == Some(serial) {
        app.escape = None;
        actions::run(app, Action::Escape, out);
    }
}

/// A digit after Esc, or beside Alt, is a function key. In front of the panes a lone Esc waits a
/// little for one; a dialog leaves at once.
fn through_escape(app: &mut App, key: KeyEvent, out: &mut Vec<Effect>) -> Option<KeyEvent> {
    let digit = match key.code {
        KeyCode::Char(c) => function_key(c),
        _ => None,
    };
    if key.modifiers == KeyModifiers::ALT && digit.is_some() {
        return digit;
    }
    let escape = app.keymap.action(app.focus, Chord::from(key)) == Some(Action::Escape) && key.code == KeyCode::Esc;
    match (app.escape.take(), digit) {
        (Some(_), Some(function)) if key.modifiers.is_empty() => return Some(function),
        (Some(_), _) => {
            leave(app, out);
            if escape {
                return None;
            }
        }
        (None, _) => {}
    }
    if escape && app.dialogs.is_empty() && app.chrome.menu.is_none() {
        let serial = app.next_serial();
        app.escape = Some(serial);
        out.push(Effect::WaitEscape(serial));
        return None;
    }
    Some(key)
}

/// A lone Esc: a dialog may have opened by itself since it was pressed, and was not meant.
fn leave(app: &mut App, out: &mut Vec<Effect>) {
    if app.dialogs.is_empty() && app.chrome.menu.is_none() {
        actions::run(app, Action::Escape, out);
    }
}

/// A click on a word of the key bar.
pub(super) fn function(app: &mut App, number: u8, out: &mut Vec<Effect>) {
    if let Some(action) = app.keymap.action(app.focus, Chord::function(number, app.chrome.held)) {
        actions::run(app, action, out);
    }
}
