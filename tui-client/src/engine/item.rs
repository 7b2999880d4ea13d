//! One item of the queue and the files it consists of, as plain data, and how they are told on the
//! screen. No locks, no tasks.

mod keeping;
mod leaving;
mod part;
mod scan;
mod shown;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use wire::transfer::Tally;
use wire::{Fault, RemotePath, Root};

use super::limit::Limit;
use super::local;
use super::policy::numbered;
use super::progress::{Live, Meter};
use super::spread::Spread;
use super::status::{AfterCopy, Direction, IfExists, ItemId, Job, NewItem, Priority, Question, Side};
use keeping::Keeping;
pub(crate) use leaving::{Again, Emptied, Emptying, Kept, Leave, Leaving};
pub(crate) use part::Part;
pub(crate) use scan::Scan;

/// A file to be transferred.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) item: ItemId,
    /// Both full paths.
    pub(crate) job: Job,
    /// How many of the target's last names lie within the tree being copied: 1 for a single file.
    pub(crate) depth: usize,
    /// As it was listed, then as it was when it was sent.
    pub(crate) source: Side,
    /// Device and inode of a local source that was sent.
    pub(crate) identity: Option<(u64, u64)>,
    pub(crate) target: Target,
    /// Decided for this file alone.
    pub(crate) choice: Option<IfExists>,
    /// What it was chosen to replace, as long as that stands there.
    pub(crate) replaces: Option<Side>,
    /// The number in `name (1).ext`; 0 for its own name.
    pub(crate) renames: u32,
    /// How often it met something that heals.
    pub(crate) tries: u32,
    /// Payload that travelled in earlier tries.
    pub(crate) travelled: u64,
    /// Bytes that were settled when it was last on a lane: what its gauge goes on from.
    pub(crate) done: u64,
    /// It was on a lane before: there may be a partial file.
    pub(crate) begun: bool,
    /// Only its partial file is to go.
    pub(crate) discard: bool,
    /// Why and until when it waits.
    pub(crate) waits: Option<(Instant, Fault)>,
}

/// What is known of a file's target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Nothing; the receiver will say.
    Unknown,
    /// It exists.
    There(Side),
}

impl File {
    /// One that has not been tried.
    pub(crate) fn new(item: ItemId, job: Job, depth: usize, source: Side, target: Target) -> Self {
        Self {
            item,
            job,
            depth,
            source,
            identity: None,
            target,
            choice: None,
            replaces: None,
            renames: 0,
            tries: 0,
            travelled: 0,
            done: 0,
            begun: false,
            discard: false,
            waits: None,
        }
    }

    /// Which way it goes.
    pub(crate) fn direction(&self) -> Direction {
        direction(&self.job)
    }

    /// The remote target, under the number that keeps it apart.
    pub(crate) fn remote_target(&self) -> Option<RemotePath> {
        let Job::Up { target, .. } = &self.job else { return None };
        match (self.renames, target.split()) {
            (1.., Some((parent, name))) => parent.join(&numbered(name, self.renames)).ok(),
            _ => Some(target.clone()),
        }
    }

    /// Its target, safe to print.
    pub(crate) fn shown_target(&self) -> String {
        match &self.job {
            Job::Up { .. } => self.remote_target().unwrap_or_default().to_string(),
            Job::Down { target, .. } if self.renames > 0 => {
                use std::os::unix::ffi::{OsStrExt, OsStringExt};
                let name = target.file_name().map(|name| numbered(name.as_bytes(), self.renames)).unwrap_or_default();
                local::shown(&target.with_file_name(std::ffi::OsString::from_vec(name)))
            }
            Job::Down { target, .. } => local::shown(target),
        }
    }
}

/// What the user wants of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Run,
    Pause,
    /// And keep, or not, what has arrived of unfinished files.
    Cancel {
        keep: bool,
    },
}

/// How a file ended without a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    Done { root: Root, tally: Tally },
    Skipped { held: u64 },
}

/// What failed for good and may be tried again on request.
#[derive(Clone, Debug)]
pub(crate) enum Failed {
    File(Box<File>),
    Scan(Scan),
    /// It has no name that could be used on the other side: no other try makes one.
    Name(Fault),
    /// Copied, but its source is still there.
    Source(Box<Leaving>, Kept),
}

