//! Nothing outside a home can be read, written, listed, moved or removed: by paths that climb, by links
//! that lead out, or by directories that turn into such links at the wrong moment.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tests::files;
use tests::host::Host;
use tests::session::{Lane, Session, fault, raw};
use wire::Code;
use wire::message::{Expect, Kind, Op};

const SECRET: &[u8] = b"the neighbour's secret";

/// Ada's home, with links that lead out of it, beside a place she must not reach.
struct Trap {
    host: Host,
    outside: tempfile::TempDir,
    home: PathBuf,
    session: Session,
    lane: Lane,
}

impl Trap {
    async fn set() -> Self {
        let host = Host::start().await.expect("a server");
        host.add_user("ada", None).await.expect("a user");
        host.add_user("bob", None).await.expect("a user");
        host.set_trash("ada", Some(1)).await.expect("set");
        let outside = tempfile::tempdir().expect("a directory");
        fs::write(outside.path().join("secret"), SECRET).expect("written");
        fs::create_dir(outside.path().join("dir")).expect("made");
        fs::write(host.home("bob").join("secret"), SECRET).expect("written");
        let home = host.home("ada");
        fs::create_dir(home.join("docs")).expect("made");
        fs::write(home.join("docs/mine"), b"mine").expect("written");
        symlink("docs", home.join("inside")).expect("linked");
        symlink(outside.path(), home.join("absolute")).expect("linked");
        symlink("../../bob/files", home.join("relative")).expect("linked");
        symlink(outside.path().join("secret"), home.join("file")).expect("linked");
        symlink(outside.path().join("new"), home.join("dangling")).expect("linked");
        symlink("../staging", home.join("staging")).expect("linked");
        symlink("docs/../../../bob/files", home.join("winding")).expect("linked");
        let session = host.login("ada").await.expect("logged in");
        let lane = session.lane().await.expect("a lane");
        Self { host, outside, home, session, lane }
    }

    /// Every request that takes a path, with this path.
    fn requests(path: &[u8]) -> Vec<Op> {
        let other = || raw("docs/other");
        vec![
            Op::List { path: raw(path) },
            Op::Walk { path: raw(path) },
            Op::Stat { path: raw(path) },
            Op::Mkdir { path: raw(path), parents: false },
            Op::Mkdir { path: raw(path), parents: true },
            Op::Create { path: raw(path) },
            Op::Remove { path: raw(path), recursive: false },
            Op::Remove { path: raw(path), recursive: true },
            Op::Rename { from: raw(path), to: other(), replace: true },
            Op::Rename { from: raw("docs/mine"), to: raw(path), replace: true },
            Op::Copy { from: raw(path), to: other(), replace: true },
            Op::Copy { from: raw("docs/mine"), to: raw(path), replace: true },
            Op::Read { path: raw(path), offset: 0, len: 100 },
            Op::Hash { path: raw(path) },
            Op::Find { path: raw(path), pattern: "*".into() },
            Op::Trash { path: raw(path) },
        ]
    }

    /// Everything outside is as it was, and nothing of it came in.
    fn nothing_happened(&self) {
        let outside = self.outside.path();
        for secret in [outside.join("secret"), self.host.home("bob").join("secret")] {
            assert_eq!(fs::read(&secret).expect("still there"), SECRET);
        }
        let names = |dir: &Path| fs::read_dir(dir).expect("readable").count();
        assert_eq!((names(outside), names(&outside.join("dir")), names(&self.host.home("bob"))), (2, 0, 1));
        for path in files::paths(&self.home).expect("walked") {
            let is_file = fs::symlink_metadata(&path).expect("there").is_file();
            assert!(!is_file || fs::read(&path).expect("read") != SECRET, "the secret lies in {}", path.display());
        }
    }
}

/// Paths that are no paths: refused before anything is looked at.
fn impossible() -> Vec<Vec<u8>> {
    let mut paths: Vec<Vec<u8>> = [
        "..",
        "../x",
        "/..",
        "/../../etc/passwd",
        "docs/../../x",
        "docs/..",
        ".",
        "./docs",
        "docs/.",
        "../../bob/files/secret",
    ]
    .map(|path| path.as_bytes().to_vec())
    .into();
    paths.push(b"docs\0/mine".to_vec());
    paths.push(b"\0".to_vec());
    paths.push(vec![b'x'; 256]);
    paths.push([b"docs/".as_slice(), &[b'y'; 300]].concat());
    paths.push(b"a/".repeat(2048));
    paths
}

/// Paths that go through a link out of the home.
const THROUGH: [&str; 9] = [
    "absolute/secret",
    "absolute/dir",
    "absolute/dir/new",
    "relative/secret",
    "relative/new",
    "winding/secret",
    "staging/new",
    "file/x",
    "dangling/x",
];

