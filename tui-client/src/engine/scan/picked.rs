//! Entries of one directory that were picked, very many perhaps: fed as there is room. A pause ends the feeding at the
//! place where it is, and it goes on from there.

use std::ops::Range;

use tokio_util::sync::CancellationToken;
use wire::message::{Entry, Kind, Op};
use wire::path::escape;
use wire::{Code, Fault};

use super::super::item::{File, Scan, Target, below};
use super::super::local;
use super::super::queue::Queue;
use super::super::session::Session;
use super::super::status::{ItemId, Job, Side};
use super::{blocking, feed_portions, is_absent, stopped};
use crate::entries::{Entries, EntryRef, Heirs, Picked};

/// Feeds the entries of an item, from the first that was not fed before.
pub(super) async fn feed(
    queue: &Queue,
    session: &Session,
    (id, scan): (ItemId, Scan),
    picked: Picked,
    stop: &CancellationToken,
) {
    let begun = tokio::select! {
        begun = Feeding::begin(queue, session, id, &scan, picked) => begun,
        () = stop.cancelled() => Err(stopped()),
    };
    match begun {
        Ok(feeding) => feeding.run(queue, id, scan, stop).await,
        Err(fault) => queue.scanned(id, scan, Err(fault)),
    }
}

struct Feeding {
    picked: Picked,
    /// What the target directory holds, and what of it has the names; `None`: there is no such directory.
    there: Option<(Entries, Heirs)>,
}

impl Feeding {
    async fn begin(queue: &Queue, session: &Session, id: ItemId, scan: &Scan, picked: Picked) -> Result<Self, Fault> {
        let picked = match scan.fed == 0 && queue.was_moving_before(id) {
            true => {
                let left = what_is_left(session, &scan.job, picked).await?;
                queue.picked_anew(id, left.clone());
                left
            }
            false => picked,
        };
        let listed = match &scan.job {
            Job::Up { target, .. } => match list(session, target).await {
                Ok(there) => Some(there),
                Err(fault) if is_absent(&fault) => None,
                Err(fault) => return Err(fault),
            },
            Job::Down { .. } => None,
        };
        let begun = blocking(move || {
            let there = listed.map(|there| {
                let heirs = Heirs::of(picked.entries(), &there);
                (there, heirs)
            });
            let files = picked.iter().filter(|one| one.kind == Kind::File);
            let sums = files.fold((0, 0_u64), |(files, bytes), one| (files + 1, bytes.saturating_add(one.size)));
            Ok((Self { picked, there }, sums))
        });
        let (feeding, (files, bytes)) = begun.await?;
        queue.begin_feeding(id, files, bytes);
        Ok(feeding)
    }

    async fn run(&self, queue: &Queue, id: ItemId, scan: Scan, stop: &CancellationToken) {
        let portion = |places| self.portion(queue, id, &scan, places);
        match feed_portions(queue, (id, MOST_SCANS), scan.fed..self.picked.len(), stop, portion).await {
            // Its directory itself stays, also after a move.
            Ok(()) => queue.scanned(id, Scan { is_root: true, ..scan }, Ok(())),
            Err(fed) => queue.scanned(id, Scan { fed, ..scan }, Err(stopped())),
        }
    }

    fn portion(&self, queue: &Queue, id: ItemId, scan: &Scan, places: Range<usize>) -> (Vec<File>, Vec<Scan>) {
        let (mut files, mut scans) = (Vec::with_capacity(places.len()), Vec::new());
        for entry in self.picked.range(places) {
            let Some(job) = below(&scan.job, entry.name) else {
                let text = format!("`{}` cannot be copied: not a name here", escape(entry.name));
                queue.reject(id, scan.job.clone(), Fault::new(Code::BadPath, text));
                continue;
            };
            let there = self.there(entry);
            let depth = scan.depth + 1;
            match entry.kind {
                Kind::File => {
                    let target = there.filter(|there| there.kind == Kind::File);
                    let target = target.map_or(Target::Unknown, |there| Target::There(side(there)));
                    files.push(File::new(id, job, depth, side(entry), target));
                }
                Kind::Directory => {
                    let fresh = matches!(job, Job::Up { .. }) && there.is_none();
                    scans.push(Scan { depth, is_root: false, fresh, ..Scan::new(job) });
                }
                // Looked at as if each were an item: a link that was marked was named.
                Kind::Link | Kind::Other => scans.push(Scan::new(job)),
            }
        }
        // Taken from the back: the first directory first.
        scans.reverse();
        (files, scans)
    }

    fn there(&self, entry: EntryRef<'_>) -> Option<EntryRef<'_>> {
        let (there, heirs) = self.there.as_ref()?;
        there.get(heirs.get(entry.id)?)
    }
}

fn side(entry: EntryRef<'_>) -> Side {
    Side { size: entry.size, mtime: entry.mtime, root: entry.root }
}

/// A move that the program did not end: what went then is not missed now.
async fn what_is_left(session: &Session, job: &Job, picked: Picked) -> Result<Picked, Fault> {
    let now: Entries = match job {
        Job::Up { source, .. } => {
            let source = source.clone();
            blocking(move || local::list(&source)).await?.iter().collect()
        }
        Job::Down { source, .. } => list(session, source).await?,
    };
    blocking(move || {
        let heirs = Heirs::of(picked.entries(), &now);
        let ids = picked.iter().filter_map(|one| heirs.get(one.id)).collect();
        Ok(Picked::new(now, std::sync::Arc::new(ids)))
    })
    .await
}

/// A listing, packed as it comes.
async fn list(session: &Session, path: &wire::RemotePath) -> Result<Entries, Fault> {
    let mut pages = session.pages(Op::List { path: path.into() });
    let mut all = Entries::with_roots();
    while let Some(page) = pages.recv().await {
        let page: Vec<Entry> = page?;
        page.iter().for_each(|entry| all.push(entry));
    }
    Ok(all)
}

/// Picked directories that wait to be looked into, at most.
const MOST_SCANS: usize = 1000;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wire::RemotePath;
    use wire::message::{RawPath, Time};