/// What was refused and waits for a person.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) question: Question,
    pub(crate) failed: Failed,
}

/// A file on a lane.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) lane: u16,
    pub(crate) live: Arc<Live>,
    pub(crate) size: u64,
    /// Of earlier tries.
    pub(crate) travelled: u64,
    pub(crate) done: u64,
    pub(crate) shown: String,
    /// Other lanes may assist.
    pub(crate) spread: Option<Arc<Spread>>,
}

/// One item of the queue.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) id: ItemId,
    pub(crate) job: Job,
    pub(crate) if_exists: IfExists,
    pub(crate) source: AfterCopy,
    /// What of its tree it is, where it is not all.
    pub(crate) part: Option<Part>,
    /// It had begun before and did not come to its end: of a move, some of it may be gone.
    pub(crate) begun: bool,
    pub(crate) wish: Wish,
    /// Of its files alone, beside the limit of all.
    pub(crate) limit: Arc<Limit>,
    pub(crate) priority: Priority,
    /// Cancelled when running files must stop; a new one when it goes on.
    pub(crate) stop: CancellationToken,
    pub(crate) is_dir: bool,
    /// Looked into from the back, so that the row stays short.
    pub(crate) scans: Vec<Scan>,
    pub(crate) scanning: usize,
    pub(crate) pending: VecDeque<File>,
    /// In the order they were begun, in which most of them end.
    pub(crate) active: VecDeque<Active>,
    pub(crate) asked: Vec<(Question, File)>,
    pub(crate) parked: Vec<Parked>,
    pub(crate) failed: Vec<Failed>,
    /// Of a move: files whose sources are to go.
    pub(crate) leaving: VecDeque<Leaving>,
    /// Its source directories, which go when all files are gone.
    pub(crate) emptying: Emptying,
    /// How many tasks are removing sources.
    pub(crate) removing: usize,
    pub(crate) fault: Option<Fault>,
    pub(crate) keeping: Keeping,
    /// No longer shown; the row goes when nothing of it is under way.
    pub(crate) forgotten: bool,
    files: u64,
    bytes: u64,
    files_done: u64,
    files_skipped: u64,
    bytes_done: u64,
    sent: u64,
    held: u64,
    root: Option<Root>,
    meter: Meter,
    spent: Duration,
    since: Option<Instant>,
}

impl Item {
    /// One whose source has not been looked at.
    pub(crate) fn new(id: ItemId, new: NewItem) -> Self {
        let root = Scan::new(new.job.clone());
        Self {
            id,
            job: new.job,
            if_exists: new.if_exists,
            source: new.source,
            part: None,
            begun: false,
            wish: Wish::Run,
            limit: Arc::default(),
            priority: Priority::default(),
            stop: CancellationToken::new(),
            is_dir: false,
            scans: vec![root],
            scanning: 0,
            pending: VecDeque::new(),
            active: VecDeque::new(),
            asked: Vec::new(),
            parked: Vec::new(),
            failed: Vec::new(),
            leaving: VecDeque::new(),
            emptying: Emptying::default(),
            removing: 0,
            fault: None,
            keeping: Keeping::default(),
            forgotten: false,
            files: 0,
            bytes: 0,
            files_done: 0,
            files_skipped: 0,
            bytes_done: 0,
            sent: 0,
            held: 0,
            root: None,
            meter: Meter::default(),
            spent: Duration::ZERO,
            since: None,
        }
    }

    /// Whether nothing more will happen unless the user says so.
    pub(crate) fn is_over(&self) -> bool {
        match self.wish {
            Wish::Cancel { .. } => !self.is_moving(),
            _ => self.is_through() && !self.is_emptying(),
        }
    }

    /// Files and bytes were found.
    pub(crate) fn count(&mut self, files: u64, bytes: u64) {
        self.files += files;
        self.bytes += bytes;
    }

    /// The size of a file turned out to be another than listed.
    pub(crate) fn recount(&mut self, listed: u64, now: u64) {
        self.bytes = self.bytes.saturating_sub(listed).saturating_add(now);
    }

