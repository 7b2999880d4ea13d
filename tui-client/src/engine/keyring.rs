//! The keys that a login may be proven with: those of files, and what an agent holds. Secrets stay in here and are never
//! printed.

mod agent;
mod file;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use wire::message::{MAX_PROOFS, Proof, PublicKey};

pub use agent::Agent;
pub use file::{Key, KeyFile, KeyFileError};

/// Keys, in the order they are offered: the named one, the agent's, those of other files.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    /// The one that was named, whoever holds it.
    named: Option<PublicKey>,
    files: Vec<Arc<Key>>,
    agent: Option<Agent>,
}

impl Keyring {
    /// What an agent holds, at the time of each login.
    pub fn of_agent(agent: Option<Agent>) -> Self {
        Self { agent, ..Self::default() }
    }

    /// Adds a key.
    pub fn add(&mut self, key: Key) {
        self.files.push(Arc::new(key));
    }

    /// Has a key go first, which is here or with the agent.
    pub fn name(&mut self, key: PublicKey) {
        self.named = Some(key);
    }

    /// Whether a person named one of them.
    pub fn is_named(&self) -> bool {
        self.named.is_some()
    }

    /// Whether a file has this key.
    pub fn is_of(&self, key: &PublicKey) -> bool {
        self.files.iter().any(|file| file.public() == *key)
    }

    /// What the agent holds now; nothing where none answers soon.
    pub async fn held_by_agent(&self) -> Vec<PublicKey> {
        let asked = async { self.agent.as_ref()?.connect().await.ok()?.keys().await.ok() };
        timeout(PATIENCE, asked).await.ok().flatten().unwrap_or_default()
    }

    /// Whether nothing could be offered now.
    pub async fn is_empty(&self) -> bool {
        self.files.is_empty() && self.held_by_agent().await.is_empty()
    }

    /// Proofs by all keys there are, [`MAX_PROOFS`] at most. A key whose agent does not sign is left out.
    pub(crate) async fn prove(&self, statement: &[u8]) -> Vec<Proof> {
        let mut talk = None;
        if let Some(agent) = &self.agent {
            talk = agent.connect().await.inspect_err(|error| tracing::debug!(%error, "no agent")).ok();
        }
        let held = match &mut talk {
            Some(talk) => talk.keys().await.inspect_err(|error| tracing::warn!(%error, "the agent tells no keys")),
            None => Ok(Vec::new()),
        };
        let mut offered = held.unwrap_or_default();
        offered.extend(self.files.iter().map(|file| file.public()));
        let (mut first, mut rest): (Vec<_>, Vec<_>) = offered.into_iter().partition(|key| Some(*key) == self.named);
        first.append(&mut rest);
        let mut proofs: Vec<Proof> = Vec::new();
        for key in first {
            if proofs.len() == MAX_PROOFS {
                break;
            }
            if proofs.iter().any(|proof| proof.key == key) {
                continue;
            }
            let signature = match (self.files.iter().find(|file| file.public() == key), &mut talk) {
                (Some(file), _) => file.sign(statement),
                (None, Some(talk)) => {
                    let signed = talk.sign(&key, statement).await;
                    signed.inspect_err(|error| tracing::warn!(%error, "the agent does not sign")).ok()
                }
                (None, None) => None,
            };
            proofs.extend(signature.map(|signature| Proof { key, signature }));
        }
        proofs
    }
}

/// For an agent to say what it holds. For a signature there is as long as for the login, for a person may be asked.
const PATIENCE: Duration = Duration::from_secs(2);
