//! What a directory holds, and everything below it: handed out in pages, read as far as somebody wants them,
//! so that no directory is ever in memory whole and no thread waits for whoever takes the pages.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Dir, OFlags, statat};
use rustix::io::Errno;
use wire::RemotePath;
use wire::message::Kind;
use wire::path::MAX_PATH;

use super::jail::{self, Links};
use super::{Home, Node, VaultError};

/// Names with what they stand for; names are relative to the directory asked for.
pub type Page = Vec<(Vec<u8>, Node)>;

/// How far down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What the directory holds.
    One,
    /// And all below it, each directory before what it holds. Links are not followed.
    All,
}

/// A directory that is being read. Between two pages it holds open directories and nothing else.
pub struct Listing {
    top: OwnedFd,
    depth: Depth,
    /// Still to be read; the last one comes next.
    waiting: Vec<Below>,
    reading: Option<Reading>,
}

/// A directory by its path from the top. All that one directory holds share the beginning.
#[derive(Default)]
struct Below {
    above: Arc<Vec<u8>>,
    name: Vec<u8>,
}

struct Reading {
    path: Arc<Vec<u8>>,
    dir: OwnedFd,
    entries: Dir,
}

impl Home {
    /// Opens a directory, to be read page by page. The way to it may lead over links inside the home.
    pub fn listing(&self, path: &RemotePath, depth: Depth) -> Result<Listing, VaultError> {
        Ok(Listing::new(self.directory(path, Links::Inside)?, depth))
    }

    /// Bytes and files below a directory, counted by looking.
    pub fn measure(&self, path: &RemotePath) -> Result<(u64, u64), VaultError> {
        measure(self.directory(path, Links::Inside)?)
    }
}

/// Bytes and files below an open directory.
pub(super) fn measure(top: OwnedFd) -> Result<(u64, u64), VaultError> {
    let (mut bytes, mut files, mut all) = (0, 0, Listing::new(top, Depth::All));
    while let Some((_, node)) = all.next()? {
        if node.kind == Kind::File {
            bytes += node.stamp.size;
            files += 1;
        }
    }
    Ok((bytes, files))
}

impl Listing {
    fn new(top: OwnedFd, depth: Depth) -> Self {
        Self { top, depth, waiting: vec![Below::default()], reading: None }
    }

    /// The next names, those among them whose last name is `wanted`; `None` at the end. A page comes when it is
    /// full or [`SOON`], and may be empty. What lies deeper than a path can say is left out.
    pub fn page(&mut self, wanted: impl Fn(&[u8]) -> bool) -> Result<Option<Page>, VaultError> {
        let (mut page, mut bytes, begun) = (Page::new(), 0, Instant::now());
        while bytes < PAGE_BYTES && begun.elapsed() < SOON {
            let Some((path, node)) = self.next()? else { return Ok((!page.is_empty()).then_some(page)) };
            let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            if wanted(name) && path.len() <= MAX_PATH {
                bytes += path.len() + ROW_BYTES;
                page.push((path, node));
            }
        }
        Ok(Some(page))
    }

