//! A link to somewhere far away, for measurements: `far LISTEN TARGET --rtt-ms N --mbit N`.
//!
//! Bytes of each way share one rate, connections take turns at it, and every piece arrives half a round
//! trip after it left. What does not fit waits with its sender, as TCP lets it: the link's own memory is
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
    bytes_a_second: f64,
    /// When what was let in last has left. The lock is fair: connections take turns.
    free: Arc<Mutex<Instant>>,
    /// Bytes under way of one connection, at most.
    under_way: usize,
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
    let [listen, target, rtt_flag, rtt, mbit_flag, mbit] = arguments.as_slice() else { bail!(USAGE) };
    if rtt_flag != "--rtt-ms" || mbit_flag != "--mbit" {
        bail!(USAGE);
    }
    let target: SocketAddr = target.parse().context(USAGE)?;
    let delay = Duration::from_millis(rtt.parse().context(USAGE)?) / 2;
    let bytes_a_second = mbit.parse::<f64>().context(USAGE)? * 1e6 / 8.0;
    let listener = listen_small(listen.parse().context(USAGE)?)?;
    println(&format!("listening on {}", listener.local_addr()?));
    let (up, down) = (Road::new(delay, bytes_a_second), Road::new(delay, bytes_a_second));
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
    fn new(delay: Duration, bytes_a_second: f64) -> Self {
        let product = bytes_a_second * delay.as_secs_f64() * 2.0;
        Self { delay, bytes_a_second, free: Arc::new(Mutex::new(Instant::now())), under_way: product as usize + SLACK }
    }

    /// Carries one connection's bytes until it ends.
    async fn carry(&self, mut from: OwnedReadHalf, to: OwnedWriteHalf) {
        let (start, pieces) = mpsc::unbounded_channel();
        let arriving = tokio::spawn(arrive(pieces, to));
        let room = Arc::new(Semaphore::new(self.under_way));
        let mut buffer = vec![0; PIECE];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let Ok(room) = room.clone().acquire_many_owned(read as u32).await else { break };
            let arrives = self.leave(read).await;
            let bytes = buffer.get(..read).unwrap_or_default().to_vec();
            if start.send(Piece { arrives, bytes, _room: room }).is_err() {
                break;
            }
        }
        drop(start);
        // A panic there is a broken connection here.
        let _ = arriving.await;
    }

    /// Waits until the link is free, takes it for `bytes`, and says when they arrive.
    async fn leave(&self, bytes: usize) -> Instant {
        let mut free = self.free.lock().await;
        sleep_until(*free).await;
        let now = Instant::now();
        // Timers are late by a millisecond or so: what was missed for that is made up for.
        *free = (*free).max(now - LATE) + Duration::from_secs_f64(bytes as f64 / self.bytes_a_second);
        now + self.delay
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

const USAGE: &str = "far LISTEN TARGET --rtt-ms N --mbit N";
/// Bytes taken at once: half a millisecond of a gigabit link.
const PIECE: usize = 64 << 10;
/// Beside the bandwidth-delay product.
const SLACK: usize = 1 << 20;
const SOCKET: u32 = 256 << 10;
const LATE: Duration = Duration::from_millis(4);
