//! Logins by key: what opens an account, that a signature is good for one connection and one user, that refusals tell
//! nothing, and what they cost.

use std::net::Ipv4Addr;

use tests::client::Machine;
use tests::host::{Host, PASSWORD, Reason, eventually};
use tests::identity::Identity;
use tests::line::Line;
use tests::proxy::Proxy;
use tests::session::{Session, challenged, fault, greeted};
use tui_client::engine::{Accept, Credentials, KeyFile, Keyring, Options};
use wire::message::{Binding, Challenge, FromGuest, MAX_PROOFS, Proof, Secret, ToGuest};
use wire::{Code, Fault, RemotePath};

/// A server with `ada` and `bob`.
async fn host() -> Host {
    let host = Host::start().await.expect("a server");
    host.add_user("ada", None).await.expect("a user");
    host.add_user("bob", None).await.expect("a user");
    host
}

fn identity() -> Identity {
    Identity::new("a test's").expect("a key")
}

async fn add(host: &Host, user: &str, keys: &[&Identity]) {
    let keys = keys.iter().map(|key| (key.public, String::new())).collect();
    host.accounts().catalog.add_keys(&user.parse().expect("a name"), keys).await.expect("added");
}

/// What a login with these proofs is told.
async fn refused(host: &Host, line: Line, user: &str, proofs: Vec<Proof>) -> Fault {
    let prove = FromGuest::Prove { user: user.into(), proofs };
    fault(Session::enter(host.address, line, &prove).await).expect("refused")
}

async fn line(host: &Host) -> (Line, Challenge) {
    challenged(Line::open(host.address).await.expect("connected")).await.expect("challenged")
}

#[tokio::test]
async fn a_key_opens_its_account_beside_the_password() {
    let (host, mine, other) = (host().await, identity(), identity());
    add(&host, "ada", &[&mine, &other]).await;
    for keys in [[&mine].as_slice(), &[&identity(), &other], &[&other, &mine]] {
        let mut session = Session::login_by_keys(host.address, "ada", keys).await.expect("logged in");
        session.ping().await.expect("a session like any other");
        session.lane().await.expect("with lanes");
    }
    host.login("ada").await.expect("and the password is what it was");
    // Who was sent a challenge may still say the password.
    let (line, _) = line(&host).await;
    let login = FromGuest::Login { user: "ada".into(), password: Secret(PASSWORD.into()) };
    Session::enter(host.address, line, &login).await.expect("logged in");
}

#[tokio::test]
async fn a_wrong_key_and_an_unknown_user_are_told_apart_by_nobody() {
    let (host, mine, bobs) = (host().await, identity(), identity());
    add(&host, "ada", &[&mine]).await;
    add(&host, "bob", &[&bobs]).await;
    host.add_user("locked", None).await.expect("a user");
    add(&host, "locked", &[&mine]).await;
    host.accounts().catalog.set_locked(&"locked".parse().expect("a name"), true).await.expect("locked");
    let told = async |user: &str, keys: &[&Identity]| {
        fault(Session::login_by_keys(host.address, user, keys).await).expect("refused")
    };
    let expected = told("ada", &[&identity()]).await;
    assert_eq!(expected.code, Code::Login);
    let keys = [&mine, &bobs];
    for (user, keys) in [
        ("ada", [].as_slice()),
        ("ada", &[&bobs]),
        ("bob", &[&mine]),
        ("nobody", &keys),
        ("locked", &keys),
        ("", &keys),
        ("../ada", &keys),
        ("ADA", &keys),
        ("\u{1b}[2J", &keys),
    ] {
        assert_eq!(told(user, keys).await, expected, "{user:?}");
    }
    assert_eq!((host.refused(Reason::Login), host.refused(Reason::Protocol)), (10, 0));
}

#[tokio::test]
async fn a_signature_is_good_for_one_connection_and_one_user() {
    let (host, mine) = (host().await, identity());
    add(&host, "ada", &[&mine]).await;
    add(&host, "bob", &[&mine]).await;
    let sign = |challenge: &Challenge, binding: &Binding, user: &str| {
        vec![mine.proof(&challenge.statement(binding, user)).expect("signed")]
    };
    let (first, challenge) = line(&host).await;
    let recorded = sign(&challenge, &first.binding, "ada");
    let opened = FromGuest::Prove { user: "ada".into(), proofs: recorded.clone() };
    let _session = Session::enter(host.address, first, &opened).await.expect("good once");

    // On another connection; for another challenge on the same, as of a server that makes none anew; for a connection
    // whose two ends are not the same, as somebody between has two; for another user who has the key as well.
    let (second, _) = line(&host).await;
    assert_eq!(refused(&host, second, "ada", recorded).await.code, Code::Login);
    let (third, _) = line(&host).await;
    let proofs = sign(&challenge, &third.binding, "ada");
    assert_eq!(refused(&host, third, "ada", proofs).await.code, Code::Login);
    let (between, (fourth, challenge)) = (line(&host).await.0, line(&host).await);
    let proofs = sign(&challenge, &between.binding, "ada");
    assert_eq!(refused(&host, fourth, "ada", proofs).await.code, Code::Login);
    let (fifth, challenge) = line(&host).await;
    let proofs = sign(&challenge, &fifth.binding, "bob");
    assert_eq!(refused(&host, fifth, "ada", proofs).await.code, Code::Login);
    // A signature that is none.
    let (sixth, challenge) = line(&host).await;
    let mut proofs = sign(&challenge, &sixth.binding, "ada");
    proofs[0].signature.0[1][31] ^= 0x80;
    assert_eq!(refused(&host, sixth, "ada", proofs).await.code, Code::Login);
}

