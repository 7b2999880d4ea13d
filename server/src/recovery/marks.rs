//! Changes that were cut off: their records follow what got its other name, and go where a file is gone. Only names
//! that the mark concerns: what is missing elsewhere was not removed by anybody.

use std::sync::Arc;

use wire::UserName;

use super::RecoveryError;
use crate::catalog::{Catalog, Mark, Place, RecordKey, Recorded, UserId};
use crate::vault::{Home, VaultError};

pub(super) async fn mend(
    catalog: &Catalog,
    home: &Arc<Home>,
    id: UserId,
    name: &UserName,
    mark: Mark,
) -> Result<(), RecoveryError> {
    let Mark { from, to } = mark;
    if let Some(to) = to {
        let (old, new) = (from.clone(), to.clone());
        let moved = on_disk(home, name, move |home| Ok(!is_there(home, &old)? && is_there(home, &new)?));
        if moved.await? {
            return Ok(catalog.follow(id, &from, &to).await?);
        }
    }
    let mut after: Option<RecordKey> = None;
    loop {
        let page = catalog.recorded_below(id, &from, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.key.clone());
        catalog.forget_records(on_disk(home, name, move |home| gone(home, page)).await?).await?;
    }
}

fn gone(home: &Home, page: Vec<Recorded>) -> Result<Vec<RecordKey>, VaultError> {
    let mut gone = Vec::new();
    for known in page {
        if !is_there(home, &known.place)? {
            gone.push(known.key);
        }
    }
    Ok(gone)
}

fn is_there(home: &Home, place: &Place) -> Result<bool, VaultError> {
    match place {
        Place::Home(path) => match home.node(path) {
            Ok(_) => Ok(true),
            Err(VaultError::NotFound | VaultError::NotDirectory) => Ok(false),
            Err(error) => Err(error),
        },
        Place::Trash(path) => home.is_trashed(path),
    }
}

async fn on_disk<T: Send + 'static>(
    home: &Arc<Home>,
    name: &UserName,
    look: impl FnOnce(&Home) -> Result<T, VaultError> + Send + 'static,
) -> Result<T, RecoveryError> {
    let home = Arc::clone(home);
    let looked = tokio::task::spawn_blocking(move || look(&home)).await.map_err(RecoveryError::Lost)?;
    looked.map_err(|source| RecoveryError::Home { user: name.clone(), source })
}

/// Records that are looked at together.
const PAGE: u32 = 256;
