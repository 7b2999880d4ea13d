//! Files of at most one block: kept in memory until they are proven, then published in groups. Whatever
//! came while the group before was synced is the next group, and one is synced while another gets its names.

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use tokio::sync::{mpsc, oneshot};
use wire::message::{Expect, Offer};
use wire::{Fault, RemotePath, Root};

use super::{Growth, Outcome, Ready, Reservation, Room, Synced, name, sync};
use crate::budget::Held;
use crate::tenant::Tenant;
use crate::vault::VaultError;

/// A proven file of at most one block, still in memory.
#[derive(Debug)]
pub struct Small {
    /// Its target.
    pub path: RemotePath,
    /// What may stand there.
    pub expect: Expect,
    /// Size, time and mode.
    pub offer: Offer,
    /// Its hash.
    pub root: Root,
    /// Its bytes.
    pub content: Vec<u8>,
    /// Its share of the memory for what travels: of the bytes until they are staged, of the rest until it is published.
    pub memory: Option<Held>,
    /// Where the result goes.
    pub done: Done,
}

/// Where the result of a small file goes.
pub type Done = oneshot::Sender<Outcome>;

/// Publishes small files in groups for as long as the tenant lives, in the order they came.
pub async fn groups(tenant: Weak<Tenant>, mut waiting: mpsc::Receiver<Small>) {
    let (to, synced) = mpsc::channel(1);
    tokio::spawn(give_names(synced));
    let (mut group, mut number) = (Vec::new(), 0u64);
    while waiting.recv_many(&mut group, GROUP).await > 0 {
        let Some(tenant) = tenant.upgrade() else { return };
        while !group.is_empty() {
            number += 1;
            // Two of the same path go one after the other.
            let mut paths = HashSet::new();
            let (now, later) = group.drain(..).partition(|small| paths.insert(small.path.clone()));
            group = later;
            // An error, never: the other task lives as long as this one.
            if let Some(group) = bring_to_disk(&tenant, now, number).await
                && to.send(group).await.is_err()
            {
                return;
            }
        }
    }
}

/// A group whose contents are on the disk.
struct OnDisk {
    tenant: Arc<Tenant>,
    synced: Synced,
    reservations: Vec<Reservation>,
    names: Vec<String>,
    answers: Vec<Waiting>,
    refused: Vec<(Done, VaultError)>,
}

/// A task that is lost on the way drops the files in it, and with them the way to answer: their lanes
/// then tell the clients to try again.
async fn bring_to_disk(tenant: &Arc<Tenant>, group: Vec<Small>, number: u64) -> Option<OnDisk> {
    if let Err(fault) = tenant.make_room().await {
        tracing::warn!(%fault, "unfinished uploads could not be looked at");
    }
    let (promised, reservations, rooms) = promise(tenant, group).await.ok()?;
    let (ready, answers, refused) = stage(tenant, promised, number).await.ok()?;
    // What they need is on the disk now.
    drop(rooms);
    let names = ready.iter().map(|ready| ready.staged.name.clone()).collect();
    let synced = sync(tenant, ready).await;
    Some(OnDisk { tenant: Arc::clone(tenant), synced, reservations, names, answers, refused })
}

async fn give_names(mut groups: mpsc::Receiver<OnDisk>) {
    while let Some(OnDisk { tenant, synced, reservations, names, answers, refused }) = groups.recv().await {
        let results = name(&tenant, synced, reservations).await;
        discard_failed(&tenant, &names, &results).await;
        // Not before their promise has ended with that of the others.
        refused.into_iter().for_each(|(done, error)| answer(done, Err(error.into())));
        answers.into_iter().zip(results).for_each(|((done, _), result)| answer(done, result));
    }
}

/// Files, and what was promised to them: of the quota, and of the disk.
type Promised = (Vec<(Small, Growth)>, Vec<Reservation>, Vec<Room>);

