//! Pictures of the viewer.

use bytes::Bytes;
use wire::message::Time;

use super::*;
use crate::app::viewer::{PIECE, Stamp};
use crate::update::{Effect, Seen};

/// Something of everything, then a line that goes on for long.
fn mixture() -> Vec<u8> {
    let mut text =
        b"# Notes\r\n\r\nplain, caf\xc3\xa9, e\xcc\x81, \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e and \xf0\x9f\x9a\xa3\r\n"
            .to_vec();
    text.extend_from_slice(b"a\ttab\tand another\n");
    text.extend_from_slice(b"escape \x1b[31m, bell \x07, not UTF-8 \xff\xfe\xe6\x97, a lone \r in it\n");
    text.extend_from_slice("right to left \u{202e}override, no width \u{200b}here\n".as_bytes());
    text.extend("a long line that goes on ".repeat(9).bytes());
    text.push(b'\n');
    (1..200).for_each(|line| text.extend(format!("line {line}\n").bytes()));
    text
}

/// A screen with the viewer on a file of the left pane, all that it asks for answered.
fn viewing(width: u16, height: u16, text: &[u8], script: &str) -> App {
    let mut app = sized(width, height);
    app.left.move_to(usize::MAX);
    press(&mut app, KeyCode::F(3));
    let mut msgs: Vec<Msg> = sample::keys(script).into_iter().map(Msg::Key).collect();
    msgs.insert(0, Msg::Resize(width, height));
    let stamp = Stamp { size: text.len() as u64, mtime: Time { secs: 0, nanos: 0 } };
    while !msgs.is_empty() {
        for effect in update(&mut app, msgs.remove(0)).into_iter().rev() {
            if let Effect::Look(crate::update::Ask::Piece { viewer, index, .. }) = effect {
                let piece = usize::try_from(PIECE).unwrap();
                let from = usize::try_from(index).unwrap() * piece;
                let bytes = Bytes::copy_from_slice(&text[from..text.len().min(from + piece)]);
                msgs.insert(0, Msg::Seen(Seen::Piece { viewer, index, result: Ok((stamp, bytes)) }));
            }
        }
        ask_first(&mut app, &mut msgs, stamp, text);
    }
    app
}

/// The first piece was asked for by the key that opened the viewer.
fn ask_first(app: &mut App, msgs: &mut Vec<Msg>, stamp: Stamp, text: &[u8]) {
    let viewer = app.viewer.as_ref().unwrap();
    if viewer.pages.stamp().is_none() && viewer.trouble.is_none() {
        let bytes = Bytes::copy_from_slice(&text[..text.len().min(usize::try_from(PIECE).unwrap())]);
        msgs.insert(0, Msg::Seen(Seen::Piece { viewer: viewer.serial, index: 0, result: Ok((stamp, bytes)) }));
    }
}

#[test]
fn text_and_figures_in_three_sizes() {
    let text = mixture();
    let sizes = [(80, 24), (120, 40), (40, 12)];
    let pictures =
        |script: &str| sizes.map(|(width, height)| picture(&viewing(width, height, &text, script))).join("\n");
    insta::assert_snapshot!("viewer_text", pictures(""));
    insta::assert_snapshot!("viewer_hex", pictures("<F4>"));
    insta::assert_snapshot!("viewer_scrolled", pictures("<F2><Right>"));
    insta::assert_snapshot!("viewer_end", picture(&viewing(80, 24, &text, "G")));
}

#[test]
fn what_the_foot_of_the_viewer_says() {
    let fault = |code, text: &str| Msg::Seen(Seen::Checked { viewer: 1, result: Err(Fault::new(code, text)) });
    let text = mixture();
    let mut feet = String::new();
    for width in [80, 40] {
        let foot = |app: &App| picture(app).lines().nth_back(1).unwrap_or_default().to_owned() + "|\n";
        for (script, msg) in [
            ("", None),
            ("<Down>", None),
            ("<Left>", None),
            ("/zebra<Enter>", Some(Msg::Seen(Seen::Hunting { serial: 2, done: 700 }))),
            (":1000<Enter>", None),
            ("", Some(fault(Code::Timeout, "the connection to the server is lost"))),
            ("", Some(fault(Code::NotFound, "notes.md is not there"))),
            ("", Some(fault(Code::Denied, "no permission for notes.md"))),
            (
                "",
                Some(Msg::Seen(Seen::Checked {
                    viewer: 1,
                    result: Ok(Stamp { size: 9000, mtime: Time { secs: 9, nanos: 0 } }),
                })),
            ),
        ] {
            let mut app = viewing(width, 12, &text, script);
            if let Some(msg) = msg {
                update(&mut app, msg);
            }
            feet += &foot(&app);
        }
    }
    feet += &picture(&viewing(40, 12, b"", ""));
    let mut waiting = sized(40, 12);
    waiting.left.move_to(usize::MAX);
    press(&mut waiting, KeyCode::F(3));
    feet += &picture(&waiting);
    feet += &picture(&viewing(80, 24, &text, "/"));
    feet += &picture(&viewing(40, 12, &text, "<F4>:"));
    insta::assert_snapshot!(feet);
}

#[test]
fn dialogs_of_editing_in_three_sizes() {
    let base = crate::engine::status::Side { size: 12, mtime: NOW, root: None };
    let remote = |path: &[u8]| wire::RemotePath::parse(path).unwrap();
    let file = "/home/ada/.local/state/catamaran/edits/index.html-Xy12Zz/index.html".into();
    let copy =
        crate::app::edit::Copy { file, remote: remote(b"/photos/2026/index.html"), base, root: wire::Root([1; 32]) };
    let kinds = [
        Kind::EditLarge { place: Place::Remote(remote(b"/photos/2026/harbour-001.tif")), size: 50_400_000 },
        Kind::EditLarge { place: Place::Local("/home/ada/Downloads/debian-12.iso".into()), size: 661_651_456 },
        Kind::Fetching { serial: 1, name: "index.html".into() },
        Kind::Kept { copy, reason: "the quota is used up: 1.2 GiB are missing".into() },
    ];
    let shown = [(80, 24), (120, 40), (40, 12)]
        .map(|(width, height)| format!("{width}x{height}\n{}", dialogs(&sized(width, height), kinds.to_vec())));
    insta::assert_snapshot!(shown.join("\n"));
}
