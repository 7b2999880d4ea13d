//! Who may come in: by password, by key, by ticket. What must not be told apart from outside is worked on alike.

use std::time::Instant;

use wire::message::{Proof, PublicKey, Secret, Ticket};
use wire::{Code, Fault, UserName};

use super::Door;
use crate::audit::{Origin, Trail};
use crate::catalog::Account;
use crate::keys::{self, Fingerprint};
use crate::password::{PasswordError, Verdict};
use crate::penalties::{By, retry_after};
use crate::refusals::{Reason, Refusal};
use crate::session::{ControlPlace, LanePlace};
use crate::source::Source;

impl Door {
    /// Unknown user, wrong password and locked account: the same work, the same words. Penalties are looked at before
    /// the work, and after it, so that guessing on many connections at once tells no more than on one.
    pub(super) async fn login(
        &self,
        source: Source,
        user: Option<UserName>,
        password: Secret,
    ) -> Result<ControlPlace, Refusal> {
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
        let Some(account) = account.filter(|account| verdict != Verdict::Wrong && !account.locked) else {
            return Err(self.failed(source, user.as_ref(), By::Password));
        };
        let place = self.open(source, &account)?;
        if verdict == Verdict::Outdated {
            self.strengthen(&account, password).await;
        }
        Ok(place)
    }

    /// Unknown user, a key that is not the user's, a signature that is not of this connection, and a locked account:
    /// the same. All signatures are verified, whoever they are of; that takes no longer than a handshake, so it needs
    /// no turn.
    pub(super) async fn prove(
        &self,
        source: Source,
        name: &str,
        statement: &[u8],
        proofs: &[Proof],
    ) -> Result<(ControlPlace, PublicKey), Refusal> {
        let user: Option<UserName> = name.parse().ok();
        self.penalties.check(source, user.as_ref(), Instant::now())?;
        let proven = proofs.iter().filter(|proof| keys::is_by(proof, statement)).map(|proof| proof.key).collect();
        let found = self.catalog.account_of_key(name.to_owned(), proven).await;
        let found = found.map_err(|error| Refusal::by(error.into(), Reason::Internal))?;
        let Some((account, key)) = found.filter(|(account, _)| !account.locked) else {
            return Err(self.failed(source, user.as_ref(), By::Key));
        };
        Ok((self.open(source, &account)?, key))
    }

    /// One line of the audit for each try to open a session or to take one up.
    pub(super) fn tell(
        &self,
        origin: Origin,
        verb: &'static str,
        user: Option<UserName>,
        opened: Result<ControlPlace, Refusal>,
    ) -> Result<ControlPlace, Refusal> {
        self.tell_with(origin, verb, user, None, opened)
    }

    /// The same of a login by key, with the key that opened it.
    pub(super) fn tell_key(
        &self,
        origin: Origin,
        user: Option<UserName>,
        proven: Result<(ControlPlace, PublicKey), Refusal>,
    ) -> Result<ControlPlace, Refusal> {
        let key = proven.as_ref().map_or_else(|_| "key".to_owned(), |(_, key)| format!("key {}", Fingerprint::of(key)));
        self.tell_with(origin, "login", user, Some(key), proven.map(|(place, _)| place))
    }

    fn tell_with(
        &self,
        origin: Origin,
        verb: &'static str,
        user: Option<UserName>,
        value: Option<String>,
        opened: Result<ControlPlace, Refusal>,
    ) -> Result<ControlPlace, Refusal> {
        let user = opened.as_ref().map_or(user, |place| Some(place.session().tenant.name.clone()));
        let result = opened.as_ref().map_err(|refusal| refusal.fault.clone());
        let mut deed = Trail::new(self.audit.clone(), origin, user).begin(verb);
        deed.entry.value = value;
        deed.end(&result);
        opened
    }

    pub(super) fn rejoin(&self, ticket: &Ticket) -> Result<ControlPlace, Refusal> {
        let session = self.sessions.find(ticket).map_err(|fault| Refusal::by(fault, Reason::Ticket))?;
        Ok(self.sessions.control(session))
    }

    pub(super) fn join(&self, ticket: &Ticket) -> Result<LanePlace, Refusal> {
        let lane = self.sessions.find(ticket).and_then(|session| self.sessions.lane(session));
        lane.map_err(|fault| Refusal::by(fault, Reason::Lanes))
    }

    /// A session for whoever has proven to be this user.
    fn open(&self, source: Source, account: &Account) -> Result<ControlPlace, Refusal> {
        self.penalties.check(source, Some(&account.name), Instant::now())?;
        self.penalties.succeeded(source, &account.name, Instant::now());
        let session = self.sessions.open(account).map_err(|fault| Refusal::by(fault, Reason::Sessions))?;
        session.tenant.commons.counters.logins.add(1);
        Ok(self.sessions.control(session))
    }

    fn failed(&self, source: Source, user: Option<&UserName>, by: By) -> Refusal {
        let penalty = match self.penalties.failed(source, user, by, Instant::now()) {
            Ok(penalty) => penalty,
            Err(refusal) => return refusal,
        };
        let message = match by {
            By::Password => "user name or password is wrong, or the account is locked",
            By::Key => "the user has none of these keys, or the account is locked",
        };
        let fault = Fault::new(Code::Login, message);
        let fault = penalty.map_or(fault.clone(), |left| fault.with(retry_after(left)));
        Refusal { reason: Reason::Login, fault }
    }

    /// Hashes a password that was just proven with today's parameters.
    async fn strengthen(&self, account: &Account, password: Secret) {
        let Ok(new) = self.passwords.hash(password).await else { return };
        if let Err(error) = self.catalog.upgrade_password(account.id, account.phc.clone(), new).await {
            tracing::warn!(%error, "a password keeps its old parameters");
        }
    }
}
