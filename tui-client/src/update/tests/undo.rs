//! Deletions to the trash, taking steps back, and emptying the trash.

use wire::message::Kind as EntryKind;

use super::*;
use crate::app::undo::{Moved, Sight, Step};
use crate::engine::Trash;

const TRASH: Trash = Trash { days: 30, items: 2, bytes: 5 << 20 };

fn with_trash() -> App {
    let mut app = sample::app();
    update(&mut app, Msg::Trash(Told::State(Some(TRASH))));
    app
}

fn path(text: &str) -> RemotePath {
    RemotePath::parse(text.as_bytes()).unwrap()
}

fn trashed(name: &str, id: u64) -> Step {
    Step::Trashed(vec![(path("photos/2026").join(name.as_bytes()).unwrap(), id)])
}

fn moved(from: Place, to: Place) -> Step {
    let sight = Sight { kind: EntryKind::File, size: 1, mtime: None, numbers: None };
    Step::Moved(vec![Moved { from, to, sight }])
}

fn undone(step: Step, back: &[Place], fault: Option<Fault>) -> Msg {
    let rest = if fault.is_some() { step.clone() } else { Step::Moved(vec![]) };
    Msg::Trash(Told::Undone { step, back: back.to_vec(), rest, fault })
}

#[test]
fn f8_moves_to_the_trash_where_there_is_one() {
    let index = || vec![remote("/photos/2026/index.html")];
    let notes = || vec![local("/home/ada/Downloads/notes.md")];
    let (to_trash, for_good) = (Effect::Work(Work::Trash(index())), Effect::Work(Work::Remove(index())));
    let here = Effect::Work(Work::Remove(notes()));
    for (script, effects) in [
        ("<Tab><End><F8><Enter>", vec![to_trash.clone()]),
        ("<Tab><End><Delete><Enter>", vec![to_trash]),
        ("<Tab><End><F8><Tab><Enter>", vec![]),
        ("<Tab><End><F8><Esc>", vec![]),
        ("<Tab><End><Shift-F8><Enter>", vec![]),
        ("<Tab><End><Shift-F8><Tab><Enter>", vec![for_good.clone()]),
        ("<Tab><End><F20><Tab><Enter>", vec![for_good.clone()]),
        ("<Tab><End><Shift-Delete><Tab><Enter>", vec![for_good.clone()]),
        // This machine has none.
        ("<End><F8><Enter>", vec![]),
        ("<End><F8><Tab><Enter>", vec![here]),
    ] {
        assert_eq!(run(&mut with_trash(), script), effects, "{script}");
    }
    let mut app = with_trash();
    update(&mut app, Msg::Trash(Told::State(None)));
    assert_eq!(run(&mut app, "<Tab><End><F8><Tab><Enter>"), [for_good], "nor has every account");
}

#[test]
fn what_is_in_the_trash_is_told_and_asked_for_again() {
    let mut app = with_trash();
    run(&mut app, "<Tab><End><F8><Enter>");
    assert_eq!((app.note.text.as_str(), app.working), ("Moving to the trash: index.html…", 1));
    update(&mut app, Msg::Trash(Told::Done(trashed("index.html", 7))));
    let work = Work::Trash(vec![remote("/photos/2026/index.html")]);
    // The first number was the count's of the dialog.
    let reread = reread(2, &app.right);
    let effects = update(&mut app, Msg::Worked { work: work.clone(), done: 1, fault: None });
    assert_eq!(effects, [reread, Effect::Trash(Wish::State)]);
    assert_eq!((app.note.text.as_str(), app.working), ("In the trash: index.html", 0));
    let fault = Some(Fault::new(Code::NoTrash, "this account has no trash"));
    update(&mut app, Msg::Worked { work, done: 0, fault });
    assert_eq!(app.note.text, "Not moved to the trash: index.html: this account has no trash");
}

