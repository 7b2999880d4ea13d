//! A download on its way: the part file beside its target, and the rename that makes it the target
//! once it is proven and synced; a small one has no name until it gets that of the target. Blocks.
//! Whether a target may be replaced was decided before.

use std::ffi::OsString;
use std::fs::{File, FileTimes};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use wire::message::{Kind, Offer, Time};
use wire::path::MAX_NAME;
use wire::{Code, Fault};

use super::super::status::Side;
use super::{fault, shown};

/// Where a download goes: a name in a directory that is open.
#[derive(Clone, Debug)]
pub(crate) struct Landing {
    dir: Arc<OwnedFd>,
    name: OsString,
    /// The full path, for messages.
    path: PathBuf,
}

/// What has the name of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    Nothing,
    /// A file, or something else that a rename replaces, like a link.
    File(Side),
    /// A directory, which no file replaces.
    Directory,
}

impl Landing {
    /// The landing of `target` in its directory, which is open already.
    pub(crate) fn new(dir: Arc<OwnedFd>, target: &Path) -> Result<Self, Fault> {
        let name = target
            .file_name()
            .ok_or_else(|| Fault::new(Code::BadPath, format!("{} does not end in a name", shown(target))))?;
        Ok(Self { dir, name: name.to_owned(), path: target.to_owned() })
    }

    /// The same directory, another name.
    pub(crate) fn renamed(&self, name: Vec<u8>) -> Self {
        let name = OsString::from_vec(name);
        Self { dir: self.dir.clone(), path: self.path.with_file_name(&name), name }
    }

    /// Its last name.
    pub(crate) fn name(&self) -> &[u8] {
        self.name.as_bytes()
    }

