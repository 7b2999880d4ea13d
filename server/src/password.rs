//! Passwords: Argon2id with few at once, a bounded queue in front, and the same work for names that
//! nobody has. Knows nothing of accounts.

use std::sync::Arc;
use std::time::Instant;

use argon2::Params;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wire::frame::MAX_GUEST;
use wire::message::{MAX_PASSWORD, Secret};

use crate::catalog::Phc;
use crate::config::Hashing;
use crate::flow::REST;
use hasher::Hasher;

mod hasher;

/// Hashes and verifies. A cheap handle.
#[derive(Clone, Debug)]
pub struct Passwords {
    hasher: Arc<Hasher>,
    /// Places to wait, those that work among them.
    places: Arc<Semaphore>,
    /// Those that work: each takes memory and a core.
    turns: Arc<Semaphore>,
    /// Nobody's password, hashed like all others.
    nobody: Phc,
    /// For a full queue to be worked off.
    retry_seconds: u32,
}

/// What came of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is right.
    Right,
    /// It is right, and its hash was made with other parameters than today's: hash it anew.
    Outdated,
    /// It is wrong, or there is no such account.
    Wrong,
}

/// Why a password was neither right nor wrong.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Over [`MAX_PASSWORD`] bytes.
    #[error("a password has at most {MAX_PASSWORD} bytes")]
    TooLong,
    /// Too many wait already.
    #[error("too many logins at once")]
    Busy {
        /// When to try again.
        retry_seconds: u32,
    },
    /// The configured figures are not Argon2's, or a stored hash is not one.
    #[error("Argon2 failed")]
    Argon2(#[source] argon2::password_hash::Error),
    /// The thread died, or the runtime ends.
    #[error("a password could not be worked on")]
    Lost,
}

impl Passwords {
    /// Makes the hasher. Hashes once, so it blocks for some milliseconds.
    pub fn new(config: &Hashing) -> Result<Self, PasswordError> {
        let params = Params::new(config.memory_kib, config.passes, config.lanes, None)
            .map_err(|error| PasswordError::Argon2(error.into()))?;
        let hasher = Hasher::new(params);
        let at_once = at_once(config);
        let begun = Instant::now();
        let nobody = hasher.hash(&Secret(String::new())).map_err(PasswordError::Argon2)?;
        let queue = begun.elapsed().as_secs_f64() * (config.queue / at_once) as f64;
        Ok(Self {
            hasher: Arc::new(hasher),
            places: Arc::new(Semaphore::new(at_once.saturating_add(config.queue).min(Semaphore::MAX_PERMITS))),
            turns: Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS))),
            nobody,
            retry_seconds: queue.ceil() as u32 + 1,
        })
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: Secret) -> Result<Phc, PasswordError> {
        self.work(password, Hasher::hash).await
    }

    /// Verifies a password against an account's hash. `None` is for a name that nobody has: as much
    /// work, and always wrong.
    pub async fn verify(&self, password: Secret, phc: Option<Phc>) -> Result<Verdict, PasswordError> {
        let known = phc.is_some();
        let phc = phc.unwrap_or_else(|| self.nobody.clone());
        let verdict = self.work(password, move |hasher, password| hasher.verify(password, &phc)).await?;
        Ok(if known { verdict } else { Verdict::Wrong })
    }

    /// Runs one piece of work when it is its turn. Its permits go with it: a caller who leaves does
    /// not make room for more than there is.
    async fn work<T: Send + 'static>(
        &self,
        password: Secret,
        work: impl FnOnce(&Hasher, &Secret) -> Result<T, argon2::password_hash::Error> + Send + 'static,
    ) -> Result<T, PasswordError> {
        if password.0.len() > MAX_PASSWORD {
            return Err(PasswordError::TooLong);
        }
        let permits = self.turn().await?;
        let hasher = Arc::clone(&self.hasher);
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&hasher, &password);
            drop(permits);
            rest_later(hasher);
            result
        });
        done.await.map_err(|_| PasswordError::Lost)?.map_err(PasswordError::Argon2)
    }

    async fn turn(&self) -> Result<[OwnedSemaphorePermit; 2], PasswordError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| PasswordError::Busy { retry_seconds: self.retry_seconds })?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| PasswordError::Lost)?;
        Ok([place, turn])
    }
}

