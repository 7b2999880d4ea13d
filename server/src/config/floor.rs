//! `min_free`: what of a disk is kept free.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Below this, new uploads are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinFree {
    /// Nothing is kept free.
    None,
    /// So many bytes, but no more than a tenth of the disk.
    Bytes(u64),
    /// So many hundredths of the disk.
    Percent(u8),
}

impl MinFree {
    /// What is kept free of a disk of so many bytes.
    pub fn of(self, total: u64) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Bytes(bytes) => Some(bytes.min(total / 10)),
            Self::Percent(percent) => Some(total / 100 * u64::from(percent)),
        }
    }
}

impl Default for MinFree {
    fn default() -> Self {
        Self::Bytes(1 << 30)
    }
}

impl FromStr for MinFree {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(percent) = text.trim().strip_suffix('%') else {
            let size = wire::size::parse_limit(text).map_err(|error| format!("{error}, nor a share like 5%"))?;
            return Ok(size.map_or(Self::None, Self::Bytes));
        };
        let percent = percent.trim_end().parse().ok().filter(|percent| (1..=90).contains(percent));
        percent.map(Self::Percent).ok_or_else(|| "a share of a disk is from 1% to 90%".to_owned())
    }
}

impl Serialize for MinFree {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => to.serialize_str("none"),
            Self::Bytes(bytes) => to.serialize_str(&wire::size::limit_text(Some(*bytes))),
            Self::Percent(percent) => to.serialize_str(&format!("{percent}%")),
        }
    }
}

impl<'de> Deserialize<'de> for MinFree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_shares_and_none_are_read() {
        let read = |text: &str| text.parse::<MinFree>();
        assert_eq!(read("1GiB"), Ok(MinFree::default()));
        assert_eq!((read("5%"), read("none")), (Ok(MinFree::Percent(5)), Ok(MinFree::None)));
        for wrong in ["", "0%", "91%", "-1%", "much"] {
            read(wrong).expect_err(wrong);
        }
    }

    #[test]
    fn a_size_never_keeps_a_small_disk_from_being_used() {
        let (gib, mib) = (1u64 << 30, 1u64 << 20);
        assert_eq!(MinFree::Bytes(gib).of(1000 * gib), Some(gib));
        assert_eq!(MinFree::Bytes(gib).of(50 * mib), Some(5 * mib));
        assert_eq!(MinFree::Percent(2).of(1000), Some(20));
        assert_eq!(MinFree::None.of(1000), None);
    }
}
