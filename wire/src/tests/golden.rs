//! Golden bytes of every variant of every enum that travels. A variant that is not listed does not
//! compile here; one that is listed without a sample fails; one whose bytes moved shows in the table.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::block::{Cv, Root};
use crate::encoding::encode;
use crate::fault::{Code, Detail, Fault};
use crate::message::*;

/// Lists the variants of an enum twice over: as names that must have a sample, and as a match that
/// the compiler keeps complete.
macro_rules! variants {
    ($kind:ident: $($variant:ident)*) => {
        impl Golden for $kind {
            const VARIANTS: &'static [&'static str] = &[$(stringify!($variant)),*];
            fn variant(&self) -> &'static str {
                match self { $(Self::$variant { .. } => stringify!($variant)),* }
            }
        }
    };
}

trait Golden: Serialize {
    const VARIANTS: &'static [&'static str];
    fn variant(&self) -> &'static str;
}

variants!(FromGuest: Hello Login Rejoin Join Prove);
variants!(ToGuest: Hello Welcome Joined Refused Challenge);
variants!(FromClient: Request Cancel Ping Goodbye);
variants!(Op: List Walk Stat Mkdir Create Remove Rename Copy Usage Read Hash Find TrashState Trash Restore EmptyTrash);
variants!(FromServer: Answer Notice Pong);
variants!(Answer: Page Entry Usage Done Fault Piece Trash Trashed Restored);
variants!(Notice: Usage Changed Draining);
variants!(Kind: File Directory Link Other);
variants!(Expect: Absent Any Same);
variants!(Lane: Put Get Offer Held Seal Stored Fault Abandon Assist Fetch Kept);
variants!(Detail: None Shortfall Existing RetryAfter);
variants!(Code: Protocol Version Login Ticket Busy NotFound Exists NotDirectory IsDirectory NotEmpty BadPath Denied Quota
    FileQuota NoSpace Io Changed Damaged Superseded Cancelled Draining Timeout Unsupported Internal NoTrash
    BadPattern Throttled);

#[test]
fn every_variant_keeps_its_bytes() {
    let mut table = String::new();
    rows(&mut table, "FromGuest", &from_guest());
    rows(&mut table, "ToGuest", &to_guest());
    rows(&mut table, "FromClient", &from_client());
    rows(&mut table, "Op", &ops());
    rows(&mut table, "FromServer", &from_server());
    rows(&mut table, "Answer", &answers());
    rows(&mut table, "Notice", &[Notice::Usage(USAGE), Notice::Changed(path("a/b")), Notice::Draining]);
    rows(&mut table, "Kind", &[Kind::File, Kind::Directory, Kind::Link, Kind::Other]);
    rows(&mut table, "Expect", &[Expect::Absent, Expect::Any, Expect::Same { size: 5, mtime: TIME }]);
    rows(&mut table, "Lane", &lane());
    rows(&mut table, "Detail", &details());
    rows(&mut table, "Code", &CODES);
    insta::assert_snapshot!(table);
}

#[test]
fn the_words_of_codes_are_unlike() {
    let words: BTreeSet<&str> = CODES.iter().map(|code| code.name()).collect();
    assert_eq!(words.len(), Code::VARIANTS.len());
}

/// Adds a line for each sample, and fails for a variant that has none.
fn rows<T: Golden>(table: &mut String, kind: &str, samples: &[T]) {
    let have: BTreeSet<&str> = samples.iter().map(T::variant).collect();
    let want: BTreeSet<&str> = T::VARIANTS.iter().copied().collect();
    assert_eq!(have, want, "samples of {kind}");
    for sample in samples {
        let bytes = encode(sample).expect("a sample fits into a frame");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        table.push_str(&format!("{kind}::{} {hex}\n", sample.variant()));
    }
}

const TIME: Time = Time { secs: -2, nanos: 999_999_999 };
const ROOT: Root = Root([0xab; 32]);
const USAGE: Usage = Usage { quota: Some(1 << 40), used: 3, reserved: 2, files: 1, max_files: None };
const PROOF: Proof = Proof { key: PublicKey([7; 32]), signature: Signature([[8; 32], [9; 32]]) };
const OFFER: Offer = Offer { size: 0x0102_0304_0506_0708, mtime: TIME, executable: true, eager: false };
const CODES: [Code; 27] = [
    Code::Protocol,
    Code::Version,
    Code::Login,
    Code::Ticket,
    Code::Busy,
    Code::NotFound,
    Code::Exists,
    Code::NotDirectory,
    Code::IsDirectory,
    Code::NotEmpty,
    Code::BadPath,
    Code::Denied,
    Code::Quota,
    Code::FileQuota,
    Code::NoSpace,
    Code::Io,
    Code::Changed,
    Code::Damaged,
    Code::Superseded,
    Code::Cancelled,
    Code::Draining,
    Code::Timeout,
    Code::Unsupported,
    Code::Internal,
    Code::NoTrash,
    Code::BadPattern,
    Code::Throttled,
];

