//! The queue in the whole screen: counts, the rate of the last minutes, groups, totals, and what the selected row
//! can do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wire::size;

use super::gauge::{gauge, percent, spark};
use crate::app::App;
use crate::app::board::{Row, first_seen, rows};
use crate::app::layout::board::Areas;
use crate::app::log;
use crate::app::queue::{direction, is_proven};
use crate::app::text::{clip, clock, columns, count, fit, fit_right, grouped};
use crate::engine::status::{AfterCopy, Direction, ItemStatus, Priority, State};
use crate::theme::{Look, Theme};

pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let areas = Areas::of(area, log::rows(area));
    super::line(buffer, areas.head, 0, &head(app, areas.head), theme.queue_heading);
    graph(app, theme, areas.graph, buffer);
    let (rows, height) = (rows(app), usize::from(areas.list.height));
    let first = first_seen(app, &rows, height);
    let widths = Widths::of(areas.list.width);
    for offset in 0..areas.list.height {
        match rows.get(first + usize::from(offset)) {
            Some(Row::Heading(group, number)) => {
                let words = format!("─ {} ({}) ", group.title(), grouped(*number as u64));
                super::line(buffer, areas.list, offset, &ruled(&words, area), theme.heading);
            }
            Some(Row::Item(id)) => {
                if let Some(item) = app.status.items.iter().find(|item| item.id == *id) {
                    draw_item(app, theme, &widths, item, areas.list, offset, buffer);
                }
            }
            None if offset == 0 && rows.is_empty() => {
                super::line(buffer, areas.list, 0, empty(app), theme.queue);
            }
            None => super::line(buffer, areas.list, offset, "", theme.queue),
        }
    }
    super::line(buffer, areas.total, 0, &total(app, areas.total), theme.queue);
    super::line(buffer, areas.foot, 0, &foot(app), theme.note);
    super::log::draw(app, theme, areas.below, buffer);
}

fn head(app: &App, area: Rect) -> String {
    let counts = super::queue::counts(&app.queue.sums(&app.status));
    let mut words = "─ Queue ".to_owned();
    if !app.board.wanted.is_empty() || app.board.typing {
        let cursor = if app.board.typing { "_" } else { "" };
        words += &format!("─ find: {}{cursor} ", app.board.wanted);
    }
    if !app.board.marks.is_empty() {
        words += &format!("─ {} marked ", grouped(app.board.marks.len() as u64));
    }
    words += &format!("─ {counts} ");
    if let Some(limit) = app.status.limit {
        words += &format!("─ limit {}/s ", size::show(limit));
    }
    ruled(&words, area)
}

fn ruled(words: &str, area: Rect) -> String {
    let width = usize::from(area.width);
    clip(words, width) + &"─".repeat(width.saturating_sub(columns(words)))
}

fn empty(app: &App) -> &'static str {
    if app.board.wanted.is_empty() {
        " Nothing is queued: F5 copies, F6 moves"
    } else {
        " Nothing has that in its name: Esc shows all"
    }
}

/// The rate, the newest second at the right, with its figures.
fn graph(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let pace = &app.status.pace;
    let (average, peak) = (pace.average(), pace.peak());
    let figures = if area.width < 72 {
        format!(" {}/s, peak {} ", size::show_short(app.status.rate), size::show_short(peak))
    } else {
        let [now, average, peak] = [app.status.rate, average, peak].map(size::show);
        format!(" now {now}/s  average {average}/s  peak {peak}/s ")
    };
    let width = usize::from(area.width).saturating_sub(columns(&figures));
    let levels = spark(&pace.seconds, width, usize::from(area.height));
    for (row, levels) in (0..area.height).zip(levels) {
        let figures = if row == 0 { figures.clone() } else { " ".repeat(columns(&figures)) };
        super::line(buffer, area, row, &(figures + &levels), theme.queue_gauge);
    }
}

/// Which columns fit.
struct Widths {
    state: usize,
    name: usize,
    size: usize,
    gauge: usize,
    rate: usize,
    eta: usize,
    priority: usize,
}

impl Widths {
    fn of(width: u16) -> Self {
        let width = usize::from(width);
        let (size, rate, priority) = if width < 72 { (0, 0, 0) } else { (9, 12, 5) };
        let (state, eta) = (12, 9);
        let free = width.saturating_sub(MARK + state + LEAD + size + PERCENT + rate + eta + priority + 1);
        let gauge = if width < 72 { 0 } else { (free * 2 / 5).min(40) };
        Self { state, name: free.saturating_sub(gauge + usize::from(gauge > 0)), size, gauge, rate, eta, priority }
    }
}

