//! What each action of the table does.

use wire::message::Kind as EntryKind;
use wire::path::escape;

use super::{
    Effect, board, bulk, decisions, details, dialogs, editing, history, jumps, marking, menu, prompts, push, queue,
    reads, searching, server, sifting, sizes, undo, viewer, work,
};
use crate::action::{Action, Scope};
use crate::app::atlas::List;
use crate::app::dialog::{Help, Kind};
use crate::app::layout::{self, Layout};
use crate::app::pairing::Purpose;
use crate::app::pane::Row;
use crate::app::pane::marking::{Turn, Which};
use crate::app::queue::is_busy;
use crate::app::trail::Step;
use crate::app::{App, Side, Tone};

pub(super) fn run(app: &mut App, action: Action, out: &mut Vec<Effect>) {
    if app.focus == Scope::Queue && queue::run(app, action, out) {
        return;
    }
    let is_done = match app.focus {
        Scope::Plan => super::sync::run(app, action, out),
        Scope::Hits => super::find::run(app, action, out),
        Scope::History => history::run(app, action, out),
        Scope::Viewer => viewer::run(app, action, out),
        Scope::Panes | Scope::Queue => false,
    };
    if is_done {
        return;
    }
    let page = isize::try_from(page(app)).unwrap_or(1);
    match action {
        Action::Help => push(app, Kind::Help(Help::default())),
        Action::Menu => menu::toggle(app),
        Action::Palette => app.dialogs.push(dialogs::palette()),
        Action::Themes => dialogs::choose_theme(app),
        Action::Mouse => toggle_mouse(app, out),
        Action::FocusQueue => queue::focus(app),
        Action::FullQueue => board::toggle(app),
        Action::History => history::open(app, out),
        Action::View => viewer::open(app, out),
        Action::Decisions => decisions::open_list(app),
        Action::Copy => prompts::copy(app, out),
        Action::Move => prompts::rename(app, out),
        Action::Details => details::open(app, out),
        Action::Edit => editing::begin(app, out),
        Action::Rename => prompts::rename_here(app),
        Action::MakeDirectory => prompts::make_directory(app),
        Action::NewFile => prompts::new_file(app),
        Action::Delete => prompts::delete(app, prompts::Past::Nothing, out),
        Action::DeleteForGood => prompts::delete(app, prompts::Past::Trash, out),
        Action::Undo => undo::undo(app, out),
        Action::EmptyTrash => undo::ask_to_empty(app, out),
        Action::Quit => quit(app, out),
        Action::Suspend => out.push(Effect::Suspend),
        Action::Up => app.here_mut().step(-1),
        Action::Down => app.here_mut().step(1),
        Action::PageUp => app.here_mut().step(-page),
        Action::PageDown => app.here_mut().step(page),
        Action::First => app.here_mut().move_to(0),
        Action::Last => app.here_mut().move_to(usize::MAX),
        Action::Enter => enter(app, out),
        Action::Leave => leave_directory(app, out),
        Action::OtherPane => app.active = app.active.other(),
        Action::Swap => {
            std::mem::swap(&mut app.left, &mut app.right);
            app.active = app.active.other();
        }
        Action::OtherSide => jumps::other_side(app, out),
        Action::Back => jumps::step(app, Step::Back(1), out),
        Action::Ahead => jumps::step(app, Step::Ahead(1), out),
        Action::Trail => jumps::open(app, List::Trail, app.active, out),
        Action::Hotlist => jumps::open(app, List::Hotlist, app.active, out),
        Action::PlacesLeft => jumps::open(app, List::Places, Side::Left, out),
        Action::PlacesRight => jumps::open(app, List::Places, Side::Right, out),
        Action::Sizes => sizes::want(app, out),
        Action::Reread => reread(app, out),
        Action::Mark => {
            app.here_mut().toggle_mark();
            app.here_mut().step(1);
        }
        Action::MarkUp => app.here_mut().mark_step(-1),
        Action::MarkDown => app.here_mut().mark_step(1),
        Action::MarkPageUp => app.here_mut().mark_step(-page),
        Action::MarkPageDown => app.here_mut().mark_step(page),
        Action::MarkFirst => marking::mark_to_end(app, false, out),
        Action::MarkLast => marking::mark_to_end(app, true, out),
        Action::MarkPattern => prompts::pattern(app, true),
        Action::UnmarkPattern => prompts::pattern(app, false),
        Action::InvertMarks => marking::mark(app, Which::Files, Turn::Round, out),
        Action::InvertAll => marking::mark(app, Which::All, Turn::Round, out),
        Action::MarkLike => marking::mark_like(app, Turn::On, out),
        Action::UnmarkLike => marking::mark_like(app, Turn::Off, out),
        Action::Search => searching::open(app),
        Action::SearchAgain => searching::again(app, out),
        Action::Filter => sifting::open(app),
        Action::ToggleHidden => sifting::toggle_dots(app, out),
        Action::Sort(by) => {
            let pane = app.here_mut();
            pane.order = pane.order.pressed(by);
            reads::sort(app, app.active, out);
        }
        Action::Connect => server::ask_anew(app),
        Action::Escape => escape_from(app, out),
        Action::Compare => super::sync::ask(app, Purpose::Compare),
        Action::Synchronise => super::sync::ask(app, Purpose::Synchronise),
        Action::Find => prompts::find(app),
        // These act on the queue, the checklist or the viewer, which do not have the keys.
        Action::PauseItem
        | Action::CancelItem
        | Action::DiscardItem
        | Action::RetryItem
        | Action::Limits
        | Action::OpenItem
        | Action::ForgetItem
        | Action::Plan(_)
        | Action::ForgetFinished
        | Action::MarkItem
        | Action::InvertItems
        | Action::FindItem
        | Action::LogUp
        | Action::LogDown
        | Action::ItemEarlier
        | Action::ItemLater
        | Action::ItemFirst
        | Action::ItemLast
        | Action::RaiseItem
        | Action::LowerItem
        | Action::PauseAll
        | Action::RetryAll
        | Action::CancelAll
        | Action::OnlyFailed
        | Action::FocusPanes
        | Action::Look(_) => {}
    }
}

