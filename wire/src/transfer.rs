//! The two state machines of a transfer, without IO. A shell reads and writes files and frames and
//! asks these what is next; they hold what both sides must agree on.
//!
//! [`Sender`]: held pages in; for each block, once its value is known, whether it must travel; the
//! root at the end. [`Receiver`]: what it holds out; blocks in, each against its own value; the root
//! compared at the end. Both keep 33 bytes for each block they have heard of: 33 KiB for each GiB of file.

use std::ops::Range;

use crate::block::{self, Cv, Root, Span};
use crate::message::HELD_PAGE;
use crate::row::Row;

/// How the other side broke the rules of a transfer, or the content did not match.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Held pages out of order, too many, or after the last.
    #[error("the receiver's list of held blocks is out of order")]
    HeldOrder,
    /// A block beyond the end of the file, or of the wrong length for its place.
    #[error("block {index} with {len} bytes does not belong to this file")]
    Misplaced {
        /// The claimed place.
        index: u64,
        /// Its length in bytes.
        len: usize,
    },
    /// The bytes of a block do not have the value it came with.
    #[error("block {index} is damaged: its bytes do not match their hash")]
    Damaged {
        /// Its place.
        index: u64,
    },
    /// A block came when the transfer was sealed.
    #[error("block {index} came after the end of its transfer")]
    Late {
        /// Its place.
        index: u64,
    },
    /// The transfer was sealed while blocks were missing.
    #[error("{missing} blocks are missing")]
    Incomplete {
        /// How many.
        missing: u64,
    },
    /// All blocks are there, and are not the sender's file.
    #[error("the file's hash is not the sender's")]
    WrongRoot,
}

/// Bytes that travelled and bytes that did not have to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Payload bytes sent or received.
    pub sent: u64,
    /// Bytes the receiver already had, and zeros that it was told of.
    pub held: u64,
}

/// Whether a block must travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver needs it.
    Send,
    /// The receiver has the same bytes.
    Held,
}

/// The side that has the file.
#[derive(Debug)]
pub struct Sender {
    size: u64,
    held: Row<Cv>,
    /// Blocks that held pages have told of.
    told: u64,
    waiting: bool,
    own: Vec<Cv>,
    tally: Tally,
}

impl Sender {
    /// For a file of `size` bytes. An eager sender does not wait for held pages.
    pub fn new(size: u64, eager: bool) -> Self {
        Self { size, held: Row::default(), told: 0, waiting: !eager, own: Vec::new(), tally: Tally::default() }
    }

    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether the receiver has yet to say what it holds; no block may be sent before.
    pub fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// Takes a held page.
    pub fn held(&mut self, first: u64, page: &[Option<Cv>], last: bool) -> Result<(), Violation> {
        let end = self.told + page.len() as u64;
        if !self.waiting || first != self.told || end > block::count(self.size) {
            return Err(Violation::HeldOrder);
        }
        for (index, cv) in (first..).zip(page) {
            cv.iter().for_each(|cv| self.held.set(index, *cv));
        }
        (self.told, self.waiting) = (end, !last);
        Ok(())
    }

    /// Notes a block that the receiver has by now, from another lane.
    pub fn kept(&mut self, index: u64, cv: Cv) -> Result<(), Violation> {
        if self.waiting || index >= block::count(self.size) {
            return Err(Violation::HeldOrder);
        }
        self.held.set(index, cv);
        Ok(())
    }

    /// Whether the receiver has said that it has something at the place of a block.
    pub fn is_held(&self, index: u64) -> bool {
        self.held.get(index).is_some()
    }

    /// Whether the receiver has said that it has just this block.
    pub fn holds(&self, index: u64, cv: Cv) -> bool {
        self.held.get(index) == Some(cv)
    }

    /// The next block to look at; `None` while waiting and at the end.
    pub fn next(&self) -> Option<Span> {
        if self.waiting { None } else { block::span(self.size, self.own.len() as u64) }
    }

    /// What [`Self::settle`] would say.
    pub fn would_settle(&self, cv: Cv) -> Verdict {
        if self.holds(self.own.len() as u64, cv) { Verdict::Held } else { Verdict::Send }
    }

