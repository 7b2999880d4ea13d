//! Files to the server: small ones read and sent many at a time without waiting, a large one block
//! by block, the next being read and hashed while one travels.

use std::collections::HashMap;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use wire::block::{self, Span};
use wire::frame::BlockHeader;
use wire::link::LinkError;
use wire::message::{Expect, Lane as Message, RawPath};
use wire::transfer::{Sender, Tally, Verdict};
use wire::{BLOCK, Code, Cv, Fault, Root, staging};

use super::super::buffer::Buffer;
use super::super::item::{Finish, Target};
use super::super::local::{self, Source};
use super::super::policy::{Decision, decide};
use super::super::queue::{Queue, Work};
use super::super::spread::{Body, Way};
use super::super::status::{Job, Side};
use super::{Line, Load, blocking, lost_task};

/// Uploads that were sent whole and wait for `Stored`.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    sealed: HashMap<u64, Sealed>,
    bytes: u64,
    /// The contents of small files on their way into the stream.
    arena: Vec<u8>,
}

#[derive(Debug)]
struct Sealed {
    work: Work,
    root: Root,
    tally: Tally,
    /// Counted against the window: 0 for a large file.
    weight: u64,
}

impl Uploads {
    pub(super) fn load(&self) -> Load {
        Load { files: self.sealed.len(), bytes: self.bytes, ..Load::default() }
    }

    pub(super) fn take(&mut self, transfer: u64) -> Option<Work> {
        self.remove(transfer).map(|sealed| sealed.work)
    }

    pub(super) fn drain(&mut self) -> Vec<Work> {
        self.bytes = 0;
        self.sealed.drain().map(|(_, sealed)| sealed.work).collect()
    }

    fn remove(&mut self, transfer: u64) -> Option<Sealed> {
        let sealed = self.sealed.remove(&transfer)?;
        self.bytes = self.bytes.saturating_sub(sealed.weight);
        Some(sealed)
    }

    fn insert(&mut self, transfer: u64, sealed: Sealed) {
        self.bytes += sealed.weight;
        self.sealed.insert(transfer, sealed);
    }
}

/// A small file in the arena.
struct Loaded {
    source: Source,
    at: usize,
    cv: Cv,
    decision: Decision,
}

/// How the blocks of a large file went.
enum Sent {
    Sealed(Root, Tally),
    Refused(Fault),
    Stopped,
}

impl Line {
    /// Files of at most one block, back to back.
    pub(super) async fn send_small(&mut self, works: Vec<Work>) -> Result<(), LinkError> {
        let mut arena = std::mem::take(&mut self.uploads.arena);
        let loaded = blocking(move || {
            arena.clear();
            let loaded: Vec<_> = works
                .into_iter()
                .map(|work| {
                    let loaded = load(&work, &mut arena);
                    (work, loaded)
                })
                .collect();
            (loaded, arena)
        });
        // Only a panic ends such a task, and takes the files with it.
        let (loaded, arena) = loaded.await.map_err(|fault| LinkError::Io(std::io::Error::other(fault)))?;
        let mut sent = Ok(());
        for (work, loaded) in loaded {
            match loaded {
                Err(fault) => self.queue.faulted(work, fault),
                // It has grown since it was listed.
                Ok(None) => self.regrown(work),
                Ok(Some(_)) if sent.is_err() => self.queue.lost(work),
                Ok(Some(loaded)) => sent = self.send_loaded(work, &loaded, &arena).await,
            }
        }
        self.uploads.arena = arena;
        sent?;
        self.wire.flush().await
    }

    fn regrown(&self, mut work: Work) {
        if let Job::Up { source, .. } = &work.file.job
            && let Ok(source) = local::stat(source)
        {
            self.queue.resized(&mut work, local::side(&source));
        }
        self.queue.faulted(work, changed());
    }

