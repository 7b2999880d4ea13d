//! The publish order, in one place: content synced → ledger says *publishing* → renamed into place →
//! directory synced → one transaction settles record and ledger → acknowledged. Small files go through
//! it in groups that share the syncs and the transactions: [`small`].

mod promise;
mod room;
pub mod small;

use std::sync::Arc;
use std::time::Instant;

use wire::message::{Expect, Offer};
use wire::{Code, Cv, Fault, RemotePath, Root};

use crate::catalog::{IntentId, PublishIntent, Record, Settled, Stamp as RecordStamp};
use crate::tenant::Tenant;
use crate::vault::{Staged, Stamp, VaultError};

pub use promise::{Growth, Reservation};
pub(crate) use room::Disks;
pub use room::Room;

/// A proven file in staging, about to get its name.
#[derive(Debug)]
pub struct Ready {
    /// Its target.
    pub path: RemotePath,
    /// What may stand there.
    pub expect: Expect,
    /// Size, time and mode.
    pub offer: Offer,
    /// Its content.
    pub staged: Arc<Staged>,
    /// Its hash.
    pub root: Root,
    /// The values of its blocks; none for a file of at most one block.
    pub cvs: Vec<Cv>,
    /// What was promised to it.
    pub promised: Growth,
}

/// A file that has its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Bytes of the file that it replaced.
    pub replaced: Option<u64>,
}

/// What became of a file.
pub type Outcome = Result<Published, Fault>;

/// Publishes one proven file.
pub async fn publish_one(tenant: &Arc<Tenant>, ready: Ready, reservation: Reservation) -> Outcome {
    let published = publish(tenant, vec![ready], vec![reservation]).await.pop();
    published.unwrap_or_else(|| Err(Fault::new(Code::Internal, "nothing was published")))
}

/// Publishes proven files, each with its own result; no two have the same path. The reservations cover
/// what was promised to them and end here. The order of the steps is the promise.
async fn publish(tenant: &Arc<Tenant>, batch: Vec<Ready>, reservations: Vec<Reservation>) -> Vec<Outcome> {
    let synced = sync(tenant, batch).await;
    name(tenant, synced, reservations).await
}

/// Files whose content is on the disk, and what became of the others so far.
struct Synced {
    going: Vec<Going>,
    results: Vec<Outcome>,
}

/// The first half, which needs no turn: the contents are on the disk.
async fn sync(tenant: &Tenant, batch: Vec<Ready>) -> Synced {
    let mut results: Vec<Outcome> = batch.iter().map(|_| Ok(Published::default())).collect();
    let going: Vec<Going> = batch.into_iter().enumerate().map(|(place, ready)| Going::new(place, ready)).collect();
    let names: Vec<String> = going.iter().map(|item| item.ready.staged.name.clone()).collect();
    let going = sync_contents(tenant, going, &mut results).await;
    forsake(tenant, names, &results).await;
    Synced { going, results }
}

/// The second half, one after another: names, records and ledger.
async fn name(tenant: &Arc<Tenant>, synced: Synced, mut reservations: Vec<Reservation>) -> Vec<Outcome> {
    let Synced { mut going, mut results } = synced;
    let directories = {
        let changing = match tenant.changing().await {
            Ok(changing) => changing,
            Err(fault) => {
                going.iter().for_each(|item| fail(&mut results, item.place, fault.clone()));
                return results;
            }
        };
        going = reserve_again(tenant, going, &mut reservations, &mut results).await;
        going = note_intents(tenant, going, &mut results).await;
        going = give_names(tenant, going, &mut results).await;
        settle(tenant, &going, &reservations, &mut results).await;
        if results.iter().all(Result::is_ok) {
            changing.settled();
        }
        going.iter().for_each(|item| tell_replaced(&mut results, item));
        going.iter().map(|item| item.ready.path.parent()).collect()
    };
    let published = results.iter().filter(|result| result.is_ok()).count();
    tenant.commons.counters.published.add(published as u64);
    drop((going, reservations));
    tenant.announce(directories).await;
    results
}

