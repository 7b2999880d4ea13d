//! Keys and pasted text, sent to whatever has the keys: the front dialog, a search, a pane or the queue.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{Effect, actions, dialogs};
use crate::action::{Action, Look, Scope};
use crate::app::App;
use crate::app::layout::Layout;
use crate::keymap::{Chord, function_key};

pub(super) fn press(app: &mut App, key: KeyEvent, out: &mut Vec<Effect>) {
    if key.kind == KeyEventKind::Release {
        return;
    }
    let Some(key) = through_escape(app, key, out) else { return };
    // What quits in the panes quits anywhere, unless it means something else there.
    let quits = || app.keymap.action(Scope::Panes, key.into()).filter(|action| *action == Action::Quit);
    let action = app.keymap.action(app.focus, key.into()).or_else(quits);
    match action {
        Some(action @ (Action::Quit | Action::Suspend | Action::Look(Look::Quit))) => actions::run(app, action, out),
        // Nothing is shown that keys could act on.
        _ if Layout::of(app).is_none() => {}
        _ if !app.dialogs.is_empty() => dialogs::press(app, key, out),
        _ if app.here().search.is_some() && search(app, key) => {}
        Some(action) => actions::run(app, action, out),
        None => {}
    }
}

/// Text from the clipboard goes into a field or a search and is never run as keys.
pub(super) fn paste(app: &mut App, text: &str) {
    match app.dialogs.last_mut() {
        Some(dialog) => {
            if let Some(field) = dialog.field_mut() {
                field.paste(text);
            }
        }
        None => {
            for c in text.chars().filter(|c| !c.is_control()) {
                if app.here().search.is_some() {
                    extend_search(app, c);
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
    if escape && app.dialogs.is_empty() {
        let serial = app.next_serial();
        app.escape = Some(serial);
        out.push(Effect::WaitEscape(serial));
        return None;
    }
    Some(key)
}

/// A lone Esc: a dialog may have opened by itself since it was pressed, and was not meant.
fn leave(app: &mut App, out: &mut Vec<Effect>) {
    if app.dialogs.is_empty() {
        actions::run(app, Action::Escape, out);
    }
}

/// Keys of an open search; anything else ends it and is taken as usual.
fn search(app: &mut App, key: KeyEvent) -> bool {
    let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Char(c) if plain => extend_search(app, c),
        KeyCode::Backspace => {
            if let Some(text) = &mut app.here_mut().search {
                text.pop();
            }
        }
        KeyCode::Char('s') if key.modifiers == KeyModifiers::CONTROL => next_hit(app),
        _ => {
            app.here_mut().search = None;
            return false;
        }
    }
    true
}

fn extend_search(app: &mut App, c: char) {
    let pane = app.here_mut();
    let Some(mut text) = pane.search.take() else { return };
    text.push(c);
    // A letter that no name has is not taken, so that the text always tells where the cursor is.
    if !pane.find(&text) {
        text.pop();
    }
    pane.search = Some(text);
}

fn next_hit(app: &mut App) {
    let pane = app.here_mut();
    let Some(text) = pane.search.clone() else { return };
    let row = pane.cursor;
    pane.step(1);
    if !pane.find(&text) {
        pane.move_to(row);
    }
}

/// A click on a word of the key bar.
pub(super) fn function(app: &mut App, number: u8, out: &mut Vec<Effect>) {
    if let Some(action) = app.keymap.action(app.focus, KeyEvent::from(KeyCode::F(number)).into()) {
        actions::run(app, action, out);
    }
}
