//! An SSH agent, asked which Ed25519 keys it holds and for signatures by them. What it says is looked at before it is
//! believed. The two messages are those of draft-miller-ssh-agent.

use std::io;
use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use wire::message::{PublicKey, Signature};

/// Where an agent listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent(PathBuf);

impl Agent {
    /// At a socket.
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self(socket.into())
    }

    /// The one that the environment names, if it does.
    pub fn of_environment() -> Option<Self> {
        std::env::var_os("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty()).map(Self::at)
    }

    pub(super) async fn connect(&self) -> io::Result<Talk> {
        Ok(Talk(UnixStream::connect(&self.0).await?))
    }
}

/// A connection to an agent.
pub(super) struct Talk(UnixStream);

impl Talk {
    /// The Ed25519 keys it holds.
    pub(super) async fn keys(&mut self) -> io::Result<Vec<PublicKey>> {
        let answer = self.ask(&[REQUEST_IDENTITIES], IDENTITIES).await?;
        keys(&answer).ok_or_else(|| invalid("the agent's list cannot be understood"))
    }

    /// Its signature below a statement. It may ask a person first.
    pub(super) async fn sign(&mut self, key: &PublicKey, statement: &[u8]) -> io::Result<Signature> {
        let request = [&[SIGN_REQUEST], string(&blob(key)).as_slice(), &string(statement), &NO_FLAGS].concat();
        let answer = self.ask(&request, SIGNATURE).await?;
        signature(&answer).ok_or_else(|| invalid("the agent's signature cannot be understood"))
    }

    async fn ask(&mut self, request: &[u8], expected: u8) -> io::Result<Vec<u8>> {
        self.0.write_all(&string(request)).await?;
        let len = self.0.read_u32().await? as usize;
        if len > MAX_ANSWER {
            return Err(invalid("the agent says more than agents do"));
        }
        let mut answer = vec![0; len];
        self.0.read_exact(&mut answer).await?;
        match answer.split_first() {
            Some((kind, body)) if *kind == expected => Ok(body.to_vec()),
            _ => Err(io::Error::other("the agent refuses")),
        }
    }
}

/// What a list of identities holds for us: other algorithms and certificates are passed over.
fn keys(list: &[u8]) -> Option<Vec<PublicKey>> {
    let (count, mut rest) = list.split_first_chunk()?;
    let mut keys = Vec::new();
    for _ in 0..u32::from_be_bytes(*count) {
        let (blob, after) = take(rest)?;
        let (_comment, after) = take(after)?;
        rest = after;
        keys.extend(of_ed25519(blob).and_then(|key| key.try_into().ok()).map(PublicKey));
    }
    Some(keys)
}

fn signature(answer: &[u8]) -> Option<Signature> {
    let (blob, _) = take(answer)?;
    Signature::from_bytes(of_ed25519(blob)?)
}

/// What follows the algorithm's name in a key or a signature, if it is ours.
fn of_ed25519(blob: &[u8]) -> Option<&[u8]> {
    let (algorithm, rest) = take(blob)?;
    let (bytes, rest) = take(rest)?;
    (algorithm == ED25519 && rest.is_empty()).then_some(bytes)
}

/// A string of SSH's, and what comes after it.
fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*len) as usize)
}

/// Bytes as a string of SSH's. All of ours are short.
fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn blob(key: &PublicKey) -> Vec<u8> {
    [string(ED25519), string(&key.0)].concat()
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGNATURE: u8 = 14;
const NO_FLAGS: [u8; 4] = [0; 4];
const ED25519: &[u8] = b"ssh-ed25519";
/// As OpenSSH's own client has it.
const MAX_ANSWER: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UnixListener;

    fn list(entries: &[Vec<u8>]) -> Vec<u8> {
        let entries = entries.iter().map(|blob| [string(blob), string(b"a comment")].concat());
        [(entries.len() as u32).to_be_bytes().to_vec(), entries.collect::<Vec<_>>().concat()].concat()
    }

    #[test]
    fn a_list_is_ours_in_part_or_cannot_be_understood() {
        let other = [string(b"ssh-rsa"), string(&[1; 300])].concat();
        let short = [string(ED25519), string(&[1; 31])].concat();
        let long = [blob(&PublicKey([1; 32])), vec![0]].concat();
        let whole = list(&[other, blob(&PublicKey([7; 32])), short, long, blob(&PublicKey([8; 32]))]);
        assert_eq!(keys(&whole), Some(vec![PublicKey([7; 32]), PublicKey([8; 32])]));
        assert_eq!(keys(&list(&[])), Some(vec![]));
        for end in 0..whole.len() {
            assert_eq!(keys(&whole[..end]), None, "{end}");
        }
        assert_eq!(keys(&[0xff; 4]), None, "more than there are");
        assert_eq!(keys(&[0xff; 400]), None, "longer than it is");
    }

    #[test]
    fn a_signature_is_whole_or_none() {
        let answer = |algorithm: &[u8], bytes: &[u8]| string(&[string(algorithm), string(bytes)].concat());
        let whole = answer(ED25519, &[5; 64]);
        assert_eq!(signature(&whole), Some(Signature([[5; 32]; 2])));
        for end in 0..whole.len() {
            assert_eq!(signature(&whole[..end]), None, "{end}");
        }
        assert_eq!(signature(&answer(ED25519, &[5; 63])), None);
        assert_eq!(signature(&answer(b"ssh-rsa", &[5; 64])), None);
    }

    /// What comes of asking an agent for its keys that answers so.
    async fn asked(answer: Vec<u8>) -> io::Result<Vec<PublicKey>> {
        let place = tempfile::tempdir().expect("a directory");
        let socket = place.path().join("agent");
        let listener = UnixListener::bind(&socket).expect("bound");
        let agent = async {
            let (mut stream, _) = listener.accept().await.expect("connected");
            let mut request = [0; 5];
            stream.read_exact(&mut request).await.expect("asked");
            assert_eq!(request, [0, 0, 0, 1, REQUEST_IDENTITIES]);
            stream.write_all(&answer).await.expect("answered");
        };
        let ask = async { Agent::at(&socket).connect().await?.keys().await };
        tokio::join!(ask, agent).0
    }

    #[tokio::test]
    async fn an_agent_that_lies_is_not_believed() {
        let framed = |body: &[u8]| string(body);
        let good = framed(&[&[IDENTITIES], list(&[blob(&PublicKey([7; 32]))]).as_slice()].concat());
        assert_eq!(asked(good.clone()).await.expect("told"), [PublicKey([7; 32])]);
        let kind = |answer: io::Result<Vec<PublicKey>>| answer.expect_err("not believed").kind();
        assert_eq!(kind(asked(vec![0xff; 4]).await), io::ErrorKind::InvalidData, "four gigabytes are not waited for");
        assert_eq!(kind(asked(good[..20].to_vec()).await), io::ErrorKind::UnexpectedEof);
        assert_eq!(kind(asked(framed(&[5])).await), io::ErrorKind::Other, "it refuses");
        assert_eq!(kind(asked(framed(&[])).await), io::ErrorKind::Other);
        assert_eq!(kind(asked(framed(&[IDENTITIES, 0, 0, 0, 9])).await), io::ErrorKind::InvalidData);
    }
}