    async fn send_loaded(&mut self, mut work: Work, loaded: &Loaded, arena: &[u8]) -> Result<(), LinkError> {
        let side = loaded.source.side();
        self.queue.resized(&mut work, side);
        work.file.identity = Some(loaded.source.identity());
        let Some((work, expect)) = settle(&self.queue, work, loaded.decision, Some(Root(loaded.cv.0))) else {
            return Ok(());
        };
        let (transfer, offer) = (self.number(), loaded.source.offer(true));
        let path = target(&work);
        let (root, live) = (Root(loaded.cv.0), work.live.clone());
        let tally = Tally { sent: side.size, held: 0 };
        // In the table first: if the lane breaks now, the file goes back with the others.
        self.uploads.insert(transfer, Sealed { work, root, tally, weight: side.size });
        self.wire.feed(&Message::Put { transfer, path, offer, expect }).await?;
        let len = side.size as usize;
        if let Some(bytes) = arena.get(loaded.at..loaded.at + len).filter(|bytes| !bytes.is_empty()) {
            self.wire.block(BlockHeader { transfer, index: 0, cv: loaded.cv, len }, bytes).await?;
            live.sent(side.size);
        }
        self.wire.feed(&Message::Seal { transfer, root }).await
    }

    /// The server has it, durable.
    pub(super) fn stored(&mut self, transfer: u64, root: Root) {
        let Some(sealed) = self.uploads.remove(transfer) else { return };
        if root == sealed.root {
            self.queue.finish(sealed.work, Finish::Done { root, tally: sealed.tally });
        } else {
            let fault = Fault::new(Code::Damaged, "the server stored something else than was sent");
            self.queue.faulted(sealed.work, fault);
        }
    }

    /// One file of any size, after hearing what the server holds of it.
    pub(super) async fn send_large(&mut self, work: Work) -> Result<(), LinkError> {
        let prepared = blocking(move || {
            let prepared = prepare(&work);
            (work, prepared)
        });
        let (mut work, prepared) = prepared.await.map_err(|fault| LinkError::Io(std::io::Error::other(fault)))?;
        let (source, decision, known) = match prepared {
            Ok(prepared) => prepared,
            Err(fault) => {
                self.queue.faulted(work, fault);
                return Ok(());
            }
        };
        if !work.file.discard {
            self.queue.resized(&mut work, source.side());
            work.file.identity = Some(source.identity());
        }
        let Some((work, expect)) = settle(&self.queue, work, decision, fold(&known)) else { return Ok(()) };
        let transfer = self.number();
        self.current = Some(transfer);
        let sent = self.send_blocks(transfer, &work, (&Arc::new(source), known), expect).await;
        self.current = None;
        self.inbox.clear();
        match sent {
            Ok(Sent::Sealed(root, tally)) => self.uploads.insert(transfer, Sealed { work, root, tally, weight: 0 }),
            Ok(Sent::Refused(fault)) => self.queue.faulted(work, fault),
            Ok(Sent::Stopped) => {
                let keep = self.queue.keeps(&work) && !work.file.discard;
                self.queue.put_back(work);
                self.wire.send(&Message::Abandon { transfer, keep }).await?;
            }
            Err(error) => {
                self.queue.lost(work);
                return Err(error);
            }
        }
        Ok(())
    }

    async fn send_blocks(
        &mut self,
        transfer: u64,
        work: &Work,
        (source, known): (&Arc<Source>, Vec<Cv>),
        expect: Expect,
    ) -> Result<Sent, LinkError> {
        let offer = source.offer(false);
        self.wire.send(&Message::Put { transfer, path: target(work), offer, expect }).await?;
        let mut sender = Sender::new(offer.size, false);
        if let Some(over) = self.hear_held(transfer, work, &mut sender).await? {
            return Ok(over);
        }
        let mut way = Way::new(known);
        let mut ahead = self.look_ahead(&mut way, &sender, source).await;
        let mut last_sent = Instant::now();
        while let Some(next) = ahead.take() {
            let (span, read) = match next {
                Next::Brought(cv) => {
                    sender.settle_sent(cv);
                    ahead = self.look_ahead(&mut way, &sender, source).await;
                    continue;
                }
                Next::Held(span, cv) => {
                    sender.settle(cv, false);
                    work.live.held(span.len as u64);
                    ahead = self.look_ahead(&mut way, &sender, source).await;
                    continue;
                }
                Next::Read(reading) => match reading.await.map_err(|error| lost_task(&error)) {
                    Ok(read) => read,
                    Err(fault) => return self.break_off(transfer, fault).await,
                },
            };
            let Ok((buffer, cv)) = read else { return self.break_off(transfer, changed()).await };
            ahead = self.look_ahead(&mut way, &sender, source).await;
            // A lane with nothing on it for long looks dead to the server: then a block travels twice.
            let is_zeros = block::is_zeros(&buffer.bytes);
            let verdict = sender.settle(cv, is_zeros);
            if verdict == Verdict::Send || last_sent.elapsed() > SIGN_OF_LIFE {
                let header = BlockHeader { transfer, index: span.index, cv, len: span.len };
                self.wire.block(header, &buffer.bytes).await?;
                last_sent = Instant::now();
            }
            if verdict == Verdict::Send && !is_zeros {
                work.live.sent(span.len as u64);
                self.share(&mut way, transfer, work, &sender, source);
            } else {
                work.live.held(span.len as u64);
            }
            self.catch_up().await?;
            if let Some(Message::Fault { fault, .. }) = self.inbox.pop_front() {
                return Ok(Sent::Refused(fault));
            }
            if work.stop.is_cancelled() {
                return Ok(Sent::Stopped);
            }
        }
        let whole = source.clone();
        match (sender.seal(), blocking(move || whole.unchanged()).await) {
            (Some(root), Ok(true)) => {
                self.wire.send(&Message::Seal { transfer, root }).await?;
                Ok(Sent::Sealed(root, sender.tally()))
            }
            _ => self.break_off(transfer, changed()).await,
        }
    }

