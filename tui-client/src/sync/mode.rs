//! How two sides are compared, and which of them counts.

/// By what files are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum By {
    /// Whether there is one of the name.
    Name,
    /// Its size.
    Size,
    /// Size and time.
    #[default]
    Time,
    /// Size and BLAKE3.
    Content,
}

/// Which way a synchronisation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Toward {
    /// The right side becomes like the left.
    #[default]
    Right,
    /// The left side becomes like the right.
    Left,
    /// Each gets what it does not have, and of two the newer.
    Both,
}

/// What a scan looks for and what it proposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mode {
    /// By what files are told apart.
    pub by: By,
    /// Which way.
    pub toward: Toward,
    /// Whether what only the changed side has is to go. Both ways it never is: what was deleted on one side
    /// cannot be told from what is new on the other.
    pub deletions: bool,
    /// Whether subdirectories are looked into.
    pub deep: bool,
}

impl Default for Mode {
    /// Left to right by size and time, nothing deleted.
    fn default() -> Self {
        Self { by: By::Time, toward: Toward::Right, deletions: false, deep: true }
    }
}

impl By {
    /// All of them, the cheapest first.
    pub const ALL: [By; 4] = [By::Name, By::Size, By::Time, By::Content];

    /// What it goes by, for people.
    pub fn words(self) -> &'static str {
        match self {
            By::Name => "name only",
            By::Size => "size",
            By::Time => "size and time",
            By::Content => "content (BLAKE3)",
        }
    }
}
