//! Decisions: the list of them, what its keys do, and how far an answer reaches. None opens by itself: a
//! notice tells that some wait.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use wire::path::escape;

use super::{Command, Effect, push};
use crate::app::decisions::{self, Deed};
use crate::app::dialog::{Dialog, Kind, Prompt};
use crate::app::face::{Face, Press};
use crate::app::field::Field;
use crate::app::{App, Tone};
use crate::engine::status::{About, IfExists, ItemId, Job, Question, QuestionId, Remedy, Reply};

/// Opens the list.
pub(super) fn open_list(app: &mut App) {
    if decisions::open(app).next().is_none() {
        return app.tell(Tone::Plain, "Nothing waits for a decision");
    }
    if !app.dialogs.iter().any(|dialog| matches!(dialog.kind, Kind::Decisions)) {
        app.decisions.rows = 0;
        push(app, Kind::Decisions);
    }
}

/// Opens the list at the first decision of an item; tells whether it has one.
pub(super) fn open_item(app: &mut App, item: ItemId) -> bool {
    let first = decisions::open(app).position(|question| question.item == item);
    let Some((row, question)) = first.and_then(|row| Some((row, decisions::open(app).nth(row)?.clone()))) else {
        return false;
    };
    app.decisions.cursor = Some((question.id, row));
    if decisions::open(app).filter(|other| other.item == item).count() == 1 {
        push(app, decide(question));
    } else {
        open_list(app);
    }
    true
}

fn decide(question: Question) -> Kind {
    Kind::Decide { question, for_all: false }
}

/// Keys of the list and of one decision beyond those of every dialog; tells whether it was one.
pub(super) fn press(app: &mut App, key: KeyEvent, face: &Face, out: &mut Vec<Effect>) -> bool {
    let Some(dialog) = app.dialogs.last() else { return false };
    let (is_list, focus) = (matches!(dialog.kind, Kind::Decisions), dialog.focus);
    if !is_list && !matches!(dialog.kind, Kind::Decide { .. }) {
        return false;
    }
    let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    if let KeyCode::Char(letter) = key.code
        && plain
    {
        let is_meant = |press: Press| matches!(press, Press::Deed(deed) if deed.key() == letter.to_ascii_lowercase());
        if let Some(Press::Deed(deed)) =
            face.controls.iter().map(|control| control.press).find(|press| is_meant(*press))
        {
            act(app, deed, out);
            return true;
        }
    }
    is_list && list_key(app, key, focus, face)
}

/// The cursor goes by rows, whatever has the keys; the buttons are reached by Tab and the sides.
fn list_key(app: &mut App, key: KeyEvent, focus: usize, face: &Face) -> bool {
    let rows = decisions::open(app).count();
    let row = app.decisions.cursor.map_or(0, |(_, row)| row);
    let page = (face.window.1 / 3).max(1);
    let to = match key.code {
        KeyCode::Up => row.saturating_sub(1),
        KeyCode::Down => row + 1,
        KeyCode::PageUp => row.saturating_sub(page),
        KeyCode::PageDown => row + page,
        KeyCode::Home => 0,
        KeyCode::End => rows,
        KeyCode::Char(' ') | KeyCode::Insert => {
            mark(app);
            row + 1
        }
        KeyCode::Char('*' | 'a') => return mark_all(app),
        KeyCode::Tab | KeyCode::BackTab | KeyCode::Right | KeyCode::Left => {
            return to_buttons(app, key.code, focus, rows, face.controls.len());
        }
        _ => return false,
    };
    put_cursor(app, to.min(rows.saturating_sub(1)));
    true
}

/// From the rows to the first button, from one to the next, and back to the rows at the ends.
fn to_buttons(app: &mut App, key: KeyCode, focus: usize, rows: usize, controls: usize) -> bool {
    let row = app.decisions.cursor.map_or(0, |(_, row)| row);
    let is_forward = matches!(key, KeyCode::Tab | KeyCode::Right);
    let next = match (focus < rows, is_forward) {
        (true, true) => rows,
        (true, false) => controls.saturating_sub(1),
        (false, true) => focus + 1,
        (false, false) => focus.saturating_sub(1),
    };
    if let Some(dialog) = app.dialogs.last_mut() {
        dialog.focus = if (rows..controls).contains(&next) { next } else { row };
    }
    true
}

fn mark(app: &mut App) {
    if let Some((id, _)) = app.decisions.cursor
        && !app.decisions.marks.remove(&id)
    {
        app.decisions.marks.insert(id);
    }
}

