//! (before, keys, after) as tables, and keys at random.

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use wire::message::Secret;
use wire::{Code, Fault, RemotePath};

use super::*;
use crate::action::Scope;
use crate::app::dialog::Login;
use crate::app::order::{By, Order};
use crate::app::pane::{Pane, Row};
use crate::app::place::Place;
use crate::app::sample::{self, all_names, directory, file, keys, listing, reread_of};
use crate::app::sieve::Sieve;
use crate::app::{Session, Side, Tone};
use crate::engine::status::{
    AfterCopy, IfExists, ItemId, Job, Link, NewItem, Question, QuestionId, Reply, State, Status,
};

mod board;
mod chrome;
mod decisions;
mod details;
mod editing;
mod history;
mod jumps;
mod lists;
mod million;
mod mouse;
mod moves;
mod queue;
mod random;
mod reads;
mod sifting;
mod sizes;
mod space;
mod transfers;
mod undo;
mod viewer;
mod watching;

use queue::with_status;

fn run(app: &mut App, script: &str) -> Vec<Effect> {
    keys(script).into_iter().flat_map(|key| update(app, Msg::Key(key))).collect()
}

fn local(path: &str) -> Place {
    Place::Local(PathBuf::from(path))
}

fn remote(path: &str) -> Place {
    Place::Remote(RemotePath::parse(path.as_bytes()).unwrap())
}

fn up(name: &str, target: &str) -> NewItem {
    let source = PathBuf::from("/home/ada/Downloads").join(name);
    let target = RemotePath::parse(target.as_bytes()).unwrap();
    NewItem { job: Job::Up { source, target }, if_exists: IfExists::Ask, source: AfterCopy::Keep }
}

fn read(generation: u64, place: Place) -> Effect {
    Effect::Read { generation, place, order: Order::default(), sieve: Sieve::default(), shown: None }
}

/// As [`read`], while what the pane shows of the directory stays.
fn reread(generation: u64, pane: &Pane) -> Effect {
    let (place, order, sieve) = (pane.place.clone(), Order::default(), Sieve::default());
    Effect::Read { generation, place, order, sieve, shown: Some(pane.rows.clone()) }
}

/// After the keys, the active pane's cursor and the names that are marked.
fn check_cursor(script: &str, cursor: &str, marked: &str) {
    let mut app = sample::app();
    run(&mut app, script);
    let pane = app.here();
    let at = match pane.current() {
        Row::Up => "..".into(),
        Row::Entry(entry) => wire::path::escape(entry.name),
        Row::Nothing => "nothing".into(),
    };
    let marks = if pane.marks.is_empty() { vec![] } else { sample::names(&pane.selection()) };
    assert_eq!((at.as_str(), marks.join(" ").as_str()), (cursor, marked), "{script}");
}

#[test]
fn cursor_and_marks() {
    check_cursor("", "..", "");
    check_cursor("<Down><Down>", "iso", "");
    check_cursor("<End>", "notes.md", "");
    check_cursor("<End><Down><Up>", "debian-12.iso", "");
    check_cursor("<PageDown>", "notes.md", "");
    check_cursor("<PageDown><Home>", "..", "");
    check_cursor("<Tab><End>", "index.html", "");
    check_cursor("<Insert><Insert>", "iso", "albums");
    check_cursor("<Down><Space><Up><Space>", "iso", "");
    check_cursor("*", "..", "boat-plans.pdf debian-12.iso notes.md");
    check_cursor("+*.iso<Enter>", "..", "debian-12.iso");
    check_cursor("+<Enter>-*.md<Enter>", "..", "boat-plans.pdf debian-12.iso");
    check_cursor("+<Esc>", "..", "");
    check_cursor("<Ctrl-S>no", "notes.md", "");
    check_cursor("<Ctrl-S>i<Down>", "boat-plans.pdf", "");
    check_cursor("<Ctrl-S>zb<Insert>", "debian-12.iso", "boat-plans.pdf");
}

/// After the keys, what is to be done.
fn check(script: &str, effects: &[Effect]) {
    let mut app = sample::app();
    assert_eq!(run(&mut app, script), effects, "{script}");
}

