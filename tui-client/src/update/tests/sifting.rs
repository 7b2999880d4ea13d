//! Which names are shown, and that what is not shown is left alone.

use super::*;
use crate::app::rows::{Listing, Rows};
use crate::entries::Entries;

/// After the keys on the left pane: the names shown, and the one under the cursor.
fn check_shown(script: &str, shown: &str, cursor: &str) {
    let mut app = sample::app();
    app.left.rows = sample::rows(&[
        directory(".git"),
        directory("docs"),
        file(".profile", 1, 0),
        file("a.txt", 2, 0),
        file("Doc.md", 4, 0),
        file("readme.txt", 8, 0),
    ]);
    assert_eq!(run(&mut app, script), [], "{script}");
    let at = String::from_utf8_lossy(app.here().current_name()).into_owned();
    assert_eq!((all_names(app.here()).as_str(), at.as_str()), (shown, cursor), "{script}");
}

#[test]
fn letters_that_begin_keys_elsewhere_are_typed() {
    let mut app = sample::app();
    app.keymap = crate::keymap::Keymap::new(crate::keymap::Preset::Vi, "keys.toml", "").0;
    app.left.rows = sample::rows(&[file("ggg.img", 1, 0), file("gem", 2, 0), file("other", 4, 0)]);
    run(&mut app, "fgg");
    assert_eq!(all_names(app.here()), "ggg.img");
    run(&mut app, "<Backspace>e");
    assert_eq!(all_names(app.here()), "gem");
}

#[test]
fn a_filter_is_shown_as_it_is_typed() {
    let all = ".git docs .profile a.txt Doc.md readme.txt";
    check_shown("/do", "docs Doc.md", "docs");
    check_shown("/do<Down>", "docs Doc.md", "Doc.md");
    check_shown("/Do", "Doc.md", "Doc.md");
    check_shown("/do<Backspace><Backspace>", all, "docs");
    check_shown("/do<Backspace><Backspace><Backspace>*", all, "docs");
    check_shown("/*.txt<Down><Enter>", "a.txt readme.txt", "readme.txt");
    check_shown("/zzz", "", "");
    check_shown("<End>/me", "readme.txt", "readme.txt");
    check_shown("/e +<End>", "", "");
    check_shown("/txt<Enter>/<Backspace>", "a.txt readme.txt", "a.txt");
    check_shown("<Alt-.>", "docs a.txt Doc.md readme.txt", "");
    check_shown("<Alt-.>/do<Enter>", "docs Doc.md", "docs");
    check_shown("<Alt-.><Alt-.>", all, "");
    check_shown("<Alt-d>", all, "docs");
}

#[test]
fn escape_shows_all_names_again() {
    let mut app = sample::app();
    run(&mut app, "/iso<Down><Down>");
    assert_eq!((all_names(&app.left).as_str(), app.left.current_name()), ("iso debian-12.iso", &b"debian-12.iso"[..]));
    assert_eq!(run(&mut app, "<Esc>"), [Effect::WaitEscape(1)]);
    assert_eq!(update(&mut app, Msg::EscapeWaited(1)), []);
    assert_eq!((app.left.rows.len(), app.left.current_name(), app.left.sifting), (5, &b"debian-12.iso"[..], false));
    // One that was left standing as well, and another directory has none.
    run(&mut app, "/no<Enter><Esc><Esc>");
    assert_eq!((app.left.rows.len(), app.left.sieve.text.as_str()), (5, ""));
    run(&mut app, "/alb<Enter><Enter>");
    let generation = app.serial;
    update(&mut app, Msg::Read { generation, result: Ok(listing(vec![file("x", 0, 0)])) });
    assert_eq!((all_names(&app.left).as_str(), app.left.sieve.text.as_str()), ("x", ""));
}

#[test]
fn paste_goes_into_a_filter() {
    let mut app = sample::app();
    run(&mut app, "/");
    update(&mut app, Msg::Paste("no\ntes".into()));
    assert_eq!(all_names(&app.left), "notes.md");
}

#[test]
fn only_what_is_shown_is_deleted() {
    let removed = |names: &[&str]| {
        let places = names.iter().map(|name| local(&format!("/home/ada/Downloads/{name}"))).collect();
        [Effect::Work(Work::Remove(places))]
    };
    check("*/notes<F8><Right><Enter>", &removed(&["notes.md"]));
    check("<End><Insert>/iso<Enter><End><F8><Right><Enter>", &removed(&["debian-12.iso"]));
    check("/.<Enter>*<F8><Right><Enter>", &removed(&["boat-plans.pdf", "debian-12.iso", "notes.md"]));
    check("/zzz<F8>", &[]);
}

