//! The queue: a header with counts, a row for each transfer, a total.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wire::size;

use super::gauge::{gauge, percent};
use crate::action::Scope;
use crate::app::App;
use crate::app::layout::{has_total, queue_rows};
use crate::app::queue::{Sums, direction, is_proven};
use crate::app::text::{clip, clock, columns, count, fit, fit_right, grouped};
use crate::engine::status::{AfterCopy, Direction, ItemStatus, State};
use crate::theme::{Look, Theme};

pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let sums = app.queue.sums(&app.status);
    super::line(buffer, area, 0, &header(app, &sums, area), theme.queue_heading);
    let rows = queue_rows(app, area);
    let columns = Columns::of(area.width);
    for offset in 0..rows.height {
        let id = app.queue.order.get(app.queue.top + usize::from(offset));
        let item = id.and_then(|id| app.status.items.iter().find(|item| item.id == *id));
        let Some(item) = item else {
            super::line(buffer, rows, offset, "", theme.queue);
            continue;
        };
        let selected = app.focus == Scope::Queue && app.queue.selected == Some(item.id);
        let look = if selected { theme.queue_cursor } else { theme.queue };
        let gauge_look = if selected { look } else { theme.queue_gauge };
        columns.draw(buffer, rows, offset, &Line::of(item), look, gauge_look);
    }
    if has_total(app, area.height) {
        let line = Line::total(app, &sums);
        columns.draw(buffer, area, area.height - 1, &line, theme.queue, theme.queue_gauge);
    }
}

/// `─ Queue: 2 running, 5 waiting, 1 needs you ───`; alone on its line it tells the total as well.
fn header(app: &App, sums: &Sums, area: Rect) -> String {
    let told = counts(sums);
    let mut words = format!("─ Queue: {told} ");
    if area.height == 1 && sums.items > 0 {
        words += &format!(
            "─ {}% {}/s {} ",
            percent(sums.bytes_done, sums.bytes),
            size::show(app.status.rate),
            total_eta(app, sums)
        );
    }
    // Else the total line tells it.
    if let Some(limit) = app.status.limit.filter(|_| !has_total(app, area.height)) {
        words += &format!("─ limit {}/s ", size::show(limit));
    }
    let width = usize::from(area.width);
    let rest = width.saturating_sub(columns(&words));
    clip(&words, width) + &"─".repeat(rest)
}

/// `2 running, 5 waiting, 1 needs you`.
pub(super) fn counts(sums: &Sums) -> String {
    let counts = [
        (sums.running, "running"),
        (sums.retrying, "retrying"),
        (sums.waiting, "waiting"),
        (sums.paused, "paused"),
        (sums.needs_you, if sums.needs_you == 1 { "needs you (Ctrl-D)" } else { "need you (Ctrl-D)" }),
        (sums.failed, "failed"),
        (sums.done, "done"),
    ];
    let told: Vec<_> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", grouped(*n as u64))).collect();
    if told.is_empty() { "nothing to do".to_owned() } else { told.join(", ") }
}

/// What a row tells, before it is cut to columns.
struct Line {
    lead: &'static str,
    name: String,
    done: u64,
    bytes: u64,
    least: &'static str,
    over: bool,
    end: End,
}

/// The right end of a row: figures while it moves, else the word of its state.
enum End {
    Moving { rate: u64, eta: String },
    Word(String),
}

impl Line {
    fn of(item: &ItemStatus) -> Line {
        let least = if item.scanning { "≥" } else { "" };
        let is_tree = item.name.ends_with('/');
        let tree = if is_tree {
            format!(" ({} of {least}{})", grouped(item.files_done), grouped(item.files))
        } else {
            String::new()
        };
        let limit = item.limit.filter(|_| !item.state.is_over());
        let moving = if item.source == AfterCopy::Remove && !item.state.is_over() { "moving " } else { "" };
        let lead = match direction(&item.job) {
            Direction::Up => "↑",
            Direction::Down => "↓",
        };
        let end = match &item.state {
            // All of it is there; the sources go one by one.
            State::Running if item.source == AfterCopy::Remove && !item.scanning && item.bytes_done >= item.bytes => {
                End::Word("removing".to_owned())
            }
            State::Running => End::Moving { rate: item.rate, eta: eta(item.eta) },
            State::Failed(_) if item.files > 1 => {
                End::Word(format!("{}: {}", item.state.word(), count(item.files_failed, "file")))
            }
            State::Done if is_proven(item) && item.source == AfterCopy::Remove => End::Word("✓ moved".to_owned()),
            State::Done if is_proven(item) => End::Word("✓ proven".to_owned()),
            state => End::Word(state.word().to_owned()),
        };
        Line {
            lead,
            name: format!("{}{moving}{}{tree}", held_to(limit), item.name),
            done: item.bytes_done,
            bytes: item.bytes,
            least,
            over: item.state == State::Done,
            end,
        }
    }

