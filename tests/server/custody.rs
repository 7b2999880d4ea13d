//! Custody, through the real program beside a running one: flipped bits are found and never delivered, rounds go on
//! where they were cut off, ledgers and homes that somebody changed by hand are set right, and what nobody goes on
//! with expires.

#![cfg(test)]

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use rusqlite::Connection;
use serde_json::{Value, json};
use tests::daemon::Daemon;
use tests::files::content;
use tests::host::eventually;
use tests::session::{Lane, Session, fault, raw};
use wire::block::BLOCK;
use wire::message::{Expect, Notice, Op};
use wire::{Code, RemotePath};

struct Place {
    daemon: Daemon,
    session: Session,
    lane: Lane,
}

async fn place() -> Place {
    let daemon = Daemon::start(Path::new(env!("CARGO_BIN_EXE_server"))).expect("started");
    daemon.add_user("ada", "100M").expect("a user");
    let session = daemon.login("ada").await.expect("logged in");
    let lane = session.lane().await.expect("a lane");
    Place { daemon, session, lane }
}

impl Place {
    async fn put(&mut self, path: &str, bytes: &[u8]) {
        self.lane.put(path, bytes, Expect::Any).await.expect("stored");
    }

    /// What a flag prints, line by line, and what it exits with.
    fn check(&self, flags: &[&str]) -> (i32, Vec<Value>) {
        let output = self.daemon.try_run(&[flags, &["--json"]].concat()).expect("run");
        let out = String::from_utf8(output.stdout).expect("UTF-8");
        let rows = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        (output.status.code().expect("not by a signal"), rows)
    }

    /// Verifies; the findings as `(path, finding)`, and the exit code.
    fn verify(&self, flags: &[&str]) -> (i32, Vec<(String, String)>, Value) {
        let (code, mut rows) = self.check(&[&["--verify"], flags].concat());
        let summary = rows.pop().unwrap_or_default();
        let text = |row: &Value, key: &str| row[key].as_str().expect("a text").to_owned();
        (code, rows.iter().map(|row| (text(row, "path"), text(row, "finding"))).collect(), summary)
    }

    fn clean(&self, files: u64) {
        let (code, found, summary) = self.verify(&[]);
        assert_eq!((code, found.as_slice(), &summary["files"]), (0, [].as_slice(), &json!(files)), "{summary}");
    }

    fn sql(&self, text: &str) -> usize {
        catalog(&self.daemon).execute(text, []).expect("run")
    }

    async fn refused(&mut self, path: &str) -> Code {
        fault(self.lane.get(path, b"").await).expect("refused").code
    }
}

fn catalog(daemon: &Daemon) -> Connection {
    Connection::open(daemon.data_dir().join("catalog.sqlite")).expect("opened")
}

fn flip(path: &Path, at: u64) {
    tests::files::flip(path, at).expect("flipped");
}

fn found(path: &str, finding: &str) -> (String, String) {
    (path.to_owned(), finding.to_owned())
}

#[tokio::test]
async fn a_flipped_bit_is_found_is_not_delivered_and_can_be_repaired() {
    let mut place = place().await;
    let large = content("large", 5 * BLOCK + 77);
    place.put("dir/large", &large).await;
    place.put("dir/small", b"small").await;
    place.put("whole", b"whole").await;
    place.clean(3);
    let home = place.daemon.home("ada");
    flip(&home.join("dir/large"), 3 * BLOCK as u64 + 5);
    flip(&home.join("dir/small"), 2);
    // Whoever downloads it before that was found has its hash, and finds it himself.
    for (path, block) in [("dir/large", 3), ("dir/small", 0)] {
        let mut own = place.session.lane().await.expect("a lane");
        let refused = own.get(path, b"").await.expect_err("noticed when it comes");
        assert_eq!(refused.to_string(), format!("block {block} came damaged"));
    }

    let damaged = [found("/dir/large", "damaged"), found("/dir/small", "damaged")];
    for _ in 0..2 {
        let (code, all, summary) = place.verify(&["ada"]);
        assert_eq!((code, all.as_slice()), (1, damaged.as_slice()));
        assert_eq!((&summary["files"], &summary["damaged"]), (&json!(3), &json!(2)));
    }
    let output = place.daemon.try_run(&["--verify"]).expect("run");
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(out.starts_with("damaged  ada  /dir/large\ndamaged  ada  /dir/small\n3 files, "), "{out}");

    // From now on nothing is made of it that would pass for proven.
    assert_eq!([place.refused("dir/large").await, place.refused("dir/small").await], [Code::Damaged; 2]);
    assert_eq!(fault(place.session.hash("dir/small").await).expect("refused").code, Code::Damaged);
    let copy = Op::Copy { from: raw("dir/large"), to: raw("copy"), replace: false };
    assert_eq!(fault(place.session.order(copy).await).expect("refused").code, Code::Damaged);
    assert_eq!(place.session.stat("dir/large").await.expect("there").root, None);
    assert!(place.lane.get("whole", b"").await.expect("got").content == b"whole");
    // It goes along where the file goes.
    let rename = Op::Rename { from: raw("dir"), to: raw("moved"), replace: false };
    place.session.order(rename).await.expect("renamed");
    assert_eq!(place.refused("moved/large").await, Code::Damaged);

    // A good copy in its place: only the block that is damaged travels.
    let tally = place.lane.put("moved/large", &large, Expect::Any).await.expect("stored");
    assert_eq!((tally.sent, tally.held), (BLOCK as u64, large.len() as u64 - BLOCK as u64));
    place.put("moved/small", b"small").await;
    assert!(place.lane.get("moved/large", b"").await.expect("got").content == large);
    place.clean(3);
}

