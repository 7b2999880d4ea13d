//! What the dialogs of decisions say: one of them, and the list of all.

use wire::message::Usage;
use wire::size;

use super::{Draft, Press};
use crate::app::decisions::{self, Deed};
use crate::app::text::{self, Dates};
use crate::app::{App, Tone};
use crate::engine::status::{About, Direction, Question, Side};

/// One decision with all that is known, and its buttons.
pub(super) fn one(app: &App, question: &Question, for_all: bool) -> Draft {
    let place = match question.direction {
        Direction::Up => "at the server",
        Direction::Down => "on this machine",
    };
    let title = match &question.about {
        About::Exists(_) => format!("Exists {place}"),
        About::Refused(fault) => format!("Refused: {}", decisions::word(fault)),
    };
    let draft = Draft::new(app, title);
    let width = draft.width;
    let mut draft = draft.toned(&text::clip_left(&question.target, width), Tone::Good).text("");
    // Whose it is stays in sight on a low screen.
    draft.pinned = 1;
    for (line, tone) in facts(app, question, width) {
        draft = draft.toned(&line, tone);
    }
    let tick = if for_all { "[x]" } else { "[ ]" };
    draft = draft.text("").choice(format!("{tick} {}", same_for(app, question)), Press::ToggleForAll);
    if question.existing().is_some() {
        draft = draft.text("Update sends only blocks that differ. Esc: later, the rest goes on");
    } else {
        draft = draft.text("Esc: later, the rest goes on");
    }
    buttons(draft.button("Later", Press::Close), &[question])
}

/// All of them; what a deed is for is marked or under the cursor.
pub(super) fn list(app: &App) -> Draft {
    let open = decisions::number(app);
    let mut draft = Draft::new(app, format!("{}, the rest goes on", decisions::wait(open)));
    draft.width = usize::from(app.size.0.saturating_sub(6)).clamp(1, LIST_WIDEST);
    let width = draft.width;
    let chosen = decisions::chosen(app);
    for question in decisions::open(app) {
        draft = draft.choice(row(app, question, width), Press::Decision(question.id));
        for (line, tone) in facts(app, question, width.saturating_sub(INDENT)) {
            draft = draft.toned(&format!("    {line}"), tone);
        }
    }
    let listed = decisions::open(app).count() as u64;
    if open > listed {
        draft = draft.text(&format!("and {} more, shown when these are decided", text::grouped(open - listed)));
    }
    draft.tail = TAIL;
    let marks = app.decisions.marks.len();
    let hint = if marks > 0 { format!("for the {marks} marked") } else { "Space marks, * all".to_owned() };
    draft.hint = hint;
    buttons(draft, &chosen).button("Later", Press::Close)
}

/// `√↑ /photos/harbour-001.tif                exists`
fn row(app: &App, question: &Question, width: usize) -> String {
    let cursor = if app.decisions.cursor.is_some_and(|(id, _)| id == question.id) { '►' } else { ' ' };
    let mark = if app.decisions.marks.contains(&question.id) { '√' } else { ' ' };
    let way = match question.direction {
        Direction::Up => '↑',
        Direction::Down => '↓',
    };
    let word = question.refusal().map_or("exists", decisions::word);
    let room = width.saturating_sub(text::columns(word) + INDENT + 2);
    format!("{cursor}{mark}{way} {}  {word}", text::fit(&text::clip_left(&question.target, room), room))
}

/// Both sides of a conflict, or why something was refused and what to do.
fn facts(app: &App, question: &Question, width: usize) -> Vec<(String, Tone)> {
    match &question.about {
        About::Exists(target) => sides(app, question, target, width),
        About::Refused(fault) => {
            let usage: Option<&Usage> = app.status.usage.as_ref().filter(|_| question.direction == Direction::Up);
            let advice = decisions::advice(fault, question.source_side.size, usage);
            let mut lines: Vec<(String, Tone)> =
                text::wrap(&fault.message, width).into_iter().map(|line| (line, Tone::Bad)).collect();
            lines.extend(text::wrap(&advice, width).into_iter().map(|line| (line, Tone::Plain)));
            lines
        }
    }
}

fn sides(app: &App, question: &Question, target: &Side, width: usize) -> Vec<(String, Tone)> {
    let (sent, there) = match question.direction {
        Direction::Up => ("here ", "there"),
        Direction::Down => ("there", "here "),
    };
    let source = &question.source_side;
    let compared = decisions::contents(app, question);
    let mut lines = Vec::new();
    for (word, side, other, remark) in [(sent, source, target, ""), (there, target, source, compared.as_str())] {
        let date = text::date(side.mtime, side.mtime, &app.zone, Dates::Exact);
        let size = text::fit_right(&size::show(side.size), 9);
        let newer = if side.mtime > other.mtime { "newer" } else { "" };
        let remarks = [newer, remark].into_iter().filter(|remark| !remark.is_empty()).collect::<Vec<_>>().join(", ");
        if width < super::contents::NARROW {
            lines.push((format!("{word} {size}  {remarks}"), Tone::Plain));
            lines.push((format!("      {date}"), Tone::Plain));
        } else {
            lines.push((format!("{word}  {size}  {date}  {remarks}"), Tone::Plain));
        }
    }
    lines
}

fn same_for(app: &App, question: &Question) -> String {
    match decisions::others(app, question) {
        0 => "the same answer for the rest of this copy".to_owned(),
        others => format!("the same answer for the other {others} of this copy"),
    }
}

/// The deeds that answer at least one of these.
fn buttons(draft: Draft, questions: &[&Question]) -> Draft {
    let mut deeds: Vec<Deed> = Vec::new();
    for deed in questions.iter().flat_map(|question| Deed::all(&question.about)) {
        // A word stands once: skipping is skipping.
        if !deeds.iter().any(|other| other.label() == deed.label()) {
            deeds.push(*deed);
        }
    }
    deeds.into_iter().fold(draft, |draft, deed| draft.button(deed.label(), Press::Deed(deed)))
}

/// Before the text of a row: cursor, mark, way, a blank.
const INDENT: usize = 4;
/// Lines under a row that should be seen with it.
const TAIL: usize = 2;
/// Paths want room.
const LIST_WIDEST: usize = 110;
