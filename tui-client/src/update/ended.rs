//! Items of the queue that came to their end: what the message line says, and which panes are out of date.

use wire::size;

use super::{Effect, history, reads};
use crate::app::place::Place;
use crate::app::text::{clock, count, grouped};
use crate::app::{App, Tone};
use crate::engine::status::{AfterCopy, ItemStatus, Job, State, Status};

/// Tells of items that ended since the last sample, and has the panes read again whose files changed.
pub(super) fn tell(app: &mut App, before: &Status, now: &Status, out: &mut Vec<Effect>) {
    let was_over = |item: &ItemStatus| before.items.iter().any(|old| old.id == item.id && old.state.is_over());
    for item in now.items.iter().filter(|item| item.state.is_over()).filter(|item| !was_over(item)) {
        history::ended(app, out);
        match &item.state {
            State::Done => app.tell(Tone::Good, done(item)),
            State::Failed(fault) if item.files > 1 => {
                let stay = if item.source == AfterCopy::Remove { " and stay" } else { "" };
                let text =
                    format!("{}: {} of {} files failed{stay}: {fault}", item.name, item.files_failed, item.files);
                app.tell(Tone::Bad, text);
            }
            State::Failed(fault) => app.tell(Tone::Bad, format!("{} {}: {fault}", item.name, item.state.word())),
            _ => app.tell(Tone::Plain, format!("Cancelled {}", item.name)),
        }
        let (source, target) = match &item.job {
            Job::Up { source, target } => (Place::Local(source.clone()), Place::Remote(target.clone())),
            Job::Down { source, target } => (Place::Remote(source.clone()), Place::Local(target.clone())),
        };
        let left = |shown: &Place| source.parent().as_ref() == Some(shown) || shown.is_within(&source);
        let is_move = item.source == AfterCopy::Remove;
        reads::out_of_date(app, |shown| target.parent().as_ref() == Some(shown) || is_move && left(shown), out);
    }
}

/// `Copied boat-plans.pdf: proven, 14.2 MiB, 0.2 s`
/// `Moved raw/: 340 files proven, 7.6 GiB, 1:05; nothing is left behind`
fn done(item: &ItemStatus) -> String {
    let bytes = size::show(item.bytes);
    let seconds = item.elapsed.as_secs_f64();
    let time = if seconds < 10.0 { format!("{seconds:.1} s") } else { clock(item.elapsed) };
    if item.files > 0 && item.files_skipped == item.files {
        return format!("{}: left as it was", item.name);
    }
    let held = if item.held > 0 { format!(", {} were there already", size::show(item.held)) } else { String::new() };
    let (verb, stays) = match item.source {
        AfterCopy::Keep => ("Copied", String::new()),
        AfterCopy::Remove => ("Moved", format!("; {}", left_behind(item))),
    };
    let files = count(item.files.saturating_sub(item.files_skipped), "file");
    let what = match (item.files, item.root) {
        (0, _) => files,
        (1, Some(_)) => "proven".to_owned(),
        _ if item.files_skipped > 0 => format!("{files} proven, {} skipped", grouped(item.files_skipped)),
        _ => format!("{files} proven"),
    };
    format!("{verb} {}: {what}, {bytes}, {time}{held}{stays}", item.name)
}

/// What of a move is still at its source, and why.
fn left_behind(item: &ItemStatus) -> String {
    match (item.files_skipped, item.directories_left) {
        (0, 0) => "nothing is left behind".to_owned(),
        (0, 1) => format!("1 directory stays: {}", item.note),
        (0, left) => format!("{} stay: {}", count(left, "directory"), item.note),
        (1, _) => "the skipped one stays".to_owned(),
        _ => "the skipped ones stay".to_owned(),
    }
}
