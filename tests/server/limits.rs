//! What the operator limits and sees, on the real server program: rates that change while it runs, and its figures.

#![cfg(test)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use tests::daemon::Daemon;
use tests::files::content;
use tests::host::eventually;
use tests::session::Session;
use wire::BLOCK;
use wire::message::Expect;

fn daemon(config: &str) -> Daemon {
    let daemon = Daemon::with_config(Path::new(env!("CARGO_BIN_EXE_server")), config).expect("started");
    daemon.add_user("ada", "1GiB").expect("a user");
    daemon
}

/// Where the figures are, as the log says.
fn metrics(daemon: &Daemon) -> SocketAddr {
    let log = daemon.log().expect("read");
    let address = log.lines().find(|line| line.contains(" metrics ")).and_then(|line| line.split("address=").nth(1));
    address.unwrap_or_else(|| panic!("{log}")).trim().parse().expect("an address")
}

fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
    stream.write_all(request.as_bytes()).expect("said");
    let mut answer = String::new();
    // What was not read is no fault of the answer.
    let _ = stream.read_to_string(&mut answer);
    answer
}

/// Every sample, each line of the page being one, a comment or nothing else.
fn scrape(address: SocketAddr) -> BTreeMap<String, f64> {
    let answer = ask(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("version=0.0.4"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    let (mut samples, mut family) = (BTreeMap::new(), String::new());
    for line in body.lines() {
        if let Some(begun) = line.strip_prefix("# TYPE ") {
            let (name, kind) = begun.split_once(' ').expect("a kind");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            family = name.to_owned();
            continue;
        }
        if line.starts_with("# HELP ") {
            continue;
        }
        let (name, value) = line.rsplit_once(' ').expect("a sample");
        assert!(name.starts_with(&family), "{line} among {family}");
        let labels = name.split_once('{').map(|(_, labels)| labels.strip_suffix('}').expect("closed"));
        for label in labels.into_iter().flat_map(|labels| labels.split(',')) {
            let (label, value) = label.split_once('=').expect("a label");
            assert!(!label.is_empty() && value.len() >= 2 && value.starts_with('"') && value.ends_with('"'), "{line}");
        }
        let earlier = samples.insert(name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}")));
        assert_eq!(earlier, None, "{line}, twice");
    }
    samples
}

#[tokio::test]
async fn figures_are_told_and_move_with_what_happens() {
    let daemon = daemon("metrics = \"127.0.0.1:0\"");
    let address = metrics(&daemon);
    let before = scrape(address);
    assert_eq!(before[&format!("catamaran_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))], 1.0);
    assert_eq!((before["catamaran_sessions"], before["catamaran_files_published_total"]), (0.0, 0.0));
    assert_eq!(before["catamaran_quota_bytes{user=\"ada\"}"], (1u64 << 30) as f64);
    assert!(before["catamaran_disk_free_bytes"] > 0.0 && before["process_open_fds"] > 5.0, "also behind the wall");
    assert!(before["process_resident_memory_bytes"] < before["catamaran_memory_bound_bytes"]);

    let session = daemon.login("ada").await.expect("logged in");
    Session::login(daemon.address, "ada", "wrong").await.expect_err("refused");
    let mut lane = session.lane().await.expect("a lane");
    let bytes = content("large", 3 * BLOCK);
    lane.put("large", &bytes, Expect::Absent).await.expect("stored");
    let came = lane.get("large", &bytes[..2 * BLOCK]).await.expect("came");
    assert_eq!(came.tally.held, 2 * BLOCK as u64);
    let begun = content("begun", 4 * BLOCK);
    let mut upload = lane.begin_put("begun", &begun, Expect::Absent).await.expect("begun");
    lane.send_blocks(&mut upload, 3).await.expect("sent");

    eventually("the figures have moved", async || {
        let now = scrape(address);
        let moved = |way| now[&format!("catamaran_bytes_total{{user=\"ada\",way=\"{way}\"}}")] as usize;
        let is = |name: &str, value: f64| now[name] == value;
        is("catamaran_sessions", 1.0)
            && is("catamaran_connections{state=\"lane\"}", 1.0)
            && is("catamaran_connections{state=\"control\"}", 1.0)
            && is("catamaran_logins_total", 1.0)
            && is("catamaran_refusals_total{reason=\"login\"}", 1.0)
            && is("catamaran_files_published_total", 1.0)
            && is("catamaran_blocks_held_total{way=\"down\"}", 2.0)
            && is("catamaran_used_bytes{user=\"ada\"}", 3.0 * BLOCK as f64)
            && is("catamaran_uploads_unfinished", 1.0)
            && now["catamaran_staging_bytes"] >= 2.0 * BLOCK as f64
            && now["catamaran_sync_seconds_count"] >= 1.0
            && now["catamaran_catalog_commit_seconds_count"] >= 1.0
            && moved("up") > 5 * BLOCK
            && moved("down") > BLOCK
    })
    .await;
}

#[tokio::test]
async fn the_port_for_figures_says_nothing_else_and_holds_up_nobody() {
    let daemon = daemon("metrics = \"127.0.0.1:0\"");
    let address = metrics(&daemon);
    let long = format!("GET /metrics HTTP/1.1\r\nCookie: {}\r\n\r\n", "x".repeat(10_000));
    let table = [
        ("POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405 "),
        ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 "),
        ("GET /../../etc/passwd HTTP/1.1\r\n\r\n", "HTTP/1.1 404 "),
        ("nonsense\r\n\r\n", "HTTP/1.1 400 "),
    ];
    for (request, begin) in table {
        assert!(ask(address, request).starts_with(begin), "{request}");
    }
    // Its answer may be lost over what was not read.
    assert!(!ask(address, &long).contains("200 OK"));
    // As many as are answered at once, and more, say nothing; files are served, and they are dropped.
    let silent: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(address).expect("connected")).collect();
    let session = daemon.login("ada").await.expect("logged in");
    session.lane().await.expect("a lane").put("f", b"f", Expect::Absent).await.expect("stored");
    for mut stream in silent {
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        let _ = stream.shutdown(Shutdown::Write);
        assert!(stream.read_to_end(&mut Vec::new()).is_ok_and(|read| read < 1000) || stream.peek(&mut [0]).is_err());
    }
    assert!(scrape(address)["catamaran_files_published_total"] >= 1.0);
}

#[tokio::test]
async fn a_rate_that_is_set_counts_at_once() {
    let daemon = daemon("durability = \"relaxed\"");
    let session = daemon.login("ada").await.expect("logged in");
    let mut lane = session.lane().await.expect("a lane");
    let bytes = content("bytes", 1 << 20);
    daemon.run(&["--set-rate", "ada", "--rate", "256K"], "").expect("set");
    eventually("it is held to", async || {
        let start = Instant::now();
        lane.put("file", &bytes, Expect::Any).await.expect("stored");
        start.elapsed() > Duration::from_secs(2)
    })
    .await;
    daemon.run(&["--set-rate", "ada", "--rate", "none"], "").expect("set");
    eventually("it is lifted", async || {
        let start = Instant::now();
        lane.put("file", &bytes, Expect::Any).await.expect("stored");
        start.elapsed() < Duration::from_secs(1)
    })
    .await;
}
