//! How many connections there may be: in all, without a login, from one source. Nothing is read, and nothing allocated
//! for a connection, before it has its place.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use wire::Code;

use crate::config::Live;
use crate::penalties::{Penalties, retry_after};
use crate::refusals::{Reason, Refusal};
use crate::source::Source;

/// Counts connections. A cheap handle.
#[derive(Clone, Debug)]
pub struct Gate {
    counts: Arc<Mutex<Counts>>,
    live: Live,
    penalties: Penalties,
}

#[derive(Debug, Default)]
struct Counts {
    all: Theirs,
    sources: HashMap<Source, Theirs>,
    /// Who is being told just now that there is no place.
    told: HashSet<Source>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Theirs {
    connections: usize,
    guests: usize,
}

/// A connection's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    gate: Gate,
    source: Source,
    is_guest: bool,
}

/// Held while one that has no place is told so.
#[derive(Debug)]
pub(crate) struct Telling(Gate, Source);

impl Gate {
    /// A gate with the limits in force whenever somebody comes.
    pub fn new(live: Live, penalties: Penalties) -> Self {
        Self { counts: Arc::default(), live, penalties }
    }

    pub(crate) fn enter(&self, source: Source) -> Result<Place, Refusal> {
        let (config, penalty) = (self.live.now(), self.penalties.refused(source, Instant::now()));
        let limits = &config.limits;
        let guests_per_source = match penalty {
            Some(_) => limits.guests_per_source.min(PENALISED_GUESTS),
            None => limits.guests_per_source,
        };
        let mut counts = self.counts();
        let theirs = counts.sources.get(&source).copied().unwrap_or_default();
        let (reason, what) = if counts.all.connections >= limits.max_connections {
            (Reason::Connections, "the server has all the connections it takes")
        } else if theirs.connections >= limits.per_source {
            (Reason::SourceConnections, "the server has all the connections it takes from your address")
        } else if theirs.guests >= guests_per_source {
            (Reason::SourceGuests, "too many logins at once from your address")
        } else if counts.all.guests >= limits.guests {
            (Reason::Guests, "too many logins at once")
        } else {
            counts.all.add_guest();
            counts.sources.entry(source).or_default().add_guest();
            return Ok(Place { gate: self.clone(), source, is_guest: true });
        };
        drop(counts);
        let is_of_logins = matches!(reason, Reason::Guests | Reason::SourceGuests);
        let mut refusal = Refusal::busy(reason, what, if is_of_logins { GUESTS_SECONDS } else { CONNECTIONS_SECONDS });
        if let (Reason::SourceGuests, Some(left)) = (reason, penalty) {
            refusal.fault = wire::Fault::new(Code::Throttled, what).with(retry_after(left));
        }
        Err(refusal)
    }

    /// Leave to tell somebody that there is no place for them: a flood is not answered.
    pub(crate) fn tell(&self, source: Source) -> Option<Telling> {
        let told = &mut self.counts().told;
        (told.len() < TOLD_AT_ONCE && told.insert(source)).then(|| Telling(self.clone(), source))
    }

    /// Connections that have not logged in.
    pub(crate) fn guests(&self) -> usize {
        self.counts().all.guests
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Plain numbers: whole between any two statements.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Theirs {
    fn add_guest(&mut self) {
        self.connections += 1;
        self.guests += 1;
    }

    fn take(&mut self, of: Theirs) {
        self.connections = self.connections.saturating_sub(of.connections);
        self.guests = self.guests.saturating_sub(of.guests);
    }
}

impl Counts {
    fn take(&mut self, source: Source, of: Theirs) {
        self.all.take(of);
        if let Some(theirs) = self.sources.get_mut(&source) {
            theirs.take(of);
            if theirs.connections == 0 {
                self.sources.remove(&source);
            }
        }
    }
}

impl Place {
    pub(crate) fn logged_in(&mut self) {
        if std::mem::take(&mut self.is_guest) {
            self.gate.counts().take(self.source, Theirs { connections: 0, guests: 1 });
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.counts().take(self.source, Theirs { connections: 1, guests: usize::from(self.is_guest) });
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.0.counts().told.remove(&self.1);
    }
}

/// Connections without a login from a source with a penalty: tickets, and users who are known there, still get in.
const PENALISED_GUESTS: usize = 2;
/// Sources that are told at once that there is no place, each on one connection.
const TOLD_AT_ONCE: usize = 32;
/// Guests are soon something else, or gone: in seconds.
const GUESTS_SECONDS: u32 = 3;
/// Connections last: looking more often is in vain.
const CONNECTIONS_SECONDS: u32 = 30;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Limits, PenaltyRules};
    use std::net::IpAddr;

    fn gate() -> Gate {
        let limits = Limits { max_connections: 5, per_source: 4, guests: 4, guests_per_source: 3, ..Limits::default() };
        let rules = PenaltyRules { source_failures: 1, ..PenaltyRules::default() };
        Gate::new(Live::new(Config { limits, ..Config::default() }), Penalties::new(rules))
    }

    fn refused(gate: &Gate, source: Source) -> Option<(Reason, Code, u64)> {
        let refusal = gate.enter(source).err()?;
        let wait = refusal.fault.retry_after().expect("told when").as_secs();
        Some((refusal.reason, refusal.fault.code, wait))
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let gate = gate();
        let [a, b, c] = [[10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 0, 3]].map(|ip| Source::from(IpAddr::from(ip)));
        let mut of_a: Vec<Place> = (0..3).map(|_| gate.enter(a).expect("room")).collect();
        assert_eq!(refused(&gate, a), Some((Reason::SourceGuests, Code::Busy, 3)));
        let of_b = gate.enter(b).expect("room");
        assert_eq!(refused(&gate, c), Some((Reason::Guests, Code::Busy, 3)));
        of_a[0].logged_in();
        of_a[0].logged_in();
        of_a.push(gate.enter(a).expect("room for a guest"));
        assert_eq!(refused(&gate, a), Some((Reason::Connections, Code::Busy, 30)));
        drop(of_b);
        assert_eq!(refused(&gate, a), Some((Reason::SourceConnections, Code::Busy, 30)));
        drop(of_a);
        let counts = gate.counts();
        assert_eq!((counts.all, counts.sources.len()), (Theirs::default(), 0));
    }

    #[test]
    fn a_source_with_a_penalty_has_fewer_places_but_some() {
        let (gate, a) = (gate(), Source::from(IpAddr::from([10, 0, 0, 1])));
        (0..2).for_each(|_| gate.penalties.broke_rules(a, Instant::now()));
        let _places = [gate.enter(a).expect("room"), gate.enter(a).expect("room")];
        assert_eq!(refused(&gate, a), Some((Reason::SourceGuests, Code::Throttled, 5)));
    }

    #[test]
    fn only_so_many_are_told_at_once() {
        let gate = gate();
        let source = |number: u32| Source::from(IpAddr::from(number.to_be_bytes()));
        let telling: Vec<Telling> = (0..32).map(|number| gate.tell(source(number)).expect("room")).collect();
        assert!(gate.tell(source(99)).is_none());
        drop(telling);
        let first = gate.tell(source(1)).expect("room again");
        assert!(gate.tell(source(1)).is_none(), "one at a time from a source");
        drop(first);
        assert_eq!(gate.counts().told.len(), 0);
    }
}
