//! An engine that reaches a server in this process through a proxy, with files in a directory of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tests::files::paths;
use tests::host::{Host, PASSWORD};
use tests::proxy::Proxy;
use tokio::sync::watch;
use tui_client::engine::status::{AfterCopy, IfExists, ItemId, ItemStatus, Job, NewItem, State, Status};
use tui_client::engine::{self, Accept, ConnectError, Credentials, Engine, KnownServers, Options, Target, Trust};
use wire::RemotePath;
use wire::message::Secret;

pub(crate) const MIB: u64 = 1 << 20;

/// An engine that reaches its server through a proxy.
pub(crate) struct Bench {
    pub(crate) host: Host,
    pub(crate) proxy: Proxy,
    pub(crate) place: TempDir,
    pub(crate) engine: Engine,
    pub(crate) status: watch::Receiver<Arc<Status>>,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::on(Host::start().await.expect("started"), options).await
    }

    /// The same with a server that is there.
    pub(crate) async fn on(host: Host, options: Options) -> Self {
        host.add_user("ada", None).await.expect("a user");
        let proxy = Proxy::start(host.address).await.expect("started");
        let place = tempfile::tempdir().expect("a directory");
        let engine = connect(proxy.address.port(), place.path(), PASSWORD, options).await.expect("connected");
        let status = engine.status();
        Self { host, proxy, place, engine, status }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    pub(crate) fn up(&self, name: &str, if_exists: IfExists) -> ItemId {
        let job = Job::Up { source: self.path(name), target: remote(name) };
        self.engine.enqueue(vec![NewItem { job, if_exists, source: AfterCopy::Keep }])[0]
    }

    pub(crate) fn down(&self, name: &str, to: &str) -> ItemId {
        let job = Job::Down { source: remote(name), target: self.path(to) };
        self.engine.enqueue(vec![NewItem { job, if_exists: IfExists::Ask, source: AfterCopy::Keep }])[0]
    }

    /// Moves something to the server, under the same name.
    pub(crate) fn move_up(&self, name: &str, if_exists: IfExists) -> ItemId {
        let job = Job::Up { source: self.path(name), target: remote(name) };
        self.engine.enqueue(vec![NewItem { job, if_exists, source: AfterCopy::Remove }])[0]
    }

    /// Moves something from the server.
    pub(crate) fn move_down(&self, name: &str, to: &str, if_exists: IfExists) -> ItemId {
        let job = Job::Down { source: remote(name), target: self.path(to) };
        self.engine.enqueue(vec![NewItem { job, if_exists, source: AfterCopy::Remove }])[0]
    }

    /// The first status that is as wanted.
    pub(crate) async fn until(&mut self, what: &str, is_so: impl Fn(&Status) -> bool) -> Arc<Status> {
        let found = tokio::time::timeout(tests::line::PATIENCE, self.status.wait_for(|status| is_so(status))).await;
        let Ok(found) = found else { panic!("not so in time: {what}: {:?}", self.engine.status().borrow()) };
        found.expect("the engine lives").clone()
    }

    pub(crate) async fn item(&mut self, id: ItemId, what: &str, is_so: impl Fn(&ItemStatus) -> bool) -> ItemStatus {
        let status = self.until(what, |status| status.items.iter().any(|item| item.id == id && is_so(item))).await;
        status.items.iter().find(|item| item.id == id).expect("just seen").clone()
    }

    pub(crate) async fn done(&mut self, id: ItemId) -> ItemStatus {
        let over = self.item(id, "done", |item| item.state == State::Done).await;
        assert_eq!(over.state, State::Done);
        over
    }

    pub(crate) fn staged(&self) -> Vec<PathBuf> {
        paths(&self.host.staging("ada")).unwrap_or_default()
    }
}

pub(crate) async fn connect(port: u16, place: &Path, password: &str, options: Options) -> Result<Engine, ConnectError> {
    let target = Target { user: "ada".parse().expect("a name"), host: "127.0.0.1".to_owned(), port };
    let trust = Trust { known: KnownServers::at(place.join("known.toml")), accept: Accept::New };
    engine::connect(target, Credentials::password(Secret(password.to_owned())), trust, options).await
}

pub(crate) fn remote(name: &str) -> RemotePath {
    RemotePath::parse(name.as_bytes()).expect("a path")
}
