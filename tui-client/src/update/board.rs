//! Working on the queue: the whole screen, marks, the order, and what is done to several items at once.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Command, Effect, push, queue};
use crate::action::{Action, Scope};
use crate::app::board::{shown, targets, unfinished};
use crate::app::dialog::Kind;
use crate::app::layout::Layout;
use crate::app::layout::board::Areas;
use crate::app::log;
use crate::app::text::count;
use crate::app::{App, Tone};
use crate::engine::status::{ItemId, ItemStatus, Priority, Shift, State};

/// Runs an action; tells whether it was one for this.
pub(super) fn run(app: &mut App, action: Action, out: &mut Vec<Effect>) -> bool {
    match action {
        Action::FullQueue => toggle(app),
        Action::MarkItem => mark(app),
        Action::InvertItems => {
            let (all, marks) = (shown(app), &mut app.board.marks);
            *marks = all.into_iter().filter(|id| !marks.contains(id)).collect();
        }
        Action::FindItem => {
            app.board.typing = true;
            app.board.open = true;
        }
        Action::LogUp => turn_log(app, 1),
        Action::LogDown => turn_log(app, -1),
        Action::ItemEarlier => shift(app, Shift::Earlier, out),
        Action::ItemLater => shift(app, Shift::Later, out),
        Action::ItemFirst => shift(app, Shift::First, out),
        Action::ItemLast => shift(app, Shift::Last, out),
        Action::RaiseItem => {
            prioritise(app, |priority| if priority == Priority::Low { Priority::Normal } else { Priority::High }, out)
        }
        Action::LowerItem => {
            prioritise(app, |priority| if priority == Priority::High { Priority::Normal } else { Priority::Low }, out)
        }
        Action::CancelItem | Action::DiscardItem => stop(app, action, out),
        Action::PauseItem | Action::RetryItem | Action::ForgetItem if targets(app).len() > 1 => {
            let items = targets(app);
            several(app, action, &items, out);
        }
        Action::PauseAll => {
            let items: Vec<ItemId> = unfinished(&app.status).map(|item| item.id).collect();
            several(app, Action::PauseItem, &items, out);
        }
        Action::RetryAll => {
            let items: Vec<ItemId> = app.status.items.iter().map(|item| item.id).collect();
            several(app, Action::RetryItem, &items, out);
        }
        Action::CancelAll => {
            let items: Vec<ItemId> = unfinished(&app.status).map(|item| item.id).collect();
            if items.is_empty() { app.tell(Tone::Plain, "Nothing to cancel") } else { push(app, Kind::Stop(items)) }
        }
        _ => return false,
    }
    true
}

/// The queue takes the whole screen, or gives the panes back.
pub(super) fn toggle(app: &mut App) {
    let opens = !app.board.is_full(app.focus);
    // Whoever comes from the panes has chosen none yet.
    let selected = app.queue.selected.filter(|_| app.focus == Scope::Queue);
    close(app);
    if opens {
        app.board.open = true;
        app.focus = Scope::Queue;
        app.queue.selected = selected.or(app.queue.order.first().copied());
    }
}

/// Back to the panes.
pub(super) fn close(app: &mut App) {
    app.log.follow();
    app.take_back(queue::HINTS);
    app.board = crate::app::board::Board { marks: std::mem::take(&mut app.board.marks), ..Default::default() };
    app.focus = Scope::Panes;
}

/// Rows of the log on the screen.
fn log_rows(app: &App) -> usize {
    let areas = Layout::of(app).filter(|_| app.board.is_full(app.focus));
    let below = areas.map_or(0, |layout| Areas::of(layout.queue, log::rows(layout.queue)).below.height);
    usize::from(below.saturating_sub(1))
}

fn turn_log(app: &mut App, pages: isize) {
    let rows = log_rows(app);
    if rows == 0 {
        return app.tell(Tone::Plain, "The log is not on the screen: Ctrl-O in one of 20 rows or more shows it");
    }
    scroll_log(app, pages * isize::try_from(rows).unwrap_or(1));
}

/// Moves the log by so many lines, to older ones with more than none.
pub(super) fn scroll_log(app: &mut App, lines: isize) {
    let rows = log_rows(app);
    app.log.scroll(lines, rows);
}

/// Leaves the innermost thing: what is looked for, else the queue.
pub(super) fn escape(app: &mut App) {
    if app.board.typing || !app.board.wanted.is_empty() {
        (app.board.typing, app.board.wanted) = (false, String::new());
    } else {
        close(app);
    }
}

