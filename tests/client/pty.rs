//! The real full-screen client in a pseudo-terminal: from the first login to the last restored mode,
//! killed, resized and signalled in between.

#![cfg(test)]

mod day;
mod kept;
mod keyboard;
mod looking;
mod many;
mod panes;
mod stalled;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tests::files::{self, root};
use tests::host::{Host, PASSWORD};
use tests::identity::Identity;
use tests::proxy::{Proxy, Way};
use tests::terminal::{Terminal, key};
use vt100::{MouseProtocolMode, Screen};

const MIB: u64 = 1 << 20;

/// A server, a machine with a home directory, and what lies in both.
struct Scene {
    host: Host,
    proxy: Proxy,
    machine: TempDir,
}

impl Scene {
    async fn set() -> Self {
        let host = Host::start().await.expect("a server");
        fs::create_dir_all(host.home("ada").join("photos")).expect("made");
        files::write(&host.home("ada").join("from-server"), "from server", 3 * MIB).expect("written");
        host.add_user("ada", Some(1 << 30)).await.expect("a user");
        let proxy = Proxy::start(host.address).await.expect("a proxy");
        let machine = tempfile::tempdir().expect("a directory");
        let scene = Self { host, proxy, machine };
        files::write(&scene.local("from-here"), "from here", 2 * MIB).expect("written");
        scene
    }

    fn local(&self, name: &str) -> PathBuf {
        self.machine.path().join("Downloads").join(name)
    }

    fn remote(&self, name: &str) -> PathBuf {
        self.host.home("ada").join(name)
    }

    /// So slow that there is time to do something to it.
    fn slow(&self, rate: &str) {
        let config = self.machine.path().join(".config/catamaran");
        fs::create_dir_all(&config).expect("made");
        fs::write(config.join("client.toml"), format!("limit = \"{rate}\"\n")).expect("written");
    }

    /// The client with a place to connect to, waiting for the password.
    fn client(&self, columns: u16, rows: u16) -> Terminal {
        let target = format!("ada@{}", self.proxy.address);
        let arguments = ["--local", "Downloads", "--accept-new", &target];
        let program = Path::new(env!("CARGO_BIN_EXE_tui-client"));
        Terminal::start(program, &arguments, self.machine.path(), (columns, rows)).expect("started")
    }

    /// The client, logged in, with both panes read.
    fn logged_in(&self, columns: u16, rows: u16) -> Terminal {
        let mut terminal = self.client(columns, rows);
        terminal.until_shown("password").expect("it asks");
        press(&mut terminal, &[PASSWORD, key::ENTER]);
        terminal.until_shown("photos").expect("the server's pane is read");
        terminal.until_shown("from-here").expect("and the local one");
        terminal
    }
}

fn press(terminal: &mut Terminal, keys: &[&str]) {
    keys.iter().for_each(|keys| terminal.press(keys).expect("pressed"));
}

/// To the name that begins like this, by quick search.
fn go_to(terminal: &mut Terminal, name: &str) {
    press(terminal, &["\x13", name]);
    terminal.until_shown(&format!("find: {name}_")).expect("searched");
    // A lone Escape waits a moment for a digit.
    press(terminal, &[key::ESC]);
    terminal.until_gone("find: ").expect("found");
}

/// The terminal is as a shell wants it back.
fn restored(terminal: &Terminal) {
    assert!(terminal.is_cooked().expect("modes"), "the line discipline is still raw");
    let (alternate, hidden, paste, mouse) = terminal.look(|screen| {
        (screen.alternate_screen(), screen.hide_cursor(), screen.bracketed_paste(), screen.mouse_protocol_mode())
    });
    assert!(!alternate, "the alternate screen is still shown");
    assert!(!hidden, "the cursor is still hidden");
    assert!(!paste, "paste is still bracketed");
    assert_eq!(mouse, MouseProtocolMode::None);
}

