//! Directories made, names given and taken. Each change is synced before it is told to anybody: the
//! directories that hold the names, not only the files. A change whose sync fails was made all the same:
//! what it took away is told beside the failure.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, mkdirat, openat, renameat_with, statat, unlinkat};
use rustix::io::Errno;
use wire::RemotePath;
use wire::message::Kind;

use super::jail::{self, Links};
use super::listing::each;
use super::{Home, Node, VaultError};

/// What a change took away from the home.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// Bytes of regular files.
    pub bytes: u64,
    /// Regular files.
    pub files: u64,
}

impl Freed {
    fn add(&mut self, node: &Node) {
        if node.kind == Kind::File {
            self.bytes += node.stamp.size;
            self.files += 1;
        }
    }
}

impl Home {
    /// Makes one directory. The one above it must be there.
    pub fn make_directory(&self, path: &RemotePath) -> Result<(), VaultError> {
        let (parent, name) = self.parent(path)?;
        mkdirat(&parent, name.as_slice(), Mode::RWXU)?;
        self.disk.sync_directory(parent.as_fd()).map_err(|error| {
            // Whoever comes later would take it for one that lasts.
            let _ = unlinkat(&parent, name.as_slice(), AtFlags::REMOVEDIR);
            error.into()
        })
    }

    /// Makes a directory and those above it, as far as they are missing.
    pub fn make_directories(&self, path: &RemotePath) -> Result<(), VaultError> {
        match self.directory(path, Links::Inside) {
            Err(VaultError::NotFound) => {}
            found => return found.map(drop),
        }
        self.make_directories(&path.parent())?;
        match self.make_directory(path) {
            Err(VaultError::Exists(_)) => self.directory(path, Links::Inside).map(drop),
            made => made,
        }
    }

    /// Makes an empty file where nothing has the name.
    pub fn create_file(&self, path: &RemotePath) -> Result<(), VaultError> {
        let (parent, name) = self.parent(path)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&parent, name.as_slice(), flags, Mode::RUSR | Mode::WUSR)?;
        self.disk.sync_content(file.as_fd())?;
        Ok(self.disk.sync_directory(parent.as_fd())?)
    }

    /// Gives `from` the path `to`. With `replace`, a file takes the place of a file, and what that
    /// held is told. [`Self::sync_parents`] of both must follow before anybody is told.
    pub fn rename(&self, from: &RemotePath, to: &RemotePath, replace: bool) -> Result<Freed, VaultError> {
        if to != from && to.is_within(from) {
            return Err(VaultError::BadTarget("a directory cannot go below itself"));
        }
        let (source_dir, source) = self.parent(from)?;
        let (target_dir, target) = self.parent(to)?;
        let mut freed = Freed::default();
        let flags = if replace { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
        if replace && let Ok(stat) = statat(&target_dir, target.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
            let old = Node::of(&stat);
            match old.kind {
                Kind::Directory => return Err(VaultError::IsDirectory),
                _ if to == from => return Ok(freed),
                _ => freed.add(&old),
            }
        }
        renameat_with(&source_dir, source.as_slice(), &target_dir, target.as_slice(), flags)?;
        Ok(freed)
    }

    /// Removes a file, a link, or an empty directory.
    pub fn remove(&self, path: &RemotePath) -> (Freed, Result<(), VaultError>) {
        let mut freed = Freed::default();
        let result = self.try_remove(path, &mut freed);
        (freed, result)
    }

    fn try_remove(&self, path: &RemotePath, freed: &mut Freed) -> Result<(), VaultError> {
        let (parent, name) = self.parent(path)?;
        take(&parent, &name, freed)?;
        Ok(self.disk.sync_directory(parent.as_fd())?)
    }

    /// Removes a directory with all it holds, or anything else as [`Self::remove`] does. What went
    /// before a failure is told with it.
    pub fn remove_tree(&self, path: &RemotePath) -> (Freed, Result<(), VaultError>) {
        let mut freed = Freed::default();
        let result = self.try_remove_tree(path, &mut freed);
        (freed, result)
    }

    fn try_remove_tree(&self, path: &RemotePath, freed: &mut Freed) -> Result<(), VaultError> {
        let (parent, name) = self.parent(path)?;
        take_tree(&parent, &name, freed)?;
        Ok(self.disk.sync_directory(parent.as_fd())?)
    }
}

