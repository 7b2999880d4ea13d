//! Replays the corpora of the fuzz targets, so that what fuzzing once found stays found.

#![cfg(test)]

#[path = "../fuzz/properties.rs"]
mod properties;

use std::fs;
use std::path::Path;

/// Every input as it is, cut anywhere, and with each byte of its beginning changed.
fn replay(target: &str, property: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs = 0;
    for file in fs::read_dir(&corpus).expect("the corpus is there") {
        let input = fs::read(file.expect("an entry").path()).expect("a readable input");
        inputs += 1;
        property(&input);
        for at in 0..input.len().min(96) {
            property(&input[..at]);
            let mut changed = input.clone();
            changed[at] = changed[at].wrapping_add(1);
            property(&changed);
        }
    }
    assert!(inputs >= 8, "only {inputs} inputs in {}", corpus.display());
}

#[test]
fn frames() {
    replay("frames", properties::frames);
}

#[test]
fn messages() {
    replay("messages", properties::messages);
}

#[test]
fn paths() {
    replay("paths", properties::paths);
}
