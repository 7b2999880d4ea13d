//! What is kept of the queue, as lines of a file: one JSON object each. Knows no file.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wire::message::{Entry, Kind, RawPath, Time};
use wire::{RemotePath, Root};

use super::super::status::{Chosen, Direction, IfExists, Job, Priority, Side};
use crate::entries::{Entries, EntryRef, Picked};

/// The first line of a kept queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// `queue`: what the file is.
    catamaran: String,
    /// How its lines are to be read.
    version: u32,
    /// Whose queue it is, as `user@host:port`.
    account: String,
}

/// Every other line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// An item that is not over, in place of what was kept of it before.
    Item(Box<Kept>),
    /// The files of an item that is only these of its tree; stands before it.
    Chosen(u64, Vec<KeptChosen>),
    /// Entries of the directory that an item is of, with all they hold: some of them in each line, before the item.
    Names(u64, Vec<KeptEntry>),
    /// All of them, to be written as such lines.
    #[serde(skip)]
    Picked(u64, Picked),
    /// It is over.
    Over(u64),
    /// The order of the items from here on.
    Order(Vec<u64>),
}

/// An item that is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) id: u64,
    #[serde(flatten)]
    pub(crate) job: KeptJob,
    pub(crate) if_exists: IfExists,
    /// Whether its source goes.
    #[serde(default)]
    pub(crate) moves: bool,
    #[serde(default)]
    pub(crate) limit: Option<u64>,
    #[serde(default)]
    pub(crate) priority: Priority,
    /// As far as it was known. Only shown, never acted upon.
    #[serde(default)]
    pub(crate) size: Size,
    /// Its source was about to go.
    #[serde(default)]
    pub(crate) leaving: Option<Parting>,
    /// It is only some files of its tree: without these it is nothing.
    #[serde(default)]
    pub(crate) is_part: bool,
    /// Which, from their own line.
    #[serde(skip)]
    pub(crate) chosen: Option<Vec<KeptChosen>>,
    /// Or which entries of its directory, from theirs.
    #[serde(skip)]
    pub(crate) picked: Option<Entries>,
}

/// An entry that was picked: name, kind, size, time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptEntry(Raw, Kind, u64, i64, u32);

impl KeptEntry {
    fn of(entry: EntryRef<'_>) -> Self {
        Self(Raw::new(entry.name), entry.kind, entry.size, entry.mtime.secs, entry.mtime.nanos)
    }

    fn entry(self) -> Entry {
        let Self(name, kind, size, secs, nanos) = self;
        let name = RawPath(name.bytes().to_vec());
        Entry { name, kind, size, mtime: Time { secs, nanos }, executable: false, root: None }
    }
}

/// A file that was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptChosen {
    path: Raw,
    source: KeptSide,
    target: Option<KeptSide>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptSide {
    size: u64,
    mtime: Time,
    root: Option<Root>,
}

impl KeptSide {
    fn of(side: &Side) -> Self {
        Self { size: side.size, mtime: side.mtime, root: side.root }
    }

    fn side(self) -> Side {
        Side { size: self.size, mtime: self.mtime, root: self.root }
    }
}

impl KeptChosen {
    pub(crate) fn of(chosen: &Chosen) -> Self {
        let Chosen { path, source, target } = chosen;
        Self { path: Raw::new(path), source: KeptSide::of(source), target: target.as_ref().map(KeptSide::of) }
    }

    pub(crate) fn chosen(&self) -> Chosen {
        let target = self.target.map(KeptSide::side);
        Chosen { path: self.path.bytes().to_vec(), source: self.source.side(), target }
    }
}

/// The places of an item, losslessly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptJob {
    way: Direction,
    source: Raw,
    target: Raw,
}

/// How much an item is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Size {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) done: u64,
    /// Whether all of it was found.
    pub(crate) whole: bool,
}

