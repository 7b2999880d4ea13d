//! Every one-shot command, its JSON and its exit code.

use std::io::Write;
use std::process::Stdio;

use serde_json::json;
use tests::files::{root, root_of};
use tests::host::{Host, PASSWORD};

use crate::program::{Program, finish};

#[tokio::test(flavor = "multi_thread")]
async fn directories_and_files_are_made_moved_copied_and_removed() {
    let program = Program::new().await;
    let target = program.target();
    let run = async |line: &str, code: i32| {
        let words = line.split(' ').map(|word| if word == "@" { target.as_str() } else { word });
        program.run(words).await.ended(code)
    };
    program.write("one.txt", b"one");
    run("put @ one.txt /a/b", 0).await;
    run("mkdir @ /a/c", 0).await;
    run("mkdir @ /a/c", 1).await;
    run("mkdir -p @ /a/c /x/y/z", 0).await;
    run("mkdir @ /no/such/parent", 1).await;
    run("cp @ /a/b/one.txt /a/c", 0).await;
    run("cp @ /a/b/one.txt /a/c", 1).await;
    run("mv @ /a/b/one.txt /x/two.txt", 0).await;
    run("cp @ /a /copy", 0).await;
    assert_eq!(root(&program.home("copy/c/one.txt")).expect("copied"), root_of(b"one"));
    assert_eq!(root(&program.home("x/two.txt")).expect("moved"), root_of(b"one"));
    assert!(!program.home("a/b/one.txt").exists());
    let refused = run("rm @ /a", 1).await;
    assert!(refused.err.contains("-r"), "{}", refused.err);
    run("rm -r @ /a /copy", 0).await;
    let failed = run("rm --json @ /nothing", 1).await;
    assert_eq!(failed.lines[0]["path"], "/nothing");
    assert_eq!(failed.lines[0]["error"]["code"], "not_found");
    assert!(!program.home("a").exists() && program.home("x/y/z").is_dir());

    let refused = run("rm --trash --json @ /x", 1).await;
    assert_eq!(refused.lines[0]["error"]["code"], "no_trash");
    program.host.set_trash("ada", Some(7)).await.expect("set");
    run("rm --trash @ /x", 0).await;
    assert!(!program.home("x").exists());
    let kept: Vec<_> =
        program.host.trash("ada").read_dir().expect("read").map(|entry| entry.expect("read").path()).collect();
    assert_eq!(root(&kept[0].join("two.txt")).expect("kept"), root_of(b"one"));
    run("rm --trash -r @ /x", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_and_figures_for_programs() {
    let program = Program::new().await;
    let target = program.target();
    program.write("file", b"content");
    program.run(["put", &target, "file", "/"]).await.ended(0);
    program.run(["mkdir", &target, "/dir"]).await.ended(0);
    std::os::unix::fs::symlink("file", program.home("link")).expect("linked");
    program.host.set_quota("ada", Some(1 << 20)).await.expect("set");

    let listed = program.run(["ls", &target, "--json"]).await.ended(0);
    let told: Vec<_> = listed.lines.iter().map(|line| (line["name"].clone(), line["kind"].clone())).collect();
    assert_eq!(told, [("dir", "directory"), ("file", "file"), ("link", "link")].map(|(a, b)| (json!(a), json!(b))));
    let file = &listed.lines[1];
    assert_eq!((&file["bytes"], &file["root"]), (&json!(7), &json!(root_of(b"content").to_string())));
    assert!(listed.lines[0].get("root").is_none());

    let told = program.run(["stat", &target, "/file", "--json"]).await.ended(0);
    assert_eq!(&told.lines[0], file);
    assert_eq!(file["mtime"], told.lines[0]["mtime"]);

    let space = program.run(["df", &target, "--json"]).await.ended(0);
    assert_eq!(space.lines, [json!({"quota": 1 << 20, "used": 7, "reserved": 0, "files": 1, "max_files": null})]);
    let single = program.run(["ls", &target, "/file", "--json"]).await.ended(0);
    assert_eq!(single.lines, std::slice::from_ref(file));
    program.run(["ls", &target, "/nothing"]).await.ended(1);
    let people = program.run(["ls", &target]).await.ended(0);
    assert_eq!(people.out.lines().count(), 3, "{}", people.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_for_programs() {
    let program = Program::new().await;
    let target = program.target();
    program.write("a", b"abc");
    program.write("empty", b"");
    let put = program.run(["put", &target, "--json", "a", "empty", "missing", "/up"]).await.ended(1);
    let line = |name: &str| put.files().iter().find(|line| line["path"] == format!("/up/{name}")).expect(name).clone();
    let root = root_of(b"abc").to_string();
    assert_eq!(
        line("a"),
        json!({"path": "/up/a", "bytes": 3, "sent": 3, "held": 0, "root": root, "status": "done", "error": null})
    );
    assert_eq!(line("empty")["root"], root_of(b"").to_string());
    assert_eq!(
        (&line("missing")["status"], &line("missing")["error"]["code"]),
        (&json!("failed"), &json!("not_found"))
    );
    let totals = put.totals();
    assert_eq!(
        (&totals["files"], &totals["failed"], &totals["bytes"], &totals["sent"], &totals["held"]),
        (&json!(3), &json!(1), &json!(3), &json!(3), &json!(0))
    );
    assert!(totals["seconds"].is_f64());

    let got = program.run(["get", &target, "/up/a", "/up/empty", "down", "--json"]).await.ended(0);
    assert_eq!(got.totals()["files"], 2);
    assert_eq!(std::fs::read(program.path("down/a")).expect("read"), b"abc");
    assert_eq!(std::fs::read(program.path("down/empty")).expect("read"), b"");
    let missing = program.run(["get", &target, "/nothing", "down", "--json"]).await.ended(1);
    assert_eq!(missing.file()["error"]["code"], "not_found");
    let quiet = program.run(["get", &target, "/up/a", "down2", "-q"]).await.ended(0);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_command_line_ends_with_2() {
    let program = Program::new().await;
    let target = program.target();
    for line in
        ["put", "put nobody a b", "put ada@host a", "nonsense", "ls ada@host --fingerprint 12", "ada@host ls ada@host"]
    {
        program.run(line.split(' ').filter(|word| !word.is_empty())).await.ended(2);
    }
    program.run(["ls", &target, "/../etc"]).await.ended(2);
    program.write("../config/catamaran/client.toml", b"lane = 3");
    let refused = program.run(["ls", &target]).await.ended(2);
    assert!(refused.err.contains("client.toml") && refused.err.contains("lane"), "{}", refused.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_or_not_the_same_ends_with_3() {
    let mut program = Program::new().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("bound").local_addr().expect("an address");
    let refused = program.run(["ls", &format!("ada@{closed}")]).await.ended(3);
    assert!(refused.err.contains("cannot be reached"), "{}", refused.err);

    // Unknown: nothing is sent, and the key is told.
    let other = Host::start().await.expect("started");
    other.add_user("ada", None).await.expect("a user");
    let unknown = format!("ada@{}", other.address);
    let refused = program.run(["ls", &unknown]).await.ended(3);
    assert!(refused.err.contains(&other.fingerprint) && refused.err.contains("--accept-new"), "{}", refused.err);
    program.run(["ls", &unknown, "--fingerprint", &program.host.fingerprint]).await.ended(3);
    program.run(["ls", &unknown, "--fingerprint", &other.fingerprint]).await.ended(0);
    program.run(["ls", &unknown]).await.ended(0);

    // Changed: both keys are told, and accepting new ones does not help.
    let known = program.path("../state/catamaran/known_servers.toml");
    let text = std::fs::read_to_string(&known).expect("written");
    std::fs::write(&known, text.replace(&other.fingerprint, &program.host.fingerprint)).expect("written");
    let refused = program.run(["ls", &unknown, "--accept-new"]).await.ended(3);
    for fingerprint in [&other.fingerprint, &program.host.fingerprint] {
        assert!(refused.err.contains(fingerprint), "{}", refused.err);
    }
    program.run(["ls", &unknown, "--fingerprint", &other.fingerprint]).await.ended(0);
    program.host.stop().await.expect("stopped");
    program.run(["ls", &program.target()]).await.ended(3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_ends_with_4_and_it_can_come_from_standard_input() {
    let program = Program::new().await;
    let target = program.target();
    let mut wrong = program.command(["ls", &target]);
    wrong.env("CATAMARAN_PASSWORD", "wrong");
    finish(wrong).await.ended(4);
    program.run(["ls", &target.replace("ada", "nobody")]).await.ended(4);

    let mut command = program.command(["ls", &target, "--password-stdin"]);
    command.env("CATAMARAN_PASSWORD", "wrong").stdin(Stdio::piped());
    let mut child = command.spawn().expect("started");
    let mut stdin = child.stdin.take().expect("a pipe");
    writeln!(stdin, "{}", tests::host::PASSWORD).expect("written");
    let status = tokio::task::spawn_blocking(move || child.wait()).await.expect("joined").expect("ended");
    assert_eq!(status.code(), Some(0));

    let mut none = program.command(["ls", &target]);
    none.env_remove("CATAMARAN_PASSWORD");
    // Without a terminal there is nobody to ask.
    if std::fs::File::open("/dev/tty").is_err() {
        finish(none).await.ended(2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_the_quota_ends_with_5_and_the_rest_arrives() {
    let program = Program::new().await;
    let target = program.target();
    program.host.set_quota("ada", Some(5 << 20)).await.expect("set");
    program.write("small", b"fits");
    program.write("large", &vec![7; 6 << 20]);
    let run = program.run(["put", &target, "large", "small", "/", "--json"]).await.ended(5);
    let large = run.files().iter().find(|line| line["path"] == "/large").expect("told");
    assert_eq!((&large["error"]["code"], &large["sent"]), (&json!("quota"), &json!(0)));
    assert_eq!(std::fs::read(program.home("small")).expect("arrived"), b"fits");
    assert_eq!(run.totals()["failed"], 1);
    let copy = program.run(["put", &target, "large", "/", "-q"]).await.ended(5);
    assert!(copy.err.contains("/large"), "{}", copy.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_hurts_nobody() {
    let program = Program::new().await;
    for index in 0..200 {
        program.write(format!("many/{index}"), b"x");
    }
    let target = program.target();
    program.run(["put", "-r", &target, "many", "/", "-q"]).await.ended(0);
    let mut child = program.start(["ls", &target, "/many", "--json"]);
    drop(child.stdout.take());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.expect("joined").expect("ended");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_for_a_while_is_told_for_how_long() {
    let program = Program::with(|config| {
        (config.penalties.user_failures, config.penalties.first_seconds) = (1, 40);
        config.limits.per_user = 1;
    });
    let program = program.await;
    program.host.add_user("bob", None).await.expect("a user");
    let login = async |user: &str, password: &str| {
        let target = format!("{user}@{}", program.host.address);
        let mut command = program.command(["ls", target.as_str()]);
        command.env("CATAMARAN_PASSWORD", password);
        finish(command).await
    };
    let free = login("ada", "guess").await.ended(4);
    assert!(!free.err.contains("try again"), "{}", free.err);
    let one_too_many = login("ada", "guess").await.ended(4);
    assert!(
        one_too_many.err.contains("is wrong") && one_too_many.err.ends_with("; try again in 40 s\n"),
        "{one_too_many:?}"
    );
    let throttled = login("ada", PASSWORD).await.ended(4);
    assert!(throttled.err.contains("too many logins") && throttled.err.contains("; try again in "), "{throttled:?}");
    // A limit is no matter of the login.
    let _session = program.host.login("bob").await.expect("his only one");
    let busy = login("bob", PASSWORD).await.ended(3);
    assert!(busy.err.contains("sessions already; try again in 30 s"), "{}", busy.err);
}