fn path(text: &str) -> RawPath {
    RawPath(text.as_bytes().to_vec())
}

fn fault() -> Fault {
    Fault::new(Code::NotFound, "no").with(Detail::Shortfall(7))
}

fn entry() -> Entry {
    Entry {
        name: RawPath(vec![0xff, b'a']),
        kind: Kind::File,
        size: 9,
        mtime: TIME,
        executable: true,
        root: Some(ROOT),
    }
}

fn from_guest() -> Vec<FromGuest> {
    vec![
        FromGuest::Hello { versions: VERSIONS, capabilities: 0x8000_0000_0000_0001, agent: "t/1".into() },
        FromGuest::Login { user: "ada".into(), password: Secret("pw".into()) },
        FromGuest::Rejoin(Ticket([1; 32])),
        FromGuest::Join(Ticket([2; 32])),
        FromGuest::Prove { user: "ada".into(), proofs: vec![PROOF] },
    ]
}

fn to_guest() -> Vec<ToGuest> {
    vec![
        ToGuest::Hello { version: 1, capabilities: 0, agent: "s/1".into() },
        ToGuest::Welcome { ticket: Ticket([3; 32]), lanes: 8, usage: USAGE },
        ToGuest::Joined,
        ToGuest::Refused(fault()),
        ToGuest::Challenge(Challenge([6; 32])),
    ]
}

fn from_client() -> Vec<FromClient> {
    vec![
        FromClient::Request { id: 0x0102_0304, op: Op::Usage },
        FromClient::Cancel { id: 7 },
        FromClient::Ping,
        FromClient::Goodbye,
    ]
}

fn ops() -> Vec<Op> {
    vec![
        Op::List { path: path("") },
        Op::Walk { path: path("a") },
        Op::Stat { path: path("a") },
        Op::Mkdir { path: path("a"), parents: true },
        Op::Create { path: path("a") },
        Op::Remove { path: path("a"), recursive: true },
        Op::Rename { from: path("a"), to: path("b"), replace: false },
        Op::Copy { from: path("a"), to: path("b"), replace: true },
        Op::Usage,
        Op::Read { path: path("a"), offset: 0x0102_0304_0506_0708, len: 49_152 },
        Op::Hash { path: path("a") },
        Op::Find { path: path("a"), pattern: "*.txt".into() },
        Op::TrashState,
        Op::Trash { path: path("a") },
        Op::Restore { id: 0x0102_0304_0506_0708 },
        Op::EmptyTrash,
    ]
}

fn from_server() -> Vec<FromServer> {
    vec![FromServer::Answer { id: 7, answer: Answer::Done }, FromServer::Notice(Notice::Draining), FromServer::Pong]
}

fn answers() -> Vec<Answer> {
    vec![
        Answer::Page { entries: vec![entry(), Entry { root: None, ..entry() }], last: true },
        Answer::Entry(Entry { kind: Kind::Directory, executable: false, root: None, ..entry() }),
        Answer::Usage(USAGE),
        Answer::Done,
        Answer::Fault(fault()),
        Answer::Piece { size: 9, mtime: TIME, bytes: vec![0, 0xff] },
        Answer::Trash { days: Some(30), items: 2, bytes: 1 << 40 },
        Answer::Trash { days: None, items: 0, bytes: 0 },
        Answer::Trashed { id: 0x0102_0304_0506_0708 },
        Answer::Restored { path: path("a/b") },
    ]
}

fn lane() -> Vec<Lane> {
    vec![
        Lane::Put { transfer: 1, path: path("a"), offer: OFFER, expect: Expect::Absent },
        Lane::Get { transfer: 2, path: path("a"), eager: true },
        Lane::Offer { transfer: 2, offer: OFFER },
        Lane::Held { transfer: 1, first: 1024, cvs: vec![None, Some(Cv([4; 32]))], last: false },
        Lane::Seal { transfer: 1, root: ROOT },
        Lane::Stored { transfer: 1, root: ROOT },
        Lane::Fault { transfer: 2, fault: fault() },
        Lane::Abandon { transfer: 2, keep: true },
        Lane::Assist { transfer: 1 },
        Lane::Fetch { transfer: 2, index: 0x0102_0304_0506_0708 },
        Lane::Kept { transfer: 2, index: 9, cv: Cv([5; 32]) },
    ]
}

fn details() -> Vec<Detail> {
    vec![
        Detail::None,
        Detail::Shortfall(u64::MAX),
        Detail::Existing { size: 1, mtime: TIME, root: Some(ROOT) },
        Detail::RetryAfter(30),
    ]
}
