//! One upload: what is known of it, from its first word to its publishing.

use std::fs::File;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_util::task::task_tracker::TaskTrackerToken;
use wire::block::{self, Span};
use wire::frame::BlockHeader;
use wire::message::{Expect, Offer};
use wire::staging::{self, Building, StagingError};
use wire::transfer::{HeldPage, Receiver, Violation};
use wire::{BLOCK, Code, Cv, Fault, RemotePath, Root};

use crate::budget::{Buffer, Held};
use crate::custody::note_damage;
use crate::faults::{bad_content, bad_transfer, lost_task};
use crate::publish::small::{self, Small};
use crate::publish::{Growth, Outcome, Ready, Reservation, Room, publish_one};
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
    memory: Option<Held>,
}

pub(super) struct StagedUpload {
    pub(super) path: RemotePath,
    expect: Expect,
    pub(super) offer: Offer,
    promised: Growth,
    /// Before the claim, so that whoever takes over the path finds the room free.
    reservation: Reservation,
    pub(super) writing: Arc<Writing>,
    /// The way down waits for it.
    _running: TaskTrackerToken,
}

/// A staging file that is being written. Owned by its upload, and shared with every disk task of it, on
/// whatever lane of the session: nobody else may touch the file before the last of them is through, even
/// when the upload is long over.
#[derive(Debug)]
pub(crate) struct Writing {
    building: Building,
    staged: Arc<Staged>,
    /// The file that is replaced.
    basis: Option<File>,
    /// On the disk, for what has not come yet.
    room: Room,
    _claim: Arc<Claim>,
}

/// An upload that has just begun.
pub(super) struct Begun {
    pub(super) upload: StagedUpload,
    /// Resolves when a newer upload wants the path.
    pub(super) revoked: oneshot::Receiver<()>,
}

impl Upload {
    /// Whether it is a small one whose bytes are there.
    pub(super) fn holds_memory(&self) -> bool {
        matches!(self, Upload::Small(small) if small.memory.is_some())
    }
}

impl SmallUpload {
    pub(super) fn new(path: RemotePath, expect: Expect, offer: Offer) -> Self {
        Self { path, expect, offer, content: None, memory: None }
    }

    /// Takes its one block, proven.
    pub(super) fn take(&mut self, header: BlockHeader, buffer: &mut Buffer) -> Result<(), Fault> {
        let span = Receiver::new(self.offer.size).expects(header.index, header.len);
        span.map_err(|violation| bad_transfer(&violation))?;
        if block::chaining_value(self.offer.size, header.index, &buffer.bytes) != header.cv {
            return Err(Fault::new(Code::Damaged, "the block's bytes do not match their hash"));
        }
        self.memory = buffer.split(header.len + small::overhead(&self.path));
        self.content = Some(buffer.bytes.to_vec());
        Ok(())
    }

