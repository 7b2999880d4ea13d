//! User names and remote paths: raw bytes become one of these at the edge, once, or a typed error.

use std::fmt;
use std::str::FromStr;

/// The longest path in bytes, with its separators (Linux's `PATH_MAX` less the terminator).
pub const MAX_PATH: usize = 4095;
/// The longest name in bytes (Linux's `NAME_MAX`).
pub const MAX_NAME: usize = 255;
/// The longest user name in characters.
pub const MAX_USER: usize = 32;

/// A path below a user's home: a row of names, each of any bytes but `/` and NUL. The empty row is
/// the home itself. It cannot express a way out: `.` and `..` are refused when it is parsed.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct RemotePath {
    /// `a/b/c`, with neither a leading nor a trailing slash.
    joined: Vec<u8>,
}

/// Why bytes are not a path in a home.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// `.` or `..` stood between slashes.
    #[error("`.` and `..` are not names; write the path from the home, as in /photos/2026")]
    Relative,
    /// A NUL byte.
    #[error("a path cannot hold a NUL byte")]
    Nul,
    /// One name is over [`MAX_NAME`] bytes.
    #[error("a name in the path is longer than {MAX_NAME} bytes")]
    NameTooLong,
    /// The whole is over [`MAX_PATH`] bytes.
    #[error("the path is longer than {MAX_PATH} bytes")]
    TooLong,
}

impl RemotePath {
    /// The home itself.
    pub fn home() -> Self {
        Self::default()
    }

    /// Parses `/a/b`, `a/b` and `a//b/` alike: all are counted from the home.
    pub fn parse(bytes: &[u8]) -> Result<Self, PathError> {
        if bytes.len() > MAX_PATH {
            return Err(PathError::TooLong);
        }
        let mut joined = Vec::with_capacity(bytes.len());
        for name in bytes.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            check_name(name)?;
            if !joined.is_empty() {
                joined.push(b'/');
            }
            joined.extend_from_slice(name);
        }
        Ok(Self { joined })
    }

    /// The path of `name` in this directory.
    pub fn join(&self, name: &[u8]) -> Result<Self, PathError> {
        let mut joined = self.joined.clone();
        joined.push(b'/');
        joined.extend_from_slice(name);
        Self::parse(&joined)
    }

    /// The directory that holds it and its name there; `None` for the home.
    pub fn split(&self) -> Option<(Self, &[u8])> {
        if self.is_home() {
            return None;
        }
        match self.joined.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => {
                let (parent, name) = self.joined.split_at(slash);
                Some((Self { joined: parent.to_vec() }, name.get(1..).unwrap_or_default()))
            }
            None => Some((Self::home(), &self.joined)),
        }
    }

    /// The directory that holds it; the home holds itself.
    pub fn parent(&self) -> Self {
        self.split().map(|(parent, _)| parent).unwrap_or_default()
    }

    /// Its last name; empty for the home.
    pub fn name(&self) -> &[u8] {
        self.split().map_or(&[], |(_, name)| name)
    }

    /// Its names from the home down.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.joined.split(|byte| *byte == b'/').filter(|name| !name.is_empty())
    }

    /// Whether it is the home itself.
    pub fn is_home(&self) -> bool {
        self.joined.is_empty()
    }

    /// Whether `self` is `other` or lies somewhere below it.
    pub fn is_within(&self, other: &Self) -> bool {
        other.is_home()
            || self
                .joined
                .strip_prefix(other.joined.as_slice())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    }

    /// `a/b/c`: the form that is relative to the home's descriptor, and the form kept in records.
    pub fn as_bytes(&self) -> &[u8] {
        &self.joined
    }
}

fn check_name(name: &[u8]) -> Result<(), PathError> {
    match name {
        b"." | b".." => Err(PathError::Relative),
        _ if name.contains(&0) => Err(PathError::Nul),
        _ if name.len() > MAX_NAME => Err(PathError::NameTooLong),
        _ => Ok(()),
    }
}

/// `/a/b`, with bytes that are not UTF-8 and control characters escaped: safe to print.
impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", escape(&self.joined))
    }
}

impl fmt::Debug for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemotePath({self})")
    }
}

/// Bytes from a disk or a peer as text that cannot steer a terminal: control characters,
/// bidirectional overrides and bytes that are not UTF-8 become `\x1b`, `\n`, `\u{202e}`.
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
                c if c.is_control() || is_invisible(c) => out.extend(c.escape_unicode()),
                c => out.push(c),
            }
        }
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    }
    out
}

/// Characters that move or hide their neighbours. The zero-width joiner stays: emoji need it.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The name of an account: 1 to 32 of `a-z 0-9 _ - .`, beginning with a letter, a digit or `_`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

/// Why a text is not a user name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a user name: 1 to {MAX_USER} of a-z 0-9 _ - . beginning with a letter, a digit or _", escape(self.0.as_bytes()))]
pub struct UserNameError(String);

impl FromStr for UserName {
    type Err = UserNameError;

    fn from_str(text: &str) -> Result<Self, UserNameError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
        let first = text.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if first && text.len() <= MAX_USER && text.chars().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(UserNameError(text.chars().take(MAX_USER * 2).collect()))
    }
}

impl UserName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_parse_or_say_why() {
        let ok: &[(&[u8], &str)] = &[
            (b"", "/"),
            (b"/", "/"),
            (b"a", "/a"),
            (b"//a///b/", "/a/b"),
            (b"/..a/b..", "/..a/b.."),
            (b"/\xff\x1b[2J\n", "/\\xff\\x1b[2J\\n"),
        ];
        for (input, shown) in ok {
            assert_eq!(RemotePath::parse(input).map(|path| path.to_string()).as_deref(), Ok(*shown));
        }
        let long = [b'x'; 256];
        let deep = b"a/".repeat(2048);
        let bad: &[(&[u8], PathError)] = &[
            (b"..", PathError::Relative),
            (b"/a/../b", PathError::Relative),
            (b"a/.", PathError::Relative),
            (b"a\0b", PathError::Nul),
            (&long, PathError::NameTooLong),
            (&deep, PathError::TooLong),
        ];
        for (input, error) in bad {
            assert_eq!(RemotePath::parse(input).as_ref(), Err(error));
        }
    }

    #[test]
    fn parents_and_containment() -> Result<(), PathError> {
        let path = RemotePath::parse(b"/a/b/c")?;
        assert_eq!((path.parent().to_string().as_str(), path.name()), ("/a/b", b"c".as_slice()));
        assert!(
            path.is_within(&RemotePath::parse(b"a/b")?) && path.is_within(&path) && path.is_within(&RemotePath::home())
        );
        assert!(!path.is_within(&RemotePath::parse(b"a/bb")?) && !path.is_within(&RemotePath::parse(b"a/b/c/d")?));
        assert!(RemotePath::home().join(b"..").is_err());
        assert_eq!(RemotePath::home().parent(), RemotePath::home());
        Ok(())
    }

    #[test]
    fn user_names() {
        for good in ["ada", "a", "_svc", "web-01.prod", "0"] {
            assert!(good.parse::<UserName>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "-rf", "Ada", "a/b", "a b", "ü", &"x".repeat(33), "a\0"] {
            assert!(bad.parse::<UserName>().is_err(), "{bad}");
        }
    }
}
