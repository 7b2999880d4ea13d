//! Downloads: asked for in any number, served in the order they came. What the next ones need is
//! opened and looked up while the one before is sent. Between them single blocks of downloads that other
//! lanes of the session serve: from the same open file, as long as it is served there.
//!
//! Memory: up to [`BUFFERS`] blocks and small files that are read ahead, of the user's share (`budget`), and what waits:
//! [`ASKED_BYTES`] and [`TOLD_BYTES`].

use std::fs::File;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::Instrument;
use wire::block::{self, BLOCK, Span};
use wire::frame::BlockHeader;
use wire::message::{Lane, Offer, RawPath};
use wire::path::MAX_PATH;
use wire::staging::read_block_once;
use wire::transfer::{Sender, Verdict};
use wire::{Code, Cv, Fault, RemotePath, Root};

use super::sent::Sent;
use super::{LaneLimits, Outgoing, span};
use crate::budget::{Buffer, Share};
use crate::catalog::{Known, Record, Stamp as RecordStamp};
use crate::custody::is_alike;
use crate::faults::{bad_path, bad_transfer, damaged, going_down, lost_task};
use crate::flow::or_rest;
use crate::session::Session;
use crate::tenant::{Tenant, is_of};
use crate::vault::{Home, Node, VaultError};

/// The reading side's way to the sending side.
#[derive(Debug)]
pub(super) struct Downloads {
    asked: mpsc::UnboundedSender<Asked>,
    /// What bounds it, in bytes.
    room: Arc<Semaphore>,
    told: mpsc::UnboundedSender<Told>,
    /// Likewise.
    told_room: Arc<Semaphore>,
    /// Requests so far.
    requests: u64,
    sent: Sent,
}

/// What the sending side hears.
#[derive(Debug)]
pub(super) struct Inbox {
    asked: mpsc::UnboundedReceiver<Asked>,
    told: mpsc::UnboundedReceiver<Told>,
    sent: Sent,
}

