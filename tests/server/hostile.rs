//! Clients that mean harm, against the real server program: whatever they say or leave unsaid is answered or ends
//! their connection, it goes on serving, and nothing of theirs stays: no session, promise, open file or memory.

#![cfg(test)]

#[path = "hostile/lane.rs"]
mod lane;

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use tests::daemon::Daemon;
use tests::files::{content, root_of};
use tests::host::{PASSWORD, eventually};
use tests::line::{Heard, Line, frame, frame_head};
use tests::session::{Lane, MTIME, Session, fault, greeted, raw};
use tokio::task::JoinSet;
use tokio::time::interval;
use wire::block::{BLOCK, chaining_value};
use wire::encoding::encode;
use wire::message::{
    Answer, Expect, FromClient, FromGuest, FromServer, HELD_PAGE, Lane as Said, Offer, Op, Secret, Ticket, ToGuest,
    VERSIONS,
};
use wire::{Code, Fault};

/// Sessions that an account may have.
const SESSIONS: usize = 12;
const LIMITS: &str = "min_free = \"none\"\n[limits]\nmax_connections = 48\nper_source = 48\nper_user = 12\nguests = 16\nlogin_seconds = 5\n\
    idle_seconds = 120\nstall_seconds = 2\nlanes_per_session = 4\n[argon2]\nat_once = 1\n";
/// In which whoever means well is served, whatever others do.
const SOON: Duration = Duration::from_secs(20);

/// A server, a user who only wants to work, and room for another.
struct Siege {
    daemon: Daemon,
    witness: Session,
    lane: Lane,
    written: u32,
    /// Open files before anybody meant harm.
    descriptors: usize,
}

impl Siege {
    async fn open() -> Self {
        Self::with(LIMITS).await
    }

    async fn with(limits: &str) -> Self {
        let daemon = Daemon::with_config(Path::new(env!("CARGO_BIN_EXE_server")), limits).expect("started");
        daemon.add_user("ada", "none").expect("a user");
        daemon.add_user("eve", "none").expect("a user");
        let witness = daemon.login("ada").await.expect("logged in");
        let lane = witness.lane().await.expect("a lane");
        let mut siege = Self { daemon, witness, lane, written: 0, descriptors: 0 };
        siege.is_calm("nothing yet").await;
        // And the three directories of another home, which a lost session keeps open for a while.
        siege.descriptors = siege.daemon.descriptors().expect("counted") + 3;
        siege
    }

    async fn eve(&self) -> Session {
        self.daemon.login("eve").await.expect("logged in")
    }

    /// The user works on, unharmed.
    async fn is_calm(&mut self, during: &str) {
        self.written += 1;
        let (name, bytes) = (format!("file-{}", self.written), content(during, 3 * BLOCK));
        let work = async {
            self.witness.ping().await?;
            self.lane.put(&name, &bytes, Expect::Absent).await?;
            let came = self.lane.get(&name, b"").await?;
            self.witness.order(Op::Remove { path: raw(&name), recursive: false }).await?;
            anyhow::Ok(came.content)
        };
        let came = tokio::time::timeout(SOON, work).await.unwrap_or_else(|_| panic!("nobody is served: {during}"));
        assert!(came.expect(during) == bytes, "{during}");
    }

    /// All that is left of the others is what they stored.
    async fn ends_clean(mut self, after: &str) {
        self.is_calm(after).await;
        eventually(&format!("open files are closed after {after}"), async || {
            self.daemon.descriptors().expect("counted") <= self.descriptors
        })
        .await;
        let mut eve = self.eve().await;
        eventually(&format!("no promise is left after {after}"), async || {
            eve.space().await.expect("told").reserved == 0
        })
        .await;
        let mut sessions = vec![eve];
        while sessions.len() < SESSIONS {
            sessions.push(self.daemon.login("eve").await.unwrap_or_else(|error| panic!("{error} after {after}")));
        }
        let log = self.daemon.log().expect("read");
        assert!(!log.contains("panicked") && !log.contains("ERROR"), "after {after}: {log}");
        let (peak, bound) = (self.daemon.peak().expect("weighed"), bound(&log));
        assert!(peak < bound, "{} MiB after {after}, where at most {} are promised", peak >> 20, bound >> 20);
    }
}

/// What the server has promised at its start.
fn bound(log: &str) -> u64 {
    let figure = log.split("memory=").nth(1).and_then(|rest| rest.split(' ').next()).expect("it is in the log");
    figure.trim().parse().expect("a figure")
}

