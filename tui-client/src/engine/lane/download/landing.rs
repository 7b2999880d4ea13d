//! The disk's part of downloads: what is here already, and how what came gets its name. Blocks.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wire::block;
use wire::fault::Detail;
use wire::message::Offer;
use wire::staging::{self, Building, StagingError};
use wire::transfer::{Receiver, Tally, Violation};
use wire::{Code, Cv, Fault, Root};

use super::super::super::buffer::Buffer;
use super::super::super::item::Finish;
use super::super::super::local;
use super::super::super::local::part::{Landing, Replace, Standing, Written};
use super::super::super::policy::{Decision, decide, numbered};
use super::super::super::queue::Work;
use super::super::super::spread::{Part, Way};
use super::super::super::status::{Job, Side};
use super::{Assembly, Body, fits_memory};

/// What is to be done with a file after a look at the disk.
pub(super) enum Prepared {
    Fetch {
        landing: Landing,
        replace: Replace,
        body: Body,
    },
    Finished(Finish),
    Ask(Side),
    /// Its part file is gone, as asked.
    Discarded,
}

/// A small file in memory.
#[derive(Debug)]
pub(super) struct Small {
    pub(super) transfer: u64,
    pub(super) work: Work,
    pub(super) landing: Landing,
    pub(super) replace: Replace,
    pub(super) offer: Offer,
    pub(super) root: Root,
    pub(super) content: Option<(Cv, Buffer)>,
}

/// A file whose blocks are all in its part file, or in the file it replaces.
pub(super) struct Whole {
    pub(super) landing: Landing,
    pub(super) replace: Replace,
    pub(super) offer: Offer,
    pub(super) root: Root,
    pub(super) part: Arc<Part>,
    pub(super) basis: Option<File>,
}

/// Looks at the disk for each. Neighbours share the directory that was entered last.
pub(super) fn prepare(works: Vec<Work>) -> Vec<(Work, Result<Prepared, Fault>)> {
    let mut last: Option<(PathBuf, Arc<OwnedFd>)> = None;
    works
        .into_iter()
        .map(|mut work| {
            let prepared = look(&mut work, &mut last);
            (work, prepared)
        })
        .collect()
}

fn look(work: &mut Work, last: &mut Option<(PathBuf, Arc<OwnedFd>)>) -> Result<Prepared, Fault> {
    let Job::Down { target, .. } = &work.file.job else {
        return Err(Fault::new(Code::Internal, "an upload among the downloads"));
    };
    let own = Landing::new(enter(target, work.file.depth, last)?, target)?;
    if work.file.discard {
        numbered_landing(&own, work.file.renames).discard();
        return Ok(Prepared::Discarded);
    }
    loop {
        let landing = numbered_landing(&own, work.file.renames);
        let there = match landing.standing()? {
            Standing::Nothing => return fetch(work, landing, Replace::Nothing, None, &[]),
            Standing::File(there) if work.file.renames > 0 => {
                let (source, old) = (work.file.source, landing.open_old());
                if there.size == source.size && is_identical(&landing, &source, old.as_ref(), &mut Vec::new())? {
                    return already_there(&landing, old.as_ref(), &source);
                }
                work.file.renames += 1;
                continue;
            }
            Standing::Directory if work.file.renames > 0 => {
                work.file.renames += 1;
                continue;
            }
            Standing::Directory => {
                return Err(Fault::new(Code::IsDirectory, format!("{} is a directory", local::shown(target))));
            }
            Standing::File(there) => there,
        };
        let old = landing.open_old();
        if let Some(seen) = work.file.replaces.take() {
            let is_seen = (seen.size, seen.mtime) == (there.size, there.mtime);
            let fetched = || fetch(work, landing.clone(), Replace::Anything, old, &[]);
            return if is_seen { fetched() } else { Ok(Prepared::Ask(there)) };
        }
        let source = work.file.source;
        let mut known = Vec::new();
        let identical = || is_identical(&landing, &source, old.as_ref(), &mut known);
        let decision = decide(work.policy, &source, &there, identical)?;
        return match decision {
            Decision::Write(_) => fetch(work, landing, Replace::Anything, old, &known),
            Decision::Skip { same } => {
                Ok(Prepared::Finished(Finish::Skipped { held: if same { source.size } else { 0 } }))
            }
            Decision::Ask => Ok(Prepared::Ask(there)),
            Decision::Identical => already_there(&landing, old.as_ref(), &source),
            Decision::Rename => {
                work.file.renames = 1;
                continue;
            }
        };
    }
}

