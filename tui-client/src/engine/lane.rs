//! A lane: a connection that takes files from the queue and carries them, small ones back to back,
//! large ones one at a time. What a file needs in each direction is in [`upload`] and [`download`]; what a lane
//! does for the file of another when it has nothing else to do is in [`assist`].

mod assist;
mod download;
mod upload;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;
use wire::frame::BlockHeader;
use wire::link::{Incoming, LinkError};
use wire::message::{Lane as Message, Ticket};
use wire::{BLOCK, Code, Fault};

use super::buffer::{Buffer, Pool};
use super::connect::{ConnectError, Dialer, LinkReader, LinkWriter};
use super::limit::{Limit, Limits};
use super::queue::{Appetite, Queue, Taken};
use super::session::{Session, Standing};
use super::status::Direction;
use assist::Assisting;
use download::Downloads;
use upload::Uploads;

/// What every lane of an engine shares.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) queue: Queue,
    pub(crate) session: Session,
    pub(crate) dialer: Dialer,
    pub(crate) limit: Arc<Limit>,
    /// Transfer numbers, never used twice in a session.
    pub(crate) numbers: Arc<AtomicU64>,
}

/// Serves the queue until it is dropped. `index` counts the lanes: the server may allow fewer.
pub(crate) async fn run(shared: Shared, index: u16) {
    let mut failures = 0;
    loop {
        let ticket = work(&shared, index).await;
        let (began, mut asked) = (Instant::now(), Duration::ZERO);
        match connect(&shared, ticket, index, failures).await {
            Ok(mut line) => {
                let error = line.serve().await;
                tracing::warn!(%error, index, "a lane broke");
                line.give_back().await;
            }
            Err(error) => {
                tracing::warn!(%error, index, "a lane could not be opened");
                asked = error.retry_after().unwrap_or_default();
            }
        }
        failures = if began.elapsed() > LONGEST_PAUSE { 0 } else { failures + 1 };
        tokio::time::sleep((FIRST_PAUSE * failures * failures).min(LONGEST_PAUSE).max(asked)).await;
    }
}

