//! What a person chose to act on: some things one by one, or very many of one directory, packed.

use std::sync::Arc;

use wire::message::{Kind, Time};

use super::pane::{Pane, Row};
use super::place::Place;
use crate::entries::{EntryRef, Picked};

/// What is acted on, by its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sources {
    /// Each by itself.
    Each(Vec<Source>),
    /// More than [`EACH`] of one directory, as one.
    Many(Many),
}

/// Something marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it is.
    pub place: Place,
    /// Whether it holds others.
    pub directory: bool,
    /// Bytes of a file.
    pub size: u64,
    /// Its time.
    pub mtime: Time,
}

/// Many marked things of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Many {
    /// The directory.
    pub place: Place,
    /// The things, in the order of the screen: directories first.
    pub picked: Picked,
    /// How many directories are among them.
    pub directories: usize,
    /// Bytes of the files; `None` where it would take a look at each to tell.
    pub bytes: Option<u64>,
}

impl Source {
    /// An entry of a directory; `None` where its name is none.
    pub fn of(base: &Place, entry: EntryRef<'_>) -> Option<Self> {
        let place = base.join(entry.name).ok()?;
        Some(Self { place, directory: entry.kind == Kind::Directory, size: entry.size, mtime: entry.mtime })
    }
}

impl Sources {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Sources::Each(sources) => sources.len(),
            Sources::Many(many) => many.picked.len(),
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one thing, where it is only one.
    pub fn single(&self) -> Option<&Source> {
        match self {
            Sources::Each(sources) if sources.len() == 1 => sources.first(),
            _ => None,
        }
    }

    /// Whether they are on the side of a place.
    pub fn are_beside(&self, place: &Place) -> bool {
        match self {
            Sources::Each(sources) => sources.first().is_some_and(|source| source.place.beside(place)),
            Sources::Many(many) => many.place.beside(place),
        }
    }

    /// How many directories.
    pub fn directories(&self) -> usize {
        match self {
            Sources::Each(sources) => sources.iter().filter(|source| source.directory).count(),
            Sources::Many(many) => many.directories,
        }
    }

    /// Where the directories are, unless they are too many to be counted out one by one.
    pub fn directory_places(&self) -> Option<Vec<Place>> {
        match self {
            Sources::Each(sources) => {
                Some(sources.iter().filter(|source| source.directory).map(|source| source.place.clone()).collect())
            }
            Sources::Many(many) if many.directories > EACH => None,
            Sources::Many(many) => {
                Some(many.picked.range(0..many.directories).filter_map(|one| many.place.join(one.name).ok()).collect())
            }
        }
    }

    /// Bytes of the files, where that is known.
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Sources::Each(sources) => Some(sources.iter().map(|source| source.size).fold(0, u64::saturating_add)),
            Sources::Many(many) => many.bytes,
        }
    }

    /// The first of their names, each with whether it is a directory's.
    pub fn first_names(&self, most: usize) -> Vec<(Vec<u8>, bool)> {
        match self {
            Sources::Each(sources) => {
                sources.iter().take(most).map(|source| (source.place.name().to_vec(), source.directory)).collect()
            }
            Sources::Many(many) => {
                many.picked.range(0..most).map(|one| (one.name.to_vec(), one.kind == Kind::Directory)).collect()
            }
        }
    }
}

impl Pane {
    /// The marked rows, else the one under the cursor. What is not shown is never among them. However many there are,
    /// entries are looked at only where they are few.
    pub fn sources(&self) -> Sources {
        let shown = self.marks.len() - self.marks_not_shown();
        if shown > EACH {
            return Sources::Many(self.many(shown));
        }
        Sources::Each(self.selection().into_iter().filter_map(|entry| Source::of(&self.place, entry)).collect())
    }

    fn many(&self, shown: usize) -> Many {
        let entries = self.rows.entries();
        let ids = if shown == self.rows.len() {
            self.rows.shared_ids()
        } else {
            Arc::new(self.rows.ids().iter().copied().filter(|id| self.marks.has(*id)).collect())
        };
        let directories = ids.partition_point(|id| entries.is_directory(*id));
        let bytes = (shown == self.marks.len()).then(|| self.marks.bytes());
        Many { place: self.place.clone(), picked: Picked::new(entries.clone(), ids), directories, bytes }
    }

    /// The marked rows, else the one under the cursor.
    pub fn selection(&self) -> Vec<EntryRef<'_>> {
        let marked = self.rows.ids().iter().filter(|id| self.marks.has(**id));
        let marked: Vec<_> = marked.filter_map(|id| self.rows.entries().get(*id)).collect();
        match self.current() {
            _ if !marked.is_empty() => marked,
            Row::Entry(entry) => vec![entry],
            Row::Up | Row::Nothing => Vec::new(),
        }
    }
}

/// Up to so many things are acted on one by one, each an item of the queue: more rows than a person goes through.
/// Beyond that they are one item, or one piece of work that tells how far it is.
pub const EACH: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::sample::{directory, file, local_pane};
    use crate::app::sieve::Sieve;

    #[test]
    fn many_are_one_and_what_is_not_shown_is_left_out() {
        let files = (0..EACH).map(|n| file(&format!("f{n:04}"), 2, 0));
        let mut pane = local_pane("/d", files.chain([directory("sub"), file("g", 1, 0)]).collect());
        let all: Vec<_> = pane.rows.entries().ids().collect();
        all.iter().take(EACH).for_each(|id| pane.marks.set(*id, 2, true));
        assert!(matches!(pane.sources(), Sources::Each(each) if each.len() == EACH));
        all.iter().skip(EACH).zip([0, 1]).for_each(|(id, size)| pane.marks.set(*id, size, true));
        let sources = pane.sources();
        assert_eq!((sources.len(), sources.directories(), sources.bytes()), (EACH + 2, 1, Some(2 * EACH as u64 + 1)));
        assert_eq!(sources.first_names(2), [(b"sub".to_vec(), true), (b"f0000".to_vec(), false)]);
        assert_eq!(sources.directory_places(), Some(vec![Place::Local("/d/sub".into())]));
        pane.reorder(pane.rows.clone().sifted(Sieve { hides_dots: false, text: "f0".into() }));
        assert!(matches!(pane.sources(), Sources::Each(_)), "{} shown", pane.rows.len());
        pane.marks.set(all[EACH + 1], 1, false);
        pane.reorder(pane.rows.clone().sifted(Sieve { hides_dots: false, text: "s".into() }));
        assert_eq!(pane.sources().len(), 1);
    }
}
