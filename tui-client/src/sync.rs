//! Two directories beside each other: compared, planned, and made alike. The screen and the one-shot command
//! are two faces of it; it knows neither.
//!
//! - [`mode`]: what counts; [`path`]: the order of a tree; [`plan`]: rows and actions, pure
//! - [`ground`]: a directory of either side; [`walk`]: what this machine's hold; [`scan`]: two walks that become a plan
//! - [`orders`]: what is to be done; [`carry`]: doing what the queue does not

pub mod carry;
pub mod ground;
pub mod mode;
pub mod orders;
pub mod path;
pub mod plan;
#[cfg(test)]
pub(crate) mod sample;
pub mod scan;
pub mod walk;
