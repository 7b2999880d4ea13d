//! What was true when an upload began and is not when it ends, and what unfinished uploads cost.

use tests::files::{content, holds};
use tests::host::{Host, eventually};
use tests::session::{fault, raw};
use wire::Code;
use wire::block::BLOCK;
use wire::message::{Expect, Op};

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn a_promise_for_growth_does_not_outlive_the_file_it_grew_from() {
    let host = Host::start().await.expect("a server");
    host.add_user("ada", Some(4 * MIB)).await.expect("a user");
    let mut session = host.login("ada").await.expect("logged in");
    let mut lane = session.lane().await.expect("a lane");
    lane.put("file", &content("old", 4 * BLOCK), Expect::Absent).await.expect("stored");

    // Replacing needs no more room, so nothing is promised; then the old file goes, and its room too.
    let new = content("new", 4 * BLOCK);
    let mut replacing = lane.begin_put("file", &new, Expect::Any).await.expect("accepted");
    lane.send_blocks(&mut replacing, u64::MAX).await.expect("sent");
    session.order(Op::Remove { path: raw("file"), recursive: false }).await.expect("removed");
    let mut other = session.lane().await.expect("a lane");
    other.put("other", &content("other", 3 * BLOCK), Expect::Absent).await.expect("there is room");

    lane.seal(&replacing).await.expect("said");
    let refused = fault(lane.stored(&replacing).await).expect("refused");
    assert_eq!(refused.code, Code::Quota);
    let (usage, found) = (session.space().await.expect("told"), holds(&host.home("ada")).expect("walked"));
    assert_eq!((usage.used, usage.files, usage.reserved), (3 * MIB, 1, 0));
    assert_eq!((found.bytes, found.files), (3 * MIB, 1));
}

#[tokio::test]
async fn unfinished_uploads_give_way_oldest_first_and_never_pass_the_quota() {
    let host = Host::start().await.expect("a server");
    host.add_user("ada", Some(8 * MIB)).await.expect("a user");
    let session = host.login("ada").await.expect("logged in");
    let staging = host.data_dir().join("users/ada/staging");
    let bytes = content("big", 6 * BLOCK);
    for name in ["first", "second"] {
        let mut lane = session.lane().await.expect("a lane");
        let mut upload = lane.begin_put(name, &bytes, Expect::Absent).await.expect("accepted: nobody holds a promise");
        lane.send_blocks(&mut upload, 4).await.expect("sent");
        drop(lane);
        eventually("the blocks are in staging", async || {
            holds(&staging).expect("walked").bytes >= 4 * MIB
                && host.login("ada").await.expect("in").usage.reserved == 0
        })
        .await;
    }
    // 8 MiB lie in staging; 3 MiB more fit only when the older 4 MiB go.
    let mut lane = session.lane().await.expect("a lane");
    lane.put("third", &content("third", 3 * BLOCK), Expect::Absent).await.expect("stored");
    assert!(holds(&staging).expect("walked").bytes <= 5 * MIB);
    let resumed = lane.begin_put("second", &bytes[..5 * BLOCK], Expect::Absent).await.expect("accepted");
    assert!(resumed.held.iter().flatten().count() >= 3, "the newer one is still there");
}
