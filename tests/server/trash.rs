//! The trash of an account: there and back with names, hashes and figures, refusals, expiry, and what an
//! operator can do to it.

#![cfg(test)]

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use tests::files::{content, holds, root_of};
use tests::host::{Host, eventually};
use tests::session::{Lane, Session, fault, raw};
use wire::block::BLOCK;
use wire::fault::Detail;
use wire::message::{Expect, FromClient, Notice, Op};
use wire::{Code, RemotePath};

struct Place {
    host: Host,
    home: PathBuf,
    session: Session,
    lane: Lane,
}

async fn place(quota: Option<u64>) -> Place {
    let host = Host::start().await.expect("a server");
    host.add_user("ada", quota).await.expect("a user");
    host.set_trash("ada", Some(30)).await.expect("set");
    let session = host.login("ada").await.expect("logged in");
    let lane = session.lane().await.expect("a lane");
    Place { home: host.home("ada"), session, lane, host }
}

impl Place {
    async fn put(&mut self, path: &str, bytes: &[u8]) {
        self.lane.put(path, bytes, Expect::Absent).await.expect("stored");
    }

    /// The ledger says what home and trash hold together.
    async fn exact(&mut self) {
        let usage = self.session.space().await.expect("told");
        let (home, trash) = (holds(&self.home).expect("walked"), holds(&self.host.trash("ada")).expect("walked"));
        let held = (home.bytes + trash.bytes, home.files + trash.files, 0);
        assert_eq!((usage.used, usage.files, usage.reserved), held);
    }

    fn in_trash(&self) -> usize {
        self.host.trash("ada").read_dir().expect("read").count()
    }

    /// Lets everything in the trash have come there that many days ago.
    fn age(&self, days: u32) {
        let catalog = Connection::open(self.host.data_dir().join("catalog.sqlite")).expect("opened");
        let aged = catalog.execute("UPDATE trash SET since = since - ?1 * 86400", [days]).expect("run");
        assert!(aged > 0, "something is in the trash");
    }
}

#[tokio::test]
async fn what_is_deleted_comes_back_as_it_was() {
    let mut place = place(None).await;
    let large = content("large", 2 * BLOCK + 5);
    place.put("album/2026/large", &large).await;
    place.put("album/small", b"small").await;
    place.put("single", b"one").await;
    let used = place.session.space().await.expect("told").used;

    let single = place.session.trash("single").await.expect("moved");
    let album = place.session.trash("album").await.expect("moved");
    assert_eq!(place.home.read_dir().expect("read").count(), 0);
    assert_eq!(place.session.trash_state().await.expect("told"), (Some(30), 2, used));
    assert_eq!(place.session.space().await.expect("told").used, used, "it counts as before");
    place.exact().await;
    let names = place.session.entries(Op::Walk { path: raw("") }).await.expect("listed");
    assert!(names.is_empty(), "what is in the trash has no name in the home");

    // Other things may have those names meanwhile.
    place.put("single", b"other").await;
    let taken = fault(place.session.restore(single).await).expect("refused");
    assert_eq!(taken.code, Code::Exists);
    let Detail::Existing { size: 5, root, .. } = taken.detail else { panic!("{taken:?}") };
    assert_eq!(root, Some(root_of(b"other")));
    place.session.order(Op::Remove { path: raw("single"), recursive: false }).await.expect("removed");
    assert_eq!(place.session.restore(single).await.expect("restored"), raw("single"));
    assert_eq!(place.session.restore(album).await.expect("restored"), raw("album"));
    assert_eq!(fault(place.session.restore(album).await).expect("refused").code, Code::NotFound);
    for (path, bytes) in [("album/2026/large", large.as_slice()), ("album/small", b"small"), ("single", b"one")] {
        assert!(fs::read(place.home.join(path)).expect("there") == bytes, "{path}");
        let root = place.session.stat(path).await.expect("there").root;
        assert_eq!(root, Some(root_of(bytes)), "{path} is known as before");
    }
    assert_eq!((place.session.trash_state().await.expect("told"), place.in_trash()), ((Some(30), 0, 0), 0));
    place.exact().await;
}

