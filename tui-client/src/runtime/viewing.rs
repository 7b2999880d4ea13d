//! Reads for the viewer: pieces of files, and hunts that go through a file piece by piece.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use wire::message::Time;
use wire::{Code, Fault};

use super::disk;
use super::port::Port;
use super::reading::{Pulse, not_connected, panicked};
use crate::app::place::Place;
use crate::app::viewer::find::{Backward, Forward, Lines};
use crate::app::viewer::{Found, Goal, PIECE, Stamp};
use crate::update::{Ask, Msg, Seen};

/// Does what the viewer wants done, but for giving up.
pub(super) async fn look(port: Option<Port>, ask: Ask, inbox: mpsc::Sender<Msg>) {
    let seen = match ask {
        Ask::Piece { viewer, place, index } => {
            let result = read(port, place, index.saturating_mul(PIECE), PIECE).await;
            Seen::Piece { viewer, index, result }
        }
        Ask::Check { viewer, place } => {
            sleep(CHECK).await;
            let result = read(port, place, 0, 0).await.map(|(stamp, _)| stamp);
            Seen::Checked { viewer, result }
        }
        Ask::Hunt { serial, place, goal } => {
            let mut pulse = Pulse::new(inbox.clone());
            let told = move |done| pulse.beat(|| Msg::Seen(Seen::Hunting { serial, done }));
            Seen::Hunted { serial, result: hunt(port, place, goal, told).await }
        }
        Ask::Stop(_) => return,
    };
    // Refused only when the loop is over.
    let _ = inbox.send(Msg::Seen(seen)).await;
}

/// What the file is like, and `len` bytes of it, or fewer at its end.
async fn read(port: Option<Port>, place: Place, offset: u64, len: u64) -> Result<(Stamp, Bytes), Fault> {
    match (place, port) {
        (Place::Local(path), _) => spawn_blocking(move || read_here(&path, offset, len)).await.map_err(panicked)?,
        (Place::Remote(path), Some(port)) => {
            let piece = port.read(&path, offset, u32::try_from(len).unwrap_or(u32::MAX)).await?;
            Ok((Stamp { size: piece.size, mtime: piece.mtime }, piece.bytes.into()))
        }
        (Place::Remote(_), None) => Err(not_connected()),
    }
}

fn read_here(path: &Path, offset: u64, len: u64) -> Result<(Stamp, Bytes), Fault> {
    // A pipe without a writer would never be opened.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file =
        OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| disk::fault(&error, path))?;
    let meta = file.metadata().map_err(|error| disk::fault(&error, path))?;
    if !meta.is_file() {
        return Err(Fault::new(Code::Unsupported, "it is not a file"));
    }
    let bytes = read_at(&file, offset, len).map_err(|error| disk::fault(&error, path))?;
    let mtime = Time { secs: meta.mtime(), nanos: u32::try_from(meta.mtime_nsec()).unwrap_or_default() };
    // Files that a kernel makes up as they are read say that they are empty.
    let size = meta.len().max(if bytes.is_empty() { 0 } else { offset + bytes.len() as u64 });
    Ok((Stamp { size, mtime }, bytes))
}

fn read_at(file: &File, offset: u64, len: u64) -> std::io::Result<Bytes> {
    let mut buffer = vec![0; usize::try_from(len).unwrap_or(0)];
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64)? {
            0 => break,
            count => filled += count,
        }
    }
    buffer.truncate(filled);
    Ok(buffer.into())
}

/// Goes through a file until what is wanted was found.
async fn hunt(port: Option<Port>, place: Place, goal: Goal, mut told: impl FnMut(u64)) -> Result<Found, Fault> {
    let (stamp, _) = read(port.clone(), place.clone(), 0, 0).await?;
    let step = if place.is_local() { STEP_HERE } else { PIECE };
    let mut scan = Scan::new(goal, stamp.size)?;
    let mut pieces = pin!(pieces(port, place, step, scan.starts(step)));
    let mut done = 0;
    while let Some(piece) = pieces.next().await {
        let (at, bytes) = piece?;
        if let Some(found) = scan.feed(at, &bytes) {
            return Ok(found);
        }
        done += bytes.len() as u64;
        told(done);
    }
    Ok(scan.nothing())
}

