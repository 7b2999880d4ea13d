//! Uploads: blocks of one lane into staging, each proven when it comes; proven files to be published.
//!
//! Memory: blocks and small files are of the user's share (`budget`), which a block waits for before it is read; beside that
//! [`ANSWER_BYTES`] for what is sealed and not answered, and 33 bytes for each block that is there of a running upload.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::io::AsyncRead;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::Instrument;
use wire::BLOCK;
use wire::frame::{BlockHeader, MAX_CONTROL};
use wire::link::{Incoming, LinkError, Reader};
use wire::message::{Expect, Lane, Offer, RawPath};
use wire::path::MAX_PATH;
use wire::staging::StagingError;
use wire::{Code, Cv, Fault, RemotePath};

use super::send::Downloads;
use super::upload::{Begun, SmallUpload, StagedUpload, Upload, Writing};
use super::{LaneLimits, Outgoing, span};
use crate::audit::Trail;
use crate::budget::Buffer;
use crate::custody::suspect;
use crate::faults::{bad_content, bad_path, bad_transfer, going_down, lost_task};
use crate::flow::{Flow, next_or_rest};
use crate::session::Session;

/// The reading side of a lane.
pub(super) struct Receiving {
    pub(super) session: Arc<Session>,
    pub(super) limits: LaneLimits,
    pub(super) trail: Trail,
    flow: Flow,
    pub(super) out: mpsc::Sender<Box<Outgoing>>,
    downloads: Downloads,
    pub(super) uploads: HashMap<u64, Upload>,
    /// The upload of another lane whose blocks come here, too.
    pub(super) assisted: Option<u64>,
    revoked: (mpsc::UnboundedSender<u64>, mpsc::UnboundedReceiver<u64>),
    /// Bytes for uploads that are sealed until their answer is on its way.
    pub(super) answers: Arc<Semaphore>,
    /// Pages of what is held that wait for the writer.
    held_pages: Arc<Semaphore>,
    storing: Option<Storing>,
    pub(super) ignored: u32,
}

/// The one block that is on its way to the disk while the next is read.
struct Storing {
    transfer: u64,
    index: u64,
    cv: Cv,
    task: JoinHandle<Result<(), StagingError>>,
}

/// A block that the disk is through with.
struct Stored {
    transfer: u64,
    index: u64,
    cv: Cv,
    result: Result<(), Fault>,
}

enum Event {
    Frame(Option<Incoming<Lane>>),
    Revoked(u64),
    Stored(Stored),
}

impl Receiving {
    pub(super) fn new(
        session: Arc<Session>,
        limits: LaneLimits,
        trail: Trail,
        flow: Flow,
        out: mpsc::Sender<Box<Outgoing>>,
        downloads: Downloads,
    ) -> Self {
        Self {
            session,
            limits,
            trail,
            flow,
            out,
            downloads,
            uploads: HashMap::new(),
            assisted: None,
            revoked: mpsc::unbounded_channel(),
            held_pages: Arc::new(Semaphore::new(HELD_PAGES)),
            answers: Arc::new(Semaphore::new(ANSWER_BYTES)),
            storing: None,
            ignored: 0,
        }
    }

    /// Reads to the end of the lane. What is unfinished then stays in staging, without its promise.
    pub(super) async fn run<R: AsyncRead + Unpin>(mut self, mut reader: Reader<R>) -> Result<(), LinkError> {
        loop {
            match self.next(&mut reader).await? {
                Event::Frame(None) => return Ok(()),
                Event::Frame(Some(Incoming::Block(header))) => self.block(&mut reader, header).await?,
                Event::Frame(Some(Incoming::Message(message))) => self.message(message).await?,
                Event::Revoked(transfer) => self.revoke(transfer).await,
                Event::Stored(stored) => self.settle(stored).await,
            }
        }
    }

