//! What became of past items: a file of one line each for all accounts, the last ten thousand of them. All
//! calls block.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use wire::Root;

use super::super::status::{AfterCopy, IfExists, ItemStatus, Job, State};
use super::record::{self, KeptJob};

/// An item that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// When it ended, in seconds since 1970.
    pub at: i64,
    /// Whose it was, as `user@host:port`.
    pub account: String,
    /// Where it came from and went.
    pub job: Job,
    /// What became of its source.
    pub source: AfterCopy,
    /// What it did with targets that existed.
    pub if_exists: IfExists,
    /// It was of chosen files, of which nothing more is known.
    pub is_part: bool,
    /// How it ended.
    pub end: Ending,
    /// Its last name, escaped for display; a directory's ends in `/`.
    pub name: String,
    /// Files found.
    pub files: u64,
    /// Those that did not arrive.
    pub files_failed: u64,
    /// Those that were skipped.
    pub files_skipped: u64,
    /// Bytes found.
    pub bytes: u64,
    /// Payload bytes that travelled.
    pub sent: u64,
    /// Bytes the receiver had already.
    pub held: u64,
    /// Time spent running.
    pub elapsed: Duration,
    /// Of a single file that was proven.
    pub root: Option<Root>,
    /// Why it failed.
    pub why: String,
}

/// How an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Every file proven, or skipped as asked.
    Done,
    /// Some files did not arrive.
    Failed,
    /// On request.
    Cancelled,
}

impl Ending {
    /// The word the screen shows.
    pub fn word(self) -> &'static str {
        match self {
            Ending::Done => "done",
            Ending::Failed => "failed",
            Ending::Cancelled => "cancelled",
        }
    }
}

impl Past {
    /// Bytes a second while it ran, held ones excluded.
    pub fn rate(&self) -> u64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { (self.sent as f64 / seconds) as u64 } else { 0 }
    }

    /// An item that is over, as of now; `None` for one that is not.
    pub(crate) fn of(item: &ItemStatus, if_exists: IfExists, is_part: bool, account: &str) -> Option<Self> {
        let (end, why) = match &item.state {
            State::Done => (Ending::Done, String::new()),
            State::Failed(fault) => (Ending::Failed, fault.message.clone()),
            State::Cancelled => (Ending::Cancelled, String::new()),
            _ => return None,
        };
        Some(Self {
            at: jiff::Timestamp::now().as_second(),
            account: account.to_owned(),
            job: item.job.clone(),
            source: item.source,
            if_exists,
            is_part,
            end,
            name: item.name.clone(),
            files: item.files,
            files_failed: item.files_failed,
            files_skipped: item.files_skipped,
            bytes: item.bytes,
            sent: item.sent,
            held: item.held,
            elapsed: item.elapsed,
            root: item.root,
            why,
        })
    }
}

/// Where the history is.
#[derive(Clone, Debug)]
pub struct History {
    file: PathBuf,
    /// Lines added since it was last cut to its length.
    added: usize,
}

impl History {
    /// That of a state directory.
    pub fn at(state: &Path) -> Self {
        // As if full: the first addition cuts it.
        Self { file: state.join("history.jsonl"), added: SPARE }
    }

    /// The last entries, the newest first. What makes no sense is left out; a missing file is empty.
    pub fn read(&self) -> io::Result<Vec<Past>> {
        let bytes = self.bytes()?;
        let lines = last_lines(&bytes).rev();
        Ok(lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok().and_then(Line::past)).collect())
    }

    /// Adds entries at the end.
    pub(super) fn add(&mut self, past: &[Past]) -> io::Result<()> {
        if past.is_empty() {
            return Ok(());
        }
        if let Some(dir) = self.file.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let open = || OpenOptions::new().append(true).create(true).mode(0o600).open(self.file.with_extension("lock"));
        let lock = open()?;
        // Others hold it for as long as it takes to write a file.
        flock(&lock, FlockOperation::LockExclusive)?;
        let lines: Result<Vec<Vec<u8>>, _> = past.iter().map(|past| record::line(&Line::of(past))).collect();
        let mut bytes = lines?.concat();
        if self.added >= SPARE {
            self.added = 0;
            return self.cut(&bytes);
        }
        self.added += past.len();
        let mut file = OpenOptions::new().append(true).create(true).read(true).mode(0o600).open(&self.file)?;
        // A line that a crash cut off is ended here, so that the next one is its own.
        if !self.bytes()?.ends_with(b"\n") {
            bytes.insert(0, b'\n');
        }
        file.write_all(&bytes)
    }

    fn cut(&self, more: &[u8]) -> io::Result<()> {
        let bytes = self.bytes()?;
        let beside = self.file.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        let kept: Vec<&[u8]> = last_lines(&bytes).collect();
        file.write_all(&kept.join(&b'\n'))?;
        if !kept.is_empty() {
            file.write_all(b"\n")?;
        }
        file.write_all(more)?;
        file.sync_all()?;
        fs::rename(beside, &self.file)
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match File::open(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            file => drop(file?.take(LARGEST).read_to_end(&mut bytes)?),
        }
        Ok(bytes)
    }
}

