//! The viewer by keys, with a file that answers from memory.

use bytes::Bytes;
use wire::message::{Kind as EntryKind, Time};

use super::*;
use crate::app::viewer::{Found, Goal, Mode, PIECE, Stamp, Viewer};
use crate::runtime::looked_through;

/// A screen of 80x24 whose left pane has the file under the cursor, and the file.
struct Desk {
    app: App,
    text: Vec<u8>,
    stamp: Stamp,
    /// The server does not answer.
    away: bool,
    /// Pieces that were asked for.
    asked: Vec<u64>,
}

impl Desk {
    fn open(text: impl Into<Vec<u8>>) -> Self {
        let text = text.into();
        let stamp = Stamp { size: text.len() as u64, mtime: Time { secs: 1, nanos: 0 } };
        let mut app = sample::app();
        run(&mut app, "<End>");
        let mut desk = Self { app, text, stamp, away: false, asked: Vec::new() };
        desk.keys("<F3>");
        desk
    }

    fn keys(&mut self, script: &str) -> &Viewer {
        for key in keys(script) {
            self.tell(Msg::Key(key));
        }
        self.viewer()
    }

    fn viewer(&self) -> &Viewer {
        self.app.viewer.as_ref().expect("a viewer is open")
    }

    fn tell(&mut self, msg: Msg) {
        for effect in update(&mut self.app, msg) {
            if let Some(seen) = self.answer(effect) {
                self.tell(Msg::Seen(seen));
            }
        }
    }

    fn answer(&mut self, effect: Effect) -> Option<Seen> {
        match effect {
            Effect::Look(Ask::Piece { viewer, index, .. }) => {
                self.asked.push(index);
                let result = if self.away { Err(away()) } else { Ok((self.stamp, self.piece(index))) };
                Some(Seen::Piece { viewer, index, result })
            }
            Effect::Look(Ask::Hunt { serial, goal, .. }) => {
                Some(Seen::Hunted { serial, result: looked_through(&self.text, goal) })
            }
            _ => None,
        }
    }

    fn piece(&self, index: u64) -> Bytes {
        let piece = usize::try_from(PIECE).unwrap();
        let start = usize::try_from(index).unwrap() * piece;
        Bytes::copy_from_slice(&self.text[start.min(self.text.len())..(start + piece).min(self.text.len())])
    }

    /// What the file is found to be some seconds later.
    fn check(&mut self, result: Result<Stamp, Fault>) {
        let viewer = self.viewer().serial;
        self.tell(Msg::Seen(Seen::Checked { viewer, result }));
    }

    /// The first row.
    fn first(&self) -> String {
        self.viewer().rows.first().map_or(String::new(), |row| row.glyphs.iter().map(|glyph| &*glyph.text).collect())
    }

    fn notice(&self) -> &str {
        self.viewer().notice.as_ref().map_or("", |(_, text)| text)
    }
}

fn away() -> Fault {
    Fault::new(Code::Timeout, "the connection to the server is lost")
}

/// A thousand lines, each with its number.
fn lines() -> String {
    (1..=1000).map(|line| format!("line {line}\n")).collect()
}

#[test]
fn moving_through_a_text() {
    let table = [
        ("", "line 1"),
        ("<Down><Down><Up>", "line 2"),
        ("jjk", "line 2"),
        ("<PageDown>", "line 21"),
        ("<Space>b", "line 1"),
        ("dd", "line 21"),
        ("du", "line 1"),
        ("<Up><PageUp>", "line 1"),
        ("<End>", "line 980"),
        ("G<Up>", "line 979"),
        ("G<PageDown><Down>", "line 980"),
        ("G<Home>", "line 1"),
        ("Gg", "line 1"),
        ("<F5>120<Enter>", "line 120"),
        (":1<Enter>", "line 1"),
        (":5000<Enter>", "line 980"),
        (":50%<Enter>", "line 507"),
        (":@9<Enter>", "line 2"),
        (":0x7<Enter>", "line 2"),
        (":@99999<Enter>", "line 980"),
        ("<F4><F4>", "line 1"),
        (":120<Enter><F4><F4>", "line 119"),
    ];
    for (script, first) in table {
        let mut desk = Desk::open(lines());
        desk.keys(script);
        assert_eq!(desk.first(), first, "{script}");
    }
}

