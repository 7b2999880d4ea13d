//! `sync`: one tree made like the other. The plan is that of the screen; it is printed, or carried out through the queue.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use wire::path::escape;
use wire::{Code, Fault, size};

use super::output::print;
use super::report::{ErrorPart, Report};
use super::transfer::remote;
use super::{CONNECT, FAILED, Face, INTERRUPTED, Syncing, USAGE, complain};
use crate::app::text::count;
use crate::engine::status::Direction;
use crate::engine::{Engine, Target};
use crate::sync::carry::{self, Carried};
use crate::sync::ground::{Ground, Removal};
use crate::sync::mode::{By, Mode, Toward};
use crate::sync::orders::{Act, End, Orders, Sum, Totals};
use crate::sync::plan::{Action, Plan, Row};
use crate::sync::scan::{self, Scan};

/// Which side is made like the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum To {
    /// The server's directory.
    Remote,
    /// This machine's.
    Local,
}

/// By what files are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ByWhat {
    /// Size alone
    Size,
    /// Size and time
    #[value(name = "size,time")]
    SizeTime,
    /// BLAKE3
    Content,
}

/// A row of the plan, for programs.
#[derive(Serialize)]
struct RowLine<'a> {
    path: String,
    action: &'static str,
    finding: &'static str,
    local: Option<u64>,
    remote: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorPart<'a>>,
}

/// The end of a dry run, for programs.
#[derive(Serialize)]
struct PlanTotals {
    files: u64,
    directories: u64,
    bytes: u64,
    deletions: u64,
    conflicts: u64,
    dry_run: bool,
}

impl Face {
    /// Plans, and carries it out unless it is only to be shown.
    pub(super) async fn sync(
        &self,
        target: Target,
        local: OsString,
        remote_dir: OsString,
        how: &Syncing,
    ) -> Result<(), u8> {
        if how.trash && how.to == To::Local {
            complain("--trash is the account's, and with --to local nothing is deleted at the server");
            return Err(USAGE);
        }
        let (here, there) = (absolute(PathBuf::from(local))?, remote(&remote_dir)?);
        let engine = self.connect(target, self.options(&how.how())).await?;
        let toward = if how.to == To::Remote { Toward::Right } else { Toward::Left };
        let by = match how.by {
            ByWhat::Size => By::Size,
            ByWhat::SizeTime => By::Time,
            ByWhat::Content => By::Content,
        };
        let mode = Mode { by, toward, deletions: how.delete, deep: true };
        let scan = Scan { left: Ground::Here(here), right: Ground::There(engine.clone(), there), mode };
        let token = CancellationToken::new();
        let planned = tokio::select! {
            planned = scan::run(&scan, &token, |_, progress| self.looking(progress.found)) => planned,
            _ = tokio::signal::ctrl_c() => return Err(INTERRUPTED),
        };
        self.output.progress("");
        let plan = match planned {
            Ok(whole) => {
                self.tell_unread(whole.progress.unread);
                whole.plan
            }
            Err(fault) => {
                complain(&fault.message);
                return Err(if fault.code == Code::Timeout { CONNECT } else { FAILED });
            }
        };
        let removal = if how.trash { Removal::ToTrash } else { Removal::ForGood };
        if how.dry_run {
            self.show_plan(engine, &plan, mode, removal).await
        } else {
            self.carry(engine, &scan, &plan, removal).await
        }
    }

    fn tell_unread(&self, unread: u64) {
        if unread > 0 {
            complain(&format!("{} could not be read: what they hold is left as it is", count(unread, "directory")));
        }
    }

    fn looking(&self, found: u64) {
        self.output.progress(&format!("{} looked at", count(found, "entry")));
    }

