//! Bytes that a connection says, before and after a login, to what serves connections behind TLS: a real home, a
//! real catalog, no socket.
#![allow(clippy::expect_used, clippy::panic, reason = "a broken property must stop the fuzzer")]

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use server::audit::{Audit, Origin, Trail};
use server::catalog::{Account, Catalog};
use server::commons::Commons;
use server::config::{Config, Durability, Hashing, Limits, Live};
use server::control::{self, ControlLimits};
use server::flow::Flows;
use server::greeting::{Door, Guest};
use server::lane::{self, LaneLimits};
use server::password::Passwords;
use server::penalties::Penalties;
use server::refusals::Refusals;
use server::session::{Session, Sessions};
use server::vault::Vault;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::frame::Stage;
use wire::link::{Incoming, LinkError, Reader, Writer};
use wire::message::{Binding, FromServer, Lane, Secret, ToGuest};
use wire::{Aligned, BLOCK, RemotePath};

/// Stands in an input for the ticket of a session that runs.
pub const TICKET: [u8; 32] = *b"TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT";
/// The password of the account.
pub const PASSWORD: &str = "pw";
/// Its name.
pub const USER: &str = "eve";

/// The first byte says what the connection is, the rest is what it says: a guest, a control connection or a lane.
/// It comes to an end, all that is answered can be read, and what the ledger says is what lies on the disk.
pub fn connection(input: &[u8]) {
    thread_local! { static WORLD: RefCell<Option<World>> = const { RefCell::new(None) } }
    let Some((first, said)) = input.split_first() else { return };
    let stage = match first % 3 {
        0 => Stage::Guest,
        1 => Stage::Control,
        _ => Stage::Lane,
    };
    WORLD.with_borrow_mut(|world| world.get_or_insert_with(World::new).run(stage, said));
}

/// A server without its listener.
pub struct World {
    runtime: Runtime,
    dir: TempDir,
    catalog: Catalog,
    passwords: Passwords,
}

/// An account, with a home in which something lies, and everything that a connection needs.
pub struct Visit {
    /// Of the account that visits.
    pub session: Arc<Session>,
    /// Of all accounts.
    pub sessions: Arc<Sessions>,
    /// What still works for it.
    pub running: TaskTracker,
    account: Account,
    vault: Vault,
    door: Door,
    users: PathBuf,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// With no accounts.
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let dir = tempfile::tempdir().expect("a directory");
        let catalog = Catalog::open(&dir.path().join("catalog"), Durability::Relaxed).expect("a catalog");
        let cheap = Hashing { memory_kib: 8, passes: 1, lanes: 1, at_once: 1, queue: 1 };
        let passwords = Passwords::new(&cheap).expect("made");
        Self { runtime, dir, catalog, passwords }
    }

    fn run(&self, stage: Stage, said: &[u8]) {
        let work = async {
            let visit = self.visit().await;
            let said = with_ticket(said, &visit.session.ticket().0);
            let (near, far) = duplex(16 << 10);
            let (hearing, mut saying) = split(far);
            let all = async {
                let speak = async {
                    // It may have been shown out before the end.
                    let _ = saying.write_all(&said).await;
                    let _ = saying.shutdown().await;
                };
                tokio::join!(visit.serve(stage, near), speak, listen(hearing, stage))
            };
            tokio::time::timeout(PATIENCE, all).await.expect("it comes to an end");
            visit.leave().await;
        };
        self.runtime.block_on(work);
    }

    /// Makes the account anew, and a session of it.
    pub async fn visit(&self) -> Visit {
        let (users, name) = (self.dir.path().join("users"), USER.parse().expect("a name"));
        let phc = self.passwords.hash(Secret(PASSWORD.into())).await.expect("hashed");
        self.catalog.add_user(&name, phc, Some(QUOTA), Some(100)).await.expect("added");
        self.catalog.set_trash(&name, Some(1)).await.expect("set");
        let account = self.catalog.account(&name).await.expect("read").expect("there");
        let vault = || Vault::new(&users, Arc::new(Durability::Relaxed));
        let home = vault().home(&name).expect("a home");
        furnish(&users.join(USER).join("files"));
        let (bytes, files) = home.measure(&RemotePath::home()).expect("measured");
        self.catalog.recount(account.id, bytes, files).await.expect("counted");
        let sessions = Sessions::new(self.catalog.clone(), vault(), Commons::new(live()));
        let session = sessions.open(&account).expect("opened");
        let door = Door {
            catalog: self.catalog.clone(),
            passwords: self.passwords.clone(),
            sessions: Arc::clone(&sessions),
            live: live(),
            penalties: Penalties::new(Config::default().penalties),
            refusals: Refusals::default(),
            audit: Audit::default(),
        };
        Visit { session, sessions, running: TaskTracker::new(), account, vault: vault(), door, users }
    }
}

fn origin() -> Origin {
    Origin { connection: 1, address: SocketAddr::from(([127, 0, 0, 1], 1)) }
}

fn live() -> Live {
    let seconds = PATIENCE.as_secs();
    let limits = Limits {
        login_seconds: seconds,
        idle_seconds: seconds,
        stall_seconds: seconds,
        per_user: 2,
        lanes_per_session: 2,
        requests_in_flight: 8,
        ..Limits::default()
    };
    Live::new(Config { limits, ..Config::default() })
}

