//! The log file: for its owner only, bounded, written by a thread of its own.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::places::Places;
use crate::runtime::SCREEN;

/// Logs to a file in the state place, as much as `CATAMARAN_LOG` says, until what is returned is dropped. Without the
/// file there is no log, and that stops nobody.
pub(super) fn start(places: &Places) -> Option<WorkerGuard> {
    std::fs::create_dir_all(&places.state).ok()?;
    let file = LogFile::open(places.state.join("client.log")).ok()?;
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(WAITING).finish(file);
    let usual = || EnvFilter::new(format!("warn,{SCREEN}=info"));
    let filter = EnvFilter::try_from_env("CATAMARAN_LOG").unwrap_or_else(|_| usual());
    // An error: a log is there already.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(writer).try_init();
    Some(guard)
}

/// When it is long it becomes the one before, which is kept.
struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    fn open(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        // It may have been made by somebody with other ideas.
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(Self { path, file })
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Asked each time: another client may write to it as well.
        if self.file.metadata()?.len() > LONGEST {
            if std::fs::rename(&self.path, self.path.with_extension("log.old")).is_err() {
                self.file.set_len(0)?;
            }
            *self = Self::open(self.path.clone())?;
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// In bytes; the one before may be as long.
const LONGEST: u64 = 4 << 20;
/// Lines that wait for the disk; more are lost.
const WAITING: usize = 4096;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn fill(log: &mut LogFile) {
        (0..12).for_each(|_| log.write_all(&[b'x'; 1 << 20]).expect("written"));
    }

    fn kept(path: &Path) -> (bool, u32) {
        let metadata = std::fs::metadata(path).expect("there");
        (metadata.len() <= LONGEST + (1 << 20), metadata.permissions().mode() & 0o777)
    }

    #[test]
    fn it_is_bounded_and_for_its_owner_only() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, old) = (dir.path().join("client.log"), dir.path().join("client.log.old"));
        std::fs::write(&path, "older\n").expect("written");
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("changed");
        fill(&mut LogFile::open(path.clone()).expect("opened"));
        assert_eq!([&path, &old].map(|path| kept(path)), [(true, 0o600); 2]);
        assert_eq!(std::fs::read_dir(dir.path()).expect("read").count(), 2);
    }

    #[test]
    fn it_is_bounded_where_it_cannot_be_moved() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("client.log");
        std::fs::create_dir_all(dir.path().join("client.log.old/full")).expect("made");
        fill(&mut LogFile::open(path.clone()).expect("opened"));
        assert_eq!(kept(&path), (true, 0o600));
    }
}
