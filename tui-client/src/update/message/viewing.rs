//! What passes between the viewer and whoever reads for it.

use bytes::Bytes;
use wire::Fault;

use crate::app::place::Place;
use crate::app::viewer::{Found, Goal, Stamp};

/// What the viewer is told.
#[derive(Clone, Debug)]
pub enum Seen {
    /// A piece, or why there is none.
    Piece {
        /// The viewer that asked.
        viewer: u64,
        /// Which piece.
        index: u64,
        /// What the file is like, and the bytes.
        result: Result<(Stamp, Bytes), Fault>,
    },
    /// What the file is like now.
    Checked {
        /// The viewer that asked.
        viewer: u64,
        /// Or why that is not known.
        result: Result<Stamp, Fault>,
    },
    /// How far a hunt has come.
    Hunting {
        /// The hunt.
        serial: u64,
        /// Bytes gone through.
        done: u64,
    },
    /// A hunt is over.
    Hunted {
        /// The hunt.
        serial: u64,
        /// What came of it.
        result: Result<Found, Fault>,
    },
}

/// What the viewer wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Read a piece.
    Piece {
        /// The viewer.
        viewer: u64,
        /// The file.
        place: Place,
        /// Which piece.
        index: u64,
    },
    /// Look what the file is like, in a while.
    Check {
        /// The viewer.
        viewer: u64,
        /// The file.
        place: Place,
    },
    /// Go through the file.
    Hunt {
        /// Names the hunt.
        serial: u64,
        /// The file.
        place: Place,
        /// What for.
        goal: Goal,
    },
    /// Give that hunt up.
    Stop(u64),
}
