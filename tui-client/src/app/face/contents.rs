//! What each dialog says.

use std::path::PathBuf;

use wire::path::escape;
use wire::size;

use super::{Draft, Press, chrome, decisions, details, history, transfers};
use crate::app::dialog::{Counting, Deletion, Dialog, Kind, Prompt};
use crate::app::place::Place;
use crate::app::queue::direction;
use crate::app::sources::Sources;
use crate::app::space;
use crate::app::text;
use crate::app::undo::MOST_UNDONE;
use crate::app::{App, Tone};
use crate::engine::Trash;
use crate::engine::status::{AfterCopy, Direction, ItemId, Job, State};
use crate::update::Work;

pub(super) fn draft(app: &App, dialog: &Dialog) -> Draft {
    match &dialog.kind {
        Kind::Help(help) => chrome::help(app, help),
        Kind::Palette(palette) => chrome::palette(app, palette),
        Kind::Themes { .. } => chrome::themes(app),
        Kind::Complaints(complaints) => chrome::complaints(app, complaints),
        Kind::Prompt(prompt, field) => prompt_draft(app, prompt).field(field).close_with(prompt_word(prompt)),
        Kind::Delete(deletion) => delete(app, deletion),
        Kind::EmptyTrash => empty_trash(app),
        Kind::Exists { work, fault } => {
            let left = if let Work::Move(steps) | Work::Copy(steps) = work { steps.pairs.len() } else { 1 };
            let draft = Draft::new(app, "The name is taken").text(&fault.message).dangerous();
            let draft = draft.button("Stop", Press::Close);
            let draft = if left > 1 { draft.button("Skip it", Press::SkipOne) } else { draft };
            draft.button("Replace", Press::Accept)
        }
        Kind::Past(past) => history::past(app, past),
        Kind::Decisions => decisions::list(app),
        Kind::Decide { question, for_all } => decisions::one(app, question, *for_all),
        Kind::Connect { address, password, reason } => {
            let mut draft = Draft::new(app, "Connect to a server");
            if let Some(reason) = reason {
                draft = draft.toned(reason, Tone::Bad).text("");
            }
            let secret = if app.has_keys { "password, or nothing: by key" } else { "password" };
            draft = draft.text("user@host:port").field(address).text(secret).field(password);
            if !app.saved.is_empty() {
                draft = draft.text("").text("or one used before");
            }
            for (index, saved) in app.saved.iter().enumerate() {
                draft = draft.choice(format!("  {}", escape(saved.as_bytes())), Press::Saved(index));
            }
            draft.button("Connect", Press::Accept).button("Cancel", Press::Close)
        }
        Kind::Pairing(pairing) => super::pairing::pairing(app, pairing),
        Kind::Comparing { progress, .. } => super::pairing::comparing(app, progress),
        Kind::Carry(totals, removal) => super::pairing::carry(app, totals, *removal),
        Kind::Connecting(address) => Draft::new(app, "Connecting")
            .text(&format!("connecting to {}, Esc cancels", escape(address.as_bytes())))
            .button("Cancel", Press::Close),
        Kind::Unknown { login, fingerprint } => {
            Draft::new(app, format!("First time at {}", escape(host(&login.address).as_bytes())))
                .text("Its key is (BLAKE3)")
                .toned(&in_fours(fingerprint), Tone::Good)
                .text("")
                .text("Compare it with `catamaran-server --fingerprint` there.")
                .button("Cancel", Press::Close)
                .button("Trust and remember", Press::Accept)
        }
        Kind::Changed { address, since, known, presented } => {
            Draft::new(app, "STOP: another key than before")
                .text(&format!("{}, known since {}", escape(host(address).as_bytes()), escape(since.as_bytes())))
                .text(&in_fours(known))
                .text("presented now")
                .toned(&in_fours(presented), Tone::Bad)
                .text("")
                .text("Nothing was sent. Somebody may stand between you and the server. If its operator says that the key was changed, take its entry out of ~/.local/state/catamaran/known_servers.toml and connect again.")
                .dangerous()
                .button("Close", Press::Close)
        }
        Kind::Limits { item, own, all } => Draft::new(app, "Limit the bandwidth")
            .text("bytes a second, as 500K or 2M; or none")
            .text("")
            .text(&name(app, *item))
            .field(own)
            .text("all transfers together")
            .field(all)
            .close_with("Set"),
        Kind::Details(details) => details::draft(app, details),
        Kind::Jump(jump) => super::jumps::draft(app, jump),
        Kind::Item(id) => item(app, *id),
        Kind::Restored(ids) => transfers::restored(app, ids),
        Kind::Stop(ids) => transfers::stopping(app, ids),
        Kind::Drop { ids, quits } => transfers::dropping(app, ids, *quits),
        Kind::Quit => transfers::quit(app),
        Kind::EditLarge { place, size } => {
            let fetched = if place.is_local() { "" } else { " All of it is fetched first." };
            Draft::new(app, "Edit a large file?")
                .text(&format!("{} ({})", escape(place.name()), size::show(*size)))
                .text(&format!("Editors hold a file in memory.{fetched} F3 shows it without."))
                .button("Cancel", Press::Close)
                .button("Edit", Press::Accept)
        }
        Kind::Fetching { name, .. } => Draft::new(app, "Edit")
            .text(&format!("fetching {name}, Esc cancels"))
            .button("Cancel", Press::Close),
        Kind::Kept { copy, reason } => Draft::new(app, "Not sent back")
            .toned(&copy.remote.to_string(), Tone::Good)
            .text(&escape(reason.as_bytes()))
            .text("")
            .text("Your version is kept in")
            .toned(&Place::Local(copy.file.clone()).text(), Tone::Good)
            .button("Close", Press::Close)
            .button("Send it back", Press::Accept),
    }
}

