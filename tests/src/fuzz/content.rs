//! Bytes as frames, messages, paths and patterns.
#![allow(clippy::expect_used, reason = "a broken property must stop the fuzzer")]

use bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};
use wire::encoding::{decode, encode};
use wire::frame::{BLOCK_HEADER, Frame, FrameCodec, MAX_CONTROL, Stage};
use wire::message::{FromClient, FromGuest, FromServer, Lane, ToGuest};
use wire::path::escape;
use wire::pattern::Pattern;
use wire::{BLOCK, RemotePath, UserName};

/// The first byte chooses the stage. Every frame that is taken encodes to the bytes it came from;
/// nothing beyond one frame is ever kept ready.
pub fn frames(input: &[u8]) {
    let Some((first, stream)) = input.split_first() else { return };
    let stage = match first % 3 {
        0 => Stage::Guest,
        1 => Stage::Control,
        _ => Stage::Lane,
    };
    let mut codec = FrameCodec::new(stage);
    let mut left = BytesMut::from(stream);
    loop {
        let before = left.clone();
        let Ok(Some(frame)) = codec.decode(&mut left) else { break };
        if let Frame::Block(header) = &frame {
            assert!(stage == Stage::Lane && (1..=BLOCK).contains(&header.len));
        }
        let mut again = BytesMut::new();
        codec.encode(frame, &mut again).expect("what was taken can be said");
        assert!(before.starts_with(&again), "a frame changed on the way");
    }
    assert!(left.capacity() <= stream.len() + 2 * (MAX_CONTROL + BLOCK_HEADER));
}

/// Bytes are refused, or are one message in full.
pub fn messages(input: &[u8]) {
    fn exact<T: serde::Serialize + serde::de::DeserializeOwned>(input: &[u8]) {
        if let Ok(message) = decode::<T>(input) {
            assert_eq!(encode(&message).expect("what came can be said"), input);
        }
    }
    exact::<FromGuest>(input);
    exact::<ToGuest>(input);
    exact::<FromClient>(input);
    exact::<FromServer>(input);
    exact::<Lane>(input);
}

/// A path that parses has no way out of the home, and parses to itself; what is shown of any bytes
/// holds nothing that steers a terminal.
pub fn paths(input: &[u8]) {
    if let Ok(path) = RemotePath::parse(input) {
        assert!(path.names().all(|name| !name.is_empty() && name != b"." && name != b".." && !name.contains(&0)));
        assert!(!path.as_bytes().starts_with(b"/") && !path.as_bytes().ends_with(b"/"));
        assert_eq!(RemotePath::parse(path.as_bytes()).as_ref(), Ok(&path));
        assert!(path.is_within(&path.parent()));
        if let Some((parent, name)) = path.split() {
            assert_eq!(parent.join(name), Ok(path));
        }
    }
    assert!(!escape(input).chars().any(char::is_control));
    if let Some(user) = std::str::from_utf8(input).ok().and_then(|text| text.parse::<UserName>().ok()) {
        assert!(
            user.as_str().as_bytes() == input && RemotePath::parse(input).is_ok_and(|path| path.names().count() == 1)
        );
    }
}

/// A line of pattern, then a name: whatever is a pattern says of any name whether it fits, and a part of a name finds it.
pub fn patterns(input: &[u8]) {
    let (pattern, name) = input.split_at(input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len()));
    let name = name.get(1..).unwrap_or_default();
    let Ok(text) = std::str::from_utf8(pattern) else { return };
    let Ok(parsed) = Pattern::parse(text) else { return };
    let fits = parsed.matches(name);
    if !text.contains(['*', '?', '[']) && !text.is_empty() && !name.contains(&b'/') {
        let holds = name.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(fits || !holds, "a name that holds the text is not found");
    }
}
