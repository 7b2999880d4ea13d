//! Listings of a whole tree, asked for in one question: a far server is then not waited for once a level.

use std::collections::HashMap;
use std::mem::size_of;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wire::RemotePath;
use wire::message::{Entry, Op, RawPath};

use super::super::session::Session;

/// What the directories of a tree held a moment ago. Shared by the scans of the tree, gone with the last of them.
#[derive(Debug)]
pub(crate) struct Ahead {
    until: Instant,
    /// By the bytes of a directory's path.
    listings: Mutex<HashMap<Vec<u8>, Vec<Entry>>>,
    /// As many bytes as the listings take.
    _room: OwnedSemaphorePermit,
}

impl Ahead {
    /// Room for all trees together.
    pub(super) fn room() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(ROOM))
    }

    /// Asks for everything below `top`. `None` where that is no directory, cannot all be read or takes more than the
    /// room that is left: then each directory is asked for.
    pub(super) async fn ask(session: &Session, top: &RemotePath, room: &Arc<Semaphore>) -> Option<Arc<Self>> {
        let mut taken = room.clone().try_acquire_owned().ok()?;
        let mut listings: HashMap<Vec<u8>, Vec<Entry>> = HashMap::new();
        let mut pages = session.pages(Op::Walk { path: top.into() });
        while let Some(page) = pages.recv().await {
            let page = page.ok()?;
            let bytes = page.iter().map(|entry| size_of::<Entry>() + entry.name.0.len()).sum::<usize>();
            taken.merge(room.clone().try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()?);
            for entry in page {
                let (directory, entry) = apart(top, entry);
                listings.entry(directory).or_default().push(entry);
            }
        }
        let listings = Mutex::new(listings);
        Some(Arc::new(Self { until: Instant::now() + FRESH, listings, _room: taken }))
    }

    /// What a directory holds, once. `None` where that is not known or no longer: whoever takes it asks then. Of an
    /// empty directory nothing is known, as of one that went while the tree was walked.
    pub(super) fn take(&self, directory: &RemotePath) -> Option<Vec<Entry>> {
        let listed = self.listings.lock().unwrap_or_else(PoisonError::into_inner).remove(directory.as_bytes());
        listed.filter(|_| Instant::now() < self.until)
    }
}

/// The directory of an entry that was found below `top`, and the entry as a listing of it would have it.
fn apart(top: &RemotePath, entry: Entry) -> (Vec<u8>, Entry) {
    let mut names: Vec<&[u8]> = entry.name.0.rsplitn(2, |byte| *byte == b'/').collect();
    names.push(top.as_bytes());
    let above: Vec<&[u8]> = names.iter().skip(1).rev().copied().filter(|names| !names.is_empty()).collect();
    let (directory, name) = (above.join(&b'/'), names.first().map_or_else(Vec::new, |name| name.to_vec()));
    (directory, Entry { name: RawPath(name), ..entry })
}

/// Bytes of entries and their names: some 25,000 files.
const ROOM: usize = 4 << 20;
/// For how long a listing holds.
const FRESH: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use wire::message::{Kind, Time};

    use super::*;

    #[test]
    fn what_was_walked_is_told_apart_by_directory() {
        let home = RemotePath::home();
        let (a, deep) = (home.join(b"a").expect("a"), home.join(b"a").and_then(|a| a.join(b"\xff")).expect("deep"));
        let table: [(_, &[u8], &[u8], &[u8]); 5] = [
            (&home, b"x", b"", b"x"),
            (&home, b"a/x", b"a", b"x"),
            (&a, b"x", b"a", b"x"),
            (&a, b"\xff/x", b"a/\xff", b"x"),
            (&deep, b"b/c/..", b"a/\xff/b/c", b".."),
        ];
        for (top, name, directory, last) in table {
            let name = RawPath(name.to_vec());
            let entry =
                Entry { name, kind: Kind::File, size: 1, mtime: Time::default(), executable: false, root: None };
            let (found, entry) = apart(top, entry);
            assert_eq!((found.as_slice(), entry.name.0.as_slice()), (directory, last));
        }
    }
}
