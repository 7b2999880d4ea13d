//! The queue outlives the program: killed, ended, and killed in the middle of a move.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tests::files::{self, paths, root};
use tests::proxy::Way;
use tests::terminal::{Terminal, key};

use crate::{MIB, Scene, press, quit, restored};

/// Names below a directory with their contents.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let found = paths(directory).unwrap_or_default();
    let files = found.into_iter().filter(|path| path.is_file());
    files
        .map(|path| (path.strip_prefix(directory).expect("below").to_owned(), fs::read(&path).expect("read")))
        .collect()
}

/// Files of all sizes below `queued`, 48 MiB together.
fn plant(scene: &Scene) {
    for (name, size) in [("large", 24), ("larger", 20)] {
        files::write(&scene.local(&format!("queued/{name}")), name, size * MIB).expect("written");
    }
    for index in 0..400 {
        let name = format!("queued/tree/{}/{index}", index % 5);
        files::write(&scene.local(&name), &name, 10_000).expect("written");
    }
}

/// Marks everything in the local directory `queued` and presses `how`.
fn queue_all(terminal: &mut Terminal, how: &str) {
    crate::go_to(terminal, "queued");
    press(terminal, &[key::ENTER]);
    terminal.until_shown("larger").expect("read");
    press(terminal, &[key::HOME, key::DOWN, key::INSERT, key::INSERT, key::INSERT]);
    terminal.until_shown("3 marked").expect("marked");
    press(terminal, &[how]);
    terminal.until_shown("to the server").expect("asked");
    press(terminal, &[key::ENTER]);
}

/// Whether everything that the queue still shows is done.
fn only_done(screen: &str) -> bool {
    let title = screen.lines().find_map(|line| line.split_once("Queue: ")).map(|(_, title)| title);
    title.is_some_and(|title| title.split(' ').nth(1) == Some("done"))
}

fn logged_in_again(scene: &Scene) -> Terminal {
    let mut terminal = scene.client(100, 30);
    terminal.until_shown("password").expect("it asks");
    press(&mut terminal, &[tests::host::PASSWORD, key::ENTER]);
    terminal
}

