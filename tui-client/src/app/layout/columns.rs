//! The columns of a pane: how wide each is, and which one a click meets.

use crate::app::order::By;

/// The widths of the columns in a pane; 0 where one is left out. A line stands in front of each but the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Mark and name.
    pub name: usize,
    /// Size.
    pub size: usize,
    /// When its content was changed.
    pub date: usize,
    /// Whether it can be run.
    pub runs: usize,
    /// Whether its content is proven.
    pub proven: usize,
}

impl Columns {
    /// As many as there is room for.
    pub fn of(width: u16) -> Self {
        let (date, runs, proven) = match width {
            0..36 => (0, 0, 0),
            36..56 => (12, 0, 0),
            56..76 => (16, 1, 1),
            _ => (19, 1, 1),
        };
        let line = |column: usize| if column > 0 { column + 1 } else { 0 };
        let others = SIZE + 1 + line(date) + line(runs) + line(proven);
        Self { name: usize::from(width).saturating_sub(others), size: SIZE, date, runs, proven }
    }

    /// What the column at this distance from the left edge is sorted by.
    pub fn sorts_at(&self, x: u16) -> Option<By> {
        let x = usize::from(x);
        let (size, date) = (self.name + 1 + self.size, self.name + self.size + self.date + 2);
        match x {
            _ if x < self.name => Some(By::Name),
            _ if (self.name + 1..size).contains(&x) => Some(By::Size),
            _ if self.date > 0 && (size + 1..date).contains(&x) => Some(By::Time),
            _ => None,
        }
    }
}

/// `1000K` is never shown: six columns and a blank.
const SIZE: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_met_from_its_first_cell_to_its_last() {
        let columns = Columns::of(38);
        let met: Vec<_> = (0..38).map(|x| columns.sorts_at(x)).collect();
        let each = |by: Option<By>, number| std::iter::repeat_n(by, number);
        let expected = each(Some(By::Name), 17)
            .chain(each(None, 1))
            .chain(each(Some(By::Size), 7))
            .chain(each(None, 1))
            .chain(each(Some(By::Time), 12));
        assert_eq!(met, expected.collect::<Vec<_>>());
        assert_eq!(Columns::of(30).sorts_at(29), Some(By::Size));
        assert_eq!(Columns::of(80).sorts_at(79), None, "proven or not is no order");
    }
}
