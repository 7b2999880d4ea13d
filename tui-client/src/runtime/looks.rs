//! Keys, themes and lines as the screen is opened with them: from `client.toml`, `keys.toml`, `themes/` and what
//! the terminal is. Whatever is wrong there is told on the screen and keeps nobody from it.

use std::fs;
use std::io::{self, stdout};
use std::path::{Path, PathBuf};

use termprofile::{DetectorSettings, TermProfile, TermVars};

use super::choices::Choices;
use crate::app::chrome::{Chrome, Lines};
use crate::config::{Borders, Config};
use crate::keymap::{Keymap, Preset};
use crate::theme::Gallery;

/// How the screen looks and what keys it takes, before anything was read.
#[derive(Clone, Debug)]
pub struct Looks {
    /// Where `keys.toml` and `themes/` are.
    pub config: PathBuf,
    /// Where it is kept which theme was chosen last.
    pub state: PathBuf,
    /// The name of a theme; `None`: the one chosen last or the usual one, or none at all under `NO_COLOR`.
    pub theme: Option<String>,
    /// The keys before a person's own.
    pub keys: Preset,
    /// Whether the mouse counts.
    pub mouse: bool,
    /// What borders are drawn with.
    pub borders: Borders,
}

/// What came of it.
pub(super) struct Opened {
    pub(super) chrome: Chrome,
    pub(super) keymap: Keymap,
    /// What is wrong, a sentence each.
    pub(super) complaints: Vec<String>,
}

impl Looks {
    /// As a configuration says; `directory` is where that lies, `state` where choices are kept.
    pub fn of(config: &Config, directory: PathBuf, state: PathBuf) -> Self {
        let Config { theme, keys, mouse, borders, .. } = config.clone();
        Self { config: directory, state, theme, keys, mouse, borders }
    }

    pub(super) fn open(&self) -> Opened {
        let colourless = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let mut vars = TermVars::from_env(&stdout(), DetectorSettings::new().enable_tmux_info(false));
        // What a person configured for this program goes before it; see no-color.org.
        vars.overrides.no_color = String::new().into();
        self.open_on(TermProfile::detect_with_vars(vars), colourless)
    }

    /// On a terminal with these colours, whose person wants none of them in any program or not.
    fn open_on(&self, profile: TermProfile, colourless: bool) -> Opened {
        let mut complaints = Vec::new();
        let keys = self.config.join("keys.toml");
        let text = read(&keys).unwrap_or_else(|error| {
            complaints.push(format!("{}: {error}", keys.display()));
            String::new()
        });
        let (keymap, wrong) = Keymap::new(self.keys, "keys.toml", &text);
        complaints.extend(wrong.iter().map(ToString::to_string));
        let (mut gallery, wrong) = Gallery::new(&own_themes(&self.config.join("themes")), profile);
        complaints.extend(wrong.iter().map(|wrong| format!("themes/{wrong}")));
        gallery.choose(if colourless { "mono" } else { "commander" });
        if let Some(chosen) = Choices::at(&self.state).theme().filter(|_| !colourless) {
            // One of `themes/` may be gone since: then the usual one stays.
            gallery.choose(&chosen);
        }
        let asked = self.theme.as_deref();
        if let Some(wanted) = asked.filter(|name| !gallery.choose(name)) {
            let known: Vec<&str> = gallery.names().collect();
            complaints.push(format!("client.toml: no theme is called `{wanted}`; there are {}", known.join(", ")));
        }
        let mut before = asked.map(|name| format!("theme = {name:?} in client.toml"));
        before = before.or_else(|| colourless.then(|| "NO_COLOR".to_owned()));
        // Without colours only this one still tells the cursor from the rest.
        if profile < TermProfile::Ansi16 {
            gallery.choose("mono");
            before = Some("that the terminal has no colours".to_owned());
        }
        let chrome =
            Chrome { gallery, before_choice: before, lines: self.lines(), mouse: self.mouse, ..Chrome::default() };
        Opened { chrome, keymap, complaints }
    }

    fn lines(&self) -> Lines {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
        lines(self.borders, &locale)
    }
}

