//! Lists on standard output: aligned for people, JSON for programs.

use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use wire::path::escape;
use wire::size;

use crate::catalog::{Account, AccountKey, Upload};
use crate::config::Rate;
use crate::datadir::DataDir;
use crate::keys::Fingerprint;
use crate::operator::Answer;

#[derive(Serialize)]
struct UserRow<'a> {
    name: &'a str,
    quota: Option<u64>,
    used: u64,
    files: u64,
    max_files: Option<u64>,
    trash_days: Option<u32>,
    rate: RateCell,
    locked: bool,
}

/// Bytes a second, or `none` or `default`.
#[derive(Serialize)]
#[serde(untagged)]
enum RateCell {
    Bytes(u64),
    Word(&'static str),
}

#[derive(Serialize)]
struct UploadRow<'a> {
    user: &'a str,
    path: String,
    /// Bytes the file will have.
    size: u64,
    /// Bytes its staging file takes on the disk.
    staged: u64,
    /// Seconds since 1970.
    started: i64,
    touched: i64,
}

#[derive(Serialize)]
struct KeyRow<'a> {
    fingerprint: String,
    comment: &'a str,
    /// Seconds since 1970.
    added: i64,
}

/// The accounts.
pub(super) fn users(out: &mut impl Write, users: &[Account], json: bool) -> io::Result<()> {
    let row = |user: &Account| {
        let limit = |limit: Option<u64>, show: fn(u64) -> String| limit.map_or("none".to_owned(), show);
        [
            user.name.to_string(),
            limit(user.quota, size::show),
            size::show(user.used),
            user.files.to_string(),
            limit(user.max_files, |files| files.to_string()),
            limit(user.trash_days.map(u64::from), |days| format!("{days} d")),
            rate(user.rate),
            if user.locked { "locked" } else { "" }.to_owned(),
        ]
    };
    if json {
        let rows = users.iter().map(|user| UserRow {
            name: user.name.as_str(),
            quota: user.quota,
            used: user.used,
            files: user.files,
            max_files: user.max_files,
            trash_days: user.trash_days,
            rate: match user.rate {
                Rate::Configured => RateCell::Word("default"),
                Rate::Unlimited => RateCell::Word("none"),
                Rate::Of(rate) => RateCell::Bytes(rate),
            },
            locked: user.locked,
        });
        return as_json(out, rows);
    }
    table(out, ["NAME", "QUOTA", "USED", "FILES", "MAX FILES", "TRASH", "RATE", "STATE"], users.iter().map(row))
}

/// The unfinished uploads.
pub(super) fn uploads(out: &mut impl Write, dir: &DataDir, uploads: &[Upload], json: bool) -> io::Result<()> {
    let rows = uploads.iter().map(|upload| UploadRow {
        user: upload.name.as_str(),
        path: upload.path.to_string(),
        size: upload.size,
        staged: staged(dir, upload),
        started: upload.started,
        touched: upload.touched,
    });
    if json {
        return as_json(out, rows);
    }
    let now = now();
    let rows = rows.map(|row| {
        let age = |since: i64| age(now.saturating_sub(since));
        let (size, staged) = (size::show(row.size), size::show(row.staged));
        [row.user.to_owned(), size, staged, age(row.started), age(row.touched), row.path]
    });
    table(out, ["USER", "SIZE", "STAGED", "STARTED", "TOUCHED", "PATH"], rows)
}

/// The keys of an account.
pub(super) fn keys(out: &mut impl Write, keys: &[AccountKey], json: bool) -> io::Result<()> {
    let rows = keys.iter().map(|held| KeyRow {
        fingerprint: Fingerprint::of(&held.key).to_string(),
        comment: &held.comment,
        added: held.added,
    });
    if json {
        return as_json(out, rows);
    }
    let now = now();
    let rows = rows.map(|row| [row.fingerprint, age(now.saturating_sub(row.added)), escape(row.comment.as_bytes())]);
    table(out, ["FINGERPRINT", "ADDED", "COMMENT"], rows)
}

