//! The engine's questions: when they open, and how far an answer reaches.

use super::Effect;
use crate::app::App;
use crate::app::dialog::{Dialog, Kind};
use crate::engine::status::{IfExists, ItemId, Question, Reply};

/// The dialog of a question. The keys are on `Later`: it may have opened by itself under somebody's hands.
pub(super) fn decide(question: Question) -> Dialog {
    Dialog { focus: 1, ..Dialog::new(Kind::Decide { question, for_all: false }) }
}

/// The oldest question opens by itself when nothing else is open and nothing is being typed.
pub(super) fn open(app: &mut App) {
    if !app.dialogs.is_empty() || app.here().search.is_some() || app.viewer.is_some() {
        return;
    }
    let quiet = |id| app.put_off.contains(id) || app.answered.contains(id);
    let question = app.status.questions.iter().find(|question| !quiet(&question.id)).cloned();
    if let Some(question) = question {
        app.dialogs.push(decide(question));
    }
}

/// Answers a question; an answer for all is kept for everything that was copied along with it.
pub(super) fn answer(app: &mut App, question: &Question, reply: Reply, out: &mut Vec<Effect>) {
    app.answered.insert(question.id);
    out.push(Effect::Answer(question.id, reply));
    if reply.for_all {
        if let Some(copy) = copy_of(app, question.item) {
            copy.answer = Some(reply.answer);
        }
        let same = app.status.questions.iter().filter(|other| other.item == question.item);
        app.answered.extend(same.map(|other| other.id));
        answer_copies(app, out);
    }
}

/// Answers what the person has answered already, for a whole copy.
pub(super) fn answer_copies(app: &mut App, out: &mut Vec<Effect>) {
    for Question { id, item, .. } in app.status.clone().questions.iter() {
        let kept: Option<IfExists> = copy_of(app, *item).and_then(|copy| copy.answer);
        if let Some(answer) = kept
            && app.answered.insert(*id)
        {
            out.push(Effect::Answer(*id, Reply { answer, for_all: true }));
        }
    }
}

/// The last copy that the item was queued by.
fn copy_of(app: &mut App, item: ItemId) -> Option<&mut crate::app::Copying> {
    let job = app.status.items.iter().find(|row| row.id == item).map(|row| &row.job)?;
    app.copies.iter_mut().rev().find(|copy| copy.jobs.contains(job))
}
