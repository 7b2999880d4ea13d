//! The queue while it has the keys.

use wire::size;

use super::{Command, Effect, board, decisions, push};
use crate::action::{Action, Scope};
use crate::app::dialog::Kind;
use crate::app::field::Field;
use crate::app::layout::{self, Layout};
use crate::app::{App, Tone};
use crate::config::parse_rate;
use crate::engine::status::{ItemId, ItemStatus, State};

pub(super) fn focus(app: &mut App) {
    if app.status.items.is_empty() {
        return app.tell(Tone::Plain, "The queue is empty");
    }
    app.focus = Scope::Queue;
    app.queue.selected = app.queue.order.first().copied();
    app.tell(Tone::Plain, HINTS);
}

/// Runs an action on the queue; tells whether it was one for it.
pub(super) fn run(app: &mut App, action: Action, out: &mut Vec<Effect>) -> bool {
    let height = Layout::of(app).map_or(1, |layout| layout::queue_rows(app, layout.queue).height);
    let page = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(1);
    if board::run(app, action, out) {
        return true;
    }
    match action {
        Action::Up => board::step(app, -1),
        Action::Down => board::step(app, 1),
        Action::PageUp => board::step(app, -page),
        Action::PageDown => board::step(app, page),
        Action::First => board::step(app, isize::MIN),
        Action::Last => board::step(app, isize::MAX),
        Action::Escape => board::escape(app),
        Action::FocusPanes => board::close(app),
        Action::OpenItem => open(app),
        Action::Limits => limits(app),
        Action::ForgetFinished => {
            let over = app.status.items.iter().filter(|item| item.state.is_over());
            out.extend(over.map(|item| Effect::Queue(item.id, Command::Forget)));
        }
        Action::PauseItem | Action::RetryItem | Action::ForgetItem => {
            command(app, action, out);
        }
        _ => return false,
    }
    true
}

/// Opens the selected item's question, else its details.
pub(super) fn open(app: &mut App) {
    let Some(id) = app.queue.selected else { return };
    if !decisions::open_item(app, id) {
        push(app, Kind::Item(id));
    }
}

/// Asks for the limit of the selected item and that of all.
fn limits(app: &mut App) {
    let Some(item) = selected(app) else { return };
    let field = |limit| Field::new(size::limit_text(limit));
    let kind = Kind::Limits { item: item.id, own: field(item.limit), all: field(app.status.limit) };
    push(app, kind);
}

/// Sets what was typed, or tells why it makes no sense and leaves the dialog open.
pub(super) fn set_limits(app: &mut App, item: ItemId, own: &Field, all: &Field, out: &mut Vec<Effect>) {
    let typed = [own, all].map(|field| parse_rate(field.text()));
    let wrong = typed.iter().position(Result::is_err);
    match typed {
        [Ok(own), Ok(all)] => {
            app.dialogs.pop();
            out.extend([Effect::Queue(item, Command::Limit(own)), Effect::Limit(all)]);
        }
        [Err(reason), _] | [_, Err(reason)] => {
            if let (Some(dialog), Some(field)) = (app.dialogs.last_mut(), wrong) {
                dialog.focus = field;
            }
            app.tell(Tone::Bad, reason);
        }
    }
}

fn command(app: &mut App, action: Action, out: &mut Vec<Effect>) {
    let Some(item) = selected(app) else { return };
    match wanted(action, &item.state) {
        Ok(command) => out.push(Effect::Queue(item.id, command)),
        Err(reason) => {
            let text = format!("{} is {}: {reason}", item.name, item.state.word());
            app.tell(Tone::Plain, text);
        }
    }
}

/// What an action means for an item in this state, or why it means nothing.
fn wanted(action: Action, state: &State) -> Result<Command, &'static str> {
    match (action, state) {
        (Action::PauseItem, State::Paused) => Ok(Command::Resume),
        (Action::PauseItem, state) if !state.is_over() => Ok(Command::Pause),
        (Action::PauseItem, _) => Err("nothing to pause"),
        (Action::RetryItem, State::Failed(_) | State::Cancelled | State::Retrying { .. }) => Ok(Command::Retry),
        (Action::RetryItem, _) => Err("nothing to try again"),
        (_, state) if state.is_over() => Ok(Command::Forget),
        _ => Err("cancel it first (c)"),
    }
}

fn selected(app: &App) -> Option<&ItemStatus> {
    let id: ItemId = app.queue.selected?;
    app.status.items.iter().find(|item| item.id == id)
}

/// Told while the queue has the keys.
pub(super) const HINTS: &str = "p pause  r retry  c cancel  l limit  Enter open  Ctrl-O whole screen  Esc back";
