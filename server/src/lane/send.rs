//! Downloads: asked for in any number, served in the order they came. What the next ones need is
//! opened and looked up while the one before is sent.
//!
//! Memory: [`BUFFERS`] blocks for a large file, and two batches of [`TOGETHER`] files of up to [`SMALL`].

use std::fs::File;
use std::sync::Arc;

use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use wire::block::{self, BLOCK, Span};
use wire::frame::BlockHeader;
use wire::link::LinkError;
use wire::message::{Lane, Offer, RawPath};
use wire::staging::read_block;
use wire::transfer::{Sender, Verdict};
use wire::{Aligned, Code, Cv, Fault, RemotePath, Root};

use super::buffer::{Buffer, Pool};
use super::{LaneLimits, Outgoing};
use crate::catalog::{Record, Stamp as RecordStamp};
use crate::faults::{bad_path, bad_transfer, lost_task};
use crate::flow::or_rest;
use crate::tenant::{Tenant, is_of};
use crate::vault::{Home, Node, VaultError};

/// The reading side's way to the sending side.
#[derive(Debug)]
pub(super) struct Downloads {
    asked: mpsc::UnboundedSender<Asked>,
    /// What bounds it, in bytes.
    room: Arc<Semaphore>,
    told: mpsc::Sender<Box<Lane>>,
}

/// What the sending side hears.
#[derive(Debug)]
pub(super) struct Inbox {
    asked: mpsc::UnboundedReceiver<Asked>,
    told: mpsc::Receiver<Box<Lane>>,
}

#[derive(Debug)]
struct Asked {
    transfer: u64,
    path: RawPath,
    eager: bool,
    _room: OwnedSemaphorePermit,
}

pub(super) fn channel() -> (Downloads, Inbox) {
    let (asked_in, asked) = mpsc::unbounded_channel();
    let (told_in, told) = mpsc::channel(MAX_TOLD);
    let room = Arc::new(Semaphore::new(ASKED_BYTES));
    (Downloads { asked: asked_in, room, told: told_in }, Inbox { asked, told })
}

impl Downloads {
    /// Takes a request, or refuses it when too many wait.
    pub(super) fn ask(&self, transfer: u64, path: RawPath, eager: bool) -> Result<(), Fault> {
        let wanted = u32::try_from(path.0.len() + REQUEST).unwrap_or(u32::MAX);
        let busy = |_| Fault::new(Code::Busy, format!("a lane takes {} KiB of requests at once", ASKED_BYTES >> 10));
        let _room = Arc::clone(&self.room).try_acquire_many_owned(wanted).map_err(busy)?;
        // An error: the sending side has ended, and ends the lane.
        let _ = self.asked.send(Asked { transfer, path, eager, _room });
        Ok(())
    }

    /// Passes on what the client says of a download. Far more than a client ever has to say breaks
    /// the protocol.
    pub(super) fn tell(&self, message: Lane) -> Result<(), LinkError> {
        self.told.try_send(Box::new(message)).map_err(|_| LinkError::UnexpectedBlock)
    }

    pub(super) fn abandon(&self, transfer: u64) {
        // Full: the download ends with its lane.
        let _ = self.told.try_send(Box::new(Lane::Abandon { transfer, keep: true }));
    }
}

/// A file that is about to be sent.
struct Opened {
    path: RemotePath,
    file: Arc<File>,
    node: Node,
    record: Option<Record>,
    /// The whole of a small file, read when it was opened, and found unchanged after that.
    content: Option<Buffer>,
}

/// Serves downloads until the lane ends. Requests that wait together are opened together, while those
/// before them are sent.
pub(super) async fn run(tenant: Arc<Tenant>, inbox: Inbox, out: mpsc::Sender<Box<Outgoing>>, limits: LaneLimits) {
    let Inbox { asked, told } = inbox;
    let requests = futures_util::stream::unfold(asked, |mut asked| async {
        let mut waiting = Vec::new();
        (asked.recv_many(&mut waiting, TOGETHER).await > 0).then_some((waiting, asked))
    });
    let opened = requests.map(|requests| open(&tenant, requests)).buffered(AHEAD);
    let mut opened = std::pin::pin!(opened);
    let mut sending = Sending { tenant: Arc::clone(&tenant), told, out, buffers: Pool::new(BUFFERS) };
    while let Some(batch) = or_rest(opened.next(), || sending.buffers.rest()).await {
        for (transfer, eager, opened) in batch {
            let _running = limits.running.token();
            let sent = match opened {
                Ok(_) if limits.draining.is_cancelled() => Err(going_down()),
                Ok(opened) => sending.send(transfer, eager, opened).await,
                Err(fault) => Err(fault),
            };
            if let Err(fault) = sent
                && fault.code != Code::Cancelled
            {
                sending.say(Lane::Fault { transfer, fault }).await;
            }
        }
    }
}

