//! Public keys that open accounts: read from OpenSSH's files, named by their fingerprints, and proofs by them verified.
//! Knows no accounts.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use ssh_key::HashAlg;
use ssh_key::public::{Ed25519PublicKey, KeyData};
use wire::message::{Proof, PublicKey};

/// A key and what its owner calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedKey {
    /// The key.
    pub key: PublicKey,
    /// The comment behind it, with at most [`MAX_COMMENT`] characters.
    pub comment: String,
}

/// What names a key: `SHA256:…`, as `ssh-keygen -l` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(ssh_key::Fingerprint);

/// A text that is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a fingerprint like SHA256:… as --list-keys prints it")]
pub struct FingerprintError;

/// Why a file of keys was not taken. None of its keys was.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("cannot read {}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds no key.
    #[error("{} holds no key; {ALLOWED}", .0.display())]
    Empty(PathBuf),
    /// It is larger than any file of keys.
    #[error("{} has more than {} KiB; {ALLOWED}", .0.display(), MAX_FILE >> 10)]
    TooLong(PathBuf),
    /// One of its lines is no key that is taken.
    #[error("{}, line {line}: {what}; {ALLOWED}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the line is instead.
        what: NotTaken,
    },
}

/// What a line of a file is that is no key to be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The secret half.
    #[error(
        "this is a private key, which should never leave its owner's machine: give the public one, usually in the file of the same name with .pub"
    )]
    Private,
    /// Signed by an authority of SSH's.
    #[error("this is a certificate")]
    Certificate,
    /// Another algorithm.
    #[error("this is a key of the algorithm {0}")]
    Algorithm(String),
    /// Something stands before the key.
    #[error("options before the key are not understood")]
    Options,
    /// The algorithm is right, what follows is not.
    #[error("this key is damaged")]
    Damaged,
    /// Something else.
    #[error("this is no public key")]
    NoKey,
}

/// Reads a file of public keys, one a line. Empty lines and those that begin with `#` are passed over.
pub fn read(file: &Path) -> Result<Vec<NamedKey>, KeyFileError> {
    let mut bytes = Vec::new();
    let unreadable = |source| KeyFileError::Io { file: file.to_owned(), source };
    File::open(file).map_err(unreadable)?.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(KeyFileError::TooLong(file.to_owned()));
    }
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).enumerate();
    let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#")).map(|(before, line)| {
        parse(line).map_err(|what| KeyFileError::Line { file: file.to_owned(), line: before + 1, what })
    });
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() { Err(KeyFileError::Empty(file.to_owned())) } else { Ok(keys) }
}

/// One line: the algorithm, the key in base64, and whatever comment.
fn parse(line: &[u8]) -> Result<NamedKey, NotTaken> {
    let line = str::from_utf8(line).map_err(|_| NotTaken::NoKey)?;
    let (algorithm, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let (encoded, comment) = rest.trim_start().split_once([' ', '\t']).unwrap_or((rest.trim_start(), ""));
    if algorithm != ALGORITHM {
        return Err(instead(line, algorithm));
    }
    let key = ssh_key::PublicKey::from_openssh(&format!("{algorithm} {encoded}")).map_err(|_| NotTaken::Damaged)?;
    let key = key.key_data().ed25519().ok_or(NotTaken::Damaged)?;
    Ok(NamedKey { key: PublicKey(key.0), comment: comment.trim().chars().take(MAX_COMMENT).collect() })
}

/// What a line is that does not begin as a key does that is taken.
fn instead(line: &str, first: &str) -> NotTaken {
    if line.contains("PRIVATE KEY") {
        return NotTaken::Private;
    }
    let is_algorithm = |word: &str| ALGORITHMS.iter().any(|begin| word.starts_with(begin));
    match first {
        _ if is_algorithm(first) && first.ends_with(CERTIFICATE) => NotTaken::Certificate,
        _ if is_algorithm(first) => NotTaken::Algorithm(wire::path::escape(first.as_bytes())),
        _ if line.split([' ', '\t']).any(is_algorithm) => NotTaken::Options,
        _ => NotTaken::NoKey,
    }
}

/// Whether a key has signed a statement.
pub(crate) fn is_by(proof: &Proof, statement: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, proof.key.0).verify(statement, proof.signature.as_bytes()).is_ok()
}