    /// Settles the block that [`Self::next`] named, whose value is `cv`: by a record, or by hashing
    /// the bytes just read. To send it takes a payload, unless it is all zeros.
    pub fn settle(&mut self, cv: Cv, is_zeros: bool) -> Verdict {
        let Some(span) = self.next() else { return Verdict::Held };
        let verdict = self.would_settle(cv);
        self.own.push(cv);
        if verdict == Verdict::Send && !is_zeros {
            self.tally.sent += span.len as u64;
        } else {
            self.tally.held += span.len as u64;
        }
        verdict
    }

    /// Settles the block that [`Self::next`] named, which another lane has brought over.
    pub fn settle_sent(&mut self, cv: Cv) {
        if let Some(span) = self.next() {
            self.own.push(cv);
            self.tally.sent += span.len as u64;
        }
    }

    /// The root, once every block is settled.
    pub fn seal(&self) -> Option<Root> {
        let complete = !self.waiting && self.own.len() as u64 == block::count(self.size);
        complete.then(|| block::fold(&self.own))
    }

    /// What travelled so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The values of all settled blocks, in order.
    pub fn into_cvs(self) -> Vec<Cv> {
        self.own
    }
}

/// Where a receiver has a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the file being assembled.
    Staged(Cv),
    /// In the file that is to be replaced; copied over when the sender does not send another.
    Basis(Cv),
}

impl Place {
    fn cv(self) -> Cv {
        match self {
            Place::Staged(cv) | Place::Basis(cv) => cv,
        }
    }
}

/// The side that builds the file.
#[derive(Debug)]
pub struct Receiver {
    size: u64,
    places: Row<Place>,
    tally: Tally,
}

impl Receiver {
    /// For a file of `size` bytes.
    pub fn new(size: u64) -> Self {
        Self { size, places: Row::default(), tally: Tally::default() }
    }

    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Notes a block found in the staging file, its value computed from the bytes just read.
    pub fn found_staged(&mut self, index: u64, cv: Cv) {
        self.put(index, Place::Staged(cv));
    }

    /// Notes a block of the file to be replaced, unless one is staged at its place.
    pub fn found_basis(&mut self, index: u64, cv: Cv) {
        if !matches!(self.places.get(index), Some(Place::Staged(_))) {
            self.put(index, Place::Basis(cv));
        }
    }

    /// What it holds, in pages; at least one, for an empty one says so.
    pub fn held_pages(&self) -> impl Iterator<Item = HeldPage> {
        (0..self.places.end().div_ceil(HELD_PAGE as u64).max(1)).map(|page| self.held_page(page))
    }

    /// One of these pages, empty beyond the last.
    pub fn held_page(&self, page: u64) -> HeldPage {
        let (size, end) = (HELD_PAGE as u64, self.places.end());
        let first = page.saturating_mul(size);
        let mut cvs = vec![None; usize::try_from(end.saturating_sub(first).min(size)).unwrap_or(HELD_PAGE)];
        for (slot, index) in cvs.iter_mut().zip(first..) {
            *slot = self.places.get(index).map(Place::cv);
        }
        (first, cvs, end.saturating_sub(first) <= size)
    }

    /// Whether a block that was announced belongs here. To be asked before its payload is kept.
    pub fn expects(&self, index: u64, len: usize) -> Result<Span, Violation> {
        block::span(self.size, index).filter(|span| span.len == len).ok_or(Violation::Misplaced { index, len })
    }

    /// Notes that something else is about to be written to the place of a block in the staging file.
    pub fn overwrites(&mut self, index: u64) {
        if matches!(self.places.get(index), Some(Place::Staged(_))) {
            self.places.clear(index);
        }
    }

    /// Notes that block `index` was proven and written to the staging file. It came with a payload, unless it is all zeros.
    pub fn stored(&mut self, index: u64, cv: Cv, is_zeros: bool) {
        if let Some(span) = block::span(self.size, index) {
            self.tally.sent += if is_zeros { 0 } else { span.len as u64 };
            self.put(index, Place::Staged(cv));
        }
    }

    /// Blocks of the old file that the sender let stand, to be copied into the staging file, each
    /// against its value.
    pub fn to_copy(&self) -> impl Iterator<Item = (Span, Cv)> {
        self.to_copy_within(0..block::count(self.size))
    }

