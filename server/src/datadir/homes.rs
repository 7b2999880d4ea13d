//! Homes as a whole: made, counted and removed for the account flags. Single files are the vault's.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use wire::UserName;

use super::{DataDir, sync_directory_of};
use crate::catalog::UserId;

/// What a home holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Bytes of its regular files.
    pub bytes: u64,
    /// Regular files.
    pub files: u64,
}

impl DataDir {
    /// The directory of one account, which holds `files`, `staging` and `trash`.
    pub fn home(&self, name: &UserName) -> PathBuf {
        self.users().join(name.as_str())
    }

    /// Makes what is missing of a home. Files that are there stay, but for those in the trash.
    pub fn make_home(&self, name: &UserName) -> io::Result<()> {
        let home = self.home(name);
        remove_all(&home.join("trash"))?;
        PARTS.iter().try_for_each(|part| DirBuilder::new().recursive(true).mode(0o700).create(home.join(part)))?;
        // What is acknowledged in it is not to hang on names that a power cut takes back.
        [home.join("files"), home, self.users()].iter().try_for_each(|made| sync_directory_of(made))
    }

    /// Takes away what is empty of a home.
    pub fn unmake_home(&self, name: &UserName) {
        let home = self.home(name);
        // A directory that still holds something is meant to stay.
        PARTS.iter().for_each(|part| drop(fs::remove_dir(home.join(part))));
        drop(fs::remove_dir(home));
    }

    /// Counts what a home holds; nothing where there is none.
    pub fn count_home(&self, name: &UserName) -> io::Result<Count> {
        let files = self.home(name).join("files");
        let mut count = Count::default();
        if !files.try_exists()? {
            return Ok(count);
        }
        let mut dirs = vec![files];
        while let Some(dir) = dirs.pop() {
            for entry in dir.read_dir()? {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    dirs.push(entry.path());
                } else if kind.is_file() {
                    count.bytes += entry.metadata()?.len();
                    count.files += 1;
                }
            }
        }
        Ok(count)
    }

    /// Removes the home of an account that is gone. In one step it loses its name, so that a new
    /// account of that name never finds it.
    pub fn remove_home(&self, name: &UserName, user: UserId) -> io::Result<()> {
        match fs::rename(self.home(name), self.users().join(format!("{REMOVED}{user}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.sweep_homes()
    }

    /// Deletes what is left of removed homes.
    pub fn sweep_homes(&self) -> io::Result<()> {
        if !self.users().try_exists()? {
            return Ok(());
        }
        for entry in self.users().read_dir()? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(REMOVED.as_bytes()) {
                remove_all(&entry.path())?;
            }
        }
        Ok(())
    }
}

/// Deletes a tree. Who was faster did no harm.
fn remove_all(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

const PARTS: [&str; 3] = ["files", "staging", "trash"];

/// No account's name begins with a dot.
const REMOVED: &str = ".removed-";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, Phc};
    use crate::config::Durability;

    #[tokio::test]
    async fn homes_come_and_go() {
        let temp = tempfile::tempdir().expect("a directory");
        let dir = DataDir::open(temp.path()).expect("opened");
        let name: UserName = "ada".parse().expect("a name");
        dir.sweep_homes().expect("nothing there");
        assert_eq!(dir.count_home(&name).expect("counted"), Count::default());
        dir.make_home(&name).expect("made");
        let files = dir.home(&name).join("files");
        fs::create_dir_all(files.join("a/b")).expect("made");
        fs::write(files.join("a/b/one"), "12345").expect("written");
        fs::write(files.join("two"), "123").expect("written");
        std::os::unix::fs::symlink("/", files.join("a/link")).expect("linked");
        dir.make_home(&name).expect("as it is");
        dir.unmake_home(&name);
        assert_eq!(dir.count_home(&name).expect("counted"), Count { bytes: 8, files: 2 });

        let catalog = Catalog::open(&dir.catalog(), Durability::Full).expect("opened");
        let user = catalog.add_user(&name, Phc("x".into()), None, None).await.expect("added");
        dir.remove_home(&name, user).expect("removed");
        assert_eq!(dir.users().read_dir().expect("read").count(), 0);
        dir.remove_home(&name, user).expect("gone already");
    }
}