fn offer(size: u64, eager: bool) -> Offer {
    Offer { size, mtime: MTIME, executable: false, eager }
}

fn put(transfer: u64, path: &str, size: u64, eager: bool) -> Said {
    Said::Put { transfer, path: raw(path), offer: offer(size, eager), expect: Expect::Any }
}

/// The fault that comes next on a lane, past pages and acknowledgements.
async fn refusal(lane: &mut Lane) -> (u64, Fault) {
    loop {
        match lane.line.message::<Said>().await.expect("a message") {
            Said::Fault { transfer, fault } => return (transfer, fault),
            Said::Held { .. } | Said::Offer { .. } | Said::Stored { .. } => {}
            other => panic!("{other:?} where a refusal was due"),
        }
    }
}

/// The lane still takes uploads.
async fn works(lane: &mut Lane, after: &str) {
    let bytes = content(after, BLOCK + 7);
    lane.put("works", &bytes, Expect::Any).await.unwrap_or_else(|error| panic!("{error} after {after}"));
}

/// Messages as the bytes of their frames.
fn frames(messages: impl IntoIterator<Item = FromClient>) -> Vec<u8> {
    messages.into_iter().flat_map(|message| frame(1, &encode(&message).expect("fits"))).collect()
}

#[tokio::test]
async fn who_drips_before_login_is_dropped_in_time() {
    let mut siege = Siege::open().await;
    let mut drips = JoinSet::new();
    for number in 0..12 {
        let address = siege.daemon.address;
        drips.spawn(async move {
            let mut line = if number % 2 == 0 { Line::open(address).await? } else { greeted(address).await? };
            let mut pace = interval(Duration::from_millis(100));
            for byte in frame_head(1, 100).into_iter().chain([0; 95]) {
                pace.tick().await;
                line.raw(&[byte]).await?;
            }
            anyhow::Ok(())
        });
    }
    siege.is_calm("dripping guests").await;
    for drip in drips.join_all().await {
        drip.expect_err("ten seconds of a login of five");
    }
    siege.ends_clean("dripping guests").await;
}

#[tokio::test]
async fn who_drips_after_login_holds_nothing_but_its_place() {
    let mut siege = Siege::with(&LIMITS.replace("idle_seconds = 120", "idle_seconds = 20")).await;
    let (mut slow, mut other) = (siege.eve().await, siege.eve().await);
    let mut lane = other.lane().await.expect("a lane");
    lane.begin_put("x", &content("x", 2 * BLOCK), Expect::Any).await.expect("accepted");
    lane.line.raw(&frame_head(2, (wire::frame::BLOCK_HEADER + BLOCK) as u32)).await.expect("said");
    slow.line.raw(&frame_head(1, 1000)).await.expect("said");
    let mut pace = interval(Duration::from_millis(300));
    let dripping = async {
        // A message that never ends is no sign of life: as long as the patience with a silent client.
        while slow.line.raw(&[0]).await.is_ok() {
            siege.witness.ping().await.expect("the witness is there");
            other.ping().await.expect("the other one is there");
            // Slow, and not still: a lane may be.
            lane.line.raw(&[0]).await.expect("a slow block is taken");
            pace.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), dripping).await.expect("the dripping client is dropped");
    siege.is_calm("a dripping lane").await;
    other.line.say(&FromClient::Goodbye).await.expect("said");
    lane.ended().await.expect("a lane ends with its session");
    drop((slow, other, lane));
    siege.ends_clean("dripping").await;
}

#[tokio::test]
async fn listings_that_nobody_reads_keep_no_thread() {
    let limits = LIMITS.replace("stall_seconds = 2", "stall_seconds = 600");
    let mut siege = Siege::with(&limits).await;
    let home = siege.daemon.home("eve");
    for number in 0..4000 {
        std::fs::write(home.join(format!("{number}-{}", "n".repeat(200))), b"").expect("written");
    }
    let mut deaf = Vec::new();
    // More threads than there are for the disk, if each kept one.
    for _ in 0..SESSIONS {
        let mut eve = siege.eve().await;
        let ops = [Op::List { path: raw("") }, Op::Walk { path: raw("") }];
        let find = Op::Find { path: raw(""), pattern: "*".into() };
        let all = ops.into_iter().chain([find]).cycle().zip(0..64).map(|(op, id)| FromClient::Request { id, op });
        eve.line.raw(&frames(all)).await.expect("said");
        deaf.push(eve);
    }
    for _ in 0..5 {
        siege.is_calm("hundreds of listings that nobody reads").await;
    }
    drop(deaf);
    siege.ends_clean("listings that nobody read").await;
}

