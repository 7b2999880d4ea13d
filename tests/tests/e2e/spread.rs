//! A large file over several lanes by the real engine, where each connection is slow by itself: that it is
//! faster, and that neither lane is missed when it goes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tests::client::{Client, Machine};
use tests::files::{self, root};
use tests::host::{Host, eventually};
use tests::proxy::{Proxy, Way};
use tokio::sync::watch;
use tui_client::engine::status::{IfExists, Outcome, State, Status};
use tui_client::engine::{Options, Partial};
use wire::Root;

const MIB: u64 = 1 << 20;
const SIZE: u64 = 64 * MIB + 17;
/// Of each connection, in bytes a second.
const RATE: u64 = 10 * MIB;
/// What may be under way on two lanes when a connection breaks, and is sent again.
const IN_FLIGHT: u64 = 40 * MIB;

/// A file at one end, and a link to it on which each connection is slow one way.
struct Scene {
    host: Host,
    machine: Machine,
    proxy: Proxy,
    way: Way,
    expected: Root,
}

impl Scene {
    async fn new(way: Way) -> Self {
        let (host, machine) = (Host::start().await.expect("a server"), Machine::new().expect("a machine"));
        host.add_user("ada", None).await.expect("a user");
        let proxy = Proxy::start(host.address).await.expect("a proxy");
        proxy.limit(way, Some(RATE));
        let source = if way == Way::Up { machine.path("large") } else { host.home("ada").join("large") };
        let expected = files::write(&source, "large", SIZE).expect("written");
        Self { host, machine, proxy, way, expected }
    }

    async fn client(&self, lanes: u16) -> Client {
        let options = Options { lanes, ..Options::default() };
        self.machine.connect(self.proxy.address, "ada", options).await.expect("connected")
    }

    fn begin(&self, client: &Client) {
        if self.way == Way::Up {
            client.upload(self.machine.path("large"), "/there", IfExists::Overwrite).expect("enqueued");
        } else {
            client.download("/large", self.machine.path("there"), IfExists::Overwrite).expect("enqueued");
        }
    }

    /// What arrived is what was sent; it goes again.
    fn check_and_clear(&self) {
        let (home, here) = (self.host.home("ada"), self.machine.path(""));
        let there = if self.way == Way::Up { home } else { here }.join("there");
        assert_eq!(root(&there).expect("there"), self.expected, "{:?}", self.way);
        std::fs::remove_file(there).expect("removed");
    }

    /// The connections that carry the file, the busiest first.
    fn busiest(&self) -> Vec<(u64, usize)> {
        let passed = self.proxy.passed_each(self.way);
        let mut busiest: Vec<(u64, usize)> = passed.into_iter().enumerate().map(|(place, n)| (n, place)).collect();
        busiest.sort_unstable_by(|a, b| b.cmp(a));
        busiest
    }

