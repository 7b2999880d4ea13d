//! A client that does some of everything at random, and remembers what it was promised.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};
use fastrand::Rng;
use tokio::sync::{Mutex, RwLock};
use wire::block::{BLOCK, chaining_value, span};
use wire::message::{Expect, Lane as Said, Offer, Op};
use wire::{Code, Fault, Root};

use super::Count;
use super::model::{Model, Pending, Trash, Trashed, Tree, below, read, with, without};
use crate::files::{content, root_of};
use crate::session::{Lane, MTIME, Session, raw};

/// What the clients of one account share.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) home: PathBuf,
    /// Held to write by whoever empties the trash, to read by whoever moves things there and back.
    pub(super) turn: RwLock<()>,
    pub(super) trash: Mutex<Trash>,
    /// All in the trash may be gone.
    pub(super) emptying: AtomicBool,
    /// Contents that may stand at the names that all write.
    pub(super) issued: Mutex<HashMap<String, HashSet<Root>>>,
    /// Those of them that were acknowledged.
    pub(super) shared: Mutex<HashSet<String>>,
}

/// One client of an account.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) account: Arc<Account>,
    /// The directory of its own.
    pub(super) top: String,
    pub(super) model: Model,
    pub(super) counts: BTreeMap<&'static str, Count>,
    /// What is under way.
    pub(super) doing: &'static str,
    /// A large upload that was not finished.
    pub(super) unfinished: Option<(String, Arc<Vec<u8>>)>,
    large: HashMap<Root, Arc<Vec<u8>>>,
    random: Rng,
    made: u64,
}

impl Client {
    pub(super) fn new(account: Arc<Account>, top: String, random: Rng) -> Self {
        Self {
            account,
            top,
            model: Model::default(),
            counts: BTreeMap::new(),
            doing: "",
            unfinished: None,
            large: HashMap::new(),
            random,
            made: 0,
        }
    }

    /// Works until it is cut off; the error then is that of the connection. Any other is a fault of the server.
    pub(super) async fn work(&mut self, session: &mut Session) -> Result<()> {
        let (mut lane, mut other) = (session.lane().await?, session.lane().await?);
        loop {
            if self.model.tree.len() > MOST_FILES || self.large.len() > MOST_LARGE {
                self.remove_directory(session).await?;
            }
            self.large.retain(|root, _| self.model.tree.values().any(|held| held == root));
            match self.random.u8(..34) {
                0..6 => self.small_files(&mut lane).await?,
                6..9 => self.new_large(&mut lane).await?,
                9..11 => self.replace(&mut lane).await?,
                11..14 => self.update(&mut lane).await?,
                14 => self.on_two_lanes(&mut lane, &mut other).await?,
                15 => lane = self.cut(session, lane).await?,
                16 => self.take_up(&mut lane).await?,
                17..20 => self.rename(session).await?,
                20..22 => self.copy(session).await?,
                22..24 => self.remove_file(session).await?,
                24 => self.remove_directory(session).await?,
                25..28 => self.trash(session).await?,
                28..30 => self.restore(session).await?,
                30 => self.empty_trash(session).await?,
                31 => self.create(session).await?,
                _ => self.shared(&mut lane).await?,
            }
        }
    }

    /// Many at once, without waiting; some in the place of others.
    async fn small_files(&mut self, lane: &mut Lane) -> Result<()> {
        self.doing = "groups of small files";
        let directory = self.directory();
        let (mut after, mut files) = (self.model.tree.clone(), BTreeMap::new());
        for _ in 0..self.random.u64(1..49) {
            let path = match self.random.u8(..6) {
                0 => self.any(|_| true).unwrap_or_else(|| self.new_name("file")),
                _ => format!("{directory}/{}", self.number()),
            };
            let len = self.random.usize(1..4000);
            let bytes = self.bytes(len);
            after.insert(path.clone(), root_of(&bytes));
            files.insert(path, bytes);
        }
        self.model.pending = Pending::Each(after);
        let mut waiting = HashMap::new();
        for (path, bytes) in files {
            let (transfer, size) = (lane.number(), bytes.len() as u64);
            let offer = Offer { size, mtime: MTIME, executable: false, eager: true };
            lane.line.say(&Said::Put { transfer, path: raw(&path), offer, expect: Expect::Any }).await?;
            lane.line.block(transfer, 0, chaining_value(size, 0, &bytes), &bytes).await?;
            lane.line.say(&Said::Seal { transfer, root: root_of(&bytes) }).await?;
            waiting.insert(transfer, path);
        }
        let mut refused = false;
        while !waiting.is_empty() {
            match lane.line.message::<Said>().await? {
                Said::Stored { transfer, root } if waiting.contains_key(&transfer) => {
                    self.model.tree.extend(waiting.remove(&transfer).map(|path| (path, root)));
                }
                Said::Fault { transfer, fault } if waiting.contains_key(&transfer) && is_full(&fault) => {
                    waiting.remove(&transfer);
                    refused = true;
                }
                // What was promised of the rest is not heard any more.
                Said::Fault { fault, .. } if fault.code == Code::Draining => return Err(fault.into()),
                other => bail!(Wrong(format!("{other:?} in answer to small files"))),
            }
        }
        self.model.pending = Pending::Nothing;
        self.count(refused);
        Ok(())
    }

