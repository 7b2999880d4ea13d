//! What a connection says before it is anything: hello, then who it is. The order is a pure state
//! machine; the shell around it has one deadline for all of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use wire::frame::Stage;
use wire::link::{LinkError, Reader, Writer};
use wire::message::{FromGuest, Secret, Ticket, ToGuest, VERSIONS};
use wire::{Code, Fault, UserName};

use crate::catalog::{Account, Catalog};
use crate::password::{PasswordError, Passwords, Verdict};
use crate::session::{ControlPlace, LanePlace, Sessions};

/// What a guest turned out to be.
#[derive(Debug)]
pub enum Guest {
    /// The control connection of a session.
    Control(ControlPlace),
    /// A lane of one.
    Lane(LanePlace),
}

/// Where the greeting stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was said.
    Silent,
    /// The version is settled.
    Greeted,
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
    /// For the whole greeting.
    pub deadline: Duration,
}

impl Door {
    /// Greets a connection: what it is now, or nothing if it was refused or left.
    pub async fn greet<R, W>(&self, reader: &mut Reader<R>, writer: &mut Writer<W>) -> Result<Option<Guest>, LinkError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        match tokio::time::timeout(self.deadline, self.converse(reader, writer)).await {
            Ok(result) => result,
            Err(_) => {
                let fault = Fault::new(Code::Timeout, "the login took too long");
                // One try, not waited for: a peer that says nothing may read nothing either.
                let _ = tokio::time::timeout(LAST_WORD, writer.send(&ToGuest::Refused(fault))).await;
                Ok(None)
            }
        }
    }

    async fn converse<R, W>(&self, reader: &mut Reader<R>, writer: &mut Writer<W>) -> Result<Option<Guest>, LinkError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut state = State::Silent;
        while let Some(message) = reader.message::<FromGuest>().await? {
            let guest = match step(state, message) {
                Ok(Step::Hello(version)) => {
                    state = State::Greeted;
                    let agent = concat!("catamaran-server/", env!("CARGO_PKG_VERSION")).to_owned();
                    writer.send(&ToGuest::Hello { version, capabilities: 0, agent }).await?;
                    continue;
                }
                Ok(Step::Login(user, password)) => self.login(user, password).await.map(Guest::Control),
                Ok(Step::Rejoin(ticket)) => self.rejoin(&ticket).map(Guest::Control),
                Ok(Step::Join(ticket)) => self.join(&ticket).map(Guest::Lane),
                Err(fault) => Err(fault),
            };
            return self.answer(guest, reader, writer).await;
        }
        Ok(None)
    }

    async fn answer<R, W>(
        &self,
        guest: Result<Guest, Fault>,
        reader: &mut Reader<R>,
        writer: &mut Writer<W>,
    ) -> Result<Option<Guest>, LinkError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        match guest {
            Err(fault) => {
                writer.send(&ToGuest::Refused(fault)).await?;
                writer.close().await?;
                Ok(None)
            }
            Ok(Guest::Control(place)) => {
                let tenant = &place.session().tenant;
                let usage = tenant.catalog.usage(tenant.id).await.unwrap_or_default();
                let (ticket, lanes) = (place.session().ticket(), self.sessions.max_lanes());
                reader.enter(Stage::Control);
                writer.send(&ToGuest::Welcome { ticket, lanes, usage }).await?;
                Ok(Some(Guest::Control(place)))
            }
            Ok(Guest::Lane(place)) => {
                reader.enter(Stage::Lane);
                writer.send(&ToGuest::Joined).await?;
                Ok(Some(Guest::Lane(place)))
            }
        }
    }

    /// Unknown user, wrong password and locked account: the same work, the same words.
    async fn login(&self, user: Option<UserName>, password: Secret) -> Result<ControlPlace, Fault> {
        let account = match &user {
            Some(user) => self.catalog.account(user).await?,
            None => None,
        };
        let phc = account.as_ref().map(|account| account.phc.clone());
        let verdict = match self.passwords.verify(password.clone(), phc).await {
            // No account has it.
            Err(PasswordError::TooLong) => Verdict::Wrong,
            verdict => verdict?,
        };
        let open = account.filter(|account| verdict != Verdict::Wrong && !account.locked);
        let Some(account) = open else {
            tracing::info!(user = user.as_ref().map(tracing::field::display), "login refused");
            return Err(Fault::new(Code::Login, "user name or password is wrong, or the account is locked"));
        };
        if verdict == Verdict::Outdated {
            self.strengthen(&account, password).await;
        }
        let session = self.sessions.open(&account)?;
        tracing::info!(user = %account.name, "login");
        Ok(self.sessions.control(session))
    }

    /// Hashes a password that was just proven with today's parameters.
    async fn strengthen(&self, account: &Account, password: Secret) {
        let Ok(new) = self.passwords.hash(password).await else { return };
        if let Err(error) = self.catalog.upgrade_password(account.id, account.phc.clone(), new).await {
            tracing::warn!(%error, "a password keeps its old parameters");
        }
    }

    fn rejoin(&self, ticket: &Ticket) -> Result<ControlPlace, Fault> {
        Ok(self.sessions.control(self.sessions.find(ticket)?))
    }

    fn join(&self, ticket: &Ticket) -> Result<LanePlace, Fault> {
        self.sessions.lane(self.sessions.find(ticket)?)
    }
}

