//! The real server program with many at once, and with those who flood it: who means well is served, and not much slower than
//! alone. Both speeds are of one run, and noise is forgiven twice.

#![cfg(test)]

use std::path::Path;
use std::time::{Duration, Instant};

use tests::daemon::Daemon;
use tests::files::content;
use tests::line::frame_head;
use tests::session::{Lane, MTIME, Session, raw};
use tokio::task::JoinSet;
use wire::block::{BLOCK, chaining_value};
use wire::encoding::encode;
use wire::message::{Expect, FromClient, FromServer, Lane as Said, Offer, Op};

/// For how long a speed is measured.
const LOOK: Duration = Duration::from_secs(2);
/// Looks before it is believed that somebody is slowed down.
const LOOKS: usize = 3;

fn daemon(config: &str) -> Daemon {
    let config = format!("durability = \"relaxed\"\nmin_free = \"none\"\n{config}");
    let daemon = Daemon::with_config(Path::new(env!("CARGO_BIN_EXE_server")), &config).expect("started");
    daemon.add_user("ada", "none").expect("a user");
    daemon.add_user("eve", "none").expect("a user");
    daemon
}

/// All the limits are the default ones, but for what one source may have.
#[tokio::test]
async fn sixty_four_sessions_transfer_at_once_by_default() {
    let daemon =
        daemon("[limits]\nper_source = 300\nguests_per_source = 128\nlogin_seconds = 300\n[argon2]\nqueue = 128\n");
    let mut logins = JoinSet::new();
    for number in 0..64 {
        let (address, user) = (daemon.address, if number % 2 == 0 { "ada" } else { "eve" });
        logins.spawn(async move { Session::login(address, user, tests::host::PASSWORD).await });
    }
    let sessions: Vec<Session> = logins.join_all().await.into_iter().map(|one| one.expect("logged in")).collect();
    let mut working = JoinSet::new();
    for (number, session) in sessions.into_iter().enumerate() {
        working.spawn(async move {
            // Each has one lane, whoever has more.
            let mut lanes = vec![session.lane().await.expect("a first lane")];
            lanes.extend(session.lane().await);
            let bytes = content("crowd", 3 * BLOCK + number);
            for (lane, name) in lanes.iter_mut().zip(["a", "b"]) {
                let path = format!("{number}-{name}");
                lane.put(&path, &bytes, Expect::Absent).await.expect("stored");
                lane.put(format!("{path}-small"), &bytes[..5000], Expect::Absent).await.expect("stored");
                assert!(lane.get(&path, b"").await.expect("came").content == bytes);
            }
        });
    }
    working.join_all().await;
}

/// Bytes a second, up and down, of one session.
async fn speed(lane: &mut Lane) -> f64 {
    let (bytes, start, mut moved) = (content("good", 4 * BLOCK), Instant::now(), 0);
    while start.elapsed() < LOOK {
        lane.put("good", &bytes, Expect::Any).await.expect("stored");
        assert!(lane.get("good", b"").await.expect("came").content == bytes);
        // The same content would not travel again.
        lane.put("good", &content("other", 4 * BLOCK), Expect::Any).await.expect("stored");
        moved += 3 * bytes.len();
    }
    moved as f64 / start.elapsed().as_secs_f64()
}

/// Half the speed is kept, while what `flood` began goes on.
async fn keeps_half(config: &str, what: &str, flood: impl AsyncFn(&Daemon) -> JoinSet<()>) {
    let daemon = daemon(config);
    let session = daemon.login("ada").await.expect("logged in");
    let mut lane = session.lane().await.expect("a lane");
    let mut seen = Vec::new();
    for _ in 0..LOOKS {
        let alone = speed(&mut lane).await;
        let flooding = flood(&daemon).await;
        let beside = speed(&mut lane).await;
        drop(flooding);
        if beside * 2.0 >= alone {
            return;
        }
        seen.push((alone as u64 >> 20, beside as u64 >> 20));
    }
    panic!("{what}: MiB/s alone and beside it: {seen:?}");
}

/// The program's own share of this machine is for both sides, so floods are as large as one client can keep up with
/// little work.
#[tokio::test]
async fn listings_that_nobody_reads_slow_down_nobody_else() {
    keeps_half("", "listings", async |daemon| {
        let home = daemon.home("eve");
        for number in 0..2000 {
            std::fs::write(home.join(format!("{number}-{}", "n".repeat(200))), b"").expect("written");
        }
        let mut flooding = JoinSet::new();
        for _ in 0..8 {
            let mut eve = daemon.login("eve").await.expect("logged in");
            let walks = (0..64).map(|id| FromClient::Request { id, op: Op::Walk { path: raw("") } });
            let bytes: Vec<u8> = walks.flat_map(|walk| tests::line::frame(1, &encode(&walk).expect("fits"))).collect();
            eve.line.raw(&bytes).await.expect("said");
            flooding.spawn(async move {
                let _eve = eve;
                std::future::pending().await
            });
        }
        flooding
    })
    .await;
}

#[tokio::test]
async fn half_frames_and_pings_slow_down_nobody_else() {
    keeps_half("", "half frames and pings", async |daemon| {
        let mut flooding = JoinSet::new();
        let mut eve = daemon.login("eve").await.expect("logged in");
        for number in 0..8u64 {
            let mut lane = eve.lane().await.expect("a lane");
            let offer = Offer { size: 2 << 20, mtime: MTIME, executable: false, eager: false };
            let (path, expect) = (raw(format!("half-{number}")), Expect::Any);
            lane.line.say(&Said::Put { transfer: number, path, offer, expect }).await.expect("said");
            lane.line.raw(&frame_head(2, (wire::frame::BLOCK_HEADER + BLOCK) as u32)).await.expect("said");
            flooding.spawn(async move {
                let _lane = lane;
                std::future::pending().await
            });
        }
        flooding.spawn(async move {
            let mut pace = tokio::time::interval(Duration::from_millis(10));
            loop {
                pace.tick().await;
                for _ in 0..50 {
                    eve.line.say(&FromClient::Ping).await.expect("said");
                }
                for _ in 0..50 {
                    while !matches!(eve.line.message::<FromServer>().await.expect("answered"), FromServer::Pong) {}
                }
            }
        });
        flooding
    })
    .await;
}

/// Who sends all they can takes what the machine has, unless there is a limit: then each user has alike.
#[tokio::test]
async fn who_sends_all_they_can_leaves_half_where_there_is_a_limit() {
    keeps_half("[bandwidth]\ntotal = \"12MiB\"\n", "blocks", async |daemon| {
        let (mut flooding, payload) = (JoinSet::new(), content("flood", BLOCK));
        let eve = daemon.login("eve").await.expect("logged in");
        for number in 0..6u64 {
            let (mut lane, payload) = (eve.lane().await.expect("a lane"), payload.clone());
            flooding.spawn(async move {
                let size = 64 << 20;
                let offer = Offer { size, mtime: MTIME, executable: false, eager: true };
                let (path, expect) = (raw(format!("flood-{number}")), Expect::Any);
                lane.line.say(&Said::Put { transfer: number, path, offer, expect }).await.expect("said");
                // The same block over and over: proven and written each time.
                let cv = chaining_value(size, 0, &payload);
                while lane.line.block(number, 0, cv, &payload).await.is_ok() {}
            });
        }
        // Its sessions last as long as it does.
        flooding.spawn(async move {
            let _eve = eve;
            std::future::pending().await
        });
        flooding
    })
    .await;
}
