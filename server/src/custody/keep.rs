//! What the daemon does for its custody by itself: a round through all files every so many days, and the rescans that
//! the flag asks for.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::rescan::{Reading, rescan};
use super::verify::Verification;
use super::{CustodyError, report};
use crate::catalog::{Catalog, Recorded, Scope, What};
use crate::config::{Live, Verify};
use crate::session::Sessions;
use crate::vault::Vault;

/// Begins a round whenever one is due, and goes on with one that was cut off.
pub(crate) async fn verifying(catalog: Catalog, vault: Vault, live: Live, draining: CancellationToken) {
    while !draining.is_cancelled() {
        let verify = live.now().verify.clone();
        match catalog.round_is_due(Scope::Clock, verify.every_days).await {
            Ok(true) if verify.every_days > 0 => round(&catalog, &vault, &verify, &draining).await,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(error = &error as &dyn Error, "the catalog does not tell when files were verified")
            }
        }
        let _ = draining.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
    }
}

async fn round(catalog: &Catalog, vault: &Vault, verify: &Verify, draining: &CancellationToken) {
    let (scope, rate, stop) = (Scope::Clock, verify.rate, draining.clone());
    let verification = Verification { catalog: catalog.clone(), vault: vault.clone(), scope, rate, stop };
    let tell = |found: &Recorded, what: What| {
        report(&found.name, &found.place, what);
        Ok(())
    };
    match verification.run(false, tell).await {
        Ok(summary) if summary.is_clean() => tracing::info!(?summary, "all files verified"),
        Ok(summary) => tracing::error!(?summary, "all files verified; some are not what their records say"),
        Err(CustodyError::Stopped) => {}
        Err(error) => tracing::error!(%error, "files could not be verified; it is tried again"),
    }
}

/// Does what [`Catalog::ask_rescan`] asks for, whenever `look` is rung. None is torn off in the middle of a step.
pub(crate) async fn rescanning(
    catalog: Catalog,
    sessions: Arc<Sessions>,
    live: Live,
    look: Arc<Notify>,
    draining: CancellationToken,
    running: TaskTracker,
) {
    while !draining.is_cancelled() {
        let reading = Reading { rate: live.now().verify.rate, stop: draining.clone() };
        let answering = answer_all(catalog.clone(), Arc::clone(&sessions), reading);
        if let Err(error) = running.spawn(answering).await {
            tracing::error!(%error, "a rescan was lost");
        }
        let _ = draining.run_until_cancelled(look.notified()).await;
    }
}

async fn answer_all(catalog: Catalog, sessions: Arc<Sessions>, reading: Reading) {
    let asked = catalog.asked_rescans().await.unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn Error, "the catalog does not tell what to rescan");
        Vec::new()
    });
    for (user, name) in asked {
        let done = match sessions.tenant(user, &name) {
            Ok(tenant) => rescan(&tenant, &reading).await.inspect(|done| {
                if done.before != done.after {
                    tenant.commons.counters.drifts.add(1);
                }
            }),
            Err(fault) => Err(fault),
        };
        if reading.stop.is_cancelled() && done.is_err() {
            // The next start does it.
            return;
        }
        if let Err(error) = catalog.answer_rescan(user, &done.map_err(|fault| fault.to_string())).await {
            tracing::error!(error = &error as &dyn Error, "a rescan could not be answered");
        }
    }
}

/// Rounds are counted in days.
const PAUSE: Duration = Duration::from_secs(600);
