//! `[penalties]`: what failed logins cost.

use serde::{Deserialize, Serialize};

use super::Figure;

/// What failed logins cost whoever caused them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PenaltyRules {
    /// Failed logins of a user from one source that cost nothing.
    pub user_failures: u32,
    /// The same of all users from one source, with connections that break the protocol before login.
    pub source_failures: u32,
    /// Seconds without a login after the first one too many; each further one doubles them.
    pub first_seconds: u32,
    /// But no more than this.
    pub longest_seconds: u32,
    /// Seconds after which a failure is forgotten, one after another.
    pub forgive_seconds: u32,
    /// Sources, and users from sources, of which something is remembered.
    pub remembered: usize,
}

impl Default for PenaltyRules {
    fn default() -> Self {
        Self {
            user_failures: 5,
            source_failures: 30,
            first_seconds: 5,
            longest_seconds: 300,
            forgive_seconds: 600,
            remembered: 16_384,
        }
    }
}

impl PenaltyRules {
    /// What is in bounds.
    pub(super) fn figures(&self) -> Vec<Figure> {
        vec![
            ("penalties.user_failures", u64::from(self.user_failures), 1..=1_000_000),
            ("penalties.source_failures", u64::from(self.source_failures), 1..=1_000_000),
            ("penalties.first_seconds", u64::from(self.first_seconds), 1..=3600),
            ("penalties.longest_seconds", u64::from(self.longest_seconds), 1..=86_400),
            ("penalties.forgive_seconds", u64::from(self.forgive_seconds), 1..=86_400),
            ("penalties.remembered", self.remembered as u64, 256..=1_000_000),
        ]
    }
}
