//! What is looked for in a file, and places in it that a person may type. Pure: pieces come in, hits go out.

use regex::bytes::{Regex, RegexBuilder};

use crate::app::text::grouped;

/// Something to be looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    /// As it was typed.
    pub typed: String,
    pattern: String,
    /// Bytes that a hit has at most.
    longest: usize,
}

/// A hit: its first byte and the first one after it.
pub type Hit = (u64, u64);

/// A place as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// The first byte of this line, counted from 1.
    Line(u64),
    /// So many hundredths of the file.
    Percent(u64),
    /// This byte.
    Offset(u64),
}

impl Needle {
    /// What `typed` means. In `hex` figures are bytes, and quotes make them letters.
    pub fn parse(typed: &str, hex: bool) -> Result<Needle, String> {
        let text = typed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|_| hex);
        let needle = match bytes_of(typed).filter(|_| hex && text.is_none()) {
            Some(bytes) => Needle::bytes(typed, &bytes),
            None => Needle::text(typed, text.unwrap_or(typed)),
        };
        let needle = needle.ok_or_else(|| "Type what is to be found".to_owned())?;
        needle.regex().map(|_| needle).ok_or_else(|| "That is too long to be looked for".to_owned())
    }

    fn bytes(typed: &str, bytes: &[u8]) -> Option<Needle> {
        let pattern = bytes.iter().map(|byte| format!(r"\x{byte:02x}")).collect::<String>();
        let typed = typed.to_owned();
        (!bytes.is_empty()).then(|| Needle { typed, pattern: format!("(?-u){pattern}"), longest: bytes.len() })
    }

    /// Small letters find large ones, too; a large letter makes all letters mean themselves.
    fn text(typed: &str, text: &str) -> Option<Needle> {
        let case = if text.chars().any(char::is_uppercase) { "" } else { "(?i)" };
        let pattern = format!("{case}{}", regex::escape(text));
        // Another case of a character can take more bytes than this one.
        (!text.is_empty()).then(|| Needle { typed: typed.to_owned(), pattern, longest: text.chars().count() * 4 })
    }

    fn regex(&self) -> Option<Regex> {
        RegexBuilder::new(&self.pattern).build().ok()
    }
}

/// `de ad be ef`, `deadbeef` or `0xdeadbeef`.
fn bytes_of(typed: &str) -> Option<Vec<u8>> {
    let figures: Vec<u32> = typed
        .strip_prefix("0x")
        .unwrap_or(typed)
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    let pairs = figures.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    pairs.collect()
}

impl Spot {
    /// What `typed` means: `120` is a line, in hex a byte; `50%`; `@4096` and `0x1000` are bytes.
    pub fn parse(typed: &str, hex: bool) -> Result<Spot, String> {
        let typed = typed.trim().replace([',', '_'], "");
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let spot = if let Some(figures) = typed.strip_prefix("0x") {
            u64::from_str_radix(figures, 16).ok().map(Spot::Offset)
        } else if let Some(bytes) = typed.strip_prefix('@') {
            number(bytes).map(Spot::Offset)
        } else if let Some(percent) = typed.strip_suffix('%') {
            number(percent).map(|percent| Spot::Percent(percent.min(100)))
        } else if hex {
            number(&typed).map(Spot::Offset)
        } else {
            number(&typed).map(|line| Spot::Line(line.max(1)))
        };
        spot.ok_or_else(|| format!("`{typed}` is no place: write 120, 50%, @4096 or 0x1000"))
    }
}

/// Looks through a file piece by piece, forwards.
#[derive(Debug)]
pub struct Forward {
    regex: Regex,
    longest: usize,
    from: u64,
    /// The end of what was looked at, where a hit may have begun.
    rest: Vec<u8>,
}

impl Forward {
    /// Hits from this byte on.
    pub fn new(needle: &Needle, from: u64) -> Option<Self> {
        Some(Self { regex: needle.regex()?, longest: needle.longest, from, rest: Vec::new() })
    }

    /// The first hit that ends in this piece, the next one after the last.
    pub fn feed(&mut self, at: u64, piece: &[u8]) -> Option<Hit> {
        let start = at - self.rest.len() as u64;
        self.rest.extend_from_slice(piece);
        let skip = usize::try_from(self.from.saturating_sub(start)).unwrap_or(usize::MAX).min(self.rest.len());
        let found = self.regex.find_at(&self.rest, skip);
        if let Some(found) = found {
            return Some((start + found.start() as u64, start + found.end() as u64));
        }
        let keep = self.rest.len().min(self.longest.saturating_sub(1));
        self.rest.drain(..self.rest.len() - keep);
        None
    }
}

/// Looks through a file piece by piece, backwards.
#[derive(Debug)]
pub struct Backward {
    regex: Regex,
    longest: usize,
    before: u64,
    /// The beginning of what was looked at, where a hit may end.
    rest: Vec<u8>,
}

impl Backward {
    /// Hits that begin before this byte.
    pub fn new(needle: &Needle, before: u64) -> Option<Self> {
        Some(Self { regex: needle.regex()?, longest: needle.longest, before, rest: Vec::new() })
    }

    /// The last hit that begins in this piece, the next one before the last.
    pub fn feed(&mut self, at: u64, piece: &[u8]) -> Option<Hit> {
        let mut all = piece.to_vec();
        all.extend_from_slice(&self.rest);
        let most = usize::try_from(self.before.saturating_sub(at)).unwrap_or(usize::MAX).min(piece.len());
        let mut last = None;
        let mut from = 0;
        while let Some(found) = self.regex.find_at(&all, from).filter(|found| found.start() < most) {
            last = Some((at + found.start() as u64, at + found.end() as u64));
            from = found.start() + 1;
        }
        all.truncate(self.longest);
        self.rest = all;
        last
    }
}

