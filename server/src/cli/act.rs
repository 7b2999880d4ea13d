//! Flags become actions here, and actions are done.

use std::io::{self, Write};

use wire::UserName;
use wire::size;

use super::{CliError, Days, Done, Flags, Limit, Whose, check, print, run, secret};
use crate::accounts::{Accounts, Home};
use crate::config::{self, Config};
use crate::datadir::DataDir;
use crate::identity::Identity;
use crate::operator;
use crate::sandbox::Wall;

/// Does what the flags ask for.
pub(super) async fn perform(flags: &Flags, wall: Wall) -> Result<Done, CliError> {
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
    if flags.print_config {
        return Ok(io::stdout().write_all(config::DEFAULTS.as_bytes())?);
    }
    let config = flags.configuration()?;
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
    run::daemon(config, wall).await
}

/// Also reads the operator's certificate, which only the daemon would otherwise miss.
fn check(config: &Config) -> Result<(), CliError> {
    if let (Some(certificate), Some(key)) = (&config.certificate, &config.key) {
        Identity::read(certificate, key)?.tls()?;
    }
    Ok(writeln!(io::stdout(), "the configuration is good")?)
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
