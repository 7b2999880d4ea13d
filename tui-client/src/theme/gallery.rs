//! All themes there are, brought down to the colours that the terminal has, and the one that is shown.

use termprofile::TermProfile;

use super::own::Own;
use super::{Look, THEMES, Theme};
use crate::keymap::Complaint;

/// The themes and the choice among them.
#[derive(Clone, Debug, Default)]
pub struct Gallery {
    themes: Vec<(String, Theme)>,
    name: String,
    shown: Theme,
}

impl Gallery {
    /// The themes of the program and a person's own, as name, file and text; with what is wrong in them.
    pub fn new(own: &[(String, String, String)], profile: TermProfile) -> (Self, Vec<Complaint>) {
        let mut complaints = Vec::new();
        let mut themes: Vec<(String, Theme)> =
            THEMES.iter().filter_map(|(name, _)| Some(((*name).to_owned(), Theme::named(name).ok()?))).collect();
        for (name, file, text) in own {
            let (theme, wrong) = Own::read(file, text);
            complaints.extend(wrong);
            // One that is called like one of the program takes its place.
            themes.retain(|(known, _)| known != name);
            themes.push((name.clone(), theme));
        }
        for (_, theme) in &mut themes {
            *theme = theme.map(|look| Look(profile.adapt_style(look.0)));
        }
        (Self { themes, ..Self::default() }, complaints)
    }

    /// Shows a theme; one that there is not changes nothing. Tells whether there is.
    pub fn choose(&mut self, name: &str) -> bool {
        let found = self.themes.iter().find(|(known, _)| known == name);
        if let Some((name, theme)) = found {
            (self.name, self.shown) = (name.clone(), theme.clone());
        }
        found.is_some()
    }

    /// The name of the one that is shown.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The one that is shown.
    pub fn shown(&self) -> &Theme {
        &self.shown
    }

    /// All names, the program's first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.themes.iter().map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Color;

    use super::*;

    #[test]
    fn themes_come_down_to_what_the_terminal_has() {
        let own = [("mine".to_owned(), "mine.toml".to_owned(), "pane = \"#ff0000 on #000000\"".to_owned())];
        let shown = |profile, name| {
            let (mut gallery, complaints) = Gallery::new(&own, profile);
            assert!(complaints.is_empty() && gallery.choose(name), "{complaints:?}");
            let style = gallery.shown().pane.0;
            (style.fg, style.bg)
        };
        assert_eq!(shown(TermProfile::TrueColor, "mine"), (Some(Color::Rgb(255, 0, 0)), Some(Color::Rgb(0, 0, 0))));
        assert!(matches!(shown(TermProfile::Ansi256, "mine"), (Some(Color::Indexed(_)), Some(Color::Indexed(_)))));
        let named = |colour: Option<Color>| !matches!(colour, None | Some(Color::Rgb(..) | Color::Indexed(_)));
        for name in ["mine", "dark", "light"] {
            let (fg, bg) = shown(TermProfile::Ansi16, name);
            assert!(named(fg) && named(bg) && fg != bg, "{name}: {fg:?} on {bg:?}");
        }
        assert_eq!(shown(TermProfile::Ansi16, "commander"), (Some(Color::White), Some(Color::Blue)));
        assert_eq!(shown(TermProfile::NoColor, "mine"), (None, None));
    }

    /// Red, green and blue, as xterm shows it.
    fn rgb(colour: Color) -> [u32; 3] {
        const ANSI: [[u32; 3]; 16] = [
            [0, 0, 0],
            [205, 0, 0],
            [0, 205, 0],
            [205, 205, 0],
            [0, 0, 238],
            [205, 0, 205],
            [0, 205, 205],
            [229, 229, 229],
            [127, 127, 127],
            [255, 0, 0],
            [0, 255, 0],
            [255, 255, 0],
            [92, 92, 255],
            [255, 0, 255],
            [0, 255, 255],
            [255, 255, 255],
        ];
        let ansi = |index: usize| ANSI[index];
        match colour {
            Color::Black => ansi(0),
            Color::Red => ansi(1),
            Color::Green => ansi(2),
            Color::Yellow => ansi(3),
            Color::Blue => ansi(4),
            Color::Magenta => ansi(5),
            Color::Cyan => ansi(6),
            Color::Gray => ansi(7),
            Color::DarkGray => ansi(8),
            Color::LightRed => ansi(9),
            Color::LightGreen => ansi(10),
            Color::LightYellow => ansi(11),
            Color::LightBlue => ansi(12),
            Color::LightMagenta => ansi(13),
            Color::LightCyan => ansi(14),
            Color::White => ansi(15),
            Color::Indexed(index @ 0..16) => ansi(index.into()),
            Color::Indexed(index @ 16..232) => {
                let index = u32::from(index) - 16;
                [index / 36, index / 6 % 6, index % 6].map(|step| if step == 0 { 0 } else { 55 + 40 * step })
            }
            Color::Indexed(index) => [8 + 10 * (u32::from(index) - 232); 3],
            Color::Rgb(red, green, blue) => [red, green, blue].map(u32::from),
            Color::Reset => panic!("a colour of the terminal's own says nothing of the other"),
        }
    }

    /// As WCAG 2 defines it, from 1 to 21.
    fn contrast(one: Color, other: Color) -> f64 {
        let light = |colour| {
            let channel = |value: u32| match f64::from(value) / 255.0 {
                value if value <= 0.04045 => value / 12.92,
                value => ((value + 0.055) / 1.055).powf(2.4),
            };
            let [red, green, blue] = rgb(colour).map(channel);
            0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
        };
        let (one, other) = (light(one), light(other));
        f64::max(one / other, other / one)
    }

    #[test]
    fn every_word_of_every_theme_can_be_read() {
        for (profile, least) in [(TermProfile::Ansi256, 4.5), (TermProfile::Ansi16, 3.9)] {
            let (mut gallery, _) = Gallery::new(&[], profile);
            let names: Vec<String> = gallery.names().map(str::to_owned).collect();
            for name in names {
                gallery.choose(&name);
                // Nothing is written there: it falls on what a dialog is in front of.
                let theme = Theme { shadow: Look::default(), ..gallery.shown().clone() };
                theme.map(|look| {
                    if let (Some(fg), Some(bg)) = (look.0.fg, look.0.bg) {
                        let contrast = contrast(fg, bg);
                        assert!(contrast >= least, "{name}: {fg:?} on {bg:?} is {contrast:.1}, {profile:?}");
                    }
                    look
                });
            }
        }
    }

    #[test]
    fn own_themes_take_the_place_of_those_they_are_called_after() {
        let own = [("dark".to_owned(), "dark.toml".to_owned(), "base = \"light\"".to_owned())];
        let (mut gallery, _) = Gallery::new(&own, TermProfile::TrueColor);
        let names: Vec<String> = gallery.names().map(str::to_owned).collect();
        assert_eq!(names, ["commander", "light", "contrast", "mono", "dark"]);
        assert!(gallery.choose("dark") && !gallery.choose("pink"));
        assert_eq!((gallery.name(), gallery.shown()), ("dark", &Theme::named("light").unwrap()));
    }
}
