//! Flags become actions here, and actions are done.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use wire::UserName;
use wire::path::escape;
use wire::size;

use super::{CliError, Days, Done, Flags, Limit, Whose, check, print, run, secret};
use crate::accounts::{AccountError, Accounts, Home};
use crate::audit::{self, Entry, operator};
use crate::catalog::CatalogError;
use crate::config::{Config, Rate};
use crate::datadir::DataDir;
use crate::identity::Identity;
use crate::keys::{self, Fingerprint};
use crate::memory;
use crate::operator;
use crate::sandbox::Wall;

/// Does what the flags ask for, and leaves a line for the audit of what that changed.
pub(super) async fn perform(flags: &Flags, wall: Wall) -> Result<Done, CliError> {
    let result = perform_it(flags, wall).await;
    let outcome = match &result {
        Ok(_) => "done",
        Err(CliError::Account(AccountError::Left { .. })) => "io",
        // Nothing was changed.
        Err(_) => return result,
    };
    if let Some(entry) = deed(flags) {
        let entry = Entry { by: Some(operator(geteuid().as_raw())), outcome: outcome.into(), ..entry };
        let dir = DataDir::open(&flags.configuration()?.data_dir)?;
        if let Err(error) = audit::leave(&dir, &entry) {
            let program = super::program(std::env::args_os());
            super::complain(&program, &format!("it is done, but there is no line of the audit for it: {error}"));
        }
    }
    result
}

/// What the flags change, for the audit.
fn deed(flags: &Flags) -> Option<Entry> {
    let entry = |verb, user: &UserName| Entry { user: Some(user.to_string()), ..Entry::now(verb) };
    let shown = |what, limit: Option<u64>| {
        format!("{what} {}", limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string()))
    };
    let rate = flags.rate.filter(|_| flags.set_rate.is_some()).map(|rate| match rate {
        Rate::Configured => "rate default".to_owned(),
        rate => shown("rate", rate.limit(None)),
    });
    let values = [
        flags.quota.map(|Limit(quota)| shown("quota", quota)),
        flags.max_files.map(|Limit(files)| shown("max_files", files)),
        flags.trash.map(|Days(days)| shown("trash", days.map(u64::from))),
        rate,
    ];
    let values: Vec<String> = values.into_iter().flatten().collect();
    let key = flags.key.as_deref().unwrap_or_default();
    let keys = || {
        let keys = keys::read(Path::new(key)).unwrap_or_default();
        keys.iter().map(|named| Fingerprint::of(&named.key).to_string()).collect::<Vec<_>>().join(", ")
    };
    let value = Some(values.join(", ")).filter(|value| !value.is_empty());
    let of = |verb, user: &Option<UserName>| user.as_ref().map(|user| entry(verb, user));
    of("add_user", &flags.add_user)
        .or_else(|| of("set_quota", &flags.set_quota))
        .or_else(|| of("set_trash", &flags.set_trash))
        .or_else(|| of("set_rate", &flags.set_rate))
        .map(|entry| Entry { value, ..entry })
        .or_else(|| of("add_key", &flags.add_key).map(|entry| Entry { value: Some(keys()), ..entry }))
        .or_else(|| {
            of("remove_key", &flags.remove_key).map(|entry| Entry { value: key.to_str().map(str::to_owned), ..entry })
        })
        .or_else(|| of("remove_user", &flags.remove_user))
        .or_else(|| of("set_password", &flags.set_password))
        .or_else(|| of("lock_user", &flags.lock_user))
        .or_else(|| of("unlock_user", &flags.unlock_user))
        .or_else(|| flags.rescan.as_ref().and_then(|user| of("rescan", user).or_else(|| Some(Entry::now("rescan")))))
}

async fn perform_it(flags: &Flags, wall: Wall) -> Result<Done, CliError> {
    if let Some(name) = &flags.verify {
        return check::verify(flags, &flags.configuration()?, name.as_ref()).await;
    }
    if let Some(name) = &flags.verify_ledger {
        return check::ledger(flags, &flags.configuration()?, name.as_ref()).await;
    }
    if let Some(name) = &flags.rescan {
        return check::rescan(flags, &flags.configuration()?, name.as_ref()).await;
    }
    act(flags, wall).await.map(|()| Done::Well)
}

