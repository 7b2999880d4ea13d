//! Performs effects: every one becomes a task that ends in messages. Owns those tasks; dropping one
//! cancels it.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio_util::sync::CancellationToken;

use super::choices::Choices;
use super::gathering::Gathering;
use super::hotlist::Hotlist;
use super::port::{Harbour, Port};
use super::reading::Pulse;
use super::terminal::{FullScreen, set_mouse, set_typing};
use super::turn::{Lent, Perform};
use super::{bulk, details, editing, finale, past, reading, space, starts, undoing, viewing, watching, work};
use crate::app::App;
use crate::app::atlas::HotChange;
use crate::app::dialog::Login;
use crate::app::edit::Errand;
use crate::app::rows::Rows;
use crate::app::watched::Watched;
use crate::update::{Ask, Bulk, Edit, Edited, Effect, Msg, Told, Work};

/// The doer of the real program.
pub(super) struct Doer {
    screen: FullScreen,
    harbour: Harbour,
    /// Where copies for an editor lie.
    edits: PathBuf,
    /// Read by the one loop, in bounded numbers: whoever is quicker waits.
    inbox: mpsc::Sender<Msg>,
    /// The connection, once there is one; set by the connecting task.
    port: watch::Sender<Option<Port>>,
    /// What is to be watched; taken up by the watching task.
    watched: watch::Sender<Vec<Watched>>,
    tasks: HashMap<Key, Task>,
    /// What the person wants remembered is written even when the program is left in the same moment.
    keeping: JoinSet<()>,
    /// Open until the last of those is done.
    kept: Option<oneshot::Receiver<()>>,
    /// Names tasks that nobody stops.
    serial: u64,
}

/// What a task is known by to those who may stop it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    /// A read, and a count: their numbers come from one row.
    Numbered(u64),
    /// The way to a server.
    Connect,
    /// The measuring of file systems.
    Space,
    /// Changes of single things.
    Work(u64),
    /// Runs to its end.
    Free(u64),
}

struct Task {
    token: CancellationToken,
    handle: JoinHandle<()>,
}

impl Drop for Task {
    fn drop(&mut self) {
        self.token.cancel();
    }
}

impl Doer {
    pub(super) fn new(screen: FullScreen, harbour: Harbour, edits: PathBuf, inbox: mpsc::Sender<Msg>) -> Self {
        let (port, watched) = (watch::Sender::new(None), watch::Sender::new(Vec::new()));
        let (tasks, keeping, kept) = (HashMap::new(), JoinSet::new(), None);
        let mut doer = Self { screen, harbour, edits, inbox, port, watched, tasks, keeping, kept, serial: 0 };
        doer.spawn_free(watching::follow(doer.watched.subscribe(), doer.inbox.clone()));
        doer
    }

    /// One after another, in the order they were asked for: each finds what the one before wrote.
    fn keep(&mut self, write: impl FnOnce() + Send + 'static) {
        let (done, next) = oneshot::channel::<()>();
        let before = self.kept.replace(next);
        self.keeping.spawn(async move {
            if let Some(before) = before {
                // Nothing is ever sent: it is over when its end is gone.
                let _ = before.await;
            }
            if let Err(error) = spawn_blocking(write).await {
                tracing::error!(%error, "a task that writes a small file failed");
            }
            drop(done);
        });
    }

    fn change_hotlist(&mut self, change: HotChange) {
        let (hotlist, inbox) = (Hotlist::at(&self.harbour.state), self.inbox.clone());
        self.keep(move || {
            let msg = match hotlist.change(change) {
                Ok(list) => Msg::Hotlist(list),
                Err(error) => Msg::HotlistFailed(error.to_string()),
            };
            let _ = inbox.blocking_send(msg);
        });
    }

    fn keep_theme(&mut self, name: String) {
        let (choices, inbox) = (Choices::at(&self.harbour.state), self.inbox.clone());
        self.keep(move || {
            if let Err(error) = choices.keep_theme(&name) {
                let _ = inbox.blocking_send(Msg::ThemeNotKept(error.to_string()));
            }
        });
    }

