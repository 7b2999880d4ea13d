//! Buffers for blocks: bounded in bytes, reused, given back when dropped.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wire::Aligned;

/// Hands out at most [`MOST`] bytes at a time.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    room: Arc<Semaphore>,
    free: Arc<Mutex<Vec<Aligned>>>,
}

/// A buffer on loan.
#[derive(Debug)]
pub(crate) struct Buffer {
    /// The bytes; whoever holds the buffer sizes it.
    pub(crate) bytes: Aligned,
    free: Arc<Mutex<Vec<Aligned>>>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Pool {
    /// An empty pool.
    pub(crate) fn new() -> Self {
        Self { room: Arc::new(Semaphore::new(MOST)), free: Arc::default() }
    }

    /// A buffer for `len` bytes, as soon as there is room. Memory of earlier loans is used again.
    pub(crate) async fn take(&self, len: usize) -> Buffer {
        let wanted = u32::try_from(len.min(MOST)).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let room = self.room.clone().acquire_many_owned(wanted).await.ok();
        let kept = if len >= WORTH_KEEPING { self.lock().pop() } else { None };
        Buffer { bytes: kept.unwrap_or_else(|| Aligned::with_capacity(len)), free: self.free.clone(), _room: room }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Aligned>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes.capacity() >= WORTH_KEEPING {
            self.free.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut self.bytes));
        }
    }
}

/// Eight blocks: enough to read, hash and send at once, and for small files on their way to the disk.
const MOST: usize = 8 * wire::BLOCK;
/// Smaller ones cost less to allocate than to keep.
const WORTH_KEEPING: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn buffers_are_bounded_and_come_back() {
        let pool = Pool::new();
        let mut first = pool.take(wire::BLOCK).await;
        first.bytes.resize(wire::BLOCK);
        let address = first.bytes.as_ptr();
        let rest = pool.take(MOST - wire::BLOCK).await;
        let mut next = Box::pin(pool.take(wire::BLOCK));
        assert!(futures_util::poll!(&mut next).is_pending(), "all of it is out");
        drop(first);
        let next = next.await;
        assert_eq!(next.bytes.as_ptr(), address);
        drop((rest, next));
        assert_eq!(pool.room.available_permits(), MOST);
    }
}
