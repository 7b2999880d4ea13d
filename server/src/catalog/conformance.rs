//! What every catalog must do, as functions over a handle, and the tests that put this one through
//! them. What only a file on a disk can show stands at the end.

use std::path::PathBuf;

use tempfile::TempDir;
use wire::block::Cv;
use wire::message::{Time, Usage};
use wire::{RemotePath, Root, UserName};

use super::*;
use crate::config::Durability;
use custody::*;
use keys::*;
use wire::message::PublicKey;

mod custody;
mod keys;

fn open(path: &Path) -> Result<Catalog, CatalogError> {
    Catalog::open(path, Durability::Full)
}

fn name(text: &str) -> UserName {
    text.parse().expect("a user name")
}

fn path(text: impl AsRef<[u8]>) -> RemotePath {
    RemotePath::parse(text.as_ref()).expect("a path")
}

fn record(size: u64, inode: u64) -> Record {
    let stamp = Stamp { size, mtime: Time { secs: -3, nanos: 7 }, inode, root: Root([inode as u8; 32]) };
    Record { stamp, cvs: if size > 1 << 20 { vec![Cv([1; 32]), Cv([2; 32])] } else { Vec::new() } }
}

fn mark() -> Mark {
    Mark { from: Place::Home(path("somewhere")), to: None }
}

async fn user(catalog: &Catalog, text: &str, quota: Option<u64>, max_files: Option<u64>) -> UserId {
    catalog.add_user(&name(text), Phc("phc".into()), quota, max_files).await.expect("added")
}

async fn begin(catalog: &Catalog, user: UserId, at: &str, size: u64) -> IntentId {
    let intent = PublishIntent { user, path: path(at), staging: format!("staged-{at}"), record: record(size, 9) };
    catalog.begin_publish(vec![intent]).await.remove(0).expect("begun")
}

/// Reserves and publishes one file, in the place of one of `replaced` bytes.
async fn publish(catalog: &Catalog, user: UserId, at: &str, size: u64, replaced: Option<u64>) {
    let growth = size.saturating_sub(replaced.unwrap_or(0));
    let reservation = catalog.reserve(user, growth, u64::from(replaced.is_none())).await.expect("reserved");
    let intent = begin(catalog, user, at, size).await;
    let settled = Settled { intent, replaced };
    catalog.settle_publish(vec![settled], vec![reservation]).await.remove(0).expect("settled");
}

async fn figures(catalog: &Catalog, user: UserId) -> (u64, u64, u64) {
    let Usage { used, reserved, files, .. } = catalog.usage(user).await.expect("usage");
    (used, reserved, files)
}

async fn accounts_live_and_die(catalog: &Catalog) {
    let ada = user(catalog, "ada", Some(100), None).await;
    let again = catalog.add_user(&name("ada"), Phc("x".into()), None, None).await;
    assert!(matches!(again, Err(CatalogError::UserExists(taken)) if taken == name("ada")));
    let bob = user(catalog, "bob", None, Some(5)).await;
    publish(catalog, bob, "a/file", 10, None).await;
    catalog.note_upload(bob, &path("big"), 1 << 30, "s1").await.expect("noted");
    begin(catalog, bob, "cut", 1).await;

    catalog.set_password(&name("ada"), Phc("new".into())).await.expect("set");
    catalog.upgrade_password(ada, Phc("phc".into()), Phc("stale".into())).await.expect("no error");
    catalog.set_locked(&name("ada"), true).await.expect("locked");
    catalog.set_locked(&name("ada"), true).await.expect("locked already");
    catalog.set_quota(&name("ada"), None).await.expect("set");
    catalog.set_max_files(&name("ada"), Some(3)).await.expect("set");
    let account = catalog.account(&name("ada")).await.expect("read").expect("there");
    assert_eq!((account.id, account.phc.0.as_str(), account.locked, account.generation), (ada, "new", true, 2));
    assert_eq!((account.quota, account.max_files), (None, Some(3)));
    assert!(!format!("{account:?}").contains("new"), "a hash is never printed");
    assert!(matches!(catalog.reserve(ada, 1, 1).await, Err(CatalogError::Locked)));

    assert_eq!(catalog.remove_user(&name("bob")).await.expect("removed"), bob);
    assert!(matches!(catalog.remove_user(&name("bob")).await, Err(CatalogError::NoSuchUser(_))));
    assert!(matches!(catalog.usage(bob).await, Err(CatalogError::UserGone)));
    assert!(matches!(catalog.reserve(bob, 1, 1).await, Err(CatalogError::UserGone)));
    assert!(
        catalog.open_intents().await.expect("read").is_empty() && catalog.uploads().await.expect("read").is_empty()
    );
    let new_bob = user(catalog, "bob", None, None).await;
    assert_ne!(new_bob, bob, "identities are never used again");
    assert_eq!(catalog.record(new_bob, &path("a/file")).await.expect("read"), None);
    let names: Vec<_> = catalog.users().await.expect("read").into_iter().map(|account| account.name).collect();
    assert_eq!(names, [name("ada"), name("bob")]);
}

