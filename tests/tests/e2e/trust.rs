//! Who may speak with whom: TLS, logins that tell nothing, tickets, and sessions that end when their
//! account does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tests::host::{Host, PASSWORD, eventually};
use tests::line::ALPN;
use tests::session::{Lane, Session, fault, greeted};
use tokio::net::TcpStream;
use wire::frame::Stage;
use wire::message::{Expect, FromClient, FromGuest, MAX_PASSWORD, Secret, Ticket, ToGuest};
use wire::{Code, Fault};

async fn ada() -> Host {
    let host = Host::start().await.expect("a server");
    host.add_user("ada", None).await.expect("a user");
    host
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_are_told_apart_by_nobody() {
    let host = ada().await;
    host.add_user("locked", None).await.expect("a user");
    let accounts = &host.accounts().catalog;
    accounts.set_locked(&"locked".parse().expect("a name"), true).await.expect("locked");
    let long = "x".repeat(MAX_PASSWORD);
    let mut times: [Vec<Duration>; 4] = Default::default();
    let mut told: Vec<Fault> = Vec::new();
    for _ in 0..15 {
        let tries = [("ada", "wrong"), ("nobody", "wrong"), ("locked", PASSWORD), ("ada", &long)];
        for ((user, password), times) in tries.into_iter().zip(&mut times) {
            let mut line = greeted(host.address).await.expect("greeted");
            let login = FromGuest::Login { user: user.into(), password: Secret(password.into()) };
            let start = Instant::now();
            line.say(&login).await.expect("said");
            match line.message().await.expect("an answer") {
                ToGuest::Refused(fault) => told.push(fault),
                other => panic!("{other:?} for {user}"),
            }
            times.push(start.elapsed());
            line.ended::<ToGuest>().await.expect("a refused guest is shown out");
        }
    }
    assert!(told.iter().all(|fault| fault.code == Code::Login && *fault == told[0]), "{told:?}");
    // Interleaved, so that what else this machine does meets all of them; the middle of each, so that a hiccup meets none.
    let middle = times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    });
    let (least, most) = (middle.iter().min().expect("some"), middle.iter().max().expect("some"));
    // Hashing takes tens of milliseconds, a look into the catalog some tenths of one.
    assert!(*most < *least * 2 + Duration::from_millis(10), "{middle:?}");
}

#[tokio::test]
async fn names_and_passwords_that_cannot_be_are_refused_in_the_same_words() {
    let host = ada().await;
    let wrong = fault(Session::login(host.address, "ada", "wrong").await).expect("refused");
    let tries = [
        ("", "x"),
        ("..", "x"),
        ("ADA", PASSWORD),
        ("ada\0", PASSWORD),
        ("' OR 1=1 --", "x"),
        ("ada", ""),
        ("\u{1b}[2J", "x"),
    ];
    for (user, password) in tries {
        assert_eq!(fault(Session::login(host.address, user, password).await).expect("refused"), wrong, "{user:?}");
    }
    // This one is told that it is too long, whoever it is for.
    let too_long = "x".repeat(MAX_PASSWORD + 1);
    let [known, unknown] = ["ada", "nobody"].map(|user| Session::login(host.address, user, &too_long));
    let (known, unknown) = (fault(known.await).expect("refused"), fault(unknown.await).expect("refused"));
    assert!(known.code == Code::Login && known == unknown, "{known:?} {unknown:?}");
    host.login("ada").await.expect("and ada still gets in");
}

#[tokio::test]
async fn only_tls_1_3_and_only_this_protocol_is_spoken() {
    let host = ada().await;
    let alpn = |name: &[u8]| vec![name.to_vec()];
    shake_hands(host.address, &rustls::version::TLS13, alpn(ALPN)).await.expect("the real thing");
    for (version, protocols) in [
        (&rustls::version::TLS12, alpn(ALPN)),
        (&rustls::version::TLS13, alpn(b"http/1.1")),
        (&rustls::version::TLS13, alpn(b"catamaran/0")),
    ] {
        let shaken = shake_hands(host.address, version, protocols.clone()).await;
        assert!(shaken.is_err(), "{version:?} {protocols:?}");
    }
}

