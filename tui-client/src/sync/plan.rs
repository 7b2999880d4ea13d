//! Two walks become rows, and rows become actions. Pure: whoever scans, shows or acts goes by it, and so a plan that
//! is printed, one on the screen and one that runs cannot differ.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use wire::message::{Kind, Time};

use super::mode::{By, Mode, Toward};
use super::path::{self, is_below};
use crate::entries::{Entries, EntryRef};

/// What one side holds, as far as it was walked. Names are paths from the directory on.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    /// In the order they came.
    pub entries: Entries,
    /// Their numbers in the order of the tree.
    pub order: Vec<u32>,
    /// Whether that is all: only then is what is not there known to be missing.
    pub whole: bool,
    /// Directories that could not be read: nothing is known of what they hold.
    pub unread: HashSet<Vec<u8>>,
}

/// What both sides hold, path by path, in the order of the tree. A clone is cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What the left side holds.
    pub left: Entries,
    /// What the right side holds.
    pub right: Entries,
    /// Every path but directories that are on both sides.
    pub rows: Arc<Vec<Row>>,
}

/// One path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its entry on the left.
    pub left: Option<Id>,
    /// Its entry on the right.
    pub right: Option<Id>,
    /// What it is, on the side that has it; of files on both sides a file.
    pub kind: Kind,
    /// What was found.
    pub finding: Finding,
    /// Bytes on the left.
    pub left_bytes: u64,
    /// Bytes on the right.
    pub right_bytes: u64,
}

/// The number of an entry, so that a row without one takes no more room than one with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(std::num::NonZeroU32);

/// A row for as long as its scan goes on: rows come between others, their names stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// By its entry on the left.
    Left(Id),
    /// It is only on the right.
    Right(Id),
}

/// How the two sides of a path stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    /// Nothing to be done.
    Same,
    /// The right side has nothing of the name.
    LeftOnly,
    /// The left side has nothing of the name.
    RightOnly,
    /// Both differ, and the left is newer.
    LeftNewer,
    /// Both differ, and the right is newer.
    RightNewer,
    /// Both differ, and nothing tells which one counts.
    Unclear,
    /// A file here, a directory or something else there.
    Kinds,
    /// Below something that is no directory on the other side, or could not be read there.
    Blocked,
    /// The contents are still being compared.
    Waiting,
    /// The contents could not be compared.
    Unknown,
}

/// What is planned for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Action {
    /// Nothing.
    #[default]
    Skip,
    /// Copy from left to right.
    CopyRight,
    /// Copy from right to left.
    CopyLeft,
    /// Delete it on the left.
    DeleteLeft,
    /// Delete it on the right.
    DeleteRight,
}

/// What is known of the content of two files of the same size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing yet.
    Waiting,
    /// The hashes are equal.
    Same,
    /// They are not.
    Differs,
    /// One of them cannot be had.
    Unknown,
}

impl Id {
    /// The name of an entry's number. Numbers end far below the highest there is.
    pub fn of(number: u32) -> Option<Self> {
        std::num::NonZeroU32::new(number.wrapping_add(1)).map(Self)
    }

    /// The entry's number.
    pub fn number(self) -> u32 {
        self.0.get() - 1
    }
}

impl Walked {
    /// Puts into the order of the tree what came since it was last done.
    pub fn sort(&mut self) {
        let Self { entries, order, .. } = self;
        order.extend(entries.ids().skip(order.len()));
        order.sort_by(|one, other| path::order(entries.name(*one), entries.name(*other)));
    }
}

impl Finding {
    /// Whether a person has to say what is to be done.
    pub fn is_conflict(self) -> bool {
        matches!(self, Finding::Unclear | Finding::Kinds | Finding::Blocked | Finding::Unknown)
    }

    /// One word or two.
    pub fn word(self) -> &'static str {
        match self {
            Finding::Same => "same",
            Finding::LeftOnly => "only left",
            Finding::RightOnly => "only right",
            Finding::LeftNewer => "left newer",
            Finding::RightNewer => "right newer",
            Finding::Unclear => "both differ",
            Finding::Kinds => "file and directory",
            Finding::Blocked => "in the way",
            Finding::Waiting => "comparing",
            Finding::Unknown => "cannot compare",
        }
    }
}

