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
