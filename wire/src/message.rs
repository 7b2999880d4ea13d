//! What travels, as types. Every enum here is append-only: the position of a variant is its number
//! on the wire, and the golden bytes among the tests hold each in place.
//!
//! A connection begins with greetings. A login (or a rejoin) makes it the **control** connection of
//! a session; a ticket makes it a **lane** of one. Paths travel as raw bytes and are parsed by the
//! receiver, so that a bad one is answered with a fault and not with a broken connection.

mod lane;
mod proof;

use serde::{Deserialize, Serialize};

use crate::block::Root;
use crate::fault::Fault;

pub use lane::{Expect, Lane, Offer};
pub use proof::{BINDING_LABEL, Binding, Challenge, KEY_LOGIN, MAX_PROOFS, Proof, PublicKey, Signature};

/// The newest protocol version this crate speaks, and the oldest.
pub const VERSIONS: (u16, u16) = (1, 1);

/// The longest password in bytes; longer ones are refused before anything is hashed.
pub const MAX_PASSWORD: usize = 1024;

/// Chaining values in one [`Lane::Held`] page: 33 bytes each, well within a control frame.
pub const HELD_PAGE: usize = 1024;

/// Bytes in one [`Answer::Piece`], at the most: well within a control frame.
pub const READ_PIECE: usize = 48 << 10;

/// Bytes of a pattern in [`Op::Find`], at the most; longer ones are a fault `bad_pattern`.
pub const MAX_PATTERN: usize = 1024;

/// The opaque key to a running session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ticket(pub [u8; 32]);

/// A secret: its bytes are never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(pub String);

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket(…)")
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Seconds since the epoch and nanoseconds within the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time {
    /// Seconds since 1970-01-01 UTC; negative before.
    pub secs: i64,
    /// 0 to 999,999,999.
    pub nanos: u32,
}

/// A path or a name as raw bytes, not yet looked at.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawPath(#[serde(with = "serde_bytes")] pub Vec<u8>);

impl std::fmt::Debug for RawPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawPath({})", crate::path::escape(&self.0))
    }
}

impl From<&crate::RemotePath> for RawPath {
    fn from(path: &crate::RemotePath) -> Self {
        Self(path.as_bytes().to_vec())
    }
}

/// What a client may say before it is in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromGuest {
    /// First of all.
    Hello {
        /// The newest and the oldest version it speaks.
        versions: (u16, u16),
        /// Bits it understands: [`KEY_LOGIN`]; unknown ones are ignored.
        capabilities: u64,
        /// Program and version, for the server's log.
        agent: String,
    },
    /// Opens a session. Answered by [`ToGuest::Welcome`] or [`ToGuest::Refused`].
    Login {
        /// The account.
        user: String,
        /// Up to [`MAX_PASSWORD`] bytes.
        password: Secret,
    },
    /// Takes up a session whose control connection broke. Answered like a login.
    Rejoin(Ticket),
    /// Makes this connection a lane. Answered by [`ToGuest::Joined`].
    Join(Ticket),
    /// Opens a session by keys, after [`ToGuest::Challenge`]. Answered like a login: one key of the account is enough,
    /// and no answer tells which of them it has.
    Prove {
        /// The account.
        user: String,
        /// Up to [`MAX_PROOFS`].
        proofs: Vec<Proof>,
    },
}

/// What the server answers to a guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToGuest {
    /// Answers `Hello`.
    Hello {
        /// The version both will speak.
        version: u16,
        /// As in the client's.
        capabilities: u64,
        /// Program and version.
        agent: String,
    },
    /// This is now the control connection of a session.
    Welcome {
        /// For lanes and for rejoining.
        ticket: Ticket,
        /// How many lanes the session may have.
        lanes: u16,
        /// Space, as of now.
        usage: Usage,
    },
    /// This is now a lane.
    Joined,
    /// No; the connection ends.
    Refused(Fault),
    /// Follows hello where the client has said [`KEY_LOGIN`]: may be answered by [`FromGuest::Prove`].
    Challenge(Challenge),
}

/// From a client on its control connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromClient {
    /// A request; its answers carry the same id. Ids of unfinished requests are not reused.
    Request {
        /// Chosen by the client.
        id: u32,
        /// What to do.
        op: Op,
    },
    /// Stops a streamed answer. It ends with a fault `cancelled`.
    Cancel {
        /// The request.
        id: u32,
    },
    /// Answered by [`FromServer::Pong`]; keeps an idle session alive.
    Ping,
    /// Ends the session; its ticket is void.
    Goodbye,
}