fn going_down() -> Fault {
    Fault::new(Code::Draining, "the server is going down; try again in a moment")
}

type Batch = Vec<(u64, bool, Result<Opened, Fault>)>;

/// Opens files in one task of the disk and looks their records up in one question.
async fn open(tenant: &Tenant, requests: Vec<Asked>) -> Batch {
    let names: Vec<(u64, bool)> = requests.iter().map(|asked| (asked.transfer, asked.eager)).collect();
    let opening = tenant.on_disk(move |home| {
        let open = |asked: &Asked| {
            let path = RemotePath::parse(&asked.path.0).map_err(|error| bad_path(&error))?;
            Ok(open_one(home, path, asked.eager)?)
        };
        Ok(requests.iter().map(open).collect::<Vec<Result<Opened, Fault>>>())
    });
    let mut opened = match opening.await {
        Ok(opened) => opened,
        Err(fault) => names.iter().map(|_| Err(fault.clone())).collect(),
    };
    let paths = opened.iter().flatten().map(|opened| opened.path.clone()).collect();
    // Without its record a file is hashed while it is sent.
    let records = tenant.catalog.records(tenant.id, paths).await.unwrap_or_else(|error| {
        tracing::error!(%error, "records cannot be read");
        Vec::new()
    });
    for (opened, record) in opened.iter_mut().flatten().zip(records) {
        opened.record = record.filter(|record| is_of(&opened.node.stamp, &record.stamp));
    }
    names.into_iter().zip(opened).map(|((transfer, eager), opened)| (transfer, eager, opened)).collect()
}

fn open_one(home: &Home, path: RemotePath, eager: bool) -> Result<Opened, VaultError> {
    let (file, node) = home.open_file(&path)?;
    let content = match block::span(node.stamp.size, 0) {
        Some(span) if eager && node.stamp.size <= SMALL => {
            let mut buffer = Buffer::small(Aligned::default());
            read(&file, span, &mut buffer)?;
            unchanged(&file, &node)?;
            Some(buffer)
        }
        _ => None,
    };
    Ok(Opened { path, file: Arc::new(file), node, record: None, content })
}

fn unchanged(file: &File, node: &Node) -> Result<(), VaultError> {
    if Node::of_file(file)?.stamp == node.stamp { Ok(()) } else { Err(VaultError::Changed) }
}

struct Sending {
    tenant: Arc<Tenant>,
    told: mpsc::Receiver<Box<Lane>>,
    out: mpsc::Sender<Box<Outgoing>>,
    buffers: Pool,
}

impl Sending {
    async fn send(&mut self, transfer: u64, eager: bool, mut opened: Opened) -> Result<(), Fault> {
        let stamp = opened.node.stamp;
        // Others, and empty ones, were whole when they were opened.
        let is_large = stamp.size > 0 && opened.content.is_none();
        let offer = Offer { size: stamp.size, mtime: stamp.mtime, executable: opened.node.executable, eager };
        self.say(Lane::Offer { transfer, offer }).await;
        let mut sender = Sender::new(stamp.size, eager);
        while sender.is_waiting() {
            self.hear(transfer, &mut sender).await?;
        }
        while let Some(span) = sender.next() {
            self.check_abandoned(transfer)?;
            let known = opened.record.as_ref().and_then(|record| known_cv(record, span));
            // A block with a record that the client holds is not even read.
            if let Some(cv) = known
                && sender.would_settle(cv) == Verdict::Held
            {
                sender.settle(cv);
                continue;
            }
            let (cv, payload) = self.read(&mut opened, span, known).await?;
            if sender.settle(cv) == Verdict::Send {
                let header = BlockHeader { transfer, index: span.index, cv, len: payload.bytes.len() };
                self.out.send(Box::new(Outgoing::Block(header, payload))).await.map_err(|_| gone())?;
            }
        }
        let root = sender.seal().ok_or_else(|| Fault::new(Code::Internal, "not all blocks were settled"))?;
        if is_large {
            let (file, node) = (Arc::clone(&opened.file), opened.node);
            self.tenant.on_disk(move |_| unchanged(&file, &node)).await?;
        }
        self.say(Lane::Seal { transfer, root }).await;
        if opened.record.is_none() {
            self.keep_record(&opened, root, sender).await;
        }
        Ok(())
    }

