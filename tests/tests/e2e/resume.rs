//! What has arrived is not sent again, and is believed only as far as its hashes go: cut connections,
//! damaged staging files, sources that changed, uploads that take each other over.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Duration;

use tests::files::{content, root, root_of};
use tests::host::{Host, PASSWORD, eventually};
use tests::proxy::{Proxy, Way};
use tests::session::{Lane, Session, fault};
use wire::Code;
use wire::block::BLOCK;
use wire::message::{Expect, Lane as Said};

const BLOCKS: usize = 8;
const SIZE: usize = BLOCKS * BLOCK + 11;

async fn ada() -> (Host, Session, Lane) {
    let host = Host::start().await.expect("a server");
    host.add_user("ada", None).await.expect("a user");
    let session = host.login("ada").await.expect("logged in");
    let lane = session.lane().await.expect("a lane");
    (host, session, lane)
}

/// Sends the first `blocks` blocks and loses the connection once they lie in staging.
async fn half_sent(host: &Host, session: &Session, bytes: &[u8], blocks: u64) {
    let mut lane = session.lane().await.expect("a lane");
    let mut upload = lane.begin_put("file", bytes, Expect::Any).await.expect("accepted");
    lane.send_blocks(&mut upload, blocks).await.expect("sent");
    let staged = blocks * BLOCK as u64;
    let bytes_staged = || {
        let sum = tests::files::paths(&host.staging("ada")).expect("walked");
        sum.iter().filter_map(|path| fs::metadata(path).ok()).map(|metadata| metadata.len()).sum::<u64>()
    };
    eventually("the blocks lie in staging", async || bytes_staged() >= staged).await;
}

fn staging_file(host: &Host) -> PathBuf {
    let mut found = tests::files::paths(&host.staging("ada")).expect("walked");
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[tokio::test]
async fn blocks_that_arrived_do_not_travel_again() {
    let (host, mut session, mut lane) = ada().await;
    let bytes = content("file", SIZE);
    half_sent(&host, &session, &bytes, 5).await;
    assert!(!host.home("ada").join("file").exists(), "an unfinished upload shows");
    let tally = lane.put("file", &bytes, Expect::Absent).await.expect("stored");
    assert_eq!((tally.sent + tally.held, tally.held), (SIZE as u64, 5 * BLOCK as u64));
    assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&bytes));
    let left = tests::files::paths(&host.staging("ada")).expect("walked");
    assert!(left.is_empty(), "a finished upload leaves {left:?}");
    assert_eq!(session.space().await.expect("told").reserved, 0);
}

#[tokio::test]
async fn a_restarted_server_knows_what_had_arrived() {
    let (mut host, session, lane) = ada().await;
    let bytes = content("file", SIZE);
    half_sent(&host, &session, &bytes, 6).await;
    drop((session, lane));
    host.restart().await.expect("restarted");
    let mut session = host.login("ada").await.expect("logged in");
    assert_eq!(session.usage.reserved, 0, "a promise outlived the server");
    let tally = session.lane().await.expect("a lane").put("file", &bytes, Expect::Absent).await.expect("stored");
    assert_eq!(tally.held, 6 * BLOCK as u64);
    let usage = session.space().await.expect("told");
    assert_eq!((usage.used, usage.files), (SIZE as u64, 1));
}

#[tokio::test]
async fn damage_in_staging_is_noticed_and_only_that_is_sent_again() {
    let (host, session, mut lane) = ada().await;
    let bytes = content("file", SIZE);
    half_sent(&host, &session, &bytes, 6).await;
    let staging = OpenOptions::new().write(true).open(staging_file(&host)).expect("opened");
    for block in [1, 4] {
        staging.write_all_at(b"flipped", block * BLOCK as u64 + 12_345).expect("damaged");
    }
    let tally = lane.put("file", &bytes, Expect::Absent).await.expect("stored");
    assert_eq!(tally.held, 4 * BLOCK as u64);
    assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&bytes));
}

#[tokio::test]
async fn length_is_never_taken_for_progress() {
    let (host, session, mut lane) = ada().await;
    let bytes = content("file", SIZE);
    half_sent(&host, &session, &bytes, 3).await;
    let staging = OpenOptions::new().write(true).open(staging_file(&host)).expect("opened");
    // As long as the file, or longer: all of it holes.
    for len in [SIZE as u64, 2 * SIZE as u64] {
        staging.set_len(len).expect("grown");
        let upload = lane.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
        let held = upload.held.iter().flatten().count();
        assert_eq!(held, 3, "of {} blocks", upload.held.len());
        lane.line.say(&Said::Abandon { transfer: upload.transfer, keep: true }).await.expect("said");
    }
    lane.put("file", &bytes, Expect::Absent).await.expect("stored");
    assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&bytes));
}

