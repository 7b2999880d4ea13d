//! Everything about one file or directory: what is known at once, and what is computed behind the dialog.

use wire::Root;
use wire::message::{Kind, Time};

use super::dialog::Tally;
use super::place::Place;

/// What the dialog of details holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// Whose.
    pub place: Place,
    /// Names the look at it.
    pub serial: u64,
    /// What was found; `None` while it is looked at.
    pub facts: Option<Result<Facts, String>>,
    /// Of a directory: the count of what it holds.
    pub counting: Option<(u64, Tally)>,
    /// Of a file: its hash.
    pub hash: Hash,
}

/// What one look tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What it is; a link is itself.
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    /// When its content was changed.
    pub mtime: Time,
    /// What else this machine knows; a server tells less.
    pub local: Option<Local>,
    /// Whether its owner may run it.
    pub executable: bool,
    /// Of its content, where the server has a record of it.
    pub root: Option<Root>,
}

/// What only this machine tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Type and permissions.
    pub mode: u32,
    /// Owner and group, by name where there is one.
    pub owner: String,
    /// When it was last read, as far as that is noted.
    pub atime: Time,
    /// When name, owner or mode were changed.
    pub ctime: Time,
    /// Names that the file has.
    pub names: u64,
    /// Where a link leads.
    pub leads_to: Option<String>,
}

/// The hash of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Hash {
    /// Not known.
    #[default]
    Unknown,
    /// Being computed.
    Computing {
        /// Names the computing.
        serial: u64,
        /// Bytes that were read; `None` where the server does not tell.
        done: Option<u64>,
    },
    /// Computed just now.
    Computed(Root),
    /// It could not be had.
    Failed(String),
}

/// `rwxr-x---`
pub fn permissions(mode: u32) -> String {
    let bit = |shift: u32, letter: char| if mode >> shift & 1 == 1 { letter } else { '-' };
    (0..9_u32).map(|n| bit(8 - n, ['r', 'w', 'x'].get(n as usize % 3).copied().unwrap_or('-'))).collect()
}