#[tokio::test]
async fn more_keys_than_there_may_be_and_keys_that_nobody_asked_for_break_the_rules() {
    let (host, mine) = (host().await, identity());
    add(&host, "ada", &[&mine]).await;
    let others: Vec<Identity> = (0..MAX_PROOFS).map(|_| identity()).collect();
    let most: Vec<&Identity> = others.iter().skip(1).chain([&mine]).collect();
    Session::login_by_keys(host.address, "ada", &most).await.expect("as many as there may be");
    let more: Vec<&Identity> = others.iter().chain([&mine]).collect();
    let told = fault(Session::login_by_keys(host.address, "ada", &more).await).expect("refused");
    assert_eq!(told.code, Code::Protocol);
    // A name that takes the whole frame.
    let (mut long, _) = line(&host).await;
    long.say(&FromGuest::Prove { user: "x".repeat(8 << 10), proofs: Vec::new() }).await.expect("said");
    assert!(matches!(long.message().await.expect("told"), ToGuest::Refused(fault) if fault.code == Code::Protocol));
    let unasked = greeted(host.address).await.expect("greeted");
    assert_eq!(refused(&host, unasked, "ada", Vec::new()).await.code, Code::Protocol);
    assert_eq!((host.refused(Reason::Protocol), host.refused(Reason::Login)), (3, 0));
}

#[tokio::test]
async fn a_key_that_is_removed_ends_what_it_opened() {
    let (host, mine, other) = (host().await, identity(), identity());
    add(&host, "ada", &[&mine, &other]).await;
    let mut session = Session::login_by_keys(host.address, "ada", &[&mine]).await.expect("logged in");
    let mut lane = session.lane().await.expect("a lane");
    let ada = "ada".parse().expect("a name");
    host.accounts().catalog.remove_key(&ada, mine.public).await.expect("removed");
    session.ended().await.expect("its session ends");
    lane.ended().await.expect("and its lanes");
    assert_eq!(fault(Session::rejoin(host.address, session.ticket).await).expect("refused").code, Code::Ticket);
    let told = fault(Session::login_by_keys(host.address, "ada", &[&mine]).await).expect("refused");
    assert_eq!(told.code, Code::Login);
    Session::login_by_keys(host.address, "ada", &[&mine, &other]).await.expect("her other key stays");
}

#[tokio::test]
async fn refused_keys_cost_what_guessed_passwords_do() {
    let host = Host::with(|config| {
        (config.penalties.user_failures, config.penalties.first_seconds) = (3, 60);
    });
    let (host, mine) = (host.await.expect("a server"), identity());
    host.add_user("ada", None).await.expect("a user");
    add(&host, "ada", &[&mine]).await;
    let wait = |fault: &Fault| fault.retry_after().map(|wait| wait.as_secs());
    let by_key = async |user: &str, key: &Identity| Session::login_by_keys(host.address, user, &[key]).await;
    // One with other keys in the agent logs in by password, over and over, and no key is held against her.
    for _ in 0..8 {
        assert_eq!(fault(by_key("ada", &identity()).await).expect("refused").code, Code::Login);
        host.login("ada").await.expect("logged in");
    }
    for user in ["ada", "nobody"] {
        for expected in [None, None, None, Some(60)] {
            let told = fault(by_key(user, &identity()).await).expect("refused");
            assert_eq!((told.code, wait(&told)), (Code::Login, expected));
        }
        // Neither the right key nor the password is looked at now.
        for told in [by_key(user, &mine).await, host.login(user).await] {
            let told = fault(told).expect("refused");
            assert!(told.code == Code::Throttled && (50..=60).contains(&wait(&told).expect("told")), "{told:?}");
        }
    }
    assert_eq!((host.refused(Reason::UserPenalty), host.refused(Reason::Login)), (4, 16));
    let elsewhere = Line::open_from(Ipv4Addr::new(127, 0, 0, 9), host.address).await.expect("connected");
    let (line, challenge) = challenged(elsewhere).await.expect("challenged");
    let proofs = vec![mine.proof(&challenge.statement(&line.binding, "ada")).expect("signed")];
    let prove = FromGuest::Prove { user: "ada".into(), proofs };
    Session::enter(host.address, line, &prove).await.expect("elsewhere she gets in");
}

#[tokio::test]
async fn a_session_by_key_comes_back_without_a_question() {
    let (mut host, mine, machine) = (host().await, identity(), Machine::new().expect("a machine"));
    add(&host, "ada", &[&mine]).await;
    let file = machine.path("id");
    mine.write(&file, Some("open sesame")).expect("written");
    let mut keyring = Keyring::default();
    keyring.add(KeyFile::read(&file).expect("read").open("open sesame").expect("opened"));
    let credentials = Credentials { keys: Some(keyring), password: None };
    let proxy = Proxy::start(host.address).await.expect("a proxy");
    let client = machine.connect_with(proxy.address, "ada", credentials, Accept::New, Options::default());
    let client = client.await.expect("connected");
    std::fs::remove_file(&file).expect("removed");
    // No ticket of before is worth anything to a server that was started anew.
    host.restart().await.expect("restarted");
    proxy.lead_to(host.address);
    let path = RemotePath::parse(b"back").expect("a path");
    let made = async || {
        client.engine.reconnect();
        client.engine.mkdir(&path, true).await.is_ok()
    };
    eventually("it logs in again", made).await;
    assert!(host.home("ada").join("back").is_dir());
}
