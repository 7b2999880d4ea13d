//! The command line: what can be said, and the way from there to a face of the engine. The one-shot
//! commands print and end; they know no screen.

mod browse;
mod keys;
mod log;
mod login;
mod output;
mod questions;
mod report;
mod screen;
mod sync;
mod transfer;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, DEFAULTS, parse_if_exists, parse_rate};
use crate::engine::status::IfExists;
use crate::engine::{Fingerprint, Target};
use crate::keymap::{Keymap, keys_file};
use crate::manual;
use crate::places::Places;
use output::Output;
pub use sync::{ByWhat, To};

/// Everything done and proven.
pub const DONE: u8 = 0;
/// Something failed.
pub const FAILED: u8 = 1;
/// The command line or the configuration is wrong.
pub const USAGE: u8 = 2;
/// No connection, or not the right server.
pub const CONNECT: u8 = 3;
/// User and password were not accepted.
pub const LOGIN: u8 = 4;
/// Something did not fit the quota.
pub const QUOTA: u8 = 5;
/// Stopped by Ctrl-C; partial files stay for the next try.
pub const INTERRUPTED: u8 = 130;

/// Catamaran: transfers files, proven at both ends.
///
/// Without a command, opens the full-screen client.
///
/// Exit codes: 0 all done and proven, 1 some failed, 2 usage, 3 connect or server identity, 4 login,
/// 5 quota.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// Where to connect to at once
    #[arg(value_name = "USER@HOST[:PORT]")]
    pub target: Option<Target>,
    /// Where the local pane opens
    #[arg(long, value_name = "DIR")]
    pub local: Option<PathBuf>,
    /// Print a keys.toml with every action and its keys, and end
    #[arg(long)]
    pub print_keys: bool,
    /// Print a client.toml with every setting and its default, and end
    #[arg(long)]
    pub print_config: bool,
    /// Print the manual, and end
    #[arg(long)]
    pub manual: bool,
    /// For every command.
    #[command(flatten)]
    pub common: Common,
    /// A one-shot command.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags of every command.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Read the password from standard input (else CATAMARAN_PASSWORD, else it is asked for)
    #[arg(long, global = true)]
    pub password_stdin: bool,
    /// Log in with this private key [default: `identity` of client.toml, the keys of an SSH agent, ~/.ssh/id_ed25519]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Trust a server that is not known yet, and remember its key
    #[arg(long, global = true, conflicts_with = "fingerprint")]
    pub accept_new: bool,
    /// Trust exactly this key, and remember it
    #[arg(long, global = true, value_name = "HEX")]
    pub fingerprint: Option<Fingerprint>,
    /// Print JSON, one object a line
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress and no summary
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// The one-shot commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Upload files into a remote directory, which is made with its parents if it is missing
    Put {
        /// The account
        #[arg(value_name = "USER@HOST[:PORT]")]
        target: Target,
        /// Local files, and last the remote directory
        #[arg(value_name = "LOCAL… REMOTE_DIR", required = true)]
        paths: Vec<OsString>,
        /// How.
        #[command(flatten)]
        how: How,
    },
    /// Download files into a local directory, which is made if it is missing
    Get {
        /// The account
        #[arg(value_name = "USER@HOST[:PORT]")]
        target: Target,
        /// Remote files, and last the local directory
        #[arg(value_name = "REMOTE… LOCAL_DIR", required = true)]
        paths: Vec<OsString>,
        /// How.
        #[command(flatten)]
        how: How,
    },
    /// List directories
    Ls {
        /// The account
        #[arg(value_name = "USER@HOST[:PORT]")]
        target: Target,
        /// Remote directories or files; the home if left out
        #[arg(value_name = "REMOTE")]
        paths: Vec<OsString>,
    },
    /// Make directories
    Mkdir {
        /// The account
        #[arg(value_name = "USER@HOST[:PORT]")]
        target: Target,
        /// Remote directories
        #[arg(value_name = "REMOTE", required = true)]
        paths: Vec<OsString>,
        /// Also those above; and it is no failure when they are there already
        #[arg(short, long)]
        parents: bool,
    },
    /// Remove files and empty directories
    Rm {
        /// The account
        #[arg(value_name = "USER@HOST[:PORT]")]
        target: Target,
        /// Remote files and directories
        #[arg(value_name = "REMOTE", required = true)]
        paths: Vec<OsString>,
        /// Directories with all they hold
        #[arg(short, long)]
        recursive: bool,
        /// To the account's trash, directories with all they hold
        #[arg(long, conflicts_with = "recursive")]
        trash: bool,
    },
    /// Move or rename, within the home
    Mv {
        /// The account
        #[arg(value_name = "USER@HOST[:PORT]")]
        target: Target,
        /// What
        from: OsString,
        /// Its new path, or a directory it goes into; nothing is replaced
        to: OsString,
    },
    /// Copy within the home, at the server
    Cp {
        /// The account
        #[arg(value_name = "USER@HOST[:PORT]")]
        target: Target,
        /// What; a directory with all it holds
        from: OsString,
        /// The copy's path, or a directory it goes into; nothing is replaced
        to: OsString,
    },
    /// Show quota and use
    Df {
        /// The account
        #[arg(value_name = "USER@HOST[:PORT]")]
        target: Target,
    },
    /// Make one directory like the other, with all it holds: what differs is copied, conflicts are left and told
    Sync {
        /// The account
        #[arg(value_name = "USER@HOST[:PORT]")]
        target: Target,
        /// The directory on this machine
        #[arg(value_name = "LOCAL_DIR")]
        local: OsString,
        /// The directory at the server
        #[arg(value_name = "REMOTE_DIR")]
        remote: OsString,
        /// How.
        #[command(flatten)]
        how: Syncing,
    },
    /// Show what is known of files, with their BLAKE3
    Stat {
        /// The account
        #[arg(value_name = "USER@HOST[:PORT]")]
        target: Target,
        /// Remote files and directories
        #[arg(value_name = "REMOTE", required = true)]
        paths: Vec<OsString>,
    },
}

