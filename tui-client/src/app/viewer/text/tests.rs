//! Lines and rows as tables, and files at random: forwards and backwards find the same places.

use bytes::Bytes;
use proptest::prelude::*;
use wire::message::Time;

use super::*;
use crate::app::text::columns;
use crate::app::viewer::pages::{PIECE, Stamp};

/// All of a file at hand.
fn pages(text: &[u8]) -> Pages {
    let mut pages = Pages::default();
    let stamp = Stamp { size: text.len() as u64, mtime: Time { secs: 0, nanos: 0 } };
    pages.heard(stamp);
    for (index, piece) in text.chunks(usize::try_from(PIECE).unwrap()).enumerate() {
        pages.take(index as u64, stamp, Bytes::copy_from_slice(piece), index as u64);
    }
    pages
}

fn rows(text: &[u8], shape: Shape) -> Vec<Row> {
    let pages = pages(text);
    let mut rows = Vec::new();
    let mut at = 0;
    while at < text.len() as u64 {
        let row = row(&pages, at, shape).unwrap();
        assert!(row.end > at, "no progress at {at}");
        at = row.end;
        rows.push(row);
    }
    rows
}

/// The rows as they are drawn, with dots for blanks that are not drawn.
fn drawn(text: &[u8], shape: Shape) -> Vec<String> {
    let line = |row: &Row| {
        let mut line = String::new();
        for glyph in &row.glyphs {
            line += &".".repeat(glyph.column - columns(&line));
            line += &glyph.text;
        }
        line
    };
    rows(text, shape).iter().map(line).collect()
}

const fn wrapped(width: usize) -> Shape {
    Shape { width, scrolled: None }
}

const fn scrolled(width: usize, by: usize) -> Shape {
    Shape { width, scrolled: Some(by) }
}

#[test]
fn rows_of_a_text() {
    let table: &[(&str, Shape, &[&str])] = &[
        ("", wrapped(4), &[]),
        ("\n", wrapped(4), &[""]),
        ("ab\r\n\r\ncd", wrapped(4), &["ab", "", "cd"]),
        ("abcd\nefgh\n", wrapped(4), &["abcd", "efgh"]),
        ("abcdefghi\nj", wrapped(4), &["abcd", "efgh", "i", "j"]),
        ("a日本語", wrapped(4), &["a日", "本語"]),
        ("ab\tc\td", wrapped(12), &["ab      c   ", "d"]),
        ("ab\tcdefgh\n", wrapped(10), &["ab      cd", "efgh"]),
        ("abcdefghi\nj", scrolled(4, 0), &["abcd", "j"]),
        ("abcdefghi\nj", scrolled(4, 3), &["defg", ""]),
        ("日本語", scrolled(4, 1), &[".本~"]),
        ("日本語", scrolled(4, 2), &["本語"]),
    ];
    for (text, shape, expected) in table {
        assert_eq!(drawn(text.as_bytes(), *shape), *expected, "{text:?} {shape:?}");
    }
    assert_eq!(drawn(b"\xff\x00abc", wrapped(6)), ["<FF>^@", "abc"]);
}

#[test]
fn a_line_without_an_end_is_broken_where_any_place_knows_it() {
    let text = vec![b'x'; 200_000];
    let pages = pages(&text);
    for at in [1, 16_383, 16_384, 16_385, 100_000, 131_072, 199_999] {
        assert_eq!(part_start(&pages, at + 1).unwrap(), at / SPAN * SPAN, "{at}");
        assert_eq!(part_end(&pages, at).unwrap(), (at / SPAN * SPAN + SPAN).min(200_000), "{at}");
    }
    assert_eq!(column_of(&pages, 100_000).unwrap(), 100_000 % 16_384);
}

#[test]
fn it_is_not_broken_inside_a_character_or_before_a_line_end() {
    let span = usize::try_from(SPAN).unwrap();
    for (lead, text) in
        [(1, "日"), (2, "日"), (3, "🚣"), (0, "\n"), (0, "\r\n"), (1, "\r\n"), (1, "日\n"), (1, "é\r\n")]
    {
        let mut all = vec![b'x'; span - lead];
        all.extend_from_slice(text.as_bytes());
        let end = all.len() as u64;
        all.extend(vec![b'y'; span * 3]);
        let pages = pages(&all);
        assert_eq!(part_end(&pages, 0).unwrap(), end, "{lead} {text:?}");
        assert_eq!(part_start(&pages, end + 1).unwrap(), end, "{lead} {text:?}");
        assert_eq!(part_start(&pages, end).unwrap(), 0, "{lead} {text:?}");
    }
}

#[test]
fn only_the_pieces_around_a_place_are_needed() {
    let mut pages = Pages::default();
    let size = 20 << 30;
    let stamp = Stamp { size, mtime: Time { secs: 0, nanos: 0 } };
    let middle = size / 2 / PIECE;
    let line = Bytes::from(vec![b'x'; usize::try_from(PIECE).unwrap()]);
    (middle - 1..=middle + 1).for_each(|index| pages.take(index, stamp, line.clone(), middle));
    let at = middle * PIECE + 100;
    let start = part_start(&pages, at).unwrap();
    assert!(part_end(&pages, start).unwrap() - start == SPAN && row(&pages, start, wrapped(80)).is_ok());
}

#[test]
fn a_row_is_never_more_than_it_may_be() {
    let zalgo = format!("a{}\n", "\u{301}".repeat(20_000));
    let shape = wrapped(40);
    let rows = rows(zalgo.as_bytes(), shape);
    assert!(rows.iter().all(|row| row.end - row.start <= most(shape) && row.glyphs.len() <= 40));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn backwards_is_forwards(seed in prop::collection::vec((0..9_u8, 1..30_000_usize), 1..12), width in 40..90_usize) {
        let mut text = Vec::new();
        for (kind, len) in seed {
            let piece: &[u8] = match kind {
                0 => b"x",
                1 => "日".as_bytes(),
                2 => b"\n",
                3 => b"short line\r\n",
                4 => b"\xff\x00\xe6",
                5 => b"\t",
                6 => "🚣🏽".as_bytes(),
                7 => "e\u{301}".as_bytes(),
                _ => b"a long line of some words that goes on beyond the screen's edge and further\n",
            };
            text.extend(piece.iter().cycle().take(len));
        }
        let pages = pages(&text);
        let mut starts = vec![0];
        while let Some(at) = starts.last().copied().filter(|at| *at < text.len() as u64) {
            let end = part_end(&pages, at).unwrap();
            prop_assert!(end > at && end - at <= 2 * SPAN + 8);
            starts.push(end);
        }
        for pair in starts.windows(2) {
            for before in [pair[0] + 1, pair[0].midpoint(pair[1]).max(pair[0] + 1), pair[1]] {
                prop_assert_eq!(part_start(&pages, before).unwrap(), pair[0]);
            }
        }
        for row in rows(&text, wrapped(width)) {
            let wide = row.glyphs.last().map_or(0, |glyph| glyph.column + columns(&glyph.text));
            prop_assert!(wide <= width, "{} columns", wide);
        }
    }
}
