//! F6 across sides and what is told of it, and Ctrl-R while the connection is lost.

use super::*;
use crate::engine::status::ItemStatus;

fn moved(items: Vec<NewItem>) -> Vec<Effect> {
    let items = items.into_iter().map(|item| NewItem { source: AfterCopy::Remove, ..item });
    vec![Effect::Enqueue(items.collect())]
}

fn down(name: &str, target: &str) -> NewItem {
    let source = RemotePath::parse(format!("/photos/2026/{name}").as_bytes()).unwrap();
    NewItem { job: Job::Down { source, target: target.into() }, if_exists: IfExists::Ask, source: AfterCopy::Keep }
}

#[test]
fn f6_moves_to_the_other_side_and_a_bare_name_renames() {
    check("<End><F6><Enter>", &moved(vec![up("notes.md", "/photos/2026/notes.md")]));
    check("<End><F6>/a/<Enter>", &moved(vec![up("notes.md", "/a/notes.md")]));
    check(
        "<Down><Insert><End><Insert><F6><Enter>",
        &counted(
            local("/home/ada/Downloads/albums"),
            &moved(vec![up("albums", "/photos/2026/albums"), up("notes.md", "/photos/2026/notes.md")]),
        ),
    );
    let raw = |effects: &[Effect]| counted(remote("/photos/2026/raw"), effects);
    check("<Tab><Down><F6><Enter>", &raw(&moved(vec![down("raw", "/home/ada/Downloads/raw")])));
    check("<Tab><Down><F6>raw/x<Enter>", &raw(&moved(vec![down("raw", "/home/ada/Downloads/raw/x")])));
    check("<End><F6><Esc>", &[]);
    check("<F6>", &[]);
    let steps = |from, to| Steps { pairs: vec![(from, to)], replace_first: false };
    let renamed = steps(local("/home/ada/Downloads/notes.md"), local("/home/ada/Downloads/x.md"));
    check("<End><F6>x.md<Enter>", &[Effect::Work(Work::Move(renamed.clone()))]);
    check("<End><F6>notes.md<Enter>", &[]);
    // Without a server one thing can be renamed, and nothing goes anywhere else.
    for (script, effects) in [
        ("<End><F6>x.md<Enter>", vec![Effect::Work(Work::Move(renamed))]),
        ("<End><F6><Enter>", vec![]),
        ("*<F6><Enter>", vec![read(1, local("/home/ada"))]),
    ] {
        let mut app = sample::app();
        app.session = Session::Offline;
        assert_eq!(run(&mut app, script), effects, "{script}");
    }
}

#[test]
fn a_move_that_ended_says_what_is_left() {
    let tell = |change: &dyn Fn(&mut ItemStatus)| {
        let mut app = sample::app();
        with_status(&mut app, |status| status.questions.clear());
        with_status(&mut app, |status| {
            status.questions.clear();
            let item = &mut status.items[1];
            (item.state, item.source, item.held) = (State::Done, AfterCopy::Remove, 0);
            change(item);
        });
        assert!(app.left.stale, "it got files");
        app.note.text
    };
    assert_eq!(tell(&|_| ()), "Moved raw/: 340 files proven, 7.6 GiB, 4.0 s; nothing is left behind");
    assert_eq!(
        tell(&|item| item.files_skipped = 2),
        "Moved raw/: 338 files proven, 2 skipped, 7.6 GiB, 4.0 s; the skipped ones stay"
    );
    assert_eq!(
        tell(&|item| (item.directories_left, item.note) = (2, "/photos/raw/new is not empty".into())),
        "Moved raw/: 340 files proven, 7.6 GiB, 4.0 s; 2 directories stay: /photos/raw/new is not empty"
    );
    assert_eq!(tell(&|item| item.files_skipped = 340), "raw/: left as it was");
    let changed = Fault::new(Code::Changed, "copied, but the source changed and was kept");
    assert_eq!(
        tell(&|item| (item.state, item.files_failed) = (State::Failed(changed.clone()), 1)),
        "raw/: 1 of 340 files failed and stay: copied, but the source changed and was kept"
    );
}

#[test]
fn a_local_pane_within_what_was_moved_is_read_again() {
    let mut app = sample::app();
    with_status(&mut app, |status| status.questions.clear());
    with_status(&mut app, |status| {
        status.questions.clear();
        (status.items[0].state, status.items[0].source) = (State::Done, AfterCopy::Remove);
    });
    assert!(app.left.stale, "the source was here");
}

#[test]
fn ctrl_r_does_not_wait_for_the_next_try_to_connect() {
    let mut app = sample::app();
    let lost = Link::Lost { retry_in: std::time::Duration::from_secs(12), reason: "reset".into() };
    with_status(&mut app, |status| {
        status.questions.clear();
        status.link = lost;
    });
    assert_eq!(run(&mut app, "<Ctrl-R>"), [reread(2, &sample::app().left)]);
    assert_eq!(run(&mut app, "<Tab><Ctrl-R>"), [Effect::Reconnect]);
    assert_eq!(app.note.text, "Trying to connect…");
    let lost = Link::Lost { retry_in: std::time::Duration::from_secs(1), reason: "refused".into() };
    with_status(&mut app, |status| {
        status.questions.clear();
        status.link = lost;
    });
    assert_eq!(app.note.text, "Still no connection: refused");
}
