//! What a connection says before it is anything: hello, then who it is. The order is a pure state
//! machine; the shell around it has one deadline for all of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{timeout, timeout_at};
use wire::frame::{FrameError, Stage};
use wire::link::{LinkError, Reader, Writer};
use wire::message::{FromGuest, Secret, Ticket, ToGuest, VERSIONS};
use wire::{Code, Fault, UserName};

use crate::audit::{Audit, Origin, Trail};
use crate::catalog::{Account, Catalog};
use crate::config::Live;
use crate::password::{PasswordError, Passwords, Verdict};
use crate::penalties::{Penalties, retry_after};
use crate::refusals::{Reason, Refusal, Refusals};
use crate::session::{ControlPlace, LanePlace, Session, Sessions};
use crate::source::Source;

/// What a guest turned out to be.
#[derive(Debug)]
pub enum Guest {
    /// The control connection of a session.
    Control(ControlPlace),
    /// A lane of one.
    Lane(LanePlace),
}

impl Guest {
    /// Of which session.
    pub fn session(&self) -> &Arc<Session> {
        match self {
            Self::Control(place) => place.session(),
            Self::Lane(place) => place.session(),
        }
    }
}

/// Where the greeting stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was said.
    Silent,
    /// The version is settled.
    Greeted,
    /// It said who it is: the rest is the server's.
    Named,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Hello(u16),
    /// A name that no account can have is none: it is worked on like one that no account has.
    Login(Option<UserName>, Secret),
    Rejoin(Ticket),
    Join(Ticket),
}

/// Everything a guest is checked against.
#[derive(Clone, Debug)]
pub struct Door {
    /// Accounts.
    pub catalog: Catalog,
    /// The only place where passwords are hashed.
    pub passwords: Passwords,
    /// Running sessions.
    pub sessions: Arc<Sessions>,
    /// For the time from the connection to the login.
    pub live: Live,
    /// What is held against sources and users.
    pub penalties: Penalties,
    /// Where refusals are counted.
    pub refusals: Refusals,
    /// Where logins are told.
    pub audit: Audit,
}

