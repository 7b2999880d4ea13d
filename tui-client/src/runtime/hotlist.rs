//! The hotlist, in a small file of the state directory that a person can read and edit. A missing file is an empty
//! list; one that cannot be understood is not overwritten, and a row that leads nowhere stays as it is.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wire::RemotePath;

use super::saved::write_whole;
use crate::app::atlas::{HotChange, Landmark};
use crate::app::place::Place;

/// The list and its file.
#[derive(Clone, Debug)]
pub(super) struct Hotlist {
    file: PathBuf,
}

/// A row of the file as it stands there, with the comments above it; or what is beside all rows.
#[derive(Debug, Default)]
struct Piece {
    comments: String,
    text: String,
    landmark: Option<Landmark>,
}

#[derive(Default, Serialize, Deserialize)]
struct Rows {
    #[serde(default)]
    directory: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    path: Bytes,
    /// Whatever else somebody wrote there.
    #[serde(flatten)]
    others: toml::Table,
}

/// Text where the bytes are text, else the bytes themselves.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Bytes {
    Text(String),
    Raw(Vec<u8>),
}

impl Hotlist {
    pub(super) fn at(state: &Path) -> Self {
        Self { file: state.join("hotlist.toml") }
    }

    /// All of it.
    pub(super) fn read(&self) -> Vec<Landmark> {
        let pieces = self.load().unwrap_or_else(|error| {
            tracing::warn!(file = %self.file.display(), %error, "the hotlist was not read");
            Vec::new()
        });
        landmarks(pieces)
    }

    /// Changes the list in the file, where another client may have changed it meanwhile; the new list.
    pub(super) fn change(&self, change: HotChange) -> io::Result<Vec<Landmark>> {
        let mut pieces = self.load()?;
        let is = |piece: &Piece, one: &Landmark| piece.landmark.as_ref().is_some_and(|other| other.is_where(one));
        match change {
            HotChange::Add(one) if pieces.iter().any(|piece| is(piece, &one)) => {}
            HotChange::Add(one) => pieces.push(Piece::of(one)?),
            HotChange::Remove(one) => pieces.retain(|piece| !is(piece, &one)),
            HotChange::Rename(one, name) => {
                pieces.iter_mut().filter(|piece| is(piece, &one)).try_for_each(|piece| piece.rename(&name))?;
            }
        }
        let mut text = String::new();
        for piece in &pieces {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text += &piece.comments;
            text += &piece.text;
        }
        write_whole(&self.file, &text)?;
        Ok(landmarks(pieces))
    }