/// A key while it is typed what to look for; anything else ends that and is taken as usual.
pub(super) fn type_key(app: &mut App, key: KeyEvent) -> bool {
    let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Char(c) if plain => type_char(app, c),
        KeyCode::Backspace => drop(app.board.wanted.pop()),
        KeyCode::Enter => app.board.typing = false,
        _ => {
            app.board.typing = false;
            return false;
        }
    }
    select_shown(app);
    true
}

/// One more character of what is looked for.
pub(super) fn type_char(app: &mut App, c: char) {
    app.board.wanted.push(c);
    select_shown(app);
}

fn select_shown(app: &mut App) {
    let shown = shown(app);
    if !app.queue.selected.is_some_and(|id| shown.contains(&id)) {
        app.queue.selected = shown.first().copied();
    }
}

/// Selects the item some rows away among those that are shown.
pub(super) fn step(app: &mut App, rows: isize) {
    let shown = shown(app);
    let row = shown.iter().position(|id| Some(*id) == app.queue.selected).unwrap_or_default();
    let row = row.saturating_add_signed(rows).min(shown.len().saturating_sub(1));
    app.queue.selected = shown.get(row).copied();
}

fn mark(app: &mut App) {
    if let Some(id) = app.queue.selected {
        if !app.board.marks.remove(&id) {
            app.board.marks.insert(id);
        }
        step(app, 1);
    }
}

fn items<'a>(app: &'a App, ids: &'a [ItemId]) -> impl Iterator<Item = &'a ItemStatus> {
    app.status.items.iter().filter(|item| ids.contains(&item.id))
}

fn shift(app: &mut App, shift: Shift, out: &mut Vec<Effect>) {
    let targets = targets(app);
    let ids: Vec<ItemId> = items(app, &targets).filter(|item| !item.state.is_over()).map(|item| item.id).collect();
    if ids.is_empty() {
        return app.tell(Tone::Plain, "Nothing to move: it is over");
    }
    out.push(Effect::Shift(ids, shift));
}

fn prioritise(app: &mut App, next: impl Fn(Priority) -> Priority, out: &mut Vec<Effect>) {
    let targets = targets(app);
    let changes = items(app, &targets).filter(|item| !item.state.is_over() && next(item.priority) != item.priority);
    out.extend(changes.map(|item| Effect::Queue(item.id, Command::Priority(next(item.priority)))));
}

/// What is unfinished is asked about. What failed or was cancelled before may have left something behind.
fn stop(app: &mut App, action: Action, out: &mut Vec<Effect>) {
    let targets = targets(app);
    let live: Vec<ItemId> = items(app, &targets).filter(|item| !item.state.is_over()).map(|item| item.id).collect();
    if !live.is_empty() {
        return push(app, Kind::Stop(live));
    }
    let leaves = |item: &&ItemStatus| action == Action::DiscardItem && item.state != State::Done;
    let left: Vec<ItemId> = items(app, &targets).filter(leaves).map(|item| item.id).collect();
    if left.is_empty() {
        app.tell(Tone::Plain, "Nothing to cancel");
    }
    out.extend(left.into_iter().map(|id| Effect::Queue(id, Command::Discard)));
}

/// What several items have in common.
fn several(app: &mut App, action: Action, ids: &[ItemId], out: &mut Vec<Effect>) {
    let pauses = items(app, ids).any(|item| !item.state.is_over() && item.state != State::Paused);
    let command = |item: &ItemStatus| match (action, &item.state) {
        (Action::PauseItem, State::Paused) if !pauses => Some(Command::Resume),
        (Action::PauseItem, state) if pauses && !state.is_over() && *state != State::Paused => Some(Command::Pause),
        (Action::RetryItem, State::Failed(_)) => Some(Command::Retry),
        (Action::ForgetItem, state) if state.is_over() => Some(Command::Forget),
        _ => None,
    };
    let effects: Vec<Effect> =
        items(app, ids).filter_map(|item| Some(Effect::Queue(item.id, command(item)?))).collect();
    let what = match (action, pauses) {
        (Action::PauseItem, true) => "Paused",
        (Action::PauseItem, false) => "Going on with",
        (Action::RetryItem, _) => "Trying again",
        _ => "Forgot",
    };
    let text = if effects.is_empty() {
        "Nothing there that this could be done to".to_owned()
    } else {
        format!("{what} {}", count(effects.len() as u64, "transfer"))
    };
    app.tell(Tone::Plain, text);
    out.extend(effects);
}
