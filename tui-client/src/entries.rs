//! The entries of a directory, packed: a million with names of 20 bytes take 37 MB, a quarter of what they
//! do one by one. A directory that is read again shares what did not change with the list before. Knows
//! neither the order of entries nor who shows them.

mod heirs;
mod picked;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use wire::Root;
use wire::message::{Entry, Kind, Time};

pub use heirs::Heirs;
pub use picked::Picked;

/// Entries in the order they came, each known by its number. Only grows; a clone is cheap and shares what
/// was there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// All of them full, except the last.
    chunks: Vec<Arc<Chunk>>,
    len: usize,
    keep_roots: bool,
}

/// Some entries one after another, and where each begins. It ends after a name that is chosen by its hash, so
/// that a name more or less changes one chunk and leaves those behind it as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Chunk {
    starts: Vec<u32>,
    packed: Vec<u8>,
    full: bool,
}

/// The chunks of a list, to be found again.
#[derive(Debug, Default)]
pub struct Known(HashMap<u64, Arc<Chunk>>);

/// An entry, unpacked where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryRef<'a> {
    /// Its number among those it came with.
    pub id: u32,
    /// Its name.
    pub name: &'a [u8],
    /// What it is.
    pub kind: Kind,
    /// Bytes; 0 for anything but a file.
    pub size: u64,
    /// Last modification of the content.
    pub mtime: Time,
    /// The owner's executable bit, of a file.
    pub executable: bool,
    /// Whether the server has its hash.
    pub proven: bool,
    /// That hash, where hashes are kept.
    pub root: Option<Root>,
}

impl Entries {
    /// None yet; they will keep their hashes, 32 bytes for each that has one.
    pub fn with_roots() -> Self {
        Self { keep_roots: true, ..Self::default() }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Their numbers from the first to the last. There are gaps between them.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        let chunks = self.chunks.iter().zip(0u32..);
        chunks.flat_map(|(chunk, number)| (number << INDEX_BITS..).take(chunk.starts.len()))
    }

    /// A number above all of theirs.
    pub fn bound(&self) -> usize {
        self.chunks.len() << INDEX_BITS
    }

    /// Takes up one more.
    pub fn push(&mut self, entry: &Entry) {
        if self.chunks.last().is_none_or(|last| last.full) {
            // Half a thousand million entries; no memory holds so many.
            if self.chunks.len() >= MOST_CHUNKS {
                return;
            }
            self.chunks.push(Arc::default());
        }
        if let Some(last) = self.chunks.last_mut() {
            // Copied when a clone still shares it: once for each clone, one chunk at the most.
            Arc::make_mut(last).push(entry, self.keep_roots);
            self.len += 1;
        }
    }

    /// Takes up one more, and shares the memory of chunks that are known.
    pub fn push_sharing(&mut self, entry: &Entry, known: &Known) {
        self.push(entry);
        if let Some(last) = self.chunks.last_mut().filter(|last| last.full)
            && let Some(same) = known.like(last)
        {
            *last = same;
        }
    }

    /// The entry of a number.
    pub fn get(&self, id: u32) -> Option<EntryRef<'_>> {
        unpack(id, self.packed(id)?)
    }

    /// The name of a number; empty where there is none such.
    pub fn name(&self, id: u32) -> &[u8] {
        self.packed(id).and_then(|packed| take_name(&mut packed.get(1..)?)).unwrap_or_default()
    }

    /// Whether the number is that of a directory.
    pub fn is_directory(&self, id: u32) -> bool {
        let flags = self.packed(id).and_then(<[u8]>::first);
        flags.is_some_and(|flags| flags & KIND == kind_number(Kind::Directory))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = EntryRef<'_>> {
        self.ids().filter_map(|id| self.get(id))
    }

    /// The first of this name, the first `passed` entries left out.
    pub fn find(&self, name: &[u8], passed: usize) -> Option<u32> {
        self.ids().skip(passed).find(|id| self.name(*id) == name)
    }

    fn packed(&self, id: u32) -> Option<&[u8]> {
        #[cfg(test)]
        TOUCHED.with(|touched| touched.set(touched.get() + 1));
        let chunk = self.chunks.get((id >> INDEX_BITS) as usize)?;
        chunk.packed.get(*chunk.starts.get(id as usize % MOST)? as usize..)
    }
}

