//! What can be taken back, the newest last, and what is known of the account's trash.

use std::collections::VecDeque;

use wire::RemotePath;
use wire::message::{Kind, Time};

use super::place::Place;
use crate::engine::Trash;

/// Steps of this session that can be taken back, and the trash that some of them went to.
#[derive(Clone, Debug, Default)]
pub struct Undo {
    /// What the trash held when it was asked for last; `None`: there is none, or nobody has asked yet.
    pub trash: Option<Trash>,
    steps: VecDeque<Step>,
}

/// Something that was done in one go, thing by thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Moved to the trash: where each was, and its number there.
    Trashed(Vec<(RemotePath, u64)>),
    /// Given other paths within one side.
    Moved(Vec<Moved>),
}

/// A thing that was moved, as it was found at its new path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its old path.
    pub from: Place,
    /// Its new path.
    pub to: Place,
    /// What it is known again by.
    pub sight: Sight,
}

/// What tells a thing from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// What it is.
    pub kind: Kind,
    /// Bytes of a file.
    pub size: u64,
    /// Its time; none of a directory of this machine, which its numbers tell whatever comes into it.
    pub mtime: Option<Time>,
    /// Its disk and its number there, on this machine.
    pub numbers: Option<(u64, u64)>,
}

impl Undo {
    /// Remembers a step; the oldest of too many is forgotten.
    pub fn keep(&mut self, step: Step) {
        if step.is_empty() {
            return;
        }
        self.steps.push_back(step);
        if self.steps.len() > MOST {
            self.steps.pop_front();
        }
    }

    /// Whether what is deleted at a place goes to the trash.
    pub fn takes(&self, place: &Place) -> bool {
        self.trash.is_some() && !place.is_local()
    }

    /// The newest step.
    pub fn last(&self) -> Option<&Step> {
        self.steps.back()
    }

    /// Takes the newest step off.
    pub fn take(&mut self) -> Option<Step> {
        self.steps.pop_back()
    }

    /// Forgets what was at a server that is left behind.
    pub fn leave_server(&mut self) {
        self.trash = None;
        self.steps.retain(|step| !step.is_remote());
    }

    /// Forgets what was in a trash that is empty now.
    pub fn emptied(&mut self) {
        self.steps.retain(|step| !matches!(step, Step::Trashed(_)));
    }
}

impl Step {
    /// Whether the server has to take it back.
    pub fn is_remote(&self) -> bool {
        match self {
            Step::Trashed(_) => true,
            Step::Moved(moved) => moved.iter().any(|moved| !moved.from.is_local()),
        }
    }

    /// Whether nothing of it is left.
    pub fn is_empty(&self) -> bool {
        match self {
            Step::Trashed(items) => items.is_empty(),
            Step::Moved(moved) => moved.is_empty(),
        }
    }

    /// Where its things were.
    pub fn places(&self) -> Vec<Place> {
        match self {
            Step::Trashed(items) => items.iter().map(|(path, _)| Place::Remote(path.clone())).collect(),
            Step::Moved(moved) => moved.iter().map(|moved| moved.from.clone()).collect(),
        }
    }
}

/// Things of one step: who deals with more of them is not asking for one key to take that back.
pub const MOST_UNDONE: usize = 10_000;
/// Steps that are remembered.
const MOST: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_steps_are_remembered() {
        let path = RemotePath::parse(b"a").unwrap();
        let trashed = |id| Step::Trashed(vec![(path.clone(), id)]);
        let sight = Sight { kind: Kind::File, size: 1, mtime: None, numbers: None };
        let moved = |place: Place| Step::Moved(vec![Moved { from: place.clone(), to: place, sight }]);
        let mut undo = Undo::default();
        undo.keep(Step::Trashed(vec![]));
        assert_eq!(undo.last(), None, "nothing was done");
        undo.keep(moved(Place::Local("/x".into())));
        (0..20).for_each(|id| undo.keep(trashed(id)));
        assert_eq!(undo.steps.front(), Some(&trashed(0)), "the twenty-first is forgotten");
        undo.keep(moved(Place::Remote(path.clone())));
        undo.emptied();
        assert_eq!((undo.steps.len(), undo.last().map(Step::is_remote)), (1, Some(true)));
        undo.keep(moved(Place::Local("/y".into())));
        undo.leave_server();
        assert_eq!(undo.take().map(|step| step.places()), Some(vec![Place::Local("/y".into())]));
        assert_eq!(undo.take(), None);
    }
}