#[test]
fn searching_on_and_back() {
    let table = [
        ("/line 5<Enter>", 5, ""),
        ("/LINE 5<Enter>", 0, "`LINE 5` is not in this file"),
        ("/line 5<Enter>n", 50, ""),
        ("/line 5<Enter>nnN", 50, ""),
        ("<F7>line 77<Enter><Shift-F7>", 770, ""),
        ("G?line 5<Enter>", 599, ""),
        ("G?line 5<Enter>n", 598, ""),
        ("G?line 5<Enter>nN", 599, ""),
        ("/line 999<Enter>n", 999, "no `line 999` below; again: from the top"),
        ("/line 999<Enter>nn", 999, ""),
        ("?line 2<Enter>", 21, ""),
        ("/x<Esc>/x<Enter>", 0, "`x` is not in this file"),
        ("G/x<Enter>", 0, "no `x` below; again: from the top"),
    ];
    for (script, line, notice) in table {
        let mut desk = Desk::open(lines());
        desk.keys(script);
        let hit = desk.viewer().hit.map(|(from, to)| {
            let found = &desk.text[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()];
            assert!(found.starts_with(b"line "), "{script}: {found:?}");
            desk.text[..usize::try_from(from).unwrap()].iter().filter(|byte| **byte == b'\n').count() + 1
        });
        assert_eq!((hit.unwrap_or(0), desk.notice()), (line, notice), "{script}");
        let seen = desk.viewer().rows.first().unwrap().start..desk.viewer().bottom();
        assert!(desk.viewer().hit.is_none_or(|hit| seen.contains(&hit.0)), "{script}: the hit is not in sight");
    }
}

#[test]
fn figures_are_searched_by_bytes() {
    let mut text = vec![0; 100_000];
    text[70_000..70_004].copy_from_slice(b"\xde\xad\xbe\xef");
    let mut desk = Desk::open(text);
    assert_eq!(desk.viewer().mode, Mode::Hex);
    assert_eq!(desk.keys("/de ad be ef<Enter>").hit, Some((70_000, 70_004)));
    assert!(desk.first().starts_with("011100"), "{}", desk.first());
    assert_eq!(desk.keys(":1000<Enter>").top, 992);
}

#[test]
fn long_lines_wrap_or_scroll() {
    let mut desk = Desk::open(format!("{}\nnext", "0123456789".repeat(20)));
    assert_eq!(desk.viewer().rows.iter().map(|row| row.end - row.start).collect::<Vec<_>>(), [80, 80, 41, 4]);
    desk.keys("<F2>");
    assert_eq!(desk.viewer().rows.len(), 2);
    desk.keys("<Right>");
    assert_eq!((desk.viewer().column, desk.first().len()), (20, 80));
    desk.keys("/next<Enter>");
    assert_eq!(desk.viewer().column, 0);
    desk.keys("<Left><F2><Left>");
    assert_eq!(desk.notice(), "all columns are in sight; F2 turns wrapping off");
}

#[test]
fn the_end_of_a_huge_file_is_read_from_its_end() {
    let mut desk = Desk::open("");
    let size = 20 << 30;
    let stamp = Stamp { size, mtime: Time { secs: 1, nanos: 0 } };
    let serial = desk.viewer().serial;
    let piece = |index: u64| {
        let line = b"0123456789abcde\n".repeat(usize::try_from(PIECE).unwrap() / 16);
        let len = usize::try_from(PIECE.min(size - index * PIECE)).unwrap();
        Bytes::copy_from_slice(&line[..len])
    };
    let mut asked = Vec::new();
    for key in keys("rG<Home>G<PageUp>") {
        let mut effects = update(&mut desk.app, Msg::Key(key));
        while let Some(effect) = effects.pop() {
            let Effect::Look(Ask::Piece { index, .. }) = effect else { panic!("{effect:?}") };
            asked.push(index);
            let seen = Seen::Piece { viewer: serial, index, result: Ok((stamp, piece(index))) };
            effects.extend(update(&mut desk.app, Msg::Seen(seen)));
        }
    }
    let last = (size - 1) / PIECE;
    assert!(asked.iter().all(|index| *index < 4 || *index > last - 4), "{asked:?}");
    assert_eq!(desk.viewer().bottom(), size - 20 * 16);
}

#[test]
fn what_is_scrolled_to_was_read_ahead() {
    let mut desk = Desk::open(lines().repeat(100));
    assert_eq!(desk.asked, [0, 1, 2]);
    for _ in 0..300 {
        desk.asked.clear();
        let before = desk.viewer().bottom() / PIECE;
        desk.keys("<PageDown>");
        assert!(desk.asked.iter().all(|index| *index > before), "{:?} at {before}", desk.asked);
    }
}

#[test]
fn a_lost_server_is_told_and_the_keys_are_not_forgotten() {
    let mut desk = Desk::open(lines().repeat(100));
    desk.away = true;
    desk.keys("G");
    let viewer = desk.viewer();
    assert!(viewer.waits && viewer.complaint().unwrap().contains("no connection"), "{:?}", viewer.complaint());
    assert_eq!(desk.first(), "line 1");
    desk.away = false;
    desk.check(Ok(desk.stamp));
    assert_eq!((desk.first(), desk.viewer().complaint()), ("line 980".to_owned(), None));
}

