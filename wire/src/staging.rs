//! Blocks in and out of files that are already open, for the sender and the receiver of either
//! side. Knows no paths and makes no names. All calls block: run them on a blocking thread, a whole
//! block or a whole scan at a time.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{Advice, FallocateFlags, OFlags, SeekFrom, fadvise, fallocate, fcntl_getfl, fcntl_setfl, seek};
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

/// Proves `bytes` against `cv` and writes them to their place. Zeros become a hole, the last of them one that the caller
/// makes by the file's length.
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
            receiver.stored(span.index, cv, block::is_zeros(bytes));
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
    if block::is_zeros(bytes) && make_hole(staging, span)? {
        return Ok(());
    }
    write_block(staging, bytes, span.offset)?;
    let within = span.index % WRITE_BACK;
    if within == 0 || within == WRITE_BACK - 1 {
        start_write_back(staging, (span.index - within) * BLOCK as u64);
    }
    Ok(())
}

/// Whether a block reads as zeros now without being written: nothing was there yet, or it could be given back to the disk.
fn make_hole(file: &File, span: Span) -> io::Result<bool> {
    let is_beyond = file.metadata()?.len() <= span.offset;
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    Ok(is_beyond || fallocate(file, punch, span.offset, span.len as u64).is_ok())
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
/// again: the old file may have changed since it was scanned. Gives the file its length.
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
        copy(&copies)?;
    } else {
        std::thread::scope(|threads| {
            let other = threads.spawn(|| copy(first));
            let own = copy(second);
            own.and(other.join().unwrap_or_else(|_| Err(io::Error::other("a thread of the disk failed").into())))
        })?;
    }
    // An earlier try may have been longer, and zeros at the end were not written.
    Ok(staging.set_len(receiver.size())?)
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
mod tests;
