//! What a client was promised, and what a kill in the middle of its next step may leave of it. Pure, but for
//! the reading of a tree.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use wire::Root;

use crate::files::{paths, root};

/// Files by their paths, with their contents.
pub type Tree = BTreeMap<String, Root>;

/// Something in the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trashed {
    /// Where it was.
    pub path: String,
    /// What it holds, by paths within it; a file is at the empty path.
    pub holds: Tree,
}

/// What lies in an account's trash, by its numbers.
pub type Trash = BTreeMap<u64, Trashed>;

/// What a step that is under way makes of a client's files when it comes to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pending {
    /// Nothing is under way.
    #[default]
    Nothing,
    /// All of this or nothing.
    Whole(Tree),
    /// This, but each file for itself.
    Each(Tree),
    /// What has this path goes to the trash, under a number that is not told yet.
    Trash(String),
    /// What has this number comes back.
    Restore(u64),
}

/// How far a step that was cut off had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Nothing was under way.
    Idle,
    /// It left everything as it was.
    Undone,
    /// It was done, though nobody was told.
    Done,
    /// Some of its files are as they were, some are not.
    Between,
}

/// One client's files: all of them lie below one directory, which is nobody else's.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// What was acknowledged.
    pub tree: Tree,
    /// What was not, yet.
    pub pending: Pending,
}

impl Model {
    /// Compares with what was found, which then is what is promised. `known` is what lies in the account's trash
    /// as far as it was told, `strangers` what lies there beside it.
    pub fn settle(&mut self, found: &Tree, known: &mut Trash, strangers: &mut BTreeMap<u64, Tree>) -> Result<Fate> {
        let fate = match std::mem::take(&mut self.pending) {
            Pending::Nothing => {
                ensure!(*found == self.tree, "what was acknowledged is another: {}", differences(&self.tree, found));
                Fate::Idle
            }
            Pending::Whole(after) => whole(&self.tree, &after, found)?,
            Pending::Each(after) => each(&self.tree, &after, found)?,
            Pending::Trash(path) => {
                let fate = whole(&self.tree, &without(&self.tree, &path), found)?;
                if fate == Fate::Done {
                    let holds = below(&self.tree, &path);
                    let same = strangers.iter().find(|(_, stranger)| **stranger == holds).map(|(id, _)| *id);
                    let id = same.with_context(|| format!("{path} is neither in the home nor in the trash"))?;
                    strangers.remove(&id);
                    known.insert(id, Trashed { path, holds });
                }
                fate
            }
            Pending::Restore(id) => {
                let item = known.get(&id).context("a restoration of what is not in the trash")?;
                let fate = whole(&self.tree, &with(&self.tree, &item.path, &item.holds), found)?;
                if fate == Fate::Done {
                    known.remove(&id);
                }
                fate
            }
        };
        self.tree.clone_from(found);
        Ok(fate)
    }
}

fn whole(before: &Tree, after: &Tree, found: &Tree) -> Result<Fate> {
    if found == after {
        return Ok(Fate::Done);
    }
    ensure!(found == before, "neither the old nor the new: {}", differences(before, found));
    Ok(Fate::Undone)
}

fn each(before: &Tree, after: &Tree, found: &Tree) -> Result<Fate> {
    for path in before.keys().chain(after.keys()).chain(found.keys()) {
        let (old, new, here) = (before.get(path), after.get(path), found.get(path));
        ensure!(here == old || here == new, "{path} is {here:?}, where it was {old:?} and was to be {new:?}");
    }
    Ok(match found {
        found if found == after => Fate::Done,
        found if found == before => Fate::Undone,
        _ => Fate::Between,
    })
}

fn differences(expected: &Tree, found: &Tree) -> String {
    let keys = expected.keys().chain(found.keys().filter(|path| !expected.contains_key(*path)));
    let differing = keys.filter(|path| expected.get(*path) != found.get(*path));
    let told = differing.map(|path| match (expected.get(path), found.get(path)) {
        (Some(_), None) => format!("{path} is missing"),
        (None, _) => format!("{path} is not known"),
        _ => format!("{path} has other content"),
    });
    told.take(10).collect::<Vec<_>>().join(", ")
}

