//! The engine as the screen uses it: the one place where the two meet.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, watch};
use wire::message::Entry;
use wire::{Code, Fault, RemotePath, Root};

use super::saved::Saved;
use crate::app::dialog::Login;
use crate::config::OnEnd;
use crate::engine::status::{
    AfterCopy, Chosen, IfExists, ItemId, ItemStatus, Job, NewItem, QuestionId, Remedy, Reply, Shift, State, Status,
};
use crate::engine::{
    self, Accept, ConnectError, Credentials, Engine, Keyring, KnownServers, Notice, Options, Partial, Piece, Restored,
    Target, Trash, Trust,
};
use crate::entries::Picked;
use crate::sync::ground::Ground;
use crate::sync::orders::Transfer;
use crate::update::{Command, Msg, Refusal};

/// Where connections come from.
#[derive(Clone, Debug)]
pub(super) struct Harbour {
    pub(super) known: KnownServers,
    pub(super) accept: Accept,
    /// To log in with where no password is typed, or one of them was named.
    pub(super) keys: Option<Keyring>,
    pub(super) options: Options,
    pub(super) saved: Saved,
    /// Where queues and the history are kept.
    pub(super) state: PathBuf,
    /// What happens when the queue ends.
    pub(super) on_end: OnEnd,
}

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct Port {
    engine: Engine,
    target: Target,
}

impl Harbour {
    pub(super) async fn connect(&self, login: &Login) -> Result<Port, Refusal> {
        let other = |error: &dyn std::fmt::Display| Refusal::Other(error.to_string());
        let target: Target = login.address.parse().map_err(|error| other(&error))?;
        let accept = match &login.trust {
            Some(fingerprint) => Accept::Fingerprint(fingerprint.parse().map_err(|error| other(&error))?),
            None => self.accept,
        };
        let password = Some(login.password.clone()).filter(|password| !password.0.is_empty());
        let keys = self.keys.clone().filter(|keys| password.is_none() || keys.is_named());
        let credentials = Credentials { keys, password };
        let trust = Trust { known: self.known.clone(), accept };
        match engine::connect(target.clone(), credentials, trust, self.options.clone()).await {
            Ok(engine) => Ok(Port { engine, target }),
            Err(ConnectError::UnknownServer { fingerprint, .. }) => {
                Err(Refusal::Unknown { fingerprint: fingerprint.to_string() })
            }
            Err(ConnectError::ChangedServer { known_since, known, presented, .. }) => Err(Refusal::Changed {
                since: known_since.into(),
                known: known.to_string(),
                presented: presented.to_string(),
            }),
            Err(error) => Err(other(&error)),
        }
    }

    /// Takes up the queue that this account left the last time, and keeps it from now on.
    pub(super) async fn keep(&self, port: &Port) -> Restored {
        port.engine.keep(self.state.clone(), port.target.account()).await.unwrap_or_else(|error| Restored {
            items: Vec::new(),
            told: Some(format!("The queue is not kept for the next start: {error}")),
        })
    }

    /// Notes that the server was used; all saved ones, this one first.
    pub(super) async fn used(&self, port: &Port) -> Vec<String> {
        let (saved, address) = (self.saved.clone(), port.target.to_string());
        tokio::task::spawn_blocking(move || saved.used(&address)).await.unwrap_or_default()
    }
}

impl Port {
    /// `user@host`, as the pane shows it.
    pub(super) fn label(&self) -> String {
        self.target.to_string()
    }

    /// Tells the screen what the engine tells, until the engine is gone.
    pub(super) fn follow(&self, inbox: mpsc::Sender<Msg>) -> impl Future<Output = ()> + use<> {
        follow(self.engine.status(), self.engine.notices(), inbox)
    }

    pub(super) fn list(&self, path: &RemotePath) -> mpsc::Receiver<Result<Vec<Entry>, Fault>> {
        self.engine.list(path)
    }

    pub(super) fn find(&self, path: &RemotePath, pattern: String) -> mpsc::Receiver<Result<Vec<Entry>, Fault>> {
        self.engine.find(path, pattern)
    }

    /// A directory at the server, to be compared with another.
    pub(super) fn ground(&self, path: RemotePath) -> Ground {
        Ground::There(self.engine.clone(), path)
    }

    pub(super) fn enqueue_chosen(&self, transfer: Transfer) {
        self.engine.enqueue_chosen(transfer.job, transfer.chosen);
    }

    pub(super) fn walk(&self, path: &RemotePath) -> mpsc::Receiver<Result<Vec<Entry>, Fault>> {
        self.engine.walk(path)
    }

    /// A piece of a file.
    pub(super) async fn read(&self, path: &RemotePath, offset: u64, len: u32) -> Result<Piece, Fault> {
        self.engine.read(path, offset, len).await
    }

    /// From the file's record where that holds, else computed at the server.
    pub(super) async fn hash(&self, path: &RemotePath) -> Result<Root, Fault> {
        let entry = self.engine.hash(path).await?;
        entry.root.ok_or_else(|| Fault::new(Code::Protocol, "the server told no hash"))
    }

    /// Makes a directory that is not there yet.
    pub(super) async fn make_directory(&self, path: &RemotePath) -> Result<(), Fault> {
        self.engine.mkdir(path, false).await
    }

