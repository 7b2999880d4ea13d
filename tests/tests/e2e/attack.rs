//! Logging in under attack: who guesses or breaks rules is refused for a while and told for how long; limits hold at
//! each kind of source; and whoever only wants to work gets in.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use server::Config;
use server::refusals::Reason;
use tests::host::{Host, PASSWORD, eventually};
use tests::line::{ALPN, Line, PATIENCE, connect_from, frame};
use tests::session::{Session, fault, greet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use wire::message::{FromGuest, ToGuest};
use wire::{Code, Fault};

const EVE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);
const HOME: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const AWAY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// A server with `ada` and `bob`, and the penalties of the default settings but for `change`.
async fn host(change: impl FnOnce(&mut Config)) -> Host {
    let host = Host::with(|config| {
        let defaults = Config::default();
        config.penalties = defaults.penalties;
        config.limits.guests_per_source = defaults.limits.guests_per_source;
        change(config);
    });
    let host = host.await.expect("a server");
    host.add_user("ada", None).await.expect("a user");
    host.add_user("bob", None).await.expect("a user");
    host
}

async fn refused(host: &Host, from: Ipv4Addr, user: &str, password: &str) -> Fault {
    fault(Session::login_from(from, host.address, user, password).await).expect("refused")
}

fn wait(fault: &Fault) -> Option<u64> {
    fault.retry_after().map(|wait| wait.as_secs())
}

/// A guest that has its place and says no more.
async fn guest(host: &Host, from: Ipv4Addr) -> Line {
    greet(Line::open_from(from, host.address).await.expect("connected")).await.expect("greeted")
}

/// A session, as soon as those before have left their places.
async fn admitted(host: &Host, from: Ipv4Addr, user: &str) -> Session {
    let mut session = None;
    let admitted = async || {
        session = Session::login_from(from, host.address, user, PASSWORD).await.ok();
        session.is_some()
    };
    eventually("a login", admitted).await;
    session.expect("logged in")
}

#[tokio::test]
async fn guessing_a_password_is_refused_for_longer_each_time() {
    let host = host(|config| {
        (config.penalties.user_failures, config.penalties.first_seconds, config.penalties.longest_seconds) = (3, 2, 3);
    });
    let host = host.await;
    for _ in 0..3 {
        let told = refused(&host, EVE, "ada", "guess").await;
        assert_eq!((told.code, wait(&told)), (Code::Login, None));
    }
    // The one too many says so, and then not even the right one is looked at: who guesses learns nothing.
    let told = refused(&host, EVE, "ada", "guess").await;
    assert_eq!((told.code, wait(&told)), (Code::Login, Some(2)));
    let told = refused(&host, EVE, "ada", PASSWORD).await;
    assert!(told.code == Code::Throttled && wait(&told) <= Some(2), "{told:?}");
    // A name that nobody has is treated alike.
    for expected in [None, None, None, Some(2)] {
        assert_eq!(wait(&refused(&host, EVE, "nobody", "guess").await), expected);
    }
    // Elsewhere she gets in, and another user from there, too.
    Session::login_from(HOME, host.address, "ada", PASSWORD).await.expect("from elsewhere");
    Session::login_from(EVE, host.address, "bob", PASSWORD).await.expect("another user");
    assert_eq!(
        [Reason::Login, Reason::UserPenalty, Reason::SourcePenalty].map(|reason| host.refused(reason)),
        [8, 1, 0]
    );
    // It is over by itself, and the next failure costs the most.
    let mut told = refused(&host, EVE, "ada", "guess").await;
    let begun = Instant::now();
    while told.code == Code::Throttled && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(50)).await;
        told = refused(&host, EVE, "ada", "guess").await;
    }
    assert_eq!((told.code, wait(&told)), (Code::Login, Some(3)));
    assert_eq!(refused(&host, EVE, "ada", PASSWORD).await.code, Code::Throttled);
    admitted(&host, EVE, "ada").await;
}

