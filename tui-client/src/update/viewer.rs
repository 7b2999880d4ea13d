//! The viewer: opening and leaving it, what its keys do, and what it is told.

use wire::message::Kind as EntryKind;
use wire::path::escape;

use super::{Ask, Effect, Seen, actions, push};
use crate::action::{Action, Look, Scope};
use crate::app::dialog::{Kind, Prompt};
use crate::app::field::Field;
use crate::app::pane::Row;
use crate::app::viewer::{Found, Goal, Hunt, Mode, Needle, Spot, To, Viewer};
use crate::app::{App, Session, Tone, layout};

/// Shows the file under the cursor.
pub(super) fn open(app: &mut App, out: &mut Vec<Effect>) {
    let hits = app.lists.hits.as_ref().filter(|_| app.focus == Scope::Hits);
    let hit = hits.and_then(|hits| hits.current());
    let entry = match hit.map_or_else(|| app.here().current(), Row::Entry) {
        Row::Entry(entry) => entry,
        Row::Up | Row::Nothing => return app.tell(Tone::Plain, "No file is under the cursor"),
    };
    let name = escape(entry.name);
    match entry.kind {
        EntryKind::Directory => return app.tell(Tone::Plain, format!("{name} is a directory: Enter opens it")),
        EntryKind::Other => return app.tell(Tone::Bad, format!("{name} is not a file that can be shown")),
        EntryKind::File | EntryKind::Link => {}
    }
    let found = hits.map(|hits| hits.place_of(entry.name).ok_or_else(|| format!("{name} is no path")));
    let place = match found.unwrap_or_else(|| app.here().place.join(entry.name)) {
        Ok(place) => place,
        Err(reason) => return app.tell(Tone::Bad, reason),
    };
    if !place.is_local() && !matches!(app.session, Session::Online(_)) {
        return app.tell(Tone::Bad, "Not connected: Ctrl-N connects to a server");
    }
    let serial = app.next_serial();
    app.focus = Scope::Viewer;
    app.viewer = Some(Box::new(Viewer::new(serial, place.clone())));
    out.push(Effect::Look(Ask::Check { viewer: serial, place }));
}

fn leave(app: &mut App, out: &mut Vec<Effect>) {
    if let Some(viewer) = app.viewer.take() {
        out.extend(viewer.hunt.map(|hunt| Effect::Look(Ask::Stop(hunt.serial))));
    }
    // It may have been opened from what was found by name.
    app.focus = if app.lists.hits.is_some() { Scope::Hits } else { Scope::Panes };
}

/// What a key does; whether it was one for the viewer.
pub(super) fn run(app: &mut App, action: Action, out: &mut Vec<Effect>) -> bool {
    let Some(viewer) = &mut app.viewer else { return false };
    match action {
        Action::Look(look) => {
            viewer.notice = None;
            do_look(app, look, out);
        }
        Action::Escape if viewer.hunt.is_some() => stop(viewer, out),
        Action::Escape => leave(app, out),
        _ => return false,
    }
    true
}

fn do_look(app: &mut App, look: Look, out: &mut Vec<Effect>) {
    let (width, height) = screen(app);
    let Some(viewer) = &mut app.viewer else { return };
    let page = i64::try_from(height.saturating_sub(1)).unwrap_or(1).max(1);
    match look {
        Look::Up => viewer.step(-1),
        Look::Down => viewer.step(1),
        Look::PageUp => viewer.step(-page),
        Look::PageDown => viewer.step(page),
        Look::HalfUp => viewer.step(-(page / 2).max(1)),
        Look::HalfDown => viewer.step((page / 2).max(1)),
        Look::First => viewer.go(To::Byte(0)),
        Look::Last => viewer.go(To::End),
        Look::Wrap => wrap(viewer),
        Look::Hex => viewer.turn_mode(),
        Look::Reread => viewer.reread(),
        Look::Left => scroll(viewer, viewer.column.saturating_sub(width / 4)),
        Look::Right => scroll(viewer, viewer.column.saturating_add(width / 4)),
        Look::GoTo => {
            let hex = viewer.mode == Mode::Hex;
            push(app, Kind::Prompt(Prompt::GoTo { hex }, Field::default()));
        }
        Look::Find => ask(app, false),
        Look::FindBack => ask(app, true),
        Look::Next => again(app, false, out),
        Look::Previous => again(app, true, out),
        Look::Leave => leave(app, out),
        Look::Quit => actions::quit(app, out),
    }
}