#[tokio::test]
async fn a_source_that_changed_between_two_tries_is_sent_as_it_is_now() {
    let (host, session, mut lane) = ada().await;
    let old = content("file", SIZE);
    half_sent(&host, &session, &old, 6).await;
    let mut new = old.clone();
    new[2 * BLOCK] ^= 1;
    new.extend_from_slice(b"and more");
    let tally = lane.put("file", &new, Expect::Absent).await.expect("stored");
    assert_eq!(tally.held, 5 * BLOCK as u64);
    assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&new));

    // And one that became much shorter.
    half_sent(&host, &session, &content("long", SIZE), 6).await;
    let short = content("short", BLOCK + 5);
    lane.put("file", &short, Expect::Any).await.expect("stored");
    assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&short));
}

#[tokio::test]
async fn a_newer_upload_takes_over_and_the_older_is_told() {
    let (host, session, mut lane) = ada().await;
    let bytes = content("file", SIZE);
    let mut older = session.lane().await.expect("a lane");
    let mut upload = older.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    older.send_blocks(&mut upload, 4).await.expect("sent");
    let tally = lane.put("file", &bytes, Expect::Absent).await.expect("stored");
    assert_eq!(tally.sent + tally.held, SIZE as u64);
    assert_eq!(fault(older.said(upload.transfer).await).expect("told").code, Code::Superseded);
    // The older one goes on with the next file.
    older.put("next", b"next", Expect::Absent).await.expect("stored");
    assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&bytes));
}

#[tokio::test]
async fn a_dead_connection_keeps_neither_path_nor_room_from_the_one_that_comes_back() {
    let host = Host::start().await.expect("a server");
    // Room for the file once, not for two promises of it.
    host.add_user("ada", Some(SIZE as u64 + 5)).await.expect("a user");
    let proxy = Proxy::start(host.address).await.expect("a proxy");
    let dead = Session::login(proxy.address, "ada", PASSWORD).await.expect("logged in");
    let mut older = dead.lane().await.expect("a lane");
    let bytes = content("file", SIZE);
    let mut upload = older.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    older.send_blocks(&mut upload, 4).await.expect("sent");
    let staged = || fs::metadata(staging_file(&host)).expect("there").len();
    eventually("the blocks lie in staging", async || staged() >= 4 * BLOCK as u64).await;
    // It dies in the middle of a block, and nobody is told.
    proxy.limit(Way::Up, Some(2 << 20));
    let before = proxy.passed(Way::Up);
    let dying = async {
        eventually("half a block has passed", async || proxy.passed(Way::Up) > before + (300 << 10)).await;
        proxy.stall(Way::Up, true);
        proxy.stall(Way::Down, true);
    };
    let ((), sent) =
        tokio::join!(dying, tokio::time::timeout(Duration::from_secs(3), older.send_blocks(&mut upload, 3)));
    // What the system took off our hands is not our concern.
    drop(sent);

    let mut session = host.login("ada").await.expect("logged in");
    let mut lane = session.lane().await.expect("a lane");
    // Well before the stall of the old one is noticed.
    let put = tokio::time::timeout(Duration::from_secs(20), lane.put("file", &bytes, Expect::Absent));
    let tally = put.await.expect("it does not wait for the dead").expect("stored");
    assert!(tally.held >= 4 * BLOCK as u64, "{tally:?}");
    let usage = session.space().await.expect("told");
    assert_eq!((usage.used, usage.files, usage.reserved), (SIZE as u64, 1, 0));
    assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&bytes));
}

#[tokio::test]
async fn an_upload_that_does_not_fit_leaves_others_alone() {
    let host = Host::start().await.expect("a server");
    host.add_user("ada", Some(2 * SIZE as u64)).await.expect("a user");
    let session = host.login("ada").await.expect("logged in");
    let (mut older, mut newer) = (session.lane().await.expect("a lane"), session.lane().await.expect("a lane"));
    let bytes = content("file", SIZE);
    let mut upload = older.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
    let large = content("large", SIZE + SIZE / 2);
    assert_eq!(fault(newer.put("other", &large, Expect::Absent).await).expect("refused").code, Code::Quota);
    older.send_blocks(&mut upload, u64::MAX).await.expect("sent");
    older.seal(&upload).await.expect("said");
    older.stored(&upload).await.expect("stored");
}

