//! The codec on bytes that arrive in any pieces, or should not have arrived.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use tokio_util::codec::{Decoder, Encoder};

use crate::block::{BLOCK, Cv};
use crate::frame::*;

fn control(len: usize) -> Frame {
    Frame::Control(Bytes::from(vec![7; len]))
}

fn block(len: usize) -> BlockHeader {
    BlockHeader { transfer: 0x0102, index: u64::MAX, cv: Cv([9; 32]), len }
}

fn encoded(frame: Frame) -> BytesMut {
    let mut out = BytesMut::new();
    FrameCodec::new(Stage::Lane).encode(frame, &mut out).expect("it is allowed");
    out
}

fn head(len: u32, kind: u8) -> BytesMut {
    let mut out = BytesMut::from(len.to_le_bytes().as_slice());
    out.extend_from_slice(&[kind]);
    out
}

#[test]
fn frames_keep_their_bytes() {
    assert_eq!(encoded(Frame::Control(Bytes::from_static(b"abc"))).as_ref(), b"\x03\0\0\0\x01abc");
    let bytes = encoded(Frame::Block(block(5)));
    assert_eq!(&bytes[..5], b"\x35\0\0\0\x02");
    assert_eq!(&bytes[5..21], b"\x02\x01\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff");
    assert_eq!(&bytes[21..], [9; 32]);
    let zeros = encoded(Frame::Zeros(block(BLOCK)));
    assert_eq!(&zeros[..5], b"\x34\0\0\0\x03");
    assert_eq!(&zeros[5..53], &bytes[5..]);
    assert_eq!(&zeros[53..], b"\0\0\x10\0");
}

#[test]
fn zeros_of_no_block_are_refused() {
    for (len, allowed) in [(0u32, false), (1, true), (BLOCK as u32, true), (BLOCK as u32 + 1, false), (u32::MAX, false)]
    {
        let mut bytes = encoded(Frame::Zeros(block(5)));
        bytes[53..].copy_from_slice(&len.to_le_bytes());
        let decoded = FrameCodec::new(Stage::Lane).decode(&mut bytes);
        assert_eq!(decoded.is_ok(), allowed, "{len} zeros");
    }
}

#[test]
fn lengths_and_kinds_are_checked_by_stage_before_anything_is_kept() {
    let (guest, control, full) = (MAX_GUEST as u32, MAX_CONTROL as u32, (BLOCK_HEADER + BLOCK) as u32);
    let none = BLOCK_HEADER as u32;
    // (stage, kind, length, allowed)
    let table = [
        (Stage::Guest, 1, guest, true),
        (Stage::Guest, 1, guest + 1, false),
        (Stage::Guest, 2, none + 1, false),
        (Stage::Control, 1, control, true),
        (Stage::Control, 1, control + 1, false),
        (Stage::Control, 2, none + 1, false),
        (Stage::Lane, 1, control, true),
        (Stage::Lane, 1, u32::MAX, false),
        (Stage::Lane, 2, full, true),
        (Stage::Lane, 2, full + 1, false),
        (Stage::Lane, 2, u32::MAX, false),
        (Stage::Lane, 2, none, false),
        (Stage::Lane, 2, 0, false),
        (Stage::Lane, 0, 1, false),
        (Stage::Lane, 3, 51, false),
        (Stage::Lane, 3, 52, true),
        (Stage::Lane, 3, 53, false),
        (Stage::Control, 3, 52, false),
        (Stage::Guest, 3, 52, false),
        (Stage::Lane, 4, 1, false),
        (Stage::Guest, 0x16, 0x0103, false),
    ];
    for (stage, kind, len, allowed) in table {
        let mut bytes = head(len, kind);
        let before = bytes.capacity();
        let decoded = FrameCodec::new(stage).decode(&mut bytes);
        assert_eq!(decoded.is_ok(), allowed, "{stage:?} kind {kind} of {len} bytes");
        match decoded {
            Ok(frame) => {
                assert_eq!(frame, None);
                assert!(bytes.capacity() <= 2 * (MAX_CONTROL + 5), "{} bytes kept ready", bytes.capacity());
            }
            Err(_) => assert_eq!(bytes.capacity(), before, "a refused length was allocated"),
        }
    }
}

#[test]
fn the_encoder_keeps_the_same_limits() {
    for (frame, allowed) in [
        (control(MAX_CONTROL), true),
        (control(MAX_CONTROL + 1), false),
        (Frame::Block(block(BLOCK)), true),
        (Frame::Block(block(BLOCK + 1)), false),
        (Frame::Zeros(block(BLOCK)), true),
        (Frame::Zeros(block(BLOCK + 1)), false),
    ] {
        let encoded = FrameCodec::new(Stage::Lane).encode(frame, &mut BytesMut::new());
        assert_eq!(encoded.is_ok(), allowed);
    }
}

#[test]
fn a_stage_can_be_entered_between_frames() {
    let mut codec = FrameCodec::new(Stage::Guest);
    let mut bytes = encoded(control(MAX_GUEST + 1));
    assert!(matches!(codec.decode(&mut bytes.clone()), Err(FrameError::TooLong { max: MAX_GUEST, .. })));
    codec.enter(Stage::Control);
    assert_eq!(codec.decode(&mut bytes).expect("allowed now"), Some(control(MAX_GUEST + 1)));
}

#[test]
fn split_at_every_byte_the_frames_are_the_same() {
    let frames = [
        control(0),
        Frame::Block(block(1)),
        control(300),
        Frame::Zeros(block(BLOCK)),
        control(1),
        Frame::Block(block(BLOCK)),
    ];
    let stream: Vec<u8> = frames.iter().flat_map(|frame| encoded(frame.clone())).collect();
    for cut in 0..=stream.len() {
        let (mut codec, mut bytes, mut out) = (FrameCodec::new(Stage::Lane), BytesMut::new(), Vec::new());
        for part in [&stream[..cut], &stream[cut..]] {
            bytes.extend_from_slice(part);
            while let Some(frame) = codec.decode(&mut bytes).expect("all of it is allowed") {
                out.push(frame);
            }
        }
        assert_eq!(out, frames, "cut at {cut}");
        assert!(bytes.is_empty());
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic_and_never_grow(
        bytes in prop::collection::vec(prop_oneof![0u8..5, any::<u8>()], 0..400), stage in 0usize..3,
    ) {
        let stage = [Stage::Guest, Stage::Control, Stage::Lane][stage];
        let (mut codec, mut input) = (FrameCodec::new(stage), BytesMut::from(bytes.as_slice()));
        while let Ok(Some(frame)) = codec.decode(&mut input) {
            if let Frame::Control(body) = frame {
                prop_assert!(body.len() <= bytes.len());
            }
        }
        prop_assert!(input.capacity() <= bytes.len() + 2 * (MAX_CONTROL + 5));
    }
}