fn enter(target: &Path, depth: usize, last: &mut Option<(PathBuf, Arc<OwnedFd>)>) -> Result<Arc<OwnedFd>, Fault> {
    let parent = target.parent().unwrap_or(Path::new(""));
    if let Some((path, dir)) = last
        && path == parent
    {
        return Ok(dir.clone());
    }
    let dir = Arc::new(local::enter(target, depth)?);
    *last = Some((parent.to_owned(), dir.clone()));
    Ok(dir)
}

fn already_there(landing: &Landing, old: Option<&File>, source: &Side) -> Result<Prepared, Fault> {
    // It may have been written just now by somebody who did not sync it.
    old.map_or(Ok(()), File::sync_all).map_err(|error| landing.io(&error))?;
    let root = source.root.unwrap_or(Root([0; 32]));
    Ok(Prepared::Finished(Finish::Done { root, tally: Tally { sent: 0, held: source.size } }))
}

fn numbered_landing(own: &Landing, renames: u32) -> Landing {
    if renames == 0 { own.clone() } else { own.renamed(numbered(own.name(), renames)) }
}

/// Only where the server knows the hash, and the target is a plain file. The values of its blocks are `known`
/// then.
fn is_identical(landing: &Landing, source: &Side, old: Option<&File>, known: &mut Vec<Cv>) -> Result<bool, Fault> {
    let (Some(root), Some(old)) = (source.root, old) else { return Ok(false) };
    *known = local::values(old, source.size).map_err(|error| landing.io(&error))?;
    Ok(block::fold(known) == root)
}

/// `basis` is what stands at the target, with the values of its blocks where they are `known`: it is not read
/// again to find them, but what is used of it is proven again when it is copied.
fn fetch(
    work: &Work,
    landing: Landing,
    replace: Replace,
    basis: Option<File>,
    known: &[Cv],
) -> Result<Prepared, Fault> {
    let size = work.file.source.size;
    if fits_memory(size) && basis.is_none() && !landing.has_part() {
        return Ok(Prepared::Fetch { landing, replace, body: Body::Memory(None) });
    }
    let part = landing.open_part()?;
    let mut receiver = Receiver::new(size);
    let unread = basis.as_ref().filter(|_| known.is_empty());
    staging::scan(&mut receiver, &part, unread).map_err(|error| landing.io(&error))?;
    (0..).zip(known).for_each(|(index, cv)| receiver.found_basis(index, *cv));
    let mut held: Vec<_> = receiver.held_pages().collect();
    if held.iter().all(|(_, cvs, _)| cvs.iter().all(Option::is_none)) {
        // The server need not wait to hear so.
        held.clear();
    }
    let part = Arc::new(Part { file: part, building: Building::new(receiver) });
    let assembly = Assembly { part, basis, held, way: Way::default(), storing: None };
    Ok(Prepared::Fetch { landing, replace, body: Body::Part(Box::new(assembly)) })
}

/// Proves, syncs and names a large file.
pub(super) fn land_large(whole: Whole) -> Result<Finish, Fault> {
    let Whole { landing, replace, offer, root, part, basis } = whole;
    let told = |error| staging_fault(&landing, error);
    let receiver = part.building.seal().map_err(|violation| told(violation.into()))?;
    let file = &part.file;
    // What came was proven when it came: here it is the old file that is not what it was taken for.
    staging::assemble(&receiver, file, basis.as_ref()).map_err(|error| match error {
        StagingError::Io(error) => landing.io(&error),
        StagingError::Violation(_) => Fault::new(Code::Changed, "the file that is replaced changed while it was read"),
    })?;
    receiver.prove(root).map_err(|violation| told(violation.into()))?;
    landing.dress(file, &offer)?;
    file.sync_all().map_err(|error| landing.io(&error))?;
    published(&landing, landing.publish(replace))?;
    landing.sync_dir()?;
    Ok(Finish::Done { root, tally: receiver.final_tally() })
}

