//! Which names a pane shows: the filter while it is typed, and the hidden ones.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Effect, reads};
use crate::action::Action;
use crate::app::{App, Tone};

/// Gives the filter of the active pane the keys.
pub(super) fn open(app: &mut App) {
    let pane = app.here_mut();
    pane.end_search();
    pane.sifting = true;
    if pane.expects_names() {
        pane.sieve.text.clear();
    }
}

/// Keys of a filter under edit: text is taken, the cursor moves beside it, anything else ends the edit. Tells
/// whether the key was used up.
pub(super) fn press(app: &mut App, key: KeyEvent, out: &mut Vec<Effect>) -> bool {
    let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Char(c) if plain => edit(app, out, |text| text.push(c)),
        KeyCode::Backspace if app.here().sieve.text.is_empty() => app.here_mut().sifting = false,
        KeyCode::Backspace => edit(app, out, |text| {
            text.pop();
        }),
        KeyCode::Enter => app.here_mut().sifting = false,
        _ => {
            let action = app.keymap.action(app.focus, key.into());
            app.here_mut().sifting = action.is_some_and(stays_open);
            return false;
        }
    }
    true
}

/// Pasted text.
pub(super) fn paste(app: &mut App, text: &str, out: &mut Vec<Effect>) {
    edit(app, out, |typed| typed.extend(text.chars().filter(|c| !c.is_control())));
}

/// Shows all names again; tells whether there was a filter.
pub(super) fn leave(app: &mut App, out: &mut Vec<Effect>) -> bool {
    let pane = app.here_mut();
    let was_open = std::mem::take(&mut pane.sifting) || !pane.sieve.text.is_empty();
    pane.sieve.text.clear();
    reads::sift(app, app.active, out);
    was_open
}

/// Shows or hides names with a dot in front.
pub(super) fn toggle_dots(app: &mut App, out: &mut Vec<Effect>) {
    let pane = app.here_mut();
    pane.sieve.hides_dots = !pane.sieve.hides_dots;
    let word = if pane.sieve.hides_dots { "not shown" } else { "shown" };
    app.tell(Tone::Plain, format!("Names with a dot in front are {word} here"));
    reads::sift(app, app.active, out);
}

fn edit(app: &mut App, out: &mut Vec<Effect>, change: impl FnOnce(&mut String)) {
    change(&mut app.here_mut().sieve.text);
    reads::sift(app, app.active, out);
}

/// Moves and marks, which a person wants while the list grows shorter.
fn stays_open(action: Action) -> bool {
    matches!(
        action,
        Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::First
            | Action::Last
            | Action::Mark
            | Action::MarkUp
            | Action::MarkDown
            | Action::MarkPageUp
            | Action::MarkPageDown
            | Action::Escape
    )
}
