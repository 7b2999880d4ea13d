//! A home that an operator, a backup or a failing disk changed behind the server: what is served then, what is
//! refused, and how the ledger comes right again.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use server::config::Durability;
use tests::files::{content, holds, root, root_of};
use tests::host::Host;
use tests::session::{Lane, Session, fault, raw};
use wire::Code;
use wire::block::BLOCK;
use wire::message::{Expect, Kind, Op};

const SIZE: usize = 3 * BLOCK + 5;

async fn ada() -> (Host, Session, Lane) {
    // Every start counts the homes.
    let host = Host::with(|config| config.durability = Durability::Relaxed).await.expect("a server");
    host.add_user("ada", None).await.expect("a user");
    let session = host.login("ada").await.expect("logged in");
    let lane = session.lane().await.expect("a lane");
    (host, session, lane)
}

/// The server starts again, and its ledger says what is there.
async fn counted_anew(mut host: Host) {
    host.restart().await.expect("restarted");
    let mut session = host.login("ada").await.expect("logged in");
    let (usage, found) = (session.space().await.expect("told"), holds(&host.home("ada")).expect("walked"));
    let links = tests::files::paths(&host.home("ada")).expect("walked").iter().filter(|path| path.is_symlink()).count();
    assert_eq!((usage.used, usage.files, usage.reserved), (found.bytes, found.files - links as u64, 0));
}

#[tokio::test]
async fn a_file_that_was_replaced_removed_or_added_is_served_as_it_is() {
    let (host, mut session, mut lane) = ada().await;
    let (old, new) = (content("old", SIZE), content("new", SIZE + 9));
    for name in ["replaced", "edited", "removed", "kept"] {
        lane.put(name, &old, Expect::Absent).await.expect("stored");
    }
    let home = host.home("ada");
    fs::write(home.join("beside"), &new)
        .and_then(|()| fs::rename(home.join("beside"), home.join("replaced")))
        .expect("done");
    fs::write(home.join("edited"), &new).expect("written");
    fs::remove_file(home.join("removed")).expect("removed");
    fs::write(home.join("added"), &new).expect("written");
    for name in ["replaced", "edited", "added"] {
        assert_eq!(session.stat(name).await.expect("there").root, None, "{name}: nothing is said of what is not known");
        assert!(lane.get(name, b"").await.expect("got").content == new, "{name}");
        assert_eq!(session.hash(name).await.expect("read").root, Some(root_of(&new)), "{name}");
    }
    assert_eq!(session.stat("kept").await.expect("there").root, Some(root_of(&old)));
    assert_eq!(fault(lane.get("removed", b"").await).expect("a fault").code, Code::NotFound);
    // What is replaced is what is there now: only what differs travels.
    let mut changed = new.clone();
    changed[BLOCK] ^= 1;
    let tally = lane.put("edited", &changed, Expect::Any).await.expect("stored");
    assert_eq!(tally.sent, BLOCK as u64);
    for name in ["added", "replaced"] {
        session.order(Op::Remove { path: raw(name), recursive: false }).await.expect("removed");
    }
    lane.put("removed", b"again", Expect::Absent).await.expect("stored");
    counted_anew(host).await;
}

#[tokio::test]
async fn a_directory_that_was_replaced_by_a_link_leads_nowhere_else() {
    let (host, mut session, mut lane) = ada().await;
    let outside = host.scratch().join("outside");
    fs::create_dir_all(&outside).and_then(|()| fs::write(outside.join("secret"), "secret")).expect("written");
    for directory in ["inside", "out", "in"] {
        lane.put(format!("{directory}/file"), b"bytes", Expect::Absent).await.expect("stored");
    }
    let home = host.home("ada");
    for (directory, to) in [("out", outside.as_path()), ("in", Path::new("inside"))] {
        fs::remove_dir_all(home.join(directory)).and_then(|()| symlink(to, home.join(directory))).expect("linked");
        assert_eq!(session.stat(directory).await.expect("there").kind, Kind::Link);
    }
    assert_eq!(fault(lane.get("out/secret", b"").await).expect("a fault").code, Code::Denied);
    assert_eq!(fault(lane.put("out/new", b"new", Expect::Any).await).expect("a fault").code, Code::Denied);
    let order = Op::Remove { path: raw("out/secret"), recursive: false };
    assert_eq!(fault(session.order(order).await).expect("a fault").code, Code::Denied);
    lane.put("in/new", b"new", Expect::Absent).await.expect("a link within the home is a way");
    assert_eq!(fs::read(home.join("inside/new")).expect("there"), b"new");
    for link in ["out", "in"] {
        session.order(Op::Remove { path: raw(link), recursive: true }).await.expect("the link, not what it leads to");
    }
    assert!(outside.join("secret").exists() && home.join("inside/file").exists());
    counted_anew(host).await;
}

#[tokio::test]
async fn a_staging_file_that_became_something_else_costs_only_what_lay_in_it() {
    let (mut host, _session, mut lane) = ada().await;
    let bytes = content("file", SIZE);
    let mut upload = lane.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    lane.send_blocks(&mut upload, 2).await.expect("sent");
    drop(lane);
    host.restart().await.expect("restarted");
    let staged = tests::files::paths(&host.staging("ada")).expect("walked").remove(0);
    let table: [&dyn Fn() -> std::io::Result<()>; 2] =
        [&|| fs::remove_file(&staged), &|| fs::write(&staged, vec![7; 2 * SIZE])];
    for (number, spoil) in table.iter().enumerate() {
        spoil().expect("spoilt");
        host.restart().await.expect("restarted");
        let session = host.login("ada").await.expect("logged in");
        let mut lane = session.lane().await.expect("a lane");
        let tally = lane.put("file", &bytes, Expect::Any).await.unwrap_or_else(|error| panic!("row {number}: {error}"));
        assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&bytes), "row {number}, {tally:?}");
        // The next row begins with an unfinished upload, too.
        let other = content(&number.to_string(), SIZE);
        let mut upload = lane.begin_put("file", &other, Expect::Any).await.expect("accepted");
        lane.send_blocks(&mut upload, 1).await.expect("sent");
    }
}
