//! `List` and `Walk`: pages as the disk gives them, each entry with its hash where a record of it holds.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use wire::message::{Answer, Entry};
use wire::{Fault, RemotePath};

use super::Pages;
use crate::tenant::{Tenant, is_of};
use crate::vault::{GoOn, Home, Node, Page, VaultError};

/// How far down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    One,
    All,
}

pub(super) async fn list(tenant: &Arc<Tenant>, path: RemotePath, depth: Depth, pages: &Pages) -> Result<Answer, Fault> {
    stream(tenant, path, pages, move |home, path, page| match depth {
        Depth::One => home.list(path, page),
        Depth::All => home.walk(path, page),
    })
    .await
}

/// Sends the pages that `read` hands out, names relative to `path`, each with its hashes.
pub(super) async fn stream(
    tenant: &Arc<Tenant>,
    path: RemotePath,
    pages: &Pages,
    read: impl FnOnce(&Home, &RemotePath, &mut dyn FnMut(Page) -> GoOn) -> Result<(), VaultError> + Send + 'static,
) -> Result<Answer, Fault> {
    let (found, mut reading) = mpsc::channel::<Page>(PAGES_AHEAD);
    let (reader, target) = (Arc::clone(tenant), path.clone());
    let task = tokio::spawn(async move {
        let mut hand_out = move |page: Page| found.blocking_send(page).is_ok();
        reader.on_disk(move |home| read(home, &target, &mut hand_out)).await
    });
    while let Some(page) = reading.recv().await {
        let entries = with_roots(tenant, &path, page).await?;
        pages.send(entries).await?;
    }
    task.await.map_err(|error| crate::faults::lost_task(&error))??;
    Ok(Answer::Page { entries: Vec::new(), last: true })
}

/// Looks the hashes up directory by directory: one for a listing, a few for a page of a walk.
async fn with_roots(tenant: &Tenant, path: &RemotePath, page: Page) -> Result<Vec<Entry>, Fault> {
    let place =
        |name: &[u8]| path.join(name).ok().and_then(|full| full.split().map(|(dir, last)| (dir, last.to_vec())));
    let mut asked: HashMap<RemotePath, Vec<Vec<u8>>> = HashMap::new();
    for (dir, last) in page.iter().filter_map(|(name, _)| place(name)) {
        asked.entry(dir).or_default().push(last);
    }
    let mut known = HashMap::new();
    for (dir, names) in asked {
        let found = tenant.catalog.records_in(tenant.id, &dir, names).await?;
        known.extend(found.into_iter().map(|(name, stamp)| ((dir.clone(), name), stamp)));
    }
    let entry = |(name, node): &(Vec<u8>, Node)| {
        let record = place(name).and_then(|place| known.get(&place)).filter(|record| is_of(&node.stamp, record));
        Entry { root: record.map(|record| record.root), ..node.entry(name) }
    };
    Ok(page.iter().map(entry).collect())
}

/// Pages of up to 48 KiB that are read before the client takes them.
const PAGES_AHEAD: usize = 2;
