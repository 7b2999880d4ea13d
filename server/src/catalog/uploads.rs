//! Unfinished uploads that can be resumed: where each is staged, and since when.

use rusqlite::{Row, params};
use wire::{RemotePath, UserName};

use super::accounts::UserId;
use super::sql::{self, Name, Whole};
use super::{Catalog, CatalogError};

/// An upload that began and was not published yet; its connection may live or be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Whose.
    pub user: UserId,
    /// The same account's name.
    pub name: UserName,
    /// The target.
    pub path: RemotePath,
    /// Bytes the file will have.
    pub size: u64,
    /// The name of its staging file.
    pub staging: String,
    /// When it began, in seconds since 1970-01-01 UTC.
    pub started: i64,
    /// When it was last taken up, likewise.
    pub touched: i64,
}

impl Catalog {
    /// Notes that an upload began or was taken up again. The newest of a path is the only one; its
    /// beginning is kept as long as the staging file is the same.
    pub async fn note_upload(
        &self,
        user: UserId,
        path: &RemotePath,
        size: u64,
        staging: &str,
    ) -> Result<(), CatalogError> {
        let (path, staging) = (path.clone(), staging.to_owned());
        self.write(move |db| {
            let dir = path.parent();
            let target = params![user.0, dir.as_bytes(), path.name(), Whole(size), staging];
            let noted = db.prepare_cached(NOTE)?.execute(target)?;
            if noted == 0 { Err(CatalogError::UserGone) } else { Ok(()) }
        })
        .await
    }

    /// Forgets uploads whose staging files are gone.
    pub async fn ended_uploads(&self, user: UserId, staging: Vec<String>) -> Result<(), CatalogError> {
        self.write(move |db| {
            let mut end = db.prepare_cached("DELETE FROM uploads WHERE user = ?1 AND staging = ?2")?;
            staging.iter().try_for_each(|staging| Ok(end.execute(params![user.0, staging]).map(drop)?))
        })
        .await
    }

    /// Uploads that nobody went on with for so many days, those of an account together. Time is counted by
    /// [`Catalog::expired`].
    pub async fn expired_uploads(&self, days: u32) -> Result<Vec<Upload>, CatalogError> {
        self.read(move |db| {
            let mut query = db.prepare_cached(EXPIRED)?;
            Ok(query.query_map([days], upload)?.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// All unfinished uploads, the oldest first.
    pub async fn uploads(&self) -> Result<Vec<Upload>, CatalogError> {
        self.read(|db| {
            let mut query = db.prepare(ALL)?;
            Ok(query.query_map([], upload)?.collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
    Ok(Upload {
        user: UserId(row.get("user")?),
        name: row.get::<_, Name>("user_name")?.0,
        path: sql::path(row)?,
        size: sql::whole(row, "size")?,
        staging: row.get("staging")?,
        started: row.get("started")?,
        touched: row.get("touched")?,
    })
}

const NOTE: &str = "
INSERT INTO uploads (user, dir, name, size, staging, started, touched, since)
SELECT id, ?2, ?3, ?4, ?5, unixepoch(), unixepoch(), counted + max(0, min(unixepoch() - seen, 86400))
FROM users JOIN clock WHERE id = ?1
ON CONFLICT (user, dir, name) DO UPDATE SET
    size = excluded.size, staging = excluded.staging, touched = excluded.touched, since = excluded.since,
    started = iif(staging = excluded.staging, started, excluded.started)";

const ALL: &str = "
SELECT uploads.*, users.name AS user_name FROM uploads JOIN users ON users.id = uploads.user ORDER BY started, uploads.rowid";

const EXPIRED: &str = "
SELECT uploads.*, users.name AS user_name FROM uploads JOIN users ON users.id = uploads.user
JOIN clock WHERE since + ?1 * 86400 <= counted ORDER BY users.id, uploads.rowid";