async fn reservations_never_exceed_the_quota(catalog: &Catalog) {
    let ada = user(catalog, "ada", Some(1000), Some(1000)).await;
    publish(catalog, ada, "there", 50, None).await;
    let asked: Vec<_> = (0..64)
        .map(|_| {
            let catalog = catalog.clone();
            tokio::spawn(async move { catalog.reserve(ada, 100, 1).await })
        })
        .collect();
    let mut made = Vec::new();
    for task in asked {
        match task.await.expect("ran") {
            Ok(reservation) => made.push(reservation),
            Err(CatalogError::OverQuota { shortfall }) => assert_eq!(shortfall, 50),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((made.len(), figures(catalog, ada).await), (9, (50, 900, 1)));

    catalog.release(made.pop().expect("one"));
    assert_eq!(figures(catalog, ada).await, (50, 800, 1), "a release shows in whatever is asked after it");
    catalog.reserve(ada, 150, 1).await.expect("fits to the byte");
    catalog.set_max_files(&name("ada"), Some(11)).await.expect("set");
    catalog.reserve(ada, 0, 1).await.expect("1 there, 9 promised, 1 more");
    let over = catalog.reserve(ada, 0, 3).await;
    assert!(matches!(over, Err(CatalogError::OverFiles { shortfall: 3 })), "{over:?}");
}

async fn sizes_never_wrap(catalog: &Catalog) {
    let ada = user(catalog, "ada", None, None).await;
    assert!(matches!(catalog.reserve(ada, u64::MAX, 1).await, Err(CatalogError::TooLarge)));
    assert!(matches!(catalog.set_quota(&name("ada"), Some(1 << 63)).await, Err(CatalogError::TooLarge)));
    let all = catalog.reserve(ada, i64::MAX as u64, 1).await.expect("without limit");
    let over = catalog.reserve(ada, 5, 1).await;
    assert!(matches!(over, Err(CatalogError::OverQuota { shortfall: 5 })), "{over:?}");
    catalog.release(all);
    let inode = u64::MAX;
    catalog.put_record(ada, &path("a"), record(1, inode)).await.expect("an inode is a label");
    let found = catalog.record(ada, &path("a")).await.expect("read").expect("there");
    assert_eq!(found.stamp.inode, inode);
}

async fn the_ledger_is_exact(catalog: &Catalog) {
    let ada = user(catalog, "ada", Some(10 << 20), None).await;
    publish(catalog, ada, "a", 3 << 20, None).await;
    publish(catalog, ada, "b", 100, None).await;
    publish(catalog, ada, "a", 2 << 20, Some(3 << 20)).await;
    assert_eq!(figures(catalog, ada).await, ((2 << 20) + 100, 0, 2));
    assert_eq!(catalog.record(ada, &path("a")).await.expect("read"), Some(record(2 << 20, 9)));

    // A copy of `b` over `a`: one file less, and the promise ends with the change.
    let reservation = Some(catalog.reserve(ada, 100, 0).await.expect("reserved"));
    let change = catalog.begin_change(ada, mark()).await.expect("begun");
    assert_eq!(catalog.dirty_users().await.expect("read"), [ada]);
    let did = Change { added_bytes: 100, freed_bytes: 2 << 20, reservation, ..Change::default() };
    catalog.settle_change(change, did).await.expect("settled");
    assert_eq!(figures(catalog, ada).await, (200, 0, 2));
    assert_eq!(catalog.dirty_users().await.expect("read"), []);

    let change = catalog.begin_change(ada, mark()).await.expect("begun");
    let did = Change { freed_bytes: 300, freed_files: 9, ..Change::default() };
    catalog.settle_change(change, did).await.expect("settled");
    assert_eq!(figures(catalog, ada).await, (0, 0, 0), "never below nothing");
    catalog.begin_change(ada, mark()).await.expect("begun");
    catalog.recount(ada, 7, 1).await.expect("recounted");
    assert_eq!((figures(catalog, ada).await, catalog.dirty_users().await.expect("read")), ((7, 0, 1), vec![]));
}

async fn one_bad_publish_hurts_no_other(catalog: &Catalog) {
    let (ada, bob) = (user(catalog, "ada", None, None).await, user(catalog, "bob", None, None).await);
    catalog.remove_user(&name("bob")).await.expect("removed");
    let intent = |user, at: &str, size| PublishIntent {
        user,
        path: path(at),
        staging: "s".into(),
        record: Record { stamp: Stamp { size, ..record(1, 4).stamp }, cvs: vec![] },
    };
    let intents = vec![intent(ada, "a", 1), intent(bob, "b", 1), intent(ada, "c", u64::MAX), intent(ada, "d", 4)];
    let begun = catalog.begin_publish(intents).await;
    let [Ok(a), Err(CatalogError::UserGone), Err(CatalogError::TooLarge), Ok(d)] = begun.as_slice() else {
        panic!("{begun:?}")
    };
    let settled = |intent| Settled { intent, replaced: None };
    let done = catalog.settle_publish(vec![settled(*a), settled(*a), settled(*d)], Vec::new()).await;
    assert!(matches!(done.as_slice(), [Ok(()), Err(CatalogError::NoSuchIntent), Ok(())]), "{done:?}");
    assert_eq!(figures(catalog, ada).await, (5, 0, 2));
    let e = begin(catalog, ada, "e", 1).await;
    catalog.abandon_publish(e).await.expect("abandoned");
    assert!(catalog.open_intents().await.expect("read").is_empty());
}

async fn records_follow_their_files(catalog: &Catalog) {
    let ada = user(catalog, "ada", None, None).await;
    let bob = user(catalog, "bob", None, None).await;
    // `d!`, `d0` and `d\xff` sort around `d/` and are no part of it.
    let all: [&[u8]; 8] = [b"d", b"d!/x", b"d/x", b"d/\xff\x80/\x01/y", b"d/z/y", b"d0/x", b"d\xff/x", b"other/d/x"];
    for (inode, at) in all.iter().enumerate() {
        for owner in [ada, bob] {
            catalog.put_record(owner, &path(at), record(1, inode as u64)).await.expect("put");
        }
    }
    let change = async |records| {
        let change = catalog.begin_change(ada, mark()).await.expect("begun");
        catalog.settle_change(change, Change { records, ..Change::default() }).await.expect("settled");
    };
    let known =
        async |owner, at: &[u8]| catalog.record(owner, &path(at)).await.expect("read").map(|record| record.stamp.inode);
    change(RecordChange::Moved { from: path("d"), to: path("other/d") }).await;
    let moved: [(&[u8], _); 10] = [
        (b"other/d", Some(0)),
        (b"d!/x", Some(1)),
        (b"other/d/x", Some(2)),
        (b"other/d/\xff\x80/\x01/y", Some(3)),
        (b"other/d/z/y", Some(4)),
        (b"d0/x", Some(5)),
        (b"d\xff/x", Some(6)),
        (b"d", None),
        (b"d/x", None),
        (b"d/z/y", None),
    ];
    for (at, inode) in moved {
        assert_eq!(known(ada, at).await, inode, "{}", path(at));
    }
    change(RecordChange::Moved { from: path("other/d"), to: path("other/d") }).await;
    change(RecordChange::Removed(path("other/d/z"))).await;
    assert_eq!((known(ada, b"other/d/z/y").await, known(ada, b"other/d/x").await), (None, Some(2)));
    change(RecordChange::Removed(RemotePath::home())).await;
    assert_eq!(known(ada, b"d0/x").await, None);
    assert_eq!(known(bob, b"d/z/y").await, Some(4), "another account's records are its own");

    let names = vec![b"x".to_vec(), b"absent".to_vec()];
    let listed = catalog.records_in(bob, &path("d"), names).await.expect("read");
    assert_eq!(listed.into_iter().collect::<Vec<_>>(), [(b"x".to_vec(), record(1, 2).stamp)]);
}

async fn what_is_in_the_trash_is_known(catalog: &Catalog) {
    let (ada, bob) = (user(catalog, "ada", None, None).await, user(catalog, "bob", None, None).await);
    let none = TrashState::default();
    assert_eq!(catalog.trash_state(ada).await.expect("read"), none);
    catalog.set_trash(&name("ada"), Some(30)).await.expect("set");
    publish(catalog, ada, "d/a", 10, None).await;
    publish(catalog, ada, "d0", 5, None).await;
    let settle = async |change, records| {
        catalog.settle_change(change, Change { records, ..Change::default() }).await.expect("settled");
    };
    let root = async |at: &str| catalog.record(ada, &path(at)).await.expect("read").is_some();

    let (change, id) = catalog.begin_trash(ada, &path("d"), 10).await.expect("begun");
    assert_eq!(catalog.dirty_users().await.expect("read"), [ada]);
    settle(change, RecordChange::Trashed { path: path("d"), id }).await;
    let state = TrashState { days: Some(30), items: 1, bytes: 10 };
    assert_eq!(catalog.trash_state(ada).await.expect("read"), state);
    assert_eq!(figures(catalog, ada).await, (15, 0, 2), "it counts as before");
    assert_eq!((root("d/a").await, root("d0").await), (false, true));
    let item = Trashed { id, path: path("d"), doomed: false };
    assert_eq!(catalog.trashed(ada, id).await.expect("read"), Some(item));
    for (user, id) in [(bob, id), (ada, id + 1), (ada, u64::MAX)] {
        assert_eq!(catalog.trashed(user, id).await.expect("read"), None, "{user} {id}");
        assert_eq!(catalog.begin_erase(user, id).await.expect("nothing to do"), None);
    }

    // Another thing of that name comes and goes meanwhile; then the first one is back with its record.
    publish(catalog, ada, "d/a", 1, None).await;
    let change = catalog.begin_change(ada, mark()).await.expect("begun");
    settle(change, RecordChange::Removed(path("d"))).await;
    let change = catalog.begin_change(ada, mark()).await.expect("begun");
    settle(change, RecordChange::Restored { id, path: path("d") }).await;
    assert!(root("d/a").await && catalog.trash(ada).await.expect("read").is_empty());

    let (change, again) = catalog.begin_trash(ada, &path("d0"), 5).await.expect("begun");
    assert!(again > id, "a number is never used again");
    settle(change, RecordChange::Trashed { path: path("d0"), id: again }).await;
    assert_eq!(catalog.expired().await.expect("read"), []);
    let change = catalog.begin_erase(ada, again).await.expect("begun").expect("it is there");
    assert_eq!(catalog.trashed(ada, again).await.expect("read"), None, "it may not be whole any more");
    let expired = catalog.expired().await.expect("read");
    let due = Expired { user: ada, name: name("ada"), id: again, path: path("d0") };
    assert_eq!(expired, [due], "tried again until it is gone");
    settle(change, RecordChange::Erased(again)).await;
    assert!(catalog.trash(ada).await.expect("read").is_empty() && !root("d0").await);

    let (change, last) = catalog.begin_trash(ada, &path("x"), 1).await.expect("begun");
    settle(change, RecordChange::Trashed { path: path("x"), id: last }).await;
    catalog.set_trash(&name("ada"), None).await.expect("set");
    assert_eq!(catalog.expired().await.expect("read").len(), 1, "without a trash all has expired");
    catalog.forget_trashed(ada, vec![last]).await.expect("forgotten");
    assert_eq!(catalog.expired().await.expect("read"), []);
}

async fn uploads_are_noted_once(catalog: &Catalog) {
    let ada = user(catalog, "ada", None, None).await;
    let target = path(b"dir/\xff");
    catalog.note_upload(ada, &target, 5 << 20, "old").await.expect("noted");
    catalog.note_upload(ada, &target, 6 << 20, "new").await.expect("noted");
    catalog.ended_uploads(ada, vec!["old".into()]).await.expect("no error");
    let noted = catalog.uploads().await.expect("read");
    let [upload] = noted.as_slice() else { panic!("{noted:?}") };
    assert_eq!((upload.size, upload.staging.as_str(), &upload.path), (6 << 20, "new", &target));
    assert!(upload.name == name("ada") && upload.started <= upload.touched && upload.started > 1_700_000_000);

    let intent = PublishIntent { user: ada, path: target, staging: "new".into(), record: record(6 << 20, 3) };
    let intent = catalog.begin_publish(vec![intent]).await.remove(0).expect("begun");
    let settled = Settled { intent, replaced: None };
    catalog.settle_publish(vec![settled], Vec::new()).await.remove(0).expect("settled");
    assert!(catalog.uploads().await.expect("read").is_empty(), "published is not unfinished");
}

macro_rules! conforms {
    ($($check:ident),*) => {
        mod conforms {$(
            #[tokio::test(flavor = "multi_thread")]
            async fn $check() {
                let (_dir, path) = super::place();
                super::$check(&super::open(&path).expect("opened")).await;
            }
        )*}
    };
}
conforms!(
    accounts_live_and_die,
    reservations_never_exceed_the_quota,
    sizes_never_wrap,
    the_ledger_is_exact,
    one_bad_publish_hurts_no_other,
    records_follow_their_files,
    what_is_in_the_trash_is_known,
    uploads_are_noted_once,
    findings_belong_to_their_records,
    keys_open_their_account_and_go_with_it,
    marks_say_what_a_change_is_about,
    a_record_stands_still_or_says_that_it_may_not,
    rounds_go_on_where_they_were,
    rescans_are_asked_for_and_answered
);

fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("catalog.sqlite");
    (dir, path)
}

#[tokio::test]
async fn reopening_shows_what_was_cut_off_and_no_reservation() {
    let (_dir, at) = place();
    let catalog = open(&at).expect("opened");
    let ada = user(&catalog, "ada", Some(10), None).await;
    let bob = user(&catalog, "bob", None, None).await;
    catalog.reserve(ada, 10, 1).await.expect("reserved");
    let intent = begin(&catalog, ada, "dir/a", 2 << 20).await;
    catalog.begin_change(bob, mark()).await.expect("begun");
    drop(catalog);

    let catalog = open(&at).expect("opened again");
    assert_eq!(figures(&catalog, ada).await, (0, 0, 0));
    let open = catalog.open_intents().await.expect("read");
    let expected =
        PublishIntent { user: ada, path: path("dir/a"), staging: "staged-dir/a".into(), record: record(2 << 20, 9) };
    assert_eq!(open, [OpenIntent { id: intent, intent: expected }]);
    assert_eq!(catalog.dirty_users().await.expect("read"), [ada, bob]);
}

#[tokio::test]
async fn commits_are_synced_unless_relaxed() {
    for (durability, synchronous) in [(Durability::Full, 2), (Durability::Relaxed, 1)] {
        let (_dir, at) = place();
        let catalog = Catalog::open(&at, durability).expect("opened");
        let found =
            catalog.write(|db| Ok(db.query_row("PRAGMA main.synchronous", [], |row| row.get::<_, i64>(0))?)).await;
        assert_eq!(found.expect("read"), synchronous, "{durability:?}");
    }
}

#[tokio::test]
async fn another_process_is_seen() {
    let (_dir, at) = place();
    let daemon = open(&at).expect("opened");
    let ada = user(&daemon, "ada", Some(10), None).await;
    let before = daemon.data_version().await.expect("read");
    daemon.set_quota(&name("ada"), Some(20)).await.expect("set");
    assert_eq!(daemon.data_version().await.expect("read"), before, "own writes do not count");

    let flag = open(&at).expect("opened twice");
    flag.set_quota(&name("ada"), Some(5)).await.expect("set");
    assert_ne!(daemon.data_version().await.expect("read"), before);
    let over = daemon.reserve(ada, 10, 1).await;
    assert!(matches!(over, Err(CatalogError::OverQuota { shortfall: 5 })), "{over:?}");
}

/// Of the system's clock a catalog knows what it said at the last look: that this is changed is as if the clock was set.
#[tokio::test]
async fn a_clock_that_is_set_ends_nothing_early() {
    const DAY: i64 = 86_400;
    let (_dir, at) = place();
    let catalog = open(&at).expect("opened");
    let ada = user(&catalog, "ada", None, None).await;
    catalog.set_trash(&name("ada"), Some(3)).await.expect("set");
    let trash = async |at: &str| {
        let (change, id) = catalog.begin_trash(ada, &path(at), 1).await.expect("noted");
        let records = RecordChange::Trashed { path: path(at), id };
        catalog.settle_change(change, Change { records, ..Change::default() }).await.expect("settled");
        id
    };
    let jump = async |seconds: i64| {
        let set = move |db: &Connection| Ok(db.execute("UPDATE clock SET seen = seen - ?1", [seconds])?);
        catalog.write(set).await.expect("set");
        let expired = catalog.expired().await.expect("read");
        expired.into_iter().map(|expired| expired.id).collect::<Vec<_>>()
    };
    let before = trash("before").await;
    assert_eq!(jump(10 * 365 * DAY).await, [0; 0], "ten years ahead");
    assert_eq!(jump(-50 * 365 * DAY).await, [0; 0], "and far back");
    let meanwhile = trash("meanwhile").await;
    assert_eq!(jump(40 * 365 * DAY).await, [0; 0], "and right");
    assert_eq!(jump(DAY).await, [before], "the third day that was counted");
    assert_eq!(jump(DAY).await, [before, meanwhile]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_what_does_not_fit_and_nothing_else() {
    let (_dir, at) = place();
    let catalog = open(&at).expect("opened");
    let ada = user(&catalog, "ada", None, None).await;
    catalog.write(|db| Ok(db.query_row("PRAGMA max_page_count = 20", [], |_| Ok(()))?)).await.expect("set");
    let big = Record { cvs: vec![Cv([7; 32]); 10_000], ..record(10_000 << 20, 1) };
    let (target, other) = (path("big"), path("small"));
    let small = record(1, 2);
    let (refused, put) =
        tokio::join!(catalog.put_record(ada, &target, big), catalog.put_record(ada, &other, small.clone()));
    assert!(matches!(refused, Err(CatalogError::NoSpace)), "{refused:?}");
    let kept = catalog.record(ada, &other).await.expect("read");
    assert_eq!(kept.is_some(), put.is_ok(), "an answer tells the truth");
    catalog.put_record(ada, &other, small.clone()).await.expect("there is room for this");
    assert_eq!(catalog.record(ada, &other).await.expect("read"), Some(small));
    assert_eq!(catalog.record(ada, &target).await.expect("read"), None);
}

#[test]
fn many_may_open_at_once() {
    for _ in 0..20 {
        let (_dir, at) = place();
        std::thread::scope(|scope| {
            let opening: Vec<_> = (0..4).map(|_| scope.spawn(|| open(&at).map(drop))).collect();
            opening.into_iter().for_each(|thread| thread.join().expect("ran").expect("opened"));
        });
    }
}

#[test]
fn foreign_and_newer_files_are_refused_and_left_alone() {
    let (_dir, at) = place();
    let touched = |make: &dyn Fn()| {
        make();
        let before = std::fs::read(&at).expect("read");
        let refused = open(&at).expect_err("refused");
        assert_eq!(std::fs::read(&at).expect("read"), before);
        std::fs::remove_file(&at).expect("removed");
        refused
    };
    let sql = |text: &str| rusqlite::Connection::open(&at).expect("opened").execute_batch(text).expect("run");
    let newer = touched(&|| sql("PRAGMA application_id = 0x43617461; PRAGMA user_version = 99; CREATE TABLE t (a)"));
    assert!(matches!(newer, CatalogError::Newer { found: 99, known: super::schema::VERSION, .. }), "{newer}");
    for text in ["CREATE TABLE t (a)", "PRAGMA application_id = 7", "PRAGMA user_version = 1"] {
        let foreign = touched(&|| sql(text));
        assert!(matches!(foreign, CatalogError::Foreign(_)), "{text}: {foreign}");
    }
    let foreign = touched(&|| {
        std::fs::write(&at, "a text that is much longer than a header of a database".repeat(99)).expect("written")
    });
    assert!(matches!(foreign, CatalogError::Foreign(_)), "{foreign}");
}
