//! What directories hold, and local changes that show up by themselves.

use super::*;
use crate::app::dialog::Tally;
use crate::app::sizes::Sum;

fn count(serial: u64, name: &str) -> Effect {
    Effect::Count { serial, places: vec![local(&format!("/home/ada/Downloads/{name}"))] }
}

fn counted(app: &mut App, serial: u64, bytes: u64, complete: bool) -> Vec<Effect> {
    update(app, Msg::Counted { serial, tally: Tally { bytes, complete, ..Tally::default() } })
}

#[test]
fn directories_are_counted_one_after_another() {
    let mut app = sample::app();
    assert_eq!(run(&mut app, "<Ctrl-Space>"), [count(1, "albums")], "on the way up: all");
    assert_eq!(counted(&mut app, 1, 700, false), []);
    assert_eq!(counted(&mut app, 1, 900, true), [count(2, "iso")]);
    assert_eq!(counted(&mut app, 2, 50, true), []);
    let sum = |app: &App, id| app.left.sizes.of(id);
    let whole = |bytes| Some(Sum { bytes, complete: true });
    assert_eq!((sum(&app, 0), sum(&app, 1)), (whole(900), whole(50)));
    // They are part of what is marked, and stay when the directory is read again.
    run(&mut app, "<Down><Insert><End><Insert>");
    assert_eq!(app.left.marked(), Sum { bytes: 900 + 4198, complete: true });
    run(&mut app, "<Ctrl-R>");
    let listing = reread_of(&app.left, vec![file("a", 1, 0), directory("albums"), file("notes.md", 2, 0)]);
    let generation = app.serial;
    update(&mut app, Msg::Read { generation, result: Ok(listing) });
    assert_eq!((app.left.marked(), sum(&app, 1)), (Sum { bytes: 902, complete: true }, whole(900)));
}

#[test]
fn a_count_is_for_what_is_marked_or_under_the_cursor_and_can_be_left() {
    let mut app = sample::app();
    assert_eq!(run(&mut app, "<End><Ctrl-Space>"), []);
    assert_eq!(run(&mut app, "<Insert><Home><Down><Down><Insert><Home><Ctrl-Space>"), [count(1, "iso")]);
    assert_eq!(counted(&mut app, 1, 5, false), []);
    assert_eq!(app.left.marked(), Sum { bytes: 5 + 4198, complete: false });
    run(&mut app, "<Esc>");
    assert_eq!(update(&mut app, Msg::EscapeWaited(2)), [Effect::StopCount(1)]);
    assert_eq!(app.left.sizes.of(1), Some(Sum { bytes: 5, complete: false }));
    assert_eq!(counted(&mut app, 1, 6, false), []);
    let mut app = sample::app();
    run(&mut app, "<Down><Ctrl-Space>");
    let fault = Fault::new(Code::Denied, "no");
    assert_eq!(update(&mut app, Msg::CountFailed { serial: 1, fault }), []);
    assert_eq!((app.note.text.as_str(), app.left.sizes.under_way()), ("albums: not all was counted: no", None));
}

#[test]
fn a_count_ends_with_the_directory_it_is_shown_in() {
    let mut app = sample::app();
    run(&mut app, "<Down><Ctrl-Space><Enter>");
    let read = Msg::Read { generation: 2, result: Ok(listing(vec![])) };
    assert_eq!((update(&mut app, read), counted(&mut app, 1, 5, false)), (vec![Effect::StopCount(1)], vec![]));
}
