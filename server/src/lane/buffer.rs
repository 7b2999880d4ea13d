//! Blocks' memory, used again and again while a lane works: fresh megabytes cost more in page faults than
//! the hash.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wire::{Aligned, BLOCK};

/// The buffers of one lane.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    places: Arc<Semaphore>,
    free: Arc<Mutex<Free>>,
}

#[derive(Debug, Default)]
struct Free {
    buffers: Vec<Aligned>,
    /// The lane has nothing to do: what comes back is not kept.
    resting: bool,
}

/// The bytes of a block. Goes back to its pool when dropped.
#[derive(Debug)]
pub(crate) struct Buffer {
    /// The bytes.
    pub(crate) bytes: Aligned,
    from: Option<(Pool, OwnedSemaphorePermit)>,
}

impl Pool {
    pub(super) fn new(buffers: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(buffers)), free: Arc::default() }
    }

    /// Waits for a buffer of a block's capacity. `None`: never, the semaphore is not closed.
    pub(super) async fn take(&self) -> Option<Buffer> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        let used = {
            let mut free = self.free();
            free.resting = false;
            free.buffers.pop()
        };
        let bytes = used.unwrap_or_else(|| Aligned::with_capacity(BLOCK));
        Some(Buffer { bytes, from: Some((self.clone(), place)) })
    }

    /// Gives back all memory, until the next buffer is taken.
    pub(super) fn rest(&self) {
        *self.free() = Free { buffers: Vec::new(), resting: true };
    }

    fn free(&self) -> MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buffer {
    /// Bytes of their own, for a small file.
    pub(super) fn small(bytes: Aligned) -> Self {
        Self { bytes, from: None }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some((pool, _place)) = self.from.take() {
            let mut free = pool.free();
            if !free.resting {
                free.buffers.push(std::mem::take(&mut self.bytes));
            }
        }
    }
}
