//! One upload: what is known of it, from its first word to its publishing.

use std::fs::File;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio_util::task::task_tracker::TaskTrackerToken;
use wire::block::{self, Span};
use wire::frame::BlockHeader;
use wire::message::{Expect, Offer};
use wire::staging::{self, StagingError};
use wire::transfer::{Receiver, Violation};
use wire::{Code, Fault, RemotePath, Root};

use crate::faults::{bad_content, bad_transfer, lost_task};
use crate::publish::small::Small;
use crate::publish::{Growth, Ready, Reservation, publish};
use crate::tenant::{Claim, Tenant};
use crate::vault::{Home, Staged};

/// An upload under way.
pub(super) enum Upload {
    /// Of at most one block and eager: kept in memory until its seal.
    Small(SmallUpload),
    /// In a staging file.
    Staged(Box<StagedUpload>),
}

pub(super) struct SmallUpload {
    path: RemotePath,
    expect: Expect,
    offer: Offer,
    content: Option<Vec<u8>>,
    memory: Option<OwnedSemaphorePermit>,
}

pub(super) struct StagedUpload {
    path: RemotePath,
    expect: Expect,
    offer: Offer,
    pub(super) receiver: Receiver,
    staged: Arc<Staged>,
    basis: Option<File>,
    promised: Growth,
    reservation: Reservation,
    /// Shared with every disk task of the upload: nobody else may touch the staging file before the
    /// last of them is through, even when the lane is long gone.
    claim: Arc<Claim>,
    /// The way down waits for it.
    _running: TaskTrackerToken,
}

impl SmallUpload {
    pub(super) fn new(path: RemotePath, expect: Expect, offer: Offer) -> Self {
        Self { path, expect, offer, content: None, memory: None }
    }

    /// Takes its one block, proven.
    pub(super) fn take(
        &mut self,
        header: BlockHeader,
        bytes: &[u8],
        memory: Option<OwnedSemaphorePermit>,
    ) -> Result<(), Fault> {
        let span = Receiver::new(self.offer.size).expects(header.index, header.len);
        span.map_err(|violation| bad_transfer(&violation))?;
        if block::chaining_value(self.offer.size, header.index, bytes) != header.cv {
            return Err(Fault::new(Code::Damaged, "the block's bytes do not match their hash"));
        }
        self.content = Some(bytes.to_vec());
        self.memory = memory;
        Ok(())
    }

    /// The whole, proven, and where to wait for its publishing.
    pub(super) fn sealed(self, root: Root) -> Result<(Small, oneshot::Receiver<Result<(), Fault>>), Fault> {
        let Self { path, expect, offer, content, memory } = self;
        let content = content.unwrap_or_default();
        if content.len() as u64 != offer.size || *blake3::hash(&content).as_bytes() != root.0 {
            return Err(Fault::new(Code::Damaged, "the file's bytes do not match its hash"));
        }
        let (done, result) = oneshot::channel();
        Ok((Small { path, expect, offer, root, content, memory, done }, result))
    }
}

