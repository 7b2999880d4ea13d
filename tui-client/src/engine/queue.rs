//! The queue: items in order, from which lanes take files and to which they bring back what became
//! of them. One lock, never held across an await. Knows no network and no disk.

mod feeding;
mod keeping;
mod leaving;
mod rows;
mod wishes;

use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use wire::Fault;

use super::Refused;
use super::item::{File, Finish, Item, Scan, Wish};
use super::limit::Limit;
use super::progress::Live;
use super::spread::Spread;
use super::status::{Direction, IfExists, ItemId, ItemStatus, Job, Outcome, Question, QuestionId, Remedy, Reply, Side};
use rows::Rows;

/// A handle to the queue.
#[derive(Clone, Debug)]
pub(crate) struct Queue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rows: Mutex<Rows>,
    /// Rung when there may be work, or when running files may have to stop.
    bell: watch::Sender<u64>,
    /// Rung when there is something to show.
    shown: Notify,
    /// Rung when something of it must not wait for the next sample.
    urgent: Notify,
    /// Rung when files were taken, so that a scan may add others.
    room: Notify,
    /// Rung when sources of a move may have to go.
    leaving: Notify,
    /// Rung when there may be something to keep.
    keep: Notify,
    /// Rung for every change.
    any: Notify,
    /// How many feed nothing while a person or others are waited for.
    resting: AtomicUsize,
}

/// A file on a lane.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) file: File,
    /// For this file, as of now.
    pub(crate) policy: IfExists,
    /// Cancelled when it must stop.
    pub(crate) stop: CancellationToken,
    pub(crate) live: Arc<Live>,
}

/// What a lane can take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Appetite {
    pub(crate) lane: u16,
    /// A lane goes one way at a time.
    pub(crate) direction: Option<Direction>,
    /// Small files, at most.
    pub(crate) files: usize,
    /// Their bytes, at most.
    pub(crate) bytes: u64,
    /// Whether a large file will do.
    pub(crate) large: bool,
}

/// What a lane is given.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Files of at most one block, one way.
    Small(Vec<Work>),
    /// One larger file.
    Large(Box<Work>),
    /// Nothing before this instant, if any.
    Nothing(Option<Instant>),
}

impl Queue {
    /// An empty queue.
    pub(crate) fn new(refused: Refused) -> Self {
        let (bell, _) = watch::channel(0);
        Self(Arc::new(Inner {
            rows: Mutex::new(Rows::new(refused)),
            bell,
            shown: Notify::new(),
            urgent: Notify::new(),
            room: Notify::new(),
            leaving: Notify::new(),
            keep: Notify::new(),
            any: Notify::new(),
            resting: AtomicUsize::new(0),
        }))
    }

    /// Changes whenever there may be work, or running files may have to stop.
    pub(crate) fn bell(&self) -> watch::Receiver<u64> {
        self.0.bell.subscribe()
    }

    /// Returns when there is something new to show.
    pub(crate) async fn changed(&self) {
        self.0.shown.notified().await;
    }

    /// Returns when something has ended or needs the user.
    pub(crate) async fn urgent(&self) {
        self.0.urgent.notified().await;
    }

    /// Returns when no file is on a lane and no scan runs.
    pub(crate) async fn calm(&self) {
        loop {
            let mut change = std::pin::pin!(self.0.any.notified());
            // Before the look, so that no change falls between.
            change.as_mut().enable();
            if !self.rows().items.iter().any(Item::is_moving) {
                return;
            }
            change.await;
        }
    }

    /// One outcome for every file from now on. Unbounded, for a lane never waits for whoever listens.
    pub(crate) fn outcomes(&self) -> mpsc::UnboundedReceiver<Outcome> {
        self.rows().listen()
    }

    // What the user asks for: the rest of it is in `wishes`.

    /// Decides a question.
    pub(crate) fn answer(&self, id: QuestionId, reply: Reply) {
        if reply.answer != IfExists::Ask {
            self.change(|rows| rows.answer(id, reply));
        }
    }