/// What is held against sources and users.
pub(super) fn bans(out: &mut impl Write, answer: &Answer, json: bool) -> io::Result<()> {
    if json {
        return as_json(out, answer.penalties.iter());
    }
    let span = |seconds: u64, none: &str| match seconds {
        0 => none.to_owned(),
        1..=120 => format!("{seconds} s"),
        _ => format!("{} min", seconds.div_ceil(60)),
    };
    let rows = answer.penalties.iter().map(|penalty| {
        let user = penalty.user.clone().unwrap_or_else(|| "*".to_owned());
        let (refused, forgotten) = (span(penalty.refused_seconds, "no"), span(penalty.forgotten_seconds, "now"));
        [penalty.source.clone(), user, penalty.failures.to_string(), refused, forgotten]
    });
    table(out, ["SOURCE", "USER", "FAILURES", "REFUSED FOR", "FORGOTTEN IN"], rows)?;
    match answer.more {
        0 => Ok(()),
        more => writeln!(out, "and {more} more"),
    }
}

/// What an upload takes on the disk; nothing if it is just being finished.
fn staged(dir: &DataDir, upload: &Upload) -> u64 {
    let file = dir.home(&upload.name).join("staging").join(&upload.staging);
    file.symlink_metadata().map_or(0, |metadata| metadata.blocks().saturating_mul(512))
}

fn as_json<T: Serialize>(out: &mut impl Write, rows: impl Iterator<Item = T>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &rows.collect::<Vec<_>>())?;
    writeln!(out)
}

/// Columns as wide as their widest cell; all cells but paths and comments, which are last, are ASCII.
fn table<const N: usize>(
    out: &mut impl Write,
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> io::Result<()> {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

fn rate(rate: Rate) -> String {
    match rate {
        Rate::Configured => "default".to_owned(),
        Rate::Unlimited => "none".to_owned(),
        Rate::Of(rate) => format!("{}/s", size::show(rate)),
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}

fn age(seconds: i64) -> String {
    match seconds {
        ..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::catalog::Phc;
    use crate::config::Durability;
    use crate::penalties::Penalty;

    #[tokio::test]
    async fn uploads_are_shown_with_what_they_take() {
        let temp = tempfile::tempdir().expect("a directory");
        let dir = DataDir::open(temp.path()).expect("opened");
        let catalog = Catalog::open(&dir.catalog(), Durability::Full).expect("opened");
        let name = "ada".parse().expect("a name");
        let user = catalog.add_user(&name, Phc("x".into()), None, None).await.expect("added");
        let target = wire::RemotePath::parse(b"dir/film\n\xff").expect("a path");
        catalog.note_upload(user, &target, 5 << 20, "staged").await.expect("noted");
        dir.make_home(&name).expect("made");
        std::fs::write(dir.home(&name).join("staging/staged"), vec![1; 1 << 20]).expect("written");
        let noted = catalog.uploads().await.expect("read");
        let shown = |json| {
            let mut out = Vec::new();
            uploads(&mut out, &dir, &noted, json).expect("written");
            String::from_utf8(out).expect("UTF-8")
        };
        let table = shown(false);
        assert!(table.starts_with("USER  SIZE     STAGED"), "{table}");
        assert!(table.ends_with("  just now  just now  /dir/film\\n\\xff\n"), "{table}");
        let rows: serde_json::Value = serde_json::from_str(&shown(true)).expect("JSON");
        assert_eq!(rows[0]["size"], 5 << 20);
        // How much exactly is the file system's business.
        assert!(rows[0]["staged"].as_u64() > Some(0), "{rows}");
        assert_eq!(age(90 * 60), "1 h ago");
    }

    #[test]
    fn penalties_are_shown_for_people_and_for_programs() {
        let penalty = |source: &str, user: Option<&str>, failures, refused_seconds, forgotten_seconds| Penalty {
            source: source.into(),
            user: user.map(str::to_owned),
            failures,
            refused_seconds,
            forgotten_seconds,
        };
        let penalties = vec![penalty("192.0.2.7", Some("ada"), 8, 40, 4801), penalty("2001:db8::/64", None, 1, 0, 600)];
        let answer = Answer { penalties, more: 3 };
        let shown = |json| {
            let mut out = Vec::new();
            bans(&mut out, &answer, json).expect("written");
            String::from_utf8(out).expect("UTF-8")
        };
        let table = "SOURCE         USER  FAILURES  REFUSED FOR  FORGOTTEN IN\n\
                     192.0.2.7      ada   8         40 s         81 min\n\
                     2001:db8::/64  *     1         no           10 min\n\
                     and 3 more\n";
        assert_eq!(shown(false), table);
        let rows: serde_json::Value = serde_json::from_str(&shown(true)).expect("JSON");
        assert_eq!((&rows[0]["user"], &rows[1]["user"]), (&"ada".into(), &serde_json::Value::Null));
        assert_eq!(rows[0]["refused_seconds"], 40);
    }
}
