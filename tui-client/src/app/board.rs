//! The queue as the person works on it: full screen or not, marks, what is looked for, what a dialog offers.

use std::collections::HashSet;

use super::App;
use crate::action::Scope;
use crate::engine::status::{ItemId, ItemStatus, State, Status};

/// What the screen keeps of working on the queue.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// Whether it has the whole screen.
    pub open: bool,
    /// Marked items; some may be gone.
    pub marks: HashSet<ItemId>,
    /// Only items with this in their names are shown.
    pub wanted: String,
    /// Whether that is being typed.
    pub typing: bool,
}

impl Board {
    /// Whether the queue has the whole screen.
    pub fn is_full(&self, focus: Scope) -> bool {
        self.open && focus == Scope::Queue
    }
}

/// Parts of the queue, in the order of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Questions are open.
    NeedsYou,
    /// At work, or trying again by itself.
    Running,
    /// Not begun, or paused.
    Waiting,
    /// Over, with files that did not arrive.
    Failed,
    /// Over.
    Done,
}

/// What a button of a dialog about transfers does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// All of them go on.
    GoOn,
    /// They wait until they are told to go on.
    Pause,
    /// They end; what has arrived stays for a later try.
    Cancel,
    /// They end, and what has arrived of unfinished files is deleted.
    Discard,
    /// They are looked at, and nothing happens to them.
    Review,
    /// They come off the list, after a question.
    Drop,
    /// They come off the list now.
    DropNow,
}

/// What several items are together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Bytes not settled yet.
    pub left: u64,
    /// Whether there may be more.
    pub at_least: bool,
}

/// A row of the full screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// The title of a group, with the number of its items.
    Heading(Group, usize),
    /// An item.
    Item(ItemId),
}

impl Group {
    /// Where an item belongs.
    pub fn of(status: &Status, item: &ItemStatus) -> Group {
        let asks = || status.questions.iter().any(|question| question.item == item.id);
        match item.state {
            State::Failed(_) => Group::Failed,
            State::Done | State::Cancelled => Group::Done,
            State::NeedsYou => Group::NeedsYou,
            _ if asks() => Group::NeedsYou,
            State::Running | State::Retrying { .. } => Group::Running,
            State::Paused | State::Waiting => Group::Waiting,
        }
    }

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Group::NeedsYou => "Needs you",
            Group::Running => "Running",
            Group::Waiting => "Waiting",
            Group::Failed => "Failed",
            Group::Done => "Done",
        }
    }
}

/// Items in the order of the screen that have what is looked for in their names.
pub fn shown(app: &App) -> Vec<ItemId> {
    let wanted = app.board.wanted.to_lowercase();
    if wanted.is_empty() {
        return app.queue.order.clone();
    }
    let has = |item: &&ItemStatus| item.name.to_lowercase().contains(&wanted);
    let found: HashSet<ItemId> = app.status.items.iter().filter(has).map(|item| item.id).collect();
    app.queue.order.iter().copied().filter(|id| found.contains(id)).collect()
}

/// All rows of the full screen.
pub fn rows(app: &App) -> Vec<Row> {
    let shown: HashSet<ItemId> = shown(app).into_iter().collect();
    let mut groups: [(Group, Vec<ItemId>); 5] =
        [Group::NeedsYou, Group::Running, Group::Waiting, Group::Failed, Group::Done].map(|group| (group, Vec::new()));
    for item in app.status.items.iter().filter(|item| shown.contains(&item.id)) {
        let group = Group::of(&app.status, item);
        if let Some((_, ids)) = groups.iter_mut().find(|(other, _)| *other == group) {
            ids.push(item.id);
        }
    }
    let filled = groups.into_iter().filter(|(_, ids)| !ids.is_empty());
    filled
        .flat_map(|(group, ids)| std::iter::once(Row::Heading(group, ids.len())).chain(ids.into_iter().map(Row::Item)))
        .collect()
}

/// The first of `rows` that is seen in `height`: the selected one is in the middle, as far as there are rows.
pub fn first_seen(app: &App, rows: &[Row], height: usize) -> usize {
    let selected = rows.iter().position(|row| matches!(row, Row::Item(id) if Some(*id) == app.queue.selected));
    selected.unwrap_or_default().saturating_sub(height / 2).min(rows.len().saturating_sub(height))
}

/// What an action is for: the marked items, or the selected one.
pub fn targets(app: &App) -> Vec<ItemId> {
    let marked: Vec<ItemId> = shown(app).into_iter().filter(|id| app.board.marks.contains(id)).collect();
    if marked.is_empty() { app.queue.selected.into_iter().collect() } else { marked }
}

/// How much is left of these items.
pub fn extent(status: &Status, ids: &[ItemId]) -> Extent {
    let ids: HashSet<&ItemId> = ids.iter().collect();
    let chosen = status.items.iter().filter(|item| ids.contains(&item.id));
    chosen.fold(Extent::default(), |sum, item| Extent {
        left: sum.left.saturating_add(item.bytes.saturating_sub(item.bytes_done)),
        at_least: sum.at_least || item.scanning,
    })
}

/// Items that are not over.
pub fn unfinished(status: &Status) -> impl Iterator<Item = &ItemStatus> {
    status.items.iter().filter(|item| !item.state.is_over())
}
