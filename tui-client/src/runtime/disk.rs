//! This machine's files for the panes: reading directories, counting, and changes within them. Every
//! function blocks and runs whole in a blocking task; long ones look at their token.

use std::ffi::OsStr;
use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{CWD, RenameFlags, renameat_with, statvfs};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wire::message::{Entry, RawPath, Time};
use wire::path::escape;
use wire::{Code, Fault, Root};

use crate::app::dialog::Tally;
use crate::engine::local_entry;

mod copy;
mod remove;

pub(crate) use copy::copy;
pub(super) use remove::remove;

/// Reads a directory and hands it out row by row, until nobody wants the next one.
pub(super) fn read(path: &Path, rows: &mpsc::Sender<Result<Entry, Fault>>) {
    // Nobody there to hear of a fault wants none.
    let _ = hand_out(path, rows).or_else(|fault| rows.blocking_send(Err(fault)));
}

fn hand_out(path: &Path, rows: &mpsc::Sender<Result<Entry, Fault>>) -> Result<(), Fault> {
    for row in fs::read_dir(path).map_err(|error| fault(&error, path))? {
        let row = row.map_err(|error| fault(&error, path))?;
        // A name that vanished meanwhile is no row.
        let Ok(metadata) = row.metadata() else { continue };
        if rows.blocking_send(Ok(local_entry(RawPath(row.file_name().into_vec()), &metadata))).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Counts what a directory holds, all the way down; links are not followed.
pub(super) fn count(
    path: &Path,
    tally: &mut Tally,
    token: &CancellationToken,
    mut found: impl FnMut(Tally),
) -> Result<(), Fault> {
    let mut open = vec![path.to_owned()];
    while let Some(directory) = open.pop() {
        // What cannot be read cannot be counted, and the deletion will tell of it.
        let Ok(rows) = fs::read_dir(&directory) else { continue };
        for row in rows.flatten() {
            let Ok(metadata) = row.metadata() else { continue };
            if metadata.is_dir() {
                tally.directories += 1;
                open.push(row.path());
            } else {
                tally.files += 1;
                tally.bytes = tally.bytes.saturating_add(if metadata.is_file() { metadata.len() } else { 0 });
            }
            if (tally.files + tally.directories).is_multiple_of(STRIDE as u64) {
                check(token)?;
                found(*tally);
            }
        }
    }
    Ok(())
}

/// Makes a directory, and those above it.
pub(super) fn make_directory(path: &Path) -> Result<(), Fault> {
    make_parent(path)?;
    fs::create_dir(path).map_err(|error| fault(&error, path))
}

/// Makes an empty file where nothing has the name.
pub(super) fn new_file(path: &Path) -> Result<(), Fault> {
    make_parent(path)?;
    OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| fault(&error, path))?;
    Ok(())
}

/// Gives something another path on the same disk; replaces a target only when told to.
pub(super) fn rename(from: &Path, to: &Path, replace: bool) -> Result<(), Fault> {
    make_parent(to)?;
    let flags = if replace { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
    renameat_with(CWD, from, CWD, to, flags).map_err(|error| match io::Error::from(error) {
        error if error.kind() == io::ErrorKind::CrossesDevices => {
            Fault::new(Code::Unsupported, "the target is on another disk: copy it there and delete it here")
        }
        error if error.kind() == io::ErrorKind::NotFound => fault(&error, from),
        error => fault(&error, to),
    })
}

/// What stands there, a link itself.
pub(super) fn look(path: &Path) -> Result<(Entry, Metadata), Fault> {
    let metadata = fs::symlink_metadata(path).map_err(|error| fault(&error, path))?;
    Ok((local_entry(RawPath(path.as_os_str().as_encoded_bytes().to_vec()), &metadata), metadata))
}

/// The time of day.
pub(super) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time { secs: i64::try_from(since.as_secs()).unwrap_or_default(), nanos: since.subsec_nanos() }
}

/// An error of the disk in words, with its code.
pub(super) fn fault(error: &io::Error, path: &Path) -> Fault {
    let name = escape(path.file_name().unwrap_or(OsStr::new("/")).as_bytes());
    let (code, message) = match error.kind() {
        io::ErrorKind::NotFound => (Code::NotFound, format!("{name} is not there")),
        io::ErrorKind::AlreadyExists => (Code::Exists, format!("{name} exists already")),
        io::ErrorKind::NotADirectory => (Code::NotDirectory, format!("{name} is not a directory")),
        io::ErrorKind::IsADirectory => (Code::IsDirectory, format!("{name} is a directory")),
        io::ErrorKind::DirectoryNotEmpty => (Code::NotEmpty, format!("{name} is not empty")),
        io::ErrorKind::PermissionDenied => (Code::Denied, format!("no permission for {name}")),
        io::ErrorKind::StorageFull => (Code::NoSpace, "the disk is full".to_owned()),
        _ => (Code::Io, format!("{name}: {error}")),
    };
    Fault::new(code, message)
}

fn make_parent(path: &Path) -> Result<(), Fault> {
    let Some(parent) = path.parent() else { return Ok(()) };
    fs::create_dir_all(parent).map_err(|error| fault(&error, parent))
}

fn check(token: &CancellationToken) -> Result<(), Fault> {
    if token.is_cancelled() { Err(Fault::new(Code::Cancelled, "stopped")) } else { Ok(()) }
}

/// The hash of a file; `told` of the bytes that were read.
pub(super) fn hash(path: &Path, token: &CancellationToken, mut told: impl FnMut(u64)) -> Result<Root, Fault> {
    use std::io::Read;
    let mut file = fs::File::open(path).map_err(|error| fault(&error, path))?;
    let (mut hasher, mut buffer, mut done) = (blake3::Hasher::new(), vec![0; PIECE], 0);
    loop {
        check(token)?;
        let read = file.read(&mut buffer).map_err(|error| fault(&error, path))?;
        if read == 0 {
            return Ok(Root(*hasher.finalize().as_bytes()));
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
        done += read as u64;
        told(done);
    }
}

/// Bytes free on the disk that holds it.
pub(super) fn free(path: &Path) -> Option<u64> {
    let disk = statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Read and hashed at once.
const PIECE: usize = 1 << 20;
/// Rows between two looks at a token.
const STRIDE: usize = 1024;

#[cfg(test)]
mod tests {
    use wire::message::Kind;

    use super::*;

    /// All rows by their names, and what stopped the read.
    fn rows(path: &Path) -> (Vec<Entry>, Option<Code>) {
        let (sender, mut handed) = mpsc::channel(4 * STRIDE);
        read(path, &sender);
        let (mut rows, mut fault) = (Vec::new(), None);
        while let Ok(row) = handed.try_recv() {
            match row {
                Ok(row) => rows.push(row),
                Err(error) => fault = Some(error.code),
            }
        }
        rows.sort_by(|a, b| a.name.0.cmp(&b.name.0));
        (rows, fault)
    }

    #[test]
    fn reading() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path();
        fs::create_dir(path.join("z")).unwrap();
        fs::write(path.join("x10"), "1234").unwrap();
        fs::write(path.join("x2"), "").unwrap();
        fs::write(path.join(OsStr::from_bytes(b"\xff\n")), "").unwrap();
        std::os::unix::fs::symlink("/", path.join("a-link")).unwrap();
        let (found, fault) = rows(path);
        let shown: Vec<_> = found.iter().map(|row| (escape(&row.name.0), row.kind, row.size)).collect();
        let expected = [
            ("a-link", Kind::Link, 0),
            ("x10", Kind::File, 4),
            ("x2", Kind::File, 0),
            ("z", Kind::Directory, 0),
            ("\\xff\\n", Kind::File, 0),
        ];
        assert_eq!((shown, fault), (expected.map(|(name, kind, size)| (name.to_owned(), kind, size)).into(), None));
        assert!(free(path).is_some_and(|free| free > 0));
        assert_eq!(rows(&path.join("none")), (vec![], Some(Code::NotFound)));
        assert_eq!(rows(&path.join("x2")), (vec![], Some(Code::NotDirectory)));
    }

    #[test]
    fn a_large_directory_comes_until_nobody_wants_more() {
        let home = tempfile::tempdir().unwrap();
        for n in 0..2 * STRIDE {
            fs::write(home.path().join(n.to_string()), "").unwrap();
        }
        assert_eq!(rows(home.path()).0.len(), 2 * STRIDE);
        let (sender, mut rows) = mpsc::channel(1);
        let reader = std::thread::spawn({
            let path = home.path().to_owned();
            move || read(&path, &sender)
        });
        assert!(rows.blocking_recv().is_some_and(|row| row.is_ok()));
        drop(rows);
        reader.join().unwrap();
    }

    #[test]
    fn changes_never_replace_unasked() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        make_directory(&path("a/b")).unwrap();
        assert_eq!(make_directory(&path("a/b")).unwrap_err().code, Code::Exists);
        new_file(&path("f")).unwrap();
        assert_eq!(new_file(&path("f")).unwrap_err().code, Code::Exists);
        fs::write(path("g"), "g").unwrap();
        assert_eq!(rename(&path("f"), &path("g"), false).unwrap_err().code, Code::Exists);
        assert_eq!(fs::read(path("g")).unwrap(), b"g");
        rename(&path("f"), &path("g"), true).unwrap();
        assert_eq!(fs::read(path("g")).unwrap(), b"");
        rename(&path("g"), &path("new/deep/g"), false).unwrap();
        assert_eq!(rename(&path("none"), &path("x"), false).unwrap_err().code, Code::NotFound);
        let mut tally = Tally::default();
        count(&path("new"), &mut tally, &CancellationToken::new(), |_| {}).unwrap();
        assert_eq!((tally.files, tally.directories), (1, 1));
    }
}
