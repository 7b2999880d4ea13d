//! Any message of any kind, for the property tests.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::block::{Cv, Root};
use crate::fault::{Code, Detail, Fault};
use crate::message::*;

const CODES: &[Code] = &[Code::Protocol, Code::Exists, Code::Quota, Code::Busy, Code::Changed, Code::Internal];

pub(super) fn from_guest() -> impl Strategy<Value = FromGuest> {
    prop_oneof![
        (any::<(u16, u16)>(), any::<u64>(), ".{0,40}").prop_map(|(versions, capabilities, agent)| FromGuest::Hello {
            versions,
            capabilities,
            agent
        }),
        (".{0,40}", ".{0,40}").prop_map(|(user, password)| FromGuest::Login { user, password: Secret(password) }),
        ticket().prop_map(FromGuest::Rejoin),
        ticket().prop_map(FromGuest::Join),
        (".{0,40}", vec(proof(), 0..=MAX_PROOFS)).prop_map(|(user, proofs)| FromGuest::Prove { user, proofs }),
    ]
}

pub(super) fn to_guest() -> impl Strategy<Value = ToGuest> {
    prop_oneof![
        (any::<u16>(), any::<u64>(), ".{0,40}").prop_map(|(version, capabilities, agent)| ToGuest::Hello {
            version,
            capabilities,
            agent
        }),
        (ticket(), any::<u16>(), usage()).prop_map(|(ticket, lanes, usage)| ToGuest::Welcome { ticket, lanes, usage }),
        Just(ToGuest::Joined),
        fault().prop_map(ToGuest::Refused),
        any::<[u8; 32]>().prop_map(|bytes| ToGuest::Challenge(Challenge(bytes))),
    ]
}

pub(super) fn from_client() -> impl Strategy<Value = FromClient> {
    prop_oneof![
        (any::<u32>(), op()).prop_map(|(id, op)| FromClient::Request { id, op }),
        any::<u32>().prop_map(|id| FromClient::Cancel { id }),
        Just(FromClient::Ping),
        Just(FromClient::Goodbye),
    ]
}

pub(super) fn from_server() -> impl Strategy<Value = FromServer> {
    let answer = prop_oneof![
        (vec(entry(), 0..20), any::<bool>()).prop_map(|(entries, last)| Answer::Page { entries, last }),
        entry().prop_map(Answer::Entry),
        usage().prop_map(Answer::Usage),
        Just(Answer::Done),
        (any::<u64>(), time(), vec(any::<u8>(), 0..600)).prop_map(|(size, mtime, bytes)| Answer::Piece {
            size,
            mtime,
            bytes
        }),
        any::<(Option<u32>, u64, u64)>().prop_map(|(days, items, bytes)| Answer::Trash { days, items, bytes }),
        any::<u64>().prop_map(|id| Answer::Trashed { id }),
        path().prop_map(|path| Answer::Restored { path }),
        fault().prop_map(Answer::Fault),
    ];
    let notice =
        prop_oneof![usage().prop_map(Notice::Usage), path().prop_map(Notice::Changed), Just(Notice::Draining),];
    prop_oneof![
        (any::<u32>(), answer).prop_map(|(id, answer)| FromServer::Answer { id, answer }),
        notice.prop_map(FromServer::Notice),
        Just(FromServer::Pong),
    ]
}

