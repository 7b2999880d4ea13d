//! Viewing and editing in the real program: a huge file by its ends, and an editor that does as it is told.

use std::path::PathBuf;

use super::*;

const GIB: u64 = 1 << 30;

/// A file of so many bytes of which only a few lines at both ends are on the disk.
fn huge(path: &Path, size: u64) {
    use std::os::unix::fs::FileExt;
    let file = fs::File::create(path).expect("made");
    file.set_len(size).expect("grown");
    file.write_all_at(b"the first line\n", 0).expect("written");
    let end = "\nneedle in the last lines\nthe last line\n";
    file.write_all_at(end.as_bytes(), size - end.len() as u64).expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_file_of_the_server_is_viewed_by_its_ends() {
    let scene = Scene::set().await;
    huge(&scene.remote("huge"), 20 * GIB);
    let mut terminal = scene.logged_in(80, 24);
    let before = scene.proxy.passed(Way::Down);
    press(&mut terminal, &[key::TAB]);
    go_to(&mut terminal, "huge");
    press(&mut terminal, &[key::F3]);
    // NUL bytes: figures.
    terminal.until_shown("the first line").expect("shown");
    terminal.until_shown("hex").expect("the mode is told");
    press(&mut terminal, &["G"]);
    terminal.until_shown("100%").expect("the end");
    terminal.until_shown("last line.").expect("the end");
    press(&mut terminal, &[key::F4]);
    terminal.until_shown("the last line").expect("as text");
    press(&mut terminal, &["?needle", key::ENTER]);
    terminal
        .until("the hit, marked", |screen| {
            let found = screen.rows(0, 80).position(|row| row.contains("needle in the last lines"));
            let cell = |row: usize| screen.cell(u16::try_from(row).unwrap_or(0), 0).cloned();
            found.and_then(cell).is_some_and(|cell| cell.bgcolor() == vt100::Color::Idx(6))
        })
        .expect("found");
    let passed = scene.proxy.passed(Way::Down) - before;
    assert!(passed < 2 * MIB, "{passed} bytes came over to see both ends");
    // A search to the other end takes long, and is left.
    press(&mut terminal, &["g/nowhere", key::ENTER]);
    terminal.until_shown("searching").expect("it searches");
    press(&mut terminal, &[key::ESC]);
    terminal.until_shown("stopped searching").expect("left");
    scene.proxy.refuse(true);
    scene.proxy.cut();
    press(&mut terminal, &[":50%", key::ENTER]);
    terminal.until_shown("no connection").expect("told");
    scene.proxy.refuse(false);
    terminal.until_shown(" 50%").expect("it goes on when the server is back");
    fs::remove_file(scene.remote("huge")).expect("removed");
    terminal.until_shown("the file is gone").expect("told");
    press(&mut terminal, &["q"]);
    terminal.until_shown("1Help").expect("the panes");
    quit(terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_line_and_a_file_that_grows() {
    let scene = Scene::set().await;
    let line = fs::File::create(scene.local("line")).expect("made");
    line.set_len(GIB).expect("grown");
    fs::write(scene.local("log"), "first\n").expect("written");
    let mut terminal = scene.logged_in(80, 24);
    go_to(&mut terminal, "line");
    press(&mut terminal, &[key::F3, key::F4]);
    terminal.until_shown("^@^@^@^@").expect("one line of NUL bytes as text");
    press(&mut terminal, &["G", key::F2, "g", ":50%", key::ENTER, "kkkk"]);
    terminal.until_shown(" 50%").expect("anywhere in it");
    press(&mut terminal, &[key::F3]);
    go_to(&mut terminal, "log");
    press(&mut terminal, &[key::F3]);
    terminal.until_shown("first").expect("shown");
    fs::write(scene.local("log"), "first\nsecond\n").expect("written");
    terminal.until_shown("grew, r rereads").expect("told");
    press(&mut terminal, &["r"]);
    terminal.until_gone("grew").expect("read again");
    terminal.until_shown("second").expect("read again");
    press(&mut terminal, &[key::ESC]);
    terminal.until_shown("10Quit").expect("the panes");
    quit(terminal);
}

/// A scene whose editor waits for a line from the terminal and then does what stands in a script.
struct Desk {
    scene: Scene,
    terminal: Terminal,
}

impl Desk {
    async fn set() -> Self {
        let scene = Scene::set().await;
        fs::write(scene.remote("notes.txt"), "notes\n").expect("written");
        fs::write(scene.local("here.txt"), "here\n").expect("written");
        let home = scene.machine.path();
        // What it leaves on the screen would be taken for the next one's.
        let editor = "clean() { printf '\\033[2J\\033[H'; }\ntrap 'clean; exit 130' INT\n\
            printf 'EDITING %s %s %s\\n' \"$1\" \"$(stat -c %a \"$2\")\" \"${2##*/}\"\nread -r line\nclean\n. ~/does";
        fs::write(home.join("editor.sh"), editor).expect("written");
        let program = env!("CARGO_BIN_EXE_tui-client");
        let target = format!("ada@{}", scene.proxy.address);
        // As a person sets it: with an argument in quotes.
        let script = "unset VISUAL; EDITOR='sh ~/editor.sh \"an argument\"'; export EDITOR; exec \"$0\" \"$@\"";
        let arguments = ["-c", script, program, "--local", "Downloads", "--accept-new", &target];
        let mut terminal = Terminal::start(Path::new("/bin/sh"), &arguments, home, (100, 30)).expect("started");
        terminal.until_shown("password").expect("it asks");
        press(&mut terminal, &[PASSWORD, key::ENTER]);
        terminal.until_shown("photos").expect("the server's pane is read");
        Self { scene, terminal }
    }

    /// Opens the editor on the file with the cursor, and lets it do this.
    fn edit(&mut self, file: &str, does: &str) {
        fs::write(self.scene.machine.path().join("does"), does).expect("written");
        press(&mut self.terminal, &[key::F4]);
        self.terminal.until_shown("EDITING an argument 6").expect("the editor has the terminal");
        assert!(self.terminal.is_cooked().expect("modes"), "the editor got a raw terminal");
        self.terminal.until_shown(file).expect("the file's own name");
        press(&mut self.terminal, &["go on\r"]);
    }

    /// Copies that lie here.
    fn copies(&self) -> Vec<PathBuf> {
        let edits = self.scene.machine.path().join(".local/state/catamaran/edits");
        let Ok(entries) = fs::read_dir(edits) else { return Vec::new() };
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }

    fn at_server(&self) -> String {
        fs::read_to_string(self.scene.remote("notes.txt")).expect("read")
    }

    fn shown(&self, text: &str) {
        self.terminal.until_shown(text).expect("told");
        self.terminal.until_shown("1Help").expect("the screen is back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_editor_changed_goes_back_to_the_server() {
    let mut desk = Desk::set().await;
    press(&mut desk.terminal, &[key::TAB]);
    go_to(&mut desk.terminal, "notes");
    desk.edit("600 notes.txt", "echo more >> \"$2\"");
    desk.shown("Sent back notes.txt: proven");
    assert_eq!((desk.at_server().as_str(), desk.copies().len()), ("notes\nmore\n", 0));
    desk.edit("600 notes.txt", "touch \"$2\"");
    desk.shown("notes.txt was not changed");
    assert_eq!((desk.at_server().as_str(), desk.copies().len()), ("notes\nmore\n", 0));
    // A file of this machine is edited where it is.
    press(&mut desk.terminal, &[key::TAB]);
    go_to(&mut desk.terminal, "here");
    desk.edit("here.txt", "echo changed > \"$2\"");
    desk.shown("here.txt: back from the editor");
    assert_eq!(fs::read_to_string(desk.scene.local("here.txt")).expect("read"), "changed\n");
    quit(desk.terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_that_fails_breaks_neither_file_nor_terminal() {
    let mut desk = Desk::set().await;
    press(&mut desk.terminal, &[key::TAB]);
    go_to(&mut desk.terminal, "notes");
    desk.edit("600 notes.txt", "stty raw -echo; printf '\\033[?1049h\\033[?1003h'; kill -9 $$");
    desk.shown("notes.txt was not changed");
    // Ctrl-C was meant for the editor.
    fs::write(desk.scene.machine.path().join("does"), "").expect("written");
    press(&mut desk.terminal, &[key::F4]);
    desk.terminal.until_shown("EDITING").expect("the editor has the terminal");
    press(&mut desk.terminal, &[key::CTRL_C]);
    desk.shown("notes.txt was not changed");
    desk.edit("600 notes.txt", "echo mine >> \"$2\"; exit 3");
    desk.shown("Not sent back");
    desk.shown("exit status: 3");
    let copies = desk.copies();
    assert_eq!((desk.at_server().as_str(), copies.len()), ("notes\n", 1));
    assert_eq!(fs::read_to_string(copies[0].join("notes.txt")).expect("kept"), "notes\nmine\n");
    press(&mut desk.terminal, &[key::TAB, key::ENTER]);
    desk.shown("Sent back notes.txt: proven");
    assert_eq!((desk.at_server().as_str(), desk.copies().len()), ("notes\nmine\n", 0));
    quit(desk.terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changed_at_the_server_meanwhile_is_not_overwritten() {
    let mut desk = Desk::set().await;
    press(&mut desk.terminal, &[key::TAB]);
    go_to(&mut desk.terminal, "notes");
    let theirs = desk.scene.remote("notes.txt");
    let does = format!("echo mine >> \"$2\"; echo theirs, longer > '{}'", theirs.display());
    desk.edit("600 notes.txt", &does);
    desk.shown("needs you");
    // It waits among the decisions: skipped is kept here.
    press(&mut desk.terminal, &["\x04"]);
    desk.terminal.until_shown("/notes.txt").expect("listed");
    press(&mut desk.terminal, &["s"]);
    desk.shown("Not sent back");
    assert_eq!((desk.at_server().as_str(), desk.copies().len()), ("theirs, longer\n", 1));
    press(&mut desk.terminal, &[key::ENTER]);
    desk.terminal.until_gone("Not sent back").expect("closed");
    quit(desk.terminal);
}