impl Visit {
    /// Serves a connection that stands at `stage` to its end.
    pub async fn serve(&self, stage: Stage, stream: DuplexStream) {
        let (reading, writing) = split(stream);
        let (mut reader, mut writer) = (Reader::new(reading, Stage::Guest), Writer::new(writing));
        let guest = match stage {
            Stage::Guest => {
                let deadline = Instant::now() + PATIENCE;
                self.door.greet(origin(), &Binding([0; 32]), deadline, &mut reader, &mut writer).await.ok().flatten()
            }
            Stage::Control => Some(Guest::Control(self.sessions.control(Arc::clone(&self.session)))),
            Stage::Lane => self.sessions.lane(Arc::clone(&self.session)).ok().map(Guest::Lane),
        };
        self.serve_guest(guest, reader, writer).await;
    }

    async fn serve_guest(
        &self,
        guest: Option<Guest>,
        mut reader: Reader<ReadHalf<DuplexStream>>,
        writer: Writer<WriteHalf<DuplexStream>>,
    ) {
        let (draining, running) = (CancellationToken::new(), self.running.clone());
        let trail = Trail::new(Audit::default(), origin(), Some(self.account.name.clone()));
        match guest {
            None => {}
            Some(Guest::Control(place)) => {
                reader.enter(Stage::Control);
                let limits = ControlLimits { live: live(), draining, running, refusals: Refusals::default() };
                let (sessions, flows) = (Arc::clone(&self.sessions), Flows::default());
                control::serve(place, sessions, limits, trail, flows, reader, writer).await;
            }
            Some(Guest::Lane(place)) => {
                reader.enter(Stage::Lane);
                let limits = LaneLimits { live: live(), draining, running };
                lane::serve(place, limits, trail, Flows::default(), reader, writer).await;
            }
        }
    }

    /// Waits for what still works, and looks at what is left.
    async fn leave(self) {
        let Self { session, sessions, running, account, vault, door, users } = self;
        running.close();
        tokio::time::timeout(PATIENCE, running.wait()).await.expect("what was begun comes to an end");
        sessions.close_all();
        drop((session, sessions));
        let usage = door.catalog.usage(account.id).await.expect("told");
        let home = vault.home(&account.name).expect("a home");
        let (files, trash) = (home.measure(&RemotePath::home()).expect("read"), home.measure_trash().expect("read"));
        assert_eq!((usage.used, usage.files), (files.0 + trash.0, files.1 + trash.1), "the ledger is the disk");
        assert!(usage.used <= QUOTA && usage.files <= 100, "more than the quota: {usage:?}");
        assert_eq!(usage.reserved, 0, "a promise that nobody needs");
        let outside: Vec<_> =
            std::fs::read_dir(&users).expect("read").map(|entry| entry.expect("read").file_name()).collect();
        assert_eq!(outside, [USER], "something lies beside the home");
        door.catalog.remove_user(&account.name).await.expect("removed");
        std::fs::remove_dir_all(&users).expect("removed");
    }
}

/// Files of no block, of one and of three; a directory in a directory; a link that leads out.
fn furnish(home: &Path) {
    std::fs::create_dir_all(home.join("d/e")).expect("made");
    std::fs::write(home.join("a"), b"abc").expect("written");
    std::fs::write(home.join("d/empty"), b"").expect("written");
    let big = std::fs::File::create(home.join("big")).expect("made");
    big.set_len(2 * BLOCK as u64 + 5).expect("grown");
    std::os::unix::fs::symlink("../../..", home.join("out")).expect("linked");
}

fn with_ticket(said: &[u8], ticket: &[u8; 32]) -> Vec<u8> {
    let mut said = said.to_vec();
    let mut from = 0;
    while let Some(at) = said.get(from..).and_then(|rest| rest.windows(32).position(|part| part == TICKET)) {
        said.splice(from + at..from + at + 32, *ticket);
        from += at + 32;
    }
    said
}

/// Hears all that is answered, to the end.
async fn listen(stream: impl AsyncRead + Unpin, mut stage: Stage) {
    let mut reader = Reader::new(stream, stage);
    loop {
        let heard = match stage {
            Stage::Guest => match reader.message::<ToGuest>().await {
                Ok(Some(ToGuest::Welcome { .. })) => Ok(Some(Stage::Control)),
                Ok(Some(ToGuest::Joined)) => Ok(Some(Stage::Lane)),
                heard => heard.map(|heard| heard.map(|_| stage)),
            },
            Stage::Control => reader.message::<FromServer>().await.map(|heard| heard.map(|_| stage)),
            Stage::Lane => lane_said(&mut reader).await.map(|heard| heard.map(|()| stage)),
        };
        match heard {
            Ok(Some(now)) => {
                stage = now;
                reader.enter(stage);
            }
            Ok(None) | Err(LinkError::Closed | LinkError::Io(_)) => return,
            Err(error) => panic!("an answer that cannot be read: {error}"),
        }
    }
}

async fn lane_said(reader: &mut Reader<impl AsyncRead + Unpin>) -> Result<Option<()>, LinkError> {
    match reader.next::<Lane>().await? {
        None => Ok(None),
        Some(Incoming::Message(_)) => Ok(Some(())),
        Some(Incoming::Block(header)) => reader.payload(&header, &mut Aligned::default()).await.map(Some),
    }
}

/// Of the account, in bytes.
const QUOTA: u64 = 8 << 20;
/// Far more than anything may take.
const PATIENCE: Duration = Duration::from_secs(30);