#[cfg(test)]
thread_local! {
    /// How often this thread looked at an entry: what a key may cost is told in these.
    pub(crate) static TOUCHED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl Known {
    /// The full chunks of a list.
    pub fn of(entries: &Entries) -> Self {
        #[cfg(test)]
        TOUCHED.with(|touched| touched.set(touched.get() + entries.len()));
        let full = entries.chunks.iter().filter(|chunk| chunk.full);
        Self(full.map(|chunk| (hash(&**chunk), chunk.clone())).collect())
    }

    fn like(&self, chunk: &Chunk) -> Option<Arc<Chunk>> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&hash(chunk)).filter(|known| ***known == *chunk).cloned()
    }
}

impl<'a> From<&'a Entry> for EntryRef<'a> {
    /// As the only one of its list.
    fn from(entry: &'a Entry) -> Self {
        let Entry { name, kind, size, mtime, executable, root } = entry;
        let (kind, size, mtime, executable, root) = (*kind, *size, *mtime, *executable, *root);
        Self { id: 0, name: &name.0, kind, size, mtime, executable, proven: root.is_some(), root }
    }
}

impl<'a> FromIterator<&'a Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = &'a Entry>>(all: I) -> Self {
        let mut entries = Self::default();
        all.into_iter().for_each(|entry| entries.push(entry));
        entries
    }
}

impl Chunk {
    fn push(&mut self, entry: &Entry, keep_root: bool) {
        // A name came in a message of 64 KiB at the most, so that a chunk ends well within 4 GiB.
        self.starts.push(self.packed.len() as u32);
        let root = entry.root.filter(|_| keep_root);
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        self.packed.push(
            kind_number(entry.kind)
                | flag(entry.executable, EXECUTABLE)
                | flag(entry.root.is_some(), PROVEN)
                | flag(root.is_some(), ROOT),
        );
        put_number(&mut self.packed, entry.name.0.len() as u64);
        self.packed.extend(&entry.name.0);
        put_number(&mut self.packed, entry.size);
        put_number(&mut self.packed, entry.mtime.secs.cast_unsigned());
        self.packed.extend(entry.mtime.nanos.to_le_bytes());
        self.packed.extend(root.iter().flat_map(|root| root.0));
        let last_of_many = self.starts.len() >= LEAST && hash(&entry.name.0).is_multiple_of(CHOSEN);
        self.full = last_of_many || self.starts.len() == MOST;
        if self.full {
            self.starts.shrink_to_fit();
            self.packed.shrink_to_fit();
        }
    }
}

/// The same for the same bytes as long as the program runs.
fn hash(it: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    it.hash(&mut hasher);
    hasher.finish()
}

fn unpack(id: u32, mut rest: &[u8]) -> Option<EntryRef<'_>> {
    let [flags] = take(&mut rest)?;
    let name = take_name(&mut rest)?;
    let has = |flag| flags & flag != 0;
    Some(EntryRef {
        id,
        name,
        kind: *KINDS.get(usize::from(flags & KIND))?,
        size: take_number(&mut rest)?,
        mtime: Time { secs: take_number(&mut rest)?.cast_signed(), nanos: u32::from_le_bytes(take(&mut rest)?) },
        executable: has(EXECUTABLE),
        proven: has(PROVEN),
        root: if has(ROOT) { Some(Root(take(&mut rest)?)) } else { None },
    })
}

fn take_name<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(take_number(rest)?).ok()?;
    rest.split_off(..len)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = *rest.split_off_first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn kind_number(kind: Kind) -> u8 {
    match kind {
        Kind::File => 0,
        Kind::Directory => 1,
        Kind::Link => 2,
        Kind::Other => 3,
    }
}

/// By [`kind_number`].
const KINDS: [Kind; 4] = [Kind::File, Kind::Directory, Kind::Link, Kind::Other];
const KIND: u8 = 3;
const EXECUTABLE: u8 = 4;
const PROVEN: u8 = 8;
const ROOT: u8 = 16;
/// The bits of a number that tell the place in a chunk; the others tell the chunk.
const INDEX_BITS: u32 = 13;
/// Entries of the largest chunk: few enough to copy one at any time.
const MOST: usize = 1 << INDEX_BITS;
/// Entries of the smallest full chunk: enough that what the allocator adds to each does not count.
const LEAST: usize = 1024;
/// From there on one name of so many ends it.
const CHOSEN: u64 = 4096;
const MOST_CHUNKS: usize = 1 << (u32::BITS - INDEX_BITS);

