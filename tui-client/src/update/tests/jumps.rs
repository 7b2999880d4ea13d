//! Back and forth, lists of places, the hotlist.

use super::*;
use crate::app::atlas::{HotChange, Jump, Landmark, List};
use crate::app::dialog::Prompt;

/// The read that is under way brings these names.
fn arrive(app: &mut App, names: &[&str]) {
    let generation =
        app.left.loading.as_ref().or(app.right.loading.as_ref()).map(|loading| loading.generation).unwrap();
    let entries = names.iter().map(|name| directory(name)).collect();
    update(app, Msg::Read { generation, result: Ok(listing(entries)) });
}

fn at(app: &App) -> (String, String) {
    (app.here().place.short_text(app.home.as_deref()), String::from_utf8_lossy(app.here().current_name()).into_owned())
}

fn is_at(app: &App, place: &str, name: &str) {
    assert_eq!(at(app), (place.to_owned(), name.to_owned()));
}

/// From ~/Downloads through albums into 2026.
fn deep() -> App {
    let mut app = sample::app();
    run(&mut app, "<Down><Enter>");
    arrive(&mut app, &["2025", "2026"]);
    run(&mut app, "<End><Enter>");
    arrive(&mut app, &["x"]);
    app
}

const HOME: &[&str] = &["albums", "iso", "z"];

#[test]
fn back_and_forth_the_cursor_is_where_it_was() {
    let mut app = deep();
    is_at(&app, "~/Downloads/albums/2026", "");
    run(&mut app, "<End><Alt-Left>");
    arrive(&mut app, &["2025", "2026"]);
    is_at(&app, "~/Downloads/albums", "2026");
    run(&mut app, "<Alt-Left>");
    arrive(&mut app, HOME);
    is_at(&app, "~/Downloads", "albums");
    assert_eq!(run(&mut app, "<Alt-Left>"), []);
    assert_eq!(app.note.text, "There is nothing farther that way");
    run(&mut app, "<Alt-Right>");
    arrive(&mut app, &["2025", "2026"]);
    run(&mut app, "<Alt-Right>");
    arrive(&mut app, &["w", "x"]);
    is_at(&app, "~/Downloads/albums/2026", "x");
    // What cannot be read is no step.
    run(&mut app, "<Alt-Left>");
    let generation = app.serial;
    update(&mut app, Msg::Read { generation, result: Err(Fault::new(Code::Denied, "no")) });
    is_at(&app, "~/Downloads/albums/2026", "x");
    assert_eq!(app.here().trail.steps().count(), 2);
}

#[test]
fn a_step_can_be_chosen_from_the_list() {
    let mut app = deep();
    assert_eq!(run(&mut app, "<Alt-Down><Down><Enter>"), [read(3, local("/home/ada/Downloads"))]);
    arrive(&mut app, HOME);
    is_at(&app, "~/Downloads", "albums");
    let words: Vec<_> =
        Jump::new(&app, List::Trail, Side::Left).rows.into_iter().map(|row| (row.word, row.text)).collect();
    assert_eq!(words, [("ahead", "~/Downloads/albums/2026".into()), ("ahead", "~/Downloads/albums".into())]);
    let mut app = sample::app();
    assert_eq!(run(&mut app, "<Alt-Down>"), []);
    assert!(app.dialogs.is_empty());
}

#[test]
fn the_other_side_and_back() {
    let mut app = sample::app();
    run(&mut app, "<Down><Down><Ctrl-T>");
    arrive(&mut app, &["photos"]);
    is_at(&app, "/", "photos");
    run(&mut app, "<Ctrl-T>");
    arrive(&mut app, HOME);
    is_at(&app, "~/Downloads", "iso");
    run(&mut app, "<Ctrl-U>");
    is_at(&app, "~/Downloads", "iso");
}

fn landmark(server: Option<&str>, place: Place) -> Landmark {
    Landmark { name: String::new(), server: server.map(str::to_owned), place }
}