pub(super) fn lane() -> impl Strategy<Value = Lane> {
    let expect = prop_oneof![
        Just(Expect::Absent),
        Just(Expect::Any),
        (any::<u64>(), time()).prop_map(|(size, mtime)| Expect::Same { size, mtime }),
    ];
    prop_oneof![
        (any::<u64>(), path(), offer(), expect).prop_map(|(transfer, path, offer, expect)| Lane::Put {
            transfer,
            path,
            offer,
            expect
        }),
        (any::<u64>(), path(), any::<bool>()).prop_map(|(transfer, path, eager)| Lane::Get { transfer, path, eager }),
        (any::<u64>(), offer()).prop_map(|(transfer, offer)| Lane::Offer { transfer, offer }),
        (any::<u64>(), any::<u64>(), vec(proptest::option::of(cv()), 0..HELD_PAGE), any::<bool>())
            .prop_map(|(transfer, first, cvs, last)| Lane::Held { transfer, first, cvs, last }),
        (any::<u64>(), root()).prop_map(|(transfer, root)| Lane::Seal { transfer, root }),
        (any::<u64>(), root()).prop_map(|(transfer, root)| Lane::Stored { transfer, root }),
        (any::<u64>(), fault()).prop_map(|(transfer, fault)| Lane::Fault { transfer, fault }),
        (any::<u64>(), any::<bool>()).prop_map(|(transfer, keep)| Lane::Abandon { transfer, keep }),
        any::<u64>().prop_map(|transfer| Lane::Assist { transfer }),
        (any::<u64>(), any::<u64>()).prop_map(|(transfer, index)| Lane::Fetch { transfer, index }),
        (any::<u64>(), any::<u64>(), cv()).prop_map(|(transfer, index, cv)| Lane::Kept { transfer, index, cv }),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let one = |make: fn(RawPath) -> Op| path().prop_map(make);
    prop_oneof![
        one(|path| Op::List { path }),
        one(|path| Op::Walk { path }),
        one(|path| Op::Stat { path }),
        one(|path| Op::Create { path }),
        (path(), any::<bool>()).prop_map(|(path, parents)| Op::Mkdir { path, parents }),
        (path(), any::<bool>()).prop_map(|(path, recursive)| Op::Remove { path, recursive }),
        (path(), path(), any::<bool>()).prop_map(|(from, to, replace)| Op::Rename { from, to, replace }),
        (path(), path(), any::<bool>()).prop_map(|(from, to, replace)| Op::Copy { from, to, replace }),
        Just(Op::Usage),
        (path(), any::<u64>(), any::<u32>()).prop_map(|(path, offset, len)| Op::Read { path, offset, len }),
        one(|path| Op::Hash { path }),
        (path(), ".{0,40}").prop_map(|(path, pattern)| Op::Find { path, pattern }),
        Just(Op::TrashState),
        one(|path| Op::Trash { path }),
        any::<u64>().prop_map(|id| Op::Restore { id }),
        Just(Op::EmptyTrash),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let kind = prop_oneof![Just(Kind::File), Just(Kind::Directory), Just(Kind::Link), Just(Kind::Other)];
    (path(), kind, any::<u64>(), time(), any::<bool>(), proptest::option::of(root()))
        .prop_map(|(name, kind, size, mtime, executable, root)| Entry { name, kind, size, mtime, executable, root })
}

fn fault() -> impl Strategy<Value = Fault> {
    let detail = prop_oneof![
        Just(Detail::None),
        any::<u64>().prop_map(Detail::Shortfall),
        (any::<u64>(), time(), proptest::option::of(root())).prop_map(|(size, mtime, root)| Detail::Existing {
            size,
            mtime,
            root
        }),
        any::<u32>().prop_map(Detail::RetryAfter),
    ];
    (proptest::sample::select(CODES), ".{0,60}", detail).prop_map(|(code, message, detail)| Fault {
        code,
        message,
        detail,
    })
}

fn usage() -> impl Strategy<Value = Usage> {
    any::<(Option<u64>, u64, u64, u64, Option<u64>)>().prop_map(|(quota, used, reserved, files, max_files)| Usage {
        quota,
        used,
        reserved,
        files,
        max_files,
    })
}

fn offer() -> impl Strategy<Value = Offer> {
    (any::<u64>(), time(), any::<bool>(), any::<bool>()).prop_map(|(size, mtime, executable, eager)| Offer {
        size,
        mtime,
        executable,
        eager,
    })
}

fn path() -> impl Strategy<Value = RawPath> {
    vec(any::<u8>(), 0..300).prop_map(RawPath)
}

fn time() -> impl Strategy<Value = Time> {
    any::<(i64, u32)>().prop_map(|(secs, nanos)| Time { secs, nanos })
}

fn proof() -> impl Strategy<Value = Proof> {
    any::<[[u8; 32]; 3]>().prop_map(|[key, r, s]| Proof { key: PublicKey(key), signature: Signature([r, s]) })
}

fn ticket() -> impl Strategy<Value = Ticket> {
    any::<[u8; 32]>().prop_map(Ticket)
}

fn cv() -> impl Strategy<Value = Cv> {
    any::<[u8; 32]>().prop_map(Cv)
}

fn root() -> impl Strategy<Value = Root> {
    any::<[u8; 32]>().prop_map(Root)
}