/// The effects of a prompt behind which a directory is counted until it is left.
fn counted(place: Place, effects: &[Effect]) -> Vec<Effect> {
    let begun = Effect::Count { serial: 1, places: vec![place] };
    [begun].iter().chain(effects).chain(&[Effect::StopCount(1)]).cloned().collect()
}

#[test]
fn keys_become_effects() {
    check("<Down><Enter>", &[read(1, local("/home/ada/Downloads/albums"))]);
    check("<Enter>", &[read(1, local("/home/ada"))]);
    check("<Backspace>", &[read(1, local("/home/ada"))]);
    check("<Tab><Ctrl-PageUp>", &[read(1, remote("/photos"))]);
    let left = &sample::app().left;
    check("<Ctrl-R>", &[reread(1, left)]);
    check("<Ctrl-R><Ctrl-R>", &[reread(1, left), Effect::StopRead(1), reread(2, left)]);
    check("<End><Enter>", &[]);
    check("<F10>", &[Effect::Quit]);
    check("<Ctrl-C>", &[Effect::Quit]);
    check("<Ctrl-Z>", &[Effect::Suspend]);
    check("<Tab><Ctrl-T>", &[read(1, local("/home/ada/Downloads"))]);
    check("<End><F5><Enter>", &[Effect::Enqueue(vec![up("notes.md", "/photos/2026/notes.md")])]);
    check("<End><F5>x.md<Enter>", &[Effect::Enqueue(vec![up("notes.md", "/photos/2026/x.md")])]);
    check("<End><F5>/a/<Enter>", &[Effect::Enqueue(vec![up("notes.md", "/a/notes.md")])]);
    check("<End><F5>/<Enter>", &[Effect::Enqueue(vec![up("notes.md", "/notes.md")])]);
    check("<End><F5><End>2<Enter>", &[Effect::Enqueue(vec![up("notes.md", "/photos/2026/notes.md2")])]);
    check("<End><F5>../x<Enter>", &[]);
    check("<End><F5><Esc>", &[]);
    check("<F5>", &[]);
    check(
        "<Down><Insert><End><Insert><F5><Enter>",
        &counted(
            local("/home/ada/Downloads/albums"),
            &[Effect::Enqueue(vec![up("albums", "/photos/2026/albums"), up("notes.md", "/photos/2026/notes.md")])],
        ),
    );
    check("<F7>new<Enter>", &[Effect::Work(Work::MakeDirectory(local("/home/ada/Downloads/new")))]);
    check("<F7><Enter>", &[]);
    check("<Tab><F7>new/deep<Enter>", &[Effect::Work(Work::MakeDirectory(remote("/photos/2026/new/deep")))]);
    check("<Shift-F4>a.txt<Enter>", &[Effect::Work(Work::NewFile(local("/home/ada/Downloads/a.txt")))]);
    check("<Tab><End><F8><Enter>", &[]);
    check("<Tab><End><Delete><Right><Enter>", &[Effect::Work(Work::Remove(vec![remote("/photos/2026/index.html")]))]);
    check(
        "<Tab><Down><F8><Tab><Enter>",
        &[
            Effect::Count { serial: 1, places: vec![remote("/photos/2026/raw")] },
            Effect::StopCount(1),
            Effect::Work(Work::Remove(vec![remote("/photos/2026/raw")])),
        ],
    );
    check(
        "<Tab><Down><F8><Esc>",
        &[Effect::Count { serial: 1, places: vec![remote("/photos/2026/raw")] }, Effect::StopCount(1)],
    );
    let steps =
        Steps { pairs: vec![(remote("/photos/2026/raw"), remote("/photos/2026/cooked"))], replace_first: false };
    check("<Tab><Down><F6>cooked<Enter>", &counted(remote("/photos/2026/raw"), &[Effect::Work(Work::Move(steps))]));
}

