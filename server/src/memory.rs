//! The most memory that a server takes, from its limits: what every part says of itself, added up.

use wire::frame::MAX_CONTROL;
use wire::link::GATHER;

use crate::config::Config;
use crate::password;
use crate::{control, inlet, lane};

/// Bytes that a server with these settings stays below, whatever its clients do, if each connection makes it take the
/// most it can. Beside this it keeps 33 bytes for each block that is there of a file in hand (33 KiB for each GiB), and
/// a name for each directory that a walk has met and not read yet.
pub fn bound(config: &Config) -> u64 {
    let limits = &config.limits;
    let connection = CONNECTION + lane::MEMORY.max(control::memory(limits.requests_in_flight));
    let connections = (limits.max_connections as u64).saturating_mul(connection as u64);
    BASE.saturating_add(password::memory(&config.argon2)).saturating_add(connections)
}

/// Any connection's: what is read at once, frames that come and go (a buffer that grows is there twice), and TLS.
const CONNECTION: usize = inlet::LARGE + 2 * MAX_CONTROL + 2 * (GATHER + MAX_CONTROL) + TLS;
/// Both directions of rustls, whose buffers hold up to 64 KiB each.
const TLS: usize = 256 << 10;
/// The program, the catalog and its pages, the stacks of its threads, and what the allocator has not given back yet.
const BASE: u64 = 96 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use wire::BLOCK;

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
        assert_eq!((usual - with(|config| config.limits.max_connections = 0)) / 1024, connection);
        assert_eq!(connection as usize, CONNECTION + lane::MEMORY, "a lane takes more than 64 requests");
        let hash = u64::from(Config::default().argon2.memory_kib) << 10;
        assert_eq!(with(|config| config.argon2.at_once = 3) - usual, 2 * hash);
        assert!(with(|config| config.argon2.queue += 1) > usual);
        // Many requests make a control connection the larger one.
        assert!(with(|config| config.limits.requests_in_flight = 1024) > usual);
        assert_eq!(with(|config| config.limits.max_connections = usize::MAX), u64::MAX);
    }

    /// The figures of ARCHITECTURE.md, so that whoever changes one changes the other.
    #[test]
    fn a_connection_takes_what_is_documented() {
        let mib = |bytes: usize| bytes.div_ceil(BLOCK);
        assert_eq!((mib(CONNECTION), mib(lane::MEMORY), mib(control::memory(64))), (1, 54, 52));
    }
}
