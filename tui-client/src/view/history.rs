//! What became of past transfers, over the whole screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wire::message::Time;
use wire::size;

use crate::app::App;
use crate::app::history::{History, word};
use crate::app::layout::checklist_rows;
use crate::app::place::Place;
use crate::app::queue::direction;
use crate::app::text::{Dates, clip, clip_left, clock, columns, date, fit, fit_right, grouped};
use crate::engine::keep::history::{Ending, Past};
use crate::engine::status::{Direction, Job};
use crate::theme::Theme;

pub(super) fn draw(app: &App, theme: &Theme, history: &History, area: Rect, buffer: &mut Buffer) {
    let rows = checklist_rows(app.size);
    let widths = Widths::of(area.width);
    super::line(buffer, area, 0, &title(history, area), theme.active_frame);
    super::line(buffer, area, 1, &widths.heading(), theme.heading);
    for offset in 0..rows.height {
        let index = history.top + usize::from(offset);
        let Some((past, is_marked)) = history.get(index) else {
            let words = if offset == 0 { nothing(history) } else { String::new() };
            super::line(buffer, rows, offset, &words, theme.pane);
            continue;
        };
        let look = match (index == history.cursor, is_marked) {
            (true, true) => theme.marked_cursor,
            (true, false) => theme.cursor,
            (false, true) => theme.marked,
            (false, false) => theme.pane,
        };
        super::line(buffer, rows, offset, &widths.row(app, past, is_marked), look);
    }
    let foot = Rect { y: rows.bottom(), height: 2, ..area };
    let width = usize::from(area.width).saturating_sub(2);
    let (places, rest) = history.current().map(|past| (places(app, past, width), rest(past))).unwrap_or_default();
    super::line(buffer, foot, 0, &format!(" {places}"), theme.foot);
    super::line(buffer, foot, 1, &format!(" {}", clip(&rest, width)), theme.queue_heading);
}

/// `─ History ─ find: raw_ ─ failed only ─ 12 of 9,876 ────`
fn title(history: &History, area: Rect) -> String {
    let mut words = "─ History ".to_owned();
    if !history.wanted.is_empty() || history.typing {
        words += &format!("─ find: {}{} ", history.wanted, if history.typing { "_" } else { "" });
    }
    if history.failed_only {
        words += "─ failed only ";
    }
    if !history.marks.is_empty() {
        words += &format!("─ {} marked ", grouped(history.marks.len() as u64));
    }
    let (shown, all) = (grouped(history.len() as u64), grouped(history.all() as u64));
    words += &if history.reading {
        "─ reading… ".to_owned()
    } else if shown == all {
        format!("─ {all} ")
    } else {
        format!("─ {shown} of {all} ")
    };
    let width = usize::from(area.width);
    clip(&words, width) + &"─".repeat(width.saturating_sub(columns(&words)))
}

fn nothing(history: &History) -> String {
    if !history.fault.is_empty() {
        return format!(" The history cannot be read: {}", wire::path::escape(history.fault.as_bytes()));
    }
    let words = match (history.reading, history.all()) {
        (true, _) => " Reading…",
        (false, 0) => " Nothing was transferred yet",
        (false, _) => " Nothing of that kind: Esc or f shows more",
    };
    words.to_owned()
}

/// Which columns fit.
struct Widths {
    time: usize,
    name: usize,
    rate: usize,
    clock: usize,
}

impl Widths {
    fn of(width: u16) -> Self {
        let (time, rate, clock) = if width < 72 { (0, 0, 0) } else { (13, 13, 9) };
        let taken = 1 + time + STATE + ARROW + SIZE + rate + clock + 1;
        Self { time, name: usize::from(width).saturating_sub(taken), rate, clock }
    }

    fn heading(&self) -> String {
        format!(
            " {}{}{}{}{}{}",
            fit(shorten("Ended", self.time), self.time),
            fit("State", STATE),
            fit("  Name", ARROW + self.name),
            fit_right("Size", SIZE),
            fit_right(shorten("Rate", self.rate), self.rate),
            fit_right(shorten("Took", self.clock), self.clock),
        )
    }

    fn row(&self, app: &App, past: &Past, is_marked: bool) -> String {
        let mark = if is_marked { "√" } else { " " };
        let arrow = if direction(&past.job) == Direction::Up { "↑ " } else { "↓ " };
        let rate = if past.sent > 0 { format!("{}/s", size::show(past.rate())) } else { "-".to_owned() };
        format!(
            "{mark}{}{}{arrow}{}{}{}{}",
            fit(shorten(&ended(app, past, Dates::Short), self.time), self.time),
            fit(word(past), STATE),
            fit(&past.name, self.name),
            fit_right(&size::show_short(past.bytes), SIZE),
            fit_right(shorten(&rate, self.rate), self.rate),
            fit_right(shorten(&clock(past.elapsed), self.clock), self.clock),
        )
    }
}

/// A column without room shows nothing, not even that something is missing.
fn shorten(text: &str, width: usize) -> &str {
    if width == 0 { "" } else { text }
}

fn ended(app: &App, past: &Past, dates: Dates) -> String {
    date(Time { secs: past.at, nanos: 0 }, app.here().read_at, &app.zone, dates)
}

/// `Nov 22 09:50  ~/photos/a → /photos/a`, the time only where it has no column.
fn places(app: &App, past: &Past, width: usize) -> String {
    let short = |place: Place| place.short_text(app.home.as_deref());
    let (from, to) = match &past.job {
        Job::Up { source, target } => (short(Place::Local(source.clone())), target.to_string()),
        Job::Down { source, target } => (source.to_string(), short(Place::Local(target.clone()))),
    };
    let lead = if width < 70 { ended(app, past, Dates::Short) + " " } else { String::new() };
    let room = width.saturating_sub(columns(&lead) + 3);
    let left = room.saturating_sub(columns(&to).min(room / 2));
    let from = clip_left(&from, left);
    let to = clip_left(&to, room.saturating_sub(columns(&from)));
    format!("{lead}{from} → {to}")
}

/// Why it failed, else what proves it.
fn rest(past: &Past) -> String {
    match (past.end, past.root) {
        (Ending::Failed, _) => wire::path::escape(past.why.as_bytes()),
        (_, Some(root)) => format!("BLAKE3 {root}"),
        _ => format!("{} travelled, {} were there already", size::show(past.sent), size::show(past.held)),
    }
}

/// `cancelled` and a blank.
const STATE: usize = 10;
/// The direction, a blank.
const ARROW: usize = 2;
const SIZE: usize = 7;
