//! Reads and counts of both sides, as tasks.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use wire::message::{Entry, Kind};
use wire::{Code, Fault, RemotePath};

use super::disk;
use super::port::Port;
use crate::app::dialog::Tally;
use crate::app::order::Order;
use crate::app::place::Place;
use crate::update::{Listing, Msg};

/// Reads a directory to its end and sends the list, with figures on the way.
pub(super) async fn read(
    port: Option<Port>,
    generation: u64,
    place: Place,
    order: Order,
    token: CancellationToken,
    inbox: mpsc::Sender<Msg>,
) {
    let mut pulse = Pulse::new(inbox.clone());
    let result = match (place, port) {
        (Place::Local(path), _) => {
            let found = move |found| pulse.beat(|| Msg::Reading { generation, found });
            flatten(spawn_blocking(move || disk::read(&path, order, &token, found)).await)
        }
        (Place::Remote(path), Some(port)) => {
            let found = |found| pulse.beat(|| Msg::Reading { generation, found });
            read_remote(&port, &path, order, found).await
        }
        (Place::Remote(_), None) => Err(not_connected()),
    };
    let _ = inbox.send(Msg::Read { generation, result }).await;
}

async fn read_remote(
    port: &Port,
    path: &RemotePath,
    order: Order,
    mut found: impl FnMut(u64),
) -> Result<Listing, Fault> {
    let mut pages = port.list(path);
    let mut entries: Vec<Entry> = Vec::new();
    while let Some(page) = pages.recv().await {
        // A row whose name is no name could not be acted on.
        entries.extend(page?.into_iter().filter(|entry| is_name(&entry.name.0)));
        found(entries.len() as u64);
    }
    let sorted = spawn_blocking(move || {
        order.sort(&mut entries);
        entries
    });
    let entries = sorted.await.map_err(panicked)?;
    Ok(Listing { entries, free: None, at: disk::now() })
}

/// Counts what directories hold and sends the sum, as it grows and when it is complete.
pub(super) async fn count(
    port: Option<Port>,
    serial: u64,
    places: Vec<Place>,
    token: CancellationToken,
    inbox: mpsc::Sender<Msg>,
) {
    let mut tally = Tally::default();
    for place in places {
        let mut pulse = Pulse::new(inbox.clone());
        let mut told = move |tally| pulse.beat(|| Msg::Counted { serial, tally });
        let result = match (place, &port) {
            (Place::Local(path), _) => {
                let stop = token.clone();
                let job = move || {
                    disk::count(&path, &mut tally, &stop, told)?;
                    Ok(tally)
                };
                flatten(spawn_blocking(job).await)
            }
            (Place::Remote(path), Some(port)) => count_remote(port, &path, tally, &mut told).await,
            (Place::Remote(_), None) => Err(not_connected()),
        };
        match result {
            Ok(sum) => tally = sum,
            // The dialog goes on saying "at least".
            Err(_) => return,
        }
    }
    let tally = Tally { complete: true, ..tally };
    let _ = inbox.send(Msg::Counted { serial, tally }).await;
}

async fn count_remote(
    port: &Port,
    path: &RemotePath,
    mut tally: Tally,
    told: &mut impl FnMut(Tally),
) -> Result<Tally, Fault> {
    let mut pages = port.walk(path);
    while let Some(page) = pages.recv().await {
        for entry in page? {
            match entry.kind {
                Kind::Directory => tally.directories += 1,
                Kind::File | Kind::Link | Kind::Other => tally.files += 1,
            }
            tally.bytes = tally.bytes.saturating_add(entry.size);
        }
        told(tally);
    }
    Ok(tally)
}

/// Lets a figure through ten times a second, and never waits for the screen.
struct Pulse {
    inbox: mpsc::Sender<Msg>,
    last: Instant,
}

impl Pulse {
    fn new(inbox: mpsc::Sender<Msg>) -> Self {
        Self { inbox, last: Instant::now() }
    }

    fn beat(&mut self, msg: impl FnOnce() -> Msg) {
        if self.last.elapsed() >= BEAT {
            self.last = Instant::now();
            // A full inbox has newer things to tell.
            let _ = self.inbox.try_send(msg());
        }
    }
}

fn is_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.contains(&b'/') && !name.contains(&0)
}

fn flatten<T>(result: Result<Result<T, Fault>, tokio::task::JoinError>) -> Result<T, Fault> {
    result.map_err(panicked)?
}

pub(super) fn panicked(error: tokio::task::JoinError) -> Fault {
    Fault::new(Code::Internal, format!("a task failed: {error}"))
}

pub(super) fn not_connected() -> Fault {
    Fault::new(Code::Cancelled, "not connected")
}

const BEAT: Duration = Duration::from_millis(100);
