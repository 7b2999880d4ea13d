//! Whole files, block by block: at a rate, past the page cache, in memory that is taken once.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use wire::block::{self, BLOCK, Span};
use wire::staging::read_block_aside;
use wire::{Aligned, Root};

/// Reads files one after another. Blocks: to be used on a blocking thread.
pub(super) struct Reader {
    buffer: Aligned,
    pace: Pace,
    stop: CancellationToken,
}

/// Why a file was not read to its end.
#[derive(Debug)]
pub(super) enum Cut {
    /// Nobody wants it any more.
    Stopped,
    /// It ended early.
    Shorter,
    /// The disk failed.
    Io,
}

impl Reader {
    pub(super) fn new(rate: Option<u64>, stop: CancellationToken) -> Self {
        let pace = Pace { rate, due: Instant::now() };
        Self { buffer: Aligned::with_capacity(BLOCK), pace, stop }
    }

    /// Hands out the blocks of a file of `size` bytes.
    pub(super) fn read(&mut self, file: &File, size: u64, mut block: impl FnMut(Span, &[u8])) -> Result<(), Cut> {
        for span in (0..).map_while(|index| block::span(size, index)) {
            if self.stop.is_cancelled() {
                return Err(Cut::Stopped);
            }
            read_block_aside(file, span, &mut self.buffer).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => Cut::Shorter,
                _ => Cut::Io,
            })?;
            block(span, &self.buffer);
            let wait = self.pace.after(span.len, Instant::now());
            self.rest(wait)?;
        }
        Ok(())
    }

    /// The hash of a file.
    pub(super) fn root(&mut self, file: &File, size: u64) -> Result<Root, Cut> {
        let mut hasher = blake3::Hasher::new();
        self.read(file, size, |_, bytes| {
            hasher.update(bytes);
        })?;
        Ok(Root(*hasher.finalize().as_bytes()))
    }

    /// Sleeps, and wakes up soon when it is to stop.
    fn rest(&self, wait: Duration) -> Result<(), Cut> {
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            if self.stop.is_cancelled() {
                return Err(Cut::Stopped);
            }
            std::thread::sleep(left.min(NAP));
        }
    }
}

/// Holds reading to a rate.
struct Pace {
    /// Bytes a second; `None`: as fast as it goes.
    rate: Option<u64>,
    /// When the next byte may be read.
    due: Instant,
}

impl Pace {
    /// How long to wait after some bytes. Time in which nothing was read is not made up for.
    fn after(&mut self, bytes: usize, now: Instant) -> Duration {
        let Some(rate) = self.rate else { return Duration::ZERO };
        let cost = Duration::from_secs_f64(bytes as f64 / rate.max(1) as f64);
        self.due = (self.due + cost).max(now);
        self.due.saturating_duration_since(now)
    }
}

/// How late a stop may be noticed.
const NAP: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_held_and_lost_time_is_not_made_up_for() {
        let start = Instant::now();
        let mut pace = Pace { rate: Some(1000), due: start };
        let second = Duration::from_secs(1);
        assert_eq!(pace.after(500, start), second / 2);
        // Reading took a part of the time itself.
        assert_eq!(pace.after(1000, start + second), second / 2);
        assert_eq!(pace.after(1000, start + 9 * second), Duration::ZERO);
        assert_eq!(pace.after(2000, start + 9 * second), 2 * second);
        assert_eq!(Pace { rate: None, due: start }.after(usize::MAX, start), Duration::ZERO);
    }

    #[test]
    fn a_reader_stops_between_blocks_and_knows_files_that_have_shrunk() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(3 * BLOCK as u64).expect("grown");
        let stop = CancellationToken::new();
        let mut reader = Reader::new(None, stop.clone());
        let mut read = 0;
        reader.read(&file, 3 * BLOCK as u64, |_, bytes| read += bytes.len()).expect("read");
        assert_eq!(read, 3 * BLOCK);
        assert!(matches!(reader.read(&file, 4 * BLOCK as u64, |_, _| {}), Err(Cut::Shorter)));
        let cut = reader.read(&file, 3 * BLOCK as u64, |span, _| {
            assert_eq!(span.index, 0);
            stop.cancel();
        });
        assert!(matches!(cut, Err(Cut::Stopped)));
    }
}
