//! Unfinished files, and the steps that publish them: sync the content, then the name, then the
//! directory. Unfinished files lie outside the user's tree under short names made by hashing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{
    AtFlags, Dir, Mode, OFlags, RenameFlags, Timespec, Timestamps, fchmod, fstat, fstatvfs, futimens, openat, statat,
    unlinkat,
};
use rustix::io::Errno;
use wire::RemotePath;
use wire::message::{Expect, Kind, Offer, Time};

use super::jail::Links;
use super::{DiskSpace, Home, Node, Stamp, VaultError};

/// A file in staging, held open.
#[derive(Debug)]
pub struct Staged {
    /// Its content.
    pub file: File,
    /// Its name among the staging files.
    pub name: String,
}

/// An unfinished file.
#[derive(Clone, Debug)]
pub struct Leftover {
    /// Its name among the staging files.
    pub name: String,
    /// Bytes it takes on the disk, holes left out.
    pub bytes: u64,
    /// When it was last written.
    pub mtime: Time,
}

impl Home {
    /// Opens the staging file of an upload to `path`, with what an earlier try left in it.
    pub fn stage(&self, path: &RemotePath) -> Result<Staged, VaultError> {
        self.open_staging(staging_name(path), OFlags::CREATE | OFlags::RDWR)
    }

    /// Puts a small file into staging, whole. `name` is the caller's, unique among such files.
    pub fn stage_whole(&self, name: String, content: &[u8]) -> Result<Staged, VaultError> {
        let staged = self.open_staging(name, OFlags::CREATE | OFlags::RDWR | OFlags::TRUNC)?;
        match staged.file.write_all_at(content, 0) {
            Ok(()) => Ok(staged),
            Err(error) => {
                // A full disk above all: what was written of it must not stay.
                self.discard(&staged.name)?;
                Err(error.into())
            }
        }
    }