/// What was proven, noted before its source is removed: whatever has that name later and is not this, is something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Parting {
    /// All files of a directory are gone, and its directories go next.
    Directory,
    /// A file.
    File {
        /// Of its content.
        root: Root,
        /// In bytes.
        size: u64,
        /// As it was sent.
        mtime: Time,
        /// Device and inode of a local one.
        identity: Option<(u64, u64)>,
    },
}

/// Bytes of a path: text where they are UTF-8, else numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Raw {
    Text(String),
    Bytes(Vec<u8>),
}

impl Raw {
    fn new(bytes: &[u8]) -> Self {
        std::str::from_utf8(bytes).map_or_else(|_| Raw::Bytes(bytes.to_vec()), |text| Raw::Text(text.to_owned()))
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Raw::Text(text) => text.as_bytes(),
            Raw::Bytes(bytes) => bytes,
        }
    }
}

impl KeptJob {
    pub(crate) fn of(job: &Job) -> Self {
        let local = |path: &PathBuf| Raw::new(path.as_os_str().as_bytes());
        let remote = |path: &RemotePath| Raw::new(path.as_bytes());
        match job {
            Job::Up { source, target } => Self { way: Direction::Up, source: local(source), target: remote(target) },
            Job::Down { source, target } => {
                Self { way: Direction::Down, source: remote(source), target: local(target) }
            }
        }
    }

    /// `None` where the bytes are no paths.
    pub(crate) fn job(&self) -> Option<Job> {
        let local = |raw: &Raw| PathBuf::from(OsString::from_vec(raw.bytes().to_vec()));
        let remote = |raw: &Raw| RemotePath::parse(raw.bytes()).ok();
        Some(match self.way {
            Direction::Up => Job::Up { source: local(&self.source), target: remote(&self.target)? },
            Direction::Down => Job::Down { source: remote(&self.source)?, target: local(&self.target) },
        })
    }
}

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Items in their order, and how many lines made no sense.
    Items(Vec<Kept>, usize),
    /// It is no queue, or not this account's.
    Foreign,
    /// It was written by a later version.
    Newer,
}

/// Reads lines. One without an end was being written when its writer was killed: as if it had never been.
pub(super) fn read(bytes: &[u8], account: &str) -> Read {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').and_then(|end| bytes.get(..end)).unwrap_or_default();
    if whole.is_empty() {
        return if bytes.is_empty() || account.is_empty() { Read::Items(Vec::new(), 0) } else { Read::Foreign };
    }
    let mut lines = whole.split(|byte| *byte == b'\n');
    match lines.next().map(serde_json::from_slice::<Header>) {
        Some(Ok(header)) if header.catamaran == KIND && header.version > VERSION => return Read::Newer,
        Some(Ok(header)) if header.catamaran == KIND && header.account == account => {}
        _ => return Read::Foreign,
    }
    let (mut items, mut chosen, mut order, mut bad) = (HashMap::new(), HashMap::new(), Vec::new(), 0);
    let mut picked: HashMap<u64, Entries> = HashMap::new();
    for line in lines {
        match serde_json::from_slice(line) {
            Ok(Record::Item(kept)) if kept.job.job().is_some() => {
                let id = kept.id;
                if items.insert(id, *kept).is_none() {
                    order.push(id);
                }
            }
            Ok(Record::Chosen(id, files)) => drop(chosen.insert(id, files)),
            Ok(Record::Names(id, names)) => {
                let entries = picked.entry(id).or_default();
                names.into_iter().for_each(|name| entries.push(&name.entry()));
            }
            Ok(Record::Over(id)) => drop((items.remove(&id), chosen.remove(&id), picked.remove(&id))),
            Ok(Record::Order(ids)) => order.splice(..0, ids).for_each(drop),
            Ok(Record::Item(_) | Record::Picked(..)) | Err(_) => bad += 1,
        }
    }
    // An item stands where it was put last; each is taken once.
    let all: Vec<Kept> = order.into_iter().filter_map(|id| items.remove(&id)).collect();
    let whole = all.len();
    let with_files = all.into_iter().map(|kept| {
        let (chosen, picked) = (chosen.remove(&kept.id), picked.remove(&kept.id));
        Kept { chosen, picked, ..kept }
    });
    let is_whole = |kept: &Kept| kept.is_part == (kept.chosen.is_some() || kept.picked.is_some());
    let items: Vec<Kept> = with_files.filter(is_whole).collect();
    bad += whole - items.len();
    Read::Items(items, bad)
}

