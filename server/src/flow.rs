//! Progress, as bytes that moved: a peer may be slow, but not stand still.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wire::link::LinkError;

/// Bytes that went one way over a connection.
#[derive(Clone, Debug, Default)]
pub struct Flow(Arc<AtomicU64>);

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
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Does `work` for as long as it takes, but fails when nothing moves for `stall`.
    pub async fn moving<T>(
        &self,
        stall: Duration,
        work: impl Future<Output = Result<T, LinkError>>,
    ) -> Result<T, LinkError> {
        let mut work = std::pin::pin!(work);
        loop {
            let before = self.0.load(Ordering::Relaxed);
            match tokio::time::timeout(stall, &mut work).await {
                Ok(result) => return result,
                Err(_) if self.0.load(Ordering::Relaxed) == before => {
                    return Err(LinkError::Io(std::io::ErrorKind::TimedOut.into()));
                }
                Err(_) => {}
            }
        }
    }
}

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
        let still = flow.moving(stall, std::future::pending::<Result<(), LinkError>>()).await;
        assert!(matches!(still, Err(LinkError::Io(error)) if error.kind() == std::io::ErrorKind::TimedOut));
    }
}
