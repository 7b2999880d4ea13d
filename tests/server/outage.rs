//! Power cuts between any two steps of the server, as far as they can be had without cutting power: at everything that
//! it asks of the disk all that is not synced is dropped, or any part of it, and what a start makes of the rest is
//! held against what was acknowledged.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Result, ensure};
use rusqlite::Connection;
use server::catalog::Catalog;
use server::config::Durability;
use server::recovery::recover;
use server::vault::Vault;
use tests::crash::model::{Fate, Model, Pending, Trash, Trashed, Tree, below, read, with, without};
use tests::disk::Step;
use tests::files::{content, holds, root_of};
use tests::host::Host;
use tests::outage::{Instant, Outage};
use tests::session::{Lane, MTIME, Session, raw};
use wire::RemotePath;
use wire::block::{BLOCK, chaining_value};
use wire::message::{Expect, Lane as Said, Offer, Op};

/// What was promised at an instant, and what the catalog had committed.
#[derive(Clone, Debug, Default)]
struct Seen {
    doing: String,
    model: Model,
    trash: Trash,
    /// All in the trash may be gone.
    emptying: bool,
    catalog: Vec<u8>,
}

struct Place {
    _host: Host,
    disk: Arc<Outage<Seen>>,
    session: Session,
    lane: Lane,
    promised: Arc<Mutex<Seen>>,
}

impl Place {
    async fn on(disk: Outage<Seen>) -> Self {
        let disk = Arc::new(disk);
        let host = Host::on(disk.clone()).await.expect("started");
        host.add_user("ada", Some(64 << 20)).await.expect("a user");
        host.set_trash("ada", Some(30)).await.expect("set");
        let session = host.login("ada").await.expect("logged in");
        let lane = session.lane().await.expect("a lane");
        let promised = Arc::new(Mutex::new(Seen::default()));
        let (catalog, seen) = (host.data_dir().join("catalog.sqlite"), Arc::clone(&promised));
        let copy = host.scratch().join("copy.sqlite");
        let observe = move || {
            let catalog = committed(&catalog, &copy);
            Seen { catalog, ..seen.lock().expect("whole").clone() }
        };
        disk.watch(&host.data_dir().join("users/ada"), observe).expect("read");
        Self { _host: host, disk, session, lane, promised }
    }

    fn tree(&self) -> Tree {
        self.promised.lock().expect("whole").model.tree.clone()
    }

    fn begin(&self, doing: &str, pending: Pending) {
        let mut promised = self.promised.lock().expect("whole");
        (promised.doing, promised.model.pending) = (doing.to_owned(), pending);
    }

    /// What was under way was acknowledged: from now on no power cut takes it back.
    fn told(&self, tree: Tree) {
        self.promised.lock().expect("whole").model = Model { tree, pending: Pending::Nothing };
        self.disk.note().expect("read");
    }

    async fn put(&mut self, path: &str, bytes: &[u8]) {
        let after = with(&self.tree(), path, &Tree::from([(String::new(), root_of(bytes))]));
        self.begin(&format!("put {path}"), Pending::Whole(after.clone()));
        self.lane.put(path, bytes, Expect::Any).await.expect("stored");
        self.told(after);
    }

    /// Small files one after the other without waiting, as a client sends a directory.
    async fn group(&mut self, directory: &str, count: u64) {
        let mut after = self.tree();
        let files: Vec<(String, Vec<u8>)> = (0..count)
            .map(|number| (format!("{directory}/{number}"), content(&format!("{directory} {number}"), 50)))
            .collect();
        after.extend(files.iter().map(|(path, bytes)| (path.clone(), root_of(bytes))));
        self.begin(&format!("put {count} files into {directory}"), Pending::Each(after.clone()));
        let mut waiting = BTreeMap::new();
        for (path, bytes) in files {
            let (transfer, root) = (self.lane.number(), root_of(&bytes));
            let offer = Offer { size: 50, mtime: MTIME, executable: false, eager: true };
            let line = &mut self.lane.line;
            line.say(&Said::Put { transfer, path: raw(&path), offer, expect: Expect::Any }).await.expect("said");
            line.block(transfer, 0, chaining_value(50, 0, &bytes), &bytes).await.expect("said");
            line.say(&Said::Seal { transfer, root }).await.expect("said");
            waiting.insert(transfer, path);
        }
        while !waiting.is_empty() {
            let Said::Stored { transfer, root } = self.lane.line.message().await.expect("heard") else {
                panic!("not stored")
            };
            let path = waiting.remove(&transfer).expect("one of them");
            self.promised.lock().expect("whole").model.tree.insert(path, root);
        }
        self.told(after);
    }

