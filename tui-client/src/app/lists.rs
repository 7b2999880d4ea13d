//! The lists that take the whole screen: the checklist of a synchronisation, what was found by name, what became of past
//! transfers.

use super::checklist::Checklist;
use super::history::History;
use super::hits::Hits;
use crate::sync::mode::{Mode, Toward};
use crate::update::Running;

/// Those that are open, and what is kept from one time to the next.
#[derive(Clone, Debug)]
pub struct Lists {
    /// A synchronisation.
    pub checklist: Option<Checklist>,
    /// Names that were looked for.
    pub hits: Option<Hits>,
    /// What became of past transfers.
    pub history: Option<History>,
    /// The number of a synchronisation that is being carried out.
    pub carrying: Option<u64>,
    /// The work with many things that is under way.
    pub bulk: Option<Running>,
    /// How many pieces of work with single things are.
    pub works: usize,
    /// The last ways of comparing, and of synchronising.
    pub modes: [Mode; 2],
}

impl Default for Lists {
    fn default() -> Self {
        let compare = Mode { toward: Toward::Both, deep: false, ..Mode::default() };
        Self {
            checklist: None,
            hits: None,
            history: None,
            carrying: None,
            bulk: None,
            works: 0,
            modes: [compare, Mode::default()],
        }
    }
}
