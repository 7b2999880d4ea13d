//! The same clients for a longer while, beside the real client over a line that is cut, and beside peers that mean
//! harm; the server is killed, asked to go and stopped for a moment. Its memory is weighed all the while.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tui_client::engine::Options;
use tui_client::engine::status::IfExists;
use wire::Root;

use super::{Ending, Figures, Place};
use crate::client::Machine;
use crate::files;
use crate::host::PASSWORD;
use crate::line::{PATIENCE, connect_from, frame, frame_head};
use crate::proxy::{Proxy, Way};
use crate::session::Session;

/// What was done and seen.
#[derive(Debug)]
pub struct Report {
    /// Where the random choices began.
    pub seed: u64,
    /// How long it took.
    pub lasted: Duration,
    /// From one start of the server to its end.
    pub rounds: Vec<Round>,
    /// What the clients of the crash harness did.
    pub figures: Figures,
    /// What the real client did.
    pub sailed: Sailed,
    /// Faults that were injected, by kind.
    pub faults: BTreeMap<&'static str, u64>,
}

/// From one start of the server to its end.
#[derive(Debug)]
pub struct Round {
    /// How long it was.
    pub lasted: Duration,
    ending: Ending,
    /// Bytes resident, each second.
    pub memory: Vec<u64>,
}

/// What real clients did over a line that is cut.
#[derive(Debug, Default)]
pub struct Sailed {
    /// Uploads and downloads that were proven.
    pub transfers: u64,
    /// Bytes of them.
    pub bytes: u64,
    cuts: u64,
    /// What may stand at each path: the last that was acknowledged, and what was under way.
    promised: BTreeMap<String, Vec<Root>>,
}

/// Works for `lasts` in rounds; fails with what must not be. `tell` hears of each round.
pub async fn run(binary: &Path, lasts: Duration, seed: u64, mut tell: impl FnMut(&Round)) -> Result<Report> {
    let mut random = Rng::with_seed(seed);
    let mut place = Place::new(binary, &mut random)?;
    place.daemon.run(&["--add-user", REAL, "--password-stdin"], PASSWORD)?;
    let (begun, mut rounds) = (Instant::now(), Vec::new());
    let (mut sailed, mut faults) = (Sailed::default(), BTreeMap::new());
    while begun.elapsed() < lasts {
        let length = (lasts / ROUNDS).clamp(SHORTEST, LONGEST).mul_f64(0.5 + random.f64());
        let ending = if random.bool() { Ending::Kill } else { Ending::Terminate };
        let done = round(&mut place, &mut random, (length, ending), &mut sailed, &mut faults).await;
        let round = done.with_context(|| format!("with seed {seed}; the server's log:\n{}", place.log()))?;
        tell(&round);
        rounds.push(round);
    }
    faults.insert("connections cut", sailed.cuts);
    Ok(Report { seed, lasted: begun.elapsed(), rounds, figures: place.into_figures(), sailed, faults })
}

async fn round(
    place: &mut Place,
    random: &mut Rng,
    (length, ending): (Duration, Ending),
    sailed: &mut Sailed,
    faults: &mut BTreeMap<&'static str, u64>,
) -> Result<Round> {
    let (address, home, stop) = (place.daemon.address, place.daemon.home(REAL), CancellationToken::new());
    let mut sailing = JoinSet::new();
    for number in 0..REAL_CLIENTS {
        let before = std::mem::take(&mut sailed.promised);
        let (own, others) = before.into_iter().partition(|(path, _)| path.starts_with(&format!("{number}-")));
        sailed.promised = others;
        sailing.spawn(sail(address, number, own, random.fork(), stop.clone()));
    }
    let harming = tokio::spawn(harm(address, random.fork(), stop.clone()));
    let (begun, mut memory, mut pauses, mut pausing) = (Instant::now(), Vec::new(), 0, random.fork());
    let worked = place
        .work(random, length, ending, |daemon| {
            memory.push(daemon.resident()?);
            if pausing.u8(..20) == 0 {
                daemon.pause(Duration::from_millis(pausing.u64(100..2000)))?;
                pauses += 1;
            }
            Ok(())
        })
        .await;
    stop.cancel();
    let round = Round { lasted: begun.elapsed(), ending, memory };
    for (kind, count) in timeout(PATIENCE, harming).await.context("peers that mean harm do not end")?? {
        *faults.entry(kind).or_default() += count;
    }
    let ended = match ending {
        Ending::Kill => "kills of the server",
        Ending::Terminate => "polite ends of the server",
    };
    for (kind, count) in [(ended, 1), ("pauses of the server", pauses)] {
        *faults.entry(kind).or_default() += count;
    }
    while let Some(done) = timeout(PATIENCE, sailing.join_next()).await.context("a client does not end")? {
        let more = done??;
        sailed.transfers += more.transfers;
        sailed.bytes += more.bytes;
        sailed.cuts += more.cuts;
        sailed.promised.extend(more.promised);
    }
    worked?;
    place.check(random).await?;
    for (path, allowed) in &mut sailed.promised {
        let found =
            files::root(&home.join(path)).with_context(|| format!("{path}, which was acknowledged, is gone"))?;
        ensure!(allowed.contains(&found), "{path} is not what was acknowledged");
        *allowed = vec![found];
    }
    Ok(round)
}

