//! What needs a person, with a real server: refusals wait with their shortfall while the rest goes on, both
//! files of a conflict are kept under a name of choice, and an update sends only what differs.

use std::fs;

use tests::files::{self, root};
use tests::host::{Host, MinFree};
use tokio::sync::mpsc::UnboundedReceiver;
use tui_client::engine::status::{End, IfExists, Outcome, Remedy, Reply, State};
use tui_client::engine::{Options, Refused};
use wire::Code;
use wire::fault::Detail;

use super::bench::{Bench, MIB};

async fn outcome(outcomes: &mut UnboundedReceiver<Outcome>) -> Outcome {
    let next = tokio::time::timeout(tests::line::PATIENCE, outcomes.recv()).await;
    next.expect("in time").expect("the engine lives")
}

async fn bench() -> Bench {
    Bench::with(Options { refused: Refused::Waits, ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn over_quota_waits_with_its_shortfall_while_smaller_files_go_on() {
    let mut bench = bench().await;
    bench.host.set_quota("ada", Some(8 * MIB)).await.expect("set");
    // The large one comes first.
    files::write(&bench.path("tree/0-large"), "large", 20 * MIB).expect("written");
    for index in 1..5 {
        files::write(&bench.path(&format!("tree/{index}")), &index.to_string(), MIB).expect("written");
    }
    let mut outcomes = bench.engine.outcomes();
    let id = bench.up("tree", IfExists::Ask);
    let waiting = bench.item(id, "needs the user", |item| item.state == State::NeedsYou).await;
    assert_eq!((waiting.files_done, waiting.files_failed, waiting.scanning), (4, 0, false));
    let question = bench.engine.status().borrow().questions[0].clone();
    let fault = question.refusal().expect("a refusal");
    assert_eq!((question.target.as_str(), fault.code), ("/tree/0-large", Code::Quota));
    let missing = 12 * MIB..=16 * MIB;
    assert!(matches!(fault.detail, Detail::Shortfall(short) if missing.contains(&short)), "{fault:?}");
    for _ in 0..4 {
        assert_eq!(outcome(&mut outcomes).await.end, End::Done);
    }
    // Nothing has changed: it is asked again, not tried for ever.
    bench.engine.remedy(question.id, Remedy::Again { all: false });
    let again = bench.until("asked anew", |status| status.questions.iter().any(|other| other.id > question.id)).await;
    assert_eq!(again.open_questions, 1);
    bench.host.set_quota("ada", Some(64 * MIB)).await.expect("set");
    bench.until("told", |status| status.usage.is_some_and(|usage| usage.quota == Some(64 * MIB))).await;
    bench.engine.remedy(again.questions[0].id, Remedy::Again { all: true });
    assert_eq!(bench.done(id).await.files_done, 5);
    assert_eq!(
        root(&bench.host.home("ada").join("tree/0-large")).expect("there"),
        root(&bench.path("tree/0-large")).expect("read")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_servers_disk_has_no_room_for_waits_while_the_rest_goes_on() {
    let host = Host::with(|config| config.min_free = MinFree::Percent(1)).await.expect("started");
    let mut bench = Bench::on(host, Options { refused: Refused::Waits, ..Options::default() }).await;
    files::write(&bench.path("tree/0-huge"), "huge", 1).expect("written");
    // A hole, larger than the disk.
    let huge = fs::File::options().write(true).open(bench.path("tree/0-huge")).expect("opened");
    huge.set_len(8 << 40).expect("grown");
    for index in 1..5 {
        files::write(&bench.path(&format!("tree/{index}")), &index.to_string(), MIB).expect("written");
    }
    let id = bench.up("tree", IfExists::Ask);
    let waiting = bench.item(id, "needs the user", |item| item.state == State::NeedsYou).await;
    assert_eq!((waiting.files_done, waiting.files_failed), (4, 0));
    let question = bench.engine.status().borrow().questions[0].clone();
    let fault = question.refusal().expect("a refusal");
    assert_eq!(fault.code, Code::NoSpace);
    assert!(matches!(fault.detail, Detail::Shortfall(1..)) && fault.message.contains("not your quota"), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_fails_and_can_be_tried_again() {
    let mut bench = bench().await;
    bench.host.set_quota("ada", Some(MIB)).await.expect("set");
    for name in ["tree/a", "tree/b"] {
        files::write(&bench.path(name), name, 3 * MIB).expect("written");
    }
    let mut outcomes = bench.engine.outcomes();
    let id = bench.up("tree", IfExists::Ask);
    let status = bench.until("two wait", |status| status.open_questions == 2).await;
    bench.engine.remedy(status.questions[0].id, Remedy::Leave { all: true });
    for _ in 0..2 {
        assert!(matches!(outcome(&mut outcomes).await.end, End::Failed(fault) if fault.code == Code::Quota));
    }
    bench.item(id, "failed", |item| matches!(item.state, State::Failed(_)) && item.files_failed == 2).await;
    bench.host.set_quota("ada", None).await.expect("set");
    bench.until("told", |status| status.usage.is_some_and(|usage| usage.quota.is_none())).await;
    bench.engine.retry(id);
    assert_eq!(bench.done(id).await.files_done, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicts_of_a_tree_are_answered_once_and_one_of_them_by_a_name() {
    let mut bench = bench().await;
    for index in 0..6 {
        files::write(&bench.path(&format!("tree/{index}")), "new", MIB + index).expect("written");
        files::write(&bench.host.home("ada").join(format!("tree/{index}")), "old", 10).expect("written");
    }
    let id = bench.up("tree", IfExists::Ask);
    let status = bench.until("six wait", |status| status.open_questions == 6).await;
    let kept = status.questions.iter().find(|question| question.target == "/tree/3").expect("asked about");
    bench.engine.remedy(kept.id, Remedy::Name(b"three".to_vec()));
    let status = bench.until("five wait", |status| status.open_questions == 5).await;
    bench.engine.answer(status.questions[0].id, Reply { answer: IfExists::Overwrite, for_all: true });
    bench.done(id).await;
    let size = |name: &str| fs::metadata(bench.host.home("ada").join("tree").join(name)).map(|file| file.len()).ok();
    assert_eq!((size("3"), size("three"), size("0"), size("5")), (Some(10), Some(MIB + 3), Some(MIB), Some(MIB + 5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_sends_only_the_blocks_that_changed() {
    let mut bench = bench().await;
    files::write(&bench.path("large"), "large", 16 * MIB).expect("written");
    let id = bench.up("large", IfExists::Ask);
    bench.done(id).await;
    let mut content = fs::read(bench.path("large")).expect("read");
    for block in [3, 9] {
        content[block << 20] ^= 1;
    }
    fs::write(bench.path("large"), content).expect("written");
    let mut outcomes = bench.engine.outcomes();
    let id = bench.up("large", IfExists::Ask);
    let status = bench.until("asked", |status| status.open_questions == 1).await;
    bench.engine.answer(status.questions[0].id, Reply { answer: IfExists::Update, for_all: false });
    let outcome = outcome(&mut outcomes).await;
    assert_eq!((outcome.end, outcome.sent, outcome.held), (End::Done, 2 * MIB, 14 * MIB));
    bench.done(id).await;
}