impl Action {
    /// What it means, for programs and for people.
    pub fn word(self) -> &'static str {
        match self {
            Action::Skip => "skip",
            Action::CopyRight => "copy-right",
            Action::CopyLeft => "copy-left",
            Action::DeleteLeft => "delete-left",
            Action::DeleteRight => "delete-right",
        }
    }
}

impl Row {
    /// Its name while rows come and go.
    pub fn key(&self) -> Option<Key> {
        self.left.map(Key::Left).or(self.right.map(Key::Right))
    }

    /// What is done where nobody says otherwise.
    pub fn proposal(&self, mode: Mode) -> Action {
        use Finding::{LeftNewer, LeftOnly, RightNewer, RightOnly, Unclear};
        let wanted = match (self.finding, mode.toward) {
            (LeftOnly, Toward::Right | Toward::Both) | (LeftNewer, Toward::Both) => Action::CopyRight,
            (RightOnly, Toward::Left | Toward::Both) | (RightNewer, Toward::Both) => Action::CopyLeft,
            (RightOnly, Toward::Right) if mode.deletions => Action::DeleteRight,
            (LeftOnly, Toward::Left) if mode.deletions => Action::DeleteLeft,
            // The side that is mirrored counts, however old it is.
            (LeftNewer | RightNewer | Unclear, Toward::Right) => Action::CopyRight,
            (LeftNewer | RightNewer | Unclear, Toward::Left) => Action::CopyLeft,
            _ => Action::Skip,
        };
        if self.refuses(wanted).is_some() { Action::Skip } else { wanted }
    }

    /// Why an action cannot be; `None` when it can.
    pub fn refuses(&self, action: Action) -> Option<&'static str> {
        let (from, onto) = match action {
            Action::Skip => return None,
            Action::DeleteLeft => return self.left.is_none().then_some("nothing is there to be deleted"),
            Action::DeleteRight => return self.right.is_none().then_some("nothing is there to be deleted"),
            Action::CopyRight => (self.left, self.right),
            Action::CopyLeft => (self.right, self.left),
        };
        match (self.kind, self.finding) {
            _ if from.is_none() => Some("nothing is there to be copied"),
            (_, Finding::Kinds | Finding::Blocked) => Some("something else has the name: delete that first"),
            (Kind::Link | Kind::Other, _) => Some("only files and directories are copied"),
            (Kind::Directory, _) if onto.is_some() => Some("both sides have it"),
            _ => None,
        }
    }
}

impl Plan {
    /// Puts two sides side by side. `content` is asked about files of the same size where contents count.
    pub fn of(left: &Walked, right: &Walked, mode: Mode, content: impl Fn(Id) -> Content) -> Plan {
        let mut joining = Joining { left, right, mode, content, blocked: Vec::new(), rows: Vec::new() };
        joining.run();
        Plan { left: left.entries.clone(), right: right.entries.clone(), rows: Arc::new(joining.rows) }
    }

    /// The path of a row.
    pub fn path(&self, row: &Row) -> &[u8] {
        match (row.left, row.right) {
            (Some(id), _) => self.left.name(id.number()),
            (None, Some(id)) => self.right.name(id.number()),
            (None, None) => b"",
        }
    }

    /// Its entry on the left.
    pub fn on_left(&self, row: &Row) -> Option<EntryRef<'_>> {
        self.left.get(row.left?.number())
    }

    /// Its entry on the right.
    pub fn on_right(&self, row: &Row) -> Option<EntryRef<'_>> {
        self.right.get(row.right?.number())
    }
}

struct Joining<'a, F> {
    left: &'a Walked,
    right: &'a Walked,
    mode: Mode,
    content: F,
    /// The last path below which nothing can be said: the order of the tree keeps all of that together.
    blocked: Vec<u8>,
    rows: Vec<Row>,
}

