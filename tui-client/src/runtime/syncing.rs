//! Scans and what comes of them, as tasks.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use wire::Fault;

use super::port::Port;
use super::reading::{Pulse, not_connected, panicked};
use crate::app::place::Place;
use crate::app::undo::Step;
use crate::sync::carry::{self, Carried};
use crate::sync::ground::{Ground, Removal};
use crate::sync::mode::Mode;
use crate::sync::orders::Orders;
use crate::sync::plan::{Action, Plan};
use crate::sync::scan::{self, Scan};
use crate::update::{Compared, Msg, Told};

/// Puts two directories side by side, and tells the screen what is there as it comes.
pub(super) async fn scan(
    port: Option<Port>,
    serial: u64,
    places: (Place, Place),
    mode: Mode,
    token: CancellationToken,
    inbox: mpsc::Sender<Msg>,
) {
    let told = match (ground(port.as_ref(), places.0), ground(port.as_ref(), places.1)) {
        (Ok(left), Ok(right)) => {
            let show = |plan, progress| {
                // A full inbox has newer things to tell, and more comes.
                let _ = inbox.try_send(Msg::Scanned { serial, told: Compared::Partly(plan, progress) });
            };
            match scan::run(&Scan { left, right, mode }, &token, show).await {
                Ok(whole) => Compared::Whole(whole.plan, whole.progress),
                Err(fault) => Compared::Failed(fault),
            }
        }
        (Err(fault), _) | (_, Err(fault)) => Compared::Failed(fault),
    };
    let _ = inbox.send(Msg::Scanned { serial, told }).await;
}

/// Does what a plan comes to: files into the queue, the rest here. Told to stop, it begins nothing more, and tells what
/// it did.
pub(super) async fn carry(
    port: Option<Port>,
    serial: u64,
    planned: (Plan, Arc<Vec<Action>>),
    places: (Place, Place),
    removal: Removal,
    token: CancellationToken,
    inbox: mpsc::Sender<Msg>,
) {
    let mut pulse = Pulse::new(inbox.clone());
    let told = |done, all| pulse.beat(|| Msg::Carrying { serial, done, all });
    let carried = carry_out(port, planned, places, removal, &token, told).await;
    if let Ok((carried, _)) = &carried {
        let _ = inbox.send(Msg::Trash(Told::Done(Step::Trashed(carried.trashed.clone())))).await;
    }
    let _ = inbox.send(Msg::Carried { serial, carried }).await;
}

async fn carry_out(
    port: Option<Port>,
    (plan, actions): (Plan, Arc<Vec<Action>>),
    places: (Place, Place),
    removal: Removal,
    token: &CancellationToken,
    mut told: impl FnMut(u64, u64),
) -> Result<(Carried, u64), Fault> {
    let (left, right) = (ground(port.as_ref(), places.0)?, ground(port.as_ref(), places.1)?);
    let grounds = (left.clone(), right.clone());
    let ordered = spawn_blocking(move || {
        let action = |index: usize, _: &_| actions.get(index).copied().unwrap_or_default();
        Orders::of(&plan, &grounds.0, &grounds.1, action)
    });
    let orders = ordered.await.map_err(panicked)?;
    if token.is_cancelled() {
        return Ok(Default::default());
    }
    let mut queued = 0;
    for transfer in orders.transfers {
        queued += transfer.chosen.len() as u64;
        port.as_ref().ok_or_else(not_connected)?.enqueue_chosen(transfer);
    }
    let all = orders.tasks.len() as u64;
    let done = |carried: &Carried| told(carried.done + carried.failed.len() as u64, all);
    Ok((carry::run(orders.tasks, (&left, &right), removal, token, done).await, queued))
}

fn ground(port: Option<&Port>, place: Place) -> Result<Ground, Fault> {
    match place {
        Place::Local(path) => Ok(Ground::Here(path)),
        Place::Remote(path) => Ok(port.ok_or_else(not_connected)?.ground(path)),
    }
}
