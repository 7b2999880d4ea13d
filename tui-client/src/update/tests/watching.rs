//! Changes that nobody told the program of.

use super::*;

fn changed(app: &mut App, path: &str) -> Vec<Effect> {
    update(app, Msg::ChangedHere(path.into()))
}

fn watched(app: &App) -> Vec<(String, u64)> {
    let all = app.to_watch().into_iter();
    all.map(|one| (one.path.display().to_string(), one.pause.as_secs())).collect()
}

#[test]
fn what_is_shown_is_watched() {
    let mut app = sample::app();
    let (downloads, albums) = ("/home/ada/Downloads".to_owned(), "/home/ada/Downloads/albums".to_owned());
    assert_eq!(watched(&app), [(downloads.clone(), 1)]);
    run(&mut app, "<Down><Enter>");
    assert_eq!(watched(&app), [(downloads, 1), (albums.clone(), 1)], "from the beginning of the read");
    let entries: Vec<_> = (0..20_000).map(|n| file(&n.to_string(), 0, 0)).collect();
    update(&mut app, Msg::Read { generation: 1, result: Ok(listing(entries)) });
    assert_eq!(watched(&app), [(albums, 10)], "a long list is not read again so often");
    app.right.place = app.left.place.clone();
    assert_eq!(watched(&app).len(), 1);
}

#[test]
fn a_change_is_read_and_the_cursor_and_the_marks_stay() {
    let mut app = sample::app();
    run(&mut app, "<End><Insert><Up>");
    assert_eq!(changed(&mut app, "/elsewhere"), []);
    assert_eq!(changed(&mut app, "/home/ada/Downloads"), [Effect::RereadLater]);
    let expected = [reread(1, &app.left)];
    assert_eq!(update(&mut app, Msg::RereadStale), expected);
    let fresh = [file("aaa", 1, 0), file("debian-12.iso", 1, 0), file("notes.md", 3, 0)];
    let listing = reread_of(&app.left, fresh.to_vec());
    update(&mut app, Msg::Read { generation: 1, result: Ok(listing) });
    assert_eq!((app.left.current_name(), app.left.marks.bytes()), (b"debian-12.iso".as_slice(), 3));
    assert_eq!(sample::names(&app.left.selection()), ["notes.md"]);
}

#[test]
fn what_is_deleted_is_what_was_named_whatever_came_meanwhile() {
    let mut app = sample::app();
    run(&mut app, "<End><F8>");
    changed(&mut app, "/home/ada/Downloads");
    update(&mut app, Msg::RereadStale);
    let fresh = [file("notes.md", 3, 0), file("z-new", 1, 0), file("zz-new", 1, 0)];
    let listing = reread_of(&app.left, fresh.to_vec());
    let generation = app.serial;
    update(&mut app, Msg::Read { generation, result: Ok(listing) });
    let removed = Work::Remove(vec![local("/home/ada/Downloads/notes.md")]);
    assert_eq!(run(&mut app, "<Right><Enter>"), [Effect::Work(removed)]);
    // One that is gone is not replaced by its neighbour.
    let mut app = sample::app();
    run(&mut app, "<End><Insert>");
    changed(&mut app, "/home/ada/Downloads");
    update(&mut app, Msg::RereadStale);
    let listing = reread_of(&app.left, vec![file("x", 3, 0), file("y", 1, 0)]);
    let generation = app.serial;
    update(&mut app, Msg::Read { generation, result: Ok(listing) });
    assert!(app.left.marks.is_empty());
}

#[test]
fn a_change_while_a_directory_is_entered_is_not_lost() {
    let mut app = sample::app();
    run(&mut app, "<Down><Enter>");
    assert_eq!(changed(&mut app, "/home/ada/Downloads/albums"), [Effect::RereadLater]);
    assert_eq!(update(&mut app, Msg::RereadStale), [Effect::RereadLater], "after the read");
    update(&mut app, Msg::Read { generation: 1, result: Ok(listing(vec![file("x", 1, 0)])) });
    let expected = [reread(2, &app.left)];
    assert_eq!(update(&mut app, Msg::RereadStale), expected);
}

#[test]
fn that_something_cannot_be_watched_is_told_once() {
    let mut app = sample::app();
    for text in ["Changes in ~/x do not show by themselves (full); Ctrl-R reads again", ""] {
        app.note = crate::app::Note::default();
        update(&mut app, Msg::NotWatched { path: "/home/ada/x".into(), reason: "full".into() });
        assert_eq!(app.note.text, text);
    }
}
