//! Quick search: letters lead the cursor to a name. At once where that is near or the list short; beside the screen
//! where it is long; and where the names are still to come, when they come.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::Effect;
use super::reads::AT_ONCE;
use crate::action::Scope;
use crate::app::pane::finding::{Found, Seeking, longest};
use crate::app::rows::Rows;
use crate::app::{App, Side, Tone};

/// Opens a search in the active pane.
pub(super) fn open(app: &mut App) {
    let pane = app.here_mut();
    pane.end_search();
    (pane.search, pane.sifting) = (Some(String::new()), false);
}

/// Keys of an open search; anything else ends it and is taken as usual. Tells whether the key was used up.
pub(super) fn press(app: &mut App, key: KeyEvent, out: &mut Vec<Effect>) -> bool {
    let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    let side = app.active;
    match key.code {
        KeyCode::Char(c) if plain => extend(app, c, out),
        KeyCode::Backspace => {
            let pane = app.here_mut();
            let text = pane.search.as_mut().map(|text| {
                text.pop();
                text.clone()
            });
            if let Some(text) = text.filter(|_| pane.seeking.is_some()) {
                let from = pane.list_row();
                seek(app, side, from, text, out);
            }
        }
        KeyCode::Char('s') if key.modifiers == KeyModifiers::CONTROL => {
            let text = app.here().search.clone().unwrap_or_default();
            next_hit(app, text, out);
        }
        _ => {
            app.here_mut().end_search();
            return false;
        }
    }
    true
}

/// To the next name that begins with what was searched for last.
pub(super) fn again(app: &mut App, out: &mut Vec<Effect>) {
    let sought = app.chrome.sought.clone();
    if sought.is_empty() {
        return app.tell(Tone::Plain, "Nothing was searched for");
    }
    next_hit(app, sought, out);
}

/// A letter beside Alt that means nothing else opens the search with it.
pub(super) fn open_by_alt(app: &mut App, key: KeyEvent, out: &mut Vec<Effect>) {
    if let KeyCode::Char(c) = key.code
        && key.modifiers - KeyModifiers::SHIFT == KeyModifiers::ALT
        && c.is_alphanumeric()
        && app.focus == Scope::Panes
    {
        open(app);
        extend(app, c, out);
    }
}

/// Ends an open search; tells whether there was one.
pub(super) fn leave(app: &mut App) -> bool {
    let pane = app.here_mut();
    let was_open = pane.search.is_some();
    pane.end_search();
    was_open
}

/// Takes one more letter.
pub(super) fn extend(app: &mut App, c: char, out: &mut Vec<Effect>) {
    let (side, pane) = (app.active, app.here_mut());
    let Some(search) = &mut pane.search else { return };
    search.push(c);
    let (text, from) = (search.clone(), pane.list_row());
    seek(app, side, from, text, out);
}

/// Rows of a pane have come, or no more will: letters that waited for them are looked for.
pub(super) fn settle(app: &mut App, side: Side, out: &mut Vec<Effect>) {
    let pane = app.pane(side);
    if pane.seeking == Some(Seeking::Names)
        && let Some(text) = pane.search.clone()
    {
        seek(app, side, pane.list_row(), text, out);
    }
}

/// A search beside the screen has come to its end. Where the rows are others by now, it is done again.
pub(super) fn ended(app: &mut App, serial: u64, rows: &Rows, wanted: String, found: Found, out: &mut Vec<Effect>) {
    let is_it = |side: &Side| app.pane(*side).seeking == Some(Seeking::Beside(serial));
    let Some(side) = [Side::Left, Side::Right].into_iter().find(is_it) else { return };
    let pane = app.pane(side);
    if pane.rows.are(rows) {
        take_up(app, side, &wanted, found);
    } else {
        seek(app, side, pane.list_row(), wanted, out);
    }
}

fn next_hit(app: &mut App, text: String, out: &mut Vec<Effect>) {
    let pane = app.here();
    // From `..` the first row is the next.
    let from = pane.list_row() + usize::from(!pane.current_name().is_empty());
    seek(app, app.active, from, text, out);
}

fn seek(app: &mut App, side: Side, from: usize, text: String, out: &mut Vec<Effect>) {
    let pane = app.pane_mut(side);
    if let Some(Seeking::Beside(serial)) = pane.seeking.take() {
        out.push(Effect::StopRead(serial));
    }
    if text.is_empty() {
        pane.seeking = None;
    } else if pane.expects_names() {
        pane.seeking = Some(Seeking::Names);
    } else if let Some(row) = pane.near(from, &text) {
        take_up(app, side, &text, Found { text: text.clone(), row: Some(row) });
    } else if pane.rows.len() * text.len() <= AT_ONCE {
        let found = longest(&pane.rows, from, &text, || true);
        take_up(app, side, &text, found);
    } else {
        let rows = pane.rows.clone();
        let serial = app.next_serial();
        app.pane_mut(side).seeking = Some(Seeking::Beside(serial));
        out.push(Effect::Seek { serial, rows, from, text });
    }
}

/// Goes to what was found. Letters that no name has are not kept, so that the text always tells where the cursor is;
/// unless there are names to come.
fn take_up(app: &mut App, side: Side, wanted: &str, found: Found) {
    let pane = app.pane_mut(side);
    pane.seeking = None;
    let is_whole = found.text == wanted;
    if !is_whole && pane.loading.is_some() && pane.partial {
        pane.seeking = Some(Seeking::Names);
        return;
    }
    match &mut pane.search {
        Some(search) => *search = found.text.clone(),
        // An earlier search, which is gone on with: it is found whole, or not.
        None if !is_whole => return,
        None => {}
    }
    if let Some(row) = found.row {
        pane.move_to_list_row(row);
    }
    app.chrome.sought = found.text;
}