    async fn new_large(&mut self, lane: &mut Lane) -> Result<()> {
        self.doing = "large files";
        let (path, bytes) = (self.new_name("large"), self.large_bytes());
        self.put(lane, path, bytes).await.map(drop)
    }

    async fn replace(&mut self, lane: &mut Lane) -> Result<()> {
        self.doing = "replaced files";
        let Some(path) = self.any(|_| true) else { return Ok(()) };
        let bytes = self.large_bytes();
        self.put(lane, path, bytes).await.map(drop)
    }

    /// Of a file that is there only what changed is sent.
    async fn update(&mut self, lane: &mut Lane) -> Result<()> {
        self.doing = "updates of some blocks";
        let Some(path) = self.any_large() else { return Ok(()) };
        let old = self.model.tree.get(&path).and_then(|root| self.large.get(root)).cloned();
        let Some(mut bytes) = old.map(|old| old.to_vec()) else { return Ok(()) };
        let changed = 1 + self.random.usize(..2);
        for _ in 0..changed {
            let place = self.random.usize(..bytes.len());
            let mark = self.bytes(8.min(bytes.len() - place));
            bytes.splice(place..place + mark.len(), mark);
        }
        // A mark may lie in two blocks.
        let most = 2 * changed * BLOCK;
        let Some(sent) = self.put(lane, path, Arc::new(bytes)).await? else { return Ok(()) };
        if sent > most as u64 {
            bail!(Wrong(format!("an update of {changed} places sent {sent} bytes")));
        }
        Ok(())
    }

    /// Uploads in the place of whatever is there; how many bytes travelled.
    async fn put(&mut self, lane: &mut Lane, path: String, bytes: Arc<Vec<u8>>) -> Result<Option<u64>> {
        self.will_put(&path, &bytes);
        let done = lane.put(&path, &bytes, Expect::Any).await;
        let tally = done.as_ref().ok().map(|tally| tally.sent);
        self.has_put(done.map(drop))?;
        Ok(tally)
    }

    pub(super) fn will_put(&mut self, path: &str, bytes: &Arc<Vec<u8>>) {
        let root = root_of(bytes);
        self.large.insert(root, Arc::clone(bytes));
        self.unfinished = Some((path.to_owned(), Arc::clone(bytes)));
        self.model.pending = Pending::Whole(with(&self.model.tree, path, &Tree::from([(String::new(), root)])));
    }

    pub(super) fn has_put(&mut self, done: Result<()>) -> Result<()> {
        // Refused, it left nothing that could be taken up.
        if self.concluded(done)? || self.model.pending == Pending::Nothing {
            self.unfinished = None;
        }
        Ok(())
    }

    async fn on_two_lanes(&mut self, lane: &mut Lane, other: &mut Lane) -> Result<()> {
        self.doing = "files on two lanes";
        let (path, bytes) = (self.new_name("spread"), self.large_bytes());
        let last = bytes.len().div_ceil(BLOCK) as u64 - 1;
        self.will_put(&path, &bytes);
        let done = async {
            let mut upload = lane.begin_put(&path, &bytes, Expect::Absent).await?;
            other.bring(&upload, last).await?;
            lane.send_blocks(&mut upload, last).await?;
            upload.leave_out();
            lane.seal(&upload).await?;
            lane.stored(&upload).await.map(drop)
        };
        let done = done.await;
        self.has_put(done)
    }

    /// Loses the lane in the middle of an upload.
    async fn cut(&mut self, session: &Session, mut lane: Lane) -> Result<Lane> {
        self.doing = "uploads cut off";
        let (path, bytes) = (self.new_name("cut"), self.large_bytes());
        let some = self.random.u64(..bytes.len().div_ceil(BLOCK) as u64);
        match lane.begin_put(&path, &bytes, Expect::Absent).await {
            Ok(mut upload) => drop(lane.send_blocks(&mut upload, some).await?),
            Err(error) => {
                self.concluded(Err(error))?;
                return Ok(lane);
            }
        }
        self.unfinished = Some((path, bytes));
        self.count(false);
        session.lane().await
    }

    async fn take_up(&mut self, lane: &mut Lane) -> Result<()> {
        self.doing = "uploads taken up";
        let Some((path, bytes)) = self.unfinished.clone() else { return Ok(()) };
        self.put(lane, path, bytes).await.map(drop)
    }

