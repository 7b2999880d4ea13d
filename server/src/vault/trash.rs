//! What was deleted and can come back. It lies outside the user's tree, each thing under its number, and
//! keeps its inode, so that what is known of it stays true.

use std::os::fd::AsFd;

use rustix::fs::{AtFlags, Dir, RenameFlags, renameat_with, statat};
use rustix::io::Errno;
use wire::RemotePath;
use wire::message::Kind;

use super::change::take_tree;
use super::listing::measure;
use super::{Freed, Home, VaultError};

/// A name that was given, and whether it will outlive a power cut.
pub(super) type Synced = Result<(), VaultError>;

impl Home {
    /// What a file, or a directory with all it holds, takes.
    pub fn weigh(&self, path: &RemotePath) -> Result<Freed, VaultError> {
        let node = self.node(path)?;
        match node.kind {
            Kind::Directory => self.measure(path).map(|(bytes, files)| Freed { bytes, files }),
            Kind::File => Ok(Freed { bytes: node.stamp.size, files: 1 }),
            Kind::Link | Kind::Other => Ok(Freed::default()),
        }
    }

    /// Moves something to the trash in one step.
    pub fn to_trash(&self, path: &RemotePath, id: u64) -> Result<Synced, VaultError> {
        let (parent, name) = self.parent(path)?;
        renameat_with(&parent, name.as_slice(), &self.trash, id.to_string(), RenameFlags::NOREPLACE)?;
        // Its new name first: a power cut between the two leaves it under both, never under none.
        let synced =
            self.disk.sync_directory(self.trash.as_fd()).and_then(|()| self.disk.sync_directory(parent.as_fd()));
        Ok(synced.map_err(VaultError::from))
    }

    /// Whether something lies there.
    pub fn is_trashed(&self, path: &RemotePath) -> Result<bool, VaultError> {
        match statat(&self.trash, path.as_bytes(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves something back, where nothing has the name. Directories above it are made.
    pub fn from_trash(&self, id: u64, path: &RemotePath) -> Result<Synced, VaultError> {
        self.make_directories(&path.parent())?;
        let (parent, name) = self.parent(path)?;
        renameat_with(&self.trash, id.to_string(), &parent, name.as_slice(), RenameFlags::NOREPLACE)?;
        let synced =
            self.disk.sync_directory(parent.as_fd()).and_then(|()| self.disk.sync_directory(self.trash.as_fd()));
        Ok(synced.map_err(VaultError::from))
    }

    /// Deletes something in the trash for good. What went before a failure is told with it; what is not
    /// there is deleted already.
    pub fn erase(&self, id: u64) -> (Freed, Result<(), VaultError>) {
        self.erase_named(id.to_string().as_bytes())
    }

    fn erase_named(&self, name: &[u8]) -> (Freed, Result<(), VaultError>) {
        let mut freed = Freed::default();
        let taken = take_tree(&self.trash, name, &mut freed);
        let result = match taken {
            Err(VaultError::NotFound) => Ok(()),
            taken => taken.and_then(|()| Ok(self.disk.sync_directory(self.trash.as_fd())?)),
        };
        (freed, result)
    }

    /// Deletes what `known` does not know, and says which of those it knows are there.
    pub fn sort_out_trash(&self, known: &[u64]) -> Result<Vec<u64>, VaultError> {
        let (mut there, mut strangers) = (Vec::new(), Vec::new());
        for entry in Dir::read_from(&self.trash)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            match entry.file_name().to_str().ok().and_then(|name| name.parse().ok()) {
                Some(id) if known.contains(&id) => there.push(id),
                _ if matches!(name, b"." | b"..") => {}
                _ => strangers.push(name.to_vec()),
            }
        }
        for stranger in strangers {
            tracing::warn!(name = wire::path::escape(&stranger), "deleted from a trash that does not know it");
            self.erase_named(&stranger).1?;
        }
        Ok(there)
    }

    /// What the whole trash takes, counted by looking.
    pub fn measure_trash(&self) -> Result<(u64, u64), VaultError> {
        measure(self.trash.try_clone()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::tests::{home, path};

    #[test]
    fn things_go_to_the_trash_and_come_back() {
        let (dir, home) = home();
        let (files, trash) = (dir.path().join("ada/files"), dir.path().join("ada/trash"));
        std::fs::create_dir_all(files.join("a/b")).expect("made");
        std::fs::write(files.join("a/b/f"), "four").expect("written");
        std::os::unix::fs::symlink("/etc", files.join("a/out")).expect("linked");
        let all = Freed { bytes: 4, files: 1 };
        assert_eq!(home.weigh(&path("a")).expect("weighed"), all);
        assert_eq!(home.weigh(&path("a/out")).expect("weighed"), Freed::default());
        home.to_trash(&path("a"), 7).expect("moved").expect("synced");
        assert!(!files.join("a").exists() && trash.join("7/b/f").exists());
        assert_eq!(home.measure_trash().expect("measured"), (4, 1));
        assert!(matches!(home.to_trash(&path("a"), 8), Err(VaultError::NotFound)));
        assert!(matches!(home.to_trash(&path(""), 8), Err(VaultError::BadTarget(_))));

        std::fs::write(files.join("a"), "in the way").expect("written");
        assert!(matches!(home.from_trash(7, &path("a")), Err(VaultError::Exists(_))));
        assert!(matches!(home.from_trash(7, &path("a/b")), Err(VaultError::NotDirectory)));
        home.from_trash(7, &path("new/above/a")).expect("moved").expect("synced");
        assert_eq!(std::fs::read(files.join("new/above/a/b/f")).expect("read"), b"four");
        assert!(matches!(home.from_trash(7, &path("x")), Err(VaultError::NotFound)));

        home.to_trash(&path("new"), 9).expect("moved").expect("synced");
        std::fs::create_dir(trash.join("stranger")).expect("made");
        assert_eq!(home.sort_out_trash(&[8, 9]).expect("sorted"), [9]);
        assert!(!trash.join("stranger").exists());
        let (freed, erased) = home.erase(9);
        assert!(erased.is_ok() && freed == all && trash.read_dir().expect("read").next().is_none());
        assert!(home.erase(9).1.is_ok(), "gone already");
        assert!(std::path::Path::new("/etc/passwd").exists());
    }
}
