//! Everything a key can do, in one table: keymap, key bar, menus, palette, help and manual are made from
//! it and cannot disagree. Another action is a line here, a row in [`table`] and an arm in `update/actions`.

use crate::app::order::By;

mod table;
mod viewer;

/// Something a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Shows the manual.
    Help,
    /// Opens the pull-down menus.
    Menu,
    /// Opens the command palette.
    Palette,
    /// Chooses a theme.
    Themes,
    /// Switches the mouse off and on.
    Mouse,
    /// Gives the queue the keys.
    FocusQueue,
    /// Shows what a file holds.
    View,
    /// Opens the list of what waits for the person.
    Decisions,
    /// Opens a file in the editor.
    Edit,
    /// Copies to the other pane.
    Copy,
    /// Moves or renames.
    Move,
    /// Shows all there is to know of what is under the cursor.
    Details,
    /// Makes a directory.
    MakeDirectory,
    /// Makes an empty file.
    NewFile,
    /// Deletes after a question.
    Delete,
    /// Deletes after a question, past the trash.
    DeleteForGood,
    /// Takes the last step back.
    Undo,
    /// Deletes what is in the trash, after a question.
    EmptyTrash,
    /// Shows older lines of the log.
    LogUp,
    /// Shows newer lines of the log.
    LogDown,
    /// Shows what became of past transfers.
    History,
    /// Shows only those of them that failed, or all.
    OnlyFailed,
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
    /// Turns all marks round, directories left out.
    InvertMarks,
    /// Turns all marks round.
    InvertAll,
    /// Marks what is like the one under the cursor.
    MarkLike,
    /// Unmarks what is like it.
    UnmarkLike,
    /// Marks, and one row up.
    MarkUp,
    /// Marks, and one row down.
    MarkDown,
    /// Marks one screen up.
    MarkPageUp,
    /// Marks one screen down.
    MarkPageDown,
    /// Marks up to the first row.
    MarkFirst,
    /// Marks down to the last row.
    MarkLast,
    /// Shows only what holds a text.
    Filter,
    /// Shows or hides names with a dot in front.
    ToggleHidden,
    /// Gives the one under the cursor another name.
    Rename,
    /// To the directory before.
    Back,
    /// To the directory that was gone back from.
    Ahead,
    /// Lists where the pane has been.
    Trail,
    /// Lists the directories wanted at hand.
    Hotlist,
    /// Lists places for the left pane.
    PlacesLeft,
    /// Lists places for the right pane.
    PlacesRight,
    /// Counts what directories hold.
    Sizes,
    /// Quick search.
    Search,
    /// To the next name that was searched for.
    SearchAgain,
    /// Sorts by, or turns the order round.
    Sort(By),
    /// Opens the connect dialog.
    Connect,
    /// Leaves what is open: a search, a read, the queue.
    Escape,
    /// Gives the panes the keys again.
    FocusPanes,
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
    /// Gives the queue the whole screen, or the panes theirs.
    FullQueue,
    /// Marks or unmarks a transfer.
    MarkItem,
    /// Turns all marks of transfers round.
    InvertItems,
    /// Shows only transfers with something in their names.
    FindItem,
    /// One place ahead.
    ItemEarlier,
    /// One place back.
    ItemLater,
    /// Before all others.
    ItemFirst,
    /// Behind all others.
    ItemLast,
    /// More urgent.
    RaiseItem,
    /// Less urgent.
    LowerItem,
    /// Stops everything, or lets everything go on.
    PauseAll,
    /// Tries everything again that failed.
    RetryAll,
    /// Cancels everything, after a question.
    CancelAll,
    /// Does something in the viewer.
    Look(Look),
    /// Marks in both panes what differs.
    Compare,
    /// Opens the checklist that makes both panes alike.
    Synchronise,
    /// Looks for names below the directory.
    Find,
    /// Does something in the checklist.
    Plan(Deed),
}

/// What keys do in the viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Look {
    /// Breaks long lines, or does not.
    Wrap,
    /// Figures instead of text, or text again.
    Hex,
    /// Asks for a place to go to.
    GoTo,
    /// Asks what to look for, from here on.
    Find,
    /// The same backwards.
    FindBack,
    /// To the next hit.
    Next,
    /// To the one before.
    Previous,
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// One screen up.
    PageUp,
    /// One screen down.
    PageDown,
    /// Half a screen up.
    HalfUp,
    /// Half a screen down.
    HalfDown,
    /// To the beginning.
    First,
    /// To the end.
    Last,
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// Reads the file again.
    Reread,
    /// Leaves it.
    Leave,
    /// Ends the program.
    Quit,
}

