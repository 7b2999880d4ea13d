//! The hotlist, in a small file of the state directory that a person can read and edit. A missing file is an empty
//! list; one that cannot be understood is not overwritten.

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
        self.load().unwrap_or_else(|error| {
            tracing::warn!(file = %self.file.display(), %error, "the hotlist was not read");
            Vec::new()
        })
    }

    /// Changes the list in the file, where another client may have changed it meanwhile; the new list.
    pub(super) fn change(&self, change: HotChange) -> io::Result<Vec<Landmark>> {
        let mut list = self.load()?;
        change.apply(&mut list);
        let rows = Rows { directory: list.iter().map(Row::from).collect() };
        let text = toml::to_string(&rows).map_err(io::Error::other)?;
        write_whole(&self.file, &text)?;
        Ok(list)
    }

    fn load(&self) -> io::Result<Vec<Landmark>> {
        match fs::read_to_string(&self.file) {
            Ok(text) => {
                let rows: Rows = toml::from_str(&text).map_err(io::Error::other)?;
                Ok(rows.directory.into_iter().filter_map(Row::landmark).collect())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

impl Row {
    /// A path that is none is left out.
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
        Self { name: one.name.clone(), server: one.server.clone(), path }
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
        fs::write(&file, "[[directory]]\npath = 7\n").unwrap();
        assert!(list.read().is_empty() && list.change(HotChange::Add(here(b"/a"))).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "[[directory]]\npath = 7\n");
        fs::write(&file, "[[directory]]\npath = \"relative\"\n[[directory]]\nname = \"n\"\npath = \"/b\"\n").unwrap();
        assert_eq!(list.read(), [Landmark { name: "n".into(), ..here(b"/b") }]);
    }
}
