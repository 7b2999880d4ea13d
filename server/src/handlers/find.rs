//! `Find`: what has a name that matches, anywhere below a directory.

use std::sync::Arc;

use wire::message::Answer;
use wire::pattern::Pattern;
use wire::{Code, Fault, RemotePath};

use super::{Pages, list};
use crate::tenant::Tenant;

pub(super) async fn find(
    tenant: &Arc<Tenant>,
    path: RemotePath,
    pattern: &str,
    pages: &Pages,
) -> Result<Answer, Fault> {
    let pattern = Pattern::parse(pattern).map_err(|error| Fault::new(Code::BadPattern, error.to_string()))?;
    let cancel = pages.cancel.clone();
    list::stream(tenant, path, pages, move |home, path, page| {
        home.search(path, |name| pattern.matches(name), || !cancel.is_cancelled(), page)
    })
    .await
}
