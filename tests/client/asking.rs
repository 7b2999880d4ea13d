//! One-shot commands on a terminal: the password, an unknown server, targets that exist.

use std::fs;
use std::path::Path;

use tests::host::{Host, PASSWORD};
use tests::identity::Identity;
use tests::terminal::{Terminal, key};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_said_is_asked_for() {
    let host = Host::start().await.expect("started");
    host.add_user("ada", None).await.expect("a user");
    let home = tempfile::tempdir().expect("a directory");
    for (root, content) in [(home.path(), "new"), (host.home("ada").as_path(), "other")] {
        fs::create_dir_all(root.join("tree")).expect("made");
        (1..=4).for_each(|index| fs::write(root.join(format!("tree/{index}")), content).expect("written"));
    }
    let target = format!("ada@{}", host.address);
    let asked = tokio::task::spawn_blocking(move || -> anyhow::Result<(u32, String)> {
        let program = Path::new(env!("CARGO_BIN_EXE_tui-client"));
        let mut terminal = Terminal::start(program, &["put", "-r", &target, "tree", "/"], home.path(), (100, 30))?;
        terminal.until_shown(&format!("Password of {target}"))?;
        assert!(!terminal.is_cooked()?, "silent before the question is seen");
        terminal.press(&format!("{PASSWORD}\r"))?;
        terminal.until_shown("Trust it and remember it?")?;
        terminal.press("y\r")?;
        terminal.until_shown("/tree/1 exists")?;
        terminal.press("what?\r")?;
        terminal.press("s\r")?;
        terminal.until_shown("/tree/2 exists")?;
        terminal.press("O\r")?;
        let status = terminal.ended()?;
        Ok((status.exit_code(), String::from_utf8_lossy(&terminal.written()).into_owned()))
    });
    let (code, written) = asked.await.expect("joined").expect("asked and answered");
    assert_eq!(code, 0, "{written}");
    assert!(!written.contains(PASSWORD), "the password is shown");
    assert!(!written.contains("/tree/3 exists") && written.contains("3 of 4 files proven"), "{written}");
    let read = |index: u32| fs::read_to_string(host.home("ada").join(format!("tree/{index}"))).expect("there");
    assert_eq!((read(1).as_str(), read(2).as_str(), read(4).as_str()), ("other", "new", "new"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_is_asked_for_unseen_and_the_password_where_no_key_opens() {
    let host = Host::start().await.expect("started");
    host.add_user("ada", None).await.expect("a user");
    let (mine, other) = (Identity::new("ada's").expect("a key"), Identity::new("another").expect("a key"));
    let keys = vec![(mine.public, String::new())];
    host.accounts().catalog.add_keys(&"ada".parse().expect("a name"), keys).await.expect("added");
    let home = tempfile::tempdir().expect("a directory");
    mine.write(&home.path().join("mine"), Some("open sesame")).expect("written");
    other.write(&home.path().join("other"), None).expect("written");
    let target = format!("ada@{}", host.address);
    let asked = tokio::task::spawn_blocking(move || -> anyhow::Result<Vec<u32>> {
        let program = Path::new(env!("CARGO_BIN_EXE_tui-client"));
        let start = |key: &str| {
            let arguments = ["ls", &target, "--accept-new", "-i", key];
            Terminal::start(program, &arguments, home.path(), (100, 30))
        };
        let mut terminal = start("mine")?;
        terminal.until_shown("Passphrase of mine")?;
        assert!(!terminal.is_cooked()?, "silent before the question is seen");
        terminal.press("open sesam\r")?;
        terminal.until_shown("the passphrase of mine is wrong")?;
        terminal.until_shown("Passphrase of mine, again")?;
        terminal.press("open sesame\r")?;
        let first = terminal.ended()?.exit_code();
        assert!(!String::from_utf8_lossy(&terminal.written()).contains("sesam"), "the passphrase is shown");
        let mut terminal = start("other")?;
        terminal.until_shown(&format!("Password of {target}"))?;
        terminal.press(&format!("{PASSWORD}\r"))?;
        Ok(vec![first, terminal.ended()?.exit_code()])
    });
    assert_eq!(asked.await.expect("joined").expect("asked and answered"), [0, 0]);
}

#[test]
fn a_question_left_by_ctrl_c_gives_the_terminal_back() {
    let home = tempfile::tempdir().expect("a directory");
    let program = Path::new(env!("CARGO_BIN_EXE_tui-client"));
    let mut terminal = Terminal::start(program, &["ls", "ada@127.0.0.1:1"], home.path(), (80, 24)).expect("started");
    terminal.until_shown("Password of ada@127.0.0.1:1").expect("asked");
    terminal.press(key::CTRL_C).expect("pressed");
    assert!(!terminal.ended().expect("ended").success());
    assert!(terminal.is_cooked().expect("modes"), "lines and echo, as before");
}
