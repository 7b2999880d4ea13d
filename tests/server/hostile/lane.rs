//! What harm can be tried on a lane: messages that make no sense, lies about content and sizes, floods.

use tests::files::content;
use tests::session::{Lane, fault, raw};
use wire::block::{BLOCK, chaining_value};
use wire::frame::MAX_CONTROL;
use wire::message::{Expect, HELD_PAGE, Lane as Said};
use wire::{Code, Cv, Root};

use super::{Siege, offer, put, refusal, works};

#[tokio::test]
async fn what_makes_no_sense_on_a_lane_is_refused_or_passed_over() {
    let mut siege = Siege::open().await;
    let eve = siege.eve().await;
    eve.lane().await.expect("a lane").put("big", &content("big", 3 * BLOCK), Expect::Any).await.expect("stored");
    let mut lane = eve.lane().await.expect("a lane");
    let zero = Root([0; 32]);
    // What is said, and the code of the refusal; none: it is passed over.
    let table: Vec<(&str, Vec<Said>, Option<Code>)> = vec![
        ("a seal of nothing", vec![Said::Seal { transfer: 5, root: zero }], None),
        ("an end of nothing", vec![Said::Abandon { transfer: 5, keep: false }], None),
        ("stored, says a client", vec![Said::Stored { transfer: 5, root: zero }], None),
        (
            "held pages of nothing",
            vec![Said::Held { transfer: 5, first: 9, cvs: vec![None; HELD_PAGE], last: false }],
            None,
        ),
        ("a kept block of nothing", vec![Said::Kept { transfer: 5, index: u64::MAX, cv: Cv([0; 32]) }], None),
        ("assistance to nothing", vec![Said::Assist { transfer: 5 }], Some(Code::NotFound)),
        ("a block of nothing", vec![Said::Fetch { transfer: 5, index: 0 }], Some(Code::NotFound)),
        ("an upload to nowhere", vec![put(20, "../x", 1 << 30, false)], Some(Code::BadPath)),
        ("an upload to the home", vec![put(21, "/", 1 << 30, false)], Some(Code::IsDirectory)),
        (
            "a download of a directory",
            vec![Said::Get { transfer: 22, path: raw(""), eager: true }],
            Some(Code::IsDirectory),
        ),
        ("a number twice", vec![put(23, "a", 1 << 30, false), put(23, "b", 1 << 30, false)], Some(Code::Protocol)),
        (
            "a seal without blocks",
            vec![put(24, "c", 5 << 20, false), Said::Seal { transfer: 24, root: zero }],
            Some(Code::Protocol),
        ),
        (
            "a small one without its bytes",
            vec![put(25, "d", 5, true), Said::Seal { transfer: 25, root: zero }],
            Some(Code::Damaged),
        ),
        ("more bytes than can be counted", vec![put(26, "e", u64::MAX, false)], Some(Code::Quota)),
        (
            "held pages with a gap",
            vec![
                Said::Get { transfer: 27, path: raw("big"), eager: false },
                Said::Held { transfer: 27, first: 7, cvs: vec![None], last: true },
            ],
            Some(Code::Protocol),
        ),
    ];
    for (what, messages, code) in table {
        for message in &messages {
            lane.line.say(message).await.expect(what);
        }
        if let Some(code) = code {
            assert_eq!(refusal(&mut lane).await.1.code, code, "{what}");
        }
        lane.line.say(&Said::Abandon { transfer: 23, keep: false }).await.expect(what);
        works(&mut lane, what).await;
    }
    // Only a server offers; and a page is never longer than it may be.
    let too_long = Said::Held { transfer: 5, first: 0, cvs: vec![None; MAX_CONTROL - 64], last: true };
    for said in [Said::Offer { transfer: 1, offer: offer(1, true) }, too_long] {
        let mut lane = eve.lane().await.expect("a lane");
        let _ = lane.line.say(&said).await;
        lane.ended().await.expect("the lane ends");
    }
    siege.is_calm("nonsense").await;
    drop((eve, lane));
    siege.ends_clean("nonsense").await;
}

