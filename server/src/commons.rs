//! What all users share: the settings in force, the bandwidth, the disks, and what is counted.

use std::sync::Arc;

use crate::bandwidth::AllTraffic;
use crate::config::Live;
use crate::metrics::Counters;
use crate::publish::Disks;

/// Shared by all users of a server.
#[derive(Debug)]
pub struct Commons {
    /// The settings in force.
    pub live: Live,
    pub(crate) traffic: AllTraffic,
    pub(crate) disks: Disks,
    pub(crate) counters: Counters,
}

impl Commons {
    /// With nobody there.
    pub fn new(live: Live) -> Arc<Self> {
        let (traffic, disks, counters) = Default::default();
        Arc::new(Self { live, traffic, disks, counters })
    }
}