    /// What is there, links not followed.
    pub(crate) fn standing(&self) -> Result<Standing, Fault> {
        match rustix::fs::statat(&self.dir, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(Standing::Nothing),
            Err(error) => Err(self.told(error)),
            Ok(stat) => Ok(match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => Standing::Directory,
                kind => Standing::File(Side {
                    size: if kind == FileType::RegularFile { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 },
                    mtime: Time { secs: stat.st_mtime, nanos: u32::try_from(stat.st_mtime_nsec).unwrap_or(0) },
                    root: None,
                }),
            }),
        }
    }

    /// The file that is there now, for its blocks; `None` for anything that is not a plain file.
    pub(crate) fn open_old(&self) -> Option<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.dir, &self.name, flags, Mode::empty()).ok()?);
        file.metadata().is_ok_and(|metadata| super::kind(&metadata) == Kind::File).then_some(file)
    }

    /// The part file of an earlier try, if there is one with anything in it.
    pub(crate) fn has_part(&self) -> bool {
        rustix::fs::statat(&self.dir, part_name(self.name()), AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| stat.st_size > 0)
    }

    /// Opens or makes the part file, for this process alone.
    pub(crate) fn open_part(&self) -> Result<File, Fault> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.dir, part_name(self.name()), flags, Mode::from_raw_mode(0o666))
            .map_err(|error| self.told(error))?;
        let file = File::from(file);
        if !file.metadata().is_ok_and(|metadata| super::kind(&metadata) == Kind::File) {
            return Err(Fault::new(Code::Denied, format!("the part file of {} is not a file", shown(&self.path))));
        }
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(file),
            Err(Errno::WOULDBLOCK) => {
                Err(Fault::new(Code::Busy, format!("{} is being downloaded already", shown(&self.path))))
            }
            Err(error) => Err(self.told(error)),
        }
    }

    /// Writes a small file whole, not yet synced: without a name, where it replaces nothing and the file system can do
    /// that, for a link is less work than a rename and a crash leaves nothing; else into its part file.
    pub(crate) fn write_small(&self, bytes: &[u8], offer: &Offer, replace: Replace) -> Result<Written, Fault> {
        let written = match self.open_nameless().filter(|_| replace == Replace::Nothing) {
            Some(file) => Written { file, is_nameless: true },
            None => Written { file: self.open_part()?, is_nameless: false },
        };
        let file = &written.file;
        file.write_all_at(bytes, 0).and_then(|()| file.set_len(bytes.len() as u64)).map_err(|error| self.io(&error))?;
        self.dress(file, offer)?;
        Ok(written)
    }

    fn open_nameless(&self) -> Option<File> {
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        let opened = || rustix::fs::openat(&self.dir, ".", flags, Mode::from_raw_mode(0o666)).ok();
        CAN_LINK.then(opened).flatten().map(File::from)
    }

    /// Makes a small file, synced by now, the target; as [`Self::publish`].
    pub(crate) fn publish_small(&self, written: &Written, replace: Replace) -> Result<(), Fault> {
        if !written.is_nameless {
            return self.publish(replace);
        }
        let opened = format!("{OPENED}/{}", written.file.as_raw_fd());
        rustix::fs::linkat(CWD, opened, &self.dir, &self.name, AtFlags::SYMLINK_FOLLOW)
            .map_err(|error| self.told(error))
    }

    /// Gives a part file the time and the executable bit of its source.
    pub(crate) fn dress(&self, part: &File, offer: &Offer) -> Result<(), Fault> {
        let told = |error| self.io(&error);
        if offer.executable {
            let mode = part.metadata().map_err(told)?.permissions().mode();
            // Executable for whoever may read it; never more.
            let mode = (mode & 0o777) | ((mode & 0o444) >> 2);
            part.set_permissions(PermissionsExt::from_mode(mode)).map_err(told)?;
        }
        if let Some(time) = system_time(offer.mtime) {
            part.set_times(FileTimes::new().set_modified(time)).map_err(told)?;
        }
        Ok(())
    }

    /// Makes the synced part file the target. Where nothing was there, nothing is replaced: then an
    /// existing file is a fault `exists`.
    pub(crate) fn publish(&self, replace: Replace) -> Result<(), Fault> {
        let part = part_name(self.name());
        let flags = match replace {
            Replace::Nothing => RenameFlags::NOREPLACE,
            Replace::Anything => RenameFlags::empty(),
        };
        match rustix::fs::renameat_with(&self.dir, &part, &self.dir, &self.name, flags) {
            // A file system without the flag: look, then rename.
            Err(Errno::INVAL) if replace == Replace::Nothing => match self.standing()? {
                Standing::Nothing => rustix::fs::renameat(&self.dir, &part, &self.dir, &self.name),
                _ => Err(Errno::EXIST),
            },
            other => other,
        }
        .map_err(|error| self.told(error))
    }

    /// Makes the rename durable.
    pub(crate) fn sync_dir(&self) -> Result<(), Fault> {
        rustix::fs::fsync(&self.dir).map_err(|error| self.told(error))
    }

    /// Makes everything on its file system durable: one call for many small files.
    pub(crate) fn sync_all(&self) -> Result<(), Fault> {
        rustix::fs::syncfs(&self.dir).map_err(|error| self.told(error))
    }

    /// Whether both lie in one open directory.
    pub(crate) fn shares_dir(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.dir, &other.dir)
    }

    /// Removes what an unfinished download left.
    pub(crate) fn discard(&self) {
        if let Err(error) = rustix::fs::unlinkat(&self.dir, part_name(self.name()), AtFlags::empty())
            && error != Errno::NOENT
        {
            tracing::warn!(path = %shown(&self.path), %error, "a part file could not be removed");
        }
    }

    /// A failure of the disk at this place.
    pub(crate) fn io(&self, error: &io::Error) -> Fault {
        fault(&self.path, error)
    }

    fn told(&self, error: Errno) -> Fault {
        match error {
            Errno::EXIST => {
                Fault::new(Code::Exists, format!("{} exists; say what to do with --if-exists", shown(&self.path)))
            }
            error => self.io(&error.into()),
        }
    }
}

/// A small file that has its content, and not yet its name.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) file: File,
    is_nameless: bool,
}

/// What a download may take the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replace {
    /// Of nothing.
    Nothing,
    /// Of whatever has the name; it was decided.
    Anything,
}

