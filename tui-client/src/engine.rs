//! Connection, lanes, queue and local files. Knows nothing of the screen: the full-screen client and
//! the one-shot commands are two faces of it.
//!
//! - [`connect`]: TCP, TLS and greetings; [`identity`]: whether it is the right server; [`target`]: which; [`keyring`]: keys to log in with
//! - [`session`]: the control connection, [`asks`] on it; [`lane`]: the others, with uploads and downloads
//! - [`queue`] and [`item`]: what is to be done; [`scan`]: what that consists of; [`policy`]: conflicts;
//!   [`leave`]: the sources of moves; [`spread`]: large files that several lanes carry
//! - [`keep`]: what outlives the program
//! - [`local`]: files of this machine; [`limit`], [`progress`], [`buffer`]: bandwidth, rates, memory
//! - [`status`]: what the faces see

mod asks;
mod buffer;
mod connect;
mod identity;
mod item;
pub mod keep;
mod keyring;
mod lane;
mod leave;
mod limit;
mod local;
mod policy;
mod progress;
mod queue;
mod scan;
mod session;
mod spread;
pub mod status;
mod target;

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use wire::message::{Answer, Entry, Op, Secret, Usage};
use wire::{Code, Fault, RemotePath};

pub use asks::{Piece, Trash};
pub use connect::ConnectError;
pub use identity::{Accept, Fingerprint, FingerprintError, KnownServer, KnownServers, KnownServersError, Trust};
pub use keep::{KeepError, Restored};
pub use keyring::{Agent, Key, KeyFile, KeyFileError, Keyring};
pub(crate) use local::entry as local_entry;
pub(crate) use local::part::is_part as is_partial;
pub use session::Notice;
pub use target::{Target, TargetError};

use crate::entries::Picked;
use connect::Dialer;
use keep::Keeping;
use limit::Limit;
use progress::Trail;
use queue::Queue;
use session::{Habits, Session, Standing};
use status::{Chosen, ItemId, Job, Link, NewItem, Outcome, Priority, QuestionId, Remedy, Reply, Shift, Status};

/// How to log in: by keys, by password, or by keys and, where they are refused, by password. Kept for a login after the
/// session's ticket has expired; never printed.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Keys.
    pub keys: Option<Keyring>,
    /// A password.
    pub password: Option<Secret>,
}

impl Credentials {
    /// A password alone.
    pub fn password(password: Secret) -> Self {
        Self { keys: None, password: Some(password) }
    }
}

/// How an engine works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Lanes, opened when there is work; the server may allow fewer.
    pub lanes: u16,
    /// Bytes a second, all lanes together.
    pub limit: Option<u64>,
    /// Between signs of life on an idle session.
    pub keepalive: Duration,
    /// Without a connection for this long, it is given up; `None`: never.
    pub give_up: Option<Duration>,
    /// What becomes of a file that is refused for a reason that does not heal by itself.
    pub refused: Refused,
}

/// What becomes of what is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Refused {
    /// It fails.
    #[default]
    Fails,
    /// It waits for a person as a question, where the reason is one that a person can remove.
    Waits,
}

impl Default for Options {
    fn default() -> Self {
        Self { lanes: 2, limit: None, keepalive: Duration::from_secs(15), give_up: None, refused: Refused::Fails }
    }
}

/// What becomes of partial files when an item is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partial {
    /// They stay, for a later try.
    Keep,
    /// They go.
    Discard,
}

/// A session with its queue. Clones are handles to the same one; it ends with the last of them.
#[derive(Clone, Debug)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    queue: Queue,
    session: Session,
    limit: Arc<Limit>,
    limited: Arc<Notify>,
    status: watch::Receiver<Arc<Status>>,
    keeping: Mutex<Option<Keeping>>,
    /// Aborted when dropped.
    _tasks: JoinSet<()>,
}

/// Connects and logs in. Takes at most ten seconds or so; dropping the future cancels it.
pub async fn connect(
    target: Target,
    mut credentials: Credentials,
    trust: Trust,
    options: Options,
) -> Result<Engine, ConnectError> {
    let server = target.server();
    let dialer = tokio::task::spawn_blocking(move || Dialer::new(target, trust))
        .await
        .map_err(|error| ConnectError::NotCatamaran { server, reason: error.to_string() })?;
    let welcome = dialer.login(&mut credentials).await?;
    let habits = Habits {
        credentials,
        keepalive: options.keepalive.clamp(Duration::from_secs(1), MOST_QUIET),
        give_up: options.give_up,
    };
    let session = Session::start(dialer.clone(), habits, welcome);
    Ok(Engine::start(dialer, session, &options))
}

