//! All that is known of a past transfer.

use wire::message::Time;
use wire::path::escape;
use wire::size;

use super::{Draft, Press};
use crate::app::history::word;
use crate::app::place::Place;
use crate::app::text::{Dates, clock, count, date, grouped};
use crate::app::{App, Tone};
use crate::engine::keep::history::Past;
use crate::engine::status::{AfterCopy, Job};

pub(super) fn past(app: &App, past: &Past) -> Draft {
    let (from, to, way) = match &past.job {
        Job::Up { source, target } => (Place::Local(source.clone()).text(), target.to_string(), "↑ to the server"),
        Job::Down { source, target } => (source.to_string(), Place::Local(target.clone()).text(), "↓ to this machine"),
    };
    let ended = date(Time { secs: past.at, nanos: 0 }, app.here().read_at, &app.zone, Dates::Exact);
    let title = if past.source == AfterCopy::Remove { "Past move" } else { "Past copy" };
    let mut draft = Draft::new(app, title).toned(&past.name, Tone::Good);
    draft = draft.text(&format!("{way}, {} {ended}", word(past)));
    if !past.why.is_empty() {
        draft = draft.toned(&escape(past.why.as_bytes()), Tone::Bad);
    }
    draft = draft.text("").text(&format!("from  {from}")).text(&format!("to    {to}"));
    draft = draft.text(&format!("with  {}", escape(past.account.as_bytes()))).text("");
    draft = draft.text(&format!(
        "{}, {} failed, {} skipped",
        count(past.files, "file"),
        grouped(past.files_failed),
        grouped(past.files_skipped)
    ));
    draft = draft.text(&format!("{} in all", size::show(past.bytes)));
    draft = draft.text(&format!("{} travelled, {} were there already", size::show(past.sent), size::show(past.held)));
    draft = draft.text(&format!("took {}, {}/s", clock(past.elapsed), size::show(past.rate())));
    if let Some(root) = past.root {
        draft = draft.text("").text("BLAKE3").text(&root.to_string());
    }
    draft.button("Close", Press::Close)
}
