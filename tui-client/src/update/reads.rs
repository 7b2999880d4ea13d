//! Directories: beginning to read one, taking up what was read, and reading again when something changed.

use wire::message::Time;
use wire::{Code, Fault, RemotePath};

use super::{Effect, marking, searching, server, sizes};
use crate::app::pane::{Loading, Pane};
use crate::app::place::Place;
use crate::app::rows::{Listing, Rows};
use crate::app::watched::LONG;
use crate::app::{App, Session, Side, Tone};

const SIDES: [Side; 2] = [Side::Left, Side::Right];

/// Begins to read `place` into a pane. The old list stays until there are rows of another directory, or all
/// rows of the same.
pub(super) fn go(app: &mut App, side: Side, place: Place, land: Option<Vec<u8>>, out: &mut Vec<Effect>) {
    if !place.is_local() && !matches!(app.session, Session::Online(_)) {
        return server::ask_anew(app);
    }
    let generation = app.next_serial();
    let pane = app.pane_mut(side);
    if let Some(old) = pane.loading.take() {
        out.push(Effect::StopRead(old.generation));
    }
    pane.stale = false;
    let shown = (place == pane.place && !pane.rows.entries().is_empty()).then(|| pane.rows.clone());
    pane.loading = Some(Loading::new(generation, place.clone(), land));
    let (order, sieve) = (pane.order, if place == pane.place { pane.sieve.clone() } else { pane.sieve.elsewhere() });
    out.push(Effect::Read { generation, place, order, sieve, shown });
}

/// Reads the same directory again, unless the pane is on its way to another one.
pub(super) fn reread(app: &mut App, side: Side, land: Option<Vec<u8>>, out: &mut Vec<Effect>) {
    let pane = app.pane(side);
    if pane.loading.as_ref().is_none_or(|loading| loading.place == pane.place) {
        let place = pane.place.clone();
        go(app, side, place, land, out);
    }
}

/// Reads again every pane that shows the directory.
pub(super) fn reread_showing(app: &mut App, place: &Place, land: Option<&[u8]>, out: &mut Vec<Effect>) {
    for side in SIDES {
        if app.pane(side).place == *place {
            reread(app, side, land.map(<[u8]>::to_vec), out);
        }
    }
}

pub(super) fn found(app: &mut App, generation: u64, found: u64) {
    if let Some(side) = reading(app, generation)
        && let Some(loading) = &mut app.pane_mut(side).loading
    {
        loading.found = found;
    }
}

/// Rows of a read that goes on.
pub(super) fn partly(app: &mut App, generation: u64, listing: Listing, out: &mut Vec<Effect>) {
    let Some(side) = reading(app, generation) else { return };
    let pane = app.pane_mut(side);
    pane.settle(listing);
    sift_at_once(pane);
    match pane.place.clone() {
        Place::Local(path) => app.local_place = path,
        Place::Remote(path) => app.remote_place = path,
    }
    sizes::settle(app, side, out);
    searching::settle(app, side, out);
}

pub(super) fn ended(app: &mut App, generation: u64, result: Result<Listing, Fault>, out: &mut Vec<Effect>) {
    let Some(side) = reading(app, generation) else { return };
    match result {
        Ok(listing) => {
            let inherited = marking::bequeath(app.pane_mut(side), &listing);
            partly(app, generation, listing, out);
            app.pane_mut(side).complete();
            searching::settle(app, side, out);
            inherited.into_iter().for_each(|marking| marking::inherit(app, side, marking, out));
            let pane = app.pane(side);
            if pane.rows.order() != pane.order || pane.rows.sieve() != &pane.sieve {
                sort(app, side, out);
            }
        }
        Err(fault) => failed(app, side, &fault, out),
    }
}

/// Has the rows put into the order asked for, at the end of the read if one is under way.
pub(super) fn sort(app: &mut App, side: Side, out: &mut Vec<Effect>) {
    if app.pane(side).loading.is_some() {
        return app.tell(Tone::Plain, "It is sorted as soon as all is read");
    }
    let generation = app.next_serial();
    let pane = app.pane_mut(side);
    pane.sorting = Some(generation);
    let (rows, order, sieve) = (pane.rows.clone(), pane.order, pane.sieve.clone());
    out.push(Effect::Sort { generation, rows, order, sieve });
}

/// Has the names shown that are asked for now: at once, or beside where there are many.
pub(super) fn sift(app: &mut App, side: Side, out: &mut Vec<Effect>) {
    let pane = app.pane_mut(side);
    if pane.expects_names() {
        return;
    }
    let waits = pane.sorting.is_some() || !sift_at_once(pane);
    // While it is read, a long list waits for its end.
    if waits && pane.loading.is_none() {
        sort(app, side, out);
    }
}

