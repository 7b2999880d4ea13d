//! What an unclean end leaves: publishes that stood between their two transactions, ledgers that were
//! marked, and files in staging that nobody will ask for. A start makes it good for all; a running server for one
//! user, when the catalog failed in the middle of a change.

mod marks;

use std::collections::HashSet;
use std::sync::Arc;

use wire::{RemotePath, UserName};

use crate::catalog::{Catalog, CatalogError, OpenIntent, Settled, Trashed, UserId};
use crate::config::Durability;
use crate::tenant::is_of;
use crate::vault::{Home, Vault, VaultError};

/// Why a start could not be made good.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The catalog.
    #[error("the catalog cannot be read")]
    Catalog(#[from] CatalogError),
    /// A home.
    #[error("the home of `{user}` cannot be read")]
    Home {
        /// Whose.
        user: UserName,
        /// Why.
        source: VaultError,
    },
    /// A blocking task did not come back.
    #[error("looking at a home was cut off")]
    Lost(#[source] tokio::task::JoinError),
}

/// Makes the catalog say what the disk says. To be run before anybody is served. Where nothing is synced, a
/// power cut takes back newer steps and keeps older ones as it likes, so that every home is counted anew.
pub async fn recover(catalog: &Catalog, vault: &Vault, durability: Durability) -> Result<(), RecoveryError> {
    let dirty = catalog.dirty_users().await?;
    for user in catalog.users().await? {
        let failed = |source| RecoveryError::Home { user: user.name.clone(), source };
        let home = Arc::new(vault.home(&user.name).map_err(failed)?);
        if durability == Durability::Relaxed || dirty.contains(&user.id) {
            settle(catalog, &home, user.id, &user.name).await?;
        }
        // After the publishes that were cut off: what they were about is no longer unfinished.
        let uploads = catalog.uploads().await?.into_iter().filter(|upload| upload.user == user.id);
        let lost = tidy(&home, uploads.map(|upload| upload.staging).collect()).map_err(failed)?;
        catalog.ended_uploads(user.id, lost).await?;
    }
    Ok(())
}

/// Makes good what is open of one account, whose names must not change meanwhile.
pub async fn settle(catalog: &Catalog, home: &Arc<Home>, id: UserId, name: &UserName) -> Result<(), RecoveryError> {
    let mut intents = catalog.open_intents().await?;
    intents.retain(|open| open.intent.user == id);
    let trash = catalog.trash(id).await?;
    let looking = Arc::clone(home);
    let looked = tokio::task::spawn_blocking(move || {
        let home = looking;
        let stands = |open: &OpenIntent| {
            let stamp = home.stands_at(&open.intent.path, open.intent.record.stamp.inode);
            // The number tells whether it was renamed; the rest, whether it is still what was recorded.
            stamp.is_some_and(|stamp| is_of(&stamp, &open.intent.record.stamp))
        };
        let intents: Vec<_> = intents.into_iter().map(|open| (stands(&open), open.id)).collect();
        let lost = look_at_trash(&home, &trash)?;
        let (files, trashed) = (home.measure(&RemotePath::home())?, home.measure_trash()?);
        Ok((intents, lost, (files.0 + trashed.0, files.1 + trashed.1)))
    });
    let failed = |source| RecoveryError::Home { user: name.clone(), source };
    let (intents, lost, (bytes, files)) = looked.await.map_err(RecoveryError::Lost)?.map_err(failed)?;
    for (stands, intent) in intents {
        if !stands {
            catalog.abandon_publish(intent).await?;
            continue;
        }
        let settled = Settled { intent, replaced: None };
        catalog.settle_publish(vec![settled], Vec::new()).await.into_iter().collect::<Result<(), _>>()?;
    }
    // Before the trash forgets: what is back from there has its records back.
    for mark in catalog.marks(id).await? {
        marks::mend(catalog, home, id, name, mark).await?;
    }
    catalog.forget_trashed(id, lost).await?;
    // Last: it also overrides what the intents said to the ledger.
    catalog.recount(id, bytes, files).await?;
    tracing::info!(user = %name, bytes, files, "ledger counted anew");
    Ok(())
}

/// Brings deletions to their end, and says what is not in the trash although the catalog says so: it is still
/// in the home, or back there, or gone for good.
fn look_at_trash(home: &Home, trash: &[Trashed]) -> Result<Vec<u64>, VaultError> {
    for item in trash.iter().filter(|item| item.doomed) {
        home.erase(item.id).1?;
    }
    let known: Vec<u64> = trash.iter().map(|item| item.id).collect();
    let there = home.sort_out_trash(&known)?;
    Ok(known.into_iter().filter(|id| !there.contains(id)).collect())
}

/// Staging holds what is listed as unfinished and nothing else: small files and copies are never resumed, an upload
/// that was cut off before it was noted holds nothing. Says what is listed and not there.
fn tidy(home: &Home, listed: HashSet<String>) -> Result<Vec<String>, VaultError> {
    let there: HashSet<String> = home.staged()?.into_iter().map(|left| left.name).collect();
    there.difference(&listed).try_for_each(|name| home.discard(name))?;
    Ok(listed.difference(&there).cloned().collect())
}
