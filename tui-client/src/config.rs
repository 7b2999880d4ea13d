//! `client.toml`: what a person may set once instead of saying it each time. Flags win over it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::engine::Options;
use crate::engine::status::IfExists;
use crate::keymap::{Preset, nearest};

/// The commented defaults, as a file to begin from.
pub const DEFAULTS: &str = include_str!("../../assets/client.toml");

/// The configuration; every key may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Lanes for transfers.
    pub lanes: u16,
    /// Bytes a second, as `"2MiB"`, or `"none"`.
    #[serde(deserialize_with = "limit")]
    pub limit: Option<u64>,
    /// What to do with targets that exist: `ask`, `overwrite`, `newer`, `skip`, `rename` or `update`.
    #[serde(deserialize_with = "if_exists")]
    pub if_exists: IfExists,
    /// Where the local pane opens.
    pub local_dir: Option<PathBuf>,
    /// Whether the panes show names that begin with a dot; Alt-. turns it round.
    pub show_hidden: bool,
    /// The private key to log in with, where no other is named; `~/` is one's home.
    pub identity: Option<PathBuf>,
    /// Seconds between signs of life on an idle connection.
    pub keepalive: u64,
    /// The theme of the full-screen client: `commander`, `dark`, `light`, `contrast`, `mono`, or one of `themes/`.
    pub theme: Option<String>,
    /// Its keys: `commander`, or `vi`.
    pub keys: Preset,
    /// Whether the mouse counts.
    pub mouse: bool,
    /// What borders are drawn with.
    pub borders: Borders,
    /// The queue of the full-screen client.
    pub queue: QueueConfig,
}

/// `[queue]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueConfig {
    /// What happens when it ends.
    #[serde(deserialize_with = "on_end")]
    pub on_end: OnEnd,
}

/// What happens when the queue ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OnEnd {
    /// It is only shown.
    #[default]
    Nothing,
    /// The terminal's bell.
    Bell,
    /// A notification of the desktop, by the terminal.
    Notify,
    /// A program with its arguments, by no shell.
    Command(Vec<String>),
}

impl Default for Config {
    fn default() -> Self {
        let options = Options::default();
        Self {
            lanes: options.lanes,
            limit: options.limit,
            if_exists: IfExists::Ask,
            local_dir: None,
            show_hidden: true,
            identity: None,
            keepalive: options.keepalive.as_secs(),
            theme: None,
            keys: Preset::default(),
            mouse: true,
            borders: Borders::default(),
            queue: QueueConfig::default(),
        }
    }
}

/// What borders and gauges are drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Borders {
    /// Lines where the locale is UTF-8, else ASCII.
    #[default]
    Auto,
    /// Lines.
    Lines,
    /// ASCII.
    Ascii,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be understood.
    #[error("{}: {source}{}", file.display(), meant(source))]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Key, line and why.
        source: toml::de::Error,
    },
}

impl Config {
    /// Reads `file`; a missing one is the defaults.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(file) {
            Ok(text) => toml::from_str(&text).map_err(|source| ConfigError::Syntax { file: file.to_owned(), source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ConfigError::Io { file: file.to_owned(), source }),
        }
    }

    /// For the engine.
    pub fn options(&self) -> Options {
        Options {
            lanes: self.lanes,
            limit: self.limit,
            keepalive: Duration::from_secs(self.keepalive),
            ..Options::default()
        }
    }
}

/// The known name that comes nearest to one that is not.
fn meant(error: &toml::de::Error) -> String {
    let mut quoted = error.message().split('`').skip(1).step_by(2);
    let unknown = quoted.next().filter(|_| error.message().starts_with("unknown "));
    let known: Vec<&str> = quoted.collect();
    let near = unknown.and_then(|unknown| nearest(unknown, &known));
    near.map(|near| format!("Is `{near}` meant?\n")).unwrap_or_default()
}

/// The policy of a word.
pub fn parse_if_exists(word: &str) -> Result<IfExists, String> {
    Ok(match word {
        "ask" => IfExists::Ask,
        "overwrite" => IfExists::Overwrite,
        "newer" => IfExists::Newer,
        "skip" => IfExists::Skip,
        "rename" => IfExists::Rename,
        "update" => IfExists::Update,
        _ => return Err("one of ask, overwrite, newer, skip, rename, update".to_owned()),
    })
}

/// A bandwidth limit in bytes a second, or none.
pub fn parse_rate(text: &str) -> Result<Option<u64>, String> {
    match wire::size::parse_limit(text).map_err(|error| error.to_string())? {
        Some(rate) if rate < LOWEST_RATE => {
            Err("a limit below 8K a second would look like a broken connection; write none for no limit".to_owned())
        }
        rate => Ok(rate),
    }
}

