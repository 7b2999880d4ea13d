//! Replays the corpora of the fuzz targets, as they are, cut and changed at random: what fuzzing once found stays
//! found, and a little of the search goes on wherever the tests run.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{FileFailurePersistence, TestRunner};
use tests::fuzz::{TARGETS, seeds::seeds};

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// The inputs of a target, in the order of their names.
fn inputs(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let corpus = corpora().join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(&corpus).expect(target).map(|file| file.expect("read").path()).collect();
    files.sort();
    assert!(files.len() >= 10, "only {} inputs in {}", files.len(), corpus.display());
    files.into_iter().map(|file| (file.clone(), fs::read(file).expect("read"))).collect()
}

/// How an input becomes another one.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    Number(Index, u64),
    Insert(Index, Vec<u8>),
    /// The end of another input.
    Splice(Index, Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let numbers = prop_oneof![0u64..4, (0u32..64).prop_map(|bit| 1 << bit), Just(u64::MAX), any::<u64>()];
    prop_oneof![
        3 => (any::<Index>(), 1u8..).prop_map(|(at, bits)| Change::Flip(at, bits)),
        1 => any::<Index>().prop_map(Change::Cut),
        2 => (any::<Index>(), numbers).prop_map(|(at, number)| Change::Number(at, number)),
        1 => (any::<Index>(), prop::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, new)| Change::Insert(at, new)),
        2 => any::<(Index, Index, Index)>().prop_map(|(at, other, from)| Change::Splice(at, other, from)),
    ]
}

fn changed(mut input: Vec<u8>, changes: &[Change], all: &[(PathBuf, Vec<u8>)]) -> Vec<u8> {
    for change in changes {
        let place = |at: &Index| at.index(input.len() + 1);
        match change {
            Change::Cut(at) => input.truncate(place(at)),
            Change::Insert(at, new) => drop(input.splice(place(at)..place(at), new.iter().copied())),
            Change::Splice(at, other, from) => {
                let (_, other) = &all[other.index(all.len())];
                let from = from.index(other.len() + 1);
                input.truncate(place(at));
                input.extend_from_slice(&other[from..]);
            }
            Change::Flip(at, bits) if !input.is_empty() => {
                let at = at.index(input.len());
                input[at] ^= bits;
            }
            Change::Number(at, number) if input.len() >= 8 => {
                let at = at.index(input.len() - 7);
                input[at..at + 8].copy_from_slice(&number.to_le_bytes());
            }
            Change::Flip(..) | Change::Number(..) => {}
        }
    }
    input
}

/// Every input as it is and cut anywhere in its beginning, then `cases` that are changed at random.
fn search(target: &str, cases: u32) {
    let (_, property) = TARGETS.into_iter().find(|(name, _)| *name == target).expect("a target");
    let all = inputs(target);
    for (file, input) in &all {
        let ends = (0..input.len().min(64)).step_by(if target == "connection" { 7 } else { 1 });
        for end in ends.chain([input.len()]) {
            let holds = std::panic::catch_unwind(|| property(&input[..end]));
            assert!(holds.is_ok(), "{end} bytes of {}", file.display());
        }
    }
    let config = ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..Default::default()
    };
    let inputs = (any::<Index>(), prop::collection::vec(change(), 1..6));
    let found = TestRunner::new(config).run(&inputs, |(which, changes)| {
        property(&changed(all[which.index(all.len())].1.clone(), &changes, &all));
        Ok(())
    });
    found.expect(target);
}

#[test]
fn frames() {
    search("frames", 5000);
}

#[test]
fn messages() {
    search("messages", 5000);
}

#[test]
fn paths() {
    search("paths", 5000);
}

#[test]
fn patterns() {
    search("patterns", 3000);
}

#[test]
fn connections() {
    search("connection", 1500);
}

/// `just corpus` makes them anew when a message has changed.
#[test]
fn the_corpora_hold_the_seeds() {
    for seed in seeds() {
        let file = corpora().join(seed.target).join(&seed.name);
        assert!(fs::read(&file).is_ok_and(|bytes| bytes == seed.bytes), "{} is not as it is made", file.display());
    }
}
