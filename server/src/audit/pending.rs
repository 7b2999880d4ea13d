//! What an account flag changed: its line waits in the data directory, for only the daemon knows where lines go. It writes
//! them as they come, or when it starts. A crash in the middle writes some twice rather than none.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::{FlockOperation, flock};

use super::{Audit, Entry};
use crate::datadir::DataDir;

/// Leaves a line for the daemon.
pub(crate) fn leave(dir: &DataDir, entry: &Entry) -> io::Result<()> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    open(dir)?.write_all(&line)
}

/// Writes what was left. Blocks.
pub(crate) fn take_up(dir: &DataDir, audit: &Audit) -> io::Result<()> {
    match dir.pending_audit().metadata() {
        Ok(found) if found.len() > 0 => {}
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    let (mut file, mut text) = (open(dir)?, Vec::new());
    file.read_to_end(&mut text)?;
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(entry) => audit.note(&entry),
            Err(error) => tracing::error!(%error, line = wire::path::escape(line), "a line of the audit is damaged"),
        }
    }
    file.set_len(0)
}

/// Locked, until it is closed: emptied and appended to in turn.
fn open(dir: &DataDir) -> io::Result<File> {
    let path = dir.pending_audit();
    let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_left_is_written_once() {
        let temp = tempfile::tempdir().expect("a directory");
        let dir = DataDir::open(&temp.path().join("data")).expect("made");
        let (audit, path) = (Audit::default(), temp.path().join("audit"));
        audit.turn_to(Audit::open(Some(&path)).expect("opened"));
        take_up(&dir, &audit).expect("nothing is there");
        let entries = ["add_user", "set_quota"].map(|verb| Entry { user: Some("ada".into()), ..Entry::now(verb) });
        entries.iter().for_each(|entry| leave(&dir, entry).expect("left"));
        (0..2).for_each(|_| take_up(&dir, &audit).expect("taken up"));
        let written = fs::read_to_string(&path).expect("read");
        let written: Vec<Entry> = written.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(written, entries);
        assert_eq!(fs::metadata(dir.pending_audit()).expect("there").len(), 0);
    }
}