#[test]
fn escape_and_digits_are_function_keys() {
    check("<Esc>0", &[Effect::WaitEscape(1), Effect::Quit]);
    check("<Alt-0>", &[Effect::Quit]);
    check("<Esc><Enter>", &[Effect::WaitEscape(1), read(2, local("/home/ada"))]);
    check("<Esc><Esc>", &[Effect::WaitEscape(1)]);
    check("<Esc>x0", &[Effect::WaitEscape(1)]);
    // A lone one leaves what is open once its wait is over, and only then.
    let mut app = sample::app();
    run(&mut app, "<Ctrl-R><Esc>");
    assert!(app.here().loading.is_some());
    assert_eq!(update(&mut app, Msg::EscapeWaited(1)), []);
    assert_eq!(update(&mut app, Msg::EscapeWaited(2)), [Effect::StopRead(1)]);
    assert_eq!(app.here().loading, None);
    run(&mut app, "<Esc>1");
    assert!(matches!(app.dialogs.last().map(|dialog| &dialog.kind), Some(Kind::Help(_))));
    run(&mut app, "<Esc>");
    assert!(app.dialogs.is_empty());
}

#[test]
fn a_read_that_fails_changes_nothing_but_the_message() {
    let mut app = sample::app();
    run(&mut app, "<Down><Enter>");
    update(&mut app, Msg::Read { generation: 1, result: Err(Fault::new(Code::Denied, "permission denied")) });
    assert_eq!((&app.left.place, app.left.current_name()), (&local("/home/ada/Downloads"), b"albums".as_slice()));
    assert_eq!(app.note.text, "Cannot read ~/Downloads/albums: permission denied");
    // A directory that is gone itself is left upwards.
    run(&mut app, "<Ctrl-R>");
    let effects = update(&mut app, Msg::Read { generation: 2, result: Err(Fault::new(Code::NotFound, "gone")) });
    assert_eq!(effects, [read(3, local("/home/ada"))]);
}

#[test]
fn panes_can_be_exchanged_while_they_are_read() {
    let mut app = sample::app();
    run(&mut app, "<Down><Enter><Ctrl-U>");
    assert_eq!((app.active, &app.left.place), (Side::Right, &remote("/photos/2026")));
    update(&mut app, Msg::Read { generation: 1, result: Ok(listing(vec![])) });
    assert_eq!(app.right.place, local("/home/ada/Downloads/albums"));
}

#[test]
fn news_of_a_directory_is_gathered_into_one_read() {
    let mut app = sample::app();
    let path = RemotePath::parse(b"/photos/2026").unwrap();
    assert_eq!(update(&mut app, Msg::Changed(path.clone())), [Effect::RereadLater]);
    assert_eq!(update(&mut app, Msg::Changed(path)), []);
    assert_eq!(update(&mut app, Msg::Changed(RemotePath::home())), []);
    let expected = [reread(1, &app.right)];
    assert_eq!(update(&mut app, Msg::RereadStale), expected);
    assert_eq!(update(&mut app, Msg::RereadStale), []);
}

#[test]
fn work_that_ends_shows_what_it_made() {
    let mut app = sample::app();
    let work = Work::MakeDirectory(local("/home/ada/Downloads/new"));
    run(&mut app, "<F7>new<Enter>");
    assert_eq!(app.working, 1);
    let effects = update(&mut app, Msg::Worked { work: work.clone(), done: 1, fault: None });
    assert_eq!((effects, app.working), (vec![reread(1, &app.left)], 0));
    let listing = reread_of(&app.left, vec![directory("albums"), directory("new")]);
    update(&mut app, Msg::Read { generation: 1, result: Ok(listing) });
    assert_eq!(app.left.current_name(), b"new");
    update(&mut app, Msg::Worked { work, done: 0, fault: Some(Fault::new(Code::Exists, "new exists")) });
    assert_eq!((app.note.text.as_str(), app.note.tone), ("Not made new: new exists", Tone::Bad));
}

#[test]
fn what_was_done_is_no_longer_marked_and_what_was_not_is() {
    let mut app = sample::app();
    run(&mut app, "*");
    let pair = |name: &str| (local(&format!("/home/ada/Downloads/{name}")), local(&format!("/x/{name}")));
    let pairs = ["boat-plans.pdf", "debian-12.iso", "notes.md"].map(pair).to_vec();
    let work = Work::Copy(Steps { pairs, replace_first: false });
    let fault = |code| Some(Fault::new(code, "no"));
    update(&mut app, Msg::Worked { work: work.clone(), done: 2, fault: fault(Code::Denied) });
    assert_eq!(sample::names(&app.left.selection()), ["notes.md"]);
    update(&mut app, Msg::Worked { work, done: 3, fault: None });
    assert!(app.left.marks.is_empty());
}

