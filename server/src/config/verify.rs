//! `[verify]`: how stored files are held against their records.

use serde::{Deserialize, Serialize};

use super::{Figure, MAX_DAYS, rate};

/// How stored files are held against their records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Verify {
    /// Days from one round of the daemon's to the next; 0: only when it is asked for.
    pub every_days: u32,
    /// Bytes a second that are read; `None`: as fast as it goes.
    #[serde(with = "rate")]
    pub rate: Option<u64>,
}

impl Default for Verify {
    fn default() -> Self {
        Self { every_days: 30, rate: Some(50 << 20) }
    }
}

impl Verify {
    /// What is in bounds.
    pub(super) fn figures(&self) -> Vec<Figure> {
        vec![("verify.every_days", u64::from(self.every_days), 0..=u64::from(MAX_DAYS))]
    }
}