#[tokio::test]
async fn versions_are_agreed_on_or_refused() {
    let host = ada().await;
    for (versions, agreed) in [((1, 1), true), ((9, 1), true), ((9, 2), false), ((0, 0), false)] {
        let mut line = tests::line::Line::open(host.address).await.expect("connected");
        let hello = FromGuest::Hello { versions, capabilities: u64::MAX, agent: "tests/1".into() };
        line.say(&hello).await.expect("said");
        match line.message().await.expect("an answer") {
            ToGuest::Hello { version, .. } => assert!(agreed && version == 1, "{versions:?}"),
            ToGuest::Refused(fault) => assert!(!agreed && fault.code == Code::Version, "{versions:?}: {fault:?}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_ticket_opens_lanes_and_brings_a_lost_session_back() {
    let host = ada().await;
    for ticket in [Ticket([0; 32]), Ticket([7; 32])] {
        assert_eq!(fault(Lane::join(host.address, ticket).await).expect("refused").code, Code::Ticket);
        assert_eq!(fault(Session::rejoin(host.address, ticket).await).expect("refused").code, Code::Ticket);
    }
    let session = host.login("ada").await.expect("logged in");
    let mut lane = session.lane().await.expect("a lane");
    let ticket = session.ticket;
    drop(session);
    // Lanes outlive the control connection, and the ticket brings it back.
    lane.put("file", b"x", Expect::Absent).await.expect("stored");
    let mut session = Session::rejoin(host.address, ticket).await.expect("rejoined");
    assert_eq!(session.stat("file").await.expect("there").size, 1);
    session.line.say(&FromClient::Goodbye).await.expect("said");
    session.ended().await.expect("goodbye");
    lane.ended().await.expect("the lanes go with the session");
    assert_eq!(fault(Session::rejoin(host.address, ticket).await).expect("refused").code, Code::Ticket);
    assert_eq!(fault(Lane::join(host.address, ticket).await).expect("refused").code, Code::Ticket);
}

#[tokio::test]
async fn a_session_has_so_many_lanes_and_no_more() {
    let host = Host::with(|config| config.limits.lanes_per_session = 3).await.expect("a server");
    host.add_user("ada", None).await.expect("a user");
    let session = host.login("ada").await.expect("logged in");
    let mut lanes = Vec::new();
    for _ in 0..3 {
        lanes.push(session.lane().await.expect("a lane"));
    }
    assert_eq!(fault(session.lane().await).expect("refused").code, Code::Busy);
    lanes.pop();
    eventually("a lane that is gone leaves its place", async || session.lane().await.is_ok()).await;
}

#[tokio::test]
async fn sessions_end_with_their_account_password_and_lock() {
    let host = ada().await;
    let name = || "ada".parse().expect("a name");
    let accounts = host.accounts();

    let (mut session, mut lane) = logged_in(&host).await;
    accounts.set_password(&name(), Secret("another".into())).await.expect("changed");
    session.ended().await.expect("the old password is worth nothing any more");
    lane.ended().await.expect("nor are its lanes");
    assert_eq!(fault(host.login("ada").await).expect("refused").code, Code::Login);
    accounts.set_password(&name(), Secret(PASSWORD.into())).await.expect("changed back");

    let (mut session, _lane) = logged_in(&host).await;
    accounts.catalog.set_locked(&name(), true).await.expect("locked");
    session.ended().await.expect("a locked account has no sessions");
    accounts.catalog.set_locked(&name(), false).await.expect("unlocked");

    let (mut session, mut lane) = logged_in(&host).await;
    lane.put("file", b"x", Expect::Absent).await.expect("stored");
    accounts.remove(&name(), server::accounts::Home::Delete).await.expect("removed");
    session.ended().await.expect("a removed account has no sessions");
    assert!(!host.home("ada").exists());

    // Somebody else by that name begins with nothing.
    host.add_user("ada", None).await.expect("a new user");
    let (mut session, _lane) = logged_in(&host).await;
    assert_eq!(session.space().await.expect("told"), Default::default());
    assert_eq!(fault(session.stat("file").await).expect("gone").code, Code::NotFound);
}

async fn logged_in(host: &Host) -> (Session, Lane) {
    let session = host.login("ada").await.expect("logged in");
    let lane = session.lane().await.expect("a lane");
    (session, lane)
}

/// A handshake and a greeting by the library's own client, which trusts this one certificate.
async fn shake_hands(
    server: SocketAddr,
    version: &'static rustls::SupportedProtocolVersion,
    alpn: Vec<Vec<u8>>,
) -> anyhow::Result<()> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version])?;
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(tests::line::BelieveAll));
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = alpn;
    let stream = TcpStream::connect(server).await?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = connector.connect(rustls::pki_types::ServerName::try_from("localhost")?, stream).await?;
    let (reading, writing) = tokio::io::split(stream);
    let mut writer = wire::link::Writer::new(writing);
    let hello = FromGuest::Hello { versions: (1, 1), capabilities: 0, agent: "tests/1".into() };
    writer.send(&hello).await?;
    let answer: Option<ToGuest> = wire::link::Reader::new(reading, Stage::Guest).message().await?;
    anyhow::ensure!(matches!(answer, Some(ToGuest::Hello { .. })), "{answer:?}");
    Ok(())
}
