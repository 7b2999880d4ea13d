//! One pane: border with place and space, heading, rows, foot.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wire::message::Kind;
use wire::path::escape;
use wire::size;

use crate::action::Scope;
use crate::app::layout::columns::Columns;
use crate::app::layout::{self, list_area};
use crate::app::pane::{Pane, Row};
use crate::app::place::Place;
use crate::app::text::{self, clip, clip_left, columns};
use crate::app::{App, Session, Side};
use crate::engine::status::Link;
use crate::entries::EntryRef;
use crate::theme::{Look, Theme};

mod columns;
mod divider;

pub(super) fn draw(app: &App, theme: &Theme, side: Side, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let pane = app.pane(side);
    let active = side == app.active;
    let look = if active { theme.active_frame } else { theme.frame };
    let border = if active { &DOUBLE } else { &SINGLE };
    draw_border(border, area, look, buffer);
    let room = usize::from(area.width).saturating_sub(6);
    on_border(buffer, area, area.top(), &clip_left(&title(app, pane), room), look);
    on_border(
        buffer,
        area,
        area.bottom().saturating_sub(1),
        &super::space::words(app, pane, room),
        if pane.place.is_local() { look } else { theme.gauge },
    );
    let divider = Rect { y: area.bottom().saturating_sub(3), height: 1, ..area };
    divider::draw(pane, if active { theme.heading } else { look }, divider, buffer);
    let columns = Columns::of(list_area(area).width);
    let heading = columns.heading(pane.order);
    let head = layout::heading(area);
    columns.draw(buffer, head.x, head.y, &heading, theme.heading, theme.frame);
    draw_rows(app, theme, side, &columns, list_area(area), buffer);
    let foot =
        Rect { x: area.x + 1, y: area.bottom().saturating_sub(2), width: area.width.saturating_sub(2), height: 1 };
    super::line(buffer, foot, 0, &format!(" {}", foot_text(app, pane, foot.width)), theme.foot);
}

fn draw_rows(app: &App, theme: &Theme, side: Side, columns: &Columns, list: Rect, buffer: &mut Buffer) {
    let pane = app.pane(side);
    let has_keys = side == app.active && app.focus == Scope::Panes;
    let stale = !pane.place.is_local() && !app.is_online();
    for offset in 0..list.height {
        let row = pane.top + usize::from(offset);
        let cells = columns.row(app, pane, row);
        let look = look_of(theme, pane, row, has_keys && row == pane.cursor, stale);
        let lines = if has_keys && row == pane.cursor { look } else { theme.frame };
        columns.draw(buffer, list.x, list.y + offset, &cells, look, lines);
    }
}

fn look_of(theme: &Theme, pane: &Pane, row: usize, cursor: bool, stale: bool) -> Look {
    let entry = match pane.row(row) {
        Row::Entry(entry) => Some(entry),
        Row::Up | Row::Nothing => None,
    };
    let marked = entry.is_some_and(|entry| pane.marks.has(entry.id));
    match (cursor, marked, entry.map(|entry| entry.kind)) {
        (true, true, _) => theme.marked_cursor,
        (true, false, _) => theme.cursor,
        _ if stale => theme.stale,
        (false, true, _) => theme.marked,
        (false, false, Some(Kind::Directory)) => theme.directory,
        (false, false, Some(Kind::Link | Kind::Other)) => theme.link,
        (false, false, Some(Kind::File) | None) => theme.pane,
    }
}

fn title(app: &App, pane: &Pane) -> String {
    let path = pane.place.short_text(app.home.as_deref());
    match (&pane.place, &app.session) {
        (Place::Remote(_), Session::Online(label)) => format!("{}:{path}", escape(label.as_bytes())),
        (Place::Remote(_), _) => "no server".to_owned(),
        (Place::Local(_), _) => path,
    }
}