    fn find_starts(&mut self) {
        let inbox = self.inbox.clone();
        self.spawn_free(async move {
            if let Ok(found) = spawn_blocking(starts::find).await {
                let _ = inbox.send(Msg::Starts(found)).await;
            }
        });
    }

    /// Gives the terminal back, then ends the connection in good order.
    pub(super) async fn finish(mut self) {
        drop(self.screen);
        // Refused at the inbox, whose loop is over, they end with what they write, unless the disk does not answer.
        let written = async { while self.keeping.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GRACE, written).await;
        drop(self.tasks);
        let port = self.port.borrow().clone();
        if let Some(port) = port {
            port.shut(GRACE).await;
        }
    }

    fn spawn(&mut self, key: Key, job: impl Future<Output = ()> + Send + 'static, token: CancellationToken) {
        let stop = token.clone();
        let job = async move {
            stop.run_until_cancelled(job).await;
        };
        self.spawn_whole(key, job, token);
    }

    /// One that ends by itself when its token tells it to.
    fn spawn_whole(&mut self, key: Key, job: impl Future<Output = ()> + Send + 'static, token: CancellationToken) {
        self.tasks.retain(|_, task| !task.handle.is_finished());
        let handle = tokio::spawn(job);
        self.tasks.insert(key, Task { token, handle });
    }

    fn spawn_free(&mut self, job: impl Future<Output = ()> + Send + 'static) {
        self.serial += 1;
        self.spawn(Key::Free(self.serial), job, CancellationToken::new());
    }

    fn send_later(&mut self, after: Duration, msg: Msg) {
        let inbox = self.inbox.clone();
        self.spawn_free(async move {
            tokio::time::sleep(after).await;
            // Refused only when the loop is over.
            let _ = inbox.send(msg).await;
        });
    }

    fn connect(&mut self, login: Login) {
        let (harbour, inbox, port) = (self.harbour.clone(), self.inbox.clone(), self.port.clone());
        let job = async move {
            let msg = match harbour.connect(&login).await {
                Ok(found) => {
                    let old = port.send_replace(Some(found.clone()));
                    if let Some(old) = old {
                        // It gives the kept queue back, which the new one takes up.
                        old.shut(GRACE).await;
                    }
                    let saved = harbour.used(&found).await;
                    let restored = harbour.keep(&found).await;
                    let _ = inbox.send(Msg::Connected { label: found.label(), saved }).await;
                    tokio::spawn(found.follow(inbox.clone()));
                    let _ = inbox.send(Msg::Restored(restored)).await;
                    return;
                }
                Err(refusal) => Msg::NotConnected(login, refusal),
            };
            let _ = inbox.send(msg).await;
        };
        self.spawn(Key::Connect, job, CancellationToken::new());
    }

    fn work(&mut self, work: Work) {
        let (inbox, port, token) = (self.inbox.clone(), self.port.borrow().clone(), CancellationToken::new());
        let stop = token.clone();
        let job = async move {
            let (done, fault, step) = work::run(port.as_ref(), &work, &stop).await;
            let _ = inbox.send(Msg::Trash(Told::Done(step))).await;
            let _ = inbox.send(Msg::Worked { work, done, fault }).await;
        };
        self.serial += 1;
        // What is under way is ended, and told.
        self.spawn_whole(Key::Work(self.serial), job, token);
    }

    fn bulk(&mut self, serial: u64, bulk: Bulk) {
        let (inbox, port, stop) = (self.inbox.clone(), self.port.borrow().clone(), CancellationToken::new());
        let token = stop.clone();
        let job = async move {
            let mut pulse = Pulse::new(inbox.clone());
            let told = |done| pulse.beat(|| Msg::BulkGoesOn { serial, done });
            let (ended, step) = bulk::run(port.as_ref(), bulk, &token, told).await;
            let _ = inbox.send(Msg::Trash(Told::Done(step))).await;
            let _ = inbox.send(Msg::BulkEnded { serial, ended }).await;
        };
        // What is under way is ended, and told.
        self.spawn_whole(Key::Numbered(serial), job, stop);
    }

