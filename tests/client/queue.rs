//! What only the engine can do, seen as the full-screen client sees it: pause, cancel, ask, limit,
//! reconnect.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use tests::files::{content, paths, root, write};
use tests::host::{Host, Reason, eventually};
use tests::proxy::Way;
use tokio::time::timeout;
use tui_client::engine::status::{End, IfExists, Link, Reply, State};
use tui_client::engine::{ConnectError, Notice, Options, Partial};
use wire::{Code, RemotePath};

use crate::bench::{Bench, MIB, connect};

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_comes_back_and_nothing_travels_twice() {
    let mut bench = Bench::new().await;
    let proof = write(&bench.path("large"), "large", 40 * MIB).expect("written");
    let mut seen = bench.engine.status();
    bench.proxy.cut_after(Way::Up, 21 * MIB);
    let up = bench.up("large", IfExists::Ask);
    seen.wait_for(|status| matches!(status.link, Link::Lost { .. })).await.expect("the loss is told");
    let up = bench.done(up).await;
    assert_eq!((up.sent + up.held, up.root), (40 * MIB, Some(proof)));
    // What was on its way at the cut travelled for nothing; no more than that is sent again.
    assert!(bench.proxy.passed(Way::Up) < 48 * MIB, "{} bytes went up", bench.proxy.passed(Way::Up));
    assert_eq!(root(&bench.host.home("ada").join("large")).expect("read"), proof);
    bench.until("back", |status| status.link == Link::Online).await;

    bench.proxy.cut_after(Way::Down, 21 * MIB);
    let down = bench.down("large", "back");
    let down = bench.done(down).await;
    assert_eq!((down.sent + down.held, down.bytes_done), (40 * MIB, 40 * MIB));
    assert!(bench.proxy.passed(Way::Down) < 52 * MIB, "{} bytes came down", bench.proxy.passed(Way::Down));
    assert_eq!(root(&bench.path("back")).expect("read"), proof);
    assert_eq!(bench.proxy.cuts(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_survives_cuts_again_and_again() {
    let mut bench = Bench::new().await;
    for index in 0..3000 {
        let path = bench.path(&format!("tree/{}/{index}", index % 7));
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(path, content(&index.to_string(), 2000)).expect("written");
    }
    let mut outcomes = bench.engine.outcomes();
    let up = bench.up("tree", IfExists::Ask);
    for round in 1..=3 {
        bench.proxy.cut_after(Way::Up, MIB);
        bench.proxy.has_cut(round).await;
    }
    let up = bench.done(up).await;
    assert_eq!((up.files, up.files_done, up.files_failed), (3000, 3000, 0));
    let mut told = 0;
    while let Ok(outcome) = outcomes.try_recv() {
        assert_eq!(outcome.end, End::Done);
        told += 1;
    }
    assert_eq!(told, 3000);
    let down = bench.down("tree", "copy");
    bench.proxy.cut_after(Way::Down, 2 * MIB);
    bench.done(down).await;
    for path in paths(&bench.path("tree")).expect("walked") {
        let below = path.strip_prefix(bench.path("tree")).expect("below").to_owned();
        let original = fs::read(&path).expect("read");
        assert_eq!(fs::read(bench.path("copy").join(&below)).expect("came back"), original);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_item_waits_and_goes_on_where_it_was() {
    let mut bench = Bench::with(Options { limit: Some(16 * MIB), ..Options::default() }).await;
    let proof = write(&bench.path("large"), "large", 24 * MIB).expect("written");
    let id = bench.up("large", IfExists::Ask);
    bench.item(id, "half of it", |item| item.bytes_done > 10 * MIB).await;
    bench.engine.pause(id);
    let paused = bench.item(id, "paused", |item| item.state == State::Paused && item.rate == 0).await;
    assert!(paused.bytes_done >= 9 * MIB && paused.bytes_done < 24 * MIB, "{paused:?}");
    bench.engine.set_limit(None);
    bench.until("the limit is gone", |status| status.limit.is_none()).await;
    bench.engine.resume(id);
    let done = bench.done(id).await;
    assert_eq!((done.sent + done.held, done.bytes_done, done.root), (24 * MIB, 24 * MIB, Some(proof)));

    bench.engine.set_limit(Some(16 * MIB));
    let id = bench.down("large", "down");
    bench.item(id, "half of it", |item| item.bytes_done > 10 * MIB).await;
    bench.engine.pause_all();
    bench.item(id, "paused", |item| item.state == State::Paused).await;
    eventually("the lane has let go", async || {
        let part = fs::File::open(bench.path(".down.catamaran-part")).expect("kept");
        rustix::fs::flock(&part, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok()
    })
    .await;
    bench.engine.set_limit(None);
    bench.engine.resume_all();
    bench.done(id).await;
    assert_eq!(root(&bench.path("down")).expect("read"), proof);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_item_is_held_while_others_run_free_and_a_change_counts_at_once() {
    let mut bench = Bench::new().await;
    for (name, size) in [("held", 64), ("free", 64)] {
        write(&bench.path(name), name, size * MIB).expect("written");
        write(&bench.host.home("ada").join(format!("{name}.back")), name, size * MIB).expect("written");
    }
    for way in [Way::Up, Way::Down] {
        let begin = |bench: &Bench, name: &str| match way {
            Way::Up => bench.up(name, IfExists::Ask),
            Way::Down => bench.down(&format!("{name}.back"), &format!("{name}.back")),
        };
        let held = begin(&bench, "held");
        bench.engine.limit_item(held, Some(4 * MIB));
        let began = Instant::now();
        bench.item(held, "under way", |item| item.limit == Some(4 * MIB) && item.sent > MIB).await;
        let free = begin(&bench, "free");
        bench.done(free).await;
        let item = bench.item(held, "under way", |item| item.sent > 4 * MIB).await;
        // What was on its way before the limit, and a burst.
        let most = began.elapsed().as_secs_f64() * 4.0 + 9.0;
        assert!((item.sent as f64) < most * MIB as f64, "{way:?}: {} bytes in {:?}", item.sent, began.elapsed());
        assert_eq!((item.state, item.limit), (State::Running, Some(4 * MIB)));

        bench.engine.limit_item(held, None);
        let raised = Instant::now();
        bench.done(held).await;
        let least = Duration::from_secs_f64((64.0 * MIB as f64 - item.sent as f64) / (4.0 * MIB as f64) / 2.0);
        assert!(raised.elapsed() < least, "{way:?}: {:?} is as slow as before", raised.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_item_keeps_or_discards_what_arrived() {
    let mut bench = Bench::with(Options { limit: Some(16 * MIB), ..Options::default() }).await;
    write(&bench.path("large"), "large", 64 * MIB).expect("written");
    write(&bench.host.home("ada").join("there"), "there", 64 * MIB).expect("written");
    for (partial, is_kept) in [(Partial::Keep, true), (Partial::Discard, false)] {
        let (up, down) = (bench.up("large", IfExists::Ask), bench.down("there", "here"));
        for id in [up, down] {
            bench.item(id, "some of it", |item| item.bytes_done > 3 * MIB).await;
        }
        bench.engine.cancel(up, partial);
        bench.engine.cancel(down, partial);
        for id in [up, down] {
            bench.item(id, "cancelled", |item| item.state == State::Cancelled).await;
        }
        let part = bench.path(".here.catamaran-part");
        eventually("kept, or gone", async || part.exists() == is_kept && bench.staged().is_empty() != is_kept).await;
        bench.engine.forget(up);
        bench.engine.forget(down);
        bench.until("forgotten", |status| status.items.is_empty()).await;
    }
    assert!(!bench.path("here").exists() && !bench.host.home("ada").join("large").exists());
    eventually("nothing is promised any more", async || bench.engine.usage().await.expect("told").reserved == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_stops_one_file_and_an_answer_for_all_counts_for_the_item() {
    let mut bench = Bench::new().await;
    for index in 0..6 {
        fs::create_dir_all(bench.path("tree")).expect("made");
        fs::write(bench.path(&format!("tree/{index}")), format!("new {index}")).expect("written");
    }
    fs::create_dir_all(bench.host.home("ada").join("tree")).expect("made");
    for index in 0..4 {
        fs::write(bench.host.home("ada").join(format!("tree/{index}")), "other").expect("written");
    }
    let id = bench.up("tree", IfExists::Ask);
    let waiting = bench.item(id, "needs the user", |item| item.state == State::NeedsYou).await;
    assert_eq!(waiting.files_done, 2, "the others went on");
    let status = bench.until("four questions", |status| status.questions.len() == 4).await;
    let question = &status.questions[0];
    assert_eq!((question.source_side.size, question.existing().map_or(0, |side| side.size)), (5, 5));
    assert_eq!(question.target, "/tree/0");
    bench.engine.answer(question.id, Reply { answer: IfExists::Ask, for_all: true });
    bench.engine.answer(question.id, Reply { answer: IfExists::Skip, for_all: false });
    let status = bench.until("three are left", |status| status.questions.len() == 3).await;
    bench.engine.answer(status.questions[0].id, Reply { answer: IfExists::Overwrite, for_all: true });
    let done = bench.done(id).await;
    assert_eq!(done.files_done, 6);
    let read = |index: u32| fs::read_to_string(bench.host.home("ada").join(format!("tree/{index}"))).expect("there");
    assert_eq!((read(0), read(1), read(3)), ("other".to_owned(), "new 1".to_owned(), "new 3".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_while_it_is_sent_is_sent_as_one_version() {
    let mut bench = Bench::with(Options { limit: Some(32 * MIB), ..Options::default() }).await;
    write(&bench.path("file"), "first", 16 * MIB).expect("written");
    let id = bench.up("file", IfExists::Ask);
    bench.item(id, "some of it", |item| item.bytes_done > 4 * MIB).await;
    let second = write(&bench.path("file"), "second", 16 * MIB).expect("written over it");
    let done = bench.done(id).await;
    assert_eq!(done.root, Some(second));
    assert_eq!(root(&bench.host.home("ada").join("file")).expect("read"), second);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_taken_up_again() {
    let mut bench = Bench::new().await;
    bench.host.set_quota("ada", Some(MIB)).await.expect("set");
    write(&bench.path("file"), "file", 2 * MIB).expect("written");
    let id = bench.up("file", IfExists::Ask);
    let failed = bench.item(id, "over", |item| item.state.is_over()).await;
    let State::Failed(fault) = &failed.state else { panic!("{failed:?}") };
    assert_eq!((fault.code, failed.files_failed, failed.state.word()), (Code::Quota, 1, "over quota"));
    bench.host.set_quota("ada", None).await.expect("set");
    bench.engine.retry(id);
    bench.done(id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_silent_when_nothing_moves_and_tells_what_changes() {
    let mut bench = Bench::new().await;
    let mut notices = bench.engine.notices();
    fs::write(bench.path("file"), b"x").expect("written");
    let id = bench.up("file", IfExists::Ask);
    bench.done(id).await;
    assert_eq!(notices.recv().await.expect("told"), Notice::Changed(RemotePath::home()));
    bench.until("the space is told", |status| status.usage.is_some_and(|usage| usage.used == 1)).await;
    bench.status.mark_unchanged();
    let change = tokio::time::timeout(Duration::from_millis(700), bench.status.changed()).await;
    assert!(change.is_err(), "a status without a change: {:?}", bench.status.borrow());
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_come_in_pages_and_can_be_left() {
    let bench = Bench::new().await;
    let home = bench.host.home("ada");
    fs::create_dir_all(&home).expect("made");
    for index in 0..5000 {
        fs::write(home.join(format!("a rather long name of a file, number {index}")), b"").expect("written");
    }
    let mut pages = bench.engine.list(&RemotePath::home());
    let (mut entries, mut count) = (0, 0);
    while let Some(page) = pages.recv().await {
        entries += page.expect("a page").len();
        count += 1;
    }
    assert!(entries == 5000 && count > 1, "{entries} in {count}");
    for _ in 0..20 {
        let mut left = bench.engine.walk(&RemotePath::home());
        left.recv().await.expect("a page").expect("entries");
    }
    assert_eq!(bench.engine.stat(&RemotePath::home()).await.expect("still served").size, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_come_back_says_so() {
    let options = Options { give_up: Some(Duration::from_millis(600)), ..Options::default() };
    let mut bench = Bench::with(options).await;
    bench.proxy.refuse(true);
    bench.proxy.cut();
    let lost = bench.engine.stat(&RemotePath::home()).await.expect_err("no connection");
    assert_eq!(lost.code, Code::Timeout);
    let status = bench.until("given up", |status| matches!(status.link, Link::Refused(_))).await;
    let Link::Refused(fault) = &status.link else { panic!("{status:?}") };
    assert_eq!(fault.code, Code::Timeout);
    let refused = connect(bench.host.address.port(), bench.place.path(), "wrong", Options::default()).await;
    assert!(matches!(refused, Err(ConnectError::Login(fault)) if fault.code == Code::Login));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_to_be_left_alone_is_left_alone() {
    let host = Host::with(|config| config.limits.max_connections = 2).await.expect("started");
    let mut bench = Bench::on(host, Options::default()).await;
    bench.proxy.refuse(true);
    bench.proxy.cut();
    let mut others = Vec::new();
    eventually("others take all the places", async || {
        others.extend(bench.host.login("ada").await);
        others.len() == 2
    })
    .await;
    bench.proxy.refuse(false);
    let is_told = |link: &Link| matches!(link, Link::Lost { reason, .. } if reason.contains("all the connections"));
    let status = bench.until("told", |status| is_told(&status.link)).await;
    let Link::Lost { retry_in, reason } = &status.link else { panic!("{status:?}") };
    assert!((30..=31).contains(&retry_in.as_secs()) && !reason.contains("try again"), "{retry_in:?} {reason}");
    // Left to itself it would try twice within this.
    let tries = bench.host.refused(Reason::Connections);
    let another = eventually("another try", async || bench.host.refused(Reason::Connections) > tries);
    timeout(Duration::from_secs(3), another).await.expect_err("it is left alone");
    drop(others);
    // A person may be quicker; should the places not be free yet, again.
    eventually("it is back", async || {
        bench.engine.reconnect();
        bench.engine.usage().await.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_stops_transfers_and_keeps_what_arrived() {
    let mut bench = Bench::with(Options { limit: Some(16 * MIB), ..Options::default() }).await;
    write(&bench.path("large"), "large", 64 * MIB).expect("written");
    let id = bench.up("large", IfExists::Ask);
    bench.item(id, "some of it", |item| item.bytes_done > 3 * MIB).await;
    bench.engine.shutdown(Duration::from_secs(10)).await;
    assert!(bench.staged().iter().any(|path| fs::metadata(path).is_ok_and(|metadata| metadata.blocks() > 0)));
    assert!(bench.engine.usage().await.is_err(), "the session has ended");
}
