//! Taking steps back, the last things first, many at once where they do not lie in each other. Nothing is touched that is
//! not what was put there.

use std::os::unix::fs::MetadataExt;

use futures_util::stream::{self, StreamExt};
use tokio::task::spawn_blocking;
use wire::message::Kind;
use wire::path::escape;
use wire::{Code, Fault, RemotePath};

use super::bulk::AT_ONCE;
use super::disk;
use super::port::Port;
use super::reading::{not_connected, panicked};
use crate::app::place::Place;
use crate::app::undo::{Moved, Sight, Step};
use crate::entries::EntryRef;
use crate::update::{Told, Wish};

/// Does what is wished; what is to be told of it.
pub(super) async fn run(port: Option<&Port>, wish: Wish) -> Option<Told> {
    match wish {
        Wish::State => match port?.trash_state().await {
            Ok(state) => Some(Told::State(state)),
            Err(fault) => {
                // It is asked again after the next change, or the next connection.
                tracing::warn!(%fault, "what the trash holds is not known");
                None
            }
        },
        Wish::Undo(step) => Some(undo(port, step).await),
        Wish::Empty => {
            let emptied = match port {
                Some(port) => port.empty_trash().await,
                None => Err(not_connected()),
            };
            Some(Told::Emptied(emptied.err()))
        }
    }
}

/// What a thing is known again by.
pub(super) async fn sight(port: Option<&Port>, place: &Place) -> Result<Sight, Fault> {
    match place {
        Place::Remote(path) => Ok(seen(&(&port.ok_or_else(not_connected)?.stat(path).await?).into())),
        Place::Local(path) => {
            let path = path.clone();
            let looked = spawn_blocking(move || disk::look(&path)).await.map_err(panicked)?;
            let (entry, metadata) = looked?;
            let mtime = Some(entry.mtime).filter(|_| entry.kind != Kind::Directory);
            Ok(Sight { mtime, numbers: Some((metadata.dev(), metadata.ino())), ..seen(&(&entry).into()) })
        }
    }
}

/// What an entry at the server is known again by.
pub(super) fn seen(entry: &EntryRef<'_>) -> Sight {
    Sight { kind: entry.kind, size: entry.size, mtime: Some(entry.mtime), numbers: None }
}

async fn undo(port: Option<&Port>, step: Step) -> Told {
    let (mut back, mut rest, mut fault) = (Vec::new(), step.clone(), None);
    while fault.is_none() && !rest.is_empty() {
        let things = last_ones(&mut rest);
        let one = |thing: Thing| async move {
            let result = thing.put_back(port).await;
            (thing, result)
        };
        let mut left = Vec::new();
        for (thing, result) in stream::iter(things).map(one).buffered(AT_ONCE).collect::<Vec<_>>().await {
            match result {
                Ok(place) => back.push(place),
                Err(reason) => {
                    fault.get_or_insert(reason);
                    left.push(thing);
                }
            }
        }
        left.into_iter().rev().for_each(|thing| thing.keep(&mut rest));
    }
    Told::Undone { step, back, rest, fault }
}

/// Something that is put back by itself.
enum Thing {
    Trashed(RemotePath, u64),
    Moved(Moved),
}

/// Takes off the last things of a step, the very last one first: as many as may be put back at once, for none of them
/// was in another.
fn last_ones(step: &mut Step) -> Vec<Thing> {
    let mut things: Vec<(Place, Thing)> = Vec::new();
    while things.len() < AT_ONCE {
        let place = match step {
            Step::Trashed(items) => items.last().map(|(path, _)| Place::Remote(path.clone())),
            Step::Moved(moved) => moved.last().map(|moved| moved.from.clone()),
        };
        let Some(place) =
            place.filter(|place| things.iter().all(|(other, _)| !place.is_within(other) && !other.is_within(place)))
        else {
            break;
        };
        let thing = match step {
            Step::Trashed(items) => items.pop().map(|(path, id)| Thing::Trashed(path, id)),
            Step::Moved(moved) => moved.pop().map(Thing::Moved),
        };
        things.extend(thing.map(|thing| (place, thing)));
    }
    things.into_iter().map(|(_, thing)| thing).collect()
}

impl Thing {
    async fn put_back(&self, port: Option<&Port>) -> Result<Place, Fault> {
        match self {
            Thing::Trashed(_, id) => Ok(Place::Remote(port.ok_or_else(not_connected)?.restore(*id).await?)),
            Thing::Moved(moved) => move_back(port, moved).await.map(|()| moved.from.clone()),
        }
    }

    /// It is still to be put back, after those that are.
    fn keep(self, step: &mut Step) {
        match (self, step) {
            (Thing::Trashed(path, id), Step::Trashed(items)) => items.push((path, id)),
            (Thing::Moved(one), Step::Moved(moved)) => moved.push(one),
            _ => {}
        }
    }
}

async fn move_back(port: Option<&Port>, Moved { from, to, sight: then }: &Moved) -> Result<(), Fault> {
    if sight(port, to).await? != *then {
        let text = format!("{} is not what was put there any more, and stays", escape(to.name()));
        return Err(Fault::new(Code::Changed, text));
    }
    match (to.clone(), from.clone()) {
        (Place::Remote(to), Place::Remote(from)) => {
            super::work::rename(port.ok_or_else(not_connected)?, &to, &from, false).await
        }
        (Place::Local(to), Place::Local(from)) => {
            spawn_blocking(move || disk::rename(&to, &from, false)).await.map_err(panicked)?
        }
        _ => Err(Fault::new(Code::Unsupported, "it was not moved within one side")),
    }
}
