//! What must be so after a kill and a start.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use serde_json::Value;
use server::catalog::Catalog;
use server::config::Durability;
use server::vault::staging_name;
use wire::RemotePath;
use wire::block::BLOCK;
use wire::message::{Expect, Kind, Op};

use super::client::{Account, Client};
use super::model::{Fate, Tree, below, read};
use super::{Place, Quota};
use crate::files::{holds, root_of};

impl Place {
    pub(super) async fn check(&mut self, random: &mut Rng) -> Result<()> {
        // While nothing runs: what was proven lies there, and must be offered.
        let proven: Vec<HashSet<u64>> = self.clients.iter().map(|client| self.proven(client)).collect::<Result<_>>()?;
        self.daemon.restart()?;
        let users: Value = serde_json::from_slice(&self.daemon.run(&["--list-users", "--json"], "")?.stdout)?;
        let uploads: Value = serde_json::from_slice(&self.daemon.run(&["--uploads", "--json"], "")?.stdout)?;
        for account in self.accounts.clone() {
            let told = users.as_array().and_then(|all| all.iter().find(|user| user["name"] == account.name.as_str()));
            self.ledger(&account, told.context("an account is gone")?)?;
            self.staging(&account, &uploads)?;
            self.files(&account).await?;
            self.served(&account, random).await?;
        }
        let verified = self.daemon.try_run(&["--verify", "--from-start"])?;
        ensure!(verified.status.success(), "records are astray: {}", String::from_utf8_lossy(&verified.stdout));
        let catalog = Catalog::open(&self.daemon.data_dir().join("catalog.sqlite"), Durability::Relaxed)?;
        ensure!(catalog.dirty_users().await?.is_empty(), "a start leaves something unsettled");
        for (number, proven) in proven.into_iter().enumerate() {
            self.resume(number, &proven).await?;
        }
        Ok(())
    }

    /// The blocks of a client's unfinished upload that lie in staging.
    fn proven(&self, client: &Client) -> Result<HashSet<u64>> {
        let Some((path, _)) = &client.unfinished else { return Ok(HashSet::new()) };
        let name = staging_name(&RemotePath::parse(path.as_bytes())?);
        let staged = fs::read(self.daemon.staging(&client.account.name).join(name)).unwrap_or_default();
        Ok(client.blocks_in(&staged))
    }

    /// The ledger says what home and trash hold; a quota that was acknowledged is in force.
    fn ledger(&self, account: &Account, told: &Value) -> Result<()> {
        let (home, trash) = (holds(&account.home)?, holds(&self.daemon.trash(&account.name))?);
        let held = (Some(home.bytes + trash.bytes), Some(home.files + trash.files));
        ensure!((told["used"].as_u64(), told["files"].as_u64()) == held, "the ledger says {told}, the disk {held:?}");
        let quota = if account.name == "ada" { self.quota.clone() } else { Quota::default() };
        let found = Quota { bytes: told["quota"].as_u64(), files: told["max_files"].as_u64() };
        ensure!(found == quota, "the quota is {found:?}, where {quota:?} was acknowledged");
        Ok(())
    }

    /// Staging holds what is listed and nothing else.
    fn staging(&self, account: &Account, uploads: &Value) -> Result<()> {
        let own = uploads.as_array().context("a list")?.iter().filter(|upload| upload["user"] == account.name.as_str());
        let listed = own.map(|upload| {
            let path = RemotePath::parse(upload["path"].as_str().context("a path")?.as_bytes())?;
            Ok(staging_name(&path))
        });
        let listed: BTreeSet<String> = listed.collect::<Result<_>>()?;
        let there = fs::read_dir(self.daemon.staging(&account.name))?;
        let there: BTreeSet<String> =
            there.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<Result<_>>()?;
        ensure!(there == listed, "in staging lies {there:?}, listed is {listed:?}");
        Ok(())
    }

    /// Every file is what was acknowledged, or what a step that was cut off may have made of it.
    async fn files(&mut self, account: &Arc<Account>) -> Result<()> {
        let home = read(&account.home)?;
        let place = self.daemon.trash(&account.name);
        let mut in_trash = BTreeMap::new();
        for entry in fs::read_dir(&place)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            in_trash.insert(name.parse::<u64>().with_context(|| name.clone())?, read(&place.join(name))?);
        }
        let held = holds(&account.home)?;
        self.figures.compared = (self.figures.compared.0 + held.files, self.figures.compared.1 + held.bytes);

