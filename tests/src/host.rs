//! A server in this process, with a data directory of its own that goes when it does.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
pub use server::Config;
use server::accounts::Accounts;
use server::catalog::Known;
pub use server::config::MinFree;
pub use server::refusals::Reason;
use server::vault::Disk;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use wire::RemotePath;
use wire::message::Secret;

use crate::line::PATIENCE;
use crate::session::Session;

/// The password of every account of the suites.
pub const PASSWORD: &str = "correct horse battery staple";

/// A running server.
#[derive(Debug)]
pub struct Host {
    /// Where it listens.
    pub address: SocketAddr,
    /// What clients pin.
    pub fingerprint: String,
    disk: Option<Arc<dyn Disk>>,
    config: Config,
    data: TempDir,
    accounts: Accounts,
    shutdown: CancellationToken,
    running: Option<server::Running>,
}

impl Host {
    /// A server with the default settings.
    pub async fn start() -> Result<Self> {
        Self::with(|_| {}).await
    }

    /// A server with some settings changed.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Result<Self> {
        Self::begin(None, change).await
    }

    /// A server whose homes are on `disk`.
    pub async fn on(disk: Arc<dyn Disk>) -> Result<Self> {
        Self::begin(Some(disk), |_| {}).await
    }

    async fn begin(disk: Option<Arc<dyn Disk>>, change: impl FnOnce(&mut Config)) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut config = Config { data_dir: data.path().join("data"), listen, ..Config::default() };
        // The suites open lanes by the dozen, and misbehave, from one address.
        (config.limits.per_source, config.limits.lanes) = (1024, 1024);
        config.limits.guests_per_source = config.limits.guests;
        (config.penalties.user_failures, config.penalties.source_failures) = (1_000_000, 1_000_000);
        // And claim sizes that no disk has.
        config.min_free = MinFree::None;
        change(&mut config);
        let shutdown = CancellationToken::new();
        let running = start(disk.clone(), config.clone(), shutdown.clone()).await?;
        let (address, fingerprint) = (running.address, running.fingerprint.clone());
        let accounts = Accounts::open(&config)?;
        Ok(Self { address, fingerprint, disk, config, data, accounts, shutdown, running: Some(running) })
    }

    /// Makes an account with [`PASSWORD`] and no trash.
    pub async fn add_user(&self, name: &str, quota: Option<u64>) -> Result<()> {
        self.accounts.add(&name.parse()?, Secret(PASSWORD.into()), quota, None, None).await?;
        Ok(())
    }

    /// Lets an account keep what is deleted for that many days, as the account flags do.
    pub async fn set_trash(&self, name: &str, days: Option<u32>) -> Result<()> {
        Ok(self.accounts.catalog.set_trash(&name.parse()?, days).await?)
    }

    /// Changes a quota, as the account flags do.
    pub async fn set_quota(&self, name: &str, quota: Option<u64>) -> Result<()> {
        Ok(self.accounts.catalog.set_quota(&name.parse()?, quota).await?)
    }

    /// How many were refused so far, for one reason.
    pub fn refused(&self, reason: Reason) -> u64 {
        self.running.as_ref().map_or(0, |running| running.refusals.of(reason))
    }

    /// The accounts, for what the account flags can do beyond that.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Whether a file of a user is known to be damaged.
    pub async fn is_damaged(&self, name: &str, path: &str) -> Result<bool> {
        let catalog = &self.accounts.catalog;
        let user = catalog.account(&name.parse()?).await?.context("no such user")?.id;
        let known = catalog.known(user, vec![RemotePath::parse(path.as_bytes())?]).await?;
        Ok(matches!(known.as_slice(), [Known::Damaged(_)]))
    }

    /// Logs in with [`PASSWORD`].
    pub async fn login(&self, name: &str) -> Result<Session> {
        Session::login(self.address, name, PASSWORD).await
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        &self.config.data_dir
    }

    /// A directory beside the data directory, for what a suite needs to put somewhere.
    pub fn scratch(&self) -> &Path {
        self.data.path()
    }

    /// Where a user's files lie.
    pub fn home(&self, name: &str) -> PathBuf {
        self.user(name).join("files")
    }

    /// Where a user's unfinished uploads lie.
    pub fn staging(&self, name: &str) -> PathBuf {
        self.user(name).join("staging")
    }

    /// Where what a user deleted lies.
    pub fn trash(&self, name: &str) -> PathBuf {
        self.user(name).join("trash")
    }

    /// Changes settings; they count from the next restart on.
    pub fn set(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
    }

    /// Ends the server as SIGTERM does, and starts it again on the same data at another port.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.shutdown = CancellationToken::new();
        let running = start(self.disk.clone(), self.config.clone(), self.shutdown.clone()).await?;
        self.address = running.address;
        self.fingerprint.clone_from(&running.fingerprint);
        self.running = Some(running);
        Ok(())
    }

    /// Ends the server as SIGTERM does, and waits for it.
    pub async fn stop(&mut self) -> Result<()> {
        self.shutdown.cancel();
        if let Some(mut running) = self.running.take() {
            tokio::time::timeout(PATIENCE, running.stopped()).await.context("the server does not stop")?;
        }
        Ok(())
    }

    fn user(&self, name: &str) -> PathBuf {
        self.config.data_dir.join("users").join(name)
    }
}

async fn start(disk: Option<Arc<dyn Disk>>, config: Config, shutdown: CancellationToken) -> Result<server::Running> {
    Ok(match disk {
        Some(disk) => server::start_on(disk, config, shutdown).await?,
        None => server::start(config, shutdown).await?,
    })
}

impl Drop for Host {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Waits until `is_so`; a test that waits in vain fails and says for what.
///
/// # Panics
/// When it is not so after [`PATIENCE`].
#[expect(clippy::panic, reason = "it is an assertion")]
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        if start.elapsed() > PATIENCE {
            panic!("not within {} s: {what}", PATIENCE.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
