//! Files that are with an editor: in place on this machine, or as a copy of what is at the server.

use std::path::PathBuf;

use wire::path::escape;
use wire::{RemotePath, Root};

use super::place::Place;
use crate::engine::status::Side;

/// What an editor is opened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// A file of this machine.
    Here(PathBuf),
    /// A copy that goes back to the server.
    Copy(Copy),
}

/// A file of the server that lies here for an editor, in a directory of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// The copy, under the file's own name.
    pub file: PathBuf,
    /// Where it came from and goes back to.
    pub remote: RemotePath,
    /// What stood there when it was fetched.
    pub base: Side,
    /// The content that was fetched, as proven.
    pub root: Root,
}

/// What became of a copy after the editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Back {
    /// It is at the server, proven; the copy is gone.
    Sent,
    /// Nothing was changed; the copy is gone.
    Same,
    /// It is not at the server, and the copy stays: why.
    Kept(String),
}

impl Errand {
    /// The file that the editor gets.
    pub fn file(&self) -> &PathBuf {
        match self {
            Errand::Here(file) => file,
            Errand::Copy(copy) => &copy.file,
        }
    }

    /// What is edited, as the person knows it.
    pub fn place(&self) -> Place {
        match self {
            Errand::Here(file) => Place::Local(file.clone()),
            Errand::Copy(copy) => Place::Remote(copy.remote.clone()),
        }
    }

    /// Its name, for the screen.
    pub fn name(&self) -> String {
        escape(self.place().name())
    }
}
