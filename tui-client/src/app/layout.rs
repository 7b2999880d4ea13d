//! Where everything is on the screen. Drawing and the mouse both go by it.

pub mod board;
pub mod columns;

use ratatui::layout::Rect;

use super::queue::is_busy;
use super::{App, Side, log};
use crate::action::Scope;
use crate::engine::status::State;

/// The parts of the screen. A part that is not shown has no area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The left pane, borders included.
    pub left: Rect,
    /// The right pane.
    pub right: Rect,
    /// The queue, its header included.
    pub queue: Rect,
    /// The message line.
    pub note: Rect,
    /// The key bar.
    pub bar: Rect,
}

impl Layout {
    /// The parts of this screen; `None` when it is too small for any.
    pub fn of(app: &App) -> Option<Layout> {
        let (width, height) = app.size;
        if width < MIN_SIZE.0 || height < MIN_SIZE.1 {
            return None;
        }
        let row = |y, height| Rect::new(0, y, width, height);
        if app.board.is_full(app.focus) {
            let (note, bar) = (row(height - 2, 1), row(height - 1, 1));
            return Some(Layout { left: Rect::ZERO, right: Rect::ZERO, queue: row(0, height - 2), note, bar });
        }
        let queue_height = queue_height(app);
        let panes_height = height - queue_height - 2;
        let (left, right) = match (width < TWO_PANES, app.active) {
            (true, Side::Left) => (row(0, panes_height), Rect::ZERO),
            (true, Side::Right) => (Rect::ZERO, row(0, panes_height)),
            (false, _) => {
                let half = width / 2;
                (Rect::new(0, 0, half, panes_height), Rect::new(half, 0, width - half, panes_height))
            }
        };
        let queue = row(panes_height, queue_height);
        Some(Layout { left, right, queue, note: row(height - 2, 1), bar: row(height - 1, 1) })
    }

    /// The area of a pane.
    pub fn pane(&self, side: Side) -> Rect {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }
}

/// The rows of a pane that hold names: all but two borders, the heading, the foot and its line.
pub fn list_area(pane: Rect) -> Rect {
    Rect {
        x: pane.x.saturating_add(1),
        y: pane.y.saturating_add(2),
        width: pane.width.saturating_sub(2),
        height: pane.height.saturating_sub(5),
    }
}

/// The line of a pane that names its columns.
pub fn heading(pane: Rect) -> Rect {
    let list = list_area(pane);
    Rect { y: pane.y.saturating_add(1), height: 1.min(pane.height.saturating_sub(1)), ..list }
}

/// The lower border of a pane, with the gauge.
pub fn gauge(pane: Rect) -> Rect {
    Rect { y: pane.bottom().saturating_sub(1), height: 1.min(pane.height), ..pane }
}

/// The rows of the viewer that show the file: all but its head, its foot and the key bar.
pub fn viewer_body(size: (u16, u16)) -> Rect {
    Rect::new(0, 1, size.0, size.1.saturating_sub(3))
}

/// Rows of the queue that hold items: all but the header and the total.
pub fn queue_rows(app: &App, queue: Rect) -> Rect {
    if app.board.is_full(app.focus) {
        return board::Areas::of(queue, log::rows(queue)).list;
    }
    let taken = 1 + u16::from(has_total(app, queue.height));
    Rect { y: queue.y.saturating_add(1), height: queue.height.saturating_sub(taken), ..queue }
}

/// The rows of a list that takes the whole screen: all but its title and heading, its two foot lines, the message
/// line and the key bar.
pub fn checklist_rows((width, height): (u16, u16)) -> Rect {
    Rect::new(0, 2, width, height.saturating_sub(6))
}

/// Whether the last row of the queue sums up the others.
pub fn has_total(app: &App, height: u16) -> bool {
    height > 2 && app.status.items.len() > 1 && is_busy(&app.status)
}

/// The ten parts of the key bar: first column and width.
pub fn bar_slots(width: u16) -> [(u16, u16); 10] {
    std::array::from_fn(|index| {
        let at = |n: usize| u16::try_from(n * usize::from(width) / 10).unwrap_or(width);
        (at(index), at(index + 1) - at(index))
    })
}

/// One line when the screen is low; else a header, a row for each item that is not done, and the
/// total, up to a third of the screen. With the keys it shows the done ones as well.
fn queue_height(app: &App) -> u16 {
    let items = &app.status.items;
    if items.is_empty() {
        return 0;
    }
    let focused = app.focus == Scope::Queue;
    if app.size.1 < LOW && !focused {
        return 1;
    }
    let shown = items.iter().filter(|item| focused || !matches!(item.state, State::Done | State::Cancelled)).count();
    let total = usize::from(items.len() > 1 && is_busy(&app.status) && shown > 0);
    let wanted = u16::try_from(1 + shown + total).unwrap_or(u16::MAX);
    wanted.min((app.size.1 / 3).max(3))
}

/// Below this the screen says only what it needs.
pub const MIN_SIZE: (u16, u16) = (40, 12);
/// Narrower than this there is one pane.
const TWO_PANES: u16 = 60;
/// Lower than this the queue is one line.
const LOW: u16 = 20;
