//! The viewer: a window on a file of any size, of which only the pieces around the window are at hand. It asks for
//! pieces and takes them up; who reads them is not its business.

use std::collections::BTreeSet;

use bytes::Bytes;
use wire::{Code, Fault};

use super::Tone;
use super::place::Place;

pub mod find;
pub mod glyphs;
mod hex;
mod moving;
pub mod pages;
pub mod text;

pub use find::{Hit, Needle, Spot};
pub use moving::{Aim, To};
pub use pages::{PIECE, Pages, Stamp};
pub use text::Row;

use moving::Rows;
use text::Shape;

/// A file that is looked at.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Answers that carry another number are not for it.
    pub serial: u64,
    /// The file.
    pub place: Place,
    /// What of it is at hand.
    pub pages: Pages,
    /// How it is shown.
    pub mode: Mode,
    /// The other mode was asked for before it was known which one this is.
    flip: bool,
    /// Whether long lines go on in the next row.
    pub wrap: bool,
    /// The first byte of the first row.
    pub top: u64,
    /// Columns scrolled away to the left, where lines do not wrap.
    pub column: usize,
    /// Where it is on the way to.
    pub aim: Aim,
    /// The rows of the screen, from the last time that all of their bytes were at hand.
    pub rows: Vec<Row>,
    /// Whether the screen waits for a piece.
    pub waits: bool,
    /// Pieces that were asked for.
    asked: BTreeSet<u64>,
    /// Whether the last step went up: more is read ahead where it goes.
    upwards: bool,
    /// Why the last piece could not be read.
    pub trouble: Option<Fault>,
    /// The file as it was first seen, if it is another one now.
    pub changed: Option<Stamp>,
    /// A search, or a count of lines, under way.
    pub hunt: Option<Hunt>,
    /// What was looked for last, and whether backwards.
    pub wanted: Option<(Needle, bool)>,
    /// Where it was found.
    pub hit: Option<Hit>,
    /// The next search begins at the other end, for this one found nothing more.
    pub turned: bool,
    /// What there is to say until the next key.
    pub notice: Option<(Tone, String)>,
}

/// How a file is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Its beginning decides, once it is there.
    Open,
    /// As text.
    Text,
    /// As figures.
    Hex,
}

/// Something that goes through a file in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunt {
    /// Its name.
    pub serial: u64,
    /// What for.
    pub goal: Goal,
    /// Bytes gone through.
    pub done: u64,
}

/// What a hunt is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The first hit from this byte on.
    Next(Needle, u64),
    /// The last hit before this byte.
    Previous(Needle, u64),
    /// The beginning of this line, counted from 1.
    Line(u64),
}

/// What came of a hunt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is here.
    Here(Hit),
    /// It is nowhere; about the file, if there is something to say.
    Nowhere(String),
}

impl Viewer {
    /// Opens a file of which nothing is known yet.
    pub fn new(serial: u64, place: Place) -> Self {
        Self {
            serial,
            place,
            pages: Pages::default(),
            mode: Mode::Open,
            flip: false,
            wrap: true,
            top: 0,
            column: 0,
            aim: Aim::default(),
            rows: Vec::new(),
            waits: true,
            asked: BTreeSet::new(),
            upwards: false,
            trouble: None,
            changed: None,
            hunt: None,
            wanted: None,
            hit: None,
            turned: false,
            notice: None,
        }
    }

    /// Lays out a screen of `width` columns and `height` rows as far as that is possible, and says which pieces are
    /// to be read for it.
    pub fn settle(&mut self, width: usize, height: usize) -> Vec<u64> {
        self.choose_mode();
        let mut wanted = Vec::new();
        let done = self.follow(self.shape(width), height).and_then(|()| self.lay(self.shape(width), height));
        self.waits = done.is_err();
        match done {
            Ok(rows) => self.rows = rows,
            Err(missing) => wanted.push(missing.0),
        }
        wanted.extend(self.around(wanted.first().copied()));
        if self.trouble.is_some() {
            return Vec::new();
        }
        let room = MOST_ASKED.saturating_sub(self.asked.len());
        wanted.retain(|index| !self.pages.has(*index) && !self.asked.contains(index));
        wanted.truncate(room);
        self.asked.extend(wanted.iter().copied());
        wanted
    }

    /// A file that has NUL bytes in its beginning is no text.
    fn choose_mode(&mut self) {
        if self.mode == Mode::Open
            && let Ok(head) = self.pages.bytes(0, HEAD)
        {
            self.mode = if head.contains(&0) != self.flip { Mode::Hex } else { Mode::Text };
        }
    }