/// What a tree holds below a path, by paths relative to it.
pub fn below(tree: &Tree, path: &str) -> Tree {
    let relative = |full: &str| {
        let rest = full.strip_prefix(path)?;
        if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }.map(str::to_owned)
    };
    tree.iter().filter_map(|(full, root)| Some((relative(full)?, *root))).collect()
}

/// A tree without what has a path or lies below it.
pub fn without(tree: &Tree, path: &str) -> Tree {
    let is_below = |full: &str| full.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    tree.iter().filter(|(full, _)| !is_below(full)).map(|(full, root)| (full.clone(), *root)).collect()
}

/// A tree with another at a path, in the place of what was there.
pub fn with(tree: &Tree, path: &str, holds: &Tree) -> Tree {
    let mut all = without(tree, path);
    let full = |rest: &str| if rest.is_empty() { path.to_owned() } else { format!("{path}/{rest}") };
    all.extend(holds.iter().map(|(rest, root)| (full(rest), *root)));
    all
}

/// All files below a directory, or the one file, read and hashed; empty where there is none.
pub fn read(top: &Path) -> Result<Tree> {
    if top.is_file() {
        return Ok(Tree::from([(String::new(), root(top)?)]));
    }
    if !top.exists() {
        return Ok(Tree::new());
    }
    let named = paths(top)?.into_iter().map(|path| {
        let relative = path.strip_prefix(top)?.to_str().context("names of the harness are text")?;
        Ok((relative.to_owned(), root(&path)?))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::root_of;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, content)| ((*path).to_owned(), root_of(content.as_bytes()))).collect()
    }

    fn settle(pending: Pending, found: &Tree, strangers: &mut BTreeMap<u64, Tree>) -> Result<Fate> {
        let mut model = Model { tree: tree(&[("a/f", "1"), ("a/g", "2"), ("ab", "3")]), pending };
        let holds = tree(&[("", "4")]);
        let mut known = Trash::from([(7, Trashed { path: "old".into(), holds })]);
        let fate = model.settle(found, &mut known, strangers)?;
        assert_eq!(model.tree, *found);
        Ok(fate)
    }

    #[test]
    fn what_a_kill_may_leave_is_told_from_what_it_may_not() {
        let before = tree(&[("a/f", "1"), ("a/g", "2"), ("ab", "3")]);
        let after = tree(&[("b/f", "1"), ("b/g", "2"), ("ab", "3")]);
        let between = tree(&[("a/f", "1"), ("b/g", "2"), ("ab", "3")]);
        let trashed = tree(&[("ab", "3")]);
        let restored = with(&before, "old", &tree(&[("", "4")]));
        let none = BTreeMap::new;
        let in_trash = || BTreeMap::from([(8, tree(&[("f", "1"), ("g", "2")]))]);
        let table = [
            (Pending::Nothing, &before, none(), Some(Fate::Idle)),
            (Pending::Nothing, &after, none(), None),
            (Pending::Nothing, &trashed, in_trash(), None),
            (Pending::Whole(after.clone()), &before, none(), Some(Fate::Undone)),
            (Pending::Whole(after.clone()), &after, none(), Some(Fate::Done)),
            (Pending::Whole(after.clone()), &between, none(), None),
            (Pending::Each(trashed.clone()), &tree(&[("a/g", "2"), ("ab", "3")]), none(), Some(Fate::Between)),
            (Pending::Each(trashed.clone()), &tree(&[("a/g", "5"), ("ab", "3")]), none(), None),
            (Pending::Each(trashed.clone()), &tree(&[("a/g", "2")]), none(), None),
            (Pending::Trash("a".into()), &before, none(), Some(Fate::Undone)),
            (Pending::Trash("a".into()), &trashed, in_trash(), Some(Fate::Done)),
            (Pending::Trash("a".into()), &trashed, none(), None),
            (Pending::Trash("a".into()), &tree(&[("a/f", "1"), ("ab", "3")]), in_trash(), None),
            (Pending::Restore(7), &restored, none(), Some(Fate::Done)),
            (Pending::Restore(7), &before, none(), Some(Fate::Undone)),
            (Pending::Restore(7), &after, none(), None),
        ];
        for (number, (pending, found, mut strangers, expected)) in table.into_iter().enumerate() {
            assert_eq!(settle(pending, found, &mut strangers).ok(), expected, "row {number}");
        }
    }
}