/// A file on its way through the steps.
struct Going {
    place: usize,
    ready: Ready,
    inode: u64,
    intent: Option<IntentId>,
    replaced: Option<Stamp>,
}

impl Going {
    fn new(place: usize, ready: Ready) -> Self {
        Self { place, ready, inode: 0, intent: None, replaced: None }
    }
}

fn fail(results: &mut [Outcome], place: usize, fault: Fault) {
    if let Some(result) = results.get_mut(place) {
        *result = Err(fault);
    }
}

fn tell_replaced(results: &mut [Outcome], item: &Going) {
    if let Some(Ok(published)) = results.get_mut(item.place) {
        published.replaced = item.replaced.map(|old| old.size);
    }
}

async fn sync_contents(tenant: &Tenant, going: Vec<Going>, results: &mut [Outcome]) -> Vec<Going> {
    let places: Vec<usize> = going.iter().map(|item| item.place).collect();
    let start = Instant::now();
    let done = tenant
        .on_disk(move |home| {
            let (mut dressed, mut failed) = (Vec::with_capacity(going.len()), Vec::new());
            for mut item in going {
                match home.dress(&item.ready.staged, &item.ready.offer) {
                    Ok(inode) => {
                        item.inode = inode;
                        dressed.push(item);
                    }
                    Err(error) => failed.push((item.place, error)),
                }
            }
            let files: Vec<&Staged> = dressed.iter().map(|item| item.ready.staged.as_ref()).collect();
            let synced = home.sync(&files)?;
            let mut kept = Vec::with_capacity(dressed.len());
            for (item, synced) in dressed.into_iter().zip(synced) {
                match synced {
                    Ok(()) => kept.push(item),
                    Err(error) => failed.push((item.place, error)),
                }
            }
            Ok((kept, failed))
        })
        .await;
    tenant.commons.counters.syncs.since(start);
    match done {
        Ok((kept, failed)) => {
            failed.into_iter().for_each(|(place, error)| fail(results, place, error.into()));
            kept
        }
        Err(fault) => {
            places.into_iter().for_each(|place| fail(results, place, fault.clone()));
            Vec::new()
        }
    }
}

/// Throws away what could not be made to last: see [`crate::vault::Home::sync`].
async fn forsake(tenant: &Tenant, names: Vec<String>, results: &[Outcome]) {
    let failed: Vec<String> =
        names.into_iter().zip(results).filter(|(_, result)| result.is_err()).map(|(name, _)| name).collect();
    if failed.is_empty() {
        return;
    }
    let gone = failed.clone();
    let discarded = tenant.on_disk(move |home| gone.iter().try_for_each(|name| home.discard(name))).await;
    if let Err(fault) = discarded {
        tracing::error!(%fault, "content that could not be synced stays in staging");
    }
    if let Err(error) = tenant.catalog.ended_uploads(tenant.id, failed).await {
        tracing::warn!(%error, "an upload that was thrown away is still listed");
    }
}

/// Looks again at what will be replaced: the promise was made for what stood there then.
async fn reserve_again(
    tenant: &Arc<Tenant>,
    going: Vec<Going>,
    reservations: &mut Vec<Reservation>,
    results: &mut [Outcome],
) -> Vec<Going> {
    let places: Vec<usize> = going.iter().map(|item| item.place).collect();
    let looked = tenant.on_disk(move |home| {
        let mut near = home.near();
        let look = |item: Going| {
            let target = near.target(&item.ready.path, item.ready.expect);
            (item, target)
        };
        Ok(going.into_iter().map(look).collect::<Vec<_>>())
    });
    let looked = match looked.await {
        Ok(looked) => looked,
        Err(fault) => {
            places.into_iter().for_each(|place| fail(results, place, fault.clone()));
            return Vec::new();
        }
    };
    let mut kept = Vec::with_capacity(looked.len());
    for (mut item, target) in looked {
        match more_than_promised(tenant, &item.ready, target).await {
            Ok((replaced, more)) => {
                item.replaced = replaced;
                reservations.extend(more);
                kept.push(item);
            }
            Err(fault) => fail(results, item.place, fault),
        }
    }
    kept
}

