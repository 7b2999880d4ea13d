//! Pictures of the lists of places.

use std::path::PathBuf;

use wire::RemotePath;

use super::*;
use crate::app::atlas::Landmark;
use crate::app::sample::{directory, listing};

/// A pane that has been about, with a hotlist and disks, of which some have names too long for any dialog.
fn travelled(app: &mut App) {
    let long = "/media/ada/".to_owned() + &"日本語の長い名前".repeat(9);
    update(app, Msg::Starts(["/home/ada", "/", &long].map(PathBuf::from).to_vec()));
    let here = Place::Local(PathBuf::from("/srv/raw"));
    let there = |path: &str| Place::Remote(RemotePath::parse(path.as_bytes()).unwrap());
    let server = || Some("ada@harbour:7122".to_owned());
    update(
        app,
        Msg::Hotlist(vec![
            Landmark { name: "Raw".into(), server: None, place: here },
            Landmark { name: String::new(), server: server(), place: there("/photos/2026/selected") },
            Landmark { name: "x".repeat(90), server: Some("bob@elsewhere:7122".into()), place: there("/") },
        ]),
    );
    for name in ["albums", "2026"] {
        sample::keys("<Down><Enter>").into_iter().for_each(|key| drop(update(app, Msg::Key(key))));
        let generation = app.left.loading.as_ref().map(|loading| loading.generation).unwrap();
        let entries = vec![directory(if name == "albums" { "2026" } else { "x" })];
        update(app, Msg::Read { generation, result: Ok(listing(entries)) });
    }
}

fn in_three_sizes(script: &str) -> String {
    let pictures = [(80, 24), (120, 40), (40, 12)].map(|(width, height)| {
        let mut app = sized(width, height);
        travelled(&mut app);
        sample::keys(script).into_iter().for_each(|key| drop(update(&mut app, Msg::Key(key))));
        let shown = picture(&app);
        assert!(shown.lines().all(|line| line.width() == usize::from(width)), "{shown}");
        shown
    });
    pictures.join("\n")
}

#[test]
fn the_lists_of_places() {
    for (name, script) in [
        ("places_left", "<Alt-F1>"),
        ("places_right", "<Alt-F2><Down>"),
        ("hotlist", "<Ctrl-\\><Down>"),
        ("trail", "<Alt-Down>"),
        ("name", "<Ctrl-\\><F6>"),
    ] {
        insta::assert_snapshot!(name, in_three_sizes(script));
    }
}

#[test]
fn before_there_are_any() {
    let empty = |script: &str| {
        let mut app = sized(40, 12);
        sample::keys(script).into_iter().for_each(|key| drop(update(&mut app, Msg::Key(key))));
        picture(&app)
    };
    insta::assert_snapshot!([empty("<Alt-F1>"), empty("<Ctrl-\\>"), empty("<Alt-Down>")].join("\n"));
}
