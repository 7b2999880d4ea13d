//! Sessions: what a login opens, a ticket joins, and a goodbye, a timeout or an operator ends. The
//! registry is the only place that knows them all.

mod running;

use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wire::fault::Detail;
use wire::message::Ticket;
use wire::{Code, Fault, UserName};

use crate::bandwidth::Pipes;
use crate::catalog::{Account, Catalog, UserId};
use crate::commons::Commons;
use crate::lane::{Source, Writing};
use crate::tenant::Tenant;
use crate::vault::Vault;
use running::Running;

/// One login, with its control connection and its lanes.
#[derive(Debug)]
pub struct Session {
    /// Whose it is.
    pub tenant: Arc<Tenant>,
    /// Ends everything that belongs to the session.
    pub ended: CancellationToken,
    /// Uploads that other lanes may assist.
    pub(crate) uploads: Running<Writing>,
    /// Downloads that other lanes may assist.
    pub(crate) downloads: Running<Source>,
    /// Turns of its lanes at the user's bandwidth.
    pub(crate) pipes: Pipes,
    /// The account's, when the password was checked: a change ends the session.
    generation: u64,
    ticket: Ticket,
    lanes: AtomicUsize,
    control: AtomicUsize,
}

/// Held by a lane for as long as it lives.
#[derive(Debug)]
pub struct LanePlace(Arc<Session>);

/// Held by a control connection for as long as it lives.
#[derive(Debug)]
pub struct ControlPlace(Arc<Session>, Weak<Sessions>);

/// All sessions and the users who have them.
#[derive(Debug)]
pub struct Sessions {
    catalog: Catalog,
    vault: Vault,
    commons: Arc<Commons>,
    /// Ends all sessions.
    root: CancellationToken,
    known: Mutex<Known>,
}

/// How many there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    /// With those that have lost their connection and may come back.
    pub(crate) sessions: usize,
    /// Their lanes.
    pub(crate) lanes: usize,
    /// Their control connections.
    pub(crate) controls: usize,
}

#[derive(Debug, Default)]
struct Known {
    sessions: HashMap<Ticket, Arc<Session>>,
    tenants: HashMap<UserId, Weak<Tenant>>,
}

impl Sessions {
    /// An empty registry.
    pub fn new(catalog: Catalog, vault: Vault, commons: Arc<Commons>) -> Arc<Self> {
        let (root, known) = (CancellationToken::new(), Mutex::default());
        Arc::new(Self { catalog, vault, commons, root, known })
    }

    /// Opens a session for an account whose password was just proven.
    pub fn open(self: &Arc<Self>, account: &Account) -> Result<Arc<Session>, Fault> {
        let mut ticket = [0; 32];
        if let Err(error) = getrandom::fill(&mut ticket) {
            tracing::error!(%error, "no random bytes for a ticket");
            return Err(Fault::new(Code::Internal, "the server cannot make a ticket; its log has more"));
        }
        let mut known = self.known();
        known.make_place(account.id, self.commons.live.now().limits.per_user)?;
        let tenant = self.tenant_in(&mut known, account.id, &account.name)?;
        tenant.traffic.set_rate(account.rate);
        let session = Arc::new(Session {
            tenant,
            ended: self.root.child_token(),
            uploads: Running::default(),
            downloads: Running::default(),
            pipes: Pipes::default(),
            generation: account.generation,
            ticket: Ticket(ticket),
            lanes: AtomicUsize::new(0),
            control: AtomicUsize::new(0),
        });
        known.sessions.insert(session.ticket, Arc::clone(&session));
        Ok(session)
    }

    /// A user, with or without sessions: whoever works on the same home shares its lock.
    pub fn tenant(&self, user: UserId, name: &UserName) -> Result<Arc<Tenant>, Fault> {
        self.tenant_in(&mut self.known(), user, name)
    }

    fn tenant_in(&self, known: &mut Known, user: UserId, name: &UserName) -> Result<Arc<Tenant>, Fault> {
        if let Some(tenant) = known.tenants.get(&user).and_then(Weak::upgrade) {
            return Ok(tenant);
        }
        let home = self.vault.home(name)?;
        let tenant = Tenant::new(user, name.clone(), self.catalog.clone(), home, Arc::clone(&self.commons));
        known.tenants.retain(|_, tenant| tenant.strong_count() > 0);
        known.tenants.insert(user, Arc::downgrade(&tenant));
        Ok(tenant)
    }

    /// The session of a ticket, while it runs.
    pub fn find(&self, ticket: &Ticket) -> Result<Arc<Session>, Fault> {
        let found = self.known().sessions.get(ticket).cloned();
        found
            .filter(|session| !session.ended.is_cancelled())
            .ok_or_else(|| Fault::new(Code::Ticket, "this session is over; log in again"))
    }

    /// How many lanes a session may have.
    pub fn max_lanes(&self) -> u16 {
        self.commons.live.now().limits.lanes_per_session
    }

