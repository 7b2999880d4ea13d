//! Bytes as frames: `u32` length (little-endian, of the body), `u8` kind, body.
//!
//! Lengths are checked before anything is allocated. Of a block frame only the fixed header passes
//! through here; its payload is read straight into its own buffer by [`crate::link`]. A block of zeros
//! has a frame of its own, with a length in place of a payload.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use crate::block::{BLOCK, Cv};

/// The longest body of a control frame before login, in bytes.
pub const MAX_GUEST: usize = 4 << 10;
/// The longest body of a control frame in a session, in bytes.
pub const MAX_CONTROL: usize = 64 << 10;
/// Transfer, index and chaining value in front of a block's payload, in bytes.
pub const BLOCK_HEADER: usize = 8 + 8 + 32;
/// Such a header and a `u32`, the length of the block: the whole body of a frame of zeros, in bytes.
pub const ZEROS: usize = BLOCK_HEADER + 4;

/// Read at once while frames come one after another, in bytes.
const READ_AHEAD: usize = 8 << 10;
const PREFIX: usize = 4 + 1;
const KIND_CONTROL: u8 = 1;
const KIND_BLOCK: u8 = 2;
const KIND_ZEROS: u8 = 3;

/// What frames the reader accepts at this point of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before login: control frames of up to [`MAX_GUEST`].
    Guest,
    /// A control connection: control frames of up to [`MAX_CONTROL`].
    Control,
    /// A lane: those and blocks.
    Lane,
}

/// One frame, or the head of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// An encoded message.
    Control(Bytes),
    /// A block whose payload follows on the stream.
    Block(BlockHeader),
    /// A block whose bytes are all zero; none follow.
    Zeros(BlockHeader),
}

/// The head of a block frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// The transfer's number.
    pub transfer: u64,
    /// The block's place.
    pub index: u64,
    /// Its chaining value, as the sender has it.
    pub cv: Cv,
    /// Bytes of the block: 1 to [`BLOCK`].
    pub len: usize,
}

/// Why a stream is not a row of frames. The stream cannot be read on after any of these.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// A length over what this stage allows.
    #[error("a frame of {len} bytes, where at most {max} are allowed")]
    TooLong {
        /// Claimed.
        len: usize,
        /// Allowed.
        max: usize,
    },
    /// A block frame too short for its header and one byte.
    #[error("a block frame of {0} bytes is too short")]
    TooShort(usize),
    /// No such kind, or not at this stage.
    #[error("a frame of kind {0} is not expected here")]
    Kind(u8),
    /// The stream itself failed.
    #[error("the connection failed")]
    Io(#[from] std::io::Error),
}

/// The codec of both directions.
#[derive(Debug)]
pub struct FrameCodec {
    stage: Stage,
}

impl FrameCodec {
    /// A codec for a connection at `stage`.
    pub fn new(stage: Stage) -> Self {
        Self { stage }
    }

    /// Moves on, with the limits of the new stage.
    pub fn enter(&mut self, stage: Stage) {
        self.stage = stage;
    }

    fn check(&self, kind: u8, len: usize) -> Result<(), FrameError> {
        let max = match (kind, self.stage) {
            (KIND_CONTROL, Stage::Guest) => MAX_GUEST,
            (KIND_CONTROL, _) => MAX_CONTROL,
            (KIND_BLOCK, Stage::Lane) if len <= BLOCK_HEADER => return Err(FrameError::TooShort(len)),
            (KIND_BLOCK, Stage::Lane) => BLOCK_HEADER + BLOCK,
            (KIND_ZEROS, Stage::Lane) if len < ZEROS => return Err(FrameError::TooShort(len)),
            (KIND_ZEROS, Stage::Lane) => ZEROS,
            _ => return Err(FrameError::Kind(kind)),
        };
        if len > max { Err(FrameError::TooLong { len, max }) } else { Ok(()) }
    }
}

impl Decoder for FrameCodec {
    type Item = Frame;
    type Error = FrameError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let mut head: &[u8] = src;
        let (Ok(len), Ok(kind)) = (head.try_get_u32_le(), head.try_get_u8()) else {
            make_room(src, PREFIX);
            return Ok(None);
        };
        let len = len as usize;
        self.check(kind, len)?;
        let needed = PREFIX + if kind == KIND_BLOCK { BLOCK_HEADER } else { len };
        if src.len() < needed {
            make_room(src, needed);
            return Ok(None);
        }
        src.advance(PREFIX);
        let mut body = src.split_to(needed - PREFIX);
        if kind == KIND_CONTROL {
            return Ok(Some(Frame::Control(body.freeze())));
        }
        let (transfer, index) = (body.get_u64_le(), body.get_u64_le());
        let mut cv = [0; 32];
        body.copy_to_slice(&mut cv);
        let cv = Cv(cv);
        if kind == KIND_BLOCK {
            return Ok(Some(Frame::Block(BlockHeader { transfer, index, cv, len: len - BLOCK_HEADER })));
        }
        match body.get_u32_le() as usize {
            0 => Err(FrameError::TooShort(0)),
            len if len > BLOCK => Err(FrameError::TooLong { len, max: BLOCK }),
            len => Ok(Some(Frame::Zeros(BlockHeader { transfer, index, cv, len }))),
        }
    }
}

/// Room for the rest of a frame of `needed` bytes; more when what came filled the room there was, for then more waits.
fn make_room(src: &mut BytesMut, needed: usize) {
    let room = if src.len() == src.capacity() { needed.max(READ_AHEAD) } else { needed };
    src.reserve(room.saturating_sub(src.len()));
}

impl Encoder<Frame> for FrameCodec {
    type Error = FrameError;

    fn encode(&mut self, frame: Frame, dst: &mut BytesMut) -> Result<(), FrameError> {
        match frame {
            Frame::Control(body) => {
                if body.len() > MAX_CONTROL {
                    return Err(FrameError::TooLong { len: body.len(), max: MAX_CONTROL });
                }
                dst.reserve(PREFIX + body.len());
                dst.put_u32_le(body.len() as u32);
                dst.put_u8(KIND_CONTROL);
                dst.put(body);
            }
            Frame::Block(header) => put_header(dst, KIND_BLOCK, BLOCK_HEADER + header.len, header)?,
            Frame::Zeros(header) => {
                put_header(dst, KIND_ZEROS, ZEROS, header)?;
                dst.put_u32_le(header.len as u32);
            }
        }
        Ok(())
    }
}

fn put_header(dst: &mut BytesMut, kind: u8, body: usize, header: BlockHeader) -> Result<(), FrameError> {
    let BlockHeader { transfer, index, cv, len } = header;
    if len > BLOCK {
        return Err(FrameError::TooLong { len, max: BLOCK });
    }
    dst.reserve(PREFIX + ZEROS);
    dst.put_u32_le(body as u32);
    dst.put_u8(kind);
    dst.put_u64_le(transfer);
    dst.put_u64_le(index);
    dst.put(cv.0.as_slice());
    Ok(())
}