fn at_once(config: &Hashing) -> usize {
    match config.at_once {
        0 => *crate::sandbox::CORES,
        at_once => at_once,
    }
}

/// Of all hashes at once and the passwords that wait, in bytes.
pub(crate) fn memory(config: &Hashing) -> u64 {
    let hash = u64::from(config.memory_kib) << 10;
    (at_once(config) as u64).saturating_mul(hash).saturating_add((config.queue * MAX_GUEST) as u64)
}

/// Gives the memory of hashes back when none was made for [`REST`].
fn rest_later(hasher: Arc<Hasher>) {
    let hashes = hasher.hashes();
    tokio::spawn(async move {
        tokio::time::sleep(REST).await;
        hasher.rest(hashes);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap(passes: u32) -> Hashing {
        Hashing { memory_kib: 8, passes, lanes: 1, at_once: 1, queue: 1 }
    }

    fn secret(text: &str) -> Secret {
        Secret(text.to_owned())
    }

    #[tokio::test]
    async fn right_wrong_outdated_and_unknown() {
        let passwords = Passwords::new(&cheap(1)).expect("made");
        let phc = passwords.hash(secret("correct horse")).await.expect("hashed");
        assert!(phc.0.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", phc.0);
        let stronger = Passwords::new(&cheap(2)).expect("made");
        let verify = async |with: &Passwords, text, phc| with.verify(secret(text), phc).await.expect("verified");
        assert_eq!(verify(&passwords, "correct horse", Some(phc.clone())).await, Verdict::Right);
        assert_eq!(verify(&passwords, "correct hors", Some(phc.clone())).await, Verdict::Wrong);
        assert_eq!(verify(&stronger, "correct horse", Some(phc)).await, Verdict::Outdated);
        assert_eq!(verify(&passwords, "", None).await, Verdict::Wrong, "even nobody's own password");
        let long = passwords.verify(secret(&"x".repeat(MAX_PASSWORD + 1)), None).await;
        assert!(matches!(long, Err(PasswordError::TooLong)));
        let broken = passwords.verify(secret("x"), Some(Phc("not a hash".into()))).await;
        assert!(matches!(broken, Err(PasswordError::Argon2(_))));
    }

    #[tokio::test]
    async fn the_queue_is_bounded() {
        let passwords = Passwords::new(&cheap(1)).expect("made");
        let working = passwords.turn().await.expect("the only turn");
        let mut waiting = Box::pin(passwords.turn());
        assert!(futures_util::poll!(&mut waiting).is_pending());
        let refused = passwords.verify(secret("x"), None).await;
        assert!(matches!(refused, Err(PasswordError::Busy { .. })));
        drop(working);
        drop(waiting.await.expect("its turn"));
        assert_eq!(passwords.verify(secret("x"), None).await.expect("room again"), Verdict::Wrong);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_kept_while_logins_come_and_goes_with_rest() {
        let passwords = Passwords::new(&cheap(1)).expect("made");
        for _ in 0..3 {
            passwords.hash(secret("x")).await.expect("hashed");
            tokio::time::sleep(REST / 2).await;
            assert_eq!(passwords.hasher.spares(), 1);
        }
        tokio::time::sleep(REST).await;
        assert_eq!(passwords.hasher.spares(), 0);
        passwords.hash(secret("x")).await.expect("hashed again");
    }

    #[test]
    fn unknown_names_cost_what_known_ones_do() {
        let passwords = Passwords::new(&Hashing::default()).expect("made");
        let known = passwords.hasher.hash(&secret("x")).expect("hashed");
        let parameters = |phc: &Phc| phc.0.rsplitn(3, '$').nth(2).map(str::to_owned);
        assert_eq!(parameters(&known), parameters(&passwords.nobody));
        assert_eq!(parameters(&known).as_deref(), Some("$argon2id$v=19$m=19456,t=2,p=1"));
    }
}
