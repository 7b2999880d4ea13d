//! Trashes of all users: what lies in them too long is deleted for good, and its space given back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::Fault;

use crate::catalog::{Catalog, Change, RecordChange};
use crate::session::Sessions;
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

/// Deletes whatever has expired: at once, whenever `look` is rung, and every [`PAUSE`]. Each deletion runs
/// under `running`, so that none is torn off in the middle, and none begins once the server goes down.
pub(crate) async fn keep(
    catalog: Catalog,
    sessions: Arc<Sessions>,
    look: Arc<Notify>,
    draining: CancellationToken,
    running: TaskTracker,
) {
    while !draining.is_cancelled() {
        let sweep = sweep(catalog.clone(), Arc::clone(&sessions), draining.clone());
        if let Err(error) = running.spawn(sweep).await {
            tracing::error!(%error, "expired trash is not deleted");
        }
        // Either way it is time to look again.
        let _ = draining.run_until_cancelled(tokio::time::timeout(PAUSE, look.notified())).await;
    }
}

async fn sweep(catalog: Catalog, sessions: Arc<Sessions>, draining: CancellationToken) {
    let expired = match catalog.expired().await {
        Ok(expired) => expired,
        Err(error) => return tracing::error!(%error, "the catalog does not tell what has expired"),
    };
    let mut erased: Option<Arc<Tenant>> = None;
    for item in expired {
        if draining.is_cancelled() {
            break;
        }
        let tenant = match erased.take().filter(|tenant| tenant.id == item.user) {
            Some(tenant) => Ok(tenant),
            None => sessions.tenant(item.user, &item.name),
        };
        let result = match &tenant {
            Ok(tenant) => erase(tenant, item.id).await,
            Err(fault) => Err(fault.clone()),
        };
        if let Err(fault) = result {
            tracing::error!(%fault, user = %item.name, "what has expired could not be deleted; it is tried again");
        }
        if let Ok(tenant) = tenant {
            tenant.announce_usage().await;
            erased = Some(tenant);
        }
    }
}

/// Expiry is counted in days.
const PAUSE: Duration = Duration::from_secs(600);
