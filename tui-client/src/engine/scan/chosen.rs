//! Files that were chosen before: there is nothing to be looked for, only to be fed as there is room.

use std::ops::Range;

use tokio_util::sync::CancellationToken;
use wire::path::escape;
use wire::{Code, Fault};

use super::super::item::{File, Scan, Target, below};
use super::super::queue::Queue;
use super::super::status::{Chosen, ItemId};
use super::{feed_portions, stopped};

/// Feeds the files of an item, from the first that was not fed before.
pub(super) async fn feed(queue: &Queue, (id, scan): (ItemId, Scan), chosen: &[Chosen], stop: &CancellationToken) {
    let bytes = chosen.iter().map(|chosen| chosen.source.size).fold(0, u64::saturating_add);
    queue.begin_feeding(id, chosen.len() as u64, bytes);
    let portion = |places: Range<usize>| {
        let files = chosen.get(places).unwrap_or_default().iter().filter_map(|chosen| {
            let file = file(id, &scan, chosen);
            if file.is_none() {
                let text = format!("`{}` cannot be copied: not a path here", escape(&chosen.path));
                queue.reject(id, scan.job.clone(), Fault::new(Code::BadPath, text));
            }
            file
        });
        (files.collect(), Vec::new())
    };
    match feed_portions(queue, (id, usize::MAX), scan.fed..chosen.len(), stop, portion).await {
        Ok(()) => queue.scanned(id, Scan { is_root: false, ..scan }, Ok(())),
        Err(fed) => queue.scanned(id, Scan { fed, ..scan }, Err(stopped())),
    }
}

fn file(id: ItemId, scan: &Scan, chosen: &Chosen) -> Option<File> {
    let names = chosen.path.split(|byte| *byte == b'/');
    let depth = scan.depth + names.clone().count();
    let job = names.into_iter().try_fold(scan.job.clone(), |job, name| below(&job, name))?;
    let target = chosen.target.map_or(Target::Unknown, Target::There);
    Some(File { replaces: chosen.target, ..File::new(id, job, depth, chosen.source, target) })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use wire::RemotePath;
    use wire::message::Time;

    use super::*;
    use crate::engine::status::{Job, Side};

    #[test]
    fn paths_lead_down_only() {
        let job = Job::Up { source: PathBuf::from("/l"), target: RemotePath::home() };
        let scan = Scan::new(job);
        let side = Side { size: 1, mtime: Time::default(), root: None };
        let file = |path: &[u8]| file(ItemId(1), &scan, &Chosen { path: path.to_vec(), source: side, target: None });
        let Some(found) = file(b"a/b/\xff") else { panic!("a path") };
        assert_eq!((found.depth, found.remote_target().map(|path| path.to_string())), (3, Some("/a/b/\\xff".into())));
        for bad in [b"".as_slice(), b"../a", b"a//b", b"a/..", b"/a", b"a\0"] {
            assert!(file(bad).is_none(), "{}", escape(bad));
        }
    }
}
