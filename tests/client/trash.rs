//! The real client at the real server: what goes to the trash comes back, a rename is taken back, and an
//! emptied trash gives its space back.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tests::files::{self, root};
use tests::host::{Host, PASSWORD, eventually};
use tests::terminal::{Terminal, key};

const SIZE: u64 = 3 << 20;
const ALT_Z: &str = "\x1bz";
const CTRL_Y: &str = "\x19";
const F6: &str = "\x1b[17~";
const CTRL_F8: &str = "\x1b[19;5~";

struct Scene {
    host: Host,
    terminal: Terminal,
    _machine: TempDir,
}

impl Scene {
    /// The client, logged in, with the keys in the server's pane on the one file there.
    async fn set() -> Self {
        let host = Host::start().await.expect("a server");
        files::write(&host.home("ada").join("report"), "report", SIZE).expect("written");
        host.add_user("ada", Some(1 << 30)).await.expect("a user");
        host.set_trash("ada", Some(30)).await.expect("set");
        let machine = tempfile::tempdir().expect("a directory");
        fs::create_dir(machine.path().join("Downloads")).expect("made");
        let target = format!("ada@{}", host.address);
        let program = Path::new(env!("CARGO_BIN_EXE_tui-client"));
        let arguments = ["--local", "Downloads", "--accept-new", &target];
        let mut terminal = Terminal::start(program, &arguments, machine.path(), (80, 24)).expect("started");
        terminal.until_shown("password").expect("it asks");
        terminal.press(PASSWORD).expect("pressed");
        terminal.press(key::ENTER).expect("pressed");
        terminal.until_shown(" report ").expect("the server's pane is read");
        let mut scene = Self { host, terminal, _machine: machine };
        scene.press(&[key::TAB, key::END]);
        scene
    }

    fn press(&mut self, keys: &[&str]) {
        keys.iter().for_each(|keys| self.terminal.press(keys).expect("pressed"));
    }

    fn shown(&self, text: &str) {
        self.terminal.until_shown(text).expect(text);
    }

    fn remote(&self, name: &str) -> PathBuf {
        self.host.home("ada").join(name)
    }

    async fn used(&self) -> u64 {
        self.host.login("ada").await.expect("logged in").space().await.expect("told").used
    }

    /// F8 and yes, as soon as the client has heard that there is a trash.
    async fn trash(&mut self) {
        let terminal = &mut self.terminal;
        eventually("it asks about the trash", async || {
            terminal.press(key::F8).expect("pressed");
            let asks = |screen: &vt100::Screen| screen.contents().contains("this ");
            terminal.until("a question", asks).expect("asked");
            let trash = terminal.look(|screen| screen.contents().contains("Move this to the trash?"));
            if !trash {
                terminal.press(key::ESC).expect("pressed");
                terminal.until_gone("Delete this").expect("closed");
            }
            trash
        })
        .await;
        self.press(&[key::ENTER]);
        self.shown("In the trash: report");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_or_renamed_is_taken_back() {
    let mut scene = Scene::set().await;
    let before = root(&scene.remote("report")).expect("there");
    scene.trash().await;
    assert!(!scene.remote("report").exists());
    assert_eq!(scene.used().await, SIZE, "it counts in the trash as well");
    scene.press(&[ALT_Z]);
    scene.shown("Taken back: report");
    scene.shown(" report ");
    assert_eq!(root(&scene.remote("report")).expect("back"), before);
    assert_eq!(scene.used().await, SIZE);

    scene.press(&[key::END, F6]);
    scene.shown("A file goes when");
    scene.press(&["other", key::ENTER]);
    scene.shown("Moved report");
    assert!(scene.remote("other").exists());
    scene.press(&[ALT_Z]);
    scene.shown("Taken back: report");
    assert_eq!(root(&scene.remote("report")).expect("back"), before);

    // Something else has its name by now: it is not touched.
    scene.shown(" report ");
    scene.press(&[key::END, F6]);
    scene.shown("A file goes when");
    scene.press(&["other", key::ENTER]);
    scene.shown("Moved report");
    fs::write(scene.remote("other"), "somebody else's").expect("written");
    scene.press(&[ALT_Z]);
    scene.shown("is not what was put there any more");
    assert_eq!(fs::read(scene.remote("other")).expect("there"), b"somebody else's");
    scene.press(&[ALT_Z]);
    scene.shown("There is nothing to take back");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_synchronisation_deletes_is_taken_back() {
    let mut scene = Scene::set().await;
    files::write(&scene.remote("albums/one"), "one", SIZE).expect("written");
    let before = [root(&scene.remote("report")).expect("there"), root(&scene.remote("albums/one")).expect("there")];
    // F8 asks about the trash once the client has heard of it.
    scene.trash().await;
    scene.press(&[ALT_Z]);
    scene.shown("Taken back: report");
    scene.press(&[CTRL_Y]);
    scene.shown("Nothing is changed before you saw the plan");
    scene.press(&[key::UP; 5]);
    scene.press(&[" "]);
    scene.shown("[x] and delete there what the other side lacks");
    scene.press(&[key::DOWN; 5]);
    scene.press(&[key::ENTER]);
    scene.shown("delete left|right 0|3");
    scene.press(&[key::ENTER]);
    scene.shown("to the trash on the right: 3 things");
    scene.press(&[key::ENTER]);
    scene.shown("Synchronising: 3 things deleted (2 in the trash)");
    assert!(!scene.remote("report").exists() && !scene.remote("albums").exists());
    scene.press(&[ALT_Z]);
    scene.shown("Taken back: 2 things");
    let back = [root(&scene.remote("report")).expect("back"), root(&scene.remote("albums/one")).expect("back")];
    assert_eq!(back, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_trash_gives_its_space_back() {
    let mut scene = Scene::set().await;
    scene.trash().await;
    scene.press(&[CTRL_F8]);
    scene.shown("It holds 1 thing, 3.0 MiB.");
    scene.press(&[key::TAB, key::ENTER]);
    scene.shown("The trash is empty");
    assert_eq!(scene.used().await, 0);
    assert_eq!(scene.host.trash("ada").read_dir().expect("read").count(), 0);
    scene.press(&[ALT_Z]);
    scene.shown("There is nothing to take back");
}
