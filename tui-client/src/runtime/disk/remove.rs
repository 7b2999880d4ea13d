//! Removes a file or a tree. The tree is gone through by descriptors, so that no link that is put into it meanwhile leads
//! out of it, and the token is looked at before each name.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, statat, unlinkat};
use rustix::io::Errno;
use tokio_util::sync::CancellationToken;
use wire::Fault;

use super::{check, fault};

/// Removes a file or link, or a directory with all it holds.
pub(in super::super) fn remove(path: &Path, token: &CancellationToken) -> Result<(), Fault> {
    let told = |error: io::Error| fault(&error, path);
    if !fs::symlink_metadata(path).map_err(told)?.is_dir() {
        return fs::remove_file(path).map_err(told);
    }
    let directory = openat(CWD, path, DIRECTORY, Mode::empty()).map_err(|error| told(error.into()))?;
    empty(directory, path, token)?;
    fs::remove_dir(path).map_err(told)
}

/// Removes all that a directory holds.
fn empty(directory: OwnedFd, path: &Path, token: &CancellationToken) -> Result<(), Fault> {
    let told = |error: Errno| fault(&error.into(), path);
    let mut rows = Dir::new(directory).map_err(told)?;
    while let Some(row) = rows.read() {
        let row = row.map_err(told)?;
        let name = row.file_name();
        if [b".".as_slice(), b".."].contains(&name.to_bytes()) {
            continue;
        }
        check(token)?;
        let at = rows.fd().map_err(told)?;
        let below = path.join(OsStr::from_bytes(name.to_bytes()));
        let kind = match row.file_type() {
            FileType::Unknown => {
                statat(at, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| FileType::from_raw_mode(stat.st_mode))
            }
            kind => Ok(kind),
        };
        let removed = match kind {
            Ok(FileType::Directory) => match openat(at, name, DIRECTORY, Mode::empty()) {
                Ok(inner) => {
                    empty(inner, &below, token)?;
                    unlinkat(at, name, AtFlags::REMOVEDIR)
                }
                Err(error) => Err(error),
            },
            Ok(_) => unlinkat(at, name, AtFlags::empty()),
            Err(error) => Err(error),
        };
        match removed {
            // Somebody else was quicker.
            Err(Errno::NOENT) => {}
            removed => removed.map_err(|error| fault(&error.into(), &below))?,
        }
    }
    Ok(())
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use wire::Code;

    use super::*;

    #[test]
    fn a_tree_goes_and_what_links_in_it_lead_to_stays() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        fs::create_dir_all(path("tree/a/b")).unwrap();
        fs::create_dir(path("kept")).unwrap();
        fs::write(path("kept/file"), "").unwrap();
        for name in ["tree/f", "tree/a/g", "tree/a/b/h"] {
            fs::write(path(name), "").unwrap();
        }
        symlink(path("kept"), path("tree/a/link")).unwrap();
        symlink(path("kept"), path("link")).unwrap();
        let token = CancellationToken::new();
        remove(&path("tree"), &token).unwrap();
        remove(&path("link"), &token).unwrap();
        assert!(path("kept/file").exists());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
        assert_eq!(remove(&path("tree"), &token).unwrap_err().code, Code::NotFound);
    }

    #[test]
    fn it_stops_before_the_next_name() {
        let home = tempfile::tempdir().unwrap();
        let tree = home.path().join("tree");
        fs::create_dir_all(tree.join("a")).unwrap();
        fs::write(tree.join("a/b"), "").unwrap();
        let token = CancellationToken::new();
        token.cancel();
        assert_eq!(remove(&tree, &token).unwrap_err().code, Code::Cancelled);
        assert!(tree.join("a/b").exists());
    }
}
