//! The configuration: every setting with its default, read once from file, environment and flags.
//! `assets/server.toml` is the same as text, for people.

use std::fs;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

/// The commented defaults, as a file to begin from.
pub const DEFAULTS: &str = include_str!("../../assets/server.toml");

/// Where the configuration is looked for when no flag names it.
pub const PLACE: &str = "/etc/catamaran/server.toml";

/// Below this a round takes longer than a file lives.
const LOWEST_RATE: u64 = 64 << 10;

/// A hundred years: the most that something may stay in a trash.
pub const MAX_TRASH_DAYS: u32 = 36_500;

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
    /// What one peer may take from all.
    pub limits: Limits,
    /// How stored files are verified.
    pub verify: Verify,
    /// What failed logins cost.
    pub penalties: PenaltyRules,
    /// How passwords are hashed.
    pub argon2: Hashing,
    /// What is logged, and how.
    pub log: Log,
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

/// What one peer may take from all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at once.
    pub max_connections: usize,
    /// Connections at once from one source: an IPv4 address or an IPv6 /64.
    pub per_source: usize,
    /// Sessions at once of one user.
    pub per_user: usize,
    /// Connections at once that have not logged in.
    pub guests: usize,
    /// Of these, from one source.
    pub guests_per_source: usize,
    /// Seconds from connecting to having logged in.
    pub login_seconds: u64,
    /// Seconds without a byte after which a control connection is dropped.
    pub idle_seconds: u64,
    /// Seconds without progress after which a lane with a running transfer is dropped.
    pub stall_seconds: u64,
    /// Lanes of one session.
    pub lanes_per_session: u16,
    /// Unanswered requests of one session.
    pub requests_in_flight: usize,
    /// Seconds that running transfers have when the server goes down.
    pub drain_seconds: u64,
}

/// How stored files are held against their records.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Verify {
    /// Days from one round of the daemon's to the next; 0: only when it is asked for.
    pub every_days: u32,
    /// Bytes a second that are read; `None`: as fast as it goes.
    #[serde(deserialize_with = "rate")]
    pub rate: Option<u64>,
}

/// What failed logins cost whoever caused them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PenaltyRules {
    /// Failed logins of a user from one source that cost nothing.
    pub user_failures: u32,
    /// The same of all users from one source, with connections that break the protocol before login.
    pub source_failures: u32,
    /// Seconds without a login after the first one too many; each further one doubles them.
    pub first_seconds: u32,
    /// But no more than this.
    pub longest_seconds: u32,
    /// Seconds after which a failure is forgotten, one after another.
    pub forgive_seconds: u32,
    /// Sources, and users from sources, of which something is remembered.
    pub remembered: usize,
}

/// Argon2id's figures, and how many logins are worked on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hashing {
    /// Memory of one hash in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes in it.
    pub lanes: u32,
    /// Hashes at once; 0 is as many as there are cores.
    pub at_once: usize,
    /// Hashes that may wait.
    pub queue: usize,
}

/// What is logged, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// The least that is logged.
    pub level: Level,
    /// For people or for programs.
    pub format: Format,
}

