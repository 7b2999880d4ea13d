//! What the mouse does in each part of the screen.

use super::*;
use crate::app::board::{Row as BoardRow, rows};
use crate::app::dialog::Kind;
use crate::app::face::Face;
use crate::app::layout::{self, Layout};
use crate::sync::mode::Mode;
use crate::sync::scan::Progress;

const LEFT: MouseEventKind = MouseEventKind::Down(MouseButton::Left);
const RIGHT: MouseEventKind = MouseEventKind::Down(MouseButton::Right);

fn front(app: &App) -> Option<&Kind> {
    app.dialogs.last().map(|dialog| &dialog.kind)
}

#[test]
fn panes_dialogs_and_the_key_bar() {
    let mut app = sample::app();
    assert_eq!(mouse(&mut app, LEFT, 50, 3, 0), []);
    assert_eq!((app.active, app.right.current_name()), (Side::Right, b"raw".as_slice()));
    assert_eq!(mouse(&mut app, LEFT, 50, 3, 1000), [], "too late for the second of two");
    assert_eq!(mouse(&mut app, LEFT, 50, 3, 1300), [read(1, remote("/photos/2026/raw"))]);
    mouse(&mut app, RIGHT, 5, 5, 5000);
    assert!(
        app.active == Side::Left
            && sample::names(&app.left.selection()) == ["boat-plans.pdf"]
            && app.left.marks.len() == 1
    );
    mouse(&mut app, LEFT, 5, 18, 6000);
    assert_eq!(app.left.current_name(), b"boat-plans.pdf", "below the last row");
    mouse(&mut app, MouseEventKind::ScrollDown, 50, 5, 0);
    assert_eq!((app.active, app.right.cursor), (Side::Left, 4));
    assert_eq!(mouse(&mut app, LEFT, 50, 23, 9000), []);
    assert!(matches!(app.dialogs.last().map(|dialog| &dialog.kind), Some(Kind::Prompt(..))));
    let face = crate::app::face::Face::of(&app, app.dialogs.last().unwrap());
    let cancel = face.controls.last().and_then(|control| control.area).unwrap();
    mouse(&mut app, LEFT, cancel.x, cancel.y, 9100);
    assert!(app.dialogs.is_empty());
    assert_eq!(mouse(&mut app, LEFT, 79, 23, 9900), [Effect::Quit]);
    with_status(&mut app, |status| status.questions.clear());
    mouse(&mut app, LEFT, 5, 19, 12_000);
    assert_eq!((app.focus, app.queue.selected), (Scope::Queue, Some(ItemId(1))));
}

#[test]
fn a_click_runs_what_the_palette_found_and_only_goes_into_its_field() {
    let mut app = sample::app();
    run(&mut app, "<Ctrl-P>hidden");
    let face = Face::of(&app, app.dialogs.last().unwrap());
    let [field, first] = [0, 1].map(|index: usize| face.controls[index].area.unwrap());
    mouse(&mut app, LEFT, field.x, field.y, 0);
    assert!(matches!(front(&app), Some(Kind::Palette(_))));
    mouse(&mut app, LEFT, first.x, first.y, 1000);
    assert!(app.dialogs.is_empty() && app.left.sieve.hides_dots);
}

fn order(app: &App, side: Side) -> (By, bool) {
    (app.pane(side).order.by, app.pane(side).order.reverse)
}

#[test]
fn the_head_of_a_column_sorts_and_turns_round() {
    let mut app = sample::app();
    // `║ Name ↑          │   Size│    Modified║`
    for (column, side, expected) in [
        (3, Side::Left, (By::Name, true)),
        (3, Side::Left, (By::Name, false)),
        (22, Side::Left, (By::Size, false)),
        (30, Side::Left, (By::Time, false)),
        (30, Side::Left, (By::Time, true)),
        (18, Side::Left, (By::Time, true)),
        (62, Side::Right, (By::Size, false)),
    ] {
        let effects = mouse(&mut app, LEFT, column, 1, 0);
        assert_eq!((app.active, order(&app, side)), (side, expected), "{column}");
        let sorts = effects.iter().any(|effect| matches!(effect, Effect::Sort { .. }));
        assert_eq!(sorts, column != 18, "on the line between two there is nothing");
    }
    mouse(&mut app, RIGHT, 3, 1, 0);
    assert_eq!((order(&app, Side::Left), app.left.marks.len()), ((By::Time, true), 0));
    // From the queue, too, and the pane has the keys then.
    with_status(&mut app, |status| status.questions.clear());
    run(&mut app, "<F2>");
    mouse(&mut app, LEFT, 3, 1, 0);
    assert_eq!((app.focus, order(&app, Side::Left)), (Scope::Panes, (By::Name, false)));
}

#[test]
fn a_gauge_tells_all_of_the_room_there_is() {
    let mut app = sample::app();
    let bottom = Layout::of(&app).unwrap().left.bottom() - 1;
    let effects = mouse(&mut app, LEFT, 50, bottom, 0);
    let Some(Kind::Details(details)) = front(&app) else { panic!("{:?}", front(&app)) };
    assert_eq!((&details.place, app.active), (&remote("/photos/2026"), Side::Right));
    assert!(matches!(effects.as_slice(), [Effect::Inspect { .. }, Effect::Count { .. }]), "{effects:?}");
    app.session = Session::Offline;
    app.dialogs.clear();
    assert_eq!(mouse(&mut app, LEFT, 50, bottom, 5000), []);
    assert!(app.dialogs.is_empty() && app.note.tone == Tone::Bad);
}

