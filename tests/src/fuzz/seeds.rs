//! What a search begins with: messages of every kind, conversations that go well, and some that do not.
#![allow(clippy::expect_used, reason = "a seed that cannot be made must be seen")]

use serde::Serialize;
use wire::block::{BLOCK, chaining_value};
use wire::encoding::encode;
use wire::message::{
    Expect, FromClient, FromGuest, KEY_LOGIN, Lane, Offer, Op, Proof, PublicKey, RawPath, Secret, Signature, Ticket,
    Time, VERSIONS,
};
use wire::{Code, Cv, Fault, Root};

use super::connection::{PASSWORD, TICKET, USER};
use crate::files::root_of;
use crate::line::{frame, frame_head};
use crate::session::raw;

/// An input with its name and its target.
#[derive(Debug)]
pub struct Seed {
    /// Of [`super::TARGETS`].
    pub target: &'static str,
    /// A file name.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

/// All of them.
pub fn seeds() -> Vec<Seed> {
    let mut all = Vec::new();
    let mut add = |target, name: &str, bytes| all.push(Seed { target, name: name.to_owned(), bytes });
    for (name, op) in ops() {
        let request = FromClient::Request { id: 1, op };
        add("messages", &format!("request-{name}"), encode(&request).expect("fits"));
        add("connection", &format!("control-{name}"), said(1, [request]));
    }
    for (name, messages) in lanes() {
        add("messages", &format!("lane-{name}"), encode(messages.last().expect("one")).expect("fits"));
        add("connection", &format!("lane-{name}"), said(2, messages));
    }
    add("connection", "lane-put-small", small());
    add("connection", "lane-put-staged", staged());
    add(
        "connection",
        "lane-put-replaced",
        [said(2, [put(1, "a", 3, false)]), said_block(1, 0, 3, b"xyz"), seal(1, b"xyz")].concat(),
    );
    add(
        "connection",
        "control-many",
        said(1, (0..20).map(|id| FromClient::Request { id, op: Op::Walk { path: raw("") } })),
    );
    let end = [FromClient::Ping, FromClient::Cancel { id: 1 }, FromClient::Goodbye, FromClient::Ping];
    add("connection", "control-end", said(1, end));
    for (name, guest) in guests() {
        let then = frame(1, &encode(&FromClient::Ping).expect("fits"));
        add("connection", &format!("guest-{name}"), [said(0, guest), then].concat());
    }
    add(
        "connection",
        "guest-joins",
        [said(0, [hello(), FromGuest::Join(Ticket(TICKET))]), small().split_off(1)].concat(),
    );
    add("connection", "block-on-control", [vec![1], frame(2, &[0; 60])].concat());
    for (name, len) in [("longest", u32::MAX), ("block", (48 + BLOCK) as u32)] {
        add("connection", &format!("head-{name}"), [vec![2], frame_head(2, len)].concat());
    }
    for (number, text) in PATTERNS.iter().enumerate() {
        add("patterns", &format!("pattern-{number:02}"), text.as_bytes().to_vec());
    }
    add("patterns", "pattern-long", [b"*".repeat(1024), b"\nname".to_vec()].concat());
    add("patterns", "pattern-deep", [b"{".repeat(300), b"a".to_vec(), b"}".repeat(300), b"*\na".to_vec()].concat());
    all
}

/// Patterns, each with a name.
const PATTERNS: [&str; 14] = [
    "*.txt\na.txt",
    "note\nmy Notes",
    "Note\nnote",
    "äöü\nx ÄÖÜ",
    "a?c\nabc",
    "[ab]*\nb1",
    "[!a-z]*\nZ",
    "*.{c,h}\nx.h",
    "{a,{b,c}}*\nc",
    "a\\b\na\\b",
    "[\nx",
    "**/x\na/x",
    "a]b\na]b",
    "[]-a]*\n]",
];

fn said<T: Serialize>(kind: u8, messages: impl IntoIterator<Item = T>) -> Vec<u8> {
    let frames = messages.into_iter().flat_map(|message| frame(1, &encode(&message).expect("fits")));
    std::iter::once(kind).chain(frames).collect()
}

fn said_block(transfer: u64, index: u64, size: u64, payload: &[u8]) -> Vec<u8> {
    let cv = chaining_value(size, index, payload);
    frame(2, &[&transfer.to_le_bytes(), &index.to_le_bytes(), cv.0.as_slice(), payload].concat())
}

fn seal(transfer: u64, content: &[u8]) -> Vec<u8> {
    frame(1, &encode(&Lane::Seal { transfer, root: root_of(content) }).expect("fits"))
}

fn put(transfer: u64, path: &str, size: u64, eager: bool) -> Lane {
    let offer = Offer { size, mtime: Time { secs: 1, nanos: 2 }, executable: false, eager };
    Lane::Put { transfer, path: raw(path), offer, expect: Expect::Any }
}

/// Two small files, one of them twice, and an empty one.
fn small() -> Vec<u8> {
    let mut all = vec![2];
    for (transfer, path, content) in
        [(1, "n/s", b"small".as_slice()), (2, "t", b"tiny"), (3, "n/s", b"again"), (4, "v", b"")]
    {
        all.extend(said(0, [put(transfer, path, content.len() as u64, true)]).split_off(1));
        if !content.is_empty() {
            all.extend(said_block(transfer, 0, content.len() as u64, content));
        }
        all.extend(seal(transfer, content));
    }
    all
}

/// A file through staging, first the wrong bytes, then the right ones, and once more over itself.
fn staged() -> Vec<u8> {
    let content = b"in staging";
    let mut all = said(2, [put(1, "st", 10, false)]);
    all.extend(frame(2, &[&1u64.to_le_bytes(), &0u64.to_le_bytes(), [9; 32].as_slice(), content].concat()));
    for transfer in [2, 3] {
        all.extend(said(0, [put(transfer, "st", 10, false)]).split_off(1));
        all.extend(said_block(transfer, 0, 10, content));
        all.extend(seal(transfer, content));
    }
    all
}

fn hello() -> FromGuest {
    FromGuest::Hello { versions: VERSIONS, capabilities: 0, agent: "fuzz/1".into() }
}

fn hello_for_keys() -> FromGuest {
    FromGuest::Hello { versions: VERSIONS, capabilities: KEY_LOGIN, agent: "fuzz/1".into() }
}

/// Nobody's keys.
fn keys(count: usize) -> FromGuest {
    let proof = Proof { key: PublicKey([1; 32]), signature: Signature([[2; 32]; 2]) };
    FromGuest::Prove { user: USER.into(), proofs: vec![proof; count] }
}

fn guests() -> Vec<(&'static str, Vec<FromGuest>)> {
    let login = |password: &str| FromGuest::Login { user: USER.into(), password: Secret(password.into()) };
    vec![
        ("login", vec![hello(), login(PASSWORD)]),
        ("wrong", vec![hello(), login("wrong")]),
        ("rejoin", vec![hello(), FromGuest::Rejoin(Ticket(TICKET))]),
        ("unknown", vec![hello(), FromGuest::Join(Ticket([7; 32]))]),
        ("rude", vec![login(PASSWORD)]),
        ("twice", vec![hello(), hello()]),
        ("keys", vec![hello_for_keys(), keys(2)]),
        ("keys-none", vec![hello_for_keys(), keys(0)]),
        ("keys-many", vec![hello_for_keys(), keys(17)]),
        ("keys-unasked", vec![hello(), keys(1)]),
        ("keys-then-password", vec![hello_for_keys(), login(PASSWORD)]),
    ]
}

fn ops() -> Vec<(&'static str, Op)> {
    let path = |text: &str| raw(text);
    vec![
        ("list", Op::List { path: path("d") }),
        ("walk", Op::Walk { path: path("") }),
        ("stat", Op::Stat { path: path("a") }),
        ("mkdir", Op::Mkdir { path: path("x/y/z"), parents: true }),
        ("create", Op::Create { path: path("new") }),
        ("remove", Op::Remove { path: path("d"), recursive: true }),
        ("rename", Op::Rename { from: path("a"), to: path("d/b"), replace: false }),
        ("rename-below", Op::Rename { from: path("d"), to: path("d/e/f"), replace: true }),
        ("copy", Op::Copy { from: path("d"), to: path("copy"), replace: true }),
        ("copy-file", Op::Copy { from: path("a"), to: path("b"), replace: false }),
        ("usage", Op::Usage),
        ("read", Op::Read { path: path("a"), offset: 1, len: 1 << 20 }),
        ("hash", Op::Hash { path: path("big") }),
        ("find", Op::Find { path: path(""), pattern: "*".into() }),
        ("trash-state", Op::TrashState),
        ("trash", Op::Trash { path: path("d") }),
        ("restore", Op::Restore { id: 1 }),
        ("empty-trash", Op::EmptyTrash),
        ("out", Op::List { path: RawPath(b"d/../../..".to_vec()) }),
        ("link", Op::Walk { path: path("out/eve") }),
    ]
}

fn lanes() -> Vec<(&'static str, Vec<Lane>)> {
    let (cv, zero) = (Cv([1; 32]), Root([0; 32]));
    let get = |eager| Lane::Get { transfer: 1, path: raw("big"), eager };
    let fault = Fault::new(Code::Changed, "no");
    vec![
        ("get", vec![get(true)]),
        ("get-small", vec![Lane::Get { transfer: 1, path: raw("a"), eager: true }]),
        ("get-none", vec![Lane::Get { transfer: 1, path: raw("out/a"), eager: true }]),
        ("held", vec![get(false), Lane::Held { transfer: 1, first: 0, cvs: vec![None, Some(cv), None], last: true }]),
        ("abandon", vec![get(true), Lane::Abandon { transfer: 1, keep: true }]),
        ("fault", vec![put(1, "x", 1 << 20, false), Lane::Fault { transfer: 1, fault }]),
        ("fetch", vec![get(true), Lane::Fetch { transfer: 1, index: 1 }]),
        ("kept", vec![get(true), Lane::Kept { transfer: 1, index: 1, cv }]),
        ("assist", vec![put(1, "x", 2 << 20, false), Lane::Assist { transfer: 1 }]),
        ("seal", vec![put(1, "x", 2 << 20, false), Lane::Seal { transfer: 1, root: zero }]),
        ("stored", vec![get(true), Lane::Stored { transfer: 1, root: zero }]),
        ("put-huge", vec![put(1, "x", u64::MAX, false)]),
        ("put-throw", vec![put(1, "x", 2 << 20, false), Lane::Abandon { transfer: 1, keep: false }]),
    ]
}
