//! The real engine against the real server: trust, both directions, trees, cut connections, conflicts,
//! quotas, and sources that change under it.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use tests::client::{Client, Machine};
use tests::files::{self, content, holds, root, root_of};
use tests::host::{Host, PASSWORD, eventually};
use tests::proxy::{Proxy, Way};
use tui_client::engine::status::{End, IfExists, Link, State};
use tui_client::engine::{Accept, ConnectError, Options};
use wire::block::BLOCK;
use wire::fault::Detail;
use wire::{Code, RemotePath};

const MIB: u64 = 1 << 20;

async fn ada(quota: Option<u64>) -> (Host, Machine, Client) {
    let host = Host::start().await.expect("a server");
    host.add_user("ada", quota).await.expect("a user");
    let machine = Machine::new().expect("a machine");
    let client = machine.connect(host.address, "ada", Options::default()).await.expect("connected");
    (host, machine, client)
}

fn path(text: &str) -> RemotePath {
    RemotePath::parse(text.as_bytes()).expect("a path")
}

#[tokio::test]
async fn a_server_is_asked_about_once_and_a_changed_key_is_refused() {
    let (host, machine) = (Host::start().await.expect("a server"), Machine::new().expect("a machine"));
    host.add_user("ada", None).await.expect("a user");
    let fingerprint = host.fingerprint.parse().expect("a fingerprint");
    let connect =
        async |server, accept| machine.try_connect(server, "ada", PASSWORD, accept, Options::default()).await.map(drop);
    let unknown = connect(host.address, Accept::Ask).await;
    let Err(ConnectError::UnknownServer { fingerprint: shown, .. }) = unknown else { panic!("{unknown:?}") };
    assert_eq!(shown, fingerprint);
    connect(host.address, Accept::Ask).await.expect_err("asking is not trusting");
    connect(host.address, Accept::New).await.expect("trusted");
    connect(host.address, Accept::Ask).await.expect("and remembered");

    // Somebody else at the same address.
    let proxy = Proxy::start(host.address).await.expect("a proxy");
    connect(proxy.address, Accept::Fingerprint(fingerprint)).await.expect("the key that was named");
    let other = Host::start().await.expect("another server");
    other.add_user("ada", None).await.expect("a user");
    proxy.lead_to(other.address);
    for accept in [Accept::Ask, Accept::New] {
        let changed = connect(proxy.address, accept).await;
        let Err(ConnectError::ChangedServer { known, presented, .. }) = &changed else { panic!("{changed:?}") };
        assert_eq!((known.to_string(), presented.to_string()), (host.fingerprint.clone(), other.fingerprint.clone()));
        let told = changed.expect_err("refused").to_string();
        assert!(told.contains(&host.fingerprint) && told.contains(&other.fingerprint), "{told}");
    }
    connect(proxy.address, Accept::Fingerprint(fingerprint)).await.expect_err("not the key that was named");
    let new = other.fingerprint.parse().expect("a fingerprint");
    connect(proxy.address, Accept::Fingerprint(new)).await.expect("how to go on");
    connect(proxy.address, Accept::Ask).await.expect("and remembered in its place");
}

#[tokio::test]
async fn logins_that_fail_say_so_and_nothing_answers_is_told_in_time() {
    let (host, machine) = (Host::start().await.expect("a server"), Machine::new().expect("a machine"));
    host.add_user("ada", None).await.expect("a user");
    let refused = machine.try_connect(host.address, "ada", "wrong", Accept::New, Options::default()).await;
    assert!(matches!(&refused, Err(ConnectError::Login(fault)) if fault.code == Code::Login), "{refused:?}");
    let proxy = Proxy::start(host.address).await.expect("a proxy");
    proxy.refuse(true);
    let closed = machine.try_connect(proxy.address, "ada", PASSWORD, Accept::New, Options::default()).await;
    closed.map(drop).expect_err("nobody is there");
    proxy.refuse(false);
    proxy.stall(Way::Down, true);
    let silent = machine.try_connect(proxy.address, "ada", PASSWORD, Accept::New, Options::default());
    let silent = tokio::time::timeout(Duration::from_secs(30), silent).await.expect("it gives up by itself");
    silent.map(drop).expect_err("nothing was answered");
}

