//! Frames over any byte stream: [`Reader`] and [`Writer`], the two halves of a connection.
//!
//! Small frames are gathered in the writer until [`Writer::flush`]; payloads of blocks go around
//! the codec in both directions, between the stream and the caller's reused buffer.

use bytes::{Buf, BytesMut};
use futures_core::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::poll_fn;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_util::codec::{Encoder, FramedRead};

use crate::aligned::Aligned;
use crate::block::is_zeros;
use crate::encoding::{self, EncodingError};
use crate::frame::{BLOCK_HEADER, BlockHeader, Frame, FrameCodec, FrameError, Stage, ZEROS};

/// Payloads below this many bytes are gathered with their neighbours into one write.
pub const GATHER: usize = 64 << 10;

/// Room for what comes to a connection at rest, in bytes. The codec makes more of it when more comes.
const RESTING: usize = 256;

/// Why a connection cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The other side closed it, in the middle of a frame or where a frame was due.
    #[error("the other side closed the connection")]
    Closed,
    /// The bytes are not frames.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A frame is not a message.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A block came where only messages may.
    #[error("a block came where a message was due")]
    UnexpectedBlock,
    /// The stream failed.
    #[error("the connection failed: {0}")]
    Io(#[from] std::io::Error),
}

/// What a lane reads: a message, or the head of a block whose payload must be read next.
#[derive(Debug)]
pub enum Incoming<T> {
    /// A message.
    Message(T),
    /// A block; call [`Reader::payload`] before anything else.
    Block(BlockHeader),
}

/// The reading half.
#[derive(Debug)]
pub struct Reader<R> {
    framed: FramedRead<R, FrameCodec>,
    /// Of the block just announced: no payload follows.
    is_zeros: bool,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Reads `stream` as of `stage`.
    pub fn new(stream: R, stage: Stage) -> Self {
        Self { framed: FramedRead::with_capacity(stream, FrameCodec::new(stage), RESTING), is_zeros: false }
    }

    /// Moves on to the limits of `stage`.
    pub fn enter(&mut self, stage: Stage) {
        self.framed.decoder_mut().enter(stage);
    }

    /// Gives back the memory of what was read: for a while little will come.
    pub fn rest(&mut self) {
        let ahead = self.framed.read_buffer_mut();
        if ahead.is_empty() {
            *ahead = BytesMut::with_capacity(RESTING);
        }
    }

    /// The next message or block; `None` at a clean end. Safe to cancel.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<Incoming<T>>, LinkError> {
        match poll_fn(|cx| Pin::new(&mut self.framed).poll_next(cx)).await {
            None => Ok(None),
            Some(Ok(Frame::Control(body))) => Ok(Some(Incoming::Message(encoding::decode(&body)?))),
            Some(Ok(frame @ (Frame::Block(header) | Frame::Zeros(header)))) => {
                self.is_zeros = matches!(frame, Frame::Zeros(_));
                Ok(Some(Incoming::Block(header)))
            }
            Some(Err(FrameError::Io(error))) => Err(LinkError::Io(error)),
            Some(Err(error)) => Err(error.into()),
        }
    }

    /// The next message, where a block is a fault of the other side. Safe to cancel.
    pub async fn message<T: DeserializeOwned>(&mut self) -> Result<Option<T>, LinkError> {
        match self.next().await? {
            None => Ok(None),
            Some(Incoming::Message(message)) => Ok(Some(message)),
            Some(Incoming::Block(_)) => Err(LinkError::UnexpectedBlock),
        }
    }

    /// Reads the payload of the block just announced into `buffer`, whose length becomes the
    /// payload's. Not safe to cancel: the stream is lost then.
    pub async fn payload(&mut self, header: &BlockHeader, buffer: &mut Aligned) -> Result<(), LinkError> {
        buffer.resize(header.len);
        if self.is_zeros {
            buffer.fill(0);
            return Ok(());
        }
        let ahead = self.framed.read_buffer_mut();
        let early = ahead.len().min(header.len);
        let (from_buffer, rest) = buffer.split_at_mut(early);
        ahead.copy_to_slice(from_buffer);
        match self.framed.get_mut().read_exact(rest).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(LinkError::Closed),
            Err(error) => Err(error.into()),
        }
    }
}

/// The writing half.
#[derive(Debug)]
pub struct Writer<W> {
    stream: W,
    codec: FrameCodec,
    gathered: BytesMut,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// Writes to `stream`.
    pub fn new(stream: W) -> Self {
        Self { stream, codec: FrameCodec::new(Stage::Lane), gathered: BytesMut::new() }
    }

    /// Adds a message to what the next flush sends.
    pub async fn feed(&mut self, message: &impl Serialize) -> Result<(), LinkError> {
        self.codec.encode(Frame::Control(encoding::encode(message)?.into()), &mut self.gathered)?;
        if self.gathered.len() >= GATHER { self.drain().await } else { Ok(()) }
    }

    /// Sends a message now, with all gathered before it.
    pub async fn send(&mut self, message: &impl Serialize) -> Result<(), LinkError> {
        self.feed(message).await?;
        self.flush().await
    }

    /// Adds a block; a large payload is written at once, a small one gathered. Zeros do not travel, but many are told of
    /// at once as well, for the other side has to hash them.
    pub async fn block(&mut self, header: BlockHeader, payload: &[u8]) -> Result<(), LinkError> {
        if BLOCK_HEADER + payload.len() > ZEROS && is_zeros(payload) {
            self.codec.encode(Frame::Zeros(header), &mut self.gathered)?;
            return if payload.len() < GATHER { Ok(()) } else { self.drain().await };
        }
        self.codec.encode(Frame::Block(header), &mut self.gathered)?;
        if self.gathered.len() + payload.len() <= GATHER {
            self.gathered.extend_from_slice(payload);
            return Ok(());
        }
        self.drain().await?;
        Ok(self.stream.write_all(payload).await?)
    }

    /// Sends all that was gathered.
    pub async fn flush(&mut self) -> Result<(), LinkError> {
        self.drain().await?;
        Ok(self.stream.flush().await?)
    }

    /// Gives back the memory of what was sent: for a while there will be nothing to send.
    pub fn rest(&mut self) {
        if self.gathered.is_empty() {
            self.gathered = BytesMut::new();
        }
    }

    /// Says that nothing more will come.
    pub async fn close(&mut self) -> Result<(), LinkError> {
        self.drain().await?;
        Ok(self.stream.shutdown().await?)
    }

    async fn drain(&mut self) -> Result<(), LinkError> {
        self.stream.write_all(&self.gathered).await?;
        self.gathered.clear();
        Ok(())
    }
}