fn last_lines(bytes: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let over = lines.len().saturating_sub(KEPT);
    lines.into_iter().skip(over)
}

/// An entry as it is written.
#[derive(Serialize, Deserialize)]
struct Line {
    at: i64,
    account: String,
    #[serde(flatten)]
    job: KeptJob,
    #[serde(default)]
    moves: bool,
    #[serde(default)]
    if_exists: IfExists,
    #[serde(default)]
    part: bool,
    end: Ending,
    name: String,
    files: u64,
    failed: u64,
    skipped: u64,
    bytes: u64,
    sent: u64,
    held: u64,
    millis: u64,
    root: Option<String>,
    #[serde(default)]
    why: String,
}

impl Line {
    fn of(past: &Past) -> Self {
        Self {
            at: past.at,
            account: past.account.clone(),
            job: KeptJob::of(&past.job),
            moves: past.source == AfterCopy::Remove,
            if_exists: past.if_exists,
            part: past.is_part,
            end: past.end,
            name: past.name.clone(),
            files: past.files,
            failed: past.files_failed,
            skipped: past.files_skipped,
            bytes: past.bytes,
            sent: past.sent,
            held: past.held,
            millis: u64::try_from(past.elapsed.as_millis()).unwrap_or(u64::MAX),
            root: past.root.map(|root| root.to_string()),
            why: past.why.clone(),
        }
    }

    fn past(self) -> Option<Past> {
        let root = self.root.as_deref().and_then(|hex| blake3::Hash::from_hex(hex).ok());
        Some(Past {
            at: self.at,
            account: self.account,
            job: self.job.job()?,
            source: if self.moves { AfterCopy::Remove } else { AfterCopy::Keep },
            if_exists: self.if_exists,
            is_part: self.part,
            end: self.end,
            name: self.name,
            files: self.files,
            files_failed: self.failed,
            files_skipped: self.skipped,
            bytes: self.bytes,
            sent: self.sent,
            held: self.held,
            elapsed: Duration::from_millis(self.millis),
            root: root.map(|hash| Root(*hash.as_bytes())),
            why: self.why,
        })
    }
}

/// Entries that are kept.
const KEPT: usize = 10_000;
/// Entries above that before the file is cut.
const SPARE: usize = 1000;
/// However long its lines are.
const LARGEST: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use wire::RemotePath;

    fn past(at: i64) -> Past {
        Past {
            at,
            account: "ada@h:1".into(),
            job: Job::Down { source: RemotePath::parse(b"/a/\xff").unwrap(), target: "/b/c".into() },
            source: AfterCopy::Remove,
            if_exists: IfExists::Newer,
            is_part: true,
            end: Ending::Failed,
            name: "\\xff".into(),
            files: 3,
            files_failed: 1,
            files_skipped: 1,
            bytes: 1000,
            sent: 600,
            held: 400,
            elapsed: Duration::from_millis(1500),
            root: Some(Root([9; 32])),
            why: "over quota".into(),
        }
    }

    #[test]
    fn the_last_entries_stay_the_newest_first() {
        let place = tempfile::tempdir().unwrap();
        let mut history = History::at(&place.path().join("state"));
        assert_eq!(history.read().unwrap(), []);
        history.add(&[past(1), past(2)]).unwrap();
        history.add(&[past(3)]).unwrap();
        assert_eq!(history.read().unwrap(), [past(3), past(2), past(1)]);
        assert_eq!(past(1).rate(), 400);
        let many: Vec<Past> = (10..11_500).map(past).collect();
        history.add(&many).unwrap();
        history.add(&[past(20_000)]).unwrap();
        let read = history.read().unwrap();
        assert_eq!((read.len(), read[0].at), (KEPT, 20_000));
        let lines = fs::read(&history.file).unwrap().iter().filter(|byte| **byte == b'\n').count();
        assert!(lines <= KEPT + SPARE, "{lines}");
    }

    #[test]
    fn damage_costs_the_damaged_lines_alone() {
        let place = tempfile::tempdir().unwrap();
        let mut history = History::at(place.path());
        history.add(&[past(1)]).unwrap();
        let mut bytes = fs::read(&history.file).unwrap();
        bytes.extend_from_slice(b"\0\0\n{\"at\":5,\"acc");
        fs::write(&history.file, bytes).unwrap();
        history.add(&[past(2)]).unwrap();
        assert_eq!(history.read().unwrap(), [past(2), past(1)]);
    }
}
