//! Looks into sources while lanes are busy: what an item is, what its directories hold, and what is
//! at the target already. Feeds the queue and stops when enough waits there.

mod chosen;
mod picked;

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use wire::message::{Entry, Kind, Op};
use wire::{Code, Fault};

use super::item::{File, Part, Scan, Target, below};
use super::keep::record::Parting;
use super::local;
use super::queue::Queue;
use super::session::Session;
use super::status::{ItemId, Job, Link, Side};

/// Serves the queue's scans until it is dropped.
pub(crate) async fn run(queue: Queue, session: Session) {
    let mut bell = queue.bell();
    let mut standing = session.standing();
    let mut running = JoinSet::new();
    loop {
        bell.borrow_and_update();
        let online = standing.borrow_and_update().link == Link::Online;
        let is_free = |running: &JoinSet<()>| running.len() < AT_ONCE + queue.resting();
        while online && is_free(&running) {
            let Some((id, scan, stop)) = queue.next_scan() else { break };
            running.spawn(one(queue.clone(), session.clone(), id, scan, stop));
        }
        let full = !queue.has_room();
        let waiting = online && !full && is_free(&running) && queue.has_scans();
        tokio::select! {
            _ = bell.changed() => {}
            // The session is over: nobody is left to be asked.
            changed = standing.changed() => if changed.is_err() { return },
            () = queue.room(), if full => {}
            Some(_) = running.join_next() => {}
            // A scan that failed waits for its time; there is no other bell for that.
            () = sleep(LATER), if waiting => {}
        }
    }
}

async fn one(queue: Queue, session: Session, id: ItemId, mut scan: Scan, stop: CancellationToken) {
    match queue.part(id, &scan) {
        Some(Part::Chosen(chosen)) => return chosen::feed(&queue, (id, scan), &chosen, &stop).await,
        Some(Part::Picked(picked)) => return picked::feed(&queue, &session, (id, scan), picked, &stop).await,
        None => {}
    }
    let left = std::mem::take(&mut scan.left);
    if !left.is_empty() {
        return feed(&queue, id, scan, left, &stop).await;
    }
    let looker = Looker { queue: &queue, session: &session, id, scan: &scan };
    let looked = async { if scan.is_root { looker.root().await } else { looker.directory().await } };
    let result = tokio::select! {
        result = looked => result,
        () = stop.cancelled() => Err(stopped()),
    };
    match result {
        Ok(Found { leaves, scans, is_directory }) => {
            let bytes = leaves.iter().map(|leaf| leaf.source.size).sum();
            queue.found(id, leaves.len() as u64, bytes, scans);
            let is_root = scan.is_root && !is_directory;
            feed(&queue, id, Scan { is_root, ..scan }, leaves, &stop).await;
        }
        Err(fault) => queue.scanned(id, scan, Err(fault)),
    }
}

/// Feeds what was found in a directory. A pause ends that; what is left then is fed when the item goes on.
async fn feed(queue: &Queue, id: ItemId, scan: Scan, leaves: Vec<Leaf>, stop: &CancellationToken) {
    let portion = |places: Range<usize>| {
        let leaves = leaves.get(places).unwrap_or_default();
        (leaves.iter().filter_map(|leaf| leaf.file(id, &scan)).collect(), Vec::new())
    };
    match feed_portions(queue, (id, usize::MAX), 0..leaves.len(), stop, portion).await {
        Ok(()) => queue.scanned(id, scan, Ok(())),
        Err(fed) => {
            let left = leaves.into_iter().skip(fed).collect();
            queue.scanned(id, Scan { left, ..scan }, Err(stopped()));
        }
    }
}

/// Feeds an item what stands at these places, in portions and as there is room, while fewer than so many of its
/// directories wait to be looked into. A pause ends that: `Err` tells how far it came.
async fn feed_portions(
    queue: &Queue,
    (id, scans): (ItemId, usize),
    places: Range<usize>,
    stop: &CancellationToken,
    portion: impl Fn(Range<usize>) -> (Vec<File>, Vec<Scan>),
) -> Result<(), usize> {
    for start in places.clone().step_by(PORTION) {
        tokio::select! {
            biased;
            () = stop.cancelled() => return Err(start),
            () = queue.room_for(id, scans) => {}
        }
        let (files, scans) = portion(start..places.end.min(start + PORTION));
        queue.feed(id, files, scans);
    }
    Ok(())
}

fn stopped() -> Fault {
    Fault::new(Code::Cancelled, "stopped")
}

struct Looker<'a> {
    queue: &'a Queue,
    session: &'a Session,
    id: ItemId,
    scan: &'a Scan,
}

#[derive(Default)]
struct Found {
    leaves: Vec<Leaf>,
    scans: Vec<Scan>,
    /// It was the directory itself that was looked into.
    is_directory: bool,
}