#[tokio::test]
async fn trying_many_names_is_refused_but_not_to_those_who_are_known_there() {
    let host = host(|config| {
        (config.penalties.source_failures, config.penalties.first_seconds) = (5, 60);
    });
    let host = host.await;
    let session = Session::login_from(EVE, host.address, "ada", PASSWORD).await.expect("before all this");
    for name in 0..6 {
        assert_eq!(refused(&host, EVE, &format!("user{name}"), "summer2026").await.code, Code::Login);
    }
    for (user, password) in [("bob", PASSWORD), ("user7", "x"), ("..", "x")] {
        let told = refused(&host, EVE, user, password).await;
        assert!(told.code == Code::Throttled && (50..=60).contains(&wait(&told).expect("told when")), "{told:?}");
    }
    let ada = Session::login_from(EVE, host.address, "ada", PASSWORD).await.expect("she is known there");
    // Tickets are no guesses.
    drop(session);
    let mut line = guest(&host, EVE).await;
    line.say(&FromGuest::Join(ada.ticket)).await.expect("said");
    assert!(matches!(line.message().await, Ok(ToGuest::Joined)));
    assert_eq!([Reason::Login, Reason::SourcePenalty].map(|reason| host.refused(reason)), [6, 3]);
}

#[tokio::test]
async fn guesses_at_once_tell_no_more_than_one_after_another() {
    let host = host(|config| {
        (config.penalties.user_failures, config.penalties.first_seconds) = (2, 60);
        config.limits.guests_per_source = 64;
    });
    let host = host.await;
    let mut guesses = JoinSet::new();
    for _ in 0..12 {
        let server = host.address;
        guesses.spawn(async move { fault(Session::login_from(EVE, server, "ada", "guess").await) });
    }
    let told: Vec<Fault> = guesses.join_all().await.into_iter().map(|told| told.expect("refused")).collect();
    let looked_at = told.iter().filter(|fault| fault.code == Code::Login).count();
    let throttled = told.iter().filter(|fault| fault.code == Code::Throttled).count();
    assert_eq!((looked_at, throttled), (3, 9), "{told:?}");
}

#[tokio::test]
async fn breaking_the_protocol_before_login_counts_and_leaving_does_not() {
    let host = host(|config| {
        (config.penalties.source_failures, config.penalties.first_seconds) = (3, 60);
    });
    let host = host.await;
    Session::login_from(EVE, host.address, "bob", PASSWORD).await.expect("before all this");
    // Left at once, left in the middle, and one that does not believe the certificate.
    for _ in 0..4 {
        drop(connect_from(EVE, host.address).await.expect("connected"));
        drop(Line::open_from(EVE, host.address).await.expect("connected"));
        disbelieve(connect_from(EVE, host.address).await.expect("connected")).await;
    }
    assert_eq!(refused(&host, EVE, "ada", "x").await.code, Code::Login, "nothing of this counts");
    assert_eq!([Reason::Tls, Reason::Protocol, Reason::Timeout].map(|reason| host.refused(reason)), [0; 3]);

    for bytes in [b"GET / HTTP/1.1\r\n\r\n".as_slice(), b"SSH-2.0-x\r\n"] {
        let mut stream = connect_from(EVE, host.address).await.expect("connected");
        stream.write_all(bytes).await.expect("said");
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    let mut line = Line::open_from(EVE, host.address).await.expect("connected");
    line.raw(&frame(9, b"x")).await.expect("said");
    let told = line.message().await.expect("told");
    assert!(matches!(&told, ToGuest::Refused(fault) if fault.code == Code::Protocol), "{told:?}");
    assert_eq!([Reason::Tls, Reason::Protocol].map(|reason| host.refused(reason)), [2, 1]);

    let told = refused(&host, EVE, "ada", PASSWORD).await;
    assert!(told.code == Code::Throttled && wait(&told) > Some(30), "{told:?}");
    let told = refused(&host, EVE, "ada", PASSWORD).await;
    assert!(told.code == Code::Throttled, "{told:?}");
    Session::login_from(EVE, host.address, "bob", PASSWORD).await.expect("he is known there");
    Session::login_from(HOME, host.address, "ada", PASSWORD).await.expect("she comes from elsewhere");
}

/// Shakes hands with a server whose certificate it does not know, and says so.
async fn disbelieve(stream: TcpStream) {
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("a version")
        .with_root_certificates(RootCertStore::empty());
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    let name = "localhost".try_into().expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map(drop).expect_err("it is not known");
}

#[tokio::test]
async fn who_is_over_a_limit_of_connections_is_told_so_and_when_to_come_back() {
    let host = host(|config| {
        config.limits.login_seconds = 60;
        (config.limits.max_connections, config.limits.per_source) = (12, 6);
        (config.limits.guests, config.limits.guests_per_source) = (7, 4);
    });
    let host = host.await;
    let over = async |from: Ipv4Addr, seconds: u64, reason: Reason| {
        let told = refused(&host, from, "ada", PASSWORD).await;
        assert_eq!((told.code, wait(&told)), (Code::Busy, Some(seconds)), "{reason:?}: {told:?}");
        assert!(host.refused(reason) >= 1, "{reason:?}: {told:?}");
    };
    let mut session = admitted(&host, HOME, "ada").await;
    let mut guests = Vec::new();
    for _ in 0..4 {
        guests.push(guest(&host, EVE).await);
    }
    over(EVE, 3, Reason::SourceGuests).await;
    for _ in 0..3 {
        guests.push(guest(&host, HOME).await);
    }
    over(AWAY, 3, Reason::Guests).await;
    drop(guests);

    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(admitted(&host, HOME, "ada").await);
    }
    over(HOME, 30, Reason::SourceConnections).await;
    for _ in 0..6 {
        sessions.push(admitted(&host, EVE, "bob").await);
    }
    over(AWAY, 30, Reason::Connections).await;
    // A flood is not answered: what it is told is bounded, and who is in does not notice.
    let mut flood = Vec::new();
    for _ in 0..20 {
        flood.push(connect_from(EVE, host.address).await.expect("connected"));
    }
    eventually("most are closed without a word", async || host.refused(Reason::Untold) >= 15).await;
    session.ping().await.expect("those who are in stay in");
    drop((flood, sessions));
    admitted(&host, EVE, "bob").await;
}

