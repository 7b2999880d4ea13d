//! The trash, as its owner sees it: what it holds, things moved there and back, and all of it deleted.

use std::sync::Arc;

use wire::message::{Answer, RawPath};
use wire::{Code, Fault, RemotePath};

use super::{Pages, stopped};
use crate::audit::{Deed, shown};
use crate::catalog::{Change, Mark, Place, RecordChange};
use crate::tenant::Tenant;
use crate::trash::erase;
use crate::vault::VaultError;

/// `TrashState`.
pub(super) async fn state(tenant: &Tenant) -> Result<Answer, Fault> {
    tenant.make_good().await?;
    let state = tenant.catalog.trash_state(tenant.id).await?;
    // Without a trash nothing can be restored, whatever still waits to be deleted.
    let held = |figure: u64| if state.days.is_some() { figure } else { 0 };
    Ok(Answer::Trash { days: state.days, items: held(state.items), bytes: held(state.bytes) })
}

/// `Trash`: out of the home in one step, counted as before.
pub(super) async fn trash(tenant: &Tenant, path: RemotePath, deed: &mut Deed) -> Result<Answer, Fault> {
    if path.is_home() {
        return Err(Fault::new(Code::Denied, "the home itself cannot be moved to the trash"));
    }
    let parent = path.parent();
    let (id, moved) = {
        let changing = tenant.changing().await?;
        // Refused before anything is marked: most mistakes end here.
        require(tenant).await?;
        let target = path.clone();
        let weight = tenant.on_disk(move |home| home.weigh(&target)).await?;
        let (change, id) = tenant.catalog.begin_trash(tenant.id, &path, weight.bytes).await?;
        (deed.entry.bytes, deed.entry.trash) = (Some(weight.bytes), Some(id));
        let target = path.clone();
        let moved = tenant.on_disk(move |home| Ok(home.to_trash(&target, id))).await?;
        let records = match &moved {
            Ok(_) => RecordChange::Trashed { path, id },
            Err(_) => RecordChange::Erased(id),
        };
        tenant.catalog.settle_change(change, Change { records, ..Change::default() }).await?;
        changing.settled();
        (id, moved)
    };
    tenant.announce(vec![parent]).await;
    moved??;
    Ok(Answer::Trashed { id })
}

/// `Restore`: back to where it was.
pub(super) async fn restore(tenant: &Tenant, id: u64, deed: &mut Deed) -> Result<Answer, Fault> {
    let (path, moved) = {
        let changing = tenant.changing().await?;
        require(tenant).await?;
        let Some(item) = tenant.catalog.trashed(tenant.id, id).await? else {
            return Err(Fault::new(Code::NotFound, "it is no longer in the trash"));
        };
        deed.entry.path = Some(shown(&item.path));
        let mark = Mark { from: Place::trash(id), to: Some(Place::Home(item.path.clone())) };
        let change = tenant.catalog.begin_change(tenant.id, mark).await?;
        let (target, path) = (item.path.clone(), item.path);
        let moved = tenant.on_disk(move |home| Ok(home.from_trash(id, &target))).await?;
        let records = match &moved {
            Ok(_) => RecordChange::Restored { id, path: path.clone() },
            Err(_) => RecordChange::None,
        };
        tenant.catalog.settle_change(change, Change { records, ..Change::default() }).await?;
        changing.settled();
        (path, moved)
    };
    match moved {
        Ok(synced) => {
            tenant.announce(above(&path)).await;
            synced?;
            Ok(Answer::Restored { path: RawPath::from(&path) })
        }
        Err(error @ VaultError::Exists(_)) => Err(tenant.tell_existing(&path, error.into()).await),
        Err(error) => Err(error.into()),
    }
}

/// `EmptyTrash`: one thing after another, so that it can be stopped between two.
pub(super) async fn empty(tenant: &Arc<Tenant>, pages: &Pages, deed: &Deed) -> Result<Answer, Fault> {
    require(tenant).await?;
    let mut result = Ok(Answer::Done);
    for item in tenant.catalog.trash(tenant.id).await? {
        if pages.cancel.is_cancelled() {
            result = Err(stopped());
            break;
        }
        let mut part = deed.part("erase");
        part.entry.path = Some(shown(&item.path));
        if let Err(fault) = erase(tenant, item.id, part).await {
            result = Err(fault);
        }
    }
    tenant.announce_usage().await;
    result
}

async fn require(tenant: &Tenant) -> Result<(), Fault> {
    match tenant.catalog.trash_state(tenant.id).await?.days {
        Some(_) => Ok(()),
        None => Err(Fault::new(Code::NoTrash, "this account has no trash")),
    }
}

/// The directories that may have come into being above a path, and the one above these.
fn above(path: &RemotePath) -> Vec<RemotePath> {
    let mut all = vec![path.parent()];
    while let Some(last) = all.last().filter(|last| !last.is_home()) {
        all.push(last.parent());
    }
    all
}
