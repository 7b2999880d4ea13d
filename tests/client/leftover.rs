//! Queues of the last time: what a move had removed before the program was killed is not looked for, and
//! whatever has its name since then stays.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tests::files::{root, write};
use tests::host::PASSWORD;
use tui_client::engine::status::{Keep, State};
use tui_client::engine::{Options, Restored};

use crate::bench::{Bench, MIB, connect};

const ACCOUNT: &str = "ada@127.0.0.1";

/// The file of a queue with these lines.
fn keep(state: &Path, lines: &[String]) {
    let header = format!("{{\"catamaran\":\"queue\",\"version\":1,\"account\":\"{ACCOUNT}\"}}\n");
    fs::create_dir_all(state.join("queue")).expect("made");
    let text: String = std::iter::once(header).chain(lines.iter().map(|line| format!("{line}\n"))).collect();
    fs::write(state.join(format!("queue/{ACCOUNT}.jsonl")), text).expect("written");
}

/// A move of `name` that was killed after it was noted that the source goes.
fn leaving(bench: &Bench, name: &str, source: &Path) -> String {
    let now = fs::metadata(source).expect("there");
    let bytes: Vec<String> = {
        let hex = root(source).expect("read").to_string();
        (0..32).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex").to_string()).collect()
    };
    format!(
        "{{\"item\":{{\"id\":1,\"way\":\"up\",\"source\":\"{}\",\"target\":\"/{name}\",\"if_exists\":\"overwrite\",\
         \"moves\":true,\"leaving\":{{\"file\":{{\"root\":[{}],\"size\":{},\"mtime\":{{\"secs\":{},\"nanos\":{}}},\
         \"identity\":[{},{}]}}}}}}}}",
        bench.path(name).display(),
        bytes.join(","),
        now.len(),
        now.mtime(),
        now.mtime_nsec(),
        now.dev(),
        now.ino()
    )
}

async fn resume(bench: &mut Bench) -> tui_client::engine::status::ItemStatus {
    let restored = bench.engine.keep(bench.path("state"), ACCOUNT.into()).await.expect("kept");
    let [id] = restored.items[..] else { panic!("{restored:?}") };
    bench.item(id, "waits", |item| item.state == State::Paused).await;
    bench.engine.resume(id);
    bench.item(id, "over", |item| item.state.is_over()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_went_is_moved_and_not_missed() {
    let mut bench = Bench::new().await;
    write(&bench.path("file"), "file", 2 * MIB).expect("written");
    keep(&bench.path("state"), &[leaving(&bench, "file", &bench.path("file"))]);
    fs::create_dir_all(bench.host.home("ada")).expect("made");
    fs::rename(bench.path("file"), bench.host.home("ada").join("file")).expect("moved");
    let over = resume(&mut bench).await;
    assert_eq!((over.state, over.files_done, over.sent), (State::Done, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn something_else_under_the_name_of_a_source_that_went_stays() {
    let mut bench = Bench::new().await;
    let proof = write(&bench.path("file"), "file", 2 * MIB).expect("written");
    keep(&bench.path("state"), &[leaving(&bench, "file", &bench.path("file"))]);
    fs::create_dir_all(bench.host.home("ada")).expect("made");
    fs::rename(bench.path("file"), bench.host.home("ada").join("file")).expect("moved");
    let other = write(&bench.path("file"), "other", 2 * MIB).expect("written");
    let over = resume(&mut bench).await;
    assert_eq!((over.state, over.sent), (State::Done, 0));
    assert_eq!(root(&bench.path("file")).expect("stays"), other);
    assert_eq!(root(&bench.host.home("ada").join("file")).expect("stays"), proof);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_did_not_go_yet_goes_when_it_is_proven_again() {
    let mut bench = Bench::new().await;
    let proof = write(&bench.path("file"), "file", 2 * MIB).expect("written");
    let first = bench.up("file", tui_client::engine::status::IfExists::Ask);
    bench.done(first).await;
    bench.engine.forget(first);
    keep(&bench.path("state"), &[leaving(&bench, "file", &bench.path("file"))]);
    let over = resume(&mut bench).await;
    assert_eq!((over.state, over.files_done, over.sent), (State::Done, 1, 0));
    assert!(!bench.path("file").exists());
    assert_eq!(root(&bench.host.home("ada").join("file")).expect("there"), proof);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_kept_beside_another_is_not_kept_a_third_time() {
    let mut bench = Bench::new().await;
    write(&bench.host.home("ada").join("file"), "other", 2 * MIB).expect("written");
    write(&bench.path("file"), "file", 2 * MIB).expect("written");
    for _ in 0..2 {
        let id = bench.up("file", tui_client::engine::status::IfExists::Rename);
        bench.done(id).await;
        bench.engine.forget(id);
    }
    write(&bench.path("small"), "small", 100).expect("written");
    write(&bench.host.home("ada").join("small"), "more", 100).expect("written");
    for _ in 0..2 {
        let id = bench.up("small", tui_client::engine::status::IfExists::Rename);
        bench.done(id).await;
    }
    let mut names: Vec<String> = fs::read_dir(bench.host.home("ada"))
        .expect("listed")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    assert_eq!(names, ["file", "file (1)", "small", "small (1)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_keep_a_queue_each_and_the_next_has_both() {
    let mut bench = Bench::new().await;
    let state = bench.path("state");
    let second =
        connect(bench.proxy.address.port(), bench.place.path(), PASSWORD, Options::default()).await.expect("in");
    for engine in [&bench.engine, &second] {
        assert_eq!(engine.keep(state.clone(), ACCOUNT.into()).await.expect("kept"), Restored::default());
    }
    bench.until("kept", |status| status.keep == Keep::Kept).await;
    bench.engine.set_limit(Some(64 << 10));
    second.set_limit(Some(64 << 10));
    write(&bench.path("one"), "one", 8 * MIB).expect("written");
    write(&bench.path("two"), "two", 8 * MIB).expect("written");
    bench.up("one", tui_client::engine::status::IfExists::Ask);
    let first = std::mem::replace(&mut bench.engine, second);
    bench.up("two", tui_client::engine::status::IfExists::Ask);
    first.shutdown(tests::line::PATIENCE).await;
    bench.engine.shutdown(tests::line::PATIENCE).await;
    drop(first);
    let third =
        connect(bench.proxy.address.port(), bench.place.path(), PASSWORD, Options::default()).await.expect("in");
    let restored = third.keep(state, ACCOUNT.into()).await.expect("kept");
    assert_eq!((restored.items.len(), restored.told), (2, None));
}
