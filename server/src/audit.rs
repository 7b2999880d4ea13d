//! The audit: one line for every change, with who made it, from where, on which connection, and what came of it. A line is
//! written once its change is durable and before that is acknowledged, by one call, whole or not at all: to the file that
//! the configuration names, else to the log. It is handed to the system, and not synced.

mod book;
mod pending;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use wire::message::RawPath;
use wire::path::escape;
use wire::{Fault, RemotePath, Root, UserName};

use crate::source::Source;
use book::Book;
pub(crate) use pending::{leave, take_up};

/// Of its lines in the log.
pub const TARGET: &str = "audit";

/// Where lines go. A cheap handle.
#[derive(Clone, Debug, Default)]
pub struct Audit(Arc<Mutex<Option<Book>>>);

/// Why a file takes no lines.
#[derive(Debug, thiserror::Error)]
#[error("audit_log: cannot write to {}", path.display())]
pub struct AuditError {
    path: PathBuf,
    source: std::io::Error,
}

/// A file that is open and not yet in use.
#[derive(Debug)]
pub struct Opened(Option<Book>);

/// One line. The names of its fields are those of the spans in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// When, as RFC 3339 in UTC.
    pub time: String,
    /// What was done.
    pub verb: Cow<'static, str>,
    /// The account that it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Who did it, if it was not that user: `server`, or `operator` with the user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'static, str>>,
    /// Address and port of whoever did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The number of the connection since the server's start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<u64>,
    /// The number of the request on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<u32>,
    /// The number of the transfer in its session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<u64>,
    /// What it was done to, as [`shown`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where that went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Its number in the trash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trash: Option<u64>,
    /// Bytes that were stored, copied, moved to the trash or removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Files, where it can be several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// Bytes of the file that was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced: Option<u64>,
    /// The file's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// What an account was given, or the key that opened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// `done`, or the code of the fault that it ended with.
    pub outcome: Cow<'static, str>,
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// Its number since the server's start.
    pub connection: u64,
    /// The peer.
    pub address: SocketAddr,
}

impl Origin {
    /// As limits and penalties tell sources apart.
    pub fn source(&self) -> Source {
        Source::from(self.address.ip())
    }
}

/// Who is on a connection: it goes wherever their changes are made.
#[derive(Clone, Debug)]
pub struct Trail {
    audit: Audit,
    /// None: the server does it by itself.
    origin: Option<Origin>,
    user: Option<UserName>,
}

/// A change under way. Whoever makes it fills in what is known only then.
#[derive(Debug)]
pub struct Deed {
    trail: Trail,
    /// What will be told.
    pub entry: Entry,
}

impl Audit {
    /// Opens the file, before anything is changed; without one, lines go to the log.
    pub fn open(path: Option<&Path>) -> Result<Opened, AuditError> {
        let open = |path: &Path| Book::open(path).map_err(|source| AuditError { path: path.to_owned(), source });
        Ok(Opened(path.map(open).transpose()?))
    }

    /// From now on lines go there.
    pub fn turn_to(&self, opened: Opened) {
        *self.book() = opened.0;
    }

    /// Writes a line. A file that does not take it stops nobody: the line goes to the log.
    pub fn note(&self, entry: &Entry) {
        let written = self.book().as_mut().is_some_and(|book| book.write(entry));
        if !written {
            entry.log();
        }
    }

    fn book(&self) -> MutexGuard<'_, Option<Book>> {
        // A line is whole or cut off again: a panic elsewhere does not spoil the file.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trail {
    /// Of a connection whose user is known, or not yet.
    pub fn new(audit: Audit, origin: Origin, user: Option<UserName>) -> Self {
        Self { audit, origin: Some(origin), user }
    }

    /// Of what the server does to an account by itself.
    pub fn of_server(audit: Audit, user: UserName) -> Self {
        Self { audit, origin: None, user: Some(user) }
    }

