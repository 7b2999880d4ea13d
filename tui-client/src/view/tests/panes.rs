//! Pictures of panes: what is left out of them, and how much is in wide ones.

use super::*;
use crate::app::sample::directory;

fn filtered(width: u16, height: u16) -> App {
    let mut app = sized(width, height);
    let mut program = file("run.sh", 120, NOW.secs);
    program.executable = true;
    let others = [directory(".git"), directory("docs"), file(".env", 3, NOW.secs), file("a run.txt", 9, NOW.secs)];
    app.left.rows = sample::rows(&others.into_iter().chain([program]).collect::<Vec<_>>());
    press(&mut app, KeyCode::End);
    press(&mut app, KeyCode::Insert);
    update(&mut app, Msg::Key(KeyEvent::new(KeyCode::Char('.'), KeyModifiers::ALT)));
    for c in "/do".chars() {
        press(&mut app, KeyCode::Char(c));
    }
    app
}

#[test]
fn a_filter_80x24() {
    insta::assert_snapshot!(picture(&filtered(80, 24)));
}

#[test]
fn a_filter_120x40() {
    let mut app = filtered(120, 40);
    for code in [KeyCode::Enter, KeyCode::Tab, KeyCode::Char('/'), KeyCode::Char('z')] {
        press(&mut app, code);
    }
    insta::assert_snapshot!(picture(&app));
}

#[test]
fn a_filter_40x12() {
    insta::assert_snapshot!(picture(&filtered(40, 12)));
}

#[test]
fn wide_panes_have_more_columns() {
    let mut app = filtered(200, 14);
    press(&mut app, KeyCode::Backspace);
    press(&mut app, KeyCode::Backspace);
    app.left.order = app.left.order.pressed(crate::app::order::By::Unsorted);
    insta::assert_snapshot!(picture(&app));
}