#[tokio::test]
async fn trees_are_the_same_at_both_ends() {
    let (host, machine, mut client) = ada(None).await;
    let names: [&[u8]; 9] = [
        b"plain",
        b"deep/er/and/deeper",
        "日本語のファイル".as_bytes(),
        "e\u{301}/🚣‍♀️".as_bytes(),
        b"\xff\xfe",
        b"\x1b[2J",
        b"line\nbreak",
        b"-rf",
        b"empty",
    ];
    for (number, name) in names.iter().enumerate() {
        let file = machine.path("tree").join(std::ffi::OsStr::from_bytes(name));
        let len = if *name == b"empty" { 0 } else { 300_000 * number as u64 + 1 };
        files::write(&file, &number.to_string(), len).expect("written");
    }
    for number in 0..300 {
        files::write(&machine.path(format!("tree/many/{number}")), &number.to_string(), number).expect("written");
    }
    client.upload(machine.path("tree"), "/up/tree", IfExists::Ask).expect("enqueued");
    for _ in 0..309 {
        let outcome = client.done().await.expect("stored");
        assert_eq!((outcome.sent + outcome.held, outcome.held), (outcome.bytes, 0));
    }
    client.download("/up/tree", machine.path("back"), IfExists::Ask).expect("enqueued");
    for _ in 0..309 {
        client.done().await.expect("got");
    }
    for file in files::paths(&machine.path("tree")).expect("walked") {
        let name = file.strip_prefix(machine.path("tree")).expect("below");
        let expected = root(&file).expect("read");
        for copy in [host.home("ada").join("up/tree").join(name), machine.path("back").join(name)] {
            assert_eq!(root(&copy).expect("there"), expected, "{}", copy.display());
            let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).expect("a time");
            assert_eq!(time(&copy), time(&file), "{}", copy.display());
        }
    }
    let [tree, back] = ["tree", "back"].map(|name| holds(&machine.path(name)).expect("walked"));
    assert_eq!((back, back.files), (tree, 309), "partial files are left over");
}

#[tokio::test]
async fn a_cut_connection_is_taken_up_again_and_nothing_travels_twice() {
    let (host, machine) = (Host::start().await.expect("a server"), Machine::new().expect("a machine"));
    host.add_user("ada", None).await.expect("a user");
    let proxy = Proxy::start(host.address).await.expect("a proxy");
    let mut client = machine.connect(proxy.address, "ada", Options::default()).await.expect("connected");
    let size = 64 * MIB + 17;
    let expected = files::write(&machine.path("large"), "large", size).expect("written");
    for (way, back) in [(Way::Up, false), (Way::Down, true)] {
        let before = proxy.passed(way);
        let cuts = proxy.cuts();
        proxy.cut_after(way, size / 2);
        if back {
            client.download("/large", machine.path("back"), IfExists::Ask).expect("enqueued");
        } else {
            client.upload(machine.path("large"), "/large", IfExists::Ask).expect("enqueued");
        }
        let outcome = client.done().await.expect("proven in the end");
        assert_eq!(proxy.cuts(), cuts + 1, "it was never cut");
        assert_eq!((outcome.bytes, outcome.root), (size, Some(expected)));
        let travelled = proxy.passed(way) - before;
        // What was in the pipes when it was cut is lost; blocks that had arrived are not.
        assert!(travelled < size + 24 * MIB, "{travelled} bytes travelled {way:?} for {size}");
        let place = if back { machine.path("back") } else { host.home("ada").join("large") };
        assert_eq!(root(&place).expect("there"), expected);
    }
    let left = fs::read_dir(machine.path("")).expect("readable").count();
    assert_eq!(left, 2, "partial files are left over");
}

