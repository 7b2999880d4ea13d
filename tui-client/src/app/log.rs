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
    /// The number of the lowest line of the panel, where somebody looks at older ones: it stays while others come.
    lowest: Option<u64>,
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

    /// The lines of a panel of so many rows, the newest at the end.
    pub fn shown(&self, rows: usize) -> impl Iterator<Item = &Line> {
        let end = self.lines.len() - self.newer();
        self.lines.iter().take(end.max(rows)).skip(end.saturating_sub(rows))
    }

    /// How many lines are below those of the panel.
    pub fn newer(&self) -> usize {
        let newer = |lowest: u64| usize::try_from(self.told.saturating_sub(lowest)).unwrap_or(usize::MAX);
        self.lowest.map_or(0, newer).min(self.lines.len())
    }

    /// Moves a panel of so many rows to older lines, or with fewer than none to newer ones.
    pub fn scroll(&mut self, back: isize, rows: usize) {
        let newer = self.newer().saturating_add_signed(back).min(self.lines.len().saturating_sub(rows));
        self.lowest = (newer > 0).then(|| self.told.saturating_sub(newer as u64));
    }

    /// Shows the newest lines again.
    pub fn follow(&mut self) {
        self.lowest = None;
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
        assert_eq!(log.shown(1).map(|line| (line.number, line.at.secs)).collect::<Vec<_>>(), [(600, 600)]);
        assert!(log.since(0).all(|line| line.note.text == "ä ".repeat(LONGEST / 2)));
        assert_eq!(log.since(597).map(|line| line.number).collect::<Vec<_>>(), [598, 599, 600]);
        assert_eq!((log.since(600).count(), log.shown(3).count(), log.shown(900).count()), (0, 3, MOST));
    }

    #[test]
    fn older_lines_stay_while_new_ones_come() {
        let mut log = Log::default();
        let tell = |log: &mut Log, count: usize| {
            (0..count).for_each(|_| log.take(&Note { text: "x".into(), tone: Tone::Plain }));
        };
        let shown = |log: &Log| log.shown(3).map(|line| line.number).collect::<Vec<_>>();
        log.scroll(2, 3);
        assert_eq!((shown(&log), log.newer()), (vec![], 0), "nothing to scroll");
        tell(&mut log, 10);
        log.scroll(2, 3);
        tell(&mut log, 5);
        assert_eq!((shown(&log), log.newer()), (vec![6, 7, 8], 7));
        log.scroll(isize::MAX, 3);
        assert_eq!(shown(&log), [1, 2, 3]);
        log.scroll(-1, 3);
        assert_eq!(shown(&log), [2, 3, 4]);
        // What is shown is forgotten in the end: then the oldest there are.
        tell(&mut log, MOST);
        assert_eq!(shown(&log), [16, 17, 18]);
        log.scroll(isize::MIN, 3);
        assert_eq!((shown(&log), log.newer()), (vec![513, 514, 515], 0));
        log.scroll(5, 3);
        log.follow();
        assert_eq!(log.newer(), 0);
    }

    #[test]
    fn a_line_as_it_is_shown() {
        let at = Time { secs: 1_795_341_600, nanos: 0 };
        let line = |tone| Line { number: 1, at, note: Note { text: "lost".into(), tone } }.words(&TimeZone::UTC);
        assert_eq!([Tone::Bad, Tone::Good].map(line), [" 10:00:00 !lost", " 10:00:00  lost"]);
    }
}