/// Looks at what each file would replace, and reserves what they need beyond that: for all in one step,
/// or, when that does not fit, for each as far as it goes.
async fn promise(tenant: &Arc<Tenant>, group: Vec<Small>) -> Result<Promised, Fault> {
    let looked = tenant.on_disk(move |home| {
        let mut near = home.near();
        let look = |small: Small| {
            let target = near.target(&small.path, small.expect);
            (small, target)
        };
        Ok((group.into_iter().map(look).collect::<Vec<_>>(), home.space()?))
    });
    let (looked, space) = looked.await?;
    let (mut wanted, mut rooms) = (Vec::new(), Vec::new());
    for (small, target) in looked {
        let room = match target {
            Ok(replaced) => Room::take(tenant, small.offer.size, space).map(|room| (room, replaced)),
            Err(error) => Err(error.into()),
        };
        match room {
            Ok((room, replaced)) => {
                rooms.push(room);
                wanted.push((Growth::of(small.offer.size, replaced), small));
            }
            Err(fault) => answer(small.done, Err(fault)),
        }
    }
    let all = wanted.iter().map(|(growth, _)| *growth).sum();
    if let Ok(reservation) = Reservation::take(tenant, all).await {
        return Ok((wanted.into_iter().map(|(growth, small)| (small, growth)).collect(), vec![reservation], rooms));
    }
    let (mut promised, mut reservations) = (Vec::new(), Vec::new());
    for (growth, small) in wanted {
        match Reservation::take(tenant, growth).await {
            Ok(reservation) => {
                reservations.push(reservation);
                promised.push((small, growth));
            }
            Err(fault) => answer(small.done, Err(fault)),
        }
    }
    Ok((promised, reservations, rooms))
}

/// Files in staging, where each one's result goes, and those that the disk did not take.
type StagedGroup = (Vec<Ready>, Vec<Waiting>, Vec<(Done, VaultError)>);

/// Where the result of a file goes, and the memory that it still takes.
type Waiting = (Done, Option<Held>);

/// Writes the files into staging.
async fn stage(tenant: &Tenant, promised: Vec<(Small, Growth)>, number: u64) -> Result<StagedGroup, Fault> {
    let written = tenant.on_disk(move |home| {
        let (mut ready, mut answers) = (Vec::with_capacity(promised.len()), Vec::with_capacity(promised.len()));
        let mut refused = Vec::new();
        for (place, (small, promised)) in promised.into_iter().enumerate() {
            let Small { path, expect, offer, root, content, mut memory, done } = small;
            let staged = home.stage_whole(format!("{SMALL_PREFIX}{number}-{place}"), &content);
            drop(content);
            memory.iter_mut().for_each(|memory| memory.keep(overhead(&path)));
            match staged {
                Ok(staged) => {
                    let staged = Arc::new(staged);
                    ready.push(Ready { path, expect, offer, staged, root, cvs: Vec::new(), promised });
                    answers.push((done, memory));
                }
                Err(error) => refused.push((done, error)),
            }
        }
        Ok((ready, answers, refused))
    });
    written.await
}

/// A small file that was refused its name is not kept: sending it again costs as little as resuming.
async fn discard_failed(tenant: &Tenant, names: &[String], results: &[Outcome]) {
    let failed: Vec<String> =
        names.iter().zip(results).filter(|(_, result)| result.is_err()).map(|(name, _)| name.clone()).collect();
    if failed.is_empty() {
        return;
    }
    let discarded = tenant.on_disk(move |home| failed.iter().try_for_each(|name| home.discard(name))).await;
    if let Err(fault) = discarded {
        tracing::warn!(%fault, "a refused file stays in staging until the next start");
    }
}

fn answer(done: Done, result: Outcome) {
    // A lane that is gone needs no answer.
    let _ = done.send(result);
}

/// What a small file takes beside its content until it has its name, in bytes.
pub(crate) fn overhead(path: &RemotePath) -> usize {
    NAMED * path.as_bytes().len() + ENTRY
}

/// Copies of a path while its file gets its name: in the group, the intent, the record, the news.
const NAMED: usize = 8;
/// Of a file beside that.
const ENTRY: usize = 1 << 10;
/// How staging files of small files begin: no hash of a path does.
pub const SMALL_PREFIX: &str = "g";
/// The most small files in one group.
pub const GROUP: usize = 1024;
