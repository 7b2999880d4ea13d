//! The command line: flags, what they ask for, and their answers on standard output. One action at
//! a time; with none the daemon runs.

mod act;
mod check;
mod log;
mod print;
mod run;
mod secret;
mod supervisor;

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{ArgGroup, CommandFactory, FromArgMatches, Parser};
use wire::UserName;
use wire::size::{self, SizeError};

use crate::accounts::AccountError;
use crate::catalog::CatalogError;
use crate::config::{ConfigError, MAX_DAYS, Rate};
use crate::custody::CustodyError;
use crate::daemon::StartError;
use crate::datadir::{DataDir, DataDirError};
use crate::identity::IdentityError;
use crate::keys::{FingerprintError, KeyFileError};
use crate::operator::OperatorError;
use crate::reload::ReloadError;
use crate::sandbox::{self, SandboxError, Wall};
use crate::source::{Source, SourceError};

/// The flags, as they stand on the command line and in the environment.
#[derive(Debug, Parser)]
#[command(
    version,
    about = "Catamaran's server: file transfer with proof. Without an action it runs in the foreground.",
    group = ArgGroup::new("action"),
    group = ArgGroup::new("sized"),
    group = ArgGroup::new("sizes").multiple(true),
    group = ArgGroup::new("trashing"),
    group = ArgGroup::new("secret"),
    group = ArgGroup::new("keying"),
    group = ArgGroup::new("list"),
    group = ArgGroup::new("rated"),
    group = ArgGroup::new("round"),
)]
pub struct Flags {
    /// Configuration file [default: /etc/catamaran/server.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of accounts, homes and the server's key; made on first use
    #[arg(long, value_name = "DIR", env = "CATAMARAN_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Where to listen
    #[arg(long, value_name = "ADDR:PORT", env = "CATAMARAN_LISTEN")]
    listen: Option<SocketAddr>,

    /// Make an account, with a home
    #[arg(long, value_name = "NAME", groups = ["action", "sized", "trashing", "secret"])]
    add_user: Option<UserName>,
    /// Remove an account and its files
    #[arg(long, value_name = "NAME", group = "action")]
    remove_user: Option<UserName>,
    /// Give an account another password; its sessions end
    #[arg(long, value_name = "NAME", groups = ["action", "secret"])]
    set_password: Option<UserName>,
    /// Let public keys log in to an account, beside its password: those of FILE, of OpenSSH's form
    #[arg(long, value_name = "NAME", groups = ["action", "keying"], requires = "key")]
    add_key: Option<UserName>,
    /// List the keys that log in to an account, by their fingerprints
    #[arg(long, value_name = "NAME", groups = ["action", "list"])]
    list_keys: Option<UserName>,
    /// Take the key of FINGERPRINT from an account; its sessions end
    #[arg(long, value_name = "NAME", groups = ["action", "keying"], requires = "key")]
    remove_key: Option<UserName>,
    /// Set what an account may hold, with --quota or --max-files
    #[arg(long, value_name = "NAME", groups = ["action", "sized"], requires = "sizes")]
    set_quota: Option<UserName>,
    /// Set for how long an account keeps what its user deletes, with --trash
    #[arg(long, value_name = "NAME", groups = ["action", "trashing"], requires = "trash")]
    set_trash: Option<UserName>,
    /// Set how many bytes a second an account's transfers may take each way, with --rate
    #[arg(long, value_name = "NAME", groups = ["action", "rated"], requires = "rate")]
    set_rate: Option<UserName>,
    /// Refuse an account's logins and end its sessions; its files stay
    #[arg(long, value_name = "NAME", group = "action")]
    lock_user: Option<UserName>,
    /// Let a locked account log in again
    #[arg(long, value_name = "NAME", group = "action")]
    unlock_user: Option<UserName>,
    /// List accounts with their limits and what they hold
    #[arg(long, groups = ["action", "list"])]
    list_users: bool,
    /// List uploads that were begun and not finished
    #[arg(long, groups = ["action", "list"])]
    uploads: bool,
    /// Read stored files and hold them against the hashes they were stored with; of one account, or of all
    #[arg(long, value_name = "NAME", num_args = 0..=1, groups = ["action", "list", "rated", "round"])]
    verify: Option<Option<UserName>>,
    /// Hold the quota ledger against what the homes hold, and change nothing
    #[arg(long, value_name = "NAME", num_args = 0..=1, groups = ["action", "list"])]
    verify_ledger: Option<Option<UserName>>,
    /// Take up homes as they lie on the disk: files put there or changed by hand, what is gone, the quota ledger
    #[arg(long, value_name = "NAME", num_args = 0..=1, groups = ["action", "list", "rated"])]
    rescan: Option<Option<UserName>>,
    /// List sources and users whose logins failed, and how long they are refused
    #[arg(long, groups = ["action", "list"])]
    bans: bool,
    /// Forget what is held against a source, or against all, and print it
    #[arg(long, value_name = "ADDRESS|all", groups = ["action", "list"], value_parser = whose)]
    unban: Option<Whose>,
    /// Print what clients pin: the fingerprint of the server's key
    #[arg(long, group = "action")]
    fingerprint: bool,
    /// Read the configuration and say what is wrong with it, or seldom meant
    #[arg(long, group = "action")]
    check_config: bool,
    /// Print all settings as they are in force, as a configuration file that says what they mean
    #[arg(long, group = "action")]
    print_config: bool,

