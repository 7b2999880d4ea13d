//! Where one may begin on this machine: the person's directories, the root, and the disks. Blocks, but never on a disk
//! that does not answer: only the kernel's list of them is read.

use std::path::{Path, PathBuf};

use directories::UserDirs;

/// Each once, the person's own first.
pub(super) fn find() -> Vec<PathBuf> {
    let user = UserDirs::new();
    let own = user.iter().flat_map(|user| {
        let home = Some(user.home_dir());
        [home, user.download_dir(), user.document_dir(), user.desktop_dir()].into_iter().flatten().map(Path::to_owned)
    });
    let mut found: Vec<PathBuf> = Vec::new();
    for path in own.chain([PathBuf::from("/")]).chain(disks()) {
        if !found.contains(&path) {
            found.push(path);
        }
    }
    found
}

#[cfg(target_os = "linux")]
fn disks() -> Vec<PathBuf> {
    use procfs::process::Process;
    let mounts = Process::myself().and_then(|process| process.mountinfo()).map(|mounts| mounts.0).unwrap_or_default();
    let is_disk = |source: Option<&str>, kind: &str| {
        let device = source.is_some_and(|source| source.starts_with("/dev/") && !source.starts_with("/dev/loop"));
        device || FAR.iter().any(|far| kind.starts_with(far))
    };
    let disks = mounts.into_iter().filter(|mount| is_disk(mount.mount_source.as_deref(), &mount.fs_type));
    // What the system is made of is no place for a person's files.
    let paths =
        disks.map(|mount| mount.mount_point).filter(|path| !SYSTEM.iter().any(|system| path.starts_with(system)));
    paths.filter(|path| path.is_absolute()).collect()
}

#[cfg(not(target_os = "linux"))]
fn disks() -> Vec<PathBuf> {
    Vec::new()
}

/// Disks at other machines, by the beginning of their kind.
#[cfg(target_os = "linux")]
const FAR: [&str; 8] = ["nfs", "cifs", "smb", "fuse.sshfs", "fuse.rclone", "9p", "zfs", "ceph"];
#[cfg(target_os = "linux")]
const SYSTEM: [&str; 5] = ["/boot", "/etc", "/proc", "/sys", "/snap"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_always_there_and_nothing_twice() {
        let found = find();
        assert!(found.contains(&PathBuf::from("/")));
        let mut once = found.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), found.len(), "{found:?}");
    }
}