    fn load(&self) -> io::Result<Vec<Piece>> {
        match fs::read_to_string(&self.file) {
            Ok(text) => pieces(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// Each row begins with `[[directory]]`; comments belong to what follows them.
fn pieces(text: &str) -> io::Result<Vec<Piece>> {
    let (mut pieces, mut comments) = (vec![Piece::default()], String::new());
    for line in text.split_inclusive('\n') {
        let begins = line.trim_start().starts_with("[[directory]]");
        if !begins && (line.trim().is_empty() || line.trim_start().starts_with('#')) {
            comments += line;
            continue;
        }
        if begins {
            pieces.push(Piece::default());
        }
        if let Some(piece) = pieces.last_mut() {
            let target = if begins { &mut piece.comments } else { &mut piece.text };
            *target += &std::mem::take(&mut comments);
            piece.text += line;
        }
    }
    pieces.push(Piece { comments, ..Piece::default() });
    for piece in &mut pieces {
        // What is no TOML by itself was taken apart wrongly, or never was any.
        let _: toml::Table = toml::from_str(&piece.text).map_err(io::Error::other)?;
        let rows: Rows = toml::from_str(&piece.text).unwrap_or_default();
        if rows.directory.len() > 1 {
            return Err(io::Error::other("directories are written one by one, each after `[[directory]]`"));
        }
        piece.landmark = rows.directory.into_iter().next().and_then(Row::landmark);
    }
    Ok(pieces)
}

fn landmarks(pieces: Vec<Piece>) -> Vec<Landmark> {
    pieces.into_iter().filter_map(|piece| piece.landmark).collect()
}

impl Piece {
    fn of(landmark: Landmark) -> io::Result<Self> {
        let text = written(Rows { directory: vec![Row::from(&landmark)] })?;
        Ok(Self { text, landmark: Some(landmark), ..Self::default() })
    }

    fn rename(&mut self, name: &str) -> io::Result<()> {
        let mut rows: Rows = toml::from_str(&self.text).map_err(io::Error::other)?;
        rows.directory.iter_mut().for_each(|row| row.name = name.to_owned());
        self.text = written(rows)?;
        self.landmark.iter_mut().for_each(|landmark| landmark.name = name.to_owned());
        Ok(())
    }
}

fn written(rows: Rows) -> io::Result<String> {
    toml::to_string(&rows).map_err(io::Error::other)
}

impl Row {
    /// A path that is none is none.
    fn landmark(self) -> Option<Landmark> {
        let bytes = match self.path {
            Bytes::Text(text) => text.into_bytes(),
            Bytes::Raw(bytes) => bytes,
        };
        let place = match self.server {
            Some(_) => Place::Remote(RemotePath::parse(&bytes).ok()?),
            None => Place::Local(Some(PathBuf::from(OsString::from_vec(bytes))).filter(|path| path.is_absolute())?),
        };
        Some(Landmark { name: self.name, server: self.server, place })
    }
}

impl From<&Landmark> for Row {
    fn from(one: &Landmark) -> Self {
        let bytes = match &one.place {
            Place::Local(path) => path.clone().into_os_string().into_vec(),
            Place::Remote(path) => path.as_bytes().to_vec(),
        };
        let path = String::from_utf8(bytes).map_or_else(|error| Bytes::Raw(error.into_bytes()), Bytes::Text);
        Self { name: one.name.clone(), server: one.server.clone(), path, others: toml::Table::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(path: &[u8]) -> Landmark {
        let place = Place::Local(PathBuf::from(OsString::from_vec(path.to_vec())));
        Landmark { name: String::new(), server: None, place }
    }

    fn there(path: &[u8]) -> Landmark {
        let place = Place::Remote(RemotePath::parse(path).unwrap());
        Landmark { name: String::new(), server: Some("ada@x".into()), place }
    }

    #[test]
    fn any_bytes_come_back_and_none_is_there_twice() {
        let directory = tempfile::tempdir().unwrap();
        let list = Hotlist::at(&directory.path().join("state"));
        assert!(list.read().is_empty());
        let all = [here(b"/a\nb\"'"), here(b"/\xff"), there(b"/\xfe/x"), there("/日本".as_bytes())];
        for one in all.iter().chain(&all) {
            list.change(HotChange::Add(one.clone())).unwrap();
        }
        assert_eq!(list.read(), all);
        list.change(HotChange::Rename(all[1].clone(), "Bytes".into())).unwrap();
        let left = list.change(HotChange::Remove(all[0].clone())).unwrap();
        assert_eq!((left.len(), left[0].name.as_str()), (3, "Bytes"));
        assert_eq!(list.read(), left);
    }

    #[test]
    fn a_file_that_is_not_understood_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let list = Hotlist::at(directory.path());
        let file = directory.path().join("hotlist.toml");
        for text in ["[[directory]]\npath = \n", "directory = [{path = \"/a\"}, {path = \"/b\"}]\n"] {
            fs::write(&file, text).unwrap();
            assert!(list.read().is_empty() && list.change(HotChange::Add(here(b"/c"))).is_err());
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
    }

    #[test]
    fn what_a_person_wrote_stays() {
        let directory = tempfile::tempdir().unwrap();
        let list = Hotlist::at(directory.path());
        let file = directory.path().join("hotlist.toml");
        let (head, relative, number) =
            ("# mine\ncolour = 7\n", "# odd\n[[directory]]\npath = \"relative\" # why?\n", "[[directory]]\npath = 7\n");
        let (good, end) = ("\n# good\n[[directory]]\nname = \"n\"\npath = \"/b\"\ncolour = \"red\"\n", "# the end");
        fs::write(&file, [head, relative, number, good, end].concat()).unwrap();
        let good_one = Landmark { name: "n".into(), ..here(b"/b") };
        assert_eq!(list.read(), std::slice::from_ref(&good_one));
        assert_eq!(list.change(HotChange::Add(here(b"/c"))).unwrap(), [good_one.clone(), here(b"/c")]);
        let added = "\n[[directory]]\npath = \"/c\"\n";
        assert_eq!(fs::read_to_string(&file).unwrap(), [head, relative, number, good, end, added].concat());
        list.change(HotChange::Rename(good_one.clone(), "m".into())).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(&[head, relative, number, "\n# good\n"].concat()), "{text}");
        assert!(text.contains("name = \"m\"") && text.contains("colour = \"red\""), "{text}");
        list.change(HotChange::Remove(good_one)).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), [head, relative, number, end, added].concat());
    }
}
