//! The real server program on a real disk that is full or can only be read: a small file system of its own,
//! mounted in a name space of its own, which needs no privileges where the system lets users have these.
//! Where it does not, this says so and shows nothing; `durable` shows the same with a disk that pretends.

#![cfg(test)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tests::files::{content, holds};
use tests::host::PASSWORD;
use tests::session::{Lane, Session, fault, raw};
use wire::Code;
use wire::block::BLOCK;
use wire::fault::Detail;
use wire::message::{Expect, Op};

/// What of the data directory lies on the small disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Small {
    Homes,
    Catalog,
    Audit,
}

/// A server whose disk is small, with the account `ada`.
struct Place {
    child: Child,
    address: SocketAddr,
    dir: TempDir,
    small: Small,
}

/// `$1` the program, `$2` the small disk, `$3` the data directory, `$4` the homes, `$5` the password, `$6` what is kept free,
/// `$7` more configuration.
const SCRIPT: &str = r#"
set -e
mount -t tmpfs -o size=8m none "$2"
[ "$4" = "$3/users" ] || ln -s "$4" "$3/users"
printf 'also_reach = ["%s"]\nmin_free = "%s"\n%s\n' "$4" "$6" "$7" > "${3%/data}/server.toml"
printf %s "$5" | "$1" --data-dir "$3" --add-user ada --password-stdin >&2
exec "$1" --config "${3%/data}/server.toml" --data-dir "$3" --listen 127.0.0.1:0
"#;

impl Place {
    /// One that fills its disk to the last byte.
    fn start(small: Small) -> Option<Self> {
        Self::keeping(small, "none")
    }

    /// `None`, told on standard error: this system does not let its users mount anything.
    fn keeping(small: Small, min_free: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let (data, homes) = (dir.path().join("data"), Self::homes_below(dir.path(), small));
        fs::create_dir_all(&data).and_then(|()| fs::create_dir_all(&homes)).expect("made");
        let audit = dir.path().join("audit");
        fs::create_dir(&audit).expect("made");
        let (disk, more) = match small {
            Small::Homes => (&homes, String::new()),
            Small::Catalog => (&data, String::new()),
            Small::Audit => (&audit, format!("audit_log = {:?}", audit.join("audit.log"))),
        };
        let may = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none"]).arg(disk).output();
        if !may.is_ok_and(|output| output.status.success()) {
            // Past the capture of a test's output: it must not look as if it had been shown.
            writeln!(std::io::stderr(), "not shown: this system lets nobody mount a small disk").expect("told");
            return None;
        }
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", SCRIPT, "sh", env!("CARGO_BIN_EXE_server")]);
        command.args([disk, &data, &homes]).args([PASSWORD, min_free, &more]);
        let log = fs::File::create(dir.path().join("log")).expect("made");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().expect("started");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("read");
        let address = line.trim().strip_prefix("listening on ").and_then(|address| address.parse().ok());
        let log = || fs::read_to_string(dir.path().join("log")).expect("read");
        let address = address.unwrap_or_else(|| panic!("it said `{line}`; {}", log()));
        Some(Self { child, address, dir, small })
    }

    fn homes_below(dir: &Path, small: Small) -> PathBuf {
        dir.join(if small == Small::Homes { "data/users" } else { "homes" })
    }

