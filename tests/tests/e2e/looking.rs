//! What is asked of files without downloading them: pieces, hashes, and names that match.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use tests::client::Machine;
use tests::files::{content, root_of};
use tests::host::{Host, eventually};
use tests::session::{MTIME, Session, fault, raw};
use tui_client::engine::Options;
use wire::block::BLOCK;
use wire::message::{Expect, FromClient, Op, READ_PIECE};
use wire::{Code, RemotePath};

struct Place {
    host: Host,
    home: PathBuf,
    session: Session,
}

async fn place() -> Place {
    let host = Host::start().await.expect("a server");
    host.add_user("ada", None).await.expect("a user");
    let session = host.login("ada").await.expect("logged in");
    Place { home: host.home("ada"), session, host }
}

impl Place {
    /// What a search finds, by name.
    async fn found(&mut self, path: &str, pattern: &str) -> Vec<String> {
        let found =
            self.session.entries(Op::Find { path: raw(path), pattern: pattern.into() }).await.expect("searched");
        let mut names: Vec<_> = found.into_iter().map(|entry| wire::path::escape(&entry.name.0)).collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn pieces_of_files_and_of_nothing_else() {
    let Place { host: _host, home, mut session } = place().await;
    let bytes = content("file", 3 * READ_PIECE + 7);
    fs::write(home.join("file"), &bytes).expect("written");
    let (mut read, size) = (Vec::new(), bytes.len() as u64);
    while (read.len() as u64) < size {
        // More than is ever given, and more than there is.
        let (of, piece) = session.read("file", read.len() as u64, u32::MAX).await.expect("read");
        assert!(of == size && !piece.is_empty() && piece.len() <= READ_PIECE);
        read.extend(piece);
    }
    assert!(read == bytes);
    for (offset, len, expected) in [(size, 10, 0), (u64::MAX, u32::MAX, 0), (0, 0, 0), (5, 3, 3), (size - 2, 9, 2)] {
        let (_, piece) = session.read("file", offset, len).await.expect("read");
        assert_eq!(piece.len(), expected, "{len} from {offset}");
    }
    let huge = File::create(home.join("huge")).expect("made");
    huge.set_len(1 << 40).expect("a hole");
    assert_eq!(session.read("huge", (1 << 40) - 1, 9).await.expect("read"), (1 << 40, vec![0]));

    fs::create_dir(home.join("dir")).expect("made");
    symlink("file", home.join("link")).expect("linked");
    symlink("/etc/passwd", home.join("out")).expect("linked");
    let mkfifo = std::process::Command::new("mkfifo").arg(home.join("pipe")).status();
    assert!(mkfifo.expect("run").success());
    assert_eq!(session.read("link", 0, 4).await.expect("inside").1, bytes[..4]);
    let refused = [("dir", Code::IsDirectory), ("pipe", Code::Denied), ("out", Code::Denied), ("no", Code::NotFound)];
    for (path, code) in refused {
        assert_eq!(fault(session.read(path, 0, 4).await).expect("refused").code, code, "read {path}");
        assert_eq!(fault(session.hash(path).await).expect("refused").code, code, "hash {path}");
    }
}

#[tokio::test]
async fn a_hash_is_learnt_once_and_known_from_then_on() {
    let Place { host: _host, home, mut session } = place().await;
    let mut lane = session.lane().await.expect("a lane");
    for size in [0, 5, BLOCK, 2 * BLOCK + 5] {
        let bytes = content("by hand", size);
        fs::write(home.join("by-hand"), &bytes).expect("written");
        assert_eq!(session.stat("by-hand").await.expect("there").root, None, "nobody knows it yet");
        let entry = session.hash("by-hand").await.expect("read");
        assert_eq!((entry.root, entry.size, &entry.name), (Some(root_of(&bytes)), size as u64, &raw("by-hand")));
        assert_eq!(session.stat("by-hand").await.expect("there").root, Some(root_of(&bytes)), "kept");
        // A download finds the blocks it has, as it does of any file.
        let came = lane.get("by-hand", &bytes).await.expect("got");
        assert_eq!((came.tally.held, came.content == bytes), ((size / BLOCK * BLOCK) as u64, true));
        fs::remove_file(home.join("by-hand")).expect("removed");
    }
    // A record that holds is believed: the file is not read.
    lane.put("stored", b"stored", Expect::Absent).await.expect("stored");
    fs::write(home.join("stored"), b"STORED").expect("written");
    let file = File::options().write(true).open(home.join("stored")).expect("opened");
    let time = std::time::UNIX_EPOCH + std::time::Duration::new(MTIME.secs as u64, MTIME.nanos);
    file.set_modified(time).expect("set");
    assert_eq!(session.hash("stored").await.expect("told").root, Some(root_of(b"stored")));
}

#[tokio::test]
async fn reading_for_a_hash_can_be_stopped() {
    let Place { host: _host, home, mut session } = place().await;
    // Hours of holes.
    File::create(home.join("endless")).expect("made").set_len(1 << 40).expect("a hole");
    let mut asked = Vec::new();
    // Two are read, one waits for its turn.
    for _ in 0..3 {
        asked.push(session.ask(Op::Hash { path: raw("endless") }).await.expect("said"));
    }
    session.ping().await.expect("nobody is held up");
    for id in asked.into_iter().rev() {
        session.line.say(&FromClient::Cancel { id }).await.expect("said");
        assert_eq!(fault(session.answer(id).await).expect("stopped").code, Code::Cancelled);
    }
    session.read("endless", 0, 1).await.expect("the session goes on");
}

#[tokio::test]
async fn names_are_found_at_any_depth() {
    let mut place = place().await;
    let home = place.home.clone();
    fs::create_dir_all(home.join("Photos/2026/notes")).expect("made");
    fs::create_dir_all(home.join("other")).expect("made");
    for name in ["Photos/a.JPG", "Photos/2026/b.jpg", "Photos/2026/notes/List.txt", "notes.txt", "other/c.jpeg"] {
        fs::write(home.join(name), name).expect("written");
    }
    symlink("..", home.join("Photos/round.jpg")).expect("linked");
    symlink("/etc", home.join("out")).expect("linked");
    let table: [(&str, &str, &[&str]); 8] = [
        ("", "*.jpg", &["Photos/2026/b.jpg", "Photos/a.JPG", "Photos/round.jpg"]),
        ("", "*.JPG", &["Photos/a.JPG"]),
        ("Photos", "*.jpg", &["2026/b.jpg", "a.JPG", "round.jpg"]),
        ("", "note", &["Photos/2026/notes", "notes.txt"]),
        ("", "List", &["Photos/2026/notes/List.txt"]),
        ("", "?.jp*g", &["Photos/2026/b.jpg", "Photos/a.JPG", "other/c.jpeg"]),
        ("", "passwd", &[]),
        ("other", "photos/*", &[]),
    ];
    for (path, pattern, expected) in table {
        assert_eq!(place.found(path, pattern).await, expected, "{pattern} below {path:?}");
    }
    for (path, pattern, code) in [
        ("", "[a".to_owned(), Code::BadPattern),
        ("", "x".repeat(2000), Code::BadPattern),
        ("none", "*".into(), Code::NotFound),
        ("notes.txt", "*".into(), Code::NotDirectory),
        ("out", "*".into(), Code::Denied),
    ] {
        let op = Op::Find { path: raw(path), pattern };
        assert_eq!(fault(place.session.entries(op).await).expect("refused").code, code, "{path}");
    }
    // What has a record is found with its hash.
    let mut lane = place.session.lane().await.expect("a lane");
    lane.put("other/known.bin", b"known", Expect::Absent).await.expect("stored");
    let op = Op::Find { path: raw("other"), pattern: "known".into() };
    let found = place.session.entries(op).await.expect("searched");
    assert_eq!(found.first().and_then(|entry| entry.root), Some(root_of(b"known")));
    assert_eq!(place.host.home("ada"), home);
}

#[tokio::test]
async fn a_search_that_finds_nothing_can_be_stopped() {
    let mut place = place().await;
    for dir in 0..100 {
        fs::create_dir(place.home.join(dir.to_string())).expect("made");
        for file in 0..200 {
            fs::write(place.home.join(format!("{dir}/{file}")), b"").expect("written");
        }
    }
    let op = || Op::Find { path: raw(""), pattern: "nothing of the kind".into() };
    let id = place.session.ask(op()).await.expect("said");
    place.session.line.say(&FromClient::Cancel { id }).await.expect("said");
    assert_eq!(fault(place.session.answer(id).await).expect("stopped").code, Code::Cancelled);
    let all = place.session.entries(Op::Find { path: raw(""), pattern: "1".into() }).await.expect("searched");
    let holds_one = |number: &usize| number.to_string().contains('1');
    let expected = (0..100).filter(holds_one).count() + 100 * (0..200).filter(holds_one).count();
    assert_eq!(all.len(), expected);
}

#[tokio::test]
async fn who_turns_away_stops_the_server() {
    let place = place().await;
    File::create(place.home.join("endless")).expect("made").set_len(1 << 40).expect("a hole");
    let endless = RemotePath::parse(b"endless").expect("a path");
    let machine = Machine::new().expect("a machine");
    let client = machine.connect(place.host.address, "ada", Options::default()).await.expect("connected");
    let engine = &client.engine;
    // Two at a time are read: were these not stopped, no other would ever have its turn.
    for _ in 0..4 {
        let asked = engine.hash(&endless);
        tokio::time::timeout(std::time::Duration::from_millis(200), asked).await.expect_err("endless");
    }
    fs::write(place.home.join("small"), "small").expect("written");
    let small = RemotePath::parse(b"small").expect("a path");
    eventually("the small one is read", async || {
        engine.hash(&small).await.is_ok_and(|entry| entry.root == Some(root_of(b"small")))
    })
    .await;
    let piece = engine.read(&small, 1, 3).await.expect("read");
    assert_eq!((piece.bytes.as_slice(), piece.size), (b"mal".as_slice(), 5));
    assert_eq!(engine.trash_state().await.expect("told"), None);
    let mut found = engine.find(&RemotePath::home(), "small".into());
    let page = found.recv().await.expect("an answer").expect("searched");
    assert_eq!(page.first().map(|entry| entry.name.clone()), Some(raw("small")));
}
