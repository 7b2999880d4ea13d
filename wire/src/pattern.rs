//! Patterns for names, the same on both sides: globs, and plain text that a name may hold anywhere.

use globset::GlobBuilder;
use regex::bytes::{Regex, RegexBuilder};

use crate::message::MAX_PATTERN;

/// What names are looked for by. Small letters find capitals too; a capital in the pattern finds only itself.
#[derive(Clone, Debug)]
pub struct Pattern {
    glob: Regex,
    folds: bool,
}

/// Why a text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Over [`MAX_PATTERN`] bytes.
    #[error("the pattern is longer than {MAX_PATTERN} bytes")]
    TooLong,
    /// A bracket without its end, braces within braces within braces, and the like.
    #[error("not a pattern: {0}")]
    Glob(String),
}

impl Pattern {
    /// A glob if the text has any of `*?[`; else any name that holds the text.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.len() > MAX_PATTERN {
            return Err(PatternError::TooLong);
        }
        let folds = !text.chars().any(char::is_uppercase);
        let text = if folds { text.to_lowercase() } else { text.to_owned() };
        let is_glob = text.contains(['*', '?', '[']);
        let text = if is_glob { text } else { format!("*{}*", globset::escape(&text)) };
        let glob = GlobBuilder::new(&text).backslash_escape(is_glob).build();
        let glob = glob.map_err(|error| PatternError::Glob(error.kind().to_string()))?;
        // Not by `globset` itself, which takes for granted that what it makes of a glob can be compiled.
        let compiled =
            RegexBuilder::new(glob.regex()).dot_matches_new_line(true).size_limit(SIZE).dfa_size_limit(SIZE).build();
        let glob = compiled.map_err(|_| PatternError::Glob("it is too intricate".into()))?;
        Ok(Self { glob, folds })
    }

    /// Whether the pattern fits a name: the last one of a path.
    pub fn matches(&self, name: &[u8]) -> bool {
        if !self.folds {
            return self.glob.is_match(name);
        }
        let folded = match std::str::from_utf8(name) {
            Ok(name) => name.to_lowercase().into_bytes(),
            Err(_) => name.to_ascii_lowercase(),
        };
        self.glob.is_match(&folded)
    }
}

/// Bytes that the automata of a pattern may take, each of them.
const SIZE: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// A pattern, names that match, names that do not.
    type Case<'a> = (&'a str, &'a [&'a [u8]], &'a [&'a [u8]]);

    #[test]
    fn globs_parts_and_capitals() {
        let table: &[Case<'_>] = &[
            ("*.txt", &[b"a.txt", b"A.TXT", b".txt", b"\xff.txt"], &[b"a.txt.gz", b"txt"]),
            ("note", &[b"note", b"my Notes", b"\xffNOTE\xfe"], &[b"not", b"n.o.t.e"]),
            ("Note", &[b"Note", b"xNotey"], &[b"note", b"NOTE"]),
            ("*.TXT", &[b"a.TXT"], &[b"a.txt"]),
            ("äöü", &["x ÄÖÜ".as_bytes(), "äöü.c".as_bytes()], &[b"aou"]),
            ("a?c", &[b"abc", b"ABC"], &[b"ac", b"abbc"]),
            ("[ab]*", &[b"b1", b"A"], &[b"c"]),
            ("*.{c,h}", &[b"x.c", b"x.h"], &[b"x.o"]),
            ("{c}", &[b"a{c}b"], &[b"c"]),
            ("a\\b", &[b"a\\b"], &[b"ab"]),
            ("a]b", &[b"a]b"], &[b"ab"]),
            ("", &[b"anything"], &[]),
        ];
        for (pattern, yes, no) in table {
            let parsed = Pattern::parse(pattern).expect(pattern);
            for name in *yes {
                assert!(parsed.matches(name), "{pattern} and {}", crate::path::escape(name));
            }
            for name in *no {
                assert!(!parsed.matches(name), "{pattern} and {}", crate::path::escape(name));
            }
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert!(matches!(Pattern::parse("[a"), Err(PatternError::Glob(_))));
        assert_eq!(Pattern::parse(&"x".repeat(MAX_PATTERN + 1)).err(), Some(PatternError::TooLong));
        let nested = |depth| format!("{}*{}", "{".repeat(depth), "}".repeat(depth));
        assert!(matches!(Pattern::parse(&nested(500)), Err(PatternError::Glob(_))), "no panic");
        assert!(Pattern::parse(&nested(20)).expect("a pattern").matches(b"x"));
        for long in ["*", "?", "[!a]", "{a,b}"] {
            let parsed = Pattern::parse(&long.repeat(MAX_PATTERN / long.len())).expect("long, but a pattern");
            parsed.matches(&[b'b'; 255]);
        }
    }
}