impl Draft {
    /// Whether it fits, where that is known.
    fn room(self, app: &App, sources: &Sources, base: &Place, counting: Option<&Counting>) -> Self {
        match space::before_copy(app, sources, base, counting) {
            Some((words, true)) => self.toned(&words, Tone::Bad).text(""),
            Some((words, false)) => self.text(&words).text(""),
            None => self,
        }
    }

    pub(super) fn close_with(self, word: &'static str) -> Self {
        self.button(word, Press::Accept).button("Cancel", Press::Close)
    }
}

fn prompt_draft(app: &App, prompt: &Prompt) -> Draft {
    match prompt {
        Prompt::MakeDirectory(place) => {
            Draft::new(app, "Make a directory").text(&format!("in {}", place.short_text(app.home.as_deref())))
        }
        Prompt::NewFile(place) => {
            Draft::new(app, "Make an empty file").text(&format!("in {}", place.short_text(app.home.as_deref())))
        }
        Prompt::Find { back, hex } => {
            let draft = Draft::new(app, if *back { "Search backwards" } else { "Search" });
            draft.text(if *hex {
                "bytes as de ad be ef; or text, in quotes where it looks like bytes"
            } else {
                "small letters find large ones, too"
            })
        }
        Prompt::GoTo { hex } => Draft::new(app, "Go to").text(if *hex {
            "a byte (4096 or 0x1000), or 50%"
        } else {
            "a line (120), 50%, or a byte (@4096, 0x1000)"
        }),
        Prompt::FindNames(place) => Draft::new(app, "Find names")
            .text(&format!("below {}", place.short_text(app.home.as_deref())))
            .text("a part of the name, or * any, ? one, [a-z]; small letters find capitals, too"),
        Prompt::HotName(one) => Draft::new(app, "Hotlist").text(&format!("A name for {}", app.landmark_text(one))),
        Prompt::Pattern { mark: true } => Draft::new(app, "Mark").text("names like (* any, ? one, [a-z])"),
        Prompt::Pattern { mark: false } => Draft::new(app, "Unmark").text("names like (* any, ? one, [a-z])"),
        Prompt::KeepBoth(question) => {
            let draft = Draft::new(app, "Keep both");
            let target = text::clip_left(&question.target, draft.width);
            draft.text(&target).text("exists and stays. Name of the new one:")
        }
        Prompt::Copy { sources, base, counting } => {
            let to = toward(sources, base).map_or("Copy".to_owned(), |to| format!("Copy {to}"));
            Draft::new(app, to).room(app, sources, base, counting.as_ref()).text(&format!("{} to", what(sources)))
        }
        Prompt::Move { sources, base, counting } => {
            let Some(to) = toward(sources, base) else {
                return Draft::new(app, "Move or rename").text(&format!("{} to", what(sources)));
            };
            let draft = Draft::new(app, format!("Move {to}")).room(app, sources, base, counting.as_ref());
            let draft = draft.text("A file goes when its copy is proven, not before.");
            let draft =
                if sources.single().is_none() { draft } else { draft.text("A name without / renames it where it is.") };
            draft.text("").text(&format!("{} to", what(sources)))
        }
    }
}