    async fn order(&mut self, op: Op, pending: Pending) {
        let (Pending::Whole(after) | Pending::Each(after)) = pending.clone() else { panic!("{pending:?}") };
        self.begin(&format!("{op:?}"), pending);
        self.session.order(op).await.expect("done");
        self.told(after);
    }

    async fn rename(&mut self, from: &str, to: &str) {
        let after = with(&without(&self.tree(), from), to, &below(&self.tree(), from));
        self.order(Op::Rename { from: raw(from), to: raw(to), replace: true }, Pending::Whole(after)).await;
    }

    async fn copy(&mut self, from: &str, to: &str) {
        let after = with(&self.tree(), to, &below(&self.tree(), from));
        self.order(Op::Copy { from: raw(from), to: raw(to), replace: true }, Pending::Each(after)).await;
    }

    async fn remove(&mut self, path: &str) {
        let after = without(&self.tree(), path);
        self.order(Op::Remove { path: raw(path), recursive: true }, Pending::Each(after)).await;
    }

    async fn trash(&mut self, path: &str) -> u64 {
        self.begin(&format!("trash {path}"), Pending::Trash(path.to_owned()));
        let id = self.session.trash(path).await.expect("moved");
        let holds = below(&self.tree(), path);
        self.promised.lock().expect("whole").trash.insert(id, Trashed { path: path.to_owned(), holds });
        self.told(without(&self.tree(), path));
        id
    }

    async fn empty_trash(&mut self) {
        self.begin("empty the trash", Pending::Nothing);
        self.promised.lock().expect("whole").emptying = true;
        self.session.order(Op::EmptyTrash).await.expect("done");
        let mut promised = self.promised.lock().expect("whole");
        (promised.trash, promised.emptying) = (Trash::new(), false);
        drop(promised);
        self.told(self.tree());
    }

    async fn restore(&mut self, id: u64) {
        self.begin(&format!("restore {id}"), Pending::Restore(id));
        self.session.restore(id).await.expect("moved");
        let item = self.promised.lock().expect("whole").trash.remove(&id).expect("told");
        self.told(with(&self.tree(), &item.path, &item.holds));
    }
}

/// The catalog as a crash would leave it: what was committed, and nothing else.
fn committed(catalog: &Path, copy: &Path) -> Vec<u8> {
    let _ = fs::remove_file(copy);
    let connection = Connection::open(catalog).expect("opened");
    connection.execute("VACUUM INTO ?1", [copy.to_str().expect("text")]).expect("copied");
    fs::read(copy).expect("read")
}

/// Where states are written, in memory if there is such a disk.
fn ground() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
}

/// Every state of every instant, until `enough` is wrong; how many there were, how often each fate was met, and what
/// must not be.
async fn cut_everywhere(instants: Vec<Instant<Seen>>, enough: usize) -> (usize, BTreeMap<Fate, usize>, Vec<String>) {
    let (mut states, mut fates, mut wrong) = (0, BTreeMap::new(), Vec::new());
    for instant in instants {
        for state in 0..instant.states() {
            if wrong.len() >= enough {
                return (states, fates, wrong);
            }
            states += 1;
            let place = ground();
            let left = instant.leave(state, &place.path().join("users/ada"), states as u64).expect("written");
            let catalog = place.path().join("catalog.sqlite");
            fs::write(&catalog, &instant.seen.catalog).expect("written");
            rename_inodes(&catalog, &left.inodes);
            match after_a_start(place.path(), &instant.seen).await {
                Ok(fate) => *fates.entry(fate).or_default() += 1,
                Err(error) => wrong.push(format!("{}, {}: {error:#}", instant.seen.doing, left.lost)),
            }
        }
    }
    (states, fates, wrong)
}

/// Files that were written anew have other numbers; what was recorded of them is of the same files.
fn rename_inodes(catalog: &Path, inodes: &[(u64, u64)]) {
    let connection = Connection::open(catalog).expect("opened");
    connection
        .execute_batch("PRAGMA synchronous = off; CREATE TEMP TABLE new (was INTEGER PRIMARY KEY, is_now INTEGER)")
        .expect("made");
    for (was, is_now) in inodes {
        connection
            .execute("INSERT INTO new VALUES (?1, ?2)", [was.cast_signed(), is_now.cast_signed()])
            .expect("noted");
    }
    for table in ["records", "intents"] {
        let rename = format!("UPDATE {table} SET inode = coalesce((SELECT is_now FROM new WHERE was = inode), -1)");
        connection.execute(&rename, []).expect("renamed");
    }
}

