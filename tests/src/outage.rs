//! A power cut, approached: a disk that notes, at everything the server asks of it, what lies there and what of that
//! was synced; and from each such instant the states that a cut may leave, in which all that was not synced is lost,
//! or any part of it.
//!
//! What it takes for granted: what was synced stays; a rename is done or not done, never half; SQLite keeps what it
//! says it has committed.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, FileTimes};
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use fastrand::Rng;
use rustix::fs::{RenameFlags, fstat, renameat_with};
use rustix::io::Errno;

use crate::disk::Step;

/// The number of a file or directory. None is used twice: whatever was seen is held open.
type Inode = u64;

/// A file's bytes with what is synced along with them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    bytes: Arc<Vec<u8>>,
    mtime: SystemTime,
    mode: u32,
}

/// Directories and files by their numbers.
#[derive(Clone, Debug, Default)]
struct Tree {
    top: Inode,
    directories: BTreeMap<Inode, BTreeMap<String, Inode>>,
    files: BTreeMap<Inode, Content>,
}

/// Something that was done and not synced.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Unsynced {
    /// A file was written.
    Written(Inode),
    /// Names changed, together: directory, name, and what it stands for now.
    Named(Vec<(Inode, String, Option<Inode>)>),
}

/// What was to be seen at one moment, with whatever the observer told.
#[derive(Debug)]
pub struct Instant<T> {
    /// What the server was about to ask of the disk.
    pub step: Option<Step>,
    /// What the observer saw.
    pub seen: T,
    durable: Tree,
    live: Tree,
}

/// What a cut left, on a disk again.
#[derive(Debug)]
pub struct Left {
    /// The new numbers of files, by their old ones.
    pub inodes: Vec<(u64, u64)>,
    /// In words, for whoever has to find out what went wrong.
    pub lost: String,
}

type Observer<T> = Box<dyn Fn() -> T + Send>;

/// The disk. Below one directory, it notes; nothing is synced for real.
pub struct Outage<T>(Mutex<State<T>>, Option<Step>);

struct State<T> {
    watched: Option<(PathBuf, Observer<T>)>,
    durable: Tree,
    last: Tree,
    /// So that no number is used again.
    held: HashMap<Inode, File>,
    instants: Vec<Instant<T>>,
}

impl<T> Default for Outage<T> {
    fn default() -> Self {
        let (durable, last) = Default::default();
        let state = State { watched: None, durable, last, held: HashMap::new(), instants: Vec::new() };
        Self(Mutex::new(state), None)
    }
}

impl<T> Outage<T> {
    /// A disk that says it has synced and did not, in steps of that kind.
    pub fn that_forgets(step: Step) -> Self {
        Self(Mutex::default(), Some(step))
    }

    /// From now on all below `top` is noted; what lies there now is synced. `observe` is asked at every instant.
    pub fn watch(&self, top: &Path, observe: impl Fn() -> T + Send + 'static) -> io::Result<()> {
        let mut state = self.state();
        state.watched = Some((top.to_owned(), Box::new(observe)));
        state.look()?;
        state.durable = state.last.clone();
        Ok(())
    }

    /// Notes this moment, too.
    pub fn note(&self) -> io::Result<()> {
        self.state().note(None)
    }

    /// All that was noted.
    pub fn instants(&self) -> Vec<Instant<T>> {
        std::mem::take(&mut self.state().instants)
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self, step: Step, act: impl FnOnce(&mut State<T>) -> Result<(), Errno>) -> Result<(), Errno> {
        // Held until it is done: nobody looks in the middle of a rename.
        let mut state = self.state();
        if state.watched.is_some() {
            state.note(Some(step)).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        }
        if self.1 == Some(step) { Ok(()) } else { act(&mut state) }
    }
}

impl<T> Default for State<T> {
    fn default() -> Self {
        let (durable, last) = Default::default();
        Self { watched: None, durable, last, held: HashMap::new(), instants: Vec::new() }
    }
}

impl<T> State<T> {
    fn note(&mut self, step: Option<Step>) -> io::Result<()> {
        self.look()?;
        let Some((_, observe)) = &self.watched else { return Ok(()) };
        let instant = Instant { step, seen: observe(), durable: self.durable.clone(), live: self.last.clone() };
        self.instants.push(instant);
        Ok(())
    }