#[tokio::test]
async fn holes_do_not_travel_and_stay_holes() {
    let (host, machine) = (Host::start().await.expect("a server"), Machine::new().expect("a machine"));
    host.add_user("ada", None).await.expect("a user");
    let proxy = Proxy::start(host.address).await.expect("a proxy");
    let mut client = machine.connect(proxy.address, "ada", Options::default()).await.expect("connected");
    // Two blocks of data, the first and one in the middle, and zeros up to an end within a block.
    let size = 100 * MIB + 17;
    fs::create_dir_all(machine.path("")).expect("made");
    let sparse = fs::File::create(machine.path("sparse")).expect("made");
    for at in [0, 50 * MIB] {
        sparse.write_all_at(&content("data", BLOCK), at).expect("written");
    }
    sparse.set_len(size).expect("grown");
    let expected = root(&machine.path("sparse")).expect("read");
    client.upload(machine.path("sparse"), "/sparse", IfExists::Ask).expect("enqueued");
    let up = client.done().await.expect("stored");
    client.download("/sparse", machine.path("back"), IfExists::Ask).expect("enqueued");
    let down = client.done().await.expect("got");
    for (way, outcome, place) in
        [(Way::Up, up, host.home("ada").join("sparse")), (Way::Down, down, machine.path("back"))]
    {
        assert_eq!((outcome.root, outcome.sent, outcome.held), (Some(expected), 2 * MIB, size - 2 * MIB));
        assert!(proxy.passed(way) < 3 * MIB, "{} bytes travelled {way:?}", proxy.passed(way));
        assert_eq!(root(&place).expect("there"), expected);
        let metadata = fs::metadata(&place).expect("there");
        assert!(metadata.blocks() * 512 < 4 * MIB, "{} takes {} sectors", place.display(), metadata.blocks());
    }
}

#[tokio::test]
async fn a_lost_connection_is_told_and_the_queue_goes_on_after_it() {
    let (host, machine) = (Host::start().await.expect("a server"), Machine::new().expect("a machine"));
    host.add_user("ada", None).await.expect("a user");
    let proxy = Proxy::start(host.address).await.expect("a proxy");
    let mut client = machine.connect(proxy.address, "ada", Options::default()).await.expect("connected");
    let mut status = client.engine.status();
    proxy.refuse(true);
    proxy.cut();
    let lost = status.wait_for(|status| matches!(status.link, Link::Lost { .. }));
    tokio::time::timeout(Duration::from_secs(30), lost).await.expect("it is noticed").expect("told");
    files::write(&machine.path("file"), "file", 3 * MIB).expect("written");
    client.upload(machine.path("file"), "/file", IfExists::Ask).expect("enqueued");
    proxy.refuse(false);
    client.done().await.expect("stored after all");
    let back = status.wait_for(|status| status.link == Link::Online);
    tokio::time::timeout(Duration::from_secs(30), back).await.expect("it is back").expect("told");
    assert_eq!(client.engine.stat(&path("/file")).await.expect("there").size, 3 * MIB);
}

#[tokio::test]
async fn a_server_that_restarts_is_found_again() {
    let (mut host, machine) = (Host::start().await.expect("a server"), Machine::new().expect("a machine"));
    host.add_user("ada", None).await.expect("a user");
    let proxy = Proxy::start(host.address).await.expect("a proxy");
    let mut client = machine.connect(proxy.address, "ada", Options::default()).await.expect("connected");
    let expected = files::write(&machine.path("large"), "large", 96 * MIB).expect("written");
    client.engine.set_limit(Some(64 * MIB));
    client.upload(machine.path("large"), "/large", IfExists::Ask).expect("enqueued");
    eventually("it is half sent", async || proxy.passed(Way::Up) > 40 * MIB).await;
    // Its ticket is void after this: the engine logs in again with the password it kept.
    host.restart().await.expect("restarted");
    proxy.lead_to(host.address);
    client.engine.set_limit(None);
    let outcome = client.done().await.expect("stored");
    assert_eq!(outcome.root, Some(expected));
    assert_eq!(root(&host.home("ada").join("large")).expect("there"), expected);
}

#[tokio::test]
async fn a_source_that_changes_while_it_is_sent_is_sent_as_it_is_in_the_end() {
    let (host, machine, mut client) = ada(None).await;
    files::write(&machine.path("file"), "old", 48 * MIB).expect("written");
    client.engine.set_limit(Some(32 * MIB));
    client.upload(machine.path("file"), "/file", IfExists::Ask).expect("enqueued");
    let mut status = client.engine.status();
    let half = status.wait_for(|status| status.items.iter().any(|item| item.bytes_done > 16 * MIB));
    tokio::time::timeout(Duration::from_secs(60), half).await.expect("it is half sent").expect("told");
    let new = content("new", 40 << 20);
    fs::write(machine.path("file"), &new).expect("written");
    client.engine.set_limit(None);
    let outcome = client.done().await.expect("stored in the end");
    assert_eq!((outcome.bytes, outcome.root), (40 * MIB, Some(root_of(&new))));
    assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&new));
}