/// What the client says of a download.
#[derive(Debug)]
struct Told {
    message: Lane,
    /// Requests that had been made by then.
    after: u64,
    _room: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Asked {
    transfer: u64,
    wanted: Wanted,
    _room: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Wanted {
    File {
        path: RawPath,
        eager: bool,
    },
    /// Of a download that another lane serves.
    Block(u64),
}

pub(super) fn channel() -> (Downloads, Inbox) {
    let (asked_in, asked) = mpsc::unbounded_channel();
    let (told_in, told) = mpsc::unbounded_channel();
    let [room, told_room] = [ASKED_BYTES, TOLD_BYTES].map(|bytes| Arc::new(Semaphore::new(bytes)));
    let sent = Sent::default();
    (
        Downloads { asked: asked_in, room, told: told_in, told_room, requests: 0, sent: sent.clone() },
        Inbox { asked, told, sent },
    )
}

impl Downloads {
    /// Takes a request, or refuses it when too many wait.
    pub(super) fn ask(&mut self, transfer: u64, path: RawPath, eager: bool) -> Result<(), Fault> {
        self.want(transfer, path.0.len(), Wanted::File { path, eager })
    }

    /// Takes a request for one block, or refuses it when too many wait.
    pub(super) fn fetch(&mut self, transfer: u64, index: u64) -> Result<(), Fault> {
        self.want(transfer, 0, Wanted::Block(index))
    }

    fn want(&mut self, transfer: u64, bytes: usize, wanted: Wanted) -> Result<(), Fault> {
        let bytes = u32::try_from(bytes + REQUEST).unwrap_or(u32::MAX);
        let busy = |_| Fault::new(Code::Busy, format!("a lane takes {} KiB of requests at once", ASKED_BYTES >> 10));
        let _room = Arc::clone(&self.room).try_acquire_many_owned(bytes).map_err(busy)?;
        // An error: the sending side has ended, and ends the lane.
        let _ = self.asked.send(Asked { transfer, wanted, _room });
        self.requests += 1;
        Ok(())
    }

    /// Passes on what the client says of a download, when there is room for it: the sending side hears it sooner or
    /// later, also of a download that does not run.
    pub(super) async fn tell(&self, message: Lane) {
        let values = if let Lane::Held { cvs, .. } = &message { cvs.len() } else { 0 };
        let bytes = (values * size_of::<Option<Cv>>() + REQUEST) as u32;
        // Never closed.
        let Ok(_room) = Arc::clone(&self.told_room).acquire_many_owned(bytes).await else { return };
        // An error: the sending side has ended, and ends the lane.
        let _ = self.told.send(Told { message, after: self.requests, _room });
    }

    /// The file of a download that may be over.
    pub(super) fn path_of(&self, transfer: u64) -> Option<RemotePath> {
        self.sent.path_of(transfer)
    }
}

/// A file that is about to be sent.
struct Opened {
    path: RemotePath,
    source: Source,
    /// The whole of a small file, read when it was opened, and found unchanged after that.
    content: Option<Buffer>,
}

/// A file as it was offered, held open: what is read of it on whatever lane is of the same file.
#[derive(Debug)]
pub(crate) struct Source {
    file: File,
    node: Node,
    record: Option<Record>,
}

/// What is sent next.
enum Next {
    File(bool, Result<Box<Opened>, Fault>),
    Block(u64),
}

/// Serves downloads until the lane ends. Requests that wait together are opened together, while those
/// before them are sent.
pub(super) async fn run(session: Arc<Session>, inbox: Inbox, out: mpsc::Sender<Box<Outgoing>>, limits: LaneLimits) {
    let Inbox { asked, told, sent } = inbox;
    let requests = futures_util::stream::unfold(asked, |mut asked| async {
        let mut waiting = Vec::new();
        (asked.recv_many(&mut waiting, TOGETHER).await > 0).then_some((waiting, asked))
    });
    let opened = requests.map(|requests| open(&session.tenant, requests)).buffered(AHEAD);
    let mut opened = std::pin::pin!(opened);
    let mut sending = Sending {
        session: Arc::clone(&session),
        told,
        sent: sent.clone(),
        early: None,
        served: 0,
        out,
        places: Arc::new(Semaphore::new(BUFFERS)),
        abandoned: None,
    };
    while let Some(batch) = or_rest(sending.next_batch(&mut opened), || {
        session.tenant.memory.rest();
        sent.forget();
    })
    .await
    {
        for (transfer, next) in batch {
            let _running = limits.running.token();
            sending.served += 1;
            let sent = async {
                match next {
                    Next::File(_, Err(fault)) => Err(fault),
                    Next::File(..) if limits.draining.is_cancelled() => Err(going_down()),
                    Next::File(eager, Ok(opened)) => sending.send(transfer, eager, *opened).await,
                    Next::Block(index) => sending.send_block(transfer, index).await,
                }
            };
            let sent = sent.instrument(span(transfer)).await;
            if let Err(fault) = sent
                && fault.code != Code::Cancelled
            {
                sending.say(Lane::Fault { transfer, fault }).await;
            }
        }
    }
}

type Batch = Vec<(u64, Next)>;

/// Opens files in one task of the disk and looks their records up in one question.
async fn open(tenant: &Tenant, requests: Vec<Asked>) -> Batch {
    let (mut files, mut names) = (Vec::new(), Vec::with_capacity(requests.len()));
    for Asked { transfer, wanted, _room } in requests {
        let name = match wanted {
            Wanted::Block(index) => Err(index),
            Wanted::File { path, eager } => {
                files.push((path, eager, _room));
                Ok(eager)
            }
        };
        names.push((transfer, name));
    }
    let opened = if files.is_empty() { Vec::new() } else { open_files(tenant, files).await };
    let mut opened = opened.into_iter();
    let mut next = |name| match name {
        Ok(eager) => Next::File(eager, opened.next().unwrap_or_else(|| Err(gone())).map(Box::new)),
        Err(index) => Next::Block(index),
    };
    names.into_iter().map(|(transfer, name)| (transfer, next(name))).collect()
}

/// In the order given. Their room in the queue is held until they are open.
async fn open_files(tenant: &Tenant, files: Vec<(RawPath, bool, OwnedSemaphorePermit)>) -> Vec<Result<Opened, Fault>> {
    let count = files.len();
    let memory = tenant.memory.clone();
    let opening = tenant.on_disk(move |home| {
        let open = |(path, eager, _): &(RawPath, bool, OwnedSemaphorePermit)| {
            let path = RemotePath::parse(&path.0).map_err(|error| bad_path(&error))?;
            Ok(open_one(home, path, *eager, &memory)?)
        };
        Ok(files.iter().map(open).collect::<Vec<Result<Opened, Fault>>>())
    });
    let mut opened = match opening.await {
        Ok(opened) => opened,
        Err(fault) => (0..count).map(|_| Err(fault.clone())).collect(),
    };
    let paths = opened.iter().flatten().map(|opened| opened.path.clone()).collect();
    match tenant.catalog.known(tenant.id, paths).await {
        Ok(known) => opened.iter_mut().filter(|it| it.is_ok()).zip(known).for_each(|(it, known)| take_in(it, known)),
        // Whether one is damaged cannot be told.
        Err(error) => {
            let fault = Fault::from(error);
            opened.iter_mut().filter(|it| it.is_ok()).for_each(|it| *it = Err(fault.clone()));
        }
    }
    opened
}

/// What was found damaged is not delivered; without its record a file is hashed while it is sent.
fn take_in(opened: &mut Result<Opened, Fault>, known: Known) {
    let Ok(Opened { source, .. }) = opened else { return };
    match known {
        Known::Damaged(recorded) if is_alike(&source.node.stamp, &recorded) => *opened = Err(damaged()),
        Known::Proven(record) if is_of(&source.node.stamp, &record.stamp) => source.record = Some(record),
        _ => {}
    }
}

fn open_one(home: &Home, path: RemotePath, eager: bool, memory: &Share) -> Result<Opened, VaultError> {
    let (file, node) = home.open_file(&path)?;
    let span = block::span(node.stamp.size, 0).filter(|_| eager && node.stamp.size <= SMALL);
    let content = match span.and_then(|span| Some((span, memory.try_hold(span.len)?))) {
        Some((span, held)) => {
            let mut buffer = Buffer::small(held);
            read(&file, node.stamp.size, span, &mut buffer)?;
            unchanged(&file, &node)?;
            Some(buffer)
        }
        // It is large, or read when it is its turn.
        None => None,
    };
    Ok(Opened { path, source: Source { file, node, record: None }, content })
}

fn unchanged(file: &File, node: &Node) -> Result<(), VaultError> {
    if Node::of_file(file)?.stamp == node.stamp { Ok(()) } else { Err(VaultError::Changed) }
}

struct Sending {
    session: Arc<Session>,
    told: mpsc::UnboundedReceiver<Told>,
    sent: Sent,
    /// Heard before the download it may belong to.
    early: Option<Told>,
    /// Requests that were served or are just being.
    served: u64,
    out: mpsc::Sender<Box<Outgoing>>,
    /// Blocks that it may have in memory.
    places: Arc<Semaphore>,
    /// What the client turned away from last: blocks that wait are not sent either.
    abandoned: Option<u64>,
}

impl Sending {
    /// What is to be sent next. What the client says meanwhile is of what was sent, or of what comes.
    async fn next_batch(&mut self, opened: &mut (impl Stream<Item = Batch> + Unpin)) -> Option<Batch> {
        loop {
            tokio::select! {
                batch = opened.next() => return batch,
                Some(told) = self.told.recv(), if self.early.is_none() => match told.message {
                    Lane::Abandon { transfer, .. } => self.abandoned = Some(transfer),
                    _ if told.after > self.served => self.early = Some(told),
                    _ => {}
                }
            }
        }
    }

    async fn send(&mut self, transfer: u64, eager: bool, opened: Opened) -> Result<(), Fault> {
        let Opened { path, source, mut content } = opened;
        let (stamp, executable, source) = (source.node.stamp, source.node.executable, Arc::new(source));
        // Others, and empty ones, were whole when they were opened.
        let is_large = stamp.size > 0 && content.is_none();
        self.sent.note(transfer, &path);
        if stamp.size > BLOCK as u64 {
            self.session.downloads.enter(transfer, &source);
        }
        self.say(Lane::Offer { transfer, offer: Offer { size: stamp.size, mtime: stamp.mtime, executable, eager } })
            .await;
        let mut sender = Sender::new(stamp.size, eager);
        while sender.is_waiting() {
            self.hear(transfer, &mut sender).await?;
        }
        while let Some(span) = sender.next() {
            self.catch_up(transfer, Some(&mut sender))?;
            let known = source.known_cv(span);
            // A block with a record that the client holds is not even read.
            if let Some(cv) = known
                && sender.would_settle(cv) == Verdict::Held
            {
                sender.settle(cv, false);
                continue;
            }
            let (cv, payload) = match content.take() {
                Some(content) => (source.value(span, known, &content.bytes), content),
                None => self.read(&source, span).await?,
            };
            if sender.settle(cv, block::is_zeros(&payload.bytes)) == Verdict::Send {
                self.pass_on(transfer, span, cv, payload).await?;
            }
        }
        let root = sender.seal().ok_or_else(|| Fault::new(Code::Internal, "not all blocks were settled"))?;
        if is_large {
            let source = Arc::clone(&source);
            self.session.tenant.on_disk(move |_| source.unchanged()).await?;
        }
        tracing::debug!(path = %path, bytes = stamp.size, "sent");
        self.say(Lane::Seal { transfer, root }).await;
        self.session.tenant.commons.counters.held_down.add(sender.tally().held.div_ceil(BLOCK as u64));
        if source.record.is_none() {
            self.keep_record(path, &source, root, sender).await;
        }
        Ok(())
    }

    /// Sends a block of a file that another lane serves, and that is still what was offered there.
    async fn send_block(&mut self, transfer: u64, index: u64) -> Result<(), Fault> {
        self.catch_up(transfer, None)?;
        let source = self.session.downloads.find(transfer)?;
        let span = block::span(source.node.stamp.size, index)
            .ok_or_else(|| Fault::new(Code::Protocol, format!("there is no block {index}")))?;
        let (cv, payload) = self.read(&source, span).await?;
        self.session.tenant.on_disk(move |_| source.unchanged()).await?;
        self.pass_on(transfer, span, cv, payload).await
    }

    /// Hears one message of the client; a transfer that is not this one has ended already.
    async fn hear(&mut self, current: u64, sender: &mut Sender) -> Result<(), Fault> {
        let told = match self.early.take() {
            None => self.told.recv().await,
            early => early,
        };
        match told.map(|told| told.message) {
            Some(Lane::Held { transfer, first, cvs, last }) if transfer == current => {
                sender.held(first, &cvs, last).map_err(|violation| bad_transfer(&violation))
            }
            Some(Lane::Abandon { transfer, .. }) if transfer == current => Err(gone()),
            Some(_) => Ok(()),
            None => Err(gone()),
        }
    }

    /// Hears what the client has said meanwhile: that it does not want the rest, or that it got blocks on
    /// other lanes.
    fn catch_up(&mut self, current: u64, mut sender: Option<&mut Sender>) -> Result<(), Fault> {
        while let Some(told) = self.early.take().or_else(|| self.told.try_recv().ok()) {
            match (told.message, &mut sender) {
                (Lane::Abandon { transfer, .. }, _) => self.abandoned = Some(transfer),
                (Lane::Kept { transfer, index, cv }, Some(sender)) if transfer == current => {
                    sender.kept(index, cv).map_err(|violation| bad_transfer(&violation))?;
                }
                _ => {}
            }
            if self.abandoned == Some(current) {
                return Err(gone());
            }
        }
        if self.abandoned == Some(current) { Err(gone()) } else { Ok(()) }
    }

    async fn pass_on(&self, transfer: u64, span: Span, cv: Cv, payload: Buffer) -> Result<(), Fault> {
        let header = BlockHeader { transfer, index: span.index, cv, len: payload.bytes.len() };
        self.out.send(Box::new(Outgoing::Block(header, payload))).await.map_err(|_| gone())
    }

    /// The block's value and bytes, as soon as there is a buffer for them.
    async fn read(&self, source: &Arc<Source>, span: Span) -> Result<(Cv, Buffer), Fault> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let tenant = &self.session.tenant;
        let mut buffer = tenant.memory.buffer(place).await.ok_or_else(gone)?;
        let source = Arc::clone(source);
        let reading = tenant.step(move || {
            read(&source.file, source.node.stamp.size, span, &mut buffer)?;
            Ok::<_, VaultError>((source.value(span, source.known_cv(span), &buffer.bytes), buffer))
        });
        Ok(reading.await.await.map_err(|error| lost_task(&error))??)
    }

    /// A file that was put into the home by hand is known from its first download on.
    async fn keep_record(&self, path: RemotePath, source: &Source, root: Root, sender: Sender) {
        let stamp = source.node.stamp;
        let stamp = RecordStamp { size: stamp.size, mtime: stamp.mtime, inode: stamp.inode, root };
        let cvs = if stamp.size > BLOCK as u64 { sender.into_cvs() } else { Vec::new() };
        let tenant = &self.session.tenant;
        let kept = tenant.catalog.put_record(tenant.id, &path, Record { stamp, cvs }).await;
        if let Err(error) = kept {
            tracing::warn!(%error, "a record could not be kept");
        }
    }

    async fn say(&self, message: Lane) {
        // An error: the writing side has ended, and ends the lane.
        let _ = self.out.send(Box::new(Outgoing::Message(message))).await;
    }
}

impl Source {
    /// The recorded value of a block, so that the client finds what the disk has spoiled since.
    fn known_cv(&self, span: Span) -> Option<Cv> {
        let record = self.record.as_ref()?;
        if record.cvs.is_empty() {
            return Some(Cv(record.stamp.root.0));
        }
        record.cvs.get(usize::try_from(span.index).ok()?).copied()
    }