fn limit<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    parse_rate(&String::deserialize(from)?).map_err(serde::de::Error::custom)
}

fn if_exists<'de, D: Deserializer<'de>>(from: D) -> Result<IfExists, D::Error> {
    parse_if_exists(&String::deserialize(from)?).map_err(serde::de::Error::custom)
}

fn on_end<'de, D: Deserializer<'de>>(from: D) -> Result<OnEnd, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "`none`, `bell`, `notify`, or a program with its arguments in brackets")]
    enum Written {
        Word(String),
        Command(Vec<String>),
    }
    match Written::deserialize(from)? {
        Written::Word(word) => match word.as_str() {
            "none" => Ok(OnEnd::Nothing),
            "bell" => Ok(OnEnd::Bell),
            "notify" => Ok(OnEnd::Notify),
            _ => Err(serde::de::Error::custom("none, bell, notify, or [\"program\", \"argument\"]")),
        },
        Written::Command(words) if !words.is_empty() => Ok(OnEnd::Command(words)),
        Written::Command(_) => Err(serde::de::Error::custom("a program is missing")),
    }
}

/// The variable of the environment that may hold the password: for this program, and for none that it starts.
pub const PASSWORD: &str = "CATAMARAN_PASSWORD";
/// The same with the passphrase of a key.
pub const PASSPHRASE: &str = "CATAMARAN_PASSPHRASE";
/// Bytes a second. TCP opens its window again in steps of up to 256 KiB, and a server drops a lane on which nothing
/// moves for a minute.
const LOWEST_RATE: u64 = 8 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("client.toml");
        std::fs::write(&file, text).expect("written");
        Config::read(&file).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_set_counts_and_the_rest_is_default() {
        assert_eq!(Config::read(Path::new("/nowhere/client.toml")).ok(), Some(Config::default()));
        let config =
            read("show_hidden = false\nlanes = 4\nlimit = \"2MiB\"\nif_exists = \"update\"\nlocal_dir = \"/srv\"")
                .expect("read");
        assert_eq!((config.lanes, config.limit, config.if_exists), (4, Some(2 << 20), IfExists::Update));
        assert_eq!((config.local_dir.as_deref(), config.keepalive), (Some(Path::new("/srv")), 15));
        assert!(!config.show_hidden && Config::default().show_hidden);
    }

    #[test]
    fn the_printed_file_holds_the_defaults_and_every_setting() {
        assert_eq!(read(DEFAULTS), Ok(Config::default()));
        let set = DEFAULTS
            .replace("\n# local_dir", "\nlocal_dir")
            .replace("\n# theme", "\ntheme")
            .replace("\n# identity", "\nidentity");
        let all: toml::Table = toml::from_str(&set).expect("TOML");
        let unknown = read("x = 1").expect_err("none such");
        for name in unknown.split('`').skip(3).step_by(2) {
            assert!(all.contains_key(name), "{name} is not in assets/client.toml");
        }
        assert!(read(&set).is_ok_and(|config| config.local_dir.is_some() && config.theme.is_some()));
    }

    #[test]
    fn what_happens_when_the_queue_ends() {
        let table = [
            ("\"bell\"", OnEnd::Bell),
            ("\"notify\"", OnEnd::Notify),
            ("\"none\"", OnEnd::Nothing),
            ("[\"notify-send\", \"done\"]", OnEnd::Command(vec!["notify-send".into(), "done".into()])),
        ];
        for (text, expected) in table {
            assert_eq!(read(&format!("[queue]\non_end = {text}")).map(|config| config.queue.on_end), Ok(expected));
        }
        for bad in ["\"rm -rf x\"", "[]", "5"] {
            assert!(read(&format!("[queue]\non_end = {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn mistakes_are_named_with_file_and_key() {
        for (text, word) in [
            ("lane = 4", "Is `lanes` meant?"),
            ("[que]\non_end = \"bell\"", "Is `queue` meant?"),
            ("[queue]\non_ends = \"bell\"", "on_end"),
            ("keys = \"vii\"", "Is `vi` meant?"),
            ("limit = \"x\"", "limit"),
            ("limit = \"5\"", "8K"),
            ("if_exists = \"no\"", "overwrite"),
            ("keys = \"emacs\"", "commander"),
            ("borders = \"none\"", "ascii"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains("client.toml") && error.contains(word), "{error}");
        }
    }
}
