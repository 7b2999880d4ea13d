//! `[limits]`: what one peer may take from all.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Figure, size};

/// What one peer may take from all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at once.
    pub max_connections: usize,
    /// Connections at once from one source: an IPv4 address or an IPv6 /64.
    pub per_source: usize,
    /// Sessions at once of one user.
    pub per_user: usize,
    /// Connections at once that have not logged in.
    pub guests: usize,
    /// Of these, from one source.
    pub guests_per_source: usize,
    /// Seconds from connecting to having logged in.
    pub login_seconds: u64,
    /// Seconds without a byte after which a control connection is dropped.
    pub idle_seconds: u64,
    /// Seconds without progress after which a lane with a running transfer is dropped.
    pub stall_seconds: u64,
    /// Lanes at once of all sessions.
    pub lanes: usize,
    /// Lanes of one session.
    pub lanes_per_session: u16,
    /// Listings, searches and pieces of files that are worked on at once, of all sessions; a user has a quarter of them at
    /// most.
    pub requests: usize,
    /// Unanswered requests of one session.
    pub requests_in_flight: usize,
    /// Bytes of memory for what travels, of all lanes; a user has a quarter of it at most.
    #[serde(with = "size")]
    pub transfer_memory: u64,
    /// Seconds that running transfers have when the server goes down.
    pub drain_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            per_source: 64,
            per_user: 32,
            guests: 128,
            guests_per_source: 32,
            login_seconds: 10,
            idle_seconds: 60,
            stall_seconds: 60,
            lanes: 128,
            lanes_per_session: 8,
            requests: 128,
            requests_in_flight: 64,
            transfer_memory: 256 << 20,
            drain_seconds: 10,
        }
    }
}

impl Limits {
    /// From connecting to having logged in.
    pub fn login(&self) -> Duration {
        Duration::from_secs(self.login_seconds)
    }

    /// Without a byte, of a control connection.
    pub fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }

    /// Without progress, of a running transfer.
    pub fn stall(&self) -> Duration {
        Duration::from_secs(self.stall_seconds)
    }

    /// For running transfers, when the server goes down.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    /// What is in bounds.
    pub(super) fn figures(&self) -> Vec<Figure> {
        vec![
            ("limits.max_connections", self.max_connections as u64, 1..=1_000_000),
            ("limits.per_source", self.per_source as u64, 1..=1_000_000),
            ("limits.per_user", self.per_user as u64, 1..=1_000_000),
            ("limits.guests", self.guests as u64, 1..=1_000_000),
            ("limits.guests_per_source", self.guests_per_source as u64, 1..=1_000_000),
            ("limits.login_seconds", self.login_seconds, 1..=600),
            // Clients ping every 15 seconds.
            ("limits.idle_seconds", self.idle_seconds, 20..=86_400),
            ("limits.stall_seconds", self.stall_seconds, 1..=86_400),
            ("limits.lanes", self.lanes as u64, 1..=1_000_000),
            ("limits.lanes_per_session", u64::from(self.lanes_per_session), 1..=64),
            ("limits.requests", self.requests as u64, 4..=100_000),
            ("limits.transfer_memory", self.transfer_memory, 16 << 20..=1 << 40),
            ("limits.requests_in_flight", self.requests_in_flight as u64, 1..=1024),
            ("limits.drain_seconds", self.drain_seconds, 0..=3600),
        ]
    }
}
