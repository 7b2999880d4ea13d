//! The daemon's log on standard error: text or JSON, with the spans of connection, request and transfer. Its level can be
//! changed while it runs; lines of the audit come at any level.

use std::io::{self, IsTerminal};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::audit;
use crate::config::{Format, Level, Log};

/// What of the log can be changed.
#[derive(Debug)]
pub(super) struct LogLevel(reload::Handle<Targets, Registry>);

/// Begins the log of this process.
pub(super) fn begin(log: &Log) -> LogLevel {
    let (filter, handle) = reload::Layer::new(targets(log.level));
    // A standard error that takes nothing, as on a full disk, stops nobody.
    let lines = fmt::layer().with_writer(io::stderr).log_internal_errors(false);
    let lines = match log.format {
        Format::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        Format::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry().with(filter).with(lines).init();
    LogLevel(handle)
}

impl LogLevel {
    /// From now on.
    pub(super) fn set(&self, level: Level) {
        if let Err(error) = self.0.reload(targets(level)) {
            tracing::error!(%error, "the level of the log stays as it was");
        }
    }
}

fn targets(level: Level) -> Targets {
    let level = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    Targets::new().with_default(level).with_target(audit::TARGET, LevelFilter::INFO)
}
