//! No secret in any log, at the finest level, of server and client: passwords, tickets, keys of connections and of the
//! server, hashes of passwords.

use std::fs;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::KeyLog;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tests::client::{IfExists, Machine, Options};
use tests::daemon::Signal;
use tests::files::content;
use tests::host::PASSWORD;
use tests::line::Line;
use tests::proxy::Proxy;
use tests::secrets::holds;
use tests::session::{Lane, Session, fault, greet, raw};
use tracing_subscriber::util::SubscriberInitExt;
use wire::message::{Expect, FromGuest, Op, Secret, Ticket, ToGuest};
use wire::{BLOCK, Code};

use super::{daemon, logged};

/// Of the client's engine, which runs in this process.
static CLIENT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Sink;

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        CLIENT.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What TLS derived for a connection.
#[derive(Debug, Default)]
struct Keys(Mutex<Vec<Vec<u8>>>);

impl KeyLog for Keys {
    fn log(&self, _: &str, _: &[u8], secret: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(secret.to_vec());
    }
}

/// Logs in on a connection whose keys are told.
async fn login(server: std::net::SocketAddr, password: &str, keys: &Arc<Keys>) -> ToGuest {
    let key_log = Arc::clone(keys) as Arc<dyn KeyLog>;
    let mut line = greet(Line::open_telling(server, key_log).await.expect("connected")).await.expect("greeted");
    let login = FromGuest::Login { user: "ada".into(), password: Secret(password.into()) };
    line.say(&login).await.expect("said");
    line.message().await.expect("answered")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_holds_a_secret() {
    const WRONG: &str = "Tr0ub4dor&3 and a guess";
    const CANARY: &str = "canary-4f1d.bin";
    let finest = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Sink).finish();
    finest.try_init().expect("the only one of this process");
    let config = |format: &str| {
        format!(
            "[log]\nlevel = \"trace\"\nformat = \"{format}\"\n[penalties]\nuser_failures = 1000\nsource_failures = 1000\n"
        )
    };
    let mut daemon = daemon(&config("text"));
    let (keys, mut secrets) =
        (Arc::new(Keys::default()), vec![PASSWORD.as_bytes().to_vec(), WRONG.as_bytes().to_vec()]);
    for format in ["text", "json"] {
        daemon.reload(&config(format)).expect("told");
        daemon.restart().expect("restarted");
        let proxy = Proxy::start(daemon.address).await.expect("started");
        // Wrong and right; lanes, rejoining, and tickets that are none.
        assert!(matches!(login(daemon.address, WRONG, &keys).await, ToGuest::Refused(_)));
        let ToGuest::Welcome { ticket, .. } = login(daemon.address, PASSWORD, &keys).await else { panic!("refused") };
        let mut session = Session::rejoin(daemon.address, ticket).await.expect("taken up");
        let mut lane = session.lane().await.expect("a lane");
        let stranger = Ticket(content(format, 32).try_into().expect("32 bytes"));
        assert_eq!(fault(Lane::join(daemon.address, stranger).await).expect("refused").code, Code::Ticket);
        assert_eq!(fault(Session::rejoin(daemon.address, stranger).await).expect("refused").code, Code::Ticket);
        lane.put(CANARY, &content("file", 2 * BLOCK), Expect::Any).await.expect("stored");
        lane.get(CANARY, &[]).await.expect("got");
        session.order(Op::Mkdir { path: raw(format), parents: false }).await.expect("made");
        secrets.extend([ticket.0.to_vec(), stranger.0.to_vec()]);

        // The real engine, which loses its connections and comes back.
        let machine = Machine::new().expect("a machine");
        let source = machine.path(CANARY);
        tests::files::write(&source, format, 6 * BLOCK as u64).expect("written");
        let mut client = machine.connect(proxy.address, "ada", Options::default()).await.expect("connected");
        proxy.cut_after(tests::proxy::Way::Up, 2 << 20);
        client.upload(source, &format!("{CANARY}-{format}"), IfExists::Overwrite).expect("begun");
        client.done().await.expect("it goes on");
        proxy.has_cut(1).await;
        daemon.run(&["--set-password", "ada", "--password-stdin"], PASSWORD).expect("set");
        logged(&daemon, "set_password").await;
    }
    daemon.signal(Signal::HUP).expect("told");
    logged(&daemon, "taken over").await;

    let key = PrivateKeyDer::from_pem_file(daemon.data_dir().join("identity/key.pem")).expect("read");
    // The part of it that is secret is behind its head.
    secrets.push(key.secret_der().get(36..).expect("long").to_vec());
    secrets.extend(keys.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
    let log = daemon.log().expect("read").into_bytes();
    assert!(daemon.terminate().expect("ended").success());
    let read = |name: &str| fs::read(daemon.data_dir().join(name)).unwrap_or_default();
    let catalog = [read("catalog.sqlite"), read("catalog.sqlite-wal")].concat();
    let phc = catalog.windows(10).position(|window| window == b"$argon2id$").expect("a hash of a password");
    let salt = catalog[phc..].split(|byte| *byte == b'$').nth(4).expect("a salt").to_vec();
    secrets.push(salt);
    let client = CLIENT.lock().unwrap_or_else(PoisonError::into_inner).clone();

    // They are the logs of all this, at the finest level.
    for (log, signs) in [(&log, [CANARY, "TRACE", "rustls"]), (&client, ["connection is lost", "TRACE", "rustls"])] {
        for sign in signs {
            assert!(holds(log, sign.as_bytes()), "{sign}");
        }
    }
    assert!(secrets.len() > 20, "{}", secrets.len());
    for secret in &secrets {
        assert!(secret.len() >= 12 && !holds(&log, secret), "the server's log holds {secret:?}");
        assert!(!holds(&client, secret), "the client's log holds {secret:?}");
    }
}