async fn more_than_promised(
    tenant: &Arc<Tenant>,
    ready: &Ready,
    target: Result<Option<Stamp>, VaultError>,
) -> Result<(Option<Stamp>, Option<Reservation>), Fault> {
    let replaced = target?;
    let more = Growth::of(ready.offer.size, replaced).beyond(ready.promised);
    if more == Growth::default() {
        return Ok((replaced, None));
    }
    Ok((replaced, Some(Reservation::take(tenant, more).await?)))
}

async fn note_intents(tenant: &Tenant, going: Vec<Going>, results: &mut [Outcome]) -> Vec<Going> {
    let intents = going
        .iter()
        .map(|item| PublishIntent {
            user: tenant.id,
            path: item.ready.path.clone(),
            staging: item.ready.staged.name.clone(),
            record: Record {
                stamp: RecordStamp {
                    size: item.ready.offer.size,
                    mtime: item.ready.offer.mtime,
                    inode: item.inode,
                    root: item.ready.root,
                },
                cvs: item.ready.cvs.clone(),
            },
        })
        .collect();
    let noted = tenant.catalog.begin_publish(intents).await;
    let mut kept = Vec::with_capacity(going.len());
    for (mut item, intent) in going.into_iter().zip(noted) {
        match intent {
            Ok(intent) => {
                item.intent = Some(intent);
                kept.push(item);
            }
            Err(error) => fail(results, item.place, error.into()),
        }
    }
    kept
}

async fn give_names(tenant: &Tenant, going: Vec<Going>, results: &mut [Outcome]) -> Vec<Going> {
    let places: Vec<usize> = going.iter().map(|item| item.place).collect();
    let done = tenant
        .on_disk(move |home| {
            let (mut named, mut failed) = (Vec::with_capacity(going.len()), Vec::new());
            let mut near = home.near();
            for item in going {
                match near.publish(&item.ready.staged.name, &item.ready.path, item.ready.expect) {
                    Ok(()) => named.push(item),
                    Err(error) => failed.push((item.place, item.intent, error)),
                }
            }
            let paths: Vec<&RemotePath> = named.iter().map(|item| &item.ready.path).collect();
            let synced = home.sync_parents(&paths);
            Ok((named, failed, synced))
        })
        .await;
    let (named, failed, synced) = match done {
        Ok(parts) => parts,
        Err(fault) => {
            // The intents stay: the next change, or start, looks at the disk and settles them.
            places.into_iter().for_each(|place| fail(results, place, fault.clone()));
            return Vec::new();
        }
    };
    for (place, intent, error) in failed {
        if let Some(intent) = intent {
            tenant.catalog.abandon_publish(intent).await.unwrap_or_else(|error| {
                tracing::error!(%error, "an intent could not be withdrawn; the next change will");
            });
        }
        fail(results, place, error.into());
    }
    for (directory, synced) in synced {
        let Err(error) = synced else { continue };
        let fault = Fault::from(error);
        let within = named.iter().filter(|item| item.ready.path.parent() == directory);
        within.for_each(|item| fail(results, item.place, fault.clone()));
    }
    named
}

async fn settle(tenant: &Tenant, going: &[Going], reservations: &[Reservation], results: &mut [Outcome]) {
    let settled = going
        .iter()
        .filter_map(|item| Some(Settled { intent: item.intent?, replaced: item.replaced.map(|old| old.size) }))
        .collect();
    let ended = reservations.iter().map(|reservation| reservation.id).collect();
    for (item, settled) in going.iter().zip(tenant.catalog.settle_publish(settled, ended).await) {
        if let Err(error) = settled {
            fail(results, item.place, error.into());
        }
    }
}
