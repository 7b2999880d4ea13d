//! Reads and counts of both sides, as tasks.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use wire::message::{Entry, Kind};
use wire::{Code, Fault, RemotePath};

use super::disk;
use super::gathering::{Gathering, Pages};
use super::port::Port;
use crate::app::dialog::Tally;
use crate::app::marks::Marks;
use crate::app::pane::finding::longest;
use crate::app::pane::marking::Marking;
use crate::app::place::Place;
use crate::app::rows::Rows;
use crate::update::Msg;

/// Reads a directory and sends its rows: parts of them on the way, or only figures while a list of it is
/// `shown`, and at the end the whole list.
pub(super) async fn read(
    port: Option<Port>,
    generation: u64,
    place: Place,
    gathering: Gathering,
    inbox: mpsc::Sender<Msg>,
) {
    let result = match (place, port) {
        (Place::Local(path), _) => {
            let (sender, rows) = mpsc::channel(ROWS_AHEAD);
            let disk = path.clone();
            let free = spawn_blocking(move || disk::free(&disk)).await.ok().flatten();
            spawn_blocking(move || disk::read(&path, &sender));
            gathering.with_free(free).run(paged(rows)).await
        }
        (Place::Remote(path), Some(port)) => gathering.run(port.list(&path)).await,
        (Place::Remote(_), None) => Err(not_connected()),
    };
    let _ = inbox.send(Msg::Read { generation, result }).await;
}

/// Pages of rows that come one by one: as many as there are. A row that never comes, for the disk it is on does not
/// answer, holds up none that came before it.
fn paged(mut rows: mpsc::Receiver<Result<Entry, Fault>>) -> Pages {
    let (sender, pages) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut some = Vec::with_capacity(ROWS_AHEAD);
        while rows.recv_many(&mut some, ROWS_AHEAD).await > 0 {
            // Nothing comes after a fault.
            let fault = some.pop_if(|last| last.is_err());
            let page = some.drain(..).flatten().collect();
            for page in [Ok(page)].into_iter().chain(fault.map(|fault| fault.map(|_| Vec::new()))) {
                if sender.send(page).await.is_err() {
                    return;
                }
            }
        }
    });
    pages
}

/// Puts rows into another order, or shows others of them.
pub(super) async fn sort(generation: u64, inbox: mpsc::Sender<Msg>, arranged: impl FnOnce() -> Rows + Send + 'static) {
    // A sorting that failed leaves the rows as they are.
    if let Ok(rows) = spawn_blocking(arranged).await {
        let _ = inbox.send(Msg::Sorted { generation, rows }).await;
    }
}

/// Searches a name that begins like a text.
pub(super) async fn seek(
    serial: u64,
    (rows, from): (Rows, usize),
    text: String,
    token: CancellationToken,
    inbox: mpsc::Sender<Msg>,
) {
    let (all, wanted) = (rows.clone(), text.clone());
    // One that failed leaves the cursor where it is.
    if let Ok(found) = spawn_blocking(move || longest(&all, from, &wanted, || !token.is_cancelled())).await {
        let _ = inbox.send(Msg::Sought { serial, rows, text, found }).await;
    }
}

/// Sets marks, one change after another.
pub(super) async fn mark(generation: u64, rows: Rows, before: Marks, markings: Vec<Marking>, inbox: mpsc::Sender<Msg>) {
    let (all, old) = (rows.clone(), before.clone());
    let marked = spawn_blocking(move || markings.iter().fold(old, |marks, marking| marking.apply(&all, &marks)));
    // One that failed leaves the marks as they are.
    if let Ok(marks) = marked.await {
        let _ = inbox.send(Msg::Marked { generation, rows, before, marks }).await;
    }
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
            // What was counted stays "at least".
            Err(fault) => return drop(inbox.send(Msg::CountFailed { serial, fault }).await),
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
pub(super) struct Pulse {
    inbox: mpsc::Sender<Msg>,
    last: Instant,
}

impl Pulse {
    pub(super) fn new(inbox: mpsc::Sender<Msg>) -> Self {
        Self { inbox, last: Instant::now() }
    }

    pub(super) fn beat(&mut self, msg: impl FnOnce() -> Msg) {
        if self.last.elapsed() >= BEAT {
            self.last = Instant::now();
            // A full inbox has newer things to tell.
            let _ = self.inbox.try_send(msg());
        }
    }
}

fn flatten<T>(result: Result<Result<T, Fault>, tokio::task::JoinError>) -> Result<T, Fault> {
    result.map_err(panicked)?
}

pub(super) fn panicked(error: tokio::task::JoinError) -> Fault {
    Fault::new(Code::Internal, format!("a task failed: {error}"))
}

pub(super) fn not_connected() -> Fault {
    Fault::new(Code::Cancelled, "not connected; Ctrl-N connects")
}

const BEAT: Duration = Duration::from_millis(100);
/// Rows of this machine's disks that wait to be taken up.
const ROWS_AHEAD: usize = 1024;
