//! `ls`, `stat`, `df`, `mkdir`, `rm`, `mv`, `cp`: one request or a few, and what came of them.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use serde::Serialize;
use wire::message::{Entry, Kind, Usage};
use wire::path::escape;
use wire::{Code, Fault, RemotePath, size};

use super::output::{clock, print, rfc3339};
use super::report::ErrorPart;
use super::transfer::remote;
use super::{FAILED, Face, QUOTA, complain};
use crate::engine::{Engine, Target};
use crate::entries::{Entries, EntryRef};

/// An entry, for programs.
#[derive(Serialize)]
struct EntryLine {
    name: String,
    kind: &'static str,
    bytes: u64,
    mtime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<String>,
}

/// What became of a path, for programs.
#[derive(Serialize)]
struct PathLine<'a> {
    path: String,
    status: &'static str,
    error: Option<ErrorPart<'a>>,
}

/// Space, for programs; `null` is without limit.
#[derive(Serialize)]
struct UsageLine {
    quota: Option<u64>,
    used: u64,
    reserved: u64,
    files: u64,
    max_files: Option<u64>,
}

impl Face {
    /// Lists.
    pub(super) async fn ls(&self, target: Target, paths: Vec<OsString>) -> Result<(), u8> {
        let mut paths = remotes(&paths)?;
        if paths.is_empty() {
            paths.push(RemotePath::home());
        }
        let engine = self.connect(target, self.config.options()).await?;
        let mut code = None;
        for path in &paths {
            match self.list(&engine, path).await {
                Ok(entries) => {
                    if paths.len() > 1 {
                        self.output.remark(&format!("{path}:"));
                    }
                    self.show(&entries);
                }
                Err(fault) => self.fail(path, &fault, &mut code),
            }
        }
        finish(engine, code).await
    }

    /// Tells of single entries.
    pub(super) async fn stat(&self, target: Target, paths: Vec<OsString>) -> Result<(), u8> {
        let paths = remotes(&paths)?;
        let engine = self.connect(target, self.config.options()).await?;
        let mut code = None;
        for path in &paths {
            match engine.stat(path).await {
                Ok(entry) if self.output.json => self.output.object(&line((&entry).into())),
                Ok(entry) => describe(path, &entry),
                Err(fault) => self.fail(path, &fault, &mut code),
            }
        }
        finish(engine, code).await
    }

    /// Tells of space.
    pub(super) async fn df(&self, target: Target) -> Result<(), u8> {
        let engine = self.connect(target, self.config.options()).await?;
        let mut code = None;
        match engine.usage().await {
            Ok(Usage { quota, used, reserved, files, max_files }) if self.output.json => {
                self.output.object(&UsageLine { quota, used, reserved, files, max_files });
            }
            Ok(usage) => space(&usage),
            Err(fault) => self.fail(&RemotePath::home(), &fault, &mut code),
        }
        finish(engine, code).await
    }

    /// Makes directories.
    pub(super) async fn mkdir(&self, target: Target, paths: Vec<OsString>, parents: bool) -> Result<(), u8> {
        let paths = remotes(&paths)?;
        let engine = self.connect(target, self.config.options()).await?;
        let mut code = None;
        for path in &paths {
            self.tell(path, engine.mkdir(path, parents).await, &mut code);
        }
        finish(engine, code).await
    }

    /// Removes.
    pub(super) async fn rm(&self, target: Target, paths: Vec<OsString>, recursive: bool) -> Result<(), u8> {
        let paths = remotes(&paths)?;
        let engine = self.connect(target, self.config.options()).await?;
        let mut code = None;
        for path in &paths {
            let removed = match engine.remove(path, recursive).await {
                Err(fault) if fault.code == Code::NotEmpty && !recursive => {
                    Err(Fault::new(Code::NotEmpty, format!("{fault}; remove it with all it holds with -r")))
                }
                other => other,
            };
            self.tell(path, removed, &mut code);
        }
        finish(engine, code).await
    }

    /// Moves to the account's trash.
    pub(super) async fn trash(&self, target: Target, paths: Vec<OsString>) -> Result<(), u8> {
        let paths = remotes(&paths)?;
        let engine = self.connect(target, self.config.options()).await?;
        let mut code = None;
        for path in &paths {
            self.tell(path, engine.trash(path).await.map(drop), &mut code);
        }
        finish(engine, code).await
    }

    /// Moves.
    pub(super) async fn mv(&self, target: Target, from: &OsStr, to: &OsStr) -> Result<(), u8> {
        let (from, to) = (remote(from)?, remote(to)?);
        let engine = self.connect(target, self.config.options()).await?;
        let moved = match into(&engine, &from, to).await {
            Ok(to) => engine.rename(&from, &to, false).await,
            Err(fault) => Err(fault),
        };
        let mut code = None;
        self.tell(&from, moved, &mut code);
        finish(engine, code).await
    }

