//! The configuration: every setting with its default, from file, environment and flags; a section, a file.
//! `assets/server.toml` is the same as text, for people.

mod bandwidth;
mod error;
mod floor;
mod hashing;
mod limits;
mod live;
mod log;
mod penalties;
mod verify;

use std::fs;
use std::net::{Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

pub use bandwidth::{Bandwidth, Rate};
pub use error::ConfigError;
pub use floor::MinFree;
pub use hashing::Hashing;
pub use limits::Limits;
pub use live::Live;
pub use log::{Format, Level, Log};
pub use penalties::PenaltyRules;
pub use verify::Verify;

/// The commented defaults, as a file to begin from.
pub const DEFAULTS: &str = include_str!("../../assets/server.toml");

/// Where the configuration is looked for when no flag names it.
pub const PLACE: &str = "/etc/catamaran/server.toml";

/// Below this a round takes longer than a file lives.
const LOWEST_RATE: u64 = 64 << 10;

/// A hundred years: the longest that anything is kept or waited for.
pub const MAX_DAYS: u32 = 36_500;

/// A setting, its value, and what it may be.
type Figure = (&'static str, u64, RangeInclusive<u64>);

/// All settings of a server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Accounts, homes and the server's own key.
    pub data_dir: PathBuf,
    /// Address and port. An unspecified IPv6 address takes IPv4 as well.
    pub listen: SocketAddr,
    /// The operator's certificate chain; goes with `key`.
    pub certificate: Option<PathBuf>,
    /// The operator's key.
    pub key: Option<PathBuf>,
    /// What an acknowledged change outlives.
    pub durability: Durability,
    /// Days that accounts made from now on keep what is deleted; 0: they have no trash.
    pub trash_days: u32,
    /// Days after which an upload that nobody went on with is deleted; 0: never.
    pub upload_days: u32,
    /// Whether the process is confined to what it needs, where the kernel can do that.
    pub landlock: bool,
    /// Directories outside of `data_dir` that homes reach by links of the operator's.
    pub also_reach: Vec<PathBuf>,
    /// What of the disk is kept free: below it new uploads and copies are refused.
    pub min_free: MinFree,
    /// Where figures for Prometheus are told over HTTP.
    pub metrics: Option<SocketAddr>,
    /// Whether others than this machine may come there.
    pub metrics_beyond_loopback: bool,
    /// What one peer may take from all.
    pub limits: Limits,
    /// Bytes a second.
    pub bandwidth: Bandwidth,
    /// How stored files are verified.
    pub verify: Verify,
    /// What failed logins cost.
    pub penalties: PenaltyRules,
    /// How passwords are hashed.
    pub argon2: Hashing,
    /// What is logged, and how.
    pub log: Log,
    /// Where lines of the audit go; none: to the log.
    pub audit_log: Option<PathBuf>,
}

/// What an acknowledged change outlives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// A power cut: content, names and catalog are synced before the acknowledgement.
    #[default]
    Full,
    /// The end of the process, not a power cut: nothing waits for the disk.
    Relaxed,
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let config: Self = toml::from_str(&text).map_err(|error| ConfigError::parse(path, &text, &error))?;
        config.check(path)?;
        Ok(config)
    }

    /// The file that a flag names; else the one in its usual place; else the defaults.
    pub fn find(named: Option<&Path>) -> Result<Self, ConfigError> {
        match named {
            Some(path) => Self::read(path),
            None if Path::new(PLACE).exists() => Self::read(Path::new(PLACE)),
            None => Ok(Self::default()),
        }
    }

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        if self.certificate.is_some() != self.key.is_some() {
            return Err(ConfigError::HalfIdentity(path.to_owned()));
        }
        if let Some(address) = self.metrics.filter(|address| !address.ip().is_loopback())
            && !self.metrics_beyond_loopback
        {
            return Err(ConfigError::Exposed { path: path.to_owned(), address });
        }
        let own: [Figure; 2] = [
            ("trash_days", u64::from(self.trash_days), 0..=u64::from(MAX_DAYS)),
            ("upload_days", u64::from(self.upload_days), 0..=u64::from(MAX_DAYS)),
        ];
        let sections = [self.limits.figures(), self.verify.figures(), self.penalties.figures(), self.argon2.figures()];
        let mut figures = own.into_iter().chain(sections.into_iter().flatten());
        match figures.find(|(_, value, allowed)| !allowed.contains(value)) {
            Some((key, value, allowed)) => Err(ConfigError::Range { path: path.to_owned(), key, value, allowed }),
            None => Ok(()),
        }
    }
}

