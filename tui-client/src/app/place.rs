//! A directory or a file on one of the two sides, and what a person may type for one. Touches no disk.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use wire::RemotePath;
use wire::path::escape;

/// A path with the side it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// On this machine, absolute.
    Local(PathBuf),
    /// In the home at the server.
    Remote(RemotePath),
}

impl Place {
    /// Whether it is on this machine.
    pub fn is_local(&self) -> bool {
        matches!(self, Place::Local(_))
    }

    /// Whether both are on the same side.
    pub fn beside(&self, other: &Place) -> bool {
        self.is_local() == other.is_local()
    }

    /// The place of `name` in this directory, or why the bytes are no single name.
    pub fn join(&self, name: &[u8]) -> Result<Place, String> {
        if name.is_empty() || name.contains(&b'/') {
            return Err(format!("`{}` is not a single name", escape(name)));
        }
        self.down(name)
    }

    /// The directory that holds it; `None` at the top of its side.
    pub fn parent(&self) -> Option<Place> {
        match self {
            Place::Local(path) => path.parent().map(|parent| Place::Local(parent.to_owned())),
            Place::Remote(path) => path.split().map(|(parent, _)| Place::Remote(parent)),
        }
    }

    /// Its last name; empty at the top.
    pub fn name(&self) -> &[u8] {
        match self {
            Place::Local(path) => path.file_name().map(OsStr::as_bytes).unwrap_or_default(),
            Place::Remote(path) => path.name(),
        }
    }

    /// Whether it is `other` or lies below it.
    pub fn is_within(&self, other: &Place) -> bool {
        match (self, other) {
            (Place::Local(path), Place::Local(other)) => path.starts_with(other),
            (Place::Remote(path), Place::Remote(other)) => path.is_within(other),
            _ => false,
        }
    }

    /// Its whole path, escaped for display.
    pub fn text(&self) -> String {
        match self {
            Place::Local(path) => escape(path.as_os_str().as_bytes()),
            Place::Remote(path) => path.to_string(),
        }
    }

    /// Its whole path with a slash at the end: the text of a directory to put things into.
    pub fn directory_text(&self) -> String {
        let text = self.text();
        if text.ends_with('/') { text } else { text + "/" }
    }

    /// Its path with the person's home directory as `~`.
    pub fn short_text(&self, home: Option<&Path>) -> String {
        match (self, home) {
            (Place::Local(path), Some(home)) if home.parent().is_some() => match path.strip_prefix(home) {
                Ok(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
                Ok(rest) => format!("~/{}", escape(rest.as_os_str().as_bytes())),
                Err(_) => self.text(),
            },
            _ => self.text(),
        }
    }

    /// What `typed` means, seen from this directory. The part of it that was not edited keeps its
    /// bytes, even where they cannot be typed: this directory's own text, and `name`'s.
    pub fn resolve(&self, typed: &str, name: &[u8], home: Option<&Path>) -> Result<Place, String> {
        if typed.is_empty() {
            return Err("Type a path".to_owned());
        }
        if let Some(rest) = typed.strip_prefix(&self.directory_text()) {
            return self.down(if rest == escape(name) { name } else { rest.as_bytes() });
        }
        if let (Place::Local(_), Some(rest), Some(home)) = (self, typed.strip_prefix("~/"), home) {
            return Place::Local(home.to_owned()).down(rest.as_bytes());
        }
        if typed.starts_with('/') {
            return match self {
                Place::Local(_) => Place::Local(PathBuf::from("/")).down(typed.as_bytes()),
                Place::Remote(_) => Place::Remote(RemotePath::home()).down(typed.as_bytes()),
            };
        }
        self.down(if typed == escape(name) { name } else { typed.as_bytes() })
    }

    /// Several names down from here; on this machine `..` goes up, at the server it is refused.
    fn down(&self, relative: &[u8]) -> Result<Place, String> {
        if relative.contains(&0) {
            return Err("A path cannot hold a NUL byte".to_owned());
        }
        match self {
            Place::Local(base) => Ok(Place::Local(clean(&base.join(OsStr::from_bytes(strip_slashes(relative)))))),
            Place::Remote(base) if relative.is_empty() => Ok(Place::Remote(base.clone())),
            Place::Remote(base) => base.join(relative).map(Place::Remote).map_err(|error| error.to_string()),
        }
    }
}

fn strip_slashes(mut path: &[u8]) -> &[u8] {
    while let Some(rest) = path.strip_prefix(b"/") {
        path = rest;
    }
    path
}

/// Takes `.` and `..` out by the letter, as people read them.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(path: &str) -> Place {
        Place::Local(PathBuf::from(path))
    }

    fn remote(path: &str) -> Place {
        Place::Remote(RemotePath::parse(path.as_bytes()).unwrap())
    }

    #[test]
    fn typed_targets() {
        let home = Path::new("/home/ada");
        let table = [
            (local("/d"), "/d/a.txt", Ok(local("/d/a.txt"))),
            (local("/d"), "b.txt", Ok(local("/d/b.txt"))),
            (local("/d"), "../b/./c/", Ok(local("/b/c"))),
            (local("/d"), "/", Ok(local("/"))),
            (local("/d"), "~/x", Ok(local("/home/ada/x"))),
            (remote("/p"), "/p/q/r", Ok(remote("/p/q/r"))),
            (remote("/p"), "q/", Ok(remote("/p/q"))),
            (remote("/p"), "/", Ok(remote("/"))),
            (remote("/"), "x", Ok(remote("/x"))),
            (remote("/p"), "~/x", Ok(remote("/p/~/x"))),
        ];
        for (base, typed, place) in table {
            assert_eq!(base.resolve(typed, b"n", Some(home)), place, "{base:?} {typed}");
        }
        assert!(remote("/p").resolve("../x", b"", None).is_err());
        assert!(remote("/p").resolve("", b"", None).is_err());
        assert!(local("/p").resolve("a\0b", b"", None).is_err());
    }

    #[test]
    fn bytes_that_cannot_be_typed_survive_an_edit() {
        let base = Place::Remote(RemotePath::parse(b"/\xff").unwrap());
        let shown = format!("{}{}", base.directory_text(), escape(b"n\xfe"));
        assert_eq!(base.resolve(&shown, b"n\xfe", None), base.join(b"n\xfe"));
        assert_eq!(base.resolve(&format!("{}new", base.directory_text()), b"n\xfe", None), base.join(b"new"));
    }

    #[test]
    fn texts_and_relations() {
        let home = Some(Path::new("/home/ada"));
        assert_eq!(local("/home/ada").short_text(home), "~");
        assert_eq!(local("/home/ada/x").short_text(home), "~/x");
        assert_eq!(local("/home/adam").short_text(home), "/home/adam");
        assert_eq!(local("/").directory_text(), "/");
        assert!(local("/a/b").is_within(&local("/a")) && !local("/ab").is_within(&local("/a")));
        assert!(!remote("/a").is_within(&local("/")));
        assert_eq!((local("/").parent(), remote("/").parent()), (None, None));
        assert!(local("/a").join(b"b/c").is_err());
    }
}
