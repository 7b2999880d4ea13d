//! What the engine shows of itself: values only, sampled through a `watch`, never a message a block.
//! The full-screen client draws them, the one-shot commands print them; neither can change them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wire::message::{Time, Usage};
use wire::{Code, Fault, RemotePath, Root};

/// Names one item of the queue for as long as the queue is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(pub u64);

/// Which way the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From this machine to the server.
    Up,
    /// From the server to this machine.
    Down,
}

/// What to do when the target has the name already and other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IfExists {
    /// Park the file as a [`Question`]; the rest goes on.
    #[default]
    Ask,
    /// Replace it, whatever it is; blocks that are equal do not travel.
    Overwrite,
    /// Replace it when the source's time is newer, else skip.
    Newer,
    /// Leave it.
    Skip,
    /// Keep both: the new one becomes `name (1).ext`, the first free number.
    Rename,
    /// Skip when size and time are equal, else send the blocks that differ.
    Update,
}

/// One source and one target directory: a file, or a directory with all it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewItem {
    /// Which way, with both places.
    pub job: Job,
    /// For every file of it that exists already.
    pub if_exists: IfExists,
    /// What becomes of the source.
    pub source: AfterCopy,
}

/// A file of a tree of which only some are copied, as it was seen when it was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its path below the tree's directory.
    pub path: Vec<u8>,
    /// What is to be sent.
    pub source: Side,
    /// What it is to replace, and nothing else; `None`: nothing. Where something else stands by now, a person is asked.
    pub target: Option<Side>,
}

/// What becomes of a source once it is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum AfterCopy {
    /// It stays: a copy.
    #[default]
    Keep,
    /// It goes, file by file, each only when it is proven at the target: a move.
    Remove,
}

/// The places of an item.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    /// `source` on this machine to `target`, the full remote path, name included.
    Up {
        /// A local file or directory.
        source: PathBuf,
        /// Its path at the server.
        target: RemotePath,
    },
    /// `source` at the server to `target`, the full local path, name included.
    Down {
        /// A remote file or directory.
        source: RemotePath,
        /// Its path on this machine.
        target: PathBuf,
    },
}

/// How urgent an item is. Items of the same priority go in the order of the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Before the others.
    High,
    /// As most are.
    #[default]
    Normal,
    /// After the others.
    Low,
}

/// Where items go in the queue, among those of their priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shift {
    /// One place ahead.
    Earlier,
    /// One place back.
    Later,
    /// Before all others.
    First,
    /// Behind all others.
    Last,
}

/// Bytes a second of all items together, over the last five minutes in which anything moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// One value for each second, the oldest first; pauses are zeros.
    pub seconds: Arc<[u64]>,
}

impl Pace {
    /// Over the seconds in which something moved.
    pub fn average(&self) -> u64 {
        let moved = || self.seconds.iter().filter(|rate| **rate > 0);
        let sum = moved().fold(0_u128, |sum, rate| sum + u128::from(*rate));
        u64::try_from(sum / moved().count().max(1) as u128).unwrap_or(u64::MAX)
    }

    /// The highest.
    pub fn peak(&self) -> u64 {
        self.seconds.iter().copied().max().unwrap_or_default()
    }
}

/// Whether the queue outlives the program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Nobody asked for it.
    #[default]
    Off,
    /// It is written down as it changes.
    Kept,
    /// It cannot be written down any more.
    Failed(String),
}

/// Where an item stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Its turn has not come.
    Waiting,
    /// At work.
    Running,
    /// Stopped by the user; goes on with `resume`.
    Paused,
    /// Nothing left to do but what its open questions hold up.
    NeedsYou,
    /// Lost its connection or met something that heals; tries again by itself.
    Retrying {
        /// Until the next try.
        after: Duration,
        /// Why.
        fault: Fault,
    },
    /// Over, with files that did not arrive. The first failure is told here.
    Failed(Fault),
    /// Over; every file proven or skipped as asked.
    Done,
    /// Over, on request.
    Cancelled,
}

impl State {
    /// Whether nothing more will happen unless the user says so.
    pub fn is_over(&self) -> bool {
        matches!(self, State::Failed(_) | State::Done | State::Cancelled)
    }

    /// The word the screen shows; colour only adds to it.
    pub fn word(&self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Running => "running",
            State::Paused => "paused",
            State::NeedsYou => "needs you",
            State::Retrying { .. } => "retrying",
            State::Failed(fault) if fault.code == Code::Quota => "over quota",
            State::Failed(_) => "failed",
            State::Done => "done",
            State::Cancelled => "cancelled",
        }
    }
}

/// Size and time of one side of a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// Bytes.
    pub size: u64,
    /// Modification time.
    pub mtime: Time,
    /// Content, where known without reading.
    pub root: Option<Root>,
}

/// Names a question for as long as it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(pub u64);