    async fn next<R: AsyncRead + Unpin>(&mut self, reader: &mut Reader<R>) -> Result<Event, LinkError> {
        let busy = !self.uploads.is_empty();
        let frame = async {
            if busy {
                self.flow.moving(self.limits.stall(), reader.next()).await
            } else {
                next_or_rest(reader, || self.session.tenant.memory.rest()).await
            }
        };
        tokio::select! {
            biased;
            Some(transfer) = self.revoked.1.recv() => Ok(Event::Revoked(transfer)),
            // Of its own blocks a lane tells nothing: they can be looked at when the next one is there.
            stored = stored(&mut self.storing), if self.assisted.is_some() => Ok(Event::Stored(stored)),
            frame = frame => Ok(Event::Frame(frame?)),
        }
    }

    async fn message(&mut self, message: Lane) -> Result<(), LinkError> {
        match message {
            Lane::Put { transfer, path, offer, expect } => {
                self.ignored = 0;
                if let Err(fault) = self.put(transfer, &path, offer, expect).instrument(span(transfer)).await {
                    self.refuse(transfer, fault).await;
                }
            }
            Lane::Seal { transfer, root } => self.seal(transfer, root).instrument(span(transfer)).await,
            Lane::Abandon { transfer, keep } => {
                self.abandon(transfer, keep).await;
                self.downloads.tell(message).await;
            }
            Lane::Get { transfer, path, eager } => {
                if let Err(fault) = self.downloads.ask(transfer, path, eager) {
                    self.refuse(transfer, fault).await;
                }
            }
            Lane::Held { .. } | Lane::Kept { .. } => self.downloads.tell(message).await,
            Lane::Assist { transfer } => self.assist(transfer).await,
            Lane::Fetch { transfer, index } => {
                if let Err(fault) = self.downloads.fetch(transfer, index) {
                    self.refuse(transfer, fault).await;
                }
            }
            // A download is over when it is sealed: nothing waits for this.
            Lane::Stored { .. } => {}
            Lane::Fault { transfer, .. } if self.uploads.contains_key(&transfer) => self.abandon(transfer, true).await,
            Lane::Fault { transfer, fault } => {
                self.downloads.tell(Lane::Abandon { transfer, keep: true }).await;
                if fault.code == Code::Damaged
                    && let Some(path) = self.downloads.path_of(transfer)
                {
                    let (tenant, stop) = (Arc::clone(&self.session.tenant), self.limits.draining.clone());
                    self.limits.running.spawn(suspect(tenant, path, stop).instrument(span(transfer)));
                }
            }
            Lane::Offer { .. } => return Err(LinkError::UnexpectedBlock),
        }
        Ok(())
    }

    async fn put(&mut self, transfer: u64, path: &RawPath, offer: Offer, expect: Expect) -> Result<(), Fault> {
        if self.limits.draining.is_cancelled() {
            return Err(going_down());
        }
        if self.uploads.contains_key(&transfer) || self.uploads.len() >= MAX_UPLOADS {
            return Err(Fault::new(Code::Protocol, "too many uploads at once, or the same number twice"));
        }
        let path = RemotePath::parse(&path.0).map_err(|error| bad_path(&error))?;
        if path.is_home() {
            return Err(Fault::new(Code::IsDirectory, "the home itself is not a file"));
        }
        let upload = if offer.eager && offer.size <= BLOCK as u64 {
            Upload::Small(SmallUpload::new(path, expect, offer))
        } else {
            if self.uploads.values().filter(|upload| matches!(upload, Upload::Staged(_))).count() >= MAX_STAGED {
                return Err(Fault::new(Code::Busy, format!("a lane takes {MAX_STAGED} large uploads at once")));
            }
            let Begun { upload, revoked } = self.begin(path, offer, expect).await?;
            self.watch_revocation(transfer, revoked);
            if !offer.eager {
                self.tell_held(transfer, &upload.writing).await;
            }
            self.session.uploads.enter(transfer, &upload.writing);
            Upload::Staged(Box::new(upload))
        };
        self.uploads.insert(transfer, upload);
        Ok(())
    }

    /// Begins a large upload. Another one that it waits for may be of this lane, or wait for one of this lane: what is
    /// taken over meanwhile is let go.
    async fn begin(&mut self, path: RemotePath, offer: Offer, expect: Expect) -> Result<Begun, Fault> {
        let (tenant, running) = (Arc::clone(&self.session.tenant), self.limits.running.token());
        let mut begun = std::pin::pin!(StagedUpload::begin(&tenant, path, offer, expect, running));
        loop {
            tokio::select! {
                begun = &mut begun => return begun,
                Some(transfer) = self.revoked.1.recv() => self.revoke(transfer).await,
            }
        }
    }