    fn shape(&self, width: usize) -> Rows {
        match self.mode {
            Mode::Hex => Rows::Hex(hex::per_row(self.pages.size(), width)),
            Mode::Open | Mode::Text => Rows::Text(Shape { width, scrolled: (!self.wrap).then_some(self.column) }),
        }
    }

    /// The neighbours of what is looked at: two ahead, one behind.
    fn around(&self, missing: Option<u64>) -> Vec<u64> {
        let here = missing.unwrap_or(self.top / PIECE);
        let (ahead, behind) = if self.upwards { (-1, 1) } else { (1, -1) };
        let near = [0, ahead, 2 * ahead, behind];
        let near = near.into_iter().filter_map(|by| here.checked_add_signed(by));
        near.filter(|index| self.pages.stamp().is_some() && self.pages.exists(*index)).collect()
    }

    /// Takes up a piece, or why there is none.
    pub fn take(&mut self, index: u64, result: Result<(Stamp, Bytes), Fault>) {
        self.asked.remove(&index);
        match result {
            Ok((stamp, bytes)) => {
                self.compare(stamp);
                self.trouble = None;
                self.pages.take(index, stamp, bytes, self.top / PIECE);
            }
            Err(fault) => self.trouble = Some(fault),
        }
    }

    /// Takes up what the file is like now, or why that is not known.
    pub fn heard(&mut self, result: Result<Stamp, Fault>) {
        match result {
            Ok(stamp) => {
                self.compare(stamp);
                // Another one would come again at once.
                self.trouble.take_if(|fault| matches!(fault.code, Code::NotFound | Code::Timeout));
                self.pages.heard(stamp);
            }
            Err(fault) => self.trouble = Some(fault),
        }
    }

    /// Notes the first time that the file is another one than before.
    fn compare(&mut self, stamp: Stamp) {
        if let Some(old) = self.pages.stamp().filter(|old| *old != stamp) {
            self.changed.get_or_insert(old);
        }
    }

    /// Reads all anew, at the same place.
    pub fn reread(&mut self) {
        self.pages.forget();
        self.asked.clear();
        (self.trouble, self.changed) = (None, None);
        self.hit = None;
        self.go(To::Byte(self.top));
    }

    /// Goes to a place.
    pub fn go(&mut self, to: To) {
        self.aim = Aim { to: Some(to), by: 0 };
        self.upwards = to == To::End;
        self.trouble = None;
    }

    /// Goes so many rows down, or up.
    pub fn step(&mut self, by: i64) {
        self.aim.by = self.aim.by.saturating_add(by).clamp(-MOST_STEPS, MOST_STEPS);
        self.upwards = by < 0;
        self.trouble = None;
    }

    /// Exchanges text and figures, at the same place.
    pub fn turn_mode(&mut self) {
        self.mode = match self.mode {
            Mode::Open => {
                self.flip = !self.flip;
                return;
            }
            Mode::Text => Mode::Hex,
            Mode::Hex => Mode::Text,
        };
        self.go(To::Byte(self.top));
    }

    /// Breaks long lines, or does not.
    pub fn turn_wrap(&mut self) {
        self.wrap = !self.wrap;
        self.column = 0;
        self.go(To::Byte(self.top));
    }

    /// The first byte that is not on the screen any more.
    pub fn bottom(&self) -> u64 {
        self.rows.last().map_or(self.top, |row| row.end)
    }

    /// How much of the file lies above the end of the screen.
    pub fn percent(&self) -> u64 {
        let (bottom, size) = (u128::from(self.bottom()), u128::from(self.pages.size()));
        (bottom * 100).checked_div(size).map_or(100, |percent| u64::try_from(percent.min(100)).unwrap_or(100))
    }

    /// What is wrong with the file, in words.
    pub fn complaint(&self) -> Option<String> {
        match (&self.trouble, &self.changed) {
            (Some(fault), _) if fault.code == Code::NotFound => Some("the file is gone".to_owned()),
            (Some(fault), _) if fault.code == Code::Timeout => Some("no connection, trying again".to_owned()),
            (Some(fault), _) => Some(format!("cannot be read: {}", fault.message)),
            (None, Some(old)) if self.pages.size() > old.size => Some("grew, r rereads".to_owned()),
            (None, Some(old)) if self.pages.size() < old.size => Some("was cut, r rereads".to_owned()),
            (None, Some(_)) => Some("changed, r rereads".to_owned()),
            (None, None) => None,
        }
    }
}

/// Pieces that are read at once.
const MOST_ASKED: usize = 6;
/// Rows that wait to be gone, at most.
const MOST_STEPS: i64 = 100_000;
/// Bytes that decide whether it is text.
const HEAD: u64 = 4096;
