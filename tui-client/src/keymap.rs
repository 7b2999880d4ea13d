//! From keys to actions. Knows chords and the action table, nothing of what actions do.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::action::{Action, Scope, Spec, specs};

/// A key with what is held down beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Why a text is not a chord.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a key; write F5, Ctrl-R, Alt-Enter, Shift-F4, Space or one character")]
pub struct ChordError(String);

impl From<KeyEvent> for Chord {
    /// Shift is dropped where the character shows it already; Ctrl and Alt go with lower case.
    fn from(key: KeyEvent) -> Self {
        let modifiers = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        match key.code {
            KeyCode::Char(c) if modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                Self { code: KeyCode::Char(c.to_ascii_lowercase()), modifiers: modifiers - KeyModifiers::SHIFT }
            }
            KeyCode::Char(_) => Self { code: key.code, modifiers: modifiers - KeyModifiers::SHIFT },
            code => Self { code, modifiers },
        }
    }
}

impl FromStr for Chord {
    type Err = ChordError;

    fn from_str(text: &str) -> Result<Self, ChordError> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        for (prefix, modifier) in PREFIXES {
            if let Some(after) = rest.strip_prefix(prefix).filter(|after| !after.is_empty()) {
                modifiers |= modifier;
                rest = after;
            }
        }
        let code = match NAMES.iter().find(|(name, _)| *name == rest) {
            Some((_, code)) => *code,
            None => unnamed(rest).ok_or_else(|| ChordError(text.to_owned()))?,
        };
        Ok(KeyEvent::new(code, modifiers).into())
    }
}

fn unnamed(text: &str) -> Option<KeyCode> {
    if let Some(number) = text.strip_prefix('F').and_then(|number| number.parse().ok()) {
        return (1..=24).contains(&number).then_some(KeyCode::F(number));
    }
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none()).map(KeyCode::Char)
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (prefix, modifier) in PREFIXES {
            if self.modifiers.contains(modifier) {
                f.write_str(prefix)?;
            }
        }
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::F(number)) => write!(f, "F{number}"),
            (None, KeyCode::Char(c)) if !self.modifiers.is_empty() => write!(f, "{}", c.to_ascii_uppercase()),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, code) => write!(f, "{code:?}"),
        }
    }
}

#[cfg(test)]
impl From<Chord> for KeyEvent {
    fn from(chord: Chord) -> Self {
        KeyEvent::new(chord.code, chord.modifiers)
    }
}

/// Which chord does what, where.
#[derive(Clone, Debug)]
pub struct Keymap {
    actions: HashMap<(Scope, Chord), Action>,
}

impl Default for Keymap {
    /// The keys of the action table.
    fn default() -> Self {
        let mut actions = HashMap::new();
        for spec in specs() {
            for chord in spec.keys.iter().filter_map(|key| key.parse::<Chord>().ok()) {
                actions.extend(spec.scopes.iter().map(|scope| ((*scope, chord), spec.action)));
            }
        }
        Self { actions }
    }
}

impl Keymap {
    /// What the chord does there.
    pub fn action(&self, scope: Scope, chord: Chord) -> Option<Action> {
        self.actions.get(&(scope, chord)).copied()
    }

    /// The word of F`number` in the key bar; empty when the key does nothing there.
    pub fn label(&self, scope: Scope, number: u8) -> &'static str {
        let chord = Chord { code: KeyCode::F(number), modifiers: KeyModifiers::NONE };
        let spec = self.action(scope, chord).and_then(Spec::of);
        spec.and_then(|spec| spec.label).unwrap_or_default()
    }
}

/// The function key that stands for a digit after Esc or beside Alt.
pub fn function_key(digit: char) -> Option<KeyEvent> {
    let number = match digit {
        '0' => 10,
        '1'..='9' => digit.to_digit(10).and_then(|number| u8::try_from(number).ok())?,
        _ => return None,
    };
    Some(KeyCode::F(number).into())
}

const PREFIXES: [(&str, KeyModifiers); 3] =
    [("Ctrl-", KeyModifiers::CONTROL), ("Alt-", KeyModifiers::ALT), ("Shift-", KeyModifiers::SHIFT)];

const NAMES: [(&str, KeyCode); 15] = [
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("Enter", KeyCode::Enter),
    ("Tab", KeyCode::Tab),
    ("Backspace", KeyCode::Backspace),
    ("Insert", KeyCode::Insert),
    ("Delete", KeyCode::Delete),
    ("Esc", KeyCode::Esc),
    ("Space", KeyCode::Char(' ')),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_is_a_chord_and_means_one_thing() {
        let mut seen = HashMap::new();
        for spec in specs() {
            for key in spec.keys {
                let chord: Chord = key.parse().unwrap();
                assert_eq!(chord.to_string(), *key);
                for scope in spec.scopes {
                    let before = seen.insert((*scope, chord), spec.action);
                    assert!(before.is_none(), "{key} means {before:?} and {:?}", spec.action);
                }
            }
        }
    }

    #[test]
    fn chords_as_terminals_send_them() {
        let check =
            |code, modifiers, text: &str| assert_eq!(Ok(Chord::from(KeyEvent::new(code, modifiers))), text.parse());
        check(KeyCode::Char('R'), KeyModifiers::CONTROL | KeyModifiers::SHIFT, "Ctrl-r");
        check(KeyCode::Char('+'), KeyModifiers::SHIFT, "+");
        check(KeyCode::F(4), KeyModifiers::SHIFT, "Shift-F4");
        check(KeyCode::Char('-'), KeyModifiers::NONE, "-");
        for bad in ["", "F0", "F99", "Ctrl-", "abc", "Hyper-x"] {
            assert!(bad.parse::<Chord>().is_err(), "{bad}");
        }
    }

    #[test]
    fn key_bar_words() {
        let words = |scope| (1..=10).map(|n| Keymap::default().label(scope, n)).collect::<Vec<_>>().join(" ");
        assert_eq!(words(Scope::Panes), "Help Queue View  Copy Move MkDir Delete  Quit");
        assert_eq!(words(Scope::Queue), "Help Panes      Forget  Quit");
        assert_eq!(words(Scope::Viewer), "Help Wrap Leave Hex GoTo  Search   Leave");
    }

    #[test]
    fn digits_stand_for_function_keys() {
        assert_eq!(function_key('1'), Some(KeyCode::F(1).into()));
        assert_eq!(function_key('0'), Some(KeyCode::F(10).into()));
        assert_eq!(function_key('x'), None);
    }
}