    /// Waits until a second connection carries a good part of the file.
    async fn is_spread(&self) {
        eventually("another lane assists", async || self.busiest().get(1).is_some_and(|(n, _)| *n > 8 * MIB)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lanes_are_faster_than_one_where_each_is_slow() {
    for way in [Way::Up, Way::Down] {
        let scene = Scene::new(way).await;
        let mut took = Vec::new();
        for lanes in [1, 2] {
            let mut client = scene.client(lanes).await;
            let (began, before) = (Instant::now(), scene.proxy.passed(way));
            scene.begin(&client);
            let status = client.engine.status();
            let outcome = tokio::select! {
                outcome = client_done(&mut client) => outcome,
                () = goes_forward(status) => unreachable!("it goes on for ever"),
            };
            took.push(began.elapsed().as_secs_f64());
            assert_eq!((outcome.sent, outcome.held, outcome.root), (SIZE, 0, Some(scene.expected)));
            let travelled = scene.proxy.passed(way) - before;
            assert!(travelled < SIZE + SIZE / 8, "{travelled} bytes travelled {way:?} on {lanes} lanes");
            scene.check_and_clear();
        }
        assert!(took[1] < took[0] * 0.75, "{way:?}: {took:?} s");
    }
}

async fn client_done(client: &mut Client) -> Outcome {
    client.done().await.expect("proven in the end")
}

/// Watches that what is shown never goes back or beyond, without an end.
async fn goes_forward(mut status: watch::Receiver<Arc<Status>>) {
    let mut last = (0, 0);
    loop {
        let shown = status.borrow_and_update().items.last().map(|item| (item.bytes_done, item.sent, item.held));
        if let Some((done, sent, held)) = shown {
            assert!(done >= last.0 && sent >= last.1 && done <= SIZE && sent <= SIZE, "{shown:?} after {last:?}");
            assert_eq!(held, 0, "nothing was there before");
            last = (done, sent);
        }
        status.changed().await.expect("the engine lives");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_assists_is_not_missed_when_it_breaks() {
    for way in [Way::Up, Way::Down] {
        let scene = Scene::new(way).await;
        let mut client = scene.client(2).await;
        scene.begin(&client);
        scene.is_spread().await;
        scene.proxy.cut_one(scene.busiest()[1].1);
        let outcome = client_done(&mut client).await;
        assert_eq!((outcome.sent, outcome.held, outcome.root), (SIZE, 0, Some(scene.expected)));
        let travelled = scene.proxy.passed(way);
        assert!(travelled < SIZE + IN_FLIGHT / 2, "{travelled} bytes travelled {way:?}");
        scene.check_and_clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_assisting_lane_brought_over_is_held_when_the_own_lane_breaks() {
    for way in [Way::Up, Way::Down] {
        let scene = Scene::new(way).await;
        let mut client = scene.client(2).await;
        scene.begin(&client);
        scene.is_spread().await;
        scene.proxy.cut_one(scene.busiest()[0].1);
        let outcome = client_done(&mut client).await;
        assert_eq!((outcome.sent + outcome.held, outcome.root), (SIZE, Some(scene.expected)));
        let travelled = scene.proxy.passed(way);
        assert!(travelled < SIZE + IN_FLIGHT, "{travelled} bytes travelled {way:?}");
        scene.check_and_clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_stalls_in_the_middle_of_a_block_holds_up_nobody() {
    for way in [Way::Up, Way::Down] {
        let scene = Scene::new(way).await;
        let mut client = scene.client(2).await;
        scene.begin(&client);
        scene.is_spread().await;
        scene.proxy.stall_one(scene.busiest()[1].1);
        // Long before anybody takes the lane for dead.
        let began = Instant::now();
        let outcome = client_done(&mut client).await;
        assert!(began.elapsed() < Duration::from_secs(30), "{way:?}: {:?}", began.elapsed());
        assert_eq!((outcome.sent, outcome.held, outcome.root), (SIZE, 0, Some(scene.expected)));
        scene.check_and_clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pause_limit_and_cancel_reach_all_lanes_of_a_file() {
    for way in [Way::Up, Way::Down] {
        let scene = Scene::new(way).await;
        let mut client = scene.client(2).await;
        scene.begin(&client);
        scene.is_spread().await;
        let mut status = client.engine.status();
        let id = status.borrow().items[0].id;
        client.engine.pause(id);
        let paused = status.wait_for(|status| status.items[0].state == State::Paused);
        tokio::time::timeout(Duration::from_secs(30), paused).await.expect("in time").expect("told");
        client.engine.limit_item(id, Some(16 * MIB));
        client.engine.resume(id);
        // It goes on where it was, on one lane.
        let outcome = client_done(&mut client).await;
        assert_eq!((outcome.sent + outcome.held, outcome.root), (SIZE, Some(scene.expected)));
        let travelled = scene.proxy.passed(way);
        assert!(travelled < SIZE + IN_FLIGHT, "{travelled} bytes travelled {way:?}");
        scene.check_and_clear();

        scene.begin(&client);
        let before = scene.busiest()[1].0;
        eventually("another lane assists again", async || scene.busiest()[1].0 > before + 8 * MIB).await;
        let id = client.engine.status().borrow().items[1].id;
        client.engine.cancel(id, Partial::Discard);
        let (staging, here) = (scene.host.staging("ada"), scene.machine.path(""));
        eventually("nothing is left of it", async || {
            let left = files::paths(&staging).expect("walked").len() + files::paths(&here).unwrap_or_default().len();
            left == usize::from(way == Way::Up)
        })
        .await;
    }
}
