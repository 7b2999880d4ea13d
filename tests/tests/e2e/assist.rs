//! One transfer on several lanes, by hand: what an assisting lane may do, what it may not, and that
//! whatever becomes of it spoils nothing.

use std::fs;

use tests::files::{content, root, root_of};
use tests::host::{Host, PASSWORD, eventually};
use tests::line::{Heard, frame_head};
use tests::session::{Lane, MTIME, Session, fault, raw};
use wire::block::{BLOCK, chaining_value};
use wire::message::{Expect, Lane as Said, Offer};
use wire::{Code, Cv};

const BLOCKS: usize = 8;
const SIZE: usize = BLOCKS * BLOCK + 11;

async fn ada() -> (Host, Session, Lane, Lane) {
    let host = Host::start().await.expect("a server");
    host.add_user("ada", None).await.expect("a user");
    let session = host.login("ada").await.expect("logged in");
    let (own, other) = (session.lane().await.expect("a lane"), session.lane().await.expect("another"));
    (host, session, own, other)
}

/// What the server says of a transfer, which must be no.
async fn refused(lane: &mut Lane, transfer: u64) -> Code {
    fault(lane.said(transfer).await).expect("a fault").code
}

#[tokio::test]
async fn blocks_of_one_upload_come_on_two_lanes_in_any_order() {
    let (host, mut session, mut own, mut other) = ada().await;
    let bytes = content("file", SIZE);
    let mut upload = own.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    for index in [8, 7, 5] {
        other.bring(&upload, index).await.expect("kept");
    }
    own.send_blocks(&mut upload, 5).await.expect("sent");
    upload.leave_out();
    own.send_blocks(&mut upload, 1).await.expect("sent");
    upload.leave_out();
    upload.leave_out();
    own.seal(&upload).await.expect("said");
    own.stored(&upload).await.expect("stored");
    assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&bytes));
    let usage = session.space().await.expect("told");
    assert_eq!((usage.used, usage.files, usage.reserved), (SIZE as u64, 1, 0));
    // Its record is right, too: a download is proven by it.
    assert!(other.get("file", b"").await.expect("got").content == bytes);
}

#[tokio::test]
async fn a_number_means_nothing_beyond_its_session() {
    let (host, session, mut own, _other) = ada().await;
    host.add_user("eve", None).await.expect("a user");
    let bytes = content("file", SIZE);
    own.put("there", &bytes, Expect::Absent).await.expect("stored");
    let mut upload = own.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    let mut down = session.lane().await.expect("a lane");
    let download = down.number();
    down.line.say(&Said::Get { transfer: download, path: raw("there"), eager: false }).await.expect("asked");
    assert!(matches!(down.said(download).await, Ok(Said::Offer { .. })));
    let again = Session::login(host.address, "ada", PASSWORD).await.expect("logged in");
    for stranger in [again, host.login("eve").await.expect("logged in")] {
        let mut lane = stranger.lane().await.expect("a lane");
        assert_eq!(fault(lane.bring(&upload, 3).await).expect("a fault").code, Code::NotFound);
        let fetched = lane.fetch(download, SIZE as u64, 3).await;
        assert_eq!(fault(fetched).expect("a fault").code, Code::NotFound);
        // And its lane goes on.
        lane.put("mine", b"mine", Expect::Any).await.expect("stored");
    }
    let mut lane = session.lane().await.expect("a lane");
    for nobodys in [0, u64::MAX, download] {
        lane.line.say(&Said::Assist { transfer: nobodys }).await.expect("said");
        assert_eq!(refused(&mut lane, nobodys).await, Code::NotFound);
    }
    for nobodys in [0, u64::MAX, upload.transfer] {
        let fetched = lane.fetch(nobodys, SIZE as u64, 0).await;
        assert_eq!(fault(fetched).expect("a fault").code, Code::NotFound);
    }
    let left = own.send_blocks(&mut upload, u64::MAX).await.expect("sent");
    assert_eq!(left, BLOCKS as u64 + 1, "nobody else has written anything");
    own.seal(&upload).await.expect("said");
    own.stored(&upload).await.expect("stored");
}

#[tokio::test]
async fn what_is_wrong_on_an_assisting_lane_ends_the_assistance_and_nothing_else() {
    let (host, _session, mut own, mut other) = ada().await;
    let bytes = content("file", SIZE);
    let mut upload = own.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    let transfer = upload.transfer;
    other.bring(&upload, 8).await.expect("kept");
    let block = &bytes[7 * BLOCK..8 * BLOCK];
    let cv = chaining_value(SIZE as u64, 7, block);
    let mut damaged = block.to_vec();
    damaged[12_345] ^= 1;
    let table: [(u64, Cv, &[u8], Code); 4] = [
        (7, cv, &damaged, Code::Damaged),
        (6, cv, block, Code::Damaged),
        (9, cv, block, Code::Protocol),
        (7, cv, &block[1..], Code::Protocol),
    ];
    for (index, cv, payload, code) in table {
        other.line.say(&Said::Assist { transfer }).await.expect("said");
        other.line.block(transfer, index, cv, payload).await.expect("sent");
        assert_eq!(refused(&mut other, transfer).await, code, "block {index}");
        // What follows it is dropped without a word.
        other.line.block(transfer, index, cv, payload).await.expect("sent");
    }
    other.bring(&upload, 6).await.expect("it may assist again");
    own.send_blocks(&mut upload, 6).await.expect("sent");
    upload.leave_out();
    own.send_blocks(&mut upload, 1).await.expect("sent");
    upload.leave_out();
    own.seal(&upload).await.expect("said");
    own.stored(&upload).await.expect("stored");
    assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&bytes));
}

