//! `Mkdir` and `Create`: names for nothing yet.

use std::sync::Arc;

use wire::message::{Answer, Expect, Offer, Time};
use wire::{Fault, RemotePath, Root};

use crate::publish::small::Small;
use crate::tenant::Tenant;

pub(super) async fn directory(tenant: &Arc<Tenant>, path: RemotePath, parents: bool) -> Result<Answer, Fault> {
    let target = path.clone();
    let made = tenant.on_disk(move |home| match parents {
        true => home.make_directories(&target),
        false => home.make_directory(&target),
    });
    made.await?;
    tenant.announce(vec![path.parent()]).await;
    Ok(Answer::Done)
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
    result.await.map_err(|_| Fault::new(wire::Code::Draining, "the server is going down"))??;
    Ok(Answer::Done)
}

fn now() -> Time {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    Time { secs: i64::try_from(since.as_secs()).unwrap_or(i64::MAX), nanos: since.subsec_nanos() }
}