#[test]
fn escape_stops_what_takes_long() {
    let mut app = sample::app();
    let effects = run(&mut app, "<Down><F8><Right><Enter>");
    let Some(Effect::Work(work)) = effects.last().cloned() else { panic!("{effects:?}") };
    run(&mut app, "<Esc>");
    let waited = Msg::EscapeWaited(app.serial);
    assert_eq!(update(&mut app, waited), [Effect::StopWork]);
    update(&mut app, Msg::Worked { work, done: 0, fault: Some(Fault::new(Code::Cancelled, "stopped")) });
    assert_eq!((app.note.text.as_str(), app.working), ("Stopped: Deleting albums, 0 of 1 done", 0));
    run(&mut app, "<Esc>");
    let waited = Msg::EscapeWaited(app.serial);
    assert!(!update(&mut app, waited).contains(&Effect::StopWork), "once");
}

#[test]
fn a_copy_that_meets_its_name_asks_and_goes_on() {
    let pair = |name: &str| (remote(&format!("/photos/2026/{name}")), remote(&format!("/photos/2026/x/{name}")));
    let steps =
        |names: &[&str], replace_first| Steps { pairs: names.iter().map(|name| pair(name)).collect(), replace_first };
    let stopped = |app: &mut App| {
        let work = Work::Copy(steps(&["a", "b", "c"], false));
        update(app, Msg::Worked { work, done: 1, fault: Some(Fault::new(Code::Exists, "b exists")) });
    };
    for (script, left) in [
        ("<Enter>", None),
        ("<Right><Enter>", Some(steps(&["c"], false))),
        ("<Right><Right><Enter>", Some(steps(&["b", "c"], true))),
        ("<Esc>", None),
    ] {
        let mut app = sample::app();
        stopped(&mut app);
        let effects: Vec<Effect> = left.into_iter().map(|steps| Effect::Work(Work::Copy(steps))).collect();
        assert_eq!(run(&mut app, script), effects, "{script}");
        assert!(app.dialogs.is_empty());
    }
}

fn login(trust: Option<&str>) -> Login {
    Login { address: "ada@harbour:7122".into(), password: Secret("pw".into()), trust: trust.map(str::to_owned) }
}

fn connecting() -> App {
    let mut app = sample::app();
    app.session = Session::Offline;
    app.saved.clear();
    ask_for_server(&mut app, "ada@harbour:7122");
    assert_eq!(run(&mut app, "pw<Enter>"), [Effect::Connect(login(None))]);
    app
}

#[test]
fn connecting_and_its_ends() {
    let mut app = connecting();
    assert_eq!(run(&mut app, "<Esc>"), [Effect::StopConnect]);
    assert!(matches!(app.dialogs.last().map(|dialog| &dialog.kind), Some(Kind::Connect { .. })));
    assert_eq!(update(&mut app, Msg::NotConnected(login(None), Refusal::Unknown { fingerprint: "aa".into() })), []);
    assert_eq!(app.dialogs.len(), 1, "an answer to a try that was given up");

    let mut app = connecting();
    update(&mut app, Msg::NotConnected(login(None), Refusal::Other("wrong".into())));
    assert_eq!(app.dialogs.len(), 1);
    assert_eq!(run(&mut app, "<Enter>"), [Effect::Connect(login(None))], "the form still holds what was typed");
    update(&mut app, Msg::NotConnected(login(None), Refusal::Other("wrong".into())));
    assert_eq!(run(&mut app, "pw<Enter>"), [Effect::Connect(login(None))], "and typing replaces the password");

    let mut app = connecting();
    let effects = update(&mut app, Msg::Connected { label: "ada@harbour".into(), saved: vec![] });
    assert_eq!((effects, app.dialogs.len()), (vec![Effect::Trash(Wish::State), read(1, remote("/"))], 0));
    assert_eq!(app.session, Session::Online("ada@harbour".into()));
}

