//! Where everything is while the queue has the whole screen.

use ratatui::layout::Rect;

/// Its parts. One that is not shown has no area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Areas {
    /// The line of counts.
    pub head: Rect,
    /// The rate of the last minutes.
    pub graph: Rect,
    /// Groups and items.
    pub list: Rect,
    /// All of them together.
    pub total: Rect,
    /// What the selected row can do.
    pub foot: Rect,
    /// Whatever is shown below the queue.
    pub below: Rect,
}

impl Areas {
    /// The parts of `area`, of which `below` rows belong to something else as far as the queue can spare them.
    pub fn of(area: Rect, below: u16) -> Areas {
        let below = below.min(area.height.saturating_sub(LEAST));
        let height = area.height - below;
        let graph = if height >= TALL { 3 } else { 1 };
        let list = height.saturating_sub(3 + graph);
        let mut y = area.y;
        let mut take = |height: u16| {
            let part = Rect { y, height, ..area }.intersection(area);
            y = y.saturating_add(height);
            part
        };
        let (head, graph, list) = (take(1), take(graph), take(list));
        Areas { head, graph, list, total: take(1), foot: take(1), below: take(below) }
    }
}

/// The queue keeps this many rows.
const LEAST: u16 = 8;
/// From here on the graph is more than a line.
const TALL: u16 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fill_the_area() {
        for height in 0..60 {
            for below in [0, 5, 100] {
                let area = Rect::new(3, 2, 40, height);
                let areas = Areas::of(area, below);
                let parts = [areas.head, areas.graph, areas.list, areas.total, areas.foot, areas.below];
                let sum: u16 = parts.iter().map(|part| part.height).sum();
                assert_eq!(sum, height, "{below}");
                assert!(parts.iter().all(|part| part.is_empty() || part.bottom() <= area.bottom()));
                assert!(height < 10 || areas.list.height >= 3, "{height}");
            }
        }
    }
}