/// A file that was found and waits for room: a third of what it will take in the queue, where it has its paths.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// Its name in the directory; `None`: the item itself.
    name: Option<Vec<u8>>,
    source: Side,
    target: Target,
}

impl Leaf {
    fn file(&self, id: ItemId, scan: &Scan) -> Option<File> {
        let job = match &self.name {
            None => scan.job.clone(),
            // Looked at before: there is one.
            Some(name) => below(&scan.job, name)?,
        };
        Some(File::new(id, job, scan.depth + 1, self.source, self.target))
    }
}

impl Looker<'_> {
    /// The item's own source: a file, or a directory to be looked into.
    async fn root(&self) -> Result<Found, Fault> {
        if let Some(parting) = self.queue.old_parting(self.id)
            && self.has_parted(parting).await?
        {
            self.queue.was_moved(self.id, parting);
            return Ok(Found::default());
        }
        let entry = match &self.scan.job {
            Job::Up { source, .. } => {
                let (source, moves) = (source.clone(), self.queue.moves(self.id));
                blocking(move || if moves { local::stat_itself(&source) } else { local::stat(&source) }).await?
            }
            Job::Down { source, target } => {
                // Asked at once whether or not it is one: a directory is then looked into a round trip sooner.
                let (entry, listed) = tokio::join!(self.session.stat(source), self.session.list(source));
                let entry = entry?;
                if entry.kind == Kind::Directory {
                    self.queue.is_directory(self.id);
                    return self.directory_there(listed?, target).await;
                }
                entry
            }
        };
        match entry.kind {
            Kind::File => {
                let target = match &self.scan.job {
                    Job::Up { target, .. } => match self.session.stat(target).await {
                        Ok(there) if there.kind == Kind::File => Target::There(local::side(&there)),
                        Ok(_) => Target::Unknown,
                        Err(fault) if is_absent(&fault) => Target::Unknown,
                        Err(fault) => return Err(fault),
                    },
                    Job::Down { .. } => Target::Unknown,
                };
                let leaf = Leaf { name: None, source: local::side(&entry), target };
                Ok(Found { leaves: vec![leaf], ..Found::default() })
            }
            Kind::Directory => {
                self.queue.is_directory(self.id);
                Ok(Found { scans: vec![Scan { is_root: false, ..self.scan.clone() }], ..Found::default() })
            }
            Kind::Link | Kind::Other => {
                Err(Fault::new(Code::Denied, "neither a file nor a directory: only these are copied"))
            }
        }
    }

    /// Whether the source of a move went before the program ended: what has its name now is nothing, or something
    /// else.
    async fn has_parted(&self, parting: Parting) -> Result<bool, Fault> {
        let (kind, side, identity) = match &self.scan.job {
            Job::Up { source, .. } => {
                let source = source.clone();
                match blocking(move || local::identify(&source)).await? {
                    Some(now) => (now.kind, now.side, Some(now.identity)),
                    None => return Ok(true),
                }
            }
            Job::Down { source, .. } => match self.session.stat(source).await {
                Ok(entry) => (entry.kind, local::side(&entry), None),
                Err(fault) if is_absent(&fault) => return Ok(true),
                Err(fault) => return Err(fault),
            },
        };
        Ok(match parting {
            Parting::Directory => kind != Kind::Directory,
            Parting::File { root, size, mtime, identity: sent } => {
                let is_same = kind == Kind::File && (side.size, side.mtime, identity) == (size, mtime, sent);
                !is_same || side.root.is_some_and(|now| now != root)
            }
        })
    }

    async fn directory(&self) -> Result<Found, Fault> {
        match &self.scan.job {
            Job::Up { source, target } => {
                let (path, there) = (source.clone(), self.there(target).await?);
                let entries = blocking(move || local::list(&path)).await?;
                if there.is_none() && !entries.iter().any(|entry| matches!(entry.kind, Kind::File | Kind::Directory)) {
                    // A directory with something in it is made with the first of that.
                    self.session.order(Op::Mkdir { path: target.into(), parents: true }).await?;
                }
                Ok(self.sorted(entries, there.as_ref()))
            }
            Job::Down { source, target } => self.directory_there(self.session.list(source).await?, target).await,
        }
    }

    async fn directory_there(&self, mut entries: Vec<Entry>, target: &Path) -> Result<Found, Fault> {
        entries.sort_unstable_by(|a, b| a.name.0.cmp(&b.name.0));
        let (target, depth) = (target.to_owned(), self.scan.depth);
        blocking(move || local::make_dir(&target, depth)).await?;
        Ok(self.sorted(entries, None))
    }

    fn sorted(&self, entries: Vec<Entry>, there: Option<&HashMap<Vec<u8>, Side>>) -> Found {
        let mut found = Found { is_directory: true, ..Found::default() };
        for entry in entries {
            self.sort(entry, there, &mut found);
        }
        // Taken from the back: the first directory first.
        found.scans.reverse();
        found
    }

    /// What the target directory holds; `None` where there is no such directory.
    async fn there(&self, target: &wire::RemotePath) -> Result<Option<HashMap<Vec<u8>, Side>>, Fault> {
        if self.scan.fresh {
            return Ok(None);
        }
        match self.session.list(target).await {
            Ok(entries) => {
                let files = entries.into_iter().filter(|entry| entry.kind == Kind::File);
                Ok(Some(files.map(|entry| (entry.name.0.clone(), local::side(&entry))).collect()))
            }
            Err(fault) if is_absent(&fault) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn sort(&self, entry: Entry, there: Option<&HashMap<Vec<u8>, Side>>, found: &mut Found) {
        let name = &entry.name.0;
        let Some(job) = below(&self.scan.job, name) else {
            tracing::warn!(name = %wire::path::escape(name), "not a name that can be copied");
            let fault =
                Fault::new(Code::BadPath, format!("`{}` cannot be copied: not a name here", wire::path::escape(name)));
            self.queue.reject(self.id, self.scan.job.clone(), fault);
            return;
        };
        let depth = self.scan.depth + 1;
        let target = there.and_then(|there| there.get(name)).map_or(Target::Unknown, |side| Target::There(*side));
        let (is_up, source) = (matches!(job, Job::Up { .. }), local::side(&entry));
        match entry.kind {
            // What an unfinished download left is nobody's file.
            Kind::File if is_up && local::part::is_part(name) => {}
            Kind::File => found.leaves.push(Leaf { name: Some(entry.name.0), source, target }),
            Kind::Directory => {
                let fresh = self.scan.fresh || (is_up && there.is_none());
                found.scans.push(Scan { depth, is_root: false, fresh, ..Scan::new(job) });
            }
            Kind::Link | Kind::Other => self.queue.pass_over(&File::new(self.id, job, depth, source, target)),
        }
    }
}

fn is_absent(fault: &Fault) -> bool {
    matches!(fault.code, Code::NotFound | Code::NotDirectory)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Fault::new(Code::Internal, format!("a task of the client failed: {error}"))))
}

