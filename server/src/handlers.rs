//! The verbs, one a file: each takes the user and a request and returns an answer or a fault. None
//! sees a socket; long answers go out through [`Pages`].

mod copy;
mod find;
mod hash;
mod list;
mod make;
mod read;
mod remove;
mod rename;
mod stat;
mod trash;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use wire::frame::MAX_CONTROL;
use wire::message::{Answer, Entry, FromServer, Op, RawPath};
use wire::{Code, Fault, RemotePath};

use crate::audit::{Deed, shown_raw};
use crate::faults::bad_path;
use crate::tenant::Tenant;
use crate::vault::{Depth, PAGE_BYTES};
use std::sync::{Arc, OnceLock};

/// A turn at reading pages or a piece of a file, of its user and of all. Its memory is held until the last answer is written.
#[derive(Debug)]
pub(crate) struct Turn {
    _own: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

/// A message that waits for the writer, with what it holds until it is written.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) message: FromServer,
    pub(crate) _turn: Option<Arc<Turn>>,
    pub(crate) _page: Option<OwnedSemaphorePermit>,
}

/// The way out for the pages of one answer.
#[derive(Debug)]
pub(crate) struct Pages {
    id: u32,
    out: mpsc::Sender<Box<Outgoing>>,
    cancel: CancellationToken,
    /// Of a request that has long answers.
    turn: OnceLock<Arc<Turn>>,
    /// One page waits for the writer at a time.
    place: Arc<Semaphore>,
}

impl Turn {
    /// Waits for it. `None`: never, no semaphore is closed.
    async fn take(tenant: &Tenant) -> Option<Arc<Self>> {
        // Of one user few wait for all: others come between.
        let _own = Arc::clone(&tenant.requests).acquire_owned().await.ok()?;
        let _of_all = Arc::clone(&tenant.commons.requests).acquire_owned().await.ok()?;
        Some(Arc::new(Self { _own, _of_all }))
    }
}

impl From<FromServer> for Outgoing {
    fn from(message: FromServer) -> Self {
        Self { message, _turn: None, _page: None }
    }
}

impl Pages {
    pub(crate) fn new(id: u32, out: mpsc::Sender<Box<Outgoing>>, cancel: CancellationToken) -> Self {
        Self { id, out, cancel, turn: OnceLock::new(), place: Arc::new(Semaphore::new(1)) }
    }

    /// Waits for a turn, before anything long is read. A fault: nobody wants it.
    async fn turn(&self, tenant: &Tenant) -> Result<(), Fault> {
        let turn = self.cancel.run_until_cancelled(Turn::take(tenant)).await.flatten().ok_or_else(stopped)?;
        // Once for each request.
        let _ = self.turn.set(turn);
        Ok(())
    }

    /// What the last answer holds until it is written.
    pub(crate) fn ended(self) -> Option<Arc<Turn>> {
        self.turn.into_inner()
    }

    /// Sends a page that is not the last. A fault: nobody wants the rest.
    async fn send(&self, entries: Vec<Entry>) -> Result<(), Fault> {
        let message = FromServer::Answer { id: self.id, answer: Answer::Page { entries, last: false } };
        let sending = async {
            let page = Arc::clone(&self.place).acquire_owned().await.ok()?;
            let page = Outgoing { message, _turn: self.turn.get().cloned(), _page: Some(page) };
            self.out.send(Box::new(page)).await.ok()
        };
        self.cancel.run_until_cancelled(sending).await.flatten().ok_or_else(stopped)
    }

    /// A fault: nobody wants the rest.
    fn go_on(&self) -> Result<(), Fault> {
        if self.cancel.is_cancelled() { Err(stopped()) } else { Ok(()) }
    }
}

/// Whoever asked does not want the rest.
fn stopped() -> Fault {
    Fault::new(Code::Cancelled, "stopped on request")
}

/// The word for a request, in the log and in the audit.
pub(crate) fn verb(op: &Op) -> &'static str {
    match op {
        Op::List { .. } => "list",
        Op::Walk { .. } => "walk",
        Op::Stat { .. } => "stat",
        Op::Mkdir { .. } => "mkdir",
        Op::Create { .. } => "create",
        Op::Remove { .. } => "remove",
        Op::Rename { .. } => "rename",
        Op::Copy { .. } => "copy",
        Op::Usage => "usage",
        Op::Read { .. } => "read",
        Op::Hash { .. } => "hash",
        Op::Find { .. } => "find",
        Op::TrashState => "trash_state",
        Op::Trash { .. } => "trash",
        Op::Restore { .. } => "restore",
        Op::EmptyTrash => "empty_trash",
    }
}

