//! What can be wrong with a configuration, told by file and key.

use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

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
    /// Figures would be told to others.
    #[error(
        "{}: metrics is {address}; allowed are addresses of this machine alone, as 127.0.0.1:9464, or others with \
         metrics_beyond_loopback = true",
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Where.
        address: SocketAddr,
    },
    /// A certificate without its key, or the other way around.
    #[error("{}: certificate and key go together; set both or neither", .0.display())]
    HalfIdentity(PathBuf),
}

impl ConfigError {
    /// Names the line of `text` that is not as it should be.
    pub(super) fn parse(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        Self::Parse {
            path: path.to_owned(),
            line: line + 1,
            text: wire::path::escape(text.lines().nth(line).unwrap_or_default().trim().as_bytes()),
            message: error.message().replace('\n', " "),
        }
    }
}
