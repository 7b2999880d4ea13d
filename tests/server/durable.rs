//! In what order the server syncs, names, settles and acknowledges, seen by the disk under it and by a second
//! connection to its catalog; and what is true after any of these steps has failed.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use rusqlite::Connection;
use rustix::io::Errno;
use server::config::Durability;
use server::vault::staging_name;
use tests::disk::{Disk, Step};
use tests::files::{content, holds, root_of};
use tests::host::Host;
use tests::line::PATIENCE;
use tests::session::{Lane, MTIME, Session, fault, raw};
use wire::block::{BLOCK, chaining_value};
use wire::message::{Expect, Lane as Said, Offer, Op};
use wire::{Code, Fault, RemotePath};

/// Three blocks, in staging; and one in memory, published in a group.
const SIZES: [usize; 2] = [2 * BLOCK + 5, 1000];

struct Place {
    host: Host,
    disk: Arc<Disk>,
    session: Session,
    lane: Lane,
}

impl Place {
    async fn new() -> Self {
        let disk = Arc::new(Disk::default());
        let host = Host::on(disk.clone()).await.expect("started");
        host.add_user("ada", Some(64 << 20)).await.expect("a user");
        let session = host.login("ada").await.expect("logged in");
        let lane = session.lane().await.expect("a lane");
        Self { host, disk, session, lane }
    }

    /// The fault that an upload ends with. It ends with one or with `Stored`, never with both.
    async fn refused(&mut self, path: &str, bytes: &[u8]) -> Fault {
        fault(self.lane.put(path, bytes, Expect::Any).await).expect("a fault")
    }

    fn catalog(&self) -> Connection {
        Connection::open(self.host.data_dir().join("catalog.sqlite")).expect("opened")
    }

    /// Makes every statement of that kind on publishes under way fail, until told otherwise.
    fn break_catalog(&self, statement: &str) {
        let trigger = format!("CREATE TRIGGER broken BEFORE {statement} ON intents BEGIN SELECT RAISE(ABORT, ''); END");
        self.catalog().execute_batch(&trigger).expect("made");
    }

    fn mend_catalog(&self) {
        self.catalog().execute_batch("DROP TRIGGER broken").expect("dropped");
    }

    fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.host.home("ada").join(path)).expect("read")
    }

    fn staged(&self) -> usize {
        self.host.staging("ada").read_dir().expect("read").count()
    }

    /// The ledger says what the disk holds, nothing is promised, and the server goes on.
    async fn works_on(&mut self) {
        exact(&self.host, &mut self.session).await;
        for size in SIZES {
            self.lane.put("next", &content("next", size), Expect::Any).await.expect("stored");
        }
        exact(&self.host, &mut self.session).await;
    }
}

async fn exact(host: &Host, session: &mut Session) {
    let usage = session.space().await.expect("told");
    let found = holds(&host.home("ada")).expect("walked");
    assert_eq!((usage.used, usage.files, usage.reserved), (found.bytes, found.files, 0));
}

/// What a second connection sees: only what was committed.
fn seen(catalog: &Path) -> String {
    let figure = |query: &str| {
        let connection = Connection::open(catalog).expect("opened");
        connection.query_row(query, [], |row| row.get::<_, i64>(0)).expect("read")
    };
    let (intents, records) = (figure("SELECT count(*) FROM intents"), figure("SELECT count(*) FROM records"));
    format!("{intents} publishing, {records} recorded, {} used", figure("SELECT used FROM users"))
}