/// Starts on what a power cut left, and holds it against what was promised.
async fn after_a_start(data: &Path, seen: &Seen) -> Result<Fate> {
    let users = data.join("users");
    // The start itself need not last.
    let catalog = Catalog::open(&data.join("catalog.sqlite"), Durability::Relaxed)?;
    recover(&catalog, &Vault::new(&users, Arc::new(Durability::Relaxed)), Durability::Full).await?;
    let part = |name: &str| -> PathBuf { users.join("ada").join(name) };
    let home = read(&part("files"))?;
    let mut in_trash = BTreeMap::new();
    for entry in fs::read_dir(part("trash"))? {
        let entry = entry?;
        in_trash.insert(entry.file_name().to_string_lossy().parse::<u64>()?, read(&entry.path())?);
    }
    let (mut model, mut trash) = (seen.model.clone(), seen.trash.clone());
    let mut strangers = in_trash.clone();
    strangers.retain(|id, _| !trash.contains_key(id));
    let fate = model.settle(&home, &mut trash, &mut strangers)?;
    if seen.emptying {
        trash.retain(|id, _| in_trash.contains_key(id));
    }
    ensure!(strangers.is_empty(), "nobody moved {strangers:?} to the trash");
    for (id, item) in &trash {
        ensure!(in_trash.get(id) == Some(&item.holds), "{} is not in the trash as it was", item.path);
    }

    let [ada] = <[_; 1]>::try_from(catalog.users().await?).map_err(|all| anyhow::anyhow!("{all:?}"))?;
    let (files, trashed) = (holds(&part("files"))?, holds(&part("trash"))?);
    let held = (files.bytes + trashed.bytes, files.files + trashed.files);
    ensure!(
        (ada.used, ada.files) == held,
        "the ledger says {} bytes and {} files, the disk {held:?}",
        ada.used,
        ada.files
    );
    ensure!(catalog.dirty_users().await?.is_empty(), "something is not settled");
    let listed: BTreeSet<String> = catalog.uploads().await?.into_iter().map(|upload| upload.staging).collect();
    let staged = fs::read_dir(part("staging"))?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    ensure!(staged.collect::<Result<BTreeSet<_>>>()? == listed, "staging does not hold what is listed: {listed:?}");
    for (path, root) in &home {
        let metadata = fs::metadata(part("files").join(path))?;
        let record = catalog.record(ada.id, &RemotePath::parse(path.as_bytes())?).await?;
        let of_it = |stamp: &server::catalog::Stamp| {
            (stamp.size, stamp.mtime.secs, stamp.inode) == (metadata.len(), metadata.mtime(), metadata.ino())
        };
        if let Some(record) = record.filter(|record| of_it(&record.stamp)) {
            ensure!(record.stamp.root == *root, "the record of {path} is of other content");
        }
    }
    Ok(fate)
}

async fn a_bit_of_everything(disk: Outage<Seen>) -> Vec<Instant<Seen>> {
    let mut place = Place::on(disk).await;
    let large = |seed: &str| content(seed, 2 * BLOCK + 5);
    place.put("small", b"small").await;
    place.group("new/group", 3).await;
    place.group("group", 20).await;
    place.put("deep/er/large", &large("1")).await;
    place.put("deep/er/large", &large("2")).await;
    place.put("small", b"another small one").await;
    place.group("group", 12).await;
    place.rename("small", "renamed").await;
    place.rename("renamed", "group/1").await;
    place.rename("group", "deep/group").await;
    place.copy("deep/er/large", "copy").await;
    place.copy("new", "new-copy").await;
    let file = place.trash("copy").await;
    let directory = place.trash("deep").await;
    place.restore(directory).await;
    place.put("copy", b"its name was free").await;
    place.remove("copy").await;
    place.restore(file).await;
    place.remove("deep/group").await;
    place.trash("new").await;
    place.trash("new-copy").await;
    place.empty_trash().await;
    place.disk.instants()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_power_cut_drops_nothing_that_was_acknowledged_is_lost() {
    let instants = a_bit_of_everything(Outage::default()).await;
    let count = instants.len();
    let (states, fates, wrong) = cut_everywhere(instants, 10).await;
    assert!(wrong.is_empty(), "{} of {states} states:\n{}", wrong.len(), wrong.join("\n"));
    let met = |fate: Fate| fates.get(&fate).copied().unwrap_or(0);
    assert!(
        count > 60 && [Fate::Idle, Fate::Undone, Fate::Done, Fate::Between].iter().all(|fate| met(*fate) > 10),
        "{fates:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_is_left_out_is_found_out() {
    for step in [Step::Content, Step::Directory, Step::All] {
        let instants = a_bit_of_everything(Outage::that_forgets(step)).await;
        let (states, _, wrong) = cut_everywhere(instants, 1).await;
        assert!(!wrong.is_empty(), "{states} states without {step:?}, and nothing was lost");
    }
}
