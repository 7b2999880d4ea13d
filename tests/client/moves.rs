//! Moves to and from the server: a source goes when its copy is proven, and only then.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tests::files::{holds, paths, root, write};
use tests::host::eventually;
use tests::proxy::Way;
use tui_client::engine::Options;
use tui_client::engine::status::{End, IfExists, ItemStatus, Link, Reply, State};
use wire::{Code, Fault};

use crate::bench::{Bench, MIB};

/// Some files of all sizes in directories, empty ones among both.
fn plant(tree: &Path) {
    write(&tree.join("large"), "large", 3 * MIB + 1).expect("written");
    for index in 0..60 {
        write(&tree.join(format!("{}/{index}", index % 3)), &index.to_string(), 500 * index).expect("written");
    }
    fs::create_dir_all(tree.join("empty/in/empty")).expect("made");
}

fn failure(item: &ItemStatus) -> &Fault {
    match &item.state {
        State::Failed(fault) => fault,
        other => panic!("not failed: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_trees_move_both_ways_and_leave_nothing_behind() {
    let mut bench = Bench::new().await;
    let home = bench.host.home("ada");
    plant(&bench.path("tree"));
    let expected = holds(&bench.path("tree")).expect("walked");
    let proof = write(&bench.path("one"), "one", 2 * MIB).expect("written");
    let mut outcomes = bench.engine.outcomes();

    let up = [bench.move_up("tree", IfExists::Ask), bench.move_up("one", IfExists::Ask)];
    for id in up {
        let done = bench.done(id).await;
        assert_eq!((done.files_done, done.directories_left, done.note.as_str()), (done.files, 0, ""));
    }
    assert!(!bench.path("tree").exists() && !bench.path("one").exists());
    assert_eq!(holds(&home.join("tree")).expect("walked"), expected);
    assert!(home.join("tree/empty/in/empty").is_dir());
    assert_eq!(root(&home.join("one")).expect("there"), proof);

    let down = [bench.move_down("tree", "back", IfExists::Ask), bench.move_down("one", "one", IfExists::Ask)];
    for id in down {
        bench.done(id).await;
    }
    assert!(!home.join("tree").exists() && !home.join("one").exists());
    assert_eq!(holds(&bench.path("back")).expect("walked"), expected);
    assert!(bench.path("back/empty/in/empty").is_dir());
    assert_eq!(root(&bench.path("one")).expect("there"), proof);
    eventually("the space is given back", async || bench.engine.usage().await.expect("told").used == 0).await;
    let mut told = 0;
    while let Ok(outcome) = outcomes.try_recv() {
        assert_eq!(outcome.end, End::Done);
        told += 1;
    }
    assert_eq!(told, 2 * (expected.files + 1), "one outcome a file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_skipped_or_asked_about_stays_with_its_directories() {
    let mut bench = Bench::new().await;
    let home = bench.host.home("ada");
    for name in ["tree/a", "tree/sub/b"] {
        write(&bench.path(name), name, 5000).expect("written");
    }
    write(&home.join("tree/a"), "another", 5000).expect("written");
    let id = bench.move_up("tree", IfExists::Ask);
    let asked = bench.item(id, "asked", |item| item.state == State::NeedsYou).await;
    assert_eq!(asked.files_done, 1);
    assert!(bench.path("tree/a").exists() && !bench.path("tree/sub/b").exists());
    let question = bench.until("a question", |status| status.questions.len() == 1).await.questions[0].id;
    bench.engine.answer(question, Reply { answer: IfExists::Skip, for_all: false });
    let done = bench.done(id).await;
    assert_eq!((done.files_done, done.files_skipped), (2, 1));
    assert!(bench.path("tree/a").exists() && bench.path("tree/sub").is_dir());

    // The other way; a link is passed over, and stays.
    write(&bench.path("here/b"), "in the way", 100).expect("written");
    std::os::unix::fs::symlink("b", home.join("tree/sub/link")).expect("linked");
    let id = bench.move_down("tree/sub", "here", IfExists::Skip);
    let done = bench.done(id).await;
    assert_eq!(done.files_skipped, 2);
    assert!(home.join("tree/sub/b").exists() && home.join("tree/sub/link").is_symlink());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_identical_at_the_target_is_proven_and_goes() {
    let mut bench = Bench::new().await;
    let home = bench.host.home("ada");
    for name in ["tree/a", "tree/b"] {
        write(&bench.path(name), name, 300_000).expect("written");
    }
    let id = bench.up("tree", IfExists::Ask);
    bench.done(id).await;
    let id = bench.move_up("tree", IfExists::Ask);
    let done = bench.done(id).await;
    assert_eq!((done.sent, done.held), (0, 600_000));
    assert!(!bench.path("tree").exists());
    assert_eq!(holds(&home.join("tree")).expect("walked").files, 2);

    // And back again over copies that are here: proven by their content.
    let id = bench.down("tree", "copy");
    bench.done(id).await;
    let id = bench.move_down("tree", "copy", IfExists::Ask);
    let done = bench.done(id).await;
    assert_eq!((done.sent, done.held), (0, 600_000));
    assert!(!home.join("tree").exists());
    assert_eq!(holds(&bench.path("copy")).expect("walked").files, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_was_equal_and_is_gone_keeps_its_source() {
    let mut bench = Bench::with(Options { lanes: 1, ..Options::default() }).await;
    let home = bench.host.home("ada");
    write(&bench.path("tree/b"), "b", 1000).expect("written");
    let id = bench.up("tree", IfExists::Ask);
    bench.done(id).await;
    write(&bench.path("tree/a"), "a", 4 * MIB).expect("written");
    bench.engine.set_limit(Some(2 * MIB));
    // What is at the target was listed; then `b` waits for the one lane.
    let id = bench.move_up("tree", IfExists::Ask);
    bench.item(id, "a is on its way", |item| item.bytes_done > MIB).await;
    fs::remove_file(home.join("tree/b")).expect("removed");
    bench.engine.set_limit(None);
    let over = bench.item(id, "over", |item| item.state.is_over()).await;
    assert_eq!((failure(&over).code, over.files_done), (Code::Changed, 1));
    assert!(bench.path("tree/b").exists() && !bench.path("tree/a").exists());
    bench.engine.retry(id);
    bench.done(id).await;
    assert!(!bench.path("tree").exists() && home.join("tree/b").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_changes_after_it_was_sent_is_kept_and_moved_on_request() {
    let mut bench = Bench::new().await;
    let home = bench.host.home("ada");
    // The lane is there already, so that what passes next is the file.
    write(&bench.path("first"), "first", 10).expect("written");
    let id = bench.up("first", IfExists::Ask);
    bench.done(id).await;

    // A file of one block is read whole before its first byte travels.
    write(&bench.path("up"), "old", 900_000).expect("written");
    let before = bench.proxy.passed(Way::Up);
    bench.proxy.limit(Way::Up, Some(250_000));
    let id = bench.move_up("up", IfExists::Overwrite);
    eventually("it travels", async || bench.proxy.passed(Way::Up) > before + 100_000).await;
    let new = write(&bench.path("up"), "new", 900_000).expect("written");
    bench.proxy.limit(Way::Up, None);
    let over = bench.item(id, "over", |item| item.state.is_over()).await;
    assert_eq!(failure(&over).message, "copied, but the source changed and was kept");
    assert_eq!((over.files_done, over.files_failed), (0, 1));
    assert_eq!(root(&bench.path("up")).expect("kept"), new);
    assert_ne!(root(&home.join("up")).expect("copied"), new);
    bench.engine.retry(id);
    let done = bench.done(id).await;
    assert_eq!((done.files_done, done.bytes_done, done.sent), (1, 900_000, 900_000));
    assert!(!bench.path("up").exists());
    assert_eq!(root(&home.join("up")).expect("there"), new);

    // So does the server with one that it reads ahead.
    write(&home.join("down"), "old", 60_000).expect("written");
    let before = bench.proxy.passed(Way::Down);
    bench.proxy.limit(Way::Down, Some(25_000));
    let id = bench.move_down("down", "down", IfExists::Overwrite);
    eventually("it travels", async || bench.proxy.passed(Way::Down) > before + 20_000).await;
    let new = write(&home.join("down"), "longer", 70_000).expect("written");
    bench.proxy.limit(Way::Down, None);
    let over = bench.item(id, "over", |item| item.state.is_over()).await;
    assert_eq!(failure(&over).code, Code::Changed);
    assert!(bench.path("down").exists() && root(&home.join("down")).expect("kept") == new);
    bench.engine.retry(id);
    let done = bench.done(id).await;
    assert_eq!((done.bytes, done.bytes_done), (70_000, 70_000));
    assert!(!home.join("down").exists());
    assert_eq!(root(&bench.path("down")).expect("there"), new);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_appears_meanwhile_stays_and_is_told() {
    let mut bench = Bench::new().await;
    // A part of an unfinished download is nobody's file: it is not sent, and it is not removed.
    for name in ["tree/a", "tree/sub/b", "tree/sub/.c.catamaran-part", "tree/other/d"] {
        write(&bench.path(name), name, 5000).expect("written");
    }
    let id = bench.move_up("tree", IfExists::Ask);
    let done = bench.done(id).await;
    assert_eq!((done.files, done.files_done, done.directories_left), (3, 3, 2));
    assert!(done.note.ends_with("tree/sub is not empty"), "{}", done.note);
    let left = paths(&bench.path("tree")).expect("walked");
    assert_eq!(left, [bench.path("tree/sub/.c.catamaran-part")]);
    assert!(!bench.path("tree/other").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_not_moved_for_what_it_leads_to() {
    let mut bench = Bench::new().await;
    write(&bench.path("real/file"), "file", 100).expect("written");
    std::os::unix::fs::symlink(bench.path("real"), bench.path("link")).expect("linked");
    let id = bench.move_up("link", IfExists::Ask);
    let over = bench.item(id, "over", |item| item.state.is_over()).await;
    assert_eq!(failure(&over).code, Code::Denied);
    assert!(bench.path("link").is_symlink() && bench.path("real/file").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_meets_a_lost_connection_is_not_forgotten() {
    let mut bench = Bench::new().await;
    let home = bench.host.home("ada");
    for index in 0..400 {
        write(&home.join(format!("tree/{}/{index}", index % 5)), &index.to_string(), 1000).expect("written");
    }
    let id = bench.move_down("tree", "tree", IfExists::Ask);
    for (round, files) in [5, 100, 250].into_iter().enumerate() {
        bench.item(id, "some are moved", |item| item.files_done >= files).await;
        bench.proxy.cut();
        bench.proxy.has_cut(round as u64 + 1).await;
    }
    let done = bench.done(id).await;
    assert_eq!((done.files_done, done.files_failed, done.directories_left), (400, 0, 0));
    assert!(!home.join("tree").exists());
    assert_eq!(holds(&bench.path("tree")).expect("walked").files, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_comes_back_at_once_on_request() {
    let mut bench = Bench::new().await;
    bench.proxy.refuse(true);
    bench.proxy.cut();
    // Pauses grow: after some failures the next try is seconds away.
    let long = Duration::from_secs(3);
    bench.until("long", |status| matches!(status.link, Link::Lost { retry_in, .. } if retry_in > long)).await;
    bench.proxy.refuse(false);
    let start = std::time::Instant::now();
    bench.engine.reconnect();
    bench.until("back", |status| status.link == Link::Online).await;
    assert!(start.elapsed() < Duration::from_secs(2), "it took {:?}", start.elapsed());
}
