//! `List`, `Walk` and `Find`: pages as the disk gives them, each entry with its hash where a record of it holds.

use std::collections::HashMap;
use std::sync::Arc;

use wire::message::{Answer, Entry};
use wire::{Fault, RemotePath};

use super::Pages;
use crate::tenant::{Tenant, is_of};
use crate::vault::{Depth, Node, Page};

/// Sends the pages of a directory, or of those below it whose last names are `wanted`, each with its hashes. Names are
/// relative to `path`. While the client takes one page, the next is read.
pub(super) async fn list(
    tenant: &Arc<Tenant>,
    path: RemotePath,
    depth: Depth,
    wanted: impl Fn(&[u8]) -> bool + Clone + Send + 'static,
    pages: &Pages,
) -> Result<Answer, Fault> {
    pages.turn(tenant).await?;
    let target = path.clone();
    let mut listing = tenant.on_disk(move |home| home.listing(&target, depth)).await?;
    let mut read = Page::new();
    loop {
        let wanted = wanted.clone();
        let next = tenant.on_disk(move |_| {
            let page = listing.page(wanted)?;
            Ok((page, listing))
        });
        let send = async {
            if !read.is_empty() {
                pages.send(with_roots(tenant, &path, read).await?).await?;
            }
            pages.go_on()
        };
        let (sent, next) = tokio::join!(send, next);
        sent?;
        match next? {
            (Some(page), rest) => (read, listing) = (page, rest),
            (None, _) => return Ok(Answer::Page { entries: Vec::new(), last: true }),
        }
    }
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
