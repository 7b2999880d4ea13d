//! What a running daemon takes over from a configuration that is read anew: all of it or nothing. What was begun under
//! the former settings goes on under them.

use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::audit::{Audit, AuditError};
use crate::config::{Config, Live};
use crate::datadir::DataDir;
use crate::identity::{Identity, IdentityError};
use crate::listener::Entrance;
use crate::password::{PasswordError, Passwords};

/// Why nothing was taken over.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// Key and certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Password hashing.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    /// The audit's file.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// What is in force now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// Settings that differ and stay as they were until a restart.
    pub kept: Vec<&'static str>,
    /// Of the server's key.
    pub fingerprint: String,
}

/// Where the settings of a running daemon are put in force.
pub(crate) struct Reload {
    pub(crate) dir: DataDir,
    /// What new connections get.
    pub(crate) entrance: watch::Sender<Entrance>,
    /// What is looked at whenever it matters.
    pub(crate) live: Live,
}

impl Reload {
    /// Opens what the configuration names, and only then changes anything.
    pub(crate) fn take_over(&self, mut config: Config) -> Result<Reloaded, ReloadError> {
        let before = self.live.now();
        let kept = keep(&before, &mut config);
        let identity = Identity::open(&config, &self.dir)?;
        let tls = identity.tls()?;
        let passwords = (config.argon2 != before.argon2).then(|| Passwords::new(&config.argon2)).transpose()?;
        let book = Audit::open(config.audit_log.as_deref())?;

        self.entrance.send_modify(|Entrance { tls: acceptor, door, .. }| {
            *acceptor = TlsAcceptor::from(tls);
            if let Some(passwords) = passwords {
                door.passwords = passwords;
            }
            door.penalties.set_rules(config.penalties.clone());
            door.audit.turn_to(book);
        });
        self.live.set(config);
        Ok(Reloaded { kept, fingerprint: identity.fingerprint().to_owned() })
    }
}

impl std::fmt::Debug for Reload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reload").finish_non_exhaustive()
    }
}

/// Puts settings back that a running daemon cannot change; tells which.
fn keep(before: &Config, config: &mut Config) -> Vec<&'static str> {
    let mut kept = Vec::new();
    let mut one = |name, differs: bool| {
        if differs {
            kept.push(name);
        }
    };
    one("data_dir", config.data_dir != before.data_dir);
    one("listen", config.listen != before.listen);
    one("durability", config.durability != before.durability);
    one("landlock", config.landlock != before.landlock);
    one("also_reach", config.also_reach != before.also_reach);
    one("metrics", config.metrics != before.metrics);
    one("metrics_beyond_loopback", config.metrics_beyond_loopback != before.metrics_beyond_loopback);
    one("limits.requests", config.limits.requests != before.limits.requests);
    one("limits.transfer_memory", config.limits.transfer_memory != before.limits.transfer_memory);
    one("penalties.remembered", config.penalties.remembered != before.penalties.remembered);
    one("log.format", config.log.format != before.log.format);
    (config.metrics, config.metrics_beyond_loopback) = (before.metrics, before.metrics_beyond_loopback);
    config.data_dir.clone_from(&before.data_dir);
    config.also_reach.clone_from(&before.also_reach);
    (config.listen, config.durability, config.landlock) = (before.listen, before.durability, before.landlock);
    (config.limits.requests, config.limits.transfer_memory) = (before.limits.requests, before.limits.transfer_memory);
    (config.penalties.remembered, config.log.format) = (before.penalties.remembered, before.log.format);
    kept
}
