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
    let marked = pane.rows.ids().iter().filter(|id| pane.marks.has(**id));
    let directories = |ids: Vec<u32>| ids.into_iter().filter(|id| pane.rows.entries().is_directory(*id)).collect();
    let mut ids: Vec<u32> = directories(marked.copied().collect());
    if ids.is_empty() {
        ids = match pane.current() {
            Row::Up => directories(pane.rows.ids().to_vec()),
            Row::Entry(entry) if entry.kind == Kind::Directory => vec![entry.id],
            Row::Entry(_) | Row::Nothing => vec![],
        };
    }
    if ids.is_empty() {
        return app.tell(Tone::Plain, "Put the cursor on a directory first, or mark some");
    }
    pane.sizes.want(ids);
    next(app, app.active, out);
}

/// What a count has found, if it is one of a pane's.
pub(super) fn counted(app: &mut App, serial: u64, tally: Tally, out: &mut Vec<Effect>) {
    let sum = Sum { bytes: tally.bytes, complete: tally.complete };
    for side in SIDES {
        let sizes = &mut app.pane_mut(side).sizes;
        if sizes.forsake(serial) {
            out.push(Effect::StopCount(serial));
        }
        if sizes.counted(serial, sum) {
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