/// Columns and rows that show the file.
fn screen(app: &App) -> (usize, usize) {
    let body = layout::viewer_body(app.size);
    (usize::from(body.width), usize::from(body.height))
}

/// Lays out what can be laid out, and has missing pieces read.
pub(super) fn settle(app: &mut App, out: &mut Vec<Effect>) {
    let (width, height) = screen(app);
    let Some(viewer) = app.viewer.as_mut().filter(|_| height > 0) else { return };
    for index in viewer.settle(width, height) {
        out.push(Effect::Look(Ask::Piece { viewer: viewer.serial, place: viewer.place.clone(), index }));
    }
}

fn wrap(viewer: &mut Viewer) {
    if viewer.mode == Mode::Hex {
        viewer.notice = Some((Tone::Plain, "only text has lines: F4 shows it".to_owned()));
    } else {
        viewer.turn_wrap();
    }
}

fn scroll(viewer: &mut Viewer, column: usize) {
    if viewer.wrap || viewer.mode == Mode::Hex {
        viewer.notice = Some((Tone::Plain, "all columns are in sight; F2 turns wrapping off".to_owned()));
    } else {
        // No line is shown beyond the place where it is broken.
        viewer.column = column.min(usize::try_from(2 * crate::app::viewer::text::SPAN).unwrap_or(0));
    }
}

/// Asks what to look for; what was looked for last is proposed.
fn ask(app: &mut App, back: bool) {
    let Some(viewer) = &app.viewer else { return };
    let last = viewer.wanted.as_ref().map_or(String::new(), |(needle, _)| needle.typed.clone());
    let hex = viewer.mode == Mode::Hex;
    push(app, Kind::Prompt(Prompt::Find { back, hex }, Field::new(last)));
}

/// Begins a search for what was typed.
pub(super) fn find(app: &mut App, typed: &str, back: bool, hex: bool, out: &mut Vec<Effect>) -> Result<(), String> {
    let needle = Needle::parse(typed, hex)?;
    if let Some(viewer) = &mut app.viewer {
        viewer.wanted = Some((needle, back));
        viewer.turned = false;
    }
    again(app, false, out);
    Ok(())
}

/// Searches on, or the other way.
fn again(app: &mut App, other_way: bool, out: &mut Vec<Effect>) {
    let Some(viewer) = &app.viewer else { return };
    let Some((needle, back)) = viewer.wanted.clone() else { return ask(app, other_way) };
    let back = back != other_way;
    // A hit counts as long as it is in sight.
    let hit = viewer.hit.filter(|hit| (viewer.top..viewer.bottom().max(viewer.top + 1)).contains(&hit.0));
    let goal = match (back, viewer.turned) {
        (false, true) => Goal::Next(needle, 0),
        (false, false) => Goal::Next(needle, hit.map_or(viewer.top, |hit| hit.0 + 1)),
        (true, true) => Goal::Previous(needle, viewer.pages.size()),
        (true, false) => Goal::Previous(needle, hit.map_or(viewer.bottom(), |hit| hit.0)),
    };
    hunt(app, goal, out);
}

fn hunt(app: &mut App, goal: Goal, out: &mut Vec<Effect>) {
    let serial = app.next_serial();
    let Some(viewer) = &mut app.viewer else { return };
    if let Some(old) = viewer.hunt.take() {
        out.push(Effect::Look(Ask::Stop(old.serial)));
    }
    viewer.notice = None;
    viewer.hunt = Some(Hunt { serial, goal: goal.clone(), done: 0 });
    out.push(Effect::Look(Ask::Hunt { serial, place: viewer.place.clone(), goal }));
}