    /// Makes a directory and those above it, where they are missing.
    pub(super) async fn make_directories(&self, path: &RemotePath) -> Result<(), Fault> {
        self.engine.mkdir(path, true).await
    }

    pub(super) async fn create(&self, path: &RemotePath) -> Result<(), Fault> {
        self.engine.create(path).await
    }

    /// Removes it with all it holds.
    pub(super) async fn remove(&self, path: &RemotePath) -> Result<(), Fault> {
        self.engine.remove(path, true).await
    }

    pub(super) async fn rename(&self, from: &RemotePath, to: &RemotePath, replace: bool) -> Result<(), Fault> {
        self.engine.rename(from, to, replace).await
    }

    pub(super) async fn copy(&self, from: &RemotePath, to: &RemotePath, replace: bool) -> Result<(), Fault> {
        self.engine.copy(from, to, replace).await
    }

    pub(super) async fn stat(&self, path: &RemotePath) -> Result<Entry, Fault> {
        self.engine.stat(path).await
    }

    /// What the trash holds; `None`: the account has none.
    pub(super) async fn trash_state(&self) -> Result<Option<Trash>, Fault> {
        self.engine.trash_state().await
    }

    /// Moves it to the trash; its number there.
    pub(super) async fn trash(&self, path: &RemotePath) -> Result<u64, Fault> {
        self.engine.trash(path).await
    }

    pub(super) async fn restore(&self, id: u64) -> Result<RemotePath, Fault> {
        self.engine.restore(id).await
    }

    pub(super) async fn empty_trash(&self) -> Result<(), Fault> {
        self.engine.empty_trash().await
    }

    pub(super) fn enqueue(&self, items: Vec<NewItem>) {
        self.engine.enqueue(items);
    }

    pub(super) fn enqueue_picked(&self, item: NewItem, picked: Picked) {
        self.engine.enqueue_picked(item, picked);
    }

    /// Brings one file here, into a directory that holds nothing else.
    pub(super) fn fetch(&self, source: &RemotePath, target: &Path) -> Option<ItemId> {
        let job = Job::Down { source: source.clone(), target: target.to_owned() };
        let item = NewItem { job, if_exists: IfExists::Overwrite, source: AfterCopy::Keep };
        self.engine.enqueue(vec![item]).first().copied()
    }

    /// Sends one file of a directory, over what it was chosen to replace.
    pub(super) fn send_chosen(&self, directory: &Path, target: &RemotePath, chosen: Chosen) -> ItemId {
        let job = Job::Up { source: directory.to_owned(), target: target.clone() };
        self.engine.enqueue_chosen(job, vec![chosen])
    }

    /// An item when it is over, or has a question if it is not to be waited for that; `None` when it is off the list.
    pub(super) async fn over(&self, id: ItemId, asks: bool) -> Option<ItemStatus> {
        let mut status = self.engine.status();
        // The first sample may be older than the item.
        let mut met = false;
        loop {
            let item = status.borrow_and_update().items.iter().find(|item| item.id == id).cloned();
            match item {
                Some(item) if item.state.is_over() || asks && item.state == State::NeedsYou => return Some(item),
                Some(_) => met = true,
                None if met => return None,
                None => {}
            }
            status.changed().await.ok()?;
        }
    }

    /// Takes an item off the list, in whatever state it is.
    pub(super) fn drop_item(&self, id: ItemId) {
        self.engine.cancel(id, Partial::Discard);
        self.engine.forget(id);
    }

    pub(super) fn command(&self, id: ItemId, command: Command) {
        match command {
            Command::Pause => self.engine.pause(id),
            Command::Resume => self.engine.resume(id),
            Command::Cancel => self.engine.cancel(id, Partial::Keep),
            Command::Discard => self.engine.cancel(id, Partial::Discard),
            Command::Retry => self.engine.retry(id),
            Command::Limit(rate) => self.engine.limit_item(id, rate),
            Command::Priority(priority) => self.engine.set_priority(id, priority),
            Command::Forget => self.engine.forget(id),
        }
    }

    pub(super) fn shift(&self, ids: &[ItemId], shift: Shift) {
        self.engine.shift(ids, shift);
    }

    pub(super) fn limit(&self, rate: Option<u64>) {
        self.engine.set_limit(rate);
    }

    pub(super) fn answer(&self, id: QuestionId, reply: Reply) {
        self.engine.answer(id, reply);
    }

    pub(super) fn remedy(&self, id: QuestionId, remedy: Remedy) {
        self.engine.remedy(id, remedy);
    }

    pub(super) fn reconnect(&self) {
        self.engine.reconnect();
    }

    pub(super) async fn shut(self, grace: Duration) {
        self.engine.shutdown(grace).await;
    }
}

async fn follow(
    mut status: watch::Receiver<Arc<Status>>,
    mut notices: broadcast::Receiver<Notice>,
    inbox: mpsc::Sender<Msg>,
) {
    status.mark_changed();
    loop {
        let msg = tokio::select! {
            changed = status.changed() => match changed {
                Ok(()) => Msg::Status(status.borrow_and_update().clone()),
                Err(_) => return,
            },
            notice = notices.recv() => match notice {
                Ok(Notice::Changed(path)) => Msg::Changed(path),
                Ok(Notice::Draining) => Msg::Draining,
                // Directories changed faster than they can be told of; the next change is told again.
                Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return,
            },
        };
        if inbox.send(msg).await.is_err() {
            return;
        }
    }
}
