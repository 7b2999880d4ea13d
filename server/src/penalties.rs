//! What failed logins and broken rules cost: after some that are free, whoever caused them is not looked at for a
//! while, for twice as long each time, until it is forgotten. Counted for each user from each source and for each
//! source as a whole. Knows no sockets and no passwords, and is told the time.

mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use wire::UserName;
use wire::fault::Detail;
use wire::{Code, Fault};

use crate::config::PenaltyRules;
use crate::refusals::{Reason, Refusal};
use crate::source::Source;
use table::{Entry, Table};

/// Everything that is held against anybody. A cheap handle.
#[derive(Clone, Debug)]
pub struct Penalties {
    book: Arc<Mutex<Book>>,
}

#[derive(Debug)]
struct Book {
    rules: PenaltyRules,
    /// A source as a whole, or one user from it.
    held: Table<(Source, Option<UserName>)>,
    /// Who has logged in from where: what others do at the source is not held against them.
    proven: Table<(Source, UserName)>,
}

/// What a login failed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A password that was wrong.
    Password,
    /// Keys of which the user has none.
    Key,
}

/// What is held against a source, or against one user from there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Penalty {
    /// The source.
    pub source: String,
    /// The user; none: the source as a whole.
    pub user: Option<String>,
    /// Failures that are not forgotten yet.
    pub failures: u32,
    /// Seconds for which logins are refused, 0 when they are not.
    pub refused_seconds: u64,
    /// Seconds until all is forgotten.
    pub forgotten_seconds: u64,
}

impl Penalties {
    /// Nothing is held against anybody.
    pub fn new(rules: PenaltyRules) -> Self {
        let (held, proven) = (Table::new(rules.remembered), Table::new(rules.remembered));
        Self { book: Arc::new(Mutex::new(Book { rules, held, proven })) }
    }

    /// Other rules for what comes from now on; the tables keep their size.
    pub fn set_rules(&self, rules: PenaltyRules) {
        self.book().rules = rules;
    }

    /// Whether a login may be looked at, before and after the work that it takes. A refusal costs nothing further.
    /// `None` is a name that no account can have.
    pub fn check(&self, source: Source, user: Option<&UserName>, now: Instant) -> Result<(), Refusal> {
        self.book().check(source, user, now)
    }

    /// A login failed. Tells how long its user and its source are now refused, if they are. One that is refused by
    /// now, for others were faster, failed in vain: guesses at once tell no more than one after another.
    pub fn failed(
        &self,
        source: Source,
        user: Option<&UserName>,
        by: By,
        now: Instant,
    ) -> Result<Option<Duration>, Refusal> {
        let mut book = self.book();
        book.check(source, user, now)?;
        let of_source = book.hold((source, None), by, now);
        let of_user = user.and_then(|user| book.hold((source, Some(user.clone())), by, now));
        Ok(of_source.max(of_user))
    }

    /// A source broke the protocol before it had logged in.
    pub fn broke_rules(&self, source: Source, now: Instant) {
        self.book().hold((source, None), By::Password, now);
    }

    /// A user logged in. No password is forgotten for that: it may have been somebody else who guessed. Keys are: nobody
    /// guesses one, and a client offers those it has before it asks a person for the password.
    pub fn succeeded(&self, source: Source, user: &UserName, now: Instant) {
        let mut book = self.book();
        let by_key = book.held.get(&(source, Some(user.clone()))).map_or(0, |entry| entry.by_key);
        if by_key > 0 {
            book.forgive((source, Some(user.clone())), by_key, now);
            book.forgive((source, None), by_key, now);
        }
        book.proven.put((source, user.clone()), Entry { forgotten: now + PROVEN, ..Entry::new(now) }, now);
    }

    /// How long logins from a source are refused, unless they are of those who logged in from there before.
    pub fn refused(&self, source: Source, now: Instant) -> Option<Duration> {
        self.book().left((source, None), now)
    }

