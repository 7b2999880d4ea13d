//! The quota ledger: what an account holds, and what is promised to its running uploads.

use rusqlite::{Connection, OptionalExtension, params};
use wire::message::Usage;

use super::accounts::UserId;
use super::sql::{self, Whole};
use super::{Catalog, CatalogError};

/// Space promised to one upload. It ends when its publish is settled, when it is released, and with
/// the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReservationId(pub(super) i64);

impl Catalog {
    /// What an account holds and may hold, with what is promised.
    pub async fn usage(&self, user: UserId) -> Result<Usage, CatalogError> {
        self.write(move |db| {
            let row = db.prepare_cached(USAGE)?.query_row([user.0], usage).optional()?;
            row.map(|(usage, _)| usage).ok_or(CatalogError::UserGone)
        })
        .await
    }

    /// Promises space, or says how much is missing: what is held, what is promised and what is asked
    /// never exceed the quota together. Refused for a locked account.
    pub async fn reserve(&self, user: UserId, bytes: u64, files: u64) -> Result<ReservationId, CatalogError> {
        self.write(move |db| {
            let made = db.prepare_cached(RESERVE)?.execute(params![user.0, Whole(bytes), Whole(files)])?;
            if made == 0 {
                return Err(refusal(db, user, bytes, files)?);
            }
            Ok(ReservationId(db.last_insert_rowid()))
        })
        .await
    }

    /// Gives promised space back. Never waits and never fails, so that a guard may call it when it is
    /// dropped; whatever is asked afterwards finds the space free.
    pub fn release(&self, reservation: ReservationId) {
        self.released.push(reservation);
    }

    /// Sets the ledger to what a walk over the home found, and clears the marks of unsettled changes.
    /// Only while nothing else works on the home.
    pub async fn recount(&self, user: UserId, used: u64, files: u64) -> Result<(), CatalogError> {
        self.write(move |db| {
            let set = "UPDATE users SET used = ?2, files = ?3 WHERE id = ?1";
            if db.execute(set, params![user.0, Whole(used), Whole(files)])? == 0 {
                return Err(CatalogError::UserGone);
            }
            db.execute("DELETE FROM changes WHERE user = ?1", [user.0])?;
            Ok(())
        })
        .await
    }
}

/// Strikes a reservation out. Touches only memory.
pub(super) fn end_reservation(db: &Connection, reservation: ReservationId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM live.reservations WHERE id = ?1")?.execute([reservation.0]).map(drop)
}

/// Adds to and takes from the ledger. What was never counted cannot be taken: it stops at zero.
pub(super) fn adjust(db: &Connection, user: UserId, added: (u64, u64), freed: (u64, u64)) -> Result<(), CatalogError> {
    let figures = params![user.0, Whole(added.0), Whole(freed.0), Whole(added.1), Whole(freed.1)];
    match db.prepare_cached(ADJUST)?.execute(figures)? {
        0 => Err(CatalogError::UserGone),
        _ => Ok(()),
    }
}

/// Why a reservation was not made, in the order in which a person would want to know.
fn refusal(db: &Connection, user: UserId, bytes: u64, files: u64) -> Result<CatalogError, CatalogError> {
    let row = db.prepare_cached(USAGE)?.query_row([user.0], |row| Ok((usage(row)?, row.get("locked")?))).optional()?;
    let Some(((usage, reserved_files), locked)) = row else { return Ok(CatalogError::UserGone) };
    if locked {
        return Ok(CatalogError::Locked);
    }
    let over = |held: u64, promised: u64, asked: u64, limit: Option<u64>| {
        let sum = u128::from(held) + u128::from(promised) + u128::from(asked);
        let shortfall = sum.saturating_sub(u128::from(limit.unwrap_or(i64::MAX as u64)));
        u64::try_from(shortfall).unwrap_or(u64::MAX)
    };
    match over(usage.used, usage.reserved, bytes, usage.quota) {
        0 => Ok(CatalogError::OverFiles { shortfall: over(usage.files, reserved_files, files, usage.max_files) }),
        shortfall => Ok(CatalogError::OverQuota { shortfall }),
    }
}

fn usage(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Usage, u64)> {
    let usage = Usage {
        quota: sql::limit(row, "quota")?,
        used: sql::whole(row, "used")?,
        reserved: sql::whole(row, "reserved")?,
        files: sql::whole(row, "files")?,
        max_files: sql::limit(row, "max_files")?,
    };
    Ok((usage, sql::whole(row, "reserved_files")?))
}

/// Without a limit the largest number is the limit, so that the sum of promises cannot overflow.
/// A sum over it becomes a float in SQLite, which still compares as larger.
const RESERVE: &str = "
INSERT INTO live.reservations (user, bytes, files)
SELECT id, ?2, ?3 FROM main.users WHERE id = ?1 AND NOT locked
    AND used + ?2 + (SELECT coalesce(sum(bytes), 0) FROM live.reservations WHERE user = ?1)
        <= coalesce(quota, 9223372036854775807)
    AND files + ?3 + (SELECT coalesce(sum(files), 0) FROM live.reservations WHERE user = ?1)
        <= coalesce(max_files, 9223372036854775807)";

const USAGE: &str = "
SELECT quota, used, files, max_files, locked,
    (SELECT coalesce(sum(bytes), 0) FROM live.reservations WHERE user = ?1) AS reserved,
    (SELECT coalesce(sum(files), 0) FROM live.reservations WHERE user = ?1) AS reserved_files
FROM main.users WHERE id = ?1";

const ADJUST: &str = "
UPDATE users SET used = max(0, used + ?2 - ?3), files = max(0, files + ?4 - ?5) WHERE id = ?1";
