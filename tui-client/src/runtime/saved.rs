//! Servers used before, in a small file of the state directory. A broken or missing file is an empty list.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The list and its file.
#[derive(Clone, Debug)]
pub(super) struct Saved {
    file: PathBuf,
}

#[derive(Default, Serialize, Deserialize)]
struct Servers {
    /// `user@host:port`, the last used first.
    servers: Vec<String>,
}

impl Saved {
    pub(super) fn at(state: &Path) -> Self {
        Self { file: state.join("servers.toml") }
    }

    /// All of them, the last used first.
    pub(super) fn read(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        toml::from_str::<Servers>(&text).unwrap_or_default().servers
    }

    /// Puts a server in front and returns the new list; it is right even where it cannot be written.
    pub(super) fn used(&self, server: &str) -> Vec<String> {
        let mut servers = self.read();
        servers.retain(|known| known != server);
        servers.insert(0, server.to_owned());
        servers.truncate(KEPT);
        if let Err(error) = self.write(&servers) {
            tracing::warn!(file = %self.file.display(), %error, "the list of servers was not written");
        }
        servers
    }

    fn write(&self, servers: &[String]) -> io::Result<()> {
        let text = toml::to_string(&Servers { servers: servers.to_vec() }).map_err(io::Error::other)?;
        write_whole(&self.file, &text)
    }
}

/// Writes a small file so that it is the old one or the new one whenever somebody looks.
pub(super) fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let new = file.with_extension(format!("{}.new", std::process::id()));
    let written = File::create(&new).and_then(|mut to| {
        to.write_all(text.as_bytes())?;
        to.sync_all()
    });
    written.and_then(|()| fs::rename(&new, file)).inspect_err(|_| drop(fs::remove_file(&new)))
}

/// More would not fit a dialog.
const KEPT: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_used_comes_first_and_none_twice() {
        let directory = tempfile::tempdir().unwrap();
        let saved = Saved::at(&directory.path().join("state"));
        assert!(saved.read().is_empty());
        saved.used("a@x:1");
        saved.used("b@y:2");
        assert_eq!(saved.used("a@x:1"), ["a@x:1", "b@y:2"]);
        assert_eq!(saved.read(), ["a@x:1", "b@y:2"]);
        fs::write(directory.path().join("state/servers.toml"), "nonsense").unwrap();
        assert!(saved.read().is_empty());
    }
}
