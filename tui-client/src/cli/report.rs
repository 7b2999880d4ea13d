//! What `put` and `get` tell: a line a file, the totals, the progress line, the exit code.

use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use serde::Serialize;
use wire::path::escape;
use wire::{Code, Fault, size};

use super::output::{Output, complain, print};
use super::{DONE, FAILED, QUOTA};
use crate::engine::status::{Direction, End, ItemId, ItemStatus, Job, Link, Outcome, Status};

/// Gathers outcomes.
#[derive(Debug)]
pub(super) struct Report {
    output: Output,
    began: Instant,
    files: u64,
    failed: u64,
    skipped: u64,
    bytes: u64,
    sent: u64,
    held: u64,
    /// Things deleted, which are no files of the queue.
    deleted: u64,
    over_quota: bool,
}

/// A line of `--json`.
#[derive(Serialize)]
struct FileLine<'a> {
    path: &'a str,
    bytes: u64,
    sent: u64,
    held: u64,
    root: Option<String>,
    status: &'static str,
    error: Option<ErrorPart<'a>>,
}

/// A fault, for programs.
#[derive(Serialize)]
pub(super) struct ErrorPart<'a> {
    code: &'static str,
    message: &'a str,
}

impl<'a> From<&'a Fault> for ErrorPart<'a> {
    fn from(fault: &'a Fault) -> Self {
        Self { code: fault.code.name(), message: &fault.message }
    }
}

/// The last line of `--json`.
#[derive(Serialize)]
struct Totals {
    files: u64,
    failed: u64,
    bytes: u64,
    sent: u64,
    held: u64,
    #[serde(skip_serializing_if = "is_none")]
    deleted: u64,
    seconds: f64,
}

fn is_none(number: &u64) -> bool {
    *number == 0
}

impl Report {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            began: Instant::now(),
            files: 0,
            failed: 0,
            skipped: 0,
            bytes: 0,
            sent: 0,
            held: 0,
            deleted: 0,
            over_quota: false,
        }
    }

    /// Tells how a file ended.
    pub(super) fn file(&mut self, outcome: &Outcome) {
        self.files += 1;
        self.bytes += outcome.bytes;
        self.sent += outcome.sent;
        self.held += outcome.held;
        if self.output.json {
            self.output.object(&line(outcome));
        }
        match &outcome.end {
            End::Done => {}
            End::Skipped => {
                self.skipped += 1;
                self.say(|| self.output.remark(&format!("skipped {}", outcome.path)));
            }
            End::Failed(fault) => {
                self.failed += 1;
                self.over_quota |= matches!(fault.code, Code::Quota | Code::FileQuota);
                if !self.output.json {
                    self.say(|| complain(&format!("{}: {fault}", outcome.path)));
                }
            }
        }
    }

    /// Something that never became a file of the queue.
    pub(super) fn refused(&mut self, direction: Direction, path: String, fault: Fault) {
        let item = ItemId(0);
        let end = End::Failed(fault);
        self.file(&Outcome { item, direction, path, bytes: 0, sent: 0, held: 0, root: None, end });
    }

    /// Things that were deleted.
    pub(super) fn deleted(&mut self, number: u64) {
        self.deleted += number;
    }

    /// An item that was left before its end.
    pub(super) fn unfinished(&mut self, item: &ItemStatus, fault: Fault) {
        let (direction, path) = match &item.job {
            Job::Up { target, .. } => (Direction::Up, target.to_string()),
            Job::Down { target, .. } => (Direction::Down, escape(target.as_os_str().as_bytes())),
        };
        let ItemStatus { id, files, bytes, sent, held, .. } = *item;
        // The files of a tree have lines of their own, those that ended.
        let (bytes, sent, held) = if files > 1 { (0, 0, 0) } else { (bytes, sent, held) };
        self.file(&Outcome { item: id, direction, path, bytes, sent, held, root: None, end: End::Failed(fault) });
    }

    /// Draws the progress line.
    pub(super) fn progress(&self, status: &Status) {
        if self.output.progress {
            self.output.progress(&progress(status));
        }
    }

    /// Tells the totals; the exit code.
    pub(super) fn end(&self) -> u8 {
        self.output.progress("");
        let seconds = self.began.elapsed().as_secs_f64();
        if self.output.json {
            let Self { files, failed, bytes, sent, held, deleted, .. } = *self;
            let seconds = (seconds * 1000.0).round() / 1000.0;
            self.output.object(&Totals { files, failed, bytes, sent, held, deleted, seconds });
        } else if !self.output.quiet {
            print(&self.summary(seconds));
        }
        match (self.failed, self.over_quota) {
            (0, _) => DONE,
            (_, true) => QUOTA,
            _ => FAILED,
        }
    }

    fn summary(&self, seconds: f64) -> String {
        let done = self.files - self.failed - self.skipped;
        let mut line = format!("{done} of {} files proven, {} sent", self.files, size::show(self.sent));
        if self.held > 0 {
            line += &format!(", {} there already", size::show(self.held));
        }
        if self.deleted > 0 {
            line += &format!(", {} deleted", self.deleted);
        }
        if self.skipped > 0 {
            line += &format!(", {} skipped", self.skipped);
        }
        if self.failed > 0 {
            line += &format!(", {} FAILED", self.failed);
        }
        line + &format!(", {seconds:.1} s")
    }

    /// A line among which the progress line does not stand.
    fn say(&self, how: impl FnOnce()) {
        self.output.progress("");
        how();
    }
}

