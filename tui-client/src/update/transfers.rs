//! The dialogs about several transfers: those left over from the last time, and ending them.

use super::{Command, Effect, push, queue};
use crate::app::board::{Choice, unfinished};
use crate::app::dialog::{Dialog, Kind};
use crate::app::{App, Tone};
use crate::engine::Restored;
use crate::engine::status::ItemId;

/// A server's queue was taken up from the last time.
pub(super) fn restored(app: &mut App, restored: Restored) {
    if !restored.items.is_empty() {
        push(app, Kind::Restored(restored.items));
    }
    if let Some(text) = restored.told {
        app.tell(Tone::Bad, text);
    }
}

/// Does what a button of the front dialog is for.
pub(super) fn choose(app: &mut App, choice: Choice, out: &mut Vec<Effect>) {
    let Some(Dialog { kind, .. }) = app.dialogs.pop() else { return };
    let (ids, quits) = match kind {
        Kind::Restored(ids) | Kind::Stop(ids) => (ids, false),
        Kind::Drop { ids, quits } => (ids, quits),
        Kind::Quit => (unfinished(&app.status).map(|item| item.id).collect(), true),
        _ => return,
    };
    match choice {
        Choice::GoOn => command(&ids, &[Command::Resume], out),
        Choice::Pause => command(&ids, &[Command::Pause], out),
        Choice::Cancel => command(&ids, &[Command::Cancel], out),
        Choice::Discard => command(&ids, &[Command::Discard], out),
        Choice::Review => queue::focus(app),
        Choice::Drop => push(app, Kind::Drop { ids, quits }),
        Choice::DropNow => {
            command(&ids, &[Command::Cancel, Command::Forget], out);
            if quits {
                out.push(Effect::Quit);
            }
        }
    }
}

fn command(ids: &[ItemId], commands: &[Command], out: &mut Vec<Effect>) {
    out.extend(ids.iter().flat_map(|id| commands.iter().map(|command| Effect::Queue(*id, *command))));
}
