//! The daemon: what is opened before the first connection, what runs beside them, and the way down.

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::audit::{self, Audit, AuditError};
use crate::catalog::{Catalog, CatalogError};
use crate::commons::Commons;
use crate::config::{Config, Live};
use crate::control::ControlLimits;
use crate::custody::keep::{rescanning, verifying};
use crate::datadir::{DataDir, DataDirError, Lock};
use crate::expiry;
use crate::gate::Gate;
use crate::greeting::Door;
use crate::identity::{Identity, IdentityError};
use crate::lane::LaneLimits;
use crate::listener::{self, Entrance};
use crate::metrics::page::Observed;
use crate::metrics::port::Port;
use crate::operator::ControlSocket;
use crate::password::{PasswordError, Passwords};
use crate::penalties::Penalties;
use crate::recovery::{self, RecoveryError};
use crate::refusals::Refusals;
use crate::reload::{Reload, ReloadError, Reloaded};
use crate::session::Sessions;
use crate::vault::{Disk, Vault};

/// Why the daemon did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Key and certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Password hashing.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    /// What the last run left behind.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// The audit's file.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The socket for the operator's flags.
    #[error("cannot make the socket `control` in the data directory")]
    Control(#[source] io::Error),
    /// The address for figures.
    #[error("cannot listen on {address} for metrics; is the port taken?")]
    Metrics {
        /// As configured.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The address is taken or not ours.
    #[error("cannot listen on {address}; is another server running, or the address not of this machine?")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// A daemon that accepts connections.
#[derive(Debug)]
pub struct Running {
    /// Where, with the real port.
    pub address: SocketAddr,
    /// Of its key.
    pub fingerprint: String,
    /// Where it tells its figures.
    pub metrics: Option<SocketAddr>,
    /// Who was refused, by reason.
    pub refusals: Refusals,
    reload: Reload,
    stopped: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Waits until the daemon is down.
    pub async fn stopped(&mut self) {
        if let Err(error) = (&mut self.stopped).await {
            tracing::error!(%error, "the daemon ended badly");
        }
    }

    /// Takes other settings over, as far as that can be done while it runs. An error: nothing is changed.
    pub fn reload(&self, config: Config) -> Result<Reloaded, ReloadError> {
        self.reload.take_over(config)
    }
}

/// Opens everything, makes good what the last run left, and accepts connections until `shutdown`.
/// Then running transfers have [`crate::config::Limits::drain_seconds`] to finish.
pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Running, StartError> {
    let disk = Arc::new(config.durability);
    start_on(disk, config, shutdown).await
}

/// The same with homes on another disk than the configured one: for suites, whose disks fail.
pub async fn start_on(disk: Arc<dyn Disk>, config: Config, shutdown: CancellationToken) -> Result<Running, StartError> {
    let dir = DataDir::open(&config.data_dir)?;
    // Looked at before anything is written: it may be somebody else's.
    let catalog = Catalog::open(&dir.catalog(), config.durability)?;
    let lock = dir.lock()?;
    let identity = Identity::open(&config, &dir)?;
    if let Err(error) = dir.sweep_homes() {
        tracing::warn!(%error, "not all files of removed accounts could be deleted");
    }
    let vault = Vault::new(&dir.users(), disk);
    recovery::recover(&catalog, &vault, config.durability).await?;
    let live = Live::new(config.clone());
    let commons = Commons::new(live.clone());
    let sessions = Sessions::new(catalog.clone(), vault.clone(), Arc::clone(&commons));
    let audit = Audit::default();
    audit.turn_to(Audit::open(config.audit_log.as_deref())?);
    take_up(&dir, &audit);
    let draining = CancellationToken::new();
    let transfers = TaskTracker::new();
    let (penalties, refusals) = (Penalties::new(config.penalties.clone()), Refusals::default());
    let entrance = Entrance {
        tls: TlsAcceptor::from(identity.tls()?),
        door: Door {
            catalog: catalog.clone(),
            passwords: Passwords::new(&config.argon2)?,
            sessions: Arc::clone(&sessions),
            live: live.clone(),
            penalties: penalties.clone(),
            refusals: refusals.clone(),
            audit: audit.clone(),
        },
        control: ControlLimits {
            live: live.clone(),
            refusals: refusals.clone(),
            draining: draining.clone(),
            running: transfers.clone(),
        },
        lane: LaneLimits { live: live.clone(), draining: draining.clone(), running: transfers.clone() },
        gate: Gate::new(live.clone(), penalties.clone()),
    };
    let listen = |source| StartError::Listen { address: config.listen, source };
    let listener = bind(config.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let fingerprint = identity.fingerprint().to_owned();
    let observed = Observed {
        catalog: catalog.clone(),
        vault: vault.clone(),
        sessions: Arc::clone(&sessions),
        gate: entrance.gate.clone(),
        refusals: refusals.clone(),
        commons,
        started: Instant::now(),
    };
    let scrapes = metrics_port(config.metrics, observed).await?;
    let control = ControlSocket::open(&dir, penalties, audit.clone()).map_err(StartError::Control)?;
    let reload = Reload { dir, entrance: watch::Sender::new(entrance), live: live.clone() };
    let entrances = reload.entrance.subscribe();
    let service = Service { sessions, draining, transfers, connections: TaskTracker::new(), live, _lock: lock };
    let mut keepers = service.keepers(&catalog, vault, &audit);
    keepers.spawn(control.run());
    keepers.spawn(watch_audit(reload.dir.clone(), audit));
    let metrics = scrapes.as_ref().and_then(|port| port.address().ok());
    scrapes.map(|port| keepers.spawn(port.run()));
    let stopped = tokio::spawn(service.run(listener, entrances, keepers, shutdown));
    Ok(Running { address, fingerprint, metrics, refusals, reload, stopped })
}

struct Service {
    sessions: Arc<Sessions>,
    draining: CancellationToken,
    transfers: TaskTracker,
    connections: TaskTracker,
    live: Live,
    _lock: Lock,
}

impl Service {
    /// What goes on beside the connections.
    fn keepers(&self, catalog: &Catalog, vault: Vault, audit: &Audit) -> JoinSet<()> {
        let (catalog, sessions) = (|| catalog.clone(), || Arc::clone(&self.sessions));
        let (draining, running) = (|| self.draining.clone(), || self.transfers.clone());
        let bells = [Arc::new(Notify::new()), Arc::new(Notify::new())];
        let [expired, asked] = bells.clone();
        let (live, audit) = (|| self.live.clone(), audit.clone());
        let mut keepers = JoinSet::new();
        keepers.spawn(expiry::keep(catalog(), sessions(), live(), audit, expired, draining(), running()));
        keepers.spawn(rescanning(catalog(), sessions(), live(), asked, draining(), running()));
        keepers.spawn(verifying(catalog(), vault, live(), draining()));
        keepers.spawn(watch_accounts(catalog(), sessions(), bells));
        keepers
    }

    async fn run(
        self,
        listener: TcpListener,
        entrances: watch::Receiver<Entrance>,
        keepers: JoinSet<()>,
        shutdown: CancellationToken,
    ) {
        let closed = CancellationToken::new();
        let listening = listener::run(listener, entrances, closed.clone(), self.connections.clone());
        let listening = AbortOnDropHandle::new(tokio::spawn(listening));
        shutdown.cancelled().await;
        let patience = self.live.now().limits.drain();
        tracing::info!(?patience, "going down: running transfers have some seconds, and nothing new begins");
        self.draining.cancel();
        self.transfers.close();
        if tokio::time::timeout(patience, self.transfers.wait()).await.is_err() {
            tracing::warn!("transfers were cut off; they resume when their clients come back");
        }
        drop(keepers);
        closed.cancel();
        // It leaves the port, whatever became of it.
        let _ = listening.await;
        self.sessions.close_all();
        self.connections.close();
        // Connections without a session end by their own deadline, and nobody waits for them.
        if tokio::time::timeout(LAST_CONNECTIONS, self.connections.wait()).await.is_err() {
            tracing::debug!("some connections were still open");
        }
    }
}

async fn metrics_port(address: Option<SocketAddr>, observed: Observed) -> Result<Option<Port>, StartError> {
    let Some(address) = address else { return Ok(None) };
    let port = Port::open(address, observed).await;
    port.map(Some).map_err(|source| StartError::Metrics { address, source })
}

/// Where the system has no IPv6, "every address" is every IPv4 address.
async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error)
            if address.is_ipv6() && address.ip().is_unspecified() && error.kind() != io::ErrorKind::AddrInUse =>
        {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        bound => bound,
    }
}

/// Account flags act on the catalog from outside: every change there is looked at soon.
async fn watch_accounts(catalog: Catalog, sessions: Arc<Sessions>, bells: [Arc<Notify>; 2]) {
    let mut seen = None;
    loop {
        match catalog.data_version().await {
            Ok(version) if seen.replace(version) != Some(version) => {
                bells.iter().for_each(|bell| bell.notify_one());
                sessions.review().await;
            }
            Ok(_) => {}
            Err(error) => tracing::error!(error = &error as &dyn Error, "the catalog cannot be watched"),
        }
        tokio::time::sleep(WATCH).await;
    }
}

/// Account flags leave their lines of the audit in the data directory.
async fn watch_audit(dir: DataDir, audit: Audit) {
    loop {
        let (dir, audit) = (dir.clone(), audit.clone());
        let taken = tokio::task::spawn_blocking(move || take_up(&dir, &audit)).await;
        tokio::time::sleep(if taken.is_ok_and(|taken| taken) { WATCH } else { LATER }).await;
    }
}

fn take_up(dir: &DataDir, audit: &Audit) -> bool {
    let taken = audit::take_up(dir, audit);
    if let Err(error) = &taken {
        tracing::error!(%error, "lines of the audit that account flags left cannot be read");
    }
    taken.is_ok()
}

/// How soon an account flag takes effect on running sessions.
const WATCH: Duration = Duration::from_millis(250);
/// After that could not be looked at.
const LATER: Duration = Duration::from_secs(60);
/// For connections to notice that their session is over.
const LAST_CONNECTIONS: Duration = Duration::from_secs(2);
