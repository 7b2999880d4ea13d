//! Comparing and synchronising: the dialogs before, what a scan finds, and the keys of the checklist.

use std::sync::Arc;

use wire::Fault;
use wire::path::escape;

use super::{Effect, Wish, marking, push, reads};
use crate::action::{Action, Deed, Scope};
use crate::app::checklist::Checklist;
use crate::app::dialog::{Dialog, Kind};
use crate::app::layout::{self, Layout};
use crate::app::pairing::{Pairing, Purpose};
use crate::app::text::{count, grouped};
use crate::app::{App, Session, Tone};
use crate::sync::carry::Carried;
use crate::sync::ground::Removal;
use crate::sync::mode::Mode;
use crate::sync::orders::Totals;
use crate::sync::plan::{self, Plan};
use crate::sync::scan::Progress;

/// What a scan has to tell.
#[derive(Clone, Debug)]
pub enum Compared {
    /// How far it is, and what it has so far.
    Partly(Plan, Progress),
    /// All there is.
    Whole(Plan, Progress),
    /// Why there is no plan.
    Failed(Fault),
}

/// Asks how the two panes are to be compared, or made alike.
pub(super) fn ask(app: &mut App, purpose: Purpose) {
    if app.left.place == app.right.place {
        return app.tell(Tone::Bad, "Both panes show the same directory");
    }
    let is_nested = app.left.place.is_within(&app.right.place) || app.right.place.is_within(&app.left.place);
    if purpose == Purpose::Synchronise && is_nested {
        return app.tell(Tone::Bad, "One directory lies in the other: they cannot be made alike");
    }
    let needs_server = !app.left.place.is_local() || !app.right.place.is_local();
    if needs_server && !matches!(app.session, Session::Online(_)) {
        return app.tell(Tone::Bad, "Not connected: Ctrl-N connects to a server");
    }
    let kept = app.lists.modes.get(usize::from(purpose == Purpose::Synchronise)).copied();
    let mode = kept.unwrap_or_default();
    let pairing = Pairing { purpose, mode };
    // Enter goes on with what is set; the choices are above.
    let focus = pairing.picks().len();
    app.dialogs.push(Dialog { focus, ..Dialog::new(Kind::Pairing(pairing)) });
}

/// Begins what the dialog is for.
pub(super) fn begin(app: &mut App, pairing: Pairing, out: &mut Vec<Effect>) {
    app.dialogs.pop();
    if let Some(mode) = app.lists.modes.get_mut(usize::from(pairing.purpose == Purpose::Synchronise)) {
        *mode = pairing.mode;
    }
    let serial = app.next_serial();
    let (left, right, mode) = (app.left.place.clone(), app.right.place.clone(), pairing.mode);
    match pairing.purpose {
        Purpose::Compare => push(app, Kind::Comparing { serial, progress: Progress::default() }),
        Purpose::Synchronise => {
            stop(app, out);
            app.lists.checklist = Some(Checklist::new(serial, left.clone(), right.clone(), mode));
            app.focus = Scope::Plan;
            app.tell(Tone::Plain, HINTS);
        }
    }
    out.push(Effect::Scan { serial, left, right, mode });
}

pub(super) fn told(app: &mut App, serial: u64, told: Compared, out: &mut Vec<Effect>) {
    if let Some(list) = app.lists.checklist.as_mut().filter(|list| list.serial == serial) {
        return settle(list, told).into_iter().for_each(|fault| {
            app.lists.checklist = None;
            app.focus = Scope::Panes;
            app.tell_fault("Cannot compare", &fault);
        });
    }
    let comparing = |kind: &Kind| matches!(kind, Kind::Comparing { serial: of, .. } if *of == serial);
    let Some(at) = app.dialogs.iter().position(|dialog| comparing(&dialog.kind)) else { return };
    match told {
        Compared::Partly(_, now) => {
            if let Some(Kind::Comparing { progress, .. }) = app.dialogs.get_mut(at).map(|dialog| &mut dialog.kind) {
                *progress = now;
            }
        }
        Compared::Whole(plan, progress) => {
            app.dialogs.remove(at);
            marking::mark_differing(app, &plan, progress.unread, out);
        }
        Compared::Failed(fault) => {
            app.dialogs.remove(at);
            app.tell_fault("Cannot compare", &fault);
        }
    }
}