/// Tells whether the rows are what is asked for.
fn sift_at_once(pane: &mut Pane) -> bool {
    let is_so = pane.rows.sieve() == &pane.sieve;
    if !is_so && pane.rows.entries().len() <= AT_ONCE {
        pane.reorder(pane.rows.clone().sifted(pane.sieve.clone()));
        return true;
    }
    is_so
}

pub(super) fn sorted(app: &mut App, generation: u64, rows: Rows) {
    for side in SIDES {
        let pane = app.pane_mut(side);
        if pane.sorting == Some(generation) {
            pane.reorder(rows.clone());
        }
    }
}

/// The pane stays where it was, or keeps what was read; when that directory is what is gone, it goes up.
fn failed(app: &mut App, side: Side, fault: &Fault, out: &mut Vec<Effect>) {
    let pane = app.pane_mut(side);
    let Some(loading) = pane.loading.take() else { return };
    if !loading.shown && loading.place != pane.place && (pane.search.is_some() || pane.sifting) {
        // What was typed meanwhile was not meant for the names that stay.
        (pane.sifting, pane.sieve) = (false, pane.rows.sieve().clone());
        pane.end_search();
    }
    let gone = loading.place == pane.place && matches!(fault.code, Code::NotFound | Code::NotDirectory);
    match loading.place.parent() {
        Some(parent) if gone => go(app, side, parent, Some(loading.place.name().to_vec()), out),
        _ if fault.code == Code::Cancelled => {}
        _ => {
            let place = loading.place.short_text(app.home.as_deref());
            let what = if loading.shown { "Cannot read all of" } else { "Cannot read" };
            app.tell_fault(&format!("{what} {place}"), fault);
        }
    }
}

/// Something in a directory at the server changed.
pub(super) fn changed(app: &mut App, path: &RemotePath, out: &mut Vec<Effect>) {
    out_of_date(app, |place| matches!(place, Place::Remote(shown) if shown == path), out);
}

/// Marks panes as out of date; they are read again a little later, once, however much changes meanwhile.
pub(super) fn out_of_date(app: &mut App, shows: impl Fn(&Place) -> bool, out: &mut Vec<Effect>) {
    let awaited = SIDES.iter().any(|side| app.pane(*side).stale);
    for side in SIDES {
        let pane = app.pane_mut(side);
        pane.stale |= shows(&pane.place) || pane.loading.as_ref().is_some_and(|loading| shows(&loading.place));
    }
    if !awaited && SIDES.iter().any(|side| app.pane(*side).stale) {
        out.push(Effect::RereadLater);
    }
}

pub(super) fn reread_stale(app: &mut App, out: &mut Vec<Effect>) {
    for side in SIDES.into_iter().filter(|side| app.pane(*side).stale).collect::<Vec<_>>() {
        let reachable = app.pane(side).place.is_local() || app.is_online();
        match (&app.pane(side).loading, reachable) {
            (None, true) if is_too_soon(app.pane(side), app.log.now) => {}
            (None, true) => reread(app, side, None, out),
            // It is read again when the connection is back.
            (_, false) => app.pane_mut(side).stale = false,
            (Some(_), true) => {}
        }
    }
    if SIDES.iter().any(|side| app.pane(*side).stale) {
        out.push(Effect::RereadLater);
    }
}

/// Whether a long list was read so lately that a change in it is not worth another read: many come while files go there.
fn is_too_soon(pane: &Pane, now: Time) -> bool {
    let since = now.secs.saturating_sub(pane.read_at.secs);
    pane.rows.entries().len() >= LONG && (0..pane.pause().as_secs().cast_signed()).contains(&since)
}

/// Reads all panes of the server again.
pub(super) fn reread_remote(app: &mut App, out: &mut Vec<Effect>) {
    for side in SIDES {
        if !app.pane(side).place.is_local() {
            reread(app, side, None, out);
        }
    }
}

/// The right moment to say that the server answers again.
pub(super) fn back_online(app: &mut App, out: &mut Vec<Effect>) {
    app.tell(Tone::Good, "Connected again");
    reread_remote(app, out);
}

/// Longer lists are not gone through between two pictures: some 5 ms.
pub(super) const AT_ONCE: usize = 50_000;

fn reading(app: &App, generation: u64) -> Option<Side> {
    let is_it = |side: &Side| app.pane(*side).loading.as_ref().is_some_and(|loading| loading.generation == generation);
    SIDES.into_iter().find(is_it)
}