impl Fingerprint {
    /// Of a key.
    pub fn of(key: &PublicKey) -> Self {
        Self(ssh_key::Fingerprint::new(HashAlg::Sha256, &KeyData::Ed25519(Ed25519PublicKey(key.0))))
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        text.parse().ok().filter(|print: &ssh_key::Fingerprint| print.is_sha256()).map(Self).ok_or(FingerprintError)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Characters of a comment that are kept.
pub const MAX_COMMENT: usize = 200;
/// More than the most keys of an account, with their comments.
const MAX_FILE: u64 = 64 << 10;
const ALGORITHM: &str = "ssh-ed25519";
/// How the names of algorithms of SSH's begin.
const ALGORITHMS: [&str; 4] = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"];
const CERTIFICATE: &str = "-cert-v01@openssh.com";
const ALLOWED: &str = "taken are lines of OpenSSH's form, `ssh-ed25519 AAAA… comment`, as in ~/.ssh/id_ed25519.pub";

#[cfg(test)]
mod tests {
    use super::*;

    /// With its fingerprint as ssh-keygen printed it.
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
    const PRINT: &str = "SHA256:UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ";

    fn read_text(text: impl AsRef<[u8]>) -> Result<Vec<NamedKey>, KeyFileError> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        read(file.path())
    }

    #[test]
    fn keys_are_read_with_their_comments_and_named_as_ssh_keygen_does() {
        let text = format!("# of the office\n\n{KEY} ada  at sea \r\n\t{KEY}\n{}\tä", KEY.replace(' ', " \t "));
        let keys = read_text(text).expect("read");
        let comments: Vec<&str> = keys.iter().map(|key| key.comment.as_str()).collect();
        assert_eq!(comments, ["ada  at sea", "", "ä"]);
        assert!(keys.iter().all(|key| Fingerprint::of(&key.key).to_string() == PRINT), "{keys:?}");
        assert_eq!(PRINT.parse(), Ok(Fingerprint::of(&keys[0].key)));
        let long = read_text(format!("{KEY} {}", "ü".repeat(MAX_COMMENT + 1))).expect("read");
        assert_eq!(long[0].comment.chars().count(), MAX_COMMENT);
        for text in ["", "SHA256", "SHA256:", "SHA256:abc", &PRINT[7..], &format!("{PRINT}="), "SHA512:abc"] {
            assert_eq!(text.parse::<Fingerprint>(), Err(FingerprintError), "{text}");
        }
    }

    #[test]
    fn what_is_no_such_key_is_told_by_line() {
        let algorithm = |name: &str| NotTaken::Algorithm(name.to_owned());
        let table = [
            ("-----BEGIN OPENSSH PRIVATE KEY-----", NotTaken::Private),
            ("-----BEGIN PRIVATE KEY-----", NotTaken::Private),
            ("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ== bob", algorithm("ssh-rsa")),
            ("ecdsa-sha2-nistp256 AAAA", algorithm("ecdsa-sha2-nistp256")),
            ("sk-ssh-ed25519@openssh.com AAAA", algorithm("sk-ssh-ed25519@openssh.com")),
            ("ssh-ed25519-cert-v01@openssh.com AAAA", NotTaken::Certificate),
            ("sk-ssh-ed25519-cert-v01@openssh.com AAAA", NotTaken::Certificate),
            (&format!("no-pty,command=\"/bin/true x\" {KEY}"), NotTaken::Options),
            ("ssh-ed25519", NotTaken::Damaged),
            ("ssh-ed25519 AAAA", NotTaken::Damaged),
            ("ssh-ed25519 !!", NotTaken::Damaged),
            (&KEY[..KEY.len() - 4], NotTaken::Damaged),
            (&KEY.replace("1lZDI1NTE5", "1lZDI1NTE6"), NotTaken::Damaged),
            ("---- BEGIN SSH2 PUBLIC KEY ----", NotTaken::NoKey),
            ("hello", NotTaken::NoKey),
        ];
        for (text, expected) in table {
            let refused = read_text(format!("{KEY} good\n\n{text}\n")).expect_err(text);
            let KeyFileError::Line { line, ref what, .. } = refused else { panic!("{text}: {refused}") };
            assert_eq!((line, what), (3, &expected), "{text}");
            assert!(refused.to_string().contains(", line 3: ") && refused.to_string().contains(ALLOWED), "{refused}");
        }
        assert!(matches!(read_text(b"\xff\xfe"), Err(KeyFileError::Line { line: 1, what: NotTaken::NoKey, .. })));
        assert!(matches!(read_text("\n# nothing\n"), Err(KeyFileError::Empty(_))));
        assert!(matches!(read_text(vec![b'\n'; MAX_FILE as usize + 1]), Err(KeyFileError::TooLong(_))));
        assert!(matches!(read(Path::new("/nowhere/id.pub")), Err(KeyFileError::Io { .. })));
    }
}
