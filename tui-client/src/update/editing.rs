//! Editing: fetching a copy where the file is at the server, the editor, and sending back what changed.

use wire::message::Kind as EntryKind;
use wire::path::escape;
use wire::{Fault, RemotePath};

use super::{Effect, push, reads};
use crate::app::dialog::Kind;
use crate::app::edit::{Back, Copy, Errand};
use crate::app::pane::Row;
use crate::app::place::Place;
use crate::app::{App, Tone};

/// What is to be done about a file that is edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Bring a copy here.
    Fetch {
        /// Names the fetching.
        serial: u64,
        /// The file.
        path: RemotePath,
    },
    /// Give that up.
    Stop(u64),
    /// Hand the terminal to the editor.
    Open(Errand),
    /// Send a copy back if it was changed; where the editor ended badly, with how it did, only tell.
    SendBack(Copy, Option<String>),
    /// Delete a copy.
    Discard(Copy),
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Edited {
    /// A copy is here, or why not.
    Fetched {
        /// The fetching.
        serial: u64,
        /// The copy.
        result: Result<Copy, Fault>,
    },
    /// The editor is over.
    Closed {
        /// What it had.
        errand: Errand,
        /// How it ended where it did not end well.
        result: Result<(), String>,
    },
    /// A copy was looked at and, if it was changed, sent back.
    Back(Copy, Back),
}

/// Edits the file under the cursor.
pub(super) fn begin(app: &mut App, out: &mut Vec<Effect>) {
    let (name, kind, size) = match app.here().current() {
        Row::Entry(entry) => (entry.name.to_vec(), entry.kind, entry.size),
        Row::Up | Row::Nothing => return app.tell(Tone::Plain, "No file is under the cursor"),
    };
    let place = match app.here().place.join(&name) {
        Ok(place) => place,
        Err(reason) => return app.tell(Tone::Bad, reason),
    };
    match kind {
        EntryKind::Link if place.is_local() => {}
        EntryKind::File => {}
        _ => return app.tell(Tone::Bad, format!("{} is not a file that can be edited", escape(&name))),
    }
    if size > LARGE { push(app, Kind::EditLarge { place, size }) } else { open(app, place, out) }
}

/// Edits a file, whatever its size.
pub(super) fn open(app: &mut App, place: Place, out: &mut Vec<Effect>) {
    match place {
        Place::Local(file) => out.push(Effect::Edit(Edit::Open(Errand::Here(file)))),
        Place::Remote(_) if !app.is_online() => app.tell(Tone::Bad, "Not connected: it cannot be fetched"),
        Place::Remote(path) => {
            let serial = app.next_serial();
            push(app, Kind::Fetching { serial, name: escape(path.name()) });
            out.push(Effect::Edit(Edit::Fetch { serial, path }));
        }
    }
}

/// A file that was made just now is opened, unless the person is at something else.
pub(super) fn made(app: &mut App, place: &Place, out: &mut Vec<Effect>) {
    if app.dialogs.is_empty() && app.viewer.is_none() {
        open(app, place.clone(), out);
    }
}

/// Sends back once more what was kept.
pub(super) fn send_again(app: &mut App, copy: Copy, out: &mut Vec<Effect>) {
    send(app, copy, None, out);
}

pub(super) fn told(app: &mut App, told: Edited, out: &mut Vec<Effect>) {
    match told {
        Edited::Fetched { serial, result } => fetched(app, serial, result, out),
        Edited::Closed { errand: Errand::Copy(copy), result } => send(app, copy, result.err(), out),
        Edited::Closed { errand, result } => {
            let name = errand.name();
            match result {
                Ok(()) => app.tell(Tone::Good, format!("{name}: back from the editor")),
                Err(reason) => app.tell(Tone::Bad, format!("{name}: {reason}")),
            }
            show(app, &errand.place(), out);
        }
        Edited::Back(copy, back) => came_back(app, copy, back, out),
    }
}

fn fetched(app: &mut App, serial: u64, result: Result<Copy, Fault>, out: &mut Vec<Effect>) {
    let waits = |kind: &Kind| matches!(kind, Kind::Fetching { serial: waits, .. } if *waits == serial);
    let waited = app.dialogs.iter().any(|dialog| waits(&dialog.kind));
    app.dialogs.retain(|dialog| !waits(&dialog.kind));
    match result {
        Ok(copy) if waited => out.push(Effect::Edit(Edit::Open(Errand::Copy(copy)))),
        // It was given up just before it came.
        Ok(copy) => out.push(Effect::Edit(Edit::Discard(copy))),
        Err(fault) => app.tell_fault("Not edited", &fault),
    }
}

fn send(app: &mut App, copy: Copy, reason: Option<String>, out: &mut Vec<Effect>) {
    app.working += 1;
    app.tell(Tone::Plain, format!("Sending back {}…", escape(copy.remote.name())));
    out.push(Effect::Edit(Edit::SendBack(copy, reason)));
}

fn came_back(app: &mut App, copy: Copy, back: Back, out: &mut Vec<Effect>) {
    app.working = app.working.saturating_sub(1);
    let name = escape(copy.remote.name());
    show(app, &Place::Remote(copy.remote.clone()), out);
    match back {
        Back::Sent => app.tell(Tone::Good, format!("Sent back {name}: proven")),
        Back::Same => app.tell(Tone::Plain, format!("{name} was not changed")),
        Back::Kept(reason) => {
            let file = Place::Local(copy.file.clone()).text();
            app.tell(Tone::Bad, format!("{name} was not sent back: {reason}. Your copy: {file}"));
            push(app, Kind::Kept { copy, reason });
        }
    }
}

fn show(app: &mut App, place: &Place, out: &mut Vec<Effect>) {
    if let Some(parent) = place.parent() {
        reads::out_of_date(app, |shown| *shown == parent, out);
    }
}

/// Bytes above which it is asked first: an editor holds all of it in memory, and from a server all of it is fetched.
const LARGE: u64 = 8 << 20;
