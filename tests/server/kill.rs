//! The real server program, killed without a warning in the middle of work, ended politely, and put
//! under weight. What it acknowledged is there, what it counts is so, and what had arrived is not sent
//! again. `crash` kills it in the middle of everything.

#![cfg(test)]

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use tests::daemon::Daemon;
use tests::files::{content, holds, root, root_of};
use tests::host::{PASSWORD, eventually};
use tests::line::{Line, frame_head};
use tests::proxy::{Proxy, Way};
use tests::session::{Lane, MTIME, Session, fault, greeted, raw};
use tokio::task::JoinSet;
use wire::Code;
use wire::block::{BLOCK, chaining_value};
use wire::message::{Expect, Lane as Said, Offer, Op};

/// Large enough to be killed in the middle of, and the size that was promised to survive it.
const LARGE: usize = 512 << 20;

fn daemon() -> Daemon {
    let daemon = Daemon::start(Path::new(env!("CARGO_BIN_EXE_server"))).expect("started");
    daemon.add_user("ada", "none").expect("a user");
    daemon
}

async fn logged_in(daemon: &Daemon) -> (Session, Lane) {
    let session = daemon.login("ada").await.expect("logged in");
    let lane = session.lane().await.expect("a lane");
    (session, lane)
}

/// The ledger says what the disk holds, and nothing is promised.
async fn exact(daemon: &Daemon, session: &mut Session) {
    let usage = session.space().await.expect("told");
    let (home, trash) = (holds(&daemon.home("ada")).expect("walked"), holds(&daemon.trash("ada")).expect("walked"));
    assert_eq!(
        (usage.used, usage.files, usage.reserved),
        (home.bytes + trash.bytes, home.files + trash.files, 0),
        "{}",
        daemon.log().expect("read")
    );
}

#[tokio::test]
async fn a_large_upload_survives_a_killed_server() {
    let mut daemon = daemon();
    let bytes = content("large", LARGE);
    let (session, mut lane) = logged_in(&daemon).await;
    let mut upload = lane.begin_put("large", &bytes, Expect::Absent).await.expect("accepted");
    lane.send_blocks(&mut upload, LARGE.div_ceil(BLOCK) as u64 / 2).await.expect("sent");
    daemon.kill().expect("killed");
    drop((session, lane));
    daemon.restart().expect("restarted");
    assert!(!daemon.home("ada").join("large").exists(), "half a file shows");

    let (mut session, mut lane) = logged_in(&daemon).await;
    exact(&daemon, &mut session).await;
    let tally = lane.put("large", &bytes, Expect::Absent).await.expect("stored");
    assert_eq!(tally.sent + tally.held, LARGE as u64);
    assert!(tally.held >= LARGE as u64 * 2 / 5, "only {} bytes were held", tally.held);
    assert_eq!(root(&daemon.home("ada").join("large")).expect("there"), root_of(&bytes));
    exact(&daemon, &mut session).await;
}

#[tokio::test]
async fn a_large_download_survives_a_killed_server() {
    let mut daemon = daemon();
    tests::files::write(&daemon.home("ada").join("large"), "large", LARGE as u64).expect("written");
    let proxy = Proxy::start(daemon.address).await.expect("started");
    let session = Session::login(proxy.address, "ada", PASSWORD).await.expect("logged in");
    let mut lane = session.lane().await.expect("a lane");
    let mut arrived = Vec::new();
    let killed = async {
        eventually("in the middle", async || proxy.passed(Way::Down) > LARGE as u64 / 8).await;
        daemon.kill().expect("killed");
    };
    let (ended, ()) = tokio::join!(lane.get_into("large", &mut arrived), killed);
    ended.expect_err("it was cut off in the middle");
    drop((session, lane));
    daemon.restart().expect("restarted");
    let (_session, mut lane) = logged_in(&daemon).await;
    let before = arrived.chunks(BLOCK).filter(|block| block.iter().any(|byte| *byte != 0)).count() * BLOCK;
    let (_, tally) = lane.get_into("large", &mut arrived).await.expect("got");
    assert_eq!((tally.held, tally.sent + tally.held), (before as u64, LARGE as u64));
    assert_eq!(root_of(&arrived), root(&daemon.home("ada").join("large")).expect("there"));
}

