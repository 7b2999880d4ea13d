//! The mouse: everything it does has a key as well.

use crossterm::event::{KeyCode, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{Effect, actions, board, decisions, details, dialogs, keys, menu, queue};
use crate::action::{Action, Scope};
use crate::app::board::{Row, first_seen, rows};
use crate::app::face::{Face, Line};
use crate::app::layout::board::Areas;
use crate::app::layout::columns::Columns;
use crate::app::layout::{self, Layout};
use crate::app::lists::Lists;
use crate::app::log;
use crate::app::order::By;
use crate::app::{App, Click, Side};
use crate::engine::status::ItemId;

pub(super) fn event(app: &mut App, event: MouseEvent, at: u64, out: &mut Vec<Effect>) {
    let Some(layout) = Layout::of(app).filter(|_| app.chrome.mouse) else { return };
    let spot = Position::new(event.column, event.row);
    let is_covered = !app.dialogs.is_empty() || app.chrome.menu.is_some();
    if app.viewer.is_some() && !is_covered {
        return in_viewer(app, event.kind, &layout, spot, out);
    }
    if !is_covered && matches!(app.focus, Scope::Plan | Scope::Hits | Scope::History) && !layout.bar.contains(spot) {
        return in_list(app, event, at, out);
    }
    match event.kind {
        MouseEventKind::Down(button) if !app.dialogs.is_empty() => in_dialog(app, button, spot, out),
        MouseEventKind::Down(_) if app.chrome.menu.is_some() => menu::click(app, spot, out),
        MouseEventKind::Down(MouseButton::Left) => {
            let double = is_second(app, at, (spot.x, spot.y));
            click(app, &layout, spot, double, out);
        }
        MouseEventKind::Down(MouseButton::Right) => {
            if let Some(side) = put_cursor(app, &layout, spot) {
                app.pane_mut(side).toggle_mark();
            } else if select(app, &layout, spot) && app.board.is_full(app.focus) {
                actions::run(app, Action::MarkItem, out);
            }
        }
        MouseEventKind::ScrollDown => turn(app, &layout, spot, WHEEL, out),
        MouseEventKind::ScrollUp => turn(app, &layout, spot, -WHEEL, out),
        _ => {}
    }
}

/// A list over the whole screen: the wheel and clicks move, right clicks mark, a double click enters; a plan has nothing
/// to enter.
fn in_list(app: &mut App, event: MouseEvent, at: u64, out: &mut Vec<Effect>) {
    let (rows, spot) = (layout::checklist_rows(app.size), (event.column, event.row));
    let steps = match event.kind {
        MouseEventKind::ScrollDown => WHEEL,
        MouseEventKind::ScrollUp => -WHEEL,
        MouseEventKind::Down(_) if rows.contains(spot.into()) => {
            let row = isize::try_from(spot.1 - rows.y).unwrap_or_default();
            let places = match app.focus {
                Scope::Plan => app.lists.checklist.as_ref().map(|list| (list.top, list.cursor, list.len())),
                Scope::History => app.lists.history.as_ref().map(|list| (list.top, list.cursor, list.len())),
                _ => app.lists.hits.as_ref().map(|hits| (hits.top, hits.cursor, hits.len())),
            };
            let (top, cursor, len) = places.unwrap_or_default();
            let row = row.saturating_add_unsigned(top);
            if row.unsigned_abs() >= len {
                return;
            }
            row.saturating_sub_unsigned(cursor)
        }
        _ => return,
    };
    match (app.focus, &mut app.lists) {
        (Scope::Plan, Lists { checklist: Some(list), .. }) => list.step(steps),
        (Scope::History, Lists { history: Some(history), .. }) => history.step(steps),
        (_, Lists { hits: Some(hits), .. }) => hits.step(steps),
        _ => {}
    }
    match event.kind {
        MouseEventKind::Down(MouseButton::Right) => actions::run(app, Action::Mark, out),
        MouseEventKind::Down(_) if is_second(app, at, spot) && app.focus != Scope::Plan => {
            actions::run(app, Action::Enter, out);
        }
        _ => {}
    }
}

fn in_dialog(app: &mut App, button: MouseButton, spot: Position, out: &mut Vec<Effect>) {
    let Some(face) = app.dialogs.last().map(|dialog| Face::of(app, dialog)) else { return };
    let Some(index) = face.control_at(spot.x, spot.y) else { return };
    if button != MouseButton::Left {
        return decisions::mark_at(app, &face, index);
    }
    let line = face.controls.get(index).and_then(|control| face.lines.get(control.line?));
    if let Some(dialog) = app.dialogs.last_mut() {
        dialog.focus = index;
        // A click on a field only puts the keys there.
        if !matches!(line, Some(Line::Field(..))) {
            dialogs::press_control(app, &face, index, out);
        }
        dialogs::settle(app);
    }
}

fn click(app: &mut App, layout: &Layout, spot: Position, double: bool, out: &mut Vec<Effect>) {
    if layout.bar.contains(spot) {
        click_bar(app, layout, spot, out);
    } else if layout.queue.contains(spot) {
        click_queue(app, layout, spot, double);
    } else if let Some((side, by)) = head_at(layout, spot) {
        (app.active, app.focus) = (side, Scope::Panes);
        actions::run(app, Action::Sort(by), out);
    } else if let Some(side) = SIDES.into_iter().find(|side| layout::gauge(layout.pane(*side)).contains(spot)) {
        (app.active, app.focus) = (side, Scope::Panes);
        details::open_pane(app, out);
    } else if put_cursor(app, layout, spot).is_some() && double {
        actions::enter(app, out);
    }
}

fn click_bar(app: &mut App, layout: &Layout, spot: Position, out: &mut Vec<Effect>) {
    let slots = layout::bar_slots(layout.bar.width);
    let hit = slots.iter().position(|(x, width)| (*x..x + width).contains(&spot.x));
    if let Some(number) = hit.and_then(|index| u8::try_from(index + 1).ok()) {
        keys::function(app, number, out);
    }
}

fn in_viewer(app: &mut App, kind: MouseEventKind, layout: &Layout, spot: Position, out: &mut Vec<Effect>) {
    match (kind, &mut app.viewer) {
        (MouseEventKind::ScrollDown, Some(viewer)) => viewer.step(WHEEL as i64),
        (MouseEventKind::ScrollUp, Some(viewer)) => viewer.step(-WHEEL as i64),
        (MouseEventKind::Down(MouseButton::Left), _) if layout.bar.contains(spot) => click_bar(app, layout, spot, out),
        _ => {}
    }
}

/// One click selects. Two open what was selected: in a part of the screen the whole queue, there the item. The
/// queue may have grown under the pointer since the first.
fn click_queue(app: &mut App, layout: &Layout, spot: Position, double: bool) {
    let is_full = app.board.is_full(app.focus);
    if double && !is_full {
        return board::toggle(app);
    }
    if app.focus != Scope::Queue {
        queue::focus(app);
    }
    if select(app, layout, spot) && double {
        queue::open(app);
    }
}

/// Selects the item under the pointer; tells whether there is one.
fn select(app: &mut App, layout: &Layout, spot: Position) -> bool {
    let rows = layout::queue_rows(app, layout.queue);
    let id = rows.contains(spot).then(|| item_at(app, rows, usize::from(spot.y - rows.y))).flatten();
    if id.is_some() && app.focus == Scope::Queue {
        app.queue.selected = id;
    }
    id.is_some()
}

/// The head of a column under the pointer, by what it sorts.
fn head_at(layout: &Layout, spot: Position) -> Option<(Side, By)> {
    let side = SIDES.into_iter().find(|side| layout::heading(layout.pane(*side)).contains(spot))?;
    let head = layout::heading(layout.pane(side));
    let by = Columns::of(head.width).sorts_at(spot.x - head.x)?;
    Some((side, by))
}

/// The item on a row of the list.
fn item_at(app: &App, list: Rect, row: usize) -> Option<ItemId> {
    if !app.board.is_full(app.focus) {
        return app.queue.order.get(row + app.queue.top).copied();
    }
    let rows = rows(app);
    match rows.get(first_seen(app, &rows, usize::from(list.height)) + row) {
        Some(Row::Item(id)) => Some(*id),
        _ => None,
    }
}

/// Gives the pane under the pointer the keys; on a row, the cursor goes there and its side is told.
fn put_cursor(app: &mut App, layout: &Layout, spot: Position) -> Option<Side> {
    let side = SIDES.into_iter().find(|side| layout.pane(*side).contains(spot))?;
    app.active = side;
    app.focus = Scope::Panes;
    let list = layout::list_area(layout.pane(side));
    let pane = app.pane_mut(side);
    pane.end_search();
    pane.sifting = false;
    let row = usize::from(spot.y.checked_sub(list.y)?) + pane.top;
    if !list.contains(spot) || row >= pane.row_count() {
        return None;
    }
    pane.move_to(row);
    Some(side)
}

/// The wheel turns what is in front: a menu or a dialog line by line, else what is under the pointer.
fn turn(app: &mut App, layout: &Layout, spot: Position, rows: isize, out: &mut Vec<Effect>) {
    let arrow = if rows > 0 { KeyCode::Down } else { KeyCode::Up };
    if !app.dialogs.is_empty() {
        dialogs::scroll_front(app, rows, out);
    } else if app.chrome.menu.is_some() {
        menu::press(app, arrow.into(), out);
    } else {
        wheel(app, layout, spot, rows);
    }
}

fn wheel(app: &mut App, layout: &Layout, spot: Position, rows: isize) {
    let is_full = app.board.is_full(app.focus);
    if is_full && Areas::of(layout.queue, log::rows(layout.queue)).below.contains(spot) {
        return board::scroll_log(app, -rows);
    }
    if layout.queue.contains(spot) {
        return board::step(app, rows.signum());
    }
    if let Some(side) = SIDES.into_iter().find(|side| layout.pane(*side).contains(spot)) {
        app.pane_mut(side).step(rows);
    }
}

/// Whether this is the second click of two on one spot.
fn is_second(app: &mut App, at: u64, spot: (u16, u16)) -> bool {
    let first = app.click.take().filter(|click| click.spot == spot && at.saturating_sub(click.at) <= DOUBLE_CLICK_MS);
    if first.is_none() {
        app.click = Some(Click { at, spot });
    }
    first.is_some()
}

const SIDES: [Side; 2] = [Side::Left, Side::Right];
/// What desktops use.
const DOUBLE_CLICK_MS: u64 = 400;
/// Rows for one notch.
const WHEEL: isize = 3;
