//! Files of this machine, as the engine needs them: listings, sources, hashes, directories entered
//! without following links. All calls block. Knows no queue and no network.

pub(crate) mod part;

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use wire::block::{self, Span};
use wire::message::{Entry, Kind, Offer, RawPath, Time};
use wire::path::escape;
use wire::{Aligned, Code, Cv, Fault, staging};

use super::status::Side;

/// A file to be sent, open, with what it was when it was opened.
#[derive(Debug)]
pub(crate) struct Source {
    /// Read by whole blocks.
    pub(crate) file: File,
    path: PathBuf,
    stamp: Stamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    size: u64,
    mtime: Time,
    identity: (u64, u64),
    executable: bool,
}

impl Source {
    /// Opens a regular file; never waits for the other end of a pipe.
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        let told = |error| fault(path, &error);
        let file = OpenOptions::new()
            .read(true)
            .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32)
            .open(path)
            .map_err(told)?;
        let metadata = file.metadata().map_err(told)?;
        match kind(&metadata) {
            Kind::File => Ok(Self { file, path: path.to_owned(), stamp: Stamp::of(&metadata) }),
            Kind::Directory => Err(Fault::new(Code::IsDirectory, format!("{} is a directory", shown(path)))),
            _ => Err(Fault::new(Code::Denied, format!("{} is not a regular file", shown(path)))),
        }
    }

    /// Its size and time, without a hash.
    pub(crate) fn side(&self) -> Side {
        Side { size: self.stamp.size, mtime: self.stamp.mtime, root: None }
    }

    /// Device and inode.
    pub(crate) fn identity(&self) -> (u64, u64) {
        self.stamp.identity
    }

    /// What is announced of it.
    pub(crate) fn offer(&self, eager: bool) -> Offer {
        Offer { size: self.stamp.size, mtime: self.stamp.mtime, executable: self.stamp.executable, eager }
    }

    /// Whether the name still means the same file with the same size and time, so that what was
    /// read is one version of it.
    pub(crate) fn unchanged(&self) -> bool {
        let same = |metadata: io::Result<Metadata>| metadata.is_ok_and(|now| Stamp::of(&now) == self.stamp);
        same(self.file.metadata()) && same(std::fs::metadata(&self.path))
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.len(),
            mtime: mtime(metadata),
            identity: (metadata.dev(), metadata.ino()),
            executable: is_executable(metadata),
        }
    }
}

/// The entries of a directory, links not followed, sorted by name.
pub(crate) fn list(dir: &Path) -> Result<Vec<Entry>, Fault> {
    let told = |error| fault(dir, &error);
    let mut entries = Vec::new();
    for found in std::fs::read_dir(dir).map_err(told)? {
        let found = found.map_err(told)?;
        let name = RawPath(found.file_name().as_bytes().to_vec());
        match found.metadata() {
            Ok(metadata) => entries.push(entry(name, &metadata)),
            // Gone since it was listed: as if it had never been there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(fault(&found.path(), &error)),
        }
    }
    entries.sort_unstable_by(|a, b| a.name.0.cmp(&b.name.0));
    Ok(entries)
}

/// What a path of the user's own stands for; a link is followed, for it was named.
pub(crate) fn stat(path: &Path) -> Result<Entry, Fault> {
    let metadata = std::fs::metadata(path).map_err(|error| fault(path, &error))?;
    let name = path.file_name().map(|name| name.as_bytes().to_vec()).unwrap_or_default();
    Ok(entry(RawPath(name), &metadata))
}

/// The same of what a move would take away: a link is itself.
pub(crate) fn stat_itself(path: &Path) -> Result<Entry, Fault> {
    let metadata = std::fs::symlink_metadata(path).map_err(|error| fault(path, &error))?;
    Ok(entry(RawPath(Vec::new()), &metadata))
}

/// What a name means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identified {
    pub(crate) kind: Kind,
    pub(crate) side: Side,
    /// Device and inode.
    pub(crate) identity: (u64, u64),
}

/// What a name means, links being themselves; `None` where it means nothing.
pub(crate) fn identify(path: &Path) -> Result<Option<Identified>, Fault> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault(path, &error)),
        Ok(metadata) => {
            let now = Stamp::of(&metadata);
            let side = Side { size: now.size, mtime: now.mtime, root: None };
            Ok(Some(Identified { kind: kind(&metadata), side, identity: now.identity }))
        }
    }
}

/// Removes a file if its name still means what was sent, else tells what it means now. A name that is
/// gone is as good as removed.
pub(crate) fn remove_sent(path: &Path, sent: &Side, identity: Option<(u64, u64)>) -> Result<Option<Side>, Fault> {
    let metadata = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        metadata => metadata.map_err(|error| fault(path, &error))?,
    };
    let now = Stamp::of(&metadata);
    let is_same = kind(&metadata) == Kind::File && (now.size, now.mtime) == (sent.size, sent.mtime);
    if !is_same || Some(now.identity) != identity {
        return Ok(Some(Side { size: now.size, mtime: now.mtime, root: None }));
    }
    gone(std::fs::remove_file(path)).map_err(|error| fault(path, &error))?;
    Ok(None)
}

