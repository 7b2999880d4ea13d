//! The quota holds to the byte, whoever races for it, and the ledger says what the disk holds, whatever
//! was done.

use std::sync::Arc;
use std::time::Duration;

use tests::files::{Holds, content, holds};
use tests::host::{Host, PASSWORD, eventually};
use tests::session::{Session, fault, raw};
use tokio::sync::{Barrier, Semaphore};
use wire::Code;
use wire::block::BLOCK;
use wire::fault::Detail;
use wire::message::{Expect, Lane, Notice, Offer, Op};

const MIB: u64 = 1 << 20;

async fn ada(quota: u64) -> (Host, Session, tests::session::Lane) {
    let host = Host::start().await.expect("a server");
    host.add_user("ada", Some(quota)).await.expect("a user");
    let session = host.login("ada").await.expect("logged in");
    let lane = session.lane().await.expect("a lane");
    (host, session, lane)
}

/// The ledger and a walk of the home agree, and nothing is promised to anybody.
async fn exact(host: &Host, session: &mut Session, after: &str) -> Holds {
    let usage = session.space().await.expect("told");
    let found = holds(&host.home("ada")).expect("walked");
    assert_eq!((usage.used, usage.files, usage.reserved), (found.bytes, found.files, 0), "after {after}");
    found
}

