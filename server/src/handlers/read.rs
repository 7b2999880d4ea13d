//! `Read`: a piece of a file, for viewers.

use wire::message::{Answer, READ_PIECE};
use wire::{Fault, RemotePath};

use crate::tenant::Tenant;

pub(super) async fn read(tenant: &Tenant, path: RemotePath, offset: u64, len: u32) -> Result<Answer, Fault> {
    let most = usize::try_from(len).unwrap_or(usize::MAX).min(READ_PIECE);
    let (node, bytes) = tenant.on_disk(move |home| home.piece(&path, offset, most)).await?;
    Ok(Answer::Piece { size: node.stamp.size, mtime: node.stamp.mtime, bytes })
}
