//! Blocks in and out of files that are already open, for the sender and the receiver of either
//! side. Knows no paths and makes no names. All calls block: run them on a blocking thread, a whole
//! block or a whole scan at a time.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{Advice, OFlags, SeekFrom, fadvise, fcntl_getfl, fcntl_setfl, seek};
use rustix::io::{Errno, ReadWriteFlags, preadv2};

use crate::aligned::{Aligned, is_aligned};
use crate::block::{self, BLOCK, Cv, Span};
use crate::transfer::{HeldPage, Receiver, Violation};

/// Why a block could not be stored or a file not be assembled.
#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    /// The disk.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The content.
    #[error(transparent)]
    Violation(#[from] Violation),
}

/// Reads the block at `span` into `buffer`, whose length becomes the block's. An end of file before
/// the end of the block is [`io::ErrorKind::UnexpectedEof`]: the file has shrunk.
pub fn read_block(file: &File, span: Span, buffer: &mut Aligned) -> io::Result<()> {
    buffer.resize(span.len);
    file.read_exact_at(buffer, span.offset)
}

/// Reads a block of a file of `size` bytes that is passed through once. What was in the page cache is taken from
/// there and stays; what was not does not come to stay, where the file is [`LARGE`] and the kernel knows how
/// (Linux 6.14): filling the cache costs more than the reading, and pushes out what others have there.
pub fn read_block_once(file: &File, size: u64, span: Span, buffer: &mut Aligned) -> io::Result<()> {
    if size < LARGE { read_block(file, span, buffer) } else { read_block_aside(file, span, buffer) }
}

/// Likewise, of a file of any size: for whoever reads many files that nobody has asked for.
pub fn read_block_aside(file: &File, span: Span, buffer: &mut Aligned) -> io::Result<()> {
    buffer.resize(span.len);
    let (mut rest, mut offset) = (&mut **buffer, span.offset);
    while !rest.is_empty() {
        match preadv2(file, &mut [IoSliceMut::new(rest)], offset, DONT_CACHE) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                rest = rest.get_mut(read..).unwrap_or_default();
                offset += read as u64;
            }
            Err(Errno::INTR) => {}
            // Not this kernel, or not this file system.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => break,
            Err(error) => return Err(error.into()),
        }
    }
    file.read_exact_at(rest, offset)
}

/// Proves `bytes` against `cv` and writes them to their place.
pub fn store_block(staging: &File, size: u64, span: Span, cv: Cv, bytes: &[u8]) -> Result<(), StagingError> {
    prove(size, span, cv, bytes)?;
    Ok(write(staging, span, bytes)?)
}

/// What is known of a file that is being built, by one lane or by several at once.
#[derive(Debug)]
pub struct Building {
    size: u64,
    /// Blocks before this one were looked at by [`Building::copy_passed`].
    passed: AtomicU64,
    /// Held while a block is written, so that what is noted is what lies there, whoever writes the same block
    /// too. `None` from the seal on: nothing is written any more.
    receiver: Mutex<Option<Receiver>>,
}

impl Building {
    /// Goes on from what `receiver` has found.
    pub fn new(receiver: Receiver) -> Self {
        Self { size: receiver.size(), passed: AtomicU64::new(0), receiver: Mutex::new(Some(receiver)) }
    }

    /// Whether a block that was announced belongs here. To be asked before its payload is kept.
    pub fn expects(&self, index: u64, len: usize) -> Result<Span, Violation> {
        Receiver::new(self.size).expects(index, len)
    }

    /// Proves `bytes` against `cv`, writes them to their place and notes them. The same block once more is
    /// proven, and left as it is.
    pub fn store(&self, staging: &File, span: Span, cv: Cv, bytes: &[u8]) -> Result<(), StagingError> {
        prove(self.size, span, cv, bytes)?;
        let mut receiver = self.receiver();
        let receiver = receiver.as_mut().ok_or(Violation::Late { index: span.index })?;
        if !receiver.is_staged(span.index, cv) {
            receiver.overwrites(span.index);
            write(staging, span, bytes)?;
            receiver.stored(span.index, cv);
        }
        Ok(())
    }

