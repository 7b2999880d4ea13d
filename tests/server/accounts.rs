//! The account flags and the configuration, through the real program: what they do, what they say,
//! and what they exit with.
#![expect(clippy::expect_used, reason = "a test that panics has failed as it should")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use server::keys::Fingerprint;
use tempfile::TempDir;
use tests::identity::Identity;

/// A data directory that nothing has used yet, and the program on it.
struct Bench {
    temp: TempDir,
}

/// What the program answered.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    code: i32,
    out: String,
    err: String,
}

impl Bench {
    fn new() -> Self {
        Self { temp: tempfile::tempdir().expect("a directory") }
    }

    fn data(&self) -> PathBuf {
        self.temp.path().join("data")
    }

    fn command(&self, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command.arg("--data-dir").arg(self.data()).args(flags).env_remove("CATAMARAN_LISTEN");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, flags: &[&str]) -> Answer {
        answer(self.command(flags).output().expect("run"))
    }

    fn run_with(&self, flags: &[&str], input: &str) -> Answer {
        let mut child = self.command(flags).stdin(Stdio::piped()).spawn().expect("started");
        // A program that refuses its flags does not read, and closes the pipe.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        answer(child.wait_with_output().expect("ended"))
    }

    /// Succeeds in silence.
    fn good(&self, flags: &[&str]) {
        assert_eq!(self.run(flags), Answer { code: 0, out: String::new(), err: String::new() }, "{flags:?}");
    }

    fn add(&self, name: &str, more: &[&str]) -> String {
        let flags = [&["--add-user", name, "--password-stdin"], more].concat();
        let added = self.run_with(&flags, "correct horse\n");
        assert_eq!((added.code, added.err.as_str()), (0, ""), "{flags:?}");
        added.out
    }

    /// Fails with just one line, which holds `reason`.
    fn bad(&self, flags: &[&str], code: i32, reason: &str) {
        let failed = self.run_with(flags, "correct horse\n");
        let one_line = failed.err.starts_with("server: ") && failed.err.lines().count() == 1;
        assert!(one_line && failed.out.is_empty() && failed.err.contains(reason), "{flags:?}: {failed:?}");
        assert_eq!(failed.code, code, "{flags:?}: {failed:?}");
    }

    fn users(&self) -> Value {
        serde_json::from_str(&self.run(&["--list-users", "--json"]).out).expect("JSON")
    }

    fn home(&self, name: &str) -> PathBuf {
        self.data().join("users").join(name)
    }
}

