//! Bytes, counted for each user, and bytes a second, for all users together and for each. Connections take turns, so that each session of a user gets
//! as much as another, and each user as much as another, on however many lanes.
//!
//! A turn is a place in a fair lock: of a session one lane waits for its user's, of a user one session for that of all. So
//! at most one slice of each waits anywhere, and slices are of one size. Whoever waits holds nothing but its place.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::catalog::UserId;
use crate::config::{Config, Rate};
use crate::session::Session;

/// What goes one way, of all users, of one, or of a session.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    turn: tokio::sync::Mutex<()>,
    /// Until when all that went through is paid for.
    due: Mutex<Option<Instant>>,
}

/// Both ways.
#[derive(Debug, Default)]
pub(crate) struct Pipes {
    /// From clients.
    up: Pipe,
    /// To clients.
    down: Pipe,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From clients.
    Up,
    /// To clients.
    Down,
}

/// Bytes of one user, also between sessions.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pipes: Pipes,
    /// Of control connections, without waiting for a turn.
    free: Pipes,
    own: Mutex<Rate>,
    moved_up: AtomicU64,
    moved_down: AtomicU64,
}

/// Bytes of all users, and of each. Kept to the end of the process: it is bounded by the accounts.
#[derive(Debug, Default)]
pub(crate) struct AllTraffic {
    pipes: Pipes,
    users: Mutex<HashMap<UserId, Arc<Traffic>>>,
}

impl Pipes {
    fn of(&self, way: Way) -> &Pipe {
        match way {
            Way::Up => &self.up,
            Way::Down => &self.down,
        }
    }
}

impl Pipe {
    /// Takes so many bytes at `rate`: how long they must wait. What was not used for a while is saved up, up to
    /// [`BURST`].
    fn take(&self, bytes: usize, rate: u64, now: Instant) -> Duration {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let from = due.map_or(now, |due| due.max(now.checked_sub(BURST).unwrap_or(now)));
        let paid = from + Duration::from_secs_f64(bytes as f64 / rate.max(1) as f64);
        *due = Some(paid);
        paid.saturating_duration_since(now)
    }

    /// Takes so many bytes at `rate`, if it is less than a second behind.
    fn spares(&self, bytes: usize, rate: u64, now: Instant) -> bool {
        let due = *self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let spares = due.is_none_or(|due| due < now + Duration::from_secs(1));
        if spares {
            self.take(bytes, rate, now);
        }
        spares
    }

    async fn pay(&self, bytes: usize, rate: u64) {
        let wait = self.take(bytes, rate, Instant::now());
        if !wait.is_zero() {
            sleep(wait).await;
        }
    }
}

impl Traffic {
    /// The account's own rate from now on.
    pub(crate) fn set_rate(&self, rate: Rate) {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = rate;
    }

    /// Bytes that went one way since the start.
    pub(crate) fn moved(&self, way: Way) -> &AtomicU64 {
        match way {
            Way::Up => &self.moved_up,
            Way::Down => &self.moved_down,
        }
    }

    fn limit(&self, config: &Config) -> Option<u64> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).limit(config.bandwidth.per_user)
    }
}

impl AllTraffic {
    /// Of one user.
    pub(crate) fn of(&self, user: UserId) -> Arc<Traffic> {
        Arc::clone(self.users.lock().unwrap_or_else(PoisonError::into_inner).entry(user).or_default())
    }

    /// Of one user who had a session since the start.
    pub(crate) fn known(&self, user: UserId) -> Option<Arc<Traffic>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner).get(&user).cloned()
    }
}

/// One way of a connection of a session. A lane waits for its turns; so does a control connection, but for the few bytes
/// of somebody who browses, which never wait behind others.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    session: Arc<Session>,
    way: Way,
    is_lane: bool,
}

impl Route {
    /// Of a lane.
    pub(crate) fn lane(session: Arc<Session>, way: Way) -> Self {
        Self { session, way, is_lane: true }
    }

