//! The demonstration in a pseudo-terminal: it opens the client on its own server, and leaves nothing
//! behind. What it does without a terminal, it proves by itself.

#![cfg(test)]

use std::fs;
use std::path::Path;

use tests::terminal::{Terminal, key};
use vt100::Screen;

#[test]
fn on_a_terminal_it_opens_the_client_and_leaves_nothing_behind() {
    let home = tempfile::tempdir().expect("a directory");
    let temporary = home.path().join("tmp");
    fs::create_dir(&temporary).expect("made");
    let script = "TMPDIR=\"$HOME/tmp\" exec \"$0\"";
    let arguments = ["-c", script, env!("CARGO_BIN_EXE_demo")];
    let mut terminal = Terminal::start(Path::new("/bin/sh"), &arguments, home.path(), (80, 24)).expect("started");
    terminal.until_shown("demo@127.0.0.1").expect("it is connected");
    for name in ["welcome.txt", "月下獨酌.txt", "large.bin", "quota"] {
        terminal.until_shown(name).expect("both panes are read");
    }
    assert!(fs::read_dir(&temporary).expect("readable").count() > 0, "it works somewhere else");
    // The large file, to the server.
    terminal.press("\x13large").expect("pressed");
    terminal.until_shown("find: large_").expect("searched");
    terminal.press(key::ESC).expect("pressed");
    terminal.until_gone("find: ").expect("found");
    terminal.press(key::F5).expect("pressed");
    terminal.until_shown("Copy to the server").expect("asked");
    terminal.press(key::ENTER).expect("pressed");
    terminal.until_shown("Copied large.bin: proven").expect("stored");
    terminal.press(key::F10).expect("pressed");
    assert_eq!(terminal.ended().expect("it ends").exit_code(), 0);
    assert!(!terminal.look(Screen::alternate_screen));
    assert_eq!(fs::read_dir(&temporary).expect("readable").count(), 0, "something is left behind");
    let kept: Vec<_> =
        fs::read_dir(home.path()).expect("readable").map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(kept, [temporary], "something was kept");
}