impl<F: Fn(Id) -> Content> Joining<'_, F> {
    fn run(&mut self) {
        let (left, right) = (self.left, self.right);
        let mut lefts = left.order.iter().filter_map(|id| left.entries.get(*id)).peekable();
        let mut rights = right.order.iter().filter_map(|id| right.entries.get(*id)).peekable();
        loop {
            let order = match (lefts.peek(), rights.peek()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(left), Some(right)) => path::order(left.name, right.name),
            };
            let left = lefts.next_if(|_| order.is_le());
            let right = rights.next_if(|_| order.is_ge());
            // Listed twice, for it was replaced meanwhile: it must not look as if the other side had none.
            while lefts.next_if(|next| left.is_some_and(|left| left.name == next.name)).is_some() {}
            while rights.next_if(|next| right.is_some_and(|right| right.name == next.name)).is_some() {}
            self.add(left, right);
        }
    }

    fn add(&mut self, left: Option<EntryRef<'_>>, right: Option<EntryRef<'_>>) {
        let Some(first) = left.or(right) else { return };
        let finding = self.finding(left, right);
        let unread = |side: &Walked| side.unread.contains(first.name);
        let is_block = finding == Some(Finding::Kinds) || unread(self.left) || unread(self.right);
        if is_block && !self.is_blocked(first.name) {
            self.blocked = first.name.to_vec();
        }
        let Some(finding) = finding else { return };
        let bytes = |side: Option<EntryRef<'_>>| side.map_or(0, |side| side.size);
        self.rows.push(Row {
            left: left.and_then(|left| Id::of(left.id)),
            right: right.and_then(|right| Id::of(right.id)),
            kind: first.kind,
            finding,
            left_bytes: bytes(left),
            right_bytes: bytes(right),
        });
    }

    /// `None` for what is no row: a directory on both sides, and what may yet come on the other.
    fn finding(&self, left: Option<EntryRef<'_>>, right: Option<EntryRef<'_>>) -> Option<Finding> {
        match (left, right) {
            (Some(one), _) | (_, Some(one)) if self.is_blocked(one.name) => Some(Finding::Blocked),
            (Some(_), None) => self.right.whole.then_some(Finding::LeftOnly),
            (None, Some(_)) => self.left.whole.then_some(Finding::RightOnly),
            (Some(left), Some(right)) => match (left.kind, right.kind) {
                (Kind::Directory, Kind::Directory) => None,
                (Kind::File, Kind::File) => Some(self.compare(left, right)),
                (left, right) if left != right => Some(Finding::Kinds),
                // What links and devices mean is not looked at.
                _ => Some(Finding::Same),
            },
            (None, None) => None,
        }
    }

    fn is_blocked(&self, path: &[u8]) -> bool {
        !self.blocked.is_empty() && is_below(path, &self.blocked)
    }

    fn compare(&self, left: EntryRef<'_>, right: EntryRef<'_>) -> Finding {
        let same_size = left.size == right.size;
        let content = || Id::of(left.id).map_or(Content::Unknown, &self.content);
        let same = match self.mode.by {
            By::Name => true,
            By::Size => same_size,
            By::Time => same_size && same_time(left.mtime, right.mtime),
            By::Content => {
                same_size
                    && match content() {
                        Content::Same => true,
                        Content::Differs => false,
                        Content::Waiting => return Finding::Waiting,
                        Content::Unknown => return Finding::Unknown,
                    }
            }
        };
        match left.mtime.cmp(&right.mtime) {
            _ if same => Finding::Same,
            _ if same_time(left.mtime, right.mtime) => Finding::Unclear,
            Ordering::Less => Finding::RightNewer,
            _ => Finding::LeftNewer,
        }
    }
}

/// Whether two times are one, though one of them was kept by a file system that keeps less of it: it is then a whole
/// number of that one's steps and less than a step from the other. Steps: 100 ns (NTFS), 1 µs, 1 ms, 10 ms and 1 s
/// (ext3, HFS+, archives), 2 s (FAT).
pub fn same_time(one: Time, other: Time) -> bool {
    let nanos = |time: Time| i128::from(time.secs) * NANOS + i128::from(time.nanos);
    let (one, other) = (nanos(one), nanos(other));
    let apart = (one - other).abs();
    apart == 0 || STEPS.iter().any(|step| apart < *step && (one % step == 0 || other % step == 0))
}

const NANOS: i128 = 1_000_000_000;
const STEPS: [i128; 6] = [100, 1_000, 1_000_000, 10_000_000, NANOS, 2 * NANOS];

#[cfg(test)]
mod tests;
