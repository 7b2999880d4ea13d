//! The data directory: where things lie in it, that it is ours before anything is written to it, and
//! that one daemon at a time serves it. What lies inside users' homes is the vault's.

mod homes;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, FlockOperation, access, flock};

pub use homes::Count;

/// A data directory that was looked at and found to be ours.
#[derive(Clone, Debug)]
pub struct DataDir {
    root: PathBuf,
}

/// Held by the daemon that serves the directory, for as long as it runs.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why a directory cannot be the data directory.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It holds somebody else's files.
    #[error("{} is not empty and not a data directory of this program; name another with --data-dir", .0.display())]
    Foreign(PathBuf),
    /// It cannot be made, read or written.
    #[error("cannot use the data directory {}; name another with --data-dir", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Files made now would be out of reach of the daemon.
    #[error("the data directory {} belongs to user id {owner}; run this as that user", path.display())]
    OtherOwner {
        /// The directory.
        path: PathBuf,
        /// Who it belongs to.
        owner: u32,
    },
    /// Another daemon serves it.
    #[error("another server runs on the data directory {}", .0.display())]
    InUse(PathBuf),
}

impl DataDir {
    /// Looks at the directory, or makes it. Nothing is written to one that is not ours.
    pub fn open(root: &Path) -> Result<Self, DataDirError> {
        let unusable = |source| DataDirError::Unusable { path: root.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(unusable)?;
        if !is_ours(root).map_err(unusable)? {
            return Err(DataDirError::Foreign(root.to_owned()));
        }
        access(root, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).map_err(|error| unusable(error.into()))?;
        let dir = Self { root: root.to_owned() };
        match dir.catalog().metadata().map(|metadata| metadata.uid()) {
            Ok(owner) if owner != rustix::process::geteuid().as_raw() => {
                Err(DataDirError::OtherOwner { path: dir.root, owner })
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(error)),
            _ => Ok(dir),
        }
    }

    /// Takes the directory for one daemon. The account flags do without.
    pub fn lock(&self) -> Result<Lock, DataDirError> {
        let unusable = |source| DataDirError::Unusable { path: self.root.clone(), source };
        let path = self.root.join("lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
        let file = file.map_err(unusable)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Lock { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(DataDirError::InUse(self.root.clone())),
            Err(error) => Err(unusable(error.into())),
        }
    }

    /// The catalog's file.
    pub fn catalog(&self) -> PathBuf {
        self.root.join("catalog.sqlite")
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The socket of the running daemon.
    pub fn control(&self) -> PathBuf {
        self.root.join("control")
    }

    /// Lines of the audit that wait for the daemon.
    pub fn pending_audit(&self) -> PathBuf {
        self.root.join("audit.pending")
    }

    /// The directory of the server's own key and certificate.
    pub fn identity(&self) -> PathBuf {
        self.root.join("identity")
    }

    /// The directory of all homes.
    pub fn users(&self) -> PathBuf {
        self.root.join("users")
    }
}

/// Whether it is empty, or has a catalog, or only what a first start that was cut off leaves behind.
fn is_ours(root: &Path) -> io::Result<bool> {
    let mut only_ours = true;
    for entry in root.read_dir()? {
        let name = entry?.file_name();
        let name = name.as_encoded_bytes();
        if name == b"catalog.sqlite" {
            return Ok(true);
        }
        // `lost+found`: the root of a disk of its own.
        let known = matches!(name, b"lock" | b"control" | b"audit.pending" | b"users" | b"identity" | b"lost+found");
        only_ours &= known || name.starts_with(b"catalog.") || name.starts_with(b"identity.");
    }
    Ok(only_ours)
}

/// Makes the name of something last.
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_our_own_directories_are_taken() {
        let temp = tempfile::tempdir().expect("a directory");
        let root = temp.path().join("new/data");
        DataDir::open(&root).expect("made");
        assert_eq!(root.metadata().expect("metadata").permissions().mode() & 0o777, 0o700);
        fs::create_dir(root.join("lost+found")).expect("made");
        DataDir::open(&root).expect("as good as empty");
        fs::write(root.join("thesis.tex"), "…").expect("written");
        assert!(matches!(DataDir::open(&root), Err(DataDirError::Foreign(_))));
        fs::write(root.join("catalog.sqlite"), "").expect("written");
        DataDir::open(&root).expect("has a catalog");
        let file = root.join("thesis.tex");
        assert!(matches!(DataDir::open(&file), Err(DataDirError::Unusable { .. })));
    }

    #[test]
    fn files_that_the_daemon_could_not_reach_are_not_made() {
        let temp = tempfile::tempdir().expect("a directory");
        let catalog = temp.path().join("catalog.sqlite");
        fs::write(&catalog, "").expect("written");
        DataDir::open(temp.path()).expect("of this user");
        // Only root can give a file away.
        if std::os::unix::fs::chown(&catalog, Some(4711), None).is_ok() {
            assert!(matches!(DataDir::open(temp.path()), Err(DataDirError::OtherOwner { owner: 4711, .. })));
        }
    }

    #[test]
    fn one_daemon_at_a_time() {
        let temp = tempfile::tempdir().expect("a directory");
        let dir = DataDir::open(temp.path()).expect("opened");
        let held = dir.lock().expect("taken");
        assert!(matches!(dir.lock(), Err(DataDirError::InUse(_))));
        drop(held);
        dir.lock().expect("free again");
    }
}
