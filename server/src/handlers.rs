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

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wire::frame::MAX_CONTROL;
use wire::message::{Answer, Entry, FromServer, Op, RawPath};
use wire::{Code, Fault, RemotePath};

use crate::faults::bad_path;
use crate::tenant::Tenant;
use crate::vault::{Depth, PAGE_BYTES};
use std::sync::Arc;

/// The way out for the pages of one answer.
#[derive(Clone, Debug)]
pub(crate) struct Pages {
    id: u32,
    out: mpsc::Sender<Box<FromServer>>,
    cancel: CancellationToken,
}

impl Pages {
    pub(crate) fn new(id: u32, out: mpsc::Sender<Box<FromServer>>, cancel: CancellationToken) -> Self {
        Self { id, out, cancel }
    }

    /// Sends a page that is not the last. A fault: nobody wants the rest.
    async fn send(&self, entries: Vec<Entry>) -> Result<(), Fault> {
        let page = FromServer::Answer { id: self.id, answer: Answer::Page { entries, last: false } };
        let sent = self.cancel.run_until_cancelled(self.out.send(Box::new(page))).await;
        match sent {
            Some(Ok(())) => Ok(()),
            _ => Err(stopped()),
        }
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

/// Does what was asked.
pub(crate) async fn run(tenant: &Arc<Tenant>, op: Op, pages: &Pages) -> Result<Answer, Fault> {
    match op {
        Op::List { path } => list::list(tenant, parse(&path)?, Depth::One, |_| true, pages).await,
        Op::Walk { path } => list::list(tenant, parse(&path)?, Depth::All, |_| true, pages).await,
        Op::Stat { path } => stat::stat(tenant, parse(&path)?).await,
        Op::Mkdir { path, parents } => make::directory(tenant, parse(&path)?, parents).await,
        Op::Create { path } => make::file(tenant, parse(&path)?).await,
        Op::Remove { path, recursive } => remove::remove(tenant, parse(&path)?, recursive).await,
        Op::Rename { from, to, replace } => rename::rename(tenant, parse(&from)?, parse(&to)?, replace).await,
        Op::Copy { from, to, replace } => copy::copy(tenant, parse(&from)?, parse(&to)?, replace, pages).await,
        Op::Usage => {
            tenant.make_good().await?;
            Ok(Answer::Usage(tenant.catalog.usage(tenant.id).await?))
        }
        Op::Read { path, offset, len } => read::read(tenant, parse(&path)?, offset, len).await,
        Op::Hash { path } => hash::hash(tenant, parse(&path)?, pages).await,
        Op::Find { path, pattern } => find::find(tenant, parse(&path)?, &pattern, pages).await,
        Op::TrashState => trash::state(tenant).await,
        Op::Trash { path } => trash::trash(tenant, parse(&path)?).await,
        Op::Restore { id } => trash::restore(tenant, id).await,
        Op::EmptyTrash => trash::empty(tenant, pages).await,
    }
}

/// Of a request, in bytes: itself, and two pages, each as it was read, as it travels, and on the way between.
pub(crate) const MEMORY: usize = MAX_CONTROL + 2 * FORMS * PAGE_BYTES;
/// Bytes of a page in memory for each that travels, all its forms together.
const FORMS: usize = 6;

fn parse(path: &RawPath) -> Result<RemotePath, Fault> {
    RemotePath::parse(&path.0).map_err(|error| bad_path(&error))
}