    async fn tell_held(&self, transfer: u64, writing: &Writing) {
        for page in 0.. {
            let (first, cvs, last) = writing.held_page(page);
            // Never closed.
            let _place = Arc::clone(&self.held_pages).acquire_owned().await.ok();
            let message = Outgoing::Page { message: Lane::Held { transfer, first, cvs, last }, _place };
            // An error: as in `say`.
            if self.out.send(Box::new(message)).await.is_err() || last {
                return;
            }
        }
    }

    fn watch_revocation(&self, transfer: u64, revoked: oneshot::Receiver<()>) {
        let tell = self.revoked.0.clone();
        tokio::spawn(async move {
            // An error: the claim ended by itself.
            if revoked.await.is_ok() {
                let _ = tell.send(transfer);
            }
        });
    }

    async fn block<R: AsyncRead + Unpin>(
        &mut self,
        reader: &mut Reader<R>,
        header: BlockHeader,
    ) -> Result<(), LinkError> {
        let Some(mut buffer) = self.buffer().await? else { return Ok(()) };
        self.payload(reader, &header, &mut buffer.bytes).await?;
        let writing = match self.uploads.get_mut(&header.transfer) {
            None if self.assisted == Some(header.transfer) => self.session.uploads.find(header.transfer),
            None => {
                self.ignored += 1;
                // Blocks that were on their way when their upload was refused. More is a flood.
                return if self.ignored > MAX_IGNORED { Err(LinkError::UnexpectedBlock) } else { Ok(()) };
            }
            Some(Upload::Small(small)) => match small.take(header, &mut buffer) {
                Ok(()) => return Ok(()),
                Err(fault) => Err(fault),
            },
            Some(Upload::Staged(staged)) => Ok(Arc::clone(&staged.writing)),
        };
        match writing {
            Ok(writing) => self.store(header, writing, buffer).await,
            Err(fault) => self.fail(header.transfer, fault).await,
        }
        Ok(())
    }

    /// Waits for a block's memory. Uploads that are taken over meanwhile are let go.
    async fn buffer(&mut self) -> Result<Option<Buffer>, LinkError> {
        let (memory, flow, stall) = (self.session.tenant.memory.clone(), self.flow.clone(), self.limits.stall());
        // Only seals give back what small files hold: a peer that never seals waits for itself, and not for ever.
        let hoards = self.uploads.values().any(Upload::holds_memory);
        let taking = async {
            let buffer = memory.buffer(None);
            if hoards { flow.moving(stall, async { Ok(buffer.await) }).await } else { Ok(buffer.await) }
        };
        let mut taking = std::pin::pin!(taking);
        loop {
            tokio::select! {
                buffer = &mut taking => return buffer,
                Some(transfer) = self.revoked.1.recv() => self.revoke(transfer).await,
            }
        }
    }

    /// Lets the disk take a block, after the one before.
    async fn store(&mut self, header: BlockHeader, writing: Arc<Writing>, buffer: Buffer) {
        let BlockHeader { transfer, index, cv, .. } = header;
        // From the front come those of the lane that the upload began on.
        let passing = self.uploads.contains_key(&transfer).then(|| Arc::clone(&writing));
        let store = match writing.store(header) {
            Ok(store) => store,
            Err(violation) => return self.fail(transfer, bad_transfer(&violation)).await,
        };
        self.settle_storing().await;
        let step = self.session.tenant.step(move || {
            let stored = store(&buffer.bytes);
            drop(buffer);
            if let Some(writing) = passing {
                writing.copy_passed(index);
            }
            stored
        });
        let task = step.await;
        self.storing = Some(Storing { transfer, index, cv, task });
    }

