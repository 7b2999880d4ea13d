//! `Remove`: names taken away, space given back.

use std::sync::Arc;

use wire::message::Answer;
use wire::{Code, Fault, RemotePath};

use crate::audit::Deed;
use crate::catalog::{Change, Mark, Place, RecordChange};
use crate::tenant::Tenant;

pub(super) async fn remove(
    tenant: &Arc<Tenant>,
    path: RemotePath,
    recursive: bool,
    deed: &mut Deed,
) -> Result<Answer, Fault> {
    if path.is_home() {
        return Err(Fault::new(Code::Denied, "the home itself cannot be removed"));
    }
    let parent = path.parent();
    let result = {
        let changing = tenant.changing().await?;
        // Refused before anything is marked: most mistakes end here.
        let target = path.clone();
        tenant.on_disk(move |home| home.node(&target).map(drop)).await?;
        let change = tenant.catalog.begin_change(tenant.id, Mark { from: Place::Home(path.clone()), to: None }).await?;
        let target = path.clone();
        let removed =
            tenant.on_disk(move |home| Ok(if recursive { home.remove_tree(&target) } else { home.remove(&target) }));
        let (freed, result) = removed.await?;
        (deed.entry.bytes, deed.entry.files) = (Some(freed.bytes), Some(freed.files));
        let records = if result.is_ok() { RecordChange::Removed(path) } else { RecordChange::None };
        let did = Change { freed_bytes: freed.bytes, freed_files: freed.files, records, ..Change::default() };
        tenant.catalog.settle_change(change, did).await?;
        changing.settled();
        result
    };
    tenant.announce(vec![parent]).await;
    result?;
    Ok(Answer::Done)
}
