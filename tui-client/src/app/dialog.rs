//! The dialogs, as a closed set of values. How each looks is in `face`, what its buttons do in `update`.

use wire::Fault;
use wire::message::Secret;

use super::atlas::{Jump, Landmark};
use super::details::Details;
use super::edit::Copy;
use super::field::Field;
use super::pairing::Pairing;
use super::palette::Palette;
use super::place::Place;
use super::sources::Sources;
use crate::engine::keep::history::Past;
use crate::engine::status::{ItemId, Question};
use crate::sync::ground::Removal;
use crate::sync::orders::Totals;
use crate::sync::scan::Progress;
use crate::update::Work;

/// One open dialog.
#[derive(Clone, Debug)]
pub struct Dialog {
    /// Which, with what it holds.
    pub kind: Kind,
    /// The control that has the keys; past the end means none.
    pub focus: usize,
    /// Lines of its text scrolled away.
    pub scroll: usize,
}

/// The dialogs there are.
#[derive(Clone, Debug)]
pub enum Kind {
    /// The manual.
    Help(Help),
    /// The command palette.
    Palette(Palette),
    /// Which theme.
    Themes {
        /// The one that was shown before.
        before: String,
    },
    /// What is wrong in files of the configuration.
    Complaints(Vec<String>),
    /// One line of text is asked for.
    Prompt(Prompt, Field),
    /// Whether to delete.
    Delete(Deletion),
    /// Whether to delete all that is in the trash.
    EmptyTrash,
    /// The target of a copy or move within one side exists.
    Exists {
        /// What is left to do, beginning with the one that was refused.
        work: Work,
        /// Why it was refused.
        fault: Fault,
    },
    /// All that waits for the person.
    Decisions,
    /// One of it.
    Decide {
        /// What the engine asks.
        question: Question,
        /// The same answer for the rest of the copy.
        for_all: bool,
    },
    /// Where to connect.
    Connect {
        /// `user@host:port`.
        address: Field,
        /// Never shown.
        password: Field,
        /// Why the last try failed.
        reason: Option<String>,
    },
    /// How the panes are to be compared, or made alike.
    Pairing(Pairing),
    /// They are being compared.
    Comparing {
        /// Names the scan.
        serial: u64,
        /// How far it is.
        progress: Progress,
    },
    /// Whether to do all that is planned, and what becomes of what is deleted at the server.
    Carry(Totals, Removal),
    /// On the way there.
    Connecting(String),
    /// A server that was not met before.
    Unknown {
        /// The login that waits for an answer.
        login: Login,
        /// The key it showed.
        fingerprint: String,
    },
    /// A server with another key than before.
    Changed {
        /// Its address.
        address: String,
        /// When the old key was first seen.
        since: String,
        /// The old key.
        known: String,
        /// The new one.
        presented: String,
    },
    /// Bandwidth limits.
    Limits {
        /// The item that `own` is for.
        item: ItemId,
        /// Its own, as `2M` or `none`.
        own: Field,
        /// That of all transfers together.
        all: Field,
    },
    /// Everything about one file.
    Details(Box<Details>),
    /// Everything about one that is over, of this session or an earlier one.
    Past(Box<Past>),
    /// Places to go to.
    Jump(Jump),
    /// Everything about one item.
    Item(ItemId),
    /// Transfers that were left over from the last time.
    Restored(Vec<ItemId>),
    /// What becomes of transfers that are not over.
    Stop(Vec<ItemId>),
    /// Whether transfers come off the list unfinished.
    Drop {
        /// Which.
        ids: Vec<ItemId>,
        /// Whether the program ends then.
        quits: bool,
    },
    /// Whether to edit a file although it is large.
    EditLarge {
        /// Which.
        place: Place,
        /// Its bytes.
        size: u64,
    },
    /// A file is fetched for the editor.
    Fetching {
        /// Names the fetching.
        serial: u64,
        /// The file's name.
        name: String,
    },
    /// What was edited could not go back.
    Kept {
        /// It lies here.
        copy: Copy,
        /// Why.
        reason: String,
    },
    /// Whether to quit although transfers run.
    Quit,
}

