//! Looking for names: the search, and the keys of the list of what was found.

use wire::Fault;
use wire::message::Entry;
use wire::path::escape;
use wire::pattern::Pattern;

use super::{Effect, reads};
use crate::action::{Action, Scope};
use crate::app::hits::Hits;
use crate::app::layout;
use crate::app::place::Place;
use crate::app::text::count;
use crate::app::{App, Tone};

/// What a search has to tell.
#[derive(Clone, Debug)]
pub enum Hit {
    /// Some more.
    Page(Vec<Entry>),
    /// It is over. So many directories could not be read, or why it ended early.
    Over(Result<u64, Fault>),
}

/// Begins to look for names.
pub(super) fn begin(app: &mut App, place: Place, typed: &str, out: &mut Vec<Effect>) -> Result<(), String> {
    Pattern::parse(typed).map_err(|error| error.to_string())?;
    if typed.is_empty() {
        return Err("Type a part of a name, or a pattern".to_owned());
    }
    stop(app, out);
    let (serial, pattern) = (app.next_serial(), typed.to_owned());
    app.lists.hits = Some(Hits::new(serial, place.clone(), pattern.clone()));
    app.focus = Scope::Hits;
    app.tell(Tone::Plain, HINTS);
    out.push(Effect::Find { serial, place, pattern });
    Ok(())
}

pub(super) fn told(app: &mut App, serial: u64, told: Hit) {
    let Some(hits) = app.lists.hits.as_mut().filter(|hits| hits.serial == serial) else { return };
    match told {
        Hit::Page(page) => hits.take(&page),
        Hit::Over(result) => {
            hits.searching = false;
            hits.remark = match result {
                Ok(0) => String::new(),
                Ok(unread) => format!("{} could not be read", count(unread, "directory")),
                Err(fault) => format!("not all: {fault}"),
            };
        }
    }
}

/// Runs an action on the list; tells whether it was one for it.
pub(super) fn run(app: &mut App, action: Action, out: &mut Vec<Effect>) -> bool {
    let page =
        isize::from(i16::try_from(layout::checklist_rows(app.size).height).unwrap_or(1)).saturating_sub(1).max(1);
    let Some(hits) = app.lists.hits.as_mut() else { return false };
    match action {
        Action::Up => hits.step(-1),
        Action::Down => hits.step(1),
        Action::PageUp => hits.step(-page),
        Action::PageDown => hits.step(page),
        Action::First => hits.step(isize::MIN),
        Action::Last => hits.step(isize::MAX),
        Action::Mark => {
            hits.toggle_mark();
            hits.step(1);
        }
        Action::InvertMarks => hits.invert_marks(),
        Action::Enter => go(app, out),
        Action::Reread => {
            let (place, pattern) = (hits.place.clone(), hits.pattern.clone());
            // It was a pattern before.
            let _ = begin(app, place, &pattern, out);
        }
        Action::Escape => leave(app, out),
        _ => return false,
    }
    true
}

/// To the directory of the hit, with the cursor on it.
pub(super) fn go(app: &mut App, out: &mut Vec<Effect>) {
    let Some(hits) = &app.lists.hits else { return };
    let Some(place) = hits.current().and_then(|entry| hits.place_of(entry.name)) else { return };
    let Some(parent) = place.parent() else { return };
    let name = place.name().to_vec();
    stop(app, out);
    app.lists.hits = None;
    app.focus = Scope::Panes;
    app.tell(Tone::Plain, format!("Found {}", escape(&name)));
    reads::go(app, app.active, parent, Some(name), out);
}

/// Esc ends the search; then it leaves.
fn leave(app: &mut App, out: &mut Vec<Effect>) {
    stop(app, out);
    let Some(hits) = app.lists.hits.as_mut() else { return };
    if hits.searching {
        (hits.searching, hits.remark) = (false, "stopped".to_owned());
        return;
    }
    app.lists.hits = None;
    app.focus = Scope::Panes;
    app.take_back(HINTS);
}

fn stop(app: &App, out: &mut Vec<Effect>) {
    let searching = app.lists.hits.as_ref().filter(|hits| hits.searching);
    out.extend(searching.map(|hits| Effect::StopRead(hits.serial)));
}

/// Scrolls so that the cursor is seen.
pub(super) fn keep_visible(app: &mut App) {
    let height = usize::from(layout::checklist_rows(app.size).height);
    if let Some(hits) = &mut app.lists.hits {
        hits.keep_visible(height);
    }
}

/// Told when the list opens.
const HINTS: &str = "Enter go there  Space mark  F5 copy  F8 delete  Esc stop, leave";
