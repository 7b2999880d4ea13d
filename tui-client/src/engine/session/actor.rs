//! The task behind a session: sends requests, hands out answers by id, and comes back by itself when the
//! connection is lost.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use wire::message::{Answer, FromClient, FromServer, Notice as News, Ticket, Usage};
use wire::{Code, Fault, RemotePath};

use super::super::Credentials;
use super::super::connect::{ConnectError, Dialer, LinkReader, LinkWriter, Welcome};
use super::super::status::Link;
use super::{Habits, Notice, Order, Standing};

pub(super) struct Actor {
    pub(super) dialer: Dialer,
    pub(super) habits: Habits,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) standing: watch::Sender<Standing>,
    pub(super) notices: broadcast::Sender<Notice>,
    pub(super) ticket: Ticket,
    pub(super) hurry: Arc<Notify>,
    pub(super) next: u32,
    pub(super) asked: HashMap<u32, mpsc::Sender<Answer>>,
    /// For each that was asked: its id, when whoever asked is gone.
    pub(super) leaving: FuturesUnordered<BoxFuture<'static, u32>>,
}

/// Why a connection is no longer served.
enum Over {
    Lost(String),
    /// Nobody wants it any more.
    Left,
}

impl Actor {
    pub(super) async fn run(mut self, mut reader: LinkReader, mut writer: LinkWriter) {
        loop {
            let reason = match self.serve(&mut reader, &mut writer).await {
                Over::Lost(reason) => reason,
                Over::Left => {
                    // The server may be gone already.
                    let _ = timeout(PATIENCE, async {
                        writer.send(&FromClient::Goodbye).await?;
                        writer.close().await
                    })
                    .await;
                    return;
                }
            };
            tracing::warn!(reason, "the connection is lost");
            self.asked.clear();
            self.leaving.clear();
            match self.come_back(reason).await {
                Some(welcome) => (reader, writer) = (welcome.reader, welcome.writer),
                None => return self.refuse_all().await,
            }
        }
    }

    async fn serve(&mut self, reader: &mut LinkReader, writer: &mut LinkWriter) -> Over {
        let mut ping = interval(self.habits.keepalive);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset();
        let mut heard = Instant::now();
        loop {
            let sent = tokio::select! {
                message = reader.message::<FromServer>() => {
                    heard = Instant::now();
                    match message {
                        Ok(Some(message)) => match self.hear(message).await {
                            Some(cancel) => say(writer, &cancel).await,
                            None => Ok(()),
                        },
                        Ok(None) => return Over::Lost("the server closed the connection".to_owned()),
                        Err(error) => return Over::Lost(error.to_string()),
                    }
                }
                order = self.orders.recv() => match order {
                    Some(Order::Request(op, to)) => {
                        let id = self.number();
                        self.asked.insert(id, to.clone());
                        self.leaving.push(Box::pin(async move {
                            to.closed().await;
                            id
                        }));
                        say(writer, &FromClient::Request { id, op }).await
                    }
                    Some(Order::Goodbye(said)) => {
                        drop(said);
                        return Over::Left;
                    }
                    None => return Over::Left,
                },
                Some(id) = self.leaving.next() => match self.asked.remove(&id) {
                    Some(_) => say(writer, &FromClient::Cancel { id }).await,
                    None => Ok(()),
                },
                _ = ping.tick() => {
                    if heard.elapsed() > self.habits.keepalive * 3 {
                        return Over::Lost("the server no longer answers".to_owned());
                    }
                    say(writer, &FromClient::Ping).await
                }
            };
            if let Err(reason) = sent {
                return Over::Lost(reason);
            }
        }
    }

    fn number(&mut self) -> u32 {
        while self.asked.contains_key(&self.next) {
            self.next = self.next.wrapping_add(1);
        }
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        id
    }

    /// Hands an answer to whoever asked; a cancel for the server when nobody listens any more.
    async fn hear(&mut self, message: FromServer) -> Option<FromClient> {
        match message {
            FromServer::Answer { id, answer } => {
                let over = !matches!(&answer, Answer::Page { last: false, .. });
                if let Answer::Usage(usage) = &answer {
                    self.take_usage(*usage);
                }
                let gone = match self.asked.get(&id) {
                    Some(to) => to.send(answer).await.is_err(),
                    None => false,
                };
                if over || gone {
                    self.asked.remove(&id);
                }
                (gone && !over).then_some(FromClient::Cancel { id })
            }
            FromServer::Notice(News::Usage(usage)) => {
                self.take_usage(usage);
                None
            }
            FromServer::Notice(News::Changed(path)) => {
                if let Ok(path) = RemotePath::parse(&path.0) {
                    // Nobody listening is no fault.
                    let _ = self.notices.send(Notice::Changed(path));
                }
                None
            }
            FromServer::Notice(News::Draining) => {
                let _ = self.notices.send(Notice::Draining);
                None
            }
            FromServer::Pong => None,
        }
    }

