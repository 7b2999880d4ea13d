//! `[bandwidth]`: bytes a second, each way.

use serde::{Deserialize, Serialize};

use super::rate;

/// Bytes a second that transfers may take, up and down each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bandwidth {
    /// Of all users together; `None`: as fast as it goes.
    #[serde(with = "rate")]
    pub total: Option<u64>,
    /// Of each user without a rate of their own, all sessions and lanes together.
    #[serde(with = "rate")]
    pub per_user: Option<u64>,
}

/// A rate that is asked for, or one that an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rate {
    /// What the configuration says.
    #[default]
    Configured,
    /// No limit.
    Unlimited,
    /// Bytes a second.
    Of(u64),
}

impl Rate {
    /// The limit, where the configuration says `configured`.
    pub fn limit(self, configured: Option<u64>) -> Option<u64> {
        match self {
            Self::Configured => configured,
            Self::Unlimited => None,
            Self::Of(rate) => Some(rate),
        }
    }
}

impl std::str::FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("default") {
            return Ok(Self::Configured);
        }
        Ok(super::parse_rate(text)?.map_or(Self::Unlimited, Self::Of))
    }
}
