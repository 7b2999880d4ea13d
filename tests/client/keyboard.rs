//! Keys: what the terminal is asked to tell of them, how soon they are shown, and what the files of the configuration
//! make of them.

use std::fs;
use std::path::Path;

use tests::terminal::{Keys, Terminal, key};
use vt100::{MouseProtocolMode, Screen};

use crate::{Scene, press, quit, restored};

/// What the last word about the keyboard was.
fn keyboard(terminal: &Terminal) -> Option<&'static str> {
    let written = terminal.written();
    let last = |word: &str| written.windows(word.len()).rposition(|bytes| bytes == word.as_bytes());
    ["\x1b[>1u", "\x1b[=15;1u", "\x1b[=1;1u", "\x1b[<u"]
        .into_iter()
        .max_by_key(|word| last(word))
        .filter(|word| last(word).is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_alone_are_told_of_and_the_keyboard_is_given_back() {
    let scene = Scene::set().await;
    let program = Path::new(env!("CARGO_BIN_EXE_tui-client"));
    let arguments = ["--local", "Downloads"];
    let mut terminal =
        Terminal::start_with(Keys::Kitty, program, &arguments, scene.machine.path(), (80, 24)).expect("started");
    terminal.until_shown("Connect to a server").expect("it asks");
    assert_eq!(keyboard(&terminal), Some("\x1b[>1u"), "text is typed here");
    press(&mut terminal, &["\x1b[27u"]);
    terminal.until_gone("Connect to a server").expect("left");
    // Shift is pressed, then let go.
    press(&mut terminal, &["\x1b[57441;2:1u"]);
    terminal.until_shown("4New").expect("the bar follows");
    assert_eq!(keyboard(&terminal), Some("\x1b[=15;1u"));
    press(&mut terminal, &["\x1b[57441;1:3u"]);
    terminal.until_shown("5Copy").expect("and back");
    // F7 opens a field: the terminal is to compose again.
    press(&mut terminal, &["\x1b[18~"]);
    terminal.until_shown("Make a directory").expect("asked");
    press(&mut terminal, &["\u{e4}@x"]);
    terminal.until_shown("\u{e4}@x").expect("typed");
    assert_eq!(keyboard(&terminal), Some("\x1b[=1;1u"));
    press(&mut terminal, &["\x1b[27u", "\x1b[21~"]);
    assert_eq!(terminal.ended().expect("it ends").exit_code(), 0);
    assert_eq!(keyboard(&terminal), Some("\x1b[<u"));
    restored(&terminal);
    // One that does not know of it is told nothing.
    let plain = Terminal::start(program, &arguments, scene.machine.path(), (80, 24)).expect("started");
    plain.until_shown("Connect to a server").expect("it asks");
    assert_eq!(keyboard(&plain), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_the_configuration_are_told_and_the_rest_counts() {
    let scene = Scene::set().await;
    let config = scene.machine.path().join(".config/catamaran");
    fs::create_dir_all(config.join("themes")).expect("made");
    fs::write(config.join("client.toml"), "theme = \"sea\"\nkeys = \"vi\"\nmouse = false\nborders = \"ascii\"\n")
        .expect("written");
    fs::write(config.join("keys.toml"), "# mine\ncpoy = \"c\"\nquit = \"Q\"\n").expect("written");
    fs::write(config.join("themes/sea.toml"), "base = \"mono\"\npain = \"red\"\n").expect("written");
    let program = Path::new(env!("CARGO_BIN_EXE_tui-client"));
    let mut terminal =
        Terminal::start(program, &["--local", "Downloads"], scene.machine.path(), (80, 24)).expect("started");
    terminal.until_shown("keys.toml:2: no action is called `cpoy`; copy?").expect("told");
    terminal.until_shown("themes/sea.toml:2: no part of a theme is called `pain`; pane?").expect("told");
    assert_eq!(terminal.look(Screen::mouse_protocol_mode), MouseProtocolMode::None);
    assert!(!terminal.look(Screen::contents).contains('║'));
    press(&mut terminal, &[key::ENTER]);
    terminal.until_gone("keys.toml").expect("read");
    press(&mut terminal, &[key::ESC]);
    terminal.until_gone("Connect to a server").expect("left");
    press(&mut terminal, &["j"]);
    terminal.until_shown("from-here  2.0 MiB").expect("down, as in vi");
    press(&mut terminal, &["Q"]);
    assert_eq!(terminal.ended().expect("it ends").exit_code(), 0);
}

/// Colours of a cell within the left pane.
fn colours(screen: &Screen) -> Option<(vt100::Color, vt100::Color)> {
    screen.cell(8, 20).map(|cell| (cell.fgcolor(), cell.bgcolor()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_theme_that_was_chosen_is_there_at_the_next_start() {
    let scene = Scene::set().await;
    let start = || {
        let mut terminal = scene.client(80, 24);
        terminal.until_shown("Connect to a server").expect("it asks");
        press(&mut terminal, &[key::ESC]);
        terminal.until_gone("Connect to a server").expect("left");
        terminal
    };
    let mut terminal = start();
    let usual = terminal.look(colours);
    press(&mut terminal, &["\x10", "theme", key::ENTER]);
    terminal.until_shown("light").expect("the choice");
    press(&mut terminal, &[key::DOWN, key::DOWN]);
    terminal.until("another theme", |screen| colours(screen) != usual).expect("seen");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("Theme light, from now on").expect("told");
    let light = terminal.look(colours);
    quit(terminal);
    let terminal = start();
    assert_eq!(terminal.look(colours), light);
    quit(terminal);
    let config = scene.machine.path().join(".config/catamaran");
    fs::create_dir_all(&config).expect("made");
    fs::write(config.join("client.toml"), "theme = \"commander\"\n").expect("written");
    let mut terminal = start();
    assert_eq!(terminal.look(colours), usual, "what is configured goes first");
    press(&mut terminal, &["\x10", "theme", key::ENTER]);
    terminal.until_shown("At the next start theme =").expect("what goes first");
}

/// Wide margins: `just bench-scale` measures it. Here a screen that waits for a transfer would be found.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_shown_while_transfers_run_and_a_client_at_rest_sleeps() {
    let scene = Scene::set().await;
    tests::keys::prepare(scene.machine.path(), 256 << 20).expect("prepared");
    let mut terminal = scene.logged_in(120, 40);
    // Reading both panes is over before the rest begins.
    terminal.until_shown("from-server").expect("the server's pane is read");
    let mut rest = tests::keys::rest(terminal.process().expect("it runs"), SECONDS).expect("watched");
    if rest.wakeups > 1.0 {
        // The first seconds of a session hold its first words.
        rest = tests::keys::rest(terminal.process().expect("it runs"), SECONDS).expect("watched");
    }
    assert!(rest.wakeups <= 2.0 && rest.cpu < 0.02, "at rest it does something: {rest:?}");
    let typing = tests::keys::typing(&mut terminal, 250).expect("typed");
    assert!(typing.median.as_millis() < 200 && typing.late.as_millis() < 2000, "the screen waits: {typing:?}");
    terminal.kill().expect("ended");
}

const SECONDS: std::time::Duration = std::time::Duration::from_secs(3);
