//! A control connection: requests in, answers and news out. Requests overlap; each runs as a task of
//! its own that hands values back, and none of them sees the socket.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use wire::fault::Detail;
use wire::link::{Incoming, LinkError, Reader, Writer};
use wire::message::{Answer, FromClient, FromServer, Notice, Op};
use wire::{Code, Fault};

use crate::audit::Trail;
use crate::bandwidth::{Route, Way};
use crate::config::Live;
use crate::faults::going_down;
use crate::flow::{Flow, Flows, next_or_rest, or_rest};
use crate::handlers::{self, Outgoing, Pages};
use crate::refusals::{Reason, Refusals};
use crate::session::{ControlPlace, Sessions};
use crate::tenant::{self, Tenant};

/// What a control connection may cost.
#[derive(Clone, Debug)]
pub struct ControlLimits {
    /// For how long a client may say nothing, how long a write may take, how many requests run at once.
    pub live: Live,
    /// Cancelled when the server goes down.
    pub draining: CancellationToken,
    /// Where requests that are refused are counted.
    pub refusals: Refusals,
    /// Requests that must be waited for when the server goes down.
    pub running: TaskTracker,
}

/// Serves a control connection to its end. A goodbye ends the session; a lost connection does not.
pub async fn serve<R, W>(
    place: ControlPlace,
    sessions: Arc<Sessions>,
    limits: ControlLimits,
    trail: Trail,
    flows: Flows,
    mut reader: Reader<R>,
    writer: Writer<W>,
) where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let session = Arc::clone(place.session());
    let over = session.ended.child_token();
    flows.read.follow(Route::control(Arc::clone(&session), Way::Up));
    flows.written.follow(Route::control(Arc::clone(&session), Way::Down));
    let (out, outgoing) = mpsc::channel(OUTGOING);
    let writing = write(writer, outgoing, flows.written, limits.live.clone(), over.clone());
    let writing = tokio::spawn(writing.in_current_span());
    let news = tokio::spawn(tell_news(session.tenant.notices(), out.clone(), limits.draining.clone()));
    let mut requests = Requests::new(Arc::clone(&session.tenant), out, trail, &limits);
    let end = {
        // Pinned, because a future that is handed over takes its place twice.
        let running = std::pin::pin!(requests.run(&mut reader));
        over.run_until_cancelled(running).await
    };
    match end {
        Some(Ok(End::Goodbye)) => sessions.close(&session),
        Some(Ok(End::Lost)) | None => {}
        Some(Err(error)) => tracing::debug!(%error, "control connection ended"),
    }
    news.abort();
    drop(requests);
    // Answers already given still go out, as long as the peer takes them.
    let _ = writing.await;
}

enum End {
    Goodbye,
    Lost,
}

struct Requests {
    tenant: Arc<Tenant>,
    out: mpsc::Sender<Box<Outgoing>>,
    trail: Trail,
    live: Live,
    refusals: Refusals,
    draining: CancellationToken,
    /// Dropping a guard asks its request to stop. None is ever torn off in the middle: what it does to
    /// the disk and what it says to the ledger belong together.
    running: HashMap<u32, (DropGuard, usize)>,
    /// Bytes of those.
    bytes: usize,
    tracker: TaskTracker,
    done: (mpsc::UnboundedSender<u32>, mpsc::UnboundedReceiver<u32>),
}

impl Requests {
    fn new(tenant: Arc<Tenant>, out: mpsc::Sender<Box<Outgoing>>, trail: Trail, limits: &ControlLimits) -> Self {
        let (running, tracker, done) = (HashMap::new(), limits.running.clone(), mpsc::unbounded_channel());
        let (live, refusals, draining) = (limits.live.clone(), limits.refusals.clone(), limits.draining.clone());
        Self { tenant, out, trail, live, refusals, draining, running, bytes: 0, tracker, done }
    }

    async fn run<R: AsyncRead + Unpin>(&mut self, reader: &mut Reader<R>) -> Result<End, LinkError> {
        loop {
            let idle = self.live.now().limits.idle();
            let message = tokio::select! {
                message = tokio::time::timeout(idle, next_or_rest(reader, || ())) => message,
                Some(id) = self.done.1.recv() => {
                    self.bytes -= self.running.remove(&id).map_or(0, |(_, bytes)| bytes);
                    continue;
                }
            };
            match message {
                Err(_) => return Err(LinkError::Io(std::io::ErrorKind::TimedOut.into())),
                Ok(message) => match message? {
                    None => return Ok(End::Lost),
                    Some(Incoming::Block(_)) => return Err(LinkError::UnexpectedBlock),
                    Some(Incoming::Message(FromClient::Goodbye)) => return Ok(End::Goodbye),
                    Some(Incoming::Message(FromClient::Ping)) => self.say(FromServer::Pong).await,
                    // Its place stays taken until its last answer, so that the id is not used twice.
                    Some(Incoming::Message(FromClient::Cancel { id })) => {
                        if let Some((guard, bytes)) = self.running.remove(&id) {
                            let cancel = guard.disarm();
                            cancel.cancel();
                            self.running.insert(id, (cancel.drop_guard(), bytes));
                        }
                    }
                    Some(Incoming::Message(FromClient::Request { id, op })) => self.start(id, op).await,
                },
            }
        }
    }

