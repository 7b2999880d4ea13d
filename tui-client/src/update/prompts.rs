//! Dialogs that take a line of text, and deletion: from what is marked to work or to items of the queue.

use globset::Glob;
use wire::message::Secret;
use wire::path::escape;

use super::{Act, Bulk, Effect, Steps, Work, bulk, decisions, find, jumps, marking, push, server, viewer, work};
use crate::action::Scope;
use crate::app::dialog::{Counting, Deletion, Kind, Login, Prompt, Tally};
use crate::app::field::Field;
use crate::app::pane::Row;
use crate::app::pane::marking::{Turn, Which};
use crate::app::place::Place;
use crate::app::sources::{Many, Source, Sources};
use crate::app::text;
use crate::app::{App, Copying, Session, Tone};
use crate::engine::status::{AfterCopy, IfExists, Job, NewItem};

/// Asks where the marked things are to be copied.
pub(super) fn copy(app: &mut App, out: &mut Vec<Effect>) {
    let Some(sources) = sources_or_tell(app) else { return };
    let base = app.there().place.clone();
    let needs_server = !app.here().place.is_local() || !base.is_local();
    if needs_server && !matches!(app.session, Session::Online(_)) {
        return app.tell(Tone::Bad, "Not connected: Ctrl-N connects to a server");
    }
    let text = proposal(&base, &sources);
    let counting = count(app, &sources, &base, out);
    push(app, Kind::Prompt(Prompt::Copy { sources, base, counting }, Field::new(text)));
}

/// Asks where the marked things are to be moved, or for a new name. Without a server one thing can still
/// be renamed where it is.
pub(super) fn rename(app: &mut App, out: &mut Vec<Effect>) {
    let Some(sources) = sources_or_tell(app) else { return };
    let across = !app.here().place.beside(&app.there().place);
    let stays = across && !matches!(app.session, Session::Online(_));
    if stays && sources.single().is_none() {
        return app.tell(Tone::Bad, "Not connected: Ctrl-N connects to a server");
    }
    let base = if stays { app.here().place.clone() } else { app.there().place.clone() };
    let text = proposal(&base, &sources);
    let counting = count(app, &sources, &base, out);
    push(app, Kind::Prompt(Prompt::Move { sources, base, counting }, Field::new(text)));
}

/// On the way to the other side it matters what directories hold: it is counted behind the prompt.
fn count(app: &mut App, sources: &Sources, base: &Place, out: &mut Vec<Effect>) -> Option<Counting> {
    let places = sources.directory_places().filter(|places| !places.is_empty() && !sources.are_beside(base))?;
    let serial = app.next_serial();
    out.push(Effect::Count { serial, places });
    Some(Counting { serial, tally: Tally::default() })
}

/// A prompt that is left takes its count along.
pub(super) fn stop_count(kind: &mut Kind, out: &mut Vec<Effect>) {
    if let Kind::Prompt(prompt, _) = kind {
        let running = prompt.counting_mut().filter(|counting| !counting.tally.complete);
        out.extend(running.map(|counting| Effect::StopCount(counting.serial)));
    }
}

/// Asks for a new name of what is under the cursor, whatever is marked.
pub(super) fn rename_here(app: &mut App) {
    let base = app.here().place.clone();
    let Row::Entry(entry) = app.here().current() else { return app.tell(Tone::Plain, "Nothing to rename") };
    let (text, source) = (escape(entry.name), Source::of(&base, entry));
    if let Some(source) = source {
        let sources = Sources::Each(vec![source]);
        push(app, Kind::Prompt(Prompt::Move { sources, base, counting: None }, Field::new(text)));
    }
}

pub(super) fn make_directory(app: &mut App) {
    let place = app.here().place.clone();
    push(app, Kind::Prompt(Prompt::MakeDirectory(place), Field::default()));
}

pub(super) fn new_file(app: &mut App) {
    let place = app.here().place.clone();
    push(app, Kind::Prompt(Prompt::NewFile(place), Field::default()));
}

pub(super) fn find(app: &mut App) {
    let place = app.here().place.clone();
    if !place.is_local() && !matches!(app.session, Session::Online(_)) {
        return app.tell(Tone::Bad, "Not connected: Ctrl-N connects to a server");
    }
    push(app, Kind::Prompt(Prompt::FindNames(place), Field::default()));
}

pub(super) fn pattern(app: &mut App, mark: bool) {
    push(app, Kind::Prompt(Prompt::Pattern { mark }, Field::new("*")));
}

