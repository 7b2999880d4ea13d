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
                    all.push(Watched { path: path.clone(), pause: pause(pane) });
                }
            }
        }
        all
    }
}

/// So that reading it again takes a small part of the time, however much goes on there.
fn pause(pane: &Pane) -> Duration {
    Duration::from_secs(match pane.rows.entries().len() {
        0..20_000 => 1,
        20_000..200_000 => 10,
        _ => 60,
    })
}
