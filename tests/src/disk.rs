//! A disk under the homes of a server in this process. It notes what is asked of it, in order, with what
//! can be seen from outside at that moment, and fails where it is told to.

use std::fmt;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{RenameFlags, renameat_with};
use rustix::io::Errno;

/// What is asked of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A file's content is synced.
    Content,
    /// A directory is synced.
    Directory,
    /// The whole file system is synced.
    All,
    /// A staged file gets its name.
    Name,
}

/// A disk that notes and fails.
#[derive(Default)]
pub struct Disk(Mutex<State>);

/// Asked at every step, before it is done; others go on meanwhile.
type Look = Arc<dyn Fn(Step) -> String + Send + Sync>;

#[derive(Default)]
struct State {
    noted: Vec<(Step, String)>,
    look: Option<Look>,
    fail: Option<Fail>,
}

struct Fail {
    step: Step,
    passing: usize,
    errno: Errno,
}

impl Disk {
    /// From now on, `look` says at every step what there is to be seen.
    pub fn watch(&self, look: impl Fn(Step) -> String + Send + Sync + 'static) {
        self.state().look = Some(Arc::new(look));
    }

    /// Lets `passing` such steps pass and fails the one after.
    pub fn fail(&self, step: Step, passing: usize, errno: Errno) {
        self.state().fail = Some(Fail { step, passing, errno });
    }

    /// What was asked since this was asked last, with what was seen.
    pub fn noted(&self) -> Vec<(Step, String)> {
        std::mem::take(&mut self.state().noted)
    }

    fn pass(&self, step: Step) -> Result<(), Errno> {
        let look = self.state().look.clone();
        let seen = look.map(|look| look(step)).unwrap_or_default();
        let mut state = self.state();
        state.noted.push((step, seen));
        match &mut state.fail {
            Some(fail) if fail.step == step && fail.passing == 0 => {
                let errno = fail.errno;
                state.fail = None;
                Err(errno)
            }
            Some(fail) if fail.step == step => {
                fail.passing -= 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").finish_non_exhaustive()
    }
}

impl server::vault::Disk for Disk {
    fn sync_content(&self, _: BorrowedFd<'_>) -> Result<(), Errno> {
        self.pass(Step::Content)
    }

    fn sync_directory(&self, _: BorrowedFd<'_>) -> Result<(), Errno> {
        self.pass(Step::Directory)
    }

    fn sync_all(&self, _: BorrowedFd<'_>) -> Result<(), Errno> {
        self.pass(Step::All)
    }

    fn rename(
        &self,
        staged: (BorrowedFd<'_>, &[u8]),
        target: (BorrowedFd<'_>, &[u8]),
        flags: RenameFlags,
    ) -> Result<(), Errno> {
        self.pass(Step::Name)?;
        renameat_with(staged.0, staged.1, target.0, target.1, flags)
    }
}