/// How far somebody is in the manual.
#[derive(Clone, Debug, Default)]
pub struct Help {
    /// The word that is looked for.
    pub find: Option<Field>,
    /// Whether it is being typed.
    pub typing: bool,
    /// The line it was found on.
    pub hit: Option<usize>,
}

/// What a line of text is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// The name of a new directory in this one.
    MakeDirectory(Place),
    /// The name of a new file in this directory.
    NewFile(Place),
    /// What to look for in the file that is looked at.
    Find {
        /// Towards its beginning.
        back: bool,
        /// It is shown as figures.
        hex: bool,
    },
    /// A place in that file.
    GoTo {
        /// It is shown as figures.
        hex: bool,
    },
    /// What to look for below this directory.
    FindNames(Place),
    /// A name for a directory of the hotlist.
    HotName(Landmark),
    /// A pattern to mark by, or to unmark by.
    Pattern {
        /// Whether to mark.
        mark: bool,
    },
    /// Another last name for a file whose target exists.
    KeepBoth(Box<Question>),
    /// Where copies of the sources go, seen from `base`.
    Copy {
        /// What is copied.
        sources: Sources,
        /// The directory proposed.
        base: Place,
        /// What directories among them hold, where it matters.
        counting: Option<Counting>,
    },
    /// Where the sources go, seen from `base`.
    Move {
        /// What is moved.
        sources: Sources,
        /// The directory proposed.
        base: Place,
        /// What directories among them hold, where it matters.
        counting: Option<Counting>,
    },
}

/// What is about to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The things themselves.
    pub sources: Sources,
    /// Names the count of what the directories hold.
    pub serial: u64,
    /// What was counted so far; `None` when there is nothing to count.
    pub tally: Option<Tally>,
    /// Days that they stay in the account's trash; `None`: they are deleted for good.
    pub days: Option<u32>,
}

/// A count that goes on behind a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counting {
    /// Its name.
    pub serial: u64,
    /// So far.
    pub tally: Tally,
}

impl Prompt {
    /// The count behind it.
    pub fn counting_mut(&mut self) -> Option<&mut Counting> {
        match self {
            Prompt::Copy { counting, .. } | Prompt::Move { counting, .. } => counting.as_mut(),
            _ => None,
        }
    }
}

/// What directories hold, all the way down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Files, links and others.
    pub files: u64,
    /// Directories.
    pub directories: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// Whether all was seen.
    pub complete: bool,
}

/// A wish to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// `user@host:port`, as typed.
    pub address: String,
    /// The password.
    pub password: Secret,
    /// The key to trust and remember, once the person said yes to it.
    pub trust: Option<String>,
}

impl Dialog {
    /// A dialog with the keys on its first control.
    pub fn new(kind: Kind) -> Self {
        Self { kind, focus: 0, scroll: 0 }
    }

    /// The text field with the keys: what a key edits and a paste goes into.
    pub fn field_mut(&mut self) -> Option<&mut Field> {
        match (&mut self.kind, self.focus) {
            (Kind::Palette(palette), _) => Some(&mut palette.field),
            (Kind::Help(help), _) if help.typing => help.find.as_mut(),
            (Kind::Prompt(_, field), 0) => Some(field),
            (Kind::Limits { own, .. }, 0) => Some(own),
            (Kind::Limits { all, .. }, 1) => Some(all),
            (Kind::Connect { address, .. }, 0) => Some(address),
            (Kind::Connect { password, .. }, 1) => Some(password),
            _ => None,
        }
    }

    /// Whether what is typed goes into its field whatever has the keys.
    pub fn is_typed_into(&self) -> bool {
        match &self.kind {
            Kind::Palette(_) => true,
            Kind::Help(help) => help.typing,
            _ => false,
        }
    }
}