    /// The next name. What vanishes meanwhile is left out.
    fn next(&mut self) -> Result<Option<(Vec<u8>, Node)>, VaultError> {
        loop {
            let Some(reading) = &mut self.reading else {
                match self.waiting.pop() {
                    None => return Ok(None),
                    Some(below) => self.reading = self.open(below)?,
                }
                continue;
            };
            let Some(entry) = reading.entries.read() else {
                self.reading = None;
                continue;
            };
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let node = match statat(&reading.dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => Node::of(&stat),
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error.into()),
            };
            if self.depth == Depth::All && node.kind == Kind::Directory {
                self.waiting.push(Below { above: Arc::clone(&reading.path), name: name.to_bytes().to_vec() });
            }
            return Ok(Some((join(&reading.path, name.to_bytes()), node)));
        }
    }

    /// `None`: it vanished, or is no directory any more.
    fn open(&self, below: Below) -> Result<Option<Reading>, VaultError> {
        let path = join(&below.above, &below.name);
        match jail::open(self.top.as_fd(), &path, OFlags::DIRECTORY, Links::None) {
            Ok(dir) => Ok(Some(Reading { path: Arc::new(path), entries: Dir::read_from(&dir)?, dir })),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) if !path.is_empty() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn join(above: &[u8], name: &[u8]) -> Vec<u8> {
    if above.is_empty() { name.to_vec() } else { [above, b"/", name].concat() }
}

/// Calls `row` with each entry but `.` and `..`. An entry that vanishes meanwhile is left out.
pub(super) fn each(
    dir: &OwnedFd,
    mut row: impl FnMut(&[u8], Node) -> Result<(), VaultError>,
) -> Result<(), VaultError> {
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => row(name.to_bytes(), Node::of(&stat))?,
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Encoded bytes of an entry besides its name: length, kind, size, time, bit, and hash.
const ROW_BYTES: usize = 8 + 4 + 8 + 12 + 1 + 33;
/// How long a thread looks for what is wanted before it lets others work.
const SOON: Duration = Duration::from_millis(200);
/// With one more name well within a control frame of 64 KiB.
pub const PAGE_BYTES: usize = 48 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::tests::{home, path};
    use std::os::unix::fs::symlink;

    /// All pages of names, as text.
    fn read(mut listing: Listing, wanted: impl Fn(&[u8]) -> bool) -> Vec<Vec<String>> {
        let names = |page: Page| page.into_iter().map(|(name, _)| String::from_utf8(name).expect("text")).collect();
        std::iter::from_fn(|| listing.page(&wanted).expect("read").map(names)).collect()
    }

    fn sorted(pages: Vec<Vec<String>>) -> Vec<String> {
        let mut names = pages.concat();
        names.sort();
        names
    }

    #[test]
    fn pages_hold_everything_once() {
        let (dir, home) = home();
        let files = dir.path().join("ada/files");
        for index in 0..1500 {
            std::fs::write(files.join(format!("file-{index}")), [0; 3]).expect("written");
        }
        let pages = read(home.listing(&path(""), Depth::One).expect("opened"), |_| true);
        assert!(pages.len() > 1);
        let mut names = sorted(pages);
        names.dedup();
        assert_eq!(names.len(), 1500);
        assert_eq!(home.measure(&path("")).expect("measured"), (4500, 1500));
    }

    #[test]
    fn wanted_names_are_found_at_any_depth() {
        let (dir, home) = home();
        let files = dir.path().join("ada/files");
        std::fs::create_dir_all(files.join("a/hit/b")).expect("made");
        for name in ["hit", "a/hit/b/hit", "a/hit/other"] {
            std::fs::write(files.join(name), "x").expect("written");
        }
        let hit = |name: &[u8]| name == b"hit";
        let all = home.listing(&path(""), Depth::All).expect("opened");
        assert_eq!(sorted(read(all, hit)), ["a/hit", "a/hit/b/hit", "hit"]);
        assert_eq!(sorted(read(home.listing(&path(""), Depth::One).expect("opened"), hit)), ["hit"]);
        assert!(matches!(home.listing(&path("nowhere"), Depth::One), Err(VaultError::NotFound)));
    }

    #[test]
    fn a_walk_goes_down_but_not_through_links() {
        let (dir, home) = home();
        let files = dir.path().join("ada/files");
        std::fs::create_dir_all(files.join("a/b")).expect("made");
        std::fs::write(files.join("a/b/f"), "x").expect("written");
        symlink("..", files.join("a/round")).expect("linked");
        let names = sorted(read(home.listing(&path("a"), Depth::All).expect("opened"), |_| true));
        assert_eq!(names, ["b", "b/f", "round"]);
    }
}