/// The real client: files there and back over a line that is cut now and then, until it is stopped.
async fn sail(
    server: SocketAddr,
    number: u64,
    promised: BTreeMap<String, Vec<Root>>,
    mut random: Rng,
    stop: CancellationToken,
) -> Result<Sailed> {
    let mut sailed = Sailed { promised, ..Sailed::default() };
    let proxy = Proxy::start(server).await?;
    let worked = tokio::select! {
        () = stop.cancelled() => Ok(()),
        worked = sail_on(&proxy, number, &mut sailed, &mut random) => worked,
    };
    sailed.cuts = proxy.cuts();
    // What a server that went just before says no longer counts.
    if stop.is_cancelled() { Ok(sailed) } else { worked.map(|()| sailed) }
}

async fn sail_on(proxy: &Proxy, number: u64, sailed: &mut Sailed, random: &mut Rng) -> Result<()> {
    let machine = Machine::new()?;
    let mut client = machine.connect(proxy.address, REAL, Options::default()).await?;
    for turn in 0.. {
        let (path, size) = (format!("{number}-{}", turn % REAL_FILES), random.u64(1..24 << 20));
        let expected = files::write(&machine.path("out"), &random.u64(..).to_string(), size)?;
        if random.u8(..3) == 0 {
            proxy.cut_after(Way::Up, random.u64(..size));
        }
        // Until it is acknowledged there may be what was there before.
        if let Some(allowed) = sailed.promised.get_mut(&path) {
            allowed.push(expected);
        }
        client.upload(machine.path("out"), &format!("/{path}"), IfExists::Overwrite)?;
        let outcome = client.done().await?;
        ensure!(outcome.root == Some(expected), "{path} was acknowledged as something else");
        sailed.promised.insert(path.clone(), vec![expected]);
        if random.u8(..3) == 0 {
            proxy.cut_after(Way::Down, random.u64(..size));
        }
        let back: PathBuf = machine.path("back");
        client.download(&format!("/{path}"), back.clone(), IfExists::Overwrite)?;
        client.done().await?;
        ensure!(files::root(&back)? == expected, "{path} came down as something else");
        sailed.transfers += 2;
        sailed.bytes += 2 * size;
    }
    Ok(())
}

/// Peers that mean harm, from an address of their own.
async fn harm(server: SocketAddr, mut random: Rng, stop: CancellationToken) -> BTreeMap<&'static str, u64> {
    let (mut done, mut silent) = (BTreeMap::new(), Vec::new());
    while !stop.is_cancelled() {
        let kind = match random.u8(..5) {
            0 => "connections that say nothing",
            1 => "connections with garbage",
            2 => "connections with half a frame",
            3 => "logins with a wrong password",
            _ => "connections closed at once",
        };
        if kind.starts_with("logins") {
            // Refused, or cut off with the server: both are what is wanted.
            let _ = Session::login_from(HARM, server, "ada", "not the password").await;
        } else if let Ok(mut stream) = connect_from(HARM, server).await {
            let bytes = match kind {
                "connections with garbage" => (0..random.usize(1..2000)).map(|_| random.u8(..)).collect(),
                "connections with half a frame" => [frame(1, b"no TLS"), frame_head(2, u32::MAX)].concat(),
                _ => Vec::new(),
            };
            // The server may close it while it is written to.
            let _ = stream.write_all(&bytes).await;
            if kind.ends_with("nothing") {
                silent.push(stream);
                silent.truncate(SILENT);
            }
        }
        *done.entry(kind).or_default() += 1;
        sleep(Duration::from_millis(random.u64(..40))).await;
    }
    done
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, lasted, rounds, figures, sailed, faults } = self;
        writeln!(f, "{} s, {} starts of the server, seed {seed}", lasted.as_secs(), rounds.len())?;
        writeln!(f, "\nfaults injected")?;
        for (kind, count) in faults {
            writeln!(f, "  {kind}: {count}")?;
        }
        writeln!(
            f,
            "\n{REAL_CLIENTS} real clients: {} transfers, {}",
            sailed.transfers,
            wire::size::show(sailed.bytes)
        )?;
        writeln!(f, "\nclients that do some of everything: {figures}")?;
        writeln!(f, "\nmemory of the server")?;
        writeln!(f, "  {:>8} {:>12} {:>12} {:>12}  end", "seconds", "median", "peak", "at the end")?;
        for round in rounds {
            let mut sorted = round.memory.clone();
            sorted.sort_unstable();
            let [median, peak, last] = [sorted.get(sorted.len() / 2), sorted.last(), round.memory.last()]
                .map(|bytes| wire::size::show(bytes.copied().unwrap_or_default()));
            let ending = match round.ending {
                Ending::Kill => "killed",
                Ending::Terminate => "asked to go",
            };
            writeln!(f, "  {:>8} {median:>12} {peak:>12} {last:>12}  {ending}", round.lasted.as_secs())?;
        }
        write!(f, "\nlosses: 0")
    }
}

/// The account of the real clients.
const REAL: &str = "eve";
const REAL_CLIENTS: u64 = 2;
/// Names that each of them writes over and over.
const REAL_FILES: u64 = 16;
/// Where peers that mean harm come from.
const HARM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);
/// Of their connections that say nothing, kept open at once.
const SILENT: usize = 64;
/// Rounds of a run, about.
const ROUNDS: u32 = 10;
const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(600);
