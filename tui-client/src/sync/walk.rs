//! What a directory of this machine holds, all the way down: the same rows in the same order as a server's walk.
//! Blocks.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;
use wire::message::{Entry, RawPath};
use wire::path::escape;
use wire::{Code, Fault};

use crate::engine::{is_partial, local_entry};

/// A part of a walk.
#[derive(Clone, Debug)]
pub enum Part {
    /// Some entries, named by their paths from the directory on; each directory before what it holds.
    Page(Vec<Entry>),
    /// A directory of these that could not be read.
    Unread(Vec<u8>),
}

/// Whether subdirectories are walked, too.
pub type Deep = bool;

/// Hands out what a directory holds, until nobody wants the next part. Links are not followed; what an unfinished
/// download left is nobody's file.
pub fn walk(top: &Path, deep: Deep, parts: &mpsc::Sender<Result<Part, Fault>>) {
    let mut walk = Walk { parts, page: Vec::new() };
    let mut waiting: Vec<Vec<u8>> = vec![Vec::new()];
    while let Some(relative) = waiting.pop() {
        let below = walk.directory(top, &relative);
        match below {
            Ok(Some(below)) if deep => waiting.extend(below),
            Ok(Some(_)) => {}
            Ok(None) => return,
            // Gone since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !relative.is_empty() => {}
            Err(_) if !relative.is_empty() => {
                if walk.send(Ok(Part::Unread(relative))).is_none() {
                    return;
                }
            }
            Err(error) => {
                walk.send(Err(fault(&error, top)));
                return;
            }
        }
    }
    walk.hand_out();
}

struct Walk<'a> {
    parts: &'a mpsc::Sender<Result<Part, Fault>>,
    page: Vec<Entry>,
}

impl Walk<'_> {
    /// Its subdirectories; `None` when nobody listens any more.
    fn directory(&mut self, top: &Path, relative: &[u8]) -> io::Result<Option<Vec<Vec<u8>>>> {
        let mut below = Vec::new();
        let directory = if relative.is_empty() { top.to_owned() } else { place(top, relative) };
        for found in std::fs::read_dir(directory)? {
            let found = found?;
            let name = found.file_name();
            let metadata = match found.metadata() {
                // A name that vanished meanwhile is no row.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                // What is there but cannot be looked at must not pass for missing.
                metadata => metadata?,
            };
            if metadata.is_file() && is_partial(name.as_bytes()) {
                continue;
            }
            let mut path = relative.to_vec();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend(name.as_bytes());
            if metadata.is_dir() {
                below.push(path.clone());
            }
            self.page.push(local_entry(RawPath(path), &metadata));
            if self.page.len() >= PAGE && self.hand_out().is_none() {
                return Ok(None);
            }
        }
        Ok(Some(below))
    }

    fn hand_out(&mut self) -> Option<()> {
        let page = std::mem::take(&mut self.page);
        self.send(Ok(Part::Page(page)))
    }

    fn send(&self, part: Result<Part, Fault>) -> Option<()> {
        self.parts.blocking_send(part).ok()
    }
}

/// The place of a relative path below a directory.
pub fn place(top: &Path, relative: &[u8]) -> PathBuf {
    top.join(std::ffi::OsStr::from_bytes(relative))
}

/// An error of this machine's disk in words.
pub fn fault(error: &io::Error, path: &Path) -> Fault {
    let code = match error.kind() {
        io::ErrorKind::NotFound => Code::NotFound,
        io::ErrorKind::NotADirectory => Code::NotDirectory,
        io::ErrorKind::IsADirectory => Code::IsDirectory,
        io::ErrorKind::DirectoryNotEmpty => Code::NotEmpty,
        io::ErrorKind::PermissionDenied => Code::Denied,
        io::ErrorKind::StorageFull => Code::NoSpace,
        _ => Code::Io,
    };
    Fault::new(code, format!("{}: {error}", escape(path.as_os_str().as_bytes())))
}

/// Entries handed out at once.
const PAGE: usize = 512;

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;

    use super::*;

    fn walked(top: &Path, deep: Deep) -> Result<(Vec<String>, Vec<String>), Fault> {
        let (sender, mut parts) = mpsc::channel(64);
        walk(top, deep, &sender);
        drop(sender);
        let (mut paths, mut unread) = (Vec::new(), Vec::new());
        while let Some(part) = parts.blocking_recv() {
            match part? {
                Part::Page(page) => paths.extend(page.iter().map(|entry| escape(&entry.name.0))),
                Part::Unread(path) => unread.push(escape(&path)),
            }
        }
        Ok((paths, unread))
    }

    #[test]
    fn a_tree_with_hostile_names_links_and_leftovers() {
        let home = tempfile::tempdir().unwrap();
        let top = home.path();
        fs::create_dir_all(top.join("a/b")).unwrap();
        fs::write(top.join("a/b").join(OsStr::from_bytes(b"\xff\n")), "x").unwrap();
        fs::write(top.join("a/.0123456789abcdef.catamaran-part"), "x").unwrap();
        std::os::unix::fs::symlink("..", top.join("a/round")).unwrap();
        let (mut paths, unread) = walked(top, true).unwrap();
        let directory = paths.iter().position(|path| path == "a/b");
        assert!(directory < paths.iter().position(|path| path.starts_with("a/b/")));
        paths.sort();
        assert_eq!((paths, unread), (["a", "a/b", "a/b/\\xff\\n", "a/round"].map(str::to_owned).into(), vec![]));
        assert_eq!(walked(top, false).unwrap().0, ["a"]);
        assert_eq!(walked(&top.join("none"), true).unwrap_err().code, Code::NotFound);
    }
}
