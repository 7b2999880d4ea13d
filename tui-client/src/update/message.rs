//! What the screen is told and what it wants done: the whole traffic between `update` and `runtime`.

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};
use wire::message::Time;
use wire::{Fault, RemotePath, Root};

use super::{Bulk, Edit, Edited, Ended, Finale, Told, Wish};
use crate::app::atlas::{HotChange, Landmark};
use crate::app::details::Facts;
use crate::app::dialog::{Login, Tally};
use crate::app::marks::Marks;
use crate::app::order::Order;
use crate::app::pane::finding::Found;
use crate::app::pane::marking::Marking;
use crate::app::place::Place;
use crate::app::rows::{Listing, Rows};
use crate::app::sieve::Sieve;
use crate::app::space::Disk;
use crate::engine::Restored;
use crate::engine::keep::history::Past;
use crate::engine::status::{ItemId, NewItem, Priority, QuestionId, Remedy, Reply, Shift, Status};
use crate::entries::Picked;
use crate::sync::carry::Carried;
use crate::sync::ground::Removal;
use crate::sync::mode::Mode;
use crate::sync::plan::{self, Plan};

mod viewing;
mod work;

pub use viewing::{Ask, Seen};
pub use work::{Steps, Work};

/// Something happened.
#[derive(Clone, Debug)]
pub enum Msg {
    /// The time of day, before what happens at it.
    Clock(Time),
    /// A key.
    Key(KeyEvent),
    /// A mouse event, in milliseconds since the start.
    Mouse(MouseEvent, u64),
    /// Text from the clipboard.
    Paste(String),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// The wait of this number for a digit after Esc is over.
    EscapeWaited(u64),
    /// The wait of this number for a warning to be read is over.
    NoteWaited(u64),
    /// Rows found so far by a read.
    Reading {
        /// The read.
        generation: u64,
        /// How many.
        found: u64,
    },
    /// The first rows of a read that goes on, or more of them.
    Partly {
        /// The read.
        generation: u64,
        /// All rows so far.
        listing: Listing,
    },
    /// A read ended.
    Read {
        /// The read.
        generation: u64,
        /// The whole list in its order, or why there is none.
        result: Result<Listing, Fault>,
    },
    /// Rows were sorted.
    Sorted {
        /// The sorting.
        generation: u64,
        /// In their new order.
        rows: Rows,
    },
    /// A name was searched beside.
    Sought {
        /// The search.
        serial: u64,
        /// The rows that were searched.
        rows: Rows,
        /// What for.
        text: String,
        /// What was found.
        found: Found,
    },
    /// Marks were set beside.
    Marked {
        /// The marking.
        generation: u64,
        /// The rows that were looked at.
        rows: Rows,
        /// The marks it began with.
        before: Marks,
        /// The marks it ended with.
        marks: Marks,
    },
    /// Time to look again at panes that are out of date.
    RereadStale,
    /// What a count has found.
    Counted {
        /// The count.
        serial: u64,
        /// So far.
        tally: Tally,
    },
    /// What a look at one file has found.
    Inspected {
        /// The look.
        serial: u64,
        /// What it is, or why that cannot be told.
        result: Result<Facts, Fault>,
    },
    /// How far the computing of a hash has come.
    Hashing {
        /// The computing.
        serial: u64,
        /// Bytes that were read.
        done: u64,
    },
    /// A hash was computed.
    Hashed {
        /// The computing.
        serial: u64,
        /// The hash, or why there is none.
        result: Result<Root, Fault>,
    },
    /// Local file systems that are watched, each by one of its directories.
    Measured(Vec<(PathBuf, Disk)>),
    /// A count came to its end before it had seen all.
    CountFailed {
        /// The count.
        serial: u64,
        /// Why.
        fault: Fault,
    },
    /// A directory of this machine changed.
    ChangedHere(PathBuf),
    /// Changes of a directory will not be told.
    NotWatched {
        /// The directory.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The hotlist as it is now.
    Hotlist(Vec<Landmark>),
    /// It is as it was.
    HotlistFailed(String),
    /// The theme that was chosen is forgotten at the end.
    ThemeNotKept(String),
    /// Where one may begin on this machine.
    Starts(Vec<PathBuf>),
    /// A piece of work ended.
    Worked {
        /// What was asked for.
        work: Work,
        /// How many of its steps were done, and what stopped the next one.
        done: usize,
        /// `None` when all are done.
        fault: Option<Fault>,
    },
    /// What a scan of two directories has found.
    Scanned {
        /// The scan.
        serial: u64,
        /// So far, or all.
        told: super::Compared,
    },
    /// How much of a plan is done, beside the queue.
    Carrying {
        /// The synchronisation.
        serial: u64,
        /// Changes done or failed.
        done: u64,
        /// Of so many.
        all: u64,
    },
    /// What a plan came to beside the queue, and how many files went there.
    Carried {
        /// The synchronisation.
        serial: u64,
        /// What was done, or why nothing was.
        carried: Result<(Carried, u64), Fault>,
    },
    /// How far a piece of work with many things is.
    BulkGoesOn {
        /// Which.
        serial: u64,
        /// Things done or refused.
        done: u64,
    },
    /// It is over.
    BulkEnded {
        /// Which.
        serial: u64,
        /// What came of it.
        ended: Ended,
    },
    /// What a search for names has found.
    Found {
        /// The search.
        serial: u64,
        /// More, or its end.
        told: super::Hit,
    },
    /// What became of past transfers was read.
    Past {
        /// The reading.
        serial: u64,
        /// The newest first, or why there is nothing.
        result: Result<Arc<Vec<Past>>, String>,
    },
    /// The engine's state.
    Status(Arc<Status>),
    /// A second of the wait of this number is over.
    Second(u64),
    /// A directory at the server changed.
    Changed(RemotePath),
    /// The server goes down.
    Draining,
    /// Logged in.
    Connected {
        /// `user@host`.
        label: String,
        /// All saved servers, this one first.
        saved: Vec<String>,
    },
    /// The queue of this account was taken up from the last time.
    Restored(Restored),
    /// Not logged in.
    NotConnected(Login, Refusal),
    /// Something about the trash, or about what can be taken back.
    Trash(Told),
    /// The program was told to end.
    Terminate,
    /// The same by Ctrl-C of a terminal that was with an editor; then it was meant for that.
    Interrupt,
    /// Something for the viewer.
    Seen(Seen),
    /// Something about a file that is edited.
    Edited(Edited),
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The server was not met before.
    Unknown {
        /// Its key.
        fingerprint: String,
    },
    /// It has another key than before.
    Changed {
        /// When the old key was first seen.
        since: String,
        /// The old key.
        known: String,
        /// The new one.
        presented: String,
    },
    /// Anything else, as a sentence.
    Other(String),
}

/// Something to be done by the runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read a directory; answers carry the generation.
    Read {
        /// Names the read.
        generation: u64,
        /// What.
        place: Place,
        /// In which order the rows are wanted.
        order: Order,
        /// Which of them are.
        sieve: Sieve,
        /// The rows shown of that directory, which stay until all new ones are there. Where there are none,
        /// what is read is wanted bit by bit.
        shown: Option<Rows>,
    },
    /// Put rows into another order and behind another sieve.
    Sort {
        /// Names the sorting.
        generation: u64,
        /// Which.
        rows: Rows,
        /// In which order they are wanted.
        order: Order,
        /// Which of them are.
        sieve: Sieve,
    },
    /// Search a name that begins like a text; [`Effect::StopRead`] ends it.
    Seek {
        /// Names the search.
        serial: u64,
        /// Among these.
        rows: Rows,
        /// From this one on, round.
        from: usize,
        /// The text.
        text: String,
    },
    /// Set marks, one change after another.
    Mark {
        /// Names it.
        generation: u64,
        /// The rows.
        rows: Rows,
        /// What is marked.
        marks: Marks,
        /// What is to become of it.
        markings: Vec<Marking>,
    },
    /// Put two directories side by side.
    Scan {
        /// Names the scan; [`Effect::StopRead`] ends it.
        serial: u64,
        /// One directory.
        left: Place,
        /// The other.
        right: Place,
        /// How.
        mode: Mode,
    },
    /// Do what is planned, row by row.
    Carry {
        /// Names it; [`Effect::StopRead`] ends it.
        serial: u64,
        /// The rows.
        plan: Plan,
        /// What is to become of each.
        actions: Arc<Vec<plan::Action>>,
        /// The directory on the left.
        left: Place,
        /// The directory on the right.
        right: Place,
        /// What becomes of what is deleted at the server.
        removal: Removal,
    },
    /// Look for names.
    Find {
        /// Names the search; [`Effect::StopRead`] ends it.
        serial: u64,
        /// Below which directory.
        place: Place,
        /// What for.
        pattern: String,
    },
    /// Read what became of past transfers; the answer carries the number.
    ReadHistory {
        /// Names the list.
        serial: u64,
        /// In half a second: what has just ended is about to be written.
        soon: bool,
    },
    /// Give up that read.
    StopRead(u64),
    /// Send [`Msg::RereadStale`] in a while.
    RereadLater,
    /// Send [`Msg::EscapeWaited`] after the wait for a digit.
    WaitEscape(u64),
    /// Send [`Msg::NoteWaited`] after so long.
    WaitNote {
        /// Names the wait.
        serial: u64,
        /// How long, in milliseconds.
        millis: u64,
    },
    /// Send [`Msg::Second`] in a second.
    WaitSecond(u64),
    /// Count what these hold.
    Count {
        /// Names the count.
        serial: u64,
        /// Directories.
        places: Vec<Place>,
    },
    /// Look at one file.
    Inspect {
        /// Names the look.
        serial: u64,
        /// What.
        place: Place,
    },
    /// Compute the hash of a file.
    Hash {
        /// Names the computing.
        serial: u64,
        /// The file.
        place: Place,
    },
    /// Give up that count, or the computing of that hash.
    StopCount(u64),
    /// Send [`Msg::Measured`] of these directories, now and when it changes; of none: no longer.
    WatchSpace(Vec<PathBuf>),
    /// Change the hotlist.
    Hotlist(HotChange),
    /// Look where one may begin on this machine.
    FindStarts,
    /// Change files.
    Work(Work),
    /// End all of that before their next steps, and within them where they take long; their ends are told.
    StopWork,
    /// Something about the trash, or taking something back.
    Trash(Wish),
    /// Change many things of a directory.
    Bulk {
        /// Names it.
        serial: u64,
        /// What is to be done.
        bulk: Bulk,
    },
    /// End that before the next thing; its end is told.
    StopBulk(u64),
    /// Add to the queue.
    Enqueue(Vec<NewItem>),
    /// Add one item to the queue: these of a directory, into another one.
    EnqueuePicked(NewItem, Picked),
    /// Change the queue.
    Queue(ItemId, Command),
    /// Move items within the queue.
    Shift(Vec<ItemId>, Shift),
    /// Tell that the queue has ended, as the configuration says.
    QueueEnded(Finale),
    /// Hold everything to this many bytes a second.
    Limit(Option<u64>),
    /// Answer a question.
    Answer(QuestionId, Reply),
    /// Do something else about a question.
    Remedy(QuestionId, Remedy),
    /// Connect, giving up a try under way.
    Connect(Login),
    /// Give up the try.
    StopConnect,
    /// Do not wait any longer with the next try to find the lost server again.
    Reconnect,
    /// Look at a file.
    Look(Ask),
    /// Remember a theme for the next start.
    KeepTheme(String),
    /// Have the terminal send what the mouse does, or not.
    Mouse(bool),
    /// Edit a file.
    Edit(Edit),
    /// Stop the program for the shell and come back.
    Suspend,
    /// End.
    Quit,
}

/// What can be done to an item of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Stop it.
    Pause,
    /// Go on.
    Resume,
    /// End it; what has arrived stays for a later try.
    Cancel,
    /// End it and delete what has arrived.
    Discard,
    /// Try again.
    Retry,
    /// Hold it to this many bytes a second.
    Limit(Option<u64>),
    /// Make it more or less urgent.
    Priority(Priority),
    /// Take it off the list.
    Forget,
}
