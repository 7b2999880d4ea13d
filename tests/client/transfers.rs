//! Trees, policies, odd names, interruptions: what arrives is what was sent, and nothing travels twice.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tests::files::{content, paths, root, root_of, write};
use tests::host::eventually;

use crate::program::{Program, Run};

const MIB: u64 = 1 << 20;

fn figures(line: &Value) -> (u64, u64, u64) {
    let figure = |name: &str| line[name].as_u64().expect(name);
    (figure("bytes"), figure("sent"), figure("held"))
}

/// Bytes that a file on the disk really has, holes left out.
fn allocated(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.blocks() * 512)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_killed_goes_on_where_it_stopped() {
    let program = Program::new().await;
    let target = program.target();
    let source = program.path("large");
    let proof = write(&source, "large", 96 * MIB).expect("written");
    let mut child = program.start(["put", &target, "large", "/", "--limit", "64M"]);
    let staging = program.host.staging("ada");
    let staged = || paths(&staging).unwrap_or_default().iter().map(|path| allocated(path)).sum::<u64>();
    eventually("half of it has arrived", async || staged() > 48 * MIB).await;
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(!program.home("large").exists(), "half a file shows");

    let run = program.run(["put", &target, "large", "/", "--json"]).await.ended(0);
    let (bytes, sent, held) = figures(run.file());
    assert_eq!((bytes, sent + held), (96 * MIB, 96 * MIB));
    assert!(held >= 40 * MIB, "held {held}");
    assert_eq!(run.file()["root"], proof.to_string());
    assert_eq!(root(&program.home("large")).expect("read"), proof);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_was_killed_goes_on_where_it_stopped_and_finds_damage() {
    let program = Program::new().await;
    let target = program.target();
    let proof = write(&program.home("large"), "large", 96 * MIB).expect("written");
    let mut child = program.start(["get", &target, "/large", "down", "--limit", "64M"]);
    let part = program.path("down/.large.catamaran-part");
    eventually("half of it has arrived", async || allocated(&part) > 48 * MIB).await;
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(!program.path("down/large").exists(), "half a file shows");
    // One byte of a block that had arrived is flipped on the disk.
    let file = fs::File::options().write(true).open(&part).expect("opened");
    std::os::unix::fs::FileExt::write_at(&file, b"\xff\x00\xff", 5 * MIB + 17).expect("damaged");

    let run = program.run(["get", &target, "/large", "down", "--json"]).await.ended(0);
    let (bytes, sent, held) = figures(run.file());
    assert_eq!((bytes, sent + held), (96 * MIB, 96 * MIB));
    assert!(held >= 40 * MIB, "held {held}");
    assert_eq!(root(&program.path("down/large")).expect("read"), proof);
    assert!(!part.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_changed_between_two_tries_is_sent_as_it_is_now() {
    let program = Program::new().await;
    let target = program.target();
    write(&program.path("file"), "first", 24 * MIB).expect("written");
    program.run(["put", &target, "file", "/"]).await.ended(0);
    let mut bytes = content("first", 24 * MIB as usize);
    bytes[9 * MIB as usize + 5] ^= 1;
    bytes.extend_from_slice(b"and more");
    program.write("file", &bytes);
    let run = program.run(["put", &target, "file", "/", "--json", "--if-exists", "update"]).await.ended(0);
    assert_eq!(figures(run.file()), (24 * MIB + 8, MIB + 8, 23 * MIB));
    assert_eq!(root(&program.home("file")).expect("read"), root_of(&bytes));

    // And back, onto the old version of it.
    write(&program.path("back/file"), "first", 24 * MIB).expect("written");
    let run = program.run(["get", &target, "/file", "back", "--json", "--if-exists", "overwrite"]).await.ended(0);
    assert_eq!(figures(run.file()), (24 * MIB + 8, MIB + 8, 23 * MIB));
    assert_eq!(root(&program.path("back/file")).expect("read"), root_of(&bytes));
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_keeps_what_has_arrived() {
    let program = Program::new().await;
    let target = program.target();
    write(&program.path("large"), "large", 64 * MIB).expect("written");
    let child = program.start(["put", &target, "large", "/", "--limit", "32M", "--json"]);
    let staging = program.host.staging("ada");
    eventually("some of it has arrived", async || {
        paths(&staging).unwrap_or_default().iter().any(|path| allocated(path) > 16 * MIB)
    })
    .await;
    let pid = rustix_pid(child.id());
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("interrupted");
    let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.expect("joined").expect("ended");
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8_lossy(&output.stdout).contains("cancelled"), "{output:?}");
    let run = program.run(["put", &target, "large", "/", "--json"]).await.ended(0);
    let (_, sent, held) = figures(run.file());
    assert_eq!(sent + held, 64 * MIB);
    assert!(held >= 15 * MIB, "held {held}");
}

fn rustix_pid(id: u32) -> rustix::process::Pid {
    rustix::process::Pid::from_raw(i32::try_from(id).expect("a pid")).expect("a pid")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_holds_in_both_directions() {
    let program = Program::new().await;
    let target = program.target();
    program.write("file", &content("limited", 2 * MIB as usize));
    for arguments in [["put", &target, "file", "/up"], ["get", &target, "/up/file", "down"]] {
        let run = program.run(arguments.into_iter().chain(["--json", "--limit", "1M", "--lanes", "2"])).await.ended(0);
        let seconds = run.totals()["seconds"].as_f64().expect("seconds");
        assert!((1.7..4.0).contains(&seconds), "{seconds} s");
    }
}

/// A tree with everything that names and files can be.
fn plant(program: &Program) {
    program.write("tree/a/b/c/deep", b"deep");
    program.write("tree/empty file", b"");
    program.write("tree/block", &content("block", MIB as usize));
    program.write("tree/over", &content("over", 3 * MIB as usize + 1));
    for name in odd_names() {
        program.write(Path::new("tree/odd").join(OsStr::from_bytes(&name)), &name);
    }
    for index in 0..400 {
        program.write(format!("tree/many/{index}"), format!("file {index}").as_bytes());
    }
    fs::create_dir_all(program.path("tree/nothing/in/here")).expect("made");
    let script = program.write("tree/script", b"#!/bin/sh");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o4755)).expect("set");
    let old = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
    fs::File::options().write(true).open(&script).expect("opened").set_modified(old).expect("set");
}

fn odd_names() -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = ["\u{1b}[31m\n\t", "日本語", "n\u{308}fd", "👩‍👩‍👧", " ", "-rf", "...", "a\\b", "\"q'"]
        .map(|name| name.as_bytes().to_vec())
        .into();
    names.push(b"\xff\xfe".to_vec());
    names.push(vec![b'x'; 255]);
    names
}

fn same(one: &Path, other: &Path) {
    let below = |dir: &Path| -> Vec<_> {
        paths(dir).expect("walked").iter().map(|path| path.strip_prefix(dir).expect("below").to_owned()).collect()
    };
    let names = below(one);
    assert_eq!(names, below(other));
    for name in names {
        assert_eq!(fs::read(one.join(&name)).expect("read"), fs::read(other.join(&name)).expect("read"), "{name:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trees_arrive_whole_and_come_back_whole() {
    let program = Program::new().await;
    let target = program.target();
    plant(&program);
    let up = program.run(["put", "-r", &target, "tree", "/in", "--json"]).await.ended(0);
    let files = paths(&program.path("tree")).expect("walked").len() as u64;
    assert_eq!(up.totals()["files"], json!(files));
    same(&program.path("tree"), &program.home("in/tree"));
    assert!(program.home("in/tree/nothing/in/here").is_dir());
    assert!(up.lines.iter().all(|line| !line["path"].as_str().unwrap_or_default().contains('\u{1b}')));

    let down = program.run(["get", "-r", &target, "/in/tree", "out", "--json"]).await.ended(0);
    assert_eq!(down.totals()["files"], json!(files));
    same(&program.path("tree"), &program.path("out/tree"));
    assert!(program.path("out/tree/nothing/in/here").is_dir());
    let script = fs::metadata(program.path("out/tree/script")).expect("there");
    assert_eq!((script.mtime(), script.mtime_nsec()), (1_000_000_000, 123_456_789));
    assert_eq!((script.mode() & 0o100, script.mode() & 0o7000), (0o100, 0));

    // A second time, nothing travels.
    for arguments in [["put", "-r", &target, "tree", "/in"], ["get", "-r", &target, "/in/tree", "out"]] {
        let again = program.run(arguments.into_iter().chain(["--json", "--if-exists", "update"])).await.ended(0);
        let (bytes, sent, held) = figures(again.totals());
        assert_eq!((sent, held), (0, bytes));
    }
    // The home itself goes into the directory that is named.
    program.run(["get", "-r", &target, "/", "all", "-q"]).await.ended(0);
    same(&program.path("tree"), &program.path("all/in/tree"));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_told_and_never_followed_out_of_a_tree() {
    let program = Program::new().await;
    let target = program.target();
    let outside = program.write("outside/secret", b"secret");
    program.write("tree/file", b"file");
    symlink(&outside, program.path("tree/link")).expect("linked");
    symlink("..", program.path("tree/up")).expect("linked");
    let up = program.run(["put", "-r", &target, "tree", "/", "--json"]).await.ended(0);
    let skipped: Vec<_> =
        up.files().iter().filter(|line| line["status"] == "skipped").map(|line| &line["path"]).collect();
    assert_eq!(skipped, [&json!("/tree/link"), &json!("/tree/up")]);
    assert!(!program.home("tree/link").exists());

    // A link that stands where a directory of the tree should be is not written through.
    program.write("two/sub/file", b"new");
    program.run(["put", "-r", &target, "two", "/", "-q"]).await.ended(0);
    fs::create_dir_all(program.path("down/two")).expect("made");
    symlink(program.path("outside"), program.path("down/two/sub")).expect("linked");
    let down = program.run(["get", "-r", &target, "/two", "down", "--json"]).await.ended(1);
    assert_eq!(down.file()["error"]["code"], "not_directory");
    assert!(!program.path("outside/file").exists());
    // Without -r a directory is a failure that says so.
    let refused = program.run(["get", &target, "/two", "down"]).await.ended(1);
    assert!(refused.err.contains("-r"), "{}", refused.err);
    let refused = program.run(["put", &target, "two", "/"]).await.ended(1);
    assert!(refused.err.contains("-r"), "{}", refused.err);
}

async fn policy(program: &Program, up: bool, what: &str) -> Run {
    let target = program.target();
    let arguments = if up { ["put", &target, "file.txt", "/"] } else { ["get", &target, "/file.txt", "down"] };
    let what = if what.is_empty() { Vec::new() } else { vec!["--if-exists", what] };
    program.run(arguments.into_iter().chain(["--json"]).chain(what)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_policy_in_both_directions() {
    for up in [true, false] {
        let program = Program::new().await;
        let place = |client: &str, server: &str| if up { program.path(client) } else { program.home(server) };
        let (source, target) =
            (place("file.txt", "file.txt"), if up { program.home("file.txt") } else { program.path("down/file.txt") });
        let set = |path: &Path, bytes: &[u8], seconds: u64| {
            fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            fs::write(path, bytes).expect("written");
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            fs::File::options().write(true).open(path).expect("opened").set_modified(time).expect("set");
        };
        let read = || fs::read(&target).expect("there");
        set(&source, b"new", 2000);
        set(&target, b"old content", 1000);

        let asked = policy(&program, up, "").await.ended(1);
        assert_eq!(asked.file()["error"]["code"], "exists");
        assert!(asked.file()["error"]["message"].as_str().expect("text").contains("--if-exists"));
        assert_eq!(read(), b"old content");

        assert_eq!(policy(&program, up, "skip").await.ended(0).file()["status"], "skipped");
        assert_eq!(read(), b"old content");

        let beside = |number: u32| target.with_file_name(format!("file ({number}).txt"));
        policy(&program, up, "rename").await.ended(0);
        // A command that is repeated makes no second copy of the same.
        policy(&program, up, "rename").await.ended(0);
        assert!(fs::read(beside(1)).expect("beside") == b"new" && !beside(2).exists());
        set(&source, b"newer", 2000);
        policy(&program, up, "rename").await.ended(0);
        assert!(fs::read(beside(1)).expect("beside") == b"new" && fs::read(beside(2)).expect("beside") == b"newer");
        set(&source, b"new", 2000);
        assert_eq!(read(), b"old content");

        policy(&program, up, "newer").await.ended(0);
        assert_eq!(read(), b"new");
        set(&source, b"older one", 500);
        assert_eq!(policy(&program, up, "newer").await.ended(0).file()["status"], "skipped");
        assert_eq!(read(), b"new");

        policy(&program, up, "overwrite").await.ended(0);
        assert_eq!(read(), b"older one");
        // Same size and time: taken for the same, and not even read.
        let updated = policy(&program, up, "update").await.ended(0);
        assert_eq!((&updated.file()["status"], &updated.file()["held"]), (&json!("skipped"), &json!(9)));
        // Another time, the same content: nothing to ask, nothing to send.
        set(&source, b"older one", 7000);
        if up {
            let same = policy(&program, up, "").await.ended(0);
            assert_eq!((&same.file()["status"], figures(same.file())), (&json!("done"), (9, 0, 9)));
        }
        set(&source, b"other one", 8000);
        policy(&program, up, "update").await.ended(0);
        assert_eq!(read(), b"other one");
    }
}
