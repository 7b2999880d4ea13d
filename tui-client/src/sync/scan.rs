//! Two walks that go at once and become a plan, which is shown now and then while it grows. Everything that takes
//! time in it runs beside, so that neither the server's pages nor the screen wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use wire::{Code, Fault, Root};

use super::ground::Ground;
use super::mode::{By, Mode, Toward};
use super::path;
use super::plan::{Content, Finding, Id, Plan, Row, Walked};
use super::walk::Part;
use crate::entries::Entries;

/// What is to be put side by side.
#[derive(Clone, Debug)]
pub struct Scan {
    /// One side.
    pub left: Ground,
    /// The other.
    pub right: Ground,
    /// How.
    pub mode: Mode,
}

/// How far a scan has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Entries found on both sides.
    pub found: u64,
    /// Files whose contents have been compared.
    pub compared: u64,
    /// Files whose contents are to be compared; known when both walks are through.
    pub to_compare: u64,
    /// Directories that could not be read.
    pub unread: u64,
}

/// All that came of a scan.
#[derive(Clone, Debug)]
pub struct Whole {
    /// Every row.
    pub plan: Plan,
    /// How much there was.
    pub progress: Progress,
}

/// Runs a scan; `show` is given the plan so far, at most ten times a second, and must not wait.
pub async fn run(scan: &Scan, token: &CancellationToken, show: impl FnMut(Plan, Progress)) -> Result<Whole, Fault> {
    let side = if scan.mode.by == By::Content { Side::with_roots() } else { Side::default() };
    let mut scanning = Scanning {
        mode: scan.mode,
        left: side.clone(),
        right: side,
        contents: Arc::default(),
        progress: Progress::default(),
        show,
        due: Instant::now() + FIRST,
        joining: None,
    };
    scanning.walk(scan).await?;
    scanning.check_tops()?;
    if scan.mode.by == By::Content {
        scanning.compare(scan, token).await?;
    }
    Ok(Whole { plan: scanning.plan().await?, progress: scanning.progress })
}

struct Scanning<F> {
    mode: Mode,
    left: Side,
    right: Side,
    /// Of files on both sides, by their entries on the left.
    contents: Arc<HashMap<Id, Content>>,
    progress: Progress,
    show: F,
    /// When a plan is made next.
    due: Instant,
    joining: Option<Joining>,
}

/// What came of a side.
#[derive(Clone, Default)]
struct Side {
    walked: Walked,
    /// Nothing has the name of the directory itself.
    missing: Option<Fault>,
}

/// A plan that is being made, since when.
struct Joining {
    begun: Instant,
    task: JoinHandle<Joined>,
}

/// A plan, and what was put into order for it.
struct Joined {
    orders: [Vec<u32>; 2],
    plan: Plan,
}

impl Side {
    fn with_roots() -> Self {
        Self { walked: Walked { entries: Entries::with_roots(), ..Walked::default() }, ..Self::default() }
    }

    fn take(&mut self, part: Option<Result<Part, Fault>>) -> Result<(), Fault> {
        match part {
            None => self.walked.whole = true,
            Some(Ok(Part::Unread(path))) => drop(self.walked.unread.insert(path)),
            Some(Ok(Part::Page(page))) => {
                // A name that leads elsewhere could not be acted on.
                let inside = page.iter().filter(|entry| path::is_inside(&entry.name.0));
                inside.for_each(|entry| self.walked.entries.push(entry));
            }
            Some(Err(fault)) if fault.code == Code::NotFound && self.walked.entries.is_empty() => {
                (self.missing, self.walked.whole) = (Some(fault), true);
            }
            Some(Err(fault)) => return Err(fault),
        }
        Ok(())
    }

    fn is_open(&self) -> bool {
        !self.walked.whole
    }
}

impl<F: FnMut(Plan, Progress)> Scanning<F> {
    async fn walk(&mut self, scan: &Scan) -> Result<(), Fault> {
        let (mut left, mut right) = (scan.left.walk(scan.mode.deep), scan.right.walk(scan.mode.deep));
        while self.left.is_open() || self.right.is_open() {
            tokio::select! {
                part = left.recv(), if self.left.is_open() => self.left.take(part)?,
                part = right.recv(), if self.right.is_open() => self.right.take(part)?,
                joined = pulse(&mut self.joining, self.due) => self.beat(joined)?,
            }
            let sides = [&self.left.walked, &self.right.walked];
            self.progress.found = sides.iter().map(|side| side.entries.len() as u64).sum();
            self.progress.unread = sides.iter().map(|side| side.unread.len() as u64).sum();
        }
        Ok(())
    }

