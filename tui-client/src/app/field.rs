//! A line of text under edit. A secret one is never shown and never printed.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

/// One text field.
#[derive(Clone, Default)]
pub struct Field {
    input: Input,
    secret: bool,
    /// Nothing was typed yet: the first character replaces the whole.
    fresh: bool,
}

impl Field {
    /// A field that holds `text`, to be edited.
    pub fn new(text: impl Into<String>) -> Self {
        Self { input: Input::new(text.into()), secret: false, fresh: true }
    }

    /// An empty field for a secret.
    pub fn secret() -> Self {
        Self { input: Input::default(), secret: true, fresh: false }
    }

    /// What it holds.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// Edits it; tells whether the key was one for a field.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let request = match key.code {
            KeyCode::Char('a') if ctrl => InputRequest::GoToStart,
            KeyCode::Char('e') if ctrl => InputRequest::GoToEnd,
            KeyCode::Char('u') if ctrl => InputRequest::DeleteLine,
            KeyCode::Char('k') if ctrl => InputRequest::DeleteTillEnd,
            KeyCode::Char('w') if ctrl => InputRequest::DeletePrevWord,
            KeyCode::Char('y') if ctrl => InputRequest::Yank,
            KeyCode::Char(c) if !ctrl && !alt => {
                self.replace_fresh();
                InputRequest::InsertChar(c)
            }
            KeyCode::Backspace if ctrl || alt => InputRequest::DeletePrevWord,
            KeyCode::Backspace => InputRequest::DeletePrevChar,
            KeyCode::Delete => InputRequest::DeleteNextChar,
            KeyCode::Left if ctrl => InputRequest::GoToPrevWord,
            KeyCode::Right if ctrl => InputRequest::GoToNextWord,
            KeyCode::Left => InputRequest::GoToPrevChar,
            KeyCode::Right => InputRequest::GoToNextChar,
            KeyCode::Home => InputRequest::GoToStart,
            KeyCode::End => InputRequest::GoToEnd,
            _ => return false,
        };
        self.fresh = false;
        self.input.handle(request);
        true
    }

    /// Takes up pasted text; its line ends and control characters are left out.
    pub fn paste(&mut self, text: &str) {
        self.replace_fresh();
        for c in text.chars().filter(|c| !c.is_control()) {
            self.input.handle(InputRequest::InsertChar(c));
        }
        self.fresh = false;
    }

    /// Lets the next character replace everything.
    pub fn select(&mut self) {
        self.fresh = true;
    }

    /// Whether the next character replaces everything: shown like a selection.
    pub fn is_fresh(&self) -> bool {
        self.fresh && !self.text().is_empty()
    }

    /// What is seen in `width` columns, and the column of the cursor in it.
    pub fn visible(&self, width: usize) -> (String, usize) {
        if self.secret {
            let stars = self.text().chars().count().min(width.saturating_sub(1));
            return ("•".repeat(stars), stars);
        }
        let (head, tail) = self.at_cursor();
        let head = super::text::clip_left(&escape_text(head), width.saturating_sub(1));
        let column = super::text::columns(&head);
        let line = head + &escape_text(tail);
        (super::text::clip(&line, width), column)
    }

    fn at_cursor(&self) -> (&str, &str) {
        let text = self.text();
        let byte = text.char_indices().nth(self.input.cursor()).map_or(text.len(), |(index, _)| index);
        text.split_at(byte)
    }

    fn replace_fresh(&mut self) {
        if self.fresh {
            self.input.handle(InputRequest::DeleteLine);
        }
    }
}

fn escape_text(text: &str) -> String {
    wire::path::escape(text.as_bytes())
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secret { f.write_str("Field(…)") } else { write!(f, "Field({:?})", self.text()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(field: &mut Field, text: &str) {
        for c in text.chars() {
            field.press(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
    }

    #[test]
    fn the_first_character_replaces_a_proposal_and_an_edit_keeps_it() {
        let mut field = Field::new("/a/b");
        typed(&mut field, "x");
        assert_eq!(field.text(), "x");
        let mut field = Field::new("/a/b");
        field.press(KeyCode::End.into());
        typed(&mut field, "c");
        assert_eq!(field.text(), "/a/bc");
        let mut field = Field::new("/a/b");
        field.press(KeyCode::Backspace.into());
        assert_eq!(field.text(), "/a/");
    }

    #[test]
    fn secrets_are_not_shown_or_printed() {
        let mut field = Field::secret();
        field.paste("hun\nter2");
        assert_eq!((field.text(), field.visible(20).0.as_str()), ("hunter2", "•••••••"));
        assert!(!format!("{field:?}").contains("hunter"));
    }

    #[test]
    fn the_cursor_stays_in_sight() {
        let mut field = Field::default();
        typed(&mut field, "日本語abc");
        for width in 1..12 {
            let (line, column) = field.visible(width);
            assert!(column < width && super::super::text::columns(&line) <= width, "{width}: {line} {column}");
        }
        field.press(KeyCode::Home.into());
        assert_eq!(field.visible(5), ("日本~".to_owned(), 0));
    }
}
