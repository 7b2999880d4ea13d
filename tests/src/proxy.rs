//! A TCP proxy on loopback that spoils connections on purpose: cuts, stalls, delays, corrupts and
//! slows down, each way by itself. Knows nothing of what passes through.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// A way through the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Client to server.
    Up,
    /// Server to client.
    Down,
}

/// A running proxy; it ends with its last connection when dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where clients connect.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    rules: watch::Sender<Rules>,
    all: Counters,
    connections: Mutex<Vec<Arc<Connection>>>,
}

/// One connection, also when it is over.
#[derive(Debug, Default)]
struct Connection {
    passed: Counters,
    cut: CancellationToken,
    stalled: AtomicBool,
}

/// Bytes that have passed.
#[derive(Debug, Default)]
struct Counters {
    up: AtomicU64,
    down: AtomicU64,
}

#[derive(Clone, Debug)]
struct Rules {
    server: SocketAddr,
    refusing: bool,
    /// Rises with each cut; connections that began under another number end.
    cuts: u64,
    up: Spoil,
    down: Spoil,
}

/// What happens to the bytes of one way. Places are counted over all connections.
#[derive(Clone, Copy, Debug, Default)]
struct Spoil {
    cut_at: Option<u64>,
    corrupt_at: Option<u64>,
    stalled: bool,
    delay: Duration,
    rate: Option<u64>,
}

