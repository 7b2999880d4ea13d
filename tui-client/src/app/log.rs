//! What the message line told, with the time: bounded, and numbered so that whoever writes it down knows what is new.

use std::collections::VecDeque;

use jiff::tz::TimeZone;
use ratatui::layout::Rect;
use wire::message::Time;

use super::text::{Dates, date};
use super::{Note, Tone};

/// The log of one run of the program.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The time of day, as it was told last.
    pub now: Time,
    lines: VecDeque<Line>,
    told: u64,
}

/// Something that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, counted from 1.
    pub number: u64,
    /// When.
    pub at: Time,
    /// What, and how it was meant.
    pub note: Note,
}

impl Log {
    /// Takes up what is told now. It stays one line, whatever a server put into it.
    pub fn take(&mut self, note: &Note) {
        self.told += 1;
        let plain = note.text.chars().map(|c| if c.is_control() { ' ' } else { c });
        let note = Note { text: plain.take(LONGEST).collect(), tone: note.tone };
        self.lines.push_back(Line { number: self.told, at: self.now, note });
        if self.lines.len() > MOST {
            self.lines.pop_front();
        }
    }

    /// The last lines that are kept, the newest at the end.
    pub fn last(&self, count: usize) -> impl Iterator<Item = &Line> {
        self.lines.iter().skip(self.lines.len().saturating_sub(count))
    }

    /// What was told after the line of this number.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &Line> {
        self.lines.iter().skip_while(move |line| line.number <= number)
    }

    /// How much was told in all.
    pub fn told(&self) -> u64 {
        self.told
    }
}

impl Line {
    /// As it is shown: bad news begin with a sign, as on the message line.
    pub fn words(&self, zone: &TimeZone) -> String {
        let date = date(self.at, self.at, zone, Dates::Exact);
        let clock = date.get("2026-11-21 ".len()..).unwrap_or(&date);
        let sign = if self.note.tone == Tone::Bad { '!' } else { ' ' };
        format!(" {clock} {sign}{}", self.note.text)
    }
}

/// The rows of the log below a queue that has this area, its heading included: none where the queue needs them.
pub fn rows(queue: Rect) -> u16 {
    if queue.height < LOW { 0 } else { (queue.height / 5).min(HIGHEST) }
}

/// Lines kept.
const MOST: usize = 500;
/// Characters of a line.
const LONGEST: usize = 500;
/// Below this there is no room for a log.
const LOW: u16 = 18;
/// A queue in a high terminal is worth more than a longer log.
const HIGHEST: u16 = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_and_knows_what_is_new() {
        let mut log = Log::default();
        for number in 1..=600_u64 {
            log.now = Time { secs: i64::try_from(number).unwrap(), nanos: 0 };
            log.take(&Note { text: "ä\n".repeat(1000), tone: Tone::Plain });
        }
        assert_eq!((log.since(0).count(), log.told()), (MOST, 600));
        assert_eq!(log.last(1).map(|line| (line.number, line.at.secs)).collect::<Vec<_>>(), [(600, 600)]);
        assert!(log.since(0).all(|line| line.note.text == "ä ".repeat(LONGEST / 2)));
        assert_eq!(log.since(597).map(|line| line.number).collect::<Vec<_>>(), [598, 599, 600]);
        assert_eq!((log.since(600).count(), log.last(3).count(), log.last(900).count()), (0, 3, MOST));
    }

    #[test]
    fn a_line_as_it_is_shown() {
        let at = Time { secs: 1_795_341_600, nanos: 0 };
        let line = |tone| Line { number: 1, at, note: Note { text: "lost".into(), tone } }.words(&TimeZone::UTC);
        assert_eq!([Tone::Bad, Tone::Good].map(line), [" 10:00:00 !lost", " 10:00:00  lost"]);
    }
}
