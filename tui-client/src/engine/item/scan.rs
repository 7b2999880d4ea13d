//! What is still to be looked into, as plain data.

use std::time::Instant;

use super::super::scan::Leaf;
use super::super::status::Job;

/// A directory to be looked into, or the item's own source, of which nothing is known yet.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub(crate) job: Job,
    /// Names of the target within the tree: 0 for the item's own.
    pub(crate) depth: usize,
    /// Whether it is the item's own source.
    pub(crate) is_root: bool,
    /// The target directory does not exist yet, so nothing in it does.
    pub(crate) fresh: bool,
    pub(crate) tries: u32,
    pub(crate) waits: Option<Instant>,
    /// What was found already when a pause came, and was not fed yet.
    pub(crate) left: Vec<Leaf>,
    /// Of an item that is a part of its tree: how much of the part was fed.
    pub(crate) fed: usize,
}

impl Scan {
    /// Of an item's own source.
    pub(crate) fn new(job: Job) -> Self {
        Self { job, depth: 0, is_root: true, fresh: false, tries: 0, waits: None, left: Vec::new(), fed: 0 }
    }
}
