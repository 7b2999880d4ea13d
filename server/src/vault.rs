//! The only code that touches users' files. A [`Home`] is held by three open directories; everything
//! below them is reached by descriptor, never by a path string. All calls block: run whole operations
//! in one blocking task. Knows nothing of quotas, records or sockets.
//!
//! - [`jail`]: names resolved by the kernel beneath the home
//! - [`listing`]: what a directory holds, and what lies below it
//! - [`reading`]: pieces of a file
//! - [`disk`]: the syncs and the rename that publishes
//! - [`change`]: directories made, names given and taken
//! - [`staging`]: unfinished files, and the steps that publish them
//! - [`trash`]: what was deleted and can come back

mod change;
mod disk;
mod jail;
mod listing;
mod reading;
mod staging;
mod trash;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FileType, Mode, OFlags, StatVfs, statvfs};
use rustix::io::Errno;
use wire::UserName;
use wire::message::{Entry, Kind, RawPath, Time};

pub use change::Freed;
pub use disk::Disk;
pub use listing::{Depth, Listing, PAGE_BYTES, Page};
pub use staging::{Leftover, Staged, staging_name};

/// Why an operation on a home failed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Nothing has that name.
    #[error("there is no such file or directory")]
    NotFound,
    /// Something has that name.
    #[error("the name exists already")]
    Exists(Option<Stamp>),
    /// A file stands where a directory is needed.
    #[error("a part of the path is not a directory")]
    NotDirectory,
    /// A directory stands where a file is needed.
    #[error("it is a directory")]
    IsDirectory,
    /// A directory is not empty.
    #[error("the directory is not empty")]
    NotEmpty,
    /// A link out of the home, a device, a socket, or a pipe.
    #[error("it leads out of the home or is not a regular file")]
    Denied,
    /// A directory was to go below itself, or a name is too long for the disk.
    #[error("the target path cannot be used: {0}")]
    BadTarget(&'static str),
    /// The disk is full.
    #[error("the server's disk is full")]
    NoSpace,
    /// The file system has no files of that size.
    #[error("the file is larger than the server's disk can hold")]
    TooLarge,
    /// The file was written while it was read.
    #[error("the file changed while it was read")]
    Changed,
    /// Whoever asked is gone.
    #[error("cancelled")]
    Cancelled,
    /// No more files can be opened for now.
    #[error("the server has too many files open; try again in a moment")]
    Busy,
    /// The disk failed.
    #[error("the disk failed")]
    Io(#[source] io::Error),
}

impl From<Errno> for VaultError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT => VaultError::NotFound,
            Errno::EXIST => VaultError::Exists(None),
            Errno::NOTDIR => VaultError::NotDirectory,
            Errno::ISDIR => VaultError::IsDirectory,
            Errno::NOTEMPTY => VaultError::NotEmpty,
            // XDEV: beyond the home. LOOP: a link where none may be followed. NXIO: a device or pipe.
            Errno::XDEV | Errno::LOOP | Errno::NXIO | Errno::ACCESS | Errno::PERM => VaultError::Denied,
            Errno::NAMETOOLONG => VaultError::BadTarget("a name is too long"),
            Errno::INVAL => VaultError::BadTarget("a directory cannot go below itself"),
            Errno::NOSPC | Errno::DQUOT => VaultError::NoSpace,
            Errno::MFILE | Errno::NFILE => VaultError::Busy,
            Errno::FBIG => VaultError::TooLarge,
            other => VaultError::Io(other.into()),
        }
    }
}

impl From<io::Error> for VaultError {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(code) => Errno::from_raw_os_error(code).into(),
            None => VaultError::Io(error),
        }
    }
}

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// Modification time.
    pub mtime: Time,
    /// Its number on the disk.
    pub inode: u64,
}

/// A name in a home with all that is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Size, time and number; the size is 0 for anything but a file.
    pub stamp: Stamp,
    /// The owner's executable bit, of a file.
    pub executable: bool,
}

impl Node {
    fn of(stat: &rustix::fs::Stat) -> Self {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        };
        let is_file = kind == Kind::File;
        let size = if is_file { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 };
        // The kernel keeps nanoseconds below 10^9.
        let mtime = Time { secs: stat.st_mtime, nanos: u32::try_from(stat.st_mtime_nsec).unwrap_or(0) };
        let executable = is_file && stat.st_mode & Mode::XUSR.bits() != 0;
        Self { kind, stamp: Stamp { size, mtime, inode: stat.st_ino }, executable }
    }

    /// What an open file is by now.
    pub fn of_file(file: &std::fs::File) -> Result<Self, VaultError> {
        Ok(Self::of(&rustix::fs::fstat(file)?))
    }

    /// As a row of a listing, without its hash.
    pub fn entry(&self, name: &[u8]) -> Entry {
        Entry {
            name: RawPath(name.to_vec()),
            kind: self.kind,
            size: self.stamp.size,
            mtime: self.stamp.mtime,
            executable: self.executable,
            root: None,
        }
    }
}

/// What a disk has, for this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// Bytes that can still be written.
    pub free: u64,
    /// All of its bytes.
    pub total: u64,
}

impl From<StatVfs> for DiskSpace {
    fn from(found: StatVfs) -> Self {
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Self { free: bytes(found.f_bavail), total: bytes(found.f_blocks) }
    }
}

/// All homes of a data directory.
#[derive(Clone, Debug)]
pub struct Vault {
    users: PathBuf,
    disk: Arc<dyn Disk>,
}

impl Vault {
    /// The homes below `users`, which exists, on `disk`.
    pub fn new(users: &Path, disk: Arc<dyn Disk>) -> Self {
        Self { users: users.to_owned(), disk }
    }

    /// Opens a user's home; makes what is missing of its three directories.
    pub fn home(&self, name: &UserName) -> Result<Home, VaultError> {
        let base = self.users.join(name.as_str());
        for part in PARTS.map(|part| base.join(part)) {
            if part.is_dir() {
                continue;
            }
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&part)?;
            // What lies in it later is not to hang on names that a power cut takes back.
            for above in [&base, &self.users] {
                self.disk.sync_directory(directory(above)?.as_fd())?;
            }
        }
        self.existing_home(name)
    }

    /// What the disk has that new homes lie on.
    pub fn space(&self) -> Result<DiskSpace, VaultError> {
        Ok(statvfs(&self.users)?.into())
    }

    /// Opens a user's home as it is.
    pub fn existing_home(&self, name: &UserName) -> Result<Home, VaultError> {
        let base = self.users.join(name.as_str());
        let [files, staging, trash] = PARTS.map(|part| directory(&base.join(part)));
        let (files, staging, trash) = (files?, staging?, trash?);
        Ok(Home { files, staging, trash, disk: Arc::clone(&self.disk) })
    }
}

fn directory(path: &Path) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

/// Of a home: what the user sees, what is unfinished, what was deleted.
const PARTS: [&str; 3] = ["files", "staging", "trash"];

/// One user's files.
#[derive(Debug)]
pub struct Home {
    files: OwnedFd,
    staging: OwnedFd,
    trash: OwnedFd,
    disk: Arc<dyn Disk>,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::Durability;
    use wire::RemotePath;

    pub(crate) fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().expect("a directory");
        let vault = Vault::new(dir.path(), Arc::new(Durability::Full));
        let home = vault.home(&"ada".parse().expect("a name")).expect("a home");
        (dir, home)
    }

    pub(crate) fn path(text: &str) -> RemotePath {
        RemotePath::parse(text.as_bytes()).expect("a path")
    }
}
