//! A lane: a connection that carries transfers only. One task reads frames and builds uploads
//! ([`receive`], [`seal`]), one serves downloads in the order they were asked for ([`send`]), one writes. A large
//! transfer of one lane may be assisted by others of its session ([`assist`], [`send`]).

mod assist;
mod receive;
mod seal;
mod send;
mod sent;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use wire::frame::BlockHeader;
use wire::link::{LinkError, Reader, Writer};
use wire::message::Lane;

use crate::audit::Trail;
use crate::bandwidth::{Route, Way};
use crate::budget::Buffer;
use crate::config::Live;
use crate::flow::{Flow, Flows, or_rest};
use crate::session::LanePlace;

pub(crate) use send::Source;
pub(crate) use upload::Writing;

/// What the reading side hands to the writing side.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Message(Lane),
    /// A long one, of which few may wait.
    Page {
        message: Lane,
        _place: Option<OwnedSemaphorePermit>,
    },
    Block(BlockHeader, Buffer),
}

/// How long a peer may make no progress, and how a drain is told.
#[derive(Clone, Debug)]
pub struct LaneLimits {
    /// For how long no byte may move in either direction while a transfer runs.
    pub live: Live,
    /// Cancelled when the server goes down: transfers that run are finished, new ones are refused.
    pub draining: CancellationToken,
    /// Transfers that must be waited for when the server goes down.
    pub running: TaskTracker,
}

impl LaneLimits {
    fn stall(&self) -> Duration {
        self.live.now().limits.stall()
    }
}

/// Serves a lane to its end: the peer's, the session's, or the server's.
pub async fn serve<R, W>(
    place: LanePlace,
    limits: LaneLimits,
    trail: Trail,
    flows: Flows,
    reader: Reader<R>,
    writer: Writer<W>,
) where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let over = place.session().ended.child_token();
    flows.read.follow(Route::lane(Arc::clone(place.session()), Way::Up));
    flows.written.follow(Route::lane(Arc::clone(place.session()), Way::Down));
    let (out, outgoing) = mpsc::channel(OUTGOING);
    let (requests, downloads) = send::channel();
    let writing = write(writer, outgoing, flows.written, limits.live.clone(), over.clone());
    let writing = tokio::spawn(writing.in_current_span());
    let sending = send::run(place.session().clone(), downloads, out.clone(), limits.clone());
    let sending = tokio::spawn(sending.in_current_span());
    let receiving = receive::Receiving::new(place.session().clone(), limits, trail, flows.read, out, requests);
    {
        // Pinned, because a future that is handed over takes its place twice. Gone before the writer is waited for,
        // which goes on as long as anybody may say something.
        let receiving = std::pin::pin!(receiving.run(reader));
        match over.run_until_cancelled(receiving).await {
            None | Some(Ok(())) => {}
            Some(Err(error)) => tracing::debug!(%error, "lane ended"),
        }
    }
    sending.abort();
    // Answers to what was just published still go out, as long as the peer takes them.
    let _ = writing.await;
}

/// Of a transfer, in the log.
fn span(transfer: u64) -> tracing::Span {
    tracing::error_span!("transfer", transfer)
}

async fn write<W: AsyncWrite + Unpin>(
    mut writer: Writer<W>,
    mut outgoing: mpsc::Receiver<Box<Outgoing>>,
    flow: Flow,
    live: Live,
    over: CancellationToken,
) {
    while let Some(first) = or_rest(outgoing.recv(), || writer.rest()).await {
        let stall = live.now().limits.stall();
        let written = tokio::select! {
            written = flow.moving(stall, write_waiting(&mut writer, first, &mut outgoing)) => written.is_ok(),
            // What was stored just before a session ends is still told to whoever listens.
            () = past(&over) => false,
        };
        if !written {
            // Nobody listens any more: the reading side must end too.
            return over.cancel();
        }
    }
    // The peer may be gone already.
    let _ = tokio::time::timeout(live.now().limits.stall(), writer.close()).await;
}

/// A moment after the lane is over.
async fn past(over: &CancellationToken) {
    over.cancelled().await;
    tokio::time::sleep(LAST_WORDS).await;
}

/// Writes `first` and what waits behind it, then flushes.
async fn write_waiting<W: AsyncWrite + Unpin>(
    writer: &mut Writer<W>,
    first: Box<Outgoing>,
    waiting: &mut mpsc::Receiver<Box<Outgoing>>,
) -> Result<(), LinkError> {
    write_one(writer, first).await?;
    for _ in 1..OUTGOING {
        let Ok(next) = waiting.try_recv() else { break };
        write_one(writer, next).await?;
    }
    writer.flush().await
}

async fn write_one<W: AsyncWrite + Unpin>(writer: &mut Writer<W>, outgoing: Box<Outgoing>) -> Result<(), LinkError> {
    match *outgoing {
        Outgoing::Message(message) | Outgoing::Page { message, .. } => writer.feed(&message).await,
        Outgoing::Block(header, payload) => writer.block(header, &payload.bytes).await,
    }
}

/// Of a lane, in bytes, beside 33 for each block of a file in hand.
pub(crate) const MEMORY: usize = receive::MEMORY + send::MEMORY + OUTGOING * SHORT;
/// Bytes of a message that is no page.
const SHORT: usize = 4 << 10;
/// Messages and blocks that wait for the writer; pages and blocks have bounds of their own. Boxed, because a
/// channel keeps 32 places and more, which a lane at rest has too.
const OUTGOING: usize = 64;
/// For one batch of answers when the session has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);
