//! The pull-down menus: which one is open, and where its lines are. Drawing, keys and mouse all go by it.

use ratatui::layout::{Position, Rect};

use super::App;
use super::text::columns;
use super::usable::obstacle;
use crate::action::{Menu, Spec};

/// The menu that is pulled down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Its place in [`BAR`].
    pub menu: usize,
    /// The selected line.
    pub row: usize,
}

/// The menus of the bar, from left to right.
pub const BAR: [Menu; 7] =
    [Menu::File, Menu::Mark, Menu::Pane, Menu::Queue, Menu::Compare, Menu::Server, Menu::Options];

/// A pulled-down menu with everything it shows.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The words of the bar and where they are, a blank on either side included.
    pub titles: Vec<(Rect, &'static str)>,
    /// The box of the open one, border included.
    pub frame: Rect,
    /// Its lines.
    pub lines: Vec<MenuLine>,
    /// The first line that is seen, and how many are.
    pub window: (usize, usize),
}

/// One line of a menu.
#[derive(Clone, Debug)]
pub struct MenuLine {
    /// What it runs.
    pub spec: &'static Spec,
    /// What it is called.
    pub title: String,
    /// The letter that runs it: the first of its title that no line above has, else a digit behind it.
    pub letter: Option<char>,
    /// Its key, or in brackets why it cannot be used here.
    pub right: String,
    /// Whether it can be used here.
    pub usable: bool,
}

impl Pulled {
    /// The menu itself.
    pub fn menu(self) -> Menu {
        BAR.get(self.menu).copied().unwrap_or(Menu::File)
    }
}

impl Sheet {
    /// What a menu looks like on this screen.
    pub fn of(app: &App, pulled: Pulled) -> Sheet {
        let titles = titles(app.size.0);
        let lines = lines(app, pulled.menu());
        let widest = lines.iter().map(|line| columns(&line.title) + columns(&line.right)).max().unwrap_or_default();
        let width = u16::try_from(widest + AROUND).unwrap_or(u16::MAX).min(app.size.0);
        let left = titles.get(pulled.menu).map_or(0, |(area, _)| area.x).min(app.size.0 - width);
        // Above it is the bar, below it the key bar.
        let seen = lines.len().min(usize::from(app.size.1.saturating_sub(4)));
        let first = (pulled.row + 1).saturating_sub(seen);
        let frame = Rect::new(left, 1, width, u16::try_from(seen + 2).unwrap_or(u16::MAX));
        Sheet { titles, frame, lines, window: (first, seen) }
    }

    /// The word of the bar at a place of the screen.
    pub fn title_at(&self, spot: Position) -> Option<usize> {
        self.titles.iter().position(|(area, _)| area.contains(spot))
    }

    /// The line at a place of the screen.
    pub fn line_at(&self, spot: Position) -> Option<usize> {
        let within = self.frame.inner(ratatui::layout::Margin::new(1, 1)).contains(spot);
        within.then(|| usize::from(spot.y - self.frame.y - 1) + self.window.0)
    }
}

fn titles(width: u16) -> Vec<(Rect, &'static str)> {
    let gap = if width < ROOMY { 0 } else { 2 };
    let mut x = 0;
    let mut titles = Vec::new();
    for menu in BAR {
        let title = if width < ROOMY { menu.title().get(..SHORT).unwrap_or(menu.title()) } else { menu.title() };
        let length = u16::try_from(title.len()).unwrap_or(u16::MAX) + 1;
        titles.push((Rect::new(x, 0, length + 1, 1), title));
        x += length + gap;
    }
    titles
}

fn lines(app: &App, menu: Menu) -> Vec<MenuLine> {
    let mut taken = Vec::new();
    let line = |spec: &'static Spec| {
        let mut title = spec.title();
        let mut letter =
            title.chars().map(|c| c.to_ascii_lowercase()).find(|c| c.is_ascii_alphanumeric() && !taken.contains(c));
        if letter.is_none()
            && let Some(digit) = ('1'..='9').find(|digit| !taken.contains(digit))
        {
            title += &format!(" ({digit})");
            letter = Some(digit);
        }
        taken.extend(letter);
        let obstacle = obstacle(app, spec);
        let right = obstacle.map_or_else(|| app.keymap.key(spec.action), |reason| format!("({reason})"));
        MenuLine { spec, title, letter, right, usable: obstacle.is_none() }
    };
    menu.specs().iter().map(line).collect()
}

/// Two borders, a blank beside each, and two between title and key.
const AROUND: usize = 6;
/// Letters of a word of the bar where there is little room.
const SHORT: usize = 4;
/// From this width on there is room between the words of the bar.
const ROOMY: u16 = 60;