/// Tells what a request is about; says whether it is one that changes something.
pub(crate) fn describe(op: &Op, deed: &mut Deed) -> bool {
    let entry = &mut deed.entry;
    match op {
        Op::Mkdir { path, .. } | Op::Create { path } | Op::Remove { path, .. } | Op::Trash { path } => {
            entry.path = Some(shown_raw(path));
        }
        Op::Rename { from, to, .. } | Op::Copy { from, to, .. } => {
            (entry.path, entry.to) = (Some(shown_raw(from)), Some(shown_raw(to)));
        }
        Op::Restore { id } => entry.trash = Some(*id),
        Op::EmptyTrash => {}
        Op::List { .. } | Op::Walk { .. } | Op::Stat { .. } | Op::Usage | Op::Read { .. } => return false,
        Op::Hash { .. } | Op::Find { .. } | Op::TrashState => return false,
    }
    true
}

/// What a request takes while it waits, in bytes.
pub(crate) fn weight(op: &Op) -> usize {
    let text = match op {
        Op::List { path }
        | Op::Walk { path }
        | Op::Stat { path }
        | Op::Mkdir { path, .. }
        | Op::Create { path }
        | Op::Remove { path, .. }
        | Op::Read { path, .. }
        | Op::Hash { path }
        | Op::Trash { path } => path.0.len(),
        Op::Rename { from, to, .. } | Op::Copy { from, to, .. } => from.0.len() + to.0.len(),
        Op::Find { path, pattern } => path.0.len() + pattern.len(),
        Op::Usage | Op::TrashState | Op::Restore { .. } | Op::EmptyTrash => 0,
    };
    text + size_of::<Op>() + ENTRY
}

/// Does what was asked.
pub(crate) async fn run(tenant: &Arc<Tenant>, op: Op, pages: &Pages, deed: &mut Deed) -> Result<Answer, Fault> {
    match op {
        Op::List { path } => list::list(tenant, parse(&path)?, Depth::One, |_| true, pages).await,
        Op::Walk { path } => list::list(tenant, parse(&path)?, Depth::All, |_| true, pages).await,
        Op::Stat { path } => stat::stat(tenant, parse(&path)?).await,
        Op::Mkdir { path, parents } => make::directory(tenant, parse(&path)?, parents).await,
        Op::Create { path } => make::file(tenant, parse(&path)?).await,
        Op::Remove { path, recursive } => remove::remove(tenant, parse(&path)?, recursive, deed).await,
        Op::Rename { from, to, replace } => rename::rename(tenant, parse(&from)?, parse(&to)?, replace, deed).await,
        Op::Copy { from, to, replace } => copy::copy(tenant, parse(&from)?, parse(&to)?, replace, pages, deed).await,
        Op::Usage => {
            tenant.make_good().await?;
            Ok(Answer::Usage(tenant.catalog.usage(tenant.id).await?))
        }
        Op::Read { path, offset, len } => {
            pages.turn(tenant).await?;
            read::read(tenant, parse(&path)?, offset, len).await
        }
        Op::Hash { path } => hash::hash(tenant, parse(&path)?, pages).await,
        Op::Find { path, pattern } => find::find(tenant, parse(&path)?, &pattern, pages).await,
        Op::TrashState => trash::state(tenant).await,
        Op::Trash { path } => trash::trash(tenant, parse(&path)?, deed).await,
        Op::Restore { id } => trash::restore(tenant, id, deed).await,
        Op::EmptyTrash => trash::empty(tenant, pages, deed).await,
    }
}

/// Of a request, in bytes: itself, and two pages, each as it was read, as it travels, and on the way between.
pub(crate) const MEMORY: usize = MAX_CONTROL + 2 * FORMS * PAGE_BYTES;
/// Of a request that waits, its task and its place, in bytes.
const ENTRY: usize = 512;
/// Bytes of a page in memory for each that travels, all its forms together.
const FORMS: usize = 6;

fn parse(path: &RawPath) -> Result<RemotePath, Fault> {
    RemotePath::parse(&path.0).map_err(|error| bad_path(&error))
}
