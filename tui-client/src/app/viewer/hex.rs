//! Rows of bytes as figures, with what they are as letters beside them.

use super::glyphs::Glyph;
use super::pages::{Missing, Pages};
use super::text::Row;

/// Bytes in a row: as many as there is room for.
pub(super) fn per_row(size: u64, width: usize) -> u64 {
    let fits = |bytes: &u64| columns(size, *bytes) <= width;
    [32, 16, 8].into_iter().find(fits).unwrap_or(4)
}

/// The row that begins at `at`.
pub(super) fn row(pages: &Pages, at: u64, per_row: u64) -> Result<Row, Missing> {
    let bytes = pages.bytes(at, at + per_row)?;
    let digits = digits(pages.size());
    let place = Glyph { at, len: 0, column: 0, text: format!("{at:0digits$x}"), plain: false };
    let mut glyphs = vec![place];
    let letters = columns(pages.size(), per_row) - usize::try_from(per_row).unwrap_or(0);
    for (index, byte) in bytes.iter().enumerate() {
        let at = at + index as u64;
        let column = digits + 1 + index * 3 + index / 8;
        glyphs.push(Glyph { at, len: 1, column, text: format!("{byte:02x}"), plain: true });
        let (letter, plain) = match byte {
            b' '..=b'~' => (char::from(*byte), true),
            _ => ('.', false),
        };
        glyphs.push(Glyph { at, len: 1, column: letters + index, text: letter.to_string(), plain });
    }
    Ok(Row { start: at, end: at + bytes.len() as u64, glyphs })
}

/// Columns of a row: the place, the figures with a gap after each eight, the letters.
fn columns(size: u64, per_row: u64) -> usize {
    let bytes = usize::try_from(per_row).unwrap_or(0);
    digits(size) + 1 + bytes * 4 + bytes.div_ceil(8) - 1
}

/// Figures of the largest place.
fn digits(size: u64) -> usize {
    format!("{size:x}").len().next_multiple_of(2).max(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_bytes_as_fit() {
        let table = [(1 << 10, 40, 8), (1 << 24, 40, 4), (1 << 10, 80, 16), (20 << 30, 80, 16), (1 << 50, 80, 16)];
        for (size, width, bytes) in table {
            assert_eq!(per_row(size, width), bytes, "{size} in {width}");
        }
        assert_eq!((per_row(20 << 30, 160), per_row(u64::MAX, 40)), (32, 4));
    }
}