/// Puts the cursor on a row of the list and marks it, if the control is one.
pub(super) fn mark_at(app: &mut App, face: &Face, index: usize) {
    if matches!(face.controls.get(index).map(|control| control.press), Some(Press::Decision(_))) {
        put_cursor(app, index);
        mark(app);
    }
}

/// Marks all, or none when all are marked.
fn mark_all(app: &mut App) -> bool {
    let all = decisions::open(app).map(|question| question.id).collect();
    let is_all = app.decisions.marks == all;
    app.decisions.marks = if is_all { Default::default() } else { all };
    true
}

fn put_cursor(app: &mut App, row: usize) {
    let id = decisions::open(app).nth(row).map(|question| question.id);
    app.decisions.cursor = id.map(|id| (id, row));
    if let Some(dialog) = app.dialogs.last_mut() {
        dialog.focus = row;
    }
}

/// A row was chosen: its decision opens in front of the list.
pub(super) fn open_one(app: &mut App, id: QuestionId) {
    let row = decisions::open(app).position(|question| question.id == id);
    if let (Some(row), Some(question)) = (row, decisions::find(app, id).cloned()) {
        app.decisions.cursor = Some((id, row));
        push(app, decide(question));
    }
}

/// Does something about what the front dialog is about: one decision, or those that are chosen in the list.
pub(super) fn act(app: &mut App, deed: Deed, out: &mut Vec<Effect>) {
    let (questions, for_all) = match app.dialogs.last().map(|dialog| &dialog.kind) {
        Some(Kind::Decide { question, for_all }) => (vec![question.clone()], *for_all),
        Some(Kind::Decisions) => (decisions::chosen(app).into_iter().cloned().collect(), false),
        _ => return,
    };
    if let (Deed::Name, [question]) = (deed, questions.as_slice())
        && !for_all
    {
        return ask_name(app, question);
    }
    app.dialogs.retain(|dialog| !matches!(dialog.kind, Kind::Decide { .. }));
    let before = decisions::number(app);
    for question in &questions {
        settle(app, question, deed, for_all, out);
    }
    told(app, before);
}

fn ask_name(app: &mut App, question: &Question) {
    let name = match &question.job {
        Job::Up { target, .. } => escape(target.name()),
        Job::Down { target, .. } => {
            use std::os::unix::ffi::OsStrExt;
            target.file_name().map(|name| escape(name.as_bytes())).unwrap_or_default()
        }
    };
    push(app, Kind::Prompt(Prompt::KeepBoth(Box::new(question.clone())), Field::new(name)));
}

/// Keeps both, under the name that was typed.
pub(super) fn name(app: &mut App, question: &Question, typed: &str, out: &mut Vec<Effect>) -> Result<(), String> {
    let is_name = !typed.is_empty() && typed != "." && typed != ".." && !typed.contains(['/', '\0']);
    if !is_name || typed.len() > wire::path::MAX_NAME {
        return Err("Type a single name".to_owned());
    }
    if question.target.rsplit('/').next() == Some(typed) {
        return Err(format!("{} is the name that exists: type another one", escape(typed.as_bytes())));
    }
    app.dialogs.retain(|dialog| !matches!(dialog.kind, Kind::Decide { .. }));
    let before = decisions::number(app);
    app.decisions.answered.insert(question.id);
    out.push(Effect::Remedy(question.id, Remedy::Name(typed.as_bytes().to_vec())));
    told(app, before);
    Ok(())
}

/// Decides one, or with it all of its copy that is like it; what makes no sense for it leaves it open.
fn settle(app: &mut App, question: &Question, deed: Deed, for_all: bool, out: &mut Vec<Effect>) {
    let refused = matches!(question.about, About::Refused(_));
    match deed {
        Deed::Answer(IfExists::Skip) | Deed::Leave if refused => {
            remedy(app, question, |all| Remedy::Leave { all }, for_all, out);
        }
        Deed::Again if refused => remedy(app, question, |all| Remedy::Again { all }, for_all, out),
        Deed::Cancel if refused => {
            let same: Vec<QuestionId> =
                decisions::open(app).filter(|other| other.item == question.item).map(|other| other.id).collect();
            app.decisions.answered.extend(same);
            out.push(Effect::Queue(question.item, Command::Cancel));
        }
        Deed::Answer(answer) if !refused => self::answer(app, question, Reply { answer, for_all }, out),
        Deed::Name if !refused => {
            self::answer(app, question, Reply { answer: IfExists::Rename, for_all }, out);
        }
        Deed::Leave if !refused => {
            self::answer(app, question, Reply { answer: IfExists::Skip, for_all }, out);
        }
        _ => {}
    }
}

