//! The only code that changes the state of the screen. Pure: it never waits, reads no clock and touches no
//! disk; what is to be done leaves it as effects.

mod actions;
mod board;
mod bulk;
mod compare;
mod decisions;
mod details;
mod dialogs;
mod editing;
mod ended;
mod finale;
mod find;
mod help;
mod history;
mod jumps;
mod keys;
mod marking;
mod menu;
mod message;
mod mouse;
mod prompts;
mod queue;
mod reads;
mod searching;
mod server;
mod sifting;
mod sizes;
mod space;
mod sync;
mod transfers;
mod undo;
mod viewer;
mod watching;
mod work;

pub use bulk::{Act, Bulk, Ended, Running};
pub use editing::{Edit, Edited};
pub use finale::Finale;
pub use find::Hit;
pub use message::{Ask, Command, Effect, Msg, Refusal, Seen, Steps, Work};
pub use sync::Compared;
pub use undo::{Told, Wish};

use crossterm::event::{KeyCode, KeyEventKind};

use crate::action::Scope;
use crate::app::App;
use crate::app::Side;
use crate::app::Tone;
use crate::app::dialog::{Dialog, Kind};
use crate::app::layout::{self, Layout};

/// Takes up one message; the effects are to be performed in their order.
pub fn update(app: &mut App, msg: Msg) -> Vec<Effect> {
    let mut out = Vec::new();
    if is_person(&msg) {
        app.heed();
    }
    match msg {
        Msg::Clock(now) => {
            app.log.now = now;
            return out;
        }
        Msg::NoteWaited(serial) => app.waited_for(serial),
        Msg::Key(key) => keys::press(app, key, &mut out),
        Msg::Mouse(event, at) => mouse::event(app, event, at, &mut out),
        Msg::Paste(text) => keys::paste(app, &text, &mut out),
        Msg::Resize(width, height) => app.size = (width, height),
        Msg::EscapeWaited(serial) => keys::escape_waited(app, serial, &mut out),
        Msg::Reading { generation, found } => reads::found(app, generation, found),
        Msg::Partly { generation, listing } => reads::partly(app, generation, listing, &mut out),
        Msg::Sorted { generation, rows } => reads::sorted(app, generation, rows),
        Msg::Read { generation, result } => {
            reads::ended(app, generation, result, &mut out);
            space::follow(app, &mut out);
        }
        Msg::Sought { serial, rows, text, found } => searching::ended(app, serial, &rows, text, found, &mut out),
        Msg::Marked { generation, rows, before, marks } => {
            marking::ended(app, generation, &rows, &before, marks, &mut out);
        }
        Msg::RereadStale => reads::reread_stale(app, &mut out),
        Msg::Counted { serial, tally } => {
            work::counted(app, serial, tally);
            sizes::counted(app, serial, tally, &mut out);
            details::counted(app, serial, tally);
        }
        Msg::Inspected { serial, result } => details::looked(app, serial, result),
        Msg::Hashing { serial, done } => {
            details::hashing(app, serial, done);
            compare::hashing(app, serial, done);
        }
        Msg::Hashed { serial, result } => {
            compare::hashed(app, serial, &result, &mut out);
            details::hashed(app, serial, result);
        }
        Msg::CountFailed { serial, fault } => sizes::failed(app, serial, &fault, &mut out),
        Msg::ChangedHere(path) => watching::changed(app, &path, &mut out),
        Msg::NotWatched { path, reason } => watching::failed(app, path, &reason),
        Msg::Hotlist(list) => {
            app.atlas.hotlist = list;
            jumps::refresh(app);
        }
        Msg::HotlistFailed(reason) => app.tell(Tone::Bad, format!("The hotlist was not changed: {reason}")),
        Msg::ThemeNotKept(reason) => app.tell(Tone::Bad, format!("The theme is not kept: {reason}")),
        Msg::Starts(starts) => {
            app.atlas.starts = starts;
            jumps::refresh(app);
        }
        Msg::Worked { work, done, fault } => work::ended(app, work, done, fault, &mut out),
        Msg::Measured(disks) => space::measured(app, disks),
        Msg::Status(status) => {
            server::status(app, status, &mut out);
            space::follow(app, &mut out);
        }
        Msg::Second(serial) => server::second(app, serial, &mut out),
        Msg::Changed(path) => reads::changed(app, &path, &mut out),
        Msg::Draining => server::draining(app),
        Msg::Connected { label, saved } => server::connected(app, label, saved, &mut out),
        Msg::Restored(restored) => transfers::restored(app, restored),
        Msg::NotConnected(login, refusal) => server::not_connected(app, login, refusal),
        Msg::Scanned { serial, told } => sync::told(app, serial, told, &mut out),
        Msg::Carrying { serial, done, all } => sync::carrying(app, serial, done, all),
        Msg::Carried { serial, carried } => sync::carried(app, serial, carried, &mut out),
        Msg::BulkGoesOn { serial, done } => bulk::goes_on(app, serial, done),
        Msg::BulkEnded { serial, ended } => bulk::ended(app, serial, &ended, &mut out),
        Msg::Past { serial, result } => history::told(app, serial, result, &mut out),
        Msg::Found { serial, told } => find::told(app, serial, told),
        Msg::Trash(told) => undo::told(app, told, &mut out),
        Msg::Terminate | Msg::Interrupt => out.push(Effect::Quit),
        Msg::Edited(told) => editing::told(app, told, &mut out),
        Msg::Seen(seen) => viewer::seen(app, seen, &mut out),
    }
    decisions::settle_list(app);
    compare::follow(app, &mut out);
    keep_visible(app);
    viewer::settle(app, &mut out);
    out.extend(app.begin_wait().map(|(serial, millis)| Effect::WaitNote { serial, millis }));
    out
}

