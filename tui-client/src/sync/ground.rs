//! A directory of either side, as those need it who compare and synchronise. This machine's disks are touched in
//! blocking tasks only.

mod here;

use std::io::Read;
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use wire::message::{Entry, Kind};
use wire::{Code, Fault, RemotePath, Root};

use super::walk::{self, Deep, Part, fault, place};
use crate::engine::Engine;

/// A directory to compare with another.
#[derive(Clone, Debug)]
pub enum Ground {
    /// On this machine.
    Here(PathBuf),
    /// In the home at the server.
    There(Engine, RemotePath),
}

/// What becomes of files and links that are deleted at the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Removal {
    /// They are gone.
    #[default]
    ForGood,
    /// They go to the account's trash.
    ToTrash,
}

/// Something in the trash: where it was, and its number there.
pub type Trashed = (RemotePath, u64);

/// Parts of a walk, until the first fault.
pub type Parts = mpsc::Receiver<Result<Part, Fault>>;

impl Ground {
    /// Everything in it. Dropping the receiver ends the walk.
    pub fn walk(&self, deep: Deep) -> Parts {
        let (sender, parts) = mpsc::channel(PARTS_AHEAD);
        match self.clone() {
            Ground::Here(top) => drop(spawn_blocking(move || walk::walk(&top, deep, &sender))),
            Ground::There(engine, top) => {
                // Ends when nobody takes the pages any more.
                tokio::spawn(async move {
                    let mut pages = if deep { engine.walk(&top) } else { engine.list(&top) };
                    while let Some(page) = pages.recv().await {
                        if sender.send(page.map(Part::Page)).await.is_err() {
                            return;
                        }
                    }
                });
            }
        }
        parts
    }

    /// What a path below it is now; `None` where nothing is.
    pub async fn stat(&self, path: &[u8]) -> Result<Option<Entry>, Fault> {
        let found = match self {
            Ground::Here(top) => {
                let (top, path) = (top.clone(), path.to_vec());
                blocking(move || here::stat(&top, &path)).await
            }
            Ground::There(engine, top) => engine.stat(&below(top, path)?).await,
        };
        absent_is_none(found)
    }

    /// The hash of a file below it, read whole where it is not known.
    pub async fn hash(&self, path: &[u8], token: &CancellationToken) -> Result<Root, Fault> {
        match self {
            Ground::Here(top) => {
                let (path, token) = (place(top, path), token.clone());
                blocking(move || hash(&path, &token)).await
            }
            Ground::There(engine, top) => {
                let root = engine.hash(&below(top, path)?).await?.root;
                root.ok_or_else(|| Fault::new(Code::Unsupported, "the server has no hash of it"))
            }
        }
    }

    /// Makes a directory below it, and those above.
    pub async fn make_directory(&self, path: &[u8]) -> Result<(), Fault> {
        match self {
            Ground::Here(top) => {
                let path = place(top, path);
                blocking(move || std::fs::create_dir_all(&path).map_err(|error| fault(&error, &path))).await
            }
            Ground::There(engine, top) => engine.mkdir(&below(top, path)?, true).await,
        }
    }

    /// Removes a file, a link, or a directory that is empty: the trash would take what came into it meanwhile along.
    pub async fn remove(&self, path: &[u8], kind: Kind, removal: Removal) -> Result<Option<Trashed>, Fault> {
        let removed = match self {
            Ground::Here(top) => {
                let (top, path) = (top.clone(), path.to_vec());
                blocking(move || here::remove(&top, &path, kind)).await.map(|()| None)
            }
            Ground::There(engine, top) if removal == Removal::ToTrash && kind != Kind::Directory => {
                let path = below(top, path)?;
                engine.trash(&path).await.map(|id| Some((path, id)))
            }
            Ground::There(engine, top) => engine.remove(&below(top, path)?, false).await.map(|()| None),
        };
        absent_is_none(removed).map(Option::flatten)
    }
}

/// The place of a relative path in a home.
pub fn below(top: &RemotePath, path: &[u8]) -> Result<RemotePath, Fault> {
    top.join(path).map_err(|error| Fault::new(Code::BadPath, error.to_string()))
}

fn absent_is_none<T>(found: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match found {
        Err(fault) if matches!(fault.code, Code::NotFound | Code::NotDirectory) => Ok(None),
        found => found.map(Some),
    }
}

fn hash(path: &Path, token: &CancellationToken) -> Result<Root, Fault> {
    let told = |error| fault(&error, path);
    let mut file = std::fs::File::open(path).map_err(told)?;
    let (mut hasher, mut buffer) = (blake3::Hasher::new(), vec![0; BUFFER]);
    loop {
        if token.is_cancelled() {
            return Err(Fault::new(Code::Cancelled, "stopped"));
        }
        let read = file.read(&mut buffer).map_err(told)?;
        match buffer.get(..read) {
            Some(bytes) if read > 0 => hasher.update(bytes),
            _ => return Ok(Root(*hasher.finalize().as_bytes())),
        };
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let lost = |error| Fault::new(Code::Internal, format!("a task of the client failed: {error}"));
    spawn_blocking(work).await.unwrap_or_else(|error| Err(lost(error)))
}

/// Parts that wait to be taken up.
const PARTS_AHEAD: usize = 4;
/// Read at once: a file that is given up is let go after so much.
const BUFFER: usize = 1 << 20;
