//! Bytes a second: what a user and all together may take, and how it is shared. Margins are wide, for the machine is shared, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tests::files::content;
use tests::host::{Config, Host};
use tests::session::Lane;
use tokio::task::JoinSet;
use wire::message::Expect;

const MIB: u64 = 1 << 20;
/// For how long it is looked.
const LOOK: Duration = Duration::from_secs(4);

async fn host(change: impl FnOnce(&mut Config)) -> Host {
    let host = Host::with(|config| {
        config.durability = server::config::Durability::Relaxed;
        change(config);
    });
    let host = host.await.expect("started");
    for name in ["ada", "bob"] {
        host.add_user(name, None).await.expect("a user");
    }
    host
}

async fn lanes(host: &Host, user: &str, count: usize) -> Vec<Lane> {
    let session = host.login(user).await.expect("logged in");
    let mut lanes = Vec::new();
    for _ in 0..count {
        lanes.push(session.lane().await.expect("a lane"));
    }
    // Whoever keeps silent is dropped a minute later.
    std::mem::forget(session);
    lanes
}

/// Uploads, or downloads, files of 128 KiB on all lanes for a while: the bytes that were through.
async fn work(lanes: Vec<Lane>, down: bool) -> u64 {
    let (moved, end, mut working) = (Arc::new(AtomicU64::new(0)), Instant::now() + LOOK, JoinSet::new());
    for (number, mut lane) in lanes.into_iter().enumerate() {
        let moved = Arc::clone(&moved);
        working.spawn(async move {
            let (name, bytes) = (format!("file-{number}"), content("bytes", 128 << 10));
            lane.put(&name, &bytes, Expect::Any).await.expect("stored");
            while Instant::now() < end {
                if down {
                    assert!(lane.get(&name, b"").await.expect("came").content == bytes);
                } else {
                    lane.put(&name, &bytes, Expect::Any).await.expect("stored");
                }
                moved.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
        });
    }
    working.join_all().await;
    moved.load(Ordering::Relaxed)
}

/// Bytes in [`LOOK`] at a rate.
fn at(rate: u64) -> u64 {
    rate * LOOK.as_secs()
}

#[tokio::test]
async fn a_user_gets_the_rate_on_all_lanes_together_both_ways() {
    let host = host(|config| config.bandwidth.per_user = Some(2 * MIB)).await;
    for down in [false, true] {
        let moved = work(lanes(&host, "ada", 4).await, down).await;
        assert!(moved > at(MIB / 2) && moved < at(3 * MIB), "{} MiB, down: {down}", moved / MIB);
    }
}

#[tokio::test]
async fn users_share_evenly_on_however_many_lanes() {
    let host = host(|config| config.bandwidth.total = Some(4 * MIB)).await;
    for down in [false, true] {
        let (many, one) = (lanes(&host, "ada", 8).await, lanes(&host, "bob", 1).await);
        let (many, one) = tokio::join!(work(many, down), work(one, down));
        assert!(many + one < at(6 * MIB), "{} MiB together, down: {down}", (many + one) / MIB);
        assert!(one * 3 > many && many * 3 > one, "{} KiB and {} KiB, down: {down}", many >> 10, one >> 10);
    }
}

#[tokio::test]
async fn sessions_of_a_user_share_evenly() {
    let host = host(|config| config.bandwidth.per_user = Some(3 * MIB)).await;
    let (many, one) = (lanes(&host, "ada", 6).await, lanes(&host, "ada", 1).await);
    let (many, one) = tokio::join!(work(many, true), work(one, true));
    assert!(one * 3 > many && many * 3 > one, "{} KiB and {} KiB", many >> 10, one >> 10);
}

/// Waiting for a turn is not standing still, and who browses waits for nobody.
#[tokio::test]
async fn who_is_held_back_is_not_dropped_and_browses_on() {
    let host = host(|config| {
        config.bandwidth.per_user = Some(64 << 10);
        config.limits.stall_seconds = 1;
    });
    let host = host.await;
    let mut session = host.login("ada").await.expect("logged in");
    let mut putting = JoinSet::new();
    for number in 0..8 {
        let mut lane = session.lane().await.expect("a lane");
        // Two seconds of the rate for each of eight lanes.
        putting.spawn(async move { lane.put(format!("file-{number}"), &content("held", 32 << 10), Expect::Any).await });
    }
    let start = Instant::now();
    while !putting.is_empty() {
        let asked = Instant::now();
        session.ping().await.expect("answered");
        assert!(asked.elapsed() < Duration::from_secs(1), "a ping waits behind bytes");
        tokio::select! {
            Some(put) = putting.join_next() => drop(put.expect("joined").expect("stored")),
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
    }
    assert!(start.elapsed() > Duration::from_secs(2), "it was not held back");
}