#[test]
fn the_queue_is_clicked_to_the_whole_screen_and_on() {
    let mut app = sample::app();
    with_status(&mut app, |status| status.questions.clear());
    let area = Layout::of(&app).unwrap().queue;
    mouse(&mut app, LEFT, 30, area.y + 2, 0);
    let second = app.queue.order[1];
    assert_eq!((app.focus, app.queue.selected), (Scope::Queue, Some(second)));
    // The queue shows what is done as well now, and has grown under the pointer.
    mouse(&mut app, LEFT, 30, area.y + 2, 100);
    assert!(app.board.is_full(app.focus) && app.queue.selected == Some(second), "{:?}", app.queue.selected);
    let list = layout::queue_rows(&app, Layout::of(&app).unwrap().queue);
    let row_of = |app: &App, id: ItemId| {
        let row = rows(app).iter().position(|row| *row == BoardRow::Item(id)).unwrap();
        list.y + u16::try_from(row).unwrap()
    };
    let third = app.queue.order[2];
    let row = row_of(&app, third);
    mouse(&mut app, RIGHT, 30, row, 1000);
    assert!(app.board.marks.contains(&third) && app.board.marks.len() == 1);
    let row = row_of(&app, second);
    mouse(&mut app, LEFT, 30, row, 2000);
    mouse(&mut app, LEFT, 30, row, 2100);
    assert!(matches!(front(&app), Some(Kind::Item(id)) if *id == second));
}

#[test]
fn the_wheel_over_the_log_turns_the_log() {
    let mut app = sample::app();
    with_status(&mut app, |status| status.questions.clear());
    (0..20).for_each(|n| app.tell(Tone::Plain, format!("line {n}")));
    run(&mut app, "<Ctrl-O>");
    let bottom = Layout::of(&app).unwrap().queue.bottom() - 1;
    let selected = app.queue.selected;
    mouse(&mut app, MouseEventKind::ScrollUp, 5, bottom, 0);
    assert_eq!((app.log.newer(), app.queue.selected), (3, selected));
    mouse(&mut app, MouseEventKind::ScrollDown, 5, 5, 0);
    assert!(app.queue.selected != selected && app.log.newer() == 3);
    run(&mut app, "[");
    assert_eq!(app.log.newer(), 6, "a page of three");
    run(&mut app, "<Alt-PageDown>]");
    assert_eq!(app.log.newer(), 0);
    run(&mut app, "[<Ctrl-O><Ctrl-O>");
    assert_eq!(app.log.newer(), 0, "opened again it shows the newest");
    update(&mut app, Msg::Resize(80, 12));
    run(&mut app, "[");
    assert!(app.note.text.starts_with("The log is not on the screen"), "{}", app.note.text);
}

#[test]
fn decisions_are_marked_with_the_right_button() {
    let mut app = sample::app();
    update(&mut app, Msg::Status(Arc::new(sample::status())));
    run(&mut app, "<Ctrl-D>");
    let face = Face::of(&app, app.dialogs.last().unwrap());
    let row = face.controls[0].area.unwrap();
    mouse(&mut app, RIGHT, row.x + 3, row.y, 0);
    assert_eq!((app.decisions.marks.len(), app.dialogs.len()), (1, 1));
    mouse(&mut app, RIGHT, row.x + 3, row.y, 1000);
    assert_eq!((app.decisions.marks.len(), app.dialogs.len()), (0, 1));
    mouse(&mut app, LEFT, row.x + 3, row.y, 2000);
    assert!(matches!(front(&app), Some(Kind::Decide { .. })));
}

#[test]
fn lists_take_clicks_on_their_rows_alone_and_leave_menus_in_front_to_themselves() {
    let mut app = sample::app();
    let effects = run(&mut app, "<Tab><Alt-?>tif<Enter>");
    let Some(Effect::Find { serial, .. }) = effects.last() else { panic!("{effects:?}") };
    let page = vec![file("raw/one.tif", 1, 0), file("raw/two.tif", 1, 0)];
    update(&mut app, Msg::Found { serial: *serial, told: Hit::Page(page) });
    let cursor = |app: &App| app.lists.hits.as_ref().map(|hits| (hits.cursor, hits.top));
    mouse(&mut app, LEFT, 5, 3, 0);
    assert_eq!(cursor(&app), Some((1, 0)));
    mouse(&mut app, RIGHT, 5, 9, 1000);
    assert_eq!((cursor(&app), app.lists.hits.as_ref().map(|hits| hits.marks.len())), (Some((1, 0)), Some(0)));
    run(&mut app, "<F9>");
    mouse(&mut app, LEFT, 70, 15, 2000);
    assert!(app.chrome.menu.is_none(), "a click beside a menu closes it");
    // A plan has nothing to enter: the panes behind it stay where they are.
    let mut app = sample::app();
    run(&mut app, "<Ctrl-Y><Enter>");
    let told = Compared::Whole(crate::sync::sample::plan("a/, a/b 1@1", "", Mode::default()), Progress::default());
    let serial = app.serial;
    update(&mut app, Msg::Scanned { serial, told });
    mouse(&mut app, LEFT, 5, 2, 3000);
    assert_eq!((mouse(&mut app, LEFT, 5, 2, 3100), app.focus), (vec![], Scope::Plan));
}