#[tokio::test]
async fn damage_is_found_by_copying_and_by_replacing_before_anybody_verifies() {
    let mut place = place().await;
    let bytes = content("file", 4 * BLOCK);
    let home = place.daemon.home("ada");
    place.put("copied", &bytes).await;
    flip(&home.join("copied"), BLOCK as u64);
    let copy = Op::Copy { from: raw("copied"), to: raw("copy"), replace: false };
    assert_eq!(fault(place.session.order(copy).await).expect("refused").code, Code::Damaged);
    assert!(!home.join("copy").exists());
    assert_eq!(place.refused("copied").await, Code::Damaged);

    place.put("replaced", &bytes).await;
    flip(&home.join("replaced"), BLOCK as u64);
    let mut newer = bytes.clone();
    newer[0] ^= 1;
    // It was said to hold what it no longer holds: the sender is to start over, and then all is well.
    let again = fault(place.lane.put("replaced", &newer, Expect::Any).await).expect("told");
    assert_eq!(again.code, Code::Changed);
    let tally = place.lane.put("replaced", &newer, Expect::Any).await.expect("stored");
    assert_eq!(tally.sent + tally.held, newer.len() as u64);
    assert!(place.lane.get("replaced", b"").await.expect("got").content == newer);
    let log = place.daemon.log().expect("read");
    let lines = log.lines().filter(|line| line.contains("a stored file is not what its record says"));
    assert_eq!(lines.count(), 2, "{log}");
}

#[tokio::test]
async fn what_was_done_by_hand_is_told_and_taken_up() {
    let mut place = place().await;
    let home = place.daemon.home("ada");
    for name in ["changed", "removed", "dir/kept", "replaced"] {
        place.put(name, name.as_bytes()).await;
    }
    fs::write(home.join("changed"), "longer than before").expect("written");
    fs::remove_file(home.join("removed")).expect("removed");
    fs::write(home.join("dir/new"), content("new", 2 * BLOCK)).expect("written");
    fs::remove_file(home.join("replaced")).expect("removed");
    fs::create_dir(home.join("replaced")).expect("made");
    let by_hand = [found("/changed", "changed"), found("/removed", "missing"), found("/replaced", "missing")];
    assert_eq!(place.verify(&[]).1, by_hand);

    let held = 18 + 8 + 2 * BLOCK as u64;
    let (code, rows) = place.check(&["--verify-ledger", "ada"]);
    let balance = json!([{
        "user": "ada",
        "ledger": {"bytes": 7 + 7 + 8 + 8, "files": 4},
        "found": {"bytes": held, "files": 3},
    }]);
    assert_eq!((code, json!(rows)), (1, balance.clone()));
    assert_eq!(json!(place.check(&["--verify-ledger"]).1), balance, "nothing was changed");

    let (code, rows) = place.check(&["--rescan"]);
    let rescanned = json!([{
        "user": "ada",
        "before": {"bytes": 30, "files": 4},
        "after": {"bytes": held, "files": 3},
        "taken": 2, "dropped": 2, "damaged": 0, "unreadable": 0,
    }]);
    assert_eq!((code, json!(rows)), (0, rescanned));
    place.clean(3);
    assert_eq!(place.check(&["--verify-ledger"]).0, 0);
    let usage = place.session.space().await.expect("told");
    assert_eq!((usage.used, usage.files), (held, 3));
    assert!(place.session.notices.iter().any(|it| matches!(it, Notice::Usage(usage) if usage.used == held)));
    assert!(place.session.stat("dir/new").await.expect("there").root.is_some());
    place.put("more", b"more").await;
}

