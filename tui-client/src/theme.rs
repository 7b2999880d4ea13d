//! Colours, read from TOML. A theme only adds to what words and shapes say already.

mod gallery;
mod own;

use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Deserializer};

/// Makes the struct, and what goes over all its parts.
macro_rules! theme {
    ($($(#[$doc:meta])* $part:ident,)*) => {
        /// A style for every part of the screen.
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Theme {
            $($(#[$doc])* pub $part: Look,)*
        }

        impl Theme {
            /// The names of its parts, as files write them.
            pub const PARTS: &[&str] = &[$(stringify!($part),)*];

            /// The same with every style changed.
            pub fn map(&self, change: impl Fn(Look) -> Look) -> Self {
                Self { $($part: change(self.$part),)* }
            }

            fn part_mut(&mut self, name: &str) -> Option<&mut Look> {
                match name {
                    $(stringify!($part) => Some(&mut self.$part),)*
                    _ => None,
                }
            }
        }
    };
}

theme! {
    /// Rows of a pane.
    pane,
    /// Its border.
    frame,
    /// The border and title of the active one.
    active_frame,
    /// The line of column names.
    heading,
    /// A directory.
    directory,
    /// A link, or something that is neither file nor directory.
    link,
    /// A marked row.
    marked,
    /// The row under the cursor.
    cursor,
    /// That row when it is marked.
    marked_cursor,
    /// Rows of a server that does not answer.
    stale,
    /// The foot line.
    foot,
    /// The quota gauge.
    gauge,
    /// Rows of the queue.
    queue,
    /// Its header.
    queue_heading,
    /// Its selected row.
    queue_cursor,
    /// Its gauges.
    queue_gauge,
    /// Good news.
    good,
    /// Bad news.
    bad,
    /// Other news.
    note,
    /// Numbers of the key bar.
    bar_number,
    /// Words of the key bar.
    bar_label,
    /// Dialogs.
    dialog,
    /// Dangerous dialogs.
    dialog_bad,
    /// What stands out in a dialog.
    dialog_strong,
    /// What stands out as bad, and in a dangerous dialog.
    dialog_alarm,
    /// What a dialog's shadow falls on.
    shadow,
    /// A text field.
    field,
    /// Its text while typing replaces it.
    field_fresh,
    /// A button.
    button,
    /// The control with the keys.
    button_focus,
}

pub use gallery::Gallery;

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
    #[error("no theme is called `{0}`; there are commander, dark, light, contrast and mono")]
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

/// The themes that come with the program.
const THEMES: [(&str, &str); 5] = [
    ("commander", include_str!("../../assets/themes/commander.toml")),
    ("dark", include_str!("../../assets/themes/dark.toml")),
    ("light", include_str!("../../assets/themes/light.toml")),
    ("contrast", include_str!("../../assets/themes/contrast.toml")),
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

    /// Every part of a theme with its name.
    fn parts(name: &str) -> Vec<(&'static str, Style)> {
        let mut theme = Theme::named(name).unwrap();
        Theme::PARTS.iter().map(|part| (*part, theme.part_mut(part).unwrap().0)).collect()
    }

    #[test]
    fn mono_has_no_colour_and_commander_and_contrast_only_sixteen() {
        let colours =
            |name| parts(name).into_iter().flat_map(|(_, style)| [style.fg, style.bg]).flatten().collect::<Vec<_>>();
        assert_eq!(colours("mono"), []);
        for name in ["commander", "contrast"] {
            assert!(colours(name).iter().all(|colour| !matches!(colour, Color::Rgb(..) | Color::Indexed(_))), "{name}");
        }
    }

    #[test]
    fn nothing_is_written_in_the_colour_of_its_ground_and_the_cursor_is_seen() {
        for (name, _) in THEMES {
            for (part, style) in parts(name) {
                assert!(style.fg != style.bg || style.fg.is_none(), "{name}: {part}");
            }
            let theme = Theme::named(name).unwrap();
            for (one, other) in [
                (theme.cursor, theme.pane),
                (theme.queue_cursor, theme.queue),
                (theme.button_focus, theme.button),
                (theme.marked_cursor, theme.cursor),
            ] {
                assert_ne!(one, other, "{name}");
            }
        }
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