fn line(outcome: &Outcome) -> FileLine<'_> {
    let (status, error) = match &outcome.end {
        End::Done => ("done", None),
        End::Skipped => ("skipped", None),
        End::Failed(fault) => ("failed", Some(fault.into())),
    };
    FileLine {
        path: &outcome.path,
        bytes: outcome.bytes,
        sent: outcome.sent,
        held: outcome.held,
        root: outcome.root.map(|root| root.to_string()),
        status,
        error,
    }
}

fn progress(status: &Status) -> String {
    if let Link::Lost { retry_in, reason } = &status.link {
        return clip(&format!("connection lost, trying again in {} s: {reason}", retry_in.as_secs() + 1));
    }
    let sum = |of: fn(&ItemStatus) -> u64| status.items.iter().map(of).sum::<u64>();
    let at_least = if status.items.iter().any(|item| item.scanning) { "≥" } else { "" };
    let (bytes, done) = (sum(|item| item.bytes), sum(|item| item.bytes_done));
    let eta = bytes.saturating_sub(done).checked_div(status.rate).map(Duration::from_secs);
    clip(&format!(
        "{} of {at_least}{} files  {} of {at_least}{}  {}/s  {}",
        sum(|item| item.files_done + item.files_failed),
        sum(|item| item.files),
        size::show(done),
        size::show(bytes),
        size::show(status.rate),
        eta.map(duration).unwrap_or_default(),
    ))
}

/// `0:07`, `12:34`, `1:02:03`.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

fn clip(line: &str) -> String {
    // Some terminals do not know their width and say 0.
    let columns = crossterm::terminal::size().map_or(0, |(columns, _)| usize::from(columns));
    let width = if columns == 0 { 80 } else { columns };
    line.chars().take(width.saturating_sub(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Root;

    fn outcome(end: End) -> Outcome {
        Outcome {
            item: ItemId(1),
            direction: Direction::Up,
            path: "/a\\x1b".to_owned(),
            bytes: 10,
            sent: 4,
            held: 6,
            root: (end == End::Done).then_some(Root([0xab; 32])),
            end,
        }
    }

    #[test]
    fn lines_for_programs() {
        let json = |end| serde_json::to_string(&line(&outcome(end))).expect("json");
        let root = "ab".repeat(32);
        assert_eq!(
            json(End::Done),
            format!(
                r#"{{"path":"/a\\x1b","bytes":10,"sent":4,"held":6,"root":"{root}","status":"done","error":null}}"#
            )
        );
        assert_eq!(
            json(End::Failed(Fault::new(Code::Quota, "3 bytes short"))),
            r#"{"path":"/a\\x1b","bytes":10,"sent":4,"held":6,"root":null,"status":"failed","error":{"code":"quota","message":"3 bytes short"}}"#
        );
        assert!(json(End::Skipped).contains(r#""status":"skipped","error":null"#));
    }

    #[test]
    fn exit_codes() {
        let failed = |code| End::Failed(Fault::new(code, "no"));
        let table = [
            (vec![End::Done, End::Skipped], DONE),
            (vec![End::Done, failed(Code::Exists)], FAILED),
            (vec![failed(Code::Exists), failed(Code::FileQuota)], QUOTA),
            (vec![failed(Code::Quota)], QUOTA),
        ];
        for (ends, code) in table {
            let mut report = Report::new(Output { json: false, quiet: true, progress: false });
            ends.into_iter().for_each(|end| report.file(&outcome(end)));
            assert_eq!(report.end(), code);
        }
        assert_eq!(duration(Duration::from_secs(3723)), "1:02:03");
    }
}