/// The record of the queue on the disk.
fn kept(scene: &Scene) -> String {
    let dir = scene.machine.path().join(".local/state/catamaran/queue");
    let files = paths(&dir).unwrap_or_default();
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.map(|path| fs::read_to_string(path).expect("read")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_was_killed_half_way_is_resumed_and_nothing_proven_is_sent_twice() {
    let scene = Scene::set().await;
    plant(&scene);
    let before = contents(&scene.local("queued"));
    scene.slow("24MiB");
    let mut terminal = scene.logged_in(100, 30);
    queue_all(&mut terminal, key::F5);
    terminal.until("half of it sent", |_| scene.proxy.passed(Way::Up) > 24 * MIB).expect("it runs");
    terminal.kill().expect("killed");
    drop(terminal);
    let first = scene.proxy.passed(Way::Up);

    scene.slow("none");
    let mut terminal = logged_in_again(&scene);
    terminal.until_shown("not finished the last time").expect("it asks");
    assert!(scene.proxy.passed(Way::Up) - first < MIB, "nothing is sent before the answer");
    press(&mut terminal, &[key::ENTER]);
    // What was through before the kill is not on the list any more.
    terminal.until("all of it is there", |screen| only_done(&screen.contents())).expect("all of it is there");
    for (name, bytes) in &before {
        assert!(fs::read(scene.remote("").join(name)).expect("there") == *bytes, "{name:?}");
    }
    // What was on its way at the kill travels again: some blocks on each lane, and small files not yet told of.
    let twice = scene.proxy.passed(Way::Up).saturating_sub(48 * MIB);
    assert!(twice < 12 * MIB, "{twice} bytes travelled for the second time");
    quit(terminal);
    let history = fs::read_to_string(scene.machine.path().join(".local/state/catamaran/history.jsonl")).expect("kept");
    let held = |line: &str| line.contains("\"end\":\"done\"") && !line.contains("\"held\":0,");
    assert!(history.lines().count() == 3 && history.lines().any(held), "{history}");
    let terminal = logged_in_again(&scene);
    terminal.until_shown("photos").expect("read");
    assert!(!kept(&scene).contains("item"), "{}", kept(&scene));
    quit(terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_was_left_is_there_at_the_next_start_and_can_be_dropped() {
    let scene = Scene::set().await;
    files::write(&scene.local("large"), "large", 64 * MIB).expect("written");
    scene.slow("4MiB");
    let mut terminal = scene.logged_in(100, 30);
    crate::go_to(&mut terminal, "large");
    press(&mut terminal, &[key::F5, key::ENTER]);
    terminal.until_shown("Queue: 1 running").expect("it runs");
    press(&mut terminal, &[key::F10]);
    terminal.until_shown("The queue is left for the next start").expect("asked");
    press(&mut terminal, &[key::TAB, key::ENTER]);
    assert_eq!(terminal.ended().expect("it ends").exit_code(), 0);
    restored(&terminal);

    // Looked at, it waits; it is asked for again and again until somebody decides.
    for _ in 0..2 {
        let mut terminal = logged_in_again(&scene);
        terminal.until_shown("1 transfer (").expect("it asks");
        press(&mut terminal, &[key::TAB, key::ENTER]);
        terminal.until_shown("Queue: 1 paused").expect("it waits");
        press(&mut terminal, &[key::F10]);
        terminal.until_shown("Not finished: 1 transfer").expect("asked");
        press(&mut terminal, &[key::TAB, key::ENTER]);
        terminal.ended().expect("it ends");
    }
    let mut terminal = logged_in_again(&scene);
    terminal.until_shown("1 transfer (").expect("it asks");
    press(&mut terminal, &[key::TAB, key::TAB, key::ENTER]);
    terminal.until_shown("Drop 1 transfer?").expect("it asks");
    press(&mut terminal, &[key::TAB, key::ENTER]);
    terminal.until_gone("Queue: 1 paused").expect("dropped");
    quit(terminal);
    let terminal = logged_in_again(&scene);
    terminal.until_shown("photos").expect("read");
    assert!(!kept(&scene).contains("item"), "{}", kept(&scene));
    quit(terminal);
    assert!(scene.local("large").exists() && !scene.remote("large").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_was_killed_loses_nothing_and_ends() {
    let scene = Scene::set().await;
    plant(&scene);
    let before = contents(&scene.local("queued"));
    scene.slow("24MiB");
    for part in [8, 30] {
        let mut terminal = if part == 8 { scene.logged_in(100, 30) } else { logged_in_again(&scene) };
        match part {
            8 => queue_all(&mut terminal, key::F6),
            _ => {
                terminal.until_shown("not finished the last time").expect("it asks");
                press(&mut terminal, &[key::ENTER]);
            }
        }
        terminal.until("some of it sent", |_| scene.proxy.passed(Way::Up) > part * MIB).expect("it runs");
        terminal.kill().expect("killed");
        let (here, there) = (contents(&scene.local("queued")), contents(&scene.remote("")));
        for (name, bytes) in &before {
            let is_safe = here.get(name) == Some(bytes) || there.get(name) == Some(bytes);
            assert!(is_safe, "{name:?} is at neither end");
        }
    }
    scene.slow("none");
    let mut terminal = logged_in_again(&scene);
    terminal.until_shown("not finished the last time").expect("it asks");
    press(&mut terminal, &[key::ENTER]);
    terminal
        .until("nothing is left to do", |screen| {
            let shown = screen.contents();
            shown.contains("Queue: ") && !["running", "waiting", "paused"].iter().any(|word| shown.contains(word))
        })
        .expect("moved");
    let there = contents(&scene.remote(""));
    for (name, bytes) in &before {
        assert!(there.get(name) == Some(bytes), "{name:?}");
    }
    assert_eq!(contents(&scene.local("queued")), BTreeMap::new(), "sources are gone");
    assert!(root(&scene.remote("from-server")).is_ok(), "nothing else is");
    quit(terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_there_at_the_next_start_and_what_failed_is_tried_again() {
    let scene = Scene::set().await;
    for name in ["first", "second"] {
        files::write(&scene.local(name), name, MIB).expect("written");
    }
    let proof = root(&scene.local("first")).expect("read").to_string();
    let mut terminal = scene.logged_in(100, 30);
    crate::go_to(&mut terminal, "first");
    press(&mut terminal, &[key::F5]);
    terminal.until_shown("to the server").expect("asked");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("1 done").expect("copied");
    crate::go_to(&mut terminal, "second");
    press(&mut terminal, &[key::F5]);
    terminal.until_shown("to the server").expect("asked");
    fs::remove_file(scene.local("second")).expect("removed");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("1 failed").expect("it is gone");
    quit(terminal);

    let mut terminal = logged_in_again(&scene);
    terminal.until_shown("from-server").expect("read");
    press(&mut terminal, &[HISTORY]);
    terminal.until_shown("─ History ─ 2 ").expect("both are told");
    press(&mut terminal, &[key::DOWN]);
    terminal.until_shown(&proof).expect("with its root");
    press(&mut terminal, &["f"]);
    terminal.until_shown("failed only ─ 1 of 2").expect("one of them");
    files::write(&scene.local("second"), "second", MIB).expect("written");
    press(&mut terminal, &["r"]);
    terminal.until_shown("1 transfer again in the queue").expect("told");
    press(&mut terminal, &[HISTORY]);
    terminal.until_shown("1 done").expect("copied");
    let (here, there) = (fs::read(scene.local("second")), fs::read(scene.remote("second")));
    assert!(here.expect("read") == there.expect("read"));
    quit(terminal);
    let mut terminal = logged_in_again(&scene);
    terminal.until_shown("from-server").expect("read");
    press(&mut terminal, &[HISTORY]);
    terminal.until_shown("─ History ─ 3 ").expect("all three");
    press(&mut terminal, &[HISTORY]);
    terminal.until_gone("─ History ─").expect("left");
    quit(terminal);
}

/// Alt-H.
const HISTORY: &str = "\x1bh";
