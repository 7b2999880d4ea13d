//! Going to places that are not next door: back and forth, lists of places, the hotlist.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Effect, push, reads, server};
use crate::app::atlas::{HotChange, Jump, Landmark, List, To};
use crate::app::dialog::{Kind, Prompt};
use crate::app::place::Place;
use crate::app::queue::is_busy;
use crate::app::trail::Step;
use crate::app::{App, Side, Tone};

/// One step back or ahead in the active pane.
pub(super) fn step(app: &mut App, step: Step, out: &mut Vec<Effect>) {
    along(app, app.active, step, out);
}

/// Opens a list for a pane.
pub(super) fn open(app: &mut App, list: List, side: Side, out: &mut Vec<Effect>) {
    if list == List::Places {
        out.push(Effect::FindStarts);
    }
    let jump = Jump::new(app, list, side);
    if jump.rows.is_empty() && list == List::Trail {
        return app.tell(Tone::Plain, "This pane has been nowhere else yet");
    }
    push(app, Kind::Jump(jump));
}

/// Keys of a list beside those of every dialog; tells whether the key was one of them.
pub(super) fn press(app: &mut App, key: KeyEvent, out: &mut Vec<Effect>) -> bool {
    let Some((jump, focus)) = front(app) else { return false };
    let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Insert => add(app, out),
        KeyCode::Delete | KeyCode::F(8) => {
            if let Some(one) = hot(&jump, focus) {
                out.push(Effect::Hotlist(HotChange::Remove(one)));
            }
        }
        KeyCode::F(6) => {
            if let Some(one) = hot(&jump, focus) {
                let field = App::name_field(&one);
                push(app, Kind::Prompt(Prompt::HotName(one), field));
            }
        }
        KeyCode::Char(c) if plain && c != ' ' => by_letter(app, &jump, focus, c),
        _ => return false,
    }
    true
}

/// Puts what the list's pane shows on the hotlist.
pub(super) fn add(app: &mut App, out: &mut Vec<Effect>) {
    let Some((jump, _)) = front(app) else { return };
    match Landmark::of(app.pane(jump.side), app.server()) {
        Some(one) => out.push(Effect::Hotlist(HotChange::Add(one))),
        None => app.tell(Tone::Plain, "Not connected: the server of this pane has no name"),
    }
}

/// Goes where the row with the keys leads.
pub(super) fn accept(app: &mut App, out: &mut Vec<Effect>) {
    let Some((jump, focus)) = front(app) else { return };
    let Some(row) = jump.rows.into_iter().nth(focus) else { return };
    app.dialogs.pop();
    match row.to {
        To::Landmark(one) => go(app, jump.side, one, out),
        To::Step(step) => along(app, jump.side, step, out),
        To::Login(address) if may_leave(app) => server::ask(app, &address, None),
        To::Login(_) => {}
    }
}

/// The hotlist changed, or the disks were found: an open list shows it.
pub(super) fn refresh(app: &mut App) {
    for index in 0..app.dialogs.len() {
        let Some(Kind::Jump(jump)) = app.dialogs.get(index).map(|dialog| &dialog.kind) else { continue };
        let fresh = Jump::new(app, jump.list, jump.side);
        if let Some(dialog) = app.dialogs.get_mut(index) {
            let last = fresh.rows.len().saturating_sub(1);
            dialog.focus = match &dialog.kind {
                // The row that had the keys keeps them.
                Kind::Jump(old) => {
                    let had = old.rows.get(dialog.focus);
                    had.and_then(|had| fresh.rows.iter().position(|row| row.to == had.to))
                        .unwrap_or(dialog.focus.min(last))
                }
                _ => dialog.focus,
            };
            dialog.kind = Kind::Jump(fresh);
        }
    }
}

/// The name of a landmark was typed.
pub(super) fn named(one: Landmark, name: &str, out: &mut Vec<Effect>) {
    out.push(Effect::Hotlist(HotChange::Rename(one, name.trim().to_owned())));
}

/// Connected: what belongs to another server is forgotten; the place that was wanted is gone to.
pub(super) fn connected(app: &mut App, out: &mut Vec<Effect>) {
    let server = app.server().map(str::to_owned);
    if app.atlas.server != server {
        app.left.trail.forget_remote();
        app.right.trail.forget_remote();
        app.atlas.server.clone_from(&server);
    }
    if let Some((side, one)) = app.atlas.bound.take().filter(|(_, one)| one.server == server) {
        reads::go(app, side, one.place, None, out);
    }
}

fn go(app: &mut App, side: Side, one: Landmark, out: &mut Vec<Effect>) {
    app.active = side;
    if one.server.is_none() || one.server.as_deref() == app.server() {
        let land = app.pane(side).trail.name_at(&one.place);
        return reads::go(app, side, one.place, land, out);
    }
    if may_leave(app) {
        let address = one.server.clone().unwrap_or_default();
        app.atlas.bound = Some((side, one));
        server::ask(app, &address, None);
    }
}

fn along(app: &mut App, side: Side, step: Step, out: &mut Vec<Effect>) {
    let Some(spot) = app.pane(side).trail.spot(step).cloned() else {
        return app.tell(Tone::Plain, "There is nothing farther that way");
    };
    reads::go(app, side, spot.place, Some(spot.name), out);
    if let Some(loading) = &mut app.pane_mut(side).loading {
        loading.step = step;
    }
}

fn may_leave(app: &mut App) -> bool {
    let busy = is_busy(&app.status);
    if busy {
        app.tell(Tone::Bad, server::NOT_FINISHED);
    }
    !busy
}

fn front(app: &App) -> Option<(Jump, usize)> {
    let dialog = app.dialogs.last()?;
    match &dialog.kind {
        Kind::Jump(jump) => Some((jump.clone(), dialog.focus)),
        _ => None,
    }
}

/// The row with the keys, if it is one of the hotlist.
fn hot(jump: &Jump, focus: usize) -> Option<Landmark> {
    match jump.rows.get(focus) {
        Some(row) if row.word == "hot" => match &row.to {
            To::Landmark(one) => Some(one.clone()),
            To::Step(_) | To::Login(_) => None,
        },
        _ => None,
    }
}

/// To the next row that begins with the letter, round and round.
fn by_letter(app: &mut App, jump: &Jump, focus: usize, letter: char) {
    let begins = |text: &str| {
        text.chars().find(|c| c.is_alphanumeric()).is_some_and(|c| c.to_lowercase().eq(letter.to_lowercase()))
    };
    let order = (focus + 1..jump.rows.len()).chain(0..=focus);
    let hit = order.into_iter().find(|row| jump.rows.get(*row).is_some_and(|row| begins(&row.text)));
    if let (Some(row), Some(dialog)) = (hit, app.dialogs.last_mut()) {
        dialog.focus = row;
    }
}

/// The side's own place at the other end, with the cursor where it was.
pub(super) fn other_side(app: &mut App, out: &mut Vec<Effect>) {
    let place = match app.here().place {
        Place::Local(_) => Place::Remote(app.remote_place.clone()),
        Place::Remote(_) => Place::Local(app.local_place.clone()),
    };
    let land = app.here().trail.name_at(&place);
    reads::go(app, app.active, place, land, out);
}