    /// With --add-key, --remove-key: which
    #[arg(value_name = "FILE|FINGERPRINT", requires = "keying")]
    key: Option<OsString>,
    /// Bytes the account may hold, as in 10G or 512MiB, or none
    #[arg(long, value_name = "SIZE", group = "sizes", requires = "sized", value_parser = quota, allow_negative_numbers = true)]
    quota: Option<Limit>,
    /// Files the account may hold, or none
    #[arg(long, value_name = "N", group = "sizes", requires = "sized", value_parser = max_files, allow_negative_numbers = true)]
    max_files: Option<Limit>,
    /// Days that deleted files stay in the account's trash, or none [default with --add-user: trash_days of the configuration]
    #[arg(long, value_name = "DAYS", requires = "trashing", value_parser = trash, allow_negative_numbers = true)]
    trash: Option<Days>,
    /// Read the password from the first line of standard input instead of asking
    #[arg(long, requires = "secret")]
    password_stdin: bool,
    /// With --remove-user: leave the files where they are
    #[arg(long, requires = "remove_user")]
    keep_files: bool,
    /// With --verify: begin anew, and do not go on where the last one was interrupted
    #[arg(long, requires = "round")]
    from_start: bool,
    /// Bytes a second, as in 50M, none, or default: to read [default: verify.rate of the configuration], or that an
    /// account may transfer
    #[arg(long, value_name = "RATE", requires = "rated")]
    rate: Option<Rate>,
    /// Lists and findings as JSON
    #[arg(long, requires = "list")]
    json: bool,

    /// No action was asked for.
    #[arg(skip)]
    is_daemon: bool,
}

/// A limit of bytes or files; `None` is no limit.
#[derive(Clone, Copy, Debug)]
struct Limit(Option<u64>);

/// Days that something stays in a trash; `None` is no trash.
#[derive(Clone, Copy, Debug)]
struct Days(Option<u32>);

