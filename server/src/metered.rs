//! A half of a connection whose bytes are counted and, once it is known whose they are, held to their limits.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::flow::Flow;

/// A stream that counts into a [`Flow`], and waits for the turns of its route.
pub(crate) struct Metered<S> {
    stream: S,
    flow: Flow,
    /// Bytes of the last turn that are left.
    credit: usize,
    turn: Option<Pin<Box<dyn Future<Output = usize> + Send>>>,
}

impl<S> Metered<S> {
    pub(crate) fn new(stream: S, flow: Flow) -> Self {
        Self { stream, flow, credit: 0, turn: None }
    }

    /// How many bytes may move now.
    fn poll_allowance(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        if self.credit > 0 {
            return Poll::Ready(self.credit);
        }
        if self.turn.is_none() {
            let Some(route) = self.flow.route().filter(|route| route.waits()).cloned() else {
                return Poll::Ready(usize::MAX);
            };
            self.turn = Some(Box::pin(async move { route.turn().await }));
            self.flow.hold();
        }
        if let Some(turn) = &mut self.turn {
            self.credit = ready!(turn.as_mut().poll(cx));
            self.flow.go_on();
        }
        self.turn = None;
        Poll::Ready(self.credit)
    }

    fn count(&mut self, bytes: usize) {
        self.credit = self.credit.saturating_sub(bytes);
        self.flow.add(bytes);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let allowed = ready!(this.poll_allowance(cx));
        let before = out.filled().len();
        if allowed >= out.remaining() {
            ready!(Pin::new(&mut this.stream).poll_read(cx, out))?;
        } else {
            let mut part = ReadBuf::new(out.initialize_unfilled_to(allowed));
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut part))?;
            let read = part.filled().len();
            out.advance(read);
        }
        this.count(out.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let allowed = ready!(this.poll_allowance(cx));
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes.get(..allowed).unwrap_or(bytes)))?;
        this.count(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
