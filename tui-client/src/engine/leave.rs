//! The sources of moves. A file goes when it is proven at its target and its source is still what was
//! sent; a directory when it is empty. Nothing is removed with what it holds.

use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use wire::message::{Kind, Op};
use wire::{Code, Fault, RemotePath};

use super::item::{Again, Emptied, Kept, Leave, Leaving};
use super::local;
use super::queue::Queue;
use super::session::Session;
use super::status::{ItemId, Job, Link};

/// Serves the queue's moves until it is dropped.
pub(crate) async fn run(queue: Queue, session: Session) {
    let mut standing = session.standing();
    let mut running = JoinSet::new();
    loop {
        let is_online = standing.borrow_and_update().link == Link::Online;
        while running.len() < AT_ONCE {
            let Some((id, leave)) = queue.next_leave(is_online) else { break };
            running.spawn(one(queue.clone(), session.clone(), id, leave));
        }
        let is_waiting = running.len() < AT_ONCE && queue.has_waiting_leaves();
        tokio::select! {
            () = queue.leaving() => {}
            changed = standing.changed() => if changed.is_err() { return },
            Some(_) = running.join_next() => {}
            () = sleep(LATER), if is_waiting => {}
        }
    }
}

async fn one(queue: Queue, session: Session, id: ItemId, leave: Leave) {
    match leave {
        Leave::Files(files) => {
            let left = remove(&session, files).await;
            queue.left(id, left);
        }
        Leave::Directories(directories) => {
            let emptied = empty(&session, directories).await;
            queue.emptied(id, emptied);
        }
    }
}

type Left = Vec<(Leaving, Result<(), Kept>)>;

async fn remove(session: &Session, files: Vec<Leaving>) -> Left {
    let (mut left, mut proven) = (Vec::new(), Vec::new());
    for leaving in files {
        match &leaving.file.job {
            Job::Down { source, .. } => {
                let result = remove_remote(session, source, &leaving).await;
                left.push((leaving, result));
            }
            Job::Up { .. } => match look_up(session, &leaving).await {
                Ok(()) => proven.push(leaving),
                Err(kept) => left.push((leaving, Err(kept))),
            },
        }
    }
    if !proven.is_empty() {
        left.extend(remove_local(proven).await);
    }
    left
}

/// Whether the target of an upload of which nothing travelled is still there, and still the same.
async fn look_up(session: &Session, leaving: &Leaving) -> Result<(), Kept> {
    if !leaving.is_to_be_looked_up() {
        return Ok(());
    }
    let target = leaving.file.remote_target().unwrap_or_default();
    let copy = || Again::Copy(leaving.file.source);
    match session.stat(&target).await {
        Ok(there) if there.root == Some(leaving.root) => Ok(()),
        Err(fault) if fault.code != Code::NotFound => Err(unremoved(fault)),
        _ => Err(Kept { fault: Fault::new(Code::Changed, TARGET_CHANGED), again: copy() }),
    }
}

async fn remove_local(files: Vec<Leaving>) -> Left {
    let again = files.clone();
    let removed = tokio::task::spawn_blocking(move || {
        let removed = files.into_iter().map(|leaving| {
            let result = match &leaving.file.job {
                Job::Up { source, .. } => local::remove_sent(source, &leaving.file.source, leaving.file.identity),
                Job::Down { .. } => Err(Fault::new(Code::Internal, "a download among the uploads")),
            };
            let result = match result {
                Ok(None) => Ok(()),
                Ok(Some(now)) => Err(source_changed(now)),
                Err(fault) => Err(unremoved(fault)),
            };
            (leaving, result)
        });
        removed.collect()
    });
    removed.await.unwrap_or_else(|error| {
        let kept = unremoved(lost_task(&error));
        again.into_iter().map(|leaving| (leaving, Err(kept.clone()))).collect()
    })
}

async fn remove_remote(session: &Session, source: &RemotePath, leaving: &Leaving) -> Result<(), Kept> {
    let now = match session.stat(source).await {
        // Removed by a try whose answer was lost, or by somebody else.
        Err(fault) if fault.code == Code::NotFound => return Ok(()),
        now => now.map_err(unremoved)?,
    };
    let sent = &leaving.file.source;
    let is_same = now.kind == Kind::File
        && (now.size, now.mtime) == (sent.size, sent.mtime)
        && now.root.is_none_or(|root| root == leaving.root);
    if !is_same {
        return Err(source_changed(local::side(&now)));
    }
    gone(session.order(Op::Remove { path: source.into(), recursive: false }).await).map_err(unremoved)
}

/// Removes directories in this order, as far as the connection holds.
async fn empty(session: &Session, directories: Vec<(usize, Job)>) -> Emptied {
    let mut emptied = Emptied::default();
    let mut rest = directories.into_iter();
    while let Some((depth, job)) = rest.next() {
        let removed = match &job {
            Job::Up { source, .. } => empty_local(source.clone()).await,
            Job::Down { source, .. } => empty_remote(session, source).await,
        };
        match removed {
            Ok(()) => {}
            Err(fault) if fault.code.heals() => {
                emptied.rest = Some((std::iter::once((depth, job)).chain(rest).collect(), fault));
                break;
            }
            Err(fault) => emptied.left.push(fault),
        }
    }
    emptied
}

async fn empty_local(path: PathBuf) -> Result<(), Fault> {
    tokio::task::spawn_blocking(move || local::remove_empty(&path)).await.unwrap_or_else(|error| Err(lost_task(&error)))
}

async fn empty_remote(session: &Session, path: &RemotePath) -> Result<(), Fault> {
    match session.stat(path).await {
        Ok(now) if now.kind == Kind::Directory => {
            gone(session.order(Op::Remove { path: path.into(), recursive: false }).await)
        }
        // Something else has the name by now.
        Ok(_) => Err(Fault::new(Code::NotDirectory, format!("{path} is no directory any more"))),
        Err(fault) => gone(Err(fault)),
    }
}

fn gone(removed: Result<(), Fault>) -> Result<(), Fault> {
    match removed {
        Err(fault) if fault.code == Code::NotFound => Ok(()),
        removed => removed,
    }
}

fn source_changed(now: super::status::Side) -> Kept {
    Kept { fault: Fault::new(Code::Changed, SOURCE_CHANGED), again: Again::Copy(now) }
}

fn unremoved(fault: Fault) -> Kept {
    let message = format!("copied, but the source could not be removed: {}", fault.message);
    Kept { fault: Fault { message, ..fault }, again: Again::Remove }
}

fn lost_task(error: &tokio::task::JoinError) -> Fault {
    Fault::new(Code::Internal, format!("a task of the client failed: {error}"))
}

const SOURCE_CHANGED: &str = "copied, but the source changed and was kept";
const TARGET_CHANGED: &str = "the target changed after it was proven: the source was kept";
/// Tasks that remove at the same time.
const AT_ONCE: usize = 8;
const LATER: Duration = Duration::from_millis(250);
