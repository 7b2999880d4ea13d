//! The configuration: every setting with its default, from file, environment and flags; a section, a file.
//! `assets/server.toml` is the same as text, for people.

mod bandwidth;
mod doubts;
mod error;
mod floor;
mod hashing;
mod limits;
mod live;
mod log;
mod penalties;
mod text;
mod verify;

use std::fs;
use std::net::{Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use bandwidth::{Bandwidth, Rate};
pub use error::{ConfigError, Place};
pub use floor::MinFree;
pub use hashing::Hashing;
pub use limits::Limits;
pub use live::Live;
pub use log::{Format, Level, Log};
pub use penalties::PenaltyRules;
pub use verify::Verify;

use text::Lines;

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
        let wrong = |error| ConfigError::parse(path, &text, &error);
        let lines = Lines::of(&text).map_err(wrong)?;
        let place = |line| Place { path: path.to_owned(), line };
        if let Some((key, line)) = lines.unknown() {
            let (key, near) = (wire::path::escape(key.as_bytes()), text::nearest(key));
            return Err(ConfigError::Unknown { at: place(Some(line)), key, near });
        }
        let config: Self = toml::from_str(&text).map_err(wrong)?;
        config.check(|key| place(lines.line(key)))?;
        Ok(config)
    }

    /// All settings with their values and what they mean, as a file that is read as just these.
    pub fn text(&self) -> Result<String, ConfigError> {
        Ok(text::filled(&toml::Table::try_from(self)?))
    }

    /// The file that a flag names; else the one in its usual place; else the defaults.
    pub fn find(named: Option<&Path>) -> Result<Self, ConfigError> {
        match named {
            Some(path) => Self::read(path),
            None if Path::new(PLACE).exists() => Self::read(Path::new(PLACE)),
            None => Ok(Self::default()),
        }
    }

    fn check(&self, at: impl Fn(&str) -> Place) -> Result<(), ConfigError> {
        match (&self.certificate, &self.key) {
            (Some(_), None) => return Err(ConfigError::HalfIdentity { at: at("certificate"), lacks: "key" }),
            (None, Some(_)) => return Err(ConfigError::HalfIdentity { at: at("key"), lacks: "certificate" }),
            _ => {}
        }
        if let Some(address) = self.metrics.filter(|address| !address.ip().is_loopback())
            && !self.metrics_beyond_loopback
        {
            return Err(ConfigError::Exposed { at: at("metrics"), address });
        }
        let own: [Figure; 2] = [
            ("trash_days", u64::from(self.trash_days), 0..=u64::from(MAX_DAYS)),
            ("upload_days", u64::from(self.upload_days), 0..=u64::from(MAX_DAYS)),
        ];
        let sections = [self.limits.figures(), self.verify.figures(), self.penalties.figures(), self.argon2.figures()];
        let mut figures = own.into_iter().chain(sections.into_iter().flatten());
        match figures.find(|(_, value, allowed)| !allowed.contains(value)) {
            Some((key, value, allowed)) => Err(ConfigError::Range { at: at(key), key, value, allowed }),
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

/// A rate as it stands in a file.
mod rate {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        super::parse_rate(&String::deserialize(from)?).map_err(de::Error::custom)
    }

    pub(super) fn serialize<S: Serializer>(rate: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&wire::size::limit_text(*rate))
    }
}

/// A size as it stands in a file.
mod size {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        wire::size::parse(&String::deserialize(from)?).map_err(de::Error::custom)
    }

    pub(super) fn serialize<S: Serializer>(size: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&wire::size::limit_text(Some(*size)))
    }
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
        let uncommented = ["certificate", "key", "metrics", "audit_log"]
            .into_iter()
            .fold(DEFAULTS.to_owned(), |text, key| text.replace(&format!("# {key} ="), &format!("{key} =")));
        let read = read(&uncommented).expect("read");
        assert!(read.certificate.is_some() && read.metrics.is_some(), "settings without a default are shown too");
    }

    #[test]
    fn what_is_printed_is_read_as_what_is_in_force() {
        assert_eq!(Config::default().text().expect("printed"), DEFAULTS);
        let other = Config {
            data_dir: "/srv/\"odd\" path".into(),
            certificate: Some("c.pem".into()),
            key: Some("k.pem".into()),
            durability: Durability::Relaxed,
            also_reach: vec!["/mnt/a".into(), "/mnt/b".into()],
            min_free: MinFree::Percent(7),
            metrics: Some(([127, 0, 0, 1], 9464).into()),
            limits: Limits { guests: 7, ..Limits::default() },
            bandwidth: Bandwidth { total: Some(123_456_789), per_user: None },
            verify: Verify { rate: None, ..Verify::default() },
            log: Log { level: Level::Trace, format: Format::Json },
            audit_log: Some("/var/log/a".into()),
            ..Config::default()
        };
        let text = other.text().expect("printed");
        assert_eq!(read(&text), Ok(other));
        assert_eq!(text.lines().count(), DEFAULTS.lines().count(), "with all that is said of them");
    }

    #[test]
    fn errors_name_file_key_and_what_is_allowed() {
        let table = [
            ("port = 1", "FILE line 1: there is no setting `port`; --print-config shows all"),
            ("\nlistn = \"x\"", "FILE line 2: there is no setting `listn`; `listen`?"),
            ("[limits]\n\nguest = 1", "FILE line 3: there is no setting `limits.guest`; `limits.guests`?"),
            ("limits.per_usr = 1", "FILE line 1: there is no setting `limits.per_usr`; `limits.per_user`?"),
            ("[limit]\nguests = 1", "FILE line 2: there is no setting `limit.guests`; `limits.guests`?"),
            ("drain_seconds = 1", "FILE line 1: there is no setting `drain_seconds`; `limits.drain_seconds`?"),
            ("a = 1\n\"\\u001b[2J\" = 1", "FILE line 1: there is no setting `a`"),
            (
                "\n[limits]\nguests = \"many\"",
                "FILE line 3: invalid type: string \"many\", expected a whole number in `gu",
            ),
            ("[limits]\nguests = -1", "FILE line 2: invalid value: integer `-1`, expected a whole number"),
            ("[log]\nlevel = \"loud\"", "FILE line 2: unknown variant `loud`, expected one of `error`, `warn`"),
            ("durability = \"none\"", "FILE line 1: unknown variant `none`, expected `full` or `relaxed`"),
            ("listen = \"everywhere\"", "FILE line 1: not an address with a port, as [::]:7122 in `listen"),
            ("listen = ", "FILE line 1: "),
            ("[argon2]\npasses = 1", "FILE line 2: argon2.passes is 1; allowed are 2 to 100"),
            ("\n\n[penalties]\nremembered = 9", "FILE line 4: penalties.remembered is 9; allowed are 256 to 1000000"),
            ("\nkey = \"k.pem\"", "FILE line 2: certificate and key go together; certificate is not set"),
            ("limits = { guests = 0 }", "FILE line 1: limits.guests is 0; allowed are 1 to 1000000"),
            ("min_free = \"99%\"", "FILE line 1: a share of a disk is from 1% to 90%"),
            (
                "metrics = \"0.0.0.0:9464\"",
                "FILE line 1: metrics is 0.0.0.0:9464; allowed are addresses of this machine alone",
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
