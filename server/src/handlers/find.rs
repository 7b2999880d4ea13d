//! `Find`: what has a name that matches, anywhere below a directory.

use std::sync::Arc;

use wire::message::Answer;
use wire::pattern::Pattern;
use wire::{Code, Fault, RemotePath};

use super::{Pages, list, stopped};
use crate::tenant::Tenant;
use crate::vault::Depth;

pub(super) async fn find(
    tenant: &Arc<Tenant>,
    path: RemotePath,
    pattern: &str,
    pages: &Pages,
) -> Result<Answer, Fault> {
    // Never closed.
    let turns = async { (tenant.finding.acquire().await, tenant.commons.finders.acquire().await) };
    let _turns = pages.cancel.run_until_cancelled(turns).await.ok_or_else(stopped)?;
    let pattern = Pattern::parse(pattern).map_err(|error| Fault::new(Code::BadPattern, error.to_string()))?;
    let pattern = Arc::new(pattern);
    list::list(tenant, path, Depth::All, move |name: &[u8]| pattern.matches(name), pages).await
}