    /// Waits to hear what the server holds, unless it is over before that.
    async fn hear_held(&mut self, transfer: u64, work: &Work, sender: &mut Sender) -> Result<Option<Sent>, LinkError> {
        while sender.is_waiting() {
            match self.heard_of(work).await? {
                Some(Message::Held { first, cvs, last, .. }) => {
                    if let Err(violation) = sender.held(first, &cvs, last) {
                        let fault = Fault::new(Code::Protocol, violation.to_string());
                        return Ok(Some(self.break_off(transfer, fault).await?));
                    }
                }
                Some(Message::Fault { fault, .. }) => return Ok(Some(Sent::Refused(fault))),
                Some(_) => {}
                None => return Ok(Some(Sent::Stopped)),
            }
        }
        Ok(None)
    }

    /// What the server says of the current upload; `None` when it must stop.
    async fn heard_of(&mut self, work: &Work) -> Result<Option<Message>, LinkError> {
        loop {
            // A file to be discarded is begun only to be abandoned.
            if work.stop.is_cancelled() || work.file.discard {
                return Ok(None);
            }
            if let Some(message) = self.inbox.pop_front() {
                return Ok(Some(message));
            }
            self.step(None).await?;
        }
    }

    async fn break_off(&mut self, transfer: u64, fault: Fault) -> Result<Sent, LinkError> {
        self.wire.send(&Message::Fault { transfer, fault: fault.clone() }).await?;
        Ok(Sent::Refused(fault))
    }

    /// Lets other lanes assist, once that is worth it.
    fn share(&self, way: &mut Way, transfer: u64, work: &Work, sender: &Sender, source: &Arc<Source>) {
        let (size, now) = (work.file.source.size, std::time::Instant::now());
        way.carry(now);
        if let Some(window) = way.wants_help(size, now, self.limits.of_all()) {
            let missing = (0..block::count(size)).map(|index| !sender.is_held(index)).collect();
            let body = Body::Up(source.clone());
            self.queue.share(work, way.share((transfer, size, window), body, missing, (&work.live, &work.stop)));
        }
    }

    /// The block after that which was looked at last.
    async fn look_ahead(&self, way: &mut Way, sender: &Sender, source: &Arc<Source>) -> Option<Next> {
        let size = sender.size();
        let span = block::span(size, way.next)?;
        let known = way.known(span.index).filter(|cv| sender.holds(span.index, *cv));
        Some(match (way.pass(span.index), known) {
            (Some(cv), _) => Next::Brought(cv),
            (None, Some(cv)) => Next::Held(span, cv),
            (None, None) => Next::Read(self.read(source, size, span).await),
        })
    }

    /// Begins to read and hash a block, as soon as there is a buffer for it.
    pub(super) async fn read(&self, source: &Arc<Source>, size: u64, span: Span) -> Reading {
        let (source, mut buffer) = (source.clone(), self.pool.take(span.len).await);
        tokio::task::spawn_blocking(move || {
            let read = staging::read_block_once(&source.file, size, span, &mut buffer.bytes);
            let cv = block::chaining_value(size, span.index, &buffer.bytes);
            (span, read.map(|()| (buffer, cv)))
        })
    }
}

/// What is next on the way through a file.
enum Next {
    /// A block to be sent, if the server lacks it.
    Read(Reading),
    /// Another lane has brought it over.
    Brought(Cv),
    /// The server has it, and it was read before.
    Held(Span, Cv),
}

