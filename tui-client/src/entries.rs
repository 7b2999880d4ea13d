//! The entries of a directory, packed: a million with names of 20 bytes take 36 MB, a quarter of what they
//! do one by one. Knows neither their order nor who shows them.

use std::sync::Arc;

use wire::Root;
use wire::message::{Entry, Kind, Time};

/// Entries in the order they came, each known by its number. Only grows; a clone is cheap and shares what
/// was there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// All of them full, except the last.
    chunks: Vec<Arc<Chunk>>,
    keep_roots: bool,
}

/// Some entries one after another, and where each begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Chunk {
    starts: Vec<u32>,
    packed: Vec<u8>,
}

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
        let full = self.chunks.len().saturating_sub(1) * CHUNK;
        self.chunks.last().map_or(0, |last| full + last.starts.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Their numbers from the first to the last.
    pub fn ids(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.len()).unwrap_or(u32::MAX)
    }

    /// Takes up one more.
    pub fn push(&mut self, entry: &Entry) {
        if self.chunks.last().is_none_or(|last| last.starts.len() == CHUNK) {
            self.chunks.push(Arc::default());
        }
        if let Some(last) = self.chunks.last_mut() {
            // Copied when a clone still shares it: once for each clone, one chunk at the most.
            Arc::make_mut(last).push(entry, self.keep_roots);
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

    /// The first of this name from a number on.
    pub fn find(&self, name: &[u8], from: u32) -> Option<u32> {
        (from..self.ids().end).find(|id| self.name(*id) == name)
    }

    fn packed(&self, id: u32) -> Option<&[u8]> {
        let id = id as usize;
        let chunk = self.chunks.get(id / CHUNK)?;
        chunk.packed.get(*chunk.starts.get(id % CHUNK)? as usize..)
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
        if self.starts.len() == CHUNK {
            self.packed.shrink_to_fit();
        }
    }
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
/// Enough that what the allocator adds to each does not count, few enough to copy one at any time.
const CHUNK: usize = 4096;

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

    #[test]
    fn a_clone_keeps_what_it_had() {
        let name = |n: usize| format!("{n}");
        let push = |entries: &mut Entries, n| entries.push(&entry(name(n).as_bytes(), Kind::File, 0, 0));
        let (mut entries, mut clones) = (Entries::default(), Vec::new());
        for n in 0..2 * CHUNK + 2 {
            if n % 1000 == 0 {
                clones.push(entries.clone());
            }
            push(&mut entries, n);
        }
        clones.push(entries);
        for (index, clone) in clones.iter().enumerate() {
            assert_eq!(clone.len(), (index * 1000).min(2 * CHUNK + 2));
            assert!(clone.iter().enumerate().all(|(n, entry)| entry.name == name(n).as_bytes()));
        }
        let last = &clones[clones.len() - 1];
        assert_eq!((last.find(b"5000", 0), last.find(b"5000", 5001)), (Some(5000), None));
    }
}
