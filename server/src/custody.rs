//! Custody of stored files: that they still are what was proven when they were stored, and that the ledger says what
//! the disk holds. Works beside whoever writes; only what sets something right waits for its turn.
//!
//! - [`reader`]: whole files, at a rate, past the page cache
//! - [`verify`]: files against their records, in rounds that go on where they were cut off
//! - [`ledger`]: the ledger against a walk
//! - [`rescan`]: takes up a home as it lies on the disk
//! - [`keep`]: what the daemon does of it by the clock and on request

pub(crate) mod keep;
pub mod ledger;
mod reader;
pub mod rescan;
pub mod verify;

use std::io;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use wire::{Fault, RemotePath, UserName};

use crate::catalog::{CatalogError, Known, Place, RecordKey, What};
use crate::faults::damaged;
use crate::tenant::{Tenant, is_of};
use crate::vault::{Home, Stamp, VaultError};
use reader::Reader;

/// Why stored files could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum CustodyError {
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A home.
    #[error("the home of `{user}` cannot be read")]
    Home {
        /// Whose.
        user: UserName,
        /// Why.
        source: VaultError,
    },
    /// Setting it right failed.
    #[error("the home of `{user}` could not be taken up: {reason}")]
    Rescan {
        /// Whose.
        user: UserName,
        /// Why.
        reason: String,
    },
    /// It changes faster than it can be counted.
    #[error("the home of `{0}` changes all the time; try again when there is less to do")]
    Busy(UserName),
    /// What was found cannot be told.
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
    /// A blocking task did not come back.
    #[error("reading was cut off")]
    Lost(#[source] tokio::task::JoinError),
    /// The server goes down.
    #[error("stopped; the next time goes on where this one was")]
    Stopped,
}

/// Opens what a record is of.
fn open(home: &Home, place: &Place) -> Result<(std::fs::File, crate::vault::Node), VaultError> {
    match place {
        Place::Home(path) => home.open_file(path),
        Place::Trash(path) => home.open_trashed(path),
    }
}

/// Of the same size and time: what differs then was not written by anybody.
pub(crate) fn is_alike(found: &Stamp, recorded: &crate::catalog::Stamp) -> bool {
    (found.size, found.mtime) == (recorded.size, recorded.mtime)
}

/// Refuses a file that was found damaged, as long as it is that file.
pub(crate) async fn refuse_damaged(tenant: &Tenant, path: &RemotePath, stamp: &Stamp) -> Result<(), Fault> {
    match tenant.catalog.known(tenant.id, vec![path.clone()]).await?.pop() {
        Some(Known::Damaged(recorded)) if is_alike(stamp, &recorded) => Err(damaged()),
        _ => Ok(()),
    }
}

/// The bytes of a file were not what its record says. If nobody has written it meanwhile, it is damaged from now on,
/// and the log says so.
pub(crate) async fn note_damage(tenant: &Tenant, path: &RemotePath) -> Result<bool, Fault> {
    let Some(record) = tenant.catalog.record(tenant.id, path).await? else { return Ok(false) };
    let target = path.clone();
    let node = tenant.on_disk(move |home| home.open_file(&target)).await?.1;
    if !is_of(&node.stamp, &record.stamp) {
        return Ok(false);
    }
    tenant.catalog.note_finding(&RecordKey::home(tenant.id, path), record.stamp, What::Damaged).await?;
    report(&tenant.name, &Place::Home(path.clone()), What::Damaged);
    Ok(true)
}

/// A client says that what it got is damaged: the file is read, for a word of a client is not believed. One who says
/// so of many files at once has to wait for the next round.
pub(crate) async fn suspect(tenant: Arc<Tenant>, path: RemotePath, stop: CancellationToken) {
    let Some(turns) = tenant.reading_now() else { return };
    let looked = async {
        let Some(record) = tenant.catalog.record(tenant.id, &path).await? else { return Ok(false) };
        let target = path.clone();
        let is_sound = tenant.read_long(turns, move |home| {
            let (file, node) = home.open_file(&target)?;
            let root = Reader::new(None, stop).root(&file, node.stamp.size);
            Ok::<_, VaultError>(
                !is_of(&node.stamp, &record.stamp) || root.ok().is_none_or(|root| root == record.stamp.root),
            )
        });
        if is_sound.await?? { Ok(false) } else { note_damage(&tenant, &path).await }
    };
    match looked.await {
        Ok(damaged) => tracing::info!(user = %tenant.name, %path, damaged, "a client told of damage"),
        Err(fault) => {
            tracing::warn!(%fault, user = %tenant.name, %path, "what a client said of damage is not looked at")
        }
    }
}

/// One line of the log for each file.
pub(crate) fn report(user: &UserName, place: &Place, what: What) {
    let (path, in_trash) = match place {
        Place::Home(path) => (path, false),
        Place::Trash(path) => (path, true),
    };
    let finding = what.name();
    tracing::error!(%user, %path, in_trash, finding, "a stored file is not what its record says");
}
