//! The keys that a login may be proven with, gathered before anything is connected: the file that was named, what an agent
//! holds, and the file where SSH keeps one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use directories::UserDirs;
use zeroize::Zeroizing;

use super::login::{blocking, can_ask};
use super::{Common, complain};
use crate::config::{Config, PASSPHRASE};
use crate::engine::{Agent, Key, KeyFile, KeyFileError, Keyring};

/// All of them, or none. Where a password was given and no key was named, none is looked for: whoever gives one means it.
/// What is wrong with the named one is an error; with SSH's own it is told, and done without.
pub(super) async fn gather(common: &Common, config: &Config, has_password: bool) -> Result<Option<Keyring>, String> {
    let named = common.identity.as_ref().or(config.identity.as_ref()).map(|file| at_home(file));
    if named.is_none() && has_password {
        return Ok(None);
    }
    let mut keyring = Keyring::of_agent(Agent::of_environment());
    let held = keyring.held_by_agent().await;
    if let Some(file) = &named {
        let file = Arc::new(read(file.clone()).await?.map_err(|error| error.to_string())?);
        keyring.name(file.public());
        if !held.contains(&file.public()) {
            keyring.add(unlocked(&file).await?);
        }
    }
    if let Some(usual) = UserDirs::new().map(|user| user.home_dir().join(USUAL)).filter(|usual| usual.exists()) {
        match read(usual).await? {
            Ok(file) if held.contains(&file.public()) || keyring.is_of(&file.public()) => {}
            Ok(file) => match passphrase()? {
                // Nobody named it, so nobody is asked to open it.
                None if file.is_locked() => {}
                given => match open(&Arc::new(file), given.unwrap_or_default()).await {
                    Ok(key) => keyring.add(key),
                    Err(error) => complain(&error),
                },
            },
            Err(error @ (KeyFileError::Exposed { .. } | KeyFileError::Io { .. })) => complain(&error.to_string()),
            Err(error) => tracing::debug!(%error, "SSH's own key is not used"),
        }
    }
    Ok(if keyring.is_empty().await { None } else { Some(keyring) })
}

/// The named key, with the passphrase from the environment, else asked for where it has one.
async fn unlocked(file: &Arc<KeyFile>) -> Result<Key, String> {
    let given = passphrase()?;
    if given.is_some() || !file.is_locked() {
        return open(file, given.unwrap_or_default()).await;
    }
    let shown = file.path().display().to_string();
    if !can_ask() {
        return Err(format!(
            "the key {shown} has a passphrase: give it in {PASSPHRASE}, run this on a terminal, or open it with ssh-add"
        ));
    }
    let (mut tries, mut again) = (TRIES, "");
    loop {
        let question = format!("Passphrase of {shown}{again}: ");
        let typed = blocking(move || wire::prompt::password(&question).map_err(|error| error.to_string())).await?;
        match open(file, Zeroizing::new(typed)).await {
            Err(error) if tries > 1 => complain(&error),
            done => return done,
        }
        (tries, again) = (tries - 1, ", again");
    }
}

/// From the environment.
fn passphrase() -> Result<Option<Zeroizing<String>>, String> {
    let given = std::env::var_os(PASSPHRASE).map(|given| given.into_string().map(Zeroizing::new));
    given.transpose().map_err(|_| format!("{PASSPHRASE} is not UTF-8"))
}

async fn read(file: PathBuf) -> Result<Result<KeyFile, KeyFileError>, String> {
    blocking(move || Ok(KeyFile::read(&file))).await
}

/// With a passphrase it takes a good part of a second.
async fn open(file: &Arc<KeyFile>, passphrase: Zeroizing<String>) -> Result<Key, String> {
    let file = Arc::clone(file);
    blocking(move || file.open(&passphrase).map_err(|error| error.to_string())).await
}

/// A path that may begin with one's home.
fn at_home(file: &Path) -> PathBuf {
    match (file.strip_prefix("~"), UserDirs::new()) {
        (Ok(below), Some(user)) => user.home_dir().join(below),
        _ => file.to_owned(),
    }
}

/// Where SSH keeps a key, below one's home.
const USUAL: &str = ".ssh/id_ed25519";
/// How often a passphrase is asked for.
const TRIES: u32 = 3;
