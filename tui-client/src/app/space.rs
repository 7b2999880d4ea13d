//! What the queue will still take of each side, held against what is free there.

use std::path::{Path, PathBuf};

use wire::message::Usage;
use wire::size;

use super::App;
use super::dialog::Counting;
use super::place::Place;
use super::queue::direction;
use super::sources::Sources;
use super::text::count;
use crate::engine::status::{Direction, ItemStatus, Job, Status};

/// What the screen knows of local file systems while downloads go there.
#[derive(Clone, Debug, Default)]
pub struct Space {
    /// The directories that are measured again and again.
    pub watched: Vec<PathBuf>,
    /// What was measured last.
    pub disks: Vec<(PathBuf, Disk)>,
    /// It was told that the uploads do not fit, and that the downloads do not.
    pub told: (bool, bool),
}

/// A local file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Tells it from others.
    pub id: u64,
    /// Bytes that are free.
    pub free: u64,
}

/// What is to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coming {
    /// Bytes.
    pub bytes: u64,
    /// Files.
    pub files: u64,
    /// Some of it is still being scanned: there may be more.
    pub least: bool,
}

impl Coming {
    fn and(self, bytes: u64, files: u64, least: bool) -> Self {
        let (bytes, files) = (self.bytes.saturating_add(bytes), self.files.saturating_add(files));
        Self { bytes, files, least: self.least || least }
    }

    /// `≥7.6 GiB`
    pub fn words(&self) -> String {
        format!("{}{}", self.sign(), size::show(self.bytes))
    }

    /// `≥` while there may be more.
    pub fn sign(&self) -> &'static str {
        if self.least { "≥" } else { "" }
    }
}

/// What uploads in the queue will still add at the server: files that are not there whole, with all
/// their bytes, for none of them counts as used yet.
pub fn uploads(status: &Status) -> Coming {
    let mut coming = Coming::default();
    for item in unfinished(status, Direction::Up) {
        let files = item.files.saturating_sub(item.files_done).saturating_sub(item.files_failed);
        coming = coming.and(item.bytes.saturating_sub(item.bytes_over), files, item.scanning);
    }
    // Of other sessions only what is promised to them is known.
    let reserved = status.usage.map_or(0, |usage| usage.reserved);
    Coming { bytes: coming.bytes.max(reserved), ..coming }
}

/// What downloads will still take of the file system that holds `dir`. What arrived of a file lies there
/// already.
pub fn downloads(app: &App, dir: &Path) -> Coming {
    let Some(here) = disk(app, dir) else { return Coming::default() };
    let mut coming = Coming::default();
    for item in unfinished(&app.status, Direction::Down) {
        let is_here =
            target_directory(item).and_then(|target| disk(app, target)).is_some_and(|disk| disk.id == here.id);
        if is_here {
            let files = item.files.saturating_sub(item.files_done).saturating_sub(item.files_failed);
            let left = item.bytes.saturating_sub(item.bytes_done.max(item.bytes_over));
            coming = coming.and(left, files, item.scanning);
        }
    }
    coming
}

/// The directory that a download makes its file or directory in.
pub fn target_directory(item: &ItemStatus) -> Option<&Path> {
    match &item.job {
        Job::Down { target, .. } => target.parent(),
        Job::Up { .. } => None,
    }
}

/// The file system of a directory, where it was measured.
pub fn disk(app: &App, dir: &Path) -> Option<Disk> {
    app.space.disks.iter().find(|(measured, _)| measured == dir).map(|(_, disk)| *disk)
}

/// Items of one direction that are not over.
pub fn unfinished(status: &Status, way: Direction) -> impl Iterator<Item = &ItemStatus> {
    status.items.iter().filter(move |item| direction(&item.job) == way && !item.state.is_over())
}

/// By how much the quota would be exceeded: bytes, or files where only their number is.
pub fn over_quota(usage: &Usage, coming: &Coming) -> Option<String> {
    let bytes = usage.quota.map_or(0, |quota| usage.used.saturating_add(coming.bytes).saturating_sub(quota));
    if bytes > 0 {
        return Some(format!("{}{}", coming.sign(), size::show(bytes)));
    }
    let files = usage.max_files.map_or(0, |most| usage.files.saturating_add(coming.files).saturating_sub(most));
    (files > 0).then(|| format!("{}{}", coming.sign(), count(files, "file")))
}

/// What the dialog before a copy to `base` says of the room there; whether it does not fit. `None` where
/// nothing is known of it.
pub fn before_copy(app: &App, sources: &Sources, base: &Place, counting: Option<&Counting>) -> Option<(String, bool)> {
    if sources.are_beside(base) {
        return None;
    }
    let tally = counting.map(|counting| counting.tally).unwrap_or_default();
    let (files, directories) = (sources.len() - sources.directories(), sources.directories());
    let wanted = Coming {
        bytes: sources.bytes()?.saturating_add(tally.bytes),
        files: files as u64 + tally.files,
        // Very many directories are not counted out.
        least: counting.map_or(directories > 0, |counting| !counting.tally.complete),
    };
    let (free, missing) = match base {
        Place::Remote(_) => {
            let usage = app.status.usage?;
            let queued = uploads(&app.status);
            let all = queued.and(wanted.bytes, wanted.files, wanted.least);
            let free = usage.quota.map(|quota| quota.saturating_sub(usage.used).saturating_sub(queued.bytes));
            (free, over_quota(&usage, &all))
        }
        Place::Local(dir) => {
            let free = disk(app, dir).map(|disk| disk.free).or(app.there().free)?;
            let free = free.saturating_sub(downloads(app, dir).bytes);
            let missing = wanted.bytes.saturating_sub(free);
            (Some(free), (missing > 0).then(|| format!("{}{}", wanted.sign(), size::show(missing))))
        }
    };
    let what = match (counting, wanted.least) {
        (None, _) => wanted.words(),
        (Some(_), true) => format!("{} in {} so far, counting…", wanted.words(), count(wanted.files, "file")),
        (Some(_), false) => format!("{} in {}", wanted.words(), count(wanted.files, "file")),
    };
    Some(match (missing, free) {
        (Some(missing), _) => (format!("{what}: needs {missing} more than is free, less what it replaces"), true),
        (None, Some(free)) => (format!("{what}; {} is free there", size::show(free)), false),
        (None, None) => (format!("{what}; there is no quota"), false),
    })
}