impl StagedUpload {
    /// Reserves, takes over the path, and looks at what is there of the file already. Resolves, with it,
    /// when a newer upload wants the path.
    pub(super) async fn begin(
        tenant: &Arc<Tenant>,
        path: RemotePath,
        offer: Offer,
        expect: Expect,
        running: TaskTrackerToken,
    ) -> Result<(Self, oneshot::Receiver<()>), Fault> {
        let target = path.clone();
        let replaced = match tenant.on_disk(move |home| home.target(&target, expect)).await {
            Err(fault) => return Err(tenant.tell_existing(&path, fault).await),
            Ok(replaced) => replaced,
        };
        let promised = Growth::of(offer.size, replaced);
        let reservation = Reservation::take(tenant, promised).await?;
        let (claim, revoked) = tenant.claim(&path).await;
        let claim = Arc::new(claim);
        tenant.make_room().await?;
        let record = match replaced {
            Some(stamp) => tenant.valid_record(&path, stamp).await?,
            None => None,
        };
        let (target, held) = (path.clone(), Arc::clone(&claim));
        let look = move |home: &Home| {
            let _held = held;
            let staged = home.stage(&target)?;
            let mut receiver = Receiver::new(offer.size);
            if offer.eager {
                staged.file.set_len(0)?;
                return Ok((receiver, staged, None));
            }
            let basis = replaced.and_then(|_| home.open_file(&target).ok()).map(|(file, _)| file);
            // With a record the old file need not be read to know its blocks: what is used of it is
            // proven again when it is copied.
            let read_basis = if record.is_some() { None } else { basis.as_ref() };
            staging::scan(&mut receiver, &staged.file, read_basis)?;
            for (index, cv) in record.iter().flat_map(|record| record.cvs.iter().enumerate()) {
                receiver.found_basis(index as u64, *cv);
            }
            Ok((receiver, staged, basis))
        };
        let (receiver, staged, basis) = tenant.on_disk(look).await?;
        let staged = Arc::new(staged);
        let upload =
            Self { path, expect, offer, receiver, staged, basis, promised, reservation, claim, _running: running };
        let noted = tenant.catalog.note_upload(tenant.id, &upload.path, offer.size, &upload.staged.name).await;
        if let Err(error) = noted {
            if upload.staged.file.metadata().is_ok_and(|found| found.len() == 0) {
                // An empty file is of no use to the next try; that it goes is not worth another fault.
                let _ = Box::new(upload).discard(tenant).await;
            }
            return Err(error.into());
        }
        Ok((upload, revoked))
    }

    /// The disk's part of taking a block, to be run on a blocking thread.
    pub(super) fn store(
        &self,
        header: BlockHeader,
    ) -> Result<impl FnOnce(&[u8]) -> Result<(), StagingError> + Send + use<>, Violation> {
        let span: Span = self.receiver.expects(header.index, header.len)?;
        let (staged, size, claim) = (Arc::clone(&self.staged), self.offer.size, Arc::clone(&self.claim));
        Ok(move |bytes: &[u8]| {
            let _held = claim;
            staging::store_block(&staged.file, size, span, header.cv, bytes)
        })
    }

    /// Proves the whole, copies what the sender let stand of the old file, and publishes.
    pub(super) async fn finish(self: Box<Self>, tenant: &Arc<Tenant>, root: Root) -> Result<(), Fault> {
        let StagedUpload { path, expect, offer, receiver, staged, basis, promised, reservation, claim, _running } =
            *self;
        let cvs = receiver.prove(root).map_err(|violation| bad_transfer(&violation))?;
        let file = Arc::clone(&staged);
        let assembled = tokio::task::spawn_blocking(move || {
            staging::assemble(&receiver, &file.file, basis.as_ref())?;
            // Only blocks within the size were kept, but an earlier try may have been longer.
            Ok(file.file.set_len(offer.size)?)
        });
        assembled.await.map_err(|error| lost_task(&error))?.map_err(bad_content)?;
        let cvs = if cvs.len() > 1 { cvs } else { Vec::new() };
        let ready = Ready { path: path.clone(), expect, offer, staged, root, cvs, promised };
        let result = publish(tenant, vec![ready], vec![reservation]).await.pop();
        let result = result.unwrap_or_else(|| Err(Fault::new(Code::Internal, "nothing was published")));
        if let Err(fault) = result {
            return Err(tenant.tell_existing(&path, fault).await);
        }
        drop(claim);
        Ok(())
    }

    /// Throws away what has arrived.
    pub(super) async fn discard(self: Box<Self>, tenant: &Tenant) -> Result<(), Fault> {
        let name = self.staged.name.clone();
        let claim = Arc::clone(&self.claim);
        let discarded = tenant.on_disk(move |home| {
            let _held = claim;
            home.discard(&name)
        });
        discarded.await?;
        Ok(tenant.catalog.ended_uploads(tenant.id, vec![self.staged.name.clone()]).await?)
    }
}
