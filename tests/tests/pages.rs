//! Manual pages and completions in `assets` are those of the programs as they are.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn they_are_current_and_there_are_no_others() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets");
    let pages = tests::pages::pages().expect("made");
    for page in &pages {
        let there = fs::read_to_string(assets.join(&page.path)).unwrap_or_default();
        assert!(there == page.text, "assets/{} is another: run `just pages`", page.path);
    }
    let made: BTreeSet<String> = pages.into_iter().map(|page| page.path).collect();
    for dir in ["man", "completions"] {
        for entry in fs::read_dir(assets.join(dir)).expect("readable") {
            let name = format!("{dir}/{}", entry.expect("an entry").file_name().to_string_lossy());
            assert!(made.contains(&name), "assets/{name} is of nothing");
        }
    }
}
