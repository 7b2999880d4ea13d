//! What a start finds of an unclean end: publishes that stood between their two transactions, ledgers
//! that were marked, and small files that were on their way.

use wire::RemotePath;

use crate::catalog::{Catalog, CatalogError, Settled};
use crate::publish::small::SMALL_PREFIX;
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
        user: String,
        /// Why.
        source: VaultError,
    },
}

/// Makes the catalog say what the disk says. To be run before anybody is served.
pub async fn recover(catalog: &Catalog, vault: &Vault) -> Result<(), RecoveryError> {
    let mut dirty = catalog.dirty_users().await?;
    let intents = catalog.open_intents().await?;
    dirty.extend(intents.iter().map(|open| open.intent.user));
    for user in catalog.users().await? {
        let failed = |source| RecoveryError::Home { user: user.name.to_string(), source };
        let home = vault.home(&user.name).map_err(failed)?;
        sweep(&home).map_err(failed)?;
        if !dirty.contains(&user.id) {
            continue;
        }
        for open in intents.iter().filter(|open| open.intent.user == user.id) {
            // Renamed or not: the number on the disk tells. The ledger is counted anew below.
            match home.stands_at(&open.intent.path, open.intent.record.stamp.inode) {
                Some(_) => {
                    let settled = Settled { intent: open.id, replaced: None };
                    catalog.settle_publish(vec![settled], Vec::new()).await.into_iter().collect::<Result<(), _>>()?;
                }
                None => catalog.abandon_publish(open.id).await?,
            }
        }
        let (bytes, files) = home.measure(&RemotePath::home()).map_err(failed)?;
        catalog.recount(user.id, bytes, files).await?;
        tracing::info!(user = %user.name, bytes, files, "ledger counted anew after an unclean end");
    }
    Ok(())
}

/// Small files are never resumed: what is left of them goes.
fn sweep(home: &Home) -> Result<(), VaultError> {
    let small = |name: &str| name.starts_with(SMALL_PREFIX);
    home.staged()?.iter().filter(|left| small(&left.name)).try_for_each(|left| home.discard(&left.name))
}