/// Directories looked into at the same time, so that neither a slow answer nor a long way stops the rest.
/// The server takes 64 requests of a session at once: some are left for browsing.
const AT_ONCE: usize = 48;
/// Files added at once.
const PORTION: usize = 256;
const LATER: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::super::Refused;
    use super::super::queue::{Appetite, Taken};
    use super::super::status::{AfterCopy, IfExists, NewItem};
    use std::sync::Arc;

    use wire::RemotePath;

    use super::*;

    const MANY: usize = 10_000;

    fn take(queue: &Queue, all: &mut Vec<String>) -> usize {
        let appetite = Appetite { lane: 0, direction: None, files: 500, bytes: 1 << 20, large: false };
        let Taken::Small(works) = queue.take(appetite, &Arc::default()) else { return 0 };
        all.extend(works.iter().map(|work| work.file.shown_target()));
        works.len()
    }

    #[tokio::test]
    async fn a_pause_ends_the_feeding_of_a_directory_and_what_is_left_comes_after_it() {
        let queue = Queue::new(Refused::Fails);
        let job = Job::Up { source: "/l".into(), target: RemotePath::home() };
        let new = NewItem { job, if_exists: IfExists::Ask, source: AfterCopy::Keep };
        let [id] = queue.enqueue(vec![new])[..] else { panic!("one item") };
        let source = Side { size: 1, mtime: Default::default(), root: None };
        let leaf = |n: usize| Leaf { name: Some(n.to_string().into()), source, target: Target::Unknown };
        let (_, mut scan, mut stop) = queue.next_scan().expect("the item itself");
        let (mut leaves, mut all, mut pauses) = ((0..MANY).map(leaf).collect(), Vec::new(), 0);
        loop {
            let (feeding, token) = (queue.clone(), stop.clone());
            let task = tokio::spawn(async move { feed(&feeding, id, scan, leaves, &token).await });
            for _ in 0..6 {
                // On the one thread there is, whoever feeds does all it can.
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                take(&queue, &mut all);
            }
            queue.pause(id);
            task.await.expect("it ends");
            queue.resume(id);
            // What waits is all that was fed: a pause makes no room.
            let before = all.len();
            while take(&queue, &mut all) > 0 {}
            assert!(all.len() - before <= 2500, "{} waited", all.len() - before);
            let Some((_, mut next, token)) = queue.next_scan() else { break };
            leaves = std::mem::take(&mut next.left);
            (scan, stop, pauses) = (next, token, pauses + 1);
        }
        assert_eq!((pauses > 0, all.len()), (true, MANY));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), MANY, "each once");
    }
}
