//! The rows of the action table, one constant for each [`Menu`](super::Menu). Whoever adds one picks keys that
//! are free (a test tells) and a name that can stay: people write it into their `keys.toml`.

use super::{Action, Deed, Scope, Spec};
use crate::app::order::By;

const PANES: &[Scope] = &[Scope::Panes];
const IN_QUEUE: &[Scope] = &[Scope::Queue];
const IN_HISTORY: &[Scope] = &[Scope::History];
const ALL: &[Scope] = &[Scope::Panes, Scope::Queue, Scope::Plan, Scope::Hits, Scope::History, Scope::Viewer];
const BOTH: &[Scope] = &[Scope::Panes, Scope::Queue];
const IN_PLAN: &[Scope] = &[Scope::Plan];
/// Where files are listed.
const FILES: &[Scope] = &[Scope::Panes, Scope::Hits];
/// What can be read again.
const READ: &[Scope] = &[Scope::Panes, Scope::Plan, Scope::Hits];
/// Where things are listed that can be marked.
const LISTS: &[Scope] = &[Scope::Panes, Scope::Plan, Scope::Hits, Scope::History];
/// F10 runs the plan there.
const NOT_IN_PLAN: &[Scope] = &[Scope::Panes, Scope::Queue, Scope::Hits, Scope::History];
/// Where there is a list with a cursor.
const ROWS: &[Scope] = &[Scope::Panes, Scope::Queue, Scope::Plan, Scope::Hits, Scope::History];
/// Where there are transfers, over or not.
const TRANSFERS: &[Scope] = &[Scope::Queue, Scope::History];
/// Where the history is opened and left.
const TO_HISTORY: &[Scope] = &[Scope::Panes, Scope::Queue, Scope::History];

const fn row(
    action: Action,
    name: &'static str,
    scopes: &'static [Scope],
    keys: &'static [&'static str],
    label: Option<&'static str>,
    about: &'static str,
) -> Spec {
    Spec { action, name, scopes, keys, label, about }
}

pub(super) const FILE: &[Spec] = &[
    row(Action::View, "view", FILES, &["F3"], Some("View"), "show what a file holds, of any size"),
    row(Action::Edit, "edit", PANES, &["F4"], Some("Edit"), "edit; a file of the server goes back when it was changed"),
    row(Action::Copy, "copy", FILES, &["F5"], Some("Copy"), "copy marked or current to the other pane"),
    row(Action::Move, "move", PANES, &["F6"], Some("Move"), "move to the other pane (proven), or rename"),
    row(Action::Details, "details", PANES, &["Alt-Enter"], None, "all about a file, with its hash"),
    row(Action::Rename, "rename", PANES, &["Shift-F6", "F18"], None, "give it another name where it is"),
    row(Action::MakeDirectory, "make_directory", PANES, &["F7"], Some("MkDir"), "make a directory"),
    row(Action::NewFile, "new_file", PANES, &["Shift-F4", "F16"], Some("New"), "make an empty file, and edit it"),
    row(Action::Delete, "delete", FILES, &["F8", "Delete"], Some("Delete"), "delete, or move to the account's trash"),
    row(
        Action::DeleteForGood,
        "delete_for_good",
        PANES,
        &["Shift-F8", "F20", "Shift-Delete"],
        None,
        "delete past the trash",
    ),
    row(Action::Undo, "undo", PANES, &["Alt-Z"], None, "take back the last move, or deletion to the trash"),
    row(Action::Suspend, "suspend", ALL, &["Ctrl-Z"], None, "stop for the shell; fg comes back"),
    row(Action::Quit, "quit", NOT_IN_PLAN, &["F10", "Ctrl-C"], Some("Quit"), "quit"),
];

pub(super) const COMPARE: &[Spec] = &[
    row(Action::Compare, "compare", PANES, &["Shift-F2", "F14", "F12", "Ctrl-X d"], None, "mark what differs in both"),
    row(Action::Synchronise, "synchronise", PANES, &["Ctrl-Y"], None, "make both panes alike, after a plan"),
    row(Action::Find, "find", PANES, &["Alt-F7", "Alt-?"], None, "find names below the directory"),
    row(Action::Plan(Deed::Run), "plan_run", IN_PLAN, &["Enter", "F10"], Some("Run"), "plan: do it, after a question"),
    row(Action::Plan(Deed::CopyRight), "plan_copy_right", IN_PLAN, &["Right"], None, "plan: copy to the right"),
    row(Action::Plan(Deed::CopyLeft), "plan_copy_left", IN_PLAN, &["Left"], None, "plan: copy to the left"),
    row(Action::Plan(Deed::DeleteRight), "plan_delete_right", IN_PLAN, &["r"], None, "plan: delete on the right"),
    row(Action::Plan(Deed::DeleteLeft), "plan_delete_left", IN_PLAN, &["l"], None, "plan: delete on the left"),
    row(Action::Plan(Deed::Skip), "plan_skip", IN_PLAN, &["s"], None, "plan: leave as it is"),
    row(Action::Plan(Deed::Proposal), "plan_proposal", IN_PLAN, &["u"], None, "plan: what was proposed"),
    row(Action::Plan(Deed::Filter), "plan_filter", IN_PLAN, &["f", "Tab"], None, "plan: differences, conflicts, all"),
    row(Action::Plan(Deed::Options), "plan_options", IN_PLAN, &["F2", "o"], Some("Way"), "plan: another way"),
];