#[tokio::test]
async fn an_upload_that_is_over_takes_no_block_of_any_lane() {
    let (host, session, mut own, mut other) = ada().await;
    let bytes = content("file", SIZE);
    let block = |index: usize| {
        let bytes = &bytes[index * BLOCK..(index + 1) * BLOCK];
        (chaining_value(SIZE as u64, index as u64, bytes), bytes)
    };
    // Given up, and kept.
    let mut upload = own.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    other.bring(&upload, 7).await.expect("kept");
    own.send_blocks(&mut upload, 1).await.expect("sent");
    own.line.say(&Said::Abandon { transfer: upload.transfer, keep: true }).await.expect("said");
    // On the same lane, so that it is over by then.
    let again = own.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    let held: Vec<usize> = (0..again.held.len()).filter(|at| again.held[*at].is_some()).collect();
    assert_eq!(held, [0, 7], "what another lane brought over is held like the rest");
    let (cv, payload) = block(6);
    other.line.block(upload.transfer, 6, cv, payload).await.expect("sent");
    assert_eq!(refused(&mut other, upload.transfer).await, Code::NotFound);
    // Its lane was lost.
    other.bring(&again, 5).await.expect("kept");
    let transfer = again.transfer;
    drop(own);
    eventually("it is noticed", async || {
        other.line.say(&Said::Assist { transfer }).await.expect("said");
        let (cv, payload) = block(5);
        other.line.block(transfer, 5, cv, payload).await.expect("sent");
        !matches!(other.said(transfer).await, Ok(Said::Kept { .. }))
    })
    .await;
    let mut last = session.lane().await.expect("a lane");
    let tally = last.put("file", &bytes, Expect::Absent).await.expect("stored");
    assert_eq!(tally.held, 3 * BLOCK as u64, "blocks 0, 5 and 7");
    assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&bytes));
}

#[tokio::test]
async fn a_block_after_the_seal_changes_nothing() {
    let (host, _session, mut own, mut other) = ada().await;
    let (bytes, wrong) = (content("file", SIZE), content("wrong", BLOCK));
    let cv = chaining_value(SIZE as u64, 3, &wrong);
    for round in 0..5 {
        let mut upload = own.begin_put("file", &bytes, Expect::Any).await.expect("accepted");
        let transfer = upload.transfer;
        other.line.say(&Said::Assist { transfer }).await.expect("said");
        own.send_blocks(&mut upload, u64::MAX).await.expect("sent");
        // A block of its own, proven by its value, and not what was sealed.
        own.seal(&upload).await.expect("said");
        let (stored, _) = tokio::join!(own.stored(&upload), other.line.block(transfer, 3, cv, &wrong));
        let kept = matches!(other.said(transfer).await, Ok(Said::Kept { .. }));
        // It may have come in time and stayed: then the whole is not what was promised, and is refused.
        assert!(stored.is_ok() || kept, "round {round}: {stored:?}");
        other.line.say(&Said::Assist { transfer }).await.expect("said");
        assert_eq!(refused(&mut other, transfer).await, Code::NotFound);
        if stored.is_ok() {
            assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&bytes));
        }
    }
}

#[tokio::test]
async fn a_newer_upload_takes_over_whatever_other_lanes_are_writing() {
    let (host, session, mut own, mut other) = ada().await;
    let bytes = content("file", SIZE);
    let upload = own.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    other.bring(&upload, 8).await.expect("kept");
    other.bring(&upload, 7).await.expect("kept");
    // In the middle of a block when the other upload comes.
    let (transfer, index, cv) = (upload.transfer, 6_u64, chaining_value(SIZE as u64, 6, &bytes[6 * BLOCK..7 * BLOCK]));
    let head = [&transfer.to_le_bytes(), &index.to_le_bytes(), cv.0.as_slice()].concat();
    let frame = [frame_head(2, (head.len() + BLOCK) as u32), head, bytes[6 * BLOCK..7 * BLOCK].to_vec()].concat();
    let (first, rest) = frame.split_at(frame.len() / 2);
    other.line.raw(first).await.expect("sent");
    let mut newer = session.lane().await.expect("a lane");
    let tally = newer.put("file", &bytes, Expect::Absent).await.expect("stored");
    assert_eq!(tally.held, BLOCK as u64 + 11);
    assert_eq!(refused(&mut own, transfer).await, Code::Superseded);
    other.line.raw(rest).await.expect("sent");
    assert_eq!(refused(&mut other, transfer).await, Code::NotFound);
    other.put("next", b"next", Expect::Absent).await.expect("its lane goes on");
    assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&bytes));
}

