//! The whole state of the screen as plain data: no handle, no task, no clock. Changed only by
//! `update`, read by `view`.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use wire::Fault;
use wire::RemotePath;

use crate::action::Scope;
use crate::engine::status::{IfExists, Job, Keep, Link, Pace, Status};
use crate::keymap::Keymap;

pub mod atlas;
pub mod board;
pub mod checklist;
pub mod chrome;
pub mod decisions;
pub mod details;
pub mod dialog;
pub mod edit;
pub mod face;
pub mod field;
pub mod history;
pub mod hits;
pub mod layout;
pub mod lists;
pub mod log;
pub mod marks;
pub mod menu;
pub mod notice;
pub mod order;
pub mod pairing;
pub mod palette;
pub mod pane;
pub mod place;
pub mod queue;
pub mod rows;
#[cfg(test)]
pub(crate) mod sample;
pub mod sieve;
pub mod sizes;
pub mod sources;
pub mod space;
pub mod text;
pub mod trail;
pub mod undo;
pub mod usable;
pub mod viewer;
pub mod wanted;
pub mod watched;

use atlas::{Atlas, Landmark};
use board::Board;
use chrome::Chrome;
use decisions::Decisions;
use dialog::Dialog;
use pane::Pane;
use place::Place;
use queue::Queue;
use sieve::Sieve;
use space::Space;

/// Everything the screen shows.
#[derive(Clone, Debug)]
pub struct App {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The left pane.
    pub left: Pane,
    /// The right pane.
    pub right: Pane,
    /// Which of them has the cursor.
    pub active: Side,
    /// Which part of the screen has the keys while no dialog is open.
    pub focus: Scope,
    /// Open dialogs; the last is in front and has the keys.
    pub dialogs: Vec<Dialog>,
    /// The server, as far as there is one.
    pub session: Session,
    /// The engine's last word.
    pub status: Arc<Status>,
    /// The queue's order and selection.
    pub queue: Queue,
    /// How the person works on it.
    pub board: Board,
    /// What waits for the person.
    pub decisions: Decisions,
    /// Room on local file systems while downloads go there.
    pub space: Space,
    /// Copies that are not over, each with what its items were queued for: one answer can be for all of them.
    pub copies: Vec<Copying>,
    /// The last thing that happened.
    pub note: Note,
    /// What keeps it there.
    pub notice: notice::Notice,
    /// All that happened.
    pub log: log::Log,
    /// An Esc that may yet turn a digit into a function key; the number names its wait.
    pub escape: Option<u64>,
    /// The last click, for the second of two.
    pub click: Option<Click>,
    /// Servers used before, the last first, as `user@host:port`.
    pub saved: Vec<String>,
    /// Whether there are keys to log in with, so that a password may be left out.
    pub has_keys: bool,
    /// The local directory to go back to when a pane shows this machine again.
    pub local_place: PathBuf,
    /// The same at the server.
    pub remote_place: RemotePath,
    /// The person's home directory, shown as `~`.
    pub home: Option<PathBuf>,
    /// For dates.
    pub zone: TimeZone,
    /// The keys.
    pub keymap: Keymap,
    /// The lists that take the whole screen.
    pub lists: lists::Lists,
    /// The last number given to a read, a wait or a count.
    pub serial: u64,
    /// Seconds since the engine told when it tries to connect again, and the name of that wait.
    pub waited: (u64, u64),
    /// File operations under way.
    pub working: usize,
    /// What copies do with targets that exist.
    pub if_exists: IfExists,
    /// The file that is looked at, in front of everything but dialogs.
    pub viewer: Option<Box<viewer::Viewer>>,
    /// What can be taken back, and the trash.
    pub undo: undo::Undo,
    /// Menu, theme and the like.
    pub chrome: Chrome,
    /// Places that are not on the screen.
    pub atlas: Atlas,
}

/// Which pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The left one.
    Left,
    /// The right one.
    Right,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Side {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }
}

/// What one F5 put into the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copying {
    /// Its items, by their places.
    pub jobs: Vec<Job>,
    /// The answer for every target of it that exists.
    pub answer: Option<IfExists>,
    /// The engine has told of one of them since.
    pub is_told: bool,
}

impl Copying {
    /// Of these, which the engine hears of in a moment.
    pub fn new(jobs: Vec<Job>) -> Self {
        Self { jobs, answer: None, is_told: false }
    }
}

