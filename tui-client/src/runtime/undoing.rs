//! Taking steps back, thing by thing, the last one first. Nothing is touched that is not what was put there.

use std::os::unix::fs::MetadataExt;

use tokio::task::spawn_blocking;
use wire::message::{Entry, Kind};
use wire::path::escape;
use wire::{Code, Fault};

use super::disk;
use super::port::Port;
use super::reading::{not_connected, panicked};
use crate::app::place::Place;
use crate::app::undo::{Moved, Sight, Step};
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
        Place::Remote(path) => Ok(seen(&port.ok_or_else(not_connected)?.stat(path).await?)),
        Place::Local(path) => {
            let path = path.clone();
            let looked = spawn_blocking(move || disk::look(&path)).await.map_err(panicked)?;
            let (entry, metadata) = looked?;
            let mtime = Some(entry.mtime).filter(|_| entry.kind != Kind::Directory);
            Ok(Sight { mtime, numbers: Some((metadata.dev(), metadata.ino())), ..seen(&entry) })
        }
    }
}

fn seen(entry: &Entry) -> Sight {
    Sight { kind: entry.kind, size: entry.size, mtime: Some(entry.mtime), numbers: None }
}

async fn undo(port: Option<&Port>, step: Step) -> Told {
    let mut back = Vec::new();
    let (rest, fault) = match step.clone() {
        Step::Trashed(mut items) => {
            let fault = restore(port, &mut items, &mut back).await.err();
            (Step::Trashed(items), fault)
        }
        Step::Moved(mut moved) => {
            let fault = move_back(port, &mut moved, &mut back).await.err();
            (Step::Moved(moved), fault)
        }
    };
    Told::Undone { step, back, rest, fault }
}

async fn restore(
    port: Option<&Port>,
    items: &mut Vec<(wire::RemotePath, u64)>,
    back: &mut Vec<Place>,
) -> Result<(), Fault> {
    let port = port.ok_or_else(not_connected)?;
    while let Some((_, id)) = items.last() {
        back.push(Place::Remote(port.restore(*id).await?));
        items.pop();
    }
    Ok(())
}

async fn move_back(port: Option<&Port>, moved: &mut Vec<Moved>, back: &mut Vec<Place>) -> Result<(), Fault> {
    while let Some(Moved { from, to, sight: then }) = moved.last() {
        if sight(port, to).await? != *then {
            let text = format!("{} is not what was put there any more, and stays", escape(to.name()));
            return Err(Fault::new(Code::Changed, text));
        }
        match (to.clone(), from.clone()) {
            (Place::Remote(to), Place::Remote(from)) => {
                let port = port.ok_or_else(not_connected)?;
                super::work::make_parent(port, &from).await?;
                port.rename(&to, &from, false).await?;
            }
            (Place::Local(to), Place::Local(from)) => {
                spawn_blocking(move || disk::rename(&to, &from, false)).await.map_err(panicked)??;
            }
            _ => return Err(Fault::new(Code::Unsupported, "it was not moved within one side")),
        }
        back.push(from.clone());
        moved.pop();
    }
    Ok(())
}