pub(super) const MARK: &[Spec] = &[
    row(Action::Mark, "mark", LISTS, &["Insert", "Space"], None, "mark or unmark"),
    row(Action::MarkPattern, "mark_pattern", PANES, &["+"], None, "mark by a pattern"),
    row(Action::UnmarkPattern, "unmark_pattern", PANES, &["-"], None, "unmark by a pattern"),
    row(Action::InvertMarks, "invert_marks", LISTS, &["*"], None, "turn the marks of files round"),
    row(Action::MarkLike, "mark_like", PANES, &["Alt-+", "Alt-="], None, "mark the same extension, or all directories"),
    row(Action::UnmarkLike, "unmark_like", PANES, &["Alt--"], None, "unmark these"),
    row(Action::InvertAll, "invert_all", PANES, &["Alt-*"], None, "turn all marks round, directories as well"),
    row(Action::MarkUp, "mark_up", PANES, &["Shift-Up"], None, "mark going up; from a marked row on, unmark"),
    row(Action::MarkDown, "mark_down", PANES, &["Shift-Down"], None, "the same going down"),
    row(Action::MarkPageUp, "mark_page_up", PANES, &["Shift-PageUp"], None, "mark a screen up"),
    row(Action::MarkPageDown, "mark_page_down", PANES, &["Shift-PageDown"], None, "mark a screen down"),
    row(Action::MarkFirst, "mark_first", PANES, &["Shift-Home"], None, "mark up to the first row"),
    row(Action::MarkLast, "mark_last", PANES, &["Shift-End"], None, "mark down to the last row"),
];

pub(super) const PANE: &[Spec] = &[
    row(Action::OtherPane, "other_pane", PANES, &["Tab"], None, "to the other pane"),
    row(Action::Swap, "swap_panes", PANES, &["Ctrl-U"], None, "exchange the panes"),
    row(Action::OtherSide, "other_side", PANES, &["Ctrl-T"], None, "this machine or the server in this pane"),
    row(Action::Reread, "reread", READ, &["Ctrl-R"], None, "read again; while disconnected: connect now"),
    row(Action::SearchAgain, "search_again", PANES, &[], None, "to the next name that was searched for"),
    row(Action::PlacesLeft, "places_left", PANES, &["Alt-F1", "Alt-L"], None, "another place in the left pane"),
    row(Action::PlacesRight, "places_right", PANES, &["Alt-F2", "Alt-R"], None, "another place in the right pane"),
    row(Action::Hotlist, "hotlist", PANES, &["Ctrl-\\", "Ctrl-4"], None, "directories wanted at hand"),
    row(Action::Back, "back", PANES, &["Alt-Left"], None, "to the directory before"),
    row(Action::Ahead, "ahead", PANES, &["Alt-Right"], None, "forth again"),
    row(Action::Trail, "trail", PANES, &["Alt-Down"], None, "where this pane has been"),
    row(Action::Sizes, "sizes", PANES, &["Ctrl-Space"], None, "count what directories hold; Esc stops"),
    row(Action::Search, "search", PANES, &["Ctrl-S"], None, "jump to a name as you type it; Alt and a free letter"),
    row(Action::Filter, "filter", PANES, &["/"], None, "show only what holds a text; Esc shows all again"),
    row(Action::ToggleHidden, "toggle_hidden", PANES, &["Alt-."], None, "show or hide names with a dot in front"),
    row(
        Action::Sort(By::Name),
        "sort_by_name",
        PANES,
        &["Ctrl-F3", "Alt-N"],
        Some("Name"),
        "sort by name; again: the other way round",
    ),
    row(
        Action::Sort(By::Extension),
        "sort_by_extension",
        PANES,
        &["Ctrl-F4", "Alt-E"],
        Some("Ext"),
        "sort by extension",
    ),
    row(Action::Sort(By::Time), "sort_by_time", PANES, &["Ctrl-F5", "Alt-T"], Some("Time"), "sort by time"),
    row(Action::Sort(By::Size), "sort_by_size", PANES, &["Ctrl-F6", "Alt-S"], Some("Size"), "sort by size"),
    row(Action::Sort(By::Unsorted), "unsorted", PANES, &["Ctrl-F7", "Alt-U"], None, "do not sort"),
];

