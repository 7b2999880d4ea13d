//! What goes by itself: what lies in a trash too long, and uploads that nobody went on with.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::{Fault, UserName};

use crate::audit::{Audit, Trail, shown};
use crate::catalog::{Catalog, UserId};
use crate::config::Live;
use crate::session::Sessions;
use crate::tenant::Tenant;
use crate::trash::erase;

/// Deletes whatever has expired, uploads after as many days as the settings say (0: never): at once, whenever `look` is rung, and every
/// [`PAUSE`]. Each deletion runs under `running`, so that none is torn off in the middle, and none begins once the
/// server goes down.
pub(crate) async fn keep(
    catalog: Catalog,
    sessions: Arc<Sessions>,
    live: Live,
    audit: Audit,
    look: Arc<Notify>,
    draining: CancellationToken,
    running: TaskTracker,
) {
    while !draining.is_cancelled() {
        let sweep = Sweep {
            catalog: catalog.clone(),
            sessions: Arc::clone(&sessions),
            audit: audit.clone(),
            draining: draining.clone(),
        };
        let upload_days = live.now().upload_days;
        if let Err(error) = running.spawn(sweep.all(upload_days)).await {
            tracing::error!(%error, "what has expired is not deleted");
        }
        // Either way it is time to look again.
        let _ = draining.run_until_cancelled(tokio::time::timeout(PAUSE, look.notified())).await;
    }
}

struct Sweep {
    catalog: Catalog,
    sessions: Arc<Sessions>,
    audit: Audit,
    draining: CancellationToken,
}

impl Sweep {
    async fn all(self, upload_days: u32) {
        match self.catalog.expired().await {
            Ok(expired) => {
                let items = expired.into_iter().map(|item| {
                    let mut deed = Trail::of_server(self.audit.clone(), item.name.clone()).begin("erase");
                    deed.entry.path = Some(shown(&item.path));
                    (item.user, item.name, (item.id, deed))
                });
                self.each(items, async |tenant, (id, deed)| erase(&tenant, id, deed).await).await;
            }
            Err(error) => tracing::error!(error = &error as &dyn Error, "the catalog does not tell what has expired"),
        }
        if upload_days == 0 {
            return;
        }
        match self.catalog.expired_uploads(upload_days).await {
            Ok(expired) => {
                let items = expired.into_iter().map(|upload| (upload.user, upload.name.clone(), upload));
                let expire = async |tenant: Arc<Tenant>, upload: crate::catalog::Upload| {
                    if tenant.discard_upload(&upload.path, upload.staging).await? {
                        let (user, path) = (&tenant.name, &upload.path);
                        tracing::info!(%user, %path, size = upload.size, "an unfinished upload has expired");
                    }
                    Ok(())
                };
                self.each(items, expire).await;
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn Error, "the catalog does not tell which uploads have expired")
            }
        }
    }

    /// One after another, those of a user together.
    async fn each<T>(
        &self,
        items: impl Iterator<Item = (UserId, UserName, T)>,
        delete: impl AsyncFn(Arc<Tenant>, T) -> Result<(), Fault>,
    ) {
        let mut last: Option<Arc<Tenant>> = None;
        for (user, name, item) in items {
            if self.draining.is_cancelled() {
                break;
            }
            let tenant = match last.take().filter(|tenant| tenant.id == user) {
                Some(tenant) => Ok(tenant),
                None => self.sessions.tenant(user, &name),
            };
            let result = match &tenant {
                Ok(tenant) => delete(Arc::clone(tenant), item).await,
                Err(fault) => Err(fault.clone()),
            };
            if let Err(fault) = result {
                tracing::error!(%fault, user = %name, "what has expired could not be deleted; it is tried again");
            }
            if let Ok(tenant) = tenant {
                tenant.announce_usage().await;
                last = Some(tenant);
            }
        }
    }
}

/// Expiry is counted in days.
const PAUSE: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Change, Phc, RecordChange};
    use crate::commons::Commons;
    use crate::config::{Config, Durability};
    use crate::vault::Vault;
    use std::time::Instant;
    use wire::RemotePath;

    /// The clock of the runtime stands still and goes on by itself when there is nothing else to do.
    #[tokio::test(start_paused = true)]
    async fn a_server_that_runs_on_looks_again_by_itself() {
        let dir = tempfile::tempdir().expect("a directory");
        let catalog = Catalog::open(&dir.path().join("catalog.sqlite"), Durability::Relaxed).expect("opened");
        let name: UserName = "ada".parse().expect("a name");
        let user = catalog.add_user(&name, Phc("x".into()), None, None).await.expect("added");
        catalog.set_trash(&name, Some(30)).await.expect("set");
        let vault = Vault::new(dir.path(), Arc::new(Durability::Relaxed));
        let home = vault.home(&name).expect("made");
        std::fs::write(dir.path().join("ada/files/f"), "f").expect("written");
        let path = RemotePath::parse(b"f").expect("a path");
        let (change, id) = catalog.begin_trash(user, &path, 1).await.expect("begun");
        home.to_trash(&path, id).expect("moved").expect("synced");
        let records = RecordChange::Trashed { path, id };
        catalog.settle_change(change, Change { records, ..Change::default() }).await.expect("settled");
        let live = Live::new(Config::default());
        let sessions = Sessions::new(catalog.clone(), vault, Commons::new(live.clone()));
        let (draining, look) = (CancellationToken::new(), Arc::new(Notify::new()));
        let (audit, running) = (Audit::default(), TaskTracker::new());
        let keeping = keep(catalog.clone(), sessions, live, audit, look, draining.clone(), running);
        let keeping = tokio::spawn(keeping);
        let lies = || dir.path().join(format!("ada/trash/{id}")).exists();
        tokio::time::sleep(3 * PAUSE).await;
        assert!(lies(), "its days are not over");

        // Without a trash they are, and nobody rings.
        catalog.set_trash(&name, None).await.expect("set");
        let (start, clock) = (Instant::now(), tokio::time::Instant::now());
        while lies() {
            assert!(start.elapsed() < Duration::from_secs(30), "nobody has looked");
            tokio::time::sleep(PAUSE / 10).await;
        }
        assert!(clock.elapsed() > PAUSE / 10, "by the clock");
        draining.cancel();
        keeping.await.expect("ended");
    }
}
