//! What can be asked of a server about single things: pieces and hashes of files, names, and the trash.

use tokio::sync::mpsc;
use wire::message::{Answer, Entry, Op, Time};
use wire::{Fault, RemotePath};

use super::Engine;
use super::session::unexpected;

/// A piece of a file at the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of the whole file when it was read.
    pub size: u64,
    /// Its time then: another one tells that pieces do not belong together.
    pub mtime: Time,
    /// What was there: fewer bytes than were asked for where the file ends, or over
    /// [`wire::message::READ_PIECE`].
    pub bytes: Vec<u8>,
}

/// What an account's trash holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trash {
    /// Days that something stays in it.
    pub days: u32,
    /// Things that were moved there, each with all it held.
    pub items: u64,
    /// Bytes of their files.
    pub bytes: u64,
}

impl Engine {
    /// A piece of a file, from `offset` on.
    pub async fn read(&self, path: &RemotePath, offset: u64, len: u32) -> Result<Piece, Fault> {
        match self.0.session.ask(Op::Read { path: path.into(), offset, len }).await? {
            Answer::Piece { size, mtime, bytes } => Ok(Piece { size, mtime, bytes }),
            other => Err(unexpected(&other)),
        }
    }

    /// A file with its hash, which the server may have to read the file for. Dropping the future cancels it.
    pub async fn hash(&self, path: &RemotePath) -> Result<Entry, Fault> {
        match self.0.session.ask(Op::Hash { path: path.into() }).await? {
            Answer::Entry(entry) => Ok(entry),
            other => Err(unexpected(&other)),
        }
    }

    /// What lies anywhere below a directory under a name that matches ([`wire::pattern::Pattern`]), as it is
    /// found; names are paths relative to the directory. Dropping the receiver cancels it.
    pub fn find(&self, path: &RemotePath, pattern: String) -> mpsc::Receiver<Result<Vec<Entry>, Fault>> {
        self.0.session.pages(Op::Find { path: path.into(), pattern })
    }

    /// What the trash holds; `None` where the account has none.
    pub async fn trash_state(&self) -> Result<Option<Trash>, Fault> {
        match self.0.session.ask(Op::TrashState).await? {
            Answer::Trash { days, items, bytes } => Ok(days.map(|days| Trash { days, items, bytes })),
            other => Err(unexpected(&other)),
        }
    }

    /// Moves something to the trash; the number names it there.
    pub async fn trash(&self, path: &RemotePath) -> Result<u64, Fault> {
        match self.0.session.ask(Op::Trash { path: path.into() }).await? {
            Answer::Trashed { id } => Ok(id),
            other => Err(unexpected(&other)),
        }
    }

    /// Moves something from the trash back to where it was; its path in the home.
    pub async fn restore(&self, id: u64) -> Result<RemotePath, Fault> {
        match self.0.session.ask(Op::Restore { id }).await? {
            Answer::Restored { path } => RemotePath::parse(&path.0)
                .map_err(|error| Fault::new(wire::Code::Protocol, format!("the server told a bad path: {error}"))),
            other => Err(unexpected(&other)),
        }
    }

    /// Deletes all that is in the trash.
    pub async fn empty_trash(&self) -> Result<(), Fault> {
        self.0.session.order(Op::EmptyTrash).await
    }
}