    async fn start(&mut self, id: u32, op: Op) {
        if self.draining.is_cancelled() {
            return self.say(FromServer::Answer { id, answer: Answer::Fault(going_down()) }).await;
        }
        let (most, bytes) = (self.live.now().limits.requests_in_flight, handlers::weight(&op));
        let are_many = self.running.len() >= most || self.bytes + bytes > WAITING.max(bytes);
        if are_many || self.running.contains_key(&id) {
            self.refusals.count(Reason::Requests);
            let fault = Fault::new(Code::Busy, format!("{most} requests at once are the limit"));
            let fault = fault.with(Detail::RetryAfter(1));
            return self.say(FromServer::Answer { id, answer: Answer::Fault(fault) }).await;
        }
        let cancel = CancellationToken::new();
        self.running.insert(id, (cancel.clone().drop_guard(), bytes));
        self.bytes += bytes;
        let (tenant, out, done) = (Arc::clone(&self.tenant), self.out.clone(), self.done.0.clone());
        let verb = handlers::verb(&op);
        let mut deed = self.trail.begin(verb);
        deed.entry.request = Some(id);
        let work = async move {
            let pages = Pages::new(id, out.clone(), cancel);
            let changes = handlers::describe(&op, &mut deed);
            let result = handlers::run(&tenant, op, &pages, &mut deed).await;
            let outcome = result.as_ref().map_or_else(|fault| fault.code.name(), |_| "done");
            tracing::debug!(outcome, "answered");
            if changes {
                deed.end(&result);
            }
            let message = FromServer::Answer { id, answer: result.unwrap_or_else(Answer::Fault) };
            // An error: the connection is gone.
            let _ = out.send(Box::new(Outgoing { message, _turn: pages.ended(), _page: None })).await;
            let _ = done.send(id);
        };
        self.tracker.spawn(work.instrument(tracing::error_span!("request", request = id, verb)));
    }

    async fn say(&self, message: FromServer) {
        // An error: the writing side has ended, and ends this side too.
        let _ = self.out.send(Box::new(message.into())).await;
    }
}

/// Passes the user's news on, and tells once that the server goes down.
async fn tell_news(
    mut notices: broadcast::Receiver<Notice>,
    out: mpsc::Sender<Box<Outgoing>>,
    draining: CancellationToken,
) {
    let mut told = false;
    loop {
        let notice = tokio::select! {
            notice = notices.recv() => match notice {
                Ok(notice) => notice,
                // A slow client missed some; the next one of each kind says all that counts.
                Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return,
            },
            () = draining.cancelled(), if !told => {
                told = true;
                Notice::Draining
            }
        };
        if out.send(Box::new(FromServer::Notice(notice).into())).await.is_err() {
            return;
        }
    }
}

async fn write<W: AsyncWrite + Unpin>(
    mut writer: Writer<W>,
    mut outgoing: mpsc::Receiver<Box<Outgoing>>,
    flow: Flow,
    live: Live,
    over: CancellationToken,
) {
    while let Some(first) = or_rest(outgoing.recv(), || writer.rest()).await {
        let written = flow.moving(live.now().limits.stall(), async {
            writer.feed(&first.message).await?;
            for _ in 1..OUTGOING {
                let Ok(next) = outgoing.try_recv() else { break };
                writer.feed(&next.message).await?;
            }
            writer.flush().await
        });
        if written.await.is_err() {
            // Nobody listens any more: the reading side must end too.
            return over.cancel();
        }
    }
    // The peer may be gone already.
    let _ = tokio::time::timeout(live.now().limits.stall(), writer.close()).await;
}

/// Of a control connection, in bytes, beside the requests that are worked on.
pub(crate) const MEMORY: usize = OUTGOING * SHORT + WAITING + tenant::MEMORY;

/// Messages that wait for the writer; pages among them have a bound of their own. Boxed, because a channel keeps 32
/// places whatever its bound.
const OUTGOING: usize = 16;
/// Bytes of a message that is no page.
const SHORT: usize = 5 << 10;
/// Bytes of requests of one session that are not answered; one may be longer.
const WAITING: usize = 64 << 10;
