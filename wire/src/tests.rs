//! Tests of the wire as a whole: what every message is in bytes, and what becomes of bytes that are
//! no messages. Tests of one module stand at its bottom.

mod frames;
mod golden;
mod links;
mod messages;
mod strategies;