/// The name of the part file of `name`.
pub(crate) fn part_name(name: &[u8]) -> OsString {
    let plain = [b".".as_slice(), name, SUFFIX].concat();
    if plain.len() <= MAX_NAME {
        return OsString::from_vec(plain);
    }
    let hash = blake3::hash(name).to_hex();
    let short: String = hash.chars().take(16).collect();
    OsString::from_vec([b".".as_slice(), short.as_bytes(), SUFFIX].concat())
}

/// Whether a name is that of a part file.
pub(crate) fn is_part(name: &[u8]) -> bool {
    name.starts_with(b".") && name.ends_with(SUFFIX)
}

fn system_time(time: Time) -> Option<SystemTime> {
    let whole = Duration::from_secs(time.secs.unsigned_abs());
    let base = if time.secs < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(whole)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(whole)
    };
    base?.checked_add(Duration::from_nanos(time.nanos.min(999_999_999).into()))
}

const SUFFIX: &[u8] = b".catamaran-part";
/// The files that this process has open, for giving one a name.
const OPENED: &str = "/proc/self/fd";
static CAN_LINK: LazyLock<bool> = LazyLock::new(|| Path::new(OPENED).is_dir());

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, symlink};

    fn landing(dir: &Path, name: &str) -> Landing {
        let target = dir.join(name);
        Landing::new(Arc::new(super::super::enter(&target, 1).expect("entered")), &target).expect("a landing")
    }

    const OFFER: Offer = Offer { size: 3, mtime: Time { secs: -5, nanos: 250 }, executable: true, eager: true };

    #[test]
    fn part_names() {
        assert_eq!(part_name(b"a.iso"), ".a.iso.catamaran-part");
        let long = part_name(&[b'x'; 255]);
        let hash = blake3::hash(&[b'x'; 255]).to_hex().to_string();
        assert_eq!(long.to_str(), Some(format!(".{}.catamaran-part", &hash[..16]).as_str()));
        assert_eq!(part_name(&[b'x'; 239]).len(), 255);
    }

    #[test]
    fn a_small_file_arrives_and_never_over_another() {
        let dir = tempfile::tempdir().expect("a directory");
        let here = landing(dir.path(), "file");
        let written = here.write_small(b"abc", &OFFER, Replace::Nothing).expect("written");
        assert_eq!(std::fs::read_dir(dir.path()).expect("read").count(), 0, "it has no name yet");
        here.publish_small(&written, Replace::Nothing).expect("published");
        let metadata = std::fs::metadata(dir.path().join("file")).expect("there");
        assert_eq!((metadata.mtime(), metadata.mtime_nsec(), metadata.mode() & 0o7100), (-5, 250, 0o100));
        for is_nameless in [true, false] {
            let file = if is_nameless { here.open_nameless() } else { here.open_part().ok() };
            let written = Written { file: file.expect("opened"), is_nameless };
            assert_eq!(here.publish_small(&written, Replace::Nothing).expect_err("exists").code, Code::Exists);
            assert_eq!(std::fs::read(dir.path().join("file")).expect("read"), b"abc");
        }
        let written = here.write_small(b"xyz", &OFFER, Replace::Anything).expect("written");
        assert_eq!(here.open_part().expect_err("locked").code, Code::Busy);
        here.publish_small(&written, Replace::Anything).expect("replaced");
        assert_eq!(std::fs::read(dir.path().join("file")).expect("read"), b"xyz");
        assert!(!here.has_part());
    }

    #[test]
    fn links_are_never_written_through() {
        let dir = tempfile::tempdir().expect("a directory");
        let victim = dir.path().join("victim");
        std::fs::write(&victim, b"precious").expect("written");
        symlink(&victim, dir.path().join(".file.catamaran-part")).expect("linked");
        symlink(&victim, dir.path().join("file")).expect("linked");
        let here = landing(dir.path(), "file");
        assert!(here.open_part().is_err());
        assert!(here.open_old().is_none() && matches!(here.standing(), Ok(Standing::File(_))));
        here.discard();
        let written = here.write_small(b"abc", &OFFER, Replace::Anything).expect("written");
        here.publish_small(&written, Replace::Anything).expect("the link is replaced");
        assert_eq!(std::fs::read(&victim).expect("read"), b"precious");
        assert!(dir.path().join("file").symlink_metadata().expect("there").is_file());
    }
}
