//! Pictures of the questions about the trash.

use super::*;
use crate::engine::Trash;
use crate::update::Told;

fn asked(width: u16, height: u16, items: u64, script: &str) -> String {
    let mut app = sized(width, height);
    let trash = Trash { days: 30, items, bytes: items * (9 << 30) };
    update(&mut app, Msg::Trash(Told::State(Some(trash))));
    for key in sample::keys(script) {
        update(&mut app, Msg::Key(key));
    }
    picture(&app)
}

#[test]
fn questions_of_the_trash() {
    for (width, height) in [(80, 24), (120, 40), (40, 12)] {
        let size = format!("{width}x{height}");
        let one = asked(width, height, 1, "<Tab><End><F8>");
        let several = asked(width, height, 1, "<Tab>*<Down><Insert><F8>");
        let full = asked(width, height, 1_234, "<Ctrl-F8>");
        let empty = asked(width, height, 0, "<Ctrl-F8>");
        insta::assert_snapshot!(format!("trash_{size}"), [one, several, full, empty].join("\n"));
    }
}
