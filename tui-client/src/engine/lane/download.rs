//! Files from the server: asked for ahead, small ones kept in memory and written many at a time,
//! large ones built in a part file, block by block. The disk work is in [`landing`].

mod landing;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::{JoinError, JoinHandle, JoinSet};
use wire::block::Span;
use wire::frame::BlockHeader;
use wire::link::LinkError;
use wire::message::{Lane as Message, Offer, RawPath};
use wire::staging::StagingError;
use wire::transfer::Violation;
use wire::{BLOCK, Code, Cv, Fault, Root, block};

use super::super::buffer::Buffer;
use super::super::item::Finish;
use super::super::local::part::{Landing, Replace};
use super::super::queue::{Queue, Work};
use super::super::spread::{self, Part, Way};
use super::super::status::{Job, Side};
use super::{Line, Load, blocking, lost_task};
use landing::{Prepared, Small, Whole, land_large, land_small, prepare};

/// Downloads of a lane.
#[derive(Debug, Default)]
pub(super) struct Downloads {
    running: HashMap<u64, Box<Download>>,
    /// Small files that have arrived and are not on the disk yet.
    arrived: Vec<Small>,
    /// Whether small files are being written: the next ones gather meanwhile.
    is_landing: bool,
    /// Files on their way from memory, or from the part file, to their names.
    pub(super) finishing: JoinSet<Landings>,
    in_finishing: usize,
    bytes: u64,
    request_bytes: usize,
}

#[derive(Debug)]
struct Download {
    work: Work,
    landing: Landing,
    replace: Replace,
    offer: Option<Offer>,
    body: Body,
    request_bytes: usize,
}

#[derive(Debug)]
enum Body {
    /// Of at most one block, with nothing to begin from.
    Memory(Option<(Cv, Buffer)>),
    Part(Box<Assembly>),
}

/// A file that is built in its part file.
#[derive(Debug)]
struct Assembly {
    /// Nobody else keeps hold of it: when this ends, the file is free for the next try.
    part: Arc<Part>,
    basis: Option<std::fs::File>,
    /// What is held, until the server has heard it.
    held: Vec<HeldPage>,
    way: Way,
    /// The one block on its way to the disk while the next is read.
    storing: Option<JoinHandle<Result<(), StagingError>>>,
}

/// First index, values, whether it is the last.
type HeldPage = (u64, Vec<Option<Cv>>, bool);

/// What one task of the disk brought to its end.
#[derive(Debug, Default)]
pub(super) struct Landings {
    pub(super) landed: Vec<Landed>,
    /// Files from memory: the next ones may go.
    are_small: bool,
}

/// What became of a file that had arrived.
#[derive(Debug)]
pub(super) struct Landed {
    transfer: u64,
    work: Work,
    weight: u64,
    result: Result<Finish, Fault>,
}

impl Landed {
    /// Tells the queue.
    pub(super) fn settle(self, queue: &Queue) {
        match self.result {
            Ok(finish) => queue.finish(self.work, finish),
            Err(fault) => queue.faulted(self.work, fault),
        }
    }
}

impl Downloads {
    pub(super) fn load(&self) -> Load {
        Load {
            files: self.running.len() + self.arrived.len() + self.in_finishing,
            bytes: self.bytes,
            request_bytes: self.request_bytes,
            is_large: self.running.values().any(|download| matches!(download.body, Body::Part(_))),
        }
    }

    /// Everything that has not arrived whole, after its last block is on the disk.
    pub(super) async fn drain(&mut self) -> Vec<Work> {
        let mut works: Vec<Work> = std::mem::take(&mut self.arrived).into_iter().map(|small| small.work).collect();
        for (_, mut download) in self.running.drain() {
            // A block that cannot be stored now is fetched again.
            let _ = download.settle_storing().await;
            works.push(download.work);
        }
        works
    }

    fn insert(&mut self, transfer: u64, download: Download) {
        self.bytes += download.weight();
        self.request_bytes += download.request_bytes;
        self.running.insert(transfer, Box::new(download));
    }