    /// Does something else about a question.
    pub(crate) fn remedy(&self, id: QuestionId, remedy: Remedy) {
        self.change(|rows| rows.remedy(id, remedy));
    }

    /// Fails the file of a question.
    pub(crate) fn decline(&self, id: QuestionId, fault: &Fault) {
        self.change(|rows| rows.decline(id, fault));
    }

    // What the scans find.

    /// Something to look into, while few files wait.
    pub(crate) fn next_scan(&self) -> Option<(ItemId, Scan, CancellationToken)> {
        let scan = self.rows().next_scan(Instant::now())?;
        self.0.shown.notify_one();
        Some(scan)
    }

    /// Whether more files may be added.
    pub(crate) fn has_room(&self) -> bool {
        self.rows().has_room()
    }

    /// Returns when more files may be added. Few wait at a time, so that a tree is scanned while it is
    /// transferred.
    pub(crate) async fn room(&self) {
        while !self.has_room() {
            self.0.room.notified().await;
        }
        // For the next scan that waits.
        self.0.room.notify_one();
    }

    /// Whether anything is still to be looked into.
    pub(crate) fn has_scans(&self) -> bool {
        let has = |item: &Item| item.wish == Wish::Run && !item.is_held_up() && !item.scans.is_empty();
        self.rows().items.iter().any(has)
    }

    /// An entry of a directory cannot be copied at all.
    pub(crate) fn reject(&self, id: ItemId, dir: Job, fault: Fault) {
        self.note(|rows| rows.reject(id, dir, fault));
    }

    /// A directory was read: how much it holds, and the directories in it.
    pub(crate) fn found(&self, id: ItemId, files: u64, bytes: u64, scans: Vec<Scan>) {
        self.change(|rows| {
            rows.with(id, |item| {
                item.count(files, bytes);
                if item.wish == Wish::Run || item.wish == Wish::Pause {
                    item.scans.extend(scans);
                }
            })
        });
    }

    /// The item's own source is a directory.
    pub(crate) fn is_directory(&self, id: ItemId) {
        self.change(|rows| rows.with(id, |item| item.is_dir = true));
    }

    /// A scan came to its end, for good or ill. Its outcome is told when it failed for good.
    pub(crate) fn scanned(&self, id: ItemId, scan: Scan, result: Result<(), Fault>) {
        self.change(|rows| rows.scanned(id, scan, result, Instant::now()));
    }

    /// Something that is no file and no directory: told as skipped.
    pub(crate) fn pass_over(&self, file: &File) {
        self.note(|rows| {
            rows.with(file.item, |item| item.count(1, 0));
            rows.settle(file, Finish::Skipped { held: 0 });
        });
    }

    // What the lanes do.

    /// Files to transfer. `flow` counts the bytes of the lane that asks.
    pub(crate) fn take(&self, appetite: Appetite, flow: &Arc<AtomicU64>) -> Taken {
        let taken = self.rows().take(appetite, flow, Instant::now());
        if !matches!(taken, Taken::Nothing(_)) {
            self.0.room.notify_one();
            // Whoever samples may be asleep: from now on something moves.
            self.0.shown.notify_one();
        }
        taken
    }

    /// Lets other lanes assist the lane of a file.
    pub(crate) fn share(&self, work: &Work, spread: Arc<Spread>) {
        self.change(|rows| rows.with(work.file.item, |item| item.share(&work.live, spread)));
    }

    /// A block of a file that is on another lane: of the file that is assisted `at` present, with the
    /// number of its blocks that are under way, or of any. And the limit of its item.
    pub(crate) fn assist(&self, at: Option<(&Arc<Spread>, usize)>) -> Option<(Arc<Spread>, u64, Arc<Limit>)> {
        self.rows().assist(at)
    }

