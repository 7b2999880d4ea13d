//! Logins by key with the real program: from files, by an agent, in which order, and what is told when it does not work.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tests::host::{PASSWORD, Reason};
use tests::identity::{Agent, Identity};

use crate::program::{Program, Run, finish};

/// A server at which one key opens ada's account.
async fn scene() -> (Program, Identity) {
    let (program, identity) = (Program::new().await, Identity::new("ada's").expect("a key"));
    add(&program, "ada", &identity).await;
    (program, identity)
}

async fn add(program: &Program, user: &str, identity: &Identity) {
    let keys = vec![(identity.public, String::new())];
    program.host.accounts().catalog.add_keys(&user.parse().expect("a name"), keys).await.expect("added");
}

/// `ls` of the home with neither password nor agent.
fn command(program: &Program, flags: &[&str]) -> Command {
    let mut command = program.command([&["ls", &program.target()], flags].concat());
    command.env_remove("CATAMARAN_PASSWORD").env_remove("SSH_AUTH_SOCK");
    command
}

async fn run(program: &Program, flags: &[&str], environment: &[(&str, &str)]) -> Run {
    let mut command = command(program, flags);
    command.envs(environment.iter().copied());
    finish(command).await
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Without a terminal there is nobody to ask, which some of these tests need.
fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_opens_the_account() {
    let (program, identity) = scene().await;
    let (plain, locked) = (program.path("../keys/plain"), program.path("../keys/locked"));
    identity.write(&plain, None).expect("written");
    identity.write(&locked, Some("open sesame")).expect("written");
    run(&program, &["-i", text(&plain)], &[]).await.ended(0);
    run(&program, &["--identity", text(&locked)], &[("CATAMARAN_PASSPHRASE", "open sesame")]).await.ended(0);
    let wrong = run(&program, &["-i", text(&locked)], &[("CATAMARAN_PASSPHRASE", "sesame")]).await.ended(2);
    assert_eq!(wrong.err, format!("tui-client: the passphrase of {} is wrong\n", text(&locked)));
    if !has_terminal() {
        let unasked = run(&program, &["-i", text(&locked)], &[]).await.ended(2);
        assert!(unasked.err.contains("CATAMARAN_PASSPHRASE"), "{}", unasked.err);
    }
    std::fs::set_permissions(&plain, std::fs::Permissions::from_mode(0o644)).expect("set");
    let exposed = run(&program, &["-i", text(&plain)], &[("CATAMARAN_PASSWORD", PASSWORD)]).await.ended(2);
    assert!(exposed.err.contains("others may read it") && exposed.err.contains("chmod 600"), "{}", exposed.err);
    let missing = run(&program, &["-i", "/nowhere/id"], &[]).await.ended(2);
    assert!(missing.err.contains("/nowhere/id cannot be read"), "{}", missing.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_does_not_open_it_ends_with_4_and_the_password_comes_after() {
    let (program, identity) = scene().await;
    program.host.add_user("bob", None).await.expect("a user");
    let other = Identity::new("bob's").expect("a key");
    add(&program, "bob", &other).await;
    let (mine, his) = (program.path("../keys/mine"), program.path("../keys/his"));
    identity.write(&mine, None).expect("written");
    other.write(&his, None).expect("written");
    run(&program, &["-i", text(&his)], &[("CATAMARAN_PASSWORD", PASSWORD)]).await.ended(0);
    if has_terminal() {
        return;
    }
    let refused = run(&program, &["-i", text(&his)], &[]).await.ended(4);
    assert!(refused.err.contains("none of these keys"), "{}", refused.err);
    let mut nobody = program.command(["ls", &program.target().replace("ada", "nobody"), "-i", text(&mine)]);
    nobody.env_remove("CATAMARAN_PASSWORD").env_remove("SSH_AUTH_SOCK");
    assert_eq!(finish(nobody).await.ended(4).err, refused.err);
    assert_eq!(program.host.refused(Reason::Login), 3);
    run(&program, &["-i", text(&his)], &[("CATAMARAN_PASSWORD", "wrong")]).await.ended(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_found_where_ssh_and_the_configuration_have_them() {
    let (program, identity) = scene().await;
    let usual = program.path("../.ssh/id_ed25519");
    identity.write(&usual, None).expect("written");
    run(&program, &[], &[]).await.ended(0);
    // Whoever gives a password means it: no key is shown to the server.
    run(&program, &[], &[("CATAMARAN_PASSWORD", "wrong")]).await.ended(4);
    assert_eq!(program.host.refused(Reason::Login), 1);

    std::fs::set_permissions(&usual, std::fs::Permissions::from_mode(0o604)).expect("set");
    if !has_terminal() {
        let exposed = run(&program, &[], &[]).await.ended(2);
        assert!(exposed.err.contains("others may read it") && exposed.err.contains("no password"), "{}", exposed.err);
        // One that is locked is not asked for where nobody named it.
        identity.write(&usual, Some("open sesame")).expect("written");
        let locked = run(&program, &[], &[]).await.ended(2);
        assert!(locked.err.contains("no password") && locked.err.lines().count() == 1, "{}", locked.err);
    }
    identity.write(&usual, Some("open sesame")).expect("written");
    run(&program, &[], &[("CATAMARAN_PASSPHRASE", "open sesame")]).await.ended(0);

    std::fs::rename(&usual, program.path("../work")).expect("renamed");
    program.write("../config/catamaran/client.toml", b"identity = \"~/work\"");
    run(&program, &[], &[("CATAMARAN_PASSPHRASE", "open sesame")]).await.ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_signs() {
    let (program, identity) = scene().await;
    let locked = program.path("../keys/locked");
    identity.write(&locked, Some("open sesame")).expect("written");
    let others: Vec<Identity> = (0..20).map(|_| Identity::new("another").expect("a key")).collect();
    let socket = program.path("agent");
    // More keys than one login may have: the one that is named goes first, and its passphrase is not needed.
    let agent = Agent::start(&socket, others.into_iter().chain([identity]).collect()).expect("started");
    let environment = [("SSH_AUTH_SOCK", text(&socket))];
    run(&program, &["-i", text(&locked)], &environment).await.ended(0);
    assert_eq!(agent.signed(), 16);
    run(&program, &[], &[("CATAMARAN_PASSWORD", PASSWORD), environment[0]]).await.ended(0);
    assert_eq!(agent.signed(), 16, "whoever gives a password means it");
    drop(agent);
    run(&program, &[], &[("CATAMARAN_PASSWORD", PASSWORD), environment[0]]).await.ended(0);
}

/// The real agent, until dropped.
struct SshAgent(Child);

impl Drop for SshAgent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_ssh_keygen_and_its_agent_open_the_account() {
    let program = Program::new().await;
    let file = program.path("../keys/made");
    std::fs::create_dir_all(file.parent().expect("a directory")).expect("made");
    let keygen = |passphrase: &str| {
        let _ = std::fs::remove_file(&file);
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", passphrase, "-f", text(&file)]).status();
        made.is_ok_and(|made| made.success())
    };
    if !keygen("") {
        // There is none here.
        return;
    }
    let public = tests::identity::read_public(&file.with_extension("pub")).expect("read");
    let ada = "ada".parse().expect("a name");
    program.host.accounts().catalog.add_keys(&ada, vec![(public, String::new())]).await.expect("added");
    run(&program, &["-i", text(&file)], &[]).await.ended(0);

    let socket = program.path("ssh-agent");
    let mut agent = Command::new("ssh-agent");
    let Ok(agent) = agent.args(["-D", "-a", text(&socket)]).stdout(Stdio::null()).spawn() else {
        return;
    };
    let _agent = SshAgent(agent);
    tests::host::eventually("the agent listens", async || socket.exists()).await;
    let added = Command::new("ssh-add").arg("-q").arg(&file).env("SSH_AUTH_SOCK", &socket).status();
    assert!(added.expect("run").success());
    run(&program, &[], &[("SSH_AUTH_SOCK", text(&socket))]).await.ended(0);

    // As ssh-keygen encrypts it.
    let again =
        Command::new("ssh-keygen").args(["-q", "-p", "-P", "", "-N", "open sesame", "-f", text(&file)]).status();
    assert!(again.expect("run").success());
    run(&program, &["-i", text(&file)], &[("CATAMARAN_PASSPHRASE", "open sesame")]).await.ended(0);
}
