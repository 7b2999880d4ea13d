//! Work with very many marked things of one directory: one piece that tells how far it is and that Esc stops, or one
//! item of the queue.

use wire::Fault;

use super::{Effect, Wish, marking, reads};
use crate::app::place::Place;
use crate::app::sources::Many;
use crate::app::text::{count, grouped};
use crate::app::{App, Copying, Tone};
use crate::engine::status::{AfterCopy, Job, NewItem};
use crate::entries::Picked;

/// One change of many things. Nothing that exists is replaced; what is refused stays and stops no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bulk {
    /// The directory they are in.
    pub place: Place,
    /// Which.
    pub picked: Picked,
    /// What is done to each.
    pub act: Act,
}

/// What is done to each of many things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is removed with what it holds.
    Remove,
    /// It goes to the account's trash.
    Trash,
    /// It goes into this directory on the same side.
    Move(Place),
    /// A copy of it goes into this directory on the same side.
    Copy(Place),
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Things that were done.
    pub done: Picked,
    /// Things that were refused.
    pub refused: u64,
    /// The first of these, as it is shown, and why.
    pub first: Option<(String, Fault)>,
    /// It ended before its time: on request, or because the connection is lost.
    pub stopped: bool,
}

/// One that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    serial: u64,
    place: Place,
    act: Act,
    all: u64,
}

impl Act {
    /// The directory that things go to.
    pub fn target(&self) -> Option<&Place> {
        match self {
            Act::Remove | Act::Trash => None,
            Act::Move(target) | Act::Copy(target) => Some(target),
        }
    }

    /// While it goes on, and when it is over.
    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Act::Remove => ("Deleting", "Deleted"),
            Act::Trash => ("Moving to the trash:", "In the trash:"),
            Act::Move(_) => ("Moving", "Moved"),
            Act::Copy(_) => ("Copying", "Copied"),
        }
    }
}

/// Copies or moves many things into a directory: within one side as one piece of work, to the other one as one item
/// of the queue.
pub(super) fn transfer(
    app: &mut App,
    many: Many,
    target: Place,
    source: AfterCopy,
    out: &mut Vec<Effect>,
) -> Result<(), String> {
    let Many { place, picked, .. } = many;
    if place == target {
        return Err("They are there already: type another path".to_owned());
    }
    let job = match (place.clone(), target.clone()) {
        (Place::Local(source), Place::Remote(target)) => Job::Up { source, target },
        (Place::Remote(source), Place::Local(target)) => Job::Down { source, target },
        _ => {
            let act = if source == AfterCopy::Keep { Act::Copy(target) } else { Act::Move(target) };
            return begin(app, Bulk { place, picked, act }, out);
        }
    };
    app.here_mut().clear_marks();
    let what = if source == AfterCopy::Keep { "copy" } else { "move" };
    app.tell(Tone::Plain, format!("Queued {} to {what} as one item", count(picked.len() as u64, "name")));
    app.copies.push(Copying::new(vec![job.clone()]));
    out.push(Effect::EnqueuePicked(NewItem { job, if_exists: app.if_exists, source }, picked));
    Ok(())
}

/// Begins it, unless another one is under way.
pub(super) fn begin(app: &mut App, bulk: Bulk, out: &mut Vec<Effect>) -> Result<(), String> {
    if app.lists.bulk.is_some() {
        return Err(
            "Many things are being changed already: wait for their end, or stop them with Esc in the panes".to_owned()
        );
    }
    let (serial, all) = (app.next_serial(), bulk.picked.len() as u64);
    app.tell(Tone::Plain, format!("{} {}…, Esc stops", bulk.act.words().0, count(all, "thing")));
    app.lists.bulk = Some(Running { serial, place: bulk.place.clone(), act: bulk.act.clone(), all });
    app.working += 1;
    out.push(Effect::Bulk { serial, bulk });
    Ok(())
}

/// How far it is.
pub(super) fn goes_on(app: &mut App, serial: u64, done: u64) {
    if let Some(running) = app.lists.bulk.as_ref().filter(|running| running.serial == serial) {
        let of = count(running.all, "thing");
        app.show_progress(format!("{} {} of {of}, Esc stops", running.act.words().0, grouped(done)));
    }
}

/// It is over, or was stopped.
pub(super) fn ended(app: &mut App, serial: u64, ended: &Ended, out: &mut Vec<Effect>) {
    let Some(Running { place, act, all, .. }) = app.lists.bulk.take_if(|running| running.serial == serial) else {
        return;
    };
    app.working = app.working.saturating_sub(1);
    marking::done(app, &place, ended.done.clone(), out);
    for place in [Some(&place), act.target()].into_iter().flatten() {
        reads::reread_showing(app, place, None, out);
    }
    if act == Act::Trash {
        out.push(Effect::Trash(Wish::State));
    }
    let Ended { done, refused, first, stopped } = ended;
    let done = done.len() as u64;
    let rest = all.saturating_sub(done + refused);
    let mut text = format!("{} {}", act.words().1, count(done, "thing"));
    if let Some((name, fault)) = first {
        text += &format!("; not {}, the first {name}: {fault}", grouped(*refused));
    }
    if *stopped || rest > 0 {
        text += &format!("; stopped before {} more", grouped(rest));
    }
    app.tell(if *refused == 0 && rest == 0 { Tone::Good } else { Tone::Bad }, text);
}

/// Stops it before the next thing; tells whether there was one.
pub(super) fn stop(app: &mut App, out: &mut Vec<Effect>) -> bool {
    let Some(running) = &app.lists.bulk else { return false };
    out.push(Effect::StopBulk(running.serial));
    app.show_progress("Stopping…".to_owned());
    true
}
