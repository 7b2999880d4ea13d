//! Where the client keeps its files, by the XDG rules, and the directory it starts in. Reads no
//! file's content.

use std::path::{Path, PathBuf};

use directories::{ProjectDirs, UserDirs};

/// The client's own directories. None need exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// `client.toml`, `keys.toml`, `themes/`.
    pub config: PathBuf,
    /// Known servers, queue, history, log.
    pub state: PathBuf,
    /// What can be fetched again.
    pub data: PathBuf,
}

/// Without a home directory nothing can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no home directory; set HOME")]
pub struct NoHome;

impl Places {
    /// Those of the user who runs the program.
    pub fn of_user() -> Result<Self, NoHome> {
        let dirs = ProjectDirs::from("", "", "catamaran").ok_or(NoHome)?;
        Ok(Self {
            config: dirs.config_dir().to_owned(),
            // Only systems without the XDG state directory have none.
            state: dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned(),
            data: dirs.data_dir().to_owned(),
        })
    }

    /// The file of servers met before.
    pub fn known_servers(&self) -> PathBuf {
        self.state.join("known_servers.toml")
    }

    /// The client's configuration.
    pub fn client_toml(&self) -> PathBuf {
        self.config.join("client.toml")
    }
}

/// Where the local pane opens: what was asked for, else the configured directory, else the download
/// directory, else `~/Downloads` where it exists, else the current one.
pub fn start_directory(asked: Option<&Path>, configured: Option<&Path>) -> PathBuf {
    let user = UserDirs::new();
    let download = user.as_ref().and_then(UserDirs::download_dir).map(Path::to_owned);
    let fallback = user.as_ref().map(|user| user.home_dir().join("Downloads"));
    let current = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    choose(asked, configured, download, fallback, current)
}

fn choose(
    asked: Option<&Path>,
    configured: Option<&Path>,
    download: Option<PathBuf>,
    fallback: Option<PathBuf>,
    current: PathBuf,
) -> PathBuf {
    let named = asked.or(configured).map(|named| current.join(named));
    let usual = [download, fallback].into_iter().flatten().find(|dir| dir.is_dir());
    named.or(usual).unwrap_or(current)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let (there, missing) = (dir.path().to_owned(), dir.path().join("missing"));
        let current = PathBuf::from("/current");
        let table = [
            (Some("/a"), Some("/b"), Some(&there), Some(&there), "/a".into()),
            (Some("a"), None, Some(&there), None, PathBuf::from("/current/a")),
            (None, Some("/b"), Some(&there), None, "/b".into()),
            (None, None, Some(&there), Some(&missing), there.clone()),
            (None, None, Some(&missing), Some(&there), there.clone()),
            (None, None, Some(&missing), None, current.clone()),
        ];
        for (asked, configured, download, fallback, expected) in table {
            let got = choose(
                asked.map(Path::new),
                configured.map(Path::new),
                download.cloned(),
                fallback.cloned(),
                current.clone(),
            );
            assert_eq!(got, expected);
        }
    }
}
