//! The client's real program with a home of its own, against a server in this process.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tests::host::{Config, Host, PASSWORD};

/// A server with the user `ada`, and a place for a client's files.
pub(crate) struct Program {
    pub(crate) host: Host,
    place: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) lines: Vec<Value>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The objects about files, without the totals.
    pub(crate) fn files(&self) -> &[Value] {
        self.lines.split_last().expect("totals").1
    }

    /// The last object.
    pub(crate) fn totals(&self) -> &Value {
        self.lines.last().expect("totals")
    }

    /// The only file.
    pub(crate) fn file(&self) -> &Value {
        let [file] = self.files() else { panic!("not one file: {self:?}") };
        file
    }

    /// Fails unless the program did.
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}

impl Program {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with some settings of the server changed.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let host = Host::with(change).await.expect("started");
        host.add_user("ada", None).await.expect("a user");
        let program = Self { host, place: tempfile::tempdir().expect("a directory") };
        program.run(["ls", &program.target(), "--accept-new"]).await.ended(0);
        program
    }

    /// `ada@127.0.0.1:PORT`.
    pub(crate) fn target(&self) -> String {
        format!("ada@{}", self.host.address)
    }

    /// A path among the client's files.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.place.path().join("files").join(name)
    }

    /// Writes a file among them.
    pub(crate) fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// The user's home at the server.
    pub(crate) fn home(&self, name: impl AsRef<Path>) -> PathBuf {
        self.host.home("ada").join(name)
    }

    /// The command, with the client's own places and the right password.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tui-client"));
        std::fs::create_dir_all(self.path("")).expect("made");
        command
            .args(arguments)
            .current_dir(self.path(""))
            .env("HOME", self.place.path())
            .env("XDG_CONFIG_HOME", self.place.path().join("config"))
            .env("XDG_STATE_HOME", self.place.path().join("state"))
            .env("CATAMARAN_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Without a terminal to ask on, even where the suite has one.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    }

    /// Runs it to its end.
    pub(crate) async fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        finish(self.command(arguments)).await
    }

    /// Starts it, to be killed.
    pub(crate) fn start<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Child {
        self.command(arguments).spawn().expect("started")
    }
}

/// Runs a command to its end.
pub(crate) async fn finish(mut command: Command) -> Run {
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("joined").expect("ran");
    let out = String::from_utf8(output.stdout).expect("text");
    let lines = out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    Run { code: output.status.code(), lines, out, err: String::from_utf8_lossy(&output.stderr).into_owned() }
}
