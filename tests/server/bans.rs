//! What is held against whom, listed and lifted by the flags of the real program on a running one; and what the
//! client's program says and exits with meanwhile is in `tests/client`.
#![expect(clippy::expect_used, reason = "a test that panics has failed as it should")]

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tests::daemon::Daemon;
use tests::host::PASSWORD;
use tests::session::{Session, fault};
use wire::Code;

const EVE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);
const MALLORY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 67);

fn daemon() -> Daemon {
    let config = "[penalties]\nuser_failures = 2\nfirst_seconds = 3000\nlongest_seconds = 3000\n";
    let daemon = Daemon::with_config(Path::new(env!("CARGO_BIN_EXE_server")), config).expect("started");
    daemon.add_user("ada", "1G").expect("added");
    daemon
}

fn run(daemon: &Daemon, flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    command.arg("--data-dir").arg(daemon.data_dir()).args(flags).output().expect("run")
}

/// What the program printed as JSON, as `source user failures`.
fn rows(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{output:?}");
    let rows: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let word = |row: &Value, key: &str| row[key].as_str().unwrap_or("*").to_owned();
    let row = |row: &Value| format!("{} {} {}", word(row, "source"), word(row, "user"), row["failures"]);
    rows.as_array().expect("a list").iter().map(row).collect()
}

async fn login(daemon: &Daemon, from: Ipv4Addr, password: &str) -> anyhow::Result<Session> {
    Session::login_from(from, daemon.address, "ada", password).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bans_are_listed_and_lifted_while_the_server_runs() {
    let mut daemon = daemon();
    assert_eq!(rows(&run(&daemon, &["--bans", "--json"])), [""; 0]);
    for from in [EVE, EVE, EVE, MALLORY, MALLORY, MALLORY] {
        assert_eq!(fault(login(&daemon, from, "guess").await).expect("refused").code, Code::Login);
    }
    for from in [EVE, MALLORY] {
        assert_eq!(fault(login(&daemon, from, PASSWORD).await).expect("refused").code, Code::Throttled);
    }
    let held = ["127.0.0.66 ada 3", "127.0.0.67 ada 3", "127.0.0.66 * 3", "127.0.0.67 * 3"];
    assert_eq!(rows(&run(&daemon, &["--bans", "--json"])), held);
    let table = String::from_utf8(run(&daemon, &["--bans"]).stdout).expect("UTF-8");
    assert!(
        table.starts_with("SOURCE      USER  FAILURES  REFUSED FOR  FORGOTTEN IN\n127.0.0.66  ada   3         50 min"),
        "{table}"
    );

    // One source, with what its users did; the other stays.
    assert_eq!(rows(&run(&daemon, &["--unban", "127.0.0.66", "--json"])), [held[0], held[2]]);
    login(&daemon, EVE, PASSWORD).await.expect("at once");
    assert_eq!(fault(login(&daemon, MALLORY, PASSWORD).await).expect("refused").code, Code::Throttled);
    assert_eq!(rows(&run(&daemon, &["--unban", "127.0.0.66", "--json"])), [""; 0]);
    let lifted = String::from_utf8(run(&daemon, &["--unban", "all"]).stdout).expect("UTF-8");
    assert!(lifted.lines().count() == 3 && lifted.contains("127.0.0.67  ada   3"), "{lifted}");
    login(&daemon, MALLORY, PASSWORD).await.expect("at once");

    // A killed server leaves its socket behind, and neither the flags nor the next start mind.
    daemon.kill().expect("killed");
    for flags in [["--bans"].as_slice(), &["--unban", "all"]] {
        let refused = run(&daemon, flags);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(1) && said.contains("no server runs on"), "{said}");
    }
    daemon.restart().expect("restarted");
    assert_eq!(rows(&run(&daemon, &["--bans", "--json"])), [""; 0]);
    let wrong = run(&daemon, &["--unban", "everybody"]);
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(wrong.status.code() == Some(2) && said.contains("nor all") && said.lines().count() == 1, "{said}");
}