fn quit(mut terminal: Terminal) {
    press(&mut terminal, &[key::F10]);
    assert_eq!(terminal.ended().expect("it ends").exit_code(), 0);
    restored(&terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_login_shows_the_key_and_a_refusal_is_the_default() {
    let scene = Scene::set().await;
    let program = Path::new(env!("CARGO_BIN_EXE_tui-client"));
    let target = format!("ada@{}", scene.host.address);
    let arguments = ["--local", "Downloads", &target];
    let mut terminal = Terminal::start(program, &arguments, scene.machine.path(), (100, 30)).expect("started");
    terminal.until_shown("password").expect("it asks");
    press(&mut terminal, &["wrong", key::ENTER]);
    terminal.until_shown("First time at").expect("it asks about the key");
    let shown: String = terminal.look(Screen::contents).chars().filter(char::is_ascii_hexdigit).collect();
    assert!(shown.contains(&scene.host.fingerprint), "the whole fingerprint can be compared");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_gone("First time at").expect("cancelled");
    terminal.until_shown("Connect to a server").or_else(|_| terminal.until_shown("not connected")).expect("not in");
    assert!(!terminal.look(Screen::contents).contains("photos"));
    assert!(!String::from_utf8_lossy(&terminal.written()).contains("wrong"), "the password was shown");
    press(&mut terminal, &[key::CTRL_C]);
    assert_eq!(terminal.ended().expect("it ends").exit_code(), 0);
    restored(&terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_logs_in_without_a_question_and_the_password_is_asked_for_where_it_does_not() {
    let scene = Scene::set().await;
    let (mine, other) = (Identity::new("ada's").expect("a key"), Identity::new("another").expect("a key"));
    let keys = vec![(mine.public, String::new())];
    scene.host.accounts().catalog.add_keys(&"ada".parse().expect("a name"), keys).await.expect("added");
    let usual = scene.machine.path().join(".ssh/id_ed25519");
    mine.write(&usual, None).expect("written");
    let terminal = scene.client(80, 24);
    terminal.until_shown("photos").expect("it is in");
    // A line that is cut is no reason to ask, either.
    scene.proxy.cut();
    terminal.until_shown("Connected again").expect("by itself");
    quit(terminal);
    other.write(&usual, None).expect("written");
    let mut terminal = scene.client(80, 24);
    terminal.until_shown("none of these keys").expect("it is refused");
    terminal.until_shown("password, or nothing: by key").expect("and the password is asked for");
    press(&mut terminal, &[PASSWORD, key::ENTER]);
    terminal.until_shown("photos").expect("it is in");
    quit(terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_and_the_right_one_gets_in() {
    let scene = Scene::set().await;
    let mut terminal = scene.client(80, 24);
    terminal.until_shown("password").expect("it asks");
    press(&mut terminal, &["wrong", key::ENTER]);
    terminal.until_shown("wrong, or").expect("it is refused");
    press(&mut terminal, &[PASSWORD, key::ENTER]);
    terminal.until_shown("photos").expect("it is in");
    quit(terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_both_ways_and_the_terminal_comes_back() {
    let scene = Scene::set().await;
    let mut terminal = scene.logged_in(80, 24);
    // A picture may come in pieces.
    for text in ["from-here", "from-server", "quota"] {
        terminal.until_shown(text).expect(text);
    }
    go_to(&mut terminal, "from-here");
    press(&mut terminal, &[key::F5]);
    terminal.until_shown("Copy to the server").expect("asked");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("Copied from-here: proven").expect("stored");
    assert_eq!(root(&scene.remote("from-here")).expect("there"), root(&scene.local("from-here")).expect("there"));

    press(&mut terminal, &[key::TAB]);
    go_to(&mut terminal, "from-server");
    press(&mut terminal, &[key::F5]);
    terminal.until_shown("Copy to this machine").expect("asked");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("Copied from-server: proven").expect("got");
    assert_eq!(root(&scene.local("from-server")).expect("there"), root(&scene.remote("from-server")).expect("there"));
    quit(terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_are_made_and_removed() {
    let scene = Scene::set().await;
    let mut terminal = scene.logged_in(80, 24);
    press(&mut terminal, &[key::TAB, key::F7]);
    terminal.until_shown("Make a directory").expect("asked");
    press(&mut terminal, &["made here", key::ENTER]);
    terminal.until_gone("Make a directory").expect("closed");
    terminal.until_shown("║ made here ").expect("listed");
    assert!(scene.remote("made here").is_dir());
    go_to(&mut terminal, "made");
    press(&mut terminal, &[key::F8]);
    terminal.until_shown("Delete this at the server?").expect("asked");
    terminal.until_shown("made here/ and all it holds").expect("what it is about is named");
    // The default is to keep it.
    press(&mut terminal, &[key::ENTER]);
    terminal.until_gone("Delete this").expect("closed");
    assert!(scene.remote("made here").is_dir());
    press(&mut terminal, &[key::F8]);
    terminal.until_shown("Delete this at the server?").expect("asked");
    press(&mut terminal, &[key::TAB, key::ENTER]);
    terminal.until_gone("║ made here ").expect("gone");
    terminal.until_shown("Deleted made here").expect("told");
    assert!(!scene.remote("made here").exists());
    quit(terminal);
}

/// The name behind the first mark on the screen.
fn marked(screen: &Screen) -> Option<String> {
    let contents = screen.contents();
    let (_, from) = contents.split_once('√')?;
    from.split_whitespace().next().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_directory_can_be_used_while_it_is_read() {
    let scene = Scene::set().await;
    fs::create_dir(scene.remote("many")).expect("made");
    for number in 0..20_000 {
        fs::write(scene.remote("many").join(format!("entry-{number:06}")), "").expect("written");
    }
    let mut terminal = scene.logged_in(120, 40);
    press(&mut terminal, &[key::TAB]);
    go_to(&mut terminal, "many");
    // So slow that it takes some seconds.
    scene.proxy.limit(Way::Down, Some(128 << 10));
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("entry-").expect("the first rows come");
    press(&mut terminal, &[key::END, key::INSERT]);
    terminal.until("a mark", |screen| marked(screen).is_some()).expect("marked");
    let name = terminal.look(marked).expect("marked");
    assert!(terminal.look(Screen::contents).contains("reading…"), "all came at once");
    scene.proxy.limit(Way::Down, None);
    terminal.until_gone("reading…").expect("all is there");
    terminal.until_shown("1 marked").expect("told");
    assert_eq!(terminal.look(marked), Some(name), "the cursor stays on its entry, in sight");
    press(&mut terminal, &[key::END]);
    terminal.until_shown("entry-019999").expect("the last one");

    // Reading can be left, and begins anew.
    scene.proxy.limit(Way::Down, Some(128 << 10));
    press(&mut terminal, &[key::HOME, key::ENTER]);
    terminal.until_shown("║ many ").expect("above it");
    terminal.until_gone("entry-").expect("drawn to its end");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("entry-").expect("the first rows come");
    press(&mut terminal, &[key::ESC]);
    terminal.until_shown("Ctrl-R: all").expect("a part stays, and says so");
    scene.proxy.limit(Way::Down, None);
    press(&mut terminal, &[key::CTRL_R]);
    terminal.until_gone("Ctrl-R: all").expect("begun");
    terminal.until_gone("reading…").expect("all is there");
    press(&mut terminal, &[key::END]);
    terminal.until_shown("entry-019999").expect("the last one");
    quit(terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_client_goes_on_where_it_was() {
    let scene = Scene::set().await;
    let size = 96 * MIB;
    files::write(&scene.local("large"), "large", size).expect("written");
    scene.slow("48MiB");
    let mut terminal = scene.logged_in(80, 24);
    go_to(&mut terminal, "large");
    press(&mut terminal, &[key::F5, key::ENTER]);
    terminal.until("half of it sent", |_| scene.proxy.passed(Way::Up) > size / 2).expect("it runs");
    terminal.kill().expect("killed");
    drop(terminal);
    let first = scene.proxy.passed(Way::Up);

    scene.slow("none");
    let mut terminal = scene.logged_in(80, 24);
    terminal.until_shown("not finished the last time").expect("it asks");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("Copied large: proven").expect("stored");
    let second = scene.proxy.passed(Way::Up) - first;
    assert!(second < size * 3 / 5, "{second} bytes travelled the second time");
    assert_eq!(root(&scene.remote("large")).expect("there"), root(&scene.local("large")).expect("there"));
    quit(terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_told_and_the_copy_goes_on_after_it() {
    let scene = Scene::set().await;
    files::write(&scene.local("large"), "large", 64 * MIB).expect("written");
    scene.slow("32MiB");
    let mut terminal = scene.logged_in(80, 24);
    go_to(&mut terminal, "large");
    press(&mut terminal, &[key::F5, key::ENTER]);
    terminal.until("some of it sent", |_| scene.proxy.passed(Way::Up) > 16 * MIB).expect("it runs");
    scene.proxy.refuse(true);
    scene.proxy.cut();
    terminal.until_shown("connection lost").expect("told");
    assert!(terminal.look(Screen::contents).contains("photos"), "the pane keeps its list");
    scene.proxy.refuse(false);
    terminal.until_shown("Copied large: proven").expect("stored");
    terminal.until_gone("connection lost").expect("it is back");
    assert_eq!(root(&scene.remote("large")).expect("there"), root(&scene.local("large")).expect("there"));
    quit(terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_asks_while_a_transfer_runs() {
    let scene = Scene::set().await;
    files::write(&scene.local("large"), "large", 64 * MIB).expect("written");
    scene.slow("4MiB");
    let mut terminal = scene.logged_in(80, 24);
    go_to(&mut terminal, "large");
    press(&mut terminal, &[key::F5, key::ENTER]);
    terminal.until_shown("Queue: 1 running").expect("it runs");
    press(&mut terminal, &[key::F10]);
    terminal.until_shown("Not finished: 1 transfer").expect("asked");
    press(&mut terminal, &[key::ESC]);
    terminal.until_gone("Not finished").expect("it stays");
    assert!(terminal.look(Screen::contents).contains("Queue: 1 running"));
    press(&mut terminal, &[key::F10]);
    terminal.until_shown("Not finished: 1 transfer").expect("asked again");
    press(&mut terminal, &[key::TAB, key::ENTER]);
    assert_eq!(terminal.ended().expect("it ends").exit_code(), 0);
    restored(&terminal);
    assert!(!scene.remote("large").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_size_is_survived_in_the_middle_of_a_copy() {
    let scene = Scene::set().await;
    files::write(&scene.local("large"), "large", 64 * MIB).expect("written");
    scene.slow("24MiB");
    let mut terminal = scene.logged_in(80, 24);
    go_to(&mut terminal, "large");
    press(&mut terminal, &[key::F5, key::ENTER]);
    terminal.until_shown("Queue: 1 running").expect("it runs");
    for (columns, rows) in [(20, 5), (300, 100), (1, 1), (40, 12), (2, 50), (500, 2), (120, 40)] {
        terminal.resize(columns, rows).expect("resized");
        press(&mut terminal, &[key::DOWN, key::UP, key::TAB, key::TAB]);
        match (columns, rows) {
            (300 | 120 | 40, _) => terminal.until("unbroken rows", edges_stand).expect("drawn"),
            (20, 5) => terminal.until_shown("40").expect("it says how large it needs to be"),
            // Nothing can be seen there; that it lives on is shown by the next.
            _ => {}
        }
    }
    terminal.resize(80, 24).expect("resized");
    terminal.until_shown("Copied large: proven").expect("stored");
    terminal.until("unbroken rows", edges_stand).expect("drawn");
    quit(terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_cannot_steer_the_terminal() {
    use std::os::unix::ffi::OsStrExt;
    let scene = Scene::set().await;
    let long = "w".repeat(255);
    let names: [&[u8]; 8] = [
        b"\x1b[2J\x1b[31mred",
        b"\x1b]0;owned\x07title",
        b"line\nbreak",
        b"tab\there",
        "日本語のとても長いファイルの名前でもはみ出さない".as_bytes(),
        "🚣‍♀️ e\u{301} \u{202e}gnp.exe".as_bytes(),
        b"\xff\xfe bytes",
        long.as_bytes(),
    ];
    for name in names {
        for place in [scene.machine.path().join("Downloads"), scene.remote("")] {
            fs::write(place.join(std::ffi::OsStr::from_bytes(name)), b"x").expect("written");
        }
    }
    let terminal = scene.logged_in(80, 24);
    terminal.until_shown("from-here").expect("listed");
    terminal.until("unbroken rows", edges_stand).expect("drawn");
    let written = terminal.written();
    let has = |needle: &[u8]| written.windows(needle.len()).any(|window| window == needle);
    assert!(
        !has(b"\x1b]0;owned") && !has(b"\x1b[31mred") && !has("\u{202e}".as_bytes()),
        "a name reached the terminal"
    );
    quit(terminal);
}

/// Both panes have their left and right edges on every row between their first and last.
fn edges_stand(screen: &Screen) -> bool {
    let (rows, columns) = screen.size();
    let last = columns.get() - 1;
    let at = |row, column| screen.cell(row, column).map_or("", |cell| cell.contents()).to_owned();
    let end = (0..rows.get()).find(|row| matches!(at(*row, 0).as_str(), "╚" | "└"));
    let edges = ["║", "│", "╟", "├", "╢", "┤"];
    let is_edge = |row, column| edges.contains(&at(row, column).as_str());
    end.is_some_and(|end| end > 5 && (1..end).all(|row| is_edge(row, 0) && is_edge(row, last)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_it_with_the_terminal_restored() {
    let scene = Scene::set().await;
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::HUP] {
        let mut terminal = scene.logged_in(80, 24);
        rustix::process::kill_process(terminal.process().expect("it runs"), signal).expect("signalled");
        terminal.ended().expect("it ends");
        restored(&terminal);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_can_stop_it_and_let_it_go_on() {
    let scene = Scene::set().await;
    let script = "set -m; \"$0\" \"$@\"; echo STOPPED; read -r line; fg >/dev/null; echo ENDED $?";
    let target = format!("ada@{}", scene.proxy.address);
    let program = env!("CARGO_BIN_EXE_tui-client");
    let arguments = ["-c", script, program, "--local", "Downloads", "--accept-new", &target];
    let shell = Terminal::start(Path::new("/bin/sh"), &arguments, scene.machine.path(), (80, 24));
    let mut terminal = shell.expect("started");
    terminal.until_shown("password").expect("it asks");
    press(&mut terminal, &[PASSWORD, key::ENTER]);
    terminal.until_shown("photos").expect("the server's pane is read");
    press(&mut terminal, &[key::CTRL_Z]);
    terminal.until_shown("STOPPED").expect("stopped");
    restored(&terminal);
    press(&mut terminal, &[key::ENTER]);
    terminal.until("its own screen", |screen| screen.alternate_screen() && edges_stand(screen)).expect("back");
    terminal.until_shown("photos").expect("drawn anew");
    press(&mut terminal, &[key::F10]);
    terminal.until_shown("ENDED 0").expect("ended");
    restored(&terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn pasted_text_is_no_keys() {
    let scene = Scene::set().await;
    let mut terminal = scene.logged_in(80, 24);
    // F8, Tab and Enter would delete something.
    press(&mut terminal, &[key::DOWN, "\x1b[200~q\x1b[19~\t\r\x1b[201~", key::F7]);
    terminal.until_shown("Make a directory").expect("asked");
    press(&mut terminal, &["\x1b[200~pasted\x1b[201~", key::ENTER]);
    terminal.until_gone("Make a directory").expect("closed");
    terminal.until_shown("║ pasted ").expect("made");
    assert!(scene.local("from-here").exists() && scene.local("pasted").is_dir());
    quit(terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_waits_in_the_list_until_it_is_answered() {
    let scene = Scene::set().await;
    files::write(&scene.remote("from-here"), "other", 2 * MIB).expect("written");
    for (columns, rows) in [(80, 24), (40, 12)] {
        files::write(&scene.local("from-here"), &format!("{columns}"), 2 * MIB).expect("written");
        let mut terminal = scene.logged_in(columns.max(60), rows);
        terminal.resize(columns, rows).expect("resized");
        go_to(&mut terminal, "from-here");
        press(&mut terminal, &[key::F5, key::ENTER]);
        terminal.until_shown("1 decision waits: Ctrl-D").expect("it is told of, and nothing opened");
        press(&mut terminal, &["\x04"]);
        terminal.until_shown("other content").expect("compared");
        press(&mut terminal, &["o"]);
        terminal.until_shown("Copied from-here: proven").expect("replaced");
        assert_eq!(root(&scene.remote("from-here")).expect("there"), root(&scene.local("from-here")).expect("read"));
        quit(terminal);
    }
}