impl Door {
    /// Greets a connection: what it is now, or nothing if it was refused or left.
    pub async fn greet<R, W>(
        &self,
        origin: Origin,
        deadline: tokio::time::Instant,
        reader: &mut Reader<R>,
        writer: &mut Writer<W>,
    ) -> Result<Option<Guest>, LinkError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let (mut state, source) = (State::Silent, origin.source());
        let refusal = match timeout_at(deadline, self.converse(origin, &mut state, reader, writer)).await {
            Ok(Ok(Ok(guest))) => return Ok(guest),
            Ok(Ok(Err(refusal))) => refusal,
            Ok(Err(error)) if is_against_rules(&error) => {
                Refusal::new(Reason::Protocol, Code::Protocol, error.to_string())
            }
            Ok(Err(error)) => return Err(error),
            Err(_) => Refusal::new(Reason::Timeout, Code::Timeout, "the login took too long"),
        };
        tracing::debug!(reason = refusal.reason.name(), "refused");
        match refusal.reason {
            // Once it has said who it is, all that takes long is the server's.
            Reason::Protocol | Reason::Timeout if state != State::Named => self.broke_rules(source, refusal.reason),
            reason => self.refusals.count(reason),
        }
        // One try, and not waited for: a peer that says nothing may read nothing either.
        timeout(LAST_WORD, show_out(refusal.fault, reader, writer)).await.unwrap_or(Ok(()))?;
        Ok(None)
    }

    /// A source broke the protocol before it had logged in.
    pub fn broke_rules(&self, source: Source, reason: Reason) {
        self.refusals.count(reason);
        self.penalties.broke_rules(source, Instant::now());
    }

    async fn converse<R, W>(
        &self,
        origin: Origin,
        state: &mut State,
        reader: &mut Reader<R>,
        writer: &mut Writer<W>,
    ) -> Result<Result<Option<Guest>, Refusal>, LinkError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        while let Some(message) = reader.message::<FromGuest>().await? {
            let step = match step(*state, message) {
                Ok(step) => step,
                Err(refusal) => return Ok(Err(refusal)),
            };
            if let Step::Hello(version) = step {
                *state = State::Greeted;
                writer.send(&hello(version)).await?;
                continue;
            }
            *state = State::Named;
            let guest = match step {
                Step::Login(user, password) => {
                    let opened = self.login(origin.source(), user.clone(), password).await;
                    self.tell(origin, "login", user, opened).map(Guest::Control)
                }
                Step::Rejoin(ticket) => {
                    let found = self.rejoin(&ticket);
                    self.tell(origin, "rejoin", None, found).map(Guest::Control)
                }
                Step::Join(ticket) => self.join(&ticket).map(Guest::Lane),
                Step::Hello(_) => continue,
            };
            return match guest {
                Ok(guest) => self.welcome(guest, reader, writer).await.map(|guest| Ok(Some(guest))),
                Err(refusal) => Ok(Err(refusal)),
            };
        }
        Ok(Ok(None))
    }

    async fn welcome<R, W>(
        &self,
        guest: Guest,
        reader: &mut Reader<R>,
        writer: &mut Writer<W>,
    ) -> Result<Guest, LinkError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        match &guest {
            Guest::Control(place) => {
                let tenant = &place.session().tenant;
                let usage = tenant.catalog.usage(tenant.id).await.unwrap_or_default();
                let (ticket, lanes) = (place.session().ticket(), self.sessions.max_lanes());
                reader.enter(Stage::Control);
                writer.send(&ToGuest::Welcome { ticket, lanes, usage }).await?;
            }
            Guest::Lane(_) => {
                reader.enter(Stage::Lane);
                writer.send(&ToGuest::Joined).await?;
            }
        }
        Ok(guest)
    }

    /// Unknown user, wrong password and locked account: the same work, the same words. Penalties are looked at before
    /// the work, and after it, so that guessing on many connections at once tells no more than on one.
    async fn login(&self, source: Source, user: Option<UserName>, password: Secret) -> Result<ControlPlace, Refusal> {
        self.penalties.check(source, user.as_ref(), Instant::now())?;
        let account = match &user {
            Some(user) => {
                self.catalog.account(user).await.map_err(|error| Refusal::by(error.into(), Reason::Internal))?
            }
            None => None,
        };
        let phc = account.as_ref().map(|account| account.phc.clone());
        let verdict = match self.passwords.verify(password.clone(), phc).await {
            // No account has it.
            Err(PasswordError::TooLong) => Verdict::Wrong,
            verdict => verdict.map_err(|error| Refusal::by(error.into(), Reason::Passwords))?,
        };
        let open = account.filter(|account| verdict != Verdict::Wrong && !account.locked);
        let Some(account) = open else {
            let penalty = self.penalties.failed(source, user.as_ref(), Instant::now())?;
            let fault = Fault::new(Code::Login, "user name or password is wrong, or the account is locked");
            let fault = penalty.map_or(fault.clone(), |left| fault.with(retry_after(left)));
            return Err(Refusal { reason: Reason::Login, fault });
        };
        self.penalties.check(source, Some(&account.name), Instant::now())?;
        self.penalties.succeeded(source, &account.name, Instant::now());
        if verdict == Verdict::Outdated {
            self.strengthen(&account, password).await;
        }
        let session = self.sessions.open(&account).map_err(|fault| Refusal::by(fault, Reason::Sessions))?;
        session.tenant.commons.counters.logins.add(1);
        Ok(self.sessions.control(session))
    }

    /// One line of the audit for each try to open a session or to take one up.
    fn tell(
        &self,
        origin: Origin,
        verb: &'static str,
        user: Option<UserName>,
        opened: Result<ControlPlace, Refusal>,
    ) -> Result<ControlPlace, Refusal> {
        let user = opened.as_ref().map_or(user, |place| Some(place.session().tenant.name.clone()));
        let result = opened.as_ref().map_err(|refusal| refusal.fault.clone());
        Trail::new(self.audit.clone(), origin, user).begin(verb).end(&result);
        opened
    }

    /// Hashes a password that was just proven with today's parameters.
    async fn strengthen(&self, account: &Account, password: Secret) {
        let Ok(new) = self.passwords.hash(password).await else { return };
        if let Err(error) = self.catalog.upgrade_password(account.id, account.phc.clone(), new).await {
            tracing::warn!(%error, "a password keeps its old parameters");
        }
    }

    fn rejoin(&self, ticket: &Ticket) -> Result<ControlPlace, Refusal> {
        let session = self.sessions.find(ticket).map_err(|fault| Refusal::by(fault, Reason::Ticket))?;
        Ok(self.sessions.control(session))
    }

    fn join(&self, ticket: &Ticket) -> Result<LanePlace, Refusal> {
        let lane = self.sessions.find(ticket).and_then(|session| self.sessions.lane(session));
        lane.map_err(|fault| Refusal::by(fault, Reason::Lanes))
    }
}

