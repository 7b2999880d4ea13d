//! Colours, read from TOML. A theme only adds to what words and shapes say already.

use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Deserializer};

/// A style for every part of the screen.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// Rows of a pane.
    pub pane: Look,
    /// Its border.
    pub frame: Look,
    /// The border and title of the active one.
    pub active_frame: Look,
    /// The line of column names.
    pub heading: Look,
    /// A directory.
    pub directory: Look,
    /// A link, or something that is neither file nor directory.
    pub link: Look,
    /// A marked row.
    pub marked: Look,
    /// The row under the cursor.
    pub cursor: Look,
    /// That row when it is marked.
    pub marked_cursor: Look,
    /// Rows of a server that does not answer.
    pub stale: Look,
    /// The foot line.
    pub foot: Look,
    /// The quota gauge.
    pub gauge: Look,
    /// Rows of the queue.
    pub queue: Look,
    /// Its header.
    pub queue_heading: Look,
    /// Its selected row.
    pub queue_cursor: Look,
    /// Its gauges.
    pub queue_gauge: Look,
    /// Good news.
    pub good: Look,
    /// Bad news.
    pub bad: Look,
    /// Other news.
    pub note: Look,
    /// Numbers of the key bar.
    pub bar_number: Look,
    /// Words of the key bar.
    pub bar_label: Look,
    /// Dialogs.
    pub dialog: Look,
    /// Dangerous dialogs.
    pub dialog_bad: Look,
    /// What stands out in a dialog.
    pub dialog_strong: Look,
    /// What stands out as bad, and in a dangerous dialog.
    pub dialog_alarm: Look,
    /// What a dialog's shadow falls on.
    pub shadow: Look,
    /// A text field.
    pub field: Look,
    /// Its text while typing replaces it.
    pub field_fresh: Look,
    /// A button.
    pub button: Look,
    /// The control with the keys.
    pub button_focus: Look,
}

/// A style as the file writes it: `white on blue bold`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look(pub Style);

/// Why a text is no style.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a colour (red, light-red, 0-255, #rrggbb) nor bold, dim, italic, underlined, reversed")]
pub struct LookError(String);

/// Why a theme cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// No theme is called so.
    #[error("no theme is called `{0}`; there are commander, dark and mono")]
    Unknown(String),
    /// The file makes no sense.
    #[error("theme `{name}`: {source}")]
    Bad {
        /// Its name.
        name: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
}

impl Theme {
    /// A theme that comes with the program.
    pub fn named(name: &str) -> Result<Theme, ThemeError> {
        let text = THEMES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
        let text = text.ok_or_else(|| ThemeError::Unknown(name.to_owned()))?;
        toml::from_str(text).map_err(|error| ThemeError::Bad { name: name.to_owned(), source: Box::new(error) })
    }
}

impl FromStr for Look {
    type Err = LookError;

    fn from_str(text: &str) -> Result<Self, LookError> {
        let mut style = Style::new();
        let mut words = text.split_whitespace();
        while let Some(word) = words.next() {
            let bad = || LookError(word.to_owned());
            style = match word {
                "on" => style.bg(colour(words.next().ok_or_else(bad)?)?),
                "bold" => style.add_modifier(Modifier::BOLD),
                "dim" => style.add_modifier(Modifier::DIM),
                "italic" => style.add_modifier(Modifier::ITALIC),
                "underlined" => style.add_modifier(Modifier::UNDERLINED),
                "reversed" => style.add_modifier(Modifier::REVERSED),
                _ => style.fg(colour(word)?),
            };
        }
        Ok(Self(style))
    }
}

fn colour(word: &str) -> Result<Color, LookError> {
    word.parse().map_err(|_| LookError(word.to_owned()))
}

impl<'de> Deserialize<'de> for Look {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

const THEMES: [(&str, &str); 3] = [
    ("commander", include_str!("../../assets/themes/commander.toml")),
    ("dark", include_str!("../../assets/themes/dark.toml")),
    ("mono", include_str!("../../assets/themes/mono.toml")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_is_whole() {
        for (name, _) in THEMES {
            Theme::named(name).unwrap();
        }
        assert!(matches!(Theme::named("pink"), Err(ThemeError::Unknown(_))));
    }

    #[test]
    fn mono_has_no_colour_and_commander_only_sixteen() {
        let colours = |name: &str| {
            let (_, text) = THEMES.iter().find(|(known, _)| *known == name).unwrap();
            let looks: std::collections::HashMap<String, Look> = toml::from_str(text).unwrap();
            looks.into_values().flat_map(|look| [look.0.fg, look.0.bg]).flatten().collect::<Vec<_>>()
        };
        assert_eq!(colours("mono"), []);
        assert!(colours("commander").iter().all(|colour| !matches!(colour, Color::Rgb(..) | Color::Indexed(_))));
    }

    #[test]
    fn looks() {
        let look = |text: &str| text.parse::<Look>().map(|look| look.0);
        assert_eq!(look("white on #102030 bold"), Ok(Style::new().fg(Color::White).bg(Color::Rgb(16, 32, 48)).bold()));
        assert_eq!(look(""), Ok(Style::new()));
        for bad in ["wihte", "white on", "on on", "white on blue shiny"] {
            assert!(look(bad).is_err(), "{bad}");
        }
    }
}
