//! Blocks in and out of files that are already open, for the sender and the receiver of either
//! side. Knows no paths and makes no names. All calls block: run them on a blocking thread, a whole
//! block or a whole scan at a time.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;

use rustix::fs::{Advice, OFlags, SeekFrom, fadvise, fcntl_getfl, fcntl_setfl, seek};
use rustix::io::Errno;

use crate::aligned::{Aligned, is_aligned};
use crate::block::{self, BLOCK, Cv, Span};
use crate::transfer::{Receiver, Violation};

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

/// Proves `bytes` against `cv` and writes them to their place, on their way to the disk already: the sync
/// at the end then finds little to wait for.
pub fn store_block(staging: &File, size: u64, span: Span, cv: Cv, bytes: &[u8]) -> Result<(), StagingError> {
    if block::chaining_value(size, span.index, bytes) != cv {
        return Err(Violation::Damaged { index: span.index }.into());
    }
    write_block(staging, bytes, span.offset)?;
    if (span.index + 1).is_multiple_of(WRITE_BACK) {
        start_write_back(staging, span.offset + span.len as u64);
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

/// Starts writing the last [`WRITE_BACK`] blocks before `end`. `DontNeed` is advice that Linux answers in this
/// way for pages that are not on the disk yet; there is no safe binding of `sync_file_range`.
fn start_write_back(file: &File, end: u64) {
    let span = WRITE_BACK * BLOCK as u64;
    // Advice: where it is not taken, the sync at the end does all of it.
    let _ = fadvise(file, end.saturating_sub(span), NonZeroU64::new(span), Advice::DontNeed);
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
pub fn assemble(receiver: &Receiver, staging: &File, basis: Option<&File>) -> Result<(), StagingError> {
    let mut buffer = Aligned::with_capacity(BLOCK);
    for (span, cv) in receiver.to_copy() {
        let basis = basis.ok_or(Violation::Damaged { index: span.index })?;
        read_block(basis, span, &mut buffer)?;
        store_block(staging, receiver.size(), span, cv, &buffer)?;
    }
    Ok(())
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

/// Blocks that start on their way to the disk together.
const WRITE_BACK: u64 = 8;
/// A write that lost this many races in a row does not fail for them.
const RACE_TRIES: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aligned::{Aligned, is_aligned};
    use crate::block::{Root, chaining_value, count};
    use std::io::Write;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(bytes).expect("written");
        file
    }

    fn held(receiver: &Receiver) -> Vec<Option<Cv>> {
        receiver.held_pages().flat_map(|(_, cvs, _)| cvs).collect()
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
            store_block(&staging, size, span, cv(index).expect("a value"), bytes).expect("stored");
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
        let refused = store_block(&staging, 3, span, chaining_value(3, 0, b"abc"), b"abd");
        assert!(matches!(refused, Err(StagingError::Violation(Violation::Damaged { index: 0 }))));
        assert_eq!(staging.metadata().expect("metadata").len(), 0);
    }
}
