//! The control connection of a session, as those see it who ask something of the server. Knows no queue
//! and no transfers.

mod actor;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use wire::message::{Answer, Entry, Op, Ticket, Usage};
use wire::{Code, Fault, RemotePath};

use super::Credentials;
use super::connect::{Dialer, Welcome};
use super::status::Link;
use actor::{Actor, standing};

/// Something happened at the server that nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something in this directory changed.
    Changed(RemotePath),
    /// The server goes down; the session comes back by itself.
    Draining,
}

/// What there is of a session at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) link: Link,
    /// Lets lanes join; `None` while the connection is lost.
    pub(crate) ticket: Option<Ticket>,
    /// How many lanes the server allows.
    pub(crate) lanes: u16,
    pub(crate) usage: Option<Usage>,
}

/// How a session behaves.
#[derive(Clone, Debug)]
pub(crate) struct Habits {
    /// For a login when the ticket no longer holds.
    pub(crate) credentials: Credentials,
    pub(crate) keepalive: Duration,
    /// Without a connection for this long, it gives up; `None`: never.
    pub(crate) give_up: Option<Duration>,
}

/// A handle; the actor ends when the last one is gone.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    orders: mpsc::Sender<Order>,
    standing: watch::Receiver<Standing>,
    notices: broadcast::Sender<Notice>,
    /// Rung when a lost connection is not to be waited for any longer.
    hurry: Arc<Notify>,
}

#[derive(Debug)]
enum Order {
    /// Answers go to whoever asked, who drains them promptly; when it is gone the request is
    /// cancelled at the server.
    Request(Op, mpsc::Sender<Answer>),
    Goodbye(oneshot::Sender<()>),
}

impl Session {
    /// Runs the actor for a session that has just begun.
    pub(crate) fn start(dialer: Dialer, habits: Habits, welcome: Welcome) -> Self {
        let (orders, inbox) = mpsc::channel(64);
        let (standing_tx, standing) = watch::channel(standing(&welcome));
        let (notices, _) = broadcast::channel(256);
        let hurry = Arc::new(Notify::new());
        let actor = Actor {
            dialer,
            habits,
            orders: inbox,
            standing: standing_tx,
            notices: notices.clone(),
            ticket: welcome.ticket,
            hurry: hurry.clone(),
            next: 0,
            asked: HashMap::new(),
            leaving: FuturesUnordered::new(),
        };
        tokio::spawn(actor.run(welcome.reader, welcome.writer));
        Self { orders, standing, notices, hurry }
    }

    /// What there is of it, now and whenever it changes.
    pub(crate) fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// News from now on.
    pub(crate) fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Tries to connect at once where the connection is lost.
    pub(crate) fn hurry(&self) {
        self.hurry.notify_waiters();
    }

    /// A request with one answer.
    pub(crate) async fn ask(&self, op: Op) -> Result<Answer, Fault> {
        match self.request(op).await.recv().await {
            Some(Answer::Fault(fault)) => Err(fault),
            Some(answer) => Ok(answer),
            None => Err(lost()),
        }
    }

    /// A request that is answered by [`Answer::Done`].
    pub(crate) async fn order(&self, op: Op) -> Result<(), Fault> {
        match self.ask(op).await? {
            Answer::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// One entry.
    pub(crate) async fn stat(&self, path: &RemotePath) -> Result<Entry, Fault> {
        match self.ask(Op::Stat { path: path.into() }).await? {
            Answer::Entry(entry) => Ok(entry),
            other => Err(unexpected(&other)),
        }
    }

    /// A streamed answer in pages. Dropping the receiver cancels it.
    pub(crate) fn pages(&self, op: Op) -> mpsc::Receiver<Result<Vec<Entry>, Fault>> {
        let (to, pages) = mpsc::channel(16);
        let session = self.clone();
        tokio::spawn(async move {
            let mut answers = session.request(op).await;
            loop {
                let (page, last) = match answers.recv().await {
                    Some(Answer::Page { entries, last }) => (Ok(entries), last),
                    Some(Answer::Fault(fault)) => (Err(fault), true),
                    Some(other) => (Err(unexpected(&other)), true),
                    None => (Err(lost()), true),
                };
                if to.send(page).await.is_err() || last {
                    return;
                }
            }
        });
        pages
    }

    /// A whole listing.
    pub(crate) async fn list(&self, path: &RemotePath) -> Result<Vec<Entry>, Fault> {
        let mut pages = self.pages(Op::List { path: path.into() });
        let mut all = Vec::new();
        while let Some(page) = pages.recv().await {
            all.extend(page?);
        }
        Ok(all)
    }

    /// Ends the session at the server; its ticket is void then.
    pub(crate) async fn goodbye(&self) {
        let (said, done) = oneshot::channel();
        if self.orders.send(Order::Goodbye(said)).await.is_ok() {
            // Either way it is over.
            let _ = done.await;
        }
    }

    async fn request(&self, op: Op) -> mpsc::Receiver<Answer> {
        let (to, answers) = mpsc::channel(16);
        // When the actor is gone, so is `to`, and the receiver says so.
        let _ = self.orders.send(Order::Request(op, to)).await;
        answers
    }
}

/// What a request meets when the connection is lost.
pub(crate) fn lost() -> Fault {
    Fault::new(Code::Timeout, "the connection to the server is lost")
}

pub(super) fn unexpected(answer: &Answer) -> Fault {
    tracing::error!(?answer, "an answer of the wrong kind");
    Fault::new(Code::Protocol, "the server's answer does not fit the request")
}
