//! Where the lines and rows of a text begin and end, found from any place of it without reading it from its
//! beginning.
//!
//! A line that is longer than [`SPAN`] is broken into parts, at multiples of `SPAN` in the file that have no line end
//! in the `SPAN` bytes before them. So any place knows the beginning of its part by looking back at most
//! twice as far, and a line of a gigabyte is as quick as any other.

use super::glyphs::{Glyph, marks};
use super::pages::{Missing, Pages};

/// Bytes after which a long line is broken.
pub const SPAN: u64 = 16 << 10;

/// A row of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its first byte.
    pub start: u64,
    /// The first byte of the next one.
    pub end: u64,
    /// What stands in it.
    pub glyphs: Vec<Glyph>,
}

/// How rows are made of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Columns of the screen.
    pub(super) width: usize,
    /// Columns scrolled away to the left; `None`: what is too long goes on in the next row.
    pub(super) scrolled: Option<usize>,
}

/// Where the part of a line that begins or goes on at `at` ends, its line end included.
pub(super) fn part_end(pages: &Pages, at: u64) -> Result<u64, Missing> {
    let mut block = at / SPAN * SPAN;
    if let Some(end) = line_end(pages, at, block + SPAN)? {
        return Ok(end);
    }
    // The line is not cut yet when it began in this very block.
    if line_end(pages, block, at)?.is_some() {
        block += SPAN;
        if let Some(end) = line_end(pages, block, block + SPAN)? {
            return Ok(end);
        }
    }
    cut(pages, block + SPAN)
}

/// Where the part begins that holds the byte before `before`.
pub(super) fn part_start(pages: &Pages, before: u64) -> Result<u64, Missing> {
    let last = before.saturating_sub(1);
    let mut block = last / SPAN * SPAN;
    if let Some(start) = last_line_end(pages, block, last)? {
        return Ok(start);
    }
    while block > 0 {
        if let Some(start) = last_line_end(pages, block - SPAN, block)? {
            return Ok(start);
        }
        let start = cut(pages, block)?;
        if start < before {
            return Ok(start);
        }
        block -= SPAN;
    }
    Ok(0)
}

/// The first byte after the first line end from `from` on.
fn line_end(pages: &Pages, from: u64, to: u64) -> Result<Option<u64>, Missing> {
    let bytes = pages.bytes(from, to)?;
    Ok(bytes.iter().position(|byte| *byte == b'\n').map(|index| from + index as u64 + 1))
}

/// The first byte after the last line end before `to`.
fn last_line_end(pages: &Pages, from: u64, to: u64) -> Result<Option<u64>, Missing> {
    let bytes = pages.bytes(from, to)?;
    Ok(bytes.iter().rposition(|byte| *byte == b'\n').map(|index| from + index as u64 + 1))
}

/// Where a long line is broken near `at`: not inside a character, and not before a line end.
fn cut(pages: &Pages, at: u64) -> Result<u64, Missing> {
    if at >= pages.size() {
        return Ok(pages.size());
    }
    let from = at.saturating_sub(3);
    let around = pages.bytes(from, at + 5)?;
    let here = usize::try_from(at - from).unwrap_or(0);
    let inside = (0..here).find_map(|first| {
        let chunk = around.get(first..)?.utf8_chunks().next()?;
        let c = chunk.valid().chars().next()?;
        (first + c.len_utf8() > here).then_some(first + c.len_utf8())
    });
    let mut end = inside.unwrap_or(here);
    if around.get(end) == Some(&b'\r') && around.get(end + 1) == Some(&b'\n') {
        end += 1;
    }
    if around.get(end) == Some(&b'\n') {
        end += 1;
    }
    Ok(from + end as u64)
}

/// Where the row that begins at `at` ends.
pub(super) fn row_end(pages: &Pages, at: u64, shape: Shape) -> Result<u64, Missing> {
    let end = part_end(pages, at)?;
    if shape.scrolled.is_some() {
        return Ok(end);
    }
    let bytes = pages.bytes(at, end.min(at + most(shape)))?;
    let shown = without_line_end(&bytes);
    let mut column = 0;
    let mut used = 0_usize;
    for mark in marks(shown) {
        let width = mark.width(column);
        let fits = column + width <= shape.width || mark.is_tab() && column < shape.width;
        if !fits && used > 0 {
            return Ok(at + used as u64);
        }
        column += width;
        used += mark.len;
    }
    // All that was looked at fits: either the part is over, or its row is as long as a row may be.
    Ok(if used == shown.len() && at + bytes.len() as u64 == end { end } else { at + used.max(1) as u64 })
}

/// The row that begins at `at`.
pub(super) fn row(pages: &Pages, at: u64, shape: Shape) -> Result<Row, Missing> {
    let end = row_end(pages, at, shape)?;
    let bytes = pages.bytes(at, end)?;
    let (left, right) = (shape.scrolled.unwrap_or(0), shape.scrolled.unwrap_or(0) + shape.width);
    let mut glyphs = Vec::new();
    let (mut column, mut place) = (0_usize, at);
    for mark in marks(without_line_end(&bytes)) {
        let width = mark.width(column);
        // A tabulator is as wide as there is room for it.
        let room = right.saturating_sub(column);
        if room == 0 {
            break;
        }
        if column >= left {
            glyphs.push(mark.glyph(place, column - left, width.min(room)));
        }
        column += width;
        place += mark.len as u64;
    }
    Ok(Row { start: at, end, glyphs })
}

/// The column, from the beginning of its part, in which the byte `at` is drawn.
pub(super) fn column_of(pages: &Pages, at: u64) -> Result<usize, Missing> {
    let start = part_start(pages, at + 1)?;
    let bytes = pages.bytes(start, at)?;
    Ok(marks(&bytes).fold(0, |column, mark| column + mark.width(column)))
}

fn without_line_end(bytes: &[u8]) -> &[u8] {
    match bytes.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => bytes,
    }
}

/// Bytes that one row may take: enough for what people write, and no more for those who stack accents.
fn most(shape: Shape) -> u64 {
    shape.width as u64 * 32 + 256
}

#[cfg(test)]
mod tests;
