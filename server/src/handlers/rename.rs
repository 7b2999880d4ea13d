//! `Rename`: another path in one step, records and ledger with it.

use std::sync::Arc;

use wire::message::Answer;
use wire::{Fault, RemotePath};

use crate::audit::Deed;
use crate::catalog::{Change, Mark, Place, RecordChange};
use crate::tenant::Tenant;

pub(super) async fn rename(
    tenant: &Arc<Tenant>,
    from: RemotePath,
    to: RemotePath,
    replace: bool,
    deed: &mut Deed,
) -> Result<Answer, Fault> {
    let directories = vec![from.parent(), to.parent()];
    let result = {
        let changing = tenant.changing().await?;
        let mark = Mark { from: Place::Home(from.clone()), to: Some(Place::Home(to.clone())) };
        let change = tenant.catalog.begin_change(tenant.id, mark).await?;
        let (source, target) = (from.clone(), to.clone());
        let renamed = tenant.on_disk(move |home| {
            let freed = home.rename(&source, &target, replace)?;
            Ok((freed, home.sync_parents(&[&source, &target]).into_values().collect::<Result<(), _>>()))
        });
        let renamed = renamed.await;
        if let Ok((freed, _)) = &renamed {
            deed.entry.replaced = Some(freed.bytes).filter(|_| freed.files > 0);
        }
        let did = match &renamed {
            Ok((freed, _)) => Change {
                freed_bytes: freed.bytes,
                freed_files: freed.files,
                records: if from == to { RecordChange::None } else { RecordChange::Moved { from, to: to.clone() } },
                ..Change::default()
            },
            Err(_) => Change::default(),
        };
        tenant.catalog.settle_change(change, did).await?;
        changing.settled();
        renamed
    };
    match result {
        Ok((_, synced)) => {
            tenant.announce(directories).await;
            synced?;
            Ok(Answer::Done)
        }
        Err(fault) => Err(tenant.tell_existing(&to, fault).await),
    }
}