#[tokio::test]
async fn paths_that_climb_are_refused() {
    let mut trap = Trap::set().await;
    for path in impossible() {
        for op in Trap::requests(&path) {
            let shown = format!("{op:?}");
            let refused = fault(trap.session.entries(op).await).expect(&shown);
            assert_eq!(refused.code, Code::BadPath, "{shown}");
        }
        for expect in [Expect::Absent, Expect::Any] {
            let refused = fault(trap.lane.put(&path, b"mine", expect).await).expect("refused");
            assert_eq!(refused.code, Code::BadPath, "put to {path:?}");
        }
        assert_eq!(fault(trap.lane.get(&path, b"").await).expect("refused").code, Code::BadPath, "get of {path:?}");
    }
    trap.nothing_happened();
    trap.session.ping().await.expect("the session goes on");
}

#[tokio::test]
async fn absolute_paths_are_counted_from_the_home() {
    let mut trap = Trap::set().await;
    let secret = trap.outside.path().join("secret");
    for path in [Path::new("/etc/passwd"), &secret] {
        let path = path.as_os_str().as_encoded_bytes();
        assert_eq!(fault(trap.session.stat(path).await).expect("refused").code, Code::NotFound);
        assert_eq!(fault(trap.lane.get(path, b"").await).expect("refused").code, Code::NotFound);
    }
    trap.lane.put("/etc/passwd", b"mine", Expect::Absent).await.expect("it is a path in the home");
    assert_eq!(fs::read(trap.home.join("etc/passwd")).expect("there"), b"mine");
    trap.nothing_happened();
}

#[tokio::test]
async fn links_out_of_the_home_lead_nowhere() {
    let mut trap = Trap::set().await;
    for path in THROUGH {
        for op in Trap::requests(path.as_bytes()) {
            let shown = format!("{op:?}");
            let refused = fault(trap.session.entries(op).await).expect(&shown);
            assert!(matches!(refused.code, Code::Denied | Code::NotDirectory | Code::NotFound), "{shown}: {refused:?}");
        }
        for expect in [Expect::Absent, Expect::Any] {
            let content = files::content("big", 2 << 20);
            for content in [b"mine".as_slice(), &content] {
                fault(trap.lane.put(path, content, expect).await).expect("refused");
            }
        }
        fault(trap.lane.get(path, b"").await).expect("refused");
        trap.nothing_happened();
    }
    for path in ["absolute", "relative", "winding", "staging"] {
        for op in [Op::List { path: raw(path) }, Op::Walk { path: raw(path) }] {
            let shown = format!("{op:?}");
            fault(trap.session.entries(op).await).expect(&shown);
        }
    }
    for path in ["file", "dangling", "absolute", "relative"] {
        fault(trap.lane.get(path, b"").await).expect("refused");
        fault(trap.session.order(Op::Create { path: raw(path) }).await).expect("refused");
        // Whether a link gives way to a file or is refused, what it points to stays.
        let _ = trap.lane.put(path, b"mine", Expect::Any).await;
        let _ = trap.session.order(Op::Copy { from: raw("docs/mine"), to: raw(path), replace: true }).await;
        let _ = trap.session.order(Op::Copy { from: raw(path), to: raw("docs/copy"), replace: true }).await;
        let _ = trap.session.order(Op::Rename { from: raw(path), to: raw("docs/moved"), replace: true }).await;
        let _ = trap.session.order(Op::Remove { path: raw(path), recursive: true }).await;
        trap.nothing_happened();
    }
    trap.session.ping().await.expect("the session goes on");
}

#[tokio::test]
async fn links_are_shown_and_not_followed_by_walks_and_removals() {
    let mut trap = Trap::set().await;
    let listed = trap.session.entries(Op::List { path: raw("") }).await.expect("listed");
    let links = listed.iter().filter(|entry| entry.kind == Kind::Link).count();
    assert_eq!((links, listed.len()), (7, 8));
    let walked = trap.session.entries(Op::Walk { path: raw("") }).await.expect("walked");
    assert_eq!(walked.len(), 9, "{walked:?}");
    for entry in &listed {
        trap.session.order(Op::Remove { path: entry.name.clone(), recursive: true }).await.expect("removed");
    }
    assert_eq!(fs::read_dir(&trap.home).expect("readable").count(), 0);
    trap.nothing_happened();
}

