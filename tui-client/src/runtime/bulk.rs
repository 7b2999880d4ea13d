//! Very many changes of one directory, portion by portion: how far it is, is told; it stops between two things.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use wire::path::escape;
use wire::{Code, Fault};

use super::port::Port;
use super::reading::{not_connected, panicked};
use super::undoing;
use super::work::{self, Step, Trace, Traces, stopped};
use crate::app::place::Place;
use crate::app::undo::{self, MOST_UNDONE, Moved, Sight};
use crate::entries::Picked;
use crate::update::{Act, Bulk, Ended};

/// Does all of it; `told` of how many things are through. What can be taken back, where they are not too many for that.
pub(super) async fn run(
    port: Option<&Port>,
    bulk: Bulk,
    token: &CancellationToken,
    mut told: impl FnMut(u64),
) -> (Ended, undo::Step) {
    let (mut ended, mut traces, mut done) = (Ended::default(), Traces::default(), Vec::new());
    let is_undoable = bulk.picked.len() <= MOST_UNDONE;
    if let Err((name, fault)) = make_target(port, &bulk).await {
        (ended.refused, ended.first, ended.stopped) = (1, Some((name, fault)), true);
    }
    for start in (0..bulk.picked.len()).step_by(PORTION) {
        if ended.stopped {
            break;
        }
        for (id, name, result) in portion(port, &bulk, start, token).await {
            match result {
                Ok(trace) => {
                    done.push(id);
                    if is_undoable {
                        traces.add(trace);
                    }
                }
                Err(fault) if fault.code == Code::Cancelled && token.is_cancelled() => ended.stopped = true,
                Err(fault) => {
                    // Without a connection all that follow are refused as well.
                    ended.stopped |=
                        matches!(fault.code, Code::Timeout | Code::Draining | Code::Ticket | Code::Cancelled);
                    ended.refused += 1;
                    ended.first.get_or_insert((escape(&name), fault));
                }
            }
        }
        told(done.len() as u64 + ended.refused);
    }
    ended.done = Picked::new(bulk.picked.entries().clone(), Arc::new(done));
    (ended, traces.undoable())
}

/// The directory that was typed is made once, not for each thing.
async fn make_target(port: Option<&Port>, bulk: &Bulk) -> Result<(), (String, Fault)> {
    let Some(Place::Remote(target)) = bulk.act.target() else { return Ok(()) };
    let made = match port {
        Some(_) if target.is_home() => Ok(()),
        Some(port) => port.make_directories(target).await,
        None => Err(not_connected()),
    };
    made.map_err(|fault| (target.to_string(), fault))
}

type Results = Vec<(u32, Vec<u8>, Result<Trace, Fault>)>;

async fn portion(port: Option<&Port>, bulk: &Bulk, start: usize, token: &CancellationToken) -> Results {
    let picked = bulk.picked.range(start..start + PORTION);
    let steps: Vec<_> =
        picked.map(|one| (one.id, one.name.to_vec(), step(bulk, one.name), undoing::seen(&one))).collect();
    // A move that can be taken back looks at each thing where it came to lie.
    let is_seen = matches!(bulk.act, Act::Move(_)) && bulk.picked.len() <= MOST_UNDONE;
    if bulk.place.is_local() && !is_seen {
        let (names, token): (Vec<_>, _) =
            (steps.iter().map(|(id, name, ..)| (*id, name.clone())).collect(), token.clone());
        let all = spawn_blocking(move || {
            steps.into_iter().map(|(id, name, step, _)| (id, name, here(step, &token))).collect()
        });
        return all.await.map_err(panicked).unwrap_or_else(|fault| {
            names.into_iter().map(|(id, name)| (id, name, Err(fault.clone()))).collect::<Results>()
        });
    }
    let one = |(id, name, step, sight): (u32, Vec<u8>, Result<Step, Fault>, Sight)| async move {
        let result = match step {
            _ if token.is_cancelled() => Err(stopped()),
            Ok(step) if bulk.place.is_local() => work::one(port, step, token).await,
            Ok(step) => there(port, step, sight, token).await,
            Err(fault) => Err(fault),
        };
        (id, name, result)
    };
    stream::iter(steps).map(one).buffer_unordered(AT_ONCE).collect().await
}

