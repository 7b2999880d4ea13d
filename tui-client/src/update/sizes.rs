//! What directories hold: asked for, counted one after another, stopped.

use wire::Fault;
use wire::message::Kind;
use wire::path::escape;

use super::Effect;
use crate::app::dialog::Tally;
use crate::app::pane::Row;
use crate::app::sizes::Sum;
use crate::app::{App, Side, Tone};

const SIDES: [Side; 2] = [Side::Left, Side::Right];

/// Wants the marked directories counted, or the one under the cursor; on `..` all that are shown.
pub(super) fn want(app: &mut App, out: &mut Vec<Effect>) {
    let pane = app.here_mut();
    let directories = pane.rows.directories();
    let marked: Vec<u32> = directories.iter().copied().filter(|id| pane.marks.has(*id)).collect();
    match pane.current() {
        _ if !marked.is_empty() => pane.sizes.want(&marked, |id| pane.marks.has(id)),
        Row::Up if !directories.is_empty() => pane.sizes.want(directories, |_| true),
        Row::Entry(entry) if entry.kind == Kind::Directory => {
            let this = entry.id;
            pane.sizes.want(&[this], |id| id == this);
        }
        _ => return app.tell(Tone::Plain, "Put the cursor on a directory first, or mark some"),
    }
    next(app, app.active, out);
}

/// A pane may show another directory by now: what was being counted in the old one is stopped.
pub(super) fn settle(app: &mut App, side: Side, out: &mut Vec<Effect>) {
    out.extend(app.pane_mut(side).sizes.take_left().into_iter().map(Effect::StopCount));
}

/// What a count has found, if it is one of a pane's.
pub(super) fn counted(app: &mut App, serial: u64, tally: Tally, out: &mut Vec<Effect>) {
    let sum = Sum { bytes: tally.bytes, complete: tally.complete };
    for side in SIDES {
        if app.pane_mut(side).sizes.counted(serial, sum) {
            next(app, side, out);
        }
    }
}

/// A count came to its end before it had seen all.
pub(super) fn failed(app: &mut App, serial: u64, fault: &Fault, out: &mut Vec<Effect>) {
    for side in SIDES {
        let pane = app.pane_mut(side);
        if let Some(id) = pane.sizes.failed(serial) {
            let name = escape(pane.rows.entries().name(id));
            app.tell_fault(&format!("{name}: not all was counted"), fault);
            next(app, side, out);
        }
    }
}

/// Counts no more in the active pane; tells whether something was being counted.
pub(super) fn leave(app: &mut App, out: &mut Vec<Effect>) -> bool {
    let Some(serial) = app.here_mut().sizes.stop() else { return false };
    out.push(Effect::StopCount(serial));
    app.tell(Tone::Plain, "Stopped counting");
    true
}

fn next(app: &mut App, side: Side, out: &mut Vec<Effect>) {
    while let Some(id) = app.pane_mut(side).sizes.take_next() {
        let pane = app.pane(side);
        if let Ok(place) = pane.place.join(pane.rows.entries().name(id)) {
            let serial = app.next_serial();
            app.pane_mut(side).sizes.begin(serial, id);
            return out.push(Effect::Count { serial, places: vec![place] });
        }
    }
}