    fn look(&mut self) -> io::Result<()> {
        let Some((top, _)) = &self.watched else { return Ok(()) };
        let mut seen = Tree { top: fs::metadata(top)?.ino(), ..Tree::default() };
        let mut waiting = vec![top.clone()];
        while let Some(path) = waiting.pop() {
            // What vanishes meanwhile was not there.
            let Ok(directory) = File::open(&path) else { continue };
            let (inode, mut names) = (directory.metadata()?.ino(), BTreeMap::new());
            self.held.entry(inode).or_insert(directory);
            for entry in fs::read_dir(&path)? {
                let entry = entry?;
                let Ok(file) = File::open(entry.path()) else { continue };
                let metadata = file.metadata()?;
                names.insert(entry.file_name().to_string_lossy().into_owned(), metadata.ino());
                if metadata.is_dir() {
                    waiting.push(entry.path());
                    continue;
                }
                let (bytes, mode) = (fs::read(entry.path())?, metadata.permissions().mode());
                let before = self.last.files.get(&metadata.ino()).map(|content| &content.bytes);
                let bytes = before.filter(|before| ***before == bytes).cloned().unwrap_or_else(|| Arc::new(bytes));
                seen.files.insert(metadata.ino(), Content { bytes, mtime: metadata.modified()?, mode });
                self.held.entry(metadata.ino()).or_insert(file);
            }
            seen.directories.insert(inode, names);
        }
        self.last = seen;
        Ok(())
    }
}

impl<T: Send> server::vault::Disk for Outage<T> {
    fn sync_content(&self, file: BorrowedFd<'_>) -> Result<(), Errno> {
        let inode = fstat(file)?.st_ino;
        self.pass(Step::Content, |state| {
            // A file has its number once it is synced, whether a directory knows it or not.
            let written = state.last.files.get(&inode).cloned();
            state.durable.files.extend(written.map(|content| (inode, content)));
            Ok(())
        })
    }

    fn sync_directory(&self, directory: BorrowedFd<'_>) -> Result<(), Errno> {
        let inode = fstat(directory)?.st_ino;
        self.pass(Step::Directory, |state| {
            let State { durable, last, .. } = state;
            for unsynced in durable.unsynced(last) {
                if matches!(&unsynced, Unsynced::Named(names) if names.iter().any(|(of, ..)| *of == inode)) {
                    durable.apply(&unsynced, last, Torn::Whole);
                }
            }
            Ok(())
        })
    }

    fn sync_all(&self, _: BorrowedFd<'_>) -> Result<(), Errno> {
        self.pass(Step::All, |state| {
            state.durable = state.last.clone();
            Ok(())
        })
    }

    fn rename(
        &self,
        staged: (BorrowedFd<'_>, &[u8]),
        target: (BorrowedFd<'_>, &[u8]),
        flags: RenameFlags,
    ) -> Result<(), Errno> {
        self.pass(Step::Name, |_| renameat_with(staged.0, staged.1, target.0, target.1, flags))
    }
}

impl<T> std::fmt::Debug for Outage<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outage").finish_non_exhaustive()
    }
}

/// What is left of bytes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Torn {
    Whole,
    /// Length and time were on the disk before the bytes.
    Zeros,
    Half,
}

impl Tree {
    /// What leads from here to `live`.
    fn unsynced(&self, live: &Tree) -> Vec<Unsynced> {
        let written = live.files.iter().filter(|(inode, content)| self.files.get(inode) != Some(content));
        let mut all: Vec<Unsynced> = written.map(|(inode, _)| Unsynced::Written(*inode)).collect();
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        let directories = self
            .directories
            .keys()
            .chain(live.directories.keys().filter(|inode| !self.directories.contains_key(inode)));
        for directory in directories {
            let none = BTreeMap::new();
            let old = self.directories.get(directory).unwrap_or(&none);
            let new = live.directories.get(directory).unwrap_or(&none);
            for (name, inode) in old.iter().filter(|(name, inode)| new.get(*name) != Some(inode)) {
                gone.push((*directory, name.clone(), *inode));
            }
            for (name, inode) in new.iter().filter(|(name, inode)| old.get(*name) != Some(inode)) {
                come.push((*directory, name.clone(), *inode));
            }
        }
        for (directory, name, inode) in come {
            let mut names = vec![(directory, name, Some(inode))];
            if let Some(from) = gone.iter().position(|(_, _, moved)| *moved == inode) {
                let (directory, name, _) = gone.swap_remove(from);
                names.push((directory, name, None));
            }
            all.push(Unsynced::Named(names));
        }
        // What was replaced is gone with what replaces it.
        let replaced = |directory: &Inode, name: &String| {
            let names = all.iter().filter_map(|one| if let Unsynced::Named(names) = one { Some(names) } else { None });
            names.flatten().any(|(of, named, to)| (of, named, to.is_some()) == (directory, name, true))
        };
        let removed: Vec<Unsynced> = gone
            .into_iter()
            .filter(|(directory, name, _)| !replaced(directory, name))
            .map(|(directory, name, _)| Unsynced::Named(vec![(directory, name, None)]))
            .collect();
        all.extend(removed);
        all
    }