    /// As the server sees it: in its name space.
    fn seen(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.child.id()));
        root.join(path.strip_prefix("/").expect("from the root"))
    }

    fn user(&self) -> PathBuf {
        self.seen(&Self::homes_below(self.dir.path(), self.small).join("ada"))
    }

    fn disk(&self) -> PathBuf {
        self.dir.path().join(match self.small {
            Small::Homes => "data/users",
            Small::Catalog => "data",
            Small::Audit => "audit",
        })
    }

    fn staged(&self) -> usize {
        self.user().join("staging").read_dir().expect("read").count()
    }

    /// Takes all but `left` bytes of the disk.
    fn fill(&self, left: usize) {
        let mut file = fs::File::create(self.filler()).expect("made");
        let page = vec![1; 4096];
        while file.write_all(&page).is_ok() {}
        let size = file.metadata().expect("metadata").len();
        file.set_len(size - left as u64).expect("cut");
    }

    fn free(&self) {
        fs::remove_file(self.filler()).expect("removed");
    }

    /// Beside the homes or the catalog, and neither's.
    fn filler(&self) -> PathBuf {
        self.seen(&self.disk()).join("filler")
    }

    /// Mounts the disk again, as `how`.
    fn remount(&self, how: &str) {
        let pid = self.child.id().to_string();
        let mut command = Command::new("nsenter");
        command.args(["-t", &pid, "-U", "-m", "--preserve-credentials", "mount", "-o"]);
        let output = command.arg(format!("remount,bind,{how}")).arg(self.disk()).output().expect("run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    async fn login(&self) -> (Session, Lane) {
        let session = Session::login(self.address, "ada", PASSWORD).await.expect("logged in");
        let lane = session.lane().await.expect("a lane");
        (session, lane)
    }

    /// The ledger says what the disk holds, nothing is promised, and `file` is what it was.
    async fn whole(&self, session: &mut Session, lane: &mut Lane, file: &[u8]) {
        let usage = session.space().await.expect("told");
        let found = holds(&self.user().join("files")).expect("walked");
        assert_eq!((usage.used, usage.files, usage.reserved), (found.bytes, found.files, 0));
        assert!(lane.get("file", b"").await.expect("got").content == file);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Gone already: fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn refused(lane: &mut Lane, path: &str, bytes: &[u8]) -> Code {
    fault(lane.put(path, bytes, Expect::Any).await).expect("a fault").code
}

#[tokio::test]
async fn a_full_disk_refuses_what_does_not_fit_and_keeps_what_resumes() {
    let Some(place) = Place::start(Small::Homes) else { return };
    let (mut session, mut lane) = place.login().await;
    let (old, new) = (content("old", BLOCK + 5), content("new", 5 * BLOCK));
    lane.put("file", &old, Expect::Absent).await.expect("stored");
    place.fill(2 * BLOCK + BLOCK / 2);
    assert_eq!(refused(&mut lane, "file", &new).await, Code::NoSpace);
    // On a lane of its own: on the other, blocks that were under way are still to be read and dropped.
    let mut lane = session.lane().await.expect("a lane");
    assert_eq!(refused(&mut lane, "small", &content("small", BLOCK)).await, Code::NoSpace);
    assert_eq!(place.staged(), 1, "of the small file nothing is kept");
    place.whole(&mut session, &mut lane, &old).await;

    place.free();
    lane.put("small", &content("small", BLOCK), Expect::Absent).await.expect("stored");
    let tally = lane.put("file", &new, Expect::Any).await.expect("stored");
    assert_eq!((tally.held, tally.sent), (2 * BLOCK as u64, 3 * BLOCK as u64));
    assert_eq!(place.staged(), 0);
    place.whole(&mut session, &mut lane, &new).await;
}

#[tokio::test]
async fn what_is_kept_free_refuses_what_is_new_and_not_what_has_begun() {
    // 3.2 of 8 MiB.
    let Some(place) = Place::keeping(Small::Homes, "40%") else { return };
    let (mut session, mut lane) = place.login().await;
    let old = content("old", BLOCK + 5);
    lane.put("file", &old, Expect::Absent).await.expect("stored");
    let too_large = fault(lane.put("large", &content("large", 5 * BLOCK), Expect::Any).await).expect("refused");
    assert_eq!(too_large.code, Code::NoSpace);
    assert!(matches!(too_large.detail, Detail::Shortfall(missing) if missing > 1 << 20), "{too_large:?}");
    assert!(too_large.message.contains("disk") && too_large.message.contains("not your quota"), "{too_large}");

    let begun = content("begun", 2 * BLOCK);
    let mut upload = lane.begin_put("begun", &begun, Expect::Absent).await.expect("there is room");
    // Two at once do not fit: what the first needs is set aside.
    let mut other = session.lane().await.expect("a lane");
    assert_eq!(refused(&mut other, "other", &content("other", 2 * BLOCK)).await, Code::NoSpace);
    place.fill(2 * BLOCK + BLOCK / 2);
    assert_eq!(refused(&mut other, "small", b"small").await, Code::NoSpace);
    let copy = Op::Copy { from: raw("file"), to: raw("copy"), replace: false };
    assert_eq!(fault(session.order(copy.clone()).await).expect("refused").code, Code::NoSpace);
    lane.send_blocks(&mut upload, u64::MAX).await.expect("sent");
    lane.seal(&upload).await.expect("sealed");
    lane.stored(&upload).await.expect("what has begun is stored");
    assert_eq!(place.staged(), 0, "of what was refused nothing is kept");
    place.whole(&mut session, &mut lane, &old).await;

    place.free();
    other.put("small", b"small", Expect::Absent).await.expect("stored");
    session.order(copy).await.expect("copied");
    place.whole(&mut session, &mut lane, &old).await;
}

#[tokio::test]
async fn a_disk_that_can_only_be_read_serves_reading() {
    let Some(place) = Place::start(Small::Homes) else { return };
    let (mut session, mut lane) = place.login().await;
    let (old, new) = (content("old", BLOCK + 5), content("new", 2 * BLOCK));
    lane.put("file", &old, Expect::Absent).await.expect("stored");
    place.remount("ro");
    assert_eq!(refused(&mut lane, "file", &new).await, Code::Io);
    let mut lane = session.lane().await.expect("a lane");
    assert_eq!(refused(&mut lane, "small", b"small").await, Code::Io);
    place.whole(&mut session, &mut lane, &old).await;

    place.remount("rw");
    lane.put("small", b"small", Expect::Absent).await.expect("stored");
    lane.put("file", &new, Expect::Any).await.expect("stored");
    assert_eq!(place.staged(), 0);
    place.whole(&mut session, &mut lane, &new).await;
}

#[tokio::test]
async fn a_catalog_on_a_full_disk_refuses_and_changes_nothing() {
    let Some(place) = Place::start(Small::Catalog) else { return };
    let (mut session, mut lane) = place.login().await;
    let (old, new) = (content("old", BLOCK + 5), content("new", 2 * BLOCK));
    lane.put("file", &old, Expect::Absent).await.expect("stored");
    place.fill(0);
    assert_eq!(refused(&mut lane, "file", &new).await, Code::NoSpace);
    let mut lane = session.lane().await.expect("a lane");
    assert_eq!(refused(&mut lane, "small", b"small").await, Code::NoSpace);
    assert_eq!(place.staged(), 0);
    place.whole(&mut session, &mut lane, &old).await;

    place.free();
    lane.put("small", b"small", Expect::Absent).await.expect("stored");
    lane.put("file", &new, Expect::Any).await.expect("stored");
    place.whole(&mut session, &mut lane, &new).await;
}

#[tokio::test]
async fn an_audit_on_a_full_disk_loses_no_line_and_stops_nobody() {
    let Some(place) = Place::start(Small::Audit) else { return };
    let (mut session, _lane) = place.login().await;
    let (file, log) = (place.seen(&place.disk().join("audit.log")), place.dir.path().join("log"));
    let read = |file: &Path| fs::read_to_string(file).expect("read");
    place.fill(0);
    let mut made = 0;
    // What is left of its last page fills up.
    while !read(&log).contains("the audit file takes no lines") {
        made += 1;
        assert!(made < 100, "{}", read(&log));
        session.order(Op::Mkdir { path: raw(format!("{made}")), parents: false }).await.expect("made");
    }
    session.order(Op::Mkdir { path: raw("more"), parents: false }).await.expect("made");
    place.free();
    session.order(Op::Mkdir { path: raw("last"), parents: false }).await.expect("made");
    assert!(read(&log).contains("the audit file takes lines again"));
    let in_file: Vec<serde_json::Value> =
        read(&file).lines().map(|line| serde_json::from_str(line).expect("whole")).collect();
    let in_file = in_file.iter().filter(|line| line["verb"] == "mkdir").count();
    let in_log = read(&log).lines().filter(|line| line.contains(" audit: ") && line.contains("verb=\"mkdir\"")).count();
    assert_eq!((in_file + in_log, in_log), (made + 2, 2), "each in one of the two");
}