    /// A file has come to its end: what travelled in all tries, and what the receiver had. One whose
    /// source has yet to go is not counted as done.
    pub(crate) fn settle(&mut self, file: &File, finish: Finish) -> (u64, u64) {
        let size = file.source.size;
        let (sent, held) = match finish {
            Finish::Done { root, tally } => {
                if !self.is_dir {
                    self.root = Some(root);
                }
                let sent = (tally.sent + file.travelled).min(size);
                (sent, size - sent)
            }
            Finish::Skipped { held } => (0, held),
        };
        self.files_done += u64::from(!self.leaves(finish));
        self.files_skipped += u64::from(matches!(finish, Finish::Skipped { .. }));
        self.bytes_done += size;
        self.sent += sent;
        self.held += held;
        (sent, held)
    }

    /// Something failed for good.
    pub(crate) fn fail(&mut self, failed: Failed, fault: &Fault) {
        if let Failed::File(file) = &failed {
            self.sent += file.travelled.min(file.source.size);
        }
        self.fault.get_or_insert_with(|| fault.clone());
        self.failed.push(failed);
    }

    /// Takes up again what failed, and nothing else.
    pub(crate) fn retry(&mut self) {
        let is_final = |failed: &mut Failed| matches!(failed, Failed::Name(_));
        let stays = self.failed.extract_if(.., is_final).collect();
        let again = std::mem::replace(&mut self.failed, stays);
        self.fault = self
            .failed
            .iter()
            .find_map(|failed| if let Failed::Name(fault) = failed { Some(fault.clone()) } else { None });
        for failed in again {
            if let Failed::File(file) = &failed {
                self.sent = self.sent.saturating_sub(file.travelled.min(file.source.size));
            }
            self.again(failed);
        }
    }

    /// Takes up again what a person has seen to.
    pub(crate) fn again(&mut self, failed: Failed) {
        match failed {
            Failed::File(file) => self.pending.push_back(File { tries: 0, waits: None, ..*file }),
            Failed::Scan(scan) => self.scans.push(Scan { tries: 0, waits: None, ..scan }),
            Failed::Source(leaving, kept) => self.leave_again(*leaving, kept),
            Failed::Name(_) => self.failed.push(failed),
        }
    }

    /// Goes no further: questions and files that have not begun are dropped; what remains to be done
    /// is to remove partial files, unless they are kept.
    pub(crate) fn cancel(&mut self, keep: bool) {
        self.wish = Wish::Cancel { keep };
        self.stop.cancel();
        self.scans.clear();
        self.asked.clear();
        // Of those there may be partial files.
        for parked in std::mem::take(&mut self.parked) {
            if let Failed::File(file) = parked.failed {
                self.pending.push_back(*file);
            }
        }
        // What is proven at the target stays at both ends.
        self.leaving.clear();
        if keep {
            self.pending.clear();
        }
        self.pending.retain(|file| file.begun);
        self.pending.iter_mut().for_each(|file| (file.discard, file.waits) = (true, None));
    }

    /// Whether so much of it waits for a person that no more of it is looked into: an answer for all is one for what
    /// comes later, too.
    pub(crate) fn is_held_up(&self) -> bool {
        self.asked.len() + self.parked.len() >= MOST_HELD_UP
    }

    /// Whether something is under way, for the clock and the sampler.
    pub(crate) fn is_moving(&self) -> bool {
        !self.active.is_empty() || self.scanning > 0 || self.removing > 0
    }

    /// A file is no longer on its lane.
    pub(crate) fn end(&mut self, live: &Arc<Live>) {
        if let Some(at) = self.active.iter().position(|active| Arc::ptr_eq(&active.live, live)) {
            self.active.remove(at);
        }
    }

    /// From now on other lanes may assist the lane of a file.
    pub(crate) fn share(&mut self, live: &Arc<Live>, spread: Arc<Spread>) {
        if let Some(active) = self.active.iter_mut().find(|active| Arc::ptr_eq(&active.live, live)) {
            active.spread = Some(spread);
        }
    }

    /// Files that other lanes may assist. Those of a limited item are not: it is its limit that is slow.
    pub(crate) fn spreads(&self) -> impl Iterator<Item = &Arc<Spread>> {
        let may_be = self.wish == Wish::Run && !self.is_limited();
        self.active.iter().filter(move |_| may_be).filter_map(|active| active.spread.as_ref())
    }

