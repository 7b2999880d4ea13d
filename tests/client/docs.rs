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

/// The one whose fingerprint the README has.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti ada";

struct Place {
    dir: tempfile::TempDir,
    daemon: tests::daemon::Daemon,
}

impl Place {
    fn new() -> Self {
        let client = Path::new(env!("CARGO_BIN_EXE_tui-client"));
        let server = client.with_file_name("server");
        assert!(server.exists(), "build the server first: `cargo build -p server`");
        let (dir, daemon) =
            (tempfile::tempdir().expect("a directory"), tests::daemon::Daemon::start(&server).expect("started"));
        for sub in ["bin", "home", "work/album", "srv", "etc/catamaran"] {
            fs::create_dir_all(dir.path().join(sub)).expect("made");
        }
        symlink(client, dir.path().join("bin/catamaran")).expect("linked");
        symlink(&server, dir.path().join("bin/catamaran-server")).expect("linked");
        fs::write(dir.path().join("address"), daemon.address.to_string()).expect("written");
        for (name, len) in
            [("notes.md", 700), ("photo.jpg", 90_000), ("big.img", 3 << 20), ("album/a.jpg", 5000), ("album/b.jpg", 9)]
        {
            tests::files::write(&dir.path().join("work").join(name), name, len).expect("written");
        }
        daemon.add_user("ada", "1G").expect("a user");
        Self { dir, daemon }
    }

    /// Runs commands one after another, in one shell.
    fn run(&self, page: &str, commands: &str) {
        let script = format!("{SHELL}\ncatamaran ls --accept-new ada@server.example\nset -x\n{commands}");
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

fn blocks(page: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(page)).expect("readable");
    let parts = text.split("```sh\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_the_page_for_newcomers_says_works() {
    for block in blocks("docs/coming-from.md") {
        Place::new().run("docs/coming-from.md", &block);
    }
}

/// But for those that build the programs, open the full screen, or set up a server of one's own: others do these.
#[test]
fn the_commands_of_the_readme_work() {
    let is_own = |line: &str| line.contains("/srv/catamaran") || line.starts_with("catamaran ada@");
    let blocks = blocks("README.md").into_iter();
    let blocks = blocks.filter(|block| block.lines().all(|line| line.starts_with("catamaran") && !is_own(line)));
    let mut count = 0;
    for block in blocks {
        let place = Place::new();
        // Put there by hand, which custody would tell of.
        for name in ["photos/a.jpg", "photos/2025/b.jpg"].iter().filter(|_| block.contains("catamaran put")) {
            tests::files::write(&place.daemon.home("ada").join(name), name, 1000).expect("written");
        }
        fs::write(place.dir.path().join("etc/catamaran/server.toml"), "").expect("written");
        fs::write(place.dir.path().join("work/ada.pub"), KEY).expect("written");
        place.run("README.md", &block);
        count += 1;
    }
    assert!(count >= 3, "{count} parts of the README were run");
}