    /// Copies blocks of the old file that the sender has let stand, for it goes from the front and is at `index`: a
    /// part of what [`assemble`] has to do, done while the sender still reads. Not more than [`PASSED`] at once,
    /// since the next block waits. Of one caller at a time.
    pub fn copy_passed(&self, staging: &File, basis: &File, index: u64) -> Result<(), StagingError> {
        let from = self.passed.load(Ordering::Relaxed);
        let to = index.min(from + PASSED);
        if to <= from {
            return Ok(());
        }
        self.passed.store(to, Ordering::Relaxed);
        let passed: Vec<_> = self.receiver().iter().flat_map(|receiver| receiver.to_copy_within(from..to)).collect();
        let mut buffer = Aligned::default();
        for (span, cv) in passed {
            read_block_once(basis, self.size, span, &mut buffer)?;
            prove(self.size, span, cv, &buffer)?;
            let mut receiver = self.receiver();
            let Some(receiver) = receiver.as_mut() else { return Ok(()) };
            // Unless another block has come in its place.
            if receiver.to_copy_within(span.index..span.index + 1).next() == Some((span, cv)) {
                write(staging, span, &buffer)?;
                receiver.copied(span.index, cv);
            }
        }
        Ok(())
    }

    /// As [`Receiver::held_page`]; nothing is held once it is sealed.
    pub fn held_page(&self, page: u64) -> HeldPage {
        self.receiver().as_ref().map_or_else(|| (0, Vec::new(), true), |receiver| receiver.held_page(page))
    }

    /// For each block, whether nothing is known of it yet.
    pub fn missing(&self) -> Vec<bool> {
        let receiver = self.receiver();
        (0..block::count(self.size)).map(|index| !receiver.as_ref().is_some_and(|it| it.has(index))).collect()
    }

    /// What was found and stored, once: nothing is stored after that. Waits for a block that is being written.
    pub fn seal(&self) -> Result<Receiver, Violation> {
        self.receiver().take().ok_or(Violation::Late { index: 0 })
    }