    /// Whether files of it are on a lane.
    pub(crate) fn is_on(&self, lane: u16) -> bool {
        self.active.iter().any(|active| active.lane == lane)
    }

    /// Whether it has a limit of its own.
    pub(crate) fn is_limited(&self) -> bool {
        self.limit.rate().is_some()
    }

    /// Its rate is told as of now.
    pub(crate) fn measure_anew(&mut self) {
        self.meter.clear();
    }

    /// The clock runs while something is under way.
    pub(crate) fn tick(&mut self, now: Instant) {
        match (self.is_moving(), self.since) {
            (true, None) => self.since = Some(now),
            (false, Some(since)) => {
                self.spent += now.saturating_duration_since(since);
                self.since = None;
                self.meter.clear();
            }
            _ => {}
        }
    }
}

/// A few megabytes of them.
const MOST_HELD_UP: usize = 10_000;

/// Which way a job goes.
pub(crate) fn direction(job: &Job) -> Direction {
    match job {
        Job::Up { .. } => Direction::Up,
        Job::Down { .. } => Direction::Down,
    }
}

/// The job of `name` within the directories of `job`; `None` where the path would be none.
pub(crate) fn below(job: &Job, name: &[u8]) -> Option<Job> {
    let name_here = local_name(name)?;
    Some(match job {
        Job::Up { source, target } => Job::Up { source: source.join(name_here), target: target.join(name).ok()? },
        Job::Down { source, target } => Job::Down { source: source.join(name).ok()?, target: target.join(name_here) },
    })
}

/// The same job with another last name at its target; `None` where that is no single name.
pub(crate) fn named(job: &Job, name: &[u8]) -> Option<Job> {
    let name_here = local_name(name)?;
    Some(match job.clone() {
        Job::Up { source, target } => Job::Up { source, target: target.split()?.0.join(name).ok()? },
        Job::Down { source, target } => Job::Down { source, target: target.with_file_name(name_here) },
    })
}

/// A listing holds single names. Anything else would lead out of the tree.
fn local_name(name: &[u8]) -> Option<&std::ffi::OsStr> {
    use std::os::unix::ffi::OsStrExt;
    let is_single = !name.is_empty() && name != b"." && name != b".." && !name.contains(&b'/') && !name.contains(&0);
    is_single.then(|| std::ffi::OsStr::from_bytes(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use wire::path::escape;

    #[test]
    fn names_of_a_server_cannot_lead_out() {
        let job = Job::Down { source: RemotePath::home(), target: PathBuf::from("/tmp/x") };
        for bad in [b"".as_slice(), b".", b"..", b"a/b", b"/etc/passwd", b"a\0b"] {
            assert_eq!(below(&job, bad), None, "{}", escape(bad));
        }
        let Some(Job::Down { target, .. }) = below(&job, b"..\xff") else { panic!("a plain name") };
        assert_eq!(target.parent(), Some(std::path::Path::new("/tmp/x")));
    }

    #[test]
    fn what_travelled_and_what_was_held_make_the_size() {
        let job = Job::Up { source: "/a".into(), target: RemotePath::home() };
        let new = NewItem { job: job.clone(), if_exists: IfExists::Ask, source: AfterCopy::Keep };
        let mut item = Item::new(ItemId(1), new);
        let side = Side { size: 100, mtime: Default::default(), root: None };
        let file = File { travelled: 30, ..File::new(ItemId(1), job, 1, side, Target::Unknown) };
        // 30 travelled before the connection broke; the receiver kept 25 of them.
        let done = Finish::Done { root: Root([0; 32]), tally: Tally { sent: 75, held: 25 } };
        assert_eq!(item.settle(&file, done), (100, 0));
        let file = File { travelled: 0, ..file };
        let done = Finish::Done { root: Root([0; 32]), tally: Tally { sent: 75, held: 25 } };
        assert_eq!(item.settle(&file, done), (75, 25));
        assert_eq!(item.settle(&file, Finish::Skipped { held: 100 }), (0, 100));
    }
}
