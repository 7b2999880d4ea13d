//! The end of an upload: all of it is there, it is published, told to the audit, and acknowledged.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument;
use wire::message::Lane;
use wire::{Fault, RemotePath, Root};

use super::receive::{Receiving, SMALL_ANSWER, STAGED_ANSWER};
use super::upload::{SmallUpload, Upload};
use super::{Outgoing, span};
use crate::audit::{Deed, shown, shown_root};
use crate::faults::going_down;
use crate::publish::{Outcome, small};

impl Receiving {
    pub(super) async fn seal(&mut self, transfer: u64, root: Root) {
        self.settle_storing().await;
        match self.uploads.remove(&transfer) {
            // It was refused or failed before; the sender knows, or will in a moment.
            None => {}
            Some(Upload::Small(small)) => {
                if let Err(fault) = self.seal_small(transfer, root, small).await {
                    self.refuse(transfer, fault).await;
                }
            }
            Some(Upload::Staged(staged)) => {
                let deed = self.deed(transfer, root, &staged.path, staged.offer.size);
                let (tenant, out) = (Arc::clone(&self.session.tenant), self.out.clone());
                let place = self.place_for_answer(STAGED_ANSWER).await;
                let finish = async move {
                    let _place = place;
                    let answer = tell(transfer, root, deed, staged.finish(&tenant, root).await);
                    // A lane that is gone: the client will ask again and find the file whole.
                    let _ = out.send(Box::new(Outgoing::Message(answer))).await;
                };
                self.limits.running.spawn(finish.instrument(span(transfer)));
            }
        }
    }

    async fn seal_small(&mut self, transfer: u64, root: Root, small: SmallUpload) -> Result<(), Fault> {
        let (mut small, result) = small.sealed(root)?;
        if small.memory.is_none() {
            small.memory = self.session.tenant.memory.hold(small::overhead(&small.path)).await;
        }
        let (path, deed) = (small.path.clone(), self.deed(transfer, root, &small.path, small.offer.size));
        let place = self.place_for_answer(SMALL_ANSWER + path.as_bytes().len()).await;
        self.session.tenant.publish_small(small).await?;
        let (tenant, out) = (Arc::clone(&self.session.tenant), self.out.clone());
        let finish = async move {
            let _place = place;
            let result = match result.await {
                Ok(Err(fault)) => Err(tenant.tell_existing(&path, fault).await),
                Ok(published) => published,
                Err(_) => Err(going_down()),
            };
            let answer = tell(transfer, root, deed, result);
            let _ = out.send(Box::new(Outgoing::Message(answer))).await;
        };
        self.limits.running.spawn(finish.instrument(span(transfer)));
        Ok(())
    }

    fn deed(&self, transfer: u64, root: Root, path: &RemotePath, size: u64) -> Deed {
        let mut deed = self.trail.begin("upload");
        (deed.entry.transfer, deed.entry.path) = (Some(transfer), Some(shown(path)));
        (deed.entry.bytes, deed.entry.root) = (Some(size), Some(shown_root(root)));
        deed
    }

    /// A client that takes no answers gets no more uploads published. `None`: never, the semaphore is not closed.
    async fn place_for_answer(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.answers).acquire_many_owned(bytes as u32).await.ok()
    }
}

/// The line of the audit comes before the acknowledgement.
fn tell(transfer: u64, root: Root, mut deed: Deed, result: Outcome) -> Lane {
    deed.entry.replaced = result.as_ref().ok().and_then(|published| published.replaced);
    tracing::debug!(path = deed.entry.path, "sealed");
    deed.end(&result);
    match result {
        Ok(_) => Lane::Stored { transfer, root },
        Err(fault) => Lane::Fault { transfer, fault },
    }
}
