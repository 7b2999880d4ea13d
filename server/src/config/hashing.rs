//! `[argon2]`: how passwords are hashed.

use serde::{Deserialize, Serialize};

use super::Figure;

/// Argon2id's figures, and how many logins are worked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hashing {
    /// Memory of one hash in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes in it.
    pub lanes: u32,
    /// Hashes at once; 0 is as many as there are cores.
    pub at_once: usize,
    /// Hashes that may wait.
    pub queue: usize,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1, at_once: 0, queue: 64 }
    }
}

impl Hashing {
    /// What is in bounds: no weaker than the default.
    pub(super) fn figures(&self) -> Vec<Figure> {
        vec![
            ("argon2.memory_kib", u64::from(self.memory_kib), 19_456..=4_194_304),
            ("argon2.passes", u64::from(self.passes), 2..=100),
            ("argon2.lanes", u64::from(self.lanes), 1..=64),
            ("argon2.at_once", self.at_once as u64, 0..=1024),
            ("argon2.queue", self.queue as u64, 0..=10_000),
        ]
    }
}
