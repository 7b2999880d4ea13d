//! A file as a row of 1 MiB blocks. Each block is a complete BLAKE3 subtree, so its chaining value
//! proves it alone, and folding all of them gives the ordinary BLAKE3 hash of the file: the one
//! `b3sum` prints. Source: the BLAKE3 paper, section 2.1 and `blake3::hazmat`.

use std::fmt;

use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};
use serde::{Deserialize, Serialize};

/// Bytes of every block but the last: 2^10 BLAKE3 chunks, a power of two, so that each is a subtree.
pub const BLOCK: usize = 1 << 20;

/// The chaining value of one block at its place in its file. In a file of one block it is the plain
/// hash of the file, for that block is the root of the tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cv(pub [u8; 32]);

/// The BLAKE3 hash of a whole file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Root(pub [u8; 32]);

/// Where a block lies in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its place in the row, from 0.
    pub index: u64,
    /// Its first byte, counted from the start of the file.
    pub offset: u64,
    /// Its length in bytes: 1 to [`BLOCK`].
    pub len: usize,
}

/// How many blocks a file of `size` bytes has; an empty file has none.
pub fn count(size: u64) -> u64 {
    size.div_ceil(BLOCK as u64)
}

/// The place of block `index` in a file of `size` bytes, or `None` past its end.
pub fn span(size: u64, index: u64) -> Option<Span> {
    let offset = index.checked_mul(BLOCK as u64)?;
    let left = size.checked_sub(offset).filter(|left| *left > 0)?;
    let len = left.min(BLOCK as u64) as usize;
    Some(Span { index, offset, len })
}

/// The chaining value of block `index`, whose content is `bytes`, in a file of `size` bytes.
///
/// `bytes` holds 1 to [`BLOCK`] bytes; of an empty slice it is the plain hash.
pub fn chaining_value(size: u64, index: u64, bytes: &[u8]) -> Cv {
    if size <= BLOCK as u64 || bytes.is_empty() {
        return Cv(*blake3::hash(bytes).as_bytes());
    }
    let mut hasher = blake3::Hasher::new();
    hasher.set_input_offset(index.saturating_mul(BLOCK as u64));
    hasher.update(bytes);
    Cv(hasher.finalize_non_root())
}

/// Whether the bytes of a block are all zero. Any other block is told by its first bytes.
pub fn is_zeros(bytes: &[u8]) -> bool {
    static ZEROS: [u8; BLOCK] = [0; BLOCK];
    ZEROS.get(..bytes.len()) == Some(bytes)
}

/// Folds the chaining values of all blocks of a file, in order, to its root.
pub fn fold(cvs: &[Cv]) -> Root {
    match cvs {
        [] => Root(*blake3::hash(b"").as_bytes()),
        [only] => Root(only.0),
        _ => {
            let (left, right) = halves(cvs);
            let root = merge_subtrees_root(&subtree(left), &subtree(right), Mode::Hash);
            Root(*root.as_bytes())
        }
    }
}

fn subtree(cvs: &[Cv]) -> [u8; 32] {
    match cvs {
        // Never reached: `halves` gives two non-empty parts, and `fold` keeps the empty row.
        [] => [0; 32],
        [only] => only.0,
        _ => {
            let (left, right) = halves(cvs);
            merge_subtrees_non_root(&subtree(left), &subtree(right), Mode::Hash)
        }
    }
}

/// BLAKE3's rule: the left subtree is the largest power of two that leaves the right one non-empty.
fn halves(cvs: &[Cv]) -> (&[Cv], &[Cv]) {
    let left = cvs.len().div_ceil(2).next_power_of_two();
    cvs.split_at(left.min(cvs.len()))
}

macro_rules! hex_text {
    ($kind:ident) => {
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl fmt::Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:.12})", stringify!($kind), self.to_string())
            }
        }
    };
}
hex_text!(Cv);
hex_text!(Root);

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        blake3::Hasher::new().finalize_xof().fill(&mut out);
        out
    }

    #[test]
    fn folding_gives_the_plain_hash() {
        for len in [0, 1, 1024, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK, 5 * BLOCK + 7, 13 * BLOCK] {
            let content = bytes(len);
            let cvs: Vec<Cv> = content
                .chunks(BLOCK)
                .enumerate()
                .map(|(index, block)| chaining_value(len as u64, index as u64, block))
                .collect();
            assert_eq!(cvs.len() as u64, count(len as u64));
            assert_eq!(fold(&cvs).0, *blake3::hash(&content).as_bytes(), "{len} bytes");
        }
    }

    #[test]
    fn spans_cover_the_file_exactly() {
        let size = 2 * BLOCK as u64 + 3;
        let spans: Vec<Span> = (0..4).filter_map(|index| span(size, index)).collect();
        assert_eq!(spans.iter().map(|s| s.len as u64).sum::<u64>(), size);
        assert_eq!(spans.last().map(|s| (s.index, s.offset, s.len)), Some((2, 2 * BLOCK as u64, 3)));
        assert_eq!(span(size, u64::MAX), None);
        assert_eq!(span(0, 0), None);
    }

    #[test]
    fn a_block_is_bound_to_its_place() {
        let block = bytes(BLOCK);
        let size = 4 * BLOCK as u64;
        assert_ne!(chaining_value(size, 0, &block), chaining_value(size, 1, &block));
    }
}
