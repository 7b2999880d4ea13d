//! The real server program under many and large things: its memory, coarsely, and the turns it takes.
//! Exact figures are the business of `tests/bench/scale.py`.

#![cfg(test)]

use std::path::Path;

use tests::daemon::Daemon;
use tests::files::{content, root_of};
use tests::host::PASSWORD;
use tests::proxy::{Proxy, Way};
use tests::session::{Session, raw};
use tokio::task::JoinSet;
use wire::BLOCK;
use wire::message::{Expect, Op};

const MIB: u64 = 1 << 20;

fn daemon() -> Daemon {
    let limits = "[limits]\nper_source = 1000\nper_user = 1000\nguests = 1000\n[argon2]\nqueue = 1000\n";
    let daemon = Daemon::with_config(Path::new(env!("CARGO_BIN_EXE_server")), limits).expect("started");
    daemon.add_user("ada", "none").expect("a user");
    daemon
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
    let mut logins = JoinSet::new();
    let address = daemon.address;
    let login = move || async move { Session::login(address, "ada", PASSWORD).await };
    // The first ones make the server take what it takes once: threads, hashes, the database's pages.
    for _ in 0..20 {
        logins.spawn(login());
    }
    let mut sessions = logins.join_all().await;
    let before = daemon.resident().expect("weighed");
    let mut logins = JoinSet::new();
    for _ in 0..SESSIONS {
        logins.spawn(login());
    }
    sessions.extend(logins.join_all().await);
    let each = daemon.resident().expect("weighed").saturating_sub(before) / SESSIONS;
    for session in &mut sessions {
        session.as_mut().expect("logged in").ping().await.expect("it answers");
    }
    assert!(each < 192 << 10, "an idle session takes {} KiB", each >> 10);
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