#[tokio::test]
async fn a_kill_leaves_a_thing_in_the_home_or_in_the_trash_and_whole() {
    const FILES: u64 = 40;
    let mut daemon = daemon();
    let (session, mut lane) = logged_in(&daemon).await;
    let bytes = content("file", 1000);
    for number in 0..FILES {
        lane.put(format!("thing/{}/{number}", number % 3), &bytes, Expect::Absent).await.expect("stored");
    }
    drop((session, lane));
    let whole = tests::files::Holds { bytes: FILES * 1000, files: FILES };
    let mut id = None;
    for round in 0..16_u64 {
        let (mut session, _lane) = logged_in(&daemon).await;
        // To and fro without end; the kill comes wherever this has got to by then.
        let work = async {
            loop {
                match id {
                    None => id = Some(session.trash("thing").await?),
                    Some(there) => {
                        session.restore(there).await?;
                        id = None;
                    }
                }
            }
            #[expect(unreachable_code, reason = "it tells the type")]
            anyhow::Ok(())
        };
        let _ = tokio::time::timeout(Duration::from_millis(20 + 17 * round), work).await;
        daemon.kill().expect("killed");
        daemon.restart().expect("restarted");
        let (mut session, _lane) = logged_in(&daemon).await;
        let (_, items, bytes) = session.trash_state().await.expect("told");
        let at_home = daemon.home("ada").join("thing").exists();
        assert_eq!((items, bytes), if at_home { (0, 0) } else { (1, whole.bytes) }, "round {round}");
        let place = if at_home { daemon.home("ada") } else { daemon.trash("ada") };
        assert_eq!(holds(&place).expect("walked"), whole, "round {round}");
        exact(&daemon, &mut session).await;
        if at_home {
            id = None;
        } else {
            // Its number may not have been told; nothing else is there.
            let name = daemon.trash("ada").read_dir().expect("read").next().expect("one").expect("read").file_name();
            id = name.to_str().and_then(|name| name.parse().ok());
        }
    }
}

#[tokio::test]
async fn a_deletion_that_was_killed_is_brought_to_its_end() {
    let mut daemon = daemon();
    for round in 0..4_u64 {
        let (mut session, mut lane) = logged_in(&daemon).await;
        for number in 0..300 {
            lane.put(format!("thing/{}/{number}", number % 30), b"bytes", Expect::Absent).await.expect("stored");
        }
        let id = session.trash("thing").await.expect("moved");
        let emptied = session.order(Op::EmptyTrash);
        let done = tokio::time::timeout(Duration::from_millis(3 * round), emptied).await.is_ok();
        daemon.kill().expect("killed");
        daemon.restart().expect("restarted");
        let (mut session, _lane) = logged_in(&daemon).await;
        exact(&daemon, &mut session).await;
        // All of it or nothing: what is half gone does not come back.
        match session.restore(id).await {
            Ok(_) => {
                assert!(!done);
                assert_eq!(holds(&daemon.home("ada")).expect("walked").files, 300);
                session.order(Op::Remove { path: raw("thing"), recursive: true }).await.expect("removed");
            }
            Err(error) => {
                assert_eq!(fault::<()>(Err(error)).expect("a fault").code, Code::NotFound);
                assert_eq!(holds(&daemon.trash("ada")).expect("walked").files, 0);
            }
        }
        exact(&daemon, &mut session).await;
    }
}

#[tokio::test]
async fn a_polite_end_lets_a_running_upload_finish() {
    let daemon = daemon();
    let bytes = content("file", 4 * BLOCK);
    let (mut session, mut lane) = logged_in(&daemon).await;
    let mut upload = lane.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    lane.send_blocks(&mut upload, 3).await.expect("sent");
    let finishing = async {
        // Told on the control connection that it goes down, and that new uploads must wait.
        eventually("the end is announced", async || {
            let _ = session.ping().await;
            session.notices.contains(&wire::message::Notice::Draining)
        })
        .await;
        lane.send_blocks(&mut upload, 1).await.expect("sent");
        lane.seal(&upload).await.expect("said");
        lane.stored(&upload).await.expect("what was begun is finished");
    };
    let ((daemon, status), ()) = tokio::join!(terminated(daemon), finishing);
    assert!(status.success(), "{status}");
    assert_eq!(root(&daemon.home("ada").join("file")).expect("there"), root_of(&bytes));
}

