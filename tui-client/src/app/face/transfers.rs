//! What the dialogs about several transfers say: those left over from the last time, and leaving them now.

use wire::size;

use super::{Draft, Press};
use crate::app::board::{Choice, extent, unfinished};
use crate::app::text::{clip, count};
use crate::app::{App, Tone};
use crate::engine::status::{ItemId, Keep};

/// At the start: what was not finished the last time.
pub(super) fn restored(app: &App, ids: &[ItemId]) -> Draft {
    let were = if ids.len() == 1 { "was" } else { "were" };
    let text = format!("{}{} {were} not finished the last time.", count(ids.len() as u64, "transfer"), left(app, ids));
    let mut draft = Draft::new(app, "Go on?").text(&text).text("");
    for item in app.status.items.iter().filter(|item| ids.contains(&item.id)).take(NAMES) {
        let name = clip(&format!("  {}", item.name), draft.width);
        draft = draft.toned(&name, Tone::Good);
    }
    if ids.len() > NAMES {
        draft = draft.text(&format!("  and {} more", ids.len() - NAMES));
    }
    draft
        .text("")
        .text("What is proven is not sent again. Esc: they wait in the queue (F2).")
        .button("Resume all", Press::Transfers(Choice::GoOn))
        .button("Review", Press::Transfers(Choice::Review))
        .button("Discard…", Press::Transfers(Choice::Drop))
}

/// What becomes of items that are not over.
pub(super) fn stopping(app: &App, ids: &[ItemId]) -> Draft {
    let things = count(ids.len() as u64, "transfer");
    let name = app.status.items.iter().find(|item| ids == [item.id].as_slice()).map(|item| item.name.clone());
    let title = if ids.len() == 1 { "Stop?".to_owned() } else { format!("Stop {things}?") };
    let draft = Draft::new(app, title);
    let draft = match name {
        Some(name) => draft.toned(&name, Tone::Good),
        None => draft,
    };
    draft
        .text(&format!("Not finished: {things}{}.", left(app, ids)))
        .text("What was kept of a cancelled one is used by the next copy of it. Whole files stay in any case.")
        .button("Go on", Press::Transfers(Choice::GoOn))
        .button("Pause", Press::Transfers(Choice::Pause))
        .button("Cancel, keep parts", Press::Transfers(Choice::Cancel))
        .button("Cancel, delete parts", Press::Transfers(Choice::Discard))
}

/// Before items come off the list unfinished.
pub(super) fn dropping(app: &App, ids: &[ItemId], quits: bool) -> Draft {
    let things = count(ids.len() as u64, "transfer");
    let title = if quits { format!("Drop {things} and quit?") } else { format!("Drop {things}?") };
    Draft::new(app, title)
        .text(&format!("{things}{} will not go on by themselves, now or at the next start.", left(app, ids)))
        .text("")
        .text("Sources are not touched. What has arrived of an unfinished file stays for a later copy of it.")
        .dangerous()
        .button("Keep", Press::Close)
        .button("Drop", Press::Transfers(Choice::DropNow))
}

pub(super) fn quit(app: &App) -> Draft {
    let transfers = unfinished(&app.status).count() as u64;
    let left: Vec<String> = [(transfers, "transfer"), (app.working as u64, "file operation")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| count(number, noun))
        .collect();
    let text = match left.as_slice() {
        [] => "Nothing is left to do.".to_owned(),
        left => format!("Not finished: {}.", left.join(" and ")),
    };
    let draft = Draft::new(app, "Quit?").text(&text);
    let draft = match &app.status.keep {
        Keep::Kept if transfers > 0 => draft
            .text("The queue is left for the next start, which asks whether to go on from there.")
            .button("Stay", Press::Close)
            .button("Quit, leave the queue", Press::Accept),
        Keep::Failed(reason) if transfers > 0 => draft
            .toned(&format!("The queue cannot be kept for the next start: {reason}"), Tone::Bad)
            .text("What has arrived is kept: the same copy goes on from there.")
            .button("Stay", Press::Close)
            .button("Quit", Press::Accept),
        _ => draft
            .text("What has arrived is kept: the same copy goes on from there.")
            .button("Stay", Press::Close)
            .button("Quit", Press::Accept),
    };
    let may_drop = transfers > 0 && app.status.keep == Keep::Kept;
    if may_drop { draft.button("Drop the queue…", Press::Transfers(Choice::Drop)) } else { draft }
}

/// `, 1.2 GiB of them,` where it is known.
fn left(app: &App, ids: &[ItemId]) -> String {
    match extent(&app.status, ids) {
        extent if extent.left == 0 => String::new(),
        extent => format!(" ({}{})", if extent.at_least { "at least " } else { "" }, size::show(extent.left)),
    }
}

/// Named in the question at the start.
const NAMES: usize = 4;
