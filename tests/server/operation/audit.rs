//! One line for every change, whole, and not to be forged by names.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use server::keys::Fingerprint;
use tempfile::TempDir;
use tests::daemon::{Daemon, Signal};
use tests::files::{content, root_of};
use tests::host::{PASSWORD, eventually};
use tests::identity::Identity;
use tests::session::{Session, fault, raw};
use wire::BLOCK;
use wire::message::{Expect, Op};

use super::{daemon, logged, objects};

/// A server whose audit has a file of its own.
struct Place {
    daemon: Daemon,
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let daemon = daemon(&config(&dir.path().join("audit.log")));
        Self { daemon, dir }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("audit.log")
    }

    fn lines(&self) -> Vec<Value> {
        objects(&fs::read_to_string(self.file()).expect("read"))
    }

    /// The one line of a verb and a path.
    fn only(&self, verb: &str, path: &str) -> Value {
        let mut found: Vec<Value> =
            self.lines().into_iter().filter(|line| line["verb"] == verb && line["path"] == path).collect();
        assert_eq!(found.len(), 1, "{verb} {path}: {found:?}");
        found.remove(0)
    }

    /// So many lines of a verb, once account flags have been heard of.
    async fn has(&self, verb: &str, count: usize) -> Vec<Value> {
        let of = || self.lines().into_iter().filter(|line| line["verb"] == verb).collect::<Vec<_>>();
        eventually(verb, async || of().len() >= count).await;
        let found = of();
        assert_eq!(found.len(), count, "{verb}: {found:?}");
        found
    }
}

fn config(file: &Path) -> String {
    format!("audit_log = {:?}\n[penalties]\nuser_failures = 1000\n", file.display().to_string())
}