    fn open_staging(&self, name: String, flags: OFlags) -> Result<Staged, VaultError> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.staging, name.as_str(), flags, Mode::RUSR | Mode::WUSR)?;
        Ok(Staged { file: file.into(), name })
    }

    /// Throws an unfinished file away.
    pub fn discard(&self, name: &str) -> Result<(), VaultError> {
        match unlinkat(&self.staging, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What the disk has that unfinished files lie on.
    pub fn space(&self) -> Result<DiskSpace, VaultError> {
        Ok(fstatvfs(&self.staging)?.into())
    }

    /// The number of that disk.
    pub fn device(&self) -> Result<u64, VaultError> {
        Ok(fstat(&self.staging)?.st_dev)
    }

    /// What an earlier try of an upload to `path` takes on the disk.
    pub fn staged_bytes(&self, path: &RemotePath) -> Result<u64, VaultError> {
        match statat(&self.staging, staging_name(path), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512)),
            Err(Errno::NOENT) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// All unfinished files.
    pub fn staged(&self) -> Result<Vec<Leftover>, VaultError> {
        let mut found = Vec::new();
        for entry in Dir::read_from(&self.staging)? {
            let entry = entry?;
            // Made by this module alone: short hexadecimal names. Others are not ours to count.
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name.starts_with('.') {
                continue;
            }
            match statat(&self.staging, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => found.push(Leftover {
                    name: name.to_owned(),
                    bytes: u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512),
                    mtime: Node::of(&stat).stamp.mtime,
                }),
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    /// First step: gives the content its time and mode. Returns its number on the disk.
    pub fn dress(&self, staged: &Staged, offer: &Offer) -> Result<u64, VaultError> {
        let found = fstat(&staged.file)?;
        let mode = if offer.executable { Mode::RWXU } else { Mode::RUSR | Mode::WUSR };
        if Mode::from_raw_mode(found.st_mode) != mode {
            fchmod(&staged.file, mode)?;
        }
        let time = Timespec { tv_sec: offer.mtime.secs, tv_nsec: i64::from(offer.mtime.nanos.min(999_999_999)) };
        futimens(&staged.file, &Timestamps { last_access: time, last_modification: time })?;
        Ok(found.st_ino)
    }

    /// Second step: the content is on the disk before anybody hears of it. A few files are synced each
    /// for itself and fail each for itself; many share one sync of the file system, and its failure.
    ///
    /// A file whose sync failed must be discarded: the kernel takes its pages for clean afterwards, so
    /// that another sync would report success, and a later try would be offered what is only in memory.
    pub fn sync(&self, staged: &[&Staged]) -> Result<Vec<Result<(), VaultError>>, VaultError> {
        if staged.len() > SYNC_EACH {
            self.disk.sync_all(self.staging.as_fd())?;
            return Ok(staged.iter().map(|_| Ok(())).collect());
        }
        Ok(staged.iter().map(|staged| Ok(self.disk.sync_content(staged.file.as_fd())?)).collect())
    }

    /// What stands at an upload's target, if `expect` allows it: the file to be replaced, or nothing.
    pub fn target(&self, path: &RemotePath, expect: Expect) -> Result<Option<Stamp>, VaultError> {
        self.near().target(path, expect)
    }

    /// For many names, most of them in the directory of the one before.
    pub fn near(&self) -> Near<'_> {
        Near { home: self, last: None }
    }

    /// Last step: the directories that now hold the names are on the disk. Tells of each directory.
    pub fn sync_parents(&self, paths: &[&RemotePath]) -> BTreeMap<RemotePath, Result<(), VaultError>> {
        let parents: BTreeSet<RemotePath> = paths.iter().map(|path| path.parent()).collect();
        if parents.len() > SYNC_EACH {
            let all = self.disk.sync_all(self.staging.as_fd());
            return parents.into_iter().map(|parent| (parent, all.map_err(VaultError::from))).collect();
        }
        let sync = |parent: &RemotePath| {
            let directory = self.directory(parent, Links::Inside)?;
            Ok(self.disk.sync_directory(directory.as_fd())?)
        };
        parents.into_iter().map(|parent| (parent.clone(), sync(&parent))).collect()
    }

    /// Whether the file with this number stands at `path`: after a crash, whether a rename happened.
    pub fn stands_at(&self, path: &RemotePath, inode: u64) -> Option<Stamp> {
        let (parent, name) = self.parent(path).ok()?;
        let stat = statat(&parent, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some(Node::of(&stat)).filter(|node| node.kind == Kind::File && node.stamp.inode == inode).map(|node| node.stamp)
    }
}

/// A home, with the directory open that was last needed; `None` where there is no such directory.
pub struct Near<'a> {
    home: &'a Home,
    last: Option<(RemotePath, Option<OwnedFd>)>,
}

impl Near<'_> {
    fn parent<'p>(&mut self, path: &'p RemotePath) -> Result<(BorrowedFd<'_>, &'p [u8]), VaultError> {
        let (parent, name) = path.split().ok_or(VaultError::BadTarget("it is the home itself"))?;
        let dir = match self.last.take() {
            Some((last, dir)) if last == parent => dir,
            _ => match self.home.directory(&parent, Links::Inside) {
                Err(VaultError::NotFound) => None,
                opened => Some(opened?),
            },
        };
        let (_, dir) = self.last.insert((parent, dir));
        Ok((dir.as_ref().ok_or(VaultError::NotFound)?.as_fd(), name))
    }

    /// As [`Home::target`].
    pub fn target(&mut self, path: &RemotePath, expect: Expect) -> Result<Option<Stamp>, VaultError> {
        let found = self.parent(path).and_then(|(parent, name)| Ok(statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?));
        let node = match found {
            Ok(stat) => Node::of(&stat),
            Err(VaultError::NotFound) => {
                return if let Expect::Same { .. } = expect { Err(VaultError::NotFound) } else { Ok(None) };
            }
            Err(error) => return Err(error),
        };
        let stamp = (node.kind == Kind::File).then_some(node.stamp);
        match (node.kind, expect) {
            (Kind::Directory, _) => Err(VaultError::IsDirectory),
            (_, Expect::Absent) => Err(VaultError::Exists(stamp)),
            (_, Expect::Same { size, mtime }) if (node.stamp.size, node.stamp.mtime) != (size, mtime) => {
                Err(VaultError::Exists(stamp))
            }
            _ => Ok(stamp),
        }
    }

    /// Third step: the name. Directories above it are made. What may stand there was looked at by
    /// [`Self::target`], and nothing else changes names meanwhile; what an operator puts there by hand
    /// is still not replaced where nothing was expected. [`Home::sync_parents`] must follow before
    /// anybody is told.
    pub fn publish(&mut self, staged: &str, path: &RemotePath, expect: Expect) -> Result<(), VaultError> {
        if matches!(self.parent(path), Err(VaultError::NotFound)) {
            self.home.make_directories(&path.parent())?;
            self.last = None;
        }
        let (staging, disk) = (&self.home.staging, &self.home.disk);
        let (parent, name) = self.parent(path)?;
        let flags = if expect == Expect::Absent { RenameFlags::NOREPLACE } else { RenameFlags::empty() };
        match disk.rename((staging.as_fd(), staged.as_bytes()), (parent, name), flags) {
            Err(Errno::EXIST) => Err(VaultError::Exists(None)),
            renamed => Ok(renamed?),
        }
    }
}

