//! From the command line to the full-screen client.

use super::{Arguments, DONE, FAILED, USAGE, complain, keys, login};
use crate::config::Config;
use crate::engine::{Accept, KnownServers};
use crate::places::{Places, start_directory};
use crate::runtime::{self, Looks, RunError, Settings};

/// Runs it; the exit code.
pub(super) async fn run(arguments: Arguments, places: Places, config: Config) -> u8 {
    let common = &arguments.common;
    if common.json || common.quiet {
        complain("--json and --quiet are for the one-shot commands");
        return USAGE;
    }
    let prepared = match login::given(common).await {
        Ok(password) => keys::gather(common, &config, password.is_some()).await.map(|keys| (password, keys)),
        Err(error) => Err(error),
    };
    let (password, keys) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            complain(&error);
            return USAGE;
        }
    };
    let accept = match (common.fingerprint, common.accept_new) {
        (Some(fingerprint), _) => Accept::Fingerprint(fingerprint),
        (None, true) => Accept::New,
        (None, false) => Accept::Ask,
    };
    let settings = Settings {
        local: start_directory(arguments.local.as_deref(), config.local_dir.as_deref()),
        target: arguments.target,
        password,
        keys,
        accept,
        known: KnownServers::at(places.known_servers()),
        state: places.state.clone(),
        options: config.options(),
        if_exists: config.if_exists,
        on_end: config.queue.on_end.clone(),
        looks: Looks::of(&config, places.config.clone(), places.state.clone()),
        hide_dots: !config.show_hidden,
    };
    match runtime::run(settings).await {
        Ok(()) => DONE,
        Err(error) => {
            complain(&error.to_string());
            // Without a terminal it is the command line that was wrong: a one-shot command was meant.
            if matches!(error, RunError::Terminal(_)) { USAGE } else { FAILED }
        }
    }
}
