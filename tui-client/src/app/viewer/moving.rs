//! Moving through a file: from an aim to the first row of the screen, as far as the pieces at hand allow.

use super::find::Hit;
use super::pages::{Missing, Pages};
use super::text::{self, Row, Shape};
use super::{Viewer, hex};

/// Where the person wants to be. What cannot be reached yet waits for pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aim {
    /// First there.
    pub to: Option<To>,
    /// Then so many rows down; up where it is negative.
    pub by: i64,
}

/// A place to go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// The row with this byte becomes the first one.
    Byte(u64),
    /// The last screen of the file.
    End,
    /// Wherever these bytes are in sight.
    Hit(Hit),
}

/// How the rows of a screen are made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rows {
    Text(Shape),
    Hex(u64),
}

impl Rows {
    pub(super) fn row(self, pages: &Pages, at: u64) -> Result<Row, Missing> {
        match self {
            Rows::Text(shape) => text::row(pages, at, shape),
            Rows::Hex(bytes) => hex::row(pages, at, bytes),
        }
    }

    fn end(self, pages: &Pages, at: u64) -> Result<u64, Missing> {
        match self {
            Rows::Text(shape) => text::row_end(pages, at, shape),
            Rows::Hex(bytes) => Ok((at + bytes).min(pages.size())),
        }
    }

    /// The beginnings of the rows that come before `at`, as many as one look tells, the last one last.
    fn before(self, pages: &Pages, at: u64) -> Result<Vec<u64>, Missing> {
        let mut start = match self {
            Rows::Text(_) => text::part_start(pages, at)?,
            Rows::Hex(bytes) => return Ok(vec![at.saturating_sub(1) / bytes * bytes]),
        };
        let mut starts = Vec::new();
        while start < at {
            starts.push(start);
            start = self.end(pages, start)?;
        }
        Ok(starts)
    }

    /// The beginning of the row that holds a byte.
    fn holding(self, pages: &Pages, byte: u64) -> Result<u64, Missing> {
        let starts = self.before(pages, byte + 1)?;
        Ok(starts.last().copied().unwrap_or(byte))
    }

    /// `count` rows up from `at`.
    fn up(self, pages: &Pages, mut at: u64, mut count: usize) -> Result<u64, Missing> {
        while at > 0 && count > 0 {
            let starts = self.before(pages, at)?;
            let index = starts.len().saturating_sub(count);
            at = starts.get(index).copied().unwrap_or(0);
            count = count.saturating_sub(starts.len());
        }
        Ok(at)
    }
}

impl Viewer {
    /// Goes where the person wants to be, as far as that is possible now.
    pub(super) fn follow(&mut self, rows: Rows, height: usize) -> Result<(), Missing> {
        if self.pages.stamp().is_none() {
            return Err(Missing(self.top / super::PIECE));
        }
        if let Some(to) = self.aim.to {
            self.top = self.reach(to, rows, height)?;
            self.aim.to = None;
        }
        while self.aim.by > 0 {
            let next = rows.end(&self.pages, self.top)?;
            if next >= self.pages.size() {
                self.aim.by = 0;
                break;
            }
            self.top = next;
            self.aim.by -= 1;
        }
        if self.aim.by < 0 {
            let count = usize::try_from(self.aim.by.unsigned_abs()).unwrap_or(usize::MAX);
            self.top = rows.up(&self.pages, self.top, count)?;
            self.aim.by = 0;
        }
        Ok(())
    }

    fn reach(&mut self, to: To, rows: Rows, height: usize) -> Result<u64, Missing> {
        let (pages, size) = (&self.pages, self.pages.size());
        match to {
            To::Byte(byte) if byte < size => rows.holding(pages, byte),
            To::Byte(_) | To::End => rows.up(pages, size, height),
            To::Hit((start, _)) => {
                if let Rows::Text(Shape { width, scrolled: Some(scrolled) }) = rows {
                    let column = text::column_of(pages, start)?;
                    let visible = (scrolled..scrolled + width * 3 / 4).contains(&column);
                    self.column = if visible { scrolled } else { column.saturating_sub(width / 2) };
                }
                let seen = self.rows.first().zip(self.rows.last());
                let seen = seen.is_some_and(|(first, last)| (first.start..last.end).contains(&start));
                if seen && self.rows.first().is_some_and(|row| row.start == self.top) {
                    return Ok(self.top);
                }
                let row = rows.holding(&self.pages, start)?;
                rows.up(&self.pages, row, height / 3)
            }
        }
    }

    /// The rows of the screen from the first one on. A screen that is not full begins further up.
    pub(super) fn lay(&mut self, rows: Rows, height: usize) -> Result<Vec<Row>, Missing> {
        let laid = self.rows_from(self.top, rows, height)?;
        if laid.len() >= height || self.top == 0 {
            return Ok(laid);
        }
        self.top = rows.up(&self.pages, self.pages.size(), height)?;
        self.rows_from(self.top, rows, height)
    }

    fn rows_from(&self, mut at: u64, rows: Rows, height: usize) -> Result<Vec<Row>, Missing> {
        let mut laid = Vec::with_capacity(height);
        while laid.len() < height && at < self.pages.size() {
            let row = rows.row(&self.pages, at)?;
            at = row.end.max(at + 1);
            laid.push(row);
        }
        Ok(laid)
    }
}