    async fn rename(&mut self, session: &mut Session) -> Result<()> {
        self.doing = "renames";
        let Some(from) = self.any_or_directory() else { return Ok(()) };
        let is_file = self.model.tree.contains_key(&from);
        let over = self.any(|path| is_file && *path != from).filter(|_| self.random.bool());
        let (replace, to) = (over.is_some(), over.unwrap_or_else(|| self.new_name("renamed")));
        let moved = with(&without(&self.model.tree, &from), &to, &below(&self.model.tree, &from));
        self.model.pending = Pending::Whole(moved);
        let done = session.order(Op::Rename { from: raw(from), to: raw(to), replace }).await;
        self.concluded(done).map(drop)
    }

    async fn copy(&mut self, session: &mut Session) -> Result<()> {
        self.doing = "copies";
        let Some(from) = self.any_or_directory() else { return Ok(()) };
        let is_file = self.model.tree.contains_key(&from);
        let over = self.any(|path| is_file && *path != from).filter(|_| self.random.bool());
        let (replace, to) = (over.is_some(), over.unwrap_or_else(|| self.new_name("copy")));
        let copied = with(&self.model.tree, &to, &below(&self.model.tree, &from));
        self.model.pending = Pending::Each(copied);
        let done = session.order(Op::Copy { from: raw(from), to: raw(to), replace }).await;
        self.concluded(done).map(drop)
    }

    async fn remove_file(&mut self, session: &mut Session) -> Result<()> {
        self.doing = "deletions of files";
        let Some(path) = self.any(|_| true) else { return Ok(()) };
        self.remove(session, path).await
    }

    async fn remove_directory(&mut self, session: &mut Session) -> Result<()> {
        self.doing = "deletions of directories";
        let Some(path) = self.any_or_directory() else { return Ok(()) };
        self.remove(session, path).await
    }

    async fn remove(&mut self, session: &mut Session, path: String) -> Result<()> {
        self.model.pending = Pending::Each(without(&self.model.tree, &path));
        let done = session.order(Op::Remove { path: raw(path), recursive: true }).await;
        self.concluded(done).map(drop)
    }

    async fn trash(&mut self, session: &mut Session) -> Result<()> {
        self.doing = "moves to the trash";
        let Some(path) = self.any_or_directory() else { return Ok(()) };
        let account = Arc::clone(&self.account);
        let _turn = account.turn.read().await;
        self.model.pending = Pending::Trash(path.clone());
        let id = session.trash(&path).await?;
        let holds = below(&self.model.tree, &path);
        account.trash.lock().await.insert(id, Trashed { path: path.clone(), holds });
        self.model.pending = Pending::Whole(without(&self.model.tree, &path));
        self.concluded(Ok(())).map(drop)
    }

    async fn restore(&mut self, session: &mut Session) -> Result<()> {
        self.doing = "restorations";
        let account = Arc::clone(&self.account);
        let _turn = account.turn.read().await;
        let own = format!("{}/", self.top);
        let items: Vec<(u64, Trashed)> = {
            let trash = account.trash.lock().await;
            // Where nothing has the name by now.
            let free = |item: &Trashed| item.path.starts_with(&own) && below(&self.model.tree, &item.path).is_empty();
            trash.iter().filter(|(_, item)| free(item)).map(|(id, item)| (*id, item.clone())).collect()
        };
        let Some((id, item)) = self.random.choice(items) else { return Ok(()) };
        self.model.pending = Pending::Restore(id);
        match session.restore(id).await {
            // An empty directory of that name.
            Err(error) if fault(&error).is_some_and(|fault| fault.code == Code::Exists) => {
                self.model.pending = Pending::Nothing;
                return Ok(());
            }
            restored => drop(restored?),
        }
        account.trash.lock().await.remove(&id);
        self.model.pending = Pending::Whole(with(&self.model.tree, &item.path, &item.holds));
        self.concluded(Ok(())).map(drop)
    }

    async fn empty_trash(&mut self, session: &mut Session) -> Result<()> {
        self.doing = "emptied trashes";
        let account = Arc::clone(&self.account);
        let _turn = account.turn.write().await;
        account.emptying.store(true, Ordering::Relaxed);
        session.order(Op::EmptyTrash).await?;
        account.trash.lock().await.clear();
        account.emptying.store(false, Ordering::Relaxed);
        self.count(false);
        Ok(())
    }

    async fn create(&mut self, session: &mut Session) -> Result<()> {
        self.doing = "directories and empty files made";
        let directory = self.new_name("made");
        session.order(Op::Mkdir { path: raw(&directory), parents: true }).await?;
        let path = format!("{directory}/empty");
        self.model.pending =
            Pending::Whole(with(&self.model.tree, &path, &Tree::from([(String::new(), root_of(b""))])));
        let done = session.order(Op::Create { path: raw(path) }).await;
        self.concluded(done).map(drop)
    }