    fn take_usage(&self, usage: Usage) {
        self.standing.send_if_modified(|standing| standing.usage.replace(usage) != Some(usage));
    }

    /// Tries until there is a session again; `None` when there will be none.
    async fn come_back(&mut self, mut reason: String) -> Option<Welcome> {
        let since = Instant::now();
        let (mut pause, mut asked) = (FIRST_PAUSE, None);
        loop {
            let left = self.habits.give_up.map_or(Duration::MAX, |most| most.saturating_sub(since.elapsed()));
            let wait = next_try(pause, asked).min(left);
            let hurry = self.hurry.clone();
            let mut hurried = std::pin::pin!(hurry.notified());
            // Before the loss is told, so that no wish to hurry falls between.
            hurried.as_mut().enable();
            self.show(Link::Lost { retry_in: wait, reason: reason.clone() });
            let hurried = self.wait(timeout(wait, hurried)).await?.is_ok();
            let (dialer, ticket, mut credentials) = (self.dialer.clone(), self.ticket, self.habits.credentials.clone());
            let attempt = self.wait(async move { attempt(&dialer, ticket, &mut credentials).await });
            match attempt.await? {
                Ok(welcome) => {
                    self.ticket = welcome.ticket;
                    self.standing.send_replace(standing(&welcome));
                    return Some(welcome);
                }
                Err(error) if !error.heals() => {
                    self.show(Link::Refused(refused(&error)));
                    return None;
                }
                Err(error) => (reason, asked) = (error.reason(), error.retry_after()),
            }
            if self.habits.give_up.is_some_and(|most| since.elapsed() >= most) {
                self.show(Link::Refused(Fault::new(Code::Timeout, format!("no connection any more: {reason}"))));
                return None;
            }
            // Whoever tries by hand does not wait the longer for it.
            pause = if hurried { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        }
    }

    /// Waits for `work` while refusing requests; `None` when nobody wants the session any more.
    async fn wait<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                order = self.orders.recv() => match order {
                    // Dropping the sender tells that the connection is lost.
                    Some(Order::Request(..)) => {}
                    Some(Order::Goodbye(_)) | None => return None,
                },
            }
        }
    }

    /// There will be no session any more: requests fail until the last handle is gone.
    async fn refuse_all(mut self) {
        while let Some(Order::Request(..)) = self.orders.recv().await {}
    }

    fn show(&self, link: Link) {
        self.standing.send_modify(|standing| {
            standing.link = link;
            standing.ticket = None;
        });
    }
}

/// By the ticket while it holds, else as at first.
async fn attempt(dialer: &Dialer, ticket: Ticket, credentials: &mut Credentials) -> Result<Welcome, ConnectError> {
    match dialer.rejoin(ticket).await {
        Err(ConnectError::Refused { fault, .. } | ConnectError::Login(fault))
            if matches!(fault.code, Code::Ticket | Code::Login) =>
        {
            dialer.login(credentials).await
        }
        other => other,
    }
}

async fn say(writer: &mut LinkWriter, message: &FromClient) -> Result<(), String> {
    match timeout(PATIENCE, writer.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the server no longer reads".to_owned()),
    }
}

pub(super) fn standing(welcome: &Welcome) -> Standing {
    Standing {
        link: Link::Online,
        ticket: Some(welcome.ticket),
        lanes: welcome.lanes.max(1),
        usage: Some(welcome.usage),
    }
}

fn refused(error: &ConnectError) -> Fault {
    match error {
        ConnectError::Login(fault) => fault.clone(),
        ConnectError::Refused { fault, .. } => fault.clone(),
        error => Fault::new(Code::Denied, error.to_string()),
    }
}

/// Not before the server looks at us again, if it said when.
fn next_try(pause: Duration, asked: Option<Duration>) -> Duration {
    asked.map_or(Duration::ZERO, |asked| asked + jittered(FIRST_PAUSE)).max(jittered(pause))
}

/// A quarter more or less, so that many clients of one server do not come back together.
fn jittered(pause: Duration) -> Duration {
    // Every `RandomState` has other keys.
    let random = RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64;
    pause.mul_f64(0.75 + random / 2.0)
}

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// For a small write to a server that should read.
const PATIENCE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_differ_and_stay_near() {
        let pauses: Vec<Duration> = (0..50).map(|_| jittered(Duration::from_secs(4))).collect();
        assert!(pauses.iter().all(|pause| (3.0..=5.0).contains(&pause.as_secs_f64())), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }

    #[test]
    fn what_the_server_asked_for_is_waited_out() {
        let seconds = Duration::from_secs;
        let table = [
            (seconds(4), None, 3..=5),
            (seconds(4), Some(seconds(40)), 40..=41),
            (seconds(24), Some(seconds(1)), 18..=30),
        ];
        for (pause, asked, expected) in table {
            let wait = next_try(pause, asked);
            assert!(
                expected.contains(&wait.as_secs()) && asked.is_none_or(|asked| wait > asked),
                "{pause:?} {asked:?}: {wait:?}"
            );
        }
    }
}