#[test]
fn the_hotlist_is_added_to_renamed_and_gone_to() {
    let mut app = sample::app();
    let here = landmark(None, local("/home/ada/Downloads"));
    assert_eq!(run(&mut app, "<Ctrl-4><Insert>"), [Effect::Hotlist(HotChange::Add(here.clone()))]);
    let there = landmark(Some("ada@harbour"), remote("/photos/2026"));
    assert_eq!(run(&mut app, "<Esc><Tab><Ctrl-\\><Insert>"), [Effect::Hotlist(HotChange::Add(there.clone()))]);
    let far = Landmark { name: "Far".into(), ..landmark(Some("bob@10.0.0.7:7122"), remote("/x")) };
    update(&mut app, Msg::Hotlist(vec![here.clone(), there, far.clone()]));
    assert_eq!(run(&mut app, "<Enter>"), [read(1, local("/home/ada/Downloads"))], "the list was open");
    assert_eq!(run(&mut app, "<Ctrl-4><Delete>"), [Effect::Hotlist(HotChange::Remove(here.clone()))]);
    assert_eq!(run(&mut app, "<F6>Down<Enter>"), [Effect::Hotlist(HotChange::Rename(here, "Down".into()))]);
    // One at another server: through a login, and then there.
    run(&mut app, "<Esc><Tab><Ctrl-4>f<Enter>");
    let Some(Kind::Connect { address, .. }) = app.dialogs.last().map(|dialog| &dialog.kind) else { panic!() };
    assert_eq!(address.text(), "bob@10.0.0.7:7122");
    app.atlas.server = Some("ada@harbour".into());
    app.right
        .trail
        .moved(crate::app::trail::Step::New, crate::app::trail::Spot { place: remote("/old"), name: vec![] });
    let effects = update(&mut app, Msg::Connected { label: "bob@10.0.0.7:7122".into(), saved: vec![] });
    assert_eq!(effects.last(), Some(&read(app.serial, remote("/x"))), "{effects:?}");
    assert_eq!(app.right.trail.steps().count(), 0, "the directories of another server");
    assert_eq!(app.atlas.bound, None);
}

#[test]
fn a_place_for_either_pane() {
    let mut app = sample::app();
    assert_eq!(run(&mut app, "<Alt-F2>"), [Effect::FindStarts]);
    update(&mut app, Msg::Starts(vec!["/home/ada".into(), "/".into(), "/media/stick".into()]));
    assert_eq!(run(&mut app, "<End><Esc><Alt-R>m<Enter>"), [Effect::FindStarts, read(1, local("/media/stick"))]);
    assert_eq!((app.active, app.right.loading.is_some()), (Side::Right, true));
    let rows = Jump::new(&app, List::Places, Side::Left).rows;
    let words: Vec<_> = rows.iter().map(|row| format!("{} {}", row.word, row.text)).collect();
    assert_eq!(
        words,
        [
            "here ~",
            "here /",
            "here /media/stick",
            "server home of ada@harbour",
            "log in ada@harbour:7122",
            "log in bob@10.0.0.7:7122"
        ]
    );
    assert_eq!(run(&mut app, "<Alt-L>h<Enter>"), [Effect::FindStarts, read(2, remote("/"))]);
    // A queue that has work is not left for another server.
    with_status(&mut app, |status| status.questions.clear());
    run(&mut app, "<Alt-L>b<Enter>");
    assert!(app.dialogs.is_empty() && app.note.text.contains("not finished"), "{}", app.note.text);
}

#[test]
fn a_landmark_can_be_named_only_by_its_prompt() {
    let mut app = sample::app();
    let here = landmark(None, local("/a"));
    update(&mut app, Msg::Hotlist(vec![here.clone()]));
    run(&mut app, "<Ctrl-4><F6>");
    assert!(matches!(app.dialogs.last().map(|d| &d.kind), Some(Kind::Prompt(Prompt::HotName(one), _)) if *one == here));
    assert_eq!(run(&mut app, "<Esc><Esc>"), []);
    assert!(app.dialogs.is_empty());
}