/// An empty locale tells nothing; one that names an encoding other than UTF-8 does.
fn lines(borders: Borders, locale: &str) -> Lines {
    let locale = locale.to_ascii_lowercase();
    let is_utf8 = locale.is_empty() || locale.contains("utf-8") || locale.contains("utf8");
    match borders {
        Borders::Lines => Lines::Drawn,
        Borders::Auto if is_utf8 => Lines::Drawn,
        Borders::Ascii if is_utf8 => Lines::Ascii,
        Borders::Auto | Borders::Ascii => Lines::OnlyAscii,
    }
}

/// The text of a file; of one that is missing, nothing.
fn read(file: &Path) -> io::Result<String> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read,
    }
}

/// Name, file and text of every theme in a directory, by name.
fn own_themes(directory: &Path) -> Vec<(String, String, String)> {
    let files = fs::read_dir(directory).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut themes: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|end| end == "toml"))
        .filter_map(|file| {
            let name = file.file_stem()?.to_str()?.to_owned();
            Some((name.clone(), format!("{name}.toml"), fs::read_to_string(&file).ok()?))
        })
        .collect();
    themes.sort();
    themes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_told_and_the_rest_counts() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("themes")).unwrap();
        fs::write(dir.path().join("keys.toml"), "copy = \"c\"\ncpy = \"x\"").unwrap();
        fs::write(dir.path().join("themes/sea.toml"), "pane = \"white on\"").unwrap();
        let config = Config { theme: Some("see".into()), ..Config::default() };
        let looks = Looks::of(&config, dir.path().to_owned(), dir.path().join("state"));
        let opened = looks.open_on(TermProfile::Ansi16, true);
        let starts = ["keys.toml:2: no action", "themes/sea.toml:1: `on`", "client.toml: no theme is called `see`"];
        assert_eq!(opened.complaints.len(), 3, "{:?}", opened.complaints);
        for (told, start) in opened.complaints.iter().zip(starts) {
            assert!(told.starts_with(start), "{told}");
        }
        assert_eq!(opened.chrome.gallery.name(), "mono");
        assert_eq!(opened.keymap.key(crate::action::Action::Copy), "c");
        assert!(opened.chrome.gallery.names().any(|name| name == "sea"));
    }

    #[test]
    fn what_goes_before_what() {
        let dir = tempfile::tempdir().unwrap();
        let shown = |theme: Option<&str>, colourless, profile| {
            let config = Config { theme: theme.map(str::to_owned), ..Config::default() };
            let opened = Looks::of(&config, dir.path().to_owned(), dir.path().to_owned()).open_on(profile, colourless);
            assert!(opened.complaints.is_empty(), "{:?}", opened.complaints);
            let Chrome { gallery, before_choice, .. } = opened.chrome;
            (gallery.name().to_owned(), before_choice.unwrap_or_default())
        };
        let colours = TermProfile::TrueColor;
        let is = |name: &str, before: &str| (name.to_owned(), before.to_owned());
        assert_eq!(shown(None, false, colours), is("commander", ""));
        Choices::at(dir.path()).keep_theme("light").unwrap();
        assert_eq!(shown(None, false, colours), is("light", ""));
        assert_eq!(shown(None, true, colours), is("mono", "NO_COLOR"));
        assert_eq!(shown(Some("dark"), true, colours), is("dark", "theme = \"dark\" in client.toml"));
        assert_eq!(shown(None, false, TermProfile::NoColor), is("mono", "that the terminal has no colours"));
        Choices::at(dir.path()).keep_theme("gone").unwrap();
        assert_eq!(shown(None, false, colours), is("commander", ""));
    }

    #[test]
    fn lines_follow_the_locale() {
        let table = [
            (Borders::Auto, "", Lines::Drawn),
            (Borders::Auto, "de_DE.UTF-8", Lines::Drawn),
            (Borders::Auto, "C", Lines::OnlyAscii),
            (Borders::Auto, "de_DE.ISO-8859-1", Lines::OnlyAscii),
            (Borders::Ascii, "C.utf8", Lines::Ascii),
            (Borders::Lines, "C", Lines::Drawn),
        ];
        for (borders, locale, expected) in table {
            assert_eq!(lines(borders, locale), expected, "{borders:?} {locale}");
        }
    }
}
