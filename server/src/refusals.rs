//! Every refusal, counted by its reason: one place, which whoever reports on the server reads. What a refusal tells
//! the client is a fault; this adds why, for the operator.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wire::fault::Detail;
use wire::{Code, Fault};

/// Why somebody was refused. The place in [`Reason::ALL`] is the place of its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// `limits.max_connections`.
    Connections,
    /// `limits.guests`.
    Guests,
    /// `limits.per_source`.
    SourceConnections,
    /// `limits.guests_per_source`, or less for a source with a penalty.
    SourceGuests,
    /// A login from a source with a penalty.
    SourcePenalty,
    /// A login of a user from where too many of theirs failed.
    UserPenalty,
    /// Unknown user, wrong password or locked account.
    Login,
    /// A ticket of no session.
    Ticket,
    /// `argon2.queue`.
    Passwords,
    /// `limits.per_user`.
    Sessions,
    /// `limits.lanes_per_session`.
    Lanes,
    /// `limits.requests_in_flight`.
    Requests,
    /// No version of the protocol in common.
    Version,
    /// Bytes that are no TLS.
    Tls,
    /// Bytes that are no messages, too long ones, or messages out of order, before login.
    Protocol,
    /// `limits.login_seconds`.
    Timeout,
    /// The server itself failed.
    Internal,
    /// A connection while the server goes down.
    Draining,
    /// Of all these, connections that were closed without a word, because too many were refused at once.
    Untold,
}

impl Reason {
    /// All, in the order of their counters.
    pub const ALL: [Self; 19] = [
        Self::Connections,
        Self::Guests,
        Self::SourceConnections,
        Self::SourceGuests,
        Self::SourcePenalty,
        Self::UserPenalty,
        Self::Login,
        Self::Ticket,
        Self::Passwords,
        Self::Sessions,
        Self::Lanes,
        Self::Requests,
        Self::Version,
        Self::Tls,
        Self::Protocol,
        Self::Timeout,
        Self::Internal,
        Self::Draining,
        Self::Untold,
    ];

    /// The counter's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Guests => "guests",
            Self::SourceConnections => "source_connections",
            Self::SourceGuests => "source_guests",
            Self::SourcePenalty => "source_penalty",
            Self::UserPenalty => "user_penalty",
            Self::Login => "login",
            Self::Ticket => "ticket",
            Self::Passwords => "passwords",
            Self::Sessions => "sessions",
            Self::Lanes => "lanes",
            Self::Requests => "requests",
            Self::Version => "version",
            Self::Tls => "tls",
            Self::Protocol => "protocol",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
            Self::Draining => "draining",
            Self::Untold => "untold",
        }
    }
}

/// The counters of a running server. A cheap handle.
#[derive(Clone, Debug, Default)]
pub struct Refusals(Arc<[AtomicU64; Reason::ALL.len()]>);

impl Refusals {
    /// Counts one.
    pub fn count(&self, reason: Reason) {
        if let Some(counter) = self.0.get(reason as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many there were since the start.
    pub fn of(&self, reason: Reason) -> u64 {
        self.0.get(reason as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }
}

/// Why somebody is refused, and what they are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For the operator.
    pub reason: Reason,
    /// For the client.
    pub fault: Fault,
}

impl Refusal {
    /// A refusal with nothing to wait for.
    pub fn new(reason: Reason, code: Code, message: impl Into<String>) -> Self {
        Self { reason, fault: Fault::new(code, message) }
    }

    /// Over a limit: to be tried again in so many seconds.
    pub fn busy(reason: Reason, message: impl Into<String>, seconds: u32) -> Self {
        Self { reason, fault: Fault::new(Code::Busy, message).with(Detail::RetryAfter(seconds)) }
    }

    /// A refusal by what is behind the door: for `reason` where a limit is reached.
    pub fn by(fault: Fault, reason: Reason) -> Self {
        let reason = match fault.code {
            Code::Busy => reason,
            Code::Ticket => Reason::Ticket,
            _ => Reason::Internal,
        };
        Self { reason, fault }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_counter_and_name() {
        let refusals = Refusals::default();
        for (times, reason) in Reason::ALL.into_iter().enumerate() {
            (0..=times).for_each(|_| refusals.clone().count(reason));
        }
        for (times, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(refusals.of(reason), times as u64 + 1, "{reason:?}");
            assert_eq!(Reason::ALL.iter().filter(|other| other.name() == reason.name()).count(), 1);
        }
    }
}