/// The staging name of an upload to `path`: the same for every try, whatever the path's length.
pub fn staging_name(path: &RemotePath) -> String {
    blake3::hash(path.as_bytes()).to_hex().chars().take(40).collect()
}

/// Above this many, one sync of the whole file system is cheaper than one for each (3.8 ms each
/// against 99 ms for 10,000, measured on ext4).
const SYNC_EACH: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::tests::{home, path};

    const OFFER: Offer = Offer { size: 3, mtime: Time { secs: 1_000_000, nanos: 5 }, executable: true, eager: true };

    #[test]
    fn a_file_is_published_whole_or_not_at_all() {
        let (dir, home) = home();
        let target = path("new/dir/f");
        let staged = home.stage_whole("s1".into(), b"abc").expect("staged");
        let inode = home.dress(&staged, &OFFER).expect("dressed");
        assert!(home.sync(&[&staged]).expect("synced").iter().all(Result::is_ok));
        assert_eq!(home.stands_at(&target, inode), None);
        assert_eq!(home.target(&target, Expect::Absent).expect("free"), None);
        home.near().publish("s1", &target, Expect::Absent).expect("published");
        assert!(home.sync_parents(&[&target]).values().all(Result::is_ok));
        let stamp = home.stands_at(&target, inode).expect("it stands");
        assert_eq!((stamp.size, stamp.mtime), (3, OFFER.mtime));
        assert!(home.node(&target).expect("a node").executable);
        assert_eq!(std::fs::read(dir.path().join("ada/files/new/dir/f")).expect("read"), b"abc");

        // What is there already is kept unless it is what was expected.
        home.stage_whole("s2".into(), b"other").expect("staged");
        for expect in [Expect::Absent, Expect::Same { size: 4, mtime: OFFER.mtime }] {
            let refused = home.target(&target, expect);
            assert!(matches!(refused, Err(VaultError::Exists(Some(found))) if found == stamp), "{expect:?}");
        }
        let refused = home.near().publish("s2", &target, Expect::Absent);
        assert!(matches!(refused, Err(VaultError::Exists(None))), "not even unlooked");
        let same = Expect::Same { size: 3, mtime: OFFER.mtime };
        assert_eq!(home.target(&target, same).expect("as expected"), Some(stamp));
        home.near().publish("s2", &target, same).expect("published");
        assert!(matches!(home.target(&path("new"), Expect::Any), Err(VaultError::IsDirectory)));
        assert!(home.staged().expect("listed").is_empty());
    }

    #[test]
    fn staging_names_are_short_and_stable() {
        assert_eq!(staging_name(&path("a/b")), staging_name(&path("/a//b/")));
        assert_ne!(staging_name(&path("a")), staging_name(&path("b")));
        assert_eq!(staging_name(&path(&"x/".repeat(2000))).len(), 40);
    }
}
