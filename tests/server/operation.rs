//! The server's real program as an operator meets it: its audit, its log, what it takes over while it runs, and how it
//! goes down.
#![cfg(test)]

#[path = "operation/audit.rs"]
mod audit;
#[path = "operation/drain.rs"]
mod drain;
#[path = "operation/log.rs"]
mod log;
#[path = "operation/reload.rs"]
mod reload;
#[path = "operation/secrets.rs"]
mod secrets;
#[path = "operation/supervisor.rs"]
mod supervisor;

use std::path::Path;

use serde_json::Value;
use tests::daemon::Daemon;

/// A server with a configuration, and Ada.
fn daemon(config: &str) -> Daemon {
    let daemon = Daemon::with_config(Path::new(env!("CARGO_BIN_EXE_server")), config).expect("started");
    daemon.add_user("ada", "none").expect("a user");
    daemon
}

/// Lines of JSON, every one of them whole.
fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))).collect()
}

/// Waits until the log holds a text.
async fn logged(daemon: &Daemon, text: &str) {
    tests::host::eventually(text, async || daemon.log().expect("read").contains(text)).await;
}