    fn apply(&mut self, unsynced: &Unsynced, live: &Tree, torn: Torn) {
        match unsynced {
            Unsynced::Written(inode) => {
                let Some(content) = live.files.get(inode) else { return };
                let half = content.bytes.len() / 2;
                let bytes = match torn {
                    Torn::Whole => Arc::clone(&content.bytes),
                    Torn::Zeros => Arc::new(vec![0; content.bytes.len()]),
                    Torn::Half => Arc::new(content.bytes.get(..half).unwrap_or_default().to_vec()),
                };
                self.files.insert(*inode, Content { bytes, ..content.clone() });
            }
            Unsynced::Named(names) => {
                // The old name first: a rename may be within one directory.
                for (directory, name, to) in names.iter().rev() {
                    let entries = self.directories.entry(*directory).or_default();
                    match to {
                        Some(inode) => _ = entries.insert(name.clone(), *inode),
                        None => _ = entries.remove(name),
                    }
                    // What it holds has names of its own, to be synced for themselves.
                    for inode in to.iter().filter(|inode| live.directories.contains_key(inode)) {
                        self.directories.entry(*inode).or_default();
                    }
                }
            }
        }
    }

    /// Makes files and directories of it below `top`.
    fn write(&self, top: &Path, live: &Tree) -> io::Result<Vec<(u64, u64)>> {
        let mut inodes = Vec::new();
        let mut waiting = vec![(self.top, top.to_owned())];
        while let Some((directory, path)) = waiting.pop() {
            fs::create_dir_all(&path)?;
            for (name, inode) in self.directories.get(&directory).into_iter().flatten() {
                let path = path.join(name);
                if self.directories.contains_key(inode) || live.directories.contains_key(inode) {
                    waiting.push((*inode, path));
                    continue;
                }
                // A name that outlived its file's bytes stands for an empty file.
                match self.files.get(inode) {
                    Some(content) => {
                        fs::write(&path, &*content.bytes)?;
                        fs::set_permissions(&path, fs::Permissions::from_mode(content.mode))?;
                        File::open(&path)?.set_times(FileTimes::new().set_modified(content.mtime))?;
                    }
                    None => fs::write(&path, b"")?,
                }
                inodes.push((*inode, fs::metadata(&path)?.ino()));
            }
        }
        Ok(inodes)
    }
}

impl<T> Instant<T> {
    /// How many states [`Self::leave`] can leave of it: nothing of what was not synced; all of it; each alone, where
    /// these are few; and some at random.
    pub fn states(&self) -> usize {
        let unsynced = self.durable.unsynced(&self.live).len();
        2 + if unsynced > 1 { unsynced.min(SINGLE) + RANDOM } else { 0 }
    }

    /// Writes below `top` what a power cut at this instant may leave; `state` is below [`Self::states`],
    /// and what is random about it follows from the seed.
    pub fn leave(&self, state: usize, top: &Path, seed: u64) -> io::Result<Left> {
        let unsynced = self.durable.unsynced(&self.live);
        let (mut left, mut kept, mut random) = (self.durable.clone(), Vec::new(), Rng::with_seed(seed));
        for (number, one) in unsynced.iter().enumerate() {
            let keeps = match state {
                0 => false,
                1 => true,
                _ if state - 2 < unsynced.len().min(SINGLE) => number == state - 2,
                _ => random.bool(),
            };
            if keeps {
                let torn = if state == 1 {
                    Torn::Whole
                } else {
                    *random.choice(&[Torn::Whole, Torn::Zeros, Torn::Half]).unwrap_or(&Torn::Whole)
                };
                left.apply(one, &self.live, torn);
                kept.push((one, torn));
            }
        }
        let inodes = left.write(top, &self.live)?;
        let lost = format!("at {:?}, of {unsynced:?} was kept {kept:?}", self.step);
        Ok(Left { inodes, lost })
    }
}

/// Of the changes that are kept each alone, and of the random choices.
const SINGLE: usize = 6;
const RANDOM: usize = 6;
