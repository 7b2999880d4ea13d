//! A socket read in large pieces, with memory for them only while bytes flow: a connection that says
//! little reads into its reader's own buffer, and one that rests gives its buffer back.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, Sleep, sleep};

use crate::flow::REST;

/// A stream whose reads are gathered.
#[derive(Debug)]
pub struct Inlet<S> {
    stream: S,
    /// Empty while little comes.
    buffer: Box<[u8]>,
    place: Option<SemaphorePermit<'static>>,
    /// What of it was read and not taken yet.
    start: usize,
    end: usize,
    /// When to look whether the buffer is still of use.
    rest: Option<Pin<Box<Sleep>>>,
    used: bool,
}

impl<S> Inlet<S> {
    /// Reads `stream`.
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: Box::default(), place: None, start: 0, end: 0, rest: None, used: false }
    }

    /// Nothing comes: gives the buffer back when nothing came for [`REST`].
    fn poll_rest(&mut self, cx: &mut Context<'_>) {
        if self.buffer.is_empty() {
            return;
        }
        let rest = self.rest.get_or_insert_with(|| Box::pin(sleep(REST)));
        while rest.as_mut().poll(cx).is_ready() {
            if !std::mem::take(&mut self.used) {
                (self.buffer, self.place, self.rest) = (Box::default(), None, None);
                return;
            }
            rest.as_mut().reset(Instant::now() + REST);
        }
    }
}

impl<S: AsyncRead + Unpin> Inlet<S> {
    /// Past the buffer. A read that fills its place says that more waits: the next one is a large one.
    fn poll_small(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(cx, out))?;
        if out.remaining() == 0 {
            self.place = PLACES.try_acquire().ok();
        }
        if self.place.is_some() {
            self.buffer = vec![0; LARGE].into();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut room = ReadBuf::new(&mut self.buffer);
        match Pin::new(&mut self.stream).poll_read(cx, &mut room) {
            Poll::Ready(read) => {
                (self.start, self.end) = (0, room.filled().len());
                self.used = true;
                Poll::Ready(read)
            }
            Poll::Pending => {
                self.poll_rest(cx);
                Poll::Pending
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Inlet<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.start == self.end {
            if self.buffer.is_empty() {
                return self.poll_small(cx, out);
            }
            ready!(self.poll_fill(cx))?;
        }
        let waiting = self.buffer.get(self.start..self.end).unwrap_or_default();
        let (taken, _) = waiting.split_at(waiting.len().min(out.remaining()));
        out.put_slice(taken);
        self.start += taken.len();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Inlet<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Encrypted bytes read from a socket at once: rustls asks for a few KiB at a time, and most of the
/// system calls are saved by a large buffer below it.
const LARGE: usize = 256 << 10;
/// Connections of this process with a large buffer. Others read in small pieces, which is slower and no worse.
static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);
const AT_ONCE: usize = 128;
/// What large buffers take together, in bytes.
pub(crate) const MEMORY: usize = AT_ONCE * LARGE;

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test(start_paused = true)]
    async fn the_buffer_comes_with_many_bytes_and_goes_with_rest() {
        let (mut far, near) = duplex(1 << 20);
        let mut inlet = Inlet::new(near);
        let mut small = [0; 100];
        far.write_all(&[1; 10]).await.expect("sent");
        assert_eq!(inlet.read(&mut small).await.expect("read"), 10);
        assert!(inlet.buffer.is_empty(), "little needs no buffer");

        far.write_all(&[2; 1000]).await.expect("sent");
        inlet.read_exact(&mut [0; 1000]).await.expect("read");
        assert_eq!(inlet.buffer.len(), LARGE);

        let waiting = tokio::time::timeout(REST * 3, inlet.read(&mut small)).await;
        assert!(waiting.is_err() && inlet.buffer.is_empty(), "it is given back");
        far.write_all(&[3; 1000]).await.expect("sent");
        let mut rest = [0; 1000];
        inlet.read_exact(&mut rest).await.expect("read");
        assert_eq!(rest, [3; 1000]);
    }
}