    /// A directory that is not there yet is empty; never the one that the other is to be like.
    fn check_tops(&self) -> Result<(), Fault> {
        match (&self.left.missing, &self.right.missing, self.mode.toward) {
            (Some(fault), _, Toward::Right) | (_, Some(fault), Toward::Left) => Err(fault.clone()),
            (Some(fault), Some(_), Toward::Both) => Err(fault.clone()),
            _ => Ok(()),
        }
    }

    /// Compares the contents of all files that could be equal, several at once.
    async fn compare(&mut self, scan: &Scan, token: &CancellationToken) -> Result<(), Fault> {
        let plan = self.plan().await?;
        let waiting: Vec<Row> = plan.rows.iter().filter(|row| row.finding == Finding::Waiting).copied().collect();
        self.progress.to_compare = waiting.len() as u64;
        let compared = |row: Row| {
            let plan = plan.clone();
            async move { Some((row.left?, content(scan, &plan, &row, token).await?)) }
        };
        let mut contents = std::pin::pin!(stream::iter(waiting).map(compared).buffer_unordered(at_once()));
        loop {
            tokio::select! {
                content = contents.next() => match content {
                    None => return Ok(()),
                    Some(None) => return Err(Fault::new(Code::Cancelled, "stopped")),
                    Some(Some((id, content))) => {
                        Arc::make_mut(&mut self.contents).insert(id, content);
                        self.progress.compared += 1;
                    }
                },
                joined = pulse(&mut self.joining, self.due) => self.beat(joined)?,
            }
        }
    }

    /// It is time for a plan, or one was made.
    fn beat(&mut self, joined: Option<Result<Joined, JoinError>>) -> Result<(), Fault> {
        let Some(joined) = joined else {
            self.joining = Some(self.join());
            return Ok(());
        };
        let took = self.joining.take().map_or(Duration::ZERO, |joining| joining.begun.elapsed());
        // Making plans takes no more than a third of the time.
        self.due = Instant::now() + PAUSE.max(took * 2);
        let plan = self.settle(joined.map_err(|error| lost(&error))?);
        (self.show)(plan, self.progress);
        Ok(())
    }

    fn settle(&mut self, Joined { orders: [left, right], plan }: Joined) -> Plan {
        (self.left.walked.order, self.right.walked.order) = (left, right);
        plan
    }

    fn join(&self) -> Joining {
        let (mut left, mut right) = (self.left.walked.clone(), self.right.walked.clone());
        let (mode, contents) = (self.mode, self.contents.clone());
        let task = spawn_blocking(move || {
            left.sort();
            right.sort();
            let content = |id| contents.get(&id).copied().unwrap_or(Content::Waiting);
            let plan = Plan::of(&left, &right, mode, content);
            Joined { orders: [left.order, right.order], plan }
        });
        Joining { begun: Instant::now(), task }
    }

    /// The plan of all there is.
    async fn plan(&mut self) -> Result<Plan, Fault> {
        if let Some(joining) = self.joining.take() {
            // Sorted once is sorted for the next.
            let joined = joining.task.await.map_err(|error| lost(&error))?;
            self.settle(joined);
        }
        let joined = self.join().task.await.map_err(|error| lost(&error))?;
        Ok(self.settle(joined))
    }
}

/// Waits until a plan is made, or for the time to make one.
async fn pulse(joining: &mut Option<Joining>, due: Instant) -> Option<Result<Joined, JoinError>> {
    match joining {
        Some(joining) => Some((&mut joining.task).await),
        None => {
            sleep_until(due).await;
            None
        }
    }
}

/// Whether two files hold the same; `None` when it was stopped.
async fn content(scan: &Scan, plan: &Plan, row: &Row, token: &CancellationToken) -> Option<Content> {
    let known = |entry: Option<crate::entries::EntryRef<'_>>| entry.and_then(|entry| entry.root);
    let path = plan.path(row);
    let left = root(&scan.left, path, known(plan.on_left(row)), token);
    let right = root(&scan.right, path, known(plan.on_right(row)), token);
    match tokio::join!(left, right) {
        _ if token.is_cancelled() => None,
        (Ok(left), Ok(right)) if left == right => Some(Content::Same),
        (Ok(_), Ok(_)) => Some(Content::Differs),
        _ => Some(Content::Unknown),
    }
}

async fn root(ground: &Ground, path: &[u8], known: Option<Root>, token: &CancellationToken) -> Result<Root, Fault> {
    match known {
        Some(root) => Ok(root),
        None => ground.hash(path, token).await,
    }
}

fn lost(error: &JoinError) -> Fault {
    Fault::new(Code::Internal, format!("a task of the client failed: {error}"))
}

/// Files read at once: as many as there are cores, and two where there is one, for one waits for the disk.
fn at_once() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 16))
}

/// Most scans are through by then.
const FIRST: Duration = Duration::from_millis(100);
/// From then on a plan is shown at most ten times a second.
const PAUSE: Duration = Duration::from_millis(100);