pub(super) type Reading = JoinHandle<(Span, std::io::Result<(Buffer, Cv)>)>;

/// Reads a small file as one version of it; `None` when it is no longer small.
fn load(work: &Work, arena: &mut Vec<u8>) -> Result<Option<Loaded>, Fault> {
    let Job::Up { source: path, .. } = &work.file.job else { return Err(wrong_way()) };
    let at = arena.len();
    for _ in 0..READS {
        let source = Source::open(path)?;
        let side = source.side();
        if side.size > BLOCK as u64 {
            return Ok(None);
        }
        arena.resize(at + side.size as usize, 0);
        let room = arena.get_mut(at..).unwrap_or_default();
        let read = source.file.read_exact_at(room, 0);
        let cv = block::chaining_value(side.size, 0, room);
        match read {
            Ok(()) if source.unchanged() => {
                let identical = |there: &Side| Ok(there.root == Some(Root(cv.0)));
                let decision = decision(work, &side, identical)?;
                return Ok(Some(Loaded { source, at, cv, decision }));
            }
            Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => return Err(local::fault(path, &error)),
            _ => arena.truncate(at),
        }
    }
    Err(changed())
}

/// Opens a file, and decides. With it the values of its blocks, if they had to be computed.
fn prepare(work: &Work) -> Result<(Source, Decision, Vec<Cv>), Fault> {
    let Job::Up { source: path, .. } = &work.file.job else { return Err(wrong_way()) };
    let source = Source::open(path)?;
    if work.file.discard {
        return Ok((source, Decision::Write(Expect::Any), Vec::new()));
    }
    let mut known = Vec::new();
    let identical = |there: &Side| {
        let Some(root) = there.root else { return Ok(false) };
        known = local::values(&source.file, there.size).map_err(|error| local::fault(path, &error))?;
        Ok(block::fold(&known) == root && source.unchanged())
    };
    let decision = decision(work, &source.side(), identical)?;
    Ok((source, decision, known))
}

/// Under a number the name is free until the server says otherwise. What is there already under one is not sent
/// under the next.
fn decision(
    work: &Work,
    source: &Side,
    identical: impl FnOnce(&Side) -> Result<bool, Fault>,
) -> Result<Decision, Fault> {
    if let Some(Side { size, mtime, .. }) = work.file.replaces {
        return Ok(Decision::Write(Expect::Same { size, mtime }));
    }
    match work.file.target {
        Target::There(there) if work.file.renames == 0 => decide(work.policy, source, &there, || identical(&there)),
        Target::There(there) if there.size == source.size && identical(&there)? => Ok(Decision::Identical),
        Target::There(_) => Ok(Decision::Rename),
        Target::Unknown => Ok(Decision::Write(Expect::Absent)),
    }
}

/// Carries out a decision, or gives the work back with what may stand at its target.
fn settle(queue: &Queue, mut work: Work, decision: Decision, root: Option<Root>) -> Option<(Work, Expect)> {
    let size = work.file.source.size;
    match (decision, work.file.target) {
        (Decision::Write(expect), _) => return Some((work, expect)),
        (Decision::Rename, _) => {
            work.file.renames += 1;
            work.file.target = Target::Unknown;
            return Some((work, Expect::Absent));
        }
        (Decision::Skip { same }, _) => queue.finish(work, Finish::Skipped { held: if same { size } else { 0 } }),
        (Decision::Identical, Target::There(Side { root: Some(there), .. })) => {
            queue.finish(work, Finish::Done { root: root.unwrap_or(there), tally: Tally { sent: 0, held: size } });
        }
        (Decision::Ask, Target::There(there)) => queue.ask(work, there),
        (Decision::Ask | Decision::Identical, _) => queue.put_back(work),
    }
    None
}

fn fold(known: &[Cv]) -> Option<Root> {
    (!known.is_empty()).then(|| block::fold(known))
}

fn target(work: &Work) -> RawPath {
    RawPath::from(&work.file.remote_target().unwrap_or_default())
}

fn changed() -> Fault {
    Fault::new(Code::Changed, "the file changed while it was read")
}

fn wrong_way() -> Fault {
    Fault::new(Code::Internal, "a download among the uploads")
}

/// A file that is written to all the time is left for later.
const READS: usize = 3;
/// The server drops a lane after 60 s without a byte of a running transfer.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);
