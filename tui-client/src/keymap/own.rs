//! `keys.toml`: a person's own keys, and everything that can be wrong in it, by file and line.

use std::collections::HashMap;
use std::fmt;

use frizbee::{Config, Matcher};
use toml::de::{DeTable, DeValue};

use super::Keys;
use crate::action::{Action, Menu, specs};

/// Something in a file that cannot be taken as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The file.
    pub file: String,
    /// Its line, from 1 on.
    pub line: usize,
    /// What is wrong.
    pub text: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.text)
    }
}

impl Complaint {
    /// About the line that holds byte `at` of the text.
    pub fn at(file: &str, whole: &str, at: usize, text: impl Into<String>) -> Self {
        let line = whole.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        Self { file: file.to_owned(), line, text: text.into() }
    }
}

/// What a file sets: the line of each action, and its keys.
#[derive(Debug, Default)]
pub(super) struct Own {
    set: HashMap<Action, (usize, Vec<Keys>)>,
}

impl Own {
    /// Reads a file; what is wrong is left out and told.
    pub(super) fn read(file: &str, text: &str) -> (Self, Vec<Complaint>) {
        let mut own = Self::default();
        let mut wrong = Vec::new();
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                return (own, vec![Complaint::at(file, text, at, error.message().trim_end())]);
            }
        };
        for (name, value) in table.get_ref() {
            let mut complain = |at: usize, what: String| wrong.push(Complaint::at(file, text, at, what));
            let at = name.span().start;
            let Some(spec) = specs().find(|spec| spec.name == name.get_ref().as_ref()) else {
                let name = name.get_ref();
                let names: Vec<&str> = specs().map(|spec| spec.name).collect();
                let near = nearest(name, &names).map(|near| format!("; {near}?")).unwrap_or_default();
                complain(at, format!("no action is called `{name}`{near}"));
                continue;
            };
            let mut keys = Vec::new();
            for (at, word) in words(value.span().start, value.get_ref()) {
                match word.map(str::parse::<Keys>) {
                    Some(Ok(key)) => keys.push(key),
                    Some(Err(error)) => complain(at, error.to_string()),
                    None => complain(at, format!("{} takes a key in quotes, or several in brackets", spec.name)),
                }
            }
            let line = Complaint::at(file, text, at, "").line;
            own.set.insert(spec.action, (line, keys));
        }
        wrong.sort_by_key(|complaint| complaint.line);
        (own, wrong)
    }

    /// What it sets for an action.
    pub(super) fn of(&self, action: Action) -> Option<(usize, &[Keys])> {
        self.set.get(&action).map(|(line, keys)| (*line, keys.as_slice()))
    }
}

/// The one of some names that comes nearest to a mistyped one.
pub fn nearest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let typos = u16::try_from(name.len() / 3).unwrap_or(0);
    let found = Matcher::new(name, &Config::default().max_typos(Some(typos))).match_list(names);
    let found = found.iter().filter_map(|hit| names.get(usize::try_from(hit.index).ok()?).copied());
    // The best comes first; of several the one of the same length is likelier meant.
    found.min_by_key(|near| near.len().abs_diff(name.len()))
}

/// The strings of a value, with their places; `None` for anything else.
fn words<'a>(at: usize, value: &'a DeValue<'_>) -> Vec<(usize, Option<&'a str>)> {
    match value {
        DeValue::Array(values) => values.iter().map(|value| (value.span().start, value.get_ref().as_str())).collect(),
        value => vec![(at, value.as_str())],
    }
}

/// A `keys.toml` that changes nothing: every action with its keys, as comments.
pub fn keys_file() -> String {
    let mut out = String::from(HEAD);
    for menu in Menu::ALL {
        out += &format!("\n# {}\n", menu.title());
        for spec in menu.specs() {
            let keys: Vec<String> = spec.keys.iter().map(|key| format!("{key:?}")).collect();
            out += &format!("# {} = [{}]    # {}\n", spec.name, keys.join(", "), spec.about);
        }
    }
    out
}

const HEAD: &str = "\
# Own keys, as keys.toml in the configuration directory (~/.config/catamaran). Take a line's first `#` away and change it.
# A line replaces all keys of its action; what is not named keeps those of the preset (`keys` in client.toml).
# A key: F1 to F24, Up, PageDown, Enter, Tab, Backspace, Insert, Delete, Esc, Space, or one character; Ctrl-, Alt-
# and Shift- in front; two after each other with a blank between, as in \"g g\".
";
