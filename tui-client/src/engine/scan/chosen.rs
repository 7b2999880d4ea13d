//! Files that were chosen before: there is nothing to be looked for, only to be fed as there is room.

use tokio_util::sync::CancellationToken;
use wire::path::escape;
use wire::{Code, Fault};

use super::super::item::{File, Scan, Target, below};
use super::super::queue::Queue;
use super::super::status::{Chosen, ItemId};
use super::{PORTION, stopped};

/// Feeds the files of an item, from the first that was not fed before.
pub(super) async fn feed(
    queue: &Queue,
    (id, scan): (ItemId, Scan),
    (chosen, fed): (&[Chosen], usize),
    stop: &CancellationToken,
) {
    let bytes = chosen.iter().map(|chosen| chosen.source.size).fold(0, u64::saturating_add);
    queue.begin_feeding(id, chosen.len() as u64, bytes);
    for (start, portion) in (0..).step_by(PORTION).zip(chosen.chunks(PORTION)).filter(|(start, _)| *start >= fed) {
        tokio::select! {
            biased;
            () = stop.cancelled() => return queue.scanned(id, scan, Err(stopped())),
            () = queue.room() => {}
        }
        let mut files = Vec::with_capacity(portion.len());
        for chosen in portion {
            match file(id, &scan, chosen) {
                Some(file) => files.push(file),
                None => {
                    let path = escape(&chosen.path);
                    let fault = Fault::new(Code::BadPath, format!("`{path}` cannot be copied: not a path here"));
                    queue.reject(id, scan.job.clone(), fault);
                }
            }
        }
        queue.feed(id, files, Vec::new(), start + PORTION);
    }
    queue.scanned(id, Scan { is_root: false, ..scan }, Ok(()));
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
