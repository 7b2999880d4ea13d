//! How a dialog looks: its lines, controls and buttons with their places on the screen. Drawing, the
//! keys and the mouse all go by it.

use ratatui::layout::Rect;

use super::board::Choice;
use super::decisions::Deed;
use super::dialog::Dialog;
use super::text::{columns, wrap};
use super::{App, Tone};
use crate::action::Action;
use crate::engine::status::QuestionId;

mod chrome;
mod contents;
mod decisions;
mod details;
mod history;
mod jumps;
mod pairing;
mod transfers;

/// A dialog, ready to be drawn.
#[derive(Clone, Debug)]
pub struct Face {
    /// Its area, border included.
    pub frame: Rect,
    /// In the border.
    pub title: String,
    /// In the lower border.
    pub hint: String,
    /// A dangerous one is `Bad`.
    pub tone: Tone,
    /// All lines of its text.
    pub lines: Vec<Line>,
    /// So many of them stay at the top.
    pub pinned: usize,
    /// Of the others, the first one that is seen; and how many are seen in all.
    pub window: (usize, usize),
    /// What can have the keys: controls among the lines, then the buttons.
    pub controls: Vec<Control>,
}

/// One line of a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Words.
    Text(String, Tone),
    /// A field: its label is the line above. Text, column of the cursor, and whether typing replaces it.
    Field(String, usize, bool),
    /// Something to choose or to tick.
    Choice(String),
}

/// Something that can have the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Its area; `None` while it is scrolled out of sight.
    pub area: Option<Rect>,
    /// Its word, of a button.
    pub label: String,
    /// The line it stands on; `None` for a button.
    pub line: Option<usize>,
    /// What Enter and a click do.
    pub press: Press,
}

/// What a control does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// Leaves the dialog.
    Close,
    /// Does what the dialog is for.
    Accept,
    /// Goes on without the one that exists.
    SkipOne,
    /// Opens this decision.
    Decision(QuestionId),
    /// Does this about the decisions that are meant.
    Deed(Deed),
    /// Chooses one way of comparing.
    Pick(super::pairing::Pick),
    /// Ticks the box.
    ToggleForAll,
    /// Does something to the transfers it is about.
    Transfers(Choice),
    /// Puts the pane's directory on the hotlist.
    AddToHotlist,
    /// Takes up a saved server.
    Saved(usize),
    /// Runs it.
    Run(Action),
}

/// What a dialog says, before it has a place.
#[derive(Clone, Debug, Default)]
struct Draft {
    title: String,
    tone: Tone,
    width: usize,
    lines: Vec<Line>,
    pinned: usize,
    choices: Vec<(usize, Press)>,
    buttons: Vec<(String, Press)>,
    /// Lines under a choice that should be seen together with it.
    tail: usize,
    /// Words in the lower border.
    hint: String,
}

impl Draft {
    fn new(app: &App, title: impl Into<String>) -> Self {
        let width = usize::from(app.size.0.saturating_sub(6)).clamp(1, WIDEST);
        Self { title: title.into(), width, ..Self::default() }
    }

    fn text(self, text: &str) -> Self {
        self.toned(text, Tone::Plain)
    }

    fn toned(mut self, text: &str, tone: Tone) -> Self {
        self.lines.extend(wrap(text, self.width).into_iter().map(|line| Line::Text(line, tone)));
        self
    }

    fn choice(mut self, text: String, press: Press) -> Self {
        self.choices.push((self.lines.len(), press));
        self.lines.push(Line::Choice(super::text::clip(&text, self.width)));
        self
    }

    fn field(mut self, field: &super::field::Field) -> Self {
        let (text, column) = field.visible(self.width);
        self.choices.push((self.lines.len(), Press::Accept));
        self.lines.push(Line::Field(text, column, field.is_fresh()));
        self
    }

    fn button(mut self, label: impl Into<String>, press: Press) -> Self {
        self.buttons.push((label.into(), press));
        self
    }

    fn dangerous(self) -> Self {
        Self { tone: Tone::Bad, ..self }
    }
}

