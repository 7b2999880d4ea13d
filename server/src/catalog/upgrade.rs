//! How a catalog of an earlier version becomes one of this: it is copied beside its place, then all steps are
//! taken in one transaction. Whoever comes between finds either, and what went wrong leaves it as it was.

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, TransactionBehavior};

use super::CatalogError;
use super::schema::{UPGRADES, VERSION, connect};
use crate::datadir::sync_directory_of;

/// Brings the tables of an earlier version to this one.
pub(super) fn upgrade(connection: &mut Connection, path: &Path) -> Result<(), CatalogError> {
    if version(connection)? == VERSION {
        return Ok(());
    }
    // From here on nobody else writes: the copy is what the steps begin with.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found == VERSION {
        // Another process was faster.
        return Ok(());
    }
    let copy = copy_of(path, found);
    keep_copy(path, &copy).map_err(|source| CatalogError::NoCopy { path: copy.clone(), source: source.into() })?;
    for (_, step) in UPGRADES.iter().filter(|(to, _)| *to > found) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    tracing::info!(from = found, to = VERSION, copy = %copy.display(), "the catalog was brought to this version");
    Ok(())
}

/// Where the catalog is kept as it was in an earlier version.
pub(super) fn copy_of(path: &Path, version: i64) -> PathBuf {
    path.with_extension(format!("version-{version}.sqlite"))
}

fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Copies what was last committed, and makes the copy last. One of an earlier try gives way.
fn keep_copy(path: &Path, copy: &Path) -> Result<(), Box<dyn Error + Send + Sync>> {
    let new = copy.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    // Only for its owner; an empty file is taken for none.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let target = ToSqlOutput::Borrowed(ValueRef::Text(new.as_os_str().as_bytes()));
    connect(path)?.execute("VACUUM INTO ?1", [target])?;
    File::open(&new)?.sync_all()?;
    fs::rename(&new, copy)?;
    Ok(sync_directory_of(copy)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::catalog::schema::{APPLICATION, TABLES};
    use crate::config::Durability;
    use std::os::unix::fs::PermissionsExt;

    /// A catalog of the first version, with something in each of its tables.
    fn first_version(path: &Path) -> Connection {
        let old = Connection::open(path).expect("made");
        let header =
            format!("PRAGMA journal_mode = wal; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 1;");
        old.execute_batch(&header).expect("set");
        old.execute_batch(TABLES).expect("made");
        old.execute_batch(
            "INSERT INTO users (name, phc, quota, used, files) VALUES ('ada', 'x', 100, 7, 1);
             INSERT INTO records VALUES (1, x'64', x'66', 7, -3, 5, 9, zeroblob(32), x'');
             INSERT INTO intents (user, dir, name, staging, size, mtime_secs, mtime_nanos, inode, root, cvs)
                 VALUES (1, x'', x'67', 's', 3, 0, 0, 8, zeroblob(32), x'');
             INSERT INTO changes (user) VALUES (1);
             INSERT INTO uploads VALUES (1, x'', x'68', 't', 5, 1, 2);",
        )
        .expect("filled");
        old
    }

    fn schema(db: &Connection) -> String {
        let all = "SELECT group_concat(sql) FROM (SELECT sql FROM sqlite_schema ORDER BY name)";
        db.query_row(all, [], |row| row.get(0)).expect("read")
    }

    fn open(path: &Path) -> Result<Catalog, CatalogError> {
        Catalog::open(path, Durability::Full)
    }

    /// All that the first version held is there, and what came later.
    async fn whole(catalog: &Catalog) {
        let users = catalog.users().await.expect("read");
        let [ada] = users.as_slice() else { panic!("{users:?}") };
        assert_eq!((ada.quota, ada.used, ada.files), (Some(100), 7, 1));
        assert_eq!(ada.trash_days, None, "who was there before has no trash");
        let path = |text: &[u8]| wire::RemotePath::parse(text).expect("a path");
        let record = catalog.record(ada.id, &path(b"d/f")).await.expect("read").expect("there");
        assert_eq!((record.stamp.size, record.stamp.inode), (7, 9));
        assert_eq!(catalog.open_intents().await.expect("read")[0].intent.path, path(b"g"));
        assert_eq!(catalog.dirty_users().await.expect("read"), [ada.id]);
        assert_eq!(catalog.uploads().await.expect("read")[0].path, path(b"h"));
        catalog.trash_state(ada.id).await.expect("the table is there");
        assert!(catalog.round_is_due(crate::catalog::Scope::Clock, 1).await.expect("the table is there"));
        assert_eq!(catalog.expired_uploads(1).await.expect("read"), [], "those from before have their days, too");
        assert_eq!(catalog.expired().await.expect("read"), []);
        assert_eq!(catalog.keys(&ada.name).await.expect("the table is there"), []);
    }

    #[tokio::test]
    async fn an_older_catalog_is_copied_and_brought_up_to_date() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("catalog.sqlite");
        let old = first_version(&path);
        let before = schema(&old);
        for _ in 0..2 {
            whole(&open(&path).expect("opened, the second time as it is")).await;
        }
        assert_eq!(version(&old).expect("read"), VERSION);
        drop(old);

        let copy = dir.path().join("catalog.version-1.sqlite");
        assert_eq!(copy.metadata().expect("there").permissions().mode() & 0o777, 0o600);
        let kept = Connection::open(&copy).expect("opened");
        assert_eq!((version(&kept).expect("read"), schema(&kept)), (1, before));
        drop(kept);
        // Put back, it is as good as the old one was.
        for left in ["catalog.sqlite-wal", "catalog.sqlite-shm"] {
            let _ = fs::remove_file(dir.path().join(left));
        }
        fs::copy(&copy, &path).expect("put back");
        whole(&open(&path).expect("opened")).await;
        let mode: String = Connection::open(&path)
            .expect("opened")
            .query_row("PRAGMA journal_mode", [], |row| row.get(0))
            .expect("read");
        assert_eq!(mode, "wal", "what was put back is written as all are");
        assert!(!copy.with_extension("new").exists());
    }

    #[test]
    fn a_step_that_fails_leaves_the_catalog_as_it_was() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("catalog.sqlite");
        let old = first_version(&path);
        // In the way of the second statement of the first step.
        old.execute_batch("CREATE TABLE trash (a)").expect("made");
        assert!(matches!(open(&path), Err(CatalogError::Database(_))));
        assert_eq!(version(&old).expect("read"), 1);
        old.query_row("SELECT trash_days FROM users", [], |_| Ok(())).expect_err("not half-way");
        old.execute_batch("DROP TABLE trash").expect("dropped");
        open(&path).expect("opened");
    }

    #[test]
    fn without_a_copy_nothing_is_changed() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("catalog.sqlite");
        let old = first_version(&path);
        fs::create_dir_all(dir.path().join("catalog.version-1.sqlite/in the way")).expect("made");
        let refused = open(&path).expect_err("refused");
        assert!(matches!(&refused, CatalogError::NoCopy { .. }), "{refused}");
        assert_eq!(version(&old).expect("read"), 1);
    }
}
