//! Text in columns: everything that is drawn in a column of fixed width goes through [`fit`].

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use wire::message::Time;

/// Stands where a text was cut.
const CUT: &str = "~";

/// The columns a text takes on the screen, which draws it grapheme by grapheme. The width of the whole
/// can differ: some neighbours join when they are measured together.
pub fn columns(text: &str) -> usize {
    text.graphemes(true).map(|grapheme| steady_grapheme(grapheme).width()).sum()
}

/// `text` without what terminals disagree about: emoji that are joined, coloured or chosen by further
/// characters. Some draw one picture of two columns, some all parts, and the row breaks. Only
/// the first part is drawn.
fn steady(text: &str) -> Cow<'_, str> {
    match text.graphemes(true).any(|grapheme| steady_grapheme(grapheme) != grapheme) {
        true => text.graphemes(true).map(steady_grapheme).collect(),
        false => text.into(),
    }
}

fn steady_grapheme(grapheme: &str) -> &str {
    let modifies = |c: char| matches!(c, '\u{200d}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    let parts: usize = grapheme.chars().filter_map(UnicodeWidthChar::width).sum();
    match grapheme.char_indices().nth(1) {
        Some((second, _)) if parts != grapheme.width() && grapheme.chars().any(modifies) => {
            grapheme.get(..second).unwrap_or(grapheme)
        }
        _ => grapheme,
    }
}

/// `text` in exactly `width` columns: cut between graphemes with `~` at the cut, or filled with blanks.
pub fn fit(text: &str, width: usize) -> String {
    let mut out = clip(text, width);
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(columns(&out))));
    out
}

/// As [`fit`], with the blanks in front.
pub fn fit_right(text: &str, width: usize) -> String {
    let out = clip(text, width);
    " ".repeat(width.saturating_sub(columns(&out))) + &out
}

/// `text` in at most `width` columns.
pub fn clip(text: &str, width: usize) -> String {
    let text = steady(text);
    if columns(&text) <= width {
        return text.into_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        if used + grapheme.width() + CUT.len() > width {
            break;
        }
        used += grapheme.width();
        out.push_str(grapheme);
    }
    if width > 0 {
        out.push_str(CUT);
    }
    out
}