    /// A place for one more lane of a session.
    pub fn lane(&self, session: Arc<Session>) -> Result<LanePlace, Fault> {
        let (all, theirs) = self.lanes(session.tenant.id);
        let (place, most) = (LanePlace(session), self.max_lanes());
        let before = place.0.lanes.fetch_add(1, Ordering::Relaxed);
        if before >= usize::from(most) {
            return Err(busy(format!("a session may have {most} lanes")));
        }
        // A session's first lane is worth more than another's second, and no user gets most of them.
        let limit = self.commons.live.now().limits.lanes;
        if all >= limit || before > 0 && (all >= limit - limit / 4 || theirs >= limit / 2) {
            return Err(busy("the server has all the lanes it takes for now".to_owned()));
        }
        Ok(place)
    }

    /// How many lanes there are, and how many of one user.
    fn lanes(&self, user: UserId) -> (usize, usize) {
        let known = self.known();
        known.sessions.values().fold((0, 0), |(all, theirs), session| {
            let lanes = session.lanes.load(Ordering::Relaxed);
            (all + lanes, theirs + if session.tenant.id == user { lanes } else { 0 })
        })
    }

    /// The place of a control connection; without one, a session lasts [`REJOIN`].
    pub fn control(self: &Arc<Self>, session: Arc<Session>) -> ControlPlace {
        session.control.fetch_add(1, Ordering::Relaxed);
        ControlPlace(session, Arc::downgrade(self))
    }

    /// Ends a session and makes its ticket void.
    pub fn close(&self, session: &Session) {
        session.ended.cancel();
        self.known().sessions.remove(&session.ticket);
    }

    /// Ends all sessions.
    pub fn close_all(&self) {
        self.root.cancel();
        self.known().sessions.clear();
    }

    /// Looks at every account that has sessions: ends those whose account is gone, locked or has
    /// another password, and gives the others the rate and tells them the space that they have now.
    pub async fn review(&self) {
        let sessions: Vec<Arc<Session>> = self.known().sessions.values().cloned().collect();
        for session in sessions {
            match self.catalog.account(&session.tenant.name).await {
                Ok(Some(account)) if account.id == session.tenant.id && account.generation == session.generation => {
                    session.tenant.traffic.set_rate(account.rate);
                    session.tenant.announce_usage().await;
                }
                Ok(_) => {
                    tracing::info!(user = %session.tenant.name, "session ended: the account changed");
                    self.close(&session);
                }
                Err(error) => tracing::error!(error = &error as &dyn Error, "accounts cannot be read"),
            }
        }
    }

    /// All users with sessions.
    pub fn tenants(&self) -> Vec<Arc<Tenant>> {
        self.known().tenants.values().filter_map(Weak::upgrade).collect()
    }

    /// How many there are.
    pub(crate) fn standing(&self) -> Standing {
        let known = self.known();
        let all = |count: fn(&Session) -> &AtomicUsize| {
            known.sessions.values().map(|session| count(session).load(Ordering::Relaxed)).sum()
        };
        let sessions = known.sessions.len();
        Standing { sessions, lanes: all(|session| &session.lanes), controls: all(|session| &session.control) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Whole between any two statements: a panic elsewhere does not spoil it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// A session that lost its connection gives way to a new one: nobody is kept out by their own dead.
    fn make_place(&mut self, user: UserId, max: usize) -> Result<(), Fault> {
        let theirs = || self.sessions.values().filter(|session| session.tenant.id == user);
        let count = theirs().count();
        if count < max {
            return Ok(());
        }
        let lost = theirs().find(|session| session.control.load(Ordering::Relaxed) == 0).map(|lost| lost.ticket);
        match lost.and_then(|ticket| self.sessions.remove(&ticket)) {
            Some(session) => {
                session.ended.cancel();
                Ok(())
            }
            None => Err(busy(format!("this account has {count} sessions already"))),
        }
    }
}

impl Session {
    /// Its ticket.
    pub fn ticket(&self) -> Ticket {
        self.ticket
    }
}

impl LanePlace {
    /// The session.
    pub fn session(&self) -> &Arc<Session> {
        &self.0
    }
}

impl Drop for LanePlace {
    fn drop(&mut self) {
        self.0.lanes.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ControlPlace {
    /// The session.
    pub fn session(&self) -> &Arc<Session> {
        &self.0
    }
}

impl Drop for ControlPlace {
    fn drop(&mut self) {
        if self.0.control.fetch_sub(1, Ordering::Relaxed) > 1 || self.0.ended.is_cancelled() {
            return;
        }
        let (session, sessions) = (Arc::clone(&self.0), self.1.clone());
        tokio::spawn(async move {
            let ended = session.ended.clone();
            if ended.run_until_cancelled(tokio::time::sleep(REJOIN)).await.is_some()
                && session.control.load(Ordering::Relaxed) == 0
                && let Some(sessions) = sessions.upgrade()
            {
                sessions.close(&session);
            }
        });
    }
}

/// Over a limit until another session or lane ends.
fn busy(message: String) -> Fault {
    Fault::new(Code::Busy, message).with(Detail::RetryAfter(RETRY_SECONDS))
}

/// Sessions last: looking more often is in vain.
const RETRY_SECONDS: u32 = 30;
/// How long a session waits for a control connection to come back.
const REJOIN: Duration = Duration::from_secs(300);
