//! Going through what became of past transfers: keys in, rows and effects out.

use super::*;
use crate::app::dialog::Kind;
use crate::app::sample::{past, pasts};
use crate::engine::keep::history::Past;

const HERE: &str = "ada@harbour:7122";

/// The list of these, opened from the panes and read.
fn opened(entries: Vec<Past>) -> App {
    let mut app = sample::app();
    app.session = Session::Online("ada@harbour".into());
    assert_eq!(run(&mut app, "<Alt-H>"), [Effect::ReadHistory { serial: 1, soon: false }]);
    update(&mut app, Msg::Past { serial: 1, result: Ok(Arc::new(entries)) });
    app
}

/// What is shown, the cursor's in brackets.
fn shown(app: &App) -> String {
    let history = app.lists.history.as_ref().unwrap();
    let row = |row: usize| {
        let (past, marked) = history.get(row).unwrap();
        let name = format!("{}{}", if marked { "√" } else { "" }, past.name);
        if row == history.cursor { format!("[{name}]") } else { name }
    };
    (0..history.len()).map(row).collect::<Vec<_>>().join(" ")
}

fn enqueued(effects: &[Effect]) -> Vec<String> {
    let [Effect::Enqueue(items)] = effects else { panic!("{effects:?}") };
    let target = |item: &NewItem| match &item.job {
        Job::Up { target, .. } => target.to_string(),
        Job::Down { target, .. } => target.display().to_string(),
    };
    items.iter().map(target).collect()
}

#[test]
fn rows_and_what_keys_make_of_them() {
    for (script, expected) in [
        ("", "[notes.md] raw/ debian.iso old.tif notes.md"),
        ("<Down>", "notes.md [raw/] debian.iso old.tif notes.md"),
        ("<End>", "notes.md raw/ debian.iso old.tif [notes.md]"),
        ("<End><Up>", "notes.md raw/ debian.iso [old.tif] notes.md"),
        ("<PageDown><Home>", "[notes.md] raw/ debian.iso old.tif notes.md"),
        ("<Space><Insert>", "√notes.md √raw/ [debian.iso] old.tif notes.md"),
        ("<Space>*", "notes.md [√raw/] √debian.iso √old.tif √notes.md"),
        ("f", "[raw/] debian.iso notes.md"),
        ("<End>f", "raw/ debian.iso [notes.md]"),
        ("f<Down>f", "notes.md raw/ [debian.iso] old.tif notes.md"),
        // Typed live, over names and reasons.
        ("/NOTE", "[notes.md] notes.md"),
        ("/quota", "[raw/]"),
        ("/quotax", ""),
        ("/quotax<Backspace>", "[raw/]"),
        ("/notes<Enter>f", "[notes.md]"),
        ("/notes<Down>", "notes.md [notes.md]"),
    ] {
        let mut app = opened(pasts(HERE));
        assert_eq!(run(&mut app, script), [], "{script}");
        assert_eq!(shown(&app), expected, "{script}");
    }
}

#[test]
fn what_failed_goes_into_the_queue_again() {
    for (script, targets) in [
        ("<Down>r", vec!["/photos/raw"]),
        ("<Down><Space><Space>r", vec!["/photos/raw", "/photos/debian.iso"]),
        ("*r", vec!["/photos/raw", "/photos/debian.iso", "/photos/notes.md"]),
        // The notes were copied later.
        ("R", vec!["/photos/raw", "/photos/debian.iso"]),
        ("/iso<Enter>R", vec!["/photos/debian.iso"]),
    ] {
        let mut app = opened(pasts(HERE));
        let effects = run(&mut app, script);
        assert_eq!(enqueued(&effects), targets, "{script}");
        assert!(app.note.text.contains("again in the queue"), "{}", app.note.text);
        assert_eq!(app.copies.len(), 1);
    }
    for (script, told) in
        [("r", "notes.md is done: nothing"), ("/zzz<Enter>r", "Nothing there"), ("/old<Enter>R", "No")]
    {
        let mut app = opened(pasts(HERE));
        assert_eq!(run(&mut app, script), [], "{script}");
        assert!(app.note.text.starts_with(told), "{script}: {}", app.note.text);
    }
}

#[test]
fn only_with_the_server_it_was_with_and_not_twice() {
    let mut app = opened(pasts("bob@elsewhere:9"));
    assert_eq!(run(&mut app, "<Down>r"), []);
    assert_eq!((app.note.tone, app.note.text.contains("bob@elsewhere:9")), (Tone::Bad, true));
    let mut app = opened(pasts(HERE));
    app.session = Session::Offline;
    assert_eq!(run(&mut app, "R"), []);
    assert!(app.note.text.starts_with("Not connected"));
    // Files of a synchronisation are not known any more; their directory as a whole was not meant.
    let mut entries = pasts(HERE);
    entries[1].is_part = true;
    let mut app = opened(entries);
    assert_eq!(run(&mut app, "<Down>r"), []);
    assert!(app.note.text.contains("synchronise again"), "{}", app.note.text);
    // What is still on the list is tried again there.
    for (state, effects) in [
        (State::Failed(Fault::new(Code::Quota, "full")), vec![Effect::Queue(ItemId(1), Command::Retry)]),
        (State::Running, vec![]),
    ] {
        let mut app = opened(pasts(HERE));
        with_status(&mut app, |status| {
            status.questions.clear();
            let one = status.items[0].clone();
            let mut item = sample::item(1, state, &one);
            item.job = pasts(HERE)[1].job.clone();
            status.items = vec![item];
        });
        assert_eq!(run(&mut app, "<Down>r"), effects);
    }
}