#[tokio::test]
async fn without_a_daemon_the_flag_does_it_itself() {
    let mut place = place().await;
    place.put("file", &content("file", 2 * BLOCK + 1)).await;
    place.daemon.terminate().expect("ended");
    place.sql("UPDATE users SET used = 1, files = 7");
    assert_eq!(place.check(&["--verify-ledger"]).0, 1);
    let (code, rows) = place.check(&["--rescan", "ada"]);
    assert_eq!((code, &rows[0]["before"]["files"], &rows[0]["after"]["files"]), (0, &json!(7), &json!(1)));
    assert_eq!(place.check(&["--verify-ledger"]).0, 0);
    place.clean(1);
}

#[tokio::test]
async fn a_backup_that_was_put_back_is_proven_and_damage_in_it_is_found() {
    let mut place = place().await;
    let home = place.daemon.home("ada");
    for name in ["good", "bad"] {
        place.put(name, &content(name, BLOCK + 3)).await;
        // Another file with the same size, time and content.
        let modified = home.join(name).metadata().and_then(|metadata| metadata.modified()).expect("a time");
        fs::copy(home.join(name), home.join("restored")).expect("copied");
        fs::rename(home.join("restored"), home.join(name)).expect("renamed");
        File::options().write(true).open(home.join(name)).expect("opened").set_modified(modified).expect("set");
    }
    flip(&home.join("bad"), 7);
    let (_, rows) = place.check(&["--rescan"]);
    assert_eq!((&rows[0]["taken"], &rows[0]["damaged"]), (&json!(0), &json!(1)), "{rows:?}");
    assert_eq!(place.verify(&[]).1, [found("/bad", "damaged")]);
    assert_eq!(place.refused("bad").await, Code::Damaged);
    assert!(place.session.stat("good").await.expect("there").root.is_some(), "its record holds again");
}

#[tokio::test]
async fn what_lies_in_the_trash_is_looked_after_too() {
    let mut place = place().await;
    place.put("dir/file", b"file").await;
    let id = place.session.trash("dir").await.expect("moved");
    place.clean(1);
    flip(&place.daemon.trash("ada").join(format!("{id}/file")), 0);
    let (code, rows) = place.check(&["--verify"]);
    let finding = json!({"user": "ada", "path": format!("/{id}/file"), "in_trash": true, "finding": "damaged"});
    assert_eq!((code, &rows[0]), (1, &finding));
    place.session.restore(id).await.expect("restored");
    assert_eq!(place.refused("dir/file").await, Code::Damaged);
}

