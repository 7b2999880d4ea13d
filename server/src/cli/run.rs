//! The daemon in the foreground: its signals, and the line that says it is ready.

use std::io::{self, IsTerminal, Write};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::log::{self, LogLevel};
use super::supervisor;
use super::{CliError, Flags};
use crate::Running;
use crate::config::Config;
use crate::sandbox::Wall;

/// Runs until SIGTERM or SIGINT; a second one ends it at once. SIGHUP has it read its configuration anew.
pub(super) async fn daemon(flags: &Flags, config: Config, wall: Wall) -> Result<(), CliError> {
    let level = log::begin(&config.log);
    let mut signals = Signals::new().map_err(CliError::Signals)?;
    let is_attended = io::stderr().is_terminal();
    let mut hangup = signal(SignalKind::hangup()).map_err(CliError::Signals)?;
    let shutdown = CancellationToken::new();
    let doubts = super::act::doubts(&config);
    let (memory, descriptors) = (crate::memory::bound(&config), raise_descriptors());
    let mut running = crate::start(config, shutdown.clone()).await?;
    match wall {
        Wall::Whole | Wall::Off => tracing::info!(landlock = wall.shown(), "sandbox"),
        Wall::Partly | Wall::None => tracing::warn!(landlock = wall.shown(), "sandbox"),
    }
    doubts.iter().for_each(|doubt| tracing::warn!("{doubt}"));
    tracing::info!(address = %running.address, fingerprint = running.fingerprint, "ready");
    tracing::info!(memory, descriptors, "what all connections together may take at the most: bytes, open files");
    if let Some(address) = running.metrics {
        tracing::info!(%address, "metrics");
    }
    writeln!(io::stdout(), "listening on {}", running.address)?;
    supervisor::ready();
    tokio::spawn(supervisor::live());

    loop {
        tokio::select! {
            () = running.stopped() => return Ok(()),
            () = signals.next() => break,
            // Its terminal was closed: nobody asked for a reload.
            _ = hangup.recv() => match is_attended && !io::stderr().is_terminal() {
                true => break,
                false => {
                    supervisor::reloading();
                    reload(flags, &mut running, &level);
                    supervisor::ready();
                }
            },
        }
    }
    supervisor::stopping();
    shutdown.cancel();
    tokio::select! {
        () = running.stopped() => Ok(()),
        // Not even destructors: whoever asks twice wants it gone, and the next start recovers.
        () = signals.next() => std::process::exit(1),
    }
}

/// Takes the configuration over as it is now, with the same flags; or nothing of it, and says why.
fn reload(flags: &Flags, running: &mut Running, level: &LogLevel) {
    let read = flags.configuration().map_err(CliError::Config);
    let (log, memory, doubts) = match &read {
        Ok(config) => (config.log.level, crate::memory::bound(config), super::act::doubts(config)),
        Err(error) => return refuse(error),
    };
    match read.and_then(|config| Ok(running.reload(config)?)) {
        Ok(reloaded) => {
            level.set(log);
            for key in reloaded.kept {
                tracing::warn!(key, "this setting counts only from the next start on");
            }
            if reloaded.fingerprint != running.fingerprint {
                let (before, now) = (&running.fingerprint, &reloaded.fingerprint);
                tracing::warn!(before, now, "another key: clients that know the former one refuse it");
                running.fingerprint = reloaded.fingerprint;
            }
            doubts.iter().for_each(|doubt| tracing::warn!("{doubt}"));
            tracing::info!(memory, "the configuration was taken over");
        }
        Err(error) => refuse(&error),
    }
}

fn refuse(error: &CliError) {
    let mut causes = super::causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
    let hint = causes.any(|cause| cause.kind() == io::ErrorKind::PermissionDenied);
    let hint = hint.then_some("files beside those of the start can be read; others need a restart");
    let error = super::in_one_line(error);
    tracing::error!(error, hint, "the configuration was not taken over, and all stays as it is");
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
