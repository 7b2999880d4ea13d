//! The real engine as a client of a test: trust, known servers and local files in a directory of its
//! own, and the outcomes of what it was asked to do.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;
pub use tui_client::engine::status::IfExists;
use tui_client::engine::status::{AfterCopy, End, Job, NewItem, Outcome};
pub use tui_client::engine::{Accept, Notice, Options};
use tui_client::engine::{ConnectError, Credentials, Engine, KnownServers, Target, Trust, connect};
use wire::RemotePath;
use wire::message::Secret;

use crate::host::PASSWORD;
use crate::line::PATIENCE;

/// A place on this machine from which engines connect.
#[derive(Debug)]
pub struct Machine {
    place: TempDir,
}

/// A connected engine, with a way to wait for what it does.
#[derive(Debug)]
pub struct Client {
    /// The engine.
    pub engine: Engine,
    outcomes: UnboundedReceiver<Outcome>,
}

impl Machine {
    /// One that knows no server yet.
    pub fn new() -> Result<Self> {
        Ok(Self { place: tempfile::tempdir()? })
    }

    /// A path on it.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.place.path().join("files").join(name)
    }

    /// The servers it has met.
    pub fn known_servers(&self) -> KnownServers {
        KnownServers::at(self.place.path().join("state/known_servers.toml"))
    }

    /// Connects with [`PASSWORD`]; a server that is new is trusted.
    pub async fn connect(&self, server: SocketAddr, user: &str, options: Options) -> Result<Client> {
        Ok(self.try_connect(server, user, PASSWORD, Accept::New, options).await?)
    }

    /// Connects, or says why not.
    pub async fn try_connect(
        &self,
        server: SocketAddr,
        user: &str,
        password: &str,
        accept: Accept,
        options: Options,
    ) -> Result<Client, ConnectError> {
        self.connect_with(server, user, Credentials::password(Secret(password.into())), accept, options).await
    }

    /// The same with whatever a login can be proven with.
    pub async fn connect_with(
        &self,
        server: SocketAddr,
        user: &str,
        credentials: Credentials,
        accept: Accept,
        options: Options,
    ) -> Result<Client, ConnectError> {
        let target = Target {
            user: user.parse().map_err(|error| refused(&error))?,
            host: server.ip().to_string(),
            port: server.port(),
        };
        let trust = Trust { known: self.known_servers(), accept };
        let engine = connect(target, credentials, trust, options).await?;
        let outcomes = engine.outcomes();
        Ok(Client { engine, outcomes })
    }
}

fn refused(error: &wire::path::UserNameError) -> ConnectError {
    ConnectError::Login(wire::Fault::new(wire::Code::Login, error.to_string()))
}

impl Client {
    /// Begins an upload of a file or a directory.
    pub fn upload(&self, source: PathBuf, target: &str, if_exists: IfExists) -> Result<()> {
        let job = Job::Up { source, target: RemotePath::parse(target.as_bytes())? };
        self.engine.enqueue(vec![NewItem { job, if_exists, source: AfterCopy::Keep }]);
        Ok(())
    }

    /// Begins a download of a file or a directory.
    pub fn download(&self, source: &str, target: PathBuf, if_exists: IfExists) -> Result<()> {
        let job = Job::Down { source: RemotePath::parse(source.as_bytes())?, target };
        self.engine.enqueue(vec![NewItem { job, if_exists, source: AfterCopy::Keep }]);
        Ok(())
    }

    /// How the next file ended.
    pub async fn outcome(&mut self) -> Result<Outcome> {
        let outcome = timeout(PATIENCE, self.outcomes.recv()).await.context("no file comes to an end")?;
        outcome.context("the engine has ended")
    }

    /// How the next file ended, which must be well.
    pub async fn done(&mut self) -> Result<Outcome> {
        let outcome = self.outcome().await?;
        match &outcome.end {
            End::Failed(fault) => Err(fault.clone().into()),
            End::Done | End::Skipped => Ok(outcome),
        }
    }
}
