//! Taking back what was done, and the account's trash.

use wire::path::escape;
use wire::{Code, Fault};

use super::{Effect, push, reads};
use crate::app::dialog::Kind;
use crate::app::place::Place;
use crate::app::text;
use crate::app::undo::Step;
use crate::app::{App, Tone};
use crate::engine::Trash;

/// What is wanted of the runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// What the trash holds.
    State,
    /// Take this back.
    Undo(Step),
    /// Delete all that is in the trash.
    Empty,
}

/// What the runtime tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// What the trash holds; `None`: the account has none.
    State(Option<Trash>),
    /// This can be taken back from now on.
    Done(Step),
    /// Things are back.
    Undone {
        /// What was taken back, or was to be.
        step: Step,
        /// Where things are now that are back, in the order in which they came.
        back: Vec<Place>,
        /// What is left of the step, ending with what failed.
        rest: Step,
        /// Why not all is back.
        fault: Option<Fault>,
    },
    /// The trash is empty, or not.
    Emptied(Option<Fault>),
}

pub(super) fn told(app: &mut App, told: Told, out: &mut Vec<Effect>) {
    match told {
        Told::State(trash) => app.undo.trash = trash,
        Told::Done(step) => app.undo.keep(step),
        Told::Undone { step, back, rest, fault } => {
            app.working = app.working.saturating_sub(1);
            show(app, &step, &back, out);
            undone(app, &back, rest, fault);
            ask_state(&step, out);
        }
        Told::Emptied(fault) => {
            app.working = app.working.saturating_sub(1);
            match fault {
                None => {
                    app.undo.emptied();
                    app.tell(Tone::Good, "The trash is empty");
                }
                Some(fault) => app.tell_fault("The trash is not empty", &fault),
            }
            out.push(Effect::Trash(Wish::State));
        }
    }
}

/// Takes the last step back.
pub(super) fn undo(app: &mut App, out: &mut Vec<Effect>) {
    let Some(last) = app.undo.last() else { return app.tell(Tone::Plain, "There is nothing to take back") };
    if last.is_remote() && !app.is_online() {
        return app.tell(Tone::Bad, "Not connected: the server cannot take it back now");
    }
    if app.working > 0 {
        return app.tell(Tone::Bad, "Something is still being done: take it back when it is over");
    }
    let Some(step) = app.undo.take() else { return };
    app.working += 1;
    app.tell(Tone::Plain, format!("Taking back {}…", things(&step.places())));
    out.push(Effect::Trash(Wish::Undo(step)));
}

/// Asks whether to empty the trash, with what is in it by now.
pub(super) fn ask_to_empty(app: &mut App, out: &mut Vec<Effect>) {
    if !app.is_online() {
        return app.tell(Tone::Bad, "Not connected: the trash is at the server");
    }
    if app.undo.trash.is_none() {
        return app.tell(Tone::Plain, "This account has no trash: what is deleted at the server is gone");
    }
    out.push(Effect::Trash(Wish::State));
    push(app, Kind::EmptyTrash);
}

pub(super) fn empty(app: &mut App, out: &mut Vec<Effect>) {
    app.working += 1;
    app.tell(Tone::Plain, "Emptying the trash…");
    out.push(Effect::Trash(Wish::Empty));
}

fn undone(app: &mut App, back: &[Place], rest: Step, fault: Option<Fault>) {
    let Some(fault) = fault else {
        return app.tell(Tone::Good, format!("Taken back: {}", things(back)));
    };
    let what = rest.places().last().map(|place| escape(place.name())).unwrap_or_default();
    app.tell_fault(&format!("Not taken back: {what}"), &fault);
    // What is in the way may go, and a connection comes back; what is gone or another by now stays so.
    if fault.code == Code::Exists || fault.code.heals() && fault.code != Code::Changed {
        app.undo.keep(rest);
    }
}

/// Reads the directories again in which something changed; the cursor goes to what is back.
fn show(app: &mut App, step: &Step, back: &[Place], out: &mut Vec<Effect>) {
    let mut parents: Vec<Place> = back.iter().filter_map(Place::parent).collect();
    if let Step::Moved(moved) = step {
        parents.extend(moved.iter().filter_map(|moved| moved.to.parent()));
    }
    parents.sort_by_key(Place::text);
    parents.dedup();
    for parent in parents {
        let land = back.iter().find(|place| place.parent().as_ref() == Some(&parent)).map(Place::name);
        reads::reread_showing(app, &parent, land, out);
    }
}

fn ask_state(step: &Step, out: &mut Vec<Effect>) {
    if matches!(step, Step::Trashed(_)) {
        out.push(Effect::Trash(Wish::State));
    }
}

fn things(places: &[Place]) -> String {
    match places {
        [place] => escape(place.name()),
        places => format!("{} things", text::grouped(places.len() as u64)),
    }
}
