//! Everything a key can do, in one table: the keymap, the key bar and the help are made from it and
//! cannot disagree.

use crate::app::order::By;

/// Something a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Shows the keys.
    Help,
    /// Gives the queue the keys.
    FocusQueue,
    /// Copies to the other pane.
    Copy,
    /// Moves or renames.
    Move,
    /// Makes a directory.
    MakeDirectory,
    /// Makes an empty file.
    NewFile,
    /// Deletes after a question.
    Delete,
    /// Ends the program.
    Quit,
    /// Stops the program for the shell.
    Suspend,
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// One screen up.
    PageUp,
    /// One screen down.
    PageDown,
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// Into the directory under the cursor.
    Enter,
    /// To the directory above.
    Leave,
    /// To the other pane.
    OtherPane,
    /// Exchanges the panes.
    Swap,
    /// Shows the other side in this pane.
    OtherSide,
    /// Reads the directory again.
    Reread,
    /// Marks or unmarks, and goes down.
    Mark,
    /// Marks by a pattern.
    MarkPattern,
    /// Unmarks by a pattern.
    UnmarkPattern,
    /// Turns all marks round.
    InvertMarks,
    /// Quick search.
    Search,
    /// Sorts by, or turns the order round.
    Sort(By),
    /// Opens the connect dialog.
    Connect,
    /// Leaves what is open: a search, a read, the queue.
    Escape,
    /// Stops or continues the selected transfer.
    PauseItem,
    /// Cancels it and keeps what has arrived.
    CancelItem,
    /// Cancels it and deletes what has arrived.
    DiscardItem,
    /// Tries it again.
    RetryItem,
    /// Sets its bandwidth limit and that of all.
    Limits,
    /// Opens its question or its details.
    OpenItem,
    /// Takes a finished one off the list.
    ForgetItem,
    /// Takes all finished ones off the list.
    ForgetFinished,
}

/// Which part of the screen an action belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The two panes.
    Panes,
    /// The queue.
    Queue,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// What it is.
    pub action: Action,
    /// Where it is valid.
    pub scopes: &'static [Scope],
    /// Its keys, as the keymap reads them.
    pub keys: &'static [&'static str],
    /// Its word in the key bar, when one of its keys is F1 to F10.
    pub label: Option<&'static str>,
    /// What the help says of it.
    pub about: &'static str,
}

const PANES: &[Scope] = &[Scope::Panes];
const QUEUE: &[Scope] = &[Scope::Queue];
const BOTH: &[Scope] = &[Scope::Panes, Scope::Queue];

const fn row(
    action: Action,
    scopes: &'static [Scope],
    keys: &'static [&'static str],
    label: Option<&'static str>,
    about: &'static str,
) -> Spec {
    Spec { action, scopes, keys, label, about }
}

/// All actions, in the order of the help.
pub const TABLE: &[Spec] = &[
    row(Action::Help, BOTH, &["F1"], Some("Help"), "this list"),
    row(Action::FocusQueue, PANES, &["F2", "Ctrl-Q"], Some("Queue"), "to the queue"),
    row(Action::Copy, PANES, &["F5"], Some("Copy"), "copy marked or current to the other pane"),
    row(Action::Move, PANES, &["F6"], Some("Move"), "move to the other pane (proven), or rename"),
    row(Action::MakeDirectory, PANES, &["F7"], Some("MkDir"), "make a directory"),
    row(Action::NewFile, PANES, &["Shift-F4", "F16"], None, "make an empty file"),
    row(Action::Delete, PANES, &["F8", "Delete"], Some("Delete"), "delete, after a question"),
    row(Action::Quit, BOTH, &["F10", "Ctrl-C"], Some("Quit"), "quit"),
    row(Action::Suspend, BOTH, &["Ctrl-Z"], None, "stop for the shell; fg comes back"),
    row(Action::Up, BOTH, &["Up"], None, "one row up"),
    row(Action::Down, BOTH, &["Down"], None, "one row down"),
    row(Action::PageUp, BOTH, &["PageUp"], None, "one screen up"),
    row(Action::PageDown, BOTH, &["PageDown"], None, "one screen down"),
    row(Action::First, BOTH, &["Home"], None, "to the first row"),
    row(Action::Last, BOTH, &["End"], None, "to the last row"),
    row(Action::Enter, PANES, &["Enter"], None, "into the directory"),
    row(Action::Leave, PANES, &["Ctrl-PageUp", "Backspace"], None, "to the directory above"),
    row(Action::OtherPane, PANES, &["Tab"], None, "to the other pane"),
    row(Action::Swap, PANES, &["Ctrl-U"], None, "exchange the panes"),
    row(Action::OtherSide, PANES, &["Ctrl-T"], None, "this machine or the server in this pane"),
    row(Action::Reread, PANES, &["Ctrl-R"], None, "read again; while disconnected: connect now"),
    row(Action::Mark, PANES, &["Insert", "Space"], None, "mark or unmark"),
    row(Action::MarkPattern, PANES, &["+"], None, "mark by a pattern"),
    row(Action::UnmarkPattern, PANES, &["-"], None, "unmark by a pattern"),
    row(Action::InvertMarks, PANES, &["*"], None, "turn all marks round"),
    row(Action::Search, PANES, &["Ctrl-S"], None, "jump to a name as you type it"),
    row(Action::Sort(By::Name), PANES, &["Ctrl-F3", "Alt-N"], None, "sort by name; again: the other way round"),
    row(Action::Sort(By::Extension), PANES, &["Ctrl-F4", "Alt-E"], None, "sort by extension"),
    row(Action::Sort(By::Time), PANES, &["Ctrl-F5", "Alt-T"], None, "sort by time"),
    row(Action::Sort(By::Size), PANES, &["Ctrl-F6", "Alt-S"], None, "sort by size"),
    row(Action::Connect, PANES, &["Ctrl-N"], None, "connect to a server"),
    row(Action::Escape, BOTH, &["Esc"], None, "leave what is open; Esc 1 to Esc 0 are F1 to F10"),
    row(Action::PauseItem, QUEUE, &["p", "Space"], None, "pause or go on"),
    row(Action::CancelItem, QUEUE, &["c"], None, "cancel, keep what has arrived"),
    row(Action::DiscardItem, QUEUE, &["d"], None, "cancel and delete what has arrived"),
    row(Action::RetryItem, QUEUE, &["r"], None, "try again"),
    row(Action::Limits, QUEUE, &["l"], None, "limit its bandwidth, or that of all"),
    row(Action::OpenItem, QUEUE, &["Enter"], None, "answer its question, or show details"),
    row(Action::ForgetItem, QUEUE, &["Delete", "F8"], Some("Forget"), "take a finished one off the list"),
    row(Action::ForgetFinished, QUEUE, &["x"], None, "take all finished ones off the list"),
    row(Action::Escape, QUEUE, &["F2", "Ctrl-Q", "Tab"], Some("Panes"), "back to the panes"),
];
