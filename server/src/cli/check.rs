//! What looks after stored files and prints what it finds: lines as they come, for people and for programs.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use wire::UserName;
use wire::size;

use super::{CliError, Done, Flags};
use crate::accounts::Accounts;
use crate::catalog::{Account, CatalogError, Place, Recorded, Rescanned, Scope, What};
use crate::commons::Commons;
use crate::config::{Config, Live};
use crate::custody::CustodyError;
use crate::custody::ledger::{Balance, balance};
use crate::custody::rescan::{self, Reading};
use crate::custody::verify::{Summary, Verification};
use crate::datadir::DataDirError;
use crate::tenant::Tenant;
use crate::vault::Vault;

#[derive(Serialize)]
struct FindingRow<'a> {
    user: &'a str,
    path: String,
    /// The path begins with its number in the trash.
    in_trash: bool,
    finding: &'a str,
}

#[derive(Serialize)]
struct BalanceRow<'a> {
    user: &'a str,
    ledger: Figures,
    found: Figures,
}

#[derive(Serialize)]
struct RescanRow<'a> {
    user: &'a str,
    before: Figures,
    after: Figures,
    taken: u64,
    dropped: u64,
    damaged: u64,
    unreadable: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
struct Figures {
    bytes: u64,
    files: u64,
}

impl From<(u64, u64)> for Figures {
    fn from((bytes, files): (u64, u64)) -> Self {
        Self { bytes, files }
    }
}

impl Figures {
    fn show(self) -> String {
        format!("{} in {} files", size::show(self.bytes), self.files)
    }
}

/// `--verify`.
pub(super) async fn verify(flags: &Flags, config: &Config, name: Option<&UserName>) -> Result<Done, CliError> {
    let accounts = Accounts::open(config)?;
    let scope = match name {
        Some(name) => Scope::One(of(&accounts, Some(name)).await?.remove(0).id),
        None => Scope::All,
    };
    let (catalog, vault) = (accounts.catalog.clone(), vault(&accounts, config));
    let (rate, stop) = (rate(flags, config), CancellationToken::new());
    let verification = Verification { catalog, vault, scope, rate, stop };
    let summary = verification.run(flags.from_start, |recorded, what| finding(flags.json, recorded, what)).await?;
    conclude(flags.json, &summary)?;
    Ok(if summary.is_clean() { Done::Well } else { Done::Differs })
}

fn finding(json: bool, recorded: &Recorded, what: What) -> io::Result<()> {
    let (path, in_trash) = match &recorded.place {
        Place::Home(path) => (path, false),
        Place::Trash(path) => (path, true),
    };
    let (user, path, finding) = (recorded.name.as_str(), path.to_string(), what.name());
    if json {
        return line(&FindingRow { user, path, in_trash, finding });
    }
    let place = if in_trash { " (in the trash)" } else { "" };
    writeln!(io::stdout(), "{finding}  {user}  {path}{place}")
}

fn conclude(json: bool, summary: &Summary) -> io::Result<()> {
    if json {
        return line(summary);
    }
    let Summary { files, bytes, damaged, changed, missing, unreadable, unsettled } = *summary;
    write!(io::stdout(), "{files} files, {}", size::show(bytes))?;
    let counts = [
        (damaged, "damaged"),
        (changed, "changed by hand"),
        (missing, "missing"),
        (unreadable, "unreadable"),
        (unsettled, "not settled while looked at"),
    ];
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        write!(io::stdout(), ", {count} {what}")?;
    }
    writeln!(io::stdout(), "{}", if summary.is_clean() { ": as they were stored" } else { "" })
}

/// `--verify-ledger`.
pub(super) async fn ledger(flags: &Flags, config: &Config, name: Option<&UserName>) -> Result<Done, CliError> {
    let accounts = Accounts::open(config)?;
    let vault = vault(&accounts, config);
    let mut done = Done::Well;
    for account in of(&accounts, name).await? {
        let user = account.name.clone();
        let home = vault.existing_home(&user).map_err(|source| CustodyError::Home { user, source })?;
        let found = balance(&accounts.catalog, &Arc::new(home), &account).await?;
        if !found.is_even() {
            done = Done::Differs;
        }
        tell_balance(flags.json, &account, &found)?;
    }
    Ok(done)
}