/// Proves, writes, syncs and names small files; many are synced by one call.
pub(super) fn land_small(arrived: Vec<Small>) -> Vec<(u64, Work, Result<Finish, Fault>)> {
    let mut parts: Vec<(Small, Result<Written, Fault>)> = arrived
        .into_iter()
        .map(|small| {
            let written = write(&small);
            (small, written)
        })
        .collect();
    sync_files(&mut parts);
    for (small, written) in &mut parts {
        let named = written.as_ref().map_err(Clone::clone);
        let named = named.and_then(|file| published(&small.landing, small.landing.publish_small(file, small.replace)));
        if let Err(fault) = named {
            *written = Err(fault);
        }
    }
    // Once more, for a file that had no name has changed with it.
    sync_files(&mut parts);
    if parts.len() <= FEW {
        sync_names(&mut parts);
    }
    parts
        .into_iter()
        .map(|(small, written)| {
            let tally = Tally { sent: small.offer.size, held: 0 };
            (small.transfer, small.work, written.map(|_| Finish::Done { root: small.root, tally }))
        })
        .collect()
}

fn write(small: &Small) -> Result<Written, Fault> {
    let bytes = small.content.as_ref().map(|(_, buffer)| &*buffer.bytes).unwrap_or_default();
    let own = block::chaining_value(small.offer.size, 0, bytes);
    let announced = small.content.as_ref().map_or(Cv(small.root.0), |(cv, _)| *cv);
    if bytes.len() as u64 != small.offer.size || own != announced || Root(own.0) != small.root {
        return Err(damaged(0));
    }
    small.landing.write_small(bytes, &small.offer, small.replace)
}

/// A few one by one, many by one call for each file system, which takes their names along.
fn sync_files(parts: &mut [(Small, Result<Written, Fault>)]) {
    let few = parts.len() <= FEW;
    let mut synced = BTreeMap::new();
    for (small, written) in parts {
        let Ok(Written { file, .. }) = written else { continue };
        let done = match file.metadata() {
            Ok(_) if few => file.sync_all().map_err(|error| small.landing.io(&error)),
            Ok(metadata) => synced.entry(metadata.dev()).or_insert_with(|| small.landing.sync_all()).clone(),
            Err(error) => Err(small.landing.io(&error)),
        };
        if let Err(fault) = done {
            *written = Err(fault);
        }
    }
}

fn sync_names(parts: &mut [(Small, Result<Written, Fault>)]) {
    let mut synced: Option<(Landing, Result<(), Fault>)> = None;
    for (small, written) in parts.iter_mut().filter(|(_, written)| written.is_ok()) {
        let done = match &synced {
            Some((landing, done)) if landing.shares_dir(&small.landing) => done.clone(),
            _ => small.landing.sync_dir(),
        };
        if let Err(fault) = &done {
            *written = Err(fault.clone());
        }
        synced = Some((small.landing.clone(), done));
    }
}

/// What became of giving a file its name. Something that stands there by now is looked at again.
fn published(landing: &Landing, result: Result<(), Fault>) -> Result<(), Fault> {
    result.map_err(|fault| match landing.standing() {
        Ok(Standing::File(Side { size, mtime, root })) if fault.code == Code::Exists => {
            fault.with(Detail::Existing { size, mtime, root })
        }
        _ => fault,
    })
}

/// What a failure to store or to prove means to the queue.
pub(super) fn staging_fault(landing: &Landing, error: StagingError) -> Fault {
    match error {
        StagingError::Io(error) => landing.io(&error),
        StagingError::Violation(Violation::Damaged { index }) => damaged(index),
        StagingError::Violation(violation) => Fault::new(Code::Damaged, violation.to_string()),
    }
}

/// The server vouches for what was stored there, and TLS for the way: its disk has other bytes by now.
fn damaged(index: u64) -> Fault {
    let what = format!("the server's copy is damaged (block {index} is not what was stored) and was not saved");
    Fault::new(Code::Damaged, format!("{what}; store a good copy in its place, or tell whoever runs the server"))
}

/// Up to this many files, a sync of each is less than a sync of everything.
const FEW: usize = 4;
