//! Pieces of a file, for those who look at it without downloading it.

use std::io;
use std::os::unix::fs::FileExt;

use wire::RemotePath;

use super::{Home, Node, VaultError};

impl Home {
    /// At most `most` bytes of a regular file from `offset` on, with what the file is by now. Memory is taken
    /// for what the file can give, whatever was asked for.
    pub fn piece(&self, path: &RemotePath, offset: u64, most: usize) -> Result<(Node, Vec<u8>), VaultError> {
        let (file, node) = self.open_file(path)?;
        let left = usize::try_from(node.stamp.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; left.min(most)];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, offset.saturating_add(filled as u64)) {
                // It has become shorter.
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        bytes.truncate(filled);
        Ok((node, bytes))
    }
}

#[cfg(test)]
mod tests {
    use crate::vault::VaultError;
    use crate::vault::tests::{home, path};

    #[test]
    fn pieces_end_where_the_file_does() {
        let (dir, home) = home();
        std::fs::write(dir.path().join("ada/files/f"), "0123456789").expect("written");
        let table: [(u64, usize, &[u8]); 7] = [
            (0, 4, b"0123"),
            (4, 100, b"456789"),
            (9, 1, b"9"),
            (10, 1, b""),
            (u64::MAX, usize::MAX, b""),
            (0, usize::MAX, b"0123456789"),
            (3, 0, b""),
        ];
        for (offset, most, expected) in table {
            let (node, bytes) = home.piece(&path("f"), offset, most).expect("read");
            assert_eq!((bytes.as_slice(), node.stamp.size), (expected, 10), "{most} from {offset}");
        }
        assert!(matches!(home.piece(&path(""), 0, 1), Err(VaultError::IsDirectory)));
    }
}