/// Counts lines until the one that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Lines {
    wanted: u64,
    /// Line ends so far.
    pub ends: u64,
    /// The last byte ended a line.
    ended: bool,
}

impl Lines {
    /// To the beginning of this line, counted from 1.
    pub fn new(wanted: u64) -> Self {
        Self { wanted, ends: 0, ended: true }
    }

    /// Where the line begins, if that is known after this piece.
    pub fn feed(&mut self, at: u64, piece: &[u8]) -> Option<u64> {
        let missing = self.wanted.saturating_sub(1).saturating_sub(self.ends);
        if missing == 0 {
            return Some(at);
        }
        let mut ends = piece.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let last = usize::try_from(missing - 1).ok().and_then(|missing| ends.nth(missing));
        if let Some((index, _)) = last {
            (self.ends, self.ended) = (self.wanted - 1, true);
            return Some(at + index as u64 + 1);
        }
        self.ends += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.ended = piece.last().map_or(self.ended, |byte| *byte == b'\n');
        None
    }

    /// Said when the file has fewer lines.
    pub fn told(&self) -> String {
        let lines = self.ends + u64::from(!self.ended);
        format!("only {} {}", grouped(lines), if lines == 1 { "line" } else { "lines" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "one Two\nthree ÄPFEL two\n日本語 tWo\x00 two";

    fn needle(typed: &str, hex: bool) -> Needle {
        Needle::parse(typed, hex).unwrap()
    }

    /// Every hit, by pieces of this many bytes; forwards, and backwards turned round.
    fn hits(text: &[u8], needle: &Needle, piece: usize) -> (Vec<u64>, Vec<u64>) {
        let (mut forward, mut from) = (Vec::new(), 0);
        loop {
            let mut scan = Forward::new(needle, from).unwrap();
            let mut pieces = text.chunks(piece).enumerate();
            let Some(hit) = pieces.find_map(|(index, bytes)| scan.feed((index * piece) as u64, bytes)) else { break };
            forward.push(hit.0);
            from = hit.0 + 1;
        }
        let (mut backward, mut before) = (Vec::new(), text.len() as u64);
        loop {
            let mut scan = Backward::new(needle, before).unwrap();
            let mut pieces = text.chunks(piece).enumerate().collect::<Vec<_>>().into_iter().rev();
            let Some(hit) = pieces.find_map(|(index, bytes)| scan.feed((index * piece) as u64, bytes)) else { break };
            backward.insert(0, hit.0);
            before = hit.0;
        }
        (forward, backward)
    }

    #[test]
    fn hits_do_not_depend_on_where_pieces_end() {
        let table: &[(&str, bool, &[u64])] = &[
            ("two", false, &[4, 21, 35, 40]),
            ("Two", false, &[4]),
            ("äpfel", false, &[14]),
            ("ÄPFEL", false, &[14]),
            ("日本", false, &[25]),
            ("o", false, &[0, 6, 23, 37, 42]),
            ("74 77 6f", true, &[21, 40]),
            ("0x00", true, &[38]),
            ("\"two\"", true, &[4, 21, 35, 40]),
            ("two", true, &[4, 21, 35, 40]),
            ("e6", true, &[25, 28]),
            ("nothing", false, &[]),
            (".", false, &[]),
        ];
        for (typed, hex, expected) in table {
            let needle = needle(typed, *hex);
            for piece in [1, 2, 3, 5, 7, 16, 100] {
                let expected = expected.to_vec();
                assert_eq!(hits(TEXT.as_bytes(), &needle, piece), (expected.clone(), expected), "{typed} by {piece}");
            }
        }
        assert_eq!(hits(b"aaaa", &needle("aa", false), 2), (vec![0, 1, 2], vec![0, 1, 2]));
    }

    #[test]
    fn lines_are_counted() {
        for piece in [1, 3, 100] {
            let line = |wanted| {
                let mut lines = Lines::new(wanted);
                let mut pieces = b"a\nbc\n\nd".chunks(piece).enumerate();
                let found = pieces.find_map(|(index, bytes)| lines.feed((index * piece) as u64, bytes));
                (found, lines.told())
            };
            let found: Vec<_> = (1..=4).map(|wanted| line(wanted).0).collect();
            assert_eq!(found, [Some(0), Some(2), Some(5), Some(6)], "by {piece}");
            assert_eq!(line(5), (None, "only 4 lines".to_owned()));
        }
    }

    #[test]
    fn places_as_typed() {
        let table = [
            ("120", false, Some(Spot::Line(120))),
            ("0", false, Some(Spot::Line(1))),
            ("12,000", true, Some(Spot::Offset(12_000))),
            (" 50 %", false, Some(Spot::Percent(50))),
            ("900%", false, Some(Spot::Percent(100))),
            ("@4096", false, Some(Spot::Offset(4096))),
            ("0x1F", false, Some(Spot::Offset(31))),
            ("x", false, None),
            ("", true, None),
            ("-1", false, None),
        ];
        for (typed, hex, spot) in table {
            assert_eq!(Spot::parse(typed, hex).ok(), spot, "{typed}");
        }
        assert!(Needle::parse("", false).is_err() && Needle::parse("\"\"", true).is_err());
    }
}
