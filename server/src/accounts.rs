//! What the account flags do, without the command line: catalog and homes changed together. Works
//! beside a running daemon, which notices.

use std::io;
use std::path::PathBuf;

use wire::UserName;
use wire::message::{Secret, Usage};

use crate::catalog::{Catalog, CatalogError};
use crate::config::{Config, Durability, Hashing};
use crate::datadir::{Count, DataDir, DataDirError};
use crate::password::{PasswordError, Passwords};

/// The accounts of a data directory.
#[derive(Debug)]
pub struct Accounts {
    /// Where homes lie.
    pub dir: DataDir,
    /// The accounts themselves.
    pub catalog: Catalog,
    hashing: Hashing,
}

/// What becomes of a home whose account is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// It goes too.
    Delete,
    /// It stays, for the operator or for a new account of that name.
    Keep,
}

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The data directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The home could not be made or counted.
    #[error("cannot use the home {}", path.display())]
    Home {
        /// The home.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The account is gone, its home is not.
    #[error("the account is removed, but not all of its files in {}", path.display())]
    Left {
        /// Where they lie.
        path: PathBuf,
        /// Why they stay.
        source: io::Error,
    },
}

impl Accounts {
    /// Opens the accounts of the configured data directory, which is made on first use.
    pub fn open(config: &Config) -> Result<Self, AccountError> {
        let dir = DataDir::open(&config.data_dir)?;
        let catalog = Catalog::open(&dir.catalog(), Durability::Full)?;
        Ok(Self { dir, catalog, hashing: config.argon2.clone() })
    }

    /// Makes an account with its home. Files that a removed account of that name left behind become
    /// its own, but for those in the trash, which nobody knows any more and which go; says what was found.
    pub async fn add(
        &self,
        name: &UserName,
        password: Secret,
        quota: Option<u64>,
        max_files: Option<u64>,
        trash: Option<u32>,
    ) -> Result<Count, AccountError> {
        self.require_new(name).await?;
        let phc = Passwords::new(&self.hashing)?.hash(password).await?;
        let unusable = |source| AccountError::Home { path: self.dir.home(name), source };
        let found = self.dir.make_home(name).and_then(|()| self.dir.count_home(name)).map_err(unusable)?;
        let space = Usage { quota, max_files, used: found.bytes, files: found.files, reserved: 0 };
        match self.catalog.take_up_user(name, phc, space, trash).await {
            // Whoever was faster made the same home.
            Err(error) if !matches!(error, CatalogError::UserExists(_)) => {
                self.dir.unmake_home(name);
                Err(error.into())
            }
            added => Ok(added.map(|_| found)?),
        }
    }

    /// Removes an account, then its home.
    pub async fn remove(&self, name: &UserName, home: Home) -> Result<(), AccountError> {
        let user = self.catalog.remove_user(name).await?;
        match home {
            Home::Keep => Ok(()),
            Home::Delete => {
                let left = |source| AccountError::Left { path: self.dir.users(), source };
                self.dir.remove_home(name, user).map_err(left)
            }
        }
    }

    /// Gives an account another password; its sessions end.
    pub async fn set_password(&self, name: &UserName, password: Secret) -> Result<(), AccountError> {
        let phc = Passwords::new(&self.hashing)?.hash(password).await?;
        Ok(self.catalog.set_password(name, phc).await?)
    }

    /// Whether the name is free, before anything is asked or made.
    pub async fn require_new(&self, name: &UserName) -> Result<(), AccountError> {
        match self.catalog.account(name).await? {
            Some(_) => Err(CatalogError::UserExists(name.clone()).into()),
            None => Ok(()),
        }
    }

    /// Whether there is such an account, before a password is asked for it.
    pub async fn require(&self, name: &UserName) -> Result<(), AccountError> {
        match self.catalog.account(name).await? {
            Some(_) => Ok(()),
            None => Err(CatalogError::NoSuchUser(name.clone()).into()),
        }
    }
}
