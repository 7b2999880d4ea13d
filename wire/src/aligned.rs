//! Memory for blocks, at addresses from which the kernel writes to a disk without a copy of its own.

use std::ops::{Deref, DerefMut};

/// Bytes that are used again and again. From [`WORTH_ALIGNING`] on they begin at a multiple of [`ALIGN`].
#[derive(Debug, Default)]
pub struct Aligned {
    /// Only ever grows: a full block after a full block writes nothing here.
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// Memory for `len` bytes, taken when it is first used.
    pub fn with_capacity(len: usize) -> Self {
        Self { memory: Vec::with_capacity(len + slack(len)), start: 0, len: 0 }
    }

    /// Holds `len` bytes from now on; which ones is not said.
    pub fn resize(&mut self, len: usize) {
        let slack = slack(len);
        if self.memory.len() < len + slack {
            // No more than that: a peer chooses the lengths.
            self.memory.reserve_exact(len + slack - self.memory.len());
            self.memory.resize(len + slack, 0);
        }
        let to_aligned = self.memory.as_ptr().align_offset(ALIGN);
        self.start = if to_aligned <= slack { to_aligned } else { 0 };
        self.len = len;
    }

    /// Bytes it can hold without taking more memory.
    pub fn capacity(&self) -> usize {
        self.memory.capacity()
    }
}

impl Deref for Aligned {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.get(self.start..self.start + self.len).unwrap_or_default()
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.memory.get_mut(self.start..self.start + self.len).unwrap_or_default()
    }
}

/// Whether the kernel can write these bytes past its cache.
pub fn is_aligned(bytes: &[u8]) -> bool {
    bytes.len().is_multiple_of(ALIGN) && bytes.as_ptr().align_offset(ALIGN) == 0
}

fn slack(len: usize) -> usize {
    if len < WORTH_ALIGNING { 0 } else { ALIGN }
}

/// A page; no disk's sectors are larger.
const ALIGN: usize = 4096;
/// Fewer bytes are copied through the page cache anyway.
const WORTH_ALIGNING: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_ones_begin_at_a_page_and_keep_their_memory() {
        let mut bytes = Aligned::default();
        for len in [1, 4096, WORTH_ALIGNING - 1] {
            bytes.resize(len);
            assert_eq!(bytes.len(), len);
        }
        for len in [1 << 20, (1 << 20) - 4096, 1 << 20] {
            bytes.resize(len);
            assert!(bytes.len() == len && is_aligned(&bytes), "{len}");
        }
        let (before, capacity) = (bytes.as_ptr(), bytes.capacity());
        bytes[7] = 9;
        bytes.resize(8);
        bytes.resize(1 << 20);
        assert_eq!((bytes.as_ptr(), bytes.capacity(), bytes[7]), (before, capacity, 9));
        assert!(!is_aligned(&bytes[1..4097]) && !is_aligned(&bytes[..100]));
        let mut grown = Aligned::default();
        [900 << 10, 1 << 20].into_iter().for_each(|len| grown.resize(len));
        assert!(grown.capacity() <= (1 << 20) + ALIGN, "{} bytes", grown.capacity());
    }
}