    /// The limits of the items that have files on a lane.
    pub(crate) fn limits_on(&self, lane: u16) -> Vec<Arc<Limit>> {
        self.rows().items.iter().filter(|item| item.is_on(lane)).map(|item| item.limit.clone()).collect()
    }

    /// When something may be taken: a time in the past when it may be now.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.rows().next_due(Instant::now())
    }

    /// What has arrived of a file that must stop stays, or goes.
    pub(crate) fn keeps(&self, work: &Work) -> bool {
        !self.rows().items.iter().any(|item| item.id == work.file.item && item.wish == Wish::Cancel { keep: false })
    }

    /// A file is finished.
    pub(crate) fn finish(&self, work: Work, finish: Finish) {
        self.release(work, |rows, file, _| rows.settle(&file, finish));
    }

    /// A file met a fault, which heals, or needs a decision, or is final.
    pub(crate) fn faulted(&self, work: Work, fault: Fault) {
        self.back(work, |rows, file| rows.faulted(file, fault, Instant::now()));
    }

    /// The lane of a file broke.
    pub(crate) fn lost(&self, work: Work) {
        let moved = work.live.travelled() > 0;
        self.back(work, |rows, file| {
            rows.lost(File { tries: if moved { 0 } else { file.tries }, ..file }, Instant::now())
        });
    }

    /// A file stopped on request, or is to be looked at again at once.
    pub(crate) fn put_back(&self, work: Work) {
        self.back(work, Rows::put_back);
    }

    /// A file waits for a person.
    pub(crate) fn ask(&self, work: Work, target: Side) {
        self.back(work, |rows, file| rows.ask(file, target));
    }

    /// A file's size is not the listed one.
    pub(crate) fn resized(&self, work: &mut Work, source: Side) {
        let listed = work.file.source.size;
        work.file.source = source;
        if listed == source.size {
            return;
        }
        self.note(|rows| rows.with(work.file.item, |item| item.recount(listed, source.size)));
    }

    /// Takes a file off its lane unfinished: what has travelled counts for the next try.
    fn back(&self, work: Work, then: impl FnOnce(&mut Rows, File)) {
        self.release(work, |rows, file, travelled| {
            then(rows, File { travelled: file.travelled + travelled, ..file });
        });
        self.change(|_| ());
    }

    // What is shown.

    /// Items and questions as they stand, with how many there are, and whether anything moves.
    pub(crate) fn sample(&self, offline: Option<&(Duration, Fault)>) -> (Vec<ItemStatus>, (Vec<Question>, u64), bool) {
        let now = Instant::now();
        let mut rows = self.rows();
        let shown = rows.items.iter_mut().filter(|item| !item.forgotten);
        let items = shown.map(|item| item.status(now, offline)).collect();
        (items, rows.questions(), rows.items.iter().any(Item::is_moving))
    }

    /// Takes a file off its lane.
    fn release(&self, work: Work, then: impl FnOnce(&mut Rows, File, u64)) {
        self.note(|rows| {
            let Work { mut file, live, .. } = work;
            file.begun = true;
            file.done = file.done.max(live.settled(file.source.size));
            rows.with(file.item, |item| {
                item.end(&live);
                item.tick(Instant::now());
            });
            then(rows, file, live.travelled());
        });
    }

    /// A change that may give lanes something to do, or stop them.
    fn change<T>(&self, how: impl FnOnce(&mut Rows) -> T) -> T {
        let result = self.note(how);
        self.0.bell.send_modify(|count| *count += 1);
        self.0.room.notify_one();
        result
    }

    /// A change that only shows.
    fn note<T>(&self, how: impl FnOnce(&mut Rows) -> T) -> T {
        let (result, urgent) = {
            let mut rows = self.rows();
            let result = how(&mut rows);
            (result, std::mem::take(&mut rows.urgent))
        };
        self.0.shown.notify_one();
        self.0.leaving.notify_one();
        self.0.keep.notify_one();
        self.0.any.notify_waiters();
        if urgent {
            self.0.urgent.notify_one();
        }
        result
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