    /// Copies.
    pub(super) async fn cp(&self, target: Target, from: &OsStr, to: &OsStr) -> Result<(), u8> {
        let (from, to) = (remote(from)?, remote(to)?);
        let engine = self.connect(target, self.config.options()).await?;
        let copied = match into(&engine, &from, to).await {
            Ok(to) => engine.copy(&from, &to, false).await,
            Err(fault) => Err(fault),
        };
        let mut code = None;
        self.tell(&from, copied, &mut code);
        finish(engine, code).await
    }

    /// What a directory holds, or the file itself. Only programs are told hashes.
    async fn list(&self, engine: &Engine, path: &RemotePath) -> Result<Entries, Fault> {
        let mut pages = engine.list(path);
        let mut entries = if self.output.json { Entries::with_roots() } else { Entries::default() };
        while let Some(page) = pages.recv().await {
            let page = match page {
                Err(fault) if fault.code == Code::NotDirectory => vec![engine.stat(path).await?],
                page => page?,
            };
            page.iter().for_each(|entry| entries.push(entry));
        }
        Ok(entries)
    }

    /// In the order of their names' bytes.
    fn show(&self, entries: &Entries) {
        let mut ids: Vec<u32> = entries.ids().collect();
        ids.sort_unstable_by(|a, b| entries.name(*a).cmp(entries.name(*b)));
        ids.into_iter().filter_map(|id| entries.get(id)).for_each(|entry| self.show_one(entry));
    }

    fn show_one(&self, entry: EntryRef<'_>) {
        if self.output.json {
            return self.output.object(&line(entry));
        }
        let size = if entry.kind == Kind::File { size::show_short(entry.size) } else { "-".to_owned() };
        let kind = match entry.kind {
            Kind::File if entry.executable => "exec",
            Kind::Directory => "dir",
            kind => word(kind),
        };
        print(&format!("{kind:5} {size:>6}  {}  {}", clock(entry.mtime), escape(entry.name)));
    }

    fn tell(&self, path: &RemotePath, result: Result<(), Fault>, code: &mut Option<u8>) {
        match result {
            Ok(()) if self.output.json => {
                self.output.object(&PathLine { path: path.to_string(), status: "done", error: None });
            }
            Ok(()) => {}
            Err(fault) => self.fail(path, &fault, code),
        }
    }

    fn fail(&self, path: &RemotePath, fault: &Fault, code: &mut Option<u8>) {
        if self.output.json {
            let error = Some(fault.into());
            self.output.object(&PathLine { path: path.to_string(), status: "failed", error });
        } else {
            complain(&format!("{path}: {fault}"));
        }
        let over_quota = matches!(fault.code, Code::Quota | Code::FileQuota);
        *code = Some(if over_quota || *code == Some(QUOTA) { QUOTA } else { FAILED });
    }
}

/// Where something goes: into `to` where that is a directory, as with `mv` and `cp` everywhere.
async fn into(engine: &Engine, from: &RemotePath, to: RemotePath) -> Result<RemotePath, Fault> {
    match engine.stat(&to).await {
        Ok(entry) if entry.kind == Kind::Directory && to != *from => {
            to.join(from.name()).map_err(|error| Fault::new(Code::BadPath, error.to_string()))
        }
        Ok(_) => Ok(to),
        Err(fault) if fault.code == Code::NotFound => Ok(to),
        Err(fault) => Err(fault),
    }
}

async fn finish(engine: Engine, code: Option<u8>) -> Result<(), u8> {
    engine.shutdown(GRACE).await;
    code.map_or(Ok(()), Err)
}

fn remotes(paths: &[OsString]) -> Result<Vec<RemotePath>, u8> {
    paths.iter().map(|path| remote(path)).collect()
}

fn line(entry: EntryRef<'_>) -> EntryLine {
    EntryLine {
        name: escape(entry.name),
        kind: word(entry.kind),
        bytes: entry.size,
        mtime: rfc3339(entry.mtime),
        root: entry.root.map(|root| root.to_string()),
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Link => "link",
        Kind::Other => "other",
    }
}

fn describe(path: &RemotePath, entry: &Entry) {
    print(&format!("{path}"));
    print(&format!("  kind      {}{}", word(entry.kind), if entry.executable { ", executable" } else { "" }));
    print(&format!("  bytes     {} ({})", entry.size, size::show(entry.size)));
    print(&format!("  modified  {}", clock(entry.mtime)));
    if let Some(root) = entry.root {
        print(&format!("  blake3    {root}"));
    }
}

fn space(usage: &Usage) {
    let limit = |limit: Option<u64>, show: fn(u64) -> String| limit.map_or("no limit".to_owned(), show);
    print(&format!("quota     {}", limit(usage.quota, size::show)));
    print(&format!("used      {}", size::show(usage.used)));
    print(&format!("reserved  {}", size::show(usage.reserved)));
    if let Some(free) = usage.free() {
        print(&format!("free      {}", size::show(free)));
    }
    print(&format!("files     {} of {}", usage.files, limit(usage.max_files, |files| files.to_string())));
}

const GRACE: Duration = Duration::from_secs(2);
