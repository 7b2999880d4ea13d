//! What lies around the panes: the open menu, keys that wait for a second one, theme, lines and mouse.

use crossterm::event::KeyModifiers;

use super::menu::Pulled;
use crate::keymap::Chord;
use crate::theme::Gallery;

/// Everything of the screen that is neither a pane nor the queue.
#[derive(Clone, Debug)]
pub struct Chrome {
    /// The menu that is pulled down.
    pub menu: Option<Pulled>,
    /// The modifiers held down, where the terminal tells.
    pub held: KeyModifiers,
    /// The first of two keys, while the second is awaited.
    pub begun: Option<Chord>,
    /// What was last searched for in a pane.
    pub sought: String,
    /// The themes, and the one that is shown.
    pub gallery: Gallery,
    /// What goes before a theme that is chosen here, at the next start.
    pub before_choice: Option<String>,
    /// What borders and gauges are drawn with.
    pub lines: Lines,
    /// Whether the mouse counts.
    pub mouse: bool,
}

/// What borders and gauges are drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lines {
    /// Box-drawing characters.
    #[default]
    Drawn,
    /// ASCII; names are shown as they are.
    Ascii,
    /// The terminal shows nothing but ASCII: other characters of names become `?`.
    OnlyAscii,
}

impl Default for Chrome {
    fn default() -> Self {
        Self {
            menu: None,
            held: KeyModifiers::NONE,
            begun: None,
            sought: String::new(),
            gallery: Gallery::default(),
            before_choice: None,
            lines: Lines::default(),
            mouse: true,
        }
    }
}
