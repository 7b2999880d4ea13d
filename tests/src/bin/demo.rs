//! The demonstration. On a terminal: the full-screen client on a server in this process. Without one:
//! the main job step by step, each with its figures, and success only if every byte is proven. Either
//! way everything lies in a temporary directory that goes at the end.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tests::client::{Client, Machine};
use tests::files::{self, holds};
use tests::host::{Host, PASSWORD};
use tests::proxy::{Proxy, Way};
use tui_client::config::Config;
use tui_client::engine::status::IfExists;
use tui_client::engine::{Accept, Options, Target};
use tui_client::runtime::{self, Looks, Settings};
use wire::BLOCK;
use wire::message::Secret;
use wire::size::show;

#[tokio::main]
async fn main() -> ExitCode {
    let run = async { if std::io::stdout().is_terminal() { on_screen().await } else { headless().await } };
    let ended = tokio::select! {
        ended = run => ended,
        // So that the temporary directory goes all the same.
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be left to read it.
            let _ = writeln!(std::io::stderr(), "demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A server with the user and some files, and a machine with others.
async fn scene() -> Result<(Host, Machine)> {
    let host = Host::start().await?;
    host.add_user(USER, Some(QUOTA)).await?;
    host.set_trash(USER, Some(30)).await?;
    let machine = Machine::new()?;
    for (name, content) in ASSETS {
        let path = machine.path(name);
        fs::create_dir_all(path.parent().context("a directory")?)?;
        fs::write(path, content)?;
    }
    Ok((host, machine))
}

/// The full-screen client; what is under way when it is left is lost with the directory.
async fn on_screen() -> Result<()> {
    let (mut host, machine) = scene().await?;
    files::write(&machine.path("large.bin"), "large", LARGE)?;
    for (name, content) in ASSETS.iter().filter(|(name, _)| name.starts_with("logbook")) {
        let path = host.home(USER).join(name);
        fs::create_dir_all(path.parent().context("a directory")?)?;
        fs::write(path, content)?;
    }
    open_client(&host, &machine).await?;
    host.stop().await
}

async fn open_client(host: &Host, machine: &Machine) -> Result<()> {
    let address = host.address;
    let settings = Settings {
        local: machine.path(""),
        target: Some(Target { user: USER.parse()?, host: address.ip().to_string(), port: address.port() }),
        password: Some(Secret(PASSWORD.into())),
        keys: None,
        accept: Accept::Fingerprint(host.fingerprint.parse()?),
        known: machine.known_servers(),
        state: machine.known_servers().file().parent().context("a directory")?.to_owned(),
        options: Options::default(),
        if_exists: IfExists::Ask,
        on_end: Default::default(),
        looks: Looks::of(&Config::default(), machine.path(""), machine.path("")),
        hide_dots: false,
    };
    Ok(runtime::run(settings).await?)
}

async fn headless() -> Result<()> {
    let start = Instant::now();
    say("server", "starting")?;
    let (mut host, machine) = scene().await?;
    say("server", &format!("listens on {}, key {:.16}…", host.address, host.fingerprint))?;
    say("user", &format!("{USER}, quota {}", show(QUOTA)))?;
    let proxy = Proxy::start(host.address).await?;
    let mut client = machine.connect(proxy.address, USER, Options::default()).await?;

    let small = upload_assets(&mut client, &machine).await?;
    let root = files::write(&machine.path("large.bin"), "large", LARGE)?;
    cut_and_resume(&mut client, &machine, &proxy).await?;
    download(&mut client, &machine).await?;
    compare(&host, &machine, root)?;
    quota(&client, &host, small).await?;

    client.engine.shutdown(Duration::from_secs(5)).await;
    host.stop().await?;
    say("proven", &format!("every byte, in {:.1} s", start.elapsed().as_secs_f64()))
}

async fn upload_assets(client: &mut Client, machine: &Machine) -> Result<u64> {
    let start = Instant::now();
    client.upload(machine.path(""), "/voyage", IfExists::Ask)?;
    let mut bytes = 0;
    for _ in ASSETS {
        bytes += client.done().await?.bytes;
    }
    let count = ASSETS.len();
    say("upload", &format!("{count} files, {}, durable and identical after {}", show(bytes), seconds(start)))?;
    Ok(bytes)
}

async fn cut_and_resume(client: &mut Client, machine: &Machine, proxy: &Proxy) -> Result<()> {
    let (start, before) = (Instant::now(), proxy.passed(Way::Up));
    proxy.cut_after(Way::Up, LARGE / 2);
    client.upload(machine.path("large.bin"), "/large.bin", IfExists::Ask)?;
    proxy.has_cut(1).await;
    let first = proxy.passed(Way::Up) - before;
    say("upload", &format!("{}, connection cut after {}", show(LARGE), show(first)))?;
    let outcome = client.done().await?;
    let second = proxy.passed(Way::Up) - before - first;
    let saved = LARGE.saturating_sub(second);
    // Not to the byte: frames and TLS add a little, and what was in the pipes at the cut is lost.
    ensure!(saved >= LARGE * 2 / 5, "only {} did not travel again", show(saved));
    ensure!(outcome.bytes == LARGE, "{} arrived", show(outcome.bytes));
    let figures = format!("{} travelled, {} did not travel again", show(second), show(saved));
    say("resume", &format!("by itself: {figures}; stored after {}", seconds(start)))
}

async fn download(client: &mut Client, machine: &Machine) -> Result<()> {
    let start = Instant::now();
    client.download("/large.bin", machine.path("back/large.bin"), IfExists::Ask)?;
    client.download("/voyage", machine.path("back/voyage"), IfExists::Ask)?;
    for _ in 0..ASSETS.len() + 1 {
        client.done().await?;
    }
    say("download", &format!("{} and the {} files, after {}", show(LARGE), ASSETS.len(), seconds(start)))
}

fn compare(host: &Host, machine: &Machine, root: wire::Root) -> Result<()> {
    let same = |one: &Path, other: &Path| -> Result<()> {
        let (one_root, other_root) = (files::root(one)?, files::root(other)?);
        ensure!(one_root == other_root, "{} and {} differ", one.display(), other.display());
        Ok(())
    };
    for (name, _) in ASSETS {
        same(&machine.path(name), &host.home(USER).join("voyage").join(name))?;
        same(&machine.path(name), &machine.path("back/voyage").join(name))?;
    }
    let large = [machine.path("large.bin"), host.home(USER).join("large.bin"), machine.path("back/large.bin")];
    for (place, path) in ["here", "server", "back"].iter().zip(&large) {
        let found = files::root(path)?;
        say("compare", &format!("large.bin {place:<7} {found}"))?;
        ensure!(found == root, "{} is another file", path.display());
    }
    Ok(())
}

async fn quota(client: &Client, host: &Host, small: u64) -> Result<()> {
    let usage = client.engine.usage().await.map_err(anyhow::Error::new)?;
    let found = holds(&host.home(USER))?;
    ensure!(usage.used == LARGE + small && usage.used == found.bytes, "the ledger says {}", usage.used);
    ensure!(usage.reserved == 0 && usage.files == found.files, "{usage:?}");
    let (used, quota) = (show(usage.used), show(usage.quota.unwrap_or_default()));
    say("quota", &format!("{used} of {quota} used by {} files, as a walk of the home finds", usage.files))
}

fn say(step: &str, what: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{step:<9} {what}")?)
}

fn seconds(start: Instant) -> String {
    format!("{:.2} s", start.elapsed().as_secs_f64())
}

const USER: &str = "demo";
const QUOTA: u64 = 1 << 30;
const LARGE: u64 = 256 * BLOCK as u64;

/// Real files, so that there is something to look at.
const ASSETS: [(&str, &[u8]); 5] = [
    ("welcome.txt", include_bytes!("../../../assets/demo/welcome.txt")),
    ("月下獨酌.txt", include_bytes!("../../../assets/demo/月下獨酌.txt")),
    ("catamaran.png", include_bytes!("../../../assets/demo/catamaran.png")),
    ("logbook/day-1.md", include_bytes!("../../../assets/demo/logbook/day-1.md")),
    ("logbook/day-2.md", include_bytes!("../../../assets/demo/logbook/day-2.md")),
];
