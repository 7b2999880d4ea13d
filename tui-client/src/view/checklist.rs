//! The checklist of a synchronisation, over the whole screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wire::message::{Kind, Time};
use wire::path::escape;
use wire::size;

use crate::app::App;
use crate::app::checklist::Checklist;
use crate::app::layout::checklist_rows;
use crate::app::text::{Dates, clip, clip_left, columns, count, date, fit, fit_right, grouped};
use crate::entries::EntryRef;
use crate::sync::mode::Toward;
use crate::sync::orders::Totals;
use crate::sync::plan::{Action, Finding, Row};
use crate::theme::{Look, Theme};

pub(super) fn draw(app: &App, theme: &Theme, list: &Checklist, area: Rect, buffer: &mut Buffer) {
    let rows = checklist_rows(app.size);
    super::line(buffer, area, 0, &title(app, list), theme.active_frame);
    let columns = Columns::of(area.width);
    super::line(buffer, area, 1, &columns.heading(), theme.heading);
    for offset in 0..rows.height {
        let Some((index, row)) = list.at(list.top + usize::from(offset)) else {
            super::line(buffer, rows, offset, "", theme.pane);
            continue;
        };
        let is_cursor = list.top + usize::from(offset) == list.cursor;
        let look = match (is_cursor, list.is_marked(index)) {
            (true, true) => theme.marked_cursor,
            (true, false) => theme.cursor,
            (false, true) => theme.marked,
            (false, false) => look(theme, row, list.action(index)),
        };
        super::line(buffer, rows, offset, &columns.row(app, list, index, row), look);
    }
    if list.is_empty() && rows.height > 0 {
        super::line(buffer, rows, 0, empty(list), theme.pane);
    }
    let foot = Rect { y: rows.bottom(), height: 2, ..area };
    super::line(buffer, foot, 0, &detail(app, list, usize::from(area.width)), theme.foot);
    super::line(buffer, foot, 1, &totals(list, usize::from(area.width)), theme.queue_heading);
}

fn look(theme: &Theme, row: &Row, action: Action) -> Look {
    match (action, row.kind) {
        (Action::Skip, _) => theme.stale,
        (_, Kind::Directory) => theme.directory,
        _ => theme.pane,
    }
}

/// `─ ~/Downloads → /photos, by size and time: differences ───`
fn title(app: &App, list: &Checklist) -> String {
    let name = |place: &crate::app::place::Place| place.short_text(app.home.as_deref());
    let way = match list.mode.toward {
        Toward::Right => "→",
        Toward::Left => "←",
        Toward::Both => "↔",
    };
    let width = usize::from(app.size.0);
    let by = if width < NARROW { String::new() } else { format!("{}, ", list.mode.by.words()) };
    let words = format!(" {by}{} ", list.filter.words());
    let each = width.saturating_sub(columns(&words) + 6) / 2;
    let (left, right) = (clip_left(&name(&list.left), each), clip_left(&name(&list.right), each));
    let line = format!("─ {left} {way} {right} ─{words}");
    let rest = width.saturating_sub(columns(&line));
    clip(&(line + &"─".repeat(rest)), width)
}

fn empty(list: &Checklist) -> &'static str {
    match (list.scanning.is_some(), list.plan.rows.is_empty()) {
        (true, _) => " Nothing that differs so far",
        (false, true) => " Both sides are the same",
        (false, false) => " Nothing of that kind: f shows others",
    }
}

/// The whole path, and in words what the row is about.
fn detail(app: &App, list: &Checklist, width: usize) -> String {
    let Some((index, row)) = list.current() else { return String::new() };
    let action = match list.action(index) {
        Action::DeleteLeft if app.undo.takes(&list.left) => "to the trash on the left",
        Action::DeleteRight if app.undo.takes(&list.right) => "to the trash on the right",
        action => words(row, action),
    };
    let told = format!("  {}: {action}", row.finding.word());
    let path = escape(list.plan.path(row));
    format!(" {}{told}", clip_left(&path, width.saturating_sub(columns(&told) + 1)))
}

fn words(row: &Row, action: Action) -> &'static str {
    let replaces = row.left.is_some() && row.right.is_some();
    match (action, row.kind, row.finding) {
        (Action::Skip, _, finding) if finding.is_conflict() => "left as it is until you decide",
        (Action::Skip, Kind::Link | Kind::Other, _) => "not copied",
        (Action::Skip, ..) => "left as it is",
        (Action::CopyRight, Kind::Directory, _) => "made on the right",
        (Action::CopyLeft, Kind::Directory, _) => "made on the left",
        (Action::CopyRight, _, Finding::RightNewer) => "REPLACES THE NEWER on the right",
        (Action::CopyLeft, _, Finding::LeftNewer) => "REPLACES THE NEWER on the left",
        (Action::CopyRight, ..) if replaces => "replaces that on the right",
        (Action::CopyLeft, ..) if replaces => "replaces that on the left",
        (Action::CopyRight, ..) => "copied to the right",
        (Action::CopyLeft, ..) => "copied to the left",
        (Action::DeleteLeft, ..) => "DELETED on the left",
        (Action::DeleteRight, ..) => "DELETED on the right",
    }
}

