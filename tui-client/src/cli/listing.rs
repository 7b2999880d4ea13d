//! The entries of a directory by name, packed: a million take some 55 MB, half of what they do one by one.

use wire::Root;
use wire::message::{Entry, Kind, RawPath, Time};

/// Entries in the order they came, one after another in one piece of memory.
#[derive(Default)]
pub(super) struct Listing {
    packed: Vec<u8>,
    starts: Vec<usize>,
}

impl Listing {
    pub(super) fn push(&mut self, entry: &Entry) {
        self.starts.push(self.packed.len());
        let flags = kind_number(entry.kind) | u8::from(entry.executable) << 2 | u8::from(entry.root.is_some()) << 3;
        self.packed.push(flags);
        // A name came in a message of 64 KiB at the most.
        self.packed.extend((entry.name.0.len() as u32).to_le_bytes());
        self.packed.extend(&entry.name.0);
        self.packed.extend(entry.size.to_le_bytes());
        self.packed.extend(entry.mtime.secs.to_le_bytes());
        self.packed.extend(entry.mtime.nanos.to_le_bytes());
        self.packed.extend(entry.root.iter().flat_map(|root| root.0));
    }

    /// The entries in the order of their names' bytes, each unpacked when it is its turn.
    pub(super) fn by_name(mut self) -> impl Iterator<Item = Entry> {
        let packed = self.packed;
        self.starts.sort_unstable_by(|a, b| name_at(&packed, *a).cmp(&name_at(&packed, *b)));
        self.starts.into_iter().filter_map(move |start| unpack(packed.get(start..)?))
    }
}

fn name_at(packed: &[u8], start: usize) -> Option<&[u8]> {
    let mut rest = packed.get(start..)?;
    let [_flags] = take(&mut rest)?;
    name(&mut rest)
}

fn name<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = u32::from_le_bytes(take(rest)?) as usize;
    rest.split_off(..len)
}

fn unpack(mut rest: &[u8]) -> Option<Entry> {
    let [flags] = take(&mut rest)?;
    Some(Entry {
        name: RawPath(name(&mut rest)?.to_vec()),
        kind: *KINDS.get(usize::from(flags & 3))?,
        size: u64::from_le_bytes(take(&mut rest)?),
        mtime: Time { secs: i64::from_le_bytes(take(&mut rest)?), nanos: u32::from_le_bytes(take(&mut rest)?) },
        executable: flags & 4 != 0,
        root: if flags & 8 == 0 { None } else { Some(Root(take(&mut rest)?)) },
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_whole_and_by_name() {
        let entry = |name: &str, kind, executable, root| Entry {
            name: RawPath(name.into()),
            kind,
            size: 1 << 40,
            mtime: Time { secs: -5, nanos: 999_999_999 },
            executable,
            root,
        };
        let entries = [
            entry("a", Kind::Directory, false, None),
            entry("b", Kind::File, true, Some(Root([7; 32]))),
            entry("ba", Kind::Other, false, None),
            entry("\u{e9}", Kind::Link, false, None),
        ];
        let mut listing = Listing::default();
        entries.iter().rev().for_each(|entry| listing.push(entry));
        assert_eq!(listing.by_name().collect::<Vec<_>>(), entries);
    }
}
