//! A key of SSH's as a test has one: its public line, its private file, what it signs; and an agent that holds some.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use aws_lc_rs::rand::{SystemRandom, generate};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use ssh_key::public::Ed25519PublicKey;
use ssh_key::{Cipher, Kdf, LineEnding, PrivateKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
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
    /// Its public half as SSH sends it.
    fn blob(&self) -> Vec<u8> {
        [string(b"ssh-ed25519"), string(&self.public.0)].concat()
    }
}

/// The key in a file as ssh-keygen writes it, read as a server reads one.
pub fn read_public(file: &Path) -> Result<PublicKey> {
    Ok(server::keys::read(file)?.first().context("a key")?.key)
}

/// An SSH agent that holds some keys, until dropped.
#[derive(Debug)]
pub struct Agent {
    signed: Arc<AtomicUsize>,
    socket: PathBuf,
    running: tokio::task::JoinHandle<()>,
}

impl Agent {
    /// Listens at a socket.
    pub fn start(socket: &Path, keys: Vec<Identity>) -> Result<Self> {
        let listener = UnixListener::bind(socket)?;
        let (keys, signed) = (Arc::new(keys), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&signed);
        let running = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&keys), Arc::clone(&count)));
            }
        });
        Ok(Self { signed, socket: socket.to_owned(), running })
    }

    /// How often it has signed.
    pub fn signed(&self) -> usize {
        self.signed.load(Ordering::Relaxed)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.running.abort();
        let _ = fs::remove_file(&self.socket);
    }
}

async fn serve(mut stream: UnixStream, keys: Arc<Vec<Identity>>, signed: Arc<AtomicUsize>) -> Result<()> {
    loop {
        let mut request = vec![0; stream.read_u32().await? as usize];
        stream.read_exact(&mut request).await?;
        let answer = match request.split_first() {
            Some((11, _)) => {
                let listed = keys.iter().flat_map(|key| [string(&key.blob()), string(b"a key")].concat());
                [&[12], (keys.len() as u32).to_be_bytes().as_slice(), &listed.collect::<Vec<_>>()].concat()
            }
            Some((13, asked)) => {
                let (blob, rest) = take(asked)?;
                let (statement, _) = take(rest)?;
                let key = keys.iter().find(|key| key.blob() == blob).context("a key it holds")?;
                signed.fetch_add(1, Ordering::Relaxed);
                let signature = key.proof(statement)?.signature;
                let blob = [string(b"ssh-ed25519"), string(signature.as_bytes())].concat();
                [vec![14], string(&blob)].concat()
            }
            _ => vec![5],
        };
        stream.write_all(&string(&answer)).await?;
    }
}

/// A string of SSH's.
fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn take(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk().context("a length")?;
    rest.split_at_checked(u32::from_be_bytes(*len) as usize).context("so many bytes")
}
