//! Pictures of the lists that take the whole screen, and of the dialogs before them.

use wire::message::Kind;

use super::*;
use crate::sync::mode::Mode;
use crate::sync::sample::plan;
use crate::sync::scan::Progress;
use crate::update::{Compared, Hit};

const LEFT: &str = "boat-plans.pdf 14900000@1795000000, notes.md 4198@1795336200, raw/, raw/日本語の長い名前のファイル 1@1795336200, \
    raw/x\x1b[2J 5@1795336200, same 5@1795336200, selected/, z 1@1795336200";
const RIGHT: &str = "gone/, gone/old.tif 50400000@1700000000, notes.md 4100@1795336900, raw/, same 5@1795336200, \
    selected 7@1795336200, z 2@1795336200";

fn run(app: &mut App, script: &str) {
    for key in sample::keys(script) {
        update(app, Msg::Key(key));
    }
}

fn checklist(app: &mut App, over: bool) {
    run(app, &("<Ctrl-Y><Tab><Tab>".to_owned() + &"<Down>".repeat(3) + "<Space>" + &"<Down>".repeat(9) + "<Enter>"));
    let mode = Mode { deletions: true, ..Mode::default() };
    let (plan, progress) = (plan(LEFT, RIGHT, mode), Progress { found: 12_345, ..Progress::default() });
    let told = if over { Compared::Whole(plan, progress) } else { Compared::Partly(plan, progress) };
    update(app, Msg::Scanned { serial: 1, told });
}

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (40, 12)];

/// The same in three sizes, one below the other.
fn in_three_sizes(make: impl Fn(&mut App)) -> String {
    let pictures = SIZES.map(|(width, height)| {
        let mut app = sized(width, height);
        make(&mut app);
        picture(&app)
    });
    pictures.join("\n")
}

#[test]
fn the_checklist() {
    insta::assert_snapshot!(in_three_sizes(|app| {
        checklist(app, true);
        run(app, "<Down><Down><Space><Down><Down>");
    }));
}

#[test]
fn the_checklist_while_it_comes() {
    insta::assert_snapshot!(in_three_sizes(|app| checklist(app, false)));
}

#[test]
fn before_and_after_the_plan() {
    insta::assert_snapshot!(in_three_sizes(|app| run(app, "<Shift-F2>")));
    insta::assert_snapshot!(in_three_sizes(|app| run(app, "<Ctrl-Y>")));
    insta::assert_snapshot!(in_three_sizes(|app| {
        checklist(app, true);
        run(app, "<F10>");
    }));
}

#[test]
fn names_that_were_found() {
    insta::assert_snapshot!(in_three_sizes(|app| run(app, "<Alt-?>")));
    insta::assert_snapshot!(in_three_sizes(|app| {
        run(app, "<Tab><Alt-?>tif<Enter>");
        let page = [file("raw/deep/harbour.tif", 50_400_000, NOW.secs), entry(b"x\xff.tif", Kind::Link, 0, NOW.secs)];
        update(app, Msg::Found { serial: 1, told: Hit::Page(page.to_vec()) });
        run(app, "<Space>");
    }));
}