    /// Reads a payload; an upload that is taken over meanwhile is let go at once, for the newer one
    /// waits for it and this peer may never send the rest.
    async fn payload<R: AsyncRead + Unpin>(
        &mut self,
        reader: &mut Reader<R>,
        header: &BlockHeader,
        buffer: &mut wire::Aligned,
    ) -> Result<(), LinkError> {
        let (flow, stall) = (self.flow.clone(), self.limits.stall());
        let reading = flow.moving(stall, reader.payload(header, buffer));
        tokio::pin!(reading);
        loop {
            tokio::select! {
                read = &mut reading => return read,
                Some(transfer) = self.revoked.1.recv() => self.revoke(transfer).await,
            }
        }
    }

    /// Waits for the block that is on its way to the disk.
    pub(super) async fn settle_storing(&mut self) {
        if self.storing.is_some() {
            let stored = stored(&mut self.storing).await;
            self.settle(stored).await;
        }
    }

    /// What the disk made of a block.
    async fn settle(&mut self, stored: Stored) {
        let Stored { transfer, index, cv, result } = stored;
        match result {
            Err(fault) => self.fail(transfer, fault).await,
            Ok(()) if self.assists(transfer) => self.say(Lane::Kept { transfer, index, cv }).await,
            Ok(()) => {}
        }
    }

    async fn abandon(&mut self, transfer: u64, keep: bool) {
        self.settle_storing().await;
        if let Some(Upload::Staged(staged)) = self.uploads.remove(&transfer)
            && !keep
            && let Err(fault) = staged.discard(&self.session.tenant).await
        {
            tracing::warn!(%fault, "an abandoned upload stays in staging until it expires");
        }
    }

    async fn revoke(&mut self, transfer: u64) {
        self.settle_storing().await;
        if self.uploads.remove(&transfer).is_some() {
            self.refuse(transfer, Fault::new(Code::Superseded, "a newer upload of this file took over")).await;
        }
    }

    /// Ends an upload, or the assistance to one, with a fault; what is in staging stays for the next try.
    async fn fail(&mut self, transfer: u64, fault: Fault) {
        let assists = self.assists(transfer);
        if assists {
            self.assisted = None;
        }
        if self.uploads.remove(&transfer).is_some() || assists {
            self.refuse(transfer, fault).await;
        }
    }

    pub(super) async fn refuse(&self, transfer: u64, fault: Fault) {
        self.say(Lane::Fault { transfer, fault }).await;
    }

    pub(super) async fn say(&self, message: Lane) {
        // An error: the writing side has ended, and ends this side too.
        let _ = self.out.send(Box::new(Outgoing::Message(message))).await;
    }
}

/// Waits for the disk, and for ever where it has nothing to do. Safe to cancel.
async fn stored(storing: &mut Option<Storing>) -> Stored {
    let Some(Storing { transfer, index, cv, task }) = storing else { return std::future::pending().await };
    let (transfer, index, cv, done) = (*transfer, *index, *cv, task.await);
    *storing = None;
    let result = match done {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(span(transfer).in_scope(|| bad_content(error))),
        Err(error) => Err(span(transfer).in_scope(|| lost_task(&error))),
    };
    Stored { transfer, index, cv, result }
}

/// Of the receiving side of a lane, in bytes, beside its blocks and small files and 33 for each block of a file in hand.
pub(super) const MEMORY: usize = MAX_UPLOADS * (MAX_PATH + ENTRY) + ANSWER_BYTES + HELD_PAGES * MAX_CONTROL;
/// Uploads of one lane that are under way at once; clients seal one before they begin the next.
const MAX_UPLOADS: usize = 64;
/// Of these in staging, with two open files each.
const MAX_STAGED: usize = 16;
/// Of one that is under way, beside its path.
const ENTRY: usize = 512;
/// Pages of what is held that wait for the writer.
const HELD_PAGES: usize = 2;
/// Of one lane that are sealed and not answered: some thousand small ones, or a few large ones, whose old files are
/// being copied.
const ANSWER_BYTES: usize = 512 << 10;
/// Of a small one, beside its path.
pub(super) const SMALL_ANSWER: usize = 128;
/// Of a large one.
pub(super) const STAGED_ANSWER: usize = ANSWER_BYTES / 4;
/// Blocks without an upload, one after another, that are read and dropped before the lane is.
const MAX_IGNORED: u32 = 1024;
