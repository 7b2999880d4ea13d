//! Measures file systems of this machine, again and again, and tells when their room has changed.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::disk;
use crate::app::space::Disk;
use crate::update::Msg;

/// Runs until it is dropped. A directory that is not there yet is measured where it will be made.
pub(super) async fn watch(dirs: Vec<PathBuf>, inbox: mpsc::Sender<Msg>) {
    let mut last = None;
    loop {
        let wanted = dirs.clone();
        let measured = spawn_blocking(move || measure(wanted)).await.unwrap_or_default();
        if last.as_ref() != Some(&measured) {
            last = Some(measured.clone());
            if inbox.send(Msg::Measured(measured)).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn measure(dirs: Vec<PathBuf>) -> Vec<(PathBuf, Disk)> {
    dirs.into_iter().filter_map(|dir| one(&dir).map(|disk| (dir, disk))).collect()
}

fn one(dir: &Path) -> Option<Disk> {
    let there = dir.ancestors().find_map(|dir| std::fs::metadata(dir).ok().map(|metadata| (dir, metadata)));
    let (dir, metadata) = there?;
    Some(Disk { id: metadata.dev(), free: disk::free(dir)? })
}

/// As often as the panes are read again.
const EVERY: Duration = Duration::from_secs(2);