#[tokio::test]
async fn blocks_of_one_download_come_on_two_lanes() {
    let (host, _session, mut own, mut other) = ada().await;
    let (size, bytes) = (64 * BLOCK, content("file", 64 * BLOCK));
    // Without a record first, then with the one of the first download.
    fs::write(host.home("ada").join("file"), &bytes).expect("written");
    for known in [false, true] {
        let transfer = own.number();
        own.line.say(&Said::Get { transfer, path: raw("file"), eager: false }).await.expect("asked");
        assert!(matches!(own.said(transfer).await, Ok(Said::Offer { .. })));
        let mut kept = Vec::new();
        for index in [63, 62, 61] {
            let (cv, payload) = other.fetch(transfer, size as u64, index).await.expect("sent");
            let start = index as usize * BLOCK;
            assert!(payload == bytes[start..start + BLOCK], "block {index}");
            kept.push(Said::Kept { transfer, index, cv });
        }
        // A value that the file does not have there counts for nothing.
        kept.push(Said::Kept { transfer, index: 60, cv: Cv([7; 32]) });
        own.line.say(&Said::Held { transfer, first: 0, cvs: Vec::new(), last: true }).await.expect("said");
        for message in &kept {
            own.line.say(message).await.expect("said");
        }
        let mut came = Vec::new();
        let root = loop {
            match own.line.hear::<Said>().await.expect("heard").expect("goes on") {
                Heard::Block { index, .. } => came.push(index),
                Heard::Message(Said::Seal { root, .. }) => break root,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(root, root_of(&bytes), "known: {known}");
        assert_eq!(came, (0..61).collect::<Vec<u64>>(), "what was kept does not travel again");
        // It is over: nothing is served of it any more.
        own.get("file", &bytes).await.expect("got");
        let late = other.fetch(transfer, size as u64, 0).await;
        assert_eq!(fault(late).expect("a fault").code, Code::NotFound);
    }
}

#[tokio::test]
async fn a_block_of_another_version_is_not_served() {
    let (host, _session, mut own, mut other) = ada().await;
    let bytes = content("file", SIZE);
    own.put("file", &bytes, Expect::Absent).await.expect("stored");
    let transfer = own.number();
    own.line.say(&Said::Get { transfer, path: raw("file"), eager: false }).await.expect("asked");
    assert!(matches!(own.said(transfer).await, Ok(Said::Offer { .. })));
    other.fetch(transfer, SIZE as u64, 8).await.expect("sent");
    let beyond = other.fetch(transfer, SIZE as u64, 9).await;
    assert_eq!(fault(beyond).expect("a fault").code, Code::Protocol);
    // Another file takes the name: the one that was offered is still open, and is what is served.
    fs::rename(host.home("ada").join("file"), host.home("ada").join("aside")).expect("renamed");
    fs::write(host.home("ada").join("file"), content("new", SIZE)).expect("written");
    let (_, payload) = other.fetch(transfer, SIZE as u64, 7).await.expect("sent");
    assert!(payload == bytes[7 * BLOCK..8 * BLOCK]);
    // In place, as an operator's editor might.
    fs::write(host.home("ada").join("aside"), content("changed", SIZE)).expect("written");
    let changed = other.fetch(transfer, SIZE as u64, 7).await;
    assert_eq!(fault(changed).expect("a fault").code, Code::Changed);
    own.line.say(&Said::Held { transfer, first: 0, cvs: Vec::new(), last: true }).await.expect("said");
    let end = loop {
        match own.line.hear::<Said>().await.expect("heard").expect("goes on") {
            Heard::Block { .. } => {}
            Heard::Message(message) => break message,
        }
    };
    assert!(matches!(&end, Said::Fault { fault, .. } if fault.code == Code::Changed), "{end:?}");
}

#[tokio::test]
async fn a_polite_end_waits_for_an_upload_on_two_lanes() {
    let (mut host, _session, mut own, mut other) = ada().await;
    let bytes = content("file", SIZE);
    let mut upload = own.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    other.bring(&upload, 8).await.expect("kept");
    let offer = Offer { size: 1, mtime: MTIME, executable: false, eager: true };
    let finishing = async {
        eventually("nothing new is begun", async || {
            let transfer = other.number();
            other.line.say(&Said::Put { transfer, path: raw("new"), offer, expect: Expect::Any }).await.expect("said");
            other.line.block(transfer, 0, chaining_value(1, 0, b"x"), b"x").await.expect("sent");
            other.line.say(&Said::Seal { transfer, root: root_of(b"x") }).await.expect("said");
            other.said(transfer).await.is_err()
        })
        .await;
        other.bring(&upload, 7).await.expect("what was begun is finished");
        own.send_blocks(&mut upload, 7).await.expect("sent");
        upload.leave_out();
        upload.leave_out();
        own.seal(&upload).await.expect("said");
        own.stored(&upload).await.expect("stored");
    };
    let home = host.home("ada");
    let (stopped, ()) = tokio::join!(host.stop(), finishing);
    stopped.expect("stopped");
    assert_eq!(root(&home.join("file")).expect("there"), root_of(&bytes));
}
