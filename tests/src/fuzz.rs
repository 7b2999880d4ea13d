//! What must hold of any bytes. The fuzz targets in `tests/fuzz` search for bytes of which it does not; a stable
//! test replays their corpora, as they are and changed at random.
//!
//! - [`content`]: bytes that are decoded or parsed
//! - [`connection`]: bytes that a connection says to a server
//! - [`seeds`]: what a search begins with

pub mod connection;
pub mod content;
pub mod seeds;

/// A target's name, and what panics where something does not hold.
pub type Target = (&'static str, fn(&[u8]));

/// All of them. Each has a corpus of its name.
pub const TARGETS: [Target; 5] = [
    ("frames", content::frames),
    ("messages", content::messages),
    ("paths", content::paths),
    ("patterns", content::patterns),
    ("connection", connection::connection),
];