    /// Something is about to be changed.
    pub fn begin(&self, verb: &'static str) -> Deed {
        let entry = Entry {
            user: self.user.as_ref().map(UserName::to_string),
            by: self.origin.is_none().then_some("server".into()),
            source: self.origin.map(|origin| origin.address.to_string()),
            connection: self.origin.map(|origin| origin.connection),
            ..Entry::now(verb)
        };
        Deed { trail: self.clone(), entry }
    }
}

impl Deed {
    /// It is over: one line, whatever came of it.
    pub fn end<T>(mut self, result: &Result<T, Fault>) {
        self.entry.outcome = result.as_ref().map_or_else(|fault| fault.code.name(), |_| DONE).into();
        self.trail.audit.note(&self.entry);
    }

    /// A part of it that has a line of its own.
    pub fn part(&self, verb: &'static str) -> Self {
        let entry = Entry { request: self.entry.request, ..self.trail.begin(verb).entry };
        Self { trail: self.trail.clone(), entry }
    }
}

impl Entry {
    /// Of what is done now.
    pub fn now(verb: &'static str) -> Self {
        let mut time = String::new();
        // An error, never: a string takes everything.
        let _ = SystemTime.format_time(&mut Writer::new(&mut time));
        Self { time, verb: verb.into(), outcome: DONE.into(), ..Self::default() }
    }

    /// As an event without the spans around it, whose fields it has.
    fn log(&self) {
        let root = self.root.as_deref();
        tracing::info!(
            target: TARGET, parent: None,
            time = self.time, verb = &*self.verb, user = self.user.as_deref(), by = self.by.as_deref(),
            source = self.source.as_deref(), connection = self.connection, request = self.request,
            transfer = self.transfer, path = self.path.as_deref(), to = self.to.as_deref(), trash = self.trash,
            bytes = self.bytes, files = self.files, replaced = self.replaced, root, value = self.value.as_deref(),
            outcome = &*self.outcome,
        );
    }
}

/// A path as it stands in lines: whole, in printable characters, and no two alike. A backslash is doubled, what cannot be
/// shown is `\n`, `\x1b` or `\u{202e}`.
pub fn shown(path: &RemotePath) -> String {
    shown_bytes(path.as_bytes())
}

/// The same of what may be no path.
pub fn shown_raw(path: &RawPath) -> String {
    RemotePath::parse(&path.0).map_or_else(|_| shown_bytes(&path.0), |path| shown(&path))
}

fn shown_bytes(bytes: &[u8]) -> String {
    let doubled: Vec<&[u8]> = bytes.split(|byte| *byte == b'\\').collect();
    escape(&doubled.join(br"\\".as_slice()))
}

/// Whoever runs the account flags, by their user id.
pub(crate) fn operator(user: u32) -> Cow<'static, str> {
    format!("operator {user}").into()
}

/// As 64 hexadecimal digits.
pub fn shown_root(root: Root) -> String {
    blake3::Hash::from_bytes(root.0).to_hex().to_string()
}

/// The outcome of what was done.
const DONE: &str = "done";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_paths_are_shown_alike_and_none_ends_a_line() {
        let table: [(&[u8], &str); 6] = [
            (b"a/b c.txt", "a/b c.txt"),
            (b"a\nb", r"a\nb"),
            (br"a\nb", r"a\\nb"),
            (b"\x1b[2J", r"\x1b[2J"),
            (b"\xff\"", r#"\xff""#),
            ("\u{202e}gnp".as_bytes(), r"\u{202e}gnp"),
        ];
        for (path, expected) in table {
            assert_eq!(shown_raw(&RawPath(path.to_vec())), expected);
        }
        assert_eq!(shown_raw(&RawPath(b"/a//b/".to_vec())), "a/b", "as it is found elsewhere");
        assert_eq!(shown_raw(&RawPath(b"../x".to_vec())), "../x", "what is refused is told as it came");
        assert_eq!(shown_raw(&RawPath(vec![b'\n'; 9000])).len(), 18_000, "whole");
    }
}