#[tokio::test]
async fn a_million_pings_are_a_million_pongs() {
    let mut siege = Siege::open().await;
    let mut eve = siege.eve().await;
    let pings = frames((0..10_000).map(|_| FromClient::Ping));
    let before = siege.daemon.resident().expect("weighed");
    for round in 0..100 {
        eve.line.raw(&pings).await.expect("said");
        for _ in 0..10_000 {
            let mut heard = eve.line.message::<FromServer>().await.expect("a pong");
            // News of other sessions of the user may come between.
            while matches!(heard, FromServer::Notice(_)) {
                heard = eve.line.message::<FromServer>().await.expect("a pong");
            }
            assert_eq!(heard, FromServer::Pong);
        }
        if round % 25 == 0 {
            siege.is_calm("pings").await;
        }
    }
    let grown = siege.daemon.resident().expect("weighed").saturating_sub(before);
    assert!(grown < 32 << 20, "pings took {} MiB", grown >> 20);
    drop(eve);
    siege.ends_clean("a million pings").await;
}

#[tokio::test]
async fn of_a_hundred_thousand_listings_each_is_answered_or_refused() {
    let mut siege = Siege::open().await;
    for number in 0..600 {
        std::fs::write(siege.daemon.home("eve").join(format!("entry-{number}")), b"").expect("written");
    }
    let mut eve = siege.eve().await;
    let (mut answered, mut busy) = (0, 0);
    for round in 0..20 {
        let list = |id| FromClient::Request { id, op: Op::List { path: raw("") } };
        eve.line.raw(&frames((0..5000).map(|number| list(round * 5000 + number)))).await.expect("said");
        for _ in 0..5000 {
            loop {
                match eve.line.message::<FromServer>().await.expect("an answer") {
                    FromServer::Answer { answer: Answer::Page { last: true, .. }, .. } => break answered += 1,
                    FromServer::Answer { answer: Answer::Page { .. }, .. } | FromServer::Notice(_) => {}
                    FromServer::Answer { answer: Answer::Fault(fault), .. } => {
                        assert_eq!(fault.code, Code::Busy, "{fault}");
                        break busy += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    assert!(answered >= 64 && answered + busy == 100_000, "{answered} answered, {busy} refused");
    assert_eq!(eve.entries(Op::List { path: raw("") }).await.expect("listed").len(), 600);
    siege.is_calm("listings").await;
    drop(eve);
    siege.ends_clean("listings").await;
}

#[tokio::test]
async fn an_id_is_used_once_at_a_time_and_unknown_ones_are_nothing() {
    let siege = Siege::open().await;
    std::fs::write(siege.daemon.home("eve").join("large"), content("large", 64 * BLOCK)).expect("written");
    let mut eve = siege.eve().await;
    let hash = FromClient::Request { id: 7, op: Op::Hash { path: raw("large") } };
    let cancel = |id| FromClient::Cancel { id };
    eve.line.raw(&frames([cancel(7), cancel(u32::MAX), hash.clone(), hash.clone(), cancel(8)])).await.expect("said");
    assert_eq!(fault(eve.answer(7).await).expect("refused").code, Code::Busy, "while the first is worked on");
    assert!(matches!(eve.answer(7).await.expect("the first goes on"), Answer::Entry(entry) if entry.root.is_some()));
    eve.line.raw(&frames([cancel(7), hash])).await.expect("said");
    assert!(matches!(eve.answer(7).await.expect("the number is free again"), Answer::Entry(_)));
    drop(eve);
    siege.ends_clean("ids").await;
}

#[tokio::test]
async fn tickets_open_what_they_are_for_and_nothing_after_that() {
    let mut siege = Siege::open().await;
    let (address, mut eve) = (siege.daemon.address, siege.eve().await);
    let code = |result: anyhow::Result<Lane>| fault(result.map(drop)).expect("refused").code;
    let lanes =
        [eve.lane().await, eve.lane().await, eve.lane().await, eve.lane().await].map(|lane| lane.expect("a lane"));
    assert_eq!(code(eve.lane().await), Code::Busy, "one more than there may be");
    drop(lanes);
    eventually("places of lanes come back", async || eve.lane().await.is_ok()).await;
    // Whoever has a ticket has the session, and no other.
    let mut stolen = Lane::join(address, siege.witness.ticket).await.expect("a lane of the witness");
    stolen.put("stolen", b"x", Expect::Absent).await.expect("stored");
    assert!(siege.daemon.home("ada").join("stolen").exists() && !siege.daemon.home("eve").join("stolen").exists());
    // A number is nothing beyond its session.
    let bytes = content("mine", 3 * BLOCK);
    let mut lane = eve.lane().await.expect("a lane");
    let upload = lane.begin_put("mine", &bytes, Expect::Any).await.expect("accepted");
    stolen.line.say(&Said::Assist { transfer: upload.transfer }).await.expect("said");
    assert_eq!(refusal(&mut stolen).await.1.code, Code::NotFound);
    let near = Ticket({
        let mut ticket = eve.ticket.0;
        ticket[31] ^= 1;
        ticket
    });
    for ticket in [Ticket([0; 32]), near] {
        assert_eq!(code(Lane::join(address, ticket).await), Code::Ticket);
        assert_eq!(fault(Session::rejoin(address, ticket).await).expect("refused").code, Code::Ticket);
    }
    eve.line.say(&FromClient::Goodbye).await.expect("said");
    eve.ended().await.expect("it ends");
    lane.ended().await.expect("its lanes end");
    assert_eq!(code(eve.lane().await), Code::Ticket, "an expired one");
    assert_eq!(fault(Session::rejoin(address, eve.ticket).await).expect("refused").code, Code::Ticket);
    siege.is_calm("tickets").await;
    drop((eve, lane, stolen));
    siege.ends_clean("tickets").await;
}

#[tokio::test]
async fn goodbye_amid_transfers_ends_them_all() {
    let siege = Siege::open().await;
    std::fs::write(siege.daemon.home("eve").join("big"), content("big", 64 * BLOCK)).expect("written");
    let mut eve = siege.eve().await;
    let (mut up, mut down) = (eve.lane().await.expect("a lane"), eve.lane().await.expect("a lane"));
    let bytes = content("up", 40 * BLOCK);
    let mut upload = up.begin_put("up", &bytes, Expect::Any).await.expect("accepted");
    up.send_blocks(&mut upload, 20).await.expect("sent");
    let staging = siege.daemon.staging("eve");
    eventually("some of it has arrived", async || {
        let files = staging.read_dir().expect("read").map(|entry| entry.expect("read").metadata().expect("looked at"));
        files.map(|file| file.blocks() * 512).sum::<u64>() >= 10 * BLOCK as u64
    })
    .await;
    down.line.say(&Said::Get { transfer: 1, path: raw("big"), eager: true }).await.expect("said");
    let walks = (0..30).map(|id| FromClient::Request { id, op: Op::Hash { path: raw("big") } });
    eve.line.raw(&frames(walks.chain([FromClient::Goodbye]))).await.expect("said");
    eve.ended().await.expect("the session ends");
    up.ended().await.expect("an upload ends with it");
    down.ended().await.expect("a download ends with it");
    let mut again = siege.eve().await;
    eventually("the promise ends", async || again.space().await.expect("told").reserved == 0).await;
    assert!(fault(again.stat("up").await).is_ok(), "nothing has the name");
    let mut lane = again.lane().await.expect("a lane");
    let sent = lane.put("up", &bytes, Expect::Absent).await.expect("stored");
    assert!(sent.held >= 8 * BLOCK as u64, "what had arrived is held: {sent:?}");
    drop((eve, up, down, again, lane));
    siege.ends_clean("a goodbye").await;
}

#[tokio::test]
async fn claimed_lengths_cost_nothing_before_login() {
    let siege = Siege::open().await;
    let long =
        |len: u64| [0u32.to_le_bytes().as_slice(), &[1, 0, 1, 0], &[0; 8], &len.to_le_bytes(), b"agent"].concat();
    let before = siege.daemon.peak().expect("weighed");
    for len in [6, 4096, 1 << 32, u64::MAX] {
        let mut line = Line::open(siege.daemon.address).await.expect("connected");
        line.raw(&frame(1, &long(len))).await.expect("said");
        line.ended::<ToGuest>().await.expect("dropped");
    }
    for agent in ["x".repeat(4000), "x".repeat(4100)] {
        let hello = FromGuest::Hello { versions: VERSIONS, capabilities: u64::MAX, agent };
        let mut line = Line::open(siege.daemon.address).await.expect("connected");
        let _ = line.say(&hello).await;
        let _ = line.say(&FromGuest::Login { user: "x".repeat(3000), password: Secret("y".repeat(1025)) }).await;
        while let Ok(Some(Heard::Message(heard))) = line.hear::<ToGuest>().await {
            let taken = [Code::Login, Code::Throttled, Code::Protocol];
            assert!(
                matches!(&heard, ToGuest::Hello { .. } | ToGuest::Challenge(_))
                    || matches!(&heard, ToGuest::Refused(fault) if taken.contains(&fault.code)),
                "{heard:?}"
            );
        }
    }
    assert!(siege.daemon.peak().expect("weighed") - before < 32 << 20);
    siege.ends_clean("claimed lengths").await;
}

/// Everything at once that takes memory, on all connections there may be.
#[tokio::test]
async fn memory_stays_below_what_the_limits_promise() {
    let few = "max_connections = 14\nrequests = 16\ntransfer_memory = \"32MiB\"";
    let limits = LIMITS.replace("max_connections = 48", few);
    let mut siege = Siege::with(&limits).await;
    for number in 0..200 {
        std::fs::write(siege.daemon.home("eve").join(format!("{number}")), content("small", 32 << 10))
            .expect("written");
    }
    std::fs::write(siege.daemon.home("eve").join("big"), content("big", 64 * BLOCK)).expect("written");
    let (mut eve, mut other) = (siege.eve().await, siege.eve().await);
    let (mut lanes, payload) = (JoinSet::new(), content("payload", BLOCK));
    let cv = chaining_value(BLOCK as u64, 0, &payload);
    for session in [&eve, &other] {
        for number in 0..4u64 {
            let (mut lane, payload) = (session.lane().await.expect("a lane"), payload.clone());
            lanes.spawn(async move {
                // Nobody reads here; whatever is not taken any more is enough.
                let saying = async {
                    for transfer in 0..20_000u64 {
                        let path = format!("{number}/{}", "p".repeat(250));
                        match number {
                            // Small files that are never sealed.
                            0 => {
                                lane.line.say(&put(transfer, &path, BLOCK as u64, true)).await?;
                                lane.line.block(transfer, 0, cv, &payload).await?;
                            }
                            // Files that are asked for, and pages about none of them.
                            1 => {
                                let path =
                                    raw(if transfer % 8 == 0 { "big".into() } else { (transfer % 200).to_string() });
                                lane.line.say(&Said::Get { transfer, path, eager: transfer % 8 != 0 }).await?;
                                let cvs = vec![Some(cv); HELD_PAGE];
                                lane.line.say(&Said::Held { transfer, first: 0, cvs, last: false }).await?;
                            }
                            // Empty files without end.
                            2 => {
                                lane.line.say(&put(transfer, &format!("{path}/{transfer}"), 0, true)).await?;
                                let root = root_of(b"");
                                lane.line.say(&Said::Seal { transfer, root }).await?;
                            }
                            // Large ones that are begun.
                            _ => lane.line.say(&put(transfer, &format!("{path}-{transfer}"), 1 << 40, false)).await?,
                        }
                    }
                    anyhow::Ok(())
                };
                let _ = tokio::time::timeout(Duration::from_secs(8), saying).await;
            });
        }
    }
    let finds = (0..64).map(|id| FromClient::Request { id, op: Op::Find { path: raw(""), pattern: "?".repeat(1024) } });
    let walks = (64..128).map(|id| FromClient::Request { id, op: Op::Walk { path: raw("") } });
    eve.line.raw(&frames(finds.chain(walks))).await.expect("said");
    let hashes = (0..64).map(|id| FromClient::Request { id, op: Op::Hash { path: raw("big") } });
    other.line.raw(&frames(hashes)).await.expect("said");
    siege.is_calm("everything at once").await;
    lanes.join_all().await;
    drop((eve, other));
    siege.ends_clean("everything at once").await;
}

#[tokio::test]
async fn passwords_are_guessed_no_faster_than_one_after_another() {
    let mut siege = Siege::open().await;
    let mut guesses = JoinSet::new();
    for _ in 0..15 {
        let address = siege.daemon.address;
        guesses.spawn(async move { fault(Session::login(address, "ada", "guess").await) });
    }
    siege.is_calm("guesses").await;
    for guess in guesses.join_all().await {
        let Ok(fault) = guess else { continue };
        assert!(matches!(fault.code, Code::Login | Code::Busy | Code::Throttled | Code::Timeout), "{fault:?}");
    }
    let address = siege.daemon.address;
    eventually("the right password is taken again", async || Session::login(address, "ada", PASSWORD).await.is_ok())
        .await;
    siege.ends_clean("guesses").await;
}
