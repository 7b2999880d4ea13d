//! One Argon2id hash at a time, in memory that is kept for the next for a while. Knows nothing of turns.

use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{Error as HashError, try_generate_salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use wire::message::Secret;

use super::Verdict;
use crate::catalog::Phc;

/// Hashes with today's parameters, and verifies with those of the stored hash.
#[derive(Debug)]
pub(super) struct Hasher {
    params: Params,
    spare: Mutex<Spare>,
}

/// What former hashes worked in, each of today's size: as many as worked at once. Kept while logins come, because
/// fresh memory is dear and an allocator may hold on to what each thread frees.
#[derive(Debug, Default)]
struct Spare {
    memories: Vec<Vec<Block>>,
    /// Hashes so far.
    hashes: u64,
}

impl Hasher {
    pub(super) fn new(params: Params) -> Self {
        Self { params, spare: Mutex::default() }
    }

    pub(super) fn hash(&self, password: &Secret) -> Result<Phc, HashError> {
        let salt = Salt::new(&try_generate_salt()?)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let output = self.output(&argon2, password, &salt, Params::DEFAULT_OUTPUT_LEN)?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&self.params)?,
            salt: Some(salt),
            hash: Some(output),
        };
        Ok(Phc(hash.to_string()))
    }

    pub(super) fn verify(&self, password: &Secret, phc: &Phc) -> Result<Verdict, HashError> {
        let stored = Stored::parse(phc)?;
        // Outputs are compared in constant time.
        if self.output(&stored.argon2, password, &stored.salt, stored.output.len())? != stored.output {
            return Ok(Verdict::Wrong);
        }
        let costs = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        let is_current =
            stored.algorithm == Algorithm::Argon2id && costs(stored.argon2.params()) == costs(&self.params);
        Ok(if is_current { Verdict::Right } else { Verdict::Outdated })
    }

    /// Hashes so far, those that work among them.
    pub(super) fn hashes(&self) -> u64 {
        self.spare().hashes
    }

    /// Gives the spare memory back if there was no hash since there were `hashes`.
    pub(super) fn rest(&self, hashes: u64) {
        let mut spare = self.spare();
        if spare.hashes == hashes {
            spare.memories = Vec::new();
        }
    }

    fn output(&self, argon2: &Argon2, password: &Secret, salt: &Salt, len: usize) -> Result<Output, HashError> {
        let mut memory = {
            let mut spare = self.spare();
            spare.hashes += 1;
            spare.memories.pop().unwrap_or_default()
        };
        // Hashes of other days may need more than is kept.
        memory.resize(memory.len().max(argon2.params().block_count()), Block::new());
        let mut out = vec![0; len];
        let done = argon2.hash_password_into_with_memory(password.0.as_bytes(), salt, &mut out, &mut memory);
        if memory.len() == self.params.block_count() {
            self.spare().memories.push(memory);
        }
        done?;
        Ok(Output::new(&out)?)
    }

    #[cfg(test)]
    pub(super) fn spares(&self) -> usize {
        self.spare().memories.len()
    }

    fn spare(&self) -> MutexGuard<'_, Spare> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A hash as the catalog keeps it, taken apart.
struct Stored {
    algorithm: Algorithm,
    argon2: Argon2<'static>,
    salt: Salt,
    output: Output,
}

impl Stored {
    fn parse(phc: &Phc) -> Result<Self, HashError> {
        let stored = PasswordHash::new(&phc.0)?;
        let (Some(salt), Some(output)) = (stored.salt, stored.hash) else {
            return Err(HashError::PasswordInvalid);
        };
        let algorithm = Algorithm::try_from(stored.algorithm.as_str())?;
        let version = stored.version.map(Version::try_from).transpose()?.unwrap_or_default();
        let argon2 = Argon2::new(algorithm, version, Params::try_from(&stored)?);
        Ok(Self { algorithm, argon2, salt, output })
    }
}
