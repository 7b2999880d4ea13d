//! Gauges: what is full, what is promised and what is empty have three shapes.

/// A gauge of `width` cells: `▓` for `full`, `▒` for `promised`, `░` for the rest of `whole`. Something is
/// never shown as nothing, and all but everything never as everything.
pub(super) fn gauge(full: u64, promised: u64, whole: u64, width: usize) -> String {
    let full_cells = cells(full, whole, width);
    let sum_cells = cells(full.saturating_add(promised), whole, width).max(full_cells);
    let promised_cells = (sum_cells - full_cells).max(usize::from(promised > 0 && full_cells < width));
    let empty = width.saturating_sub(full_cells + promised_cells);
    format!("{}{}{}", "▓".repeat(full_cells), "▒".repeat(promised_cells), "░".repeat(empty))
}

/// A graph of `height` rows, the newest value at the right end of `width` columns, the highest one as high as it
/// goes. Something is never shown as nothing.
pub(super) fn spark(values: &[u64], width: usize, height: usize) -> Vec<String> {
    let shown = values.get(values.len().saturating_sub(width)..).unwrap_or_default();
    let peak = shown.iter().copied().max().unwrap_or_default();
    let whole = (height * STEPS.len()) as u128;
    let level = |value: u64| {
        let level = u128::from(value) * whole / u128::from(peak.max(1));
        usize::try_from(level).unwrap_or_default().max(usize::from(value > 0))
    };
    let column = |value: u64, row: usize| match level(value).saturating_sub((height - 1 - row) * STEPS.len()) {
        0 => ' ',
        steps => STEPS.get(steps - 1).copied().unwrap_or('█'),
    };
    let blank = " ".repeat(width - shown.len());
    (0..height).map(|row| blank.clone() + &shown.iter().map(|value| column(*value, row)).collect::<String>()).collect()
}

/// Eighths of a cell.
const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

fn cells(part: u64, whole: u64, width: usize) -> usize {
    if part >= whole {
        return if whole > 0 || part > 0 { width } else { 0 };
    }
    let cells = usize::try_from(u128::from(part) * width as u128 / u128::from(whole)).unwrap_or(width);
    cells.max(usize::from(part > 0)).min(width.saturating_sub(1))
}

/// Hundredths, rounded down: 100 only when all is there.
pub(super) fn percent(part: u64, whole: u64) -> u64 {
    if part >= whole {
        return 100;
    }
    u64::try_from(u128::from(part) * 100 / u128::from(whole)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let table = [
            ((0, 0, 10), "░░░░░░░░░░"),
            ((5, 0, 10), "▓▓▓▓▓░░░░░"),
            ((5, 2, 10), "▓▓▓▓▓▒▒░░░"),
            ((1, 0, 1000), "▓░░░░░░░░░"),
            ((999, 0, 1000), "▓▓▓▓▓▓▓▓▓░"),
            ((5, 1, 1000), "▓▒░░░░░░░░"),
            ((10, 0, 10), "▓▓▓▓▓▓▓▓▓▓"),
            ((8, 9, 10), "▓▓▓▓▓▓▓▓▒▒"),
            ((0, 0, 0), "░░░░░░░░░░"),
            ((u64::MAX, u64::MAX, u64::MAX), "▓▓▓▓▓▓▓▓▓▓"),
        ];
        for ((full, promised, whole), shown) in table {
            assert_eq!(gauge(full, promised, whole, 10), shown, "{full} {promised} {whole}");
        }
        for width in 0..4 {
            for full in 0..5 {
                for promised in 0..5 {
                    assert_eq!(gauge(full, promised, 4, width).chars().count(), width, "{full} {promised} {width}");
                }
            }
        }
    }

    #[test]
    fn graphs() {
        assert_eq!(spark(&[], 3, 2), ["   ", "   "]);
        assert_eq!(spark(&[0, 1, 4, 8], 6, 1), ["   ▁▄█"]);
        assert_eq!(spark(&[1, 2, 3, 4], 2, 1), ["▆█"]);
        assert_eq!(spark(&[0, 4, 8, 1000, 500], 5, 2), ["   █ ", " ▁▁██"]);
        assert_eq!(spark(&[u64::MAX], 1, 1), ["█"]);
    }

    #[test]
    fn percents() {
        assert_eq!(
            (percent(0, 3), percent(2, 3), percent(999, 1000), percent(0, 0), percent(3, 3)),
            (0, 66, 99, 100, 100)
        );
    }
}
