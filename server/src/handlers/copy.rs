//! `Copy`: within the home, file by file, each published like an upload: reserved, proven, synced.

use std::fs::File;
use std::sync::Arc;

use wire::block::{self, BLOCK};
use wire::message::{Answer, Expect, Kind, Offer};
use wire::staging::{read_block, store_block};
use wire::{Aligned, Code, Cv, Fault, RemotePath, Root};

use super::Pages;
use super::make::make;
use crate::audit::{Deed, shown_root};
use crate::custody::{note_damage, refuse_damaged};
use crate::faults::{bad_content, damaged};
use crate::publish::{Growth, Published, Ready, Reservation, Room, publish_one};
use crate::tenant::Tenant;
use crate::vault::{Depth, Node, VaultError};

pub(super) async fn copy(
    tenant: &Arc<Tenant>,
    from: RemotePath,
    to: RemotePath,
    replace: bool,
    pages: &Pages,
    deed: &mut Deed,
) -> Result<Answer, Fault> {
    let into_itself = || Fault::new(Code::BadPath, "the copy cannot be the source itself or lie below it");
    if to.is_within(&from) {
        return Err(into_itself());
    }
    let source = from.clone();
    let node = tenant.on_disk(move |home| home.node(&source)).await?;
    let expect = if replace { Expect::Any } else { Expect::Absent };
    if node.kind != Kind::Directory {
        let Copied { bytes, root, published } = copy_file(tenant, &from, &to, expect).await?;
        (deed.entry.bytes, deed.entry.root) = (Some(bytes), Some(shown_root(root)));
        deed.entry.replaced = published.replaced;
        return Ok(Answer::Done);
    }
    let (source, target) = (from.clone(), to.clone());
    // It is read while the copy is made.
    if tenant.on_disk(move |home| home.leads_below(&target, &source)).await? {
        return Err(into_itself());
    }
    match make(tenant, to.clone(), false).await {
        Err(fault) if replace && fault.code == Code::Exists => {}
        made => made?,
    }
    let source = from.clone();
    let mut all = tenant.on_disk(move |home| home.listing(&source, Depth::All)).await?;
    while let Some((page, rest)) = tenant.page(all).await? {
        for (name, node) in page {
            if pages.cancel.is_cancelled() {
                return Err(Fault::new(Code::Cancelled, "stopped on request; what was copied stays"));
            }
            let (source, target) = (join(&from, &name)?, join(&to, &name)?);
            match node.kind {
                Kind::Directory => make(tenant, target, true).await?,
                Kind::File => {
                    let Copied { bytes, .. } = copy_file(tenant, &source, &target, expect).await?;
                    deed.entry.bytes = Some(deed.entry.bytes.unwrap_or(0).saturating_add(bytes));
                    deed.entry.files = Some(deed.entry.files.unwrap_or(0) + 1);
                }
                // A link copied elsewhere would lead elsewhere; devices are not served.
                Kind::Link | Kind::Other => {}
            }
        }
        all = rest;
    }
    tenant.announce(vec![to.parent()]).await;
    Ok(Answer::Done)
}

fn join(base: &RemotePath, name: &[u8]) -> Result<RemotePath, Fault> {
    base.join(name).map_err(|error| crate::faults::bad_path(&error))
}

/// A file that was copied.
struct Copied {
    bytes: u64,
    root: Root,
    published: Published,
}

async fn copy_file(tenant: &Arc<Tenant>, from: &RemotePath, to: &RemotePath, expect: Expect) -> Result<Copied, Fault> {
    let (source, target) = (from.clone(), to.clone());
    let looked = tenant.on_disk(move |home| {
        let (file, node) = home.open_file(&source)?;
        Ok((file, node, home.target(&target, expect)?, home.space()?))
    });
    let (file, node, replaced, space) = looked.await?;
    refuse_damaged(tenant, from, &node.stamp).await?;
    let record = tenant.valid_record(from, node.stamp).await?;
    let size = node.stamp.size;
    let promised = Growth::of(size, replaced);
    let reservation = Reservation::take(tenant, promised).await?;
    let room = Room::take(tenant, size, space)?;
    let (claim, _) = tenant.claim(to).await;
    let target = to.clone();
    let (staged, claim) = tenant
        .on_disk(move |home| {
            let staged = home.stage(&target)?;
            staged.file.set_len(0)?;
            Ok((Arc::new(staged), claim))
        })
        .await?;
    let into = Arc::clone(&staged);
    let (copied, claim) = tenant.long_on_disk(move |_| (copy_blocks(&file, &into.file, &node), claim)).await?;
    drop(room);
    let name = staged.name.clone();
    let result = match copied {
        Ok((root, _)) if record.is_some_and(|record| record.stamp.root != root) => {
            // A copy of it would pass for proven.
            if note_damage(tenant, from).await? { Err(damaged()) } else { Err(VaultError::Changed.into()) }
        }
        Ok((root, cvs)) => {
            let offer = Offer { size, mtime: node.stamp.mtime, executable: node.executable, eager: true };
            let cvs = if size > BLOCK as u64 { cvs } else { Vec::new() };
            let ready = Ready { path: to.clone(), expect, offer, staged, root, cvs, promised };
            let published = publish_one(tenant, ready, reservation).await;
            published.map(|published| Copied { bytes: size, root, published })
        }
        Err(fault) => Err(fault),
    };
    if result.is_err() {
        let gone = name.clone();
        tenant.on_disk(move |home| home.discard(&gone)).await?;
        // An unfinished upload to the same path was overwritten.
        tenant.catalog.ended_uploads(tenant.id, vec![name]).await?;
    }
    drop(claim);
    result
}

/// Copies block by block; a source that changed meanwhile is a fault, not a mixed file.
fn copy_blocks(from: &File, into: &File, node: &Node) -> Result<(Root, Vec<Cv>), Fault> {
    let size = node.stamp.size;
    let (mut buffer, mut cvs) = (Aligned::with_capacity(BLOCK), Vec::new());
    for span in (0..).map_while(|index| block::span(size, index)) {
        read_block(from, span, &mut buffer).map_err(|error| bad_content(error.into()))?;
        let cv = block::chaining_value(size, span.index, &buffer);
        store_block(into, size, span, cv, &buffer).map_err(bad_content)?;
        cvs.push(cv);
    }
    into.set_len(size).map_err(|error| bad_content(error.into()))?;
    if Node::of_file(from)?.stamp != node.stamp {
        return Err(Fault::new(Code::Changed, "the file changed while it was copied"));
    }
    Ok((block::fold(&cvs), cvs))
}
