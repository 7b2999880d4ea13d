//! `put` and `get`: items for the queue, and waiting until they are over.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use wire::message::Kind;
use wire::path::escape;
use wire::{Code, Fault, RemotePath};

use super::questions::Questions;
use super::report::Report;
use super::{CONNECT, DONE, FAILED, Face, How, INTERRUPTED, LOGIN, USAGE, complain};
use crate::engine::status::{AfterCopy, Direction, ItemId, Job, Link, NewItem, Status};
use crate::engine::{Engine, Options, Target};

impl Face {
    /// Uploads.
    pub(super) async fn put(&self, target: Target, mut paths: Vec<OsString>, how: &How) -> Result<(), u8> {
        let dir = remote(&last(&mut paths)?)?;
        let named = paths.into_iter().map(PathBuf::from).map(|path| (own_name(&path), path));
        let named: Vec<(Option<OsString>, PathBuf)> = named.collect();
        let engine = self.connect(target, self.options(how)).await?;
        let mut report = Report::new(self.output);
        let mut jobs = Vec::new();
        for (name, source) in named {
            let target = name.and_then(|name| dir.join(name.as_bytes()).ok());
            match target {
                Some(target) if !how.recursive && source.is_dir() => {
                    report.refused(Direction::Up, target.to_string(), needs_recursive(&source));
                }
                Some(target) => jobs.push(Job::Up { source, target }),
                None => {
                    let shown = escape(source.as_os_str().as_bytes());
                    let fault = Fault::new(Code::BadPath, format!("{shown} has no name that the server could keep"));
                    report.refused(Direction::Up, shown, fault);
                }
            }
        }
        self.transfer(engine, jobs, how, report).await
    }

    /// Downloads.
    pub(super) async fn get(&self, target: Target, mut paths: Vec<OsString>, how: &How) -> Result<(), u8> {
        let dir = PathBuf::from(last(&mut paths)?);
        let sources = paths.iter().map(|path| remote(path)).collect::<Result<Vec<RemotePath>, u8>>()?;
        if let Err(error) = std::fs::create_dir_all(&dir) {
            complain(&format!("{}: {error}", escape(dir.as_os_str().as_bytes())));
            return Err(FAILED);
        }
        let engine = self.connect(target, self.options(how)).await?;
        let mut report = Report::new(self.output);
        let mut jobs = Vec::new();
        for source in sources {
            let target = dir.join(std::ffi::OsStr::from_bytes(source.name()));
            let is_directory =
                !how.recursive && engine.stat(&source).await.is_ok_and(|entry| entry.kind == Kind::Directory);
            if is_directory {
                let fault = needs_recursive(Path::new(std::ffi::OsStr::from_bytes(source.as_bytes())));
                report.refused(Direction::Down, escape(target.as_os_str().as_bytes()), fault);
            } else {
                jobs.push(Job::Down { source, target });
            }
        }
        self.transfer(engine, jobs, how, report).await
    }

    pub(super) fn options(&self, how: &How) -> Options {
        let configured = self.config.options();
        Options {
            lanes: how.lanes.unwrap_or(configured.lanes),
            limit: how.limit.map_or(configured.limit, |rate| rate.0),
            give_up: Some(Duration::from_secs(how.retry_for)),
            ..configured
        }
    }

    async fn transfer(&self, engine: Engine, jobs: Vec<Job>, how: &How, report: Report) -> Result<(), u8> {
        let if_exists = how.if_exists.unwrap_or(self.config.if_exists);
        let items = jobs.into_iter().map(|job| NewItem { job, if_exists, source: AfterCopy::Keep }).collect();
        self.follow(&engine, |engine| engine.enqueue(items), report).await
    }

    /// Adds items to the queue and tells of them until all are over.
    pub(super) async fn follow(
        &self,
        engine: &Engine,
        enqueue: impl FnOnce(&Engine) -> Vec<ItemId>,
        mut report: Report,
    ) -> Result<(), u8> {
        let mut outcomes = engine.outcomes();
        let ids = enqueue(engine);
        let mut status = engine.status();
        let mut questions = Questions::new(self.output.json);
        let mut terminate = signal(SignalKind::terminate()).map_err(|error| {
            complain(&format!("no signals: {error}"));
            FAILED
        })?;
        let interrupted = loop {
            let now = status.borrow_and_update().clone();
            if !questions.is_asking() {
                report.progress(&now);
            }
            if are_over(&now, &ids) || matches!(now.link, Link::Refused(_)) {
                break false;
            }
            questions.look(engine, &now);
            tokio::select! {
                Some(outcome) = outcomes.recv() => report.file(&outcome),
                changed = status.changed() => if changed.is_err() { break false },
                () = questions.answered(engine) => {}
                _ = tokio::signal::ctrl_c() => break true,
                _ = terminate.recv() => break true,
            }
        };
        if interrupted {
            engine.shutdown(GRACE).await;
        }
        while let Ok(outcome) = outcomes.try_recv() {
            report.file(&outcome);
        }
        match self.close(engine, &ids, &mut report, interrupted).await {
            DONE => Ok(()),
            code => Err(code),
        }
    }

    /// Tells what is left, and the totals.
    async fn close(&self, engine: &Engine, ids: &[ItemId], report: &mut Report, interrupted: bool) -> u8 {
        let status = engine.status().borrow().clone();
        let (code, fault) = match &status.link {
            _ if interrupted => (INTERRUPTED, Fault::new(Code::Cancelled, "interrupted; what has arrived is kept")),
            Link::Refused(fault) if fault.code == Code::Login => (LOGIN, fault.clone()),
            Link::Refused(fault) => (CONNECT, fault.clone()),
            _ => {
                engine.shutdown(GRACE).await;
                return report.end();
            }
        };
        for item in status.items.iter().filter(|item| ids.contains(&item.id) && !item.state.is_over()) {
            report.unfinished(item, fault.clone());
        }
        report.end();
        code
    }
}

fn are_over(status: &Status, ids: &[ItemId]) -> bool {
    ids.iter().all(|id| status.items.iter().any(|item| item.id == *id && item.state.is_over()))
}

/// The directory that the others go into.
fn last(paths: &mut Vec<OsString>) -> Result<OsString, u8> {
    match paths.pop() {
        Some(last) if !paths.is_empty() => Ok(last),
        _ => {
            complain("name what to copy, and last the directory it goes into");
            Err(USAGE)
        }
    }
}

/// The name a local path has at the server; `.` and `..` have that of the directory they mean.
fn own_name(path: &Path) -> Option<OsString> {
    match path.file_name() {
        Some(name) => Some(name.to_owned()),
        None => path.canonicalize().ok()?.file_name().map(ToOwned::to_owned),
    }
}

fn needs_recursive(path: &Path) -> Fault {
    let shown = escape(path.as_os_str().as_bytes());
    Fault::new(Code::IsDirectory, format!("{shown} is a directory; copy it with -r"))
}

/// A remote path from the command line.
pub(super) fn remote(path: &std::ffi::OsStr) -> Result<RemotePath, u8> {
    RemotePath::parse(path.as_bytes()).map_err(|error| {
        complain(&format!("{}: {error}", escape(path.as_bytes())));
        USAGE
    })
}

/// For transfers that are interrupted, and for the goodbye.
pub(super) const GRACE: Duration = Duration::from_secs(2);