fn toggle_mouse(app: &mut App, out: &mut Vec<Effect>) {
    app.chrome.mouse = !app.chrome.mouse;
    let told = if app.chrome.mouse { "The mouse is on" } else { "The mouse is the terminal's" };
    app.tell(Tone::Plain, told);
    out.push(Effect::Mouse(app.chrome.mouse));
}

/// What is at the server cannot be read while it is gone: the way there is tried instead.
fn reread(app: &mut App, out: &mut Vec<Effect>) {
    if !app.here().place.is_local() && server::is_lost(app) {
        return server::hurry(app, out);
    }
    reads::reread(app, app.active, None, out);
}

pub(super) fn enter(app: &mut App, out: &mut Vec<Effect>) {
    match app.here().current() {
        Row::Up => leave_directory(app, out),
        Row::Entry(entry) if matches!(entry.kind, EntryKind::Directory | EntryKind::Link) => {
            match app.here().place.join(entry.name) {
                Ok(place) => reads::go(app, app.active, place, None, out),
                Err(reason) => app.tell(Tone::Bad, reason),
            }
        }
        Row::Entry(entry) => {
            let name = escape(entry.name);
            app.tell(Tone::Plain, format!("{name} is a file: F3 shows it, F5 copies it to the other pane"));
        }
        Row::Nothing => {}
    }
}

fn leave_directory(app: &mut App, out: &mut Vec<Effect>) {
    let place = &app.here().place;
    let name = place.name().to_vec();
    if let Some(parent) = place.parent() {
        reads::go(app, app.active, parent, Some(name), out);
    }
}

/// Leaves the innermost open thing.
fn escape_from(app: &mut App, out: &mut Vec<Effect>) {
    if searching::leave(app) || app.here().sifting && sifting::leave(app, out) {
        return;
    }
    // A list that is only read again is so for what goes on.
    let pane = app.here();
    let goes_elsewhere = pane.loading.as_ref().is_some_and(|loading| loading.place != pane.place);
    if !goes_elsewhere && (super::sync::stop_carrying(app, out) || bulk::stop(app, out) || work::stop(app, out)) {
        return;
    }
    if let Some(loading) = app.here_mut().loading.take() {
        out.push(Effect::StopRead(loading.generation));
        let place = loading.place.short_text(app.home.as_deref());
        let text = if loading.shown {
            format!("Stopped reading: not all of {place} is shown")
        } else {
            format!("No longer reading {place}")
        };
        return app.tell(Tone::Plain, text);
    }
    if !marking::leave(app) && !sizes::leave(app, out) {
        sifting::leave(app, out);
    }
}

/// Ends at once when nothing runs; else after a question, or when it is asked a second time.
pub(super) fn quit(app: &mut App, out: &mut Vec<Effect>) {
    let asked = matches!(app.dialogs.last().map(|dialog| &dialog.kind), Some(Kind::Quit));
    let is_coming = app.copies.iter().any(|copy| !copy.is_told);
    if asked || (!is_busy(&app.status) && app.working == 0 && !is_coming) {
        out.push(Effect::Quit);
    } else {
        push(app, Kind::Quit);
    }
}

/// Rows of one screen, less one to keep the bearings.
fn page(app: &App) -> usize {
    let height = Layout::of(app).map_or(1, |layout| layout::list_area(layout.pane(app.active)).height);
    usize::from(height).saturating_sub(1).max(1)
}