#[tokio::test]
async fn directories_that_are_gone_are_made_again() {
    let mut place = place(None).await;
    place.put("a/b/c/file", b"file").await;
    let id = place.session.trash("a/b/c/file").await.expect("moved");
    place.session.order(Op::Remove { path: raw("a"), recursive: true }).await.expect("removed");
    place.session.notices.clear();
    place.session.restore(id).await.expect("restored");
    assert_eq!(fs::read(place.home.join("a/b/c/file")).expect("there"), b"file");
    place.session.ping().await.expect("news came");
    for directory in ["", "a", "a/b", "a/b/c"] {
        assert!(place.session.notices.contains(&Notice::Changed(raw(directory))), "{directory:?} changed");
    }
    // A file where a directory was.
    let id = place.session.trash("a/b/c").await.expect("moved");
    place.session.order(Op::Remove { path: raw("a/b"), recursive: false }).await.expect("removed");
    place.put("a/b", b"a file").await;
    assert_eq!(fault(place.session.restore(id).await).expect("refused").code, Code::NotDirectory);
    assert_eq!(place.session.trash_state().await.expect("told"), (Some(30), 1, 4), "it is still there");
    place.exact().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_leaves_no_trace() {
    let mut place = place(None).await;
    for (path, code) in [("", Code::Denied), ("none", Code::NotFound), ("a/b", Code::NotFound), ("..", Code::BadPath)] {
        assert_eq!(fault(place.session.trash(path).await).expect("refused").code, code, "{path:?}");
    }
    for id in [0, 1, u64::MAX, 1 << 63] {
        assert_eq!(fault(place.session.restore(id).await).expect("refused").code, Code::NotFound, "{id}");
    }
    place.host.add_user("eve", None).await.expect("a user");
    let mut eve = place.host.login("eve").await.expect("logged in");
    assert_eq!(eve.trash_state().await.expect("told"), (None, 0, 0));
    fs::write(place.host.home("eve").join("file"), "x").expect("written");
    place.put("mine", b"mine").await;
    let id = place.session.trash("mine").await.expect("moved");
    let refused = [eve.trash("file").await.map(drop), eve.restore(id).await.map(drop), eve.order(Op::EmptyTrash).await];
    for refused in refused {
        assert_eq!(fault(refused).expect("refused").code, Code::NoTrash);
    }
    place.host.set_trash("eve", Some(1)).await.expect("set");
    assert_eq!(fault(eve.restore(id).await).expect("refused").code, Code::NotFound, "it is not hers");
    eve.order(Op::EmptyTrash).await.expect("nothing to do");
    place.session.restore(id).await.expect("it is still there");
    assert_eq!(place.in_trash(), 0);
    place.exact().await;
}

#[tokio::test]
async fn links_go_to_the_trash_themselves() {
    let mut place = place(None).await;
    place.put("dir/file", b"file").await;
    std::os::unix::fs::symlink("dir", place.home.join("link")).expect("linked");
    let through = place.session.trash("link/file").await.expect("moved");
    assert!(!place.home.join("dir/file").exists());
    assert_eq!(place.session.restore(through).await.expect("restored"), raw("link/file"));
    let link = place.session.trash("link").await.expect("moved");
    assert!(place.home.join("dir/file").exists() && !place.home.join("link").exists());
    place.session.restore(link).await.expect("restored");
    assert!(place.home.join("link").is_symlink());
    let usage = place.session.space().await.expect("told");
    assert_eq!((usage.used, usage.files), (4, 1), "links are free");
}

#[tokio::test]
async fn the_trash_counts_and_is_emptied_for_room() {
    let mut place = place(Some(10 << 20)).await;
    let bytes = content("file", 6 << 20);
    place.put("one/file", &bytes).await;
    place.session.trash("one").await.expect("moved");
    let refused = fault(place.lane.put("two", &bytes, Expect::Absent).await).expect("refused");
    assert_eq!((refused.code, &refused.detail), (Code::Quota, &Detail::Shortfall(2 << 20)));
    assert!(refused.message.ends_with("; the trash holds 6.0 MiB"), "{}", refused.message);
    place.session.notices.clear();
    place.session.order(Op::EmptyTrash).await.expect("emptied");
    place.session.ping().await.expect("news came");
    let freed = |notice: &Notice| matches!(notice, Notice::Usage(usage) if usage.used == 0);
    assert!(place.session.notices.iter().any(freed), "{:?}", place.session.notices);
    assert_eq!((place.session.trash_state().await.expect("told"), place.in_trash()), ((Some(30), 0, 0), 0));
    place.exact().await;
    place.put("two", &bytes).await;
}

#[tokio::test]
async fn what_has_expired_is_deleted_and_the_rest_stays() {
    let mut place = place(None).await;
    place.put("old/file", b"old").await;
    place.session.trash("old").await.expect("moved");
    place.age(29);
    place.put("new", b"new").await;
    place.session.trash("new").await.expect("moved");
    place.age(1);
    let session = &mut place.session;
    eventually("what is 30 days old is gone", async || session.trash_state().await.expect("told") == (Some(30), 1, 3))
        .await;
    // It is forgotten before it is deleted, and counted until then.
    eventually("and deleted", async || session.space().await.expect("told").used == 3).await;
    assert_eq!(place.in_trash(), 1);
    place.exact().await;
    // Without a trash, nothing stays in it.
    place.host.set_trash("ada", None).await.expect("set");
    assert_eq!(place.session.trash_state().await.expect("told"), (None, 0, 0));
    let trash = place.host.trash("ada");
    eventually("nothing is left", async || trash.read_dir().expect("read").count() == 0).await;
    let session = &mut place.session;
    eventually("and the space is free", async || session.space().await.expect("told").used == 0).await;
    place.exact().await;
}

#[tokio::test]
async fn who_is_not_logged_in_has_expiring_trash_too() {
    let mut place = place(None).await;
    place.put("file", b"file").await;
    place.session.trash("file").await.expect("moved");
    place.session.line.say(&FromClient::Goodbye).await.expect("said");
    drop((place.session, place.lane));
    place.host.stop().await.expect("stopped");
    let catalog = Connection::open(place.host.data_dir().join("catalog.sqlite")).expect("opened");
    catalog.execute("UPDATE trash SET since = 0", []).expect("run");
    place.host.restart().await.expect("restarted");
    let trash = place.host.trash("ada");
    eventually("it is gone", async || trash.read_dir().expect("read").count() == 0).await;
    let mut session = place.host.login("ada").await.expect("logged in");
    eventually("and counted", async || session.space().await.expect("told").used == 0).await;
}

#[tokio::test]
async fn a_removed_account_leaves_no_trash_to_the_next() {
    let mut place = place(None).await;
    place.put("kept", b"kept").await;
    place.put("deleted", b"deleted").await;
    place.session.trash("deleted").await.expect("moved");
    let accounts = place.host.accounts();
    let name = "ada".parse().expect("a name");
    accounts.remove(&name, server::accounts::Home::Keep).await.expect("removed");
    place.host.add_user("ada", None).await.expect("a user");
    let mut session = place.host.login("ada").await.expect("logged in");
    let usage = session.space().await.expect("told");
    assert_eq!((usage.used, usage.files, place.in_trash()), (4, 1, 0));
    assert!(session.stat(RemotePath::parse(b"kept").expect("a path").as_bytes()).await.is_ok());
}