#[test]
fn an_unknown_key_is_trusted_only_on_purpose_and_a_changed_one_never() {
    let mut app = connecting();
    update(&mut app, Msg::NotConnected(login(None), Refusal::Unknown { fingerprint: "aa".into() }));
    assert_eq!(run(&mut app, "<Enter>"), []);
    let mut app = connecting();
    update(&mut app, Msg::NotConnected(login(None), Refusal::Unknown { fingerprint: "aa".into() }));
    assert_eq!(run(&mut app, "<Right><Enter>"), [Effect::Connect(login(Some("aa")))]);
    let mut app = connecting();
    let changed = Refusal::Changed { since: "2026".into(), known: "aa".into(), presented: "bb".into() };
    update(&mut app, Msg::NotConnected(login(None), changed));
    assert_eq!(run(&mut app, "<Right><Tab><Enter>"), []);
    assert!(matches!(app.dialogs.last().map(|dialog| &dialog.kind), Some(Kind::Connect { .. })));
}

#[test]
fn saved_servers_fill_the_form() {
    let mut app = sample::app();
    app.session = Session::Offline;
    ask_for_server(&mut app, "");
    let effects = run(&mut app, "<Down><Down><Down><Enter>pw<Enter>");
    let address = "bob@10.0.0.7:7122".into();
    assert_eq!(effects, [Effect::Connect(Login { address, password: Secret("pw".into()), trust: None })]);
}

#[test]
fn a_lost_connection_keeps_the_lists_and_reads_again_when_it_is_back() {
    let mut app = sample::app();
    let lost = Link::Lost { retry_in: std::time::Duration::from_secs(4), reason: "reset".into() };
    let quiet = |status: &mut Status| {
        status.items.clear();
        status.questions.clear();
    };
    assert_eq!(
        with_status(&mut app, |status| {
            quiet(status);
            status.link = lost
        }),
        [Effect::WaitSecond(1)]
    );
    assert_eq!(update(&mut app, Msg::Second(1)), [Effect::WaitSecond(1)]);
    assert_eq!((update(&mut app, Msg::Second(0)), app.waited.0), (vec![], 1));
    assert_eq!(app.right.rows.len(), 5);
    assert_eq!(update(&mut app, Msg::Changed(RemotePath::parse(b"/photos/2026").unwrap())), [Effect::RereadLater]);
    assert_eq!(update(&mut app, Msg::RereadStale), []);
    let expected = [reread(2, &app.right)];
    assert_eq!(with_status(&mut app, quiet), expected);
    assert_eq!(update(&mut app, Msg::Second(1)), []);
    let refused = Link::Refused(Fault::new(Code::Login, "the user or the password is wrong"));
    with_status(&mut app, |status| {
        quiet(status);
        status.link = refused
    });
    assert!(matches!(app.dialogs.last().map(|dialog| &dialog.kind), Some(Kind::Connect { reason: Some(_), .. })));
}

#[test]
fn paste_goes_into_fields_only() {
    let mut app = sample::app();
    assert_eq!(update(&mut app, Msg::Paste("\x1b[21~rm\n0".into())), []);
    assert!(app.dialogs.is_empty() && app.left.marks.is_empty());
    run(&mut app, "<F7>");
    update(&mut app, Msg::Paste("a\nb".into()));
    assert_eq!(run(&mut app, "<Enter>"), [Effect::Work(Work::MakeDirectory(local("/home/ada/Downloads/ab")))]);
}

fn mouse(app: &mut App, kind: MouseEventKind, column: u16, row: u16, at: u64) -> Vec<Effect> {
    let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
    update(app, Msg::Mouse(event, at))
}

#[test]
fn a_screen_too_small_to_see_takes_no_keys_but_quit() {
    let mut app = sample::app();
    update(&mut app, Msg::Resize(20, 5));
    assert_eq!(run(&mut app, "<Down><F8><Enter><F5><Enter>"), []);
    assert!(app.dialogs.is_empty());
    assert_eq!(run(&mut app, "<F10>"), [Effect::Quit]);
}
