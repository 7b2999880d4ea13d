//! Copies for an editor: fetched through the queue, looked at afterwards, and sent back the same way. And which
//! editor that is.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use tokio::process::Command;
use tokio::task::spawn_blocking;
use wire::message::Time;
use wire::{Code, Fault, RemotePath, Root};

use super::disk;
use super::port::Port;
use super::reading::{not_connected, panicked};
use crate::app::edit::{Back, Copy};
use crate::config::{PASSPHRASE, PASSWORD};
use crate::engine::status::{Chosen, ItemId, ItemStatus, Side, State};

/// Brings a file here. Dropping the future gives that up and leaves nothing behind.
pub(super) async fn fetch(port: Option<Port>, edits: PathBuf, path: RemotePath) -> Result<Copy, Fault> {
    let port = port.ok_or_else(not_connected)?;
    let name = path.name().to_vec();
    let directory = spawn_blocking(move || private_directory(&edits, &name)).await.map_err(panicked)??;
    let file = directory.path().join(OsStr::from_bytes(path.name()));
    let item = Fetch { id: port.fetch(&path, &file).ok_or_else(not_connected)?, port: port.clone() };
    let status = port.over(item.id, true).await.ok_or_else(not_connected)?;
    match status.state {
        State::Done if status.files_skipped == 0 => {}
        State::Failed(fault) => return Err(fault),
        State::NeedsYou => return Err(Fault::new(Code::Io, format!("it was refused: {}", status.note))),
        _ => return Err(Fault::new(Code::Cancelled, "it was taken off the queue")),
    }
    let held = file.clone();
    let (base, root) = spawn_blocking(move || close_to_others(&held).and_then(|()| content(&held)))
        .await
        .map_err(panicked)?
        .map_err(|error| disk::fault(&error, &file))?;
    // From now on it is not lost, whatever happens.
    let _ = directory.keep();
    Ok(Copy { file, remote: path, base, root })
}

/// A fetching that is given up takes its item with it; one that is over has no use for it any more.
struct Fetch {
    id: ItemId,
    port: Port,
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.port.drop_item(self.id);
    }
}

fn private_directory(edits: &Path, name: &[u8]) -> Result<tempfile::TempDir, Fault> {
    let fault = |error| disk::fault(&error, edits);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(edits).map_err(fault)?;
    // Its name is what the queue shows. It is made with mode 0700.
    let mut prefix = OsString::from(OsStr::from_bytes(name.get(..100).unwrap_or(name)));
    prefix.push("-");
    tempfile::Builder::new().prefix(&prefix).tempdir_in(edits).map_err(fault)
}

/// Nobody else reads it; it stays a program if it is one, for that goes back with it.
fn close_to_others(file: &Path) -> io::Result<()> {
    let mode = fs::metadata(file)?.permissions().mode() & 0o100;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600 | mode))
}

/// Size, time and hash of a file.
fn content(path: &Path) -> io::Result<(Side, Root)> {
    let mut file = fs::File::open(path)?;
    let meta = file.metadata()?;
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut file, &mut hasher)?;
    let root = Root(*hasher.finalize().as_bytes());
    let mtime = Time { secs: meta.mtime(), nanos: u32::try_from(meta.mtime_nsec()).unwrap_or_default() };
    Ok((Side { size: meta.len(), mtime, root: Some(root) }, root))
}

/// Sends a copy back if it was changed, to be written only over what was fetched: where something else stands by now,
/// the queue asks. Where the editor ended badly, what was changed stays here.
pub(super) async fn send_back(port: Option<Port>, copy: Copy, reason: Option<String>) -> Back {
    let file = copy.file.clone();
    let now = match spawn_blocking(move || content(&file)).await {
        Ok(Ok((_, root))) if root == copy.root => return discard(copy).await,
        Ok(Ok((side, _))) => side,
        Ok(Err(error)) => return Back::Kept(format!("the copy cannot be read: {error}")),
        Err(error) => return Back::Kept(error.to_string()),
    };
    if let Some(reason) = reason {
        return Back::Kept(reason);
    }
    let Some(port) = port else { return Back::Kept("not connected".to_owned()) };
    let Some(directory) = copy.file.parent() else { return Back::Kept("it has no directory".to_owned()) };
    let path = copy.remote.name().to_vec();
    let chosen = Chosen { path, source: now, target: Some(copy.base) };
    let id = port.send_chosen(directory, &copy.remote.parent(), chosen);
    match port.over(id, false).await {
        Some(ItemStatus { state: State::Done, files_skipped: 0, .. }) => {
            port.drop_item(id);
            discard(copy).await;
            Back::Sent
        }
        Some(ItemStatus { state: State::Done, .. }) => Back::Kept("what is at the server was left as it is".to_owned()),
        Some(ItemStatus { state: State::Failed(fault), .. }) => Back::Kept(fault.to_string()),
        Some(_) => Back::Kept("it was cancelled".to_owned()),
        None => Back::Kept("it was taken off the queue".to_owned()),
    }
}

/// Deletes a copy with its directory.
pub(super) async fn discard(copy: Copy) -> Back {
    let removed = spawn_blocking(move || copy.file.parent().map_or(Ok(()), fs::remove_dir_all)).await;
    if !matches!(removed, Ok(Ok(()))) {
        tracing::warn!("a copy that was edited could not be deleted");
    }
    Back::Same
}

/// The editor with its file as a command: of the person's choice as their shell reads it, else the first one there is.
pub(super) fn command(file: &Path) -> Result<Command, String> {
    let chosen = ["VISUAL", "EDITOR"].into_iter().filter_map(env::var_os).find(|editor| !editor.is_empty());
    let usual = || EDITORS.into_iter().find(|editor| is_there(editor)).map(OsString::from);
    let editor = chosen.or_else(usual).ok_or("no editor: set EDITOR, as in EDITOR=nano")?;
    let mut script = editor.clone();
    script.push(" \"$@\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(editor).arg(file).env_remove(PASSWORD).env_remove(PASSPHRASE);
    Ok(command)
}

fn is_there(editor: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(editor).is_file())
}

/// How an editor ended where it did not end well.
pub(super) fn verdict(ended: io::Result<ExitStatus>) -> Result<(), String> {
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) if status.code() == Some(127) => Err("the editor was not found: set EDITOR".to_owned()),
        Ok(status) => Err(format!("the editor ended with {status}")),
        Err(error) => Err(format!("the editor did not start: {error}")),
    }
}

/// Tried in this order where none was chosen.
const EDITORS: [&str; 3] = ["editor", "nano", "vi"];
