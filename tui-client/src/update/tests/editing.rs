//! Editing by keys: what is fetched, opened and sent back, and what is said of it.

use wire::Root;

use super::*;
use crate::app::dialog::Kind;
use crate::app::edit::{Back, Copy, Errand};
use crate::engine::status::Side as Stamp;

fn copy() -> Copy {
    let base = Stamp { size: 12_288, mtime: sample::NOW, root: None };
    let remote = index();
    Copy { file: PathBuf::from("/s/edits/index.html-x/index.html"), remote, base, root: Root([1; 32]) }
}

fn index() -> RemotePath {
    RemotePath::parse(b"/photos/2026/index.html").unwrap()
}

fn edit(edit: Edit) -> Effect {
    Effect::Edit(edit)
}

fn told(app: &mut App, told: Edited) -> Vec<Effect> {
    update(app, Msg::Edited(told))
}

/// A screen on which index.html of the server is being fetched.
fn fetching() -> App {
    let mut app = sample::app();
    assert_eq!(run(&mut app, "<Tab><End><F4>"), [edit(Edit::Fetch { serial: 1, path: index() })]);
    app
}

#[test]
fn files_here_are_opened_at_once() {
    let notes = Errand::Here(PathBuf::from("/home/ada/Downloads/notes.md"));
    check("<End><F4>", &[edit(Edit::Open(notes.clone()))]);
    check("<Down><F4>", &[]);
    check("<F4>", &[]);
    let mut app = sample::app();
    let out = told(
        &mut app,
        Edited::Closed { errand: notes.clone(), result: Err("the editor ended with exit status: 1".into()) },
    );
    assert_eq!((out, app.note.tone), (vec![Effect::RereadLater], Tone::Bad));
    assert!(app.note.text.contains("exit status: 1"));
    told(&mut app, Edited::Closed { errand: notes, result: Ok(()) });
    assert_eq!((app.note.tone, app.dialogs.len()), (Tone::Good, 0));
}

#[test]
fn large_files_are_asked_about() {
    let iso = Errand::Here(PathBuf::from("/home/ada/Downloads/debian-12.iso"));
    check("<End><Up><F4>", &[]);
    check("<End><Up><F4><Enter>", &[]);
    check("<End><Up><F4><Tab><Enter>", &[edit(Edit::Open(iso))]);
}

#[test]
fn a_copy_is_fetched_opened_and_sent_back() {
    let mut app = fetching();
    assert!(matches!(app.dialogs.last().unwrap().kind, Kind::Fetching { serial: 1, .. }));
    let out = told(&mut app, Edited::Fetched { serial: 1, result: Ok(copy()) });
    assert_eq!((out, app.dialogs.len()), (vec![edit(Edit::Open(Errand::Copy(copy())))], 0));
    let out = told(&mut app, Edited::Closed { errand: Errand::Copy(copy()), result: Ok(()) });
    assert_eq!((out, app.working), (vec![edit(Edit::SendBack(copy(), None))], 1));
    assert_eq!(told(&mut app, Edited::Back(copy(), Back::Sent)), [Effect::RereadLater]);
    assert_eq!((app.note.text.as_str(), app.working), ("Sent back index.html: proven", 0));
}

#[test]
fn an_editor_that_ended_badly_sends_nothing() {
    let mut app = fetching();
    let out = told(&mut app, Edited::Closed { errand: Errand::Copy(copy()), result: Err("killed".into()) });
    assert_eq!(out, [edit(Edit::SendBack(copy(), Some("killed".into())))]);
}

#[test]
fn what_could_not_go_back_is_kept_and_told_and_can_be_sent_again() {
    let mut app = sample::app();
    told(&mut app, Edited::Back(copy(), Back::Kept("over quota".into())));
    assert!(matches!(&app.dialogs.last().unwrap().kind, Kind::Kept { .. }));
    assert!(app.note.text.contains("over quota") && app.note.text.contains("/s/edits/"), "{}", app.note.text);
    assert_eq!(run(&mut app, "<Tab><Enter>"), [edit(Edit::SendBack(copy(), None))]);
    told(&mut app, Edited::Back(copy(), Back::Kept("over quota".into())));
    assert_eq!((run(&mut app, "<Enter>"), app.dialogs.len()), (vec![], 0));
}

#[test]
fn a_fetching_is_left_by_escape_and_what_comes_too_late_is_deleted() {
    let mut app = fetching();
    assert_eq!(run(&mut app, "<Esc>"), [edit(Edit::Stop(1))]);
    assert_eq!(told(&mut app, Edited::Fetched { serial: 1, result: Ok(copy()) }), [edit(Edit::Discard(copy()))]);
    let mut app = fetching();
    told(&mut app, Edited::Fetched { serial: 1, result: Err(Fault::new(Code::NotFound, "it is not there")) });
    assert_eq!((app.dialogs.len(), app.note.tone), (0, Tone::Bad));
}

#[test]
fn nothing_is_fetched_without_a_connection() {
    let mut app = sample::app();
    app.session = Session::Offline;
    assert_eq!(run(&mut app, "<Tab><End><F4>"), []);
    assert!(app.note.text.starts_with("Not connected"));
}

#[test]
fn a_new_file_is_opened_when_it_is_made() {
    let mut app = sample::app();
    let place = local("/home/ada/Downloads/x");
    let made = |app: &mut App| {
        let work = Work::NewFile(place.clone());
        update(app, Msg::Worked { work, done: 1, fault: None })
            .into_iter()
            .any(|effect| matches!(effect, Effect::Edit(_)))
    };
    assert!(made(&mut app));
    run(&mut app, "<F7>");
    assert!(!made(&mut app), "the person types something else");
}