/// How to transfer.
#[derive(Clone, Debug, Args)]
pub struct How {
    /// Directories with all they hold, into a directory of the same name
    #[arg(short, long)]
    pub recursive: bool,
    /// For targets that exist with other content: ask, overwrite, newer, skip, rename or update
    #[arg(long, value_name = "WHAT", value_parser = parse_if_exists)]
    pub if_exists: Option<IfExists>,
    /// Connections for transfers
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub lanes: Option<u16>,
    /// Bytes a second, as in 500K or 2MiB, or none
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub limit: Option<Rate>,
    /// Give up after this many seconds without a connection
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub retry_for: u64,
}

/// How to synchronise.
#[derive(Clone, Debug, Args)]
pub struct Syncing {
    /// Which side becomes like the other
    #[arg(long, value_enum, default_value = "remote")]
    pub to: To,
    /// Delete there what the other side does not have
    #[arg(long)]
    pub delete: bool,
    /// With --delete: at the server, to the account's trash
    #[arg(long, requires = "delete")]
    pub trash: bool,
    /// What makes files differ
    #[arg(long, value_name = "WHAT", value_enum, default_value = "size,time")]
    pub by: ByWhat,
    /// Print what would be done and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Connections for transfers
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub lanes: Option<u16>,
    /// Bytes a second, as in 500K or 2MiB, or none
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub limit: Option<Rate>,
    /// Give up after this many seconds without a connection
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub retry_for: u64,
}

impl Syncing {
    /// The part that all transfers have.
    fn how(&self) -> How {
        let Self { lanes, limit, retry_for, .. } = *self;
        How { recursive: true, if_exists: None, lanes, limit, retry_for }
    }
}

/// A bandwidth limit in bytes a second, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub Option<u64>);

fn rate(text: &str) -> Result<Rate, String> {
    parse_rate(text).map(Rate)
}

/// Runs what the command line says; the exit code.
pub async fn run(arguments: Arguments) -> u8 {
    let printed = [
        arguments.manual.then(|| manual::markdown(&Keymap::default())),
        arguments.print_keys.then(keys_file),
        arguments.print_config.then(|| DEFAULTS.to_owned()),
    ];
    if let Some(text) = printed.into_iter().flatten().next() {
        output::print(text.trim_end());
        return DONE;
    }
    let prepared = Places::of_user().map_err(|error| error.to_string()).and_then(|places| {
        Config::read(&places.client_toml()).map(|config| (places, config)).map_err(|error| error.to_string())
    });
    let (places, config) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            complain(&error);
            return USAGE;
        }
    };
    let _log = log::start(&places);
    let Some(command) = arguments.command else {
        return screen::run(arguments, places, config).await;
    };
    if arguments.target.is_some() || arguments.local.is_some() {
        complain("USER@HOST goes after the command, and --local is for the full-screen client");
        return USAGE;
    }
    let face = Face { output: Output::new(&arguments.common), common: arguments.common, places, config };
    match face.run(command).await {
        Ok(()) => DONE,
        Err(code) => code,
    }
}

/// Says on standard error what is wrong, under the name the program was called by.
pub fn complain(message: &str) {
    output::complain(message);
}

/// What every one-shot command works with.
struct Face {
    common: Common,
    output: Output,
    places: Places,
    config: Config,
}

impl Face {
    async fn run(&self, command: Command) -> Result<(), u8> {
        match command {
            Command::Put { target, paths, how } => self.put(target, paths, &how).await,
            Command::Get { target, paths, how } => self.get(target, paths, &how).await,
            Command::Ls { target, paths } => self.ls(target, paths).await,
            Command::Mkdir { target, paths, parents } => self.mkdir(target, paths, parents).await,
            Command::Rm { target, paths, trash: true, .. } => self.trash(target, paths).await,
            Command::Rm { target, paths, recursive, .. } => self.rm(target, paths, recursive).await,
            Command::Mv { target, from, to } => self.mv(target, &from, &to).await,
            Command::Cp { target, from, to } => self.cp(target, &from, &to).await,
            Command::Df { target } => self.df(target).await,
            Command::Sync { target, local, remote, how } => self.sync(target, local, remote, &how).await,
            Command::Stat { target, paths } => self.stat(target, paths).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound_and_takes_flags_anywhere() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
        let lines = [
            "x put ada@h a b /dir -r --json --limit 1M",
            "x --json put -r --limit 1M ada@h a b /dir",
            "x put --json ada@h -r a --limit 1M b /dir",
        ];
        for line in lines {
            let arguments = Arguments::try_parse_from(line.split(' ')).expect(line);
            assert!(arguments.common.json);
            let Some(Command::Put { paths, how, .. }) = arguments.command else { panic!("{line}") };
            assert_eq!((paths.len(), how.recursive, how.limit), (3, true, Some(Rate(Some(1 << 20)))));
        }
        for bad in [
            "x put ada@h",
            "x put ada a b",
            "x get ada@h a b --limit 0",
            "x put ada@h a b --if-exists no",
            "x ls ada@h --fingerprint 12",
        ] {
            assert!(Arguments::try_parse_from(bad.split(' ')).is_err(), "{bad}");
        }
    }
}
