//! What can be wrong with a configuration, told by file and key.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::text::line_at;

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
    /// The file is not TOML, or a setting is of the wrong kind.
    #[error("{at}: {message} in `{text}`")]
    Parse {
        /// Where.
        at: Place,
        /// That line.
        text: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// There is no such setting.
    #[error("{at}: there is no setting `{key}`; {}", near.as_ref().map_or_else(|| "--print-config shows all".to_owned(), |near| format!("`{near}`?")))]
    Unknown {
        /// Where.
        at: Place,
        /// Its name.
        key: String,
        /// One that may be meant.
        near: Option<String>,
    },
    /// A figure is out of bounds.
    #[error("{at}: {key} is {value}; allowed are {} to {}", allowed.start(), allowed.end())]
    Range {
        /// Where.
        at: Place,
        /// The setting.
        key: &'static str,
        /// Its value.
        value: u64,
        /// What it may be.
        allowed: RangeInclusive<u64>,
    },
    /// Figures would be told to others.
    #[error(
        "{at}: metrics is {address}; allowed are addresses of this machine alone, as 127.0.0.1:9464, or others with \
         metrics_beyond_loopback = true"
    )]
    Exposed {
        /// Where.
        at: Place,
        /// The address.
        address: SocketAddr,
    },
    /// A certificate without its key, or the other way around.
    #[error("{at}: certificate and key go together; {lacks} is not set")]
    HalfIdentity {
        /// Where the one stands.
        at: Place,
        /// The other.
        lacks: &'static str,
    },
    /// A path is no text.
    #[error("the settings cannot be written as TOML")]
    Write(#[from] toml::ser::Error),
}

/// A setting's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// From 1 on; `None`: it is not set there.
    pub line: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.line.map_or(Ok(()), |line| write!(f, " line {line}"))
    }
}

impl ConfigError {
    /// Names the line of `text` that is not as it should be.
    pub(super) fn parse(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let line = line_at(text, error.span().map_or(0, |span| span.start));
        let message =
            error.message().replace('\n', " ").replace(NO_ADDRESS, "not an address with a port, as [::]:7122");
        let numbers = ["usize", "u64", "u32", "u16"].map(|kind| format!("expected {kind}"));
        Self::Parse {
            at: Place { path: path.to_owned(), line: Some(line) },
            text: wire::path::escape(text.lines().nth(line - 1).unwrap_or_default().trim().as_bytes()),
            message: numbers.iter().fold(message, |message, kind| message.replace(kind, "expected a whole number")),
        }
    }
}

/// What the standard library says of a text that is no address.
const NO_ADDRESS: &str = "invalid socket address syntax";