/// Whose penalties; `None` is everybody's.
#[derive(Clone, Copy, Debug)]
struct Whose(Option<Source>);

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// An account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Key and certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The running daemon.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// The daemon did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Stored files.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// A file of public keys.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// What should name a key.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
    /// No password could be read.
    #[error("cannot read a password; on a terminal it is asked for, else use --password-stdin")]
    NoPassword(#[source] io::Error),
    /// It was empty.
    #[error("an empty password is not allowed")]
    EmptyPassword,
    /// The two passwords that were typed differ.
    #[error("the two passwords differ")]
    PasswordsDiffer,
    /// Standard output is closed.
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
    /// The system gives no signals.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
    /// The system gives no threads.
    #[error("cannot start threads")]
    Threads(#[source] io::Error),
    /// A running daemon did not take a configuration over.
    #[error(transparent)]
    Reload(#[from] ReloadError),
    /// The process could not be confined.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

/// Does what the flags ask for.
pub fn run(flags: &Flags) -> Result<Done, CliError> {
    // Before there is any other thread: each is confined as the one that starts it.
    let wall = flags.confine()?;
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::Threads)?;
    let result = runtime.block_on(act::perform(flags, wall));
    // A disk that does not answer is not waited for: what it had not taken was not acknowledged.
    runtime.shutdown_timeout(LAST_TASKS);
    result
}

/// What was asked for is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// And all is well.
    Well,
    /// And something is not as it should be.
    Differs,
}

impl Flags {
    /// What the program exits with. Whoever looks for what is wrong must be able to tell that from having failed to
    /// look.
    pub fn exit_code(&self, result: &Result<Done, CliError>) -> ExitCode {
        match result {
            Ok(Done::Well) => ExitCode::SUCCESS,
            Err(_) if self.verify.is_some() || self.verify_ledger.is_some() => ExitCode::from(NOT_LOOKED),
            Ok(Done::Differs) | Err(_) => ExitCode::FAILURE,
        }
    }

    /// From the command line and the environment.
    pub fn read() -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches()?;
        Ok(Self { is_daemon: !matches.contains_id("action"), ..Self::from_arg_matches(&matches)? })
    }

    fn confine(&self) -> Result<Wall, CliError> {
        if !self.is_daemon {
            return Ok(Wall::Off);
        }
        let config = self.configuration()?;
        DataDir::open(&config.data_dir)?;
        let file = self.config.as_deref().or(Some(Path::new(crate::config::PLACE)));
        Ok(sandbox::confine(&config, file)?)
    }

    /// The configuration that flags, environment and file add up to.
    fn configuration(&self) -> Result<crate::Config, ConfigError> {
        let mut config = crate::Config::find(self.config.as_deref())?;
        config.data_dir = self.data_dir.clone().unwrap_or(config.data_dir);
        config.listen = self.listen.unwrap_or(config.listen);
        Ok(config)
    }
}

/// The name the program was called by.
pub fn program(arguments: impl IntoIterator<Item = OsString>) -> String {
    let called = arguments.into_iter().next().unwrap_or_default();
    let name = Path::new(&called).file_name().unwrap_or("server".as_ref());
    wire::path::escape(name.as_encoded_bytes())
}

/// Says in one line what is wrong with a command line, or shows the help that was asked for.
pub fn explain(program: &str, error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp => finish(write!(io::stdout(), "{text}")),
        ErrorKind::DisplayVersion => finish(writeln!(io::stdout(), "{program} {}", env!("CARGO_PKG_VERSION"))),
        _ => {
            let what = text.split("\n\n").next().unwrap_or_default();
            let what: Vec<&str> = what.lines().map(str::trim).collect();
            let what = what.join(" ");
            complain(program, what.strip_prefix("error: ").unwrap_or(&what));
            ExitCode::from(USAGE)
        }
    }
}

/// One line on standard error. If that is closed, there is nobody to tell.
pub fn complain(program: &str, what: &str) {
    let _ = writeln!(io::stderr(), "{program}: {}", what.replace('\n', " "));
}

fn finish(written: io::Result<()>) -> ExitCode {
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn quota(text: &str) -> Result<Limit, SizeError> {
    size::parse_limit(text).map(Limit)
}

fn max_files(text: &str) -> Result<Limit, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Limit(None));
    }
    let files = text.parse().ok().filter(|files| *files <= i64::MAX as u64);
    files.map(|files| Limit(Some(files))).ok_or_else(|| "not a number of files, nor none".to_owned())
}

fn whose(text: &str) -> Result<Whose, String> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(Whose(None));
    }
    text.parse().map(|source| Whose(Some(source))).map_err(|error: SourceError| format!("{error}, nor all"))
}

fn trash(text: &str) -> Result<Days, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Days(None));
    }
    let days = text.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days));
    days.map(|days| Days(Some(days))).ok_or_else(|| format!("not a number of days up to {MAX_DAYS}, nor none"))
}

/// An error with its causes.
fn in_one_line(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = causes(error).map(ToString::to_string).collect();
    // One that only passes its cause on says the same.
    said.dedup();
    said.join(": ").replace('\n', " ")
}

/// An error, and what it came from.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// For disk tasks that nobody waits for any more.
const LAST_TASKS: Duration = Duration::from_secs(2);
/// What a wrong command line exits with.
const USAGE: u8 = 2;
/// What a look that failed exits with.
const NOT_LOOKED: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_sound() {
        use clap::CommandFactory;
        Flags::command().debug_assert();
    }

    #[test]
    fn a_program_has_the_name_it_was_called_by() {
        assert_eq!(program(["/usr/bin/catamaran-server".into(), "--json".into()]), "catamaran-server");
        assert_eq!(program([]), "server");
    }
}
