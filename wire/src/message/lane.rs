//! What travels on a lane: offers, held blocks, seals and acknowledgements of transfers.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{HELD_PAGE, RawPath, Time};
use crate::block::{Cv, Root};
use crate::fault::Fault;

/// What a sender announces of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Bytes.
    pub size: u64,
    /// Kept by the receiver.
    pub mtime: Time,
    /// Kept by the receiver.
    pub executable: bool,
    /// The sender does not wait to hear what the receiver holds: right for files of one block.
    pub eager: bool,
}

/// What must stand at an upload's target when it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expect {
    /// Nothing; else a fault `exists`.
    Absent,
    /// Anything; a file is replaced.
    Any,
    /// A file of just this size and time, as the person saw it; else a fault `exists`.
    Same {
        /// Bytes.
        size: u64,
        /// Modification time.
        mtime: Time,
    },
}

/// On a lane, in either direction. A transfer is named by a number that its client never reuses
/// within a session. The sender of the file is the client after `Put`, the server after `Get`.
///
/// `Put | Get → Offer` → receiver: `Held…` (unless eager) → sender: blocks, `Seal` → receiver:
/// `Stored`. A `Fault` from either side ends the transfer, not the lane.
///
/// Other lanes of the session may assist a running transfer: `Assist`, then blocks, each answered by
/// `Kept`; or `Fetch`, each answered by a block. A `Fault` on such a lane ends the assistance, not the
/// transfer, whose own lane leaves out nothing that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lane {
    /// Client: begins an upload. Directories above the path are made.
    Put {
        /// Its number.
        transfer: u64,
        /// The target, name included.
        path: RawPath,
        /// The file.
        offer: Offer,
        /// What may be there.
        expect: Expect,
    },
    /// Client: begins a download.
    Get {
        /// Its number.
        transfer: u64,
        /// The file.
        path: RawPath,
        /// The client holds nothing of it, and the server need not wait to hear so.
        eager: bool,
    },
    /// Server: answers `Get`.
    Offer {
        /// The download's.
        transfer: u64,
        /// The file.
        offer: Offer,
    },
    /// Receiver: blocks it has, proven by reading them just now.
    Held {
        /// The transfer's.
        transfer: u64,
        /// Index of the first block of this page. Pages come in order and without gaps.
        first: u64,
        /// Up to [`HELD_PAGE`] values, `None` where it has nothing. A longer page is no message: each `None` is a byte on
        /// the wire and 33 in memory.
        #[serde(deserialize_with = "page")]
        cvs: Vec<Option<Cv>>,
        /// The last page; blocks beyond it are not held.
        last: bool,
    },
    /// Sender: all blocks were sent or were held, and this is the hash of what was read.
    Seal {
        /// The transfer's.
        transfer: u64,
        /// Of the whole file.
        root: Root,
    },
    /// Receiver: the file stands at its name, durable and identical.
    Stored {
        /// The transfer's.
        transfer: u64,
        /// Of what was stored.
        root: Root,
    },
    /// Either side: the transfer is over without the file.
    Fault {
        /// The transfer's.
        transfer: u64,
        /// Why.
        fault: Fault,
    },
    /// Client: stop; the partial file stays for a later try, or goes.
    Abandon {
        /// The transfer's.
        transfer: u64,
        /// Keep what has arrived.
        keep: bool,
    },
    /// Client: blocks of this upload, which another lane of the session has begun, follow on this lane.
    Assist {
        /// The upload's.
        transfer: u64,
    },
    /// Client: sends one block of this download, which another lane of the session has begun, on this lane.
    Fetch {
        /// The download's.
        transfer: u64,
        /// Its place.
        index: u64,
    },
    /// Receiver: a block that came on an assisting lane is proven and stored, and need not be sent on the
    /// transfer's own. The server says so on the assisting lane, the client on the transfer's own.
    Kept {
        /// The transfer's.
        transfer: u64,
        /// Its place.
        index: u64,
        /// Its value.
        cv: Cv,
    },
}

fn page<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<Option<Cv>>, D::Error> {
    struct Page;
    impl<'de> Visitor<'de> for Page {
        type Value = Vec<Option<Cv>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {HELD_PAGE} values")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let len = seq.size_hint().unwrap_or(0);
            if len > HELD_PAGE {
                return Err(A::Error::invalid_length(len, &self));
            }
            let mut cvs = Vec::with_capacity(len);
            while let Some(cv) = seq.next_element()? {
                if cvs.len() == HELD_PAGE {
                    return Err(A::Error::invalid_length(HELD_PAGE + 1, &self));
                }
                cvs.push(cv);
            }
            Ok(cvs)
        }
    }
    source.deserialize_seq(Page)
}