    fn edit(&mut self, edit: Edit) {
        let (inbox, port, edits) = (self.inbox.clone(), self.port.borrow().clone(), self.edits.clone());
        match edit {
            Edit::Fetch { serial, path } => {
                let job = async move {
                    let result = editing::fetch(port, edits, path).await;
                    let _ = inbox.send(Msg::Edited(Edited::Fetched { serial, result })).await;
                };
                self.spawn(Key::Numbered(serial), job, CancellationToken::new());
            }
            Edit::Stop(serial) => drop(self.tasks.remove(&Key::Numbered(serial))),
            Edit::SendBack(copy, reason) => self.spawn_free(async move {
                let back = editing::send_back(port, copy.clone(), reason).await;
                let _ = inbox.send(Msg::Edited(Edited::Back(copy, back))).await;
            }),
            Edit::Discard(copy) => self.spawn_free(async move {
                editing::discard(copy).await;
            }),
            // The loop does this itself.
            Edit::Open(_) => {}
        }
    }

    fn on_port(&self, act: impl FnOnce(&Port)) {
        if let Some(port) = self.port.borrow().as_ref() {
            act(port);
        }
    }
}

impl Perform for Doer {
    fn perform(&mut self, effect: Effect) {
        let (inbox, port, token) = (self.inbox.clone(), self.port.borrow().clone(), CancellationToken::new());
        match effect {
            Effect::Read { generation, place, order, sieve, shown } => {
                let gathering = Gathering::new(generation, Rows::none(order, sieve), shown, inbox.clone());
                let job = reading::read(port, generation, place, gathering, inbox);
                self.spawn(Key::Numbered(generation), job, token);
            }
            Effect::Sort { generation, rows, order, sieve } => {
                self.spawn_free(reading::sort(generation, inbox, move || rows.arranged(order, sieve)));
            }
            Effect::Seek { serial, rows, from, text } => {
                let job = reading::seek(serial, (rows, from), text, token.clone(), inbox);
                self.spawn(Key::Numbered(serial), job, token);
            }
            Effect::Mark { generation, rows, marks, markings } => {
                self.spawn_free(reading::mark(generation, rows, marks, markings, inbox));
            }
            Effect::Count { serial, places } => {
                let job = reading::count(port, serial, places, token.clone(), inbox);
                self.spawn(Key::Numbered(serial), job, token);
            }
            Effect::Inspect { serial, place } => self.spawn_free(details::look(port, serial, place, inbox)),
            Effect::Hash { serial, place } => {
                let job = details::hash(port, serial, place, token.clone(), inbox);
                self.spawn(Key::Numbered(serial), job, token);
            }
            Effect::Scan { serial, left, right, mode } => {
                let job = super::syncing::scan(port, serial, (left, right), mode, token.clone(), inbox);
                self.spawn(Key::Numbered(serial), job, token);
            }
            Effect::Carry { serial, plan, actions, left, right, removal } => {
                let (planned, places) = ((plan, actions), (left, right));
                let job = super::syncing::carry(port, serial, planned, places, removal, token.clone(), inbox);
                self.spawn_whole(Key::Numbered(serial), job, token);
            }
            Effect::Find { serial, place, pattern } => {
                self.spawn(Key::Numbered(serial), super::finding::find(port, serial, place, pattern, inbox), token);
            }
            Effect::ReadHistory { serial, soon } => {
                let state = self.harbour.state.clone();
                self.spawn_free(async move {
                    tokio::time::sleep(if soon { REREAD } else { Duration::ZERO }).await;
                    past::read(state, serial, inbox).await;
                });
            }
            Effect::StopRead(number) | Effect::StopCount(number) => drop(self.tasks.remove(&Key::Numbered(number))),
            Effect::Look(Ask::Stop(number)) => drop(self.tasks.remove(&Key::Numbered(number))),
            Effect::Look(ask @ Ask::Hunt { serial, .. }) => {
                self.spawn(Key::Numbered(serial), viewing::look(port, ask, inbox), token);
            }
            Effect::Look(ask) => self.spawn_free(viewing::look(port, ask, inbox)),
            Effect::WatchSpace(dirs) if dirs.is_empty() => drop(self.tasks.remove(&Key::Space)),
            Effect::WatchSpace(dirs) => self.spawn(Key::Space, space::watch(dirs, inbox), token),
            Effect::Edit(edit) => self.edit(edit),
            Effect::Hotlist(change) => self.change_hotlist(change),
            Effect::FindStarts => self.find_starts(),
            Effect::KeepTheme(name) => self.keep_theme(name),
            Effect::RereadLater => self.send_later(REREAD, Msg::RereadStale),
            Effect::WaitEscape(serial) => self.send_later(ESCAPE, Msg::EscapeWaited(serial)),
            Effect::WaitNote { serial, millis } => {
                self.send_later(Duration::from_millis(millis), Msg::NoteWaited(serial));
            }
            Effect::WaitSecond(serial) => self.send_later(Duration::from_secs(1), Msg::Second(serial)),
            Effect::Work(work) => self.work(work),
            Effect::StopWork => {
                let works = self.tasks.iter().filter(|(key, _)| matches!(key, Key::Work(_)));
                works.for_each(|(_, task)| task.token.cancel());
            }
            Effect::Trash(wish) => self.spawn_free(async move {
                if let Some(told) = undoing::run(port.as_ref(), wish).await {
                    let _ = inbox.send(Msg::Trash(told)).await;
                }
            }),
            Effect::Bulk { serial, bulk } => self.bulk(serial, bulk),
            Effect::StopBulk(serial) => drop(self.tasks.remove(&Key::Numbered(serial))),
            Effect::Enqueue(items) => self.on_port(|port| port.enqueue(items)),
            Effect::EnqueuePicked(item, picked) => self.on_port(|port| port.enqueue_picked(item, picked)),
            Effect::Queue(id, command) => self.on_port(|port| port.command(id, command)),
            Effect::Shift(ids, shift) => self.on_port(|port| port.shift(&ids, shift)),
            Effect::QueueEnded(ended) => drop(finale::tell(&self.harbour.on_end, &ended)),
            Effect::Limit(rate) => self.on_port(|port| port.limit(rate)),
            Effect::Answer(id, reply) => self.on_port(|port| port.answer(id, reply)),
            Effect::Remedy(id, remedy) => self.on_port(|port| port.remedy(id, remedy)),
            Effect::Connect(login) => self.connect(login),
            Effect::Reconnect => self.on_port(Port::reconnect),
            Effect::StopConnect => drop(self.tasks.remove(&Key::Connect)),
            Effect::Mouse(wanted) => set_mouse(wanted),
            // The loop does these itself.
            Effect::Suspend | Effect::Quit => {}
        }
    }

