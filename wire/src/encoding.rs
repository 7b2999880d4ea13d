//! Messages as bytes. The only module that knows bincode: its `legacy()` layout is plain
//! little-endian fixed-width fields, which other maintained crates produce byte for byte.

use bincode::config::{self, Configuration, Fixint, Limit, LittleEndian};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::frame::MAX_CONTROL;

type Layout = Configuration<LittleEndian, Fixint, Limit<MAX_CONTROL>>;

const LAYOUT: Layout = config::legacy().with_limit::<MAX_CONTROL>();

/// Why bytes are not a message, or a message does not fit into bytes.
#[derive(Debug, thiserror::Error)]
pub enum EncodingError {
    /// It holds what this layout cannot say. That it is too long for a frame, the frame codec tells.
    #[error("a message cannot be encoded")]
    Encode(#[source] bincode::error::EncodeError),
    /// The bytes are not of this type.
    #[error("a frame does not hold the message it should")]
    Decode(#[source] bincode::error::DecodeError),
    /// The message ended before the frame did.
    #[error("{0} bytes follow the message in its frame")]
    Trailing(usize),
}

/// The message as bytes.
pub fn encode(message: &impl Serialize) -> Result<Vec<u8>, EncodingError> {
    bincode::serde::encode_to_vec(message, LAYOUT).map_err(EncodingError::Encode)
}

/// The message that `bytes` are, all of them.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, EncodingError> {
    let (message, read) = bincode::serde::decode_from_slice(bytes, LAYOUT).map_err(EncodingError::Decode)?;
    match bytes.len() - read {
        0 => Ok(message),
        left => Err(EncodingError::Trailing(left)),
    }
}