/// Which way to the other side; `None` within one.
fn toward(sources: &Sources, base: &Place) -> Option<&'static str> {
    let across = !sources.are_beside(base);
    across.then_some(if base.is_local() { "to this machine" } else { "to the server" })
}

fn prompt_word(prompt: &Prompt) -> &'static str {
    match prompt {
        Prompt::MakeDirectory(_) | Prompt::NewFile(_) => "Make",
        Prompt::Find { .. } => "Search",
        Prompt::GoTo { .. } => "Go",
        Prompt::FindNames(_) => "Find",
        Prompt::HotName(_) => "Name",
        Prompt::Pattern { mark: true } => "Mark",
        Prompt::Pattern { mark: false } => "Unmark",
        Prompt::KeepBoth(_) => "Keep both",
        Prompt::Copy { .. } => "Copy",
        Prompt::Move { .. } => "Move",
    }
}

/// `boat-plans.pdf (14.2 MiB)`, or `3 marked, 1 directory among them, 645 MiB`.
fn what(sources: &Sources) -> String {
    if let Some(source) = sources.single() {
        let name = escape(source.place.name());
        return if source.directory {
            format!("{name}/ and all it holds")
        } else {
            format!("{name} ({})", size::show(source.size))
        };
    }
    let directories = sources.directories() as u64;
    let bytes = sources.bytes().map(|bytes| format!(", {}", size::show(bytes))).unwrap_or_default();
    let among =
        if directories > 0 { format!(", {} among them", text::count(directories, "directory")) } else { String::new() };
    format!("{} marked{among}{bytes}", text::grouped(sources.len() as u64))
}

fn delete(app: &App, deletion: &Deletion) -> Draft {
    let sources = &deletion.sources;
    let side = if sources.are_beside(&Place::Local(PathBuf::new())) { "on this machine" } else { "at the server" };
    let things = if sources.len() == 1 { "this".to_owned() } else { text::count(sources.len() as u64, "thing") };
    let mut draft = match deletion.days {
        Some(_) => Draft::new(app, format!("Move {things} to the trash?")),
        None => Draft::new(app, format!("Delete {things} {side}?")).dangerous(),
    };
    let width = draft.width;
    for (name, directory) in sources.first_names(NAMES_SHOWN) {
        let name = escape(&name);
        let line = if directory { format!("{name}/ and all it holds") } else { name };
        draft = draft.text(&text::clip(&line, width));
    }
    if let Some(more) = sources.len().checked_sub(NAMES_SHOWN).filter(|more| *more > 0) {
        draft = draft.text(&format!("and {} more", text::grouped(more as u64)));
    }
    if let Some(tally) = &deletion.tally {
        let held = format!(
            "{} and {}, {}",
            text::count(tally.files, "file"),
            text::count(tally.directories, "directory"),
            size::show(tally.bytes)
        );
        let told = if tally.complete {
            format!("The directories hold {held}")
        } else {
            format!("Counting… at least {held}")
        };
        draft = draft.text("").text(&told);
    }
    let draft = draft.text("");
    let Some(days) = deletion.days else {
        return draft
            .text("Deleted is gone: there is no way back.")
            .button("Keep", Press::Close)
            .button("Delete", Press::Accept);
    };
    let draft = match sources.len() {
        0..=MOST_UNDONE => draft,
        _ => draft.toned("So many cannot be taken back by a key.", Tone::Bad),
    };
    let days = if days == 1 { "a day".to_owned() } else { format!("{} days", text::grouped(days.into())) };
    let stays = format!("Kept for {days}; until then it counts against the quota.");
    // What can be taken back is done with one key.
    draft.text(&stays).button("To the trash", Press::Accept).button("Keep", Press::Close)
}