    /// The whole, proven, and where to wait for its publishing.
    pub(super) fn sealed(self, root: Root) -> Result<(Small, oneshot::Receiver<Outcome>), Fault> {
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
    /// Reserves, takes over the path, and looks at what is there of the file already.
    pub(super) async fn begin(
        tenant: &Arc<Tenant>,
        path: RemotePath,
        offer: Offer,
        expect: Expect,
        running: TaskTrackerToken,
    ) -> Result<Begun, Fault> {
        let target = path.clone();
        let replaced = match tenant.on_disk(move |home| home.target(&target, expect)).await {
            Err(fault) => return Err(tenant.tell_existing(&path, fault).await),
            Ok(replaced) => replaced,
        };
        let promised = Growth::of(offer.size, replaced);
        let (reservation, claim, revoked) = match Reservation::take(tenant, promised).await {
            Ok(reservation) => {
                let (claim, revoked) = tenant.claim(&path).await;
                (reservation, claim, revoked)
            }
            // The room may be promised to an earlier upload of the same path, whose connection is dead.
            Err(fault) if tenant.is_claimed(&path) && matches!(fault.code, Code::Quota | Code::FileQuota) => {
                let (claim, revoked) = tenant.claim(&path).await;
                (Reservation::take(tenant, promised).await?, claim, revoked)
            }
            Err(fault) => return Err(fault),
        };
        let claim = Arc::new(claim);
        tenant.make_room().await?;
        let staged = path.clone();
        let there = tenant.on_disk(move |home| Ok((home.staged_bytes(&staged)?, home.space()?)));
        let (there, space) = there.await?;
        let room = Room::take(tenant, offer.size.saturating_sub(there), space)?;
        let record = match replaced {
            Some(stamp) => tenant.valid_record(&path, stamp).await?,
            None => None,
        };
        let is_read = replaced.is_some() && record.is_none() && !offer.eager;
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
        // What is there is read whole.
        let is_long = there > 0 || is_read;
        let looked = if is_long { tenant.long_on_disk(look).await?? } else { tenant.on_disk(look).await? };
        let (receiver, staged, basis) = looked;
        let (building, staged) = (Building::new(receiver), Arc::new(staged));
        let writing = Arc::new(Writing { building, staged, basis, room, _claim: claim });
        let upload = Self { path, expect, offer, writing, promised, reservation, _running: running };
        let staged = &upload.writing.staged;
        let noted = tenant.catalog.note_upload(tenant.id, &upload.path, offer.size, &staged.name).await;
        if let Err(error) = noted {
            if staged.file.metadata().is_ok_and(|found| found.len() == 0) {
                // An empty file is of no use to the next try; that it goes is not worth another fault.
                let _ = Box::new(upload).discard(tenant).await;
            }
            return Err(error.into());
        }
        Ok(Begun { upload, revoked })
    }

    /// Proves the whole, copies what the sender let stand of the old file, and publishes.
    pub(super) async fn finish(self: Box<Self>, tenant: &Arc<Tenant>, root: Root) -> Outcome {
        let StagedUpload { path, expect, offer, writing, promised, reservation, _running } = *self;
        let held = Arc::clone(&writing);
        // With nothing to copy it is soon over, and waits for nobody who reads.
        let assembled = match writing.basis {
            Some(_) => tenant.long_on_disk(move |_| held.assemble(root)).await?,
            None => tenant.step(move || held.assemble(root)).await.await.map_err(|error| lost_task(&error))?,
        };
        let (cvs, held) = match assembled {
            // What came was proven when it came: it is the old file that is not what it was taken for.
            Err(StagingError::Violation(Violation::Damaged { .. })) => {
                let damaged = note_damage(tenant, &path).await?;
                tracing::debug!(damaged, "blocks of a file that is replaced are not what they were");
                return Err(Fault::new(Code::Changed, "the file that is replaced is not what it was; it is read anew"));
            }
            assembled => assembled.map_err(bad_content)?,
        };
        tenant.commons.counters.held_up.add(held);
        let staged = Arc::clone(&writing.staged);
        let cvs = if cvs.len() > 1 { cvs } else { Vec::new() };
        let ready = Ready { path: path.clone(), expect, offer, staged, root, cvs, promised };
        let result = publish_one(tenant, ready, reservation).await;
        drop(writing);
        match result {
            Err(fault) => Err(tenant.tell_existing(&path, fault).await),
            published => published,
        }
    }

    /// Throws away what has arrived.
    pub(super) async fn discard(self: Box<Self>, tenant: &Tenant) -> Result<(), Fault> {
        let held = Arc::clone(&self.writing);
        tenant.on_disk(move |home| home.discard(&held.staged.name)).await?;
        Ok(tenant.catalog.ended_uploads(tenant.id, vec![self.writing.staged.name.clone()]).await?)
    }
}

impl Writing {
    /// A page of what is there already.
    pub(super) fn held_page(&self, page: u64) -> HeldPage {
        self.building.held_page(page)
    }

    /// The disk's part of taking a block, to be run on a blocking thread.
    pub(super) fn store(
        self: Arc<Self>,
        header: BlockHeader,
    ) -> Result<impl FnOnce(&[u8]) -> Result<(), StagingError> + Send + use<>, Violation> {
        let span: Span = self.building.expects(header.index, header.len)?;
        Ok(move |bytes: &[u8]| {
            self.building.store(&self.staged.file, span, header.cv, bytes)?;
            self.room.filled(bytes.len() as u64);
            Ok(())
        })
    }

    /// Copies some of what the sender has let stand before block `index`. What fails now fails at the end, too, and
    /// is told then. Blocks.
    pub(super) fn copy_passed(&self, index: u64) {
        if let Some(basis) = &self.basis {
            let _ = self.building.copy_passed(&self.staged.file, basis, index);
        }
    }

    /// Takes no more blocks, proves the whole, and puts in what the sender let stand of the old file; the values, and how
    /// many blocks did not travel. Blocks.
    fn assemble(&self, root: Root) -> Result<(Vec<Cv>, u64), StagingError> {
        let receiver = self.building.seal()?;
        let cvs = receiver.prove(root)?;
        staging::assemble(&receiver, &self.staged.file, self.basis.as_ref())?;
        let held = receiver.final_tally().held / BLOCK as u64;
        Ok((cvs, held))
    }
}
