//! Pictures of what became of past transfers.

use super::*;
use crate::engine::keep::history::Past;

/// The same in three sizes, one below the other.
fn in_three_sizes(script: &str, entries: Option<Vec<Past>>) -> String {
    let pictures = [(80, 24), (120, 40), (40, 12)].map(|(width, height)| {
        let mut app = sized(width, height);
        let mut keys = sample::keys(&format!("<Alt-H>{script}")).into_iter();
        update(&mut app, Msg::Key(keys.next().unwrap()));
        if let Some(entries) = entries.clone() {
            update(&mut app, Msg::Past { serial: 1, result: Ok(Arc::new(entries)) });
        }
        keys.for_each(|key| drop(update(&mut app, Msg::Key(key))));
        picture(&app)
    });
    pictures.join("\n")
}

fn pasts() -> Vec<Past> {
    let mut pasts = sample::pasts("ada@harbour:7122");
    pasts[3].source = AfterCopy::Remove;
    let skipped = Past { files_skipped: 1, sent: 0, root: None, ..sample::past("ada@harbour:7122", "same", 90, "") };
    pasts.insert(
        1,
        Past {
            name: "日本語の長い名前のファイル-日本語の長い名前のファイル-日本語の長い名前の".into(), ..skipped
        },
    );
    pasts
}

#[test]
fn the_list() {
    insta::assert_snapshot!(in_three_sizes("<Down><Space>", Some(pasts())));
}

#[test]
fn a_search_in_what_failed() {
    insta::assert_snapshot!(in_three_sizes("f/o", Some(pasts())));
}

#[test]
fn details() {
    insta::assert_snapshot!(in_three_sizes("<Enter>", Some(pasts())));
    insta::assert_snapshot!(in_three_sizes("<Down><Down><Enter>", Some(pasts())));
}

#[test]
fn while_it_is_read_and_when_there_is_nothing() {
    insta::assert_snapshot!(in_three_sizes("", None));
    insta::assert_snapshot!(in_three_sizes("", Some(vec![])));
}