fn settle(list: &mut Checklist, told: Compared) -> Option<Fault> {
    let (plan, progress, over) = match told {
        Compared::Partly(plan, progress) => (plan, progress, false),
        Compared::Whole(plan, progress) => (plan, progress, true),
        // What is there can still be looked at.
        Compared::Failed(fault) if list.is_empty() => return Some(fault),
        Compared::Failed(_) => {
            (list.scanning, list.partial) = (None, true);
            return None;
        }
    };
    list.settle(plan);
    (list.scanning, list.unread) = ((!over).then_some(progress), progress.unread);
    None
}

/// Runs an action on the checklist; tells whether it was one for it.
pub(super) fn run(app: &mut App, action: Action, out: &mut Vec<Effect>) -> bool {
    let page = isize::try_from(height(app).saturating_sub(1).max(1)).unwrap_or(1);
    let Some(list) = app.lists.checklist.as_mut() else { return false };
    match action {
        Action::Up => list.step(-1),
        Action::Down => list.step(1),
        Action::PageUp => list.step(-page),
        Action::PageDown => list.step(page),
        Action::First => list.step(isize::MIN),
        Action::Last => list.step(isize::MAX),
        Action::Mark => {
            list.toggle_mark();
            list.step(1);
        }
        Action::InvertMarks => list.invert_marks(),
        Action::Reread => again(app, out),
        Action::Escape => leave(app, out),
        Action::Plan(deed) => act(app, deed),
        _ => return false,
    }
    true
}

fn act(app: &mut App, deed: Deed) {
    let wanted = match deed {
        Deed::Run => return ask_to_run(app),
        Deed::Filter => {
            let Some(list) = app.lists.checklist.as_mut() else { return };
            list.show(list.filter.next());
            let text = format!("Showing {}: {}", list.filter.words(), count(list.len() as u64, "row"));
            return app.tell(Tone::Plain, text);
        }
        Deed::Options => return ask(app, Purpose::Synchronise),
        Deed::CopyRight => Some(plan::Action::CopyRight),
        Deed::CopyLeft => Some(plan::Action::CopyLeft),
        Deed::DeleteLeft => Some(plan::Action::DeleteLeft),
        Deed::DeleteRight => Some(plan::Action::DeleteRight),
        Deed::Skip => Some(plan::Action::Skip),
        Deed::Proposal => None,
    };
    let Some(list) = app.lists.checklist.as_mut() else { return };
    match list.decide(wanted) {
        (0, Some(reason)) => app.tell(Tone::Bad, format!("Not possible: {reason}")),
        (taken, Some(reason)) => {
            app.tell(Tone::Plain, format!("{} changed; not the others: {reason}", count(taken as u64, "row")));
        }
        (taken, None) if taken > 1 => app.tell(Tone::Plain, format!("{} changed", count(taken as u64, "row"))),
        (_, None) => {
            list.step(1);
        }
    }
}

fn ask_to_run(app: &mut App) {
    let Some(list) = &app.lists.checklist else { return };
    if list.scanning.is_some() {
        return app.tell(Tone::Bad, "Still comparing: Esc stops and leaves what was found");
    }
    if list.totals.is_nothing() {
        return app.tell(Tone::Plain, "Nothing is to be done");
    }
    let totals: Totals = list.totals;
    let removal = if app.undo.trash.is_some() { Removal::ToTrash } else { Removal::ForGood };
    push(app, Kind::Carry(totals, removal));
}

/// The person said yes: everything planned is done.
pub(super) fn carry(app: &mut App, removal: Removal, out: &mut Vec<Effect>) {
    app.dialogs.pop();
    let Some(list) = app.lists.checklist.take() else { return };
    app.focus = Scope::Panes;
    let serial = app.next_serial();
    app.lists.carrying = Some(serial);
    app.working += 1;
    app.tell(Tone::Plain, "Synchronising…, Esc stops");
    let actions = Arc::new(list.actions());
    out.push(Effect::Carry { serial, plan: list.plan, actions, left: list.left, right: list.right, removal });
}

