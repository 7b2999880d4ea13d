//! The question before two panes are compared or made alike.

use super::App;
use crate::sync::mode::{By, Mode, Toward};

/// What two panes are put side by side for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To mark what differs.
    Compare,
    /// To make them alike.
    Synchronise,
}

/// An answer that is being given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pairing {
    /// What for.
    pub purpose: Purpose,
    /// How.
    pub mode: Mode,
}

/// One thing that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// One of several ways.
    Toward(Toward),
    /// One of several measures.
    By(By),
    /// Yes or no.
    Deletions,
    /// Yes or no.
    Deep,
}

impl Pairing {
    /// All that can be chosen, in the order it stands on the screen.
    pub fn picks(&self) -> Vec<Pick> {
        let ways = [Toward::Right, Toward::Left, Toward::Both].map(Pick::Toward);
        let measures = By::ALL.map(Pick::By);
        match self.purpose {
            Purpose::Compare => measures.into_iter().chain([Pick::Deep]).collect(),
            Purpose::Synchronise => {
                // By name alone nothing would ever be brought up to date.
                let measures = measures.into_iter().filter(|pick| *pick != Pick::By(By::Name));
                ways.into_iter().chain([Pick::Deletions]).chain(measures).chain([Pick::Deep]).collect()
            }
        }
    }

    /// Chooses one.
    pub fn pick(&mut self, pick: Pick) {
        let mode = &mut self.mode;
        match pick {
            Pick::Toward(toward) => mode.toward = toward,
            Pick::By(by) => mode.by = by,
            Pick::Deletions => mode.deletions = !mode.deletions,
            Pick::Deep => mode.deep = !mode.deep,
        }
    }

    /// How it stands: `(•) size`, `[x] with subdirectories`.
    pub fn line(&self, app: &App, pick: Pick) -> String {
        let radio = |is: bool, words: &str| format!("{} {words}", if is { "(•)" } else { "( )" });
        let tick = |is: bool, words: &str| format!("{} {words}", if is { "[x]" } else { "[ ]" });
        let name = |place: &super::place::Place| place.short_text(app.home.as_deref());
        match pick {
            Pick::Toward(toward) => {
                let words = match toward {
                    Toward::Right => format!("→ make {} like the left", name(&app.right.place)),
                    Toward::Left => format!("← make {} like the right", name(&app.left.place)),
                    Toward::Both => "↔ both ways: the newer file wins".to_owned(),
                };
                radio(self.mode.toward == toward, &words)
            }
            Pick::By(by) => radio(self.mode.by == by, by.words()),
            Pick::Deletions if self.mode.toward == Toward::Both => {
                "    both ways nothing is deleted unless you say so".to_owned()
            }
            Pick::Deletions => tick(self.mode.deletions, "and delete there what the other side lacks"),
            Pick::Deep => tick(self.mode.deep, "with subdirectories"),
        }
    }
}