/// Says no, and stays until the other side has left: what it is still saying would else take the answer away.
pub(crate) async fn show_out<R, W>(
    fault: Fault,
    reader: &mut Reader<R>,
    writer: &mut Writer<W>,
) -> Result<(), LinkError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    writer.send(&ToGuest::Refused(fault)).await?;
    writer.close().await?;
    while reader.message::<FromGuest>().await?.is_some() {}
    Ok(())
}

fn hello(version: u16) -> ToGuest {
    let agent = concat!("catamaran-server/", env!("CARGO_PKG_VERSION")).to_owned();
    ToGuest::Hello { version, capabilities: 0, agent }
}

/// Whether the peer said what nobody may say. One whose connection was lost did not.
fn is_against_rules(error: &LinkError) -> bool {
    match error {
        LinkError::Frame(FrameError::Io(_)) | LinkError::Closed | LinkError::Io(_) => false,
        LinkError::Frame(_) | LinkError::Encoding(_) | LinkError::UnexpectedBlock => true,
    }
}

/// What a message means at this point, or why it means nothing.
fn step(state: State, message: FromGuest) -> Result<Step, Refusal> {
    let out_of_order = |what: &str| Err(Refusal::new(Reason::Protocol, Code::Protocol, what));
    match (state, message) {
        (State::Silent, FromGuest::Hello { versions: (newest, oldest), .. }) => {
            let (our_newest, our_oldest) = VERSIONS;
            let version = newest.min(our_newest);
            if oldest > newest || version < our_oldest || version < oldest {
                let message = format!("this server speaks versions {our_oldest} to {our_newest} of the protocol");
                return Err(Refusal::new(Reason::Version, Code::Version, message));
            }
            Ok(Step::Hello(version))
        }
        (State::Silent, _) => out_of_order("a connection begins with hello"),
        (_, FromGuest::Hello { .. }) => out_of_order("hello was said already"),
        (_, FromGuest::Login { user, password }) => Ok(Step::Login(user.parse().ok(), password)),
        (_, FromGuest::Rejoin(ticket)) => Ok(Step::Rejoin(ticket)),
        (_, FromGuest::Join(ticket)) => Ok(Step::Join(ticket)),
    }
}

/// How long a last word may take.
const LAST_WORD: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn says_hello(newest: u16, oldest: u16) -> FromGuest {
        FromGuest::Hello { versions: (newest, oldest), capabilities: 0, agent: "test".into() }
    }

    #[test]
    fn versions_are_settled_or_refused() {
        assert_eq!(step(State::Silent, says_hello(9, 1)), Ok(Step::Hello(1)));
        for (newest, oldest) in [(9, 2), (0, 0), (0, 1)] {
            let refused = step(State::Silent, says_hello(newest, oldest)).map_err(|refusal| refusal.fault.code);
            assert_eq!(refused, Err(Code::Version), "{newest} {oldest}");
        }
    }

    #[test]
    fn the_order_is_kept() {
        let ticket = Ticket([1; 32]);
        let login = |user: &str| FromGuest::Login { user: user.into(), password: Secret("x".into()) };
        let code = |state, message| step(state, message).map_err(|refusal| refusal.fault.code);
        assert_eq!(code(State::Silent, login("ada")), Err(Code::Protocol));
        assert_eq!(code(State::Silent, FromGuest::Join(ticket)), Err(Code::Protocol));
        assert_eq!(code(State::Greeted, says_hello(1, 1)), Err(Code::Protocol));
        assert_eq!(code(State::Greeted, FromGuest::Rejoin(ticket)), Ok(Step::Rejoin(ticket)));
        assert!(matches!(code(State::Greeted, login("../etc")), Ok(Step::Login(..))));
    }
}
