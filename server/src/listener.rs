//! The way in: connections are counted, encrypted, greeted, and handed to what they turn out to be.
//! Every limit on strangers stands here or in the greeting.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::io::{InspectReader, InspectWriter};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use wire::frame::Stage;
use wire::link::{Reader, Writer};

use crate::control::{self, ControlLimits};
use crate::flow::Flows;
use crate::greeting::{Door, Guest};
use crate::inlet::Inlet;
use crate::lane::{self, LaneLimits};

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
    /// Who is in.
    pub gate: Gate,
}

/// Counts connections: all, those of one source, and those that have not logged in.
#[derive(Clone, Debug)]
pub struct Gate {
    counts: Arc<Mutex<Counts>>,
    max: usize,
    per_source: usize,
    guests: usize,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    guests: usize,
    sources: HashMap<IpAddr, usize>,
}

/// A connection's place; given back when dropped.
#[derive(Debug)]
struct Place {
    gate: Gate,
    source: IpAddr,
    guest: bool,
}

impl Gate {
    /// A gate with its limits.
    pub fn new(max: usize, per_source: usize, guests: usize) -> Self {
        Self { counts: Arc::default(), max, per_source, guests }
    }

    fn enter(&self, source: IpAddr) -> Result<Place, &'static str> {
        let mut counts = self.counts();
        let theirs = counts.sources.get(&source).copied().unwrap_or(0);
        if counts.all >= self.max {
            return Err("connections");
        }
        if counts.guests >= self.guests {
            return Err("connections without a login");
        }
        if theirs >= self.per_source {
            return Err("connections of this source");
        }
        counts.all += 1;
        counts.guests += 1;
        counts.sources.insert(source, theirs + 1);
        Ok(Place { gate: self.clone(), source, guest: true })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Plain numbers: whole between any two statements.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn logged_in(&mut self) {
        self.guest = false;
        let mut counts = self.gate.counts();
        counts.guests = counts.guests.saturating_sub(1);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.gate.counts();
        counts.all = counts.all.saturating_sub(1);
        counts.guests = counts.guests.saturating_sub(usize::from(self.guest));
        if let Some(theirs) = counts.sources.get_mut(&self.source) {
            *theirs = theirs.saturating_sub(1);
            if *theirs == 0 {
                counts.sources.remove(&self.source);
            }
        }
    }
}

/// Accepts connections until `closing`; their tasks are tracked.
pub async fn run(listener: TcpListener, entrance: Entrance, closing: CancellationToken, tasks: TaskTracker) {
    while let Some(accepted) = closing.run_until_cancelled(listener.accept()).await {
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: those who are in go on, the next try waits a little.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        match entrance.gate.enter(address.ip().to_canonical()) {
            Ok(place) => {
                let span = tracing::info_span!("connection", peer = %address);
                tasks.spawn(serve(stream, entrance.clone(), place).instrument(span));
            }
            // Nothing is said: a flood is not answered.
            Err(limit) => tracing::info!(peer = %address, limit, "connection refused: limit reached"),
        }
    }
}

/// A connection's life. Each part of it has memory of its own: what a task holds, it holds to its end.
async fn serve(stream: TcpStream, entrance: Entrance, mut place: Place) {
    let greeting = Box::pin(greet(stream, entrance.tls, &entrance.door));
    let Some((guest, flows, reader, writer)) = greeting.await else { return };
    place.logged_in();
    match guest {
        Guest::Control(session) => {
            let (sessions, written) = (entrance.door.sessions, flows.written);
            Box::pin(control::serve(session, sessions, entrance.control, written, reader, writer)).await;
        }
        Guest::Lane(session) => Box::pin(lane::serve(session, entrance.lane, flows, reader, writer)).await,
    }
}

/// TLS and greeting: what the connection turned out to be, and its two halves, whose bytes are counted.
async fn greet(
    stream: TcpStream,
    tls: TlsAcceptor,
    door: &Door,
) -> Option<(Guest, Flows, Reader<impl AsyncRead + Unpin + use<>>, Writer<impl AsyncWrite + Unpin + use<>>)> {
    // Answers are small and waited for; large writes fill their segments anyway.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let stream = match tokio::time::timeout(door.deadline, tls.accept(Inlet::new(stream))).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%error, "no TLS handshake");
            return None;
        }
        Err(_) => {
            tracing::debug!("the TLS handshake took too long");
            return None;
        }
    };
    let (reading, writing) = tokio::io::split(stream);
    let flows = Flows::default();
    let (read, written) = (flows.read.clone(), flows.written.clone());
    let reading = InspectReader::new(reading, move |bytes: &[u8]| read.add(bytes.len()));
    let writing = InspectWriter::new(writing, move |bytes: &[u8]| written.add(bytes.len()));
    let (mut reader, mut writer) = (Reader::new(reading, Stage::Guest), Writer::new(writing));
    match door.greet(&mut reader, &mut writer).await {
        Ok(guest) => Some((guest?, flows, reader, writer)),
        Err(error) => {
            tracing::debug!(%error, "greeting ended");
            None
        }
    }
}

/// After a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let gate = Gate::new(3, 2, 2);
        let [a, b, c] = [[10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 0, 3]].map(IpAddr::from);
        let mut first = gate.enter(a).expect("room");
        let second = gate.enter(a).expect("room");
        assert_eq!(gate.enter(b).err(), Some("connections without a login"));
        first.logged_in();
        assert_eq!(gate.enter(a).err(), Some("connections of this source"));
        let third = gate.enter(b).expect("room");
        assert_eq!(gate.enter(c).err(), Some("connections"));
        drop((first, second, third));
        let counts = gate.counts();
        assert_eq!((counts.all, counts.guests, counts.sources.len()), (0, 0, 0));
    }
}
