//! Looks and removals below a directory of this machine, name by name and through no link: what has become a link
//! since the walk leads nowhere. Blocks.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, openat, statat, unlinkat};
use rustix::io::Errno;
use wire::Fault;
use wire::message::{Entry, Kind, RawPath, Time};

use super::super::walk::{fault, place};

/// What has the name now.
pub(super) fn stat(top: &Path, path: &[u8]) -> Result<Entry, Fault> {
    let found = parent(top, path).and_then(|(parent, name)| statat(parent, name, AtFlags::SYMLINK_NOFOLLOW));
    found.map(|stat| entry(&stat)).map_err(|error| told(error, top, path))
}

/// Removes a file or link, or a directory that is empty.
pub(super) fn remove(top: &Path, path: &[u8], kind: Kind) -> Result<(), Fault> {
    let flags = if kind == Kind::Directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    let removed = parent(top, path).and_then(|(parent, name)| unlinkat(parent, name, flags));
    removed.map_err(|error| told(error, top, path))
}

/// The directory that holds a path, open, and the path's last name.
fn parent<'a>(top: &Path, path: &'a [u8]) -> Result<(OwnedFd, &'a OsStr), Errno> {
    let enter = |directory: OwnedFd, name: &OsStr| openat(directory, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty());
    let mut names = path.split(|byte| *byte == b'/').map(OsStr::from_bytes);
    let name = names.next_back().unwrap_or_default();
    let top = openat(CWD, top, DIRECTORY, Mode::empty())?;
    Ok((names.try_fold(top, enter)?, name))
}

fn entry(stat: &Stat) -> Entry {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    };
    Entry {
        name: RawPath(Vec::new()),
        kind,
        size: if kind == Kind::File { u64::try_from(stat.st_size).unwrap_or_default() } else { 0 },
        mtime: Time { secs: stat.st_mtime, nanos: u32::try_from(stat.st_mtime_nsec).unwrap_or_default() },
        executable: stat.st_mode & 0o100 != 0,
        root: None,
    }
}

fn told(error: Errno, top: &Path, path: &[u8]) -> Fault {
    fault(&io::Error::from(error), &place(top, path))
}

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_became_a_link_leads_nowhere() {
        let home = tempfile::tempdir().unwrap();
        let (top, elsewhere) = (home.path().join("top"), home.path().join("elsewhere"));
        fs::create_dir_all(top.join("d")).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        for directory in [&top.join("d"), &elsewhere] {
            fs::write(directory.join("f"), "1234").unwrap();
        }
        assert_eq!(stat(&top, b"d/f").map(|entry| (entry.kind, entry.size)), Ok((Kind::File, 4)));
        remove(&top, b"d/f", Kind::File).unwrap();
        remove(&top, b"d", Kind::Directory).unwrap();
        symlink(&elsewhere, top.join("d")).unwrap();
        assert!(stat(&top, b"d/f").is_err() && remove(&top, b"d/f", Kind::File).is_err());
        assert_eq!(stat(&top, b"d").map(|entry| entry.kind), Ok(Kind::Link));
        assert!(elsewhere.join("f").exists());
    }
}