/// On a thread of its own, so that clients go on meanwhile.
async fn terminated(mut daemon: Daemon) -> (Daemon, std::process::ExitStatus) {
    let ended = tokio::task::spawn_blocking(move || daemon.terminate().map(|status| (daemon, status)));
    ended.await.expect("no panic").expect("ended")
}

#[tokio::test]
async fn an_upload_that_stands_still_does_not_hold_up_the_end() {
    let daemon = daemon();
    let bytes = content("file", 4 * BLOCK);
    let (_session, mut lane) = logged_in(&daemon).await;
    let mut upload = lane.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    lane.send_blocks(&mut upload, 3).await.expect("sent");
    let (mut daemon, status) = terminated(daemon).await;
    assert!(status.success(), "{status}");
    daemon.restart().expect("restarted");
    let (_session, mut lane) = logged_in(&daemon).await;
    let tally = lane.put("file", &bytes, Expect::Absent).await.expect("stored");
    assert_eq!(tally.held, 3 * BLOCK as u64);
}

#[tokio::test]
async fn memory_stays_bounded_under_everything_at_once() {
    let daemon = daemon();
    daemon.add_user("eve", "none").expect("a user");
    let mut ada = daemon.login("ada").await.expect("logged in");
    let before = daemon.resident().expect("weighed");
    let mut held = Vec::new();
    // Guests with half a greeting, as many as are let in from each of two sources.
    for number in 0..30 {
        let source = Ipv4Addr::new(127, 0, 0, 2 + number / 15);
        let mut line = Line::open_from(source, daemon.address).await.expect("connected");
        line.raw(&[frame_head(1, 4096), vec![1; 4000]].concat()).await.expect("said");
        held.push(line);
    }
    let eve = daemon.login("eve").await.expect("logged in");
    let mut lanes = JoinSet::new();
    for number in 0..8_u64 {
        let lane = eve.lane().await.expect("a lane");
        lanes.spawn(burden(lane, number));
    }
    let mut weights = vec![before];
    while let Some(lane) = lanes.join_next().await {
        held.push(lane.expect("no panic").line);
        weights.push(daemon.resident().expect("weighed"));
        ada.ping().await.expect("ada does not notice");
    }
    let most = weights.iter().max().expect("some");
    assert!(most - before < 400 << 20, "grew from {before} to {most} bytes");
    let refused = fault(ada.stat("nothing").await).expect("and works on");
    assert_eq!(refused.code, Code::NotFound);
    drop(held);
    greeted(daemon.address).await.expect("and others get in");
}

/// Everything a lane can be asked to keep: uploads without end, small files that are never sealed, and
/// most of a block.
async fn burden(mut lane: Lane, number: u64) -> Lane {
    let huge = Offer { size: i64::MAX as u64 / 100, mtime: MTIME, executable: false, eager: false };
    let small = Offer { size: BLOCK as u64, mtime: MTIME, executable: false, eager: true };
    let block = content("small", BLOCK);
    let cv = chaining_value(BLOCK as u64, 0, &block);
    let all = async {
        for transfer in 0..40 {
            let path = raw(format!("huge-{number}-{transfer}"));
            lane.line.say(&Said::Put { transfer, path, offer: huge, expect: Expect::Any }).await?;
        }
        for transfer in 1000..1100 {
            let path = raw(format!("small-{number}-{transfer}"));
            lane.line.say(&Said::Put { transfer, path, offer: small, expect: Expect::Any }).await?;
            lane.line.block(transfer, 0, cv, &block).await?;
        }
        lane.line.raw(&frame_head(2, BLOCK as u32)).await
    };
    // The server stops reading when it holds enough; that is the point.
    let _ = tokio::time::timeout(Duration::from_secs(5), all).await;
    lane
}