/// Removes one name, a directory with all it holds.
pub(super) fn take_tree(parent: &OwnedFd, name: &[u8], freed: &mut Freed) -> Result<(), VaultError> {
    let node = Node::of(&statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?);
    if node.kind != Kind::Directory {
        return take(parent, name, freed);
    }
    let top = jail::open(parent.as_fd(), name, OFlags::DIRECTORY, Links::None)?;
    let mut waiting: Vec<Vec<u8>> = vec![Vec::new()];
    let mut emptied = Vec::new();
    while let Some(relative) = waiting.pop() {
        let dir = jail::open(top.as_fd(), &relative, OFlags::DIRECTORY, Links::None)?;
        let mut names = Vec::new();
        each(&dir, |name, node| {
            names.push((name.to_vec(), node.kind));
            Ok(())
        })?;
        for (name, kind) in names {
            if kind == Kind::Directory {
                let slash: &[u8] = if relative.is_empty() { b"" } else { b"/" };
                waiting.push([relative.as_slice(), slash, name.as_slice()].concat());
            } else {
                take(&dir, &name, freed)?;
            }
        }
        emptied.push(relative);
    }
    // Directories were met before what they hold: backwards, each is empty when its turn comes.
    for relative in emptied.iter().rev().filter(|relative| !relative.is_empty()) {
        let (above, name) = match relative.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (relative.get(..slash), relative.get(slash + 1..)),
            None => (Some(&[][..]), Some(relative.as_slice())),
        };
        let dir = jail::open(top.as_fd(), above.unwrap_or_default(), OFlags::DIRECTORY, Links::None)?;
        unlinkat(&dir, name.unwrap_or_default(), AtFlags::REMOVEDIR)?;
    }
    Ok(unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

/// Removes one name that is not a directory that holds something.
fn take(dir: &OwnedFd, name: &[u8], freed: &mut Freed) -> Result<(), VaultError> {
    let node = Node::of(&statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?);
    let flags = if node.kind == Kind::Directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    match unlinkat(dir, name, flags) {
        Ok(()) => {
            freed.add(&node);
            Ok(())
        }
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::tests::{home, path};

    #[test]
    fn names_are_given_and_taken() {
        let (dir, home) = home();
        let files = dir.path().join("ada/files");
        home.make_directories(&path("a/b/c")).expect("made");
        home.make_directories(&path("a/b/c")).expect("there already");
        assert!(matches!(home.make_directory(&path("a")), Err(VaultError::Exists(_))));
        assert!(matches!(home.make_directory(&path("x/y")), Err(VaultError::NotFound)));
        assert!(matches!(home.make_directory(&path("")), Err(VaultError::BadTarget(_))));
        home.create_file(&path("a/f")).expect("created");
        assert!(matches!(home.create_file(&path("a/f")), Err(VaultError::Exists(_))));
        assert!(matches!(home.make_directories(&path("a/f/d")), Err(VaultError::NotDirectory)));

        std::fs::write(files.join("a/f"), "four").expect("written");
        std::fs::write(files.join("a/b/c/g"), "ten bytes!").expect("written");
        assert!(matches!(home.rename(&path("a"), &path("a/b/z"), false), Err(VaultError::BadTarget(_))));
        assert!(matches!(home.rename(&path("a/f"), &path("a/b/c/g"), false), Err(VaultError::Exists(_))));
        assert!(matches!(home.rename(&path("a/f"), &path("a/b"), true), Err(VaultError::IsDirectory)));
        assert_eq!(home.rename(&path("a/f"), &path("a/f"), true).expect("kept"), Freed::default());
        let freed = home.rename(&path("a/f"), &path("a/b/c/g"), true).expect("renamed");
        assert_eq!(freed, Freed { bytes: 10, files: 1 });

        assert!(matches!(home.remove(&path("a")), (_, Err(VaultError::NotEmpty))));
        let (freed, result) = home.remove_tree(&path("a"));
        assert!(result.is_ok() && freed == Freed { bytes: 4, files: 1 });
        assert!(files.read_dir().expect("read").next().is_none());
    }

    #[test]
    fn removing_never_goes_through_a_link() {
        let (dir, home) = home();
        let files = dir.path().join("ada/files");
        std::fs::create_dir(dir.path().join("outside")).expect("made");
        std::fs::write(dir.path().join("outside/f"), "safe").expect("written");
        std::fs::create_dir(files.join("t")).expect("made");
        std::os::unix::fs::symlink(dir.path().join("outside"), files.join("t/link")).expect("linked");
        let (_, result) = home.remove_tree(&path("t"));
        assert!(result.is_ok() && !files.join("t").exists());
        assert!(dir.path().join("outside/f").exists());
    }
}
