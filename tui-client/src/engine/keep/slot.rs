//! The file of a kept queue: found, locked, read, added to, written anew. All calls block.
//!
//! An account has some places for it. A client takes the first that no other client holds, and with it
//! what lies in those that nobody holds any more; so none writes over another's.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::KeepError;
use super::record::{self, Kept, Read, Record};

/// A place of this client's own.
#[derive(Debug)]
pub(super) struct Slot {
    path: PathBuf,
    account: String,
    /// `None` until it was written anew for the first time.
    file: Option<File>,
    /// Its bytes, and how many of them were written when it was written anew.
    bytes: (usize, usize),
    /// Held as long as this.
    _lock: File,
    /// Places whose items were taken over, with their locks, until these are written down here.
    inherited: Vec<(PathBuf, File)>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In their order.
    pub(super) items: Vec<Kept>,
    /// What the person has to know of it.
    pub(super) told: Option<String>,
}

impl Slot {
    /// Takes a place for `account` below `dir`.
    pub(super) fn take(dir: &Path, account: &str) -> Result<(Self, Found), KeepError> {
        let told = |source| KeepError::Io { path: dir.to_owned(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(told)?;
        let (mut own, mut inherited, mut found) = (None, Vec::new(), Found::default());
        for number in 1..=SLOTS {
            let path = dir.join(file_name(account, number));
            if own.is_some() && !path.exists() {
                continue;
            }
            let Some(lock) = lock(&path).map_err(told)? else { continue };
            found.add(&path, account).map_err(told)?;
            match own {
                None => own = Some((path, lock)),
                Some(_) => inherited.push((path, lock)),
            }
        }
        let (path, lock) = own.ok_or(KeepError::Taken)?;
        Ok((Self { path, account: account.to_owned(), file: None, bytes: (0, 0), _lock: lock, inherited }, found))
    }

    /// Whether more lines are of the past than of the present.
    pub(super) fn is_worn(&self) -> bool {
        self.file.is_none() || self.bytes.0 > 2 * self.bytes.1 + SPARE
    }

    /// Adds records, on the disk when it returns.
    pub(super) fn append(&mut self, records: &[Record]) -> Result<(), KeepError> {
        let Some(file) = &mut self.file else { return self.rewrite(records) };
        let written = write(records, file).and_then(|bytes| file.sync_data().map(|()| bytes));
        self.bytes.0 += written.map_err(|source| self.told(source))?;
        Ok(())
    }

    /// Writes it anew, beside and then over: a crash leaves the old one or the new one.
    pub(super) fn rewrite(&mut self, records: &[Record]) -> Result<(), KeepError> {
        let (file, bytes) = self.replace(records).map_err(|source| self.told(source))?;
        (self.file, self.bytes) = (Some(file), (bytes, bytes));
        for (path, _) in self.inherited.drain(..) {
            if let Err(error) = fs::remove_file(&path).or_else(absent) {
                tracing::warn!(file = %path.display(), %error, "a queue that was taken over is still there");
            }
        }
        Ok(())
    }

    /// Where it is, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn replace(&self, records: &[Record]) -> io::Result<(File, usize)> {
        let beside = self.path.with_extension("new");
        // Left behind by a crash: not yet anybody's queue.
        fs::remove_file(&beside).or_else(absent)?;
        let mut file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(&record::header(&self.account)?)?;
        let bytes = write(records, &mut file)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        sync_directory(&self.path)?;
        Ok((file, bytes))
    }

    fn told(&self, source: io::Error) -> KeepError {
        KeepError::Io { path: self.path.clone(), source }
    }
}

impl Found {
    /// Reads one file. What cannot be read is set aside, never written over and never in the way.
    fn add(&mut self, path: &Path, account: &str) -> io::Result<()> {
        let mut bytes = Vec::new();
        match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file?.take(LARGEST + 1).read_to_end(&mut bytes)?,
        };
        let read = if bytes.len() as u64 > LARGEST { Read::Foreign } else { record::read(&bytes, account) };
        match read {
            Read::Items(items, bad) => {
                self.items.extend(items);
                if bad > 0 {
                    let aside = free_name(path, "damaged");
                    fs::copy(path, &aside)?;
                    self.tell(
                        "Some lines of the kept queue made no sense; all others are here. The file was copied to",
                        &aside,
                    );
                }
            }
            Read::Foreign => {
                let aside = free_name(path, "damaged");
                fs::rename(path, &aside)?;
                self.tell("The kept queue could not be read and was set aside as", &aside);
            }
            Read::Newer => {
                let aside = free_name(path, "newer");
                fs::rename(path, &aside)?;
                self.tell("The kept queue was written by a newer version and was set aside as", &aside);
            }
        }
        Ok(())
    }

    fn tell(&mut self, what: &str, path: &Path) {
        let text = format!("{what} {}", super::super::local::shown(path));
        tracing::warn!("{text}");
        self.told.get_or_insert(text);
    }
}

/// Writes records at the end of a file; how many bytes. Most are written in one go; a directory's worth of names is
/// never in memory as a whole.
fn write(records: &[Record], file: &mut File) -> io::Result<usize> {
    let mut out = Counting { out: BufWriter::with_capacity(AT_ONCE, file), bytes: 0 };
    record::write(records, &mut out)?;
    out.flush()?;
    Ok(out.bytes)
}

/// Counts what goes through.
struct Counting<W> {
    out: W,
    bytes: usize,
}

impl<W: io::Write> io::Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The lock of a place; `None` while another client has it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path.with_extension("lock"))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// `ada@host:7122.jsonl`, then `ada@host:7122-2.jsonl`. Bytes that a file name could not have are spelled.
fn file_name(account: &str, number: usize) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@.:-_[]".contains(c);
    let spelled = |c: char| if plain(c) { c.to_string() } else { format!("%{:x}", u32::from(c)) };
    let mut name: String = account.chars().map(spelled).collect();
    if name.len() > LONGEST_NAME {
        name = blake3::hash(account.as_bytes()).to_hex().to_string();
    }
    if number == 1 { format!("{name}.jsonl") } else { format!("{name}-{number}.jsonl") }
}

fn free_name(path: &Path, word: &str) -> PathBuf {
    let mut names = (1..ASIDE).map(|number| path.with_extension(format!("{word}-{number}")));
    names.find(|name| !name.exists()).unwrap_or_else(|| path.with_extension(format!("{word}-{ASIDE}")))
}

fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// Clients of one account at a time whose queues are kept.
const SLOTS: usize = 16;
/// Bytes written in one go.
const AT_ONCE: usize = 256 << 10;
/// Bytes of the past that are not worth writing a file anew.
const SPARE: usize = 64 << 10;
/// More than a million items are no queue.
const LARGEST: u64 = 512 << 20;
/// File names end at 255 bytes.
const LONGEST_NAME: usize = 200;
/// Files set aside for each reason; the last one is written over.
const ASIDE: usize = 9;

#[cfg(test)]
mod tests;