fn empty_trash(app: &App) -> Draft {
    let draft = Draft::new(app, "Empty the trash?");
    match app.undo.trash {
        Some(Trash { items: items @ 1.., bytes, .. }) => draft
            .dangerous()
            .text(&format!("It holds {}, {}.", text::count(items, "thing"), size::show(bytes)))
            .text("")
            .text("Deleted is gone: there is no way back.")
            .button("Keep", Press::Close)
            .button("Empty it", Press::Accept),
        _ => draft.text("There is nothing in it.").button("Close", Press::Close),
    }
}

fn name(app: &App, id: ItemId) -> String {
    let item = app.status.items.iter().find(|item| item.id == id);
    item.map_or("a transfer that is off the list".to_owned(), |item| item.name.clone())
}

fn item(app: &App, id: ItemId) -> Draft {
    let Some(item) = app.status.items.iter().find(|item| item.id == id) else {
        return Draft::new(app, "Transfer").text("It is off the list.").button("Close", Press::Close);
    };
    let least = if item.scanning { "at least " } else { "" };
    let (from, to) = match &item.job {
        Job::Up { source, target } => (Place::Local(source.clone()).text(), target.to_string()),
        Job::Down { source, target } => (source.to_string(), Place::Local(target.clone()).text()),
    };
    let way = match direction(&item.job) {
        Direction::Up => "↑ to the server",
        Direction::Down => "↓ to this machine",
    };
    let title = if item.source == AfterCopy::Remove { "Move" } else { "Copy" };
    let mut draft = Draft::new(app, title).toned(&item.name, Tone::Good).text(&format!("{way}, {}", item.state.word()));
    if let State::Failed(fault) | State::Retrying { fault, .. } = &item.state {
        draft = draft.toned(&format!("{fault} ({})", fault.code), Tone::Bad);
    }
    if !item.note.is_empty() {
        draft = draft.text(&escape(item.note.as_bytes()));
    }
    draft = draft.text("").text(&format!("from  {from}")).text(&format!("to    {to}")).text("");
    draft = draft.text(&format!(
        "{} of {least}{}, {} failed",
        text::grouped(item.files_done),
        text::count(item.files, "file"),
        text::grouped(item.files_failed)
    ));
    draft = draft.text(&format!("{} of {least}{}", size::show(item.bytes_done), size::show(item.bytes)));
    draft = draft.text(&format!("{} travelled, {} were there already", size::show(item.sent), size::show(item.held)));
    draft = draft.text(&format!("running for {}", text::clock(item.elapsed)));
    if let Some(limit) = item.limit {
        draft = draft.text(&format!("held to {}/s", size::show(limit)));
    }
    if let Some(root) = item.root {
        draft = draft.text("").text("BLAKE3").text(&format!("{root}"));
    }
    draft.button("Close", Press::Close)
}

/// A fingerprint in groups of four, as people compare it.
fn in_fours(fingerprint: &str) -> String {
    let chars: Vec<char> = fingerprint.chars().filter(char::is_ascii_alphanumeric).collect();
    chars.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

fn host(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, host)| host)
}

/// Columns below which things stand under each other.
pub(super) const NARROW: usize = 50;
/// Names listed in the question before a deletion.
const NAMES_SHOWN: usize = 8;
