//! Bandwidth limits: token buckets, changed while running, one for all lanes and one for each item, and
//! the stream that obeys them in both directions. Knows nothing of frames.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Bytes a second, shared by everything that it holds.
#[derive(Debug)]
pub(crate) struct Limit {
    /// 0 is without limit, so that the unlimited case takes no lock.
    rate: AtomicU64,
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    /// May fall below zero: what a read brought is only known afterwards.
    tokens: f64,
    at: Instant,
}

impl Default for Limit {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Limit {
    /// A bucket that starts empty.
    pub(crate) fn new(rate: Option<u64>) -> Self {
        let limit = Self { rate: AtomicU64::new(0), bucket: Mutex::new(Bucket { tokens: 0.0, at: Instant::now() }) };
        limit.set(rate);
        limit
    }

    /// The limit in force.
    pub(crate) fn rate(&self) -> Option<u64> {
        Some(self.rate.load(Ordering::Relaxed)).filter(|rate| *rate > 0)
    }

    /// Another limit from now on. What was overdrawn under the old one is forgiven.
    pub(crate) fn set(&self, rate: Option<u64>) {
        self.rate.store(rate.map_or(0, |rate| rate.max(1)), Ordering::Relaxed);
        *self.bucket() = Bucket { tokens: 0.0, at: Instant::now() };
    }

    /// How many bytes may move now, or how long to wait before asking again.
    fn allowance(&self, now: Instant) -> Result<usize, Duration> {
        let Some(rate) = self.rate() else { return Ok(usize::MAX) };
        let rate = rate as f64;
        let mut bucket = self.bucket();
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * rate).min(rate * BURST.as_secs_f64());
        bucket.at = now;
        // Less than this is not worth a system call; more makes a low limit jerk.
        let worthwhile = (rate * BURST.as_secs_f64() / 2.0).clamp(1.0, SLICE as f64);
        if bucket.tokens >= worthwhile {
            return Ok((bucket.tokens as usize).clamp(1, SLICE));
        }
        Err(Duration::from_secs_f64((worthwhile - bucket.tokens) / rate).clamp(SHORTEST_WAIT, LONGEST_WAIT))
    }

    fn spend(&self, bytes: usize) {
        if self.rate().is_some() {
            self.bucket().tokens -= bytes as f64;
        }
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one connection is held to. Clones are handles to the same.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    all: Arc<Limit>,
    /// Of the items whose files are on the connection just now.
    items: Arc<Mutex<Vec<Arc<Limit>>>>,
}

impl Limits {
    /// A connection that no item has files on.
    pub(crate) fn new(all: Arc<Limit>) -> Self {
        Self { all, items: Arc::default() }
    }

    /// That of all connections together.
    pub(crate) fn of_all(&self) -> Option<u64> {
        self.all.rate()
    }

    /// From now on the connection carries files of these items.
    pub(crate) fn carry(&self, items: Vec<Arc<Limit>>) {
        *self.items() = items;
    }

    fn allowance(&self, now: Instant) -> Result<usize, Duration> {
        self.items().iter().try_fold(self.all.allowance(now)?, |least, limit| Ok(least.min(limit.allowance(now)?)))
    }

    fn spend(&self, bytes: usize) {
        self.all.spend(bytes);
        self.items().iter().for_each(|limit| limit.spend(bytes));
    }

    fn items(&self) -> MutexGuard<'_, Vec<Arc<Limit>>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose bytes are counted and held to limits, read or written.
#[derive(Debug)]
pub(crate) struct Throttled<S> {
    stream: S,
    limits: Limits,
    flow: Arc<AtomicU64>,
    reading: Option<Pin<Box<Sleep>>>,
    writing: Option<Pin<Box<Sleep>>>,
}

impl<S> Throttled<S> {
    /// `flow` counts every byte in either direction.
    pub(crate) fn new(stream: S, limits: Limits, flow: Arc<AtomicU64>) -> Self {
        Self { stream, limits, flow, reading: None, writing: None }
    }
}

fn poll_allowance(limits: &Limits, pause: &mut Option<Pin<Box<Sleep>>>, cx: &mut Context<'_>) -> Poll<usize> {
    loop {
        if let Some(sleep) = pause {
            ready!(sleep.as_mut().poll(cx));
            *pause = None;
        }
        let now = Instant::now();
        match limits.allowance(now) {
            Ok(bytes) => return Poll::Ready(bytes),
            Err(wait) => *pause = Some(Box::pin(sleep_until(now + wait))),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Throttled<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let allowed = ready!(poll_allowance(&this.limits, &mut this.reading, cx));
        let before = buf.filled().len();
        if allowed >= buf.remaining() {
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        } else {
            let mut part = ReadBuf::new(buf.initialize_unfilled_to(allowed));
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut part))?;
            let read = part.filled().len();
            buf.advance(read);
        }
        let read = buf.filled().len() - before;
        this.limits.spend(read);
        this.flow.fetch_add(read as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Throttled<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let allowed = ready!(poll_allowance(&this.limits, &mut this.writing, cx));
        let part = buf.get(..allowed).unwrap_or(buf);
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, part))?;
        this.limits.spend(written);
        this.flow.fetch_add(written as u64, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// The most that moves at once under a limit, so that a low one stays smooth.
const SLICE: usize = 64 << 10;
/// What may be saved up while nothing moves.
const BURST: Duration = Duration::from_millis(100);
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
/// A limit that changes takes effect within this.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn both_directions_hold_to_the_limit_together() {
        for (rate, bytes) in [(4 << 20, 2 << 20), (200 << 10, 60 << 10)] {
            let limit = Arc::new(Limit::new(Some(rate)));
            let flow = Arc::new(AtomicU64::new(0));
            let (near, mut far) = tokio::io::duplex(1 << 20);
            // The higher rate for all, the lower one for an item.
            let (all, item) = if rate > 1 << 20 { (limit, None) } else { (Arc::default(), Some(limit)) };
            let limits = Limits::new(all);
            limits.carry(item.into_iter().collect());
            let mut near = Throttled::new(near, limits, flow.clone());
            let began = Instant::now();
            let echo = tokio::spawn(async move {
                let mut all = vec![0; bytes as usize / 2];
                far.read_exact(&mut all).await?;
                far.write_all(&all).await
            });
            near.write_all(&vec![7; bytes as usize / 2]).await.expect("written");
            near.read_exact(&mut vec![0; bytes as usize / 2]).await.expect("read");
            echo.await.expect("joined").expect("echoed");
            let least = Duration::from_secs_f64(bytes as f64 / rate as f64 * 0.75);
            assert!(began.elapsed() >= least, "{rate} B/s: {:?}", began.elapsed());
            assert_eq!(flow.load(Ordering::Relaxed), bytes);
        }
    }

    #[test]
    fn allowances_add_up_to_the_rate() {
        let limit = Limit::new(Some(10_000));
        let mut now = Instant::now();
        let end = now + Duration::from_secs(10);
        let mut moved = 0;
        while now < end {
            match limit.allowance(now) {
                Ok(bytes) => {
                    limit.spend(bytes);
                    moved += bytes;
                }
                Err(wait) => now += wait,
            }
        }
        assert!((98_000..=102_000).contains(&moved), "{moved}");
        limit.set(None);
        assert_eq!(limit.allowance(now), Ok(usize::MAX));
    }
}
