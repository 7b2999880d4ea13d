//! The ledger against a walk over home and trash, which changes nothing and stops nobody.

use std::sync::Arc;
use std::time::Duration;

use wire::RemotePath;

use super::CustodyError;
use crate::catalog::{Account, Catalog};
use crate::vault::{Home, VaultError};

/// Bytes and files, as the ledger has them and as they were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// In the ledger.
    pub ledger: (u64, u64),
    /// In home and trash.
    pub found: (u64, u64),
}

impl Balance {
    /// Whether both say the same.
    pub fn is_even(&self) -> bool {
        self.ledger == self.found
    }
}

/// Counts until ledger and walk agree, or two walks agree on how they differ.
pub async fn balance(catalog: &Catalog, home: &Arc<Home>, account: &Account) -> Result<Balance, CustodyError> {
    let mut last = None;
    for tried in 0..TRIES {
        let before = catalog.ledger(account.id).await?;
        let walk = Arc::clone(home);
        let found = tokio::task::spawn_blocking(move || measure(&walk)).await.map_err(CustodyError::Lost)?;
        let found = found.map_err(|source| CustodyError::Home { user: account.name.clone(), source })?;
        let after = catalog.ledger(account.id).await?;
        let balance = Balance { ledger: (after.0, after.1), found };
        // Marks of a change that an unclean end left are believed in the end.
        let settled = !after.2 || tried > TRIES / 2;
        if before == after && (balance.is_even() || (settled && last == Some(balance))) {
            return Ok(balance);
        }
        last = Some(balance).filter(|_| before == after);
        // A change that is under way has its time to end.
        tokio::time::sleep(PAUSE).await;
    }
    Err(CustodyError::Busy(account.name.clone()))
}

/// Bytes and files of home and trash.
fn measure(home: &Home) -> Result<(u64, u64), VaultError> {
    let (files, trash) = (home.measure(&RemotePath::home())?, home.measure_trash()?);
    Ok((files.0 + trash.0, files.1 + trash.1))
}

/// Looks in vain before a home is too busy.
const TRIES: u32 = 20;
/// Longer than it takes to settle what was renamed.
const PAUSE: Duration = Duration::from_millis(500);
