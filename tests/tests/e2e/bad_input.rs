//! Nothing that a client says, or leaves unsaid, hurts anybody but that client: it is answered or
//! dropped, and others do not notice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tests::files::content;
use tests::host::Host;
use tests::line::{Heard, Line, PATIENCE, frame, frame_head};
use tests::session::{Lane, MTIME, Session, fault, greeted, raw};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use wire::block::BLOCK;
use wire::encoding::encode;
use wire::frame::{BLOCK_HEADER, MAX_CONTROL, MAX_GUEST};
use wire::message::{
    Expect, FromClient, FromGuest, FromServer, Lane as Said, Offer, Op, Secret, Ticket, ToGuest, VERSIONS,
};
use wire::{Code, Cv, Root};

/// A server with short patience, and a user who only wants to work.
struct Harbour {
    host: Host,
    witness: Arc<Mutex<Session>>,
    lane: Lane,
    written: u32,
    _awake: JoinSet<()>,
}

impl Harbour {
    async fn open() -> Self {
        let host = Host::with(|config| {
            config.limits.login_seconds = 2;
            config.limits.stall_seconds = 2;
            config.limits.idle_seconds = 2;
        });
        let host = host.await.expect("a server");
        host.add_user("ada", None).await.expect("a user");
        host.add_user("eve", None).await.expect("a user");
        let witness = host.login("ada").await.expect("logged in");
        let lane = witness.lane().await.expect("a lane");
        let witness = Arc::new(Mutex::new(witness));
        let mut awake = JoinSet::new();
        awake.spawn(stay(Arc::clone(&witness)));
        Self { host, witness, lane, written: 0, _awake: awake }
    }

    /// The user works on, unharmed.
    async fn is_calm(&mut self, after: &str) {
        self.witness.lock().await.ping().await.expect(after);
        self.written += 1;
        let name = format!("file-{}", self.written);
        self.lane.put(&name, after.as_bytes(), Expect::Absent).await.expect(after);
        assert_eq!(self.lane.get(&name, b"").await.expect(after).content, after.as_bytes());
    }

    async fn eve(&self) -> Session {
        self.host.login("eve").await.expect("logged in")
    }
}

