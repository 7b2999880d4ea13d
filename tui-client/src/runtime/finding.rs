//! Looking for names on both sides, as tasks.

use std::path::PathBuf;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use wire::Fault;
use wire::message::Entry;
use wire::pattern::Pattern;

use super::port::Port;
use super::reading::not_connected;
use crate::app::place::Place;
use crate::sync::walk::{self, Part};
use crate::update::{Hit, Msg};

/// Sends what has a name like the pattern below a place, as it is found.
pub(super) async fn find(port: Option<Port>, serial: u64, place: Place, pattern: String, inbox: mpsc::Sender<Msg>) {
    let telling = Telling { serial, inbox };
    let result = match (place, port) {
        (Place::Local(path), _) => telling.here(path, &pattern).await,
        (Place::Remote(path), Some(port)) => telling.there(port.find(&path, pattern)).await,
        (Place::Remote(_), None) => Err(not_connected()),
    };
    telling.tell(Hit::Over(result)).await;
}

struct Telling {
    serial: u64,
    inbox: mpsc::Sender<Msg>,
}

impl Telling {
    async fn here(&self, top: PathBuf, pattern: &str) -> Result<u64, Fault> {
        let pattern = Pattern::parse(pattern).map_err(|error| Fault::new(wire::Code::BadPattern, error.to_string()))?;
        let (sender, mut parts) = mpsc::channel(PARTS_AHEAD);
        spawn_blocking(move || walk::walk(&top, true, &sender));
        let mut unread = 0;
        while let Some(part) = parts.recv().await {
            match part? {
                Part::Unread(_) => unread += 1,
                Part::Page(mut page) => {
                    page.retain(|entry| pattern.matches(last(&entry.name.0)));
                    self.page(page).await;
                }
            }
        }
        Ok(unread)
    }

    async fn there(&self, mut pages: mpsc::Receiver<Result<Vec<Entry>, Fault>>) -> Result<u64, Fault> {
        while let Some(page) = pages.recv().await {
            self.page(page?).await;
        }
        Ok(0)
    }

    async fn page(&self, page: Vec<Entry>) {
        if !page.is_empty() {
            self.tell(Hit::Page(page)).await;
        }
    }

    async fn tell(&self, told: Hit) {
        // Refused only when the loop is over.
        let _ = self.inbox.send(Msg::Found { serial: self.serial, told }).await;
    }
}

/// The last name of a path.
fn last(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// Parts of a walk that wait to be looked at.
const PARTS_AHEAD: usize = 4;
