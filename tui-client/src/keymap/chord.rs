//! Keys as people write them: `F5`, `Ctrl-R`, and two after each other, `g g`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with what is held down beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    pub(super) code: KeyCode,
    pub(super) modifiers: KeyModifiers,
}

/// One chord, or two after each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Keys {
    /// The first.
    pub first: Chord,
    /// The second.
    pub then: Option<Chord>,
}

/// Why a text is not a chord.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a key; write F5, Ctrl-R, Alt-Enter, Shift-F4, Space, one character, or two keys as in `g g`")]
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

impl Chord {
    /// A function key with modifiers.
    pub fn function(number: u8, modifiers: KeyModifiers) -> Self {
        KeyEvent::new(KeyCode::F(number), modifiers).into()
    }
}

impl From<Chord> for KeyEvent {
    fn from(chord: Chord) -> Self {
        KeyEvent::new(chord.code, chord.modifiers)
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

impl FromStr for Keys {
    type Err = ChordError;

    fn from_str(text: &str) -> Result<Self, ChordError> {
        match text.split_once(' ') {
            Some((first, then)) => Ok(Self { first: first.parse()?, then: Some(then.parse()?) }),
            None => Ok(Self { first: text.parse()?, then: None }),
        }
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

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.then {
            Some(then) => write!(f, "{} {then}", self.first),
            None => self.first.fmt(f),
        }
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
    fn chords_as_terminals_send_them() {
        let check =
            |code, modifiers, text: &str| assert_eq!(Ok(Chord::from(KeyEvent::new(code, modifiers))), text.parse());
        check(KeyCode::Char('R'), KeyModifiers::CONTROL | KeyModifiers::SHIFT, "Ctrl-r");
        check(KeyCode::Char('+'), KeyModifiers::SHIFT, "+");
        check(KeyCode::F(4), KeyModifiers::SHIFT, "Shift-F4");
        check(KeyCode::Char('-'), KeyModifiers::NONE, "-");
        for bad in ["", "F0", "F99", "Ctrl-", "abc", "Hyper-x", "g ", "g g g", " g"] {
            assert!(bad.parse::<Keys>().is_err(), "{bad}");
        }
        for good in ["g g", "Ctrl-X D", "Space", "F20"] {
            assert_eq!(good.parse::<Keys>().unwrap().to_string(), good);
        }
    }

    #[test]
    fn digits_stand_for_function_keys() {
        assert_eq!(function_key('1'), Some(KeyCode::F(1).into()));
        assert_eq!(function_key('0'), Some(KeyCode::F(10).into()));
        assert_eq!(function_key('x'), None);
    }
}
