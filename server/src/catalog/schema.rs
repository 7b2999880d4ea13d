//! The tables, and opening a file that has them, may get them, or must not be touched.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::CatalogError;
use super::upgrade::upgrade;
use crate::config::Durability;
use crate::datadir::sync_directory_of;

/// The connection that writes, with the reservations attached to it in memory.
///
/// Reservations are promises to uploads whose connections live in this process. In memory they cost
/// no sync, and after a crash none is left behind: a resumed upload reserves anew.
pub(super) fn open_writer(path: &Path, durability: Durability) -> Result<Connection, CatalogError> {
    if !path.try_exists().map_err(failed)? {
        create(path)?;
    }
    let mut connection = connect(path)?;
    check(&connection, path)?;
    upgrade(&mut connection, path)?;
    // A copy that was put back has another mode.
    connection.pragma_update(None, "journal_mode", "wal")?;
    // With a write-ahead log, full syncs it with every commit; normal only before it is copied into the
    // database, which keeps the file whole but not the newest commits.
    let synchronous = match durability {
        Durability::Full => "full",
        Durability::Relaxed => "normal",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.execute_batch(RESERVATIONS)?;
    Ok(connection)
}

/// The connection that only reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, CatalogError> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

pub(super) fn connect(path: &Path) -> Result<Connection, CatalogError> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Savepoints of a large batch outgrow SQLite's page of memory for them, and would be written to /tmp.
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(connection)
}

/// Refuses a file that is not ours or not of our time. Reads only.
fn check(connection: &Connection, path: &Path) -> Result<(), CatalogError> {
    let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let owner = match pragma("application_id") {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => 0,
        owner => owner?,
    };
    match owner {
        APPLICATION => match pragma("user_version")? {
            1..=VERSION => Ok(()),
            ..1 => Err(CatalogError::Foreign(path.to_owned())),
            found => Err(CatalogError::Newer { path: path.to_owned(), found, known: VERSION }),
        },
        _ => Err(CatalogError::Foreign(path.to_owned())),
    }
}

/// Makes a new catalog beside its place and gives it its name when it is whole: whoever opens it at
/// the same time finds either nothing or all of it, and may have been faster.
fn create(path: &Path) -> Result<(), CatalogError> {
    let number = getrandom::u64().map_err(|error| failed(error.into()))?;
    let new = path.with_extension(format!("{number:016x}.new"));
    let made = make(&new).and_then(|()| match std::fs::hard_link(&new, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error)),
        _ => sync_directory_of(path).map_err(failed),
    });
    let removed = std::fs::remove_file(&new).map_err(failed);
    made.and(removed)
}

fn make(path: &Path) -> Result<(), CatalogError> {
    // Only for its owner; SQLite gives its companions the same mode.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let connection = connect(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    connection.execute_batch(TABLES)?;
    UPGRADES.iter().try_for_each(|(_, step)| connection.execute_batch(step))?;
    connection.close().map_err(|(_, error)| error)?;
    let file = File::open(path).map_err(failed)?;
    file.sync_all().map_err(failed)
}

fn failed(error: io::Error) -> CatalogError {
    CatalogError::Database(Arc::new(error))
}

/// "Cata": tells our files from others.
pub(super) const APPLICATION: i64 = 0x4361_7461;
pub(super) const VERSION: i64 = 7;
/// How long to wait for another process's transaction.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// More than there are statements in this module.
const STATEMENTS: usize = 64;

