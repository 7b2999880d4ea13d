//! The lists that take the whole screen: the checklist of a synchronisation, and what was found by name.

use super::checklist::Checklist;
use super::hits::Hits;
use crate::sync::mode::{Mode, Toward};

/// Those that are open, and what is kept from one time to the next.
#[derive(Clone, Debug)]
pub struct Lists {
    /// A synchronisation.
    pub checklist: Option<Checklist>,
    /// Names that were looked for.
    pub hits: Option<Hits>,
    /// The number of a synchronisation that is being carried out.
    pub carrying: Option<u64>,
    /// The last ways of comparing, and of synchronising.
    pub modes: [Mode; 2],
}

impl Default for Lists {
    fn default() -> Self {
        let compare = Mode { toward: Toward::Both, deep: false, ..Mode::default() };
        Self { checklist: None, hits: None, carrying: None, modes: [compare, Mode::default()] }
    }
}
