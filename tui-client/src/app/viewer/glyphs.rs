//! From bytes to what stands in the columns of a row: graphemes, tabs, and what cannot be shown as it is. Pure.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

use crate::app::text::{clip, columns};

/// Something that stands in one or more columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glyph {
    /// Its first byte in the file.
    pub at: u64,
    /// Its bytes.
    pub len: u64,
    /// Its first column in the row.
    pub column: usize,
    /// What is drawn.
    pub text: String,
    /// Whether that is the text of the file, and not words about it as `^A` and `<FF>` are.
    pub plain: bool,
}

/// A glyph before it has a place: what it takes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark<'a> {
    /// Bytes.
    pub(super) len: usize,
    what: What<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What<'a> {
    Text(&'a str),
    Tab,
    Control(u8),
    Point(char),
    Byte(u8),
}

/// The marks of some bytes, one after the other.
pub(super) fn marks(bytes: &[u8]) -> impl Iterator<Item = Mark<'_>> {
    bytes.utf8_chunks().flat_map(|chunk| {
        let invalid = chunk.invalid().iter().map(|byte| Mark { len: 1, what: What::Byte(*byte) });
        chunk.valid().graphemes(true).flat_map(of_grapheme).chain(invalid)
    })
}

/// One mark for a grapheme that can be drawn, else one for each of its characters.
fn of_grapheme(grapheme: &str) -> impl Iterator<Item = Mark<'_>> {
    let whole = grapheme.len() <= LONGEST && columns(grapheme) > 0 && !grapheme.chars().any(is_odd);
    let parts = if whole { "" } else { grapheme };
    let chars = parts.char_indices().map(|(at, c)| {
        let text = parts.get(at..at + c.len_utf8()).unwrap_or_default();
        let what = match c {
            '\t' => What::Tab,
            c if c.is_ascii_control() => What::Control(u8::try_from(c).unwrap_or(0)),
            c if is_odd(c) || c.width().unwrap_or(0) == 0 => What::Point(c),
            _ => What::Text(text),
        };
        Mark { len: text.len(), what }
    });
    whole.then_some(Mark { len: grapheme.len(), what: What::Text(grapheme) }).into_iter().chain(chars)
}

/// Characters that are told instead of drawn: they move or hide their neighbours.
fn is_odd(c: char) -> bool {
    let hides = matches!(c, '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}');
    c.is_control() || hides
}

impl Mark<'_> {
    /// Whether it takes whatever room there is.
    pub(super) fn is_tab(&self) -> bool {
        self.what == What::Tab
    }

    /// The columns it takes when it begins in `column` of a row.
    pub(super) fn width(&self, column: usize) -> usize {
        match self.what {
            What::Text(text) => columns(text),
            What::Tab => TAB - column % TAB,
            What::Control(_) => 2,
            What::Point(c) => format!("{:x}", u32::from(c)).len().max(4) + 4,
            What::Byte(_) => 4,
        }
    }

    /// The glyph, in the columns it takes.
    pub(super) fn glyph(&self, at: u64, column: usize, width: usize) -> Glyph {
        let (text, plain) = match self.what {
            What::Text(text) => (clip(text, width), true),
            What::Tab => (" ".repeat(width), true),
            What::Control(byte) => (format!("^{}", char::from(byte ^ 0x40)), false),
            What::Point(c) => (format!("<U+{:04X}>", u32::from(c)), false),
            What::Byte(byte) => (format!("<{byte:02X}>"), false),
        };
        Glyph { at, len: self.len as u64, column, text, plain }
    }
}

/// Columns between two tabulator stops.
const TAB: usize = 8;
/// Bytes of a grapheme that is drawn as one: a letter may wear any number of accents, and some wear thousands.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(bytes: &[u8]) -> String {
        let mut column = 0;
        let mut out = Vec::new();
        for mark in marks(bytes) {
            let width = mark.width(column);
            out.push(mark.glyph(0, column, width).text);
            column += width;
        }
        out.join("|")
    }

    #[test]
    fn what_is_drawn() {
        let table: &[(&[u8], &str)] = &[
            (b"ab", "a|b"),
            ("日本e\u{301}".as_bytes(), "日|本|e\u{301}"),
            (b"a\tb", "a|       |b"),
            (b"\x00\x1b[\x7f", "^@|^[|[|^?"),
            (b"\xffa\xe6\x97", "<FF>|a|<E6>|<97>"),
            ("\u{202e}x\u{85}\u{ad}".as_bytes(), "<U+202E>|x|<U+0085>|<U+00AD>"),
            ("\u{301}".as_bytes(), "<U+0301>"),
            (b"a\rb", "a|^M|b"),
            ("🇩🇪👨‍👩‍👧‍👦".as_bytes(), "🇩🇪|👨"),
        ];
        for (bytes, shown) in table {
            assert_eq!(drawn(bytes), *shown, "{bytes:?}");
            assert_eq!(marks(bytes).map(|mark| mark.len).sum::<usize>(), bytes.len(), "{bytes:?}");
        }
    }

    #[test]
    fn a_letter_with_a_thousand_accents_is_told_in_parts() {
        let zalgo = format!("a{}", "\u{301}".repeat(1000));
        assert_eq!(marks(zalgo.as_bytes()).count(), 1001);
    }

    #[test]
    fn widths_are_what_is_drawn() {
        for text in ["a", "日", "\t", "\x01", "\u{202e}", "\u{e0001}", "\u{301}", "👨‍👩‍👧‍👦", "ﷺ", "क्षि"]
        {
            for column in 0..9 {
                for mark in marks(text.as_bytes()) {
                    let width = mark.width(column);
                    assert_eq!(columns(&mark.glyph(0, column, width).text), width, "{text:?} at {column}");
                }
            }
        }
    }
}