/// A rate in bytes a second, or none.
pub fn parse_rate(text: &str) -> Result<Option<u64>, String> {
    match wire::size::parse_limit(text).map_err(|error| error.to_string())? {
        Some(rate) if rate < LOWEST_RATE => {
            Err("below 64K a second it would never end; write none for no limit".to_owned())
        }
        rate => Ok(rate),
    }
}

fn rate<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    parse_rate(&String::deserialize(from)?).map_err(serde::de::Error::custom)
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("/var/lib/catamaran"),
            listen: SocketAddr::from((Ipv6Addr::UNSPECIFIED, wire::DEFAULT_PORT)),
            certificate: None,
            key: None,
            durability: Durability::default(),
            trash_days: 30,
            upload_days: 14,
            landlock: true,
            also_reach: Vec::new(),
            min_free: MinFree::default(),
            metrics: None,
            metrics_beyond_loopback: false,
            limits: Limits::default(),
            bandwidth: Bandwidth::default(),
            verify: Verify::default(),
            penalties: PenaltyRules::default(),
            argon2: Hashing::default(),
            log: Log::default(),
            audit_log: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("server.toml");
        fs::write(&path, text).expect("written");
        Config::read(&path).map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
    }

    #[test]
    fn the_printed_defaults_are_the_defaults() {
        assert_eq!(read(DEFAULTS), Ok(Config::default()));
        assert_eq!(read(""), Ok(Config::default()));
        let uncommented = ["certificate", "key", "metrics"]
            .into_iter()
            .fold(DEFAULTS.to_owned(), |text, key| text.replace(&format!("# {key} ="), &format!("{key} =")));
        let read = read(&uncommented).expect("read");
        assert!(read.certificate.is_some() && read.metrics.is_some(), "settings without a default are shown too");
    }

    #[test]
    fn errors_name_file_key_and_what_is_allowed() {
        let table = [
            ("port = 1", "FILE line 1: unknown field `port`, expected one of `data_dir`, `listen`"),
            ("\n[limits]\nguests = \"many\"", "FILE line 3: invalid type: string \"many\", expected usize in `guests"),
            ("[log]\nlevel = \"loud\"", "FILE line 2: unknown variant `loud`, expected one of `error`, `warn`"),
            ("durability = \"none\"", "FILE line 1: unknown variant `none`, expected `full` or `relaxed`"),
            ("listen = \"everywhere\"", "FILE line 1: "),
            ("listen = ", "FILE line 1: "),
            ("[argon2]\npasses = 1", "FILE: argon2.passes is 1; allowed are 2 to 100"),
            ("[penalties]\nremembered = 9", "FILE: penalties.remembered is 9; allowed are 256 to 1000000"),
            ("key = \"k.pem\"", "FILE: certificate and key go together"),
            ("min_free = \"99%\"", "FILE line 1: a share of a disk is from 1% to 90%"),
            (
                "metrics = \"0.0.0.0:9464\"",
                "FILE: metrics is 0.0.0.0:9464; allowed are addresses of this machine alone",
            ),
        ];
        for (text, expected) in table {
            let error = read(text).expect_err(text);
            assert!(error.starts_with(expected) && !error.contains('\n'), "{text}: {error}");
        }
        let absent = Config::find(Some(Path::new("/nowhere/server.toml"))).expect_err("absent");
        assert_eq!(absent.to_string(), "cannot read the configuration /nowhere/server.toml");
    }
}