/// What would be done, and how far the scan is: in words where they fit, else in signs.
fn totals(list: &Checklist, width: usize) -> String {
    let words = sums(list, Told::InWords);
    if columns(&words) <= width { words } else { clip(&sums(list, Told::InSigns), width) }
}

/// How sums are told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    InWords,
    InSigns,
}

fn sums(list: &Checklist, told: Told) -> String {
    let Totals { right, left, deleted_left, deleted_right, newer_replaced, undecided, waiting } = list.totals;
    let word = |words: &'static str| if told == Told::InWords { words } else { "" };
    let way = |sign: &str, files: u64, bytes: u64| match files {
        0 => format!("{sign} 0"),
        _ if told == Told::InWords => format!("{sign} {} {}", count(files, "file"), size::show_short(bytes)),
        _ => format!("{sign} {} {}", grouped(files), size::show_short(bytes)),
    };
    let mut parts = vec![way("→", right.files, right.bytes), way("←", left.files, left.bytes)];
    let made = right.directories + left.directories;
    let some = |number: u64, words: String| (number > 0).then_some(words);
    let deleted = if told == Told::InWords { "delete left|right" } else { "x" };
    parts.push(format!("{deleted} {}|{}", grouped(deleted_left), grouped(deleted_right)));
    parts.extend(some(undecided, format!("? {}{}", grouped(undecided), word(" undecided"))));
    parts.extend(list.scanning.map(|now| match now.to_compare {
        0 => format!("reading {}", grouped(now.found)),
        all => format!("compared {} of {}", grouped(now.compared), grouped(all)),
    }));
    parts.extend(some(waiting, format!("{} to compare", grouped(waiting))).filter(|_| list.scanning.is_none()));
    parts.extend(some(u64::from(list.partial), "NOT ALL".to_owned()));
    parts.extend(some(list.unread, format!("{} unreadable", count(list.unread, "directory"))));
    parts.extend(some(list.marked as u64, format!("{} marked", grouped(list.marked as u64))));
    parts.extend(some(newer_replaced, format!("{} over newer", grouped(newer_replaced))));
    parts.extend(some(made, format!("{} made", count(made, "directory"))));
    format!(" {}", parts.join("  "))
}

/// Which columns fit.
struct Columns {
    path: usize,
    size: usize,
    date: usize,
    dates: Dates,
}

impl Columns {
    fn of(width: u16) -> Self {
        let (date, dates) = match width {
            0..60 => (0, Dates::Short),
            60..110 => (13, Dates::Short),
            _ => (17, Dates::Long),
        };
        let size = 6;
        let sides = 2 * (size + date) + SIGN + 1;
        Self { path: usize::from(width).saturating_sub(sides), size, date, dates }
    }

    fn heading(&self) -> String {
        let side = |word: &str| fit_right(word, self.size + self.date);
        format!(" {}{}{:^SIGN$}{}", fit("Path", self.path), side("Left"), "", side("Right"))
    }

    fn row(&self, app: &App, list: &Checklist, index: usize, row: &Row) -> String {
        let mark = if list.is_marked(index) { "√" } else { " " };
        let path = escape(list.plan.path(row));
        let path = if row.kind == Kind::Directory { path + "/" } else { path };
        let (left, right) = (list.plan.on_left(row), list.plan.on_right(row));
        let sign = sign(row, list.action(index));
        let path = fit(&clip_left(&path, self.path), self.path);
        format!("{mark}{path}{}{sign:^SIGN$}{}", self.side(app, left), self.side(app, right))
    }

    fn side(&self, app: &App, entry: Option<EntryRef<'_>>) -> String {
        let Some(entry) = entry else { return " ".repeat(self.size + self.date) };
        let bytes = match entry.kind {
            Kind::File => size::show_short(entry.size),
            Kind::Directory => "DIR".to_owned(),
            Kind::Link => "LINK".to_owned(),
            Kind::Other => "OTHER".to_owned(),
        };
        let now: Time = app.here().read_at;
        let when = if self.date == 0 { String::new() } else { date(entry.mtime, now, &app.zone, self.dates) };
        fit_right(&bytes, self.size) + &fit_right(&when, self.date)
    }
}

/// The action as a shape: one line adds, a double one replaces, a cross deletes on its side of the bar.
fn sign(row: &Row, action: Action) -> &'static str {
    let replaces = row.left.is_some() && row.right.is_some();
    match action {
        Action::CopyRight if replaces => "═►",
        Action::CopyLeft if replaces => "◄═",
        Action::CopyRight => "─►",
        Action::CopyLeft => "◄─",
        Action::DeleteLeft => "x│",
        Action::DeleteRight => "│x",
        Action::Skip => match row.finding {
            Finding::Same => "=",
            Finding::Waiting => "…",
            finding if finding.is_conflict() => "?",
            _ => "·",
        },
    }
}

/// Columns below which there is room for names only.
const NARROW: usize = 60;
/// Columns of an action.
const SIGN: usize = 6;