#[tokio::test]
async fn conflicts_are_decided_as_asked() {
    let (host, machine, mut client) = ada(None).await;
    let (old, new) = (content("old", 3 * BLOCK), content("new", 2 * BLOCK));
    let there = host.home("ada").join("file.bin");
    let outdated = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::create_dir_all(machine.path("")).expect("made");
    // (policy, the source is newer, what lies there afterwards is new, how it ended)
    let table = [
        (IfExists::Overwrite, false, true, End::Done),
        (IfExists::Newer, true, true, End::Done),
        (IfExists::Newer, false, false, End::Skipped),
        (IfExists::Skip, true, false, End::Skipped),
        (IfExists::Update, false, true, End::Done),
        (IfExists::Rename, true, false, End::Done),
    ];
    for (policy, newer, replaced, end) in table {
        fs::write(&there, &old).expect("written");
        fs::write(machine.path("file.bin"), &new).expect("written");
        let age = |path: &Path| fs::File::options().write(true).open(path).and_then(|file| file.set_modified(outdated));
        age(&if newer { there.clone() } else { machine.path("file.bin") }).expect("a time");
        client.upload(machine.path("file.bin"), "/file.bin", policy).expect("enqueued");
        let outcome = client.done().await.expect("decided");
        assert_eq!(outcome.end, end, "{policy:?}");
        assert!(fs::read(&there).expect("there") == if replaced { &new } else { &old }.as_slice(), "{policy:?}");
    }
    assert!(fs::read(host.home("ada").join("file (1).bin")).expect("both are kept") == new);

    // The same content, of which the server has a record, is no conflict.
    client.upload(machine.path("file.bin"), "/file.bin", IfExists::Overwrite).expect("enqueued");
    client.done().await.expect("stored");
    client.upload(machine.path("file.bin"), "/file.bin", IfExists::Ask).expect("enqueued");
    let outcome = client.done().await.expect("nothing to decide");
    assert_eq!(outcome.sent, 0, "{outcome:?}");
}

#[tokio::test]
async fn a_question_parks_its_file_and_nothing_else() {
    let (host, machine, mut client) = ada(None).await;
    for name in ["a", "b", "c"] {
        files::write(&machine.path("tree").join(name), name, 2 * MIB).expect("written");
    }
    fs::create_dir(host.home("ada").join("tree")).expect("made");
    fs::write(host.home("ada").join("tree/b"), b"in the way").expect("written");
    client.upload(machine.path("tree"), "/tree", IfExists::Ask).expect("enqueued");
    for _ in 0..2 {
        assert_eq!(client.done().await.expect("stored").end, End::Done);
    }
    let mut status = client.engine.status();
    let asked = status.wait_for(|status| !status.questions.is_empty() && status.items[0].state == State::NeedsYou);
    let question =
        tokio::time::timeout(Duration::from_secs(30), asked).await.expect("asked").expect("told").questions[0].clone();
    assert_eq!((question.source_side.size, question.existing().map_or(0, |side| side.size)), (2 * MIB, 10));
    assert_eq!(fs::read(host.home("ada").join("tree/b")).expect("there"), b"in the way");
    let reply = tui_client::engine::status::Reply { answer: IfExists::Overwrite, for_all: false };
    client.engine.answer(question.id, reply);
    assert_eq!(client.done().await.expect("stored").end, End::Done);
    let expected = root(&machine.path("tree/b")).expect("read");
    assert_eq!(root(&host.home("ada").join("tree/b")).expect("there"), expected);
}

#[tokio::test]
async fn over_quota_is_told_once_with_the_shortfall_and_not_tried_again() {
    let (host, machine, mut client) = ada(Some(5 * MIB)).await;
    files::write(&machine.path("tree/fits"), "fits", 2 * MIB).expect("written");
    files::write(&machine.path("tree/too-large"), "too large", 6 * MIB).expect("written");
    client.upload(machine.path("tree"), "/tree", IfExists::Ask).expect("enqueued");
    let ends = [client.outcome().await.expect("ended"), client.outcome().await.expect("ended")];
    let failed: Vec<_> = ends.iter().filter(|outcome| outcome.path.contains("too-large")).collect();
    let [outcome] = failed.as_slice() else { panic!("{ends:?}") };
    let End::Failed(fault) = &outcome.end else { panic!("{outcome:?}") };
    assert_eq!((fault.code, outcome.sent), (Code::Quota, 0));
    assert!(matches!(fault.detail, Detail::Shortfall(short) if short == MIB || short == 3 * MIB), "{fault:?}");
    eventually("the item is over", async || {
        client.engine.status().borrow().items.iter().all(|item| item.state.is_over())
    })
    .await;
    let usage = client.engine.usage().await.expect("told");
    assert_eq!((usage.used, usage.reserved), (2 * MIB, 0));
    assert_eq!(holds(&host.home("ada")).expect("walked").bytes, 2 * MIB);
}