fn draw_item(app: &App, theme: &Theme, widths: &Widths, item: &ItemStatus, area: Rect, row: u16, buffer: &mut Buffer) {
    let selected = app.queue.selected == Some(item.id);
    let marked = app.board.marks.contains(&item.id);
    let look: Look = match (selected, marked) {
        (true, _) => theme.queue_cursor,
        (false, true) => theme.marked,
        _ => theme.queue,
    };
    let is_over = item.state.is_over();
    let least = if item.scanning && !is_over { "≥" } else { "" };
    let arrow = if direction(&item.job) == Direction::Up { "↑" } else { "↓" };
    let is_moving = item.state == State::Running;
    let eta = item.eta.filter(|_| !is_over).map(clock).unwrap_or_default();
    let (done, whole) = if is_proven(item) { (1, 1) } else { (item.bytes_done, item.bytes) };
    let percent = if whole == 0 { String::new() } else { format!("{}%", percent(done, whole)) };
    let rate = if is_moving { format!("{}/s", size::show(item.rate)) } else { String::new() };
    let mark = if marked { "√" } else { " " };
    let gap = " ".repeat(usize::from(widths.gauge > 0));
    let priority = match item.priority {
        Priority::High => "high",
        Priority::Normal => "",
        Priority::Low => "low",
    };
    let words = format!(
        "{mark}{}{arrow} {}{}{gap}{}{}{}{} {}",
        fit(word(item), widths.state),
        fit(&name(item), widths.name),
        fit_right(&sized(&format!("{least}{}", size::show_short(item.bytes)), widths.size), widths.size),
        " ".repeat(widths.gauge),
        fit_right(&percent, PERCENT),
        fit_right(&rate, widths.rate),
        fit_right(&eta, widths.eta),
        fit(priority, widths.priority),
    );
    super::line(buffer, area, row, &words, look);
    let x = MARK + widths.state + LEAD + widths.name + widths.size + gap.len();
    let x = area.x.saturating_add(u16::try_from(x).unwrap_or(u16::MAX));
    if x < area.right() {
        let look = if selected { look } else { theme.queue_gauge };
        buffer.set_stringn(x, area.y + row, gauge(done, 0, whole, widths.gauge), widths.gauge, look.0);
    }
}

fn sized(text: &str, width: usize) -> String {
    if width == 0 { String::new() } else { text.to_owned() }
}

fn word(item: &ItemStatus) -> &'static str {
    match &item.state {
        State::Done if is_proven(item) && item.source == AfterCopy::Remove => "✓ moved",
        State::Done if is_proven(item) => "✓ proven",
        state => state.word(),
    }
}

fn name(item: &ItemStatus) -> String {
    let moving = if item.source == AfterCopy::Remove && !item.state.is_over() { "moving " } else { "" };
    let limit = item.limit.filter(|_| !item.state.is_over());
    let held = limit.map(|limit| format!("≤{}/s ", size::show_short(limit))).unwrap_or_default();
    let (priority, least) = (short(item.priority), if item.scanning { "≥" } else { "" });
    let files = if item.name.ends_with('/') {
        format!(" ({} of {least}{})", grouped(item.files_done), grouped(item.files))
    } else {
        String::new()
    };
    format!("{priority}{held}{moving}{}{files}", item.name)
}

/// In front of the name: it is seen where there is no column for it.
fn short(priority: Priority) -> &'static str {
    match priority {
        Priority::High => "▲",
        Priority::Normal => "",
        Priority::Low => "▽",
    }
}

/// `Σ 7 items  212 of ≥340 files  2.5G of ≥8.2G  31%  0:29`
fn total(app: &App, area: Rect) -> String {
    let sums = app.queue.sums(&app.status);
    if sums.items == 0 {
        return String::new();
    }
    let least = if sums.scanning { "≥" } else { "" };
    let eta = sums.eta(app.status.rate).map_or_else(|| "-:--".to_owned(), clock);
    let bytes = format!("{} of {least}{}", size::show_short(sums.bytes_done), size::show_short(sums.bytes));
    let percent = percent(sums.bytes_done, sums.bytes);
    if area.width < 60 {
        return format!(" Σ {}%  {bytes}  {least}{eta}", percent);
    }
    let files = format!("{} of {least}{}", grouped(sums.files_done), count(sums.files, "file"));
    format!(" Σ {}  {files}  {bytes}  {percent}%  {least}{eta}", count(sums.items as u64, "item"))
}

/// The keys that mean something for what is selected or marked.
fn foot(app: &App) -> String {
    if app.board.typing {
        return "Enter: keep  Esc: show all".to_owned();
    }
    if !app.board.marks.is_empty() {
        return "p pause  r retry  c cancel  u n t b move  + - priority  Del forget  * unmark".to_owned();
    }
    let selected = app.status.items.iter().find(|item| Some(item.id) == app.queue.selected);
    match selected.map(|item| &item.state) {
        None => "F2: panes",
        Some(State::NeedsYou) => "Enter answer  p pause  c cancel  l limit  Space mark  / find",
        Some(State::Paused) => "p go on  c cancel  u n t b move  + - priority  l limit  Space mark  / find",
        Some(State::Failed(_)) => "r retry  Enter details  d delete the rest of it  Del forget  Space mark  / find",
        Some(State::Cancelled) => "r begin anew  d delete the rest of it  Del forget  x forget all that is over",
        Some(State::Done) => "Enter details  Del forget  x forget all that is over  Space mark  / find",
        Some(_) => "p pause  c cancel  u n t b move  + - priority  l limit  Space mark  / find",
    }
    .to_owned()
}

/// Where `√` stands.
const MARK: usize = 1;
/// The direction, a blank.
const LEAD: usize = 2;
/// `100%` and a blank.
const PERCENT: usize = 5;
