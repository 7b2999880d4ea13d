//! Details of what is under the cursor: looked at, counted and hashed behind their dialog.

use wire::Fault;
use wire::message::Kind as EntryKind;

use super::{Effect, push};
use crate::app::details::{Details, Facts, Hash};
use crate::app::dialog::{Dialog, Kind, Tally};
use crate::app::pane::Row;
use crate::app::place::Place;
use crate::app::{App, Session, Tone};
use wire::Root;

/// Opens them for the entry under the cursor; in front of `..` for the directory itself.
pub(super) fn open(app: &mut App, out: &mut Vec<Effect>) {
    let (place, is_directory) = match app.here().current() {
        Row::Entry(entry) => match app.here().place.join(entry.name) {
            Ok(place) => (place, entry.kind == EntryKind::Directory),
            Err(reason) => return app.tell(Tone::Bad, reason),
        },
        Row::Up | Row::Nothing => return open_pane(app, out),
    };
    look_at(app, place, is_directory, out);
}

/// Opens those of the directory that the pane shows.
pub(super) fn open_pane(app: &mut App, out: &mut Vec<Effect>) {
    let place = app.here().place.clone();
    if !place.is_local() && !matches!(app.session, Session::Online(_)) {
        return app.tell(Tone::Bad, "Not connected: Ctrl-N connects to a server");
    }
    look_at(app, place, true, out);
}

fn look_at(app: &mut App, place: Place, is_directory: bool, out: &mut Vec<Effect>) {
    let serial = app.next_serial();
    out.push(Effect::Inspect { serial, place: place.clone() });
    let counting = is_directory.then(|| (app.next_serial(), Tally::default()));
    out.extend(counting.map(|(serial, _)| Effect::Count { serial, places: vec![place.clone()] }));
    push(app, Kind::Details(Box::new(Details { place, serial, facts: None, counting, hash: Hash::Unknown })));
}

pub(super) fn looked(app: &mut App, serial: u64, result: Result<Facts, Fault>) {
    if let Some(details) = all(app).find(|details| details.serial == serial) {
        details.facts = Some(result.map_err(|fault| fault.to_string()));
    }
}

pub(super) fn counted(app: &mut App, serial: u64, tally: Tally) {
    for details in all(app) {
        if let Some((_, counted)) = details.counting.as_mut().filter(|(number, _)| *number == serial) {
            *counted = tally;
        }
    }
}

/// Begins to compute the hash of the one in front.
pub(super) fn compute(app: &mut App, out: &mut Vec<Effect>) {
    let serial = app.next_serial();
    let Some(details) = all(app).last() else { return };
    details.hash = Hash::Computing { serial, done: details.place.is_local().then_some(0) };
    out.push(Effect::Hash { serial, place: details.place.clone() });
}

pub(super) fn hashing(app: &mut App, serial: u64, read: u64) {
    for details in all(app) {
        if let Hash::Computing { serial: number, done: Some(done) } = &mut details.hash
            && *number == serial
        {
            *done = read;
        }
    }
}

pub(super) fn hashed(app: &mut App, serial: u64, result: Result<Root, Fault>) {
    for details in all(app) {
        if matches!(details.hash, Hash::Computing { serial: number, .. } if number == serial) {
            details.hash = match &result {
                Ok(root) => Hash::Computed(*root),
                Err(fault) => Hash::Failed(fault.to_string()),
            };
        }
    }
}

/// What is left behind is stopped.
pub(super) fn leave(details: &Details, out: &mut Vec<Effect>) {
    let counting = details.counting.filter(|(_, tally)| !tally.complete).map(|(serial, _)| serial);
    let hashing = if let Hash::Computing { serial, .. } = details.hash { Some(serial) } else { None };
    out.extend([counting, hashing].into_iter().flatten().map(Effect::StopCount));
}

fn all(app: &mut App) -> impl Iterator<Item = &mut Details> {
    app.dialogs.iter_mut().filter_map(|Dialog { kind, .. }| match kind {
        Kind::Details(details) => Some(&mut **details),
        _ => None,
    })
}
