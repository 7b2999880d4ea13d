//! Which of this machine's directories are watched, and how often a change of them is worth a read.

use std::path::PathBuf;
use std::time::Duration;

use super::App;
use super::pane::Pane;
use super::place::Place;

/// A directory on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Its path.
    pub path: PathBuf,
    /// At the least this long from one telling of a change to the next.
    pub pause: Duration,
}

impl App {
    /// The directories of this machine that are shown or being read, each once.
    pub fn to_watch(&self) -> Vec<Watched> {
        let mut all: Vec<Watched> = Vec::new();
        for pane in [&self.left, &self.right] {
            let places = [Some(&pane.place), pane.loading.as_ref().map(|loading| &loading.place)];
            for place in places.into_iter().flatten() {
                if let Place::Local(path) = place
                    && all.iter().all(|watched| watched.path != *path)
                {
                    all.push(Watched { path: path.clone(), pause: pane.pause() });
                }
            }
        }
        all
    }
}

impl Pane {
    /// From one read of changes to the next, so that reading takes a small part of the time, however much goes on there.
    pub fn pause(&self) -> Duration {
        Duration::from_secs(match self.rows.entries().len() {
            0..LONG => 1,
            LONG..200_000 => 10,
            _ => 60,
        })
    }
}

/// Entries from which on a list is not read again at once.
pub const LONG: usize = 20_000;