fn answer(output: Output) -> Answer {
    Answer {
        code: output.status.code().expect("not by a signal"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("metadata").permissions().mode() & 0o777
}

#[test]
fn accounts_are_made_listed_changed_and_removed() {
    let bench = Bench::new();
    assert_eq!(bench.users(), json!([]));
    assert_eq!(bench.add("bob", &["--quota", "10G", "--max-files", "1000", "--trash", "7"]), "");
    bench.add("ada", &[]);
    let part = |part: &str| bench.home("bob").join(part);
    assert_eq!([mode(&bench.data()), mode(&part("")), mode(&part("files")), mode(&part("staging"))], [0o700; 4]);
    assert_eq!(mode(&bench.data().join("catalog.sqlite")), 0o600);

    bench.good(&["--set-quota", "bob", "--quota", "none"]);
    assert_eq!(bench.users()[1]["trash_days"], 7);
    bench.good(&["--set-trash", "bob", "--trash", "none"]);
    bench.good(&["--set-quota", "ada", "--quota", "512MiB", "--max-files", "7"]);
    for rate in ["none", "default", "5MiB"] {
        bench.good(&["--set-rate", "ada", "--rate", rate]);
    }
    bench.good(&["--lock-user", "ada"]);
    assert_eq!(
        bench.users(),
        json!([
            {"name": "ada", "quota": 512 << 20, "used": 0, "files": 0, "max_files": 7, "trash_days": 30, "rate": 5 << 20, "locked": true},
            {"name": "bob", "quota": null, "used": 0, "files": 0, "max_files": 1000, "trash_days": null, "rate": "default", "locked": false},
        ])
    );
    let table = "NAME  QUOTA    USED  FILES  MAX FILES  TRASH  RATE       STATE\n\
                 ada   512 MiB  0 B   0      7          30 d   5.0 MiB/s  locked\n\
                 bob   none     0 B   0      1000       none   default\n";
    assert_eq!(bench.run(&["--list-users"]).out, table);
    bench.good(&["--unlock-user", "ada"]);
    assert_eq!(bench.users()[0]["locked"], false);
    assert_eq!(bench.run_with(&["--set-password", "ada", "--password-stdin"], "new").code, 0);

    fs::write(part("files/secret"), "x").expect("written");
    bench.good(&["--remove-user", "bob"]);
    assert_eq!(bench.users().as_array().map(Vec::len), Some(1));
    let left: Vec<_> =
        bench.data().join("users").read_dir().expect("read").map(|e| e.expect("read").file_name()).collect();
    assert_eq!(left, ["ada"]);
}

#[test]
fn kept_files_are_taken_up_by_a_new_account() {
    let bench = Bench::new();
    bench.add("ada", &[]);
    fs::create_dir(bench.home("ada").join("files/dir")).expect("made");
    fs::write(bench.home("ada").join("files/dir/a"), vec![0; 2048]).expect("written");
    bench.good(&["--remove-user", "ada", "--keep-files"]);
    assert_eq!(bench.users(), json!([]));
    let said = bench.add("ada", &["--quota", "1K"]);
    assert_eq!(said, "took up what was in the home: 1 files, 2.0 KiB\n");
    let ada = &bench.users()[0];
    assert_eq!((&ada["used"], &ada["files"]), (&json!(2048), &json!(1)));
}

#[test]
fn keys_are_added_listed_and_removed() {
    let bench = Bench::new();
    bench.add("ada", &[]);
    let file = |name: &str, text: &str| {
        fs::write(bench.temp.path().join(name), text).expect("written");
        bench.temp.path().join(name).to_str().expect("UTF-8").to_owned()
    };
    let [office, home] = ["ada@office", "ada at \u{1b}[1mhome"].map(|comment| Identity::new(comment).expect("a key"));
    let lines = format!("# hers\n{}\n\n{}\n", office.line().expect("a line"), home.line().expect("a line"));
    let prints = [&office, &home].map(|key| Fingerprint::of(&key.public).to_string());
    let added = bench.run(&["--add-key", "ada", &file("both.pub", &lines)]);
    let expected = format!("added {} ada@office\nadded {} ada at \\x1b[1mhome\n", prints[0], prints[1]);
    assert_eq!((added.code, added.out.as_str()), (0, expected.as_str()), "{added:?}");
    let again = bench.run(&["--add-key", "ada", &file("office.pub", &office.line().expect("a line"))]);
    assert_eq!(again.out, format!("there already {} ada@office\n", prints[0]));

    let listed: Value = serde_json::from_str(&bench.run(&["--list-keys", "ada", "--json"]).out).expect("JSON");
    let row = |print: &String| listed.as_array().expect("a list").iter().find(|row| row["fingerprint"] == **print);
    let of_home = row(&prints[1]).expect("listed");
    assert_eq!(of_home["comment"], "ada at \u{1b}[1mhome");
    assert!(of_home["added"].as_i64() > Some(1_700_000_000) && row(&prints[0]).is_some(), "{listed}");
    let table = bench.run(&["--list-keys", "ada"]).out;
    let [head, one, two] = table.lines().collect::<Vec<_>>().try_into().expect("three lines");
    assert_eq!(head, format!("{:50}  ADDED     COMMENT", "FINGERPRINT"));
    assert!([one, two].contains(&format!("{}  just now  ada@office", prints[0]).as_str()), "{table}");
    // The same as everybody's tool prints, where there is one.
    if let Ok(told) = Command::new("ssh-keygen").args(["-l", "-f", &file("office.pub", &lines)]).output() {
        let told = String::from_utf8(told.stdout).expect("UTF-8");
        assert!(told.starts_with(&format!("256 {} ada@office (ED25519)", prints[0])), "{told}");
    }

    bench.bad(
        &["--add-key", "ada", &file("none.pub", "ssh-rsa AAAA x\n")],
        1,
        "none.pub, line 1: this is a key of the algorithm ssh-rsa; taken are",
    );
    bench.bad(&["--add-key", "ada", "/nowhere/id.pub"], 1, "cannot read /nowhere/id.pub");
    bench.bad(&["--add-key", "bob", &file("office.pub", &lines)], 1, "there is no user `bob`");
    let many: String = (0..63).map(|_| Identity::new("").expect("a key").line().expect("a line") + "\n").collect();
    bench.bad(&["--add-key", "ada", &file("many.pub", &many)], 1, "more than 64 keys, and none was added");
    bench.bad(&["--remove-key", "ada", "SHA256:x"], 1, "not a fingerprint");
    bench.bad(&["--add-key", "ada"], 2, "<FILE|FINGERPRINT>");
    bench.bad(&["--remove-key", "ada"], 2, "<FILE|FINGERPRINT>");
    bench.bad(&["id.pub"], 2, "--add-key <NAME>");
    bench.good(&["--remove-key", "ada", &prints[0]]);
    bench.bad(&["--remove-key", "ada", &prints[0]], 1, "`ada` has no such key; --list-keys ada");
    assert_eq!(bench.run(&["--list-keys", "ada"]).out.lines().count(), 2);
    bench.bad(&["--list-keys", "bob"], 1, "there is no user `bob`");
}

#[test]
fn bad_requests_are_refused_in_one_line_and_change_nothing() {
    let bench = Bench::new();
    bench.add("ada", &[]);
    let long = "x".repeat(33);
    for name in ["", "Ada", "../ada", ".", "a b", "-x", "ü", "a\nb", &long] {
        let flag = format!("--add-user={name}");
        bench.bad(&[&flag, "--password-stdin"], 2, "is not a user name");
    }
    let usage: [(&[&str], &str); 13] = [
        (&["--add-user", "bob", "--password-stdin", "--quota", "ten"], "`ten` is not a size"),
        (&["--add-user", "bob", "--password-stdin", "--quota", "-1"], "--quota"),
        (&["--add-user", "bob", "--password-stdin", "--quota", "99999999T"], "is not a size"),
        (&["--add-user", "bob", "--password-stdin", "--max-files", "1.5"], "not a number of files"),
        (&["--set-quota", "ada", "--quota", ""], "--quota"),
        (&["--set-quota", "ada"], "--quota <SIZE>"),
        (&["--quota", "1G"], "--add-user <NAME>"),
        (&["--lock-user", "ada", "--unlock-user", "ada"], "cannot be used with"),
        (&["--list-users", "--fingerprint"], "cannot be used with"),
        (&["--lock-user", "ada", "--json"], "--list-users"),
        (&["--keep-files"], "--remove-user <NAME>"),
        (&["--listen", "here", "--list-users"], "--listen"),
        (&["--frobnicate"], "--frobnicate"),
    ];
    for (flags, reason) in usage {
        bench.bad(flags, 2, reason);
    }
    bench.bad(&["--add-user", "ada", "--password-stdin"], 1, "a user `ada` exists already");
    let on_nobody: [&[&str]; 5] = [
        &["--remove-user", "bob"],
        &["--set-password", "bob", "--password-stdin"],
        &["--set-quota", "bob", "--quota", "1"],
        &["--lock-user", "bob"],
        &["--unlock-user", "bob"],
    ];
    for flags in on_nobody {
        bench.bad(flags, 1, "there is no user `bob`");
    }
    assert_eq!(bench.users().as_array().map(Vec::len), Some(1));
    assert!(!bench.home("bob").exists());
}

#[test]
fn passwords_come_from_one_line() {
    let bench = Bench::new();
    let add = |name: &str, input: &str| bench.run_with(&["--add-user", name, "--password-stdin"], input);
    for (name, input, reason) in [
        ("a", "", "an empty password is not allowed"),
        ("b", "\nsecond line\n", "an empty password is not allowed"),
        ("c", &format!("{}\n", "x".repeat(1025)), "a password has at most 1024 bytes"),
    ] {
        let refused = add(name, input);
        assert!(refused.code == 1 && refused.err == format!("server: {reason}\n"), "{refused:?}");
        assert!(!bench.home(name).exists());
    }
    assert_eq!(add("d", &"x".repeat(1024)).code, 0);
    // Neither a terminal nor --password-stdin; setsid(1) takes away the terminal the test may have.
    let server = bench.command(&["--add-user", "e"]);
    let mut alone = Command::new("setsid");
    alone.arg("--wait").arg(server.get_program()).args(server.get_args()).stdin(Stdio::null());
    let refused = answer(alone.output().expect("run"));
    assert!(refused.code == 1 && refused.err.contains("use --password-stdin"), "{refused:?}");
    assert_eq!(bench.users().as_array().map(Vec::len), Some(1));
}

#[test]
fn foreign_and_unusable_directories_are_left_alone() {
    let bench = Bench::new();
    let all: [&[&str]; 4] = [
        &["--list-users"],
        &["--add-user", "ada", "--password-stdin"],
        &["--fingerprint"],
        &["--listen", "127.0.0.1:0"],
    ];
    let holds = || {
        let entries = bench.data().read_dir().expect("read");
        entries.map(|entry| entry.expect("read").file_name()).collect::<Vec<_>>()
    };
    fs::create_dir(bench.data()).expect("made");
    fs::write(bench.data().join("thesis.tex"), "…").expect("written");
    all.iter().for_each(|flags| bench.bad(flags, 1, "is not empty and not a data directory"));
    assert_eq!(holds(), ["thesis.tex"]);

    fs::rename(bench.data().join("thesis.tex"), bench.data().join("catalog.sqlite")).expect("renamed");
    for flags in all.iter().filter(|flags| flags[0] != "--fingerprint") {
        bench.bad(flags, 1, "is not a catalog of this program");
    }
    assert_eq!(holds(), ["catalog.sqlite"]);

    fs::remove_dir_all(bench.data()).expect("removed");
    fs::write(bench.data(), "a file").expect("written");
    all.iter().for_each(|flags| bench.bad(flags, 1, "cannot use the data directory"));
    for unwritable in ["/proc/catamaran", "/dev/null/catamaran"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        let refused = answer(command.args(["--list-users", "--data-dir", unwritable]).output().expect("run"));
        assert!(refused.code == 1 && refused.err.starts_with("server: cannot use the data directory"), "{refused:?}");
        assert_eq!(refused.err.lines().count(), 1);
    }
}

#[test]
fn the_fingerprint_is_made_once() {
    let bench = Bench::new();
    let print = bench.run(&["--fingerprint"]).out;
    assert!(print.len() == 65 && print.trim().bytes().all(|byte| byte.is_ascii_hexdigit()), "{print}");
    assert_eq!(bench.run(&["--fingerprint"]).out, print);
    let identity = bench.data().join("identity");
    assert_eq!([mode(&identity.join("key.pem")), mode(&identity.join("cert.pem"))], [0o600; 2]);
}

#[test]
fn configurations_are_printed_checked_and_outranked() {
    let bench = Bench::new();
    let printed = bench.run(&["--print-config"]).out;
    let file = bench.temp.path().join("server.toml");
    let named = file.to_str().expect("UTF-8");
    fs::write(&file, &printed).expect("written");
    let checked = bench.run(&["--config", named, "--check-config"]);
    let bound = checked.out.strip_prefix("the configuration is good; with it the server takes at most ");
    assert_eq!((checked.code, bound.map(|bound| bound.ends_with(" GiB of memory\n"))), (0, Some(true)), "{checked:?}");

    // What is in force is printed, whatever it comes from, and read again as just that.
    fs::write(&file, "durability = \"relaxed\"\n[limits]\nguests = 7\ndrain_seconds = 0\n").expect("written");
    let printed = bench.run(&["--config", named, "--listen", "127.0.0.1:9", "--print-config"]).out;
    for line in [format!("data_dir = {:?}", bench.data()).as_str(), "listen = \"127.0.0.1:9\"", "guests = 7"] {
        assert!(printed.lines().any(|printed| printed == line), "{line}: {printed}");
    }
    let other = bench.temp.path().join("other.toml");
    fs::write(&other, &printed).expect("written");
    let again = Command::new(env!("CARGO_BIN_EXE_server")).arg("--config").arg(&other).arg("--print-config").output();
    assert_eq!(answer(again.expect("run")).out, printed);
    // What is allowed and seldom meant is told.
    let checked = bench.run(&["--config", named, "--check-config"]);
    let said: Vec<&str> = checked.out.lines().filter_map(|line| line.split(" is ").next()).collect();
    assert_eq!(
        (checked.code, said),
        (0, vec!["the configuration", "but durability", "but limits.guests_per_source", "but limits.drain_seconds"])
    );

    let place = bench.temp.path().join("from-file");
    fs::write(&file, format!("data_dir = {place:?}")).expect("written");
    let list = |env: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command.env_remove("CATAMARAN_DATA_DIR").args(["--config", named, "--list-users"]);
        env.map(|dir| command.env("CATAMARAN_DATA_DIR", bench.temp.path().join(dir)));
        assert_eq!(answer(command.output().expect("run")).code, 0);
    };
    list(None);
    assert!(place.join("catalog.sqlite").exists(), "the file outranks the default");
    list(Some("from-env"));
    assert!(bench.temp.path().join("from-env/catalog.sqlite").exists(), "the environment outranks the file");
    assert_eq!(bench.run(&["--config", named, "--list-users"]).code, 0);
    assert!(bench.data().join("catalog.sqlite").exists(), "the flag outranks all");
}

#[test]
fn bad_configurations_name_file_and_key() {
    let bench = Bench::new();
    let file = bench.temp.path().join("server.toml");
    let named = file.to_str().expect("UTF-8");
    let table = [
        ("[limits]\nguests = 0", "server.toml line 2: limits.guests is 0; allowed are 1 to"),
        ("[limits]\nguest = 1", "server.toml line 2: there is no setting `limits.guest`; `limits.guests`?"),
        ("certificate = \"/nowhere/c.pem\"\nkey = \"/nowhere/k.pem\"", "cannot use /nowhere/c.pem"),
        ("key = \"/nowhere/k.pem\"", "go together"),
    ];
    for (text, reason) in table {
        fs::write(&file, text).expect("written");
        bench.bad(&["--config", named, "--check-config"], 1, reason);
    }
    bench.bad(&["--config", "/nowhere/server.toml", "--list-users"], 1, "cannot read the configuration");
    assert!(!bench.data().exists());
}

/// A daemon that is killed when the test ends.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_daemon_says_when_it_is_ready_and_ends_on_a_signal() {
    let bench = Bench::new();
    let mut daemon = Daemon(bench.command(&["--listen", "127.0.0.1:0"]).spawn().expect("started"));
    let mut line = String::new();
    let mut out = BufReader::new(daemon.0.stdout.take().expect("a pipe"));
    out.read_line(&mut line).expect("read");
    let address = line.strip_prefix("listening on ").expect(&line).trim().to_owned();
    std::net::TcpStream::connect(&address).expect("a listener");

    bench.bad(&["--listen", "127.0.0.1:0"], 1, "another server runs on the data directory");
    bench.add("ada", &[]);
    let other = Bench::new();
    other.bad(&["--listen", &address], 1, "cannot listen on");

    let pid = daemon.0.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().expect("run").success());
    assert_eq!(daemon.0.wait().expect("ended").code(), Some(0));
    let mut rest = String::new();
    out.read_line(&mut rest).expect("read");
    assert_eq!(rest, "", "one line, no more");
}

#[test]
fn help_and_version_use_the_programs_name() {
    let bench = Bench::new();
    assert_eq!(bench.run(&["--version"]).out, format!("server {}\n", env!("CARGO_PKG_VERSION")));
    let help = bench.run(&["--help"]).out;
    assert!(
        ["--add-user <NAME>", "--print-config", "CATAMARAN_DATA_DIR"].iter().all(|flag| help.contains(flag)),
        "{help}"
    );
}
