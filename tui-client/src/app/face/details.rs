//! What the dialog of details says.

use wire::message::{Kind, Time};
use wire::size;

use super::{Draft, Press};
use crate::app::details::{Details, Facts, Hash, permissions};
use crate::app::place::Place;
use crate::app::space::{self, Coming};
use crate::app::text::{self, Dates};
use crate::app::{App, Tone};

pub(super) fn draft(app: &App, details: &Details) -> Draft {
    let mut draft = Draft::new(app, "Details").toned(&details.place.text(), Tone::Good).text("");
    let facts = match &details.facts {
        None => return draft.text("looking…").button("Close", Press::Close),
        Some(Err(reason)) => return draft.toned(reason, Tone::Bad).button("Close", Press::Close),
        Some(Ok(facts)) => facts,
    };
    let room = if facts.kind == Kind::Directory { room(app, &details.place) } else { Vec::new() };
    for (word, value) in rows(app, details, facts).into_iter().chain(room) {
        draft = draft.text(&format!("{} {value}", text::fit(word, WORD)));
    }
    draft.hint = "Shift and the mouse select text".to_owned();
    if facts.kind == Kind::File { hash(draft, details, facts) } else { draft }.button("Close", Press::Close)
}

fn rows(app: &App, details: &Details, facts: &Facts) -> Vec<(&'static str, String)> {
    let date = |time: Time| text::date(time, time, &app.zone, Dates::Exact);
    let kind = match facts.kind {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Link => "link",
        Kind::Other => "device, socket or pipe",
    };
    let side = if details.place.is_local() { "on this machine" } else { "at the server" };
    let mut rows = vec![("is", format!("a {kind} {side}"))];
    if facts.kind == Kind::File {
        rows.push(("size", format!("{} bytes ({})", text::grouped(facts.size), size::show(facts.size))));
    }
    if let Some((_, tally)) = details.counting {
        let least = if tally.complete { "" } else { "≥" };
        let (files, directories) = (text::count(tally.files, "file"), text::count(tally.directories, "directory"));
        rows.push(("holds", format!("{least}{files}, {least}{directories}")));
        rows.push(("", format!("{least}{} bytes ({})", text::grouped(tally.bytes), size::show(tally.bytes))));
        if !tally.complete {
            rows.push(("", "counting…".to_owned()));
        }
    }
    rows.push(("modified", date(facts.mtime)));
    match &facts.local {
        Some(local) => {
            rows.push(("read", date(local.atime)));
            rows.push(("changed", date(local.ctime)));
            rows.push(("mode", format!("{} {:04o}", permissions(local.mode), local.mode & 0o7777)));
            rows.push(("owner", local.owner.clone()));
            if facts.kind == Kind::File && local.names > 1 {
                rows.push(("names", format!("{}: hard links", local.names)));
            }
            rows.extend(local.leads_to.clone().map(|target| ("leads to", target)));
        }
        None if facts.kind == Kind::File => {
            rows.push(("runs", if facts.executable { "yes, executable" } else { "no" }.to_owned()));
        }
        None => {}
    }
    rows
}

/// What the gauges in the borders tell, in full.
fn room(app: &App, place: &Place) -> Vec<(&'static str, String)> {
    let dir = match place {
        Place::Remote(_) => return account(app),
        Place::Local(dir) => dir,
    };
    let shown = [&app.left, &app.right].into_iter().find(|pane| pane.place == *place);
    let free = space::disk(app, dir).map(|disk| disk.free).or_else(|| shown?.free);
    let coming = space::downloads(app, dir);
    let free = free.map(|free| ("disk", format!("{} free", size::show(free))));
    free.into_iter().chain(coming_row(&coming)).collect()
}

fn account(app: &App) -> Vec<(&'static str, String)> {
    let Some(usage) = app.status.usage else { return Vec::new() };
    let (used, free) = (size::show(usage.used), size::show(usage.free().unwrap_or_default()));
    let whole = usage.quota.map_or(", no quota".to_owned(), |quota| format!(" of {}, {free} free", size::show(quota)));
    let mut rows = vec![("quota", format!("{used} used{whole}"))];
    if usage.reserved > 0 {
        rows.push(("", format!("{} reserved for uploads", size::show(usage.reserved))));
    }
    rows.extend(coming_row(&space::uploads(&app.status)));
    let most = usage.max_files.map_or(", no limit".to_owned(), |most| format!(" of {}", text::grouped(most)));
    rows.push(("files", text::grouped(usage.files) + &most));
    rows.extend(
        app.undo
            .trash
            .map(|trash| ("trash", format!("{}, {}", text::count(trash.items, "thing"), size::show(trash.bytes)))),
    );
    rows
}

fn coming_row(coming: &Coming) -> Option<(&'static str, String)> {
    (coming.bytes > 0 || coming.least).then(|| ("", format!("{} coming from the queue", coming.words())))
}

/// The hash on a line of its own, where it can be selected, and how it is known.
fn hash(draft: Draft, details: &Details, facts: &Facts) -> Draft {
    let draft = draft.text("");
    if let Hash::Computed(root) = details.hash {
        let proof = match facts.root {
            Some(record) if record == root => "computed just now, as proven when it was stored",
            Some(_) => "computed just now, and NOT what was proven when it was stored",
            None => "computed just now; no record to hold it against",
        };
        let tone = if facts.root.is_some_and(|record| record != root) { Tone::Bad } else { Tone::Plain };
        return draft.toned(&format!("BLAKE3, {proof}"), tone).text(&root.to_string());
    }
    let draft = match facts.root {
        Some(root) => draft.text("BLAKE3, ✓ proven when it was stored").text(&root.to_string()),
        None => draft.text("BLAKE3: not known, not verified"),
    };
    match &details.hash {
        Hash::Computing { done: Some(done), .. } => {
            draft.text(&format!("computing… {} of {}, Esc stops it", size::show(*done), size::show(facts.size)))
        }
        Hash::Computing { done: None, .. } => draft.text("the server computes…, Esc stops it"),
        Hash::Failed(reason) => draft.toned(reason, Tone::Bad).button("Compute", Press::Accept),
        _ => draft.button("Compute", Press::Accept),
    }
}

/// The widest word in front of a value, and a blank.
const WORD: usize = 9;
