//! From actions to what is to be done: files for the queue, tasks for the rest, and the sums that a person is asked
//! about before. Pure.

use wire::message::{Kind, Time};

use super::ground::Ground;
use super::path::is_below;
use super::plan::{Action, Finding, Plan, Row};
use crate::engine::status::{Chosen, Job, Side as Stamp};
use crate::entries::EntryRef;

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The left one.
    Left,
    /// The right one.
    Right,
}

/// All that is to be done.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// Files that travel: at most one for each way.
    pub transfers: Vec<Transfer>,
    /// What is done beside the queue.
    pub tasks: Vec<Task>,
}

/// Files of a tree that the queue copies.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// The two trees.
    pub job: Job,
    /// The files.
    pub chosen: Vec<Chosen>,
}

/// One change on one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Where.
    pub end: End,
    /// Its path below that side's directory.
    pub path: Vec<u8>,
    /// What.
    pub act: Act,
}

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A directory is made.
    MakeDirectory,
    /// A file of the other directory, which lies on the same side, is copied here.
    Copy {
        /// What stood here.
        seen: Option<Seen>,
    },
    /// It goes, if it is still what was seen.
    Delete(Seen),
}

/// What a scan saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it was.
    pub kind: Kind,
    /// Bytes of a file.
    pub size: u64,
    /// Its time.
    pub mtime: Time,
}

/// Sums of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// What goes to the right.
    pub right: Sum,
    /// What goes to the left.
    pub left: Sum,
    /// Things deleted on the left.
    pub deleted_left: u64,
    /// Things deleted on the right.
    pub deleted_right: u64,
    /// Files that are newer than those that replace them.
    pub newer_replaced: u64,
    /// Conflicts that nobody has decided.
    pub undecided: u64,
    /// Files whose contents are still being compared.
    pub waiting: u64,
}

/// Files and directories of one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Files.
    pub files: u64,
    /// Directories that are made.
    pub directories: u64,
    /// Bytes of the files.
    pub bytes: u64,
}

impl Totals {
    /// Adds up rows with their actions.
    pub fn of<'a>(rows: impl IntoIterator<Item = (&'a Row, Action)>) -> Self {
        let mut totals = Self::default();
        rows.into_iter().for_each(|(row, action)| totals.add(row, action));
        totals
    }

    /// Whether nothing would be done.
    pub fn is_nothing(&self) -> bool {
        let Self { right, left, deleted_left, deleted_right, .. } = self;
        (*right, *left, *deleted_left, *deleted_right) == Default::default()
    }

    fn add(&mut self, row: &Row, action: Action) {
        let (sum, bytes, replaces) = match action {
            Action::CopyRight => (&mut self.right, row.left_bytes, Finding::RightNewer),
            Action::CopyLeft => (&mut self.left, row.right_bytes, Finding::LeftNewer),
            Action::DeleteLeft => return self.deleted_left += 1,
            Action::DeleteRight => return self.deleted_right += 1,
            Action::Skip => {
                self.undecided += u64::from(row.finding.is_conflict());
                self.waiting += u64::from(row.finding == Finding::Waiting);
                return;
            }
        };
        let is_directory = row.kind == Kind::Directory;
        sum.files += u64::from(!is_directory);
        sum.directories += u64::from(is_directory);
        sum.bytes = sum.bytes.saturating_add(bytes);
        self.newer_replaced += u64::from(row.finding == replaces);
    }
}

impl Orders {
    /// What the actions of a plan come to between these two directories.
    pub fn of(plan: &Plan, left: &Ground, right: &Ground, action: impl Fn(usize, &Row) -> Action) -> Self {
        let mut orders = Self::default();
        let (mut to_right, mut to_left) = (Vec::new(), Vec::new());
        let mut rows = plan.rows.iter().enumerate().map(|(index, row)| (row, action(index, row))).peekable();
        while let Some((row, action)) = rows.next() {
            // What is copied into a directory makes it.
            let is_filled =
                rows.peek().is_some_and(|(next, does)| *does == action && is_below(plan.path(next), plan.path(row)));
            match action {
                Action::CopyRight if row.kind != Kind::Directory => to_right.push(row),
                Action::CopyLeft if row.kind != Kind::Directory => to_left.push(row),
                Action::CopyRight | Action::CopyLeft if is_filled => {}
                Action::CopyRight => orders.task(plan, row, End::Right, Some(Act::MakeDirectory)),
                Action::CopyLeft => orders.task(plan, row, End::Left, Some(Act::MakeDirectory)),
                Action::DeleteLeft => orders.task(plan, row, End::Left, plan.on_left(row).map(seen).map(Act::Delete)),
                Action::DeleteRight => {
                    orders.task(plan, row, End::Right, plan.on_right(row).map(seen).map(Act::Delete));
                }
                Action::Skip => {}
            }
        }
        orders.copies(plan, &to_right, End::Right, left, right);
        orders.copies(plan, &to_left, End::Left, right, left);
        orders
    }

    fn task(&mut self, plan: &Plan, row: &Row, end: End, act: Option<Act>) {
        self.tasks.extend(act.map(|act| Task { end, path: plan.path(row).to_vec(), act }));
    }

    /// Between the sides files travel in the queue; within one they are copied where they are.
    fn copies(&mut self, plan: &Plan, rows: &[&Row], end: End, from: &Ground, onto: &Ground) {
        let job = match (from, onto) {
            (Ground::Here(source), Ground::There(_, target)) => {
                Job::Up { source: source.clone(), target: target.clone() }
            }
            (Ground::There(_, source), Ground::Here(target)) => {
                Job::Down { source: source.clone(), target: target.clone() }
            }
            _ => {
                for row in rows {
                    let there = if end == End::Right { plan.on_right(row) } else { plan.on_left(row) };
                    self.task(plan, row, end, Some(Act::Copy { seen: there.map(seen) }));
                }
                return;
            }
        };
        let chosen = |row: &&Row| {
            let (left, right) = (plan.on_left(row), plan.on_right(row));
            let (source, target) = if end == End::Right { (left, right) } else { (right, left) };
            Some(Chosen { path: plan.path(row).to_vec(), source: stamp(source?), target: target.map(stamp) })
        };
        let chosen: Vec<Chosen> = rows.iter().filter_map(chosen).collect();
        if !chosen.is_empty() {
            self.transfers.push(Transfer { job, chosen });
        }
    }
}

fn seen(entry: EntryRef<'_>) -> Seen {
    Seen { kind: entry.kind, size: entry.size, mtime: entry.mtime }
}

fn stamp(entry: EntryRef<'_>) -> Stamp {
    Stamp { size: entry.size, mtime: entry.mtime, root: entry.root }
}

/// Whether two directories can be made alike: not with one inside the other.
pub fn overlap(left: &Ground, right: &Ground) -> bool {
    match (left, right) {
        (Ground::Here(left), Ground::Here(right)) => left.starts_with(right) || right.starts_with(left),
        (Ground::There(_, left), Ground::There(_, right)) => left.is_within(right) || right.is_within(left),
        _ => false,
    }
}