#[tokio::test]
async fn content_then_announcement_then_name_then_directory_then_settled_then_told() {
    for size in SIZES {
        let mut place = Place::new().await;
        let catalog = place.host.data_dir().join("catalog.sqlite");
        let at = catalog.clone();
        place.disk.watch(move |_| seen(&at));
        place.lane.put("file", &content("file", size), Expect::Absent).await.expect("stored");
        let told = seen(&catalog);
        let (before, between) = ("0 publishing, 0 recorded, 0 used", "1 publishing, 0 recorded, 0 used");
        let expected = [(Step::Content, before), (Step::Name, between), (Step::Directory, between)];
        assert_eq!(place.disk.noted(), expected.map(|(step, seen)| (step, seen.to_owned())));
        assert_eq!(told, format!("0 publishing, 1 recorded, {size} used"), "before the acknowledgement came");
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_when_the_disk_fails() {
    let table = [
        (Step::Content, Errno::IO, Code::Io),
        (Step::Content, Errno::NOSPC, Code::NoSpace),
        (Step::Content, Errno::ROFS, Code::Io),
        (Step::Name, Errno::IO, Code::Io),
        (Step::Name, Errno::NOSPC, Code::NoSpace),
        (Step::Name, Errno::ROFS, Code::Io),
        (Step::Directory, Errno::IO, Code::Io),
    ];
    for size in SIZES {
        let mut place = Place::new().await;
        let (old, new) = (content("old", size), content("new", size + 1));
        for (step, errno, code) in table {
            place.lane.put("file", &old, Expect::Any).await.expect("stored");
            place.disk.fail(step, 0, errno);
            assert_eq!(place.refused("file", &new).await.code, code, "{step:?} {errno}");
            // Once it has its name, it is whole: only that the name lasts cannot be promised.
            let stands = if step == Step::Directory { &new } else { &old };
            assert!(place.read("file") == *stands, "{step:?} {errno}");
            let kept = usize::from(step == Step::Name && size > BLOCK);
            assert_eq!(place.staged(), kept, "{step:?} {errno}: only what resumes");
            place.works_on().await;
            place.lane.put("file", &new, Expect::Any).await.expect("stored");
            assert!(place.read("file") == new && place.staged() == 0);
        }
    }
}

#[tokio::test]
async fn content_that_failed_to_sync_is_not_offered_again() {
    let mut place = Place::new().await;
    let bytes = content("file", SIZES[0]);
    // A name that failed leaves content that lasts: all of it is held.
    place.disk.fail(Step::Name, 0, Errno::IO);
    place.refused("file", &bytes).await;
    let upload = place.lane.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    assert_eq!(upload.held.iter().flatten().count(), 3);
    // The same pages, failing to sync: none of it is.
    place.disk.fail(Step::Content, 0, Errno::IO);
    place.lane.seal(&upload).await.expect("said");
    assert_eq!(fault(place.lane.stored(&upload).await).expect("a fault").code, Code::Io);
    assert_eq!((place.staged(), place.host.accounts().catalog.uploads().await.expect("read")), (0, vec![]));
    let tally = place.lane.put("file", &bytes, Expect::Absent).await.expect("stored");
    assert_eq!((tally.sent, tally.held), (bytes.len() as u64, 0));
    place.works_on().await;
}

#[tokio::test]
async fn nothing_is_acknowledged_when_the_catalog_fails() {
    for size in SIZES {
        let mut place = Place::new().await;
        let (old, new) = (content("old", size), content("new", size + 1));
        place.lane.put("file", &old, Expect::Any).await.expect("stored");

        place.break_catalog("INSERT");
        assert_eq!(place.refused("file", &new).await.code, Code::Internal);
        assert!(place.read("file") == old);
        place.mend_catalog();
        place.works_on().await;

        // The name is given, but cannot be settled: it is told as a failure, and nothing more is promised
        // on a ledger that is not exact.
        place.break_catalog("DELETE");
        assert_eq!(place.refused("file", &new).await.code, Code::Internal);
        assert!(place.read("file") == new);
        assert_eq!(place.refused("other", &new).await.code, Code::Internal);
        assert!(!place.host.home("ada").join("other").exists());
        place.mend_catalog();
        place.works_on().await;
        assert_eq!(place.session.stat("file").await.expect("there").root, Some(root_of(&new)));
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_in_a_directory_that_may_not_last() {
    let mut place = Place::new().await;
    let (standing, mut stands) = tokio::sync::mpsc::unbounded_channel();
    let (acknowledged, told) = mpsc::channel::<()>();
    let told = Mutex::new(Some(told));
    // The directory is made, its name is not synced yet; long enough for an upload that does not wait for it.
    place.disk.watch(move |step| {
        let first = if step == Step::Directory { told.lock().expect("whole").take() } else { None };
        let Some(told) = first else { return String::new() };
        standing.send(()).expect("waited for");
        format!("{:?}", told.recv_timeout(Duration::from_millis(500)).is_ok())
    });
    let Place { session, lane, .. } = &mut place;
    let making = session.order(Op::Mkdir { path: raw("new"), parents: false });
    let putting = async {
        stands.recv().await.expect("reached");
        lane.put("new/file", b"bytes", Expect::Absent).await.expect("stored");
        // An error: nobody waits for it any more.
        let _ = acknowledged.send(());
    };
    let (made, ()) = tokio::join!(making, putting);
    made.expect("made");
    let noted = place.disk.noted();
    let at = |step| noted.iter().position(|(noted, _)| *noted == step);
    assert!(noted.contains(&(Step::Directory, "false".into())) && at(Step::Directory) < at(Step::Name), "{noted:?}");

    place.disk.fail(Step::Directory, 0, Errno::IO);
    let failed = place.session.order(Op::Mkdir { path: raw("other"), parents: false }).await;
    assert_eq!(fault(failed).expect("a fault").code, Code::Io);
    assert!(!place.host.home("ada").join("other").exists());
    place.works_on().await;
}

#[tokio::test]
async fn a_removal_and_a_rename_are_counted_when_their_sync_fails() {
    let mut place = Place::new().await;
    for name in ["gone", "from", "to"] {
        place.lane.put(name, &content(name, 1000), Expect::Absent).await.expect("stored");
    }
    place.disk.fail(Step::Directory, 0, Errno::IO);
    let removed = place.session.order(Op::Remove { path: raw("gone"), recursive: false }).await;
    assert_eq!(fault(removed).expect("a fault").code, Code::Io);
    exact(&place.host, &mut place.session).await;
    place.disk.fail(Step::Directory, 0, Errno::IO);
    let renamed = place.session.order(Op::Rename { from: raw("from"), to: raw("to"), replace: true }).await;
    assert_eq!(fault(renamed).expect("a fault").code, Code::Io);
    place.works_on().await;
}

/// Uploads `count` small files of which the server makes one group, and says what became of each.
async fn group(place: &mut Place, count: u64) -> Vec<Option<Code>> {
    let (go, held) = mpsc::channel::<()>();
    let (reached, mut at_its_sync) = tokio::sync::mpsc::unbounded_channel();
    let held = Mutex::new(Some(held));
    // The group before stands at its sync until all of this one have come.
    place.disk.watch(move |step| {
        if step == Step::Content
            && let Some(held) = held.lock().expect("whole").take()
        {
            reached.send(()).expect("waited for");
            held.recv_timeout(PATIENCE).expect("told to go on");
        }
        String::new()
    });
    let bytes = content("small", 100);
    let offer = Offer { size: 100, mtime: MTIME, executable: false, eager: true };
    for transfer in 0..=count {
        let path = raw(format!("group/{transfer}"));
        place.lane.line.say(&Said::Put { transfer, path, offer, expect: Expect::Any }).await.expect("said");
        place.lane.line.block(transfer, 0, chaining_value(100, 0, &bytes), &bytes).await.expect("said");
        place.lane.line.say(&Said::Seal { transfer, root: root_of(&bytes) }).await.expect("said");
        if transfer == 0 {
            at_its_sync.recv().await.expect("reached");
        }
    }
    // Heard in order: when this is answered, all of the above were taken; and nothing was acknowledged
    // that was not synced.
    place.lane.line.say(&Said::Get { transfer: 999, path: raw("nothing"), eager: true }).await.expect("said");
    let heard = place.lane.line.message().await.expect("heard");
    assert!(matches!(heard, Said::Fault { transfer: 999, .. }), "{heard:?}");
    go.send(()).expect("heard");
    let mut codes = vec![None; usize::try_from(count).expect("small") + 1];
    for _ in 0..=count {
        match place.lane.line.message().await.expect("heard") {
            Said::Stored { .. } => {}
            Said::Fault { transfer, fault } => codes[usize::try_from(transfer).expect("small")] = Some(fault.code),
            other => panic!("{other:?}"),
        }
    }
    codes.remove(0);
    codes
}

#[tokio::test]
async fn one_failing_file_of_a_small_group_fails_alone() {
    let mut place = Place::new().await;
    // The first is the group before.
    place.disk.fail(Step::Content, 1 + 2, Errno::IO);
    let mut expected = vec![None; 5];
    expected[2] = Some(Code::Io);
    assert_eq!(group(&mut place, 5).await, expected);
    assert_eq!(holds(&place.host.home("ada")).expect("walked").files, 5);
    assert_eq!(place.staged(), 0);
    place.works_on().await;
}

#[tokio::test]
async fn a_failing_sync_of_the_file_system_fails_the_group() {
    let mut place = Place::new().await;
    place.disk.fail(Step::All, 0, Errno::IO);
    assert_eq!(group(&mut place, 20).await, vec![Some(Code::Io); 20]);
    assert_eq!((holds(&place.host.home("ada")).expect("walked").files, place.staged()), (1, 0));
    place.disk.noted();
    assert_eq!(group(&mut place, 20).await, vec![None; 20]);
    let steps: Vec<Step> = place.disk.noted().into_iter().map(|(step, _)| step).collect();
    let after_the_first = steps.split(|step| *step == Step::All).next_back().expect("a sync of all");
    let own = [vec![Step::Name; 20], vec![Step::Directory]].concat();
    let rest = after_the_first.strip_suffix(own.as_slice());
    // The group before, of one file, may get its name while this one is synced: before these, never between.
    let rest = rest.unwrap_or_else(|| panic!("not the names and then the directory: {after_the_first:?}"));
    assert!([Step::Name, Step::Directory].ends_with(rest), "{rest:?}");
    place.works_on().await;
}

/// Makes a file what a power cut may leave of it, with its time as it was.
fn spoil(path: &Path, spoiled: &[u8]) {
    let time = path.metadata().and_then(|metadata| metadata.modified()).expect("a time");
    // Written in place: its number stays.
    let file = fs::File::options().write(true).truncate(true).open(path).expect("opened");
    std::io::Write::write_all(&mut &file, spoiled).expect("written");
    file.set_modified(time).expect("set");
}

#[tokio::test]
async fn relaxed_a_start_counts_anew_and_records_do_not_vouch_for_what_was_lost() {
    let mut host = Host::with(|config| config.durability = Durability::Relaxed).await.expect("started");
    host.add_user("ada", None).await.expect("a user");
    let (session, bytes) = (host.login("ada").await.expect("logged in"), content("file", 3 * BLOCK));
    let mut lane = session.lane().await.expect("a lane");
    for name in ["empty", "zeros", "missing", "whole"] {
        lane.put(name, &bytes, Expect::Absent).await.expect("stored");
    }
    host.stop().await.expect("stopped");
    let home = host.home("ada");
    spoil(&home.join("empty"), b"");
    spoil(&home.join("zeros"), &vec![0; bytes.len()]);
    fs::remove_file(home.join("missing")).expect("removed");
    host.restart().await.expect("restarted");
    let mut session = host.login("ada").await.expect("logged in");
    exact(&host, &mut session).await;
    assert_eq!(session.stat("empty").await.expect("there").root, None, "the record is of another file");
    let mut lane = session.lane().await.expect("a lane");
    assert_eq!(lane.get("whole", b"").await.expect("got").content, bytes);
    let spoiled = lane.get("zeros", b"").await.expect_err("noticed when it comes");
    assert_eq!(spoiled.to_string(), "block 0 came damaged");
}

#[tokio::test]
async fn a_publish_that_was_cut_off_keeps_no_record_of_other_content() {
    let mut place = Place::new().await;
    place.break_catalog("DELETE");
    place.refused("file", &content("file", SIZES[0])).await;
    place.host.stop().await.expect("stopped");
    spoil(&place.host.home("ada").join("file"), b"short");
    place.mend_catalog();
    place.host.restart().await.expect("restarted");
    let mut session = place.host.login("ada").await.expect("logged in");
    exact(&place.host, &mut session).await;
    assert_eq!(session.stat("file").await.expect("there").root, None);
}

#[tokio::test]
async fn a_start_leaves_in_staging_what_is_listed_and_nothing_else() {
    let mut place = Place::new().await;
    let bytes = content("file", SIZES[0]);
    for path in ["kept", "lost"] {
        let mut upload = place.lane.begin_put(path, &bytes, Expect::Absent).await.expect("accepted");
        place.lane.send_blocks(&mut upload, 1).await.expect("sent");
        place.lane.line.say(&Said::Abandon { transfer: upload.transfer, keep: true }).await.expect("said");
    }
    place.lane.put("other", b"what is answered after those", Expect::Absent).await.expect("stored");
    place.host.stop().await.expect("stopped");
    let staged = |path: &[u8]| {
        let name = staging_name(&RemotePath::parse(path).expect("a path"));
        place.host.staging("ada").join(name)
    };
    fs::remove_file(staged(b"lost")).expect("removed");
    // A copy that was killed, an upload that was not noted yet, a small file.
    for left in [staged(b"copy"), place.host.staging("ada").join("g7-0")] {
        fs::write(left, "left").expect("written");
    }
    place.host.restart().await.expect("restarted");
    let listed = place.host.accounts().catalog.uploads().await.expect("read");
    assert_eq!(listed.iter().map(|upload| upload.path.to_string()).collect::<Vec<_>>(), ["/kept"]);
    assert_eq!(place.staged(), 1);
    let session = place.host.login("ada").await.expect("logged in");
    let tally = session.lane().await.expect("a lane").put("kept", &bytes, Expect::Absent).await.expect("stored");
    assert_eq!(tally.held, BLOCK as u64);
}
