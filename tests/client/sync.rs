//! `sync`: trees made alike both ways, what it refuses, and that a second run has nothing to do.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tests::files::{root, root_of};

use crate::program::{Program, Run};

const HOSTILE: &[u8] = b"\xffx\n\x1b[2J;rm -rf";

async fn sync(program: &Program, options: &[&str], code: i32) -> Run {
    let target = program.target();
    let words = ["sync", "--json", target.as_str(), "tree", "/tree"];
    program.run(words.iter().chain(options)).await.ended(code)
}

/// What a dry run would do, as `action path`.
async fn planned(program: &Program, options: &[&str]) -> Vec<String> {
    let options: Vec<&str> = options.iter().copied().chain(["--dry-run"]).collect();
    let run = sync(program, &options, 0).await;
    let line = |line: &Value| format!("{} {}", line["action"].as_str().unwrap(), line["path"].as_str().unwrap());
    run.files().iter().map(line).collect()
}

fn age(path: &Path, seconds: u64) {
    let file = std::fs::File::options().write(true).open(path).expect("opened");
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).expect("aged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_is_mirrored_and_then_there_is_nothing_to_do() {
    let program = Program::new().await;
    program.write("tree/a.txt", b"alpha");
    program.write("tree/deep/er/b", b"beta");
    program.write(Path::new("tree").join(OsStr::from_bytes(HOSTILE)), b"hostile");
    std::fs::create_dir_all(program.path("tree/empty/dir")).expect("made");
    symlink("/etc/passwd", program.path("tree/link")).expect("linked");
    // To a directory that is not there yet; and what would be done is what is done.
    let plan = planned(&program, &[]).await;
    assert!(!program.home("tree").exists(), "a dry run changes nothing");
    assert_eq!(plan.len(), 7, "{plan:?}");
    let run = sync(&program, &[], 0).await;
    assert_eq!((run.totals()["files"].clone(), run.totals()["failed"].clone()), (json!(3), json!(0)));
    let home = program.home(Path::new("tree").join(OsStr::from_bytes(HOSTILE)));
    assert_eq!(root(&home).expect("there"), root_of(b"hostile"));
    assert!(program.home("tree/empty/dir").is_dir() && !program.home("tree/link").exists());
    assert_eq!(planned(&program, &["--delete"]).await, [""; 0]);
    assert_eq!(planned(&program, &["--to", "local", "--delete"]).await, ["delete-local link"]);
    let again = sync(&program, &["--delete"], 0).await;
    assert_eq!(again.totals()["files"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_directions_with_changes_and_deletions() {
    let program = Program::new().await;
    for name in ["tree/same", "tree/changed", "tree/gone/with/this"] {
        program.write(name, b"first");
    }
    sync(&program, &[], 0).await;
    program.write("tree/changed", b"second, and longer");
    std::fs::remove_dir_all(program.path("tree/gone")).expect("removed");
    assert_eq!(planned(&program, &[]).await, ["upload changed"]);
    let plan = ["upload changed", "delete-remote gone", "delete-remote gone/with", "delete-remote gone/with/this"];
    assert_eq!(planned(&program, &["--delete"]).await, plan);
    assert!(program.home("tree/gone/with/this").exists());
    let run = sync(&program, &["--delete"], 0).await;
    assert_eq!(run.totals()["deleted"], 3);
    assert!(!program.home("tree/gone").exists() && program.home("tree/same").exists());
    assert_eq!(root(&program.home("tree/changed")).expect("there"), root_of(b"second, and longer"));
    // The other way round: the server's tree counts, even where it is older.
    program.write("tree/changed", b"third");
    program.write("tree/new", b"new");
    std::fs::remove_file(program.path("tree/same")).expect("removed");
    sync(&program, &["--to", "local", "--delete"], 0).await;
    assert_eq!(std::fs::read(program.path("tree/changed")).expect("read"), b"second, and longer");
    assert!(program.path("tree/same").exists() && !program.path("tree/new").exists());
    assert_eq!(planned(&program, &["--to", "local", "--delete"]).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_go_to_the_trash_where_it_is_asked_for() {
    let program = Program::new().await;
    program.write("tree/stays", b"stays");
    program.write("tree/gone/file", b"gone");
    sync(&program, &[], 0).await;
    std::fs::remove_dir_all(program.path("tree/gone")).expect("removed");
    let refused = sync(&program, &["--delete", "--trash"], 1).await;
    assert!(refused.files().iter().any(|line| line["error"]["code"] == "no_trash"), "{refused:?}");
    assert!(program.home("tree/gone/file").exists(), "an account without a trash loses nothing");
    program.host.set_trash("ada", Some(7)).await.expect("set");
    for options in [["--trash", "--dry-run"].as_slice(), &["--delete", "--trash", "--to", "local"]] {
        sync(&program, options, 2).await;
    }
    let plan = ["trash-remote gone", "trash-remote gone/file"];
    assert_eq!(planned(&program, &["--delete", "--trash"]).await, plan);
    let run = sync(&program, &["--delete", "--trash"], 0).await;
    assert_eq!(run.totals()["deleted"], 2);
    assert!(!program.home("tree/gone").exists() && program.home("tree/stays").exists());
    let kept: Vec<_> = program.host.trash("ada").read_dir().expect("read").map(|entry| entry.expect("read")).collect();
    assert_eq!(kept.len(), 1, "an empty directory needs no trash");
    assert_eq!(root(&kept[0].path()).expect("there"), root_of(b"gone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn content_tells_apart_what_size_and_time_do_not() {
    let program = Program::new().await;
    for name in ["tree/a", "tree/b"] {
        age(&program.write(name, b"12345"), 1000);
    }
    sync(&program, &[], 0).await;
    let time = std::fs::metadata(program.path("tree/a")).and_then(|now| now.modified()).expect("a time");
    std::fs::write(program.path("tree/a"), b"54321").expect("written");
    let file = std::fs::File::options().write(true).open(program.path("tree/a")).expect("opened");
    file.set_modified(time).expect("set");
    assert_eq!(planned(&program, &[]).await, [""; 0]);
    assert_eq!(planned(&program, &["--by", "content"]).await, ["upload a"]);
    sync(&program, &["--by", "content"], 0).await;
    assert_eq!(root(&program.home("tree/a")).expect("there"), root_of(b"54321"));
    // Another time and the same content is nothing to do, unless times count.
    age(&program.path("tree/b"), 5);
    assert_eq!(planned(&program, &["--by", "content"]).await, [""; 0]);
    assert_eq!(planned(&program, &["--by", "size"]).await, [""; 0]);
    assert_eq!(planned(&program, &[]).await, ["upload b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_left_and_told() {
    let program = Program::new().await;
    program.write("tree/x", b"a file here");
    program.write("tree/fine", b"fine");
    std::fs::create_dir_all(program.home("tree/x/y")).expect("made");
    std::fs::write(program.home("tree/x/y/z"), b"and a tree there").expect("written");
    let run = sync(&program, &["--delete"], 1).await;
    let told = |path: &str| run.files().iter().any(|line| line["path"] == path && line["status"] == "failed");
    assert!(told("x") && told("x/y") && told("x/y/z"), "{run:?}");
    assert!(program.home("tree/x/y/z").exists() && program.home("tree/fine").exists());
    // A mirror of nothing would delete everything.
    std::fs::remove_dir_all(program.path("tree")).expect("removed");
    sync(&program, &["--delete"], 1).await;
    assert!(program.home("tree/fine").exists());
    // The way back makes the directory.
    sync(&program, &["--to", "local"], 0).await;
    assert_eq!(std::fs::read(program.path("tree/x/y/z")).expect("read"), b"and a tree there");
}
