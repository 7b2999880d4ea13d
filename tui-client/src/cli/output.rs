//! Lines on standard output and standard error. A reader that goes away is no failure.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::Path;

use serde::Serialize;
use wire::message::Time;

use super::Common;

/// How to print.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    pub(super) json: bool,
    pub(super) quiet: bool,
    /// Whether a progress line may be drawn on standard error.
    pub(super) progress: bool,
}

impl Output {
    pub(super) fn new(common: &Common) -> Self {
        Self { json: common.json, quiet: common.quiet, progress: !common.quiet && stderr().is_terminal() }
    }

    /// An object on a line of its own.
    pub(super) fn object(self, object: &impl Serialize) {
        if let Ok(line) = serde_json::to_string(object) {
            print(&line);
        }
    }

    /// Something people want to know, unless they said they do not.
    pub(super) fn remark(self, line: &str) {
        if !self.quiet && !self.json {
            print(line);
        }
    }

    /// Draws the progress line over the last one; empty: wipes it.
    pub(super) fn progress(self, line: &str) {
        if self.progress {
            // A terminal that is gone is no failure.
            let _ = write!(stderr(), "\r\x1b[K{line}").and_then(|()| stderr().flush());
        }
    }
}

/// A line on standard output.
pub(super) fn print(line: &str) {
    // Whoever closed the pipe has read enough.
    let _ = writeln!(stdout(), "{line}");
}

/// A line on standard error.
pub(super) fn complain(message: &str) {
    let called = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&called).file_name().map(|name| name.to_string_lossy().into_owned());
    let _ = writeln!(stderr(), "{}: {message}", name.as_deref().unwrap_or("tui-client"));
}

/// RFC 3339, in UTC.
pub(super) fn rfc3339(time: Time) -> String {
    timestamp(time).to_string()
}

/// For people, in their own time zone.
pub(super) fn clock(time: Time) -> String {
    timestamp(time).to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

fn timestamp(time: Time) -> jiff::Timestamp {
    jiff::Timestamp::new(time.secs, i32::try_from(time.nanos).unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_utc() {
        assert_eq!(rfc3339(Time { secs: 0, nanos: 0 }), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(Time { secs: 1_795_336_200, nanos: 500_000_000 }), "2026-11-22T08:30:00.5Z");
        assert_eq!(rfc3339(Time { secs: i64::MAX, nanos: 0 }), "1970-01-01T00:00:00Z");
    }
}
