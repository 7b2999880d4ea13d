//! The real server program under many and large things: its memory, coarsely, and the turns it takes.
//! Exact figures are the business of `tests/bench/scale.py`.

#![cfg(test)]

use std::path::Path;

use tests::daemon::Daemon;
use tests::files::{content, root_of};
use tests::host::PASSWORD;
use tests::line::Heard;
use tests::proxy::{Proxy, Way};
use tests::session::{Lane, Session, raw};
use tokio::task::JoinSet;
use wire::BLOCK;
use wire::message::{Expect, Lane as Said, Offer, Op, Time};

const MIB: u64 = 1 << 20;
/// Files under way at once.
const WINDOW: u64 = 1000;

fn daemon() -> Daemon {
    let limits = "[limits]
login_seconds = 300
per_source = 1000
per_user = 1000
guests = 1000
\
        guests_per_source = 1000
[argon2]
queue = 1000
";
    let daemon = Daemon::with_config(Path::new(env!("CARGO_BIN_EXE_server")), limits).expect("started");
    daemon.add_user("ada", "none").expect("a user");
    daemon
}

/// Sessions all at once.
async fn log_in(daemon: &Daemon, count: u64) -> Vec<Session> {
    let (mut logins, address) = (JoinSet::new(), daemon.address);
    for _ in 0..count {
        logins.spawn(async move { Session::login(address, "ada", PASSWORD).await });
    }
    logins.join_all().await.into_iter().map(|session| session.expect("logged in")).collect()
}

/// The first sessions make the server take what it takes once: threads, the database's pages. What it holds then,
/// without what passwords were hashed in.
async fn first_sessions(daemon: &Daemon) -> (Vec<Session>, u64) {
    let started = daemon.resident().expect("weighed");
    let sessions = log_in(daemon, 20).await;
    let rested = daemon.resident_when_below(started - 8 * MIB).await;
    assert!(rested < started - 8 * MIB, "the memory of logins is kept: {} MiB of {}", rested / MIB, started / MIB);
    (sessions, rested)
}

async fn heard(lane: &mut Lane) -> Said {
    match lane.line.hear().await.expect("heard").expect("not the end") {
        Heard::Message(message) => message,
        Heard::Block { .. } => unreachable!("an empty file has no block"),
    }
}

#[tokio::test]
async fn a_large_file_goes_through_little_memory() {
    let daemon = daemon();
    let session = daemon.login("ada").await.expect("logged in");
    let (mut lane, bytes) = (session.lane().await.expect("a lane"), content("large", 384 * BLOCK));
    let before = daemon.peak().expect("weighed");
    lane.put("large", &bytes, Expect::Absent).await.expect("stored");
    let came = lane.get("large", &[]).await.expect("came");
    assert_eq!(root_of(&came.content), root_of(&bytes));
    let grown = daemon.peak().expect("weighed").saturating_sub(before);
    assert!(grown < 96 * MIB, "384 MiB there and back took {} MiB", grown / MIB);
}

#[tokio::test]
async fn an_idle_session_costs_little() {
    const SESSIONS: u64 = 200;
    let daemon = daemon();
    let (mut sessions, before) = first_sessions(&daemon).await;
    sessions.extend(log_in(&daemon, SESSIONS).await);
    let each = daemon.resident_when_below(before + SESSIONS * (48 << 10)).await.saturating_sub(before) / SESSIONS;
    for session in &mut sessions {
        session.ping().await.expect("it answers");
    }
    assert!(each < 48 << 10, "an idle session takes {} KiB", each >> 10);
}

#[tokio::test]
async fn a_session_at_rest_costs_little() {
    const SESSIONS: u64 = 40;
    let (daemon, bytes) = (daemon(), content("rested", 3 * BLOCK));
    let (mut sessions, before) = first_sessions(&daemon).await;
    sessions.extend(log_in(&daemon, SESSIONS).await);
    let mut lanes = Vec::new();
    for session in &sessions {
        let mut lane = session.lane().await.expect("a lane");
        lane.put("rested", &bytes, Expect::Any).await.expect("stored");
        lane.get("rested", &[]).await.expect("came");
        lanes.push(lane);
    }
    // While it does not rest, a lane keeps some blocks of 1 MiB.
    let each = daemon.resident_when_below(before + SESSIONS * (192 << 10)).await.saturating_sub(before) / SESSIONS;
    for lane in &mut lanes {
        lane.get("rested", &[]).await.expect("it answers");
    }
    assert!(each < 192 << 10, "a session that has transferred takes {} KiB", each >> 10);
}

#[tokio::test]
async fn a_tree_goes_through_little_memory() {
    const DIRECTORIES: u64 = 50;
    const FILES: u64 = 20_000;
    let path = |number: u64| raw(format!("{}/f{number}", number % DIRECTORIES));
    let daemon = daemon();
    let mut session = daemon.login("ada").await.expect("logged in");
    let mut lane = session.lane().await.expect("a lane");
    let before = daemon.resident().expect("weighed");
    for number in 0..DIRECTORIES {
        session.order(Op::Mkdir { path: raw(number.to_string()), parents: false }).await.expect("made");
    }
    let (offer, root) = (Offer { size: 0, mtime: Time::default(), executable: false, eager: true }, root_of(&[]));
    for number in 0..FILES + WINDOW {
        if number < FILES {
            let put = Said::Put { transfer: number, path: path(number), offer, expect: Expect::Absent };
            lane.line.say(&put).await.expect("said");
            lane.line.say(&Said::Seal { transfer: number, root }).await.expect("said");
        }
        if number >= WINDOW {
            assert!(matches!(heard(&mut lane).await, Said::Stored { .. }));
        }
    }
    let mut listings = JoinSet::new();
    for mut session in log_in(&daemon, 16).await {
        listings.spawn(async move { session.entries(Op::Walk { path: raw("") }).await.map(|all| all.len() as u64) });
    }
    for found in listings.join_all().await {
        assert_eq!(found.expect("listed"), FILES + DIRECTORIES);
    }
    for number in 0..FILES + WINDOW {
        if number < FILES {
            let get = Said::Get { transfer: FILES + number, path: path(number), eager: true };
            lane.line.say(&get).await.expect("said");
        }
        if number >= WINDOW {
            assert!(matches!(heard(&mut lane).await, Said::Offer { .. }));
            assert!(matches!(heard(&mut lane).await, Said::Seal { .. }));
        }
    }
    let grown = daemon.peak().expect("weighed").saturating_sub(before);
    assert!(grown < 64 * MIB, "{FILES} files up and down took {} MiB", grown / MIB);
}

#[tokio::test]
async fn a_long_listing_is_one_round_trip() {
    const ENTRIES: usize = 20_000;
    let daemon = daemon();
    for number in 0..ENTRIES {
        std::fs::File::create(daemon.home("ada").join(format!("entry-{number}"))).expect("made");
    }
    let proxy = Proxy::start(daemon.address).await.expect("a proxy");
    let mut session = Session::login(proxy.address, "ada", PASSWORD).await.expect("logged in");
    let (up, down) = (proxy.passed(Way::Up), proxy.passed(Way::Down));
    let entries = session.entries(Op::List { path: raw("") }).await.expect("listed");
    assert_eq!(entries.len(), ENTRIES);
    let (up, down) = (proxy.passed(Way::Up) - up, proxy.passed(Way::Down) - down);
    // One request of a few bytes; whatever asked page by page would send hundreds of times as much.
    assert!(up < 200, "the client said {up} bytes for {down} bytes of answers");
}
