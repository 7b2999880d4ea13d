//! What goes wrong around a server: a catalog that is locked or damaged, descriptors that run out. What is refused is
//! told for what it is, what was there stays whole, and when the fault is gone everything goes on.

#![cfg(test)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tests::daemon::Daemon;
use tests::disk::{Disk, Step};
use tests::files::{content, holds, root, root_of};
use tests::host::{Host, eventually};
use tests::session::{Lane, Session, fault, raw};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wire::block::BLOCK;
use wire::message::{Expect, Op};
use wire::{Code, Fault};

async fn exact(home: &Path, session: &mut Session) {
    let (usage, found) = (session.space().await.expect("told"), holds(home).expect("walked"));
    assert_eq!((usage.used, usage.files, usage.reserved), (found.bytes, found.files, 0));
}

/// Another program's transaction on the catalog, for as long as it is held.
fn lock(catalog: &Path) -> Connection {
    let connection = Connection::open(catalog).expect("opened");
    connection.busy_timeout(Duration::from_secs(5)).expect("set");
    connection.execute_batch("BEGIN IMMEDIATE").expect("locked");
    connection
}

async fn ada(disk: Arc<Disk>) -> (Host, Session, Lane) {
    let host = Host::on(disk).await.expect("started");
    host.add_user("ada", None).await.expect("a user");
    let session = host.login("ada").await.expect("logged in");
    let lane = session.lane().await.expect("a lane");
    (host, session, lane)
}

#[tokio::test]
async fn a_catalog_that_another_program_locks_is_waited_for_and_then_told() {
    let (host, mut session, mut lane) = ada(Arc::default()).await;
    let catalog = host.data_dir().join("catalog.sqlite");
    lane.put("there", b"there", Expect::Absent).await.expect("stored");
    // For a while: it takes as long, and nobody is told.
    let held = lock(&catalog);
    {
        let waiting = lane.put("waits", b"waits", Expect::Absent);
        tokio::pin!(waiting);
        timeout(Duration::from_millis(300), &mut waiting).await.expect_err("it waits for the lock");
        drop(held);
        waiting.await.expect("stored");
    }

    let held = lock(&catalog);
    let refused = fault(lane.put("refused", b"refused", Expect::Absent).await).expect("a fault");
    assert!(refused.code == Code::Busy && refused.code.heals(), "{refused:?}: the client comes back by itself");
    // Who comes next does not wait as long, and reading goes on.
    let start = Instant::now();
    assert_eq!(fault(lane.put("too", b"too", Expect::Absent).await).expect("a fault").code, Code::Busy);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(session.entries(Op::List { path: raw("") }).await.expect("listed").len(), 2);
    assert!(lane.get("there", b"").await.expect("got").content == b"there");
    drop(held);
    lane.put("refused", b"refused", Expect::Absent).await.expect("stored");
    exact(&host.home("ada"), &mut session).await;
}

#[tokio::test]
async fn a_catalog_that_is_locked_in_the_middle_of_a_publish_is_made_good() {
    let disk = Arc::new(Disk::default());
    let (host, mut session, mut lane) = ada(disk.clone()).await;
    let (catalog, held) = (host.data_dir().join("catalog.sqlite"), Arc::new(Mutex::new(None)));
    lane.put("file", &content("old", BLOCK + 5), Expect::Absent).await.expect("stored");
    let holding = Arc::clone(&held);
    disk.watch(move |step| {
        if step == Step::Directory {
            holding.lock().expect("whole").get_or_insert_with(|| lock(&catalog));
        }
        String::new()
    });
    let new = content("new", 2 * BLOCK);
    assert_eq!(fault(lane.put("file", &new, Expect::Any).await).expect("a fault").code, Code::Busy);
    assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&new), "whole, though nobody was told");
    disk.watch(|_| String::new());
    held.lock().expect("whole").take();
    exact(&host.home("ada"), &mut session).await;
    lane.put("file", &new, Expect::Any).await.expect("stored");
    assert_eq!(session.stat("file").await.expect("there").root, Some(root_of(&new)));
}

