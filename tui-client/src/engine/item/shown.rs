//! An item as the screen sees it. Reads only.

use std::time::{Duration, Instant};

use wire::Fault;
use wire::path::escape;

use super::super::local;
use super::super::progress;
use super::super::status::{ItemStatus, Job, State};
use super::{Failed, Item, Part, Wish};

impl Item {
    /// As it is shown. `offline`: until the next try, and why, while the connection is lost.
    pub(crate) fn status(&mut self, now: Instant, offline: Option<&(Duration, Fault)>) -> ItemStatus {
        self.tick(now);
        let (live_sent, live_done) = self.under_way();
        let sent = self.sent + live_sent;
        let held = self.held + live_done.saturating_sub(live_sent);
        let bytes_done = (self.bytes_done + live_done).min(self.bytes);
        let rate = if self.is_moving() { self.meter.record(now, sent) } else { 0 };
        let state = self.state(now, offline);
        let foretold = self.foretold();
        let told = foretold.unwrap_or_default();
        ItemStatus {
            id: self.id,
            job: self.job.clone(),
            source: self.source,
            name: self.name(),
            scanning: self.scanning > 0 || (!self.scans.is_empty() && !state.is_over() && !told.whole),
            files: self.files.max(told.files),
            files_done: self.files_done,
            files_skipped: self.files_skipped,
            files_failed: self.failed.len() as u64,
            directories_left: self.emptying.left,
            bytes: self.bytes.max(told.bytes),
            bytes_done: bytes_done.max(told.done),
            bytes_over: self.bytes_done.saturating_add(self.bytes_failed()),
            sent,
            held,
            rate,
            limit: self.limit.rate(),
            priority: self.priority,
            eta: progress::eta(self.bytes.saturating_sub(bytes_done), rate).filter(|_| !state.is_over()),
            root: self.root,
            elapsed: self.spent + self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since)),
            note: self.note(&state),
            state,
        }
    }

    /// Bytes that travelled, and bytes that are settled, of the files that are not finished.
    pub(super) fn under_way(&self) -> (u64, u64) {
        let active = self.active.iter().map(|active| {
            let (sent, held) = active.live.shown(active.size);
            ((active.travelled + sent).min(active.size), (sent + held).max(active.done))
        });
        let parked = self.parked.iter().filter_map(|parked| match &parked.failed {
            Failed::File(file) => Some(&**file),
            _ => None,
        });
        let waiting = self.pending.iter().chain(self.asked.iter().map(|(_, file)| file)).chain(parked);
        let begun = waiting.filter(|file| file.begun);
        let begun = begun.map(|file| (file.travelled.min(file.source.size), file.done));
        active.chain(begun).fold((0, 0), |(sent, done), (more_sent, more_done)| (sent + more_sent, done + more_done))
    }

    fn bytes_failed(&self) -> u64 {
        let size = |failed: &Failed| if let Failed::File(file) = failed { file.source.size } else { 0 };
        self.failed.iter().map(size).fold(0, u64::saturating_add)
    }

    fn state(&self, now: Instant, offline: Option<&(Duration, Fault)>) -> State {
        match self.wish {
            Wish::Cancel { .. } => return State::Cancelled,
            Wish::Pause if !self.is_over() => return State::Paused,
            _ => {}
        }
        if self.is_over() {
            return self.fault.clone().map_or(State::Done, State::Failed);
        }
        if self.is_moving() {
            return State::Running;
        }
        if let Some((after, fault)) = offline {
            return State::Retrying { after: *after, fault: fault.clone() };
        }
        let files = || self.pending.iter().chain(self.leaving.iter().map(|leaving| &leaving.file));
        if self.scans.is_empty() && files().next().is_none() && !self.is_emptying() {
            return State::NeedsYou;
        }
        let waiting = files().filter_map(|file| file.waits.as_ref()).chain(&self.emptying.waits);
        match waiting.min_by_key(|(until, _)| *until) {
            Some((until, fault)) if files().all(|file| file.waits.is_some()) => {
                State::Retrying { after: until.saturating_duration_since(now), fault: fault.clone() }
            }
            _ => State::Waiting,
        }
    }

    fn name(&self) -> String {
        let name = match &self.job {
            Job::Up { source, .. } => {
                source.file_name().map_or_else(|| local::shown(source), |name| local::shown(name.as_ref()))
            }
            Job::Down { source, .. } if source.is_home() => "/".to_owned(),
            Job::Down { source, .. } => escape(source.name()),
        };
        let name = if self.is_dir && !name.ends_with('/') { name + "/" } else { name };
        match &self.part {
            Some(Part::Picked(_)) => format!("marks in {}/", name.trim_end_matches('/')),
            _ => name,
        }
    }

    fn note(&self, state: &State) -> String {
        match state {
            State::Running if self.is_dir => self.active.front().map(|active| active.shown.clone()).unwrap_or_default(),
            State::Retrying { fault, .. } | State::Failed(fault) => fault.message.clone(),
            State::NeedsYou => match (self.asked.len(), self.parked.as_slice()) {
                (0, [parked]) => parked.question.refusal().map(|fault| fault.message.clone()).unwrap_or_default(),
                (1, []) => "1 file exists already".to_owned(),
                (more, []) => format!("{more} files exist already"),
                (asked, parked) => format!("{} decisions wait", asked + parked.len()),
            },
            State::Done => self.emptying.why.clone(),
            _ => String::new(),
        }
    }
}
