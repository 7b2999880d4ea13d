//! Pictures of the screen, as text.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use unicode_width::UnicodeWidthStr;
use wire::message::{Secret, Usage};
use wire::{Code, Fault};

use super::*;
use crate::app::dialog::{Dialog, Login};
use crate::app::field::Field;
use crate::app::pane::Loading;
use crate::app::pane::marking::{Marking, Turn, Which};
use crate::app::sample::{self, NOW, entry, file};
use crate::app::{Session, place::Place};
use crate::engine::status::{AfterCopy, ItemId, ItemStatus, Link, State};
use crate::update::{Msg, Refusal, update};

mod board;
mod chrome;
mod decisions;
mod history;
mod jumps;
mod lists;
mod panes;
mod transfers;
mod trash;
mod viewer;

/// What the terminal shows, one line a row, with nothing at the ends of lines that is not drawn.
fn picture(app: &App) -> String {
    let (width, height) = app.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let theme = Theme::named("commander").unwrap();
    terminal.draw(|frame| draw(app, &theme, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let mut out = String::new();
    for y in 0..height {
        let mut x = 0;
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            out.push_str(symbol);
            x += u16::try_from(symbol.width().max(1)).unwrap();
        }
        out.push('\n');
    }
    out
}

fn sized(width: u16, height: u16) -> App {
    resize(sample::app(), width, height)
}

fn resize(mut app: App, width: u16, height: u16) -> App {
    update(&mut app, Msg::Resize(width, height));
    app
}

fn press(app: &mut App, code: KeyCode) {
    update(app, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
}

fn busy(app: &mut App) {
    update(app, Msg::Status(Arc::new(sample::status())));
}

#[test]
fn main_80x24() {
    let mut app = sized(80, 24);
    for name in ["boat-plans.pdf", "debian-12.iso"] {
        app.left.land_on(name.as_bytes());
        app.left.toggle_mark();
    }
    busy(&mut app);
    update(&mut app, Msg::Key(KeyCode::Tab.into()));
    app.right.land_on(b"harbour-001.tif");
    insta::assert_snapshot!(picture(&app));
}

#[test]
fn main_120x40_sorted_by_size_with_a_limit() {
    let mut app = sized(120, 40);
    let mut status = sample::status();
    status.questions.clear();
    status.open_questions = 0;
    status.limit = Some(5 << 20);
    status.items[1].limit = Some(3 << 19);
    status.usage = Some(Usage { quota: Some(10 << 30), used: 5_500_000_000, ..Usage::default() });
    update(&mut app, Msg::Status(Arc::new(status)));
    app.right.order = app.right.order.pressed(crate::app::order::By::Size);
    app.left.stale = true;
    app.left.loading = Some(Loading { found: 12_000, ..Loading::new(1, app.left.place.clone(), None) });
    insta::assert_snapshot!(picture(&app));
}

/// The list left behind while nothing came; the first rows; one of them marked; what stays after Esc, with the
/// mark and without.
#[test]
fn a_directory_that_is_being_read() {
    let mut app = sized(50, 14);
    let mut pictures = Vec::new();
    let mut show = |app: &mut App, codes: &[KeyCode], msg: Msg| {
        codes.iter().for_each(|code| press(app, *code));
        update(app, msg);
        pictures.push(picture(app));
    };
    let found = |found| Msg::Reading { generation: 1, found };
    show(&mut app, &[KeyCode::Down, KeyCode::Enter], found(900));
    let page: Vec<_> = (0..1000).map(|n| file(&format!("entry-{n:07}"), 1000, NOW.secs)).collect();
    show(&mut app, &[], Msg::Partly { generation: 1, listing: sample::listing(page) });
    show(&mut app, &[KeyCode::Down, KeyCode::Insert], found(1_000_000));
    show(&mut app, &[KeyCode::Esc], Msg::EscapeWaited(2));
    show(&mut app, &[KeyCode::Up, KeyCode::Insert], found(0));
    insta::assert_snapshot!(pictures.join("\n"));
}

#[test]
fn narrow_40x12_has_one_pane_and_a_line_of_queue() {
    let mut app = sized(40, 12);
    busy(&mut app);
    app.dialogs.clear();
    let left = picture(&app);
    press(&mut app, KeyCode::Tab);
    app.dialogs.clear();
    insta::assert_snapshot!(format!("{left}\n{}", picture(&app)));
}

#[test]
fn queue_with_the_keys() {
    let mut app = sized(80, 24);
    busy(&mut app);
    app.dialogs.clear();
    press(&mut app, KeyCode::F(2));
    press(&mut app, KeyCode::Down);
    let wide = picture(&app);
    insta::assert_snapshot!(format!("{wide}\n{}", picture(&resize(app, 40, 12))));
}

#[test]
fn hostile_names_stay_in_their_columns() {
    let mut app = sized(80, 24);
    let long = [b'x'; 255];
    let names: [&[u8]; 11] = [
        b"\x1b[2J\x1b[31mred",
        b"two\nlines\tand\rmore",
        "日本語のファイル名はとても長い.txt".as_bytes(),
        "e\u{301}te\u{301}-nfd".as_bytes(),
        "👨‍👩‍👧‍👦-family-🇩🇪-flag".as_bytes(),
        b"\xff\xfe not utf-8",
        "abc\u{202e}txt.exe".as_bytes(),
        &long,
        b"-rf",
        "\u{301}\u{301}combining first".as_bytes(),
        b" ",
    ];
    let mut entries: Vec<_> = names.iter().map(|name| entry(name, wire::message::Kind::File, 1 << 40, 0)).collect();
    entries.push(entry(b"link", wire::message::Kind::Link, 0, NOW.secs));
    entries.push(entry(b"socket", wire::message::Kind::Other, 0, i64::MIN));
    app.left.rows = sample::rows(&entries);
    app.right.rows = app.left.rows.clone();
    app.left.land_on(names[0]);
    app.right.place = Place::Remote(wire::RemotePath::parse(b"/\x1b]0;title\x07/\xff").unwrap());
    let shown = picture(&app);
    assert!(!shown.contains('\x1b'));
    assert!(shown.lines().all(|line| line.width() == 80), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn connection_lost_and_not_connected() {
    let mut app = sized(80, 24);
    let mut status = sample::status();
    status.items.clear();
    status.questions.clear();
    status.open_questions = 0;
    status.link = Link::Lost { retry_in: Duration::from_millis(3600), reason: "reset by peer".into() };
    status.usage = Some(Usage { quota: Some(10 << 30), used: 9 << 30, reserved: 5 << 30, ..Usage::default() });
    update(&mut app, Msg::Status(Arc::new(status)));
    let lost = picture(&app);
    app.session = Session::Offline;
    insta::assert_snapshot!(format!("{lost}\n{}", picture(&app)));
}

#[test]
fn below_40x12_it_says_what_it_needs() {
    insta::assert_snapshot!(format!(
        "{}\n{}\n{}",
        picture(&sized(20, 5)),
        picture(&sized(100, 11)),
        picture(&sized(1, 1))
    ));
}

#[test]
fn every_size_draws() {
    for (width, height) in [(1, 1), (2, 50), (300, 100), (40, 12), (59, 12), (60, 13), (41, 100), (300, 12)] {
        let mut app = sized(width, height);
        busy(&mut app);
        assert_eq!(picture(&app).lines().count(), usize::from(height));
        app.dialogs.clear();
        for key in [KeyCode::F(1), KeyCode::F(5), KeyCode::F(7), KeyCode::F(2), KeyCode::Enter] {
            press(&mut app, key);
            for line in picture(&app).lines() {
                assert_eq!(line.width(), usize::from(width), "{width}x{height} {key:?}");
            }
            app.dialogs.clear();
        }
    }
}

/// Each dialog in front of a quiet screen, cut out of it.
fn dialogs(app: &App, kinds: Vec<Kind>) -> String {
    let mut out = String::new();
    for kind in kinds {
        let mut app = app.clone();
        app.dialogs = vec![Dialog::new(kind)];
        let frame = crate::app::face::Face::of(&app, app.dialogs.last().unwrap()).frame;
        let rows = picture(&app);
        let rows = rows.lines().skip(usize::from(frame.y)).take(usize::from(frame.height));
        for row in rows {
            let cut: String = row.chars().skip(usize::from(frame.x)).take(usize::from(frame.width)).collect();
            out.push_str(&cut);
            out.push('\n');
        }
        out.push('\n');
    }
    out
}

fn server_dialogs() -> Vec<Kind> {
    let login = Login { address: "ada@harbour:7122".into(), password: Secret("x".into()), trust: None };
    let mut password = Field::secret();
    password.paste("secret");
    let reason = Some("the user or the password is wrong".to_owned());
    vec![
        Kind::Connect { address: Field::new("ada@harbour:7122"), password, reason },
        Kind::Connecting("ada@harbour:7122".into()),
        Kind::Unknown { login, fingerprint: "7f3a91c2".repeat(8) },
        Kind::Changed {
            address: "ada@harbour:7122".into(),
            since: "2026-03-02".into(),
            known: "7f3a91c2".repeat(8),
            presented: "c0de55aa".repeat(8),
        },
    ]
}

fn file_dialogs(app: &App) -> Vec<Kind> {
    let mut app = app.clone();
    app.active = Side::Right;
    let more = (0..9).map(|n| file(&format!("more-{n}"), 100, 0));
    app.right = sample::remote_pane("/photos/2026", sample::photos().into_iter().chain(more).collect());
    let mut kinds = Vec::new();
    for mark in [false, true] {
        app.right.move_to(1);
        if mark {
            app.right.toggle_mark();
            let files = Marking::Like(Which::Files, Turn::Round);
            app.right.marks = files.apply(&app.right.rows, &app.right.marks);
        }
        for key in [5, 6, 7, 8] {
            press(&mut app, KeyCode::F(key));
            kinds.extend(app.dialogs.pop().map(|dialog| dialog.kind));
        }
    }
    if let Some(Kind::Delete(deletion)) = kinds.last_mut() {
        deletion.tally =
            Some(crate::app::dialog::Tally { files: 12_345, directories: 1, bytes: 9 << 30, complete: false });
    }
    press(&mut app, KeyCode::Char('+'));
    kinds.extend(app.dialogs.pop().map(|dialog| dialog.kind));
    let from = app.right.place.join(b"a").unwrap();
    let to = app.right.place.join(b"b").unwrap();
    let steps = crate::update::Steps { pairs: vec![(from.clone(), to.clone()), (from, to)], replace_first: false };
    let fault = Fault::new(Code::Exists, "/photos/2026/b exists");
    kinds.push(Kind::Exists { work: crate::update::Work::Move(steps), fault });
    kinds
}

#[test]
fn dialogs_of_the_server() {
    insta::assert_snapshot!(dialogs(&sized(80, 24), server_dialogs()));
}

#[test]
fn dialogs_of_files() {
    let app = sized(80, 24);
    insta::assert_snapshot!(dialogs(&app, file_dialogs(&app)));
}

#[test]
fn dialogs_of_the_queue() {
    let mut app = sized(80, 24);
    busy(&mut app);
    let question = app.status.questions.first().cloned().unwrap();
    let items = app.status.items.iter().map(|item| Kind::Item(item.id));
    let mut kinds = vec![Kind::Quit, Kind::Decide { question, for_all: true }];
    kinds.extend(items);
    let (item, own, all) = (ItemId(1), Field::new("2M"), Field::new("none"));
    kinds.push(Kind::Limits { item, own, all });
    app.dialogs.clear();
    insta::assert_snapshot!(dialogs(&app, kinds));
}

#[test]
fn dialogs_fit_the_smallest_screen() {
    let mut app = sized(40, 12);
    busy(&mut app);
    app.dialogs.clear();
    let question = app.status.questions.first().cloned().unwrap();
    let mut kinds = server_dialogs();
    kinds.extend(file_dialogs(&app));
    kinds.extend([Kind::Help(Default::default()), Kind::Quit, Kind::Decide { question, for_all: false }]);
    insta::assert_snapshot!(dialogs(&app, kinds));
}

#[test]
fn help_scrolls_to_its_end() {
    let mut app = sized(80, 24);
    press(&mut app, KeyCode::F(1));
    let first = picture(&app);
    press(&mut app, KeyCode::End);
    insta::assert_snapshot!(format!("{first}\n{}", picture(&app)));
}

#[test]
fn a_password_is_never_on_the_screen() {
    let mut app = sized(80, 24);
    update(&mut app, Msg::NotConnected(login(), Refusal::Other("no".into())));
    super::super::update::ask_for_server(&mut app, "ada@harbour:7122");
    update(&mut app, Msg::Paste("hunter2".into()));
    let shown = picture(&app);
    assert!(shown.contains("•••••••") && !shown.contains("hunter2"), "{shown}");
    assert!(!format!("{app:?}").contains("hunter2"));
}

fn login() -> Login {
    Login { address: "ada@harbour:7122".into(), password: Secret("hunter2".into()), trust: None }
}

#[test]
fn a_row_of_the_queue_for_every_state() {
    let mut app = sized(80, 40);
    let mut status = sample::status();
    status.items[0].limit = Some(2 << 20);
    let sample = status.items[0].clone();
    let fault = Fault::new(Code::Quota, "1.2 GiB too little");
    let states = [
        State::Waiting,
        State::Running,
        State::Paused,
        State::NeedsYou,
        State::Retrying { after: Duration::from_secs(4), fault: Fault::new(Code::Busy, "later") },
        State::Failed(fault),
        State::Done,
        State::Cancelled,
    ];
    let moving = |item: ItemStatus| ItemStatus { source: AfterCopy::Remove, ..item };
    let all = states.into_iter().enumerate().map(|(n, state)| sample::item(n as u64, state, &sample));
    let moves = [State::Running, State::Done].map(|state| moving(sample::item(10, state, &status.items[1])));
    status.items = all.chain(moves).enumerate().map(|(n, item)| ItemStatus { id: ItemId(n as u64), ..item }).collect();
    status.questions.clear();
    status.open_questions = 0;
    update(&mut app, Msg::Status(Arc::new(status)));
    press(&mut app, KeyCode::F(2));
    insta::assert_snapshot!(picture(&app));
}