/// The least that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Failures.
    Error,
    /// And what may become one.
    Warn,
    /// And what happens.
    #[default]
    Info,
    /// And why.
    Debug,
    /// And every step.
    Trace,
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not TOML, or a setting is unknown or of the wrong kind.
    #[error("{} line {line}: {message} in `{text}`", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// That line.
        text: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// A figure is out of bounds.
    #[error("{}: {key} is {value}; allowed are {} to {}", path.display(), allowed.start(), allowed.end())]
    Range {
        /// The file.
        path: PathBuf,
        /// The setting.
        key: &'static str,
        /// Its value.
        value: u64,
        /// What it may be.
        allowed: RangeInclusive<u64>,
    },
    /// A certificate without its key, or the other way around.
    #[error("{}: certificate and key go together; set both or neither", .0.display())]
    HalfIdentity(PathBuf),
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let config: Self = toml::from_str(&text).map_err(|error| parse_error(path, &text, &error))?;
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
        let (limits, penalties, argon2) = (&self.limits, &self.penalties, &self.argon2);
        let figures: [(&str, u64, RangeInclusive<u64>); 25] = [
            ("trash_days", u64::from(self.trash_days), 0..=u64::from(MAX_TRASH_DAYS)),
            ("upload_days", u64::from(self.upload_days), 0..=u64::from(MAX_TRASH_DAYS)),
            ("verify.every_days", u64::from(self.verify.every_days), 0..=u64::from(MAX_TRASH_DAYS)),
            ("limits.max_connections", limits.max_connections as u64, 1..=1_000_000),
            ("limits.per_source", limits.per_source as u64, 1..=1_000_000),
            ("limits.per_user", limits.per_user as u64, 1..=1_000_000),
            ("limits.guests", limits.guests as u64, 1..=1_000_000),
            ("limits.guests_per_source", limits.guests_per_source as u64, 1..=1_000_000),
            ("limits.login_seconds", limits.login_seconds, 1..=600),
            // Clients ping every 15 seconds.
            ("limits.idle_seconds", limits.idle_seconds, 20..=86_400),
            ("limits.stall_seconds", limits.stall_seconds, 1..=86_400),
            ("limits.lanes_per_session", u64::from(limits.lanes_per_session), 1..=64),
            ("limits.requests_in_flight", limits.requests_in_flight as u64, 1..=1024),
            ("limits.drain_seconds", limits.drain_seconds, 0..=3600),
            ("penalties.user_failures", u64::from(penalties.user_failures), 1..=1_000_000),
            ("penalties.source_failures", u64::from(penalties.source_failures), 1..=1_000_000),
            ("penalties.first_seconds", u64::from(penalties.first_seconds), 1..=3600),
            ("penalties.longest_seconds", u64::from(penalties.longest_seconds), 1..=86_400),
            ("penalties.forgive_seconds", u64::from(penalties.forgive_seconds), 1..=86_400),
            ("penalties.remembered", penalties.remembered as u64, 256..=1_000_000),
            // No weaker than the default.
            ("argon2.memory_kib", u64::from(argon2.memory_kib), 19_456..=4_194_304),
            ("argon2.passes", u64::from(argon2.passes), 2..=100),
            ("argon2.lanes", u64::from(argon2.lanes), 1..=64),
            ("argon2.at_once", argon2.at_once as u64, 0..=1024),
            ("argon2.queue", argon2.queue as u64, 0..=10_000),
        ];
        match figures.into_iter().find(|(_, value, allowed)| !allowed.contains(value)) {
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

fn parse_error(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let at = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    ConfigError::Parse {
        path: path.to_owned(),
        line: line + 1,
        text: wire::path::escape(text.lines().nth(line).unwrap_or_default().trim().as_bytes()),
        message: error.message().replace('\n', " "),
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
            limits: Limits::default(),
            verify: Verify::default(),
            penalties: PenaltyRules::default(),
            argon2: Hashing::default(),
            log: Log::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            per_source: 64,
            per_user: 32,
            guests: 128,
            guests_per_source: 32,
            login_seconds: 10,
            idle_seconds: 60,
            stall_seconds: 60,
            lanes_per_session: 8,
            requests_in_flight: 64,
            drain_seconds: 10,
        }
    }
}

impl Default for Verify {
    fn default() -> Self {
        Self { every_days: 30, rate: Some(50 << 20) }
    }
}

impl Default for PenaltyRules {
    fn default() -> Self {
        Self {
            user_failures: 5,
            source_failures: 30,
            first_seconds: 5,
            longest_seconds: 300,
            forgive_seconds: 600,
            remembered: 16_384,
        }
    }
}

impl Default for Hashing {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1, at_once: 0, queue: 64 }
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
        let uncommented = DEFAULTS.replace("# certificate =", "certificate =").replace("# key =", "key =");
        assert!(read(&uncommented).expect("read").certificate.is_some(), "settings without a default are shown too");
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
        ];
        for (text, expected) in table {
            let error = read(text).expect_err(text);
            assert!(error.starts_with(expected) && !error.contains('\n'), "{text}: {error}");
        }
        let absent = Config::find(Some(Path::new("/nowhere/server.toml"))).expect_err("absent");
        assert_eq!(absent.to_string(), "cannot read the configuration /nowhere/server.toml");
    }
}
