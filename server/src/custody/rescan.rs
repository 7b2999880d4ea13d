//! Takes up a home as it lies on the disk: files that were put there or changed past the server get a record, records
//! of what is gone are forgotten, and the ledger is counted anew. Reading goes on beside all else; names stand still
//! only while a record is kept and while all is counted.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use wire::block::{self, BLOCK};
use wire::message::Kind;
use wire::{Cv, Fault, RemotePath, Root};

use super::reader::{Cut, Reader};
use super::{is_alike, open, report};
use crate::catalog::{Place, Record, RecordKey, Rescanned, Round, Scope, Stamp as RecordStamp, What};
use crate::faults::going_down;
use crate::tenant::{Tenant, is_of};
use crate::vault::{Depth, Home, Node, Page, VaultError};

/// How it is read, and what ends it.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Bytes a second; `None`: as fast as it goes.
    pub rate: Option<u64>,
    /// Ends it. What was taken up by then stays so.
    pub stop: CancellationToken,
}

/// Makes records and ledger of one account say what its home holds.
pub async fn rescan(tenant: &Arc<Tenant>, reading: &Reading) -> Result<Rescanned, Fault> {
    let (used, files, _) = tenant.catalog.ledger(tenant.id).await?;
    let mut done = Rescanned { before: (used, files), ..Rescanned::default() };
    forget_what_is_gone(tenant, &mut done).await?;
    take_up(tenant, reading, &mut done).await?;
    {
        let changing = tenant.changing().await?;
        tenant.recount().await?;
        changing.settled();
    }
    let (used, files, _) = tenant.catalog.ledger(tenant.id).await?;
    done.after = (used, files);
    tenant.announce(vec![RemotePath::home()]).await;
    tracing::info!(user = %tenant.name, ?done, "home taken up as it lies on the disk");
    Ok(done)
}

/// Of the home and of the trash.
async fn forget_what_is_gone(tenant: &Tenant, done: &mut Rescanned) -> Result<(), Fault> {
    let mut round = Round::first(Scope::One(tenant.id));
    loop {
        let page = tenant.catalog.recorded(&round, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        round.at = last.key.clone();
        // What is being moved has its old record or its new one while names stand still.
        let changing = tenant.changing().await?;
        let gone = tenant.on_disk(move |home| {
            let is_gone = |place: &Place| {
                let opened = open(home, place);
                matches!(opened, Err(VaultError::NotFound | VaultError::NotDirectory | VaultError::IsDirectory))
            };
            Ok(page.into_iter().filter(|known| is_gone(&known.place)).map(|known| known.key).collect::<Vec<_>>())
        });
        let gone = gone.await?;
        if !gone.is_empty() {
            done.dropped += tenant.catalog.forget_records(gone).await?;
        }
        changing.settled();
    }
}

/// Goes through the home and reads what has no true record.
async fn take_up(tenant: &Arc<Tenant>, reading: &Reading, done: &mut Rescanned) -> Result<(), Fault> {
    let mut all = tenant.on_disk(|home| home.listing(&RemotePath::home(), Depth::All)).await?;
    let mut reader = Reader::new(reading.rate, reading.stop.clone());
    while let Some((page, rest)) = tenant.page(all).await? {
        all = rest;
        for (path, known) in strangers(tenant, page).await? {
            let read;
            (reader, read) = values(tenant, reader, path.clone()).await?;
            match read {
                Ok((node, root, cvs)) => keep(tenant, path, known, node, root, cvs, done).await?,
                Err(Cut::Stopped) => return Err(going_down()),
                // It changes just now: whoever writes it knows.
                Err(Cut::Shorter) => {}
                Err(Cut::Io) => done.unreadable += 1,
            }
        }
    }
    Ok(())
}

/// The files of a page that no record is true of, each with the record it has.
async fn strangers(tenant: &Tenant, page: Page) -> Result<Vec<(RemotePath, Option<RecordStamp>)>, Fault> {
    let files: Vec<(RemotePath, Node)> = page
        .into_iter()
        .filter(|(_, node)| node.kind == Kind::File)
        .filter_map(|(path, node)| Some((RemotePath::parse(&path).ok()?, node)))
        .collect();
    let paths: Vec<RemotePath> = files.iter().map(|(path, _)| path.clone()).collect();
    let known: HashMap<RemotePath, RecordStamp> = tenant.catalog.stamps(tenant.id, paths).await?.into_iter().collect();
    let known = |path: &RemotePath| known.get(path).copied();
    let stranger = |(path, node): (RemotePath, Node)| match known(&path) {
        Some(stamp) if is_of(&node.stamp, &stamp) => None,
        known => Some((path, known)),
    };
    Ok(files.into_iter().filter_map(stranger).collect())
}

/// The state of a file, its hash, and the values of its blocks.
type Values = Result<(Node, Root, Vec<Cv>), Cut>;

async fn values(tenant: &Tenant, mut reader: Reader, path: RemotePath) -> Result<(Reader, Values), Fault> {
    tenant
        .on_disk(move |home| {
            let values = read(&mut reader, home, &path);
            Ok((reader, values))
        })
        .await
}

fn read(reader: &mut Reader, home: &Home, path: &RemotePath) -> Values {
    let (file, node): (File, Node) = home.open_file(path).map_err(|error| match error {
        VaultError::NotFound => Cut::Shorter,
        _ => Cut::Io,
    })?;
    let size = node.stamp.size;
    let mut cvs = Vec::new();
    reader.read(&file, size, |span, bytes| cvs.push(block::chaining_value(size, span.index, bytes)))?;
    match Node::of_file(&file) {
        Ok(after) if after.stamp == node.stamp => Ok((node, block::fold(&cvs), cvs)),
        _ => Err(Cut::Shorter),
    }
}

/// Keeps a record of what was read, if it still stands there. Other content of the same size and time is no change
/// that anybody made.
async fn keep(
    tenant: &Tenant,
    path: RemotePath,
    known: Option<RecordStamp>,
    node: Node,
    root: Root,
    cvs: Vec<Cv>,
    done: &mut Rescanned,
) -> Result<(), Fault> {
    let changing = tenant.changing().await?;
    let target = path.clone();
    let stands = tenant.on_disk(move |home| home.node(&target)).await.is_ok_and(|now| now.stamp == node.stamp);
    let key = RecordKey::home(tenant.id, &path);
    match known.filter(|known| is_alike(&node.stamp, known)) {
        _ if !stands => {}
        Some(known) if known.root == root => tenant.catalog.note_proof(&key, known, node.stamp.inode).await?,
        Some(known) => {
            tenant.catalog.note_finding(&key, known, What::Damaged).await?;
            report(&tenant.name, &Place::Home(path), What::Damaged);
            done.damaged += 1;
        }
        None => {
            let stamp = RecordStamp { size: node.stamp.size, mtime: node.stamp.mtime, inode: node.stamp.inode, root };
            let cvs = if stamp.size > BLOCK as u64 { cvs } else { Vec::new() };
            tenant.catalog.put_record(tenant.id, &path, Record { stamp, cvs }).await?;
            done.taken += 1;
        }
    }
    changing.settled();
    Ok(())
}

/// Records that are looked at while names stand still.
const PAGE: u32 = 256;
