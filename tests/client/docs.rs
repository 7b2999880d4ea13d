//! Every command of the documentation is run, as it stands there, by a shell: against a real server, with the real programs under the names
//! that are installed.

#![cfg(test)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::host::PASSWORD;

/// Makes what is written for a machine of its own work in a directory of ours: the server's name and paths are
/// others, passwords come from the environment, and a server that runs goes to the background.
const SHELL: &str = r#"
set -euo pipefail
export CATAMARAN_PASSWORD=$PASSWORD
moved() {
    args=()
    for arg in "$@"; do
        case $arg in
            /srv/*|/etc/*|/var/*) arg=$ROOT$arg ;;
            *@server.example) arg=${arg%server.example}$(cat "$ROOT/address") ;;
        esac
        args+=("$arg")
    done
}
catamaran() {
    moved "$@"
    command catamaran "${args[@]}"
}
catamaran-server() {
    moved "$@"
    case " $* " in
        *--add-user*|*--set-password*) command catamaran-server "${args[@]}" --password-stdin <<< "$PASSWORD" ;;
        *) command catamaran-server "${args[@]}" ;;
    esac
}
"#;

struct Place {
    dir: tempfile::TempDir,
    daemon: tests::daemon::Daemon,
}

impl Place {
    fn new() -> Self {
        let client = Path::new(env!("CARGO_BIN_EXE_tui-client"));
        let server = client.with_file_name("server");
        assert!(server.exists(), "build the server first: `cargo build -p server`");
        let (dir, daemon) = (tempfile::tempdir().expect("a directory"), tests::daemon::Daemon::start(&server).expect("started"));
        for sub in ["bin", "home", "work/album", "srv", "etc/catamaran"] {
            fs::create_dir_all(dir.path().join(sub)).expect("made");
        }
        symlink(client, dir.path().join("bin/catamaran")).expect("linked");
        symlink(&server, dir.path().join("bin/catamaran-server")).expect("linked");
        fs::write(dir.path().join("address"), daemon.address.to_string()).expect("written");
        for (name, len) in [("notes.md", 700), ("photo.jpg", 90_000), ("big.img", 3 << 20), ("album/a.jpg", 5000), ("album/b.jpg", 9)] {
            tests::files::write(&dir.path().join("work").join(name), name, len).expect("written");
        }
        daemon.add_user("ada", "1G").expect("a user");
        Self { dir, daemon }
    }

    /// Runs the blocks of a page one after another, in one shell.
    fn run(&self, page: &str) {
        let text = fs::read_to_string(root().join(page)).expect("readable");
        let blocks = blocks(&text);
        assert!(!blocks.is_empty(), "{page} has no commands");
        let script = format!("{SHELL}\nset -x\n{}", blocks.join("\n"));
        let path = format!("{}:{}", self.dir.path().join("bin").display(), std::env::var("PATH").expect("a path"));
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(self.dir.path().join("work"))
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.dir.path().join("home"))
            .env("ROOT", self.dir.path())
            .env("PASSWORD", PASSWORD)
            .env("CATAMARAN_DATA_DIR", self.daemon.data_dir())
            .output()
            .expect("there is a bash");
        assert!(output.status.success(), "{page}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn blocks(text: &str) -> Vec<&str> {
    let parts = text.split("```sh\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default()).collect()
}

#[test]
fn what_the_page_for_newcomers_says_works() {
    let place = Place::new();
    place.run("docs/coming-from.md");
    assert!(place.dir.path().join("work/album/a.jpg").exists());
}