    fn remove(&mut self, transfer: u64) -> Option<Download> {
        let download = *self.running.remove(&transfer)?;
        self.request_bytes = self.request_bytes.saturating_sub(download.request_bytes);
        Some(download)
    }
}

impl Download {
    /// Its share of the window: a large file has its own.
    fn weight(&self) -> u64 {
        if matches!(self.body, Body::Memory(_)) { self.work.file.source.size } else { 0 }
    }

    /// Waits for the block that is on its way to the disk.
    async fn settle_storing(&mut self) -> Result<(), Fault> {
        let Body::Part(assembly) = &mut self.body else { return Ok(()) };
        let Some(task) = assembly.storing.take() else { return Ok(()) };
        let stored = task.await.map_err(|error| lost_task(&error))?;
        stored.map_err(|error| landing::staging_fault(&self.landing, error))
    }
}

impl Line {
    /// Asks for files, after a look at what is here of them.
    pub(super) async fn fetch(&mut self, works: Vec<Work>) -> Result<(), LinkError> {
        let prepared = blocking(move || prepare(works)).await;
        // Only a panic ends such a task, and takes the files with it.
        let prepared = prepared.map_err(|fault| LinkError::Io(std::io::Error::other(fault)))?;
        let mut asked = Ok(());
        for (work, prepared) in prepared {
            match prepared {
                Err(fault) => self.queue.faulted(work, fault),
                Ok(Prepared::Finished(finish)) => self.queue.finish(work, finish),
                Ok(Prepared::Ask(there)) => self.queue.ask(work, there),
                Ok(Prepared::Discarded) => self.queue.put_back(work),
                Ok(Prepared::Fetch { .. }) if asked.is_err() => self.queue.lost(work),
                Ok(Prepared::Fetch { landing, replace, body }) => {
                    asked = self.ask_for(work, landing, replace, body).await;
                }
            }
        }
        asked?;
        self.wire.flush().await
    }

    async fn ask_for(&mut self, work: Work, landing: Landing, replace: Replace, body: Body) -> Result<(), LinkError> {
        let Job::Down { source, .. } = &work.file.job else { return Ok(()) };
        let (transfer, path) = (self.number(), RawPath::from(source));
        let eager = match &body {
            Body::Memory(_) => true,
            Body::Part(assembly) => assembly.held.is_empty(),
        };
        let request_bytes = path.0.len() + REQUEST_OVERHEAD;
        self.downloads.insert(transfer, Download { work, landing, replace, offer: None, body, request_bytes });
        self.wire.feed(&Message::Get { transfer, path, eager }).await
    }

    /// The server announces a file; it hears what is held of it.
    pub(super) async fn offered(&mut self, transfer: u64, offer: Offer) -> Result<(), LinkError> {
        let Some(download) = self.downloads.running.get_mut(&transfer) else { return Ok(()) };
        let listed = download.work.file.source;
        if offer.size != listed.size {
            let source = Side { size: offer.size, mtime: offer.mtime, root: None };
            if let Some(mut download) = self.end(transfer) {
                self.queue.resized(&mut download.work, source);
                self.queue.faulted(download.work, Fault::new(Code::Changed, "the file changed since it was listed"));
            }
            return self.wire.send(&Message::Abandon { transfer, keep: true }).await;
        }
        if offer.mtime != listed.mtime {
            download.work.file.source = Side { mtime: offer.mtime, root: None, ..listed };
        }
        download.offer = Some(offer);
        if let Body::Part(assembly) = &mut download.body {
            for (first, cvs, last) in std::mem::take(&mut assembly.held) {
                self.wire.feed(&Message::Held { transfer, first, cvs, last }).await?;
            }
        }
        Ok(())
    }