fn tell_balance(json: bool, account: &Account, balance: &Balance) -> io::Result<()> {
    let (ledger, found) = (Figures::from(balance.ledger), Figures::from(balance.found));
    let user = account.name.as_str();
    match json {
        true => line(&BalanceRow { user, ledger, found }),
        false if ledger == found => writeln!(io::stdout(), "even  {user}  {}", ledger.show()),
        false => {
            let bytes = i128::from(found.bytes) - i128::from(ledger.bytes);
            let files = i128::from(found.files) - i128::from(ledger.files);
            let (ledger, found) = (ledger.show(), found.show());
            writeln!(io::stdout(), "differs  {user}  ledger {ledger}, found {found}: {bytes:+} bytes, {files:+} files")
        }
    }
}

/// `--rescan`.
pub(super) async fn rescan(flags: &Flags, config: &Config, name: Option<&UserName>) -> Result<Done, CliError> {
    let accounts = Accounts::open(config)?;
    let reading = Reading { rate: rate(flags, config), stop: CancellationToken::new() };
    for account in of(&accounts, name).await? {
        let done = rescan_one(&accounts, config, &account, &reading).await?;
        tell_rescan(flags.json, &account, &done)?;
    }
    Ok(Done::Well)
}

/// By the daemon, if one runs, for only it can keep a home still; else here, in its place.
async fn rescan_one(
    accounts: &Accounts,
    config: &Config,
    account: &Account,
    reading: &Reading,
) -> Result<Rescanned, CliError> {
    let failed = |reason: String| CustodyError::Rescan { user: account.name.clone(), reason };
    let mut asked = false;
    loop {
        match accounts.dir.lock() {
            Ok(_lock) => {
                accounts.catalog.withdraw_rescan(account.id).await?;
                let home = vault(accounts, config).home(&account.name).map_err(|error| failed(error.to_string()))?;
                let commons = Commons::new(Live::new(config.clone()));
                let tenant = Tenant::new(account.id, account.name.clone(), accounts.catalog.clone(), home, commons);
                let done = rescan::rescan(&tenant, reading).await;
                return Ok(done.map_err(|fault| failed(fault.to_string()))?);
            }
            Err(DataDirError::InUse(_)) if !asked => {
                accounts.catalog.ask_rescan(account.id).await?;
                asked = true;
            }
            Err(DataDirError::InUse(_)) => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(answer) = accounts.catalog.rescan_answer(account.id).await? {
            return Ok(answer.map_err(failed)?);
        }
        tokio::time::sleep(POLL).await;
    }
}

fn tell_rescan(json: bool, account: &Account, done: &Rescanned) -> io::Result<()> {
    let (before, after) = (Figures::from(done.before), Figures::from(done.after));
    let Rescanned { taken, dropped, damaged, unreadable, .. } = *done;
    let user = account.name.as_str();
    if json {
        return line(&RescanRow { user, before, after, taken, dropped, damaged, unreadable });
    }
    write!(io::stdout(), "{user}  {}", after.show())?;
    if before != after {
        write!(io::stdout(), " (the ledger said {})", before.show())?;
    }
    let counts = [
        (taken, "files taken up"),
        (dropped, "records of files that are gone forgotten"),
        (damaged, "damaged"),
        (unreadable, "unreadable"),
    ];
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        write!(io::stdout(), ", {count} {what}")?;
    }
    writeln!(io::stdout())
}

/// The account of that name, or all.
async fn of(accounts: &Accounts, name: Option<&UserName>) -> Result<Vec<Account>, CliError> {
    let Some(name) = name else { return Ok(accounts.catalog.users().await?) };
    let account = accounts.catalog.account(name).await?;
    Ok(vec![account.ok_or_else(|| CatalogError::NoSuchUser(name.clone()))?])
}

fn vault(accounts: &Accounts, config: &Config) -> Vault {
    Vault::new(&accounts.dir.users(), Arc::new(config.durability))
}

fn rate(flags: &Flags, config: &Config) -> Option<u64> {
    flags.rate.unwrap_or_default().limit(config.verify.rate)
}

fn line(row: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, row)?;
    writeln!(out)
}

/// Between two looks for the daemon's answer.
const POLL: Duration = Duration::from_millis(250);