/// What a deletion goes past.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// It goes to the trash, where there is one.
    Nothing,
    /// It is for good.
    Trash,
}

/// Asks before a deletion, and has what directories hold counted meanwhile.
pub(super) fn delete(app: &mut App, past: Past, out: &mut Vec<Effect>) {
    let Some(sources) = sources_or_tell(app) else { return };
    let trash = app.undo.trash.filter(|_| past == Past::Nothing && !app.here().place.is_local());
    let days = trash.map(|trash| trash.days);
    let places = sources.directory_places().unwrap_or_default();
    let serial = app.next_serial();
    let tally = (!places.is_empty()).then(Tally::default);
    if !places.is_empty() {
        out.push(Effect::Count { serial, places });
    }
    push(app, Kind::Delete(Deletion { sources, serial, tally, days }));
}

pub(super) fn delete_now(app: &mut App, deletion: Deletion, out: &mut Vec<Effect>) {
    let is_trash = deletion.days.is_some();
    let sources = match deletion.sources {
        Sources::Each(sources) => sources,
        Sources::Many(Many { place, picked, .. }) => {
            let act = if is_trash { Act::Trash } else { Act::Remove };
            if let Err(reason) = bulk::begin(app, Bulk { place, picked, act }, out) {
                app.tell(Tone::Bad, reason);
            }
            return;
        }
    };
    let places = sources.into_iter().map(|source| source.place).collect();
    let more = still_marked(take_marked_hits(app));
    work::begin(app, if is_trash { Work::Trash(places) } else { Work::Remove(places) }, &more, out);
}

/// Does what the prompt is for, or tells why the text makes no sense and leaves it open.
pub(super) fn accept(app: &mut App, prompt: Prompt, typed: &str, out: &mut Vec<Effect>) {
    let done = match prompt {
        Prompt::MakeDirectory(base) => {
            new_place(app, &base, typed).map(|place| work::begin(app, Work::MakeDirectory(place), "", out))
        }
        Prompt::NewFile(base) => {
            new_place(app, &base, typed).map(|place| work::begin(app, Work::NewFile(place), "", out))
        }
        Prompt::Find { back, hex } => viewer::find(app, typed, back, hex, out),
        Prompt::GoTo { hex } => viewer::go_to(app, typed, hex, out),
        Prompt::FindNames(place) => find::begin(app, place, typed, out),
        Prompt::HotName(one) => {
            jumps::named(one, typed, out);
            Ok(())
        }
        Prompt::Pattern { mark } => mark_matching(app, typed, mark, out),
        Prompt::KeepBoth(question) => decisions::name(app, &question, typed, out),
        Prompt::Copy { sources, base, .. } => transfer(app, sources, &base, typed, AfterCopy::Keep, out),
        Prompt::Move { sources, base, .. } => {
            let base = if is_new_name(&sources, &base, typed) { app.here().place.clone() } else { base };
            transfer(app, sources, &base, typed, AfterCopy::Remove, out)
        }
    };
    match done {
        Ok(()) => {
            app.dialogs.iter_mut().for_each(|dialog| stop_count(&mut dialog.kind, out));
            app.dialogs.retain(|dialog| !matches!(dialog.kind, Kind::Prompt(..)));
        }
        Err(reason) => app.tell(Tone::Bad, reason),
    }
}

pub(super) fn connect(app: &mut App, address: &Field, password: &Field, out: &mut Vec<Effect>) {
    let address = address.text().trim().to_owned();
    if let Some(dialog) = app.dialogs.last_mut() {
        // Enter in the address goes on to the password.
        let goes_on = dialog.focus == 0 && password.text().is_empty();
        dialog.focus = if address.is_empty() { 0 } else { 1 };
        if address.is_empty() || goes_on {
            return;
        }
    }
    server::connect(app, Login { address, password: Secret(password.text().to_owned()), trust: None }, out);
}

/// On the way to the other side, a name without a directory renames a thing where it is.
fn is_new_name(sources: &Sources, base: &Place, typed: &str) -> bool {
    sources.single().is_some_and(|source| !source.place.beside(base)) && !typed.contains('/')
}