    fn receiver(&self) -> MutexGuard<'_, Option<Receiver>> {
        // Noted after it was written: a panic or a failing disk leaves out a block at most.
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn prove(size: u64, span: Span, cv: Cv, bytes: &[u8]) -> Result<(), Violation> {
    let own = block::chaining_value(size, span.index, bytes);
    if own == cv { Ok(()) } else { Err(Violation::Damaged { index: span.index }) }
}

/// Writes a block to its place, and on its way to the disk already: the sync at the end then finds little to
/// wait for. Blocks come in order from either end, so the first and the last of a group start it.
fn write(staging: &File, span: Span, bytes: &[u8]) -> io::Result<()> {
    write_block(staging, bytes, span.offset)?;
    let within = span.index % WRITE_BACK;
    if within == 0 || within == WRITE_BACK - 1 {
        start_write_back(staging, (span.index - within) * BLOCK as u64);
    }
    Ok(())
}

/// Past the page cache where file system and memory allow it: half the time and a tenth of the processor's,
/// and what others have in the cache stays there. The end of a file is no whole page and goes through it.
fn write_block(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    if is_aligned(bytes) && set_direct(file, true) {
        match file.write_all_at(bytes, offset) {
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {}
            written => return written,
        }
    }
    for _ in 0..RACE_TRIES {
        set_direct(file, false);
        match file.write_all_at(bytes, offset) {
            // Whoever else writes to the same open file has just asked for the other way.
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {}
            written => return written,
        }
    }
    Err(Errno::INVAL.into())
}

/// Turns the way past the page cache on or off; whether it is as wanted.
fn set_direct(file: &File, on: bool) -> bool {
    let Ok(flags) = fcntl_getfl(file) else { return false };
    if flags.contains(OFlags::DIRECT) == on {
        return true;
    }
    let mut wanted = flags;
    wanted.set(OFlags::DIRECT, on);
    fcntl_setfl(file, wanted).is_ok()
}

/// Starts writing [`WRITE_BACK`] blocks from `start` on. `DontNeed` is advice that Linux answers in this way
/// for pages that are not on the disk yet; there is no safe binding of `sync_file_range`.
fn start_write_back(file: &File, start: u64) {
    let span = WRITE_BACK * BLOCK as u64;
    // Advice: where it is not taken, the sync at the end does all of it.
    let _ = fadvise(file, start, NonZeroU64::new(span), Advice::DontNeed);
}

/// Reads what a staging file of an earlier try holds, and what the file to be replaced holds, and
/// notes every block by the hash of the bytes just read. Length proves nothing here: a hole, a
/// half-written or a damaged block simply has another hash than the sender's.
pub fn scan(receiver: &mut Receiver, staging: &File, basis: Option<&File>) -> io::Result<()> {
    let size = receiver.size();
    if staging.metadata()?.len() > size {
        staging.set_len(size)?;
    }
    // Ends of files are read, too.
    set_direct(staging, false);
    let mut buffer = Aligned::default();
    let mut index = 0;
    while let Some(span) = next_data(staging, size, index)? {
        if try_read(staging, span, &mut buffer)? {
            receiver.found_staged(span.index, block::chaining_value(size, span.index, &buffer));
        }
        index = span.index + 1;
    }
    let Some(basis) = basis else { return Ok(()) };
    for span in (0..).map_while(|index| block::span(size, index)) {
        if !try_read(basis, span, &mut buffer)? {
            break;
        }
        receiver.found_basis(span.index, block::chaining_value(size, span.index, &buffer));
    }
    Ok(())
}

/// Copies into the staging file the blocks of the old file that the sender let stand, proving each
/// again: the old file may have changed since it was scanned.
///
/// Two threads, for the sender has nothing left to do and waits for it.
pub fn assemble(receiver: &Receiver, staging: &File, basis: Option<&File>) -> Result<(), StagingError> {
    let copies: Vec<(Span, Cv)> = receiver.to_copy().collect();
    let (first, second) = copies.split_at(copies.len() / 2);
    let copy = |copies: &[(Span, Cv)]| -> Result<(), StagingError> {
        let mut buffer = Aligned::default();
        for (span, cv) in copies {
            let basis = basis.ok_or(Violation::Damaged { index: span.index })?;
            read_block_once(basis, receiver.size(), *span, &mut buffer)?;
            store_block(staging, receiver.size(), *span, *cv, &buffer)?;
        }
        Ok(())
    };
    if copies.len() < WORTH_A_THREAD {
        return copy(&copies);
    }
    std::thread::scope(|threads| {
        let other = threads.spawn(|| copy(first));
        let own = copy(second);
        own.and(other.join().unwrap_or_else(|_| Err(io::Error::other("a thread of the disk failed").into())))
    })
}

/// The first block from `index` on that has data in it, leaving out holes.
fn next_data(file: &File, size: u64, index: u64) -> io::Result<Option<Span>> {
    let Some(span) = block::span(size, index) else { return Ok(None) };
    match seek(file, SeekFrom::Data(span.offset)) {
        Ok(data) => Ok(block::span(size, data / BLOCK as u64)),
        // No data from here to the end.
        Err(rustix::io::Errno::NXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Reads a block, or says that the file ends before it does.
fn try_read(file: &File, span: Span, buffer: &mut Aligned) -> io::Result<bool> {
    match read_block(file, span, buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Blocks looked at between two that come: a tenth of a second for a disk, and seconds for a slow one.
const PASSED: u64 = 128;
/// Bytes from which on a file is passed by the page cache when it is read once.
const LARGE: u64 = 64 << 20;
/// `RWF_DONTCACHE`, which rustix has no name for yet.
const DONT_CACHE: ReadWriteFlags = ReadWriteFlags::from_bits_retain(0x80);
/// Blocks that start on their way to the disk together.
const WRITE_BACK: u64 = 8;
/// Blocks below which a second thread costs more than it saves.
const WORTH_A_THREAD: usize = 16;
/// A write that lost this many races in a row does not fail for them.
const RACE_TRIES: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{Root, chaining_value, count};
    use std::io::Write;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(bytes).expect("written");
        file
    }

    fn building(size: u64) -> Building {
        Building::new(Receiver::new(size))
    }

    fn held(receiver: &Receiver) -> Vec<Option<Cv>> {
        receiver.held_pages().flat_map(|(_, cvs, _)| cvs).collect()
    }

    #[test]
    fn a_block_is_read_the_same_whether_or_not_it_is_cached() {
        let content: Vec<u8> = (0..2 * BLOCK + 10).map(|at| (at / 1000) as u8).collect();
        let file = file(&content);
        for size in [content.len() as u64, LARGE] {
            for (index, part) in content.chunks(BLOCK).enumerate() {
                let span = Span { index: index as u64, offset: (index * BLOCK) as u64, len: part.len() };
                let mut read = Aligned::default();
                read_block_once(&file, size, span, &mut read).expect("read");
                assert!(*read == *part);
            }
            let beyond = Span { index: 2, offset: 2 * BLOCK as u64, len: 11 };
            let ends = read_block_once(&file, size, beyond, &mut Aligned::default()).expect_err("it ends before");
            assert_eq!(ends.kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn a_scan_offers_what_is_there_and_skips_holes() {
        let size = 3 * BLOCK as u64 + 10;
        let content: Vec<u8> = (0..size).map(|i| (i / 1000) as u8).collect();
        let cv = |index: u64| {
            let span = block::span(size, index).expect("a block");
            Some(chaining_value(size, index, &content[span.offset as usize..][..span.len]))
        };
        let staging = file(b"");
        for index in [1, 3] {
            let span = block::span(size, index).expect("a block");
            let bytes = &content[span.offset as usize..][..span.len];
            building(size).store(&staging, span, cv(index).expect("a value"), bytes).expect("stored");
        }
        let mut receiver = Receiver::new(size);
        scan(&mut receiver, &staging, None).expect("scanned");
        assert_eq!(held(&receiver), [None, cv(1), None, cv(3)]);

        // A flipped bit makes another value, never a false claim.
        staging.write_all_at(b"!", BLOCK as u64 + 5).expect("damaged");
        let mut receiver = Receiver::new(size);
        scan(&mut receiver, &staging, Some(&file(&content[..2 * BLOCK]))).expect("scanned");
        let values = held(&receiver);
        assert_eq!((values[0], values[2], values[3]), (cv(0), None, cv(3)));
        assert!(values[1].is_some() && values[1] != cv(1));
    }

    #[test]
    fn what_the_sender_has_passed_by_is_copied_before_the_end() {
        let size = 5 * BLOCK as u64;
        let content: Vec<u8> = (0..size).map(|at| (at / 999) as u8).collect();
        let (staging, basis) = (file(b""), file(&content));
        let mut receiver = Receiver::new(size);
        scan(&mut receiver, &staging, Some(&basis)).expect("scanned");
        let building = Building::new(receiver);
        let to_copy = || building.receiver().as_ref().map_or(0, |receiver| receiver.to_copy().count());
        let (changed, span) = (vec![1; BLOCK], building.expects(2, BLOCK).expect("the third block"));
        let cv = chaining_value(size, 2, &changed);
        building.store(&staging, span, cv, &changed).expect("stored");
        building.copy_passed(&staging, &basis, 3).expect("copied");
        assert_eq!(to_copy(), 2, "the last two are not passed yet");
        // What spoils the old file now is noticed, and nothing of it is taken for what was let stand.
        basis.write_all_at(b"x", 3 * BLOCK as u64).expect("changed behind our back");
        building.copy_passed(&staging, &basis, 4).expect_err("other bytes");
        assert_eq!(to_copy(), 2);
        let receiver = building.seal().expect("not sealed yet");
        assert_eq!(receiver.tally().sent, BLOCK as u64);
        for (index, part) in [&content[..BLOCK], &content[BLOCK..2 * BLOCK], &changed[..]].into_iter().enumerate() {
            let mut read = Aligned::default();
            let span = block::span(size, index as u64).expect("a block");
            read_block(&staging, span, &mut read).expect("read");
            assert!(*read == *part, "block {index}");
        }
    }

    #[test]
    fn assembling_proves_the_old_bytes_again() {
        let size = 2 * BLOCK as u64;
        let content = vec![7; size as usize];
        let (staging, basis) = (file(b""), file(&content));
        let mut receiver = Receiver::new(size);
        scan(&mut receiver, &staging, Some(&basis)).expect("scanned");
        assemble(&receiver, &staging, Some(&basis)).expect("assembled");
        assert!(receiver.prove(Root(*blake3::hash(&content).as_bytes())).is_ok());
        assert_eq!(staging.metadata().expect("metadata").len(), size);
        assert_eq!(count(size), 2);

        basis.write_all_at(b"x", 3).expect("changed behind our back");
        let refused = assemble(&receiver, &staging, Some(&basis));
        assert!(matches!(refused, Err(StagingError::Violation(Violation::Damaged { index: 0 }))));
    }

    /// Full blocks go past the page cache where the file system lets them, ends never do, and both share the
    /// open file.
    #[test]
    fn full_blocks_and_ends_can_be_written_at_once() {
        let size = 40 * BLOCK as u64 + 7;
        let staging = file(b"");
        let content: Vec<u8> = (0..size).map(|at| (at / 4096) as u8).collect();
        let store = |index: u64| {
            let span = block::span(size, index).expect("a block");
            let mut bytes = Aligned::default();
            bytes.resize(span.len);
            bytes.copy_from_slice(&content[span.offset as usize..][..span.len]);
            store_block(&staging, size, span, chaining_value(size, index, &bytes), &bytes).expect("stored");
        };
        std::thread::scope(|threads| {
            threads.spawn(|| (0..40).for_each(store));
            threads.spawn(|| (0..40).for_each(|_| store(40)));
        });
        let mut receiver = Receiver::new(size);
        scan(&mut receiver, &staging, None).expect("scanned");
        receiver.prove(Root(*blake3::hash(&content).as_bytes())).expect("all of it stands");
        assert_eq!(staging.metadata().expect("metadata").len(), size);
    }

    #[test]
    fn a_damaged_block_is_not_written() {
        let staging = file(b"");
        let span = block::span(3, 0).expect("a block");
        let refused = building(3).store(&staging, span, chaining_value(3, 0, b"abc"), b"abd");
        assert!(matches!(refused, Err(StagingError::Violation(Violation::Damaged { index: 0 }))));
        assert_eq!(staging.metadata().expect("metadata").len(), 0);
    }

    #[test]
    fn what_is_noted_is_what_lies_there_and_nothing_comes_after_the_seal() {
        let (size, staging) = (2 * BLOCK as u64, file(b""));
        let building = building(size);
        let (one, other) = (vec![1; BLOCK], vec![2; BLOCK]);
        let span = building.expects(1, BLOCK).expect("the second block");
        let mut last = Cv([0; 32]);
        for bytes in [&one, &other, &other] {
            last = chaining_value(size, 1, bytes);
            building.store(&staging, span, last, bytes).expect("stored");
        }
        assert_eq!(building.missing(), [true, false]);
        // A disk that fails may have written a part of it: nothing is known of the place then.
        let unwritable = File::open("/dev/null").expect("opened");
        building.store(&unwritable, span, chaining_value(size, 1, &one), &one).expect_err("not written");
        assert_eq!(building.missing(), [true, true]);
        building.store(&staging, span, last, &other).expect("stored");
        let mut read = Aligned::default();
        read_block(&staging, span, &mut read).expect("read");
        assert!(*read == other);
        let receiver = building.seal().expect("not sealed yet");
        assert_eq!(held(&receiver), [None, Some(last)]);
        assert_eq!(receiver.tally().sent, 3 * BLOCK as u64, "what was there already does not count");
        let late = building.store(&staging, span, chaining_value(size, 1, &one), &one);
        assert!(matches!(late, Err(StagingError::Violation(Violation::Late { index: 1 }))));
        assert!(building.seal().is_err());
    }
}
