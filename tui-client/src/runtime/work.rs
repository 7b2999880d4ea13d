//! Work within one side, step by step; the first step that fails ends it.

use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use wire::{Code, Fault, RemotePath};

use super::port::Port;
use super::reading::{not_connected, panicked};
use super::{disk, undoing};
use crate::app::place::Place;
use crate::app::undo::{Moved, Step as Undoable};
use crate::update::{Steps, Work};

/// Does the work; tells how many steps were done and what stopped the next one, and beside it what of them can
/// be taken back.
pub(super) async fn run(
    port: Option<&Port>,
    work: &Work,
    token: &CancellationToken,
) -> (usize, Option<Fault>, Undoable) {
    let (mut traces, mut done) = (Traces::default(), 0);
    for step in steps(work) {
        let result = if token.is_cancelled() { Err(stopped()) } else { one(port, step, token).await };
        match result {
            Ok(trace) => traces.add(trace),
            Err(fault) => return (done, Some(fault), traces.undoable()),
        }
        done += 1;
    }
    (done, None, traces.undoable())
}

/// What a step leaves behind by which it can be taken back.
pub(super) enum Trace {
    Nothing,
    Trashed(RemotePath, u64),
    Moved(Moved),
}

/// What steps of one kind left behind.
#[derive(Default)]
pub(super) struct Traces {
    trashed: Vec<(RemotePath, u64)>,
    moved: Vec<Moved>,
}

impl Traces {
    pub(super) fn add(&mut self, trace: Trace) {
        match trace {
            Trace::Nothing => {}
            Trace::Trashed(path, id) => self.trashed.push((path, id)),
            Trace::Moved(moved) => self.moved.push(moved),
        }
    }

    pub(super) fn undoable(self) -> Undoable {
        if self.trashed.is_empty() { Undoable::Moved(self.moved) } else { Undoable::Trashed(self.trashed) }
    }
}

/// Does one step.
pub(super) async fn one(port: Option<&Port>, step: Step, token: &CancellationToken) -> Result<Trace, Fault> {
    match step {
        Step::Trash(path) => trash(port, &path).await,
        Step::Move(from, to, replace) => {
            Step::Move(from.clone(), to.clone(), replace).run(port, token).await?;
            let sight = undoing::sight(port, &to).await;
            Ok(sight.map_or(Trace::Nothing, |sight| Trace::Moved(Moved { from, to, sight })))
        }
        _ => step.run(port, token).await.map(|()| Trace::Nothing),
    }
}

/// Moves something at the server to the trash. What is gone already cannot be taken back.
pub(super) async fn trash(port: Option<&Port>, place: &Place) -> Result<Trace, Fault> {
    let (Place::Remote(path), Some(port)) = (place, port) else { return Err(not_connected()) };
    match port.trash(path).await {
        Ok(id) => Ok(Trace::Trashed(path.clone(), id)),
        Err(fault) if fault.code == Code::NotFound => Ok(Trace::Nothing),
        Err(fault) => Err(fault),
    }
}

/// One change of one thing.
#[derive(Clone)]
pub(super) enum Step {
    MakeDirectory(Place),
    NewFile(Place),
    Remove(Place),
    Trash(Place),
    Move(Place, Place, Replace),
    Copy(Place, Place, Replace),
}

/// Whether a target that exists may go.
pub(super) type Replace = bool;

fn steps(work: &Work) -> Vec<Step> {
    let pairs = |steps: &Steps, step: fn(Place, Place, Replace) -> Step| {
        let numbered = steps.pairs.iter().cloned().enumerate();
        numbered.map(|(index, (from, to))| step(from, to, index == 0 && steps.replace_first)).collect()
    };
    match work {
        Work::MakeDirectory(place) => vec![Step::MakeDirectory(place.clone())],
        Work::NewFile(place) => vec![Step::NewFile(place.clone())],
        Work::Remove(places) => places.iter().cloned().map(Step::Remove).collect(),
        Work::Trash(places) => places.iter().cloned().map(Step::Trash).collect(),
        Work::Move(steps) => pairs(steps, Step::Move),
        Work::Copy(steps) => pairs(steps, Step::Copy),
    }
}