/// Removes a directory if it is empty; one that is gone is as good as removed.
pub(crate) fn remove_empty(path: &Path) -> Result<(), Fault> {
    gone(std::fs::remove_dir(path)).map_err(|error| match error.kind() {
        io::ErrorKind::DirectoryNotEmpty => Fault::new(Code::NotEmpty, format!("{} is not empty", shown(path))),
        _ => fault(path, &error),
    })
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The row of something on this machine's disk.
pub(crate) fn entry(name: RawPath, metadata: &Metadata) -> Entry {
    let kind = kind(metadata);
    let is_file = kind == Kind::File;
    Entry {
        name,
        kind,
        size: if is_file { metadata.len() } else { 0 },
        mtime: mtime(metadata),
        executable: is_file && is_executable(metadata),
        root: None,
    }
}

fn kind(metadata: &Metadata) -> Kind {
    match metadata.file_type() {
        kind if kind.is_file() => Kind::File,
        kind if kind.is_dir() => Kind::Directory,
        kind if kind.is_symlink() => Kind::Link,
        _ => Kind::Other,
    }
}

fn mtime(metadata: &Metadata) -> Time {
    Time { secs: metadata.mtime(), nanos: u32::try_from(metadata.mtime_nsec()).unwrap_or(0) }
}

fn is_executable(metadata: &Metadata) -> bool {
    metadata.mode() & 0o100 != 0
}

/// Size and time of an entry, with its root where it is known.
pub(crate) fn side(entry: &Entry) -> Side {
    Side { size: entry.size, mtime: entry.mtime, root: entry.root }
}

/// The values of all blocks of an open file, which must have `size` bytes. They fold to its hash.
pub(crate) fn values(file: &File, size: u64) -> io::Result<Vec<Cv>> {
    let mut buffer = Aligned::default();
    let value = |span: Span| {
        staging::read_block(file, span, &mut buffer)?;
        Ok(block::chaining_value(size, span.index, &buffer))
    };
    (0..).map_while(|index| block::span(size, index)).map(value).collect()
}

/// Enters the directory of `target`, whose last `depth` names lie in a tree that is being copied:
/// above them links are the user's own and are followed, within them none is. Missing directories
/// are made.
pub(crate) fn enter(target: &Path, depth: usize) -> Result<OwnedFd, Fault> {
    let dir = target.parent().unwrap_or(Path::new("."));
    let below: Vec<&std::ffi::OsStr> = normal_names(dir).into_iter().rev().take(depth.saturating_sub(1)).collect();
    let root = dir.ancestors().nth(below.len()).unwrap_or(dir);
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    std::fs::create_dir_all(root).map_err(|error| fault(root, &error))?;
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
    let told = |error: Errno| link_fault(dir, error);
    let mut here = rustix::fs::open(root, flags, Mode::empty()).map_err(told)?;
    for name in below.into_iter().rev() {
        match rustix::fs::mkdirat(&here, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(told(error)),
        }
        here = rustix::fs::openat(&here, name, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(told)?;
    }
    Ok(here)
}

/// Makes the directory `target` of a tree, with the same care.
pub(crate) fn make_dir(target: &Path, depth: usize) -> Result<(), Fault> {
    // As if for a file in it.
    enter(&target.join("x"), depth + 1).map(drop)
}

fn normal_names(path: &Path) -> Vec<&std::ffi::OsStr> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        })
        .collect()
}

fn link_fault(path: &Path, error: Errno) -> Fault {
    match error {
        Errno::LOOP | Errno::NOTDIR => Fault::new(
            Code::NotDirectory,
            format!("{} leads through a link or a file; nothing is written there", shown(path)),
        ),
        error => fault(path, &error.into()),
    }
}

/// A failure of the local disk, in the words of the protocol.
pub(crate) fn fault(path: &Path, error: &io::Error) -> Fault {
    let path = shown(path);
    let (code, message) = match error.kind() {
        io::ErrorKind::NotFound => (Code::NotFound, format!("{path} does not exist")),
        io::ErrorKind::ReadOnlyFilesystem => (Code::Denied, format!("{path} is on a read-only file system")),
        io::ErrorKind::PermissionDenied => (Code::Denied, format!("no permission for {path}")),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (Code::NoSpace, format!("the local disk is full, writing {path}"))
        }
        io::ErrorKind::NotADirectory => (Code::NotDirectory, format!("{path} is not below a directory")),
        io::ErrorKind::IsADirectory => (Code::IsDirectory, format!("{path} is a directory")),
        io::ErrorKind::InvalidFilename => (Code::BadPath, format!("{path} is too long a name for the local disk")),
        io::ErrorKind::UnexpectedEof => (Code::Changed, format!("{path} became shorter while it was read")),
        _ => (Code::Io, format!("{path}: {error}")),
    };
    Fault::new(code, message)
}

/// A local path, safe to print.
pub(crate) fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_within_a_tree_are_not_followed() {
        let dir = tempfile::tempdir().expect("a directory");
        let outside = tempfile::tempdir().expect("a directory");
        let tree = dir.path().join("tree");
        enter(&tree.join("a/b/file"), 3).expect("made");
        assert!(tree.join("a/b").is_dir());
        symlink(outside.path(), tree.join("a/out")).expect("linked");
        let refused = enter(&tree.join("a/out/file"), 3).expect_err("a link in the tree");
        assert_eq!(refused.code, Code::NotDirectory);
        // The same link above the tree is the user's own.
        enter(&tree.join("a/out/file"), 1).expect("followed");
        make_dir(&tree.join("a/out/sub"), 3).expect_err("a link in the tree");
        assert!(std::fs::read_dir(outside.path()).expect("listed").next().is_none());
    }

    #[test]
    fn a_source_notices_that_it_changed() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        std::fs::write(&path, b"one").expect("written");
        let source = Source::open(&path).expect("opened");
        assert!(source.unchanged());
        std::fs::write(dir.path().join("other"), b"two").expect("written");
        std::fs::rename(dir.path().join("other"), &path).expect("replaced");
        assert!(!source.unchanged());
        let source = Source::open(&path).expect("opened");
        std::fs::write(&path, b"longer").expect("written");
        assert!(!source.unchanged());
        assert_eq!(Source::open(dir.path()).map(drop).map_err(|fault| fault.code), Err(Code::IsDirectory));
    }
}