#[tokio::test]
async fn a_user_has_so_many_sessions_and_no_more() {
    let host = host(|config| config.limits.per_user = 2).await;
    let mut first = host.login("ada").await.expect("room");
    let second = host.login("ada").await.expect("room");
    let told = fault(host.login("ada").await).expect("refused");
    assert_eq!((told.code, wait(&told), host.refused(Reason::Sessions)), (Code::Busy, Some(30), 1));
    host.login("bob").await.expect("another user");
    drop(second);
    eventually("a session that lost its connection gives way", async || host.login("ada").await.is_ok()).await;
    first.ping().await.expect("and no other one");
}

#[tokio::test]
async fn more_logins_than_can_be_worked_on_are_asked_to_come_back() {
    let host = host(|config| {
        (config.argon2.at_once, config.argon2.queue) = (1, 1);
        config.argon2.passes = 20;
    });
    let host = host.await;
    let mut logins = JoinSet::new();
    for _ in 0..12 {
        let server = host.address;
        logins.spawn(async move { Session::login(server, "ada", PASSWORD).await });
    }
    let (mut let_in, mut busy) = (0, 0);
    for login in logins.join_all().await {
        match fault(login) {
            Ok(told) => {
                assert!(told.code == Code::Busy && wait(&told) >= Some(1), "{told:?}");
                busy += 1;
            }
            Err(_) => let_in += 1,
        }
    }
    assert!(let_in >= 2 && busy >= 1 && host.refused(Reason::Passwords) == busy, "{let_in} let in, {busy} sent away");
    host.login("ada").await.expect("that was nobody's fault");
}

#[tokio::test]
async fn the_time_until_login_is_one_from_the_connection_on() {
    let host = host(|config| config.limits.login_seconds = 4).await;
    let (mut prompt, late) = (guest(&host, EVE).await, TcpStream::connect(host.address).await.expect("connected"));
    let begun = Instant::now();
    // Late, but in time for the handshake; it does not begin anew for what follows.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut late = Line::over(late).await.expect("encrypted");
    late.ended::<ToGuest>().await.expect("dropped");
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    let told = prompt.message().await.expect("told");
    assert!(matches!(&told, ToGuest::Refused(fault) if fault.code == Code::Timeout), "{told:?}");
    assert_eq!(host.refused(Reason::Timeout), 2);
}

#[tokio::test]
async fn a_password_is_hashed_anew_when_the_figures_rise() {
    let mut host = host(|_| {}).await;
    let hashed = async |host: &Host| {
        let account = host.accounts().catalog.account(&"ada".parse().expect("a name")).await;
        account.expect("read").expect("there").phc.0
    };
    let before = hashed(&host).await;
    host.set(|config| config.argon2.passes = 3);
    host.restart().await.expect("restarted");
    assert_eq!(fault(Session::login(host.address, "ada", "wrong").await).expect("refused").code, Code::Login);
    assert_eq!(hashed(&host).await, before, "only a password that is right can be hashed anew");
    let mut session = host.login("ada").await.expect("the old hash still counts");
    let after = hashed(&host).await;
    assert!(before.contains("t=2,") && after.contains("t=3,"), "{after}");
    session.ping().await.expect("and the session stays");
    host.login("ada").await.expect("so does the new one");
    assert_eq!(hashed(&host).await, after, "once is enough");
}
