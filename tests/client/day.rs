//! A working day, from the first login to the last copy of the queue that was left the evening before.

use std::fs;
use std::path::Path;

use tests::files::{self, root};
use tests::host::PASSWORD;
use tests::proxy::Way;
use tests::secrets::holds;
use tests::terminal::{Terminal, key};

use crate::{MIB, Scene, go_to, press, quit, restored};

/// The client, logged in; its editor adds a line to what it is given.
fn client(scene: &Scene) -> Terminal {
    let home = scene.machine.path();
    fs::write(home.join("editor.sh"), "echo and milk >> \"$1\"\n").expect("written");
    let target = format!("ada@{}", scene.proxy.address);
    let script =
        "unset VISUAL; EDITOR='sh ~/editor.sh'; CATAMARAN_LOG=trace; export EDITOR CATAMARAN_LOG; exec \"$0\" \"$@\"";
    let program = env!("CARGO_BIN_EXE_tui-client");
    let arguments = ["-c", script, program, "--local", "Downloads", "--accept-new", &target];
    let mut terminal = Terminal::start(Path::new("/bin/sh"), &arguments, home, (100, 30)).expect("started");
    terminal.until_shown("password").expect("it asks");
    press(&mut terminal, &[PASSWORD, key::ENTER]);
    terminal
}

fn same(scene: &Scene, name: &str) {
    let (here, there) = (root(&scene.local(name)).expect("here"), root(&scene.remote(name)).expect("there"));
    assert_eq!(here, there, "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_working_day() {
    let scene = Scene::set().await;
    for name in ["draft.txt", "plan.txt", "report.txt"] {
        files::write(&scene.local(name), name, MIB / 2).expect("written");
    }
    files::write(&scene.local("film"), "film", 48 * MIB).expect("written");
    files::write(&scene.remote("report.txt"), "another report", MIB / 2).expect("written");
    fs::write(scene.remote("shopping"), "bread\n").expect("written");
    files::write(&scene.remote("photos/boat.jpg"), "boat", MIB).expect("written");
    let mut terminal = client(&scene);
    terminal.until_shown("shopping").expect("the server's pane is read");

    // Looked around.
    press(&mut terminal, &[key::TAB]);
    go_to(&mut terminal, "photos");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("boat.jpg").expect("entered");
    press(&mut terminal, &[key::BACKSPACE]);
    terminal.until_shown("shopping").expect("back");

    // Marked by a pattern, copied; what exists waits while the rest goes on.
    press(&mut terminal, &[key::TAB, "+"]);
    terminal.until_shown("Mark").expect("asked");
    press(&mut terminal, &["\x01\x0b*.txt", key::ENTER]);
    terminal.until_shown("3 marked").expect("marked");
    press(&mut terminal, &[key::F5]);
    terminal.until_shown("Copy to the server").expect("asked");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("1 needs you (Ctrl-D)").expect("told, and nothing opened");
    terminal
        .until("the others", |_| scene.remote("draft.txt").exists() && scene.remote("plan.txt").exists())
        .expect("they go on");
    press(&mut terminal, &["\x04"]);
    terminal.until_shown("other content").expect("compared");
    press(&mut terminal, &["o"]);
    terminal.until_shown("Copied report.txt: proven").expect("replaced");
    for name in ["draft.txt", "plan.txt", "report.txt"] {
        same(&scene, name);
    }

    // The other way, and a file edited where it lies.
    press(&mut terminal, &[key::TAB]);
    go_to(&mut terminal, "from-server");
    press(&mut terminal, &[key::F5, key::ENTER]);
    terminal.until_shown("Copied from-server: proven").expect("got");
    same(&scene, "from-server");
    go_to(&mut terminal, "shopping");
    press(&mut terminal, &[key::F4]);
    terminal.until_shown("Sent back shopping: proven").expect("edited");
    assert_eq!(fs::read_to_string(scene.remote("shopping")).expect("read"), "bread\nand milk\n");

    // The server goes away under a copy, and comes back.
    scene.proxy.limit(Way::Up, Some(8 * MIB));
    press(&mut terminal, &[key::TAB]);
    go_to(&mut terminal, "film");
    press(&mut terminal, &[key::F5, key::ENTER]);
    let before = scene.proxy.passed(Way::Up);
    terminal.until("some of it sent", |_| scene.proxy.passed(Way::Up) > before + 4 * MIB).expect("it runs");
    scene.proxy.refuse(true);
    scene.proxy.cut();
    terminal.until_shown("connection lost").expect("told");
    scene.proxy.refuse(false);
    terminal.until_gone("connection lost").expect("it is back");
    terminal.until_shown("Queue: 1 running").expect("it goes on");

    // Home for the night, and on in the morning.
    press(&mut terminal, &[key::F10]);
    terminal.until_shown("The queue is left for the next start").expect("asked");
    press(&mut terminal, &[key::TAB, key::ENTER]);
    assert_eq!(terminal.ended().expect("it ends").exit_code(), 0);
    restored(&terminal);
    assert!(!scene.remote("film").exists());
    scene.proxy.limit(Way::Up, None);
    let mut terminal = client(&scene);
    terminal.until_shown("not finished the last time").expect("it asks");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("1 done").expect("finished");
    same(&scene, "film");
    quit(terminal);

    // All this was logged at the finest level.
    let log = scene.machine.path().join(".local/state/catamaran/client.log");
    let log = [log.with_extension("log.old"), log].map(|file| fs::read(file).unwrap_or_default()).concat();
    assert!(holds(&log, b"TRACE") && holds(&log, b"Copied report.txt: proven"));
    assert!(!holds(&log, PASSWORD.as_bytes()));
}