    /// A block came.
    pub(super) async fn block(&mut self, header: BlockHeader, buffer: Buffer) -> Result<(), LinkError> {
        let Some(download) = self.downloads.running.get_mut(&header.transfer) else {
            return self.fetched(header, buffer).await;
        };
        match take_block(download, header, buffer, &self.queue, self.limits.of_all()).await {
            Ok(news) => {
                for (index, cv) in news {
                    self.wire.feed(&Message::Kept { transfer: header.transfer, index, cv }).await?;
                }
                Ok(())
            }
            Err(fault) => self.give_up(header.transfer, fault).await,
        }
    }

    /// The server has sent all of a file: it goes to its name.
    pub(super) async fn sealed(&mut self, transfer: u64, root: Root) -> Result<(), LinkError> {
        let Some(download) = self.downloads.running.get_mut(&transfer) else { return Ok(()) };
        if let Err(fault) = download.settle_storing().await {
            return self.give_up(transfer, fault).await;
        }
        let Some(download) = self.downloads.remove(transfer) else { return Ok(()) };
        let Download { work, landing, replace, offer, body, .. } = download;
        let Some(offer) = offer else { return Err(LinkError::UnexpectedBlock) };
        match body {
            Body::Memory(content) => {
                self.downloads.arrived.push(Small { transfer, work, landing, replace, offer, root, content });
            }
            Body::Part(assembly) => {
                let whole = Whole { landing, replace, offer, root, part: assembly.part, basis: assembly.basis };
                self.downloads.in_finishing += 1;
                self.downloads.finishing.spawn_blocking(move || {
                    let result = land_large(whole);
                    Landings { landed: vec![Landed { transfer, work, weight: 0, result }], are_small: false }
                });
            }
        }
        Ok(())
    }

    /// Small files that have arrived go to the disk together, while the next ones arrive.
    pub(super) fn land(&mut self) {
        if self.downloads.is_landing || self.downloads.arrived.is_empty() {
            return;
        }
        let arrived = std::mem::take(&mut self.downloads.arrived);
        self.downloads.is_landing = true;
        self.downloads.in_finishing += arrived.len();
        self.downloads.finishing.spawn_blocking(move || {
            let landed = land_small(arrived)
                .into_iter()
                .map(|(transfer, work, result)| Landed { transfer, weight: work.file.source.size, work, result })
                .collect();
            Landings { landed, are_small: true }
        });
    }

    /// Files have their names, or not: server and queue are told.
    pub(super) async fn landed(&mut self, landings: Result<Landings, JoinError>) -> Result<(), LinkError> {
        // Only a panic ends such a task, and takes the files with it.
        let Landings { landed, are_small } = landings.map_err(|error| LinkError::Io(std::io::Error::other(error)))?;
        if are_small {
            self.downloads.is_landing = false;
        }
        self.downloads.in_finishing = self.downloads.in_finishing.saturating_sub(landed.len());
        let mut told = Ok(());
        for landed in landed {
            let transfer = landed.transfer;
            self.downloads.bytes = self.downloads.bytes.saturating_sub(landed.weight);
            let message = match &landed.result {
                Ok(Finish::Done { root, .. }) => Message::Stored { transfer, root: *root },
                Ok(Finish::Skipped { .. }) => Message::Abandon { transfer, keep: true },
                Err(fault) => Message::Fault { transfer, fault: fault.clone() },
            };
            if told.is_ok() {
                told = match &landed.result {
                    // Before the queue hears of it: with its last file a program ends, and the server would not be told.
                    Err(_) => self.wire.send(&message).await,
                    Ok(_) => self.wire.feed(&message).await,
                };
            }
            landed.settle(&self.queue);
        }
        told
    }

    /// The server does not send a file.
    pub(super) async fn refused(&mut self, transfer: u64, fault: Fault) {
        if let Some(mut download) = self.end(transfer) {
            // What came before the refusal is kept.
            let _ = download.settle_storing().await;
            if !download.landing.has_part() {
                download.landing.discard();
            }
            self.queue.faulted(download.work, fault);
        }
    }

