//! Every way one side can say no to the other: a code that programs act on, a sentence for people.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::block::Root;
use crate::message::Time;

/// What went wrong. Append-only: the position is the number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Code {
    /// The peer broke the protocol; the connection ends.
    Protocol,
    /// No protocol version in common.
    Version,
    /// Unknown user, wrong password or locked account: never told apart.
    Login,
    /// A ticket is unknown or has expired; log in again.
    Ticket,
    /// Over a limit of connections, logins or requests; try again later.
    Busy,
    /// Nothing has that name.
    NotFound,
    /// Something already has that name.
    Exists,
    /// A file where a directory was needed.
    NotDirectory,
    /// A directory where a file was needed.
    IsDirectory,
    /// The directory still holds something.
    NotEmpty,
    /// The bytes are not a path in a home.
    BadPath,
    /// A link that leads out of the home, a device, or something else that is not served.
    Denied,
    /// The bytes do not fit the quota.
    Quota,
    /// One file more than the account may have.
    FileQuota,
    /// The disk of the receiver is full.
    NoSpace,
    /// The disk failed.
    Io,
    /// The source changed while it was read; starting over is safe.
    Changed,
    /// Stored bytes are not those that were proven when they were stored.
    Damaged,
    /// A newer upload of the same path took over.
    Superseded,
    /// Stopped on request.
    Cancelled,
    /// The server is going down; come back.
    Draining,
    /// No progress for too long.
    Timeout,
    /// The other side does not know this request.
    Unsupported,
    /// A bug on the other side; its log has more.
    Internal,
    /// The account has no trash.
    NoTrash,
    /// The text is not a pattern for names.
    BadPattern,
    /// Too many logins failed from the same place; the detail tells when the next one is looked at.
    Throttled,
}

impl Code {
    /// The word that scripts see.
    pub fn name(self) -> &'static str {
        match self {
            Code::Protocol => "protocol",
            Code::Version => "version",
            Code::Login => "login",
            Code::Ticket => "ticket",
            Code::Busy => "busy",
            Code::NotFound => "not_found",
            Code::Exists => "exists",
            Code::NotDirectory => "not_directory",
            Code::IsDirectory => "is_directory",
            Code::NotEmpty => "not_empty",
            Code::BadPath => "bad_path",
            Code::Denied => "denied",
            Code::Quota => "quota",
            Code::FileQuota => "file_quota",
            Code::NoSpace => "no_space",
            Code::Io => "io",
            Code::Changed => "changed",
            Code::Damaged => "damaged",
            Code::Superseded => "superseded",
            Code::Cancelled => "cancelled",
            Code::Draining => "draining",
            Code::Timeout => "timeout",
            Code::Unsupported => "unsupported",
            Code::Internal => "internal",
            Code::NoTrash => "no_trash",
            Code::BadPattern => "bad_pattern",
            Code::Throttled => "throttled",
        }
    }

    /// Whether trying the same again later can succeed without anybody's decision.
    pub fn heals(self) -> bool {
        use Code::{Busy, Changed, Draining, Throttled, Ticket, Timeout};
        matches!(self, Busy | Changed | Draining | Timeout | Ticket | Throttled)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A refusal or a failure, as it travels. Shown, it says when to try again where that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}{}", self.advice())]
pub struct Fault {
    /// What programs act on.
    pub code: Code,
    /// One sentence for a person, with no path of the server's disk and no secret in it.
    pub message: String,
    /// Figures that belong to the code.
    pub detail: Detail,
}

/// Figures that belong to a fault. Append-only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Detail {
    /// None.
    None,
    /// With [`Code::Quota`] or [`Code::NoSpace`]: bytes that are missing. With [`Code::FileQuota`]: files.
    Shortfall(u64),
    /// With [`Code::Exists`]: the file that has the name.
    Existing {
        /// Its size in bytes.
        size: u64,
        /// Its modification time.
        mtime: Time,
        /// Its hash, where a record of it holds.
        root: Option<Root>,
    },
    /// With [`Code::Busy`], [`Code::Throttled`] or [`Code::Login`]: seconds before which trying again is in vain.
    RetryAfter(u32),
}

impl Fault {
    /// A fault without figures.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: Detail::None }
    }

    /// The same with figures.
    pub fn with(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }

    /// How long whoever was refused is asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.detail {
            Detail::RetryAfter(seconds) => Some(Duration::from_secs(seconds.into())),
            _ => None,
        }
    }

    fn advice(&self) -> String {
        self.retry_after().map(|wait| format!("; try again in {} s", wait.as_secs())).unwrap_or_default()
    }
}
