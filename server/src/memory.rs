//! The most memory that a server takes, from its limits: what every part says of itself, added up.

use wire::frame::MAX_CONTROL;
use wire::link::GATHER;

use crate::config::Config;
use crate::{budget, commons, control, handlers, inlet, lane, password, tenant};

/// Bytes that a server with these settings stays below, whatever its clients do, if each connection makes it take the
/// most it can. Beside this it keeps 33 bytes for each block that is there of a file in hand (33 KiB for each GiB), and
/// a name for each directory that a walk has met and not read yet.
pub fn bound(config: &Config) -> u64 {
    let limits = &config.limits;
    let lanes = limits.lanes.min(limits.max_connections) as u64;
    let others = limits.max_connections as u64 - lanes;
    let each = |count: u64, bytes: usize| count.saturating_mul(bytes as u64);
    let parts = [
        BASE,
        each(lanes, CONNECTION + lane::MEMORY),
        each(others, CONNECTION + control::MEMORY),
        each(limits.requests as u64, handlers::MEMORY),
        limits.transfer_memory,
        (inlet::MEMORY + budget::MEMORY + commons::MEMORY + tenant::FINDERS_MEMORY) as u64,
        each(config.penalties.remembered as u64, REMEMBERED),
        password::memory(&config.argon2),
    ];
    parts.into_iter().fold(0, u64::saturating_add)
}

/// Any connection's: frames that come and go (a buffer that grows is there twice), and TLS.
const CONNECTION: usize = 2 * MAX_CONTROL + 3 * GATHER + TLS;
/// Both directions of rustls: what waits to be sent, a record that comes, and its content.
const TLS: usize = 160 << 10;
/// Of a source, or a user from one, in both tables.
const REMEMBERED: usize = 2 * 512;
/// The program, the catalog and its pages, the stacks of its threads, and what the allocator has not given back yet.
const BASE: u64 = 128 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut Config)) -> u64 {
        let mut config = Config::default();
        config.argon2.at_once = 1;
        change(&mut config);
        bound(&config)
    }

    #[test]
    fn every_limit_counts() {
        let usual = with(|_| {});
        let connection = with(|config| config.limits.max_connections += 1) - usual;
        assert_eq!(connection as usize, CONNECTION + control::MEMORY);
        let lane = with(|config| config.limits.lanes += 1) - usual;
        assert_eq!(lane as usize, lane::MEMORY - control::MEMORY, "a lane is a connection, too");
        assert_eq!(with(|config| config.limits.transfer_memory += 5) - usual, 5);
        assert!(with(|config| config.limits.requests += 1) > usual);
        assert!(with(|config| config.penalties.remembered += 1) > usual);
        let hash = u64::from(Config::default().argon2.memory_kib) << 10;
        assert_eq!(with(|config| config.argon2.at_once = 3) - usual, 2 * hash);
        assert!(with(|config| config.argon2.queue += 1) > usual);
        assert_eq!(with(|config| config.limits.max_connections = usize::MAX), u64::MAX);
    }

    /// The figures of ARCHITECTURE.md, so that whoever changes one changes the other.
    #[test]
    fn parts_take_what_is_documented() {
        let kib = |bytes: usize| bytes.div_ceil(64 << 10) * 64;
        assert_eq!(
            (kib(CONNECTION), kib(lane::MEMORY), kib(control::MEMORY), kib(handlers::MEMORY)),
            (512, 2240, 320, 640)
        );
        assert_eq!(with(|_| {}) >> 20, 1705);
    }
}
