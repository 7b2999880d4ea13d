//! Memory for what travels: blocks and small files, of all users together and of each. Whoever needs some waits for it, in
//! the order of coming, and holds it until the bytes are where they belong: on the disk, or with the client.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wire::{Aligned, BLOCK};

/// Of all users, in KiB.
#[derive(Debug)]
pub(crate) struct Budget {
    all: Arc<Semaphore>,
    each: usize,
    /// Blocks that nobody holds, to be used again: fresh megabytes cost more in page faults than the hash.
    spare: Mutex<Vec<Aligned>>,
}

/// What one user may have of it.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    budget: Arc<Budget>,
    own: Arc<Semaphore>,
}

/// Memory that is held. Given back when dropped.
#[derive(Debug)]
pub struct Held {
    own: OwnedSemaphorePermit,
    all: OwnedSemaphorePermit,
}

/// Memory for a block, or for a small file that is sent.
#[derive(Debug)]
pub(crate) struct Buffer {
    /// The bytes.
    pub(crate) bytes: Aligned,
    held: Option<Held>,
    /// Where its memory goes to be used again.
    home: Option<Arc<Budget>>,
    /// One of those that its lane may have.
    _place: Option<OwnedSemaphorePermit>,
}

impl Budget {
    /// Of so many bytes.
    pub(crate) fn new(bytes: u64) -> Arc<Self> {
        let all = usize::try_from(bytes / UNIT as u64).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        // Nobody can hold up all others.
        let each = (all / 4).max(PLACE as usize);
        Arc::new(Self { all: Arc::new(Semaphore::new(all.max(PLACE as usize))), each, spare: Mutex::default() })
    }

    /// The part of one user.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        Share { budget: Arc::clone(self), own: Arc::new(Semaphore::new(self.each)) }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Aligned>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Waits for a block's memory, with what goes with a file in it. `None`: never, no semaphore is closed.
    pub(crate) async fn buffer(&self, place: Option<OwnedSemaphorePermit>) -> Option<Buffer> {
        let held = Some(self.units(PLACE).await?);
        let bytes = self.budget.spare().pop().unwrap_or_else(|| Aligned::with_capacity(BLOCK));
        Some(Buffer { bytes, held, home: Some(Arc::clone(&self.budget)), _place: place })
    }

    /// Waits for memory of a small file that has none. `None`: as above.
    pub(crate) async fn hold(&self, bytes: usize) -> Option<Held> {
        self.units(units(bytes)).await
    }

    /// Memory that is there just now.
    pub(crate) fn try_hold(&self, bytes: usize) -> Option<Held> {
        let own = Arc::clone(&self.own).try_acquire_many_owned(units(bytes)).ok()?;
        let all = Arc::clone(&self.budget.all).try_acquire_many_owned(units(bytes)).ok()?;
        Some(Held { own, all })
    }

    /// Somebody rests: some of what is kept to be used again is given back to the system.
    pub(crate) fn rest(&self) {
        let mut spare = self.budget.spare();
        let left = spare.len().saturating_sub(OF_ONE);
        spare.truncate(left);
    }

    async fn units(&self, units: u32) -> Option<Held> {
        // Of one user few wait for all: others come between.
        let own = Arc::clone(&self.own).acquire_many_owned(units).await.ok()?;
        let all = Arc::clone(&self.budget.all).acquire_many_owned(units).await.ok()?;
        Some(Held { own, all })
    }
}

impl Held {
    /// A part of it, for so many bytes.
    fn split(&mut self, bytes: usize) -> Option<Self> {
        Some(Self { own: self.own.split(units(bytes) as usize)?, all: self.all.split(units(bytes) as usize)? })
    }

    /// Gives back all but so many bytes.
    pub(crate) fn keep(&mut self, bytes: usize) {
        if let Some(kept) = self.split(bytes) {
            *self = kept;
        }
    }
}

impl Buffer {
    /// Of a small file that was read at once.
    pub(crate) fn small(held: Held) -> Self {
        Self { bytes: Aligned::default(), held: Some(held), home: None, _place: None }
    }

    /// What is held for so many bytes of it, for whoever keeps a copy of them beyond it.
    pub(crate) fn split(&mut self, bytes: usize) -> Option<Held> {
        self.held.as_mut()?.split(bytes)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let Some(home) = &self.home else { return };
        let mut spare = home.spare();
        if spare.len() < SPARE {
            spare.push(std::mem::take(&mut self.bytes));
        }
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

/// What is kept beside all that is held, in bytes.
pub(crate) const MEMORY: usize = SPARE * (BLOCK + (4 << 10));
/// Bytes that are counted as one.
const UNIT: usize = 1 << 10;
/// Of a block: itself, and what goes with a file of one block until it has its name.
const PLACE: u32 = (BLOCK >> 10) as u32 + 48;
/// Blocks that are kept to be used again.
const SPARE: usize = 32;
/// Of these, what one lane gives back when it rests.
const OF_ONE: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn now<T>(work: impl Future<Output = Option<T>>) -> Option<T> {
        work.now_or_never().map(|done| done.expect("never closed"))
    }

    #[test]
    fn one_user_has_a_part_and_others_the_rest() {
        let budget = Budget::new(16 << 20);
        let (one, other) = (budget.share(), budget.share());
        let held: Vec<Buffer> = std::iter::from_fn(|| now(one.buffer(None))).collect();
        assert_eq!(held.len(), 3, "a quarter, in blocks");
        assert!(one.try_hold(2 << 20).is_none());
        let theirs = now(other.buffer(None)).expect("another user waits for nobody");
        drop((held, theirs));
        assert_eq!(budget.all.available_permits(), 16 << 10);
        assert_eq!(budget.spare().len(), 4, "to be used again");
        one.rest();
        assert_eq!(budget.spare().len(), 0);
    }

    #[test]
    fn a_small_file_keeps_its_part_of_a_block() {
        let budget = Budget::new(16 << 20);
        let share = budget.share();
        let mut buffer = now(share.buffer(None)).expect("there is some");
        let mut held = buffer.split(5000).expect("it fits");
        drop(buffer);
        assert_eq!(budget.all.available_permits(), (16 << 10) - 5);
        held.keep(1000);
        assert_eq!(budget.all.available_permits(), (16 << 10) - 1);
        drop(held);
        assert_eq!(budget.all.available_permits(), 16 << 10);
    }
}