/// The same with all of a file at hand.
#[cfg(test)]
pub(crate) fn looked_through(text: &[u8], goal: Goal) -> Result<Found, Fault> {
    let mut scan = Scan::new(goal, text.len() as u64)?;
    for start in scan.starts(PIECE) {
        let from = usize::try_from(start).unwrap_or(0);
        let piece = text.get(from..(from + 49_152).min(text.len())).unwrap_or_default();
        if let Some(found) = scan.feed(start, piece) {
            return Ok(found);
        }
    }
    Ok(scan.nothing())
}

/// What goes through the pieces of a file.
enum Scan {
    Forward { scan: Forward, from: u64, size: u64 },
    Backward { scan: Backward, before: u64 },
    Lines { scan: Lines, size: u64 },
}

impl Scan {
    fn new(goal: Goal, size: u64) -> Result<Self, Fault> {
        let broken = || Fault::new(Code::Internal, "that cannot be looked for");
        Ok(match goal {
            Goal::Next(needle, from) => {
                Scan::Forward { scan: Forward::new(&needle, from).ok_or_else(broken)?, from, size }
            }
            Goal::Previous(needle, before) => {
                let scan = Backward::new(&needle, before).ok_or_else(broken)?;
                Scan::Backward { scan, before: before.min(size) }
            }
            Goal::Line(line) => Scan::Lines { scan: Lines::new(line), size },
        })
    }

    /// Where pieces of this size begin, in the order in which they are wanted.
    fn starts(&self, step: u64) -> Box<dyn Iterator<Item = u64> + Send> {
        let all = |from: u64, to: u64| (from / step..to.div_ceil(step)).map(move |index| index * step);
        match self {
            Scan::Forward { from, size, .. } => Box::new(all(*from, *size)),
            Scan::Backward { before, .. } => Box::new(all(0, *before).rev()),
            Scan::Lines { size, .. } => Box::new(all(0, *size)),
        }
    }

    fn feed(&mut self, at: u64, piece: &[u8]) -> Option<Found> {
        match self {
            Scan::Forward { scan, .. } => scan.feed(at, piece).map(Found::Here),
            Scan::Backward { scan, .. } => scan.feed(at, piece).map(Found::Here),
            Scan::Lines { scan, size } => {
                // A line that has nothing in it, behind the last line end, is none.
                scan.feed(at, piece).filter(|at| at < size).map(|at| Found::Here((at, at)))
            }
        }
    }

    fn nothing(&self) -> Found {
        Found::Nowhere(if let Scan::Lines { scan, .. } = self { scan.told() } else { String::new() })
    }
}

/// The pieces of a file in the order asked for, some of them read ahead.
fn pieces(
    port: Option<Port>,
    place: Place,
    step: u64,
    starts: impl Iterator<Item = u64>,
) -> impl Stream<Item = Result<(u64, Bytes), Fault>> {
    let ahead = if place.is_local() { AHEAD_HERE } else { AHEAD_THERE };
    let read = move |at| {
        let (port, place) = (port.clone(), place.clone());
        async move { read(port, place, at, step).await.map(|(_, bytes)| (at, bytes)) }
    };
    stream::iter(starts).map(read).buffered(ahead)
}

/// Between two looks at whether the file is still the same.
const CHECK: Duration = Duration::from_secs(2);
/// Bytes read at once from a disk, and how many such reads are ahead of what is looked through.
const STEP_HERE: u64 = 1 << 20;
const AHEAD_HERE: usize = 3;
/// Pieces of a server's file on their way: 1.5 MiB, which a way of 100 ms brings over in ten times a second.
const AHEAD_THERE: usize = 32;