    fn total(app: &App, sums: &Sums) -> Line {
        Line {
            lead: "Σ",
            name: held_to(app.status.limit) + &count(sums.items as u64, "item"),
            done: sums.bytes_done,
            bytes: sums.bytes,
            least: if sums.scanning { "≥" } else { "" },
            over: false,
            end: End::Moving { rate: app.status.rate, eta: total_eta(app, sums) },
        }
    }

    fn figures(&self) -> String {
        format!("{} of {}{}", size::show_short(self.done), self.least, size::show_short(self.bytes))
    }
}

/// Which columns fit, and how wide they are.
struct Columns {
    name: usize,
    gauge: usize,
    figures: usize,
    rate: usize,
    eta: usize,
}

impl Columns {
    fn of(width: u16) -> Self {
        let width = usize::from(width);
        let (figures, rate, eta) = if width < 72 { (0, 0, 13) } else { (15, 11, 8) };
        let fixed = LEAD + PERCENT + figures + rate + eta + 1;
        let free = width.saturating_sub(fixed);
        let gauge = if free < 26 { 0 } else { (free * 2 / 5).min(60) };
        Self { name: free.saturating_sub(gauge), gauge, figures, rate, eta }
    }

    fn draw(&self, buffer: &mut Buffer, area: Rect, row: u16, line: &Line, look: Look, gauge_look: Look) {
        let gap = usize::from(self.gauge > 0);
        let name = format!(" {} {}", line.lead, fit(&line.name, self.name.saturating_sub(gap)));
        // Of nothing there is no part, unless all of it is there.
        let (done, whole) = if line.over { (line.done.max(1), line.bytes.max(1)) } else { (line.done, line.bytes) };
        let percent = if whole == 0 { String::new() } else { format!("{}%", percent(done, whole)) };
        let figures = fit_right(&line.figures(), self.figures);
        let figures = if self.figures > 0 { figures } else { String::new() };
        let end = match &line.end {
            End::Moving { rate, eta } if self.rate > 0 => {
                fit_right(&format!("{}/s", size::show(*rate)), self.rate) + &fit_right(eta, self.eta)
            }
            End::Moving { eta, .. } => fit_right(eta, self.eta),
            End::Word(word) => fit_right(word, self.rate + self.eta),
        };
        let words = format!(
            "{name}{}{}{}{figures}{end}",
            " ".repeat(gap),
            " ".repeat(self.gauge),
            fit_right(&percent, PERCENT)
        );
        super::line(buffer, area, row, &words, look);
        let x = area.x.saturating_add(u16::try_from(LEAD + self.name).unwrap_or(u16::MAX));
        let cells = gauge(done, 0, whole, self.gauge);
        if row < area.height && x < area.right() {
            buffer.set_stringn(x, area.y + row, cells, self.gauge, gauge_look.0);
        }
    }
}

/// In front of the name, so that a long name does not push it away.
fn held_to(limit: Option<u64>) -> String {
    limit.map(|limit| format!("≤{}/s ", size::show_short(limit))).unwrap_or_default()
}

fn eta(time: Option<std::time::Duration>) -> String {
    time.map_or_else(|| "-:--".to_owned(), clock)
}

fn total_eta(app: &App, sums: &Sums) -> String {
    let least = if sums.scanning { "≥" } else { "" };
    format!("{least}{}", eta(sums.eta(app.status.rate)))
}

/// A blank, the direction, a blank.
const LEAD: usize = 3;
/// `100%` and a blank.
const PERCENT: usize = 5;
