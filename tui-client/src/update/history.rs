//! Going through what became of past transfers, and putting those that failed into the queue again.

use std::collections::HashSet;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Command, Effect, push};
use crate::action::{Action, Scope};
use crate::app::dialog::Kind;
use crate::app::history::{History, word};
use crate::app::layout;
use crate::app::text::count;
use crate::app::{App, Copying, Session, Tone};
use crate::engine::Target;
use crate::engine::keep::history::{Ending, Past};
use crate::engine::status::{ItemId, NewItem, State};

/// Opens the list.
pub(super) fn open(app: &mut App, out: &mut Vec<Effect>) {
    let serial = app.next_serial();
    app.lists.history = Some(History::new(serial, app.focus));
    app.focus = Scope::History;
    app.tell(Tone::Plain, HINTS);
    out.push(Effect::ReadHistory { serial, soon: false });
}

/// It was read.
pub(super) fn told(app: &mut App, serial: u64, result: Result<Arc<Vec<Past>>, String>, out: &mut Vec<Effect>) {
    let Some(history) = app.lists.history.as_mut().filter(|history| history.serial == serial) else { return };
    match result {
        Ok(past) => {
            history.behind = history.behind.saturating_sub(history.take(past));
            history.tries = if history.behind == 0 { 0 } else { history.tries.saturating_sub(1) };
            if history.tries > 0 {
                read_again(history, out);
            }
        }
        Err(reason) => (history.reading, history.fault) = (false, reason),
    }
}

/// Something came to its end: an open list is read again.
pub(super) fn ended(app: &mut App, out: &mut Vec<Effect>) {
    if let Some(history) = &mut app.lists.history {
        history.behind = if history.tries == 0 { 1 } else { history.behind + 1 };
        // One reading at a time.
        if history.tries == 0 && !history.reading {
            read_again(history, out);
        }
        history.tries = TRIES;
    }
}

fn read_again(history: &History, out: &mut Vec<Effect>) {
    out.push(Effect::ReadHistory { serial: history.serial, soon: true });
}

/// Runs an action on the list; tells whether it was one for it.
pub(super) fn run(app: &mut App, action: Action, out: &mut Vec<Effect>) -> bool {
    match action {
        Action::RetryItem | Action::RetryAll => again(app, action, out),
        Action::OpenItem | Action::Enter => {
            let past = app.lists.history.as_ref().and_then(History::current).cloned();
            past.into_iter().for_each(|past| push(app, Kind::Past(Box::new(past))));
        }
        Action::Escape => escape(app),
        Action::FocusPanes | Action::History => leave(app),
        _ => return move_about(app, action),
    }
    true
}

fn move_about(app: &mut App, action: Action) -> bool {
    let page =
        isize::from(i16::try_from(layout::checklist_rows(app.size).height).unwrap_or(1)).saturating_sub(1).max(1);
    let Some(history) = app.lists.history.as_mut() else { return false };
    match action {
        Action::Up => history.step(-1),
        Action::Down => history.step(1),
        Action::PageUp => history.step(-page),
        Action::PageDown => history.step(page),
        Action::First => history.step(isize::MIN),
        Action::Last => history.step(isize::MAX),
        Action::Mark => {
            history.toggle_mark();
            history.step(1);
        }
        Action::InvertMarks => history.invert_marks(),
        Action::FindItem => history.typing = true,
        Action::OnlyFailed => {
            history.failed_only = !history.failed_only;
            history.choose();
        }
        _ => return false,
    }
    true
}

/// Leaves the innermost thing: what is looked for, else the list.
fn escape(app: &mut App) {
    match &mut app.lists.history {
        Some(history) if history.typing || !history.wanted.is_empty() => {
            (history.typing, history.wanted) = (false, String::new());
            history.choose();
        }
        _ => leave(app),
    }
}

fn leave(app: &mut App) {
    app.take_back(HINTS);
    let back = app.lists.history.take().map_or(Scope::Panes, |history| history.back);
    let is_gone = back == Scope::Queue && app.status.items.is_empty() && !app.board.open;
    app.focus = if is_gone { Scope::Panes } else { back };
}

/// Whether keys are typed into the search.
pub(super) fn is_typing(app: &App) -> bool {
    app.focus == Scope::History && app.lists.history.as_ref().is_some_and(|history| history.typing)
}

