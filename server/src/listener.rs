//! The way in: connections are counted, encrypted, greeted, and handed to what they turn out to be. Whoever is
//! refused is told why, as far as that does not feed a flood.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use wire::fault::Detail;
use wire::frame::Stage;
use wire::link::{Reader, Writer};
use wire::message::{BINDING_LABEL, Binding};

use crate::audit::{Origin, Trail};
use crate::control::{self, ControlLimits};
use crate::faults::going_down;
use crate::flow::Flows;
use crate::gate::{Gate, Place, Telling};
use crate::greeting::{self, Door, Guest};
use crate::inlet::Inlet;
use crate::lane::{self, LaneLimits};
use crate::metered::Metered;
use crate::refusals::{Reason, Refusal};

/// What every connection needs.
#[derive(Clone)]
pub struct Entrance {
    /// TLS with the server's key.
    pub tls: TlsAcceptor,
    /// Greeting and login.
    pub door: Door,
    /// For control connections.
    pub control: ControlLimits,
    /// For lanes.
    pub lane: LaneLimits,
    /// How many may be in.
    pub gate: Gate,
}

/// Accepts connections until `closed`; their tasks are tracked. While the server goes down all are told so.
pub async fn run(
    listener: TcpListener,
    entrances: watch::Receiver<Entrance>,
    closed: CancellationToken,
    tasks: TaskTracker,
) {
    while let Some(accepted) = closed.run_until_cancelled(listener.accept()).await {
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: those who are in go on, the next try waits a little.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let origin = Origin { connection: CONNECTIONS.fetch_add(1, Ordering::Relaxed), address };
        let source = origin.source();
        // Of the highest level, so that whatever is logged says where it belongs.
        let (connection, user) = (origin.connection, tracing::field::Empty);
        let span = tracing::error_span!("connection", connection, source = %address, user);
        let entrance = entrances.borrow().clone();
        let entered = match entrance.lane.draining.is_cancelled() {
            true => Err(Refusal { reason: Reason::Draining, fault: going_down().with(Detail::RetryAfter(RESTART)) }),
            false => entrance.gate.enter(source),
        };
        match entered {
            Ok(place) => drop(tasks.spawn(serve(stream, entrance.clone(), origin, place).instrument(span))),
            Err(refusal) => {
                let _entered = span.enter();
                tracing::info!(reason = refusal.reason.name(), "refused");
                entrance.door.refusals.count(refusal.reason);
                match entrance.gate.tell(source) {
                    Some(telling) => drop(tasks.spawn(tell(stream, entrance.tls.clone(), refusal, telling))),
                    None => entrance.door.refusals.count(Reason::Untold),
                }
            }
        }
    }
}

/// A connection's life. Each part of it has memory of its own: what a task holds, it holds to its end.
async fn serve(stream: TcpStream, entrance: Entrance, origin: Origin, mut place: Place) {
    let greeting = Box::pin(greet(stream, entrance.tls, &entrance.door, origin));
    let Some((guest, flows, reader, writer)) = greeting.await else { return };
    place.logged_in();
    let user = &guest.session().tenant.name;
    tracing::Span::current().record("user", tracing::field::display(user));
    let trail = Trail::new(entrance.door.audit, origin, Some(user.clone()));
    match guest {
        Guest::Control(session) => {
            let sessions = entrance.door.sessions;
            Box::pin(control::serve(session, sessions, entrance.control, trail, flows, reader, writer)).await;
        }
        Guest::Lane(session) => Box::pin(lane::serve(session, entrance.lane, trail, flows, reader, writer)).await,
    }
}

/// TLS and greeting: what the connection turned out to be, and its two halves, whose bytes are counted.
async fn greet(
    stream: TcpStream,
    tls: TlsAcceptor,
    door: &Door,
    origin: Origin,
) -> Option<(Guest, Flows, Reader<impl AsyncRead + Unpin + use<>>, Writer<impl AsyncWrite + Unpin + use<>>)> {
    let (deadline, source) = (Instant::now() + door.live.now().limits.login(), origin.source());
    // Answers are small and waited for; large writes fill their segments anyway.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let stream = match timeout_at(deadline, tls.accept(Inlet::new(stream))).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%error, "no TLS handshake");
            if is_not_tls(&error) {
                door.broke_rules(source, Reason::Tls);
            }
            return None;
        }
        Err(_) => {
            tracing::debug!("the TLS handshake took too long");
            door.broke_rules(source, Reason::Timeout);
            return None;
        }
    };
    // There is a value once the handshake is over.
    let Ok(binding) = stream.get_ref().1.export_keying_material([0; 32], BINDING_LABEL, None).map(Binding) else {
        tracing::error!("TLS exports nothing");
        return None;
    };
    let (reading, writing) = tokio::io::split(stream);
    let flows = Flows::default();
    let (read, written) = (flows.read.clone(), flows.written.clone());
    let (reading, writing) = (Metered::new(reading, read), Metered::new(writing, written));
    let (mut reader, mut writer) = (Reader::new(reading, Stage::Guest), Writer::new(writing));
    match door.greet(origin, &binding, deadline, &mut reader, &mut writer).await {
        Ok(guest) => Some((guest?, flows, reader, writer)),
        Err(error) => {
            tracing::debug!(%error, "greeting ended");
            None
        }
    }
}

/// Whether the peer spoke something else. One that does not believe our certificate, or left, broke no rule.
fn is_not_tls(error: &io::Error) -> bool {
    let of_tls = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    of_tls.is_some_and(|error| !matches!(error, rustls::Error::AlertReceived(_)))
}

/// Tells one that has no place why. It waits a little before, so that the handshakes of a flood stay few.
async fn tell(stream: TcpStream, tls: TlsAcceptor, refusal: Refusal, _telling: Telling) {
    sleep(TELL_PAUSE).await;
    let told = tokio::time::timeout(TELL, async {
        let (reading, writing) = tokio::io::split(tls.accept(stream).await?);
        let (mut reader, mut writer) = (Reader::new(reading, Stage::Guest), Writer::new(writing));
        greeting::show_out(refusal.fault, &mut reader, &mut writer).await
    });
    if !matches!(told.await, Ok(Ok(()))) {
        tracing::debug!("a refusal could not be told");
    }
}

/// Seconds after which a server that goes down may be there again.
const RESTART: u32 = 2;
/// So far, since the start.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
/// After a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Before a refusal is told.
const TELL_PAUSE: Duration = Duration::from_millis(200);
/// For telling it, handshake and all.
const TELL: Duration = Duration::from_secs(3);
