//! `Hash`: a file's hash, from its record, or by reading the file and keeping the record.

use std::fs::File;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use wire::block::{self, BLOCK};
use wire::message::{Answer, Entry};
use wire::staging::read_block;
use wire::{Aligned, Code, Cv, Fault, RemotePath, Root};

use super::{Pages, stopped};
use crate::catalog::{Record, Stamp};
use crate::custody::refuse_damaged;
use crate::faults::bad_content;
use crate::tenant::Tenant;
use crate::vault::{Node, VaultError};

pub(super) async fn hash(tenant: &Arc<Tenant>, path: RemotePath, pages: &Pages) -> Result<Answer, Fault> {
    let target = path.clone();
    let (file, node) = tenant.on_disk(move |home| home.open_file(&target)).await?;
    let root = match tenant.valid_record(&path, node.stamp).await? {
        Some(record) => record.stamp.root,
        None => {
            refuse_damaged(tenant, &path, &node.stamp).await?;
            learn(tenant, &path, file, node, &pages.cancel).await?
        }
    };
    Ok(Answer::Entry(Entry { root: Some(root), ..node.entry(path.name()) }))
}

/// Reads the file, when it is its turn.
async fn learn(
    tenant: &Tenant,
    path: &RemotePath,
    file: File,
    node: Node,
    cancel: &CancellationToken,
) -> Result<Root, Fault> {
    let asked = cancel.clone();
    let reading = tenant.long_on_disk(move |_| read(&file, &node, &asked));
    // It ends soon after it is cancelled, or has not begun.
    let (root, cvs) = cancel.run_until_cancelled(reading).await.ok_or_else(stopped)???;
    let stamp = Stamp { size: node.stamp.size, mtime: node.stamp.mtime, inode: node.stamp.inode, root };
    let cvs = if stamp.size > BLOCK as u64 { cvs } else { Vec::new() };
    if let Err(error) = tenant.catalog.put_record(tenant.id, path, Record { stamp, cvs }).await {
        tracing::warn!(%error, "a record could not be kept");
    }
    Ok(root)
}

/// Block by block, so that it can be stopped between two.
fn read(file: &File, node: &Node, cancel: &CancellationToken) -> Result<(Root, Vec<Cv>), Fault> {
    let size = node.stamp.size;
    let (mut buffer, mut cvs) = (Aligned::with_capacity(BLOCK), Vec::new());
    for span in (0..).map_while(|index| block::span(size, index)) {
        if cancel.is_cancelled() {
            return Err(stopped());
        }
        read_block(file, span, &mut buffer).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => VaultError::Changed.into(),
            _ => bad_content(error.into()),
        })?;
        cvs.push(block::chaining_value(size, span.index, &buffer));
    }
    if Node::of_file(file)?.stamp != node.stamp {
        return Err(Fault::new(Code::Changed, "the file changed while it was read"));
    }
    Ok((block::fold(&cvs), cvs))
}
