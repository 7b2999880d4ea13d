//! What waits for the person: which decisions are open, which are marked, and what can be done about each.

use std::collections::{HashMap, HashSet};

use wire::fault::Detail;
use wire::message::Usage;
use wire::{Code, Fault, Root, size};

use super::App;
use super::text::count;
use crate::engine::status::{About, IfExists, Question, QuestionId};

/// What the screen keeps of the decisions.
#[derive(Clone, Debug, Default)]
pub struct Decisions {
    /// Those that were decided; they stay in the status until the engine has taken that up.
    pub answered: HashSet<QuestionId>,
    /// Those that are marked in the list.
    pub marks: HashSet<QuestionId>,
    /// The one under the cursor of the list, and the row it has there.
    pub cursor: Option<(QuestionId, usize)>,
    /// Rows of the list when its focus was last looked at: the buttons come after them.
    pub rows: usize,
    /// What is being compared now.
    pub comparing: Option<Comparing>,
    /// What was compared.
    pub compared: HashMap<QuestionId, Compared>,
}

/// A comparison of contents that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparing {
    /// Of the two files of this question.
    pub id: QuestionId,
    /// Names the computing here.
    pub here: u64,
    /// And that at the server.
    pub there: u64,
    /// Bytes that were read here.
    pub done: u64,
    /// The hash of whichever was computed first.
    pub first: Option<Root>,
}

/// What a comparison of contents has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// They are equal.
    Same,
    /// They are not.
    Other,
    /// One of them could not be read.
    Unknown,
}

/// What a person can do about a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Say what becomes of the file in the way.
    Answer(IfExists),
    /// Keep both, under another name.
    Name,
    /// Try again.
    Again,
    /// Leave what was refused.
    Leave,
    /// Cancel the whole transfer.
    Cancel,
}

impl Deed {
    /// Those that answer such a question, in the order of their buttons.
    pub fn all(about: &About) -> &'static [Deed] {
        match about {
            About::Exists(_) => &[
                Deed::Answer(IfExists::Update),
                Deed::Answer(IfExists::Overwrite),
                Deed::Answer(IfExists::Newer),
                Deed::Answer(IfExists::Skip),
                Deed::Name,
            ],
            About::Refused(_) => &[Deed::Again, Deed::Leave, Deed::Cancel],
        }
    }

    /// Its key, in a dialog of decisions.
    pub fn key(self) -> char {
        match self {
            Deed::Answer(IfExists::Update) => 'u',
            Deed::Answer(IfExists::Newer) => 'n',
            Deed::Answer(IfExists::Skip) | Deed::Leave => 's',
            Deed::Answer(_) => 'o',
            Deed::Name => 'r',
            Deed::Again => 't',
            Deed::Cancel => 'c',
        }
    }

    /// The word of its button.
    pub fn label(self) -> &'static str {
        match self {
            Deed::Answer(IfExists::Update) => "Update",
            Deed::Answer(IfExists::Newer) => "If newer",
            Deed::Answer(IfExists::Skip) | Deed::Leave => "Skip",
            Deed::Answer(_) => "Overwrite",
            Deed::Name => "Rename…",
            Deed::Again => "Try again",
            Deed::Cancel => "Cancel it all",
        }
    }
}

/// The open decisions, oldest first.
pub fn open(app: &App) -> impl Iterator<Item = &Question> {
    app.status.questions.iter().filter(|question| !app.decisions.answered.contains(&question.id))
}

/// The open one of this name.
pub fn find(app: &App, id: QuestionId) -> Option<&Question> {
    open(app).find(|question| question.id == id)
}

/// How many are open, those that are not listed included.
pub fn number(app: &App) -> u64 {
    let unlisted = app.status.open_questions.saturating_sub(app.status.questions.len() as u64);
    open(app).count() as u64 + unlisted
}

/// What a deed in the list is for: the marked ones, else that under the cursor.
pub fn chosen(app: &App) -> Vec<&Question> {
    let marked: Vec<&Question> = open(app).filter(|question| app.decisions.marks.contains(&question.id)).collect();
    if !marked.is_empty() {
        return marked;
    }
    app.decisions.cursor.and_then(|(id, _)| find(app, id)).into_iter().collect()
}

