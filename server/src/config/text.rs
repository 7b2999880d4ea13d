//! A configuration as text: which settings there are, on which lines a file has them, and all that are in force as a file
//! to begin from.

use std::collections::HashMap;

use toml::de::{DeTable, DeValue};

use super::DEFAULTS;

/// The settings of a file by their full names, as `limits.guests`, with their lines from 1 on.
#[derive(Debug)]
pub(super) struct Lines(HashMap<String, usize>);

impl Lines {
    /// Of a text that is TOML.
    pub(super) fn of(text: &str) -> Result<Self, toml::de::Error> {
        let mut lines = HashMap::new();
        walk(DeTable::parse(text)?.get_ref(), "", text, &mut lines);
        Ok(Self(lines))
    }

    /// Where a setting stands.
    pub(super) fn line(&self, key: &str) -> Option<usize> {
        self.0.get(key).copied()
    }

    /// The first setting that nobody knows, with its line.
    pub(super) fn unknown(&self) -> Option<(&str, usize)> {
        let known = known();
        let unknown = self.0.iter().filter(|(key, _)| !known.contains(key));
        unknown.map(|(key, line)| (key.as_str(), *line)).min_by_key(|(_, line)| *line)
    }
}

fn walk(table: &DeTable<'_>, above: &str, text: &str, lines: &mut HashMap<String, usize>) {
    for (key, value) in table {
        let name = format!("{above}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(table) => walk(table, &format!("{name}."), text, lines),
            _ => drop(lines.insert(name, line_at(text, key.span().start))),
        }
    }
}

/// The line that holds a byte.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The setting that is likeliest meant. It may be in the wrong section, or in none.
pub(super) fn nearest(key: &str) -> Option<String> {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let far = |name: &String| (distance(&last(key), &last(name)), distance(key, name));
    let nearest = known().into_iter().min_by_key(far)?;
    Some(nearest).filter(|near| far(near).0 <= 1 + last(key).len() / 4)
}

/// How many letters must be typed, deleted or replaced to make one of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (above, letter) in one.chars().enumerate() {
        let (mut left, mut diagonal) = (above + 1, above);
        for (cell, wanted) in row.iter_mut().skip(1).zip(other.chars()) {
            let here = (diagonal + usize::from(letter != wanted)).min(left + 1).min(*cell + 1);
            (diagonal, *cell, left) = (*cell, here, here);
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Every setting, as the commented defaults have them.
fn known() -> Vec<String> {
    let mut section = "";
    let mut known = Vec::new();
    for line in DEFAULTS.lines() {
        if let Some(name) = header(line) {
            section = name;
        } else if let Some(key) = setting(line) {
            known.push(full(section, key));
        }
    }
    known
}

/// The commented defaults with other values in their place.
pub(super) fn filled(values: &toml::Table) -> String {
    let mut section = "";
    let mut out = String::with_capacity(DEFAULTS.len());
    for line in DEFAULTS.lines() {
        section = header(line).unwrap_or(section);
        let here = if section.is_empty() { Some(values) } else { values.get(section).and_then(toml::Value::as_table) };
        let value = setting(line).and_then(|key| Some((key, here?.get(key)?)));
        match value {
            Some((key, value)) => out.push_str(&format!("{key} = {value}\n")),
            None => out.extend([line, "\n"]),
        }
    }
    out
}

fn full(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

fn header(line: &str) -> Option<&str> {
    line.strip_prefix('[')?.strip_suffix(']')
}

/// The key of a line that sets something, or would if it were no comment.
fn setting(line: &str) -> Option<&str> {
    let (key, _) = line.strip_prefix("# ").unwrap_or(line).split_once(" = ")?;
    key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_').then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_letters() {
        let table = [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("listn", "listen", 1), ("ä", "a", 1)];
        for (one, other, expected) in table {
            assert_eq!((distance(one, other), distance(other, one)), (expected, expected), "{one} {other}");
        }
    }

    #[test]
    fn the_list_of_settings_is_whole() {
        let config = toml::Table::try_from(super::super::Config::default()).expect("TOML");
        let mut lines = HashMap::new();
        let text = config.to_string();
        walk(DeTable::parse(&text).expect("TOML").get_ref(), "", &text, &mut lines);
        let known = known();
        assert!(lines.keys().all(|key| known.contains(key)), "{lines:?}");
        // Those without a default are comments.
        assert_eq!(known.len() - lines.len(), 4, "{known:?}");
    }
}
