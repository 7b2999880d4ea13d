//! The server: connecting, losing and refinding it, and what the engine tells of the queue.

use std::sync::Arc;

use wire::RemotePath;
use wire::path::escape;

use super::{Effect, Refusal, Wish, decisions, ended, finale, jumps, push, reads};
use crate::action::Scope;
use crate::app::decisions::number;
use crate::app::dialog::{Dialog, Kind, Login};
use crate::app::field::Field;
use crate::app::place::Place;
use crate::app::queue::is_busy;
use crate::app::{App, Session, Side, Tone};
use crate::engine::status::{Link, Status};

/// Opens the connect dialog; an address that is known puts the keys on the password.
pub(super) fn ask(app: &mut App, address: &str, reason: Option<String>) {
    let kind = Kind::Connect { address: Field::new(address), password: Field::secret(), reason };
    app.dialogs.push(Dialog { focus: usize::from(!address.is_empty()), ..Dialog::new(kind) });
}

/// The same on the person's wish: a queue that still has work is not left behind.
pub(super) fn ask_anew(app: &mut App) {
    if is_busy(&app.status) {
        return app.tell(Tone::Bad, NOT_FINISHED);
    }
    app.atlas.bound = None;
    let address = app.saved.first().cloned().unwrap_or_default();
    ask(app, &address, None);
}

pub(super) fn connect(app: &mut App, login: Login, out: &mut Vec<Effect>) {
    app.session = Session::Connecting(login.address.clone());
    push(app, Kind::Connecting(login.address.clone()));
    out.push(Effect::Connect(login));
}

pub(super) fn connected(app: &mut App, label: String, saved: Vec<String>, out: &mut Vec<Effect>) {
    app.dialogs.retain(|dialog| !is_about_connecting(&dialog.kind));
    app.tell(Tone::Good, format!("Connected as {}", escape(label.as_bytes())));
    app.session = Session::Online(label);
    app.saved = saved;
    app.remote_place = RemotePath::home();
    app.undo.leave_server();
    out.push(Effect::Trash(Wish::State));
    let mut remote =
        [Side::Left, Side::Right].into_iter().filter(|side| !app.pane(*side).place.is_local()).collect::<Vec<_>>();
    if remote.is_empty() {
        remote.push(app.active.other());
    }
    for side in remote {
        reads::go(app, side, Place::Remote(RemotePath::home()), None, out);
    }
    jumps::connected(app, out);
}

pub(super) fn not_connected(app: &mut App, login: Login, refusal: Refusal) {
    // An answer to a try that was given up.
    if app.session != Session::Connecting(login.address.clone()) {
        return;
    }
    app.session = Session::Offline;
    app.dialogs.retain(|dialog| !matches!(dialog.kind, Kind::Connecting(_)));
    match refusal {
        Refusal::Unknown { fingerprint } => push(app, Kind::Unknown { login, fingerprint }),
        Refusal::Changed { since, known, presented } => {
            push(app, Kind::Changed { address: login.address, since, known, presented });
        }
        Refusal::Other(text) => refused(app, &login.address, text),
    }
}

/// Tells the reason in the connect dialog that is open, or opens one.
fn refused(app: &mut App, address: &str, text: String) {
    for dialog in &mut app.dialogs {
        if let Kind::Connect { reason, password, .. } = &mut dialog.kind {
            *reason = Some(text);
            password.select();
            dialog.scroll = 0;
            return;
        }
    }
    ask(app, address, Some(text));
}

pub(super) fn draining(app: &mut App) {
    app.tell(Tone::Bad, "The server goes down; transfers go on when it is back");
}

/// Takes up a sample of the engine's state and tells what is new in it.
pub(super) fn status(app: &mut App, status: Arc<Status>, out: &mut Vec<Effect>) {
    let asked = number(app);
    let before = std::mem::replace(&mut app.status, status.clone());
    app.queue.follow(&status);
    ended::tell(app, &before, &status, out);
    finale::tell(&before, &status, out);
    follow_link(app, &before.link, &status.link, out);
    for copy in &mut app.copies {
        copy.is_told = copy.is_told || status.items.iter().any(|item| copy.jobs.contains(&item.job));
    }
    if is_busy(&before) && !is_busy(&status) {
        app.copies.retain(|copy| !copy.is_told);
    }
    decisions::follow(app, asked, out);
    if status.items.is_empty() && app.focus == Scope::Queue && !app.board.open {
        app.focus = Scope::Panes;
    }
}

/// Whether the session is on, but its server out of reach just now.
pub(super) fn is_lost(app: &App) -> bool {
    matches!((&app.session, &app.status.link), (Session::Online(_), Link::Lost { .. }))
}

/// Has the lost server looked for at once.
pub(super) fn hurry(app: &mut App, out: &mut Vec<Effect>) {
    app.tell(Tone::Plain, TRYING);
    out.push(Effect::Reconnect);
}

/// While the connection is lost the screen counts the seconds down.
pub(super) fn second(app: &mut App, serial: u64, out: &mut Vec<Effect>) {
    if matches!(app.status.link, Link::Lost { .. }) && app.waited.1 == serial {
        app.waited.0 += 1;
        out.push(Effect::WaitSecond(serial));
    }
}

fn follow_link(app: &mut App, before: &Link, now: &Link, out: &mut Vec<Effect>) {
    if matches!(now, Link::Lost { .. }) && before != now {
        app.waited = (0, app.next_serial());
        out.push(Effect::WaitSecond(app.waited.1));
    }
    match (before, now) {
        (Link::Lost { .. }, Link::Online) => {
            // That it was lost is no news any more.
            app.heed();
            reads::back_online(app, out);
        }
        (Link::Online, Link::Lost { reason, .. }) => {
            app.tell(Tone::Bad, format!("Connection lost: {}", escape(reason.as_bytes())));
        }
        (Link::Lost { .. }, Link::Lost { reason, .. }) if before != now && app.note.text == TRYING => {
            app.tell(Tone::Bad, format!("Still no connection: {}", escape(reason.as_bytes())));
        }
        (Link::Refused(_), _) => {}
        (_, Link::Refused(fault)) => {
            app.session = Session::Offline;
            let address = app.saved.first().cloned().unwrap_or_default();
            ask(app, &address, Some(fault.to_string()));
        }
        _ => {}
    }
}

fn is_about_connecting(kind: &Kind) -> bool {
    matches!(kind, Kind::Connect { .. } | Kind::Connecting(_) | Kind::Unknown { .. } | Kind::Changed { .. })
}

/// Told when another server is wanted.
pub(super) const NOT_FINISHED: &str = "Transfers are not finished: connect elsewhere when they are over or cancelled";
/// Told until the try has failed or succeeded.
const TRYING: &str = "Trying to connect…";