fn remedy(app: &mut App, question: &Question, remedy: impl Fn(bool) -> Remedy, for_all: bool, out: &mut Vec<Effect>) {
    if app.decisions.answered.insert(question.id) {
        out.push(Effect::Remedy(question.id, remedy(for_all)));
    }
    if !for_all {
        return;
    }
    let code = |question: &Question| question.refusal().map(|fault| fault.code);
    let is_like = |other: &&Question| code(other) == code(question) && decisions::is_of_one_copy(app, question, other);
    let like: Vec<(QuestionId, ItemId)> =
        decisions::open(app).filter(is_like).map(|other| (other.id, other.item)).collect();
    let mut items = vec![question.item];
    for (id, item) in like {
        app.decisions.answered.insert(id);
        // One word is enough for each item.
        if !items.contains(&item) {
            items.push(item);
            out.push(Effect::Remedy(id, remedy(true)));
        }
    }
}

/// Answers a question; an answer for all is kept for everything that was copied along with it.
fn answer(app: &mut App, question: &Question, reply: Reply, out: &mut Vec<Effect>) {
    if !app.decisions.answered.insert(question.id) {
        return;
    }
    out.push(Effect::Answer(question.id, reply));
    if reply.for_all {
        if let Some(copy) = copy_of(app, question.item) {
            copy.answer = Some(reply.answer);
        }
        let conflicts = app.status.questions.iter().filter(|other| other.existing().is_some());
        let same = conflicts.filter(|other| other.item == question.item);
        app.decisions.answered.extend(same.map(|other| other.id));
        answer_copies(app, out);
    }
}

/// Answers what the person has answered already, for a whole copy.
fn answer_copies(app: &mut App, out: &mut Vec<Effect>) {
    for Question { id, item, about, .. } in app.status.clone().questions.iter() {
        let kept: Option<IfExists> = copy_of(app, *item).and_then(|copy| copy.answer);
        if let (Some(answer), About::Exists(_)) = (kept, about)
            && app.decisions.answered.insert(*id)
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

/// Takes up a new status, which had `before` open ones: tells of new ones, and forgets those that are gone.
pub(super) fn follow(app: &mut App, before: u64, out: &mut Vec<Effect>) {
    answer_copies(app, out);
    let status = app.status.clone();
    let is_there = |id: &QuestionId| status.questions.iter().any(|question| question.id == *id);
    app.decisions.answered.retain(is_there);
    app.decisions.marks.retain(is_there);
    app.decisions.compared.retain(|id, _| is_there(id));
    app.dialogs.retain(|dialog| match &dialog.kind {
        Kind::Decide { question, .. } => is_there(&question.id),
        Kind::Prompt(Prompt::KeepBoth(question), _) => is_there(&question.id),
        _ => true,
    });
    let now = decisions::number(app);
    if now > before {
        app.tell(Tone::Bad, format!("{}: Ctrl-D", decisions::wait(now)));
    }
}

/// Tells what is left after some were decided.
fn told(app: &mut App, before: u64) {
    let now = decisions::number(app);
    let done = match before.saturating_sub(now) {
        0 => return app.tell(Tone::Plain, "That is no answer to what is chosen"),
        1 => "Decided".to_owned(),
        more => format!("Decided {more}"),
    };
    let left = if now == 0 { String::new() } else { format!(", {}: Ctrl-D", decisions::wait(now)) };
    app.tell(Tone::Plain, done + &left);
}

/// Keeps the list's cursor on its decision while others come and go, and the keys on what had them. The
/// list closes when nothing is left in it.
pub(super) fn settle_list(app: &mut App) {
    let Some(at) = app.dialogs.iter().position(|dialog| matches!(dialog.kind, Kind::Decisions)) else { return };
    let ids: Vec<QuestionId> = decisions::open(app).map(|question| question.id).collect();
    if ids.is_empty() {
        app.dialogs.remove(at);
        app.decisions.marks.clear();
        return;
    }
    let (before, rows) = (std::mem::replace(&mut app.decisions.rows, ids.len()), ids.len());
    let kept = app.decisions.cursor.and_then(|(id, _)| ids.iter().position(|other| *other == id));
    let row = kept.unwrap_or_else(|| app.decisions.cursor.map_or(0, |(_, row)| row).min(rows - 1));
    app.decisions.cursor = ids.get(row).map(|id| (*id, row));
    if let Some(Dialog { focus, .. }) = app.dialogs.get_mut(at) {
        *focus = if before > 0 && *focus >= before { *focus - before + rows } else { row };
    }
}