        let mut known = account.trash.lock().await;
        let mut strangers = in_trash.clone();
        strangers.retain(|id, _| !known.contains_key(id));
        let mut rest = home.clone();
        for client in self.clients.iter_mut().filter(|client| Arc::ptr_eq(&client.account, account)) {
            let own: Tree = home
                .iter()
                .filter(|(path, _)| is_below(path, &client.top))
                .map(|(path, root)| (path.clone(), *root))
                .collect();
            rest.retain(|path, _| !own.contains_key(path));
            let settled = client.model.settle(&own, &mut known, &mut strangers);
            let fate = settled.with_context(|| format!("{} of {} at {}", client.top, account.name, client.doing))?;
            if fate != Fate::Idle {
                *self.figures.cut_off.entry(client.doing).or_default().entry(fate).or_default() += 1;
            }
            let stored = |path: &str, bytes: &[u8]| own.get(path) == Some(&root_of(bytes));
            client.unfinished.take_if(|(path, bytes)| stored(path, bytes));
        }
        if account.emptying.swap(false, Ordering::Relaxed) {
            // Each is there whole, or gone.
            known.retain(|id, _| in_trash.contains_key(id));
        }
        ensure!(strangers.is_empty(), "in the trash lies what nobody moved there: {:?}", strangers.keys());
        for (id, item) in known.iter() {
            let there = in_trash.get(id).with_context(|| format!("{} is gone from the trash", item.path))?;
            // An empty directory holds nothing that could be compared.
            ensure!(*there == item.holds, "{} in the trash is not what was moved there", item.path);
        }
        drop(known);

        let (issued, shared) = (account.issued.lock().await, account.shared.lock().await);
        for path in shared.iter() {
            ensure!(rest.contains_key(path), "{path}, which was acknowledged, is gone");
        }
        for (path, root) in &rest {
            ensure!(issued.get(path).is_some_and(|all| all.contains(root)), "{path} is nobody's content");
        }
        Ok(())
    }

    /// What is told of files is true, and what is fetched is proven.
    async fn served(&mut self, account: &Account, random: &mut Rng) -> Result<()> {
        let home = read(&account.home)?;
        let mut session = self.daemon.login(&account.name).await?;
        let walked = session.entries(Op::Walk { path: crate::session::raw("") }).await?;
        let mut told = BTreeSet::new();
        for entry in walked.into_iter().filter(|entry| entry.kind == Kind::File) {
            let path = String::from_utf8(entry.name.0)?;
            let root = home.get(&path).with_context(|| format!("{path} is listed and not there"))?;
            match entry.root {
                Some(told) => ensure!(told == *root, "the hash of {path} is not that of its content"),
                None => self.figures.without_hash += 1,
            }
            told.insert(path);
        }
        ensure!(told.len() == home.len(), "{} files are there and {} are listed", home.len(), told.len());
        if let Some(path) = random.choice(told) {
            let fetched = session.lane().await?.get(&path, b"").await?;
            ensure!(home.get(&path) == Some(&root_of(&fetched.content)), "{path} came down as something else");
        }
        let (_, items, _) = session.trash_state().await?;
        ensure!(items == account.trash.lock().await.len() as u64, "the trash is told to hold {items} things");
        let usage = session.space().await?;
        ensure!(usage.reserved == 0, "a promise outlived the server: {usage:?}");
        Ok(())
    }

    /// Takes up what a client had begun: all that lies in staging is offered, and none of it is sent again.
    async fn resume(&mut self, number: usize, proven: &HashSet<u64>) -> Result<()> {
        let client = self.clients.get_mut(number).context("a client")?;
        // With a quota, what is unfinished may have to give way.
        let bounded = client.account.name == "ada" && self.quota.bytes.is_some();
        let Some((path, bytes)) = client.unfinished.clone().filter(|_| !proven.is_empty() && !bounded) else {
            return Ok(());
        };
        let mut session = self.daemon.login(&client.account.name).await?;
        let mut lane = session.lane().await?;
        client.doing = "uploads taken up after a kill";
        client.will_put(&path, &bytes);
        let resumed = async {
            let mut upload = lane.begin_put(&path, &bytes, Expect::Any).await?;
            let offered = |index: &&u64| upload.held.get(**index as usize).is_some_and(Option::is_some);
            let missing = proven.iter().filter(|index| !offered(index)).count();
            ensure!(missing == 0, "{missing} of {} blocks in staging of {path} are not offered", proven.len());
            lane.send_blocks(&mut upload, u64::MAX).await?;
            lane.seal(&upload).await?;
            lane.stored(&upload).await?;
            Ok(upload.tally().sent)
        };
        let resumed = resumed.await;
        if let Ok(sent) = &resumed {
            let size = |index: &u64| (bytes.len() as u64 - index * BLOCK as u64).min(BLOCK as u64);
            let held: u64 = proven.iter().map(size).sum();
            ensure!(sent + held <= bytes.len() as u64, "{sent} bytes were sent of {path}, where {held} lay in staging");
            self.figures.resumed = (self.figures.resumed.0 + 1, self.figures.resumed.1 + proven.len() as u64);
        }
        client.has_put(resumed.map(drop))?;
        let found = client.found()?;
        ensure!(found == client.model.tree, "an upload that was taken up changed something else");
        session.ping().await
    }
}

fn is_below(path: &str, top: &str) -> bool {
    !below(&Tree::from([(path.to_owned(), wire::Root([0; 32]))]), top).is_empty()
}
