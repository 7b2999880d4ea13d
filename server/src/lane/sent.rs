//! The downloads that a lane served last, by their numbers: what the client says of one when it is over can still be
//! understood.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use wire::RemotePath;

/// Shared by the reading and the sending side of a lane.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent(Arc<Mutex<Recent>>);

#[derive(Debug, Default)]
struct Recent {
    all: VecDeque<(u64, RemotePath)>,
    bytes: usize,
}

impl Sent {
    /// The oldest ones give way.
    pub(super) fn note(&self, transfer: u64, path: &RemotePath) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.bytes += weight(path);
        recent.all.push_back((transfer, path.clone()));
        while recent.bytes > KEPT
            && let Some((_, oldest)) = recent.all.pop_front()
        {
            recent.bytes -= weight(&oldest);
        }
    }

    pub(super) fn path_of(&self, transfer: u64) -> Option<RemotePath> {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.all.iter().rev().find(|(number, _)| *number == transfer).map(|(_, path)| path.clone())
    }

    /// For a lane that rests.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Recent::default();
    }
}

fn weight(path: &RemotePath) -> usize {
    path.as_bytes().len() + ENTRY
}

/// Bytes of a lane: some thousand files of common names.
pub(super) const KEPT: usize = 128 << 10;
/// Of an entry beside its path.
const ENTRY: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_known_in_bounded_memory() {
        let sent = Sent::default();
        let path = |number: u64| RemotePath::parse(format!("directory/{number}").as_bytes()).expect("a path");
        for number in 0..10_000 {
            sent.note(number, &path(number));
        }
        assert_eq!(sent.path_of(9_999), Some(path(9_999)));
        assert_eq!(sent.path_of(9_000), Some(path(9_000)));
        assert_eq!(sent.path_of(0), None);
        let recent = sent.0.lock().expect("whole").bytes;
        assert!(recent <= KEPT && recent > KEPT / 2, "{recent}");
        sent.note(10_000, &RemotePath::parse(&[b'x'; 200]).expect("a path"));
        sent.forget();
        assert_eq!(sent.path_of(10_000), None);
    }
}
