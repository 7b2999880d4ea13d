//! The daemon in the foreground: its log, its signals, and the line that says it is ready.

use std::io::{self, IsTerminal, Write};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::level_filters::LevelFilter;

use super::CliError;
use crate::config::{Config, Format, Level, Log};
use crate::sandbox::Wall;

/// Runs until SIGTERM or SIGINT; a second one ends it at once.
pub(super) async fn daemon(config: Config, wall: Wall) -> Result<(), CliError> {
    begin_log(&config.log);
    let mut signals = Signals::new().map_err(CliError::Signals)?;
    let shutdown = CancellationToken::new();
    let (memory, descriptors) = (crate::memory::bound(&config), raise_descriptors());
    let running = crate::start(config, shutdown.clone()).await?;
    match wall {
        Wall::Whole | Wall::Off => tracing::info!(landlock = wall.shown(), "sandbox"),
        Wall::Partly | Wall::None => tracing::warn!(landlock = wall.shown(), "sandbox"),
    }
    tracing::info!(address = %running.address, fingerprint = running.fingerprint, "ready");
    tracing::info!(memory, descriptors, "what all connections together may take at the most: bytes, open files");
    if let Some(address) = running.metrics {
        tracing::info!(%address, "metrics");
    }
    writeln!(io::stdout(), "listening on {}", running.address)?;

    let stopped = running.stopped();
    tokio::pin!(stopped);
    tokio::select! {
        () = &mut stopped => return Ok(()),
        () = signals.next() => shutdown.cancel(),
    }
    tracing::info!("going down");
    tokio::select! {
        () = stopped => Ok(()),
        // Not even destructors: whoever asks twice wants it gone, and the next start recovers.
        () = signals.next() => std::process::exit(1),
    }
}

/// As many open files as the system lets this process have: by default it is far fewer. How many that is.
fn raise_descriptors() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files stays as it is");
            limit.current
        }
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn begin_log(log: &Log) {
    let level = match log.level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    let builder = tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(level);
    match log.format {
        Format::Text => builder.with_ansi(io::stderr().is_terminal()).init(),
        Format::Json => builder.json().init(),
    }
}