/// What the pane is busy with, else its marks, else the row under the cursor.
fn foot_text(app: &App, pane: &Pane, width: u16) -> String {
    let room = usize::from(width).saturating_sub(2);
    if let Some(search) = &pane.search {
        let waits = if pane.seeking.is_some() { " …" } else { "" };
        return clip_left(&format!("find: {}_{waits}", escape(search.as_bytes())), room);
    }
    if let Some(loading) = pane.loading.as_ref().filter(|loading| loading.is_worth_telling(pane)) {
        let reading = format!("reading… {}", text::grouped(loading.found));
        return if pane.marks.is_empty() { reading } else { format!("{reading}  {}", marks_text(pane)) };
    }
    if let Some((id, waiting)) = pane.sizes.under_way() {
        let more = if waiting > 0 { format!(", {} more", text::grouped(waiting as u64)) } else { String::new() };
        let tail = format!(" is being counted{more}; Esc stops");
        return clip(&escape(pane.rows.entries().name(id)), room.saturating_sub(columns(&tail))) + &tail;
    }
    if !pane.place.is_local() {
        match (&app.session, &app.status.link) {
            (Session::Connecting(_), _) => return "connecting…".to_owned(),
            (Session::Offline, _) | (_, Link::Refused(_)) => return "not connected; Ctrl-N connects".to_owned(),
            (Session::Online(_), Link::Lost { retry_in, .. }) => {
                return match retry_in.as_secs_f64().ceil() as u64 {
                    wait if wait > app.waited.0 => lost_text(wait - app.waited.0, room),
                    _ => "connection lost, trying again…".to_owned(),
                };
            }
            (Session::Online(_), Link::Online) => {}
        }
    }
    match (pane.marks.is_empty(), pane.partial) {
        (true, false) => {}
        (true, true) => return format!("only {} read; Ctrl-R: all", text::grouped(pane.rows.len() as u64)),
        (false, false) => return marks_text(pane),
        (false, true) => return format!("{}, not all read", marks_text(pane)),
    }
    match pane.current() {
        Row::Up => "to the directory above".to_owned(),
        Row::Entry(entry) => entry_text(entry, room),
        Row::Nothing if pane.rows.entries().is_empty() => "empty".to_owned(),
        Row::Nothing => "nothing is shown".to_owned(),
    }
}

fn marks_text(pane: &Pane) -> String {
    let sum = pane.marked();
    let least = if sum.complete { "" } else { "≥" };
    let marked = format!("{} marked  {least}{}", text::grouped(pane.marks.len() as u64), size::show(sum.bytes));
    match pane.marks_not_shown() {
        0 => marked,
        some => format!("{marked}, {} not shown", text::grouped(some as u64)),
    }
}

/// With the key that does not wait, where it fits.
fn lost_text(wait: u64, room: usize) -> String {
    let short = format!("connection lost, {wait} s, Ctrl-R: now");
    let long = format!("connection lost, trying again in {wait} s, Ctrl-R: now");
    if columns(&long) <= room { long } else { short }
}

fn entry_text(entry: EntryRef<'_>, room: usize) -> String {
    let detail = match (entry.kind, entry.proven) {
        (Kind::File, true) => format!("  {}  ✓ proven", size::show(entry.size)),
        (Kind::File, false) => format!("  {}", size::show(entry.size)),
        (Kind::Directory, _) => "  directory".to_owned(),
        (Kind::Link, _) => "  link".to_owned(),
        (Kind::Other, _) => "  device, socket or pipe".to_owned(),
    };
    clip(&escape(entry.name), room.saturating_sub(columns(&detail))) + &detail
}

/// Corners, horizontal and vertical lines, and the ends of the line above the foot.
struct Border {
    top: [&'static str; 3],
    side: &'static str,
    divider: [&'static str; 3],
    bottom: [&'static str; 3],
}

const DOUBLE: Border =
    Border { top: ["╔", "═", "╗"], side: "║", divider: ["╟", "─", "╢"], bottom: ["╚", "═", "╝"] };
const SINGLE: Border =
    Border { top: ["┌", "─", "┐"], side: "│", divider: ["├", "─", "┤"], bottom: ["└", "─", "┘"] };

fn draw_border(border: &Border, area: Rect, look: Look, buffer: &mut Buffer) {
    let inner = usize::from(area.width.saturating_sub(2));
    let mut across = |[left, middle, right]: [&str; 3], y: u16| {
        let words = format!("{left}{}{right}", middle.repeat(inner));
        buffer.set_stringn(area.x, y, words, usize::from(area.width), look.0);
    };
    across(border.top, area.top());
    across(border.divider, area.bottom().saturating_sub(3));
    across(border.bottom, area.bottom().saturating_sub(1));
    for y in area.top() + 1..area.bottom().saturating_sub(1) {
        if y != area.bottom().saturating_sub(3) {
            buffer.set_stringn(area.x, y, border.side, 1, look.0);
            buffer.set_stringn(area.right().saturating_sub(1), y, border.side, 1, look.0);
        }
    }
}

fn on_border(buffer: &mut Buffer, area: Rect, y: u16, words: &str, look: Look) {
    if !words.is_empty() {
        let room = usize::from(area.width.saturating_sub(4));
        buffer.set_stringn(area.x.saturating_add(2), y, format!(" {words} "), room, look.0);
    }
}
