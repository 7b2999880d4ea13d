//! What was deleted and lies in a trash: gone for good, and its space given back.

use wire::Fault;

use crate::catalog::{Change, RecordChange};
use crate::tenant::Tenant;

/// Deletes one thing in a trash. What is not there any more is no fault.
pub(crate) async fn erase(tenant: &Tenant, id: u64) -> Result<(), Fault> {
    let changing = tenant.changing().await?;
    let Some(change) = tenant.catalog.begin_erase(tenant.id, id).await? else {
        changing.settled();
        return Ok(());
    };
    let (freed, result) = tenant.on_disk(move |home| Ok(home.erase(id))).await?;
    // What could not be deleted whole is tried again later: it can no longer be restored.
    let records = if result.is_ok() { RecordChange::Erased(id) } else { RecordChange::None };
    let did = Change { freed_bytes: freed.bytes, freed_files: freed.files, records, ..Change::default() };
    tenant.catalog.settle_change(change, did).await?;
    changing.settled();
    Ok(result?)
}
