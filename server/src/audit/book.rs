//! The audit's own file: lines of JSON, appended, for its owner only. Half a line never stays in it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::Entry;

/// An open file.
#[derive(Debug)]
pub(super) struct Book {
    path: PathBuf,
    file: File,
    /// The last line was not taken: told once.
    failing: bool,
    /// It may end within a line.
    torn: bool,
}

impl Book {
    /// Opens or makes the file. A line that a power cut tore is ended.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // Not blocking: it may be a pipe that nobody reads.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let mut last = [b'\n'];
        if file.metadata()?.len() > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        Ok(Self { path: path.to_owned(), file, failing: false, torn: last != *b"\n" })
    }

    /// Appends a line; says whether it is there.
    pub(super) fn write(&mut self, entry: &Entry) -> bool {
        let written = self.append(entry);
        match written {
            Ok(()) if self.failing => tracing::info!(file = %self.path.display(), "the audit file takes lines again"),
            Err(error) if !self.failing => {
                tracing::error!(file = %self.path.display(), %error, "the audit file takes no lines; they are in the log");
                self.failing = true;
                return false;
            }
            _ => {}
        }
        self.failing = written.is_err();
        written.is_ok()
    }

    fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let mut line = if self.torn { vec![b'\n'] } else { Vec::new() };
        serde_json::to_writer(&mut line, entry)?;
        line.push(b'\n');
        let end = self.file.metadata()?.len();
        let written = self.file.write_all(&line);
        // What a full disk took of it goes again.
        self.torn = match written {
            Ok(()) => false,
            Err(_) => self.torn | self.file.set_len(end).is_err(),
        };
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &Path) -> Vec<String> {
        std::fs::read_to_string(path).expect("read").lines().map(str::to_owned).collect()
    }

    #[test]
    fn lines_are_appended_and_a_torn_one_is_ended() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("audit");
        std::fs::write(&path, "{\"time\":\"20").expect("written");
        let mut book = Book::open(&path).expect("opened");
        let entry = Entry { path: Some(r"a\nb".to_owned()), ..Entry::now("mkdir") };
        assert!(book.write(&entry) && book.write(&entry));
        let lines = lines(&path);
        assert_eq!((lines.len(), lines[0].as_str()), (3, "{\"time\":\"20"));
        for line in &lines[1..] {
            assert_eq!(serde_json::from_str::<Entry>(line).expect("JSON"), entry);
        }
    }

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let dir = tempfile::tempdir().expect("a directory");
        Book::open(dir.path()).expect_err("a directory");
        Book::open(Path::new("/dev/null")).expect_err("a device");
        Book::open(&dir.path().join("nowhere/audit")).expect_err("no directory");
    }
}
