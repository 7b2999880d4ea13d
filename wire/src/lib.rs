//! Catamaran's protocol and content model. No sockets, no clock, no runtime: bytes, files that
//! are already open, and values in; values and bytes out.
//!
//! In reading order:
//! - [`block`]: files as rows of 1 MiB blocks, their chaining values, and the fold to the root
//! - [`path`]: user names and remote paths, parsed once
//! - [`pattern`]: what names are looked for by
//! - [`size`]: sizes and rates as people write them
//! - [`fault`]: every way the other side can say no
//! - [`message`]: what travels, as types
//! - [`encoding`]: those types as bytes (the only place that knows bincode)
//! - [`frame`]: bytes as frames, through a `tokio_util` codec
//! - [`link`]: a reader and a writer of frames over any byte stream
//! - [`aligned`]: memory for blocks
//! - [`transfer`]: the two state machines of a transfer, sender and receiver
//! - [`staging`]: blocks in and out of open files, for both sides
//! - [`prompt`]: a password asked for on a terminal, for both programs

pub mod aligned;
pub mod block;
pub mod encoding;
pub mod fault;
pub mod frame;
pub mod link;
pub mod message;
pub mod path;
pub mod pattern;
pub mod prompt;
mod row;
pub mod size;
pub mod staging;
pub mod transfer;

#[cfg(test)]
mod tests;

pub use aligned::Aligned;
pub use block::{BLOCK, Cv, Root};
pub use fault::{Code, Fault};
pub use path::{RemotePath, UserName};

/// The port a server listens on when nothing else is said.
pub const DEFAULT_PORT: u16 = 7122;