    async fn show_plan(&self, engine: Engine, plan: &Plan, mode: Mode, removal: Removal) -> Result<(), u8> {
        let actions = || plan.rows.iter().map(|row| (row, row.proposal(mode)));
        for (row, action) in actions().filter(|(row, action)| *action != Action::Skip || row.finding.is_conflict()) {
            self.show_row(plan, row, word(action, removal), action);
        }
        let totals = Totals::of(actions());
        let Sum { files, directories, bytes } = both(&totals);
        let deletions = totals.deleted_left + totals.deleted_right;
        if self.output.json {
            let conflicts = totals.undecided;
            self.output.object(&PlanTotals { files, directories, bytes, deletions, conflicts, dry_run: true });
        } else {
            let copied = format!("{} to copy, {}", count(files, "file"), size::show(bytes));
            let made = told(directories, "directory to make", "directories to make");
            let gone = match removal {
                Removal::ForGood => told(deletions, "thing to delete", "things to delete"),
                Removal::ToTrash => told(deletions, "thing to the trash", "things to the trash"),
            };
            let left = told(totals.undecided, "conflict left as it is", "conflicts left as they are");
            self.output.remark(&format!("{copied}{made}{gone}{left}; nothing was changed"));
        }
        engine.shutdown(super::transfer::GRACE).await;
        Ok(())
    }

    fn show_row(&self, plan: &Plan, row: &Row, word: &'static str, action: Action) {
        let (path, finding) = (escape(plan.path(row)), row.finding.word());
        if self.output.json {
            let local = row.left.map(|_| row.left_bytes);
            let remote = row.right.map(|_| row.right_bytes);
            return self.output.object(&RowLine { path, action: word, finding, local, remote, error: None });
        }
        let bytes = if action == Action::CopyLeft { row.right_bytes } else { row.left_bytes };
        let bytes = if row.kind == wire::message::Kind::File { size::show_short(bytes) } else { "-".to_owned() };
        print(&format!("{word:13}  {bytes:>6}  {path}  ({finding})"));
    }

    async fn carry(&self, engine: Engine, scan: &Scan, plan: &Plan, removal: Removal) -> Result<(), u8> {
        let orders = Orders::of(plan, &scan.left, &scan.right, |_, row| row.proposal(scan.mode));
        let mut report = Report::new(self.output);
        let conflicts =
            plan.rows.iter().filter(|row| row.finding.is_conflict() && row.proposal(scan.mode) == Action::Skip);
        for row in conflicts {
            let fault = Fault::new(Code::Exists, format!("{}: left as it is", row.finding.word()));
            report.refused(Direction::Up, escape(plan.path(row)), fault);
        }
        let token = CancellationToken::new();
        let carried = tokio::select! {
            carried = carry::run(orders.tasks, (&scan.left, &scan.right), removal, &token, |_| {}) => carried,
            _ = tokio::signal::ctrl_c() => return Err(INTERRUPTED),
        };
        self.tell_tasks(&carried, &mut report);
        let enqueue = |engine: &Engine| {
            let transfers = orders.transfers.into_iter();
            transfers.map(|transfer| engine.enqueue_chosen(transfer.job, transfer.chosen)).collect()
        };
        self.follow(&engine, enqueue, report).await
    }

    fn tell_tasks(&self, carried: &Carried, report: &mut Report) {
        for (task, fault) in &carried.failed {
            let direction = if task.end == End::Right { Direction::Up } else { Direction::Down };
            let what = match task.act {
                Act::MakeDirectory => "not made",
                Act::Copy { .. } => "not copied",
                Act::Delete(_) => "not deleted",
            };
            let fault = Fault { message: format!("{what}: {}", fault.message), ..fault.clone() };
            report.refused(direction, escape(&task.path), fault);
        }
        report.deleted(carried.deleted);
    }
}

/// `copy-right` is between panes; here there is this machine and the server.
fn word(action: Action, removal: Removal) -> &'static str {
    match action {
        Action::Skip => "skip",
        Action::CopyRight => "upload",
        Action::CopyLeft => "download",
        Action::DeleteLeft => "delete-local",
        Action::DeleteRight if removal == Removal::ToTrash => "trash-remote",
        Action::DeleteRight => "delete-remote",
    }
}

fn both(totals: &Totals) -> Sum {
    let (one, other) = (totals.right, totals.left);
    Sum {
        files: one.files + other.files,
        directories: one.directories + other.directories,
        bytes: one.bytes.saturating_add(other.bytes),
    }
}

fn told(number: u64, one: &str, many: &str) -> String {
    match number {
        0 => String::new(),
        1 => format!(", 1 {one}"),
        number => format!(", {number} {many}"),
    }
}

fn absolute(path: PathBuf) -> Result<PathBuf, u8> {
    std::path::absolute(&path).map_err(|error| {
        complain(&format!("{}: {error}", path.display()));
        FAILED
    })
}
