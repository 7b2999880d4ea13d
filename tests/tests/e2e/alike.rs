//! Two directories made alike, with what changes between the plan and its run: it is refused or asked about, never lost.

use std::fs;
use std::path::Path;

use tests::client::{Client, Machine};
use tests::host::{Host, eventually};
use tokio_util::sync::CancellationToken;
use tui_client::engine::Options;
use tui_client::sync::carry::{self, Carried};
use tui_client::sync::ground::{Ground, Removal};
use tui_client::sync::mode::{By, Mode, Toward};
use tui_client::sync::orders::Orders;
use tui_client::sync::plan::{Action, Plan};
use tui_client::sync::scan::{self, Scan};
use wire::{Code, RemotePath};

struct Pair {
    host: Host,
    machine: Machine,
    client: Client,
}

impl Pair {
    async fn new() -> Self {
        let host = Host::start().await.expect("a server");
        host.add_user("ada", None).await.expect("a user");
        let machine = Machine::new().expect("a machine");
        let client = machine.connect(host.address, "ada", Options::default()).await.expect("connected");
        Self { host, machine, client }
    }

    fn here(&self, name: &str) -> Ground {
        Ground::Here(self.machine.path(name))
    }

    fn there(&self, name: &str) -> Ground {
        Ground::There(self.client.engine.clone(), RemotePath::parse(name.as_bytes()).expect("a path"))
    }

    /// Carries out what is proposed, the files in the queue left to themselves.
    async fn carry(&self, scan: &Scan, plan: &Plan) -> Carried {
        let orders = Orders::of(plan, &scan.left, &scan.right, |_, row| row.proposal(scan.mode));
        for transfer in orders.transfers {
            self.client.engine.enqueue_chosen(transfer.job, transfer.chosen);
        }
        let grounds = (&scan.left, &scan.right);
        carry::run(orders.tasks, grounds, Removal::ForGood, &CancellationToken::new(), |_| {}).await
    }
}

async fn plan(scan: &Scan) -> Plan {
    scan::run(scan, &CancellationToken::new(), |_, _| {}).await.expect("scanned").plan
}

fn is_nothing(plan: &Plan, mode: Mode) -> bool {
    plan.rows.iter().all(|row| row.proposal(mode) == Action::Skip)
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a directory")).expect("made");
    fs::write(path, text).expect("written");
}

const MIRROR: Mode = Mode { by: By::Time, toward: Toward::Right, deletions: true, deep: true };

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_after_it_was_seen_is_neither_deleted_nor_replaced() {
    let mut pair = Pair::new().await;
    let home = pair.host.home("ada");
    for name in ["old/kept", "old/gone", "both"] {
        write(&home.join(name), "as it was seen");
    }
    write(&pair.machine.path("tree/both"), "the new one here");
    let scan = Scan { left: pair.here("tree"), right: pair.there("/"), mode: MIRROR };
    let seen = plan(&scan).await;
    write(&home.join("old/kept"), "changed meanwhile");
    write(&home.join("both"), "changed meanwhile, too");
    let carried = pair.carry(&scan, &seen).await;
    let told: Vec<_> = carried.failed.iter().map(|(task, fault)| (task.path.as_slice(), fault.code)).collect();
    assert_eq!(told, [(b"old/kept".as_slice(), Code::Changed), (b"old", Code::NotEmpty)]);
    assert_eq!(fs::read(home.join("old/kept")).expect("read"), b"changed meanwhile");
    assert!(!home.join("old/gone").exists() && carried.deleted == 1);
    // The copy that would replace something else asks.
    let status = pair.client.engine.status();
    eventually("a question", async || !status.borrow().questions.is_empty()).await;
    assert_eq!(fs::read(home.join("both")).expect("read"), b"changed meanwhile, too");
    let question = status.borrow().questions[0].id;
    pair.client.engine.decline(question, wire::Fault::new(Code::Exists, "no"));
    pair.client.outcome().await.expect("over");
    // What was seen anew is carried out, and then nothing is left to do.
    let anew = plan(&scan).await;
    assert_eq!(pair.carry(&scan, &anew).await.failed, []);
    pair.client.done().await.expect("copied");
    assert!(is_nothing(&plan(&scan).await, MIRROR) && !home.join("old").exists());
    assert_eq!(fs::read(home.join("both")).expect("read"), b"the new one here");
}

#[tokio::test(flavor = "multi_thread")]
async fn downloads_too_replace_only_what_was_seen() {
    let mut pair = Pair::new().await;
    let (home, both) = (pair.host.home("ada"), pair.machine.path("tree/both"));
    write(&home.join("both"), "the server's");
    write(&both, "as it was seen");
    let mode = Mode { toward: Toward::Left, ..MIRROR };
    let scan = Scan { left: pair.here("tree"), right: pair.there("/"), mode };
    let seen = plan(&scan).await;
    write(&both, "changed here meanwhile");
    pair.carry(&scan, &seen).await;
    let status = pair.client.engine.status();
    eventually("a question", async || !status.borrow().questions.is_empty()).await;
    assert_eq!(fs::read(&both).expect("read"), b"changed here meanwhile");
    let question = status.borrow().questions[0].id;
    pair.client.engine.decline(question, wire::Fault::new(Code::Exists, "no"));
    pair.client.outcome().await.expect("over");
    pair.carry(&scan, &plan(&scan).await).await;
    pair.client.done().await.expect("copied");
    assert_eq!(fs::read(&both).expect("read"), b"the server's");
    assert!(is_nothing(&plan(&scan).await, mode));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_directories_of_one_side_and_contents_that_only_reading_tells_apart() {
    let pair = Pair::new().await;
    let home = pair.host.home("ada");
    for root in [pair.machine.path("one"), home.join("one")] {
        write(&root.join("d/a"), "alpha");
        write(&root.join("same"), "12345");
        fs::create_dir(root.join("empty")).expect("made");
    }
    for root in [pair.machine.path("two"), home.join("two")] {
        write(&root.join("same"), "54321");
        write(&root.join("extra/x"), "x");
    }
    let mode = Mode { by: By::Content, ..MIRROR };
    for (left, right, root) in [
        (pair.here("one"), pair.here("two"), pair.machine.path("two")),
        (pair.there("/one"), pair.there("/two"), home.join("two")),
    ] {
        let scan = Scan { left, right, mode };
        let carried = pair.carry(&scan, &plan(&scan).await).await;
        assert_eq!((carried.failed, carried.done, carried.deleted), (vec![], 5, 2));
        assert_eq!(fs::read(root.join("same")).expect("read"), b"12345");
        assert!(root.join("d/a").exists() && root.join("empty").is_dir() && !root.join("extra").exists());
        assert!(is_nothing(&plan(&scan).await, mode));
        assert!(is_nothing(&plan(&Scan { mode: MIRROR, ..scan }).await, MIRROR), "times are kept");
    }
    // And a scan that was stopped has no plan.
    let scan = Scan { left: pair.here("one"), right: pair.here("two"), mode };
    let token = CancellationToken::new();
    token.cancel();
    let stopped = scan::run(&scan, &token, |_, _| {}).await;
    assert_eq!(stopped.map(drop).expect_err("stopped").code, Code::Cancelled);
}