#[test]
fn it_is_left_for_where_it_was_opened_and_late_answers_are_dropped() {
    let leave = |app: &mut App| {
        run(app, "<Esc>");
        let waited = app.escape.unwrap_or_default();
        update(app, Msg::EscapeWaited(waited));
    };
    let mut app = opened(pasts(HERE));
    run(&mut app, "/quota");
    leave(&mut app);
    assert_eq!((shown(&app).len() > 10, app.focus), (true, Scope::History), "Esc shows all before it leaves");
    leave(&mut app);
    assert_eq!((app.focus, app.lists.history.is_none()), (Scope::Panes, true));
    for script in ["<Alt-H><Alt-H>", "<Alt-H><F2>", "<Alt-H><Tab>"] {
        let mut app = sample::app();
        run(&mut app, script);
        assert_eq!((app.focus, app.lists.history.is_none()), (Scope::Panes, true), "{script}");
        assert_eq!(update(&mut app, Msg::Past { serial: 1, result: Ok(Arc::default()) }), []);
        assert!(app.lists.history.is_none());
    }
    let mut app = sample::app();
    run(&mut app, "<Ctrl-O><Alt-H>");
    leave(&mut app);
    assert!(app.board.is_full(app.focus), "back in the queue");
    // Opened again it is read again.
    let mut app = opened(pasts(HERE));
    assert_eq!(run(&mut app, "<Alt-H><Alt-H>"), [Effect::ReadHistory { serial: 2, soon: false }]);
    update(&mut app, Msg::Past { serial: 1, result: Ok(Arc::default()) });
    assert!(app.lists.history.as_ref().is_some_and(|history| history.reading));
    update(&mut app, Msg::Past { serial: 2, result: Err("denied".into()) });
    assert!(app.lists.history.as_ref().is_some_and(|history| !history.reading && history.fault == "denied"));
}

#[test]
fn an_open_list_takes_up_what_ends_and_stays_where_it_is() {
    let mut app = sample::app();
    update(&mut app, Msg::Status(Arc::new(sample::status())));
    run(&mut app, "<Alt-H>");
    update(&mut app, Msg::Past { serial: 1, result: Ok(pasts(HERE).into()) });
    run(&mut app, "<Down><Space><Down>");
    assert_eq!(shown(&app), "notes.md √raw/ debian.iso [old.tif] notes.md");
    let again = [Effect::ReadHistory { serial: 1, soon: true }];
    let ends = |app: &mut App, id: usize| {
        let mut status = (*app.status).clone();
        status.items[id].state = State::Done;
        let effects = update(app, Msg::Status(Arc::new(status)));
        effects.into_iter().filter(|effect| matches!(effect, Effect::ReadHistory { .. })).collect::<Vec<_>>()
    };
    assert_eq!(ends(&mut app, 0), again);
    assert_eq!(ends(&mut app, 1), [], "one reading at a time");
    // Written a little later than it is read.
    let same = Msg::Past { serial: 1, result: Ok(pasts(HERE).into()) };
    assert_eq!(update(&mut app, same.clone()), again);
    let with = |names: &[&str]| {
        let newer = names.iter().map(|name| past(HERE, name, 1, ""));
        Msg::Past { serial: 1, result: Ok(newer.chain(pasts(HERE)).collect::<Vec<_>>().into()) }
    };
    assert_eq!(update(&mut app, with(&["one"])), again, "there is another one");
    assert_eq!(shown(&app), "one notes.md √raw/ debian.iso [old.tif] notes.md");
    assert_eq!(update(&mut app, with(&["two", "one"])), []);
    assert_eq!(shown(&app), "two one notes.md √raw/ debian.iso [old.tif] notes.md");
    // What is never written is not looked for without end.
    let mut status = sample::status();
    status.items[0].state = State::Running;
    update(&mut app, Msg::Status(Arc::new(status)));
    assert_eq!(ends(&mut app, 0), again);
    let tries = (0..100).filter(|_| !update(&mut app, with(&["two", "one"])).is_empty()).count();
    assert!((10..30).contains(&tries), "{tries}");
    assert_eq!(ends(&mut app, 1), again, "and the next one is looked for");
}

#[test]
fn details_pasted_text_and_ten_thousand_rows() {
    let mut app = opened(pasts(HERE));
    run(&mut app, "<Down><Enter>");
    assert!(matches!(app.dialogs.last().map(|dialog| &dialog.kind), Some(Kind::Past(past)) if past.name == "raw/"));
    run(&mut app, "<Enter>/");
    assert_eq!(update(&mut app, Msg::Paste("de\rb\n".into())), []);
    assert_eq!((shown(&app).as_str(), app.dialogs.len()), ("[debian.iso]", 0));
    let many = (0..10_000).map(|n| past(HERE, &format!("n{n}"), 0, "")).collect();
    let mut app = opened(many);
    run(&mut app, "<End>");
    let history = app.lists.history.as_ref().unwrap();
    assert_eq!((history.cursor, history.top), (9999, 9999 - 17));
    run(&mut app, "/n9999<Enter>");
    assert_eq!(shown(&app), "[n9999]");
}
