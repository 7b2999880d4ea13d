//! The contents of both sides of the decision that is looked at are compared behind it, when their sizes
//! are equal and the server has no record of one: here the file is read, there the server is asked.

use wire::{Fault, Root};

use super::Effect;
use crate::app::App;
use crate::app::decisions::{Compared, Comparing, find};
use crate::app::dialog::Kind;
use crate::app::place::Place;
use crate::engine::status::{Job, Question, QuestionId};

/// Begins what is to be compared now, and stops what is no longer looked at.
pub(super) fn follow(app: &mut App, out: &mut Vec<Effect>) {
    let wanted = looked_at(app).filter(|id| !app.decisions.compared.contains_key(id));
    if app.decisions.comparing.as_ref().map(|comparing| comparing.id) == wanted {
        return;
    }
    if let Some(old) = app.decisions.comparing.take() {
        out.extend([Effect::StopCount(old.here), Effect::StopCount(old.there)]);
    }
    let Some(question) = wanted.and_then(|id| find(app, id).cloned()) else { return };
    let (here, there) = (app.next_serial(), app.next_serial());
    let (local, remote) = places(&question.job);
    out.push(Effect::Hash { serial: here, place: local });
    out.push(Effect::Hash { serial: there, place: remote });
    app.decisions.comparing = Some(Comparing { id: question.id, here, there, done: 0, first: None });
}

pub(super) fn hashing(app: &mut App, serial: u64, read: u64) {
    if let Some(comparing) = app.decisions.comparing.as_mut().filter(|comparing| comparing.here == serial) {
        comparing.done = read;
    }
}

/// One side is known: the other is waited for, or compared with. Where one cannot be had, nothing is told.
pub(super) fn hashed(app: &mut App, serial: u64, result: &Result<Root, Fault>, out: &mut Vec<Effect>) {
    let Some(comparing) = &mut app.decisions.comparing else { return };
    if serial != comparing.here && serial != comparing.there {
        return;
    }
    let found = match (result, comparing.first) {
        (Ok(root), None) => {
            comparing.first = Some(*root);
            return;
        }
        (Ok(root), Some(first)) if *root == first => Compared::Same,
        (Ok(_), Some(_)) => Compared::Other,
        (Err(_), _) => Compared::Unknown,
    };
    let Comparing { id, here, there, .. } = *comparing;
    if found == Compared::Unknown {
        out.extend([Effect::StopCount(here), Effect::StopCount(there)]);
    }
    app.decisions.comparing = None;
    app.decisions.compared.insert(id, found);
}

/// The decision in front, or under the cursor of the list, if its contents may be equal and nobody knows.
fn looked_at(app: &App) -> Option<QuestionId> {
    let id = match &app.dialogs.last()?.kind {
        Kind::Decide { question, .. } => question.id,
        Kind::Decisions => app.decisions.cursor?.0,
        _ => return None,
    };
    let question = find(app, id)?;
    let target = question.existing()?;
    let source = &question.source_side;
    let is_open = source.size == target.size && remote_root(question).is_none() && app.is_online();
    is_open.then_some(id)
}

fn remote_root(question: &Question) -> Option<Root> {
    match question.job {
        Job::Up { .. } => question.existing()?.root,
        Job::Down { .. } => question.source_side.root,
    }
}

fn places(job: &Job) -> (Place, Place) {
    match job {
        Job::Up { source, target } => (Place::Local(source.clone()), Place::Remote(target.clone())),
        Job::Down { source, target } => (Place::Local(target.clone()), Place::Remote(source.clone())),
    }
}
