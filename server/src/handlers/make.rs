//! `Mkdir` and `Create`: names for nothing yet.

use std::sync::Arc;

use wire::message::{Answer, Expect, Offer, Time};
use wire::{Fault, RemotePath, Root};

use crate::faults::going_down;
use crate::publish::small::Small;
use crate::tenant::Tenant;

pub(super) async fn directory(tenant: &Arc<Tenant>, path: RemotePath, parents: bool) -> Result<Answer, Fault> {
    make(tenant, path.clone(), parents).await?;
    tenant.announce(vec![path.parent()]).await;
    Ok(Answer::Done)
}

/// In its turn: what is put into a directory is not to be acknowledged before the directory's own name is synced.
pub(super) async fn make(tenant: &Tenant, path: RemotePath, parents: bool) -> Result<(), Fault> {
    let changing = tenant.changing().await?;
    let made = tenant.on_disk(move |home| match parents {
        true => home.make_directories(&path),
        false => home.make_directory(&path),
    });
    let made = made.await;
    changing.settled();
    made
}

/// An empty file is published like any other: with its record, and counted.
pub(super) async fn file(tenant: &Arc<Tenant>, path: RemotePath) -> Result<Answer, Fault> {
    // The directory must be there: a typing error is not to make one.
    let parent = path.parent();
    tenant.on_disk(move |home| home.node(&parent).map(drop)).await?;
    let (done, result) = tokio::sync::oneshot::channel();
    let offer = Offer { size: 0, mtime: now(), executable: false, eager: true };
    let root = Root(*blake3::hash(b"").as_bytes());
    let empty = Small { path, expect: Expect::Absent, offer, root, content: Vec::new(), memory: None, done };
    tenant.publish_small(empty).await?;
    result.await.map_err(|_| going_down())??;
    Ok(Answer::Done)
}

fn now() -> Time {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    Time { secs: i64::try_from(since.as_secs()).unwrap_or(i64::MAX), nanos: since.subsec_nanos() }
}