/// How many tasks are done.
pub(super) fn carrying(app: &mut App, serial: u64, done: u64, all: u64) {
    if app.lists.carrying == Some(serial) {
        app.show_progress(format!("Synchronising: {} of {}, Esc stops", grouped(done), count(all, "change")));
    }
}

/// Stops what is not done by the queue; tells whether there was something.
pub(super) fn stop_carrying(app: &mut App, out: &mut Vec<Effect>) -> bool {
    let Some(serial) = app.lists.carrying.take() else { return false };
    app.working = app.working.saturating_sub(1);
    out.push(Effect::StopRead(serial));
    app.tell(Tone::Plain, "Stopped: what was done stays done, files in the queue go on");
    reads::out_of_date(app, |_| true, out);
    true
}

/// What is not done by the queue is over.
pub(super) fn carried(app: &mut App, serial: u64, carried: Result<(Carried, u64), Fault>, out: &mut Vec<Effect>) {
    // Stopped or not, something may be in the trash now.
    if app.undo.trash.is_some() {
        out.push(Effect::Trash(Wish::State));
    }
    if app.lists.carrying != Some(serial) {
        return;
    }
    app.lists.carrying = None;
    app.working = app.working.saturating_sub(1);
    let (carried, queued) = match carried {
        Ok(carried) => carried,
        Err(fault) => return app.tell_fault("Not synchronised", &fault),
    };
    let mut parts = Vec::new();
    if queued > 0 {
        parts.push(format!("{} in the queue", count(queued, "file")));
    }
    if carried.deleted > 0 {
        let kept = match carried.trashed.len() {
            0 => String::new(),
            number => format!(" ({} in the trash)", grouped(number as u64)),
        };
        parts.push(format!("{} deleted{kept}", count(carried.deleted, "thing")));
    }
    if carried.done > carried.deleted {
        parts.push(format!("{} made or copied", count(carried.done - carried.deleted, "thing")));
    }
    let told = if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") };
    match carried.failed.first() {
        None => app.tell(Tone::Good, format!("Synchronising: {told}")),
        Some((task, fault)) => {
            let failed = count(carried.failed.len() as u64, "thing");
            let first = format!("{}: {fault}", escape(&task.path));
            app.tell(Tone::Bad, format!("Synchronising: {told}; {failed} not done, the first {first}"));
        }
    }
    reads::out_of_date(app, |_| true, out);
}

/// Esc stops the scan; then it leaves.
fn leave(app: &mut App, out: &mut Vec<Effect>) {
    let Some(list) = app.lists.checklist.as_mut() else { return };
    if list.scanning.take().is_some() {
        list.partial = true;
        out.push(Effect::StopRead(list.serial));
        return app.tell(Tone::Plain, "Stopped comparing: only what is known of both sides is shown");
    }
    app.lists.checklist = None;
    app.focus = Scope::Panes;
    app.tell(Tone::Plain, "Nothing was changed");
}

/// Compares anew.
fn again(app: &mut App, out: &mut Vec<Effect>) {
    stop(app, out);
    let serial = app.next_serial();
    let Some(list) = app.lists.checklist.take() else { return };
    let (left, right, mode): (_, _, Mode) = (list.left, list.right, list.mode);
    app.lists.checklist = Some(Checklist::new(serial, left.clone(), right.clone(), mode));
    out.push(Effect::Scan { serial, left, right, mode });
}

fn stop(app: &mut App, out: &mut Vec<Effect>) {
    let scanning = app.lists.checklist.as_ref().filter(|list| list.scanning.is_some());
    out.extend(scanning.map(|list| Effect::StopRead(list.serial)));
}

/// Rows of the checklist that are on the screen.
fn height(app: &App) -> usize {
    if Layout::of(app).is_none() { 1 } else { usize::from(layout::checklist_rows(app.size).height) }
}

/// Scrolls so that the cursor is seen.
pub(super) fn keep_visible(app: &mut App) {
    let height = height(app);
    if let Some(list) = &mut app.lists.checklist {
        list.keep_visible(height);
    }
}

/// Compared when the checklist opens.
const HINTS: &str = "→ ← copy  l r delete left, right  s skip  f filter  Space mark  Enter run";
