//! The way down: clients are told, what runs has some seconds, and everybody goes on by themselves after a restart.

use std::path::Path;
use std::time::{Duration, Instant};

use tests::client::{Client, IfExists, Machine, Notice, Options};
use tests::daemon::{Daemon, Signal};
use tests::files::{content, root, root_of, write};
use tests::host::{PASSWORD, eventually};
use tests::proxy::{Proxy, Way};
use tests::session::{Session, fault, raw};
use wire::message::{Expect, Notice as News, Op};
use wire::{BLOCK, Code, Root};

use super::daemon;

const SIZE: u64 = 12 << 20;
const EACH_WAY: usize = 5;

/// A client in the middle of one file.
struct Busy {
    client: Client,
    _machine: Machine,
    notices: tokio::sync::broadcast::Receiver<Notice>,
    /// Where the file will be, and what it must be then.
    target: std::path::PathBuf,
    root: Root,
}

async fn begin(daemon: &Daemon, proxy: &Proxy, number: usize) -> Busy {
    let machine = Machine::new().expect("a machine");
    let options = Options { lanes: 1, ..Options::default() };
    let client = machine.connect(proxy.address, "ada", options).await.expect("connected");
    let (name, here) = (format!("file-{number}"), machine.path(format!("file-{number}")));
    let there = daemon.home("ada").join(&name);
    let (source, target) = if number < EACH_WAY { (&here, &there) } else { (&there, &here) };
    let root = write(source, &name, SIZE).expect("written");
    let (notices, target) = (client.engine.notices(), target.clone());
    std::fs::create_dir_all(here.parent().expect("a directory")).expect("made");
    match number < EACH_WAY {
        true => client.upload(here, &name, IfExists::Overwrite).expect("begun"),
        false => client.download(&name, here, IfExists::Overwrite).expect("begun"),
    }
    Busy { client, _machine: machine, notices, target, root }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_transferring_clients_go_on_after_a_restart_and_send_nothing_twice() {
    let mut daemon = daemon("[limits]\ndrain_seconds = 1\n");
    let proxy = Proxy::start(daemon.address).await.expect("started");
    // So that little is under way beyond it, and all are in the middle when it happens.
    [Way::Up, Way::Down].iter().for_each(|way| proxy.limit(*way, Some(2 << 20)));
    let mut busy = Vec::new();
    for number in 0..2 * EACH_WAY {
        busy.push(begin(&daemon, &proxy, number).await);
    }
    let all = SIZE * EACH_WAY as u64;
    eventually("in the middle", async || [Way::Up, Way::Down].iter().all(|way| proxy.passed(*way) > all / 3)).await;
    let begun = Instant::now();
    let ended = tokio::task::spawn_blocking(move || {
        let status = daemon.terminate().expect("ended");
        let took = begun.elapsed();
        daemon.restart().expect("restarted");
        (daemon, status, took)
    });
    let (daemon, status, took) = ended.await.expect("no panic");
    assert!(status.success() && took < Duration::from_secs(8), "{status} after {took:?}");
    for Busy { client, notices, target, root: expected, .. } in &mut busy {
        let mut told = false;
        while let Ok(notice) = notices.try_recv() {
            told |= matches!(notice, Notice::Draining);
        }
        assert!(told, "every client was told: {}", daemon.log().expect("read"));
        client.done().await.expect("it goes on by itself");
        assert_eq!(root(target).expect("there"), *expected);
    }
    // What a connection carried when it was cut: a block that was not whole, and one that was being written.
    let in_flight = (EACH_WAY * 2 * BLOCK) as u64;
    for way in [Way::Up, Way::Down] {
        let passed = proxy.passed(way);
        assert!(passed > all && passed < all + in_flight + all / 50, "{way:?}: {passed} bytes for {all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_work_is_refused_by_name_while_the_server_goes_down() {
    let mut daemon = daemon("[limits]\ndrain_seconds = 60\n");
    let bytes = content("file", 3 * BLOCK);
    let mut session = daemon.login("ada").await.expect("logged in");
    let mut lane = session.lane().await.expect("a lane");
    let mut other = session.lane().await.expect("a lane");
    let mut upload = lane.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    daemon.signal(Signal::TERM).expect("told");
    eventually("the end is announced", async || {
        let _ = session.ping().await;
        session.notices.contains(&News::Draining)
    })
    .await;
    let codes = [
        fault(session.order(Op::Mkdir { path: raw("dir"), parents: false }).await),
        fault(other.put("other", b"bytes", Expect::Absent).await),
        fault(other.put("large", &bytes, Expect::Absent).await),
        fault(Session::login(daemon.address, "ada", PASSWORD).await),
    ];
    for refused in codes {
        let refused = refused.expect("a fault");
        assert!(refused.code == Code::Draining && refused.message.contains("going down"), "{refused:?}");
    }
    // What was begun is finished, and nothing else keeps it.
    lane.send_blocks(&mut upload, u64::MAX).await.expect("sent");
    lane.seal(&upload).await.expect("said");
    lane.stored(&upload).await.expect("stored");
    eventually("it has ended", async || daemon.ended().expect("looked").is_some()).await;
    assert!(daemon.ended().expect("looked").is_some_and(|status| status.success()));
    assert_eq!(root(&daemon.home("ada").join("file")).expect("there"), root_of(&bytes));
    assert!(!daemon.home("ada").join("dir").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    for second in [Signal::TERM, Signal::INT] {
        let mut daemon =
            Daemon::with_config(Path::new(env!("CARGO_BIN_EXE_server")), "[limits]\ndrain_seconds = 3600\n")
                .expect("started");
        daemon.add_user("ada", "none").expect("added");
        let session = daemon.login("ada").await.expect("logged in");
        let mut lane = session.lane().await.expect("a lane");
        let bytes = content("file", 2 * BLOCK);
        let _upload = lane.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
        daemon.signal(Signal::TERM).expect("told");
        super::logged(&daemon, "going down").await;
        assert!(daemon.ended().expect("looked").is_none(), "it waits for the upload");
        daemon.signal(second).expect("told");
        eventually("it has ended", async || daemon.ended().expect("looked").is_some()).await;
        assert_eq!(daemon.ended().expect("looked").and_then(|status| status.code()), Some(1));
    }
}
