//! The test house: everything that suites, the demonstration and the measurements share. It sees all
//! three other crates; none of them sees it.
//!
//! - [`files`]: files with known content, and what a home holds
//! - [`host`]: a server in this process, with its own data directory
//! - [`disk`]: a disk under that server that notes the order of its calls, and fails
//! - [`outage`]: one that notes what was synced, and the states that a power cut may leave
//! - [`daemon`]: the server's real program, to be killed; [`crash`]: killed over and over, and what then must be so
//! - [`proxy`]: a TCP proxy that cuts, stalls, delays, corrupts and slows down
//! - [`line`]: a connection that can say anything at any stage, right or wrong
//! - [`session`]: a well-behaved client on top of it, one step at a time
//! - [`identity`]: a key that logs in
//! - [`fuzz`]: what must hold of any bytes, for the fuzz targets
//! - [`client`]: the real engine, with files and known servers of its own
//! - [`pages`]: manual pages and completions, made from what the programs go by
//! - [`terminal`]: a program in a pseudo-terminal; [`picture`]: its screen as SVG; [`keys`]: how soon a key is on it

pub mod client;
pub mod crash;
pub mod daemon;
pub mod disk;
pub mod files;
pub mod fuzz;
pub mod host;
pub mod identity;
pub mod keys;
pub mod line;
pub mod outage;
pub mod pages;
pub mod picture;
pub mod proxy;
pub mod secrets;
pub mod session;
pub mod terminal;