/// Waits until there is something to do, and a session to do it in.
async fn work(shared: &Shared, index: u16) -> Ticket {
    let (mut bell, mut standing) = (shared.queue.bell(), shared.session.standing());
    loop {
        bell.borrow_and_update();
        let Standing { ticket, lanes, .. } = standing.borrow_and_update().clone();
        let due = shared.queue.next_due();
        if let (Some(ticket), Some(due)) = (ticket, due)
            && index < lanes
            && due <= std::time::Instant::now()
        {
            return ticket;
        }
        let due = due.map(Instant::from_std).filter(|due| *due > Instant::now());
        tokio::select! {
            _ = bell.changed() => {}
            Ok(()) = standing.changed() => {}
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
    }
}

async fn connect(shared: &Shared, ticket: Ticket, index: u16, failures: u32) -> Result<Line, ConnectError> {
    let flow = Arc::new(AtomicU64::new(0));
    let limits = Limits::new(shared.limit.clone());
    let (mut reader, writer) = shared.dialer.join(ticket, limits.clone(), flow.clone()).await?;
    // The first files go before the server has answered, which saves a round trip. Not after a failure: one that
    // refuses the lane would be given files again and again.
    let unheard = if failures == 0 {
        Some(shared.dialer.clone())
    } else {
        shared.dialer.joined(&mut reader).await?;
        None
    };
    let pool = Pool::new();
    let (to, events) = mpsc::channel(EVENTS);
    let reading = tokio::spawn(read(unheard, reader, pool.clone(), to));
    Ok(Line {
        index,
        limits,
        queue: shared.queue.clone(),
        numbers: shared.numbers.clone(),
        bell: shared.queue.bell(),
        standing: shared.session.standing(),
        wire: Wire { writer, flow },
        pool,
        events,
        _reading: AbortOnDropHandle::new(reading),
        uploads: Uploads::default(),
        downloads: Downloads::default(),
        inbox: VecDeque::new(),
        current: None,
        assisting: None,
        heard: Instant::now(),
    })
}

/// What the reading side hands over.
#[derive(Debug)]
enum Event {
    Message(Message),
    Block(BlockHeader, Buffer),
    Broken(LinkError),
}

/// Reads a lane to its end, from the answer to its joining on where that is still `unheard`. Memory is bounded by the pool and by the number of events.
async fn read(unheard: Option<Dialer>, mut reader: LinkReader, pool: Pool, to: mpsc::Sender<Event>) {
    if let Some(dialer) = unheard
        && let Err(error) = dialer.joined(&mut reader).await
    {
        // An error: the lane has ended by itself.
        let _ = to.send(Event::Broken(LinkError::Io(std::io::Error::other(error)))).await;
        return;
    }
    loop {
        let event = match reader.next::<Message>().await {
            Ok(Some(Incoming::Message(message))) => Event::Message(message),
            Ok(Some(Incoming::Block(header))) => {
                let mut buffer = pool.take(header.len).await;
                match reader.payload(&header, &mut buffer.bytes).await {
                    Ok(()) => Event::Block(header, buffer),
                    Err(error) => Event::Broken(error),
                }
            }
            Ok(None) => Event::Broken(LinkError::Closed),
            Err(error) => Event::Broken(error),
        };
        let over = matches!(event, Event::Broken(_));
        if to.send(event).await.is_err() || over {
            return;
        }
    }
}

/// The writing half, watched: a peer that takes nothing for [`STALL`] is gone.
#[derive(Debug)]
struct Wire {
    writer: LinkWriter,
    /// Bytes of the lane in both directions.
    flow: Arc<AtomicU64>,
}

impl Wire {
    async fn feed(&mut self, message: &Message) -> Result<(), LinkError> {
        moving(&self.flow, self.writer.feed(message)).await
    }

    async fn block(&mut self, header: BlockHeader, payload: &[u8]) -> Result<(), LinkError> {
        moving(&self.flow, self.writer.block(header, payload)).await
    }

    async fn flush(&mut self) -> Result<(), LinkError> {
        moving(&self.flow, self.writer.flush()).await
    }

    async fn send(&mut self, message: &Message) -> Result<(), LinkError> {
        self.feed(message).await?;
        self.flush().await
    }
}

async fn moving(flow: &AtomicU64, work: impl Future<Output = Result<(), LinkError>>) -> Result<(), LinkError> {
    tokio::pin!(work);
    loop {
        let before = flow.load(Ordering::Relaxed);
        match timeout(STALL, &mut work).await {
            Ok(result) => return result,
            Err(_) if flow.load(Ordering::Relaxed) == before => {
                return Err(LinkError::Io(std::io::ErrorKind::TimedOut.into()));
            }
            Err(_) => {}
        }
    }
}

/// A lane that is connected.
struct Line {
    index: u16,
    limits: Limits,
    queue: Queue,
    numbers: Arc<AtomicU64>,
    bell: watch::Receiver<u64>,
    standing: watch::Receiver<Standing>,
    wire: Wire,
    pool: Pool,
    events: mpsc::Receiver<Event>,
    _reading: AbortOnDropHandle<()>,
    uploads: Uploads,
    downloads: Downloads,
    /// The large upload under way, and what the server said of it.
    current: Option<u64>,
    inbox: VecDeque<Message>,
    /// The file of another lane of which blocks are under way.
    assisting: Option<Assisting>,
    heard: Instant,
}

impl Line {
    /// Carries files until the connection breaks; says why.
    async fn serve(&mut self) -> LinkError {
        loop {
            let turn = async {
                let due = self.fill().await?;
                if self.assist().await? { self.catch_up().await } else { self.step(due).await }
            };
            if let Err(error) = turn.await {
                return error;
            }
        }
    }

    /// Takes files while there is room; tells when to look again.
    async fn fill(&mut self) -> Result<Option<Instant>, LinkError> {
        while let Some(appetite) = self.appetite() {
            let taken = self.queue.take(appetite, &self.wire.flow);
            self.carry_limits();
            match taken {
                Taken::Nothing(due) => return Ok(due.map(Instant::from_std)),
                Taken::Small(works) if works.iter().all(|work| work.file.direction() == Direction::Up) => {
                    self.send_small(works).await?;
                }
                Taken::Large(work) if work.file.direction() == Direction::Up => self.send_large(*work).await?,
                Taken::Small(works) => self.fetch(works).await?,
                Taken::Large(work) => self.fetch(vec![*work]).await?,
            }
        }
        Ok(None)
    }

    /// Holds the connection to the limits of the items that it carries something of.
    fn carry_limits(&self) {
        let mut limits = self.queue.limits_on(self.index);
        limits.extend(self.assisting.as_ref().map(|assisting| assisting.limit.clone()));
        self.limits.carry(limits);
    }

    fn appetite(&self) -> Option<Appetite> {
        let (up, down) = (self.uploads.load(), self.downloads.load());
        let direction = match (up.files, down.files) {
            (0, 0) => None,
            (0, _) => Some(Direction::Down),
            _ => Some(Direction::Up),
        };
        let (files, bytes) = (up.files + down.files, up.bytes + down.bytes);
        // Not one by one at the brim: what is taken together is read and written together.
        let room = files + PORTION <= WINDOW && bytes < WINDOW_BYTES && down.request_bytes < REQUEST_BYTES;
        let large = !down.is_large;
        (room || (large && files < WINDOW)).then_some(Appetite {
            lane: self.index,
            direction,
            files: if room { PORTION } else { 0 },
            bytes: (WINDOW_BYTES - bytes.min(WINDOW_BYTES)).min(PORTION_BYTES).max(BLOCK as u64),
            large,
        })
    }

    /// Whether nothing of its own is under way.
    fn is_idle(&self) -> bool {
        self.uploads.load().files + self.downloads.load().files == 0
    }

    /// Waits for something to happen, and deals with it and with all that has happened meanwhile.
    async fn step(&mut self, due: Option<Instant>) -> Result<(), LinkError> {
        let is_assisting = self.assisting.as_ref().is_some_and(|assisting| !assisting.in_flight.is_empty());
        let expecting = self.current.is_some() || is_assisting || !self.is_idle();
        tokio::select! {
            event = self.events.recv() => self.hear(event).await?,
            Some(landed) = self.downloads.finishing.join_next() => self.landed(landed).await?,
            changed = self.bell.changed() => {
                changed.map_err(|_| LinkError::Closed)?;
                self.sweep().await?;
            }
            () = assist::over(self.assisting.as_ref()) => self.leave_off().await?,
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            () = sleep_until(self.heard + STALL), if expecting => self.check_alive()?,
        }
        for _ in 0..EVENTS {
            match self.events.try_recv() {
                Ok(event) => self.hear(Some(event)).await?,
                Err(_) => break,
            }
        }
        self.land();
        self.wire.flush().await
    }

    /// Silence alone proves nothing: the other side may be syncing a large file. Silence on the
    /// control connection as well does.
    fn check_alive(&mut self) -> Result<(), LinkError> {
        if self.standing.borrow().ticket.is_none() {
            return Err(LinkError::Io(std::io::ErrorKind::TimedOut.into()));
        }
        self.heard = Instant::now();
        Ok(())
    }

    async fn hear(&mut self, event: Option<Event>) -> Result<(), LinkError> {
        self.heard = Instant::now();
        match event.ok_or(LinkError::Closed)? {
            Event::Broken(error) => Err(error),
            Event::Block(header, buffer) => self.block(header, buffer).await,
            Event::Message(message) => self.message(message).await,
        }
    }

    async fn message(&mut self, message: Message) -> Result<(), LinkError> {
        match message {
            Message::Held { transfer, .. } | Message::Fault { transfer, .. } if self.current == Some(transfer) => {
                self.inbox.push_back(message);
                Ok(())
            }
            // Of an upload that was stopped meanwhile.
            Message::Held { .. } => Ok(()),
            Message::Stored { transfer, root } => {
                self.stored(transfer, root);
                Ok(())
            }
            Message::Kept { transfer, index, cv } => {
                self.kept(transfer, index, cv);
                Ok(())
            }
            Message::Fault { transfer, .. } if self.assists(transfer) => {
                self.turn_away();
                Ok(())
            }
            Message::Fault { transfer, fault } => {
                if let Some(work) = self.uploads.take(transfer) {
                    self.queue.faulted(work, fault);
                } else {
                    self.refused(transfer, fault).await;
                }
                Ok(())
            }
            Message::Offer { transfer, offer } => self.offered(transfer, offer).await,
            Message::Seal { transfer, root } => self.sealed(transfer, root).await,
            Message::Put { .. }
            | Message::Get { .. }
            | Message::Abandon { .. }
            | Message::Assist { .. }
            | Message::Fetch { .. } => Err(LinkError::UnexpectedBlock),
        }
    }

    /// The lane is broken: everything on it goes back, but what is being written to the disk is
    /// finished first.
    async fn give_back(mut self) {
        if self.assisting.as_ref().is_some_and(|assisting| !assisting.has_proven) {
            // A server that does not know how may break the lane at every try.
            self.turn_away();
        }
        for work in self.uploads.drain() {
            self.queue.lost(work);
        }
        for work in self.downloads.drain().await {
            self.queue.lost(work);
        }
        while let Some(landed) = self.downloads.finishing.join_next().await {
            // Nobody is left to be told; the files count all the same.
            for landed in landed.unwrap_or_default().landed {
                landed.settle(&self.queue);
            }
        }
    }

    /// Deals with what has come, without waiting.
    async fn catch_up(&mut self) -> Result<(), LinkError> {
        while let Ok(event) = self.events.try_recv() {
            self.hear(Some(event)).await?;
        }
        Ok(())
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

/// What a lane has in flight one way.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    files: usize,
    bytes: u64,
    /// Of paths in requests.
    request_bytes: usize,
    is_large: bool,
}

/// Runs disk work; a panic in it is a fault of the file, not of the lane.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(|error| lost_task(&error))
}

fn lost_task(error: &tokio::task::JoinError) -> Fault {
    Fault::new(Code::Internal, format!("a task of the client failed: {error}"))
}

/// Events that wait: more than answers can be outstanding, so that the reading side never stops
/// while this side writes.
const EVENTS: usize = 2 * WINDOW;
/// Files in flight, of about 1 KiB of memory each: a gigabit link with a round trip of 100 ms has 3,000 of
/// 4 KiB under way.
const WINDOW: usize = 4096;
/// Their bytes, on the way; of those that have arrived the pool bounds the memory.
const WINDOW_BYTES: u64 = 32 << 20;
/// Half of what the server takes.
const REQUEST_BYTES: usize = 512 << 10;
/// Small files taken at once, and their bytes.
const PORTION: usize = 64;
const PORTION_BYTES: u64 = 2 << 20;
/// Without a byte.
const STALL: Duration = Duration::from_secs(45);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