/// What the keys of the checklist do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// Asks, then does all that is planned.
    Run,
    /// Plans a copy to the right.
    CopyRight,
    /// Plans a copy to the left.
    CopyLeft,
    /// Plans to delete on the right.
    DeleteRight,
    /// Plans to delete on the left.
    DeleteLeft,
    /// Plans nothing.
    Skip,
    /// Plans what was proposed.
    Proposal,
    /// Shows other rows.
    Filter,
    /// Asks again which way and how.
    Options,
}

/// Which part of the screen an action belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The two panes.
    Panes,
    /// The queue.
    Queue,
    /// The viewer.
    Viewer,
    /// The checklist of a synchronisation.
    Plan,
    /// What was found by name.
    Hits,
    /// What became of past transfers.
    History,
}

impl Scope {
    /// Where that is, for what cannot be used elsewhere.
    pub fn word(self) -> &'static str {
        match self {
            Scope::Panes => "in the panes",
            Scope::Queue => "in the queue",
            Scope::Viewer => "in the viewer",
            Scope::Plan => "in a plan",
            Scope::Hits => "in a search",
            Scope::History => "in the history",
        }
    }
}

/// The groups of the table: pull-down menus, and sections of the manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Menu {
    /// What is done to files, and leaving the program.
    File,
    /// Marks.
    Mark,
    /// What a pane shows, and how.
    Pane,
    /// Transfers.
    Queue,
    /// Comparing the panes, making them alike, looking for names.
    Compare,
    /// The connection and what is at its other end.
    Server,
    /// Help and settings.
    Options,
    /// Moving about: a section of the manual without a menu of its own.
    Cursor,
    /// The viewer: likewise.
    Viewer,
}

impl Menu {
    /// All of them, in the order of the manual.
    pub const ALL: [Menu; 9] = [
        Menu::File,
        Menu::Mark,
        Menu::Pane,
        Menu::Queue,
        Menu::Compare,
        Menu::Server,
        Menu::Options,
        Menu::Cursor,
        Menu::Viewer,
    ];

    /// Its word in the menu bar.
    pub fn title(self) -> &'static str {
        match self {
            Menu::File => "File",
            Menu::Mark => "Mark",
            Menu::Pane => "Pane",
            Menu::Queue => "Queue",
            Menu::Compare => "Compare",
            Menu::Server => "Server",
            Menu::Options => "Options",
            Menu::Cursor => "Moving about",
            Menu::Viewer => "In the viewer",
        }
    }

    /// Its part of the table, in the order it is shown.
    pub fn specs(self) -> &'static [Spec] {
        match self {
            Menu::File => table::FILE,
            Menu::Mark => table::MARK,
            Menu::Pane => table::PANE,
            Menu::Queue => table::QUEUE,
            Menu::Compare => table::COMPARE,
            Menu::Server => table::SERVER,
            Menu::Options => table::OPTIONS,
            Menu::Cursor => table::CURSOR,
            Menu::Viewer => viewer::VIEWER,
        }
    }
}

/// One row of the table; an action has exactly one.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// What it is.
    pub action: Action,
    /// What `keys.toml` and the manual call it, for ever: `make_directory`.
    pub name: &'static str,
    /// Where it is valid.
    pub scopes: &'static [Scope],
    /// Its keys, as the keymap reads them.
    pub keys: &'static [&'static str],
    /// Its word in the key bar, when one of its keys is F1 to F10.
    pub label: Option<&'static str>,
    /// What it does, for the help.
    pub about: &'static str,
}

impl Spec {
    /// The row of an action.
    pub fn of(action: Action) -> Option<&'static Spec> {
        specs().find(|spec| spec.action == action)
    }

    /// Its name for menus: `Make directory`.
    pub fn title(&self) -> String {
        let words = self.name.replace('_', " ");
        let mut chars = words.chars();
        chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
    }
}

/// The whole table.
pub fn specs() -> impl Iterator<Item = &'static Spec> {
    Menu::ALL.into_iter().flat_map(Menu::specs)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_actions_are_told_once_and_in_snake_case() {
        let (mut names, mut actions) = (HashSet::new(), HashSet::new());
        for Spec { action, name, about, label, .. } in specs() {
            assert!(names.insert(name), "{name} is the name of two actions");
            assert!(actions.insert(action), "{action:?} has two rows");
            let snake = name.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit());
            assert!(snake && !about.is_empty() && !about.ends_with('.'), "{name}: {about}");
            assert!(label.is_none_or(|label| (1..=6).contains(&label.len())), "{name}: {label:?}");
        }
        assert_eq!(Spec::of(Action::MakeDirectory).map(Spec::title).as_deref(), Some("Make directory"));
    }
}
