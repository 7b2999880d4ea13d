//! Messages to bytes and back, and what is made of bytes that nobody encoded.

use std::fmt::Debug;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::strategies;
use crate::encoding::{EncodingError, decode, encode};
use crate::frame::{FrameError, MAX_CONTROL};
use crate::link::{LinkError, Writer};
use crate::message::*;

/// There and back; every shorter and one longer row of bytes is refused.
fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(message: &T) -> Result<(), TestCaseError> {
    let mut bytes = encode(message).expect("it fits into a frame");
    prop_assert_eq!(&decode::<T>(&bytes).expect("the message comes back"), message);
    for end in (0..bytes.len()).rev().take(64).chain(0..bytes.len().min(64)) {
        prop_assert!(decode::<T>(&bytes[..end]).is_err(), "{} of {} bytes were enough", end, bytes.len());
    }
    bytes.push(0);
    prop_assert!(matches!(decode::<T>(&bytes), Err(EncodingError::Trailing(1))));
    Ok(())
}

/// Whatever decodes is a message of this type in full: encoding it gives the same bytes again.
fn is_refused_or_exact<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    if let Ok(message) = decode::<T>(bytes) {
        assert_eq!(encode(&message).expect("what came fits"), bytes);
    }
}

fn try_all(bytes: &[u8]) {
    is_refused_or_exact::<FromGuest>(bytes);
    is_refused_or_exact::<ToGuest>(bytes);
    is_refused_or_exact::<FromClient>(bytes);
    is_refused_or_exact::<FromServer>(bytes);
    is_refused_or_exact::<Lane>(bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn guests_survive(message in strategies::from_guest()) { survives(&message)?; }
    #[test]
    fn greetings_survive(message in strategies::to_guest()) { survives(&message)?; }
    #[test]
    fn requests_survive(message in strategies::from_client()) { survives(&message)?; }
    #[test]
    fn answers_survive(message in strategies::from_server()) { survives(&message)?; }
    #[test]
    fn lanes_survive(message in strategies::lane()) { survives(&message)?; }

    #[test]
    fn random_bytes_are_refused_or_exact(bytes in prop::collection::vec(any::<u8>(), 0..600), kind in 0u8..10) {
        try_all(&bytes);
        // With a plausible variant in front, the rest of the decoder is reached.
        let mut framed = vec![kind, 0, 0, 0];
        framed.extend_from_slice(&bytes);
        try_all(&framed);
    }

    #[test]
    fn mutated_messages_are_refused_or_exact(
        message in strategies::lane(), answer in strategies::from_server(),
        at in any::<prop::sample::Index>(), flip in 1u8..,
    ) {
        for mut bytes in [encode(&message).expect("it fits"), encode(&answer).expect("it fits")] {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            try_all(&bytes);
        }
    }
}

#[test]
fn claimed_lengths_are_not_believed() {
    let path = |len: u64| [0u32.to_le_bytes().as_slice(), &7u32.to_le_bytes(), &len.to_le_bytes()].concat();
    // Request{id}, then List{path of `len` bytes} with nothing behind it.
    let request = |len: u64| [0u32.to_le_bytes().as_slice(), &path(len)].concat();
    let held = |len: u64| {
        [3u32.to_le_bytes().as_slice(), &1u64.to_le_bytes(), &0u64.to_le_bytes(), &len.to_le_bytes(), &[1]].concat()
    };
    for len in [1, 1 << 16, 1 << 32, 1 << 40, u64::MAX / 33, u64::MAX] {
        assert!(decode::<FromClient>(&request(len)).is_err(), "a path of {len} bytes");
        assert!(decode::<Lane>(&held(len)).is_err(), "{len} values");
    }
    // A byte for each value that is none, and 33 in memory.
    let page = |len| encode(&Lane::Held { transfer: 1, first: 0, cvs: vec![None; len], last: true }).expect("fits");
    assert!(decode::<Lane>(&page(HELD_PAGE)).is_ok() && decode::<Lane>(&page(HELD_PAGE + 1)).is_err());
}

#[tokio::test]
async fn what_is_too_long_for_a_frame_does_not_leave() {
    let too_long = Op::Stat { path: RawPath(vec![b'a'; MAX_CONTROL]) };
    let mut out = Vec::new();
    let refused = Writer::new(&mut out).send(&too_long).await;
    assert!(matches!(refused, Err(LinkError::Frame(FrameError::TooLong { max: MAX_CONTROL, .. }))));
    assert!(out.is_empty());

    let full_page = Lane::Held { transfer: 1, first: 0, cvs: vec![Some(crate::Cv([1; 32])); HELD_PAGE], last: true };
    assert!(encode(&full_page).expect("a full page fits").len() <= MAX_CONTROL);
}

#[test]
fn secrets_are_not_printed() {
    let login = FromGuest::Login { user: "ada".into(), password: Secret("correct horse".into()) };
    let welcome = ToGuest::Welcome { ticket: Ticket([0x5a; 32]), lanes: 1, usage: Usage::default() };
    let shown = format!("{login:?} {welcome:?}");
    assert!(!shown.contains("horse") && !shown.contains("90") && !shown.contains("5a"), "{shown}");
}