/// Something that waits for a person, while the rest goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its name here.
    pub id: QuestionId,
    /// The item it belongs to.
    pub item: ItemId,
    /// Which way.
    pub direction: Direction,
    /// Both paths of the file, or of a directory that cannot be looked into.
    pub job: Job,
    /// The target, escaped for display.
    pub target: String,
    /// The file to be sent.
    pub source_side: Side,
    /// Why it waits.
    pub about: About,
}

/// Why something waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Its target exists: this file.
    Exists(Side),
    /// It was refused for a reason that does not heal by itself.
    Refused(Fault),
}

impl Question {
    /// The file that is in the way, if that is what is asked about.
    pub fn existing(&self) -> Option<&Side> {
        match &self.about {
            About::Exists(side) => Some(side),
            About::Refused(_) => None,
        }
    }

    /// Why it was refused, if it was.
    pub fn refusal(&self) -> Option<&Fault> {
        match &self.about {
            About::Exists(_) => None,
            About::Refused(fault) => Some(fault),
        }
    }
}

/// What a person does about a question beside saying what is to become of a file in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The target exists: keep both, the new one under this last name.
    Name(Vec<u8>),
    /// It was refused: try again this, or all of the item that was refused with the same code.
    Again {
        /// All of them.
        all: bool,
    },
    /// It was refused: leave it, or all like it. They end as failed and can be tried again later.
    Leave {
        /// All of them.
        all: bool,
    },
}

/// An answer to a question. `IfExists::Ask` is no answer and is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What to do.
    pub answer: IfExists,
    /// Also for every other file of the same item, now and later.
    pub for_all: bool,
}

/// One item, as of the last sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemStatus {
    /// Its name.
    pub id: ItemId,
    /// Where it comes from and goes.
    pub job: Job,
    /// What becomes of its source.
    pub source: AfterCopy,
    /// The last name of its source, escaped for display; a directory's ends in `/`.
    pub name: String,
    /// Where it stands.
    pub state: State,
    /// Whether the tree is still being walked: totals are then "at least".
    pub scanning: bool,
    /// Files found so far; 1 for a file.
    pub files: u64,
    /// Files finished, skipped ones included; of a move those whose sources are gone.
    pub files_done: u64,
    /// Those of them that were skipped.
    pub files_skipped: u64,
    /// Files failed for good.
    pub files_failed: u64,
    /// Directories that a move has left behind, for something is in them; `note` tells of the first.
    pub directories_left: u64,
    /// Bytes found so far.
    pub bytes: u64,
    /// Bytes settled: travelled, held, or skipped.
    pub bytes_done: u64,
    /// Bytes of files that are over: done, skipped or failed.
    pub bytes_over: u64,
    /// Payload bytes that travelled.
    pub sent: u64,
    /// Bytes the receiver had already.
    pub held: u64,
    /// Bytes a second over the last few seconds, held ones excluded.
    pub rate: u64,
    /// Its own limit, in bytes a second; beside it holds that of all.
    pub limit: Option<u64>,
    /// How urgent it is.
    pub priority: Priority,
    /// Time left at that rate; `None` while it cannot be told.
    pub eta: Option<Duration>,
    /// Of a single file that is done.
    pub root: Option<Root>,
    /// Time spent running.
    pub elapsed: Duration,
    /// What is told under the gauge: the file under way in a tree, or why it waits.
    pub note: String,
}

/// The connection, as the screen tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// Connected and logged in.
    Online,
    /// Lost; trying again by itself.
    Lost {
        /// Until the next try.
        retry_in: Duration,
        /// Why.
        reason: String,
    },
    /// Given up: a login that no longer holds, or another server key. Needs the user.
    Refused(Fault),
}

/// Everything, as of the last sample (10 times a second while something moves).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// In queue order.
    pub items: Vec<ItemStatus>,
    /// Oldest first, at most [`MOST_QUESTIONS`].
    pub questions: Vec<Question>,
    /// All that are open, those that are not listed included.
    pub open_questions: u64,
    /// The connection.
    pub link: Link,
    /// Space at the server, as last told.
    pub usage: Option<Usage>,
    /// Bytes a second, all running items together.
    pub rate: u64,
    /// The limit in force, in bytes a second.
    pub limit: Option<u64>,
    /// Whether the queue outlives the program.
    pub keep: Keep,
    /// The rate of the last minutes.
    pub pace: Pace,
}

/// More than a person goes through one by one; they are copied for each sample.
pub const MOST_QUESTIONS: usize = 500;

/// How one file ended. Sent to whoever asked for outcomes (the one-shot commands and the history).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The item it belongs to.
    pub item: ItemId,
    /// Which way.
    pub direction: Direction,
    /// The target, escaped for display.
    pub path: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// Payload bytes that travelled.
    pub sent: u64,
    /// Bytes the receiver had.
    pub held: u64,
    /// Of the file, where it is proven.
    pub root: Option<Root>,
    /// What became of it.
    pub end: End,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Durable and identical.
    Done,
    /// Left as it was, as asked.
    Skipped,
    /// Not there.
    Failed(Fault),
}