#[tokio::test]
async fn a_damaged_catalog_is_told_and_spoils_no_file() {
    // What is put back is older than the homes: every start counts them.
    let mut daemon =
        Daemon::with_config(Path::new(env!("CARGO_BIN_EXE_server")), "durability = \"relaxed\"").expect("started");
    daemon.add_user("ada", "none").expect("a user");
    let session = daemon.login("ada").await.expect("logged in");
    let mut lane = session.lane().await.expect("a lane");
    for number in 0..40 {
        let path = format!("dir-{}/{number}", number % 7);
        lane.put(path, format!("{number}").as_bytes(), Expect::Absent).await.expect("stored");
    }
    lane.put("large", &content("large", 2 * BLOCK + 5), Expect::Absent).await.expect("stored");
    drop((session, lane));
    daemon.kill().expect("killed");
    let (catalog, home) = (daemon.data_dir().join("catalog.sqlite"), daemon.home("ada"));
    let checkpoint = Connection::open(&catalog).expect("opened");
    checkpoint.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("run");
    drop(checkpoint);
    let good = fs::read(&catalog).expect("read");
    let before = tests::crash::model::read(&home).expect("read");
    let (mut refused_to_start, mut refused_later) = (0, 0);
    for page in 0..good.len() / PAGE {
        let mut bad = good.clone();
        bad[page * PAGE..(page + 1) * PAGE].fill(0xa5);
        put_back(&catalog, &bad);
        if daemon.restart().is_err() {
            let log = daemon.log().expect("read");
            let told = log.lines().last().unwrap_or_default();
            let right = told.contains("the catalog is damaged") || told.contains("is not a catalog of this program");
            assert!(right, "page {page}: {told}");
            refused_to_start += 1;
        } else if let Err(error) = use_it(&daemon).await {
            let fault = error.downcast::<Fault>().expect("told, not cut off");
            assert!(matches!(fault.code, Code::Internal | Code::Login), "page {page}: {fault}");
            refused_later += 1;
        }
        let _ = daemon.kill();
        let mut after = tests::crash::model::read(&home).expect("read");
        after.remove("new");
        assert!(after == before, "page {page}: a file was spoilt");
    }
    assert!(refused_to_start > 1 && refused_later > 1, "{refused_to_start} and {refused_later}");
    assert!(!daemon.log().expect("read").contains("panicked"));
    put_back(&catalog, &good);
    daemon.restart().expect("restarted");
    use_it(&daemon).await.expect("as before");
    exact(&home, &mut daemon.login("ada").await.expect("logged in")).await;
}

/// The size of SQLite's pages, where nobody says otherwise.
const PAGE: usize = 4096;

fn put_back(catalog: &Path, bytes: &[u8]) {
    for companion in ["catalog.sqlite-wal", "catalog.sqlite-shm"] {
        let _ = fs::remove_file(catalog.with_file_name(companion));
    }
    fs::write(catalog, bytes).expect("written");
}

async fn use_it(daemon: &Daemon) -> anyhow::Result<()> {
    let mut session = daemon.login("ada").await?;
    session.entries(Op::Walk { path: raw("") }).await?;
    let mut lane = session.lane().await?;
    lane.get("large", b"").await?;
    lane.put("new", b"new", Expect::Any).await.map(drop)
}

#[tokio::test]
async fn a_server_out_of_descriptors_asks_to_come_back_and_then_goes_on() {
    const MOST: usize = 64;
    let place = tempfile::tempdir().expect("a directory");
    let limited = place.path().join("server");
    let script = format!("#!/bin/sh\nulimit -n {MOST}\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_server"));
    fs::write(&limited, script).expect("written");
    fs::set_permissions(&limited, fs::Permissions::from_mode(0o700)).expect("set");
    let daemon =
        Daemon::with_config(&limited, "[limits]\nguests = 1024\nguests_per_source = 1024\nper_source = 1024\n")
            .expect("started");
    daemon.add_user("ada", "none").expect("a user");
    let mut session = daemon.login("ada").await.expect("logged in");
    let mut lane = session.lane().await.expect("a lane");
    let large = content("large", 3 * BLOCK);
    let mut begun = lane.begin_put("large", &large, Expect::Absent).await.expect("accepted");
    let mut other = session.lane().await.expect("a lane");

    let mut crowd = Vec::new();
    let start = Instant::now();
    // Strangers who say nothing are shown out after ten seconds; until then they are in the way.
    while daemon.descriptors().expect("counted") < MOST {
        assert!(start.elapsed() < Duration::from_secs(8), "{} open", daemon.descriptors().expect("counted"));
        crowd.push(TcpStream::connect(daemon.address).await.expect("connected, if not accepted"));
    }
    let refused = fault(other.put("new/small", b"small", Expect::Absent).await).expect("a fault");
    assert_eq!(refused.code, Code::Busy, "{refused}");
    assert_eq!(fault(session.entries(Op::List { path: raw("") }).await).expect("a fault").code, Code::Busy);
    lane.send_blocks(&mut begun, u64::MAX).await.expect("what is open goes on");
    drop(crowd);
    eventually("descriptors are free", async || daemon.descriptors().expect("counted") < MOST - 8).await;
    lane.seal(&begun).await.expect("said");
    lane.stored(&begun).await.expect("stored");
    other.put("new/small", b"small", Expect::Absent).await.expect("stored");
    exact(&daemon.home("ada"), &mut session).await;
    assert_eq!(root(&daemon.home("ada").join("large")).expect("there"), root_of(&large));
    daemon.login("ada").await.expect("others get in again");
    assert!(tests::files::paths(&daemon.staging("ada")).expect("walked").is_empty());
}