fn stop(viewer: &mut Viewer, out: &mut Vec<Effect>) {
    if let Some(hunt) = viewer.hunt.take() {
        out.push(Effect::Look(Ask::Stop(hunt.serial)));
        viewer.notice = Some((Tone::Plain, "stopped searching".to_owned()));
    }
}

/// Goes to a place that was typed; a line has to be counted to.
pub(super) fn go_to(app: &mut App, typed: &str, hex: bool, out: &mut Vec<Effect>) -> Result<(), String> {
    let spot = Spot::parse(typed, hex)?;
    let Some(viewer) = &mut app.viewer else { return Ok(()) };
    let size = viewer.pages.size();
    match spot {
        Spot::Line(1) => viewer.go(To::Byte(0)),
        Spot::Line(line) => hunt(app, Goal::Line(line), out),
        Spot::Percent(100) => viewer.go(To::End),
        Spot::Percent(percent) => viewer.go(To::Byte(size / 100 * percent + size % 100 * percent / 100)),
        Spot::Offset(byte) => {
            if byte >= size {
                viewer.notice = Some((Tone::Bad, format!("only {} bytes", crate::app::text::grouped(size))));
            }
            viewer.go(To::Byte(byte));
        }
    }
    Ok(())
}

/// Something for the viewer; what an older one asked for is dropped.
pub(super) fn seen(app: &mut App, seen: Seen, out: &mut Vec<Effect>) {
    let Some(viewer) = &mut app.viewer else { return };
    match seen {
        Seen::Piece { viewer: serial, index, result } if serial == viewer.serial => viewer.take(index, result),
        Seen::Checked { viewer: serial, result } if serial == viewer.serial => {
            viewer.heard(result);
            out.push(Effect::Look(Ask::Check { viewer: serial, place: viewer.place.clone() }));
        }
        Seen::Hunting { serial, done } => {
            if let Some(hunt) = viewer.hunt.as_mut().filter(|hunt| hunt.serial == serial) {
                hunt.done = done;
            }
        }
        Seen::Hunted { serial, result } => {
            if let Some(hunt) = viewer.hunt.take_if(|hunt| hunt.serial == serial) {
                hunted(viewer, &hunt.goal, result);
            }
        }
        Seen::Piece { .. } | Seen::Checked { .. } => {}
    }
}

fn hunted(viewer: &mut Viewer, goal: &Goal, result: Result<Found, wire::Fault>) {
    viewer.turned = false;
    match (result, goal) {
        (Ok(Found::Here((byte, _))), Goal::Line(_)) => viewer.go(To::Byte(byte)),
        (Ok(Found::Here(hit)), _) => {
            viewer.hit = Some(hit);
            viewer.go(To::Hit(hit));
        }
        (Ok(Found::Nowhere(told)), Goal::Line(_)) => {
            viewer.go(To::End);
            viewer.notice = Some((Tone::Bad, told));
        }
        (Ok(Found::Nowhere(_)), Goal::Next(needle, from) | Goal::Previous(needle, from)) => {
            let back = matches!(goal, Goal::Previous(..));
            let all = if back { *from >= viewer.pages.size() } else { *from == 0 };
            viewer.turned = !all;
            let typed = escape(needle.typed.as_bytes());
            let text = match (all, back) {
                (true, _) => format!("`{typed}` is not in this file"),
                (false, false) => format!("no `{typed}` below; again: from the top"),
                (false, true) => format!("no `{typed}` above; again: from the end"),
            };
            viewer.notice = Some((Tone::Bad, text));
        }
        (Err(fault), _) => viewer.notice = Some((Tone::Bad, format!("not searched: {}", fault.message))),
    }
}