/// Whether somebody sits before the screen who has done this.
fn is_person(msg: &Msg) -> bool {
    match msg {
        Msg::Key(key) => key.kind != KeyEventKind::Release && !matches!(key.code, KeyCode::Modifier(_)),
        Msg::Mouse(..) | Msg::Paste(_) | Msg::Edited(Edited::Closed { .. }) => true,
        _ => false,
    }
}

/// What a new screen wants done first.
pub fn open(app: &mut App) -> Vec<Effect> {
    let mut out = Vec::new();
    let place = app.left.place.clone();
    reads::go(app, Side::Left, place, None, &mut out);
    out
}

/// Opens the connect dialog, for this address if one was given.
pub fn ask_for_server(app: &mut App, address: &str) {
    server::ask(app, address, None);
}

/// Tells what is wrong in files of the configuration.
pub fn complain(app: &mut App, complaints: Vec<String>) {
    if !complaints.is_empty() {
        push(app, Kind::Complaints(complaints));
    }
}

/// Begins to connect.
pub fn connect(app: &mut App, login: crate::app::dialog::Login) -> Vec<Effect> {
    let mut out = Vec::new();
    server::ask(app, &login.address, None);
    server::connect(app, login, &mut out);
    out
}

fn keep_visible(app: &mut App) {
    let Some(layout) = Layout::of(app) else { return };
    for side in [Side::Left, Side::Right] {
        let height = usize::from(layout::list_area(layout.pane(side)).height);
        app.pane_mut(side).keep_visible(height);
    }
    let height = usize::from(layout::queue_rows(app, layout.queue).height);
    match app.focus {
        Scope::Queue => app.queue.keep_visible(height),
        // What needs the person and what runs stands first.
        Scope::Panes | Scope::Viewer => app.queue.top = 0,
        Scope::Plan => sync::keep_visible(app),
        Scope::Hits => find::keep_visible(app),
        Scope::History => history::keep_visible(app),
    }
}

fn push(app: &mut App, kind: Kind) {
    app.dialogs.push(Dialog::new(kind));
}

#[cfg(test)]
mod tests;