/// How the client stands to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Session {
    /// Not connected.
    Offline,
    /// On the way to this address.
    Connecting(String),
    /// Logged in, as `user@host`. Whether the line stands just now is in the status.
    Online(String),
}

/// A line that tells what happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// One sentence.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
}

/// How a text is meant. Colour only adds to what its words say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Something succeeded.
    Good,
    /// Something was refused or failed.
    Bad,
}

/// A click and when it was, in milliseconds since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Click {
    /// When.
    pub at: u64,
    /// Column and row.
    pub spot: (u16, u16),
}

/// What a screen is opened with.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The left pane's first directory, absolute.
    pub local: PathBuf,
    /// The person's home directory.
    pub home: Option<PathBuf>,
    /// Servers used before.
    pub saved: Vec<String>,
    /// For dates.
    pub zone: TimeZone,
    /// The size of the terminal.
    pub size: (u16, u16),
    /// What copies do with targets that exist.
    pub if_exists: IfExists,
    /// Whether names with a dot in front are left out at first.
    pub hide_dots: bool,
    /// Directories that the person wants at hand.
    pub hotlist: Vec<Landmark>,
    /// Whether there are keys to log in with.
    pub has_keys: bool,
}

impl App {
    /// The screen before anything was read.
    pub fn new(opening: Opening) -> Self {
        let sieve = Sieve { hides_dots: opening.hide_dots, ..Sieve::default() };
        let pane = |place| Pane { sieve: sieve.clone(), ..Pane::new(place) };
        Self {
            size: opening.size,
            left: pane(Place::Local(opening.local.clone())),
            right: pane(Place::Remote(RemotePath::home())),
            active: Side::Left,
            focus: Scope::Panes,
            dialogs: Vec::new(),
            session: Session::Offline,
            status: Arc::new(Status {
                items: Vec::new(),
                questions: Vec::new(),
                open_questions: 0,
                link: Link::Online,
                usage: None,
                rate: 0,
                limit: None,
                keep: Keep::Off,
                pace: Pace::default(),
            }),
            queue: Queue::default(),
            board: Board::default(),
            decisions: Decisions::default(),
            space: Space::default(),
            copies: Vec::new(),
            note: Note::default(),
            notice: notice::Notice::default(),
            log: log::Log::default(),
            escape: None,
            click: None,
            saved: opening.saved,
            has_keys: opening.has_keys,
            local_place: opening.local,
            remote_place: RemotePath::home(),
            home: opening.home,
            zone: opening.zone,
            keymap: Keymap::default(),
            lists: lists::Lists::default(),
            serial: 0,
            waited: (0, 0),
            working: 0,
            if_exists: opening.if_exists,
            viewer: None,
            undo: undo::Undo::default(),
            chrome: Chrome::default(),
            atlas: Atlas { hotlist: opening.hotlist, ..Atlas::default() },
        }
    }

    /// The pane of a side.
    pub fn pane(&self, side: Side) -> &Pane {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    /// The same, to change it.
    pub fn pane_mut(&mut self, side: Side) -> &mut Pane {
        match side {
            Side::Left => &mut self.left,
            Side::Right => &mut self.right,
        }
    }

    /// The pane with the cursor.
    pub fn here(&self) -> &Pane {
        self.pane(self.active)
    }

    /// The same, to change it.
    pub fn here_mut(&mut self) -> &mut Pane {
        self.pane_mut(self.active)
    }

    /// The pane without.
    pub fn there(&self) -> &Pane {
        self.pane(self.active.other())
    }

    /// Whether the server answers just now.
    pub fn is_online(&self) -> bool {
        matches!(self.session, Session::Online(_)) && self.status.link == Link::Online
    }

    /// Whether keys are text just now, or may be: only in front of panes and queue they surely are not.
    pub fn takes_text(&self) -> bool {
        let pane = self.here();
        let lists = matches!(self.focus, Scope::Panes | Scope::Queue);
        !self.dialogs.is_empty() || !lists || pane.search.is_some() || pane.sifting
    }

    /// Tells that something was refused.
    pub fn tell_fault(&mut self, what: &str, fault: &Fault) {
        self.tell(Tone::Bad, format!("{what}: {fault}"));
    }

    /// A number that was not given before.
    pub fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}