    /// What is held against anybody, the longest refused first.
    pub fn all(&self, now: Instant) -> Vec<Penalty> {
        self.book().shown(None, now)
    }

    /// Forgets what is held against a source and its users, or against all; tells what it was.
    pub fn lift(&self, whose: Option<Source>, now: Instant) -> Vec<Penalty> {
        let mut book = self.book();
        let lifted = book.shown(whose, now);
        book.held.retain(|(source, _)| whose.is_some_and(|whose| whose != *source));
        lifted
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Each table is whole between any two of its calls.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn check(&self, source: Source, user: Option<&UserName>, now: Instant) -> Result<(), Refusal> {
        if let Some(user) = user {
            if let Some(left) = self.left((source, Some(user.clone())), now) {
                return Err(throttled(
                    Reason::UserPenalty,
                    "too many logins of this user failed from your address",
                    left,
                ));
            }
            if self.proven.get(&(source, user.clone())).is_some_and(|proven| proven.end() > now) {
                return Ok(());
            }
        }
        match self.left((source, None), now) {
            Some(left) => Err(throttled(Reason::SourcePenalty, "too many logins failed from your address", left)),
            None => Ok(()),
        }
    }

    fn left(&self, key: (Source, Option<UserName>), now: Instant) -> Option<Duration> {
        let refused = self.held.get(&key)?.refused;
        Some(refused.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    fn shown(&self, whose: Option<Source>, now: Instant) -> Vec<Penalty> {
        let wanted = self.held.iter(now).filter(|(key, _)| whose.is_none_or(|whose| whose == key.0));
        let mut shown: Vec<_> = wanted.map(|(key, entry)| self.show(key, entry, now)).collect();
        shown.sort_by(|a, b| {
            let rank = |penalty: &Penalty| (penalty.refused_seconds, penalty.failures);
            rank(b).cmp(&rank(a)).then_with(|| (&a.source, &a.user).cmp(&(&b.source, &b.user)))
        });
        shown
    }

    fn show(&self, (source, user): &(Source, Option<UserName>), entry: &Entry, now: Instant) -> Penalty {
        Penalty {
            source: source.to_string(),
            user: user.as_ref().map(UserName::to_string),
            failures: entry.failures(self.rules.forgive(), now),
            refused_seconds: whole_seconds(entry.refused.saturating_duration_since(now)),
            forgotten_seconds: whole_seconds(entry.end().saturating_duration_since(now)),
        }
    }

    /// Holds one more failure against `key`, of which some are free.
    fn hold(&mut self, key: (Source, Option<UserName>), by: By, now: Instant) -> Option<Duration> {
        let free = if key.1.is_some() { self.rules.user_failures } else { self.rules.source_failures };
        let before = self.held.get(&key).copied().unwrap_or(Entry::new(now));
        let entry = before.with_failure(free, by, &self.rules, now);
        self.held.put(key, entry, now);
        Some(entry.refused.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// Takes failures by key back.
    fn forgive(&mut self, key: (Source, Option<UserName>), by_key: u32, now: Instant) {
        if let Some(entry) = self.held.get(&key) {
            let entry = entry.without(by_key, &self.rules, now);
            self.held.put(key, entry, now);
        }
    }
}

/// Whole seconds, after which it is over indeed.
fn whole_seconds(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

fn throttled(reason: Reason, message: &str, left: Duration) -> Refusal {
    Refusal { reason, fault: Fault::new(Code::Throttled, message).with(retry_after(left)) }
}

/// As it travels.
pub(crate) fn retry_after(left: Duration) -> Detail {
    Detail::RetryAfter(u32::try_from(whole_seconds(left)).unwrap_or(u32::MAX))
}

/// For how long it counts that somebody logged in from somewhere.
const PROVEN: Duration = Duration::from_secs(30 * 24 * 3600);

#[cfg(test)]
mod tests;
