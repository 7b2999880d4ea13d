//! Progress, as bytes that moved: a peer may be slow, but not stand still. A peer that rests costs no buffers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::io::AsyncRead;
use wire::link::{Incoming, LinkError, Reader};

use crate::bandwidth::Route;

/// Bytes that went one way over a connection.
#[derive(Clone, Debug, Default)]
pub struct Flow(Arc<Moved>);

#[derive(Debug, Default)]
struct Moved {
    bytes: AtomicU64,
    /// It is this side that lets the other wait.
    held: AtomicBool,
    /// Set once it is known whose the bytes are.
    route: OnceLock<Route>,
}

/// Both ways of one connection.
#[derive(Clone, Debug, Default)]
pub struct Flows {
    /// From the peer.
    pub read: Flow,
    /// To the peer.
    pub written: Flow,
}

impl Flow {
    /// Counts what just moved.
    pub fn add(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if let Some(route) = self.0.route.get() {
            route.count(bytes);
        }
    }

    /// From now on the bytes are somebody's, who has limits.
    pub(crate) fn follow(&self, route: Route) {
        // Once for each connection.
        let _ = self.0.route.set(route);
    }

    pub(crate) fn route(&self) -> Option<&Route> {
        self.0.route.get()
    }

    /// Nothing moves until [`Self::go_on`], and that is not the peer's fault.
    pub(crate) fn hold(&self) {
        self.0.held.store(true, Ordering::Relaxed);
    }

    /// It is the peer's turn.
    pub(crate) fn go_on(&self) {
        self.0.held.store(false, Ordering::Relaxed);
    }

    fn moved(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Does `work` for as long as it takes, but fails when nothing moves for `stall`, unless it is held back.
    pub async fn moving<T>(
        &self,
        stall: Duration,
        work: impl Future<Output = Result<T, LinkError>>,
    ) -> Result<T, LinkError> {
        let mut work = std::pin::pin!(work);
        loop {
            let before = self.moved();
            match tokio::time::timeout(stall, &mut work).await {
                Ok(result) => return result,
                Err(_) if self.moved() == before && !self.0.held.load(Ordering::Relaxed) => {
                    return Err(LinkError::Io(std::io::ErrorKind::TimedOut.into()));
                }
                Err(_) => {}
            }
        }
    }
}

/// Waits for `next`; when that takes long, `rest` gives back what is only of use while bytes flow.
pub async fn or_rest<T>(next: impl Future<Output = T>, rest: impl FnOnce()) -> T {
    let mut next = std::pin::pin!(next);
    match tokio::time::timeout(REST, &mut next).await {
        Ok(next) => next,
        Err(_) => {
            rest();
            next.await
        }
    }
}

/// The same for a reader's next message or block.
pub async fn next_or_rest<R, T>(reader: &mut Reader<R>, rest: impl FnOnce()) -> Result<Option<Incoming<T>>, LinkError>
where
    R: AsyncRead + Unpin,
    T: DeserializeOwned,
{
    match tokio::time::timeout(REST, reader.next()).await {
        Ok(next) => next,
        Err(_) => {
            rest();
            reader.rest();
            reader.next().await
        }
    }
}

/// After this long without anything to do, a connection gives its buffers back. A pause within a
/// transfer is shorter, and fresh megabytes are dear.
pub const REST: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn slow_is_allowed_and_still_is_not() {
        let (flow, stall) = (Flow::default(), Duration::from_secs(60));
        let slow = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(50)).await;
                flow.add(1);
            }
            Ok(())
        };
        assert!(flow.moving(stall, slow).await.is_ok());
        flow.hold();
        let held = async {
            tokio::time::sleep(5 * stall).await;
            flow.go_on();
            Ok(())
        };
        assert!(flow.moving(stall, held).await.is_ok(), "it is not the peer that lets wait");
        let still = flow.moving(stall, std::future::pending::<Result<(), LinkError>>()).await;
        assert!(matches!(still, Err(LinkError::Io(error)) if error.kind() == std::io::ErrorKind::TimedOut));
    }
}
