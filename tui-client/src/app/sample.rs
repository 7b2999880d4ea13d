//! Rows and screens for tests.

use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent};
use jiff::tz::TimeZone;
use termprofile::TermProfile;
use wire::message::{Entry, Kind, RawPath, Time, Usage};
use wire::path::escape;
use wire::{RemotePath, Root};

use super::order::Order;
use super::pane::Pane;
use super::place::Place;
use super::rows::{Listing, Rows};
use super::{App, Opening, Session};
use crate::engine::keep::history::{Ending, Past};
use crate::engine::status::{
    About, AfterCopy, Direction, IfExists, ItemId, ItemStatus, Job, Keep, Link, Pace, Priority, Question, QuestionId,
    Side, State, Status,
};
use crate::entries::{EntryRef, Heirs};
use crate::keymap::Chord;
use crate::theme::Gallery;

/// 2026-11-22 10:00 UTC.
pub(crate) const NOW: Time = Time { secs: 1_795_341_600, nanos: 0 };

pub(crate) fn entry(name: &[u8], kind: Kind, size: u64, secs: i64) -> Entry {
    Entry { name: RawPath(name.to_vec()), kind, size, mtime: Time { secs, nanos: 0 }, executable: false, root: None }
}

pub(crate) fn file(name: &str, size: u64, secs: i64) -> Entry {
    entry(name.as_bytes(), Kind::File, size, secs)
}

pub(crate) fn proven(name: &str, size: u64, secs: i64) -> Entry {
    Entry { root: Some(Root([7; 32])), ..file(name, size, secs) }
}

pub(crate) fn directory(name: &str) -> Entry {
    entry(name.as_bytes(), Kind::Directory, 0, NOW.secs - 3600)
}

/// Rows in the usual order.
pub(crate) fn rows(entries: &[Entry]) -> Rows {
    Rows::new(entries.iter().collect(), Order::default())
}

pub(crate) fn local_pane(path: &str, entries: Vec<Entry>) -> Pane {
    Pane { rows: rows(&entries), read_at: NOW, ..Pane::new(Place::Local(PathBuf::from(path))) }
}

pub(crate) fn remote_pane(path: &str, entries: Vec<Entry>) -> Pane {
    let path = RemotePath::parse(path.as_bytes()).unwrap();
    Pane { rows: rows(&entries), read_at: NOW, ..Pane::new(Place::Remote(path)) }
}

/// What the first read of a directory brings.
pub(crate) fn listing(entries: Vec<Entry>) -> Listing {
    Listing { rows: rows(&entries), heirs: None, free: None, at: NOW }
}

/// What another read of the pane's directory brings.
pub(crate) fn reread_of(pane: &Pane, entries: Vec<Entry>) -> Listing {
    let rows = rows(&entries);
    Listing { heirs: Some(Heirs::of(pane.rows.entries(), rows.entries())), ..listing(entries) }
}

