//! SIGHUP: limits, certificate and level of the log are taken over while sessions go on; a file that is not good
//! changes nothing.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use tests::client::{Accept, Machine, Options};
use tests::daemon::{Daemon, Signal};
use tests::host::{PASSWORD, eventually};
use tests::session::{Session, fault, raw};
use wire::Code;
use wire::message::Op;

use super::{daemon, logged};

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_the_level_of_the_log_are_taken_over() {
    let daemon = daemon("[limits]\nper_user = 1\nlanes_per_session = 1\n[penalties]\nuser_failures = 1000\n");
    let mut first = daemon.login("ada").await.expect("logged in");
    let _lane = first.lane().await.expect("a lane");
    assert_eq!(fault(daemon.login("ada").await).expect("refused").code, Code::Busy);
    assert_eq!(fault(first.lane().await).expect("refused").code, Code::Busy);
    assert!(!daemon.log().expect("read").contains("DEBUG"));

    let more = "[limits]\nper_user = 2\nlanes_per_session = 2\n[penalties]\nuser_failures = 1\nfirst_seconds = 60\n";
    daemon.reload(&format!("{more}[log]\nlevel = \"debug\"\n")).expect("told");
    logged(&daemon, "taken over").await;
    let _second = daemon.login("ada").await.expect("there is room");
    let _lane = first.lane().await.expect("there is room");
    first.ping().await.expect("the session goes on");
    assert!(daemon.log().expect("read").contains("DEBUG"));
    for code in [Code::Login, Code::Login, Code::Throttled] {
        let refused = Session::login(daemon.address, "ada", "guess").await;
        assert_eq!(fault(refused).expect("refused").code, code);
    }
    // And fewer: those who are in stay.
    daemon.reload("[limits]\nper_user = 1\nmax_connections = 3\n").expect("told");
    eventually("taken over again", async || daemon.log().expect("read").matches("taken over").count() == 2).await;
    assert_eq!(fault(Session::login(daemon.address, "ada", PASSWORD).await).expect("refused").code, Code::Busy);
    first.order(Op::Mkdir { path: raw("dir"), parents: false }).await.expect("the session goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_closed_is_no_reload() {
    let dir = tempfile::tempdir().expect("a directory");
    let server =
        format!("exec {} --data-dir {} --listen 127.0.0.1:0", env!("CARGO_BIN_EXE_server"), dir.path().display());
    let mut script = Command::new("script");
    script.args(["-qfec", &server, "/dev/null"]).env("SHELL", "/bin/sh").stdin(Stdio::null()).stdout(Stdio::piped());
    let Ok(mut terminal) = script.spawn() else {
        writeln!(std::io::stderr(), "not shown: there is no program `script`").expect("told");
        return;
    };
    let lines = BufReader::new(terminal.stdout.take().expect("a pipe")).lines();
    let address =
        lines.map_while(Result::ok).find_map(|line| line.trim().strip_prefix("listening on ").map(str::to_owned));
    let address: SocketAddr = address.expect("it is ready").parse().expect("an address");
    tests::session::greeted(address).await.expect("it listens");
    terminal.kill().and_then(|()| terminal.wait()).expect("closed");
    eventually("it ends", async || tokio::net::TcpStream::connect(address).await.is_err()).await;
}

/// Makes a key and a certificate under the names that configurations of this file use.
fn identity(dir: &Path) -> (String, String) {
    let place = tempfile::tempdir().expect("a directory");
    let binary = env!("CARGO_BIN_EXE_server");
    let made = Command::new(binary).arg("--data-dir").arg(place.path()).arg("--fingerprint").output();
    let fingerprint = String::from_utf8(made.expect("run").stdout).expect("UTF-8").trim().to_owned();
    for (from, to) in [("cert.pem", "c.pem"), ("key.pem", "k.pem")] {
        // As a program that renews certificates does it: beside, then over.
        let new = dir.join(format!("{to}.new"));
        fs::copy(place.path().join("identity").join(from), &new).expect("copied");
        fs::rename(new, dir.join(to)).expect("renamed");
    }
    let (certificate, key) = (dir.join("c.pem"), dir.join("k.pem"));
    (fingerprint, format!("certificate = {certificate:?}\nkey = {key:?}\n"))
}

/// Whether a new client finds exactly this key.
async fn shows(daemon: &Daemon, fingerprint: &str) -> bool {
    let accept = Accept::Fingerprint(fingerprint.parse().expect("a fingerprint"));
    let machine = Machine::new().expect("a machine");
    machine.try_connect(daemon.address, "ada", PASSWORD, accept, Options::default()).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn new_connections_get_the_new_certificate_and_sessions_go_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let (first, config) = identity(dir.path());
    let daemon = daemon(&config);
    let mut session = daemon.login("ada").await.expect("logged in");
    assert!(shows(&daemon, &first).await);
    let (second, _) = identity(dir.path());
    assert!(shows(&daemon, &first).await, "not before it is told");
    daemon.signal(Signal::HUP).expect("told");
    logged(&daemon, "taken over").await;
    assert!(shows(&daemon, &second).await && !shows(&daemon, &first).await);
    let log = daemon.log().expect("read");
    assert!(log.contains("another key") && log.contains(&first) && log.contains(&second), "{log}");
    session.order(Op::Mkdir { path: raw("dir"), parents: false }).await.expect("the session goes on");
    session.lane().await.expect("with a new connection, too");

    // A key that does not fit is not taken.
    fs::write(dir.path().join("k.pem"), "nothing").expect("written");
    daemon.signal(Signal::HUP).expect("told");
    logged(&daemon, "k.pem does not hold a private key in PEM form").await;
    assert!(shows(&daemon, &second).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_changes_nothing_and_what_cannot_change_is_named() {
    let daemon = daemon("[limits]\nper_user = 1\n");
    let mut session = daemon.login("ada").await.expect("logged in");
    let file = daemon.place().join("server.toml").display().to_string();
    let elsewhere = tempfile::tempdir().expect("a directory");
    let (_, far) = identity(elsewhere.path());
    let table = [
        ("[limits]\nper_user = 5\nguests = 0\n".to_owned(), " line 3: limits.guests is 0; allowed are 1 to 1000000"),
        (
            "[limits]\nper_user = 5\nguest = 7\n".to_owned(),
            " line 3: there is no setting `limits.guest`; `limits.guests`?",
        ),
        (
            "audit_log = \"/nowhere/audit.log\"\n[limits]\nper_user = 5\n".to_owned(),
            "cannot write to /nowhere/audit.log",
        ),
        (far, "c.pem"),
    ];
    for (number, (config, said)) in table.iter().enumerate() {
        daemon.reload(config).expect("told");
        let refusals = || {
            let log = daemon.log().expect("read");
            log.lines().filter(|line| line.contains("not taken over")).map(str::to_owned).collect::<Vec<_>>()
        };
        eventually("it is refused", async || refusals().len() == number + 1).await;
        let last = refusals().pop().expect("a line");
        assert!(last.contains(said) && last.contains("ERROR"), "{last}");
        assert!(number > 1 || last.contains(&file), "{last}");
        assert_eq!(fault(daemon.login("ada").await).expect("as before").code, Code::Busy);
    }
    let log = daemon.log().expect("read");
    if log.contains("landlock=\"whole\"") || log.contains("landlock=\"partly") {
        assert!(log.contains("others need a restart"), "why a file that is there cannot be read: {log}");
    }

    let kept = "listen = \"127.0.0.1:1\"\ndurability = \"relaxed\"\nlandlock = false\n\
                [limits]\nper_user = 2\n[log]\nformat = \"json\"\n";
    daemon.reload(kept).expect("told");
    logged(&daemon, "the configuration was taken over").await;
    let log = daemon.log().expect("read");
    let named: Vec<&str> = log.lines().filter(|line| line.contains("counts only from the next start on")).collect();
    // The address is a flag's, which goes before the file.
    assert_eq!(named.len(), 3, "{named:?}");
    for (line, key) in named.iter().zip(["durability", "landlock", "log.format"]) {
        assert!(line.contains("WARN") && line.contains(&format!("key=\"{key}\"")), "{line}");
    }
    daemon.login("ada").await.expect("what can be changed is");
    session.ping().await.expect("the session goes on");
}