    /// A name that others write at the same time.
    async fn shared(&mut self, lane: &mut Lane) -> Result<()> {
        self.doing = "names that several write";
        let path = format!("shared/{}", self.random.u8(..3));
        let bytes = if self.random.bool() { self.large_bytes() } else { Arc::new(self.bytes(1000)) };
        self.account.issued.lock().await.entry(path.clone()).or_default().insert(root_of(&bytes));
        match lane.put(&path, &bytes, Expect::Any).await {
            Ok(_) => {
                self.account.shared.lock().await.insert(path);
                self.count(false);
                Ok(())
            }
            Err(error) if fault(&error).is_some_and(|fault| fault.code == Code::Superseded) => Ok(()),
            Err(error) => self.concluded(Err(error)).map(drop),
        }
    }

    /// Takes note of how a step ended; whether it was done. What was refused for want of space is looked at, for
    /// all that may have come before it was.
    fn concluded(&mut self, done: Result<()>) -> Result<bool> {
        let refused = match done {
            Ok(()) => false,
            Err(error) if fault(&error).is_some_and(is_full) => true,
            Err(error) => return Err(error),
        };
        match (std::mem::take(&mut self.model.pending), refused) {
            (Pending::Whole(after) | Pending::Each(after), false) => self.model.tree = after,
            (Pending::Nothing, _) => {}
            (pending, _) => {
                let found = self.found()?;
                // What was refused whole is as it was.
                self.model.pending = if let Pending::Each(_) = pending { pending } else { Pending::Nothing };
                let settled = self.model.settle(&found, &mut Trash::new(), &mut BTreeMap::new());
                settled.map_err(|error| Wrong(format!("refused, and yet: {error}")))?;
            }
        }
        self.count(refused);
        Ok(!refused)
    }

    /// What its directory holds by now.
    pub(super) fn found(&self) -> Result<Tree> {
        Ok(with(&Tree::new(), &self.top, &read(&self.account.home.join(&self.top))?))
    }

    /// Which blocks of the unfinished upload lie in a staging file.
    pub(super) fn blocks_in(&self, staged: &[u8]) -> HashSet<u64> {
        let Some((_, bytes)) = &self.unfinished else { return HashSet::new() };
        let spans = (0..).map_while(|index| span(bytes.len() as u64, index));
        let same = |span: &wire::block::Span| {
            let range = span.offset as usize..span.offset as usize + span.len;
            staged.get(range.clone()).is_some_and(|there| bytes.get(range) == Some(there))
        };
        spans.filter(same).map(|span| span.index).collect()
    }

    fn count(&mut self, refused: bool) {
        let counts = self.counts.entry(self.doing).or_default();
        if refused { counts.refused += 1 } else { counts.done += 1 }
    }

    fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn new_name(&mut self, what: &str) -> String {
        let number = self.number();
        format!("{}/{what}-{number}", self.top)
    }

    /// A new one, or one that is there.
    fn directory(&mut self) -> String {
        let there = self.any_directory().filter(|_| self.random.bool());
        there.unwrap_or_else(|| self.new_name("dir"))
    }

    fn any(&mut self, wanted: impl Fn(&String) -> bool) -> Option<String> {
        self.random.choice(self.model.tree.keys().filter(|path| wanted(path)).cloned().collect::<Vec<_>>())
    }

    fn any_large(&mut self) -> Option<String> {
        let large = self.model.tree.iter().filter(|(_, root)| self.large.contains_key(*root));
        self.random.choice(large.map(|(path, _)| path.clone()).collect::<Vec<_>>())
    }

    fn any_directory(&mut self) -> Option<String> {
        let top = self.top.len();
        let above = |path: &String| path.rfind('/').filter(|slash| *slash > top).map(|slash| path[..slash].to_owned());
        self.random.choice(self.model.tree.keys().filter_map(above).collect::<Vec<_>>())
    }

    fn any_or_directory(&mut self) -> Option<String> {
        if self.random.bool() { self.any_directory() } else { self.any(|_| true) }
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        content(&format!("{}", self.random.u64(..)), len)
    }

    fn large_bytes(&mut self) -> Arc<Vec<u8>> {
        let len = self.random.usize(BLOCK + 1..4 * BLOCK);
        Arc::new(self.bytes(len))
    }
}

/// What the server said no with.
pub(super) fn fault(error: &anyhow::Error) -> Option<&Fault> {
    error.downcast_ref()
}

/// Something that must not be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Wrong(pub(super) String);

fn is_full(fault: &Fault) -> bool {
    matches!(fault.code, Code::Quota | Code::FileQuota)
}

/// What a client holds before it deletes some of it: all of it is hashed after every kill.
const MOST_FILES: usize = 120;
const MOST_LARGE: usize = 5;