/// At the server each thing takes one request: the target is there, and a thing that was given another path is known
/// again by what the listing said of it.
async fn there(port: Option<&Port>, step: Step, sight: Sight, token: &CancellationToken) -> Result<Trace, Fault> {
    match (step, port.ok_or_else(not_connected)?) {
        (Step::Move(Place::Remote(from), Place::Remote(to), _), port) => {
            port.rename(&from, &to, false).await?;
            Ok(Trace::Moved(Moved { from: Place::Remote(from), to: Place::Remote(to), sight }))
        }
        (Step::Copy(Place::Remote(from), Place::Remote(to), _), port) => {
            let copied = token.run_until_cancelled(port.copy(&from, &to, false)).await;
            copied.unwrap_or_else(|| Err(stopped())).map(|()| Trace::Nothing)
        }
        (step, port) => work::one(Some(port), step, token).await,
    }
}

/// All of a portion by one task: a million of them would take longer to be begun than to be done.
fn here(step: Result<Step, Fault>, token: &CancellationToken) -> Result<Trace, Fault> {
    if token.is_cancelled() { Err(stopped()) } else { step?.run_here(token).map(|()| Trace::Nothing) }
}

fn step(bulk: &Bulk, name: &[u8]) -> Result<Step, Fault> {
    let bad = |reason| Fault::new(Code::BadPath, reason);
    let from = bulk.place.join(name).map_err(bad)?;
    let to = |target: &Place| {
        let to = target.join(name).map_err(bad)?;
        if to.is_within(&from) { Err(bad("it cannot go into itself".to_owned())) } else { Ok(to) }
    };
    Ok(match &bulk.act {
        Act::Remove => Step::Remove(from),
        Act::Trash => Step::Trash(from),
        Act::Move(target) => Step::Move(from.clone(), to(target)?, false),
        Act::Copy(target) => Step::Copy(from.clone(), to(target)?, false),
    })
}

/// Things between two tellings and two looks at what is left.
const PORTION: usize = 256;
/// The server takes 64 requests of a session at once: some are left for others.
pub(super) const AT_ONCE: usize = 32;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::app::sample::file;
    use crate::entries::{Entries, Picked};

    fn bulk(directory: &Path, names: impl Iterator<Item = String>, act: Act) -> Bulk {
        let entries: Entries = names.map(|name| file(&name, 0, 0)).collect::<Vec<_>>().iter().collect();
        Bulk { place: Place::Local(directory.to_owned()), picked: Picked::all(entries), act }
    }

    /// Makes so many files; a removal of them and of one that cannot go.
    fn planted(directory: &Path, many: usize) -> Bulk {
        (0..many).for_each(|n| fs::write(directory.join(n.to_string()), "").unwrap());
        let names = (0..many).map(|n| n.to_string());
        bulk(directory, ["a\0b".to_owned()].into_iter().chain(names), Act::Remove)
    }

    #[tokio::test]
    async fn all_go_in_portions_and_what_is_refused_stops_no_other() {
        let home = tempfile::tempdir().unwrap();
        for many in [PORTION * 2, MOST_UNDONE + PORTION] {
            let bulk = planted(home.path(), many);
            let mut told = Vec::new();
            let (ended, step) = run(None, bulk, &CancellationToken::new(), |done| told.push(done)).await;
            assert_eq!((ended.done.len(), ended.refused, ended.stopped), (many, 1, false));
            assert!(ended.first.is_some_and(|(name, _)| name == escape(b"a\0b")) && step.is_empty());
            assert_eq!((told.len(), told.last()), ((many + 1).div_ceil(PORTION), Some(&(many as u64 + 1))));
            assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
        }
    }

    #[tokio::test]
    async fn it_stops_between_two_things() {
        let home = tempfile::tempdir().unwrap();
        for many in [PORTION * 3, MOST_UNDONE + PORTION] {
            let (bulk, token) = (planted(home.path(), many), CancellationToken::new());
            let (ended, _) = run(None, bulk, &token, |done| {
                if done >= PORTION as u64 {
                    token.cancel();
                }
            })
            .await;
            assert_eq!((ended.done.len() as u64 + ended.refused, ended.stopped), (PORTION as u64, true));
            assert_eq!(fs::read_dir(home.path()).unwrap().count(), many - ended.done.len());
        }
    }

    #[tokio::test]
    async fn moves_replace_nothing_and_can_be_taken_back() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("to");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("b"), "another").unwrap();
        let names = ["a", "b", "to"].map(str::to_owned);
        names.iter().take(2).for_each(|name| fs::write(home.path().join(name), name).unwrap());
        let bulk = bulk(home.path(), names.into_iter(), Act::Move(Place::Local(target.clone())));
        let (ended, step) = run(None, bulk, &CancellationToken::new(), |_| {}).await;
        assert_eq!((ended.done.len(), ended.refused), (1, 2), "{ended:?}");
        assert_eq!(fs::read(target.join("b")).unwrap(), b"another");
        assert_eq!(step.places(), [Place::Local(home.path().join("a"))]);
    }
}