#[test]
fn a_file_that_changes_is_told_and_read_again() {
    let mut desk = Desk::open("one\ntwo\n");
    desk.text.extend_from_slice(b"three\n");
    desk.stamp.size = 14;
    desk.check(Ok(desk.stamp));
    assert_eq!(desk.viewer().complaint().as_deref(), Some("grew, r rereads"));
    assert_eq!(desk.viewer().rows.len(), 3);
    assert_eq!(desk.keys("r").complaint(), None);
    desk.check(Err(Fault::new(Code::NotFound, "it is not there")));
    assert_eq!(desk.viewer().complaint().as_deref(), Some("the file is gone"));
    assert_eq!(desk.first(), "one");
    desk.text.truncate(4);
    desk.stamp = Stamp { size: 4, mtime: Time { secs: 9, nanos: 0 } };
    desk.check(Ok(desk.stamp));
    assert_eq!(desk.viewer().complaint().as_deref(), Some("was cut, r rereads"));
    assert_eq!(desk.keys("r").rows.len(), 1);
}

#[test]
fn leaving_and_what_cannot_be_shown() {
    for script in ["<F3>", "<F10>", "q"] {
        let mut desk = Desk::open("x");
        run(&mut desk.app, script);
        assert!(desk.app.viewer.is_none() && desk.app.focus == Scope::Panes, "{script}");
    }
    let mut app = sample::app();
    for (script, told) in [("<F3>", "No file"), ("<Down><F3>", "albums is a directory")] {
        assert_eq!(run(&mut app, script), []);
        assert!(app.note.text.starts_with(told), "{}", app.note.text);
    }
    app.left = sample::local_pane("/", vec![sample::entry(b"pipe", EntryKind::Other, 0, 0)]);
    assert_eq!(run(&mut app, "<Down><F3>"), []);
    app.session = Session::Offline;
    assert_eq!(run(&mut app, "<Tab><End><F3>"), []);
    assert!(app.viewer.is_none());
}

#[test]
fn a_search_is_left_by_escape_and_its_answer_dropped() {
    let mut app = sample::app();
    run(&mut app, "<End><F3>");
    let effects = run(&mut app, "/x<Enter>");
    let Some(Effect::Look(Ask::Hunt { serial, goal: Goal::Next(_, 0), .. })) = effects.last() else {
        panic!("{effects:?}")
    };
    let serial = *serial;
    update(&mut app, Msg::Seen(Seen::Hunting { serial, done: 7 }));
    assert_eq!(app.viewer.as_ref().unwrap().hunt.as_ref().unwrap().done, 7);
    run(&mut app, "<Esc>");
    let waited = Msg::EscapeWaited(app.escape.unwrap());
    assert_eq!(update(&mut app, waited), [Effect::Look(Ask::Stop(serial))]);
    update(&mut app, Msg::Seen(Seen::Hunted { serial, result: Ok(Found::Here((1, 2))) }));
    let viewer = app.viewer.as_ref().unwrap();
    assert_eq!((viewer.hit, viewer.notice.as_ref().unwrap().1.as_str()), (None, "stopped searching"));
    run(&mut app, "<Esc>");
    let waited = Msg::EscapeWaited(app.escape.unwrap());
    update(&mut app, waited);
    assert!(app.viewer.is_none());
}

#[test]
fn the_wheel_scrolls_and_the_panes_are_not_touched() {
    let mut desk = Desk::open(lines());
    let cursor = desk.app.left.cursor;
    let mouse = |kind, column, row| MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
    desk.tell(Msg::Mouse(mouse(MouseEventKind::ScrollDown, 3, 3), 0));
    assert_eq!(desk.first(), "line 4");
    desk.tell(Msg::Mouse(mouse(MouseEventKind::ScrollUp, 3, 3), 0));
    desk.tell(Msg::Mouse(mouse(MouseEventKind::Down(MouseButton::Left), 3, 3), 0));
    assert_eq!((desk.first(), desk.app.left.cursor), ("line 1".to_owned(), cursor));
    desk.tell(Msg::Mouse(mouse(MouseEventKind::Down(MouseButton::Left), 79, 23), 0));
    assert!(desk.app.viewer.is_none(), "a click on 10Leave");
}

#[test]
fn no_size_of_the_screen_is_too_small() {
    let mut desk = Desk::open(lines());
    for (width, height) in [(40, 12), (1, 1), (300, 100), (0, 0), (80, 3), (40, 12)] {
        desk.tell(Msg::Resize(width, height));
        desk.keys("<PageDown><End><Up><F4><F2><Home><F4>");
    }
    assert_eq!(desk.first(), "line 1");
}