    /// Stops what has to stop.
    pub(super) async fn sweep(&mut self) -> Result<(), LinkError> {
        let stopped: Vec<u64> = self
            .downloads
            .running
            .iter()
            .filter_map(|(transfer, download)| download.work.stop.is_cancelled().then_some(*transfer))
            .collect();
        for transfer in stopped {
            let Some(mut download) = self.end(transfer) else { continue };
            // The block is fetched again if it could not be stored.
            let _ = download.settle_storing().await;
            let keep = self.queue.keeps(&download.work);
            self.queue.put_back(download.work);
            self.wire.feed(&Message::Abandon { transfer, keep }).await?;
        }
        Ok(())
    }

    /// Something is wrong with what came, or with the disk: the transfer is over on both sides.
    async fn give_up(&mut self, transfer: u64, fault: Fault) -> Result<(), LinkError> {
        let told = self.wire.send(&Message::Fault { transfer, fault: fault.clone() }).await;
        if let Some(download) = self.end(transfer) {
            self.queue.faulted(download.work, fault);
        }
        told
    }

    /// Takes a download that does not come to its end off the lane.
    fn end(&mut self, transfer: u64) -> Option<Download> {
        let download = self.downloads.remove(transfer)?;
        self.downloads.bytes = self.downloads.bytes.saturating_sub(download.weight());
        Some(download)
    }
}

/// Takes a block; tells what other lanes have brought over meanwhile.
async fn take_block(
    download: &mut Download,
    header: BlockHeader,
    buffer: Buffer,
    queue: &Queue,
    limit: Option<u64>,
) -> Result<Vec<(u64, Cv)>, Fault> {
    let size = download.work.file.source.size;
    if download.offer.is_none() {
        return Err(misplaced(header));
    }
    if let Body::Memory(content) = &mut download.body {
        if header.index != 0 || header.len as u64 != size {
            return Err(misplaced(header));
        }
        *content = Some((header.cv, buffer));
        download.work.live.sent(size);
        return Ok(Vec::new());
    }
    download.settle_storing().await?;
    let Body::Part(assembly) = &mut download.body else { return Ok(Vec::new()) };
    let violation = |violation: Violation| Fault::new(Code::Protocol, violation.to_string());
    let span = assembly.part.building.expects(header.index, header.len).map_err(violation)?;
    assembly.come_to(span, block::is_zeros(&buffer.bytes), &download.work);
    assembly.share(header.transfer, &download.work, queue, limit);
    let part = assembly.part.clone();
    assembly.storing =
        Some(tokio::task::spawn_blocking(move || part.building.store(&part.file, span, header.cv, &buffer.bytes)));
    Ok(assembly.way.news())
}

impl Assembly {
    /// Blocks come in order: those that were left out were held, or other lanes have brought them over.
    fn come_to(&mut self, span: Span, is_zeros: bool, work: &Work) {
        while let Some(left_out) = block::span(work.file.source.size, self.way.next)
            && left_out.index < span.index
        {
            if self.way.pass(left_out.index).is_none() {
                work.live.held(left_out.len as u64);
            }
        }
        match self.way.pass(span.index) {
            Some(_) => {}
            None if is_zeros => work.live.held(span.len as u64),
            None => work.live.sent(span.len as u64),
        }
    }

    /// Lets other lanes assist, once that is worth it.
    fn share(&mut self, transfer: u64, work: &Work, queue: &Queue, limit: Option<u64>) {
        let (size, now) = (work.file.source.size, std::time::Instant::now());
        self.way.carry(now);
        if let Some(window) = self.way.wants_help(size, now, limit) {
            let (body, missing) = (spread::Body::Down(Arc::downgrade(&self.part)), self.part.building.missing());
            queue.share(work, self.way.share((transfer, size, window), body, missing, (&work.live, &work.stop)));
        }
    }
}

fn misplaced(header: BlockHeader) -> Fault {
    Fault::new(Code::Protocol, format!("block {} with {} bytes is not expected", header.index, header.len))
}

/// Of a request beside its path.
const REQUEST_OVERHEAD: usize = 32;

/// What is kept in memory until it is whole.
fn fits_memory(size: u64) -> bool {
    size <= BLOCK as u64
}