impl Face {
    /// The face of a dialog on this screen.
    pub fn of(app: &App, dialog: &Dialog) -> Face {
        let draft = contents::draft(app, dialog);
        let screen = Rect::new(0, 0, app.size.0, app.size.1);
        let (spots, button_rows) = button_spots(&draft);
        let room = usize::from(screen.height.saturating_sub(4)).saturating_sub(button_rows);
        let seen = draft.lines.len().min(room);
        let height = u16::try_from(seen + button_rows + 3).unwrap_or(u16::MAX);
        let width = u16::try_from(draft.width + 4).unwrap_or(u16::MAX);
        let frame = centred(screen, width, height);
        let pinned = draft.pinned.min(seen);
        let focused_line = draft.choices.get(dialog.focus).and_then(|(line, _)| line.checked_sub(pinned));
        let first = window(dialog.scroll, focused_line, seen - pinned, draft.lines.len() - pinned, draft.tail);
        let mut controls = Vec::new();
        for (line, press) in &draft.choices {
            let row = row_of(*line, pinned, first).filter(|row| *row < seen);
            let area = row.map(|row| spot(frame, 0, row, draft.width));
            controls.push(Control { area, label: String::new(), line: Some(*line), press: *press });
        }
        for ((label, press), (x, row, width)) in draft.buttons.iter().zip(spots) {
            let area = Some(spot(frame, x, seen + 1 + row, width));
            controls.push(Control { area, label: label.clone(), line: None, press: *press });
        }
        let Draft { title, tone, lines, hint, .. } = draft;
        Face { frame, title, hint, tone, lines, pinned, window: (first, seen), controls }
    }

    /// The lines that are seen, with their numbers, from the top.
    pub fn seen(&self) -> impl Iterator<Item = (usize, &Line)> {
        let (first, seen) = self.window;
        let skipped = self.pinned..self.pinned + first;
        self.lines.iter().enumerate().filter(move |(index, _)| !skipped.contains(index)).take(seen)
    }

    /// The control at a place of the screen.
    pub fn control_at(&self, column: u16, row: u16) -> Option<usize> {
        let spot = ratatui::layout::Position::new(column, row);
        self.controls.iter().position(|control| control.area.is_some_and(|area| area.contains(spot)))
    }
}

/// The row that a line stands on while `first` of those below the pinned ones are scrolled away.
fn row_of(line: usize, pinned: usize, first: usize) -> Option<usize> {
    if line < pinned { Some(line) } else { line.checked_sub(first).filter(|row| *row >= pinned) }
}

/// The first line that is seen: what was scrolled to, moved so that the focused line is in sight.
fn window(scroll: usize, focused: Option<usize>, seen: usize, lines: usize, tail: usize) -> usize {
    let first = match focused {
        // A field's label stands above it.
        Some(line) => {
            let highest = line.saturating_sub(usize::from(seen > 1));
            scroll.clamp((line + 1 + tail).saturating_sub(seen).min(highest), highest)
        }
        None => scroll,
    };
    first.min(lines.saturating_sub(seen))
}

/// Column, row and width of each button, and how many rows they take.
fn button_spots(draft: &Draft) -> (Vec<(usize, usize, usize)>, usize) {
    let (mut x, mut row) = (0, 0);
    let mut spots = Vec::new();
    for (label, _) in &draft.buttons {
        let width = columns(label) + 4;
        if x > 0 && x + width > draft.width {
            (x, row) = (0, row + 1);
        }
        spots.push((x, row, width));
        x += width + 1;
    }
    (spots, row + 1)
}

fn spot(frame: Rect, x: usize, row: usize, width: usize) -> Rect {
    let offset = |base: u16, by: usize| base.saturating_add(u16::try_from(by).unwrap_or(u16::MAX));
    let width = u16::try_from(width).unwrap_or(u16::MAX);
    Rect::new(offset(frame.x, x + 2), offset(frame.y, row + 1), width, 1).intersection(frame)
}

fn centred(screen: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect::new((screen.width - width) / 2, (screen.height - height) / 2, width, height)
}

/// Wider lines are hard to read.
const WIDEST: usize = 70;
