//! `Stat`: one entry.

use wire::message::{Answer, Entry};
use wire::{Fault, RemotePath};

use crate::tenant::Tenant;

pub(super) async fn stat(tenant: &Tenant, path: RemotePath) -> Result<Answer, Fault> {
    let target = path.clone();
    let node = tenant.on_disk(move |home| home.node(&target)).await?;
    let record = tenant.valid_record(&path, node.stamp).await?;
    Ok(Answer::Entry(Entry { root: record.map(|record| record.stamp.root), ..node.entry(path.name()) }))
}
