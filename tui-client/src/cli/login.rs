//! From flags to an engine: keys, the password, the server's key, and the exit code when it fails.

use std::io::{BufRead, Read, Write, stdin};

use wire::Code;
use wire::message::{MAX_PASSWORD, Secret};

use super::{CONNECT, Common, Face, LOGIN, USAGE, complain, keys};
use crate::config::PASSWORD;
use crate::engine::{self, Accept, ConnectError, Credentials, Engine, KnownServers, Options, Target, Trust};

impl Face {
    /// Connects, asking on the terminal for what was not given.
    pub(super) async fn connect(&self, target: Target, options: Options) -> Result<Engine, u8> {
        let usage = |error: String| {
            complain(&error);
            USAGE
        };
        let password = given(&self.common).await.map_err(usage)?;
        let keys = keys::gather(&self.common, &self.config, password.is_some()).await.map_err(usage)?;
        let mut credentials = Credentials { keys, password };
        if credentials.keys.is_none() && credentials.password.is_none() {
            credentials = Credentials::password(asked(&target).await.map_err(usage)?);
        }
        let mut connected = self.trusting(&target, &credentials, &options).await?;
        if let Err(ConnectError::Login(fault)) = &connected
            && (fault.code, &credentials.password) == (Code::Login, &None)
            && can_ask()
        {
            credentials = Credentials::password(asked(&target).await.map_err(usage)?);
            connected = self.trusting(&target, &credentials, &options).await?;
        }
        connected.map_err(|error| {
            complain(&error.to_string());
            if matches!(error, ConnectError::Login(_)) { LOGIN } else { CONNECT }
        })
    }

    /// Connects, and asks whether to trust a server that is new.
    async fn trusting(
        &self,
        target: &Target,
        credentials: &Credentials,
        options: &Options,
    ) -> Result<Result<Engine, ConnectError>, u8> {
        let accept = match (self.common.fingerprint, self.common.accept_new) {
            (Some(fingerprint), _) => Accept::Fingerprint(fingerprint),
            (None, true) => Accept::New,
            (None, false) => Accept::Ask,
        };
        let known = KnownServers::at(self.places.known_servers());
        let trust = |accept| Trust { known: known.clone(), accept };
        let connect = |accept| engine::connect(target.clone(), credentials.clone(), trust(accept), options.clone());
        match or_interrupted(connect(accept)).await? {
            Err(ConnectError::UnknownServer { server, fingerprint }) => {
                let question = format!(
                    "First time at {server}. Its key is\n  {fingerprint}\nCompare it with `catamaran-server --fingerprint` on that \
                     machine. Trust it and remember it? [y/N] "
                );
                match ask(question).await {
                    Some(answer) if matches!(answer.to_lowercase().as_str(), "y" | "yes") => {
                        or_interrupted(connect(Accept::Fingerprint(fingerprint))).await
                    }
                    _ => Ok(Err(ConnectError::UnknownServer { server, fingerprint })),
                }
            }
            other => Ok(other),
        }
    }
}

/// Asks for the password on the terminal.
async fn asked(target: &Target) -> Result<Secret, String> {
    let prompt = format!("Password of {target}: ");
    let typed = blocking(move || {
        wire::prompt::password(&prompt).map_err(|_| {
            "no password: give --password-stdin or CATAMARAN_PASSWORD, name a key with --identity, or run it on a terminal"
                .to_owned()
        })
    });
    checked(typed.await?)
}

fn checked(password: String) -> Result<Secret, String> {
    if password.len() > MAX_PASSWORD {
        return Err(format!("a password has at most {MAX_PASSWORD} bytes"));
    }
    Ok(Secret(password))
}

/// The password that was given without being asked for: on standard input, else in the environment.
pub(super) async fn given(common: &Common) -> Result<Option<Secret>, String> {
    if common.password_stdin {
        return checked(blocking(read_password).await?).map(Some);
    }
    let Some(password) = std::env::var_os(PASSWORD) else { return Ok(None) };
    checked(password.into_string().map_err(|_| "CATAMARAN_PASSWORD is not UTF-8".to_owned())?).map(Some)
}

/// The first line of standard input, without its end.
fn read_password() -> Result<String, String> {
    let mut line = String::new();
    stdin()
        .lock()
        .take(MAX_PASSWORD as u64 + 3)
        .read_line(&mut line)
        .map_err(|error| format!("the password cannot be read from standard input: {error}"))?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    Ok(password.strip_suffix('\r').unwrap_or(password).to_owned())
}

/// Asks on the terminal, whatever standard input and output are; `None` without one.
pub(super) async fn ask(question: String) -> Option<String> {
    tokio::task::spawn_blocking(move || {
        let mut tty = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
        tty.write_all(question.as_bytes()).and_then(|()| tty.flush()).ok()?;
        let mut line = String::new();
        std::io::BufReader::new(tty).take(1000).read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim().to_owned())
    })
    .await
    .ok()
    .flatten()
}

/// Whether there is a terminal to ask on.
pub(super) fn can_ask() -> bool {
    std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").is_ok()
}

async fn or_interrupted<T>(work: impl Future<Output = T>) -> Result<T, u8> {
    tokio::select! {
        done = work => Ok(done),
        _ = tokio::signal::ctrl_c() => Err(super::INTERRUPTED),
    }
}

/// Waits for what is typed, or takes the disk or the processor for a while.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(error.to_string()))
}