/// Copies or moves: within one side at once, to the other one through the queue.
fn transfer(
    app: &mut App,
    sources: Sources,
    base: &Place,
    typed: &str,
    source: AfterCopy,
    out: &mut Vec<Effect>,
) -> Result<(), String> {
    let sources = match sources {
        Sources::Each(sources) => sources,
        Sources::Many(many) => {
            let target = base.resolve(typed, b"", app.home.as_deref())?;
            return bulk::transfer(app, many, target, source, out);
        }
    };
    let pairs = pairs(app, sources, base, typed)?;
    let more = still_marked(take_marked_hits(app));
    if pairs.iter().all(|(from, to)| from.beside(to)) {
        let steps = Steps { pairs, replace_first: false };
        work::begin(app, if source == AfterCopy::Keep { Work::Copy(steps) } else { Work::Move(steps) }, &more, out);
        return Ok(());
    }
    let items: Vec<NewItem> = pairs.into_iter().filter_map(|pair| new_item(pair, app.if_exists, source)).collect();
    let what = if source == AfterCopy::Keep { "copy" } else { "move" };
    // What the queue has is no longer the marks' matter.
    if app.focus != Scope::Hits {
        app.here_mut().clear_marks();
    }
    app.tell(Tone::Plain, format!("Queued {} to {what}{more}", text::count(items.len() as u64, "item")));
    app.copies.push(Copying::new(items.iter().map(|item| item.job.clone()).collect()));
    out.push(Effect::Enqueue(items));
    Ok(())
}

/// Each source with its new path. Several go into the directory typed, as does one when it ends in `/`.
fn pairs(app: &App, sources: Vec<Source>, base: &Place, typed: &str) -> Result<Vec<(Place, Place)>, String> {
    let single = match sources.as_slice() {
        [source] if !typed.ends_with('/') => source.place.name().to_vec(),
        _ => Vec::new(),
    };
    let target = base.resolve(typed, &single, app.home.as_deref())?;
    let mut pairs = Vec::with_capacity(sources.len());
    for Source { place, .. } in sources {
        let to = if single.is_empty() { target.join(place.name())? } else { target.clone() };
        if to == place {
            return Err(format!("{} is there already: type another path", escape(place.name())));
        }
        if to.is_within(&place) {
            return Err(format!("{} cannot go into itself", escape(place.name())));
        }
        pairs.push((place, to));
    }
    Ok(pairs)
}

fn new_item(pair: (Place, Place), if_exists: IfExists, source: AfterCopy) -> Option<NewItem> {
    let job = match pair {
        (Place::Local(source), Place::Remote(target)) => Job::Up { source, target },
        (Place::Remote(source), Place::Local(target)) => Job::Down { source, target },
        _ => return None,
    };
    Some(NewItem { job, if_exists, source })
}

fn new_place(app: &App, base: &Place, typed: &str) -> Result<Place, String> {
    let place = base.resolve(typed, b"", app.home.as_deref())?;
    if place == *base { Err("Type a name".to_owned()) } else { Ok(place) }
}

fn mark_matching(app: &mut App, typed: &str, mark: bool, out: &mut Vec<Effect>) -> Result<(), String> {
    Glob::new(typed).map_err(|error| error.to_string())?;
    let turn = if mark { Turn::On } else { Turn::Off };
    marking::mark(app, Which::Matching(typed.to_owned()), turn, out);
    Ok(())
}

/// The text that a target field opens with.
fn proposal(base: &Place, sources: &Sources) -> String {
    match sources.single() {
        Some(source) => base.directory_text() + &escape(source.place.name()),
        None => base.directory_text(),
    }
}

fn sources_or_tell(app: &mut App) -> Option<Sources> {
    let hits = app.lists.hits.as_ref().filter(|_| app.focus == Scope::Hits);
    if hits.is_none() && app.here().marking.is_some() {
        app.tell(Tone::Plain, "Marks are still being set; Esc leaves them as they were");
        return None;
    }
    let sources = hits.map_or_else(|| app.here().sources(), |hits| Sources::Each(hits.selection()));
    if sources.is_empty() {
        app.tell(Tone::Plain, "Nothing is marked");
        return None;
    }
    Some(sources)
}

/// What is done now is no longer marked among what was found; how many are that were not taken.
fn take_marked_hits(app: &mut App) -> usize {
    let hits = app.lists.hits.as_mut().filter(|_| app.focus == Scope::Hits);
    hits.map_or(0, |hits| {
        hits.unmark_taken();
        hits.marks.len()
    })
}

fn still_marked(more: usize) -> String {
    if more == 0 { String::new() } else { format!("; {} more are still marked", text::grouped(more as u64)) }
}
