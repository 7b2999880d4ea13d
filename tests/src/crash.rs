//! The server's real program, killed without a warning over and over while clients do some of everything; and after
//! each kill, what must be so: what was acknowledged is there and identical, what was under way is wholly old or
//! wholly new, ledger and listings say what the disk holds, and what was proven is not sent again.

mod check;
mod client;
pub mod model;
pub mod soak;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use wire::Code;

use crate::daemon::{Daemon, Flags};
use crate::host::PASSWORD;
use crate::line::PATIENCE;
use crate::session::Session;
use client::{Account, Client, Wrong, fault};
use model::Fate;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often the server is killed.
    pub kills: u64,
    /// Where the random choices begin: the same seed makes the same clients do the same and kills at the same
    /// moments. How far the server has come by then is the machine's.
    pub seed: u64,
}

/// What was done and seen.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Kills in the middle of work.
    pub kills: u64,
    /// Further ones while the server was starting.
    pub kills_at_start: u64,
    /// Steps of each kind.
    pub steps: BTreeMap<&'static str, Count>,
    /// Steps that a kill cut off, by kind and by how far they had come.
    pub cut_off: BTreeMap<&'static str, BTreeMap<Fate, u64>>,
    /// Changes of a quota that were acknowledged.
    pub quotas: u64,
    /// Files and bytes that were read and compared after kills.
    pub compared: (u64, u64),
    /// Uploads that were taken up after a kill, and the blocks in staging that were not sent again.
    pub resumed: (u64, u64),
    /// Files that had lost their hash.
    pub without_hash: u64,
}

/// How often something was done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    /// Acknowledged.
    pub done: u64,
    /// Refused for want of space.
    pub refused: u64,
}

/// Runs the plan; fails with what must not be. `tell` hears of every hundredth kill.
pub async fn run(binary: &Path, plan: Plan, mut tell: impl FnMut(&Figures)) -> Result<Figures> {
    let mut random = Rng::with_seed(plan.seed);
    let mut place = Place::new(binary, &mut random)?;
    for kill in 1..=plan.kills {
        let done = place.round(&mut random).await;
        done.with_context(|| format!("at kill {kill} with seed {}; the server's log:\n{}", plan.seed, place.log()))?;
        if kill % 100 == 0 {
            tell(&place.figures);
        }
    }
    Ok(place.into_figures())
}

/// How the server comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Without a warning.
    Kill,
    /// Asked to go, as an operator does.
    Terminate,
}

struct Place {
    daemon: Daemon,
    accounts: Vec<Arc<Account>>,
    clients: Vec<Client>,
    quota: Quota,
    figures: Figures,
}

/// Of the first account: what the flags acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Quota {
    bytes: Option<u64>,
    files: Option<u64>,
}

impl Place {
    fn new(binary: &Path, random: &mut Rng) -> Result<Self> {
        let daemon = Daemon::with_config(binary, "[log]\nlevel = \"warn\"\n")?;
        let (mut accounts, mut clients) = (Vec::new(), Vec::new());
        for name in ["ada", "bob"] {
            daemon.run(&["--add-user", name, "--trash", "30", "--password-stdin"], PASSWORD)?;
            let account = Account { name: name.to_owned(), home: daemon.home(name), ..Account::default() };
            accounts.push(Arc::new(account));
        }
        for (number, account) in accounts.iter().cycle().take(CLIENTS).enumerate() {
            clients.push(Client::new(Arc::clone(account), format!("client-{number}"), random.fork()));
        }
        Ok(Self { daemon, accounts, clients, quota: Quota::default(), figures: Figures::default() })
    }

