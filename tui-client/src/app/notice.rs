//! What keeps a warning on the message line: good news that come by themselves wait until a key was pressed, until it
//! was there long enough to be read, or until another warning comes. The log has all of them at once.

use wire::message::Time;

use super::{App, Note, Tone};

/// What is kept of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// When what is on the message line was told.
    since: Time,
    /// Whether a key was pressed since.
    heeded: bool,
    /// What was told last of what waits.
    next: Option<Note>,
    /// The name of the wait for its turn, once it was begun.
    wait: Option<u64>,
}

impl App {
    /// Tells something on the message line.
    pub fn tell(&mut self, tone: Tone, text: impl Into<String>) {
        let note = Note { text: text.into(), tone };
        self.log.take(&note);
        if tone != Tone::Bad && self.left_to_read() > 0 {
            self.notice.next = Some(note);
            return;
        }
        self.note = note;
        self.notice = Notice { since: self.log.now, ..Notice::default() };
    }

    /// Tells how far something is, where no warning stands. The log is told only of its beginning and its end.
    pub fn show_progress(&mut self, text: String) {
        if self.left_to_read() == 0 {
            self.note = Note { text, tone: Tone::Plain };
        }
    }

    /// Takes a hint at keys off the message line when they are left behind.
    pub fn take_back(&mut self, hint: &str) {
        if self.note.text == hint {
            self.note = Note::default();
        }
    }

    /// The person is there: what was told is read, and what waited is shown.
    pub fn heed(&mut self) {
        self.notice.heeded = true;
        if let Some(next) = self.notice.next.take() {
            self.note = next;
        }
    }

    /// Milliseconds that the warning on the message line still stays by itself.
    fn left_to_read(&self) -> u64 {
        if self.note.tone != Tone::Bad || self.notice.heeded {
            return 0;
        }
        let millis = |time: Time| i128::from(time.secs) * 1000 + i128::from(time.nanos / 1_000_000);
        let gone = millis(self.log.now) - millis(self.notice.since);
        // A clock that was set back keeps nothing for longer.
        if gone < 0 { 0 } else { STAYS.saturating_sub(u64::try_from(gone).unwrap_or(STAYS)) }
    }

    /// A wait that is to begin for what waits: its name, and milliseconds.
    pub fn begin_wait(&mut self) -> Option<(u64, u64)> {
        if self.notice.next.is_none() || self.notice.wait.is_some() {
            return None;
        }
        let (serial, left) = (self.next_serial(), self.left_to_read());
        self.notice.wait = Some(serial);
        Some((serial, left))
    }

    /// That wait is over.
    pub fn waited_for(&mut self, serial: u64) {
        if self.notice.wait == Some(serial) {
            self.heed();
        }
    }
}

/// Milliseconds: time to look up and read a sentence.
const STAYS: u64 = 5000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::sample;

    fn at(app: &mut App, secs: i64) {
        app.log.now = Time { secs, nanos: 0 };
    }

    #[test]
    fn a_warning_stays_until_it_is_read() {
        let mut app = sample::app();
        at(&mut app, 100);
        app.tell(Tone::Good, "one");
        app.tell(Tone::Bad, "warning");
        app.tell(Tone::Good, "two");
        app.tell(Tone::Plain, "three");
        assert_eq!((app.note.text.as_str(), app.log.told()), ("warning", 4));
        let (serial, left) = app.begin_wait().unwrap();
        assert_eq!((left, app.begin_wait()), (5000, None), "one wait at a time");
        // Another warning takes its place at once, and its own time.
        at(&mut app, 103);
        app.tell(Tone::Bad, "second warning");
        app.waited_for(serial);
        assert_eq!((app.begin_wait(), app.note.text.as_str()), (None, "second warning"));
        at(&mut app, 107);
        app.tell(Tone::Good, "four");
        let (serial, left) = app.begin_wait().unwrap();
        assert_eq!((app.note.text.as_str(), left), ("second warning", 1000));
        app.waited_for(serial);
        assert_eq!(app.note.text, "four");
        // Long enough on the screen, or read: nothing waits.
        app.tell(Tone::Bad, "third");
        at(&mut app, 112);
        app.tell(Tone::Good, "five");
        assert_eq!(app.note.text, "five");
        app.tell(Tone::Bad, "fourth");
        app.tell(Tone::Good, "six");
        app.heed();
        assert_eq!(app.note.text, "six");
        app.tell(Tone::Bad, "fifth");
        app.heed();
        app.tell(Tone::Good, "seven");
        assert_eq!(app.note.text, "seven");
    }
}