/// What can be asked of a home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// The entries of a directory, in pages, in the order of the disk.
    List {
        /// The directory.
        path: RawPath,
    },
    /// Everything below a directory, in pages, each directory before what it holds. Names are
    /// paths relative to it. Links are listed, not followed.
    Walk {
        /// The directory.
        path: RawPath,
    },
    /// One entry, by [`Answer::Entry`]. Its name is the last name of the path, empty for the home.
    Stat {
        /// What.
        path: RawPath,
    },
    /// Makes a directory.
    Mkdir {
        /// Which.
        path: RawPath,
        /// Also those above it; and it is no fault when it is there already.
        parents: bool,
    },
    /// Makes an empty file where nothing has the name.
    Create {
        /// Which.
        path: RawPath,
    },
    /// Removes a file, a link, or a directory.
    Remove {
        /// What.
        path: RawPath,
        /// A directory with all it holds; else only an empty one.
        recursive: bool,
    },
    /// Gives a file or directory another path, in one step.
    Rename {
        /// What.
        from: RawPath,
        /// Its new path, name included.
        to: RawPath,
        /// A file may take the place of a file; else an existing target is a fault `exists`.
        replace: bool,
    },
    /// Copies within the home, verified, directories with all they hold.
    Copy {
        /// What.
        from: RawPath,
        /// The copy's path, name included.
        to: RawPath,
        /// As in [`Op::Rename`].
        replace: bool,
    },
    /// Space, by [`Answer::Usage`].
    Usage,
    /// A piece of a file, for those who look at it, by [`Answer::Piece`]. Only of regular files.
    Read {
        /// The file.
        path: RawPath,
        /// Where the piece begins; beyond the end there are no bytes.
        offset: u64,
        /// Bytes that are wanted; at most [`READ_PIECE`] are answered, and fewer where the file ends.
        len: u32,
    },
    /// A file with its hash, by [`Answer::Entry`]: from its record where that holds, else computed by
    /// reading it whole. Can be cancelled.
    Hash {
        /// The file.
        path: RawPath,
    },
    /// What lies anywhere below a directory under a name that matches, in pages as of a walk, as soon as
    /// there is something. Can be cancelled.
    Find {
        /// The directory.
        path: RawPath,
        /// A glob for the last name of the path; without any of `*?[` a part of it. Capitals count only
        /// where it has some. At most [`MAX_PATTERN`] bytes.
        pattern: String,
    },
    /// What the trash holds, by [`Answer::Trash`].
    TrashState,
    /// Moves something to the trash, by [`Answer::Trashed`]. A fault `no_trash` where the account has none.
    Trash {
        /// What.
        path: RawPath,
    },
    /// Moves something from the trash back to where it was, by [`Answer::Restored`]. Directories above it
    /// are made. A fault `exists` where something has the name by now, `not_found` where it is no longer in
    /// the trash.
    Restore {
        /// As [`Answer::Trashed`] told.
        id: u64,
    },
    /// Deletes all that is in the trash.
    EmptyTrash,
}

/// From the server on the control connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromServer {
    /// An answer, or a part of one.
    Answer {
        /// The request's.
        id: u32,
        /// What came of it.
        answer: Answer,
    },
    /// Something happened that nobody asked for.
    Notice(Notice),
    /// Answers a ping.
    Pong,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// A part of a listing or a walk.
    Page {
        /// Some entries.
        entries: Vec<Entry>,
        /// Whether this is the last part.
        last: bool,
    },
    /// One entry.
    Entry(Entry),
    /// Space.
    Usage(Usage),
    /// It is done, and durable.
    Done,
    /// It is not done.
    Fault(Fault),
    /// A piece of a file.
    Piece {
        /// Bytes of the whole file, as of now.
        size: u64,
        /// Its modification time, as of now: another one tells that pieces do not belong together.
        mtime: Time,
        /// The bytes.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// What the trash holds.
    Trash {
        /// Days that something stays in it; `None`: the account has no trash.
        days: Option<u32>,
        /// Files and directories that were moved there, each with all it held.
        items: u64,
        /// Bytes of their files; they count against the quota.
        bytes: u64,
    },
    /// It is in the trash, and that is durable.
    Trashed {
        /// Its number there, never used again.
        id: u64,
    },
    /// It is back, and that is durable.
    Restored {
        /// Its path in the home.
        path: RawPath,
    },
}

/// News for every control connection of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// Space changed.
    Usage(Usage),
    /// Something in this directory changed.
    Changed(RawPath),
    /// The server goes down: running transfers have some seconds, then come back.
    Draining,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, not followed.
    Link,
    /// A device, socket or pipe: shown, never opened.
    Other,
}

/// One row of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name, or its relative path in a walk.
    pub name: RawPath,
    /// What it is.
    pub kind: Kind,
    /// Bytes; 0 for anything but a file.
    pub size: u64,
    /// Last modification of the content.
    pub mtime: Time,
    /// The owner's executable bit, of a file.
    pub executable: bool,
    /// Its hash, where a record of it holds.
    pub root: Option<Root>,
}

/// Space of an account, in bytes and files. `None` is without limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Bytes it may hold.
    pub quota: Option<u64>,
    /// Bytes its files hold.
    pub used: u64,
    /// Bytes promised to running uploads.
    pub reserved: u64,
    /// Files it holds.
    pub files: u64,
    /// Files it may hold.
    pub max_files: Option<u64>,
}

impl Usage {
    /// Bytes that a new upload could still have; `None` without limit.
    pub fn free(&self) -> Option<u64> {
        self.quota.map(|quota| quota.saturating_sub(self.used).saturating_sub(self.reserved))
    }
}
