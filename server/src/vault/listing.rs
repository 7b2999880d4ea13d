//! What a directory holds, and everything below it: handed out in pages as it is read, so that no
//! directory is ever in memory whole.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Dir, statat};
use rustix::io::Errno;
use wire::RemotePath;
use wire::message::Kind;

use super::jail::Links;
use super::{Home, Node, VaultError};

/// Names with what they stand for; names are relative to the directory asked for.
pub type Page = Vec<(Vec<u8>, Node)>;

/// Whether whoever takes the pages wants more.
pub type GoOn = bool;

impl Home {
    /// The entries of a directory, in the order of the disk, page by page.
    pub fn list(&self, path: &RemotePath, mut page: impl FnMut(Page) -> GoOn) -> Result<(), VaultError> {
        let mut pages = Pages { page: &mut page, filling: Page::new(), bytes: 0 };
        each(&self.directory(path, Links::Inside)?, |name, node| pages.push(name.to_vec(), node))?;
        pages.finish()
    }

    /// Everything below a directory, each directory before what it holds. Links are not followed.
    /// A directory that vanishes meanwhile is left out.
    pub fn walk(&self, path: &RemotePath, page: impl FnMut(Page) -> GoOn) -> Result<(), VaultError> {
        self.below(path, page, |pages, full, _, node| pages.push(full, node))
    }

    /// Of everything below a directory what has a last name that is `wanted`. Pages come when they are full,
    /// or when something was found and some time has passed. `go_on` is asked at every name.
    pub fn search(
        &self,
        path: &RemotePath,
        wanted: impl Fn(&[u8]) -> bool,
        go_on: impl Fn() -> GoOn,
        page: impl FnMut(Page) -> GoOn,
    ) -> Result<(), VaultError> {
        let mut handed_out = Instant::now();
        self.below(path, page, |pages, full, name, node| {
            if !go_on() {
                return Err(VaultError::Cancelled);
            }
            if wanted(name) {
                pages.push(full, node)?;
            }
            if !pages.filling.is_empty() && handed_out.elapsed() > SOON {
                handed_out = Instant::now();
                pages.hand_out()?;
            }
            Ok(())
        })
    }

    /// Calls `row` with the relative path, the last name and the node of everything below a directory.
    fn below<F: FnMut(Page) -> GoOn>(
        &self,
        path: &RemotePath,
        mut page: F,
        mut row: impl FnMut(&mut Pages<'_, F>, Vec<u8>, &[u8], Node) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        // The first step may lead over links inside the home, as a listing does; none below it.
        let top = self.directory(path, Links::Inside)?;
        let mut pages = Pages { page: &mut page, filling: Page::new(), bytes: 0 };
        visit(&top, |full, name, node| row(&mut pages, full, name, node))?;
        pages.finish()
    }

    /// Bytes and files below a directory, counted by looking.
    pub fn measure(&self, path: &RemotePath) -> Result<(u64, u64), VaultError> {
        measure(&self.directory(path, Links::Inside)?)
    }
}

/// Bytes and files below an open directory.
pub(super) fn measure(top: &OwnedFd) -> Result<(u64, u64), VaultError> {
    let (mut bytes, mut files) = (0, 0);
    visit(top, |_, _, node| {
        if node.kind == Kind::File {
            bytes += node.stamp.size;
            files += 1;
        }
        Ok(())
    })?;
    Ok((bytes, files))
}

/// Calls `row` with the relative path, the last name and the node of everything below an open directory.
fn visit(top: &OwnedFd, mut row: impl FnMut(Vec<u8>, &[u8], Node) -> Result<(), VaultError>) -> Result<(), VaultError> {
    let mut waiting: Vec<Vec<u8>> = vec![Vec::new()];
    while let Some(relative) = waiting.pop() {
        let opened = super::jail::open(top.as_fd(), &relative, DIRECTORY, Links::None);
        let dir = match opened {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) if !relative.is_empty() => continue,
            opened => opened?,
        };
        each(&dir, |name, node| {
            let mut full = relative.clone();
            if !full.is_empty() {
                full.push(b'/');
            }
            full.extend_from_slice(name);
            if node.kind == Kind::Directory {
                waiting.push(full.clone());
            }
            row(full, name, node)
        })?;
    }
    Ok(())
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

struct Pages<'a, F: FnMut(Page) -> GoOn> {
    page: &'a mut F,
    filling: Page,
    bytes: usize,
}