#[test]
fn steps_are_taken_back_the_newest_first() {
    let mut app = with_trash();
    assert_eq!(run(&mut app, "<Alt-Z>"), []);
    assert_eq!(app.note.text, "There is nothing to take back");
    let renamed = moved(local("/home/ada/Downloads/a"), local("/home/ada/Downloads/b"));
    update(&mut app, Msg::Trash(Told::Done(renamed.clone())));
    update(&mut app, Msg::Trash(Told::Done(trashed("x", 7))));
    assert_eq!(run(&mut app, "<Alt-Z>"), [Effect::Trash(Wish::Undo(trashed("x", 7)))]);
    assert_eq!((app.note.text.as_str(), app.working), ("Taking back x…", 1));
    assert_eq!(run(&mut app, "<Alt-Z>"), [], "one at a time");
    app.heed();

    let expected = [reread(1, &app.right), Effect::Trash(Wish::State)];
    let effects = update(&mut app, undone(trashed("x", 7), &[remote("/photos/2026/x")], None));
    assert_eq!(effects, expected);
    assert_eq!((app.note.text.as_str(), app.working), ("Taken back: x", 0));
    let listing = reread_of(&app.right, vec![file("a", 1, 0), file("x", 1, 0)]);
    update(&mut app, Msg::Read { generation: 1, result: Ok(listing) });
    assert_eq!(app.right.current_name(), b"x", "the cursor is on what is back");

    assert_eq!(run(&mut app, "<Alt-Z>"), [Effect::Trash(Wish::Undo(renamed.clone()))]);
    let expected = [reread(2, &app.left)];
    assert_eq!(update(&mut app, undone(renamed, &[local("/home/ada/Downloads/a")], None)), expected);
    assert_eq!(run(&mut app, "<Alt-Z>"), [], "and that was all");
}

#[test]
fn what_failed_is_named_and_not_what_it_kept_from_being_tried() {
    let mut app = with_trash();
    let path = |name: &str| RemotePath::parse(name.as_bytes()).unwrap();
    let step = Step::Trashed(vec![(path("first"), 1), (path("second"), 2)]);
    update(&mut app, Msg::Trash(Told::Done(step.clone())));
    run(&mut app, "<Alt-Z>");
    update(&mut app, undone(step, &[], Some(Fault::new(Code::Exists, "no"))));
    assert_eq!(app.note.text, "Not taken back: second: no");
}

#[test]
fn what_cannot_be_taken_back_now_may_be_later() {
    for (code, stays) in [(Code::Exists, true), (Code::Timeout, true), (Code::NotFound, false), (Code::Changed, false)]
    {
        let mut app = with_trash();
        update(&mut app, Msg::Trash(Told::Done(trashed("x", 7))));
        run(&mut app, "<Alt-Z>");
        update(&mut app, undone(trashed("x", 7), &[], Some(Fault::new(code, "no"))));
        assert_eq!((app.note.text.as_str(), app.note.tone), ("Not taken back: x: no", Tone::Bad));
        assert_eq!(app.undo.last().is_some(), stays, "{code}");
    }
}

#[test]
fn what_is_at_the_server_waits_for_it_and_is_not_taken_to_another() {
    let mut app = with_trash();
    update(&mut app, Msg::Trash(Told::Done(trashed("x", 7))));
    app.session = Session::Offline;
    assert_eq!(run(&mut app, "<Alt-Z>"), []);
    assert_eq!(app.note.text, "Not connected: the server cannot take it back now");
    let effects = update(&mut app, Msg::Connected { label: "bob@harbour".into(), saved: vec![] });
    assert!(effects.contains(&Effect::Trash(Wish::State)));
    assert_eq!((app.undo.last(), app.undo.trash), (None, None));
}

#[test]
fn the_trash_is_emptied_after_a_question() {
    let state = || Effect::Trash(Wish::State);
    let mut app = with_trash();
    update(&mut app, Msg::Trash(Told::Done(trashed("x", 7))));
    assert_eq!(run(&mut app, "<Ctrl-F8><Enter>"), [state()], "it is kept unless told otherwise");
    assert_eq!(run(&mut app, "<Ctrl-F8><Tab><Enter>"), [state(), Effect::Trash(Wish::Empty)]);
    assert_eq!(update(&mut app, Msg::Trash(Told::Emptied(None))), [state()]);
    assert_eq!((app.note.text.as_str(), app.undo.last(), app.working), ("The trash is empty", None, 0));
    // What another session has emptied meanwhile is told in the question.
    run(&mut app, "<Ctrl-F8>");
    update(&mut app, Msg::Trash(Told::State(Some(Trash { items: 0, bytes: 0, ..TRASH }))));
    assert_eq!(run(&mut app, "<Enter>"), []);
    assert!(app.dialogs.is_empty());
    update(&mut app, Msg::Trash(Told::State(None)));
    assert_eq!(run(&mut app, "<Ctrl-F8>"), []);
    assert_eq!(app.note.text, "This account has no trash: what is deleted at the server is gone");
}