/// A key while it is typed what to look for; anything else ends that and is taken as usual.
pub(super) fn type_key(app: &mut App, key: KeyEvent) -> bool {
    let Some(history) = app.lists.history.as_mut() else { return false };
    let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Char(c) if plain => history.wanted.push(c),
        KeyCode::Backspace => drop(history.wanted.pop()),
        KeyCode::Enter => history.typing = false,
        _ => {
            history.typing = false;
            return false;
        }
    }
    history.choose();
    true
}

/// One more character of what is looked for.
pub(super) fn type_char(app: &mut App, c: char) {
    if let Some(history) = &mut app.lists.history {
        history.wanted.push(c);
        history.choose();
    }
}

/// Scrolls so that the cursor is seen.
pub(super) fn keep_visible(app: &mut App) {
    let height = usize::from(layout::checklist_rows(app.size).height);
    if let Some(history) = &mut app.lists.history {
        history.keep_visible(height);
    }
}

/// What is meant goes into the queue once more, as far as it was with this server.
fn again(app: &mut App, action: Action, out: &mut Vec<Effect>) {
    let Some(history) = &app.lists.history else { return };
    let chosen = if action == Action::RetryAll { history.failures() } else { history.targets() };
    let failed: Vec<Past> = chosen.iter().filter(|past| past.end != Ending::Done).map(|past| (*past).clone()).collect();
    let Some(first) = failed.first() else {
        let what = match chosen.as_slice() {
            [one] => format!("{} is {}: nothing to try again", one.name, word(one)),
            _ => "Nothing there that failed".to_owned(),
        };
        return app.tell(Tone::Plain, what);
    };
    let Some(here) = account(app) else { return app.tell(Tone::Bad, "Not connected: Ctrl-N in a pane connects") };
    let whose = wire::path::escape(first.account.as_bytes());
    let all = failed.len();
    let mine: Vec<Past> = failed.into_iter().filter(|past| past.account == here).collect();
    if mine.is_empty() {
        return app.tell(Tone::Bad, format!("That was with {whose}, not with the server connected now"));
    }
    let elsewhere = all - mine.len();
    let told = requeue(app, mine, elsewhere, out);
    app.tell(Tone::Plain, told);
}

/// Tries those again that are still on the list, and queues the others; tells what came of it.
fn requeue(app: &mut App, mine: Vec<Past>, elsewhere: usize, out: &mut Vec<Effect>) -> String {
    let mut items: Vec<NewItem> = Vec::new();
    let mut retried: HashSet<ItemId> = HashSet::new();
    let (mut there, mut parts) = (0, 0);
    for past in mine {
        match app.status.items.iter().rev().find(|item| item.job == past.job) {
            Some(item) if !item.state.is_over() => there += 1,
            Some(item) if item.state != State::Done => drop(retried.insert(item.id)),
            // Which files those were is no longer known; the whole directory was not meant.
            _ if past.is_part => parts += 1,
            _ if items.iter().any(|item| item.job == past.job) => {}
            _ => items.push(NewItem { job: past.job, if_exists: past.if_exists, source: past.source }),
        }
    }
    let figures = [
        (items.len() + retried.len(), "again in the queue"),
        (there, "there already"),
        (elsewhere, "with another server"),
        (parts, "of chosen files: synchronise again"),
    ];
    out.extend(retried.into_iter().map(|id| Effect::Queue(id, Command::Retry)));
    if !items.is_empty() {
        app.copies.push(Copying::new(items.iter().map(|item| item.job.clone()).collect()));
        out.push(Effect::Enqueue(items));
    }
    let told = figures.iter().filter(|(number, _)| *number > 0);
    let told: Vec<String> =
        told.map(|(number, what)| format!("{} {what}", count(*number as u64, "transfer"))).collect();
    told.join(", ")
}

/// The account of this session, as the history names it.
fn account(app: &App) -> Option<String> {
    let Session::Online(label) = &app.session else { return None };
    let target: Target = label.parse().ok()?;
    Some(target.account())
}

/// What ended is in the file within a tenth of a second, unless the disk is slow; so often it is looked for.
const TRIES: u8 = 20;
/// Told when the list opens.
const HINTS: &str = "Enter details  / find  f failed  r again  R all failed  Space mark  Esc back";