    fn typing(&mut self, text: bool) {
        set_typing(text);
    }

    fn follow(&mut self, app: &App) {
        let list = app.to_watch();
        self.watched.send_if_modified(|watched| {
            let changed = *watched != list;
            *watched = list;
            changed
        });
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.screen.suspend()
    }

    fn lend(&mut self, errand: &Errand) -> Lent {
        self.screen.lend();
        let file = errand.file().to_owned();
        Box::pin(async move {
            // Looks through the PATH, of which a part may not answer: everything else goes on meanwhile.
            let started = spawn_blocking(move || editing::command(&file).map(|mut command| command.spawn()));
            let mut child = match started.await.map_err(|error| error.to_string())?? {
                Ok(child) => child,
                Err(error) => return editing::verdict(Err(error)),
            };
            editing::verdict(child.wait().await)
        })
    }

    fn take_back(&mut self) -> io::Result<()> {
        self.screen.take_back()
    }
}

/// However many files arrive in a directory, it is read twice a second; so is the history.
const REREAD: Duration = Duration::from_millis(500);
/// Long enough to find a digit, short enough for a key that does nothing else.
const ESCAPE: Duration = Duration::from_millis(400);
/// What transfers get to leave a clean state behind.
const GRACE: Duration = Duration::from_secs(2);