impl Proxy {
    /// A proxy that, for now, passes everything on to `server`.
    pub async fn start(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let rules = Rules { server, refusing: false, cuts: 0, up: Spoil::default(), down: Spoil::default() };
        let (all, connections) = (Counters::default(), Mutex::default());
        let shared = Arc::new(Shared { rules: watch::Sender::new(rules), all, connections });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, accepting })
    }

    /// Leads new connections to another server.
    pub fn lead_to(&self, server: SocketAddr) {
        self.shared.rules.send_modify(|rules| rules.server = server);
    }

    /// Bytes that have passed one way.
    pub fn passed(&self, way: Way) -> u64 {
        self.shared.all.of(way).load(Ordering::SeqCst)
    }

    /// Bytes that have passed one way on each connection so far, in the order they began.
    pub fn passed_each(&self, way: Way) -> Vec<u64> {
        let passed = |connection: &Arc<Connection>| connection.passed.of(way).load(Ordering::SeqCst);
        self.shared.connections().iter().map(passed).collect()
    }

    /// Holds all further bytes of one connection back, by its place in that order.
    pub fn stall_one(&self, place: usize) {
        if let Some(connection) = self.shared.connections().get(place) {
            connection.stalled.store(true, Ordering::SeqCst);
        }
    }

    /// Ends one connection, by its place in that order.
    pub fn cut_one(&self, place: usize) {
        if let Some(connection) = self.shared.connections().get(place) {
            connection.cut.cancel();
        }
    }

    /// Ends all connections once `bytes` more have passed this way. Later ones are not touched.
    pub fn cut_after(&self, way: Way, bytes: u64) {
        let at = self.passed(way) + bytes;
        self.spoil(way, |spoil| spoil.cut_at = Some(at));
    }

    /// Ends all connections.
    pub fn cut(&self) {
        self.shared.cut();
    }

    /// How often connections were cut.
    pub fn cuts(&self) -> u64 {
        self.shared.rules.borrow().cuts
    }

    /// Waits until connections have been cut `times` times since the start.
    pub async fn has_cut(&self, times: u64) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.shared.rules.subscribe().wait_for(|rules| rules.cuts >= times).await;
    }

    /// Closes new connections at once, or serves them again.
    pub fn refuse(&self, refusing: bool) {
        self.shared.rules.send_modify(|rules| rules.refusing = refusing);
    }

    /// Changes one byte, `bytes` from now.
    pub fn corrupt_after(&self, way: Way, bytes: u64) {
        let at = self.passed(way) + bytes;
        self.spoil(way, |spoil| spoil.corrupt_at = Some(at));
    }

    /// Holds all bytes back, or lets them go on.
    pub fn stall(&self, way: Way, stalled: bool) {
        self.spoil(way, |spoil| spoil.stalled = stalled);
    }

    /// Adds to the time that each piece takes.
    pub fn delay(&self, way: Way, delay: Duration) {
        self.spoil(way, |spoil| spoil.delay = delay);
    }

    /// Lets at most so many bytes a second pass on each connection.
    pub fn limit(&self, way: Way, rate: Option<u64>) {
        self.spoil(way, |spoil| spoil.rate = rate);
    }

    fn spoil(&self, way: Way, change: impl FnOnce(&mut Spoil)) {
        self.shared.rules.send_modify(|rules| change(rules.of_mut(way)));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Counters {
    fn of(&self, way: Way) -> &AtomicU64 {
        match way {
            Way::Up => &self.up,
            Way::Down => &self.down,
        }
    }
}

impl Shared {
    fn connections(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut(&self) {
        self.rules.send_modify(|rules| {
            rules.cuts += 1;
            rules.up.cut_at = None;
            rules.down.cut_at = None;
        });
    }
}

impl Rules {
    fn of(&self, way: Way) -> Spoil {
        match way {
            Way::Up => self.up,
            Way::Down => self.down,
        }
    }

    fn of_mut(&mut self, way: Way) -> &mut Spoil {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (refusing, server) = {
            let rules = shared.rules.borrow();
            (rules.refusing, rules.server)
        };
        if !refusing {
            connections.spawn(carry(client, server, Arc::clone(&shared)));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn carry(client: TcpStream, server: SocketAddr, shared: Arc<Shared>) {
    let mut rules = shared.rules.subscribe();
    let cuts = rules.borrow().cuts;
    let Ok(server) = TcpStream::connect(server).await else { return };
    let connection = Arc::new(Connection::default());
    shared.connections().push(Arc::clone(&connection));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let both = async {
        tokio::join!(
            pump(from_client, to_server, Way::Up, &shared, &connection),
            pump(from_server, to_client, Way::Down, &shared, &connection),
        )
    };
    tokio::select! {
        _ = both => {}
        () = connection.cut.cancelled() => {}
        _ = rules.wait_for(|rules| rules.cuts != cuts) => {}
    }
}

/// Carries one way until it ends; a broken connection just ends.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    way: Way,
    shared: &Shared,
    own: &Connection,
) -> Option<()> {
    let mut rules = shared.rules.subscribe();
    let mut buffer = vec![0; PIECE];
    let mut free = Instant::now();
    loop {
        let read = from.read(&mut buffer).await.ok()?;
        let piece = buffer.get_mut(..read).filter(|piece| !piece.is_empty())?;
        let spoil = rules.wait_for(|rules| !rules.of(way).stalled).await.ok()?.of(way);
        if let Some(rate) = spoil.rate {
            // Timers are late, the more so on a busy machine: what was missed for that is made up for.
            free = free.max(Instant::now() - LATE) + time_for(read, rate);
            sleep_until(free).await;
        }
        if !spoil.delay.is_zero() {
            sleep(spoil.delay).await;
        }
        if own.stalled.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        own.passed.of(way).fetch_add(read as u64, Ordering::SeqCst);
        let start = shared.all.of(way).fetch_add(read as u64, Ordering::SeqCst);
        let place = |at: u64| at.checked_sub(start).and_then(|at| usize::try_from(at).ok()).filter(|at| *at < read);
        if let Some(byte) = spoil.corrupt_at.and_then(place).and_then(|at| piece.get_mut(at)) {
            *byte ^= 0xff;
        }
        if let Some(at) = spoil.cut_at.and_then(place) {
            to.write_all(piece.get(..at)?).await.ok()?;
            shared.cut();
            return None;
        }
        to.write_all(piece).await.ok()?;
    }
}

fn time_for(bytes: usize, rate: u64) -> Duration {
    Duration::from_secs_f64(bytes as f64 / rate.max(1) as f64)
}

const LATE: Duration = Duration::from_millis(100);
/// Bytes that are carried at once.
const PIECE: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it gets, and a connection to it through a proxy.
    async fn echo() -> (Proxy, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("bound");
        let server = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        let proxy = Proxy::start(server).await.expect("started");
        let client = TcpStream::connect(proxy.address).await.expect("connected");
        (proxy, client)
    }

    async fn there_and_back(client: &mut TcpStream, bytes: &[u8]) -> Vec<u8> {
        client.write_all(bytes).await.expect("sent");
        let mut back = vec![0; bytes.len()];
        client.read_exact(&mut back).await.expect("came back");
        back
    }

    #[tokio::test]
    async fn bytes_pass_and_one_is_corrupted_where_it_was_asked() {
        let (proxy, mut client) = echo().await;
        assert_eq!(there_and_back(&mut client, b"hello").await, b"hello");
        proxy.corrupt_after(Way::Up, 2);
        assert_eq!(there_and_back(&mut client, b"hello").await, [b'h', b'e', !b'l', b'l', b'o']);
        assert_eq!((proxy.passed(Way::Up), proxy.passed(Way::Down)), (10, 10));
    }

    #[tokio::test]
    async fn a_cut_comes_at_its_byte_and_only_once() {
        let (proxy, mut client) = echo().await;
        proxy.cut_after(Way::Down, 3);
        client.write_all(b"hello").await.expect("sent");
        let mut back = Vec::new();
        let _ = client.read_to_end(&mut back).await;
        proxy.has_cut(1).await;
        assert!(b"hel".starts_with(&back), "{back:?}");
        let mut second = TcpStream::connect(proxy.address).await.expect("connected");
        assert_eq!(there_and_back(&mut second, b"again").await, b"again");
    }

    #[tokio::test]
    async fn one_connection_is_counted_and_cut_by_itself() {
        let (proxy, mut first) = echo().await;
        there_and_back(&mut first, b"first").await;
        let mut second = TcpStream::connect(proxy.address).await.expect("connected");
        there_and_back(&mut second, b"second one").await;
        assert_eq!(proxy.passed_each(Way::Up), [5, 10]);
        proxy.cut_one(0);
        assert_eq!(first.read(&mut [0]).await.unwrap_or(0), 0);
        assert_eq!(there_and_back(&mut second, b"goes on").await, b"goes on");
    }

    #[tokio::test]
    async fn a_stalled_way_holds_its_bytes_until_it_goes_on() {
        let (proxy, mut client) = echo().await;
        proxy.stall(Way::Down, true);
        client.write_all(b"x").await.expect("sent");
        let mut byte = [0];
        let early = tokio::time::timeout(Duration::from_millis(50), client.read_exact(&mut byte)).await;
        assert!(early.is_err(), "a byte came through a stalled proxy");
        proxy.stall(Way::Down, false);
        client.read_exact(&mut byte).await.expect("it goes on");
    }

    #[tokio::test]
    async fn a_refusing_proxy_closes_new_connections() {
        let (proxy, _client) = echo().await;
        proxy.refuse(true);
        let mut refused = TcpStream::connect(proxy.address).await.expect("accepted, then closed");
        assert_eq!(refused.read(&mut [0]).await.unwrap_or(0), 0);
    }
}