    /// The same of some blocks.
    pub fn to_copy_within(&self, blocks: Range<u64>) -> impl Iterator<Item = (Span, Cv)> {
        self.places.within(blocks).filter_map(|(index, place)| match place {
            Place::Basis(cv) => block::span(self.size, index).map(|span| (span, cv)),
            Place::Staged(_) => None,
        })
    }

    /// Notes that block `index` of the old file was copied into the staging file.
    pub fn copied(&mut self, index: u64, cv: Cv) {
        self.put(index, Place::Staged(cv));
    }

    /// The values of all blocks, if they fold to `root`: the content is then proven.
    pub fn prove(&self, root: Root) -> Result<Vec<Cv>, Violation> {
        let count = block::count(self.size);
        let cvs: Vec<Cv> = self.places.within(0..count).map(|(_, place)| place.cv()).collect();
        if (cvs.len() as u64) < count {
            return Err(Violation::Incomplete { missing: count - cvs.len() as u64 });
        }
        if block::fold(&cvs) == root { Ok(cvs) } else { Err(Violation::WrongRoot) }
    }

    /// What travelled, and what was held of the rest.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The tally of a proven file: all that did not travel was held. A block that came twice
    /// counts once.
    pub fn final_tally(&self) -> Tally {
        let sent = self.tally.sent.min(self.size);
        Tally { sent, held: self.size - sent }
    }

    /// Whether it has anything at the place of a block.
    pub fn has(&self, index: u64) -> bool {
        self.places.get(index).is_some()
    }

    /// Whether just this block lies in the staging file.
    pub fn is_staged(&self, index: u64, cv: Cv) -> bool {
        matches!(self.places.get(index), Some(Place::Staged(staged)) if staged == cv)
    }

    fn put(&mut self, index: u64, place: Place) {
        if index < block::count(self.size) {
            self.places.set(index, place);
        }
    }
}