#[tokio::test]
async fn lies_about_content_are_found_out() {
    let siege = Siege::open().await;
    let mut eve = siege.eve().await;
    let mut lane = eve.lane().await.expect("a lane");
    let (size, block) = (2 * BLOCK as u64, content("block", BLOCK));
    let right = chaining_value(size, 0, &block);
    // Value, place and length of a block, and what is said of it.
    let table = [
        ("a wrong value", right.0.map(|byte| !byte), 0, BLOCK, Code::Damaged),
        ("the value of another place", right.0, 1, BLOCK, Code::Damaged),
        ("a place beyond the end", right.0, 2, BLOCK, Code::Protocol),
        ("a place beyond all ends", right.0, u64::MAX, BLOCK, Code::Protocol),
        ("a short block", right.0, 0, BLOCK - 1, Code::Protocol),
    ];
    for (number, (what, cv, index, len, code)) in (100..).zip(table) {
        lane.line.say(&put(number, "lie", size, false)).await.expect(what);
        lane.line.block(number, index, Cv(cv), &block[..len]).await.expect(what);
        let seal = Said::Seal { transfer: number, root: Root([1; 32]) };
        // Looked at when the next message comes.
        lane.line.say(&seal).await.expect(what);
        let (transfer, fault) = refusal(&mut lane).await;
        assert_eq!((transfer, fault.code), (number, code), "{what}: {fault}");
        works(&mut lane, what).await;
    }
    // Right blocks, and a root that is not theirs; staged and small.
    for (number, size, blocks) in [(200, size, 2), (201, 5, 1)] {
        lane.line.say(&put(number, "lie", size, size == 5)).await.expect("said");
        for index in 0..blocks {
            let payload = if size == 5 { &block[..5] } else { &block };
            lane.line.block(number, index, chaining_value(size, index, payload), payload).await.expect("said");
        }
        lane.line.say(&Said::Seal { transfer: number, root: Root([1; 32]) }).await.expect("said");
        assert_eq!(refusal(&mut lane).await.1.code, Code::Damaged);
    }
    assert_eq!(fault(eve.stat("lie").await).expect("refused").code, Code::NotFound);
    assert_eq!(eve.read("works", u64::MAX, u32::MAX).await.expect("read").1, b"");
    drop((eve, lane));
    siege.ends_clean("lies about content").await;
}

#[tokio::test]
async fn one_block_at_the_end_of_all_bytes_takes_no_memory() {
    let siege = Siege::open().await;
    let eve = siege.eve().await;
    let before = siege.daemon.peak().expect("weighed");
    let mut lanes = Vec::new();
    // The last block that ext4 has room for, one that others have room for, and the last one of all.
    for (number, size) in [(1, (16 << 40) - (BLOCK as u64)), (2, 1 << 50), (3, i64::MAX as u64)] {
        let mut lane = eve.lane().await.expect("a lane");
        let (index, last) = ((size - 1) / BLOCK as u64, content("last", 1 << 12));
        let len = (size - index * BLOCK as u64).min(BLOCK as u64) as usize;
        let last: Vec<u8> = last.into_iter().cycle().take(len).collect();
        lane.line.say(&put(number, &format!("far-{number}"), size, false)).await.expect("said");
        lane.line.block(number, index, chaining_value(size, index, &last), &last).await.expect("said");
        // The disk has taken it, or not, when another one is there.
        lane.line.block(number, 0, Cv([0; 32]), &content("x", BLOCK)).await.expect("said");
        lane.line.say(&Said::Seal { transfer: number, root: Root([0; 32]) }).await.expect("said");
        let refused = refusal(&mut lane).await.1;
        assert!(matches!(refused.code, Code::Damaged | Code::Io | Code::Quota | Code::NoSpace), "{refused:?}");
        lane.line.say(&put(number + 10, &format!("far-{number}"), 1 << 30, false)).await.expect("said");
        assert!(matches!(lane.said(number + 10).await, Ok(Said::Held { .. })));
        lane.line.say(&Said::Abandon { transfer: number + 10, keep: false }).await.expect("said");
        works(&mut lane, "a far block").await;
        lanes.push(lane);
    }
    let grown = siege.daemon.peak().expect("weighed").saturating_sub(before);
    assert!(grown < 64 << 20, "blocks far out took {} MiB", grown >> 20);
    drop((eve, lanes));
    siege.ends_clean("far blocks").await;
}