#[tokio::test]
async fn a_round_that_was_killed_goes_on_and_tells_what_it_had_found() {
    const FILES: i64 = 60;
    let mut place = place().await;
    for number in 0..FILES {
        place.put(&format!("{number:02}"), &content("file", 128 << 10)).await;
    }
    let home = place.daemon.home("ada");
    flip(&home.join("00"), 1);
    // 7.5 MiB: longer than it takes until it is kept how far it came.
    let mut command = place.daemon.command(&["--verify", "--rate", "1M"]);
    let mut running = command.stdout(Stdio::null()).spawn().expect("started");
    let progress = || {
        let query = "SELECT files FROM rounds WHERE scope = 0";
        catalog(&place.daemon).query_row(query, [], |row| row.get::<_, i64>(0)).unwrap_or(0)
    };
    eventually("it has come some way", async || progress() > 10).await;
    running.kill().expect("killed");
    running.wait().expect("ended");
    let before = progress();
    assert!(before < FILES, "it was cut off");

    // What it has passed by is not read again: this would be found.
    flip(&home.join("01"), 1);
    let (code, all, summary) = place.verify(&[]);
    assert_eq!((code, all), (1, vec![found("/00", "damaged")]));
    assert_eq!(summary["files"], FILES);
    // A round of one account is another round.
    let both = vec![found("/00", "damaged"), found("/01", "damaged")];
    assert_eq!(place.verify(&["ada"]).1, both);
    assert_eq!(place.verify(&["--from-start"]).1, both);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_meanwhile_is_neither_stopped_nor_accused() {
    let mut place = place().await;
    for number in 0..40 {
        place.put(&format!("still/{number}"), &content("still", 30_000)).await;
    }
    let writer = place.daemon.login("ada").await.expect("logged in");
    let mut lane = writer.lane().await.expect("a lane");
    let mut session = writer;
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let writing = tokio::spawn(async move {
        let mut rounds = 0_usize;
        while stopped.try_recv().is_err() {
            let bytes = content(&rounds.to_string(), 50_000 + 1_000 * (rounds % 9));
            for name in ["a/one", "a/two", "b"] {
                lane.put(name, &bytes, Expect::Any).await.expect("stored");
            }
            let rename = Op::Rename { from: raw("a"), to: raw(format!("c{}", rounds % 2)), replace: false };
            session.order(rename).await.expect("renamed");
            session.trash("b").await.expect("moved");
            let target = raw(format!("c{}", rounds % 2));
            session.order(Op::Remove { path: target, recursive: true }).await.expect("removed");
            if rounds.is_multiple_of(5) {
                session.order(Op::EmptyTrash).await.expect("emptied");
            }
            rounds += 1;
        }
        rounds
    });
    for round in 0..12 {
        let (code, all, summary) = place.verify(&["--from-start"]);
        assert_eq!((code, all), (0, vec![]), "round {round}: {summary}");
        assert!(summary["files"].as_u64() >= Some(40), "{summary}");
    }
    for _ in 0..3 {
        let (code, rows) = place.check(&["--rescan"]);
        assert_eq!((code, &rows[0]["dropped"], &rows[0]["damaged"]), (0, &json!(0), &json!(0)), "{rows:?}");
    }
    stop.send(()).expect("told");
    assert!(writing.await.expect("no panic") > 0);
    assert_eq!(place.check(&["--verify-ledger"]).0, 0);
    assert_eq!(place.verify(&[]).0, 0);
}

#[tokio::test]
async fn the_daemon_verifies_by_the_clock_and_logs_a_line_for_each_file() {
    let mut place = place().await;
    place.put("dir/file", &content("file", BLOCK + 1)).await;
    place.put("good", b"good").await;
    flip(&place.daemon.home("ada").join("dir/file"), 9);
    eventually("the first round, of nothing, is over", async || {
        place.sql("UPDATE rounds SET started = started - 31 * 86400 WHERE scope = -1 AND ended IS NOT NULL") == 1
    })
    .await;
    place.daemon.terminate().expect("ended");
    place.daemon.restart().expect("restarted");
    let lines = || {
        let log = place.daemon.log().expect("read");
        let told = log.lines().filter(|line| line.contains("a stored file is not what its record says"));
        told.map(str::to_owned).collect::<Vec<_>>()
    };
    eventually("it is told", async || !lines().is_empty()).await;
    eventually("the round is over", async || {
        place.daemon.log().expect("read").contains("all files verified; some are not what their records say")
    })
    .await;
    let [line] = &lines()[..] else { panic!("{:?}", lines()) };
    assert!(
        line.contains("user=ada") && line.contains("path=/dir/file") && line.contains("finding=\"damaged\""),
        "{line}"
    );
    assert!(line.contains("ERROR"), "{line}");
}

#[tokio::test]
async fn a_change_that_a_crash_cut_off_leaves_no_record_astray() {
    let mut place = place().await;
    for name in ["moved/a", "moved/b/c", "half/gone", "half/kept", "lost", "trashed/a"] {
        place.put(name, name.as_bytes()).await;
    }
    let id = place.session.trash("trashed").await.expect("moved");
    place.daemon.kill().expect("killed");
    // As far as each had come: a rename, a deletion, a restoration. What is lost was touched by nobody.
    let (home, trash) = (place.daemon.home("ada"), place.daemon.trash("ada"));
    fs::rename(home.join("moved"), home.join("there")).expect("renamed");
    fs::remove_file(home.join("half/gone")).expect("removed");
    fs::rename(trash.join(id.to_string()), home.join("trashed")).expect("renamed");
    fs::remove_file(home.join("lost")).expect("removed");
    let mark = |from: &str, to: &str| {
        place.sql(&format!("INSERT INTO changes (user, dir, name, to_dir, to_name) VALUES (1, {from}, {to})"))
    };
    let name = |name: &str| format!("x'', CAST('{name}' AS BLOB)");
    mark(&name("moved"), &name("there"));
    mark(&name("half"), "NULL, NULL");
    mark(&format!("x'00', CAST('{id}' AS BLOB)"), &name("trashed"));
    place.daemon.restart().expect("restarted");
    assert_eq!(place.verify(&[]).1, [found("/lost", "missing")]);
    place.session = place.daemon.login("ada").await.expect("logged in");
    for name in ["there/a", "there/b/c", "half/kept", "trashed/a"] {
        assert!(place.session.stat(name).await.expect("there").root.is_some(), "{name} is known as before");
    }
    assert_eq!(place.check(&["--verify-ledger"]).0, 0);
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_told_apart_from_damage() {
    let place = place().await;
    for flags in [["--verify", "bob"], ["--verify-ledger", "bob"]] {
        let output = place.daemon.try_run(&flags).expect("run");
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "server: there is no user `bob`\n");
    }
    assert_eq!(place.daemon.try_run(&["--rescan", "bob"]).expect("run").status.code(), Some(1));
    for flags in [["--verify", "--rate=1K"], ["--verify-ledger", "--rate=1M"], ["--rescan", "--from-start"]] {
        assert_eq!(place.daemon.try_run(&flags).expect("run").status.code(), Some(2), "{flags:?}");
    }
    fs::remove_dir_all(place.daemon.data_dir().join("users/ada")).expect("removed");
    assert_eq!(place.daemon.try_run(&["--verify-ledger"]).expect("run").status.code(), Some(2));
}

/// Sends the first blocks of a file and loses the connection once they lie in staging.
async fn half_sent(place: &Place, name: &str, bytes: &[u8]) {
    let mut lane = place.session.lane().await.expect("a lane");
    let mut upload = lane.begin_put(name, bytes, Expect::Any).await.expect("accepted");
    lane.send_blocks(&mut upload, 3).await.expect("sent");
    let staged = server::vault::staging_name(&RemotePath::parse(name.as_bytes()).expect("a path"));
    let staged = place.daemon.staging("ada").join(staged);
    eventually("three blocks lie in staging", async || {
        staged.metadata().is_ok_and(|found| found.len() >= 3 * BLOCK as u64)
    })
    .await;
}

fn uploads(daemon: &Daemon) -> Value {
    let output = daemon.run(&["--uploads", "--json"], "").expect("run");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn unfinished_uploads_are_listed_and_expire_while_the_daemon_runs_and_at_a_start() {
    let mut place = place().await;
    let bytes = content("file", 6 * BLOCK);
    half_sent(&place, "young", &bytes).await;
    for by_start in [false, true] {
        half_sent(&place, "old", &bytes).await;
        let listed = uploads(&place.daemon);
        let [_, upload] = listed.as_array().expect("a list").as_slice() else { panic!("{listed}") };
        assert_eq!(
            (&upload["user"], &upload["path"], &upload["size"]),
            (&json!("ada"), &json!("/old"), &json!(6 << 20))
        );
        assert!(upload["staged"].as_u64() >= Some(3 << 20), "what it is charged with: {upload}");
        let since = std::time::UNIX_EPOCH.elapsed().expect("a time").as_secs();
        assert!(upload["touched"].as_u64().is_some_and(|touched| since - touched < 60), "{upload}");
        // Nothing is promised to it any more.
        let session = &mut place.session;
        eventually("its promise is over", async || session.space().await.expect("told").reserved == 0).await;

        if by_start {
            place.daemon.kill().expect("killed");
        }
        place.sql(
            "UPDATE uploads SET since = (SELECT counted FROM clock) - iif(name = CAST('old' AS BLOB), 14, 13) * 86400",
        );
        if by_start {
            place.daemon.restart().expect("restarted");
            place.session = place.daemon.login("ada").await.expect("logged in");
        }
        let left = || {
            let listed = uploads(&place.daemon);
            let paths = listed.as_array().expect("a list").iter().map(|upload| upload["path"].clone());
            (paths.collect::<Vec<_>>(), place.daemon.staging("ada").read_dir().expect("read").count())
        };
        eventually("it has expired, and the other one has not", async || left() == (vec![json!("/young")], 1)).await;
    }
}

#[tokio::test]
async fn an_upload_that_runs_does_not_expire() {
    let mut place = place().await;
    let bytes = content("file", 6 * BLOCK);
    let mut upload = place.lane.begin_put("file", &bytes, Expect::Any).await.expect("accepted");
    place.lane.send_blocks(&mut upload, 3).await.expect("sent");
    assert_eq!(place.sql("UPDATE uploads SET since = 0"), 1);
    // A second one, whose expiry shows that it was looked.
    let mut other = place.session.lane().await.expect("a lane");
    let second = other.begin_put("other", &bytes, Expect::Any).await.expect("accepted");
    let abandon = wire::message::Lane::Abandon { transfer: second.transfer, keep: true };
    other.line.say(&abandon).await.expect("said");
    eventually("the other one has expired", async || {
        place.sql("UPDATE uploads SET since = 0");
        uploads(&place.daemon).as_array().map(Vec::len) == Some(1)
    })
    .await;
    place.lane.send_blocks(&mut upload, u64::MAX).await.expect("sent");
    place.lane.seal(&upload).await.expect("said");
    place.lane.stored(&upload).await.expect("stored");
    assert!(place.lane.get("file", b"").await.expect("got").content == bytes);
}