/// Index of the first block, values, whether it is the last page.
pub type HeldPage = (u64, Vec<Option<Cv>>, bool);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{BLOCK, chaining_value};
    use proptest::prelude::*;

    /// Runs a whole transfer in memory: `have` says what the receiver holds of each block.
    fn run(new: &[u8], old: &[u8], have: &[bool]) -> (Tally, Vec<u8>) {
        let size = new.len() as u64;
        let (mut sender, mut receiver) = (Sender::new(size, false), Receiver::new(size));
        for (index, block) in old.chunks(BLOCK).enumerate().filter(|(index, _)| have.get(*index) == Some(&true)) {
            receiver.found_basis(index as u64, chaining_value(size, index as u64, block));
        }
        for (first, page, last) in receiver.held_pages() {
            sender.held(first, &page, last).expect("pages are in order");
        }
        let mut out = old.to_vec();
        out.resize(new.len(), 0);
        while let Some(span) = sender.next() {
            let range = span.offset as usize..span.offset as usize + span.len;
            let cv = chaining_value(size, span.index, &new[range.clone()]);
            let is_zeros = block::is_zeros(&new[range.clone()]);
            if sender.settle(cv, is_zeros) == Verdict::Send {
                receiver.expects(span.index, span.len).expect("the block belongs");
                out[range.clone()].copy_from_slice(&new[range]);
                receiver.stored(span.index, cv, is_zeros);
            }
        }
        let root = sender.seal().expect("all blocks are settled");
        assert_eq!(root.0, *blake3::hash(new).as_bytes());
        receiver.prove(root).expect("the content is proven");
        assert_eq!(receiver.final_tally(), sender.tally());
        (sender.tally(), out)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn only_blocks_that_differ_and_are_not_zeros_travel(
            blocks in prop::collection::vec((0u8..4, 0u8..4, any::<bool>()), 0..6), tail in 0usize..3000,
        ) {
            let fill = |byte: u8| std::iter::repeat_n(byte, BLOCK);
            let new: Vec<u8> = blocks.iter().flat_map(|(b, _, _)| fill(*b)).chain(std::iter::repeat_n(9, tail)).collect();
            let old: Vec<u8> = blocks.iter().flat_map(|(_, b, _)| fill(*b)).collect();
            let have: Vec<bool> = blocks.iter().map(|(_, _, have)| *have).collect();
            let (tally, out) = run(&new, &old, &have);
            prop_assert_eq!(&out, &new);
            let left_out = blocks.iter().filter(|(new, old, have)| *new == 0 || *have && new == old).count();
            prop_assert_eq!(tally.held, (left_out * BLOCK) as u64);
            prop_assert_eq!(tally.sent + tally.held, new.len() as u64);
        }
    }

    #[test]
    fn an_eager_sender_does_not_wait() {
        let mut sender = Sender::new(3, true);
        let cv = chaining_value(3, 0, b"abc");
        assert_eq!(sender.settle(cv, false), Verdict::Send);
        assert_eq!(sender.seal(), Some(Root(*blake3::hash(b"abc").as_bytes())));
        assert_eq!(sender.held(0, &[], true), Err(Violation::HeldOrder));
        assert_eq!(Sender::new(0, true).seal(), Some(Root(*blake3::hash(b"").as_bytes())));
    }

    #[test]
    fn what_another_lane_brought_over_does_not_travel_again() {
        let (size, cv) = (4 * BLOCK as u64, |index: u8| Cv([index; 32]));
        let mut sender = Sender::new(size, true);
        sender.kept(3, cv(3)).expect("a block of the file");
        sender.kept(2, cv(9)).expect("a block of the file");
        assert_eq!(sender.kept(4, cv(4)), Err(Violation::HeldOrder));
        assert_eq!([0, 2, 3, 4].map(|index| sender.is_held(index)), [false, true, true, false]);
        assert_eq!([0, 2, 3, 4].map(|index| sender.holds(index, cv(3))), [false, false, true, false]);
        assert_eq!(sender.settle(cv(0), false), Verdict::Send);
        sender.settle_sent(cv(1));
        assert_eq!(sender.settle(cv(2), false), Verdict::Send, "the receiver has something else there");
        assert_eq!(sender.settle(cv(3), false), Verdict::Held);
        assert_eq!(sender.tally(), Tally { sent: 3 * BLOCK as u64, held: BLOCK as u64 });
        assert_eq!(sender.seal(), Some(block::fold(&[cv(0), cv(1), cv(2), cv(3)])));
        sender.settle_sent(cv(4));
        assert_eq!(sender.into_cvs().len(), 4);
        assert_eq!(Sender::new(size, false).kept(0, cv(0)), Err(Violation::HeldOrder), "nothing is held yet");
    }

    #[test]
    fn a_block_at_the_end_of_all_bytes_takes_no_more_than_one_at_the_beginning() {
        let last = block::count(u64::MAX) - 1;
        let (mut receiver, mut sender) = (Receiver::new(u64::MAX), Sender::new(u64::MAX, true));
        receiver.stored(last, Cv([1; 32]), false);
        receiver.found_basis(7, Cv([2; 32]));
        assert_eq!(receiver.to_copy().map(|(span, _)| span.index).collect::<Vec<_>>(), [7]);
        assert!(receiver.has(last) && !receiver.has(last - 1));
        assert_eq!(receiver.prove(Root([0; 32])), Err(Violation::Incomplete { missing: last - 1 }));
        let (first, cvs, is_last) = receiver.held_page(last / HELD_PAGE as u64);
        assert!(is_last && first + cvs.len() as u64 == last + 1 && cvs.last() == Some(&Some(Cv([1; 32]))));
        sender.kept(last, Cv([1; 32])).expect("a block of the file");
        assert!(sender.is_held(last) && !sender.is_held(0));
    }

    #[test]
    fn lies_are_refused() {
        let size = 2 * BLOCK as u64 + 5;
        let mut sender = Sender::new(size, false);
        assert_eq!(sender.held(1, &[None], true), Err(Violation::HeldOrder));
        assert_eq!(sender.held(0, &[None; 4], true), Err(Violation::HeldOrder));
        assert!(sender.next().is_none() && sender.seal().is_none());

        let mut receiver = Receiver::new(size);
        for (index, len) in [(3, 5), (2, 6), (0, 5), (u64::MAX, BLOCK)] {
            assert_eq!(receiver.expects(index, len), Err(Violation::Misplaced { index, len }));
        }
        assert_eq!(receiver.prove(Root([0; 32])), Err(Violation::Incomplete { missing: 3 }));
        for index in [2, 0, 1] {
            receiver.stored(index, Cv([index as u8; 32]), false);
        }
        assert_eq!(receiver.prove(Root([0; 32])), Err(Violation::WrongRoot));
    }
}