#[tokio::test]
async fn an_abandoned_upload_stays_or_goes_as_asked() {
    let (host, mut session, mut lane) = ada().await;
    let bytes = content("file", SIZE);
    for (keep, held) in [(true, 4), (false, 0)] {
        let mut upload = lane.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
        let here = upload.held.iter().flatten().count() as u64;
        lane.send_blocks(&mut upload, 4 - here).await.expect("sent");
        lane.line.say(&Said::Abandon { transfer: upload.transfer, keep }).await.expect("said");
        let again = lane.begin_put("file", &bytes, Expect::Absent).await.expect("accepted");
        assert_eq!(again.held.iter().flatten().count(), held, "kept: {keep}");
        lane.line.say(&Said::Abandon { transfer: again.transfer, keep }).await.expect("said");
    }
    eventually("nothing is promised", async || session.space().await.expect("told").reserved == 0).await;
    eventually("nothing is left", async || tests::files::paths(&host.staging("ada")).expect("walked").is_empty()).await;
}

#[tokio::test]
async fn a_download_goes_on_where_it_was_cut() {
    let (host, session, mut lane) = ada().await;
    let bytes = content("file", SIZE);
    lane.put("file", &bytes, Expect::Absent).await.expect("stored");
    let download = lane.get("file", &bytes[..5 * BLOCK + 7]).await.expect("got");
    assert!(download.content == bytes);
    assert_eq!((download.tally.held, download.tally.sent), (5 * BLOCK as u64, (SIZE - 5 * BLOCK) as u64));

    let proxy = Proxy::start(host.address).await.expect("a proxy");
    let mut cut = Lane::join(proxy.address, session.ticket).await.expect("a lane");
    proxy.cut_after(Way::Down, SIZE as u64 / 2);
    assert!(cut.get("file", b"").await.is_err());
    proxy.has_cut(1).await;
    let again = Lane::join(proxy.address, session.ticket).await.expect("a lane").get("file", &bytes[..BLOCK]).await;
    assert!(again.expect("got").content == bytes);
}

#[tokio::test]
async fn a_file_that_changes_while_it_goes_down_is_never_mixed() {
    let (host, session, mut lane) = ada().await;
    let (old, new) = (content("old", 24 * BLOCK), content("new", 24 * BLOCK));
    lane.put("file", &old, Expect::Absent).await.expect("stored");
    let proxy = Proxy::start(host.address).await.expect("a proxy");
    let mut slow = Lane::join(proxy.address, session.ticket).await.expect("a lane");
    proxy.stall(Way::Down, true);
    let started = tokio::spawn(async move { slow.get("file", b"").await });
    eventually("the download was asked for", async || proxy.passed(Way::Up) > 0).await;
    // In place, as an operator's editor might.
    fs::write(host.home("ada").join("file"), &new).expect("written");
    proxy.stall(Way::Down, false);
    match started.await.expect("no panic") {
        Ok(download) => assert!(download.content == old || download.content == new, "a mixed file was proven"),
        Err(error) => {
            let code = error.downcast::<wire::Fault>().expect("a fault").code;
            assert!(matches!(code, Code::Changed | Code::Damaged), "{code}");
        }
    }
    assert!(lane.get("file", b"").await.expect("got").content == new, "the new content is served");
}

#[tokio::test]
async fn corruption_between_the_two_ends_the_connection_and_spoils_nothing() {
    let (host, session, mut lane) = ada().await;
    let bytes = content("file", SIZE);
    let proxy = Proxy::start(host.address).await.expect("a proxy");
    let mut spoilt = Lane::join(proxy.address, session.ticket).await.expect("a lane");
    proxy.corrupt_after(Way::Up, 3 * BLOCK as u64);
    assert!(spoilt.put("file", &bytes, Expect::Absent).await.is_err(), "a corrupt record passed");
    assert!(!host.home("ada").join("file").exists());
    let tally = lane.put("file", &bytes, Expect::Absent).await.expect("stored");
    assert!(tally.held >= BLOCK as u64, "{tally:?}");
    assert_eq!(root(&host.home("ada").join("file")).expect("there"), root_of(&bytes));
}