impl Engine {
    fn start(dialer: Dialer, session: Session, options: &Options) -> Self {
        let (queue, limit, limited) =
            (Queue::new(options.refused), Arc::new(Limit::new(options.limit)), Arc::new(Notify::new()));
        let mut sampler = Sampler {
            queue: queue.clone(),
            standing: session.standing(),
            limit: limit.clone(),
            limited: limited.clone(),
            trail: Trail::new(std::time::Instant::now()),
        };
        let (to, status) = watch::channel(Arc::new(sampler.sample().0));
        let mut tasks = JoinSet::new();
        tasks.spawn(sampler.run(to));
        tasks.spawn(scan::run(queue.clone(), session.clone()));
        tasks.spawn(leave::run(queue.clone(), session.clone()));
        let shared = lane::Shared {
            queue: queue.clone(),
            session: session.clone(),
            dialer,
            limit: limit.clone(),
            numbers: Arc::new(AtomicU64::new(1)),
        };
        for index in 0..options.lanes.max(1) {
            tasks.spawn(lane::run(shared.clone(), index));
        }
        Self(Arc::new(Inner { queue, session, limit, limited, status, keeping: Mutex::default(), _tasks: tasks }))
    }

    // What is at the server.

    /// The entries of a directory, page by page. Dropping the receiver cancels it.
    pub fn list(&self, path: &RemotePath) -> mpsc::Receiver<Result<Vec<Entry>, Fault>> {
        self.0.session.pages(Op::List { path: path.into() })
    }

    /// Everything below a directory, page by page; names are paths relative to it.
    pub fn walk(&self, path: &RemotePath) -> mpsc::Receiver<Result<Vec<Entry>, Fault>> {
        self.0.session.pages(Op::Walk { path: path.into() })
    }

    /// One entry.
    pub async fn stat(&self, path: &RemotePath) -> Result<Entry, Fault> {
        self.0.session.stat(path).await
    }

    /// Makes a directory; with `parents` also those above, and it is no fault when it is there.
    pub async fn mkdir(&self, path: &RemotePath, parents: bool) -> Result<(), Fault> {
        self.0.session.order(Op::Mkdir { path: path.into(), parents }).await
    }

    /// Makes an empty file where nothing has the name.
    pub async fn create(&self, path: &RemotePath) -> Result<(), Fault> {
        self.0.session.order(Op::Create { path: path.into() }).await
    }

    /// Removes a file, a link, or a directory: `recursive` with all it holds, else only an empty one.
    pub async fn remove(&self, path: &RemotePath, recursive: bool) -> Result<(), Fault> {
        self.0.session.order(Op::Remove { path: path.into(), recursive }).await
    }

    /// Gives something another path. With `replace` a file may take the place of a file.
    pub async fn rename(&self, from: &RemotePath, to: &RemotePath, replace: bool) -> Result<(), Fault> {
        self.0.session.order(Op::Rename { from: from.into(), to: to.into(), replace }).await
    }

    /// Copies within the home. With `replace` a file may take the place of a file.
    pub async fn copy(&self, from: &RemotePath, to: &RemotePath, replace: bool) -> Result<(), Fault> {
        self.0.session.order(Op::Copy { from: from.into(), to: to.into(), replace }).await
    }

    /// Space at the server.
    pub async fn usage(&self) -> Result<Usage, Fault> {
        match self.0.session.ask(Op::Usage).await? {
            Answer::Usage(usage) => Ok(usage),
            _ => Err(Fault::new(Code::Protocol, "the server's answer does not fit the request")),
        }
    }

    // The queue.

    /// Adds items at the end, at once; what they consist of is found out while others run.
    pub fn enqueue(&self, new: Vec<NewItem>) -> Vec<ItemId> {
        self.0.queue.enqueue(new)
    }

    /// Adds an item that consists of these files of a tree. Each replaces what it was chosen to replace, and nothing
    /// else without a question.
    pub fn enqueue_chosen(&self, job: Job, chosen: Vec<Chosen>) -> ItemId {
        self.0.queue.enqueue_chosen(job, chosen)
    }

    /// Adds an item that consists of these entries of its source directory, each with all it holds. They come into its
    /// target directory.
    pub fn enqueue_picked(&self, new: NewItem, picked: Picked) -> ItemId {
        self.0.queue.enqueue_picked(new, picked)
    }