#[cfg(test)]
mod tests {
    use wire::message::RawPath;

    use super::*;

    fn entry(name: &[u8], kind: Kind, size: u64, secs: i64) -> Entry {
        let mtime = Time { secs, nanos: 999_999_999 };
        Entry { name: RawPath(name.into()), kind, size, mtime, executable: size == 1, root: None }
    }

    fn whole(entry: EntryRef<'_>) -> Entry {
        let EntryRef { kind, size, mtime, executable, root, .. } = entry;
        Entry { name: RawPath(entry.name.into()), kind, size, mtime, executable, root }
    }

    #[test]
    fn entries_come_back_whole() {
        let mut all = vec![
            entry(b"a", Kind::Directory, 0, -5),
            entry(b"", Kind::Link, u64::MAX, i64::MIN),
            entry(&[0xff; 300], Kind::Other, 1, i64::MAX),
            entry("\u{e9}\n".as_bytes(), Kind::File, 1 << 40, 0),
        ];
        all[3].root = Some(Root([7; 32]));
        let mut kept = Entries::with_roots();
        all.iter().for_each(|entry| kept.push(entry));
        assert_eq!(kept.iter().map(whole).collect::<Vec<_>>(), all);
        let told: Entries = all.iter().collect();
        assert_eq!(told.iter().map(|entry| (entry.proven, entry.root)).last(), Some((true, None)));
        assert_eq!((told.get(4), told.name(4)), (None, b"".as_slice()));
    }

    #[test]
    fn an_entry_takes_little_more_than_its_name() {
        let mut entries = Entries::default();
        for n in 0..100_000 {
            entries.push(&entry(format!("entry-number-{n:07}").as_bytes(), Kind::File, n, 1_795_341_600));
        }
        let chunks = entries.chunks.iter();
        let bytes: usize = chunks.map(|chunk| chunk.packed.capacity() + 4 * chunk.starts.capacity()).sum();
        assert!(bytes < 42 * 100_000, "{bytes} bytes");
    }

    fn numbered(numbers: impl Iterator<Item = usize>) -> Vec<Entry> {
        numbers.map(|n| entry(format!("{n}").as_bytes(), Kind::File, 0, 0)).collect()
    }

    #[test]
    fn a_clone_keeps_what_it_had() {
        let all = numbered(0..2 * MOST + 2);
        let (mut entries, mut clones) = (Entries::default(), Vec::new());
        for (n, entry) in all.iter().enumerate() {
            if n % 1000 == 0 {
                clones.push(entries.clone());
            }
            entries.push(entry);
        }
        clones.push(entries);
        for (index, clone) in clones.iter().enumerate() {
            assert_eq!(clone.len(), (index * 1000).min(all.len()));
            assert!(clone.iter().zip(&all).all(|(entry, pushed)| entry.name == pushed.name.0));
            assert!(clone.ids().zip(clone.iter()).all(|(id, entry)| entry.id == id && clone.bound() > id as usize));
        }
        let last = &clones[clones.len() - 1];
        assert_eq!(last.find(b"5000", 0).map(|id| last.name(id)), Some(b"5000".as_slice()));
        assert_eq!(last.find(b"5000", 5001), None);
    }

    #[test]
    fn what_did_not_change_is_shared() {
        let older: Entries = numbered(0..100_000).iter().collect();
        let known = Known::of(&older);
        let mut newer = Entries::default();
        let (some, rest) = (numbered(200_000..200_100), numbered((0..100_000).filter(|n| *n != 60_000)));
        some.iter().chain(&rest).for_each(|entry| newer.push_sharing(entry, &known));
        assert_eq!(newer.iter().map(whole).collect::<Vec<_>>(), [some, rest].concat());
        let shared = |chunk: &&Arc<Chunk>| older.chunks.iter().any(|other| Arc::ptr_eq(chunk, other));
        let alone = newer.chunks.iter().filter(|chunk| !shared(chunk)).count();
        assert!(alone * 2 < newer.chunks.len(), "{alone} of {} chunks are not shared", newer.chunks.len());
    }
}