    use super::*;
    use crate::engine::Refused;
    use crate::engine::queue::{Appetite, Taken};
    use crate::engine::status::{AfterCopy, IfExists, NewItem};

    const MANY: usize = 10_000;

    fn picked(more: &[&str]) -> Picked {
        let entry = |(kind, name): (Kind, String)| {
            let name = RawPath(name.into_bytes());
            Entry { name, kind, size: 1, mtime: Time::default(), executable: false, root: None }
        };
        let files = more.iter().map(|name| (*name).to_owned()).chain((1..MANY).map(|n| n.to_string()));
        let all = [(Kind::Directory, "sub".to_owned())].into_iter().chain(files.map(|name| (Kind::File, name)));
        Picked::all(all.map(entry).collect::<Vec<_>>().iter().collect())
    }

    fn queue(source: AfterCopy, picked: Picked) -> (Queue, ItemId) {
        let queue = Queue::new(Refused::Fails);
        let job = Job::Up { source: "/l".into(), target: RemotePath::home() };
        let id = queue.enqueue_picked(NewItem { job, if_exists: IfExists::Ask, source }, picked);
        (queue, id)
    }

    /// Feeds from where the queue says, as the scanner does.
    fn feed(queue: &Queue) -> (ItemId, tokio::task::JoinHandle<()>) {
        let (id, scan, stop) = queue.next_scan().expect("its own directory");
        let Some(super::super::Part::Picked(picked)) = queue.part(id, &scan) else { panic!("a part") };
        let (feeding, queue) = (Feeding { picked, there: None }, queue.clone());
        queue.begin_feeding(id, MANY as u64 - 1, MANY as u64 - 1);
        let task = tokio::spawn(async move { feeding.run(&queue, id, scan, &stop).await });
        (id, task)
    }

    fn take(queue: &Queue, all: &mut Vec<String>) -> usize {
        let appetite = Appetite { lane: 0, direction: None, files: 700, bytes: 1 << 20, large: false };
        let Taken::Small(works) = queue.take(appetite, &Arc::default()) else { return 0 };
        all.extend(works.iter().map(|work| work.file.shown_target()));
        works.len()
    }

    #[tokio::test]
    async fn they_are_fed_as_there_is_room_and_a_pause_costs_none_and_doubles_none() {
        let (queue, _) = queue(AfterCopy::Keep, picked(&[]));
        let (id, mut task) = feed(&queue);
        let (mut all, mut pauses) = (Vec::new(), 0);
        loop {
            // On the one thread there is, whoever feeds does all it can.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            let taken = take(&queue, &mut all);
            if all.len() / 3000 > pauses && pauses < 2 {
                pauses += 1;
                queue.pause(id);
                task.await.expect("it ends");
                queue.resume(id);
                // It may have filled the room up before it heard of the pause.
                while !queue.has_room() {
                    assert!(take(&queue, &mut all) > 0, "what was fed can be taken");
                }
                (_, task) = feed(&queue);
            } else if taken == 0 {
                break;
            }
            let (items, _, _) = queue.sample(None);
            assert_eq!((items[0].name.as_str(), items[0].files), ("marks in l/", MANY as u64 - 1));
        }
        task.await.expect("it ends");
        assert_eq!((pauses, all.len()), (2, MANY - 1));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), MANY - 1, "each once");
        let (_, scan, _) = queue.next_scan().expect("the directory among them");
        assert_eq!((scan.depth, scan.is_root, queue.next_scan().is_none()), (1, false, true));
    }

    #[tokio::test]
    async fn a_retry_while_it_is_fed_doubles_none_and_names_that_cannot_be_stay_failed() {
        let (queue, id) = queue(AfterCopy::Keep, picked(&["a/b"]));
        let (_, task) = feed(&queue);
        let (mut all, mut looked_into) = (Vec::new(), Vec::new());
        for round in 0..100 {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            if round % 10 == 1 {
                queue.retry(id);
            }
            looked_into.extend(queue.next_scan().map(|(_, scan, _)| scan.depth));
            take(&queue, &mut all);
        }
        task.await.expect("it ends");
        queue.retry(id);
        assert_eq!((looked_into, queue.next_scan().is_none()), (vec![1], true), "its own directory only once");
        assert_eq!(all.len(), MANY - 1);
        assert_eq!(queue.sample(None).0[0].files_failed, 1);
    }

    #[test]
    fn a_move_that_was_cancelled_and_is_tried_again_looks_for_what_is_left() {
        let (queue, id) = queue(AfterCopy::Remove, picked(&[]));
        assert!(!queue.was_moving_before(id));
        let (_, scan, _) = queue.next_scan().expect("its own directory");
        queue.cancel(id, true);
        queue.scanned(id, scan, Err(stopped()));
        queue.retry(id);
        assert!(queue.was_moving_before(id) && queue.next_scan().is_some());
    }
}