impl Step {
    pub(super) async fn run(self, port: Option<&Port>, token: &CancellationToken) -> Result<(), Fault> {
        match self.at_server() {
            // What takes long is given up there, too; what is soon over is waited for.
            Some(remote @ (RemoteStep::Remove(_) | RemoteStep::Copy(..))) => {
                let run = remote.run(port.ok_or_else(not_connected)?);
                token.run_until_cancelled(run).await.unwrap_or_else(|| Err(stopped()))
            }
            Some(remote) => remote.run(port.ok_or_else(not_connected)?).await,
            None => {
                let token = token.clone();
                spawn_blocking(move || self.run_here(&token)).await.map_err(panicked)?
            }
        }
    }

    pub(super) fn run_here(self, token: &CancellationToken) -> Result<(), Fault> {
        match self {
            Step::MakeDirectory(Place::Local(path)) => disk::make_directory(&path),
            Step::NewFile(Place::Local(path)) => disk::new_file(&path),
            Step::Remove(Place::Local(path)) => gone_is_gone(disk::remove(&path, token)),
            Step::Move(Place::Local(from), Place::Local(to), replace) => disk::rename(&from, &to, replace),
            Step::Copy(Place::Local(from), Place::Local(to), replace) => disk::copy(&from, &to, replace, token),
            _ => Err(Fault::new(Code::Unsupported, "between the two sides only the queue copies")),
        }
    }

    /// The same step with remote paths, when it is one at the server.
    fn at_server(&self) -> Option<RemoteStep> {
        match self.clone() {
            Step::MakeDirectory(Place::Remote(path)) => Some(RemoteStep::MakeDirectory(path)),
            Step::NewFile(Place::Remote(path)) => Some(RemoteStep::NewFile(path)),
            Step::Remove(Place::Remote(path)) => Some(RemoteStep::Remove(path)),
            Step::Move(Place::Remote(from), Place::Remote(to), replace) => Some(RemoteStep::Move(from, to, replace)),
            Step::Copy(Place::Remote(from), Place::Remote(to), replace) => Some(RemoteStep::Copy(from, to, replace)),
            _ => None,
        }
    }
}

enum RemoteStep {
    MakeDirectory(RemotePath),
    NewFile(RemotePath),
    Remove(RemotePath),
    Move(RemotePath, RemotePath, Replace),
    Copy(RemotePath, RemotePath, Replace),
}

impl RemoteStep {
    async fn run(self, port: &Port) -> Result<(), Fault> {
        match self {
            RemoteStep::MakeDirectory(path) => {
                make_parent(port, &path).await?;
                port.make_directory(&path).await
            }
            RemoteStep::NewFile(path) => {
                make_parent(port, &path).await?;
                port.create(&path).await
            }
            RemoteStep::Remove(path) => gone_is_gone(port.remove(&path).await),
            RemoteStep::Move(from, to, replace) => rename(port, &from, &to, replace).await,
            RemoteStep::Copy(from, to, replace) => match port.copy(&from, &to, replace).await {
                Err(fault) if fault.code == Code::NotFound => {
                    make_parent(port, &to).await?;
                    port.copy(&from, &to, replace).await
                }
                copied => copied,
            },
        }
    }
}

/// Gives something another path. The directory it goes into is made where it is missing, and asked for only then.
pub(super) async fn rename(port: &Port, from: &RemotePath, to: &RemotePath, replace: Replace) -> Result<(), Fault> {
    match port.rename(from, to, replace).await {
        Err(fault) if fault.code == Code::NotFound => {
            make_parent(port, to).await?;
            port.rename(from, to, replace).await
        }
        renamed => renamed,
    }
}

/// The directory typed in front of a new name is made, as it is on this machine.
async fn make_parent(port: &Port, path: &RemotePath) -> Result<(), Fault> {
    let parent = path.parent();
    if parent.is_home() { Ok(()) } else { port.make_directories(&parent).await }
}

pub(super) fn stopped() -> Fault {
    Fault::new(Code::Cancelled, "stopped")
}

pub(super) fn gone_is_gone(result: Result<(), Fault>) -> Result<(), Fault> {
    match result {
        Err(fault) if fault.code == Code::NotFound => Ok(()),
        other => other,
    }
}
