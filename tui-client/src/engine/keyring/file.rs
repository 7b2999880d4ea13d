//! A private key in a file of OpenSSH's form: used only where nobody else may read it, and opened by its passphrase where
//! it has one.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::Ed25519KeyPair;
use ssh_key::PrivateKey;
use wire::message::{PublicKey, Signature};
use zeroize::Zeroizing;

/// A key that can sign. Its secret is never printed, and overwritten in memory when it goes.
pub struct Key {
    public: PublicKey,
    pair: Ed25519KeyPair,
}

/// A file that holds one, locked or not.
#[derive(Debug)]
pub struct KeyFile {
    file: PathBuf,
    public: PublicKey,
    key: PrivateKey,
}

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("the key {} cannot be read: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read it.
    #[error(
        "the key {} is not used, for others may read it (its mode is {mode:04o}); `chmod 600` makes it its owner's alone",
        file.display()
    )]
    Exposed {
        /// The file.
        file: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The public half.
    #[error("{} is a public key; name the private one, usually the file of the same name without .pub", .0.display())]
    Public(PathBuf),
    /// Something else.
    #[error("{} holds no private key in OpenSSH's form, as `ssh-keygen -t ed25519` makes them", .0.display())]
    NoKey(PathBuf),
    /// Another algorithm.
    #[error("{} is a key of the algorithm {algorithm}; only ssh-ed25519 is used, as `ssh-keygen -t ed25519` makes them", file.display())]
    Algorithm {
        /// The file.
        file: PathBuf,
        /// Its algorithm.
        algorithm: String,
    },
    /// It is locked, and this does not open it.
    #[error("the passphrase of {} is wrong", .0.display())]
    Passphrase(PathBuf),
}

impl KeyFile {
    /// Reads a file. The passphrase is not needed yet.
    pub fn read(file: &Path) -> Result<Self, KeyFileError> {
        let unreadable = |source| KeyFileError::Io { file: file.to_owned(), source };
        let metadata = fs::metadata(file).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(KeyFileError::NoKey(file.to_owned()));
        }
        // As large as it may get at once: what grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE));
        let opened = File::open(file).map_err(unreadable)?;
        opened.take(MAX_FILE as u64).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.starts_with(b"ssh-") {
            return Err(KeyFileError::Public(file.to_owned()));
        }
        let key = PrivateKey::from_openssh(bytes.as_slice()).map_err(|_| KeyFileError::NoKey(file.to_owned()))?;
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Exposed { file: file.to_owned(), mode });
        }
        let Some(public) = key.public_key().key_data().ed25519().map(|public| PublicKey(public.0)) else {
            return Err(KeyFileError::Algorithm { file: file.to_owned(), algorithm: key.algorithm().to_string() });
        };
        Ok(Self { file: file.to_owned(), public, key })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Its public half, which is not locked.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Whether it takes a passphrase to open it.
    pub fn is_locked(&self) -> bool {
        self.key.is_encrypted()
    }

    /// Opens it. With a passphrase that takes a good part of a second.
    pub fn open(&self, passphrase: &str) -> Result<Key, KeyFileError> {
        let opened;
        let key = if self.is_locked() {
            opened = self.key.decrypt(passphrase).map_err(|_| KeyFileError::Passphrase(self.file.clone()))?;
            &opened
        } else {
            &self.key
        };
        let no_key = || KeyFileError::NoKey(self.file.clone());
        let secret = Zeroizing::new(key.key_data().ed25519().ok_or_else(no_key)?.private.to_bytes());
        let pair = Ed25519KeyPair::from_seed_and_public_key(secret.as_slice(), &self.public.0).map_err(|_| no_key())?;
        Ok(Key { public: self.public, pair })
    }
}

impl Key {
    pub(super) fn public(&self) -> PublicKey {
        self.public
    }

    pub(super) fn sign(&self, statement: &[u8]) -> Option<Signature> {
        Signature::from_bytes(self.pair.sign(statement).as_ref())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?}, …)", self.public)
    }
}

/// Far more than a key takes.
const MAX_FILE: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use ::tests::identity::Identity;

    fn mode(file: &Path, mode: u32) {
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).expect("set");
    }

    #[test]
    fn keys_open_with_their_passphrase_and_sign() {
        let place = tempfile::tempdir().expect("a directory");
        let identity = Identity::new("a test's").expect("a key");
        let (plain, locked) = (place.path().join("plain"), place.path().join("locked"));
        identity.write(&plain, None).expect("written");
        identity.write(&locked, Some("open sesame")).expect("written");
        let expected = identity.proof(b"words").expect("signed").signature;
        let read = |file| KeyFile::read(file).expect("read");
        assert_eq!((read(&plain).is_locked(), read(&locked).is_locked()), (false, true));
        assert_eq!(read(&locked).public(), identity.public, "it can be told before it is open");
        for (file, passphrase) in [(&plain, ""), (&plain, "whatever"), (&locked, "open sesame")] {
            let key = read(file).open(passphrase).expect("opened");
            assert_eq!((key.public(), key.sign(b"words")), (identity.public, Some(expected)));
            assert!(!format!("{key:?} {:?}", read(file)).contains("PRIVATE"));
        }
        for wrong in ["", "open sesame "] {
            assert!(matches!(read(&locked).open(wrong), Err(KeyFileError::Passphrase(file)) if file == locked));
        }
    }

    #[test]
    fn what_is_of_no_use_is_told_by_what_it_is() {
        let place = tempfile::tempdir().expect("a directory");
        let identity = Identity::new("a test's").expect("a key");
        let file = place.path().join("id");
        let told = || KeyFile::read(&file).map(drop).expect_err("refused").to_string();
        assert!(told().contains("cannot be read"), "{}", told());
        identity.write(&file, None).expect("written");
        for exposed in [0o644, 0o640, 0o604, 0o660, 0o610] {
            mode(&file, exposed);
            assert!(told().contains(&format!("{exposed:04o}")) && told().contains("chmod 600"), "{}", told());
        }
        for own in [0o600, 0o400, 0o700] {
            mode(&file, own);
            KeyFile::read(&file).expect("its owner's alone");
        }
        mode(&file, 0o600);
        for (text, what) in [
            (identity.line().expect("a line"), "without .pub"),
            (
                "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n".into(),
                "OpenSSH's form",
            ),
            ("nonsense".repeat(9000), "OpenSSH's form"),
            (String::new(), "OpenSSH's form"),
        ] {
            fs::write(&file, text).expect("written");
            assert!(told().contains(what), "{}", told());
        }
        fs::remove_file(&file).expect("removed");
        fs::create_dir(&file).expect("made");
        assert!(told().contains("OpenSSH's form"), "{}", told());
    }
}