/// The end of `text` in at most `width` columns: for paths, whose last names tell most.
pub fn clip_left(text: &str, width: usize) -> String {
    let text = steady(text);
    if columns(&text) <= width {
        return text.into_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut used = CUT.len();
    for grapheme in text.graphemes(true).rev() {
        used += grapheme.width();
        if used > width {
            break;
        }
        kept.push(grapheme);
    }
    kept.reverse();
    if width == 0 { String::new() } else { format!("{CUT}{}", kept.concat()) }
}

/// Breaks a text into lines of at most `width` columns, at blanks where there are some.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in steady(text).split_inclusive(' ') {
        if columns(&line) + columns(word.trim_end()) > width && !line.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        for grapheme in word.graphemes(true) {
            let full = columns(&line) + columns(grapheme) > width;
            if full && grapheme != " " {
                lines.push(std::mem::take(&mut line));
            }
            if !full || grapheme != " " {
                line.push_str(grapheme);
            }
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// `12,000`
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 file`, `2 files`.
pub fn count(number: u64, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{} {stem}ies", grouped(number)),
        (_, None) => format!("{} {noun}s", grouped(number)),
    }
}

/// `0:02`, `1:05:09`.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// How much of a date is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dates {
    /// `Nov 21 18:02`, or `Oct 30  2025` when it is far from now: 12 columns.
    Short,
    /// `2026-11-21 18:02`: 16 columns.
    Long,
    /// `2026-11-21 18:02:07`.
    Exact,
}

/// A time as people read it, in `zone`; `now` decides whether the year needs to be told.
pub fn date(time: Time, now: Time, zone: &TimeZone, dates: Dates) -> String {
    let nanos = i32::try_from(time.nanos).unwrap_or_default();
    let Ok(stamp) = Timestamp::new(time.secs, nanos) else { return "?".to_owned() };
    let format = match dates {
        Dates::Short if now.secs.abs_diff(time.secs) < FAR => "%b %d %H:%M",
        Dates::Short => "%b %d  %Y",
        Dates::Long => "%Y-%m-%d %H:%M",
        Dates::Exact => "%Y-%m-%d %H:%M:%S",
    };
    stamp.to_zoned(zone.clone()).strftime(format).to_string()
}

/// About ten months: nearer than that no two dates look the same without their year.
const FAR: u64 = 300 * 24 * 3600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_exact() {
        let table = [
            ("notes.md", 10, "notes.md  "),
            ("notes.md", 8, "notes.md"),
            ("notes.md", 7, "notes.~"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本~"),
            ("日本語", 4, "日~ "),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}~"),
            ("👨‍👩‍👧‍👦x", 2, "~ "),
            ("👨‍👩‍👧‍👦x", 4, "👨x "),
            ("🚣\u{200d}♀\u{fe0f} 👍🏽 ❤\u{fe0f}!", 10, "🚣 👍 ❤!  "),
            ("🇩🇪", 3, "🇩🇪 "),
            ("ab", 1, "~"),
            ("ab", 0, ""),
            ("", 3, "   "),
        ];
        for (text, width, shown) in table {
            assert_eq!(fit(text, width), shown, "{text} {width}");
        }
        assert_eq!(fit_right("12", 4), "  12");
        assert_eq!(fit_right("12345", 4), "123~");
        assert_eq!(clip_left("/a/long/path", 6), "~/path");
        assert_eq!(clip_left("日本語", 4), "~語");
    }

    #[test]
    fn any_mixture_fills_its_column() {
        let pieces = ["a", "日", "e\u{301}", "👨‍👩‍👧‍👦", "❤\u{fe0f}", "\\x1b", "\u{301}", "🇩🇪", "ﷺ", "क्षि", " "];
        let mut seed = 7_u64;
        for _ in 0..3000 {
            let mut text = String::new();
            for _ in 0..seed % 12 {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
            }
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let width = (seed >> 33) as usize % 14;
            for shown in [fit(&text, width), fit_right(&text, width)] {
                assert_eq!(columns(&shown), width, "{text:?} in {width}: {shown:?}");
            }
            assert!(columns(&clip_left(&text, width)) <= width);
            assert!(wrap(&text, width).iter().all(|line| columns(line) <= width.max(3)));
        }
    }

    #[test]
    fn wrapping() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("aaaaaaaa b", 3), ["aaa", "aaa", "aa", "b"]);
        assert_eq!(wrap("see `server --fingerprint` there", 22), ["see `server", "--fingerprint` there"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn figures() {
        assert_eq!(
            (grouped(0), grouped(999), grouped(12000), grouped(1234567)),
            ("0".into(), "999".into(), "12,000".into(), "1,234,567".into())
        );
        assert_eq!(
            (count(1, "directory"), count(2, "directory"), count(0, "file")),
            ("1 directory".into(), "2 directories".into(), "0 files".into())
        );
        assert_eq!(
            (clock(Duration::from_secs(65)), clock(Duration::from_secs(3909))),
            ("1:05".into(), "1:05:09".into())
        );
    }

    #[test]
    fn dates_tell_the_year_when_it_is_needed() {
        let now = Time { secs: 1_795_370_400, nanos: 0 };
        let show = |secs, dates| date(Time { secs, nanos: 0 }, now, &TimeZone::UTC, dates);
        assert_eq!(show(1_795_284_120, Dates::Short), "Nov 21 18:02");
        assert_eq!(show(1_700_000_000, Dates::Short), "Nov 14  2023");
        assert_eq!(show(1_795_284_120, Dates::Long), "2026-11-21 18:02");
        assert_eq!(show(i64::MAX, Dates::Short), "?");
    }
}