/// Writes records, a line each or some; no more of them is in memory than a line.
pub(super) fn write(records: &[Record], out: &mut impl Write) -> io::Result<()> {
    for record in records {
        let Record::Picked(id, picked) = record else {
            out.write_all(&line(record)?)?;
            continue;
        };
        for start in (0..picked.len()).step_by(NAMES) {
            let names = picked.range(start..start + NAMES).map(KeptEntry::of).collect();
            out.write_all(&line(&Record::Names(*id, names))?)?;
        }
    }
    Ok(())
}

/// The first line.
pub(super) fn header(account: &str) -> serde_json::Result<Vec<u8>> {
    line(&Header { catamaran: KIND.to_owned(), version: VERSION, account: account.to_owned() })
}

/// One line, with its end.
pub(super) fn line(record: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    Ok(line)
}

/// Entries in a line.
const NAMES: usize = 1000;
const KIND: &str = "queue";
const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(id: u64, source: &[u8]) -> Kept {
        let source = PathBuf::from(OsString::from_vec(source.to_vec()));
        let job = Job::Up { source, target: RemotePath::parse(b"/x/\xff\n y").unwrap() };
        Kept {
            id,
            job: KeptJob::of(&job),
            if_exists: IfExists::Update,
            moves: true,
            limit: Some(5),
            priority: Priority::High,
            size: Size { files: 3, bytes: 400, done: 20, whole: true },
            leaving: Some(Parting::File {
                root: Root([7; 32]),
                size: 400,
                mtime: Time { secs: -1, nanos: 5 },
                identity: Some((1, 2)),
            }),
            is_part: false,
            chosen: None,
            picked: None,
        }
    }

    fn file(records: &[Record]) -> Vec<u8> {
        let lines = records.iter().map(|record| line(record).unwrap());
        std::iter::once(header("ada@h:1").unwrap()).chain(lines).flatten().collect()
    }

    fn ids(bytes: &[u8]) -> (Vec<u64>, usize) {
        match read(bytes, "ada@h:1") {
            Read::Items(items, bad) => (items.iter().map(|kept| kept.id).collect(), bad),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_written_is_read_whatever_the_names_are() {
        for name in [b"/a/b".as_slice(), b"/\xff\xfe\"\\", "/日本\n\x1b[2J".as_bytes(), b"relative"] {
            let (one, two) = (kept(1, name), kept(2, b"/two"));
            let bytes = file(&[Record::Item(one.clone().into()), Record::Item(two.clone().into())]);
            assert_eq!(read(&bytes, "ada@h:1"), Read::Items(vec![one.clone(), two], 0));
            let Some(Job::Up { source, .. }) = one.job.job() else { panic!("an upload") };
            assert_eq!(source.as_os_str().as_bytes(), name);
        }
    }

    #[test]
    fn a_file_cut_anywhere_reads_as_far_as_it_goes() {
        let bytes = file(&[Record::Item(kept(1, b"/1").into()), Record::Item(kept(2, b"/2").into()), Record::Over(1)]);
        let head = header("ada@h:1").unwrap().len();
        for end in head..=bytes.len() {
            let (ids, bad) = ids(&bytes[..end]);
            assert!(bad == 0 && [vec![], vec![1], vec![1, 2], vec![2]].contains(&ids), "{end}: {ids:?}");
        }
        assert_eq!(ids(&bytes), (vec![2], 0));
        assert_eq!(read(&bytes[..3], "ada@h:1"), Read::Foreign, "not even its first line is whole");
        assert_eq!(read(b"", "ada@h:1"), Read::Items(vec![], 0));
    }

    #[test]
    fn damage_and_other_versions() {
        let mut bytes = file(&[Record::Item(kept(1, b"/1").into())]);
        bytes.extend_from_slice(b"\0\0\0\0\n{\"item\":{\"id\":9}}\n{\"over\":\"x\"}\n");
        bytes.extend(line(&Record::Item(kept(2, b"/2").into())).unwrap());
        assert_eq!(ids(&bytes), (vec![1, 2], 3));
        let newer = b"{\"catamaran\":\"queue\",\"version\":2,\"account\":\"ada@h:1\",\"more\":1}\n{\"new\":1}\n";
        assert_eq!(read(newer, "ada@h:1"), Read::Newer);
        assert_eq!(read(&file(&[]), "bob@h:1"), Read::Foreign);
        assert_eq!(read(b"\xff\xff\n", "ada@h:1"), Read::Foreign);
    }

    #[test]
    fn a_part_of_a_tree_is_never_taken_for_the_whole() {
        let side = Side { size: 4, mtime: Time { secs: 1, nanos: 2 }, root: Some(Root([3; 32])) };
        let files = vec![Chosen { path: b"a/\xff".to_vec(), source: side, target: Some(side) }];
        let part = Kept { is_part: true, ..kept(1, b"/tree") };
        let chosen = Record::Chosen(1, files.iter().map(KeptChosen::of).collect());
        let whole = file(&[chosen, Record::Item(part.clone().into())]);
        let Read::Items(items, 0) = read(&whole, "ada@h:1") else { panic!("all of it") };
        let read_files = items[0].chosen.iter().flatten().map(KeptChosen::chosen);
        assert_eq!(read_files.collect::<Vec<_>>(), files);
        assert_eq!(ids(&file(&[Record::Item(part.into())])), (vec![], 1));
    }

    #[test]
    fn picked_entries_are_lines_of_their_own() {
        let name = |n: usize| if n == 7 { b"\xff\n".to_vec() } else { format!("name-{n}").into_bytes() };
        let mtime = Time { secs: -3, nanos: 7 };
        let entry = |n: usize| {
            let (name, kind) = (RawPath(name(n)), if n == 3 { Kind::Directory } else { Kind::Link });
            Entry { name, kind, size: n as u64, mtime, executable: false, root: None }
        };
        let entries: Entries = (0..2 * NAMES + 5).map(entry).collect::<Vec<_>>().iter().collect();
        let part = Kept { is_part: true, ..kept(1, b"/tree") };
        let records = [Record::Picked(1, Picked::all(entries.clone())), Record::Item(part.into())];
        let mut bytes = header("ada@h:1").unwrap();
        write(&records, &mut bytes).unwrap();
        assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 5);
        let Read::Items(items, 0) = read(&bytes, "ada@h:1") else { panic!("all of it") };
        assert_eq!(items.iter().map(|kept| kept.picked.as_ref()).collect::<Vec<_>>(), [Some(&entries)]);
        write(&[Record::Over(1)], &mut bytes).unwrap();
        assert_eq!(ids(&bytes), (vec![], 0));
    }

    #[test]
    fn the_last_order_counts() {
        let all = [1, 2, 3].map(|id| Record::Item(kept(id, b"/x").into()));
        let mut records = all.to_vec();
        records.extend([
            Record::Order(vec![3, 1, 2]),
            Record::Item(kept(4, b"/x").into()),
            Record::Order(vec![4, 2, 7, 3, 1]),
        ]);
        assert_eq!(ids(&file(&records)), (vec![4, 2, 3, 1], 0));
        // What was changed since stays where it was put.
        records.push(Record::Item(kept(2, b"/y").into()));
        records.push(Record::Item(kept(5, b"/y").into()));
        assert_eq!(ids(&file(&records)), (vec![4, 2, 3, 1, 5], 0));
    }
}
