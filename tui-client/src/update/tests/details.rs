//! Details: looked at, counted and hashed behind their dialog, and stopped when it is left.

use wire::Root;

use super::*;
use crate::app::details::{Details, Facts, Hash};
use crate::app::dialog::Tally;

fn details(app: &App) -> &Details {
    match app.dialogs.last().map(|dialog| &dialog.kind) {
        Some(Kind::Details(details)) => details,
        other => panic!("{other:?}"),
    }
}

fn facts(kind: wire::message::Kind) -> Facts {
    Facts { kind, size: 4198, mtime: sample::NOW, local: None, executable: false, root: None }
}

#[test]
fn a_file_is_looked_at_and_hashed_on_request() {
    let mut app = sample::app();
    let place = local("/home/ada/Downloads/notes.md");
    assert_eq!(run(&mut app, "<End><Alt-Enter>"), [Effect::Inspect { serial: 1, place: place.clone() }]);
    update(&mut app, Msg::Inspected { serial: 7, result: Ok(facts(wire::message::Kind::Link)) });
    assert_eq!(details(&app).facts, None, "an answer about something else");
    update(&mut app, Msg::Inspected { serial: 1, result: Ok(facts(wire::message::Kind::File)) });
    assert_eq!(run(&mut app, "<Enter>"), [Effect::Hash { serial: 2, place: place.clone() }]);
    update(&mut app, Msg::Hashing { serial: 2, done: 100 });
    assert_eq!(details(&app).hash, Hash::Computing { serial: 2, done: Some(100) });
    update(&mut app, Msg::Hashed { serial: 2, result: Ok(Root([7; 32])) });
    assert_eq!(details(&app).hash, Hash::Computed(Root([7; 32])));
    assert_eq!(run(&mut app, "<Enter>"), [], "only the way out is left");
    assert!(app.dialogs.is_empty());
    run(&mut app, "<Alt-Enter>");
    update(&mut app, Msg::Inspected { serial: 3, result: Ok(facts(wire::message::Kind::File)) });
    run(&mut app, "<Enter>");
    assert_eq!(run(&mut app, "<Esc>"), [Effect::StopCount(4)]);
    assert_eq!(update(&mut app, Msg::Hashed { serial: 4, result: Ok(Root([7; 32])) }), []);
}

#[test]
fn a_directory_is_counted_until_it_is_left() {
    let mut app = sample::app();
    let place = remote("/photos/2026/raw");
    let look =
        [Effect::Inspect { serial: 1, place: place.clone() }, Effect::Count { serial: 2, places: vec![place.clone()] }];
    assert_eq!(run(&mut app, "<Tab><Down><Alt-Enter>"), look);
    update(&mut app, Msg::Counted { serial: 2, tally: Tally { files: 3, ..Tally::default() } });
    assert_eq!(details(&app).counting, Some((2, Tally { files: 3, ..Tally::default() })));
    assert_eq!(run(&mut app, "<Esc>"), [Effect::StopCount(2)]);
    // In front of `..` it is the directory itself.
    let effects = run(&mut app, "<Home><Alt-Enter>");
    assert_eq!(effects.first(), Some(&Effect::Inspect { serial: 3, place: remote("/photos/2026") }));
}

#[test]
fn what_cannot_be_looked_at_or_read_says_why() {
    let mut app = sample::app();
    run(&mut app, "<End><Alt-Enter>");
    update(&mut app, Msg::Inspected { serial: 1, result: Ok(facts(wire::message::Kind::File)) });
    run(&mut app, "<Enter>");
    update(&mut app, Msg::Hashed { serial: 2, result: Err(Fault::new(Code::Denied, "no permission for notes.md")) });
    assert_eq!(details(&app).hash, Hash::Failed("no permission for notes.md".into()));
    run(&mut app, "<Esc><Alt-Enter>");
    update(&mut app, Msg::Inspected { serial: 3, result: Err(Fault::new(Code::NotFound, "notes.md is not there")) });
    assert_eq!(details(&app).facts, Some(Err("notes.md is not there".into())));
}
