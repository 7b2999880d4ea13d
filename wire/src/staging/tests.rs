//! Blocks in real files: read, stored, found again, put together.

use super::*;
use crate::block::{Root, chaining_value, count};
use std::io::Write;

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("written");
    file
}

fn building(size: u64) -> Building {
    Building::new(Receiver::new(size))
}

fn held(receiver: &Receiver) -> Vec<Option<Cv>> {
    receiver.held_pages().flat_map(|(_, cvs, _)| cvs).collect()
}

#[test]
fn a_block_is_read_the_same_whether_or_not_it_is_cached() {
    let content: Vec<u8> = (0..2 * BLOCK + 10).map(|at| (at / 1000) as u8).collect();
    let file = file(&content);
    for size in [content.len() as u64, LARGE] {
        for (index, part) in content.chunks(BLOCK).enumerate() {
            let span = Span { index: index as u64, offset: (index * BLOCK) as u64, len: part.len() };
            let mut read = Aligned::default();
            read_block_once(&file, size, span, &mut read).expect("read");
            assert!(*read == *part);
        }
        let beyond = Span { index: 2, offset: 2 * BLOCK as u64, len: 11 };
        let ends = read_block_once(&file, size, beyond, &mut Aligned::default()).expect_err("it ends before");
        assert_eq!(ends.kind(), io::ErrorKind::UnexpectedEof);
    }
}

#[test]
fn a_scan_offers_what_is_there_and_skips_holes() {
    let size = 3 * BLOCK as u64 + 10;
    let content: Vec<u8> = (0..size).map(|i| (i / 1000) as u8).collect();
    let cv = |index: u64| {
        let span = block::span(size, index).expect("a block");
        Some(chaining_value(size, index, &content[span.offset as usize..][..span.len]))
    };
    let staging = file(b"");
    for index in [1, 3] {
        let span = block::span(size, index).expect("a block");
        let bytes = &content[span.offset as usize..][..span.len];
        building(size).store(&staging, span, cv(index).expect("a value"), bytes).expect("stored");
    }
    let mut receiver = Receiver::new(size);
    scan(&mut receiver, &staging, None).expect("scanned");
    assert_eq!(held(&receiver), [None, cv(1), None, cv(3)]);

    // A flipped bit makes another value, never a false claim.
    staging.write_all_at(b"!", BLOCK as u64 + 5).expect("damaged");
    let mut receiver = Receiver::new(size);
    scan(&mut receiver, &staging, Some(&file(&content[..2 * BLOCK]))).expect("scanned");
    let values = held(&receiver);
    assert_eq!((values[0], values[2], values[3]), (cv(0), None, cv(3)));
    assert!(values[1].is_some() && values[1] != cv(1));
}

#[test]
fn what_the_sender_has_passed_by_is_copied_before_the_end() {
    let size = 5 * BLOCK as u64;
    let content: Vec<u8> = (0..size).map(|at| (at / 999) as u8).collect();
    let (staging, basis) = (file(b""), file(&content));
    let mut receiver = Receiver::new(size);
    scan(&mut receiver, &staging, Some(&basis)).expect("scanned");
    let building = Building::new(receiver);
    let to_copy = || building.receiver().as_ref().map_or(0, |receiver| receiver.to_copy().count());
    let (changed, span) = (vec![1; BLOCK], building.expects(2, BLOCK).expect("the third block"));
    let cv = chaining_value(size, 2, &changed);
    building.store(&staging, span, cv, &changed).expect("stored");
    building.copy_passed(&staging, &basis, 3).expect("copied");
    assert_eq!(to_copy(), 2, "the last two are not passed yet");
    // What spoils the old file now is noticed, and nothing of it is taken for what was let stand.
    basis.write_all_at(b"x", 3 * BLOCK as u64).expect("changed behind our back");
    building.copy_passed(&staging, &basis, 4).expect_err("other bytes");
    assert_eq!(to_copy(), 2);
    let receiver = building.seal().expect("not sealed yet");
    assert_eq!(receiver.tally().sent, BLOCK as u64);
    for (index, part) in [&content[..BLOCK], &content[BLOCK..2 * BLOCK], &changed[..]].into_iter().enumerate() {
        let mut read = Aligned::default();
        let span = block::span(size, index as u64).expect("a block");
        read_block(&staging, span, &mut read).expect("read");
        assert!(*read == *part, "block {index}");
    }
}

#[test]
fn assembling_proves_the_old_bytes_again() {
    let size = 2 * BLOCK as u64;
    let content = vec![7; size as usize];
    let (staging, basis) = (file(b""), file(&content));
    let mut receiver = Receiver::new(size);
    scan(&mut receiver, &staging, Some(&basis)).expect("scanned");
    assemble(&receiver, &staging, Some(&basis)).expect("assembled");
    assert!(receiver.prove(Root(*blake3::hash(&content).as_bytes())).is_ok());
    assert_eq!(staging.metadata().expect("metadata").len(), size);
    assert_eq!(count(size), 2);

    basis.write_all_at(b"x", 3).expect("changed behind our back");
    let refused = assemble(&receiver, &staging, Some(&basis));
    assert!(matches!(refused, Err(StagingError::Violation(Violation::Damaged { index: 0 }))));
}