impl<F: FnMut(Page) -> GoOn> Pages<'_, F> {
    fn push(&mut self, name: Vec<u8>, node: Node) -> Result<(), VaultError> {
        let row = name.len() + ROW_BYTES;
        if self.bytes + row > PAGE_BYTES {
            self.hand_out()?;
        }
        self.bytes += row;
        self.filling.push((name, node));
        Ok(())
    }

    fn hand_out(&mut self) -> Result<(), VaultError> {
        self.bytes = 0;
        if (self.page)(std::mem::take(&mut self.filling)) { Ok(()) } else { Err(VaultError::Cancelled) }
    }

    fn finish(mut self) -> Result<(), VaultError> {
        if self.filling.is_empty() { Ok(()) } else { self.hand_out() }
    }
}

const DIRECTORY: rustix::fs::OFlags = rustix::fs::OFlags::DIRECTORY;
/// Encoded bytes of an entry besides its name: length, kind, size, time, bit, and hash.
const ROW_BYTES: usize = 8 + 4 + 8 + 12 + 1 + 33;
/// How long what was found may wait for more.
const SOON: Duration = Duration::from_millis(200);
/// Well within a control frame of 64 KiB.
const PAGE_BYTES: usize = 48 << 10;

#[cfg(test)]
mod tests {
    use crate::vault::VaultError;
    use crate::vault::tests::{home, path};
    use std::os::unix::fs::symlink;

    #[test]
    fn pages_hold_everything_once() {
        let (dir, home) = home();
        let files = dir.path().join("ada/files");
        for index in 0..1500 {
            std::fs::write(files.join(format!("file-{index}")), [0; 3]).expect("written");
        }
        let (mut names, mut pages) = (Vec::new(), 0);
        home.list(&path(""), |page| {
            pages += 1;
            names.extend(page.into_iter().map(|(name, _)| name));
            true
        })
        .expect("listed");
        names.sort();
        names.dedup();
        assert!(pages > 1 && names.len() == 1500);
        assert_eq!(home.measure(&path("")).expect("measured"), (4500, 1500));
        assert!(matches!(home.list(&path(""), |_| false), Err(VaultError::Cancelled)));
    }

    #[test]
    fn a_search_finds_names_at_any_depth_and_can_be_stopped() {
        let (dir, home) = home();
        let files = dir.path().join("ada/files");
        std::fs::create_dir_all(files.join("a/hit/b")).expect("made");
        for name in ["hit", "a/hit/b/hit", "a/hit/other"] {
            let _ = std::fs::write(files.join(name), "x");
        }
        let mut names = Vec::new();
        let hit = |name: &[u8]| name == b"hit";
        let take = |names: &mut Vec<Vec<u8>>, page: super::Page| names.extend(page.into_iter().map(|(name, _)| name));
        home.search(
            &path(""),
            hit,
            || true,
            |page| {
                take(&mut names, page);
                true
            },
        )
        .expect("searched");
        names.sort();
        assert_eq!(names, [b"a/hit".to_vec(), b"a/hit/b/hit".to_vec(), b"hit".to_vec()]);
        let stopped = home.search(&path(""), hit, || false, |_| panic!("nothing was found yet"));
        assert!(matches!(stopped, Err(VaultError::Cancelled)));
    }

    #[test]
    fn a_walk_goes_down_but_not_through_links() {
        let (dir, home) = home();
        let files = dir.path().join("ada/files");
        std::fs::create_dir_all(files.join("a/b")).expect("made");
        std::fs::write(files.join("a/b/f"), "x").expect("written");
        symlink("..", files.join("a/round")).expect("linked");
        let mut names = Vec::new();
        home.walk(&path("a"), |page| {
            names.extend(page.into_iter().map(|(name, _)| String::from_utf8(name).expect("text")));
            true
        })
        .expect("walked");
        names.sort();
        assert_eq!(names, ["b", "b/f", "round"]);
    }
}
