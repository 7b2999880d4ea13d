//! A look at one file of either side, and its hash, as tasks.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use wire::message::{RawPath, Time};
use wire::path::escape;
use wire::{Fault, Root};

use super::disk;
use super::port::Port;
use super::reading::{Pulse, not_connected, panicked};
use crate::app::details::{Facts, Local};
use crate::app::place::Place;
use crate::engine::local_entry;
use crate::update::Msg;

/// Tells what a place is.
pub(super) async fn look(port: Option<Port>, serial: u64, place: Place, inbox: mpsc::Sender<Msg>) {
    let result = match (place, port) {
        (Place::Local(path), _) => {
            spawn_blocking(move || look_here(&path)).await.map_err(panicked).and_then(|result| result)
        }
        (Place::Remote(path), Some(port)) => port.stat(&path).await.map(|entry| Facts {
            kind: entry.kind,
            size: entry.size,
            mtime: entry.mtime,
            local: None,
            executable: entry.executable,
            root: entry.root,
        }),
        (Place::Remote(_), None) => Err(not_connected()),
    };
    let _ = inbox.send(Msg::Inspected { serial, result }).await;
}

/// Computes the hash of a file: here by reading it, at the server by asking.
pub(super) async fn hash(
    port: Option<Port>,
    serial: u64,
    place: Place,
    token: CancellationToken,
    inbox: mpsc::Sender<Msg>,
) {
    let result = match (place, port) {
        (Place::Local(path), _) => {
            let mut pulse = Pulse::new(inbox.clone());
            let told = move |done| pulse.beat(|| Msg::Hashing { serial, done });
            spawn_blocking(move || disk::hash(&path, &token, told)).await.map_err(panicked).and_then(|result| result)
        }
        (Place::Remote(path), Some(port)) => port.hash(&path).await,
        (Place::Remote(_), None) => Err(not_connected()),
    };
    let _ = inbox.send(Msg::Hashed { serial, result }).await;
}

fn look_here(path: &Path) -> Result<Facts, Fault> {
    let metadata = fs::symlink_metadata(path).map_err(|error| disk::fault(&error, path))?;
    let entry = local_entry(RawPath(Vec::new()), &metadata);
    let time = |secs, nanos: i64| Time { secs, nanos: u32::try_from(nanos).unwrap_or_default() };
    let local = Local {
        mode: metadata.mode(),
        owner: format!(
            "{}:{}",
            name_of(metadata.uid(), Path::new("/etc/passwd")),
            name_of(metadata.gid(), Path::new("/etc/group"))
        ),
        atime: time(metadata.atime(), metadata.atime_nsec()),
        ctime: time(metadata.ctime(), metadata.ctime_nsec()),
        names: metadata.nlink(),
        leads_to: fs::read_link(path).ok().map(|target| escape(target.as_os_str().as_bytes())),
    };
    let (kind, size, mtime, executable) = (entry.kind, entry.size, entry.mtime, entry.executable);
    Ok(Facts { kind, size, mtime, local: Some(local), executable, root: None::<Root> })
}

/// The name of a number in `passwd` or `group`; accounts of a network are told by their numbers.
fn name_of(id: u32, list: &Path) -> String {
    let text = fs::read(list).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let name = text.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)?.parse() == Ok(id)).then(|| escape(name.as_bytes()))
    });
    name.unwrap_or_else(|| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_machine_tells() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, vec![7; 3 << 20]).unwrap();
        std::os::unix::fs::symlink("file", dir.path().join("link")).unwrap();
        let facts = look_here(&path).unwrap();
        assert_eq!((facts.size, facts.local.as_ref().map(|local| local.names)), (3 << 20, Some(1)));
        let link = look_here(&dir.path().join("link")).unwrap();
        assert_eq!(link.local.and_then(|local| local.leads_to), Some("file".into()));
        let expected = Root(*blake3::hash(&fs::read(&path).unwrap()).as_bytes());
        assert_eq!(disk::hash(&path, &CancellationToken::new(), |_| {}), Ok(expected));
        let stopped = CancellationToken::new();
        stopped.cancel();
        assert_eq!(disk::hash(&path, &stopped, |_| {}).map_err(|fault| fault.code), Err(wire::Code::Cancelled));
        let list = dir.path().join("passwd");
        fs::write(&list, "root:x:0:0::/:/bin/sh\nada:x:1000:1000:::\n").unwrap();
        assert_eq!((name_of(1000, &list), name_of(7, &list)), ("ada".into(), "7".into()));
    }
}
