//! Logins by key: what the server asks, what is signed for it, and what comes back. Signs and verifies nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The capability of logins by key: a client that says it is sent a [`Challenge`] right after hello, by a server that
/// says it, too.
pub const KEY_LOGIN: u64 = 1;

/// Keys in one login, at the most: they fit into a guest's frame, and are all verified.
pub const MAX_PROOFS: usize = 16;

/// The label under which TLS exports a [`Binding`], with no context (RFC 9266).
pub const BINDING_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// Random bytes, made by the server for one login on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge(pub [u8; 32]);

/// What both ends of a TLS connection know of it, and no other connection has. Never travels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Binding(pub [u8; 32]);

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Binding(…)")
    }
}

/// An Ed25519 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PublicKey(pub [u8; 32]);

/// An Ed25519 signature, its two halves R and S.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature(pub [[u8; 32]; 2]);

impl Signature {
    /// The 64 bytes as libraries and agents have them; `None` if they are not so many.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (r, s) = bytes.split_first_chunk()?;
        Some(Self([*r, s.try_into().ok()?]))
    }

    /// The same.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_flattened()
    }
}

/// That whoever logs in has a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The key.
    pub key: PublicKey,
    /// What it made of [`Challenge::statement`].
    pub signature: Signature,
}

impl Challenge {
    /// What a key signs to log in as `user`. It begins with words that nothing else which SSH keys or agents sign begins
    /// with: a request of SSH begins with a length (of which these words would be one of 1.6 GB), a signed file with
    /// `SSHSIG`. Only the name differs in length, and it is last: no two logins share a statement.
    pub fn statement(&self, binding: &Binding, user: &str) -> Vec<u8> {
        [CONTEXT, &self.0, &binding.0, user.as_bytes()].concat()
    }
}

const CONTEXT: &[u8] = b"catamaran login by key, version 1\0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_of_one_challenge_one_connection_and_one_user() {
        let (challenge, binding) = (Challenge([1; 32]), Binding([2; 32]));
        let statement = challenge.statement(&binding, "ada");
        assert!(statement.starts_with(b"catamaran login by key, version 1\0"));
        assert_eq!(statement.get(34..), Some([[1; 32].as_slice(), &[2; 32], b"ada"].concat().as_slice()));
        for other in [
            Challenge([3; 32]).statement(&binding, "ada"),
            challenge.statement(&Binding([3; 32]), "ada"),
            challenge.statement(&binding, "adam"),
        ] {
            assert_ne!(other, statement);
        }
    }

    #[test]
    fn a_signature_has_64_bytes() {
        let bytes: Vec<u8> = (0..64).collect();
        assert_eq!(Signature::from_bytes(&bytes).expect("64 bytes").as_bytes(), bytes);
        for len in [0, 31, 32, 63, 65] {
            assert_eq!(Signature::from_bytes(&vec![0; len]), None);
        }
    }
}
