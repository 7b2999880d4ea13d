//! Work within one side: what came of it, and the count shown before a deletion.

use wire::message::{Entry, Kind as EntryKind, RawPath, Time};
use wire::{Code, Fault};

use super::{Effect, Steps, Wish, Work, editing, marking, push, reads};
use crate::app::dialog::{Kind, Tally};
use crate::app::place::Place;
use crate::app::text;
use crate::app::{App, Tone};
use crate::entries::Picked;

/// Begins a piece of work; `more` is told of it.
pub(super) fn begin(app: &mut App, work: Work, more: &str, out: &mut Vec<Effect>) {
    (app.working, app.lists.works) = (app.working + 1, app.lists.works + 1);
    app.tell(Tone::Plain, format!("{}…{more}", sentence(&work, BEGINS)));
    out.push(Effect::Work(work));
}

/// Stops all that are under way; tells whether there was one.
pub(super) fn stop(app: &mut App, out: &mut Vec<Effect>) -> bool {
    if app.lists.works == 0 {
        return false;
    }
    out.push(Effect::StopWork);
    app.show_progress("Stopping…".to_owned());
    true
}

pub(super) fn ended(app: &mut App, work: Work, done: usize, fault: Option<Fault>, out: &mut Vec<Effect>) {
    (app.working, app.lists.works) = (app.working.saturating_sub(1), app.lists.works.saturating_sub(1));
    take_marks_off(app, &work, done, out);
    show_changes(app, &work, out);
    if matches!(work, Work::Trash(_)) {
        out.push(Effect::Trash(Wish::State));
    }
    match fault {
        None => {
            app.tell(Tone::Good, sentence(&work, ENDS));
            if let Work::NewFile(place) = &work {
                editing::made(app, place, out);
            }
        }
        Some(fault) if fault.code == Code::Exists && matches!(work, Work::Copy(_) | Work::Move(_)) => {
            push(app, Kind::Exists { work: work.rest(done), fault });
        }
        Some(fault) if fault.code == Code::Cancelled => {
            app.tell(Tone::Plain, format!("Stopped: {}, {} of {} done", sentence(&work, BEGINS), done, work.len()));
        }
        Some(fault) => app.tell_fault(sentence(&work, FAILS).as_str(), &fault),
    }
}

/// What was done is no longer marked; what was not stays so.
fn take_marks_off(app: &mut App, work: &Work, done: usize, out: &mut Vec<Effect>) {
    let (Work::Move(Steps { pairs, .. }) | Work::Copy(Steps { pairs, .. })) = work else { return };
    let Some(place) = pairs.first().and_then(|(from, _)| from.parent()) else { return };
    let done = pairs.iter().take(done).filter(|(from, _)| from.parent().as_ref() == Some(&place));
    let entries = done.map(|(from, _)| Entry { name: RawPath(from.name().to_vec()), ..NAMELESS });
    let entries: Vec<Entry> = entries.collect();
    marking::done(app, &place, Picked::all(entries.iter().collect()), out);
}

pub(super) fn counted(app: &mut App, serial: u64, tally: Tally) {
    for dialog in &mut app.dialogs {
        match &mut dialog.kind {
            Kind::Delete(deletion) if deletion.serial == serial => deletion.tally = Some(tally),
            Kind::Prompt(prompt, _) => {
                if let Some(counting) = prompt.counting_mut().filter(|counting| counting.serial == serial) {
                    counting.tally = tally;
                }
            }
            _ => {}
        }
    }
}

/// Reads the directories again in which something changed; the cursor goes to what is new.
fn show_changes(app: &mut App, work: &Work, out: &mut Vec<Effect>) {
    let new = match work {
        Work::MakeDirectory(place) | Work::NewFile(place) => Some(place),
        Work::Move(steps) => steps.pairs.first().map(|(_, to)| to).filter(|_| steps.pairs.len() == 1),
        Work::Remove(_) | Work::Trash(_) | Work::Copy(_) => None,
    };
    let mut parents: Vec<Place> = work.places().into_iter().filter_map(Place::parent).collect();
    parents.sort_by_key(Place::text);
    parents.dedup();
    for parent in parents {
        let land = new.filter(|place| place.parent().as_ref() == Some(&parent)).map(Place::name);
        reads::reread_showing(app, &parent, land, out);
    }
}

fn sentence(work: &Work, [make, delete, trash, moved, copy]: [&'static str; 5]) -> String {
    let (verb, places): (&str, Vec<&Place>) = match work {
        Work::MakeDirectory(place) | Work::NewFile(place) => (make, vec![place]),
        Work::Remove(places) => (delete, places.iter().collect()),
        Work::Trash(places) => (trash, places.iter().collect()),
        Work::Move(steps) => (moved, steps.pairs.iter().map(|(from, _)| from).collect()),
        Work::Copy(steps) => (copy, steps.pairs.iter().map(|(from, _)| from).collect()),
    };
    match places.as_slice() {
        [place] => format!("{verb} {}", wire::path::escape(place.name())),
        places => format!("{verb} {} things", text::grouped(places.len() as u64)),
    }
}

/// Stands for an entry of which only the name is of interest.
const NAMELESS: Entry = Entry {
    name: RawPath(Vec::new()),
    kind: EntryKind::File,
    size: 0,
    mtime: Time { secs: 0, nanos: 0 },
    executable: false,
    root: None,
};
/// Words for making, deleting, moving to the trash, moving and copying.
const BEGINS: [&str; 5] = ["Making", "Deleting", "Moving to the trash:", "Moving", "Copying"];
const ENDS: [&str; 5] = ["Made", "Deleted", "In the trash:", "Moved", "Copied"];
const FAILS: [&str; 5] = ["Not made", "Not deleted", "Not moved to the trash:", "Not moved", "Not copied"];