#[tokio::test]
async fn blocks_after_a_refusal_are_passed_over_and_a_flood_ends_the_lane() {
    let mut siege = Siege::open().await;
    siege.daemon.run(&["--set-quota", "eve", "--quota", "1GiB"], "").expect("set");
    let eve = siege.eve().await;
    let mut lane = eve.lane().await.expect("a lane");
    lane.line.say(&put(1, "too-large", 2 << 30, false)).await.expect("said");
    let said = async |lane: &mut Lane, blocks| {
        for index in 0..blocks {
            lane.line.block(1, index, Cv([0; 32]), b"x").await?;
        }
        anyhow::Ok(())
    };
    said(&mut lane, 1000).await.expect("what was on its way");
    assert_eq!(refusal(&mut lane).await.1.code, Code::Quota);
    works(&mut lane, "a refusal").await;
    let _ = said(&mut lane, 2000).await;
    lane.ended().await.expect("the lane ends");
    siege.is_calm("a flood").await;
    drop((eve, lane));
    siege.ends_clean("a flood").await;
}

#[tokio::test]
async fn uploads_that_wait_for_each_other_are_taken_over() {
    let siege = Siege::open().await;
    let eve = siege.eve().await;
    let (mut one, mut other) = (eve.lane().await.expect("a lane"), eve.lane().await.expect("a lane"));
    // Each lane holds what the other wants, and one of them also what it wants itself.
    for (lane, transfer, path) in [(&mut one, 1, "p"), (&mut other, 2, "q")] {
        lane.line.say(&put(transfer, path, 2 << 20, false)).await.expect("said");
        assert!(matches!(lane.said(transfer).await, Ok(Said::Held { .. })));
    }
    one.line.say(&put(3, "q", 2 << 20, false)).await.expect("said");
    other.line.say(&put(4, "p", 2 << 20, false)).await.expect("said");
    for (lane, transfer) in [(&mut one, 1), (&mut other, 2)] {
        let (of, fault) = refusal(lane).await;
        assert_eq!((of, fault.code), (transfer, Code::Superseded));
    }
    one.line.say(&put(5, "q", 2 << 20, false)).await.expect("said");
    let (of, fault) = refusal(&mut one).await;
    assert_eq!((of, fault.code), (3, Code::Superseded));
    for lane in [&mut one, &mut other] {
        lane.line.say(&Said::Abandon { transfer: 5, keep: false }).await.expect("said");
        lane.line.say(&Said::Abandon { transfer: 4, keep: false }).await.expect("said");
    }
    drop((eve, one, other));
    siege.ends_clean("uploads that waited for each other").await;
}

#[tokio::test]
async fn many_large_uploads_at_once_leave_files_to_others() {
    let mut siege = Siege::open().await;
    let eve = siege.eve().await;
    let mut lanes = Vec::new();
    for number in 0..3 {
        lanes.push(eve.lane().await.expect("a lane"));
        for upload in 0..300 {
            let put = put(upload, &format!("{number}-{upload}"), 2 << 20, false);
            lanes[number].line.say(&put).await.expect("said");
        }
    }
    for lane in &mut lanes {
        assert_eq!(refusal(lane).await.1.code, Code::Busy);
    }
    let taken = siege.daemon.descriptors().expect("counted") - siege.descriptors;
    assert!(taken < 3 * 40, "{taken} files are open for three lanes");
    // Even where few may be open, others find some.
    siege.daemon.limit_descriptors(siege.descriptors as u64 + 150).expect("limited");
    siege.is_calm("many large uploads").await;
    siege.daemon.limit_descriptors(4096).expect("lifted");
    drop((eve, lanes));
    siege.ends_clean("many large uploads").await;
}
