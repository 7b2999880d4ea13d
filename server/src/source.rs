//! Where a connection comes from, as far as limits and penalties tell sources apart: an IPv4 address, or the /64 of
//! an IPv6 address, for that is the least that one customer of a provider has.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// An IPv4 address or an IPv6 /64. IPv4-mapped IPv6 is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source(IpAddr);

/// A text that is no source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address like 192.0.2.7, 2001:db8::7 or 2001:db8::/64")]
pub struct SourceError;

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => Self(Ipv6Addr::from_bits(address.to_bits() & NETWORK).into()),
            address => Self(address),
        }
    }
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let address: IpAddr = text.strip_suffix("/64").unwrap_or(text).parse().map_err(|_| SourceError)?;
        let source = Self::from(address);
        if text.ends_with("/64") && source.0.is_ipv4() { Err(SourceError) } else { Ok(source) }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V6(network) => write!(f, "{network}/64"),
            IpAddr::V4(address) => write!(f, "{address}"),
        }
    }
}

/// The bits of an IPv6 address that tell networks apart.
const NETWORK: u128 = !(u64::MAX as u128);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_source_are_one() {
        let source = |text: &str| text.parse::<Source>().map(|source| source.to_string());
        let table = [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
            ("::1", "::/64"),
        ];
        for (text, expected) in table {
            assert_eq!(source(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", "all", "192.0.2.7/24", "192.0.2.7/64", "::ffff:192.0.2.7/64", "2001:db8::/48", "example.org"] {
            assert_eq!(source(text), Err(SourceError), "{text}");
        }
    }
}
