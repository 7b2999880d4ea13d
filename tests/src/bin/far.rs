//! A link to somewhere far away, for measurements: `far LISTEN TARGET --rtt-ms N --mbit N [--each-mbit N]`.
//!
//! Bytes of each way share one rate, connections take turns at it, none gets more than its own share if there
//! is one, and every piece arrives half a round trip after it left. What does not fit waits with its sender, as TCP lets it: the link's own memory is
//! what is under way. Setting up a TCP connection costs nothing here; on a real link it is a round trip.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};

/// One way of the link.
#[derive(Clone)]
struct Road {
    delay: Duration,
    all: Arc<Rate>,
    /// Bytes a second of one connection.
    each: f64,
    /// Bytes under way of one connection, at most.
    under_way: usize,
}

/// What lets so many bytes a second pass.
struct Rate {
    bytes_a_second: f64,
    /// When what was let in last has left. The lock is fair: connections take turns.
    free: Mutex<Instant>,
}

/// Bytes on their way, and when they arrive.
struct Piece {
    arrives: Instant,
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (listen, target, rtt, mbit, each) = match arguments.as_slice() {
        [listen, target, "--rtt-ms", rtt, "--mbit", mbit] => (listen, target, rtt, mbit, mbit),
        [listen, target, "--rtt-ms", rtt, "--mbit", mbit, "--each-mbit", each] => (listen, target, rtt, mbit, each),
        _ => bail!(USAGE),
    };
    let target: SocketAddr = target.parse().context(USAGE)?;
    let delay = Duration::from_millis(rtt.parse().context(USAGE)?) / 2;
    let bytes_a_second = |mbit: &str| Ok::<_, anyhow::Error>(mbit.parse::<f64>().context(USAGE)? * 1e6 / 8.0);
    let (all, each) = (bytes_a_second(mbit)?, bytes_a_second(each)?);
    let listener = listen_small(listen.parse().context(USAGE)?)?;
    println(&format!("listening on {}", listener.local_addr()?));
    let (up, down) = (Road::new(delay, all, each), Road::new(delay, all, each));
    loop {
        let (near, _) = listener.accept().await?;
        let (up, down) = (up.clone(), down.clone());
        tokio::spawn(async move {
            let Ok(far) = connect_small(target).await else { return };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::join!(up.carry(near_in, far_out), down.carry(far_in, near_out));
        });
    }
}

impl Road {
    fn new(delay: Duration, all: f64, each: f64) -> Self {
        let product = each * delay.as_secs_f64() * 2.0;
        Self { delay, all: Arc::new(Rate::new(all)), each, under_way: product as usize + SLACK }
    }

    /// Carries one connection's bytes until it ends.
    async fn carry(&self, mut from: OwnedReadHalf, to: OwnedWriteHalf) {
        let (start, pieces) = mpsc::unbounded_channel();
        let arriving = tokio::spawn(arrive(pieces, to));
        let (room, own) = (Arc::new(Semaphore::new(self.under_way)), Rate::new(self.each));
        let mut buffer = vec![0; PIECE];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let Ok(room) = room.clone().acquire_many_owned(read as u32).await else { break };
            own.pass(read).await;
            self.all.pass(read).await;
            let arrives = Instant::now() + self.delay;
            let bytes = buffer.get(..read).unwrap_or_default().to_vec();
            if start.send(Piece { arrives, bytes, _room: room }).is_err() {
                break;
            }
        }
        drop(start);
        // A panic there is a broken connection here.
        let _ = arriving.await;
    }
}

impl Rate {
    fn new(bytes_a_second: f64) -> Self {
        Self { bytes_a_second, free: Mutex::new(Instant::now()) }
    }

    /// Waits until the way is free, and takes it for `bytes`.
    async fn pass(&self, bytes: usize) {
        let mut free = self.free.lock().await;
        sleep_until(*free).await;
        // Timers are late by a millisecond or so: what was missed for that is made up for.
        *free = (*free).max(Instant::now() - LATE) + Duration::from_secs_f64(bytes as f64 / self.bytes_a_second);
    }
}

async fn arrive(mut pieces: mpsc::UnboundedReceiver<Piece>, mut to: OwnedWriteHalf) {
    while let Some(piece) = pieces.recv().await {
        sleep_until(piece.arrives).await;
        if to.write_all(&piece.bytes).await.is_err() {
            return;
        }
    }
    // The other side may be gone already.
    let _ = to.shutdown().await;
}

/// Little is taken from a sender before its turn: what waits, waits where it is counted.
fn listen_small(address: SocketAddr) -> Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(SOCKET)?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket.listen(1024)?)
}

async fn connect_small(target: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(SOCKET)?;
    Ok(socket.connect(target).await?)
}

#[expect(clippy::print_stdout, reason = "whoever starts it waits for this line")]
fn println(line: &str) {
    println!("{line}");
}

const USAGE: &str = "far LISTEN TARGET --rtt-ms N --mbit N [--each-mbit N]";
/// Bytes taken at once: half a millisecond of a gigabit link.
const PIECE: usize = 64 << 10;
/// Beside the bandwidth-delay product.
const SLACK: usize = 1 << 20;
const SOCKET: u32 = 256 << 10;
const LATE: Duration = Duration::from_millis(4);