    /// Keeps the queue of this `account` in a state directory from now on, and takes up what was left over there.
    pub async fn keep(&self, state: PathBuf, account: String) -> Result<Restored, KeepError> {
        let (keeping, restored) = Keeping::begin(self.0.queue.clone(), state, account).await?;
        *self.0.keeping.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeping);
        Ok(restored)
    }

    /// Moves items within the queue.
    pub fn shift(&self, ids: &[ItemId], shift: Shift) {
        self.0.queue.shift(ids, shift);
    }

    /// Makes an item more or less urgent.
    pub fn set_priority(&self, id: ItemId, priority: Priority) {
        self.0.queue.set_priority(id, priority);
    }

    /// Stops an item; its partial files stay.
    pub fn pause(&self, id: ItemId) {
        self.0.queue.pause(id);
    }

    /// Lets a paused item go on.
    pub fn resume(&self, id: ItemId) {
        self.0.queue.resume(id);
    }

    /// Ends an item.
    pub fn cancel(&self, id: ItemId, partial: Partial) {
        self.0.queue.cancel(id, partial == Partial::Keep);
    }

    /// Tries again what failed of an item, or begins a cancelled one anew.
    pub fn retry(&self, id: ItemId) {
        self.0.queue.retry(id);
    }

    /// Stops everything.
    pub fn pause_all(&self) {
        self.0.queue.pause_all();
    }

    /// Lets everything go on.
    pub fn resume_all(&self) {
        self.0.queue.resume_all();
    }

    /// Another bandwidth limit for one item, both ways, from now on, in bytes a second. It holds beside
    /// that of all; an item that has one is on one lane at a time.
    pub fn limit_item(&self, id: ItemId, limit: Option<u64>) {
        self.0.queue.limit(id, limit);
    }

    /// Drops the row of an item that is over, or of a cancelled one.
    pub fn forget(&self, id: ItemId) {
        self.0.queue.forget(id);
    }

    /// Decides a question.
    pub fn answer(&self, id: QuestionId, reply: Reply) {
        self.0.queue.answer(id, reply);
    }

    /// Does something else about a question.
    pub fn remedy(&self, id: QuestionId, remedy: Remedy) {
        self.0.queue.remedy(id, remedy);
    }

    /// Fails the file of a question instead of deciding it: where nobody can be asked.
    pub fn decline(&self, id: QuestionId, fault: Fault) {
        self.0.queue.decline(id, &fault);
    }

    /// Another bandwidth limit from now on, in bytes a second.
    pub fn set_limit(&self, limit: Option<u64>) {
        self.0.limit.set(limit);
        self.0.queue.measure_anew();
        self.0.limited.notify_one();
    }

    /// Tries to connect at once where the connection is lost, instead of waiting for the next try.
    pub fn reconnect(&self) {
        self.0.session.hurry();
    }

    // What there is to see.

    /// Everything, sampled ten times a second while something moves, silent when nothing does.
    pub fn status(&self) -> watch::Receiver<Arc<Status>> {
        self.0.status.clone()
    }

    /// News of the server from now on.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.0.session.notices()
    }

    /// One outcome for every file from now on. To be drained: it is not bounded.
    pub fn outcomes(&self) -> mpsc::UnboundedReceiver<Outcome> {
        self.0.queue.outcomes()
    }

    /// Stops transfers, keeping what has arrived, and says goodbye; after `grace` it waits no longer.
    pub async fn shutdown(&self, grace: Duration) {
        self.0.queue.pause_all();
        let end = async {
            self.0.queue.calm().await;
            let keeping = self.0.keeping.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(keeping) = keeping {
                keeping.end().await;
            }
            self.0.session.goodbye().await;
        };
        if timeout(grace, end).await.is_err() {
            tracing::warn!("transfers did not stop in time");
        }
    }
}

/// Turns what the queue and the session know into what is shown.
struct Sampler {
    queue: Queue,
    standing: watch::Receiver<Standing>,
    limit: Arc<Limit>,
    limited: Arc<Notify>,
    trail: Trail,
}

impl Sampler {
    async fn run(mut self, to: watch::Sender<Arc<Status>>) {
        loop {
            let begun = Instant::now();
            let (status, moving) = self.sample();
            to.send_if_modified(|shown| {
                let differs = **shown != status;
                if differs {
                    *shown = Arc::new(status);
                }
                differs
            });
            tokio::select! {
                () = self.queue.changed() => {}
                changed = self.standing.changed() => if changed.is_err() { return },
                () = self.limited.notified() => {}
                () = sleep(EVERY), if moving => {}
            }
            // What changes at once is shown at once; what changes all the time, at this pace.
            if moving {
                tokio::select! {
                    () = sleep(EVERY.saturating_sub(begun.elapsed())) => {}
                    () = self.queue.urgent() => {}
                }
            }
        }
    }

    fn sample(&mut self) -> (Status, bool) {
        let standing = self.standing.borrow().clone();
        let offline = match &standing.link {
            Link::Lost { retry_in, reason } => Some((*retry_in, Fault::new(Code::Timeout, reason.clone()))),
            _ => None,
        };
        let (items, (questions, open_questions), moving) = self.queue.sample(offline.as_ref());
        let rate = items.iter().map(|item| item.rate).sum();
        let (link, usage, limit) = (standing.link, standing.usage, self.limit.rate());
        let (keep, pace) = (self.queue.keep(), self.trail.record(std::time::Instant::now(), rate));
        (Status { items, questions, open_questions, link, usage, rate, limit, keep, pace }, moving)
    }
}

const EVERY: Duration = Duration::from_millis(100);
/// The server drops a control connection after 60 s without a byte.
const MOST_QUIET: Duration = Duration::from_secs(30);