/// The tables of version 1; what came later is in [`UPGRADES`], so that old and new catalogs are the same.
/// Names and directories are bytes. `dir` and `name` apart make the children of a directory an
/// equality and a subtree a range. Identities of accounts are never used twice.
pub(super) const TABLES: &str = "
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    phc TEXT NOT NULL,
    quota INTEGER CHECK (quota >= 0),
    max_files INTEGER CHECK (max_files >= 0),
    used INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0),
    files INTEGER NOT NULL DEFAULT 0 CHECK (files >= 0),
    locked INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE records (
    user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    dir BLOB NOT NULL,
    name BLOB NOT NULL,
    size INTEGER NOT NULL,
    mtime_secs INTEGER NOT NULL,
    mtime_nanos INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    root BLOB NOT NULL,
    cvs BLOB NOT NULL,
    UNIQUE (user, dir, name)
) STRICT;
CREATE TABLE intents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    dir BLOB NOT NULL,
    name BLOB NOT NULL,
    staging TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_secs INTEGER NOT NULL,
    mtime_nanos INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    root BLOB NOT NULL,
    cvs BLOB NOT NULL
) STRICT;
CREATE INDEX intents_of_user ON intents(user);
CREATE TABLE changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE
) STRICT;
CREATE INDEX changes_of_user ON changes(user);
CREATE TABLE uploads (
    user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    dir BLOB NOT NULL,
    name BLOB NOT NULL,
    staging TEXT NOT NULL,
    size INTEGER NOT NULL,
    started INTEGER NOT NULL,
    touched INTEGER NOT NULL,
    UNIQUE (user, dir, name)
) STRICT;
";

/// What leads to each later version from the one before. Never changed once it was released.
pub(super) const UPGRADES: [(i64, &str); 6] = [(2, TRASH), (3, CLOCK), (4, CUSTODY), (5, MARKS), (6, RATES), (7, KEYS)];

const TRASH: &str = "
ALTER TABLE users ADD COLUMN trash_days INTEGER CHECK (trash_days > 0);
CREATE TABLE trash (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    dir BLOB NOT NULL,
    name BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    since INTEGER NOT NULL,
    doomed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX trash_of_user ON trash(user);
";

const CLOCK: &str = "
CREATE TABLE clock (counted INTEGER NOT NULL, seen INTEGER NOT NULL) STRICT;
INSERT INTO clock VALUES (unixepoch(), unixepoch());
";

/// What was found belongs to a record: it goes with it, moves with it, and ends with new content. A table of its own,
/// for in a record it would lie behind the values of all blocks.
const CUSTODY: &str = "
CREATE TABLE findings (
    user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    dir BLOB NOT NULL,
    name BLOB NOT NULL,
    what INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (user, dir, name)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER record_removed AFTER DELETE ON records BEGIN
    DELETE FROM findings WHERE (user, dir, name) = (old.user, old.dir, old.name);
END;
CREATE TRIGGER record_moved AFTER UPDATE OF dir, name ON records BEGIN
    UPDATE findings SET dir = new.dir, name = new.name WHERE (user, dir, name) = (old.user, old.dir, old.name);
END;
CREATE TRIGGER record_renewed AFTER UPDATE OF root ON records BEGIN
    DELETE FROM findings WHERE (user, dir, name) = (old.user, old.dir, old.name);
END;
CREATE TABLE rounds (
    scope INTEGER PRIMARY KEY,
    user INTEGER NOT NULL,
    dir BLOB NOT NULL,
    name BLOB NOT NULL,
    started INTEGER NOT NULL,
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    ended INTEGER
) STRICT;
ALTER TABLE uploads ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
UPDATE uploads SET since = (SELECT counted FROM clock);
CREATE TABLE rescans (
    user INTEGER PRIMARY KEY REFERENCES users(id) ON DELETE CASCADE,
    answer TEXT
) STRICT;
";

const MARKS: &str = "
ALTER TABLE changes ADD COLUMN dir BLOB;
ALTER TABLE changes ADD COLUMN name BLOB;
ALTER TABLE changes ADD COLUMN to_dir BLOB;
ALTER TABLE changes ADD COLUMN to_name BLOB;
";

const RATES: &str = "
ALTER TABLE users ADD COLUMN rate INTEGER CHECK (rate >= 0);
";

const KEYS: &str = "
CREATE TABLE keys (
    user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    key BLOB NOT NULL CHECK (length(key) = 32),
    comment TEXT NOT NULL,
    added INTEGER NOT NULL,
    PRIMARY KEY (user, key)
) STRICT, WITHOUT ROWID;
";

const RESERVATIONS: &str = "
ATTACH ':memory:' AS live;
CREATE TABLE live.reservations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    files INTEGER NOT NULL
) STRICT;
CREATE INDEX live.reservations_of_user ON reservations(user, bytes, files);
";
