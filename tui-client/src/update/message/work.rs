//! Changes of files within one side, as values: what is to be done, and what is left of it.

use crate::app::place::Place;

/// A change of files within one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Make a directory.
    MakeDirectory(Place),
    /// Make an empty file.
    NewFile(Place),
    /// Remove all of these, with what they hold.
    Remove(Vec<Place>),
    /// Move all of these to the account's trash.
    Trash(Vec<Place>),
    /// Give things another path, step by step.
    Move(Steps),
    /// Copy things within their side, step by step.
    Copy(Steps),
}

/// Pairs of a thing and its new path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    /// From and to.
    pub pairs: Vec<(Place, Place)>,
    /// The person said yes to replacing the first target.
    pub replace_first: bool,
}

impl Work {
    /// Every path it touches.
    pub fn places(&self) -> Vec<&Place> {
        match self {
            Work::MakeDirectory(place) | Work::NewFile(place) => vec![place],
            Work::Remove(places) | Work::Trash(places) => places.iter().collect(),
            Work::Move(steps) | Work::Copy(steps) => steps.pairs.iter().flat_map(|(from, to)| [from, to]).collect(),
        }
    }

    /// How many steps it has.
    pub fn len(&self) -> usize {
        match self {
            Work::MakeDirectory(_) | Work::NewFile(_) => 1,
            Work::Remove(places) | Work::Trash(places) => places.len(),
            Work::Move(steps) | Work::Copy(steps) => steps.pairs.len(),
        }
    }

    /// Whether there is nothing to be done.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is left of it after its first `done` steps.
    pub fn rest(self, done: usize) -> Work {
        let skip = |steps: Steps| Steps { pairs: steps.pairs.into_iter().skip(done).collect(), replace_first: false };
        match self {
            Work::Remove(places) => Work::Remove(places.into_iter().skip(done).collect()),
            Work::Trash(places) => Work::Trash(places.into_iter().skip(done).collect()),
            Work::Move(steps) => Work::Move(skip(steps)),
            Work::Copy(steps) => Work::Copy(skip(steps)),
            whole => whole,
        }
    }

    /// The same with leave to replace the first target.
    pub fn replacing(self) -> Work {
        match self {
            Work::Move(steps) => Work::Move(Steps { replace_first: true, ..steps }),
            Work::Copy(steps) => Work::Copy(Steps { replace_first: true, ..steps }),
            other => other,
        }
    }
}
