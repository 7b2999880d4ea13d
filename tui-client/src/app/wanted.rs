//! What a typed text means for names: one rule for the quick search and for the filter. Names are taken as they are
//! shown.

use wire::path::escape;

/// A typed text, made ready for many names.
#[derive(Clone, Debug)]
pub struct Wanted {
    text: String,
    case: Case,
    /// Only characters that a name shows as they are, each a byte.
    is_plain: bool,
}

/// Which letters match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Large and small ones.
    Either,
    /// Only the same ones.
    Exact,
}

impl Case {
    /// As a text is typed: a capital letter in it says that letters match only themselves.
    pub fn of(text: &str) -> Self {
        if text.chars().any(char::is_uppercase) { Case::Exact } else { Case::Either }
    }

    fn same(self, one: u8, other: u8) -> bool {
        one == other || self == Case::Either && one.eq_ignore_ascii_case(&other)
    }
}

impl Wanted {
    /// For this text.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), case: Case::of(text), is_plain: is_plain(text.as_bytes()) }
    }

    /// Whether a name begins so. At the first byte that differs most names are as they are shown.
    pub fn begins(&self, name: &[u8]) -> bool {
        let mut pairs = name.iter().zip(self.text.as_bytes());
        match pairs.find(|(byte, wanted)| !self.case.same(**byte, **wanted)) {
            Some((b' '..=b'~', _)) => false,
            None if self.is_plain => name.len() >= self.text.len(),
            _ => self.shown(name).starts_with(&self.text),
        }
    }

    /// Whether a name holds it anywhere.
    pub fn is_within(&self, name: &[u8]) -> bool {
        if !self.is_plain || !is_plain(name) {
            return self.shown(name).contains(&self.text);
        }
        let text = self.text.as_bytes();
        let is_text = |part: &[u8]| part.iter().zip(text).all(|(one, other)| self.case.same(*one, *other));
        text.is_empty() || name.windows(text.len()).any(is_text)
    }

    fn shown(&self, name: &[u8]) -> String {
        let shown = escape(name);
        if self.case == Case::Either { shown.to_lowercase() } else { shown }
    }
}

fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_they_are_shown_and_capitals_only_themselves() {
        // A name, a text, whether it begins so, whether it holds it.
        let table: [(&[u8], &str, bool, bool); 20] = [
            (b"Notes.md", "notes.", true, true),
            (b"Notes.md", "Notes", true, true),
            (b"notes.md", "Notes", false, false),
            (b"notes.md", "es.m", false, true),
            (b"note", "notes", false, false),
            (b"x", "", true, true),
            (b"a\nb", "a\\nb", true, true),
            (b"a\nb", "a\nb", false, false),
            (b"a\nb", "\\n", false, true),
            (b"\xffz", "\\xff", true, true),
            (b"a[1", "[1", false, true),
            ("Été.txt".as_bytes(), "été", true, true),
            ("Été.txt".as_bytes(), "É", true, true),
            ("été.txt".as_bytes(), "É", false, false),
            ("été".as_bytes(), "ét", true, true),
            ("été".as_bytes(), "e", false, false),
            ("é-Notes".as_bytes(), "notes", false, true),
            ("é-notes".as_bytes(), "Notes", false, false),
            ("日".as_bytes(), "日本", false, false),
            (b"plain", "日", false, false),
        ];
        for (name, text, begins, is_within) in table {
            let wanted = Wanted::new(text);
            assert_eq!((wanted.begins(name), wanted.is_within(name)), (begins, is_within), "{name:?} {text}");
            // However it is looked up, it is what the shown name says.
            let shown = wanted.shown(name);
            assert_eq!((shown.starts_with(text), shown.contains(text)), (begins, is_within), "{name:?} {text}");
        }
    }
}
