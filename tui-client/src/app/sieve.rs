//! Which names of a directory are shown: those with a dot or not, and those that a typed text lets through.
//! Runs on whole lists, off the screen's thread where they are long.

use globset::{GlobBuilder, GlobMatcher};
use wire::path::escape;

use super::wanted::{Case, Wanted};

/// What keeps names out of a list. The usual one lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sieve {
    /// Whether names that begin with a dot are left out.
    pub hides_dots: bool,
    /// What the others must hold; with `*` or `?` a pattern for the whole name. Letters match either case, unless one of
    /// them is a capital.
    pub text: String,
}

/// A sieve made ready for many names.
enum Test {
    All,
    Within(Wanted),
    Glob(GlobMatcher),
}

impl Sieve {
    /// Whether it lets everything through.
    pub fn is_open(&self) -> bool {
        !self.hides_dots && self.text.is_empty()
    }

    /// What stays of it in another directory.
    pub fn elsewhere(&self) -> Self {
        Self { hides_dots: self.hides_dots, text: String::new() }
    }

    /// The entries that pass, in their order, and how many have a hidden name.
    pub fn sift<'a>(&self, ids: &[u32], name: impl Fn(u32) -> &'a [u8]) -> (Vec<u32>, usize) {
        let (test, mut hidden) = (self.test(), 0);
        let mut shown = Vec::new();
        for id in ids {
            let name = name(*id);
            if self.hides_dots && name.starts_with(b".") {
                hidden += 1;
            } else if test.passes(name) {
                shown.push(*id);
            }
        }
        (shown, hidden)
    }

    fn test(&self) -> Test {
        if self.text.is_empty() {
            return Test::All;
        }
        let is_either = Case::of(&self.text) == Case::Either;
        if self.text.contains(['*', '?'])
            && let Ok(glob) = GlobBuilder::new(&self.text).case_insensitive(is_either).build()
        {
            return Test::Glob(glob.compile_matcher());
        }
        Test::Within(Wanted::new(&self.text))
    }
}

impl Test {
    fn passes(&self, name: &[u8]) -> bool {
        match self {
            Test::All => true,
            Test::Glob(glob) => glob.is_match(escape(name)),
            Test::Within(wanted) => wanted.is_within(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes() {
        let table: [(&[u8], &str, bool); 8] = [
            (b"Notes.md", "", true),
            (b"Notes.md", "note", true),
            (b"notes.md", "Note", false),
            (b"IMG_1.JPG", "*.jpg", true),
            (b"img_1.jpg", "*.JPG", false),
            (b"img_1.jpg.txt", "*.jpg", false),
            (b"a[1]*", "[1]*", false),
            (b"a[1", "[1", true),
        ];
        for (name, text, passes) in table {
            let sieve = Sieve { hides_dots: false, text: text.to_owned() };
            assert_eq!(sieve.test().passes(name), passes, "{} {text}", escape(name));
        }
    }

    #[test]
    fn hidden_names_are_counted() {
        let names: [&[u8]; 4] = [b".git", b"a.git", b"b", b".x"];
        let sift = |hides_dots, text: &str| {
            let sieve = Sieve { hides_dots, text: text.to_owned() };
            sieve.sift(&[3, 2, 1, 0], |id| names[id as usize])
        };
        assert_eq!(sift(false, ""), (vec![3, 2, 1, 0], 0));
        assert_eq!(sift(true, ""), (vec![2, 1], 2));
        assert_eq!(sift(true, "git"), (vec![1], 2));
        assert_eq!(sift(false, "git"), (vec![1, 0], 0));
    }
}