#[tokio::test]
async fn a_link_within_the_home_is_followed() {
    let mut trap = Trap::set().await;
    assert_eq!(trap.lane.get("inside/mine", b"").await.expect("got").content, b"mine");
    trap.lane.put("inside/new", b"new", Expect::Absent).await.expect("stored");
    assert_eq!(fs::read(trap.home.join("docs/new")).expect("there"), b"new");
    let listed = trap.session.entries(Op::List { path: raw("inside") }).await.expect("listed");
    assert_eq!(listed.len(), 2);
}

#[tokio::test]
async fn devices_and_pipes_are_shown_and_never_opened() {
    let mut trap = Trap::set().await;
    let pipe = trap.home.join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600), 0)
        .expect("a pipe");
    assert_eq!(trap.session.stat("pipe").await.expect("shown").kind, Kind::Other);
    assert_eq!(fault(trap.lane.get("pipe", b"").await).expect("refused").code, Code::Denied);
    fault(trap.lane.put("pipe", b"mine", Expect::Absent).await).expect("refused");
    fault(trap.session.order(Op::Copy { from: raw("pipe"), to: raw("copy"), replace: false }).await).expect("refused");
    // Its name may be given to a file; nothing goes into the pipe, where it would wait for a reader for ever.
    trap.lane.put("pipe", b"mine", Expect::Any).await.expect("replaced");
    assert_eq!(fs::read(&pipe).expect("a file by now"), b"mine");
    trap.session.ping().await.expect("the session goes on");
}

/// Exchanges pairs of names over and over, until it is told to stop.
fn exchanging(home: &Path, pairs: [(&str, &str); 2]) -> (Arc<AtomicU64>, impl FnOnce() + use<>) {
    let (rounds, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let pairs = pairs.map(|(one, other)| (home.join(one), home.join(other)));
    let running = std::thread::spawn({
        let (rounds, over) = (Arc::clone(&rounds), Arc::clone(&over));
        move || {
            while !over.load(Ordering::Relaxed) {
                for (one, other) in &pairs {
                    use rustix::fs::{CWD, RenameFlags, renameat_with};
                    // The client may have taken one away for a moment: then it is put back below.
                    if renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok() {
                        rounds.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    });
    let stop = move || {
        over.store(true, Ordering::Relaxed);
        running.join().expect("it ends");
    };
    (rounds, stop)
}

#[tokio::test]
async fn names_that_turn_into_links_let_nobody_out() {
    const ROUNDS: u64 = 200_000;
    let mut trap = Trap::set().await;
    let (home, outside) = (trap.home.clone(), trap.outside.path().to_owned());
    // A directory and a file, each in turn with a link out of the home.
    fs::create_dir(home.join("real")).expect("made");
    fs::write(home.join("real/secret"), b"decoy").expect("written");
    symlink(&outside, home.join("link")).expect("linked");
    fs::rename(home.join("real"), home.join("door")).expect("renamed");
    fs::write(home.join("paper"), b"decoy").expect("written");
    symlink(outside.join("secret"), home.join("pointer")).expect("linked");
    let (rounds, stop) = exchanging(&home, [("door", "link"), ("paper", "pointer")]);
    let (mut got, mut refused, mut round) = (0, 0, 0);
    while round < 300 || rounds.load(Ordering::Relaxed) < ROUNDS {
        round += 1;
        for path in ["door/secret", "paper"] {
            match trap.lane.get(path, b"").await {
                Ok(download) => {
                    assert_eq!(download.content, b"decoy");
                    got += 1;
                }
                Err(_) => refused += 1,
            }
        }
        let _ = trap.lane.put(format!("door/new-{round}"), b"mine", Expect::Any).await;
        let ops = [
            Op::Mkdir { path: raw("door/dir/deep"), parents: true },
            Op::Rename { from: raw("door/dir"), to: raw("door/moved"), replace: true },
            Op::Copy { from: raw("docs/mine"), to: raw("door/copy"), replace: true },
            Op::Copy { from: raw("door/secret"), to: raw("docs/copied"), replace: true },
            Op::Trash { path: raw(format!("door/new-{round}")) },
            Op::Remove { path: raw("door/dir"), recursive: true },
            Op::Remove { path: raw("door/moved"), recursive: true },
        ];
        for op in ops {
            let _ = trap.session.order(op).await;
        }
        for op in [Op::Walk { path: raw("door") }, Op::List { path: raw("door") }] {
            let _ = trap.session.entries(op).await;
        }
        for read in ["door/secret", "paper"] {
            if let Ok((_, bytes)) = trap.session.read(read, 0, 100).await {
                assert_eq!(bytes, b"decoy");
            }
        }
    }
    stop();
    assert!(got > 0 && refused > 0, "no race was run: {got} got, {refused} refused");
    trap.nothing_happened();
}