#[test]
fn a_reread_keeps_the_filter_and_what_is_marked_behind_it() {
    let mut app = sample::app();
    run(&mut app, "<End><Insert>/iso<Enter><End>");
    let sieve = Sieve { hides_dots: false, text: "iso".into() };
    let (place, shown) = (app.left.place.clone(), Some(app.left.rows.clone()));
    let expected = Effect::Read { generation: 1, place, order: Order::default(), sieve: sieve.clone(), shown };
    assert_eq!(run(&mut app, "<Ctrl-R>"), [expected]);
    let fresh = reread_of(&app.left, vec![file("a.iso", 1, 0), file("debian-12.iso", 3, 0), file("notes.md", 7, 0)]);
    let rows = fresh.rows.arranged(Order::default(), sieve);
    update(&mut app, Msg::Read { generation: 1, result: Ok(Listing { rows, ..fresh }) });
    assert_eq!(
        (all_names(&app.left).as_str(), app.left.current_name()),
        ("a.iso debian-12.iso", &b"debian-12.iso"[..])
    );
    assert_eq!((app.left.marks.bytes(), app.left.marks_not_shown()), (7, 1));
}

/// A pane with more rows than are gone through at once.
fn many() -> App {
    let mut app = sample::app();
    let mut entries = Entries::default();
    (0..60_000).for_each(|n| entries.push(&file(&format!("f{n}"), 1, 0)));
    app.left.rows = Rows::new(entries, Order::default());
    app
}

#[test]
fn a_long_list_is_sifted_beside_the_screen() {
    let mut app = many();
    let text = |effects: &[Effect]| match effects {
        [Effect::Sort { generation, sieve, .. }] => (*generation, sieve.text.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(text(&run(&mut app, "/9")), (1, "9".into()));
    assert_eq!(text(&run(&mut app, "9")), (2, "99".into()));
    let sifted = |app: &App, text: &str| app.left.rows.clone().sifted(Sieve { hides_dots: false, text: text.into() });
    let (one, two) = (sifted(&app, "9"), sifted(&app, "99"));
    update(&mut app, Msg::Sorted { generation: 1, rows: one });
    assert_eq!(app.left.rows.len(), 60_000, "more was typed since");
    update(&mut app, Msg::Sorted { generation: 2, rows: two });
    assert_eq!(app.left.current_name(), b"f99");
}

#[test]
fn many_marks_are_set_beside_the_screen_on_what_is_there_then() {
    let mut app = many();
    let effects = run(&mut app, "+*9<Enter><Down>");
    let [Effect::Mark { generation: 1, rows, marks, markings }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(run(&mut app, "<F8>"), [], "not while it is open what is marked");
    assert!(app.dialogs.is_empty());
    let done = |rows: &Rows, marks: &crate::app::marks::Marks| markings[0].apply(rows, marks);
    let marked = Msg::Marked { generation: 1, rows: rows.clone(), before: marks.clone(), marks: done(rows, marks) };
    // A mark more since: all again, and nothing of it is lost.
    run(&mut app, "<Insert>");
    let effects = update(&mut app, marked);
    let [Effect::Mark { generation: 2, rows, marks, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let marked = Msg::Marked { generation: 2, rows: rows.clone(), before: marks.clone(), marks: done(rows, marks) };
    update(&mut app, marked);
    assert_eq!((app.left.marks.len(), app.left.marking.is_none()), (6001, true));
    assert_eq!(app.note.text, "Marked 6,000 names");
}

#[test]
fn keys_that_mark() {
    check_cursor("<Shift-Down><Shift-Down><Shift-Down>", "boat-plans.pdf", "albums iso");
    check_cursor("<End><Shift-Up><Shift-Up>", "boat-plans.pdf", "debian-12.iso notes.md");
    check_cursor("<Shift-End>", "notes.md", "albums iso boat-plans.pdf debian-12.iso notes.md");
    check_cursor("<End><Shift-Home>", "..", "albums iso boat-plans.pdf debian-12.iso notes.md");
    check_cursor("<Shift-End><Shift-Home>", "..", "");
    check_cursor("<Down><Shift-PageDown>", "notes.md", "albums iso boat-plans.pdf debian-12.iso");
    check_cursor("<End><Up><Shift-PageUp>", "..", "albums iso boat-plans.pdf debian-12.iso");
    check_cursor("<End><Alt-+>", "notes.md", "notes.md");
    check_cursor("<Down><Alt-+>", "albums", "albums iso");
    check_cursor("*<End><Alt-->", "notes.md", "boat-plans.pdf debian-12.iso");
    check_cursor("<Alt-*>", "..", "albums iso boat-plans.pdf debian-12.iso notes.md");
    check_cursor("<Alt-b>", "boat-plans.pdf", "");
}

#[test]
fn a_new_name_begins_with_the_old_one() {
    let renamed = |from: &str, to: &str| {
        let pairs = vec![(local(&format!("/home/ada/Downloads/{from}")), local(&format!("/home/ada/Downloads/{to}")))];
        [Effect::Work(Work::Move(Steps { pairs, replace_first: false }))]
    };
    check("<End><Shift-F6><End>2<Enter>", &renamed("notes.md", "notes.md2"));
    check("<Down><Insert><End><Shift-F6>x<Enter>", &renamed("notes.md", "x"));
    check("<End><F18><Enter>", &[]);
    check("<Shift-F6>", &[]);
    check(
        "<Alt-U>",
        &[Effect::Sort {
            generation: 1,
            rows: sample::app().left.rows,
            order: Order { by: By::Unsorted, reverse: false },
            sieve: Sieve::default(),
        }],
    );
}
