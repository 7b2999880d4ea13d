//! What a connection says before it is anything: hello, then who it is. The order is a pure state
//! machine; the shell around it has one deadline for all of it. Who may come in is below, in `login`.

mod login;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{timeout, timeout_at};
use wire::frame::{FrameError, Stage};
use wire::link::{LinkError, Reader, Writer};
use wire::message::{Binding, Challenge, FromGuest, KEY_LOGIN, MAX_PROOFS, Proof, Secret, Ticket, ToGuest, VERSIONS};
use wire::{Code, Fault, UserName};

use crate::audit::{Audit, Origin};
use crate::catalog::Catalog;
use crate::config::Live;
use crate::password::Passwords;
use crate::penalties::Penalties;
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
    /// The version is settled. With what was sent for a login by key, if it wanted that.
    Greeted(Option<Challenge>),
    /// It said who it is: the rest is the server's.
    Named,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// With the version; whether a challenge is wanted.
    Hello(u16, bool),
    /// A name that no account can have is none: it is worked on like one that no account has.
    Login(Option<UserName>, Secret),
    /// Of the user of that name, whatever it is, in answer to a challenge.
    Prove(Challenge, String, Vec<Proof>),
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
        binding: &Binding,
        deadline: tokio::time::Instant,
        reader: &mut Reader<R>,
        writer: &mut Writer<W>,
    ) -> Result<Option<Guest>, LinkError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let (mut state, source) = (State::Silent, origin.source());
        let refusal = match timeout_at(deadline, self.converse(origin, binding, &mut state, reader, writer)).await {
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
        binding: &Binding,
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
            if let Step::Hello(version, wants_challenge) = step {
                let challenge = match wants_challenge.then(challenge).transpose() {
                    Ok(challenge) => challenge,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                *state = State::Greeted(challenge);
                writer.feed(&hello(version)).await?;
                if let Some(challenge) = challenge {
                    writer.feed(&ToGuest::Challenge(challenge)).await?;
                }
                writer.flush().await?;
                continue;
            }
            *state = State::Named;
            let guest = match step {
                Step::Login(user, password) => {
                    let opened = self.login(origin.source(), user.clone(), password).await;
                    self.tell(origin, "login", user, opened).map(Guest::Control)
                }
                Step::Prove(challenge, user, proofs) => {
                    let proven =
                        self.prove(origin.source(), &user, &challenge.statement(binding, &user), &proofs).await;
                    self.tell_key(origin, user.parse().ok(), proven).map(Guest::Control)
                }
                Step::Rejoin(ticket) => {
                    let found = self.rejoin(&ticket);
                    self.tell(origin, "rejoin", None, found).map(Guest::Control)
                }
                Step::Join(ticket) => self.join(&ticket).map(Guest::Lane),
                Step::Hello(..) => continue,
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
    ToGuest::Hello { version, capabilities: KEY_LOGIN, agent }
}

/// Random bytes, for one login.
fn challenge() -> Result<Challenge, Refusal> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map(|()| Challenge(bytes)).map_err(|error| {
        tracing::error!(%error, "no random bytes for a challenge");
        Refusal::new(Reason::Internal, Code::Internal, "the server cannot make a challenge; its log has more")
    })
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
        (State::Silent, FromGuest::Hello { versions: (newest, oldest), capabilities, .. }) => {
            let (our_newest, our_oldest) = VERSIONS;
            let version = newest.min(our_newest);
            if oldest > newest || version < our_oldest || version < oldest {
                let message = format!("this server speaks versions {our_oldest} to {our_newest} of the protocol");
                return Err(Refusal::new(Reason::Version, Code::Version, message));
            }
            Ok(Step::Hello(version, capabilities & KEY_LOGIN != 0))
        }
        (State::Silent, _) => out_of_order("a connection begins with hello"),
        (_, FromGuest::Hello { .. }) => out_of_order("hello was said already"),
        (_, FromGuest::Login { user, password }) => Ok(Step::Login(user.parse().ok(), password)),
        (State::Greeted(Some(challenge)), FromGuest::Prove { user, proofs }) if proofs.len() <= MAX_PROOFS => {
            Ok(Step::Prove(challenge, user, proofs))
        }
        (State::Greeted(Some(_)), FromGuest::Prove { .. }) => out_of_order("more keys at once than there may be"),
        (_, FromGuest::Prove { .. }) => out_of_order("keys are proven in answer to a challenge"),
        (_, FromGuest::Rejoin(ticket)) => Ok(Step::Rejoin(ticket)),
        (_, FromGuest::Join(ticket)) => Ok(Step::Join(ticket)),
    }
}

/// How long a last word may take.
const LAST_WORD: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use wire::message::{PublicKey, Signature};

    fn says_hello(newest: u16, oldest: u16) -> FromGuest {
        FromGuest::Hello { versions: (newest, oldest), capabilities: 0, agent: "test".into() }
    }

    #[test]
    fn versions_are_settled_or_refused() {
        assert_eq!(step(State::Silent, says_hello(9, 1)), Ok(Step::Hello(1, false)));
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
        let greeted = State::Greeted(None);
        assert_eq!(code(greeted, says_hello(1, 1)), Err(Code::Protocol));
        assert_eq!(code(greeted, FromGuest::Rejoin(ticket)), Ok(Step::Rejoin(ticket)));
        assert!(matches!(code(greeted, login("../etc")), Ok(Step::Login(..))));
    }
    #[test]
    fn keys_answer_the_challenge_that_was_asked_for() {
        let challenge = Challenge([1; 32]);
        let proof = Proof { key: PublicKey([2; 32]), signature: Signature([[3; 32]; 2]) };
        let prove = |count| FromGuest::Prove { user: "ada".into(), proofs: vec![proof; count] };
        let code = |state, count| step(state, prove(count)).map_err(|refusal| refusal.fault.code);
        for state in [State::Silent, State::Greeted(None), State::Named] {
            assert_eq!(code(state, 1), Err(Code::Protocol), "{state:?}");
        }
        let greeted = State::Greeted(Some(challenge));
        assert_eq!(code(greeted, MAX_PROOFS), Ok(Step::Prove(challenge, "ada".into(), vec![proof; MAX_PROOFS])));
        assert_eq!(code(greeted, MAX_PROOFS + 1), Err(Code::Protocol));
        let hello = FromGuest::Hello { versions: VERSIONS, capabilities: u64::MAX, agent: "test".into() };
        assert_eq!(step(State::Silent, hello), Ok(Step::Hello(1, true)));
    }
}