    /// Hears one message of the client; a transfer that is not this one has ended already.
    async fn hear(&mut self, current: u64, sender: &mut Sender) -> Result<(), Fault> {
        match self.told.recv().await.map(|message| *message) {
            Some(Lane::Held { transfer, first, cvs, last }) if transfer == current => {
                sender.held(first, &cvs, last).map_err(|violation| bad_transfer(&violation))
            }
            Some(Lane::Abandon { transfer, .. }) if transfer == current => Err(gone()),
            Some(_) => Ok(()),
            None => Err(gone()),
        }
    }

    /// Whether the client has said meanwhile that it does not want the rest.
    fn check_abandoned(&mut self, current: u64) -> Result<(), Fault> {
        while let Ok(message) = self.told.try_recv() {
            if matches!(*message, Lane::Abandon { transfer, .. } if transfer == current) {
                return Err(gone());
            }
        }
        Ok(())
    }

    /// The block's bytes and value: the recorded value where there is one, so that the client finds
    /// what the disk has spoiled since; else the hash of what was read.
    async fn read(&self, opened: &mut Opened, span: Span, known: Option<Cv>) -> Result<(Cv, Buffer), Fault> {
        let size = opened.node.stamp.size;
        let value = move |bytes: &[u8]| known.unwrap_or_else(|| block::chaining_value(size, span.index, bytes));
        if let Some(content) = opened.content.take() {
            return Ok((value(&content.bytes), content));
        }
        let mut buffer = self.buffers.take().await.ok_or_else(gone)?;
        let file = Arc::clone(&opened.file);
        let reading = tokio::task::spawn_blocking(move || {
            read(&file, span, &mut buffer)?;
            Ok::<_, VaultError>((value(&buffer.bytes), buffer))
        });
        Ok(reading.await.map_err(|error| lost_task(&error))??)
    }

    /// A file that was put into the home by hand is known from its first download on.
    async fn keep_record(&self, opened: &Opened, root: Root, sender: Sender) {
        let Node { stamp, .. } = opened.node;
        let stamp = RecordStamp { size: stamp.size, mtime: stamp.mtime, inode: stamp.inode, root };
        let cvs = if stamp.size > BLOCK as u64 { sender.into_cvs() } else { Vec::new() };
        let kept = self.tenant.catalog.put_record(self.tenant.id, &opened.path, Record { stamp, cvs }).await;
        if let Err(error) = kept {
            tracing::warn!(%error, "a record could not be kept");
        }
    }

    async fn say(&self, message: Lane) {
        // An error: the writing side has ended, and ends the lane.
        let _ = self.out.send(Box::new(Outgoing::Message(message))).await;
    }
}

fn known_cv(record: &Record, span: Span) -> Option<Cv> {
    if record.cvs.is_empty() {
        return Some(Cv(record.stamp.root.0));
    }
    record.cvs.get(usize::try_from(span.index).ok()?).copied()
}

/// A file that ends before its block does has changed since it was opened.
fn read(file: &File, span: Span, buffer: &mut Buffer) -> Result<(), VaultError> {
    match read_block(file, span, &mut buffer.bytes) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(VaultError::Changed),
        read => Ok(read?),
    }
}

/// The client has turned away: nothing needs to be said.
fn gone() -> Fault {
    Fault::new(Code::Cancelled, "the client does not want it any more")
}

/// Requests of one lane that wait, in bytes: as many small files as a gigabit link with a round trip of
/// 200 ms has under way.
const ASKED_BYTES: usize = 1 << 20;
/// Of a request beside its path.
const REQUEST: usize = 64;
/// Messages about downloads that wait: pages of the one being sent, and ends of others.
const MAX_TOLD: usize = 4096;
/// Requests that are opened and looked up together.
const TOGETHER: usize = 64;
/// Such batches in hand besides the one being sent.
const AHEAD: usize = 1;
/// Bytes up to which a file is read whole when it is opened.
const SMALL: u64 = 32 << 10;
/// Blocks of a lane in memory: one being read, one waiting, one being written.
const BUFFERS: usize = 3;