pub(crate) fn names(entries: &[EntryRef<'_>]) -> Vec<String> {
    entries.iter().map(|entry| escape(entry.name)).collect()
}

/// The names of all rows, from the first to the last.
pub(crate) fn all_names(pane: &Pane) -> String {
    let rows: Vec<_> = (0..pane.rows.len()).filter_map(|row| pane.rows.get(row)).collect();
    names(&rows).join(" ")
}

/// Keys from a script: plain characters, and chords in angle brackets, as in `ab<Enter><Ctrl-R>`.
pub(crate) fn keys(script: &str) -> Vec<KeyEvent> {
    let mut keys = Vec::new();
    let mut rest = script;
    while let Some(c) = rest.chars().next() {
        if let Some((chord, after)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            keys.push(chord.parse::<Chord>().unwrap().into());
            rest = after;
        } else {
            keys.push(KeyCode::Char(c).into());
            rest = &rest[c.len_utf8()..];
        }
    }
    keys
}

/// What is in the right pane.
pub(crate) fn photos() -> Vec<Entry> {
    let day = 24 * 3600;
    vec![
        directory("raw"),
        directory("selected"),
        proven("harbour-001.tif", 50_400_000, NOW.secs - 3 * day),
        proven("harbour-002.tif", 50_400_000, NOW.secs - 3 * day),
        file("index.html", 12_288, NOW.secs - 400 * day),
    ]
}

/// A screen of 80x24 with a few files on both sides, connected.
pub(crate) fn app() -> App {
    let day = 24 * 3600;
    let mut app = App::new(Opening {
        local: PathBuf::from("/home/ada/Downloads"),
        home: Some(PathBuf::from("/home/ada")),
        saved: vec!["ada@harbour:7122".into(), "bob@10.0.0.7:7122".into()],
        zone: TimeZone::UTC,
        size: (80, 24),
        if_exists: IfExists::Ask,
        hide_dots: false,
        hotlist: Vec::new(),
        has_keys: false,
    });
    app.left = local_pane(
        "/home/ada/Downloads",
        vec![
            directory("albums"),
            directory("iso"),
            file("boat-plans.pdf", 14_900_000, NOW.secs - 4 * day),
            file("debian-12.iso", 661_651_456, NOW.secs - 23 * day),
            file("notes.md", 4198, NOW.secs - 5400),
        ],
    );
    app.left.free = Some(44_300_000_000);
    app.right = remote_pane("/photos/2026", photos());
    app.session = Session::Online("ada@harbour".into());
    (app.chrome.gallery, _) = Gallery::new(&[], TermProfile::TrueColor);
    app.chrome.gallery.choose("commander");
    app
}

/// A queue with one of everything, and one question.
pub(crate) fn status() -> Status {
    let remote = |path: &str| RemotePath::parse(path.as_bytes()).unwrap();
    let up = |name: &str| Job::Up {
        source: PathBuf::from("/home/ada/Downloads").join(name),
        target: remote("/photos").join(name.as_bytes()).unwrap(),
    };
    let iso = ItemStatus {
        id: ItemId(1),
        job: up("debian-12.iso"),
        source: AfterCopy::Keep,
        name: "debian-12.iso".into(),
        state: State::Running,
        scanning: false,
        files: 1,
        files_done: 0,
        files_skipped: 0,
        files_failed: 0,
        directories_left: 0,
        bytes: 631 << 20,
        bytes_done: 385 << 20,
        bytes_over: 0,
        sent: 380 << 20,
        held: 5 << 20,
        rate: 112 << 20,
        eta: Some(Duration::from_secs(2)),
        root: None,
        limit: None,
        priority: Priority::Normal,
        elapsed: Duration::from_secs(4),
        note: String::new(),
    };
    let raw = ItemStatus {
        id: ItemId(2),
        job: Job::Down { source: remote("/photos/raw"), target: PathBuf::from("/home/ada/Downloads/raw") },
        name: "raw/".into(),
        scanning: true,
        files: 340,
        files_done: 212,
        bytes: 8_160_437_862,
        bytes_done: 2_254_857_830,
        rate: 88 << 20,
        eta: Some(Duration::from_secs(65)),
        note: "2026/日本/IMG_0001.tif".into(),
        ..iso.clone()
    };
    let waiting = item(
        3,
        State::NeedsYou,
        &ItemStatus {
            name: "harbour-001.tif".into(),
            job: up("harbour-001.tif"),
            bytes: 50_400_000,
            bytes_done: 0,
            ..iso.clone()
        },
    );
    let done = item(
        4,
        State::Done,
        &ItemStatus {
            name: "notes.md".into(),
            job: up("notes.md"),
            bytes: 4198,
            bytes_done: 4198,
            root: Some(Root([7; 32])),
            ..iso.clone()
        },
    );
    let question = Question {
        id: QuestionId(1),
        item: ItemId(3),
        direction: Direction::Up,
        job: up("harbour-001.tif"),
        target: "/photos/harbour-001.tif".into(),
        source_side: Side { size: 50_400_000, mtime: Time { secs: NOW.secs - 60, nanos: 0 }, root: None },
        about: About::Exists(Side { size: 50_400_000, mtime: Time { secs: NOW.secs - 86_400, nanos: 0 }, root: None }),
    };
    Status {
        items: vec![iso, raw, waiting, done],
        questions: vec![question],
        open_questions: 1,
        link: Link::Online,
        usage: Some(Usage {
            quota: Some(10 << 30),
            used: 5_500_000_000,
            reserved: 631 << 20,
            files: 812,
            max_files: None,
        }),
        rate: 200 << 20,
        limit: None,
        keep: Keep::Kept,
        pace: Pace { seconds: (0..200).map(|second| (second % 40) * (5 << 20)).collect() },
    }
}

/// An item in another state.
pub(crate) fn item(id: u64, state: State, like: &ItemStatus) -> ItemStatus {
    ItemStatus { id: ItemId(id), state, ..like.clone() }
}

/// A past upload to `/photos`; with a reason it failed.
pub(crate) fn past(account: &str, name: &str, ago: i64, why: &str) -> Past {
    let target = format!("/photos/{}", name.trim_end_matches('/'));
    Past {
        at: NOW.secs - ago,
        account: account.to_owned(),
        job: Job::Up {
            source: format!("/home/ada{target}").into(),
            target: RemotePath::parse(target.as_bytes()).unwrap(),
        },
        source: AfterCopy::Keep,
        if_exists: IfExists::Ask,
        is_part: false,
        end: if why.is_empty() { Ending::Done } else { Ending::Failed },
        name: name.to_owned(),
        files: 1,
        files_failed: u64::from(!why.is_empty()),
        files_skipped: 0,
        bytes: 50_400_000,
        sent: 30_400_000,
        held: 20_000_000,
        elapsed: Duration::from_millis(6500),
        root: why.is_empty().then_some(Root([9; 32])),
        why: why.to_owned(),
    }
}

/// One of each kind, the newest first; one of them failed before it was done.
pub(crate) fn pasts(account: &str) -> Vec<Past> {
    let day = 24 * 3600;
    vec![
        past(account, "notes.md", 60, ""),
        past(account, "raw/", 3600, "1.2 GiB over the quota"),
        past(account, "debian.iso", day, "permission denied"),
        Past {
            job: Job::Down {
                source: RemotePath::parse(b"/photos/old.tif").unwrap(),
                target: "/home/ada/old.tif".into(),
            },
            ..past(account, "old.tif", 2 * day, "")
        },
        past(account, "notes.md", 400 * day, "the connection was lost"),
    ]
}
