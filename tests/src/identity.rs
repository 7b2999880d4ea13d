//! A key of SSH's as a test has one: its public line, its private file, and what it signs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use aws_lc_rs::rand::{SystemRandom, generate};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use ssh_key::public::Ed25519PublicKey;
use ssh_key::{Cipher, Kdf, LineEnding, PrivateKey};
use wire::message::{Proof, PublicKey, Signature};

/// An Ed25519 key.
#[derive(Debug)]
pub struct Identity {
    /// Its public half.
    pub public: PublicKey,
    pair: Ed25519KeyPair,
    private: PrivateKey,
}

impl Identity {
    /// A new one with a comment.
    pub fn new(comment: &str) -> Result<Self> {
        let seed = generate::<[u8; 32]>(&SystemRandom::new())?.expose();
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed)?;
        let public: [u8; 32] = pair.public_key().as_ref().try_into()?;
        let keys = Ed25519Keypair { public: Ed25519PublicKey(public), private: Ed25519PrivateKey::from_bytes(&seed) };
        let private = PrivateKey::new(KeypairData::Ed25519(keys), comment)?;
        Ok(Self { public: PublicKey(public), pair, private })
    }

    /// `ssh-ed25519 AAAA… comment`.
    pub fn line(&self) -> Result<String> {
        Ok(self.private.public_key().to_openssh()?)
    }

    /// Writes its private file, for its owner only, encrypted if there is a passphrase.
    pub fn write(&self, file: &Path, passphrase: Option<&str>) -> Result<()> {
        let written = match passphrase {
            Some(passphrase) => {
                let kdf = Kdf::Bcrypt { salt: vec![7; 16], rounds: 2 };
                self.private.encrypt_with(Cipher::Aes256Ctr, kdf, 5, passphrase)?.to_openssh(LineEnding::LF)?
            }
            None => self.private.to_openssh(LineEnding::LF)?,
        };
        fs::create_dir_all(file.parent().context("a directory")?)?;
        fs::write(file, written.as_bytes())?;
        Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o600))?)
    }

    /// Its signature below a statement.
    pub fn proof(&self, statement: &[u8]) -> Result<Proof> {
        let signature = Signature::from_bytes(self.pair.sign(statement).as_ref()).context("64 bytes")?;
        Ok(Proof { key: self.public, signature })
    }
}