async fn act(flags: &Flags, wall: Wall) -> Result<(), CliError> {
    let config = flags.configuration()?;
    if flags.print_config {
        return Ok(io::stdout().write_all(config.text()?.as_bytes())?);
    }
    if flags.check_config {
        return check(&config);
    }
    if flags.fingerprint {
        let identity = Identity::open(&config, &DataDir::open(&config.data_dir)?)?;
        return Ok(writeln!(io::stdout(), "{}", identity.fingerprint())?);
    }
    if let Some(name) = &flags.add_user {
        return add(flags, &config, name).await;
    }
    if let Some(name) = &flags.remove_user {
        let home = if flags.keep_files { Home::Keep } else { Home::Delete };
        return Ok(Accounts::open(&config)?.remove(name, home).await?);
    }
    if let Some(name) = &flags.set_password {
        let accounts = Accounts::open(&config)?;
        accounts.require(name).await?;
        let password = secret::read(flags, name)?;
        return Ok(accounts.set_password(name, password).await?);
    }
    if let Some(name) = &flags.add_key {
        return add_keys(&config, name, flags.key.as_deref().unwrap_or_default()).await;
    }
    if let Some(name) = &flags.list_keys {
        let keys = Accounts::open(&config)?.catalog.keys(name).await?;
        return Ok(print::keys(&mut io::stdout(), &keys, flags.json)?);
    }
    if let Some(name) = &flags.remove_key {
        return remove_key(&config, name, flags.key.as_deref().unwrap_or_default()).await;
    }
    if let Some(name) = &flags.set_quota {
        return set_limits(flags, &config, name).await;
    }
    if let (Some(name), Some(Days(days))) = (&flags.set_trash, flags.trash) {
        return Ok(Accounts::open(&config)?.catalog.set_trash(name, days).await?);
    }
    if let (Some(name), Some(rate)) = (&flags.set_rate, flags.rate) {
        return Ok(Accounts::open(&config)?.catalog.set_rate(name, rate).await?);
    }
    if let Some(name) = &flags.lock_user {
        return Ok(Accounts::open(&config)?.catalog.set_locked(name, true).await?);
    }
    if let Some(name) = &flags.unlock_user {
        return Ok(Accounts::open(&config)?.catalog.set_locked(name, false).await?);
    }
    if flags.list_users {
        let users = Accounts::open(&config)?.catalog.users().await?;
        return Ok(print::users(&mut io::stdout(), &users, flags.json)?);
    }
    if flags.uploads {
        let accounts = Accounts::open(&config)?;
        let uploads = accounts.catalog.uploads().await?;
        return Ok(print::uploads(&mut io::stdout(), &accounts.dir, &uploads, flags.json)?);
    }
    if flags.bans {
        let held = operator::bans(&DataDir::open(&config.data_dir)?).await?;
        return Ok(print::bans(&mut io::stdout(), &held, flags.json)?);
    }
    if let Some(Whose(whose)) = flags.unban {
        let lifted = operator::unban(&DataDir::open(&config.data_dir)?, whose).await?;
        return Ok(print::bans(&mut io::stdout(), &lifted, flags.json)?);
    }
    run::daemon(flags, config, wall).await
}

/// Also reads the operator's certificate, which only the daemon would otherwise miss.
fn check(config: &Config) -> Result<(), CliError> {
    if let (Some(certificate), Some(key)) = (&config.certificate, &config.key) {
        Identity::read(certificate, key)?.tls()?;
    }
    let memory = size::show(memory::bound(config));
    writeln!(io::stdout(), "the configuration is good; with it the server takes at most {memory} of memory")?;
    for doubt in doubts(config) {
        writeln!(io::stdout(), "but {doubt}")?;
    }
    Ok(())
}

/// What is allowed and seldom meant, also of the files that are named.
pub(super) fn doubts(config: &Config) -> Vec<String> {
    let mut doubts = config.doubts();
    let open = |key: &PathBuf| fs::metadata(key).is_ok_and(|found| found.mode() & 0o007 != 0);
    if let Some(key) = config.key.as_ref().filter(|key| open(key)) {
        doubts.push(format!("key is {}, which everybody may read or write", key.display()));
    }
    doubts
}

async fn add(flags: &Flags, config: &Config, name: &UserName) -> Result<(), CliError> {
    let accounts = Accounts::open(config)?;
    accounts.require_new(name).await?;
    let password = secret::read(flags, name)?;
    let limit = |limit: Option<Limit>| limit.and_then(|limit| limit.0);
    let trash = match flags.trash {
        Some(Days(days)) => days,
        None => Some(config.trash_days).filter(|days| *days > 0),
    };
    let found = accounts.add(name, password, limit(flags.quota), limit(flags.max_files), trash).await?;
    if found.files > 0 {
        let bytes = size::show(found.bytes);
        writeln!(io::stdout(), "took up what was in the home: {} files, {bytes}", found.files)?;
    }
    Ok(())
}

async fn add_keys(config: &Config, name: &UserName, file: &OsStr) -> Result<(), CliError> {
    let keys = keys::read(Path::new(file))?;
    let named = keys.iter().map(|named| (named.key, named.comment.clone())).collect();
    let added = Accounts::open(config)?.catalog.add_keys(name, named).await?;
    for (named, is_new) in keys.iter().zip(added) {
        let what = if is_new { "added" } else { "there already" };
        let line = format!("{what} {} {}", Fingerprint::of(&named.key), escape(named.comment.as_bytes()));
        writeln!(io::stdout(), "{}", line.trim_end())?;
    }
    Ok(())
}

async fn remove_key(config: &Config, name: &UserName, fingerprint: &OsStr) -> Result<(), CliError> {
    let wanted: Fingerprint = fingerprint.to_str().unwrap_or_default().parse()?;
    let catalog = Accounts::open(config)?.catalog;
    let keys = catalog.keys(name).await?;
    match keys.iter().find(|held| Fingerprint::of(&held.key) == wanted) {
        Some(held) => Ok(catalog.remove_key(name, held.key).await?),
        None => Err(CatalogError::NoSuchKey(name.clone()).into()),
    }
}

async fn set_limits(flags: &Flags, config: &Config, name: &UserName) -> Result<(), CliError> {
    let catalog = Accounts::open(config)?.catalog;
    if let Some(Limit(quota)) = flags.quota {
        catalog.set_quota(name, quota).await?;
    }
    if let Some(Limit(max_files)) = flags.max_files {
        catalog.set_max_files(name, max_files).await?;
    }
    Ok(())
}
