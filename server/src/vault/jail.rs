//! Names resolved by the kernel: `openat2` beneath the home's descriptor, so that no `..`, no link and
//! no race with a rename can lead out. Links that stay inside the home are followed on the way to a
//! file; walks follow none.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, fstat, openat, openat2, statat};
use rustix::io::Errno;
use wire::RemotePath;
use wire::message::Kind;

use super::{Home, Node, VaultError};

/// How links on the way are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    /// Followed while they stay inside.
    Inside,
    /// Refused.
    None,
}

/// Opens `path` beneath `dir`.
pub(super) fn open(dir: BorrowedFd<'_>, path: &[u8], flags: OFlags, links: Links) -> Result<OwnedFd, Errno> {
    let path = if path.is_empty() { b"." } else { path };
    let resolve = match links {
        Links::Inside => ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS,
        Links::None => ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS,
    };
    let mode = if flags.contains(OFlags::CREATE) { Mode::RUSR | Mode::WUSR } else { Mode::empty() };
    for _ in 0..RACE_TRIES {
        match openat2(dir, path, flags | OFlags::CLOEXEC, mode, resolve) {
            // A rename raced with the resolution: the kernel could not tell that it stayed inside.
            Err(Errno::AGAIN) => continue,
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

impl Home {
    /// A directory of the home.
    pub(super) fn directory(&self, path: &RemotePath, links: Links) -> Result<OwnedFd, VaultError> {
        Ok(open(self.files.as_fd(), path.as_bytes(), OFlags::DIRECTORY | OFlags::RDONLY, links)?)
    }

    /// The directory that holds `path`, for calls that take a name in it. The home has none.
    pub(super) fn parent(&self, path: &RemotePath) -> Result<(OwnedFd, Vec<u8>), VaultError> {
        let (parent, name) = path.split().ok_or(VaultError::BadTarget("it is the home itself"))?;
        Ok((self.directory(&parent, Links::Inside)?, name.to_vec()))
    }

    /// Whether the directory that holds `path` is `above` or lies below it, whatever links lead there.
    pub fn leads_below(&self, path: &RemotePath, above: &RemotePath) -> Result<bool, VaultError> {
        let identity = |dir: &OwnedFd| fstat(dir).map(|stat| (stat.st_dev, stat.st_ino));
        let (above, home) = (identity(&self.directory(above, Links::Inside)?)?, identity(&self.files)?);
        let mut dir = self.parent(path)?.0;
        let mut before = None;
        loop {
            let here = identity(&dir)?;
            // It stays the same where there is nothing above: somebody moved it out of the home.
            if here == above || here == home || before == Some(here) {
                return Ok(here == above);
            }
            before = Some(here);
            dir = openat(&dir, "..", OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        }
    }

    /// A regular file, for reading. Never waits for a pipe's other end, never opens a device.
    pub fn open_file(&self, path: &RemotePath) -> Result<(File, Node), VaultError> {
        open_file(self.files.as_fd(), path, Links::Inside)
    }

    /// The same of what lies in the trash, by its number there and the path below that.
    pub fn open_trashed(&self, path: &RemotePath) -> Result<(File, Node), VaultError> {
        open_file(self.trash.as_fd(), path, Links::None)
    }

    /// What stands at `path`; the last name is not followed when it is a link.
    pub fn node(&self, path: &RemotePath) -> Result<Node, VaultError> {
        if path.is_home() {
            return Ok(Node::of(&fstat(&self.files)?));
        }
        let (parent, name) = self.parent(path)?;
        Ok(Node::of(&statat(&parent, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW)?))
    }
}

fn open_file(dir: BorrowedFd<'_>, path: &RemotePath, links: Links) -> Result<(File, Node), VaultError> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    // What it is must be known before it is opened for reading: opening a device can act.
    let probe = open(dir, path.as_bytes(), OFlags::PATH, links)?;
    only_files(Node::of(&fstat(&probe)?).kind)?;
    let file = File::from(open(dir, path.as_bytes(), flags, links)?);
    let node = Node::of(&fstat(&file)?);
    only_files(node.kind)?;
    Ok((file, node))
}

fn only_files(kind: Kind) -> Result<(), VaultError> {
    match kind {
        Kind::File => Ok(()),
        Kind::Directory => Err(VaultError::IsDirectory),
        Kind::Link | Kind::Other => Err(VaultError::Denied),
    }
}

/// A resolution that lost this many races in a row is being attacked.
const RACE_TRIES: u32 = 64;

#[cfg(test)]
mod tests {
    use crate::vault::VaultError;
    use crate::vault::tests::{home, path};
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_inside_and_refused_outside() {
        let (dir, home) = home();
        let files = dir.path().join("ada/files");
        std::fs::write(dir.path().join("secret"), "s").expect("written");
        std::fs::create_dir(files.join("d")).expect("made");
        std::fs::write(files.join("d/f"), "inside").expect("written");
        symlink("d/f", files.join("in")).expect("linked");
        symlink("d", files.join("in-dir")).expect("linked");
        symlink("../../secret", files.join("up")).expect("linked");
        symlink(dir.path(), files.join("abs")).expect("linked");
        symlink("/proc/self/root", files.join("magic")).expect("linked");
        symlink("loop", files.join("loop")).expect("linked");

        for inside in ["in", "in-dir/f", "d/f"] {
            assert_eq!(home.open_file(&path(inside)).expect("opened").1.stamp.size, 6, "{inside}");
        }
        for outside in ["up", "abs/secret", "magic/etc/passwd", "loop"] {
            assert!(matches!(home.open_file(&path(outside)), Err(VaultError::Denied)), "{outside}");
        }
        assert!(matches!(home.open_file(&path("d")), Err(VaultError::IsDirectory)));
        assert!(matches!(home.open_file(&path("d/f/x")), Err(VaultError::NotDirectory)));
        assert!(matches!(home.open_file(&path("nothing")), Err(VaultError::NotFound)));
    }

    #[test]
    fn pipes_and_sockets_never_hang_a_reader() {
        let (dir, home) = home();
        let files = dir.path().join("ada/files");
        let fifo = files.join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
        let _socket = std::os::unix::net::UnixListener::bind(files.join("socket")).expect("bound");
        for special in ["fifo", "socket"] {
            assert!(matches!(home.open_file(&path(special)), Err(VaultError::Denied)), "{special}");
        }
    }
}
