//! Copies within this machine: a file or a tree. A file appears under its name when it is whole.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;
use wire::{Code, Fault};

use super::{check, fault, make_parent, rename};

/// Copies a file or a tree; an existing file is replaced only when told to, existing directories are merged into.
pub(crate) fn copy(from: &Path, to: &Path, replace: bool, token: &CancellationToken) -> Result<(), Fault> {
    make_parent(to)?;
    let mut open = vec![(from.to_owned(), to.to_owned())];
    let mut directories = Vec::new();
    while let Some((from, to)) = open.pop() {
        check(token)?;
        let metadata = fs::symlink_metadata(&from).map_err(|error| fault(&error, &from))?;
        match metadata.file_type() {
            kind if kind.is_dir() => {
                enter(&to)?;
                for row in fs::read_dir(&from).map_err(|error| fault(&error, &from))? {
                    let name = row.map_err(|error| fault(&error, &from))?.file_name();
                    open.push((from.join(&name), to.join(&name)));
                }
                directories.push((metadata, to));
            }
            kind if kind.is_file() => copy_file(&from, &to, &metadata, replace)?,
            kind if kind.is_symlink() => copy_link(&from, &to)?,
            _ => return Err(Fault::new(Code::Denied, format!("{} is a device, socket or pipe", shown(&from)))),
        }
    }
    // Last, for what is copied into a directory changes its time, and it may not be writable.
    for (metadata, path) in directories.into_iter().rev() {
        fs::set_permissions(&path, metadata.permissions()).map_err(|error| fault(&error, &path))?;
    }
    Ok(())
}

fn enter(to: &Path) -> Result<(), Fault> {
    match fs::create_dir(to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && to.is_dir() => Ok(()),
        made => made.map_err(|error| fault(&error, to)),
    }
}

fn copy_file(from: &Path, to: &Path, metadata: &Metadata, replace: bool) -> Result<(), Fault> {
    if !replace && fs::symlink_metadata(to).is_ok() {
        return Err(fault(&io::ErrorKind::AlreadyExists.into(), to));
    }
    let part = part_of(to);
    let copied = fs::copy(from, &part).and_then(|_| {
        let file = fs::File::open(&part)?;
        metadata.modified().and_then(|time| file.set_modified(time))?;
        file.sync_all()
    });
    let placed = copied.map_err(|error| fault(&error, from)).and_then(|()| rename(&part, to, replace));
    if placed.is_err() {
        // Half a copy is of no use; whether it can be removed changes nothing about the fault.
        let _ = fs::remove_file(&part);
    }
    placed
}

fn copy_link(from: &Path, to: &Path) -> Result<(), Fault> {
    let target = fs::read_link(from).map_err(|error| fault(&error, from))?;
    symlink(target, to).map_err(|error| fault(&error, to))
}

/// A name beside the target that no listing takes for a finished file.
fn part_of(to: &Path) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    let name = blake3::hash(to.as_os_str().as_bytes()).to_hex();
    to.with_file_name(format!(".{}.catamaran-part", name.get(..16).unwrap_or_default()))
}

fn shown(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    wire::path::escape(path.as_os_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_copied_whole_and_nothing_is_replaced_unasked() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        fs::create_dir_all(path("a/b")).unwrap();
        fs::write(path("a/b/f"), "content").unwrap();
        symlink("b/f", path("a/link")).unwrap();
        let token = CancellationToken::new();
        copy(&path("a"), &path("to/c"), false, &token).unwrap();
        assert_eq!(fs::read(path("to/c/b/f")).unwrap(), b"content");
        assert_eq!(fs::read_link(path("to/c/link")).unwrap(), Path::new("b/f"));
        let time = |name: &str| fs::metadata(path(name)).unwrap().modified().unwrap();
        assert_eq!(time("a/b/f"), time("to/c/b/f"));
        fs::write(path("other"), "other").unwrap();
        assert_eq!(copy(&path("a/b/f"), &path("other"), false, &token).unwrap_err().code, Code::Exists);
        assert_eq!(fs::read(path("other")).unwrap(), b"other");
        copy(&path("a/b/f"), &path("other"), true, &token).unwrap();
        assert_eq!(fs::read(path("other")).unwrap(), b"content");
        let left: Vec<_> = fs::read_dir(home.path()).unwrap().map(|row| row.unwrap().file_name()).collect();
        assert_eq!(left.len(), 3, "no partial files are left: {left:?}");
        token.cancel();
        assert_eq!(copy(&path("a"), &path("d"), false, &token).unwrap_err().code, Code::Cancelled);
    }
}
