//! Pictures of menus, palette, manual, choice of themes, complaints, and of plain characters.

use super::*;
use crate::app::chrome::Lines;

/// After the keys, in the three sizes.
fn three(script: &str) -> String {
    let sizes = [(40, 12), (80, 24), (120, 40)];
    sizes.map(|(width, height)| after(script, width, height)).join("\n")
}

fn after(script: &str, width: u16, height: u16) -> String {
    let mut app = sized(width, height);
    for key in sample::keys(script) {
        update(&mut app, Msg::Key(key));
    }
    let shown = picture(&app);
    assert!(shown.lines().all(|line| line.width() == usize::from(width)), "{shown}");
    shown
}

#[test]
fn a_menu() {
    insta::assert_snapshot!(three("<F9><Right><Right><Down>"));
}

#[test]
fn menus_at_the_edges() {
    insta::assert_snapshot!(
        [after("<F9><End>", 40, 12), after("<F9><Left>", 40, 12), after("<F9><Right><Right><End>", 40, 12)].join("\n")
    );
}

#[test]
fn the_palette() {
    insta::assert_snapshot!(three("<Ctrl-P>sort"));
}

#[test]
fn the_palette_without_a_word() {
    insta::assert_snapshot!([after("<Ctrl-P><Down><Down>", 80, 24), after("<Ctrl-P>zzz", 40, 12)].join("\n"));
}

#[test]
fn the_manual() {
    insta::assert_snapshot!(three("<F1>/proven<Enter>n"));
}

#[test]
fn the_choice_of_themes_and_complaints() {
    let mut app = sized(40, 12);
    crate::update::complain(&mut app, vec!["keys.toml:3: no action is called `copi`; copy?".into()]);
    insta::assert_snapshot!([after("<F9><Left>t", 80, 24), picture(&app)].join("\n"));
}

#[test]
fn plain_characters() {
    let mut app = sized(80, 24);
    busy(&mut app);
    app.dialogs.clear();
    app.left.rows = sample::rows(&[file("日本語.txt", 100, NOW.secs), file("naïve", 100, NOW.secs)]);
    app.chrome.lines = Lines::Ascii;
    let ascii = picture(&app);
    assert!(ascii.contains("日本語.txt") && !ascii.contains('║'), "{ascii}");
    app.chrome.lines = Lines::OnlyAscii;
    app.chrome.menu = Some(crate::app::menu::Pulled::default());
    let only = picture(&app);
    assert!(only.is_ascii() && only.lines().all(|line| line.len() == 80), "{only}");
    insta::assert_snapshot!(format!("{ascii}\n{only}"));
}

/// Names that terminals and programs stumble over.
const NAMES: [&[u8]; 8] = [
    b"\x1b[2J\x1b]0;title\x07",
    b"two\nlines\tand\rmore",
    "日本語のファイル名はとても長いのでどこかで切られる.txt".as_bytes(),
    "e\u{301}te\u{301}-nfd-한글".as_bytes(),
    "👨‍👩‍👧‍👦 🇩🇪 ❤\u{fe0f} 👍🏽".as_bytes(),
    b"\xff\xfe not utf-8",
    "abc\u{202e}txt.exe".as_bytes(),
    "\u{301}\u{301}combining first".as_bytes(),
];

#[test]
fn hostile_names_keep_every_list_and_dialog_straight() {
    for (size, name) in [(40, 12), (80, 24), (120, 40)].into_iter().flat_map(|size| NAMES.map(|name| (size, name))) {
        let (width, height) = size;
        let shown = wire::path::escape(name);
        let mut app = sized(width, height);
        let mut status = sample::status();
        for item in &mut status.items {
            (item.name, item.note) = (shown.clone(), shown.clone());
        }
        status.questions[0].target = shown.clone();
        update(&mut app, Msg::Status(Arc::new(status)));
        let entries = [entry(name, wire::message::Kind::File, 1, 0), sample::directory("x")];
        app.left.rows = sample::rows(&entries);
        app.saved = vec![format!("ada@{shown}")];
        let straight = |app: &App, what: &str| {
            for lines in [Lines::Drawn, Lines::OnlyAscii] {
                let mut app = app.clone();
                app.chrome.lines = lines;
                let picture = picture(&app);
                assert!(!picture.contains('\x1b'), "{what}: {shown}");
                assert!(picture.lines().all(|line| line.width() == usize::from(width)), "{what}: {shown}\n{picture}");
            }
        };
        straight(&app, "a question");
        for script in [
            "<Esc>",
            "<Esc><F9>",
            "<Esc><Down><Down><F5>",
            "<Esc><Down><Down><F8>",
            "<Esc><F2>",
            "<Esc><F2><Enter>",
            "<Esc><Ctrl-N>",
            "<Esc><Ctrl-S>a",
        ] {
            let mut app = app.clone();
            for key in sample::keys(script) {
                update(&mut app, Msg::Key(key));
            }
            straight(&app, script);
        }
    }
}