/// Full blocks go past the page cache where the file system lets them, ends never do, and both share the
/// open file.
#[test]
fn full_blocks_and_ends_can_be_written_at_once() {
    let size = 40 * BLOCK as u64 + 7;
    let staging = file(b"");
    let content: Vec<u8> = (0..size).map(|at| (at / 4096) as u8 | 1).collect();
    let store = |index: u64| {
        let span = block::span(size, index).expect("a block");
        let mut bytes = Aligned::default();
        bytes.resize(span.len);
        bytes.copy_from_slice(&content[span.offset as usize..][..span.len]);
        store_block(&staging, size, span, chaining_value(size, index, &bytes), &bytes).expect("stored");
    };
    std::thread::scope(|threads| {
        threads.spawn(|| (0..40).for_each(store));
        threads.spawn(|| (0..40).for_each(|_| store(40)));
    });
    let mut receiver = Receiver::new(size);
    scan(&mut receiver, &staging, None).expect("scanned");
    receiver.prove(Root(*blake3::hash(&content).as_bytes())).expect("all of it stands");
    assert_eq!(staging.metadata().expect("metadata").len(), size);
}

#[test]
fn zeros_become_holes_also_over_what_lay_there() {
    use std::os::unix::fs::MetadataExt;
    let size = 5 * BLOCK as u64 + 9;
    let staging = file(&vec![7; 3 * BLOCK]);
    let building = building(size);
    let zeros = vec![0; BLOCK];
    for index in [1, 2, 3, 4, 5] {
        let span = block::span(size, index).expect("a block");
        let cv = chaining_value(size, index, &zeros[..span.len]);
        building.store(&staging, span, cv, &zeros[..span.len]).expect("stored");
    }
    let (span, content) = (block::span(size, 0).expect("a block"), vec![7; BLOCK]);
    building.store(&staging, span, chaining_value(size, 0, &content), &content).expect("stored");
    let receiver = building.seal().expect("not sealed yet");
    assert_eq!(receiver.final_tally(), crate::transfer::Tally { sent: BLOCK as u64, held: size - BLOCK as u64 });
    assemble(&receiver, &staging, None).expect("assembled");
    staging.sync_all().expect("synced");
    let metadata = staging.metadata().expect("metadata");
    assert_eq!(metadata.len(), size);
    assert!(metadata.blocks() * 512 < 2 * BLOCK as u64, "{} sectors", metadata.blocks());
    // Memory of a test need not suit a disk that is read past the cache.
    set_direct(&staging, false);
    let mut whole = vec![1; size as usize];
    staging.read_exact_at(&mut whole, 0).expect("read");
    assert!(whole[..BLOCK] == content && whole[BLOCK..].iter().all(|byte| *byte == 0));
    assert_eq!(receiver.prove(Root(*blake3::hash(&whole).as_bytes())).expect("proven").len(), 6);
}

#[test]
fn a_damaged_block_is_not_written() {
    let staging = file(b"");
    let span = block::span(3, 0).expect("a block");
    let refused = building(3).store(&staging, span, chaining_value(3, 0, b"abc"), b"abd");
    assert!(matches!(refused, Err(StagingError::Violation(Violation::Damaged { index: 0 }))));
    assert_eq!(staging.metadata().expect("metadata").len(), 0);
}

#[test]
fn what_is_noted_is_what_lies_there_and_nothing_comes_after_the_seal() {
    let (size, staging) = (2 * BLOCK as u64, file(b""));
    let building = building(size);
    let (one, other) = (vec![1; BLOCK], vec![2; BLOCK]);
    let span = building.expects(1, BLOCK).expect("the second block");
    let mut last = Cv([0; 32]);
    for bytes in [&one, &other, &other] {
        last = chaining_value(size, 1, bytes);
        building.store(&staging, span, last, bytes).expect("stored");
    }
    assert_eq!(building.missing(), [true, false]);
    // A disk that fails may have written a part of it: nothing is known of the place then.
    let unwritable = File::open("/dev/null").expect("opened");
    building.store(&unwritable, span, chaining_value(size, 1, &one), &one).expect_err("not written");
    assert_eq!(building.missing(), [true, true]);
    building.store(&staging, span, last, &other).expect("stored");
    let mut read = Aligned::default();
    read_block(&staging, span, &mut read).expect("read");
    assert!(*read == other);
    let receiver = building.seal().expect("not sealed yet");
    assert_eq!(held(&receiver), [None, Some(last)]);
    assert_eq!(receiver.tally().sent, 3 * BLOCK as u64, "what was there already does not count");
    let late = building.store(&staging, span, chaining_value(size, 1, &one), &one);
    assert!(matches!(late, Err(StagingError::Violation(Violation::Late { index: 1 }))));
    assert!(building.seal().is_err());
}