fn paths(path: &str, to: &str) -> [wire::message::RawPath; 2] {
    [raw(path), raw(to)]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_has_one_line() {
    let place = Place::new();
    let refused = Session::login(place.daemon.address, "ada", "guess").await;
    fault(refused).expect("refused");
    let mut session = place.daemon.login("ada").await.expect("logged in");
    let mut lane = session.lane().await.expect("a lane");
    let (small, large) = (b"small".as_slice(), content("large", 2 * BLOCK + 1));
    lane.put("small", small, Expect::Absent).await.expect("stored");
    lane.put("large", &large, Expect::Absent).await.expect("stored");
    lane.put("deep/large", &large, Expect::Absent).await.expect("stored");
    lane.put("small", b"other", Expect::Any).await.expect("replaced");
    fault(lane.put("small", small, Expect::Absent).await).expect("refused");
    let mkdir = |path: &str| Op::Mkdir { path: raw(path), parents: false };
    session.order(mkdir("dir")).await.expect("made");
    fault(session.order(mkdir("dir")).await).expect("refused");
    session.order(Op::Create { path: raw("empty") }).await.expect("made");
    let copy = |from: &str, to: &str| {
        let [from, to] = paths(from, to);
        Op::Copy { from, to, replace: false }
    };
    session.order(copy("large", "copied")).await.expect("copied");
    session.order(copy("deep", "tree")).await.expect("copied");
    let [from, to] = paths("copied", "small");
    session.order(Op::Rename { from, to, replace: true }).await.expect("renamed");
    session.order(Op::Remove { path: raw("empty"), recursive: false }).await.expect("removed");
    session.order(Op::Remove { path: raw("tree"), recursive: true }).await.expect("removed");
    let id = session.trash("large").await.expect("moved");
    session.restore(id).await.expect("back");
    let again = session.trash("deep").await.expect("moved");
    session.order(Op::EmptyTrash).await.expect("emptied");

    let root = blake3::hash(&large).to_hex().to_string();
    assert_eq!(root_of(&large).0, *blake3::hash(&large).as_bytes());
    let uploads: Vec<Value> = place.lines().into_iter().filter(|line| line["verb"] == "upload").collect();
    let told = |line: &Value| json!([line["path"], line["bytes"], line["replaced"], line["outcome"]]);
    assert_eq!(
        uploads.iter().map(told).collect::<Vec<_>>(),
        [
            json!(["small", 5, null, "done"]),
            json!(["large", large.len(), null, "done"]),
            json!(["deep/large", large.len(), null, "done"]),
            json!(["small", 5, 5, "done"]),
            json!(["small", 5, null, "exists"]),
        ]
    );
    assert_eq!(uploads[1]["root"], root);
    let connection = &uploads[0]["connection"];
    for line in &uploads {
        assert!(
            line["transfer"].is_u64() && line["source"].as_str().is_some_and(|from| from.starts_with("127.0.0.1:"))
        );
        assert!(line["user"] == "ada" && line["connection"] == *connection && line.get("by").is_none(), "{line}");
    }
    let made: Vec<Value> = place.lines().into_iter().filter(|line| line["verb"] == "mkdir").collect();
    assert_eq!(made.iter().map(|line| &line["outcome"]).collect::<Vec<_>>(), ["done", "exists"]);
    assert!(made[0]["request"].is_u64() && made[0]["connection"].is_u64());
    assert_eq!(place.only("create", "empty")["outcome"], "done");
    let copied = place.only("copy", "large");
    assert_eq!(
        [&copied["to"], &copied["root"], &copied["bytes"]],
        [&json!("copied"), &json!(root), &json!(large.len())]
    );
    let copied = place.only("copy", "deep");
    assert_eq!([&copied["to"], &copied["files"], &copied["bytes"]], [&json!("tree"), &json!(1), &json!(large.len())]);
    let renamed = place.only("rename", "copied");
    assert_eq!([&renamed["to"], &renamed["replaced"]], [&json!("small"), &json!(5)]);
    assert_eq!(place.only("remove", "empty")["files"], 1);
    assert_eq!(place.only("remove", "tree")["bytes"], large.len());
    assert_eq!([&place.only("trash", "large")["trash"], &place.only("restore", "large")["trash"]], [&json!(id); 2]);
    assert_eq!(place.only("trash", "deep")["bytes"], large.len());
    let erased = place.only("erase", "deep");
    assert_eq!(
        [&erased["trash"], &erased["bytes"], &erased["user"]],
        [&json!(again), &json!(large.len()), &json!("ada")]
    );
    place.has("empty_trash", 1).await;
    let logins = place.has("login", 2).await;
    assert_eq!(logins.iter().map(|line| &line["outcome"]).collect::<Vec<_>>(), ["login", "done"]);
    assert!(logins.iter().all(|line| line["user"] == "ada" && line["source"].is_string()));
    // All of them, and of nothing else.
    let count = place.lines().iter().filter(|line| line["by"].is_null()).count();
    assert_eq!(count, uploads.len() + made.len() + logins.len() + 11, "{:?}", place.lines());
}

#[tokio::test(flavor = "multi_thread")]
async fn account_flags_and_expiry_have_lines() {
    let place = Place::new();
    let run = |flags: &[&str], input: &str| place.daemon.run(flags, input).expect("done");
    run(&["--add-user", "bob", "--quota", "1G", "--trash", "7", "--password-stdin"], PASSWORD);
    run(&["--set-quota", "bob", "--quota", "none", "--max-files", "9"], "");
    run(&["--set-password", "bob", "--password-stdin"], "new");
    run(&["--lock-user", "bob"], "");
    run(&["--unlock-user", "bob"], "");
    run(&["--set-rate", "bob", "--rate", "50M"], "");
    let (key, file) = (Identity::new("bob's").expect("a key"), place.daemon.data_dir().with_extension("pub"));
    std::fs::write(&file, key.line().expect("a line")).expect("written");
    let print = Fingerprint::of(&key.public).to_string();
    run(&["--add-key", "bob", file.to_str().expect("UTF-8")], "");
    Session::login_by_keys(place.daemon.address, "bob", &[&key]).await.expect("logged in");
    run(&["--remove-key", "bob", &print], "");
    run(&["--unban", "192.0.2.7"], "");
    run(&["--rescan", "bob"], "");
    place.daemon.run(&["--lock-user", "nobody"], "").expect_err("no such user");
    let mut session = place.daemon.login("ada").await.expect("logged in");
    session.order(Op::Mkdir { path: raw("dir"), parents: false }).await.expect("made");
    session.trash("dir").await.expect("moved");
    run(&["--set-trash", "ada", "--trash", "none"], "");
    run(&["--remove-user", "bob"], "");
    let by = format!("operator {}", rustix::process::geteuid().as_raw());
    for (verb, count) in [("add_user", 2), ("set_password", 1), ("lock_user", 1), ("unlock_user", 1), ("rescan", 1)] {
        let lines = place.has(verb, count).await;
        assert!(lines.iter().all(|line| line["by"] == by.as_str() && line["outcome"] == "done"), "{lines:?}");
        assert_eq!(lines.last().expect("one")["user"], "bob");
    }
    assert_eq!(place.has("add_user", 2).await[1]["value"], format!("quota {}, trash 7", 1 << 30));
    assert_eq!(place.has("set_quota", 1).await[0]["value"], "quota none, max_files 9");
    assert_eq!(place.has("set_trash", 1).await[0]["value"], "trash none");
    assert_eq!(place.has("set_rate", 1).await[0]["value"], format!("rate {}", 50 << 20));
    assert_eq!(place.has("unban", 1).await[0]["value"], "192.0.2.7");
    assert_eq!(place.has("add_key", 1).await[0]["value"], print.as_str());
    assert_eq!(place.has("remove_key", 1).await[0]["value"], print.as_str());
    assert_eq!(place.has("login", 2).await[0]["value"], format!("key {print}"));
    place.has("remove_user", 1).await;
    let erased = place.has("erase", 1).await;
    assert_eq!([&erased[0]["by"], &erased[0]["path"], &erased[0]["user"]], ["server", "dir", "ada"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_account_flags_do_without_a_daemon_is_told_at_its_next_start() {
    let mut place = Place::new();
    place.has("add_user", 1).await;
    assert!(place.daemon.terminate().expect("ended").success());
    place.daemon.run(&["--lock-user", "ada"], "").expect("locked");
    assert_eq!(place.lines().iter().filter(|line| line["verb"] == "lock_user").count(), 0);
    place.daemon.restart().expect("restarted");
    place.has("lock_user", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_forge_no_line_and_are_whole() {
    let place = Place::new();
    place.has("add_user", 1).await;
    let mut session = place.daemon.login("ada").await.expect("logged in");
    let long = "x".repeat(255);
    let deep = [long.as_str(); 12].join("/");
    let names: [(&[u8], &str); 7] = [
        (b"a\n{\"verb\":\"remove\",\"path\":\"all\"}", r#"a\n{"verb":"remove","path":"all"}"#),
        (b"b\r\x1b[2Jc\x07", r"b\r\x1b[2Jc\x07"),
        (br"a\n", r"a\\n"),
        (b"\" verb=\"forged", "\" verb=\"forged"),
        (b"\xff\xfe", r"\xff\xfe"),
        ("\u{202e}txt.\u{85}exe".as_bytes(), r"\u{202e}txt.\u{85}exe"),
        (deep.as_bytes(), deep.as_str()),
    ];
    for (name, _) in names {
        session.order(Op::Mkdir { path: raw(name), parents: true }).await.expect("made");
    }
    let before = place.lines();
    for (_, shown) in names {
        assert_eq!(place.only("mkdir", shown)["outcome"], "done");
    }
    // The same in the log, as text.
    place.daemon.reload("").expect("told");
    logged(&place.daemon, "taken over").await;
    for (name, _) in names {
        session.order(Op::Remove { path: raw(name), recursive: true }).await.expect("removed");
    }
    assert_eq!(place.lines(), before, "lines go to the log now");
    let log = place.daemon.log().expect("read");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("audit: ")).collect();
    assert_eq!(lines.len(), names.len(), "{lines:?}");
    assert!(log.lines().all(|line| line.starts_with("20") && !line.contains(|c: char| c.is_control())), "{log}");
    assert!(
        lines.iter().all(|line| line.contains(" verb=\"remove\" ") && !line.contains(" verb=\"forged")),
        "{lines:?}"
    );
    assert!(lines.iter().any(|line| line.contains(&deep)), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_file_is_made_anew() {
    let place = Place::new();
    let mut session = place.daemon.login("ada").await.expect("logged in");
    let mkdir = |path: &str| Op::Mkdir { path: raw(path), parents: false };
    session.order(mkdir("a")).await.expect("made");
    fs::rename(place.file(), place.dir.path().join("audit.log.1")).expect("moved away");
    session.order(mkdir("b")).await.expect("made");
    place.daemon.signal(Signal::HUP).expect("told");
    eventually("a new file", async || place.file().exists()).await;
    session.order(mkdir("c")).await.expect("made");
    let old = objects(&fs::read_to_string(place.dir.path().join("audit.log.1")).expect("read"));
    assert_eq!(old.iter().filter(|line| line["verb"] == "mkdir").count(), 2);
    assert_eq!(place.only("mkdir", "c")["outcome"], "done");
}