    /// The value that a block is sent with: the recorded one, or the hash of what was read.
    fn value(&self, span: Span, known: Option<Cv>, bytes: &[u8]) -> Cv {
        known.unwrap_or_else(|| block::chaining_value(self.node.stamp.size, span.index, bytes))
    }

    /// Blocks.
    fn unchanged(&self) -> Result<(), VaultError> {
        unchanged(&self.file, &self.node)
    }
}

/// A file that ends before its block does has changed since it was opened.
fn read(file: &File, size: u64, span: Span, buffer: &mut Buffer) -> Result<(), VaultError> {
    match read_block_once(file, size, span, &mut buffer.bytes) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(VaultError::Changed),
        read => Ok(read?),
    }
}

/// The client has turned away: nothing needs to be said.
fn gone() -> Fault {
    Fault::new(Code::Cancelled, "the client does not want it any more")
}

/// Of the sending side of a lane, in bytes, beside its blocks and small files and 33 for each block of a file in hand.
pub(super) const MEMORY: usize =
    (AHEAD + 1) * TOGETHER * (MAX_PATH + OPENED) + ASKED_BYTES + TOLD_BYTES + super::sent::KEPT;
/// Requests of one lane that wait, in bytes: as many small files as a gigabit link with a round trip of
/// 200 ms has under way.
const ASKED_BYTES: usize = 512 << 10;
/// Of a request beside its path.
const REQUEST: usize = 64;
/// Messages about downloads that wait, in bytes: pages of the one being sent, and ends of others.
const TOLD_BYTES: usize = 128 << 10;
/// Requests that are opened and looked up together.
const TOGETHER: usize = 32;
/// Such batches in hand besides the one being sent.
const AHEAD: usize = 1;
/// Bytes up to which a file is read whole when it is opened.
const SMALL: u64 = 32 << 10;
/// Of a file in hand, beside its path and its bytes.
const OPENED: usize = 512;
/// Blocks of a lane in memory: one being read, one waiting, one being written.
const BUFFERS: usize = 3;
