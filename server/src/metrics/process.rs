//! Memory and open files of this process. Where the kernel tells of them is opened before the process is confined.

use std::fs::File;
use std::mem::MaybeUninit;
use std::os::unix::fs::FileExt;
use std::sync::{LazyLock, Mutex, PoisonError};

use rustix::fs::{RawDir, SeekFrom, seek};

/// Files of the kernel that are read again and again.
#[derive(Debug)]
pub(crate) struct Process {
    memory: Option<File>,
    /// Read by one at a time, for it has a place where reading goes on.
    files: Option<Mutex<File>>,
}

/// This process.
pub(crate) static PROCESS: LazyLock<Process> = LazyLock::new(|| Process {
    memory: File::open("/proc/self/statm").ok(),
    files: File::open("/proc/self/fd").ok().map(Mutex::new),
});

impl Process {
    /// Bytes that it occupies.
    pub(super) fn resident(&self) -> Option<u64> {
        let mut text = [0; 128];
        let len = self.memory.as_ref()?.read_at(&mut text, 0).ok()?;
        let text = std::str::from_utf8(text.get(..len)?).ok()?;
        let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
        Some(pages * rustix::param::page_size() as u64)
    }

    /// Files, sockets and the like that are open.
    pub(super) fn open_files(&self) -> Option<u64> {
        let files = self.files.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        seek(&*files, SeekFrom::Start(0)).ok()?;
        let mut buffer = [const { MaybeUninit::uninit() }; 4096];
        let (mut entries, mut count) = (RawDir::new(&*files, &mut buffer), 0u64);
        while let Some(entry) = entries.next() {
            entry.ok()?;
            count += 1;
        }
        // `.` and `..`.
        count.checked_sub(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_again_and_again() {
        let before = PROCESS.open_files().expect("told");
        let more: Vec<File> = (0..300).map(|_| File::open("/dev/null").expect("opened")).collect();
        assert!(PROCESS.open_files().expect("told") >= before.min(300));
        assert!(PROCESS.open_files().expect("told") >= 300);
        drop(more);
        assert!(PROCESS.resident().expect("told") > 1 << 20);
    }
}