#[tokio::test]
async fn eight_uploads_at_once_never_pass_the_quota() {
    let quota = 10 * MIB + 5;
    let (host, mut session, _) = ada(quota).await;
    // Three of 3 MiB fit, five do not.
    let mut uploads = tokio::task::JoinSet::new();
    for number in 0..8 {
        let mut lane = session.lane().await.expect("a lane");
        uploads.spawn(async move {
            let bytes = content(&number.to_string(), 3 * BLOCK);
            let begun = lane.begin_put(format!("file-{number}"), &bytes, Expect::Absent).await;
            match begun {
                Ok(mut upload) => {
                    lane.send_blocks(&mut upload, u64::MAX).await.expect("sent");
                    lane.seal(&upload).await.expect("said");
                    lane.stored(&upload).await.expect("what was promised is kept");
                    None
                }
                // Refused in answer to the offer: no block has travelled.
                Err(error) => Some(error.downcast::<wire::Fault>().expect("a refusal")),
            }
        });
    }
    let mut refused = Vec::new();
    while let Some(ended) = uploads.join_next().await {
        refused.extend(ended.expect("no panic"));
        let usage = session.space().await.expect("told");
        assert!(usage.used + usage.reserved <= quota, "{usage:?}");
    }
    let stored = 8 - refused.len() as u64;
    assert!((1..=3).contains(&stored), "{stored} were stored");
    for fault in refused {
        assert_eq!(fault.code, Code::Quota);
        let Detail::Shortfall(short) = fault.detail else { panic!("{fault:?} names no shortfall") };
        assert!((1..=3 * MIB).contains(&short), "{short} bytes short");
    }
    assert_eq!(exact(&host, &mut session, "the race").await.files, stored);
    assert!(holds(&host.home("ada")).expect("walked").bytes <= quota);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_sessions_at_once_never_pass_the_quota() {
    const SESSIONS: u64 = 64;
    let host = Host::with(|config| config.limits.per_user = SESSIONS as usize).await.expect("a server");
    let quota = 20 * MIB + 777;
    host.add_user("ada", Some(quota)).await.expect("a user");
    let mut own = host.login("ada").await.expect("logged in");
    let (turns, together) = (Arc::new(Semaphore::new(4)), Arc::new(Barrier::new(SESSIONS as usize - 1)));
    let mut racing = tokio::task::JoinSet::new();
    for number in 1..SESSIONS {
        let (turns, together, address) = (Arc::clone(&turns), Arc::clone(&together), host.address);
        racing.spawn(async move {
            // The server hashes a few passwords at a time, and the suite need not wait in its queue.
            let turn = turns.acquire_owned().await.expect("open");
            let mut session = Session::login(address, "ada", PASSWORD).await.expect("logged in");
            let mut lane = session.lane().await.expect("a lane");
            drop(turn);
            together.wait().await;
            // Large and small, new ones and in each other's place; and what copies, renames and gives back.
            let (large, small) = (content(&number.to_string(), BLOCK + number as usize), content("small", 5000));
            let (mine, all) = (format!("file-{number}"), format!("shared-{}", number % 4));
            let mut codes = vec![
                lane.put(&mine, &large, Expect::Absent).await.map(drop),
                lane.put(format!("small-{number}"), &small, Expect::Absent).await.map(drop),
            ];
            if number % 3 == 0 {
                let copy = Op::Copy { from: raw(&mine), to: raw(format!("{mine}-copy")), replace: false };
                codes.push(session.order(copy).await);
                codes.push(session.order(Op::Remove { path: raw(&mine), recursive: false }).await);
            }
            codes.push(lane.put(&all, &large, Expect::Any).await.map(drop));
            let refused = codes.into_iter().filter_map(Result::err);
            refused.map(|error| error.downcast::<wire::Fault>().expect("a refusal").code).collect::<Vec<_>>()
        });
    }
    let mut refused = Vec::new();
    while let Some(ended) = racing.join_next().await {
        refused.extend(ended.expect("no panic"));
        let usage = own.space().await.expect("told");
        assert!(usage.used + usage.reserved <= quota, "{usage:?}");
    }
    assert!(holds(&host.home("ada")).expect("walked").bytes <= quota);
    assert!(refused.contains(&Code::Quota), "{refused:?}");
    let right = |code: &Code| matches!(code, Code::Quota | Code::NotFound | Code::Superseded);
    assert!(refused.iter().all(right), "{refused:?}");
    exact(&host, &mut own, "the race").await;
}

#[tokio::test]
async fn many_small_files_at_once_never_pass_the_quota() {
    let (host, mut session, mut lane) = ada(10_000).await;
    for transfer in 0..100 {
        let bytes = content(&transfer.to_string(), 333);
        let offer = Offer { size: 333, mtime: tests::session::MTIME, executable: false, eager: true };
        let path = raw(format!("f{transfer}"));
        lane.line.say(&Lane::Put { transfer, path, offer, expect: Expect::Absent }).await.expect("said");
        lane.line.block(transfer, 0, wire::block::chaining_value(333, 0, &bytes), &bytes).await.expect("sent");
        lane.line.say(&Lane::Seal { transfer, root: tests::files::root_of(&bytes) }).await.expect("said");
    }
    let mut stored = 0;
    for _ in 0..100 {
        match lane.line.message::<Lane>().await.expect("an answer") {
            Lane::Stored { .. } => stored += 1,
            Lane::Fault { fault, .. } => assert_eq!(fault.code, Code::Quota),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(stored, 30);
    assert_eq!(exact(&host, &mut session, "many small files").await, Holds { bytes: 9_990, files: 30 });
}

#[tokio::test]
async fn a_refusal_names_the_shortfall_to_the_byte() {
    let (_host, mut session, mut lane) = ada(5 * MIB).await;
    lane.put("there", &content("there", 2 * BLOCK), Expect::Absent).await.expect("stored");
    let refused =
        fault(lane.begin_put("more", &content("more", 3 * BLOCK + 77), Expect::Absent).await).expect("refused");
    assert_eq!((refused.code, refused.detail), (Code::Quota, Detail::Shortfall(77)));
    lane.put("more", &content("more", 3 * BLOCK), Expect::Absent).await.expect("to the last byte");
    let refused = fault(lane.put("one", b"x", Expect::Absent).await).expect("refused");
    assert_eq!((refused.code, refused.detail), (Code::Quota, Detail::Shortfall(1)));
    lane.put("empty", b"", Expect::Absent).await.expect("nothing fits always");
    let usage = session.space().await.expect("told");
    assert_eq!((usage.quota, usage.used, usage.free()), (Some(5 * MIB), 5 * MIB, Some(0)));
}

#[tokio::test]
async fn replacing_costs_only_the_growth() {
    let (host, mut session, mut lane) = ada(5 * MIB).await;
    lane.put("file", &content("1", 4 * BLOCK), Expect::Absent).await.expect("stored");
    lane.put("file", &content("2", 5 * BLOCK), Expect::Any).await.expect("one more block fits");
    exact(&host, &mut session, "growing").await;
    let refused = fault(lane.put("file", &content("3", 5 * BLOCK + 1), Expect::Any).await).expect("refused");
    assert_eq!((refused.code, refused.detail), (Code::Quota, Detail::Shortfall(1)));
    exact(&host, &mut session, "a refusal").await;
    lane.put("file", &content("4", BLOCK / 2), Expect::Any).await.expect("shrinking always fits");
    assert_eq!(exact(&host, &mut session, "shrinking").await.bytes, MIB / 2);
}

#[tokio::test]
async fn the_ledger_is_exact_after_everything() {
    let (host, mut session, mut lane) = ada(20 * MIB).await;
    for (name, len) in [("a", 3 * BLOCK), ("tree/b", 10), ("tree/sub/c", 2 * BLOCK + 1), ("tree/d", 0)] {
        lane.put(name, &content(name, len), Expect::Absent).await.expect("stored");
        exact(&host, &mut session, name).await;
    }
    let (a, tree) = (|| raw("a"), || raw("tree"));
    let rename = |from, to, replace| Op::Rename { from, to, replace };
    let copy = |from, to, replace| Op::Copy { from, to, replace };
    let remove = |path| Op::Remove { path, recursive: true };
    let orders = [
        Op::Create { path: raw("new") },
        Op::Mkdir { path: raw("x/y/z"), parents: true },
        copy(a(), raw("copy"), false),
        copy(raw("tree/b"), raw("copy"), true),
        copy(tree(), raw("tree-2"), false),
        rename(tree(), raw("x/tree"), false),
        rename(raw("tree-2/b"), a(), true),
        rename(raw("new"), raw("newer"), false),
        remove(raw("x/tree/sub")),
        remove(raw("tree-2")),
        remove(raw("copy")),
        remove(raw("newer")),
        remove(raw("x")),
        remove(a()),
    ];
    for order in orders {
        let shown = format!("{order:?}");
        session.order(order).await.expect(&shown);
        exact(&host, &mut session, &shown).await;
    }
    assert_eq!(exact(&host, &mut session, "the end").await, Holds::default());
}

#[tokio::test]
async fn copies_are_refused_when_they_do_not_fit() {
    let (host, mut session, mut lane) = ada(5 * MIB).await;
    for name in ["tree/a", "tree/b", "tree/c"] {
        lane.put(name, &content(name, BLOCK), Expect::Absent).await.expect("stored");
    }
    let refused = session.order(Op::Copy { from: raw("tree"), to: raw("copy"), replace: false }).await;
    let refused = fault(refused).expect("refused");
    assert_eq!((refused.code, refused.detail), (Code::Quota, Detail::Shortfall(MIB)));
    exact(&host, &mut session, "a refused copy").await;
}

#[tokio::test]
async fn an_upload_that_is_gone_holds_no_promise() {
    let (host, mut session, mut lane) = ada(4 * MIB).await;
    let bytes = content("big", 4 * BLOCK);
    let mut upload = lane.begin_put("big", &bytes, Expect::Absent).await.expect("accepted");
    assert_eq!(session.space().await.expect("told").reserved, 4 * MIB);
    lane.send_blocks(&mut upload, 2).await.expect("sent");
    drop(lane);
    eventually("the promise ends", async || session.space().await.expect("told").reserved == 0).await;
    let mut lane = session.lane().await.expect("a lane");
    lane.put("other", &content("other", 4 * BLOCK), Expect::Absent).await.expect("there is room again");
    exact(&host, &mut session, "the other").await;
}

#[tokio::test]
async fn a_change_of_quota_is_in_force_and_told_at_once() {
    let (host, mut session, mut lane) = ada(MIB).await;
    fault(lane.put("file", &content("file", 2 * BLOCK), Expect::Absent).await).expect("refused");
    host.set_quota("ada", Some(3 * MIB)).await.expect("changed");
    eventually("the new quota is in force", async || session.space().await.expect("told").quota == Some(3 * MIB)).await;
    lane.put("file", &content("file", 2 * BLOCK), Expect::Absent).await.expect("it fits now");
    eventually("news of the space came", async || {
        session.ping().await.expect("alive");
        let told = |notice: &Notice| matches!(notice, Notice::Usage(usage) if usage.used == 2 * MIB);
        session.notices.iter().any(told)
    })
    .await;
    assert!(session.notices.iter().any(|notice| *notice == Notice::Changed(raw(""))), "{:?}", session.notices);
}

#[tokio::test]
async fn accounts_do_not_share_their_space() {
    let (host, _, mut lane) = ada(MIB).await;
    host.add_user("bob", Some(2 * MIB)).await.expect("a user");
    let mut bob = host.login("bob").await.expect("logged in");
    let mut bobs = bob.lane().await.expect("a lane");
    lane.put("file", &content("ada", BLOCK), Expect::Absent).await.expect("stored");
    bobs.put("file", &content("bob", 2 * BLOCK), Expect::Absent).await.expect("stored");
    let usage = bob.space().await.expect("told");
    assert_eq!((usage.quota, usage.used), (Some(2 * MIB), 2 * MIB));
    assert!(tokio::time::timeout(Duration::from_secs(60), bob.ping()).await.is_ok());
}
