//! What makes content and names last: the syncs, and the one rename that publishes. Behind a trait, because
//! suites put a disk in its place that notes the order of the calls and fails where it is told to.

use std::fmt;
use std::os::fd::BorrowedFd;

use rustix::fs::{RenameFlags, fsync, renameat_with, syncfs};
use rustix::io::Errno;

use crate::config::Durability;

/// The calls on which the promise of an acknowledgement rests.
pub trait Disk: fmt::Debug + Send + Sync {
    /// A file's bytes, size, time and mode are on the disk when it returns.
    fn sync_content(&self, file: BorrowedFd<'_>) -> Result<(), Errno>;
    /// The names in a directory are.
    fn sync_directory(&self, directory: BorrowedFd<'_>) -> Result<(), Errno>;
    /// Everything on the file system of an open file is. Tells failures from Linux 5.8 on.
    fn sync_all(&self, any: BorrowedFd<'_>) -> Result<(), Errno>;
    /// Gives a staged file, a name in a directory, its name in the home.
    fn rename(
        &self,
        staged: (BorrowedFd<'_>, &[u8]),
        target: (BorrowedFd<'_>, &[u8]),
        flags: RenameFlags,
    ) -> Result<(), Errno>;
}

impl Disk for Durability {
    fn sync_content(&self, file: BorrowedFd<'_>) -> Result<(), Errno> {
        self.full(|| fsync(file))
    }

    fn sync_directory(&self, directory: BorrowedFd<'_>) -> Result<(), Errno> {
        self.full(|| fsync(directory))
    }

    fn sync_all(&self, any: BorrowedFd<'_>) -> Result<(), Errno> {
        self.full(|| syncfs(any))
    }

    fn rename(
        &self,
        staged: (BorrowedFd<'_>, &[u8]),
        target: (BorrowedFd<'_>, &[u8]),
        flags: RenameFlags,
    ) -> Result<(), Errno> {
        renameat_with(staged.0, staged.1, target.0, target.1, flags)
    }
}

impl Durability {
    fn full(self, sync: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
        match self {
            Durability::Full => sync(),
            Durability::Relaxed => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn relaxed_syncs_nothing() {
        // What cannot be synced tells whether it was tried.
        let (pipe, _other_end) = std::io::pipe().expect("a pipe");
        let syncs = |durability: Durability| {
            let fd = pipe.as_fd();
            [durability.sync_content(fd), durability.sync_directory(fd)]
        };
        assert_eq!(syncs(Durability::Full), [Err(Errno::INVAL); 2]);
        assert_eq!(syncs(Durability::Relaxed), [Ok(()); 2]);
    }
}