    fn log(&self) -> String {
        let log = self.daemon.log().unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(20).collect();
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn into_figures(mut self) -> Figures {
        for client in &self.clients {
            for (what, count) in &client.counts {
                let all = self.figures.steps.entry(what).or_default();
                *all = Count { done: all.done + count.done, refused: all.refused + count.refused };
            }
        }
        self.figures
    }

    /// Work, a kill, a start, and what must be so.
    async fn round(&mut self, random: &mut Rng) -> Result<()> {
        // The moment of the kill is what is random; nothing is waited for.
        let most = 1 << random.u32(6..12);
        let lasts = Duration::from_millis(random.u64(20..20 + most));
        self.work(random, lasts, Ending::Kill, |_| Ok(())).await?;
        while random.u8(..5) == 0 {
            self.daemon.restart_and_kill(Duration::from_millis(random.u64(..40)))?;
            self.figures.kills_at_start += 1;
        }
        self.check(random).await
    }

    /// Work for so long, and then the end of the server. `watch` looks at it every second.
    async fn work(
        &mut self,
        random: &mut Rng,
        lasts: Duration,
        ending: Ending,
        mut watch: impl FnMut(&Daemon) -> Result<()>,
    ) -> Result<()> {
        let killed = Arc::new(AtomicBool::new(false));
        let mut working = JoinSet::new();
        for client in self.clients.drain(..) {
            working.spawn(work(client, self.daemon.address, Arc::clone(&killed)));
        }
        let (flags, operator) = (self.daemon.flags(), random.fork());
        let changing = tokio::task::spawn_blocking({
            let (killed, quota) = (Arc::clone(&killed), self.quota.clone());
            move || operate(&flags, operator, quota, &killed)
        });
        let until = Instant::now() + lasts;
        while Instant::now() < until {
            sleep((until - Instant::now()).min(Duration::from_secs(1))).await;
            watch(&self.daemon)?;
        }
        killed.store(true, Ordering::SeqCst);
        match ending {
            Ending::Kill => self.daemon.kill()?,
            Ending::Terminate => ensure!(self.daemon.terminate()?.success(), "the server went with a fault"),
        }
        self.figures.kills += u64::from(ending == Ending::Kill);

        let mut wrong = None;
        while let Some(worked) = timeout(PATIENCE, working.join_next()).await.context("a client does not end")? {
            let (client, result) = worked?;
            wrong = wrong.or(result.err().map(|error| error.context(format!("{} at {}", client.top, client.doing))));
            self.clients.push(client);
        }
        self.clients.sort_by(|one, other| one.top.cmp(&other.top));
        let (quota, changes) = timeout(PATIENCE, changing).await.context("a flag does not end")???;
        self.quota = quota;
        self.figures.quotas += changes;
        wrong.map_or(Ok(()), Err)
    }
}

/// Lets a client work until the server is killed. Whatever ends it before, and whatever the server says that it
/// must not say, is told.
async fn work(mut client: Client, server: std::net::SocketAddr, killed: Arc<AtomicBool>) -> (Client, Result<()>) {
    let working = async {
        let mut session = Session::login(server, &client.account.name, PASSWORD).await?;
        client.work(&mut session).await
    };
    let is_ending = |error: &anyhow::Error| {
        killed.load(Ordering::SeqCst) && fault(error).is_some_and(|fault| fault.code == Code::Draining)
    };
    let result = match working.await {
        Err(error) if error.is::<Wrong>() || (fault(&error).is_some() && !is_ending(&error)) => Err(error),
        Err(_) if killed.load(Ordering::SeqCst) => Ok(()),
        Err(error) => Err(error.context("before the server was killed")),
        Ok(()) => Ok(()),
    };
    (client, result)
}

/// Changes the quota of the first account over and over by the account flags, as the operator does.
fn operate(flags: &Flags, mut random: Rng, mut quota: Quota, killed: &AtomicBool) -> Result<(Quota, u64)> {
    let mut changes = 0;
    while !killed.load(Ordering::SeqCst) {
        let bytes = random.bool().then(|| random.u64(..48 << 20));
        let files = (random.u8(..3) == 0).then(|| random.u64(..500));
        let text = |limit: Option<u64>| limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        let given = ["--set-quota", "ada", "--quota", &text(bytes), "--max-files", &text(files)].map(str::to_owned);
        flags.run(&given.each_ref().map(String::as_str), "")?;
        quota = Quota { bytes, files };
        changes += 1;
        std::thread::sleep(Duration::from_millis(random.u64(..60)));
    }
    Ok((quota, changes))
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} kills at work, {} at a start", self.kills, self.kills_at_start)?;
        for (what, Count { done, refused }) in &self.steps {
            writeln!(f, "  {what}: {done} acknowledged, {refused} refused for want of space")?;
        }
        writeln!(f, "{} changes of a quota by flag", self.quotas)?;
        for (what, fates) in &self.cut_off {
            let fates: Vec<String> = fates.iter().map(|(fate, count)| format!("{fate} {count}")).collect();
            writeln!(f, "  {what} cut off by a kill: {}", fates.join(", "))?;
        }
        let ((files, bytes), (uploads, blocks)) = (self.compared, self.resumed);
        writeln!(f, "{files} files of {} compared after kills", wire::size::show(bytes))?;
        writeln!(f, "{uploads} uploads taken up after a kill; {blocks} blocks in staging were not sent again")?;
        write!(f, "{} files without a hash in a listing", self.without_hash)
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fate::Idle => "idle",
            Fate::Undone => "as before",
            Fate::Done => "done",
            Fate::Between => "in part",
        })
    }
}

/// Half of them of either account.
const CLIENTS: usize = 4;