/// Says something often enough to be kept.
async fn stay(session: Arc<Mutex<Session>>) {
    while session.lock().await.ping().await.is_ok() {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The server answers with a refusal or with nothing, and ends the connection.
async fn is_shown_out(mut line: Line, what: &str) {
    while let Ok(Some(heard)) = line.hear::<ToGuest>().await {
        assert!(matches!(heard, Heard::Message(ToGuest::Refused(_))), "{heard:?} after {what}");
    }
    line.ended::<ToGuest>().await.expect(what);
}

/// Bytes that are nothing anybody should say.
fn nonsense() -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> =
        (0..12).map(|seed| (format!("random bytes {seed}"), content(&seed.to_string(), 1 << seed))).collect();
    let page = |kind| frame(kind, &[0xff; 100]);
    all.extend([
        ("an unknown kind".to_owned(), page(9)),
        ("kind nought".into(), page(0)),
        ("an empty message".into(), frame(1, b"")),
        ("no such variant".into(), frame(1, &99u32.to_le_bytes())),
        ("the longest length".into(), frame_head(1, u32::MAX)),
        ("a block of the longest length".into(), frame_head(2, u32::MAX)),
        ("one byte over a control frame".into(), frame_head(1, MAX_CONTROL as u32 + 1)),
        ("one byte over a block".into(), frame_head(2, (BLOCK_HEADER + BLOCK) as u32 + 1)),
        ("a block without payload".into(), frame(2, &[0; BLOCK_HEADER])),
        (
            "a message with bytes behind it".into(),
            frame(1, &[encode(&FromClient::Ping).expect("fits"), vec![0]].concat()),
        ),
        ("HTTP".into(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("SSH".into(), b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()),
    ]);
    all
}

#[tokio::test]
async fn bytes_that_are_not_tls_are_dropped() {
    let mut harbour = Harbour::open().await;
    for (what, bytes) in nonsense() {
        let mut stream = TcpStream::connect(harbour.host.address).await.expect("connected");
        // The server may have had enough before all of it is written.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect(&what);
        assert!(answer.len() < 1024, "{what}: {} bytes in answer", answer.len());
    }
    harbour.is_calm("not TLS").await;
}

#[tokio::test]
async fn nonsense_ends_the_connection_at_every_stage() {
    let mut harbour = Harbour::open().await;
    for (what, bytes) in nonsense() {
        let mut line = Line::open(harbour.host.address).await.expect("connected");
        let _ = line.raw(&bytes).await;
        line.ended::<ToGuest>().await.expect(&what);

        let mut line = greeted(harbour.host.address).await.expect("greeted");
        let _ = line.raw(&bytes).await;
        line.ended::<ToGuest>().await.expect(&what);

        let mut eve = harbour.eve().await;
        let mut lane = eve.lane().await.expect("a lane");
        let _ = lane.line.raw(&bytes).await;
        // Random bytes may claim a frame that never ends: a lane with nothing under way may wait for it.
        if !what.starts_with("random") && what != "SSH" && what != "HTTP" {
            lane.ended().await.expect(&what);
        }
        let _ = eve.line.raw(&bytes).await;
        eve.ended().await.expect(&what);
    }
    harbour.is_calm("nonsense").await;
}

#[tokio::test]
async fn before_login_only_small_frames_are_taken() {
    // Long patience, so that an end that comes soon is no timeout.
    let host = Host::with(|config| config.limits.login_seconds = 60).await.expect("a server");
    for kind in [1, 2] {
        let mut line = greeted(host.address).await.expect("greeted");
        line.raw(&frame_head(kind, MAX_GUEST as u32 + 1)).await.expect("said");
        let start = Instant::now();
        line.ended::<ToGuest>().await.expect("dropped");
        assert!(start.elapsed() < Duration::from_secs(20), "it waited for the rest");
    }
}

#[tokio::test]
async fn truncated_frames_and_sudden_ends_are_nothing_special() {
    let mut harbour = Harbour::open().await;
    let hello =
        frame(1, &encode(&FromGuest::Hello { versions: VERSIONS, capabilities: 0, agent: "x".into() }).expect("fits"));
    for end in 0..hello.len() {
        let mut line = Line::open(harbour.host.address).await.expect("connected");
        line.raw(&hello[..end]).await.expect("said");
        drop(line);
    }
    let block = frame(2, &[0; BLOCK_HEADER + 500]);
    for end in [1, 4, 5, 20, 53, 60, 552] {
        let mut lane = harbour.eve().await.lane().await.expect("a lane");
        let bytes = content("x", 2 * BLOCK);
        lane.begin_put("x", &bytes, Expect::Any).await.expect("accepted");
        lane.line.raw(&block[..end]).await.expect("said");
        drop(lane);
    }
    harbour.is_calm("truncated frames").await;
}

#[tokio::test]
async fn messages_out_of_order_are_refused() {
    let mut harbour = Harbour::open().await;
    let login = || FromGuest::Login { user: "eve".into(), password: Secret("x".into()) };
    let hello = || FromGuest::Hello { versions: VERSIONS, capabilities: 0, agent: "x".into() };
    // Before a greeting, and a second greeting.
    for message in [login(), FromGuest::Join(Ticket([0; 32])), FromGuest::Rejoin(Ticket([0; 32]))] {
        let mut line = Line::open(harbour.host.address).await.expect("connected");
        line.say(&message).await.expect("said");
        is_shown_out(line, &format!("{message:?} before a greeting")).await;
    }
    let mut line = greeted(harbour.host.address).await.expect("greeted");
    line.say(&hello()).await.expect("said");
    is_shown_out(line, "a second greeting").await;
    // A login where one has happened: it is read as something else, or as nothing.
    let mut eve = harbour.eve().await;
    eve.line.say(&login()).await.expect("said");
    eve.line.raw(&frame(2, &[0; 100])).await.expect("said");
    eve.ended().await.expect("a block on a control connection ends it");
    harbour.is_calm("wrong order").await;
}

#[tokio::test]
async fn lane_messages_that_make_no_sense_end_a_transfer_or_a_lane() {
    let mut harbour = Harbour::open().await;
    let offer = |size, eager| Offer { size, mtime: MTIME, executable: false, eager };
    let put =
        |transfer, size, eager| Said::Put { transfer, path: raw("x"), offer: offer(size, eager), expect: Expect::Any };
    let held = |transfer, first, len, last| Said::Held { transfer, first, cvs: vec![None; len], last };
    let seal = |transfer| Said::Seal { transfer, root: Root([0; 32]) };
    let table: Vec<(&str, Vec<Said>)> = vec![
        ("a seal of nothing", vec![seal(5)]),
        ("held blocks of nothing", vec![held(5, 0, 1, true)]),
        ("held blocks for an upload", vec![put(1, 4 << 20, false), held(1, 0, 1, true)]),
        ("stored, says a client", vec![put(1, 4 << 20, false), Said::Stored { transfer: 1, root: Root([0; 32]) }]),
        ("an offer by a client", vec![Said::Offer { transfer: 1, offer: offer(1, true) }]),
        ("the same number twice", vec![put(1, 4 << 20, false), put(1, 4 << 20, false)]),
        ("an upload of all bytes there are", vec![put(1, u64::MAX, false), seal(1)]),
        ("and eagerly", vec![put(2, u64::MAX, true), seal(2)]),
        ("and nearly so", vec![put(3, i64::MAX as u64, true), seal(3)]),
        ("an abandoned nothing", vec![Said::Abandon { transfer: 9, keep: false }]),
        ("a fault of nothing", vec![Said::Fault { transfer: 9, fault: wire::Fault::new(Code::Io, "x") }]),
        ("held pages with gaps", vec![Said::Get { transfer: 1, path: raw("big"), eager: false }, held(1, 7, 3, true)]),
        (
            "more held than there is",
            vec![Said::Get { transfer: 1, path: raw("big"), eager: false }, held(1, 0, 1000, true)],
        ),
        (
            "a download twice",
            vec![
                Said::Get { transfer: 1, path: raw("big"), eager: false },
                Said::Get { transfer: 1, path: raw("big"), eager: false },
            ],
        ),
    ];
    let mut eve = harbour.eve().await;
    eve.lane().await.expect("a lane").put("big", &content("big", 3 * BLOCK), Expect::Absent).await.expect("stored");
    for (what, messages) in table {
        let mut lane = eve.lane().await.expect("a lane");
        for message in &messages {
            let _ = lane.line.say(message).await;
        }
        let _ = lane.line.block(77, 0, Cv([0; 32]), b"a block of nothing").await;
        // Whether the lane was ended is the server's choice; that it has not hung is ours.
        let _ = tokio::time::timeout(Duration::from_millis(100), lane.ended()).await;
        drop(lane);
        eve.ping().await.expect(what);
        harbour.is_calm(what).await;
    }
    let usage = eve.space().await.expect("told");
    assert_eq!((usage.used, usage.files), (3 * BLOCK as u64, 1));
}

#[tokio::test]
async fn a_flood_of_blocks_that_belong_to_nothing_ends_the_lane() {
    let mut harbour = Harbour::open().await;
    let mut lane = harbour.eve().await.lane().await.expect("a lane");
    let flood = async { while lane.line.block(1, 0, Cv([0; 32]), &[0; 4096]).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, flood).await.expect("the lane ends");
    harbour.is_calm("a flood").await;
}

#[tokio::test]
async fn who_says_nothing_is_dropped_in_time() {
    let mut harbour = Harbour::open().await;
    let server = harbour.host.address;
    let start = Instant::now();
    let mut silent = TcpStream::connect(server).await.expect("connected");
    let mut unborn = Line::open(server).await.expect("connected");
    let mut polite = greeted(server).await.expect("greeted");
    // A byte now and then is no progress towards a login.
    let mut dripping = Line::open(server).await.expect("connected");
    let mut idle = harbour.eve().await;
    let mut stuck = idle.lane().await.expect("a lane");
    let bytes = content("x", 3 * BLOCK);
    stuck.begin_put("x", &bytes, Expect::Absent).await.expect("accepted");
    let drip = async {
        for byte in frame_head(1, 100).into_iter().chain([0; 90]) {
            if dripping.raw(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("a dripping guest was let drip");
    };
    let mut buffer = [0; 1];
    let all = async {
        let witness = async {
            while start.elapsed() < Duration::from_secs(5) {
                harbour.is_calm("silence").await;
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        };
        let silent = async { assert_eq!(silent.read(&mut buffer).await.unwrap_or(0), 0) };
        let unborn = async { unborn.ended::<ToGuest>().await.expect("a guest without a greeting is dropped") };
        let polite = async { polite.ended::<ToGuest>().await.expect("a guest without a login is dropped") };
        let idle = async { idle.ended().await.expect("a session without a byte is dropped") };
        let stuck = async { stuck.ended().await.expect("a lane without progress is dropped") };
        tokio::join!(witness, silent, unborn, polite, idle, stuck, drip)
    };
    tokio::time::timeout(Duration::from_secs(30), all).await.expect("all of them are dropped");
}

#[tokio::test]
async fn who_does_not_read_is_dropped_and_holds_up_nobody() {
    let mut harbour = Harbour::open().await;
    let home = harbour.host.home("eve");
    for number in 0..3000 {
        std::fs::write(home.join(format!("{number}-{}", "n".repeat(200))), b"").expect("written");
    }
    let big = content("big", 24 * BLOCK);
    std::fs::write(home.join("big"), &big).expect("written");
    let mut deaf = harbour.eve().await;
    let mut lane = deaf.lane().await.expect("a lane");
    for transfer in 1..=4 {
        lane.line.say(&Said::Get { transfer, path: raw("big"), eager: true }).await.expect("said");
    }
    let asking = async {
        // Until the server has had enough of it.
        for id in 0..1_000_000 {
            let list = FromClient::Request { id, op: Op::List { path: raw("") } };
            if deaf.line.say(&list).await.is_err() {
                return;
            }
        }
    };
    let dropped = async {
        // It says something harmless now and then, until that fails: nothing may be read to find out.
        while lane.line.say(&Said::Abandon { transfer: 99, keep: true }).await.is_ok() {
            harbour.is_calm("deafness").await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, async { tokio::join!(asking, dropped) }).await.expect("the deaf one is dropped");
    lane.ended().await.expect("what is in the pipes is read, then it ends");
    deaf.line.ended::<FromServer>().await.expect("likewise");
}

#[tokio::test]
async fn too_many_requests_at_once_are_refused_one_by_one() {
    let mut harbour = Harbour::open().await;
    let mut eve = harbour.eve().await;
    let mut ids = Vec::new();
    for _ in 0..500 {
        ids.push(eve.ask(Op::Usage).await.expect("said"));
    }
    let (mut answered, mut busy) = (0, 0);
    for _ in &ids {
        loop {
            match eve.line.message::<FromServer>().await.expect("an answer") {
                FromServer::Answer { answer: wire::message::Answer::Usage(_), .. } => break answered += 1,
                FromServer::Answer { answer: wire::message::Answer::Fault(fault), .. } => {
                    assert_eq!(fault.code, Code::Busy);
                    break busy += 1;
                }
                FromServer::Notice(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(answered >= 64 && answered + busy == 500, "{answered} answered, {busy} refused");
    eve.ping().await.expect("and it goes on");
    harbour.is_calm("too many requests").await;
}

#[tokio::test]
async fn guests_are_limited_in_number() {
    let host = Host::with(|config| {
        config.limits.guests = 4;
        config.limits.login_seconds = 2;
    });
    let host = host.await.expect("a server");
    host.add_user("ada", None).await.expect("a user");
    let mut witness = host.login("ada").await.expect("logged in");
    let mut guests = Vec::new();
    for _ in 0..20 {
        guests.push(TcpStream::connect(host.address).await.expect("connected"));
    }
    witness.ping().await.expect("those who are in stay in");
    let start = Instant::now();
    // The silent ones are dropped after two seconds, and their places are free again.
    loop {
        match tokio::time::timeout(PATIENCE, host.login("ada")).await.expect("an answer of some kind") {
            Ok(_) => break,
            Err(_) => assert!(start.elapsed() < Duration::from_secs(20), "nobody gets in any more"),
        }
    }
}

#[tokio::test]
async fn a_cancelled_listing_ends_and_says_so() {
    let mut harbour = Harbour::open().await;
    let home = harbour.host.home("eve");
    for number in 0..20_000 {
        std::fs::write(home.join(format!("{number}-{}", "n".repeat(100))), b"").expect("written");
    }
    let mut eve = harbour.eve().await;
    let id = eve.ask(Op::Walk { path: raw("") }).await.expect("said");
    eve.line.say(&FromClient::Cancel { id }).await.expect("said");
    let refused = async {
        loop {
            match eve.answer(id).await {
                Ok(wire::message::Answer::Page { last: false, .. }) => {}
                other => break other,
            }
        }
    };
    assert_eq!(fault(refused.await).expect("cancelled").code, Code::Cancelled);
    eve.line.say(&FromClient::Cancel { id: 999 }).await.expect("said");
    eve.ping().await.expect("a cancel of nothing is nothing");
    harbour.is_calm("a cancelled listing").await;
}