/// What is known of the contents of a conflict's two files.
pub fn contents(app: &App, question: &Question) -> String {
    let Some(target) = question.existing() else { return String::new() };
    let source = &question.source_side;
    if source.size != target.size {
        return String::new();
    }
    let told = app.decisions.compared.get(&question.id).copied();
    let by_root = match (source.root, target.root) {
        (Some(one), Some(other)) => Some(one == other),
        // The engine compares by the server's record before it asks.
        (Some(_), None) | (None, Some(_)) => Some(false),
        (None, None) => None,
    };
    match (told, by_root) {
        (Some(Compared::Same), _) | (_, Some(true)) => "same content".to_owned(),
        (Some(Compared::Other), _) | (_, Some(false)) => "other content".to_owned(),
        (Some(Compared::Unknown), _) => "cannot be compared".to_owned(),
        (None, None) => match app.decisions.comparing.filter(|comparing| comparing.id == question.id) {
            Some(comparing) if comparing.done > 0 => format!("comparing… {}", size::show(comparing.done)),
            Some(_) => "comparing…".to_owned(),
            None => String::new(),
        },
    }
}

/// How many others one answer for the whole copy would decide now.
pub fn others(app: &App, question: &Question) -> u64 {
    let is_like = |other: &&Question| {
        other.id != question.id
            && other.refusal().map(|fault| fault.code) == question.refusal().map(|fault| fault.code)
            && is_of_one_copy(app, question, other)
    };
    open(app).filter(is_like).count() as u64
}

/// Whether two belong to what one F5 put into the queue.
pub fn is_of_one_copy(app: &App, one: &Question, other: &Question) -> bool {
    if one.item == other.item {
        return true;
    }
    let job = |question: &Question| app.status.items.iter().find(|item| item.id == question.item).map(|item| &item.job);
    let (Some(one), Some(other)) = (job(one), job(other)) else { return false };
    app.copies.iter().rev().find(|copy| copy.jobs.contains(one)).is_some_and(|copy| copy.jobs.contains(other))
}

/// `2 decisions wait`
pub fn wait(number: u64) -> String {
    let verb = if number == 1 { "waits" } else { "wait" };
    format!("{} {verb}", count(number, "decision"))
}

/// Why something was refused, in a word or two.
pub fn word(fault: &Fault) -> &'static str {
    match fault.code {
        Code::Quota => "over quota",
        Code::FileQuota => "too many files",
        Code::NoSpace => "disk full",
        Code::Denied => "not allowed",
        Code::BadPath => "bad name",
        Code::Exists | Code::NotDirectory | Code::IsDirectory | Code::NotEmpty => "name in use",
        _ => "disk failed",
    }
}

/// What a person can do about a refusal; of a quota with what is missing as of now.
pub fn advice(fault: &Fault, bytes: u64, usage: Option<&Usage>) -> String {
    match (fault.code, &fault.detail) {
        (Code::Quota, Detail::Shortfall(then)) => {
            let now = usage.and_then(Usage::free).map_or(*then, |free| bytes.saturating_sub(free).min(*then));
            if now == 0 {
                return "There is room for it now: try again.".to_owned();
            }
            format!("It needs {} more than is free. Delete something there or have the quota raised.", size::show(now))
        }
        (Code::Quota, _) => "Delete something there or have the quota raised.".to_owned(),
        (Code::FileQuota, _) => "No more files may lie there. Delete some, or have the number raised.".to_owned(),
        (Code::NoSpace, Detail::Shortfall(missing)) => {
            format!("Its disk needs {} more, which is for whoever runs the server to make.", size::show(*missing))
        }
        (Code::NoSpace, _) => "Make room on that disk.".to_owned(),
        (Code::Denied, _) => "Allow it, as the owner of that place can.".to_owned(),
        (Code::BadPath, _) => "Rename the source.".to_owned(),
        (Code::Exists | Code::NotDirectory | Code::IsDirectory | Code::NotEmpty, _) => {
            "Move what has that name out of the way.".to_owned()
        }
        _ => "Look after that disk.".to_owned(),
    }
}