pub(super) const QUEUE: &[Spec] = &[
    row(Action::FocusQueue, "queue", PANES, &["F2", "Ctrl-Q"], Some("Queue"), "to the queue"),
    row(Action::FocusPanes, "panes", TRANSFERS, &["F2", "Ctrl-Q", "Tab"], Some("Panes"), "back to the panes"),
    row(Action::Decisions, "decisions", BOTH, &["Ctrl-D"], None, "decide what waits for you: conflicts and refusals"),
    row(Action::OpenItem, "open_item", TRANSFERS, &["Enter"], None, "answer its question, or show details"),
    row(
        Action::FullQueue,
        "full_queue",
        BOTH,
        &["Ctrl-O"],
        None,
        "the queue and the log in the whole screen, or the panes again",
    ),
    row(Action::LogUp, "log_up", IN_QUEUE, &["Alt-PageUp", "["], None, "whole screen: older lines of the log"),
    row(Action::LogDown, "log_down", IN_QUEUE, &["Alt-PageDown", "]"], None, "whole screen: newer lines of the log"),
    row(Action::History, "history", TO_HISTORY, &["Alt-H"], None, "what became of past transfers, or back"),
    row(Action::OnlyFailed, "only_failed", IN_HISTORY, &["f"], None, "history: only what failed, or all"),
    row(Action::PauseItem, "pause_item", IN_QUEUE, &["p"], None, "pause or go on"),
    row(Action::RetryItem, "retry_item", TRANSFERS, &["r"], None, "try again"),
    row(Action::Limits, "limits", IN_QUEUE, &["l"], None, "limit its bandwidth, or that of all"),
    row(Action::CancelItem, "cancel_item", IN_QUEUE, &["c"], None, "stop: pause, or cancel and keep or delete parts"),
    row(Action::DiscardItem, "discard_item", IN_QUEUE, &["d"], None, "the same; of a failed one: delete its parts"),
    row(Action::MarkItem, "mark_item", IN_QUEUE, &["Insert", "Space"], None, "mark: the keys are then for all marked"),
    row(Action::InvertItems, "invert_items", IN_QUEUE, &["*"], None, "turn all marks round"),
    row(Action::FindItem, "find_item", TRANSFERS, &["/", "Ctrl-S"], None, "show only names with what is typed in them"),
    row(Action::ItemEarlier, "item_earlier", IN_QUEUE, &["u", "Ctrl-Up"], None, "one place ahead"),
    row(Action::ItemLater, "item_later", IN_QUEUE, &["n", "Ctrl-Down"], None, "one place back"),
    row(Action::ItemFirst, "item_first", IN_QUEUE, &["t", "Ctrl-Home"], None, "before all others of its priority"),
    row(Action::ItemLast, "item_last", IN_QUEUE, &["b", "Ctrl-End"], None, "behind all others of its priority"),
    row(Action::RaiseItem, "raise_item", IN_QUEUE, &["+"], None, "more urgent"),
    row(Action::LowerItem, "lower_item", IN_QUEUE, &["-"], None, "less urgent"),
    row(Action::PauseAll, "pause_all", IN_QUEUE, &["P"], None, "pause all, or go on with all"),
    row(Action::RetryAll, "retry_all", TRANSFERS, &["R"], None, "try again all that failed"),
    row(Action::CancelAll, "cancel_all", IN_QUEUE, &["C"], None, "stop all, after a question"),
    row(
        Action::ForgetItem,
        "forget_item",
        IN_QUEUE,
        &["Delete", "F8"],
        Some("Forget"),
        "take a finished one off the list",
    ),
    row(Action::ForgetFinished, "forget_finished", IN_QUEUE, &["x"], None, "take all finished ones off the list"),
];

pub(super) const SERVER: &[Spec] = &[
    row(Action::Connect, "connect", PANES, &["Ctrl-N"], None, "connect to a server"),
    row(Action::EmptyTrash, "empty_trash", PANES, &["Ctrl-F8"], None, "empty the account's trash, after a question"),
];

pub(super) const OPTIONS: &[Spec] = &[
    row(Action::Help, "help", ALL, &["F1"], Some("Help"), "this manual; / in it looks for a word"),
    row(Action::Menu, "menu", ALL, &["F9"], Some("Menu"), "pull down the menus"),
    row(Action::Palette, "palette", ALL, &["Ctrl-P"], None, "find an action by some letters of it"),
    row(Action::Themes, "theme", ALL, &[], None, "choose the colours, seen as you go"),
    row(Action::Mouse, "mouse", ALL, &[], None, "switch the mouse off or on"),
];

pub(super) const CURSOR: &[Spec] = &[
    row(Action::Up, "up", ROWS, &["Up"], None, "one row up"),
    row(Action::Down, "down", ROWS, &["Down"], None, "one row down"),
    row(Action::PageUp, "page_up", ROWS, &["PageUp"], None, "one screen up"),
    row(Action::PageDown, "page_down", ROWS, &["PageDown"], None, "one screen down"),
    row(Action::First, "first", ROWS, &["Home"], None, "to the first row"),
    row(Action::Last, "last", ROWS, &["End"], None, "to the last row"),
    row(Action::Enter, "enter", FILES, &["Enter"], None, "into the directory"),
    row(Action::Leave, "leave", PANES, &["Ctrl-PageUp", "Backspace"], None, "to the directory above"),
    row(Action::Escape, "escape", ALL, &["Esc"], None, "leave what is open; Esc 1 to Esc 0 are F1 to F10"),
];
