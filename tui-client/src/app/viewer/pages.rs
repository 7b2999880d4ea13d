//! The pieces of a file that are at hand: a small window on a file of any size. Asks for nothing; it says which
//! piece is missing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use wire::message::Time;

/// Bytes of a piece, every one but the last of a file: what one request brings. A multiple of the block in which long
/// lines are broken (`text::SPAN`), so that a block never lies in two pieces.
pub const PIECE: u64 = wire::message::READ_PIECE as u64;

/// Pieces kept: 3 MiB. Those farthest from where the person looks go first.
const MOST: usize = 64;

/// Size and time of a file when a piece of it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// When it was changed last.
    pub mtime: Time,
}

/// This piece is needed and not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing(pub u64);

/// What is known of a file.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    /// The last that was heard of it.
    stamp: Option<Stamp>,
    pieces: BTreeMap<u64, Bytes>,
}

impl Pages {
    /// Its size and time, once something was heard of it.
    pub fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    /// Its size; 0 before it is known.
    pub fn size(&self) -> u64 {
        self.stamp.map_or(0, |stamp| stamp.size)
    }

    /// How many pieces are at hand.
    pub fn held(&self) -> usize {
        self.pieces.len()
    }

    /// Whether a piece is at hand.
    pub fn has(&self, index: u64) -> bool {
        self.pieces.contains_key(&index)
    }

    /// Whether the file has such a piece.
    pub fn exists(&self, index: u64) -> bool {
        index.saturating_mul(PIECE) < self.size()
    }

    /// Drops all that is known.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes up what the file is like now. What was read of its old end is dropped.
    pub fn heard(&mut self, stamp: Stamp) {
        let old = self.stamp.replace(stamp).map_or(stamp.size, |old| old.size);
        if old != stamp.size {
            let last = old.min(stamp.size) / PIECE;
            self.pieces.retain(|index, _| *index < last);
        }
    }

    /// Takes up a piece; `near` is the piece that the person looks at.
    pub fn take(&mut self, index: u64, stamp: Stamp, bytes: Bytes, near: u64) {
        self.heard(stamp);
        let start = index.saturating_mul(PIECE);
        let whole = PIECE.min(stamp.size.saturating_sub(start));
        let read = bytes.len() as u64;
        if read < whole {
            // It ended earlier than it said: it is being cut just now.
            self.heard(Stamp { size: start + read, ..stamp });
        }
        if read > 0 {
            self.pieces.insert(index, bytes);
        }
        while self.pieces.len() > MOST {
            let far = self.pieces.keys().copied().max_by_key(|held| held.abs_diff(near));
            let Some(far) = far else { return };
            self.pieces.remove(&far);
        }
    }

    /// The bytes from `from` up to `to`, as far as the file goes.
    pub fn bytes(&self, from: u64, to: u64) -> Result<Cow<'_, [u8]>, Missing> {
        if self.stamp.is_none() {
            return Err(Missing(from / PIECE));
        }
        let to = to.min(self.size());
        if from >= to {
            return Ok(Cow::Borrowed(&[]));
        }
        let (first, last) = (from / PIECE, (to - 1) / PIECE);
        if first == last {
            return Ok(Cow::Borrowed(self.part(first, from, to)?));
        }
        let mut all = Vec::new();
        for index in first..=last {
            all.extend_from_slice(self.part(index, from, to)?);
        }
        Ok(Cow::Owned(all))
    }

    /// The part of one piece that lies between `from` and `to`.
    fn part(&self, index: u64, from: u64, to: u64) -> Result<&[u8], Missing> {
        let piece = self.pieces.get(&index).ok_or(Missing(index))?;
        let start = index.saturating_mul(PIECE);
        let place = |offset: u64| usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX).min(piece.len());
        Ok(piece.get(place(from)..place(to)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(size: u64) -> Stamp {
        Stamp { size, mtime: Time { secs: 1, nanos: 0 } }
    }

    fn piece(fill: u8, len: u64) -> Bytes {
        Bytes::from(vec![fill; usize::try_from(len).unwrap()])
    }

    #[test]
    fn what_is_missing_is_named_and_what_is_there_is_joined() {
        let mut pages = Pages::default();
        assert_eq!(pages.bytes(0, 1), Err(Missing(0)));
        pages.take(0, stamp(PIECE + 10), piece(1, PIECE), 0);
        assert_eq!(pages.bytes(PIECE - 2, PIECE).unwrap().len(), 2);
        assert_eq!(pages.bytes(PIECE - 2, PIECE + 2), Err(Missing(1)));
        pages.take(1, stamp(PIECE + 10), piece(2, 10), 0);
        assert_eq!(*pages.bytes(PIECE - 2, PIECE + 2).unwrap(), [1, 1, 2, 2]);
        assert_eq!(pages.bytes(PIECE + 8, u64::MAX).unwrap().len(), 2);
        assert_eq!(pages.bytes(PIECE + 10, u64::MAX).unwrap().len(), 0);
    }

    #[test]
    fn far_pieces_go_first_and_memory_stays_bounded() {
        let mut pages = Pages::default();
        for index in 0..500 {
            pages.take(index, stamp(1000 * PIECE), piece(0, PIECE), index);
        }
        assert_eq!((pages.held(), pages.has(499), pages.has(0)), (MOST, true, false));
    }

    #[test]
    fn a_file_that_grows_or_shrinks_loses_its_old_end() {
        let mut pages = Pages::default();
        pages.take(0, stamp(PIECE + 10), piece(1, PIECE), 0);
        pages.take(1, stamp(PIECE + 10), piece(2, 10), 0);
        pages.heard(stamp(PIECE + 11));
        assert_eq!(pages.bytes(PIECE, PIECE + 11), Err(Missing(1)));
        assert!(pages.has(0));
        // It says more than it has.
        pages.take(1, stamp(PIECE + 11), piece(2, 4), 0);
        assert_eq!((pages.size(), pages.bytes(PIECE, u64::MAX).unwrap().len()), (PIECE + 4, 4));
        pages.heard(stamp(0));
        assert_eq!((pages.held(), pages.bytes(0, 1).unwrap().len()), (0, 0));
    }
}
