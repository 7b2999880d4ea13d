//! What was deleted and lies in a trash: gone for good, and its space given back.

use wire::Fault;

use crate::audit::Deed;
use crate::catalog::{Change, RecordChange};
use crate::tenant::Tenant;

/// Deletes one thing in a trash. What is not there any more is no fault, and no deed.
pub(crate) async fn erase(tenant: &Tenant, id: u64, mut deed: Deed) -> Result<(), Fault> {
    let changing = tenant.changing().await?;
    let Some(change) = tenant.catalog.begin_erase(tenant.id, id).await? else {
        changing.settled();
        return Ok(());
    };
    deed.entry.trash = Some(id);
    let result = async {
        let (freed, result) = tenant.on_disk(move |home| Ok(home.erase(id))).await?;
        (deed.entry.bytes, deed.entry.files) = (Some(freed.bytes), Some(freed.files));
        // What could not be deleted whole is tried again later: it can no longer be restored.
        let records = if result.is_ok() { RecordChange::Erased(id) } else { RecordChange::None };
        let did = Change { freed_bytes: freed.bytes, freed_files: freed.files, records, ..Change::default() };
        tenant.catalog.settle_change(change, did).await?;
        changing.settled();
        Ok(result?)
    };
    let result: Result<(), Fault> = result.await;
    deed.end(&result);
    result
}