/// What a message means at this point, or why it means nothing.
fn step(state: State, message: FromGuest) -> Result<Step, Fault> {
    match (state, message) {
        (State::Silent, FromGuest::Hello { versions: (newest, oldest), .. }) => {
            let (our_newest, our_oldest) = VERSIONS;
            let version = newest.min(our_newest);
            if oldest > newest || version < our_oldest || version < oldest {
                let message = format!("this server speaks versions {our_oldest} to {our_newest} of the protocol");
                return Err(Fault::new(Code::Version, message));
            }
            Ok(Step::Hello(version))
        }
        (State::Silent, _) => Err(Fault::new(Code::Protocol, "a connection begins with hello")),
        (State::Greeted, FromGuest::Hello { .. }) => Err(Fault::new(Code::Protocol, "hello was said already")),
        (State::Greeted, FromGuest::Login { user, password }) => Ok(Step::Login(user.parse().ok(), password)),
        (State::Greeted, FromGuest::Rejoin(ticket)) => Ok(Step::Rejoin(ticket)),
        (State::Greeted, FromGuest::Join(ticket)) => Ok(Step::Join(ticket)),
    }
}

/// How long a last word may take.
const LAST_WORD: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(newest: u16, oldest: u16) -> FromGuest {
        FromGuest::Hello { versions: (newest, oldest), capabilities: 0, agent: "test".into() }
    }

    #[test]
    fn versions_are_settled_or_refused() {
        assert_eq!(step(State::Silent, hello(9, 1)), Ok(Step::Hello(1)));
        for (newest, oldest) in [(9, 2), (0, 0), (0, 1)] {
            let refused = step(State::Silent, hello(newest, oldest)).map_err(|fault| fault.code);
            assert_eq!(refused, Err(Code::Version), "{newest} {oldest}");
        }
    }

    #[test]
    fn the_order_is_kept() {
        let ticket = Ticket([1; 32]);
        let login = |user: &str| FromGuest::Login { user: user.into(), password: Secret("x".into()) };
        let code = |state, message| step(state, message).map_err(|fault| fault.code);
        assert_eq!(code(State::Silent, login("ada")), Err(Code::Protocol));
        assert_eq!(code(State::Silent, FromGuest::Join(ticket)), Err(Code::Protocol));
        assert_eq!(code(State::Greeted, hello(1, 1)), Err(Code::Protocol));
        assert_eq!(code(State::Greeted, FromGuest::Rejoin(ticket)), Ok(Step::Rejoin(ticket)));
        assert!(matches!(code(State::Greeted, login("../etc")), Ok(Step::Login(..))));
    }
}
