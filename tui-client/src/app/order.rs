//! The orders a directory can be shown in. Runs on whole lists, off the screen's thread.

use std::cmp::Ordering;

use crate::entries::{Entries, EntryRef};

/// What rows are compared by. Directories always come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum By {
    /// Natural order: `x2` before `x10`, case last.
    #[default]
    Name,
    /// What follows the last dot, then the name.
    Extension,
    /// The largest first.
    Size,
    /// The newest first.
    Time,
    /// As the directory has them.
    Unsorted,
}

/// An order and its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Order {
    /// What is compared.
    pub by: By,
    /// The other way round; directories stay first.
    pub reverse: bool,
}

impl Order {
    /// The order after the key of `by` was pressed: another one, or the same one turned round.
    pub fn pressed(self, by: By) -> Order {
        Order { by, reverse: self.by == by && !self.reverse }
    }

    /// `↑` or `↓`, shown beside the column's name.
    pub fn arrow(self) -> char {
        if self.reverse { '↓' } else { '↑' }
    }

    /// Puts the numbers of entries into this order. What is sorted already, at the front, costs no more than
    /// one comparison each.
    pub fn sort(self, entries: &Entries, ids: &mut [u32]) {
        ids.sort_by(|a, b| {
            let directories = entries.is_directory(*b).cmp(&entries.is_directory(*a));
            directories.then_with(|| {
                let order = self.compare(entries, *a, *b);
                if self.reverse { order.reverse() } else { order }
            })
        });
    }

    fn compare(self, entries: &Entries, a: u32, b: u32) -> Ordering {
        let both = |less: fn(EntryRef<'_>, EntryRef<'_>) -> Ordering| {
            entries.get(a).zip(entries.get(b)).map_or(Ordering::Equal, |(a, b)| less(a, b))
        };
        let (left, right) = (entries.name(a), entries.name(b));
        let by = match self.by {
            By::Name => Ordering::Equal,
            By::Extension => natural(extension(left), extension(right)),
            By::Size => both(|a, b| b.size.cmp(&a.size)),
            By::Time => both(|a, b| b.mtime.cmp(&a.mtime)),
            // They are numbered as they came.
            By::Unsorted => a.cmp(&b),
        };
        by.then_with(|| natural(left, right))
    }
}

/// Compares names as people count: runs of digits by value, letters without case; equal ones by their bytes.
pub fn natural(a: &[u8], b: &[u8]) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        match (left.split_first(), right.split_first()) {
            (Some((x, _)), Some((y, _))) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (number, rest) = split_number(left);
                let (other, other_rest) = split_number(right);
                let order = number.len().cmp(&other.len()).then_with(|| number.cmp(other));
                if order.is_ne() {
                    return order;
                }
                (left, right) = (rest, other_rest);
            }
            (Some((x, rest)), Some((y, other_rest))) => {
                let order = x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase());
                if order.is_ne() {
                    return order;
                }
                (left, right) = (rest, other_rest);
            }
            (None, None) => return a.cmp(b),
            (left, right) => return left.is_some().cmp(&right.is_some()),
        }
    }
}

/// The digits at the front without leading zeros, and what follows.
fn split_number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    (digits.get(zeros..).unwrap_or_default(), rest)
}

/// What follows the last dot of a name, the dot included; a dot in front begins no extension.
pub fn extension(name: &[u8]) -> &[u8] {
    match name.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if dot > 0 => name.get(dot..).unwrap_or_default(),
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::sample::{directory, file};

    #[test]
    fn names_as_people_count() {
        let mut names = ["x10", "X2", "x2", "a", "x02", "", "B", "x1a", "日本", "x"];
        names.sort_by(|a, b| natural(a.as_bytes(), b.as_bytes()));
        assert_eq!(names, ["", "a", "B", "x", "x1a", "X2", "x02", "x2", "x10", "日本"]);
    }

    #[test]
    fn orders() {
        let list = [file("b.txt", 5, 10), directory("z"), file("a.zip", 9, 5), directory("y"), file("c", 1, 99)];
        let check = |by, reverse, expected: &str| {
            let entries: Entries = list.iter().collect();
            let mut ids: Vec<u32> = entries.ids().collect();
            Order { by, reverse }.sort(&entries, &mut ids);
            let names: Vec<_> = ids.iter().map(|id| wire::path::escape(entries.name(*id))).collect();
            assert_eq!(names.join(" "), expected);
        };
        check(By::Name, false, "y z a.zip b.txt c");
        check(By::Name, true, "z y c b.txt a.zip");
        check(By::Extension, false, "y z c b.txt a.zip");
        check(By::Size, false, "y z a.zip b.txt c");
        check(By::Time, false, "y z c b.txt a.zip");
        check(By::Unsorted, false, "z y b.txt a.zip c");
        check(By::Unsorted, true, "y z c a.zip b.txt");
        assert_eq!(Order::default().pressed(By::Name), Order { by: By::Name, reverse: true });
        assert_eq!(Order::default().pressed(By::Size), Order { by: By::Size, reverse: false });
    }
}