#[tokio::test]
async fn a_download_writes_nowhere_but_below_its_target() {
    let (host, machine, mut client) = ada(None).await;
    let home = host.home("ada");
    fs::create_dir_all(home.join("tree/dir")).expect("made");
    for name in ["tree/dir/file", "tree/link-target", "tree/last"] {
        fs::write(home.join(name), b"from the server").expect("written");
    }
    let outside = machine.path("outside");
    fs::create_dir_all(&outside).expect("made");
    fs::create_dir_all(machine.path("target")).expect("made");
    fs::write(outside.join("precious"), b"precious").expect("written");
    std::os::unix::fs::symlink(&outside, machine.path("target/dir")).expect("linked");
    std::os::unix::fs::symlink(outside.join("precious"), machine.path("target/link-target")).expect("linked");
    client.download("/tree", machine.path("target"), IfExists::Overwrite).expect("enqueued");
    for _ in 0..3 {
        client.outcome().await.expect("ended");
    }
    assert_eq!(fs::read(outside.join("precious")).expect("there"), b"precious");
    assert_eq!(fs::read_dir(&outside).expect("readable").count(), 1, "something was written through a link");
    assert_eq!(fs::read(machine.path("target/last")).expect("the rest goes on"), b"from the server");
}

#[tokio::test]
async fn pause_resume_and_cancel_do_what_they_say() {
    let (host, machine, mut client) = ada(None).await;
    let expected = files::write(&machine.path("large"), "large", 64 * MIB).expect("written");
    client.engine.set_limit(Some(32 * MIB));
    client.upload(machine.path("large"), "/large", IfExists::Ask).expect("enqueued");
    let mut status = client.engine.status();
    let within = async |status: &mut tokio::sync::watch::Receiver<_>, want: fn(&State, u64) -> bool| {
        let wait = status.wait_for(|status: &std::sync::Arc<tui_client::engine::status::Status>| {
            status.items.iter().any(|item| want(&item.state, item.bytes_done))
        });
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect("in time").expect("told").items[0].id
    };
    let id = within(&mut status, |_, done| done > 16 * MIB).await;
    client.engine.pause(id);
    within(&mut status, |state, _| *state == State::Paused).await;
    client.engine.set_limit(None);
    client.engine.resume(id);
    let outcome = client.done().await.expect("stored");
    assert_eq!((outcome.root, outcome.sent + outcome.held), (Some(expected), 64 * MIB));
    assert_eq!(root(&host.home("ada").join("large")).expect("there"), expected);

    client.engine.set_limit(Some(16 * MIB));
    client.download("/large", machine.path("back"), IfExists::Ask).expect("enqueued");
    let wait = status.wait_for(|status| status.items.len() == 2 && status.items[1].bytes_done > 4 * MIB);
    let id = tokio::time::timeout(Duration::from_secs(60), wait).await.expect("in time").expect("told").items[1].id;
    client.engine.cancel(id, tui_client::engine::Partial::Discard);
    eventually("nothing is left of it", async || fs::read_dir(machine.path("")).expect("readable").count() == 1).await;
}

#[tokio::test]
async fn a_limit_holds_both_ways() {
    let (_host, machine, mut client) = ada(None).await;
    files::write(&machine.path("file"), "file", 8 * MIB).expect("written");
    client.engine.set_limit(Some(4 * MIB));
    for up in [true, false] {
        let start = std::time::Instant::now();
        if up {
            client.upload(machine.path("file"), "/file", IfExists::Ask).expect("enqueued");
        } else {
            client.download("/file", machine.path("back"), IfExists::Ask).expect("enqueued");
        }
        client.done().await.expect("done");
        let took = start.elapsed();
        // Two seconds at this rate, less what may burst.
        assert!(took > Duration::from_millis(1200), "8 MiB at 4 MiB/s took {took:?}, up: {up}");
    }
}