    /// Of a control connection.
    pub(crate) fn control(session: Arc<Session>, way: Way) -> Self {
        Self { session, way, is_lane: false }
    }

    /// The limits in force, of the user and of all.
    fn limits(&self) -> (Option<u64>, Option<u64>) {
        let config = self.session.tenant.commons.live.now();
        (self.session.tenant.traffic.limit(&config), config.bandwidth.total)
    }

    /// Whether [`Self::turn`] is to be waited for.
    pub(crate) fn waits(&self) -> bool {
        self.limits() != (None, None)
    }

    /// Waits for the next turn: how many bytes may go.
    pub(crate) async fn turn(&self) -> usize {
        let (user, all) = self.limits();
        let Some(least) = user.into_iter().chain(all).min() else { return LARGEST };
        let slice = usize::try_from(least / SLICES).unwrap_or(LARGEST).clamp(SMALLEST, LARGEST);
        let tenant = &self.session.tenant;
        if !self.is_lane && tenant.traffic.free.of(self.way).spares(SMALLEST, FREE, Instant::now()) {
            return SMALLEST;
        }
        let _of_session = self.session.pipes.of(self.way).turn.lock().await;
        let theirs = tenant.traffic.pipes.of(self.way);
        let _of_user = theirs.turn.lock().await;
        if let Some(rate) = user {
            theirs.pay(slice, rate).await;
        }
        if let Some(rate) = all {
            let everybodys = tenant.commons.traffic.pipes.of(self.way);
            let _of_all = everybodys.turn.lock().await;
            everybodys.pay(slice, rate).await;
        }
        slice
    }

    /// Counts what moved.
    pub(crate) fn count(&self, bytes: usize) {
        self.session.tenant.traffic.moved(self.way).fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// Slices in a second of the lowest rate in force.
const SLICES: u64 = 50;
/// Of a low rate: less is not worth a system call.
const SMALLEST: usize = 4 << 10;
/// Of a high one, and at once.
const LARGEST: usize = 256 << 10;
/// What may be saved up while nothing moves.
const BURST: Duration = Duration::from_millis(100);
/// Bytes a second of a user's control connections that wait for nobody.
const FREE: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_add_up_to_the_rate_and_lost_time_is_hardly_made_up_for() {
        let (pipe, start) = (Pipe::default(), Instant::now());
        let mut now = start;
        let (mut moved, end) = (0, start + Duration::from_secs(10));
        while now < end {
            now += pipe.take(200, 10_000, now);
            moved += 200;
        }
        assert!((99_000..=101_000).contains(&moved), "{moved}");
        // A minute later a tenth of a second is there to be used at once.
        now += Duration::from_secs(60);
        assert_eq!(pipe.take(1000, 10_000, now), Duration::ZERO);
        let wait = pipe.take(1000, 10_000, now);
        assert!(wait > BURST * 9 / 10 && wait <= BURST, "{wait:?}");
    }

    #[test]
    fn a_second_is_spared_and_no_more() {
        let (pipe, now) = (Pipe::default(), Instant::now());
        let spared = (0..100).filter(|_| pipe.spares(100, 1000, now)).count();
        assert_eq!(spared, 10);
        let later = now + Duration::from_secs(1);
        assert!((0..100).filter(|_| pipe.spares(100, 1000, later)).count() >= 10);
    }

    #[test]
    fn rates_are_an_accounts_own_or_the_configured_one() {
        let (traffic, mut config) = (Traffic::default(), Config::default());
        assert_eq!(traffic.limit(&config), None);
        config.bandwidth.per_user = Some(5);
        assert_eq!(traffic.limit(&config), Some(5));
        traffic.set_rate(Rate::Of(7));
        assert_eq!(traffic.limit(&config), Some(7));
        traffic.set_rate(Rate::Unlimited);
        assert_eq!(traffic.limit(&config), None);
    }
}
