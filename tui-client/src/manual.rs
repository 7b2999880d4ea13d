//! The manual: prose with the real keys in it, and the action table by its menus. The help dialog, `--manual`
//! and `assets/manual.md` are made from it.

use crate::action::{Menu, Spec, specs};
use crate::app::Tone;
use crate::app::text::{columns, fit, wrap};
use crate::keymap::{Keymap, Keys};

/// A piece of the manual.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Heading(String),
    Prose(String),
    Keys(Menu),
}

/// As Markdown.
pub fn markdown(keymap: &Keymap) -> String {
    let mut out = String::new();
    for line in PROSE.lines() {
        if line == TABLES {
            Menu::ALL.iter().for_each(|menu| out += &markdown_table(keymap, *menu));
        } else {
            out += &with_keys(line, |spec| format!("`{}`", shown(keymap, spec)));
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    out + "\n"
}

/// In lines of a width, for the screen.
pub fn lines(keymap: &Keymap, width: usize) -> Vec<(String, Tone)> {
    let mut out = Vec::new();
    for part in parts(keymap) {
        match part {
            Part::Heading(title) => out.push((title, Tone::Good)),
            Part::Prose(words) => out.extend(wrap(&words, width).into_iter().map(|line| (line, Tone::Plain))),
            Part::Keys(menu) => {
                out.push((menu.title().to_owned(), Tone::Good));
                let rows = menu.specs().iter().flat_map(|spec| row(keymap, spec, width));
                out.extend(rows.map(|line| (line, Tone::Plain)));
            }
        }
        if !matches!(out.last(), Some((_, Tone::Good))) {
            out.push((String::new(), Tone::Plain));
        }
    }
    out
}

/// Keys and what they do, beside each other where there is room.
fn row(keymap: &Keymap, spec: &Spec, width: usize) -> Vec<String> {
    let keys = all_keys(keymap, spec, " or ");
    if width < NARROW || columns(&keys) > KEYS {
        return wrap(&format!("{keys}  {}", spec.about), width);
    }
    let about = wrap(spec.about, width.saturating_sub(KEYS + 2));
    let left = std::iter::once(keys.as_str()).chain(std::iter::repeat(""));
    left.zip(about).map(|(keys, about)| format!("{}  {about}", fit(keys, KEYS))).collect()
}

fn parts(keymap: &Keymap) -> Vec<Part> {
    let mut parts = Vec::new();
    for block in PROSE.split("\n\n").map(str::trim) {
        if block == TABLES {
            parts.extend(Menu::ALL.map(Part::Keys));
            continue;
        }
        let words = with_keys(&block.replace('\n', " "), |spec| shown(keymap, spec));
        match words.trim_start_matches('#').trim() {
            title if block.starts_with('#') => parts.push(Part::Heading(title.to_owned())),
            words => parts.push(Part::Prose(words.replace(['`', '*'], ""))),
        }
    }
    parts
}

/// `{name}` of an action becomes its key.
fn with_keys(text: &str, key: impl Fn(&Spec) -> String) -> String {
    specs().fold(text.to_owned(), |text, spec| text.replace(&format!("{{{}}}", spec.name), &key(spec)))
}

/// The usual key, or the name where it has none.
fn shown(keymap: &Keymap, spec: &Spec) -> String {
    Some(keymap.key(spec.action)).filter(|key| !key.is_empty()).unwrap_or_else(|| spec.title())
}

fn all_keys(keymap: &Keymap, spec: &Spec, between: &str) -> String {
    let keys: Vec<String> = keymap.keys(spec.action).iter().map(Keys::to_string).collect();
    if keys.is_empty() { format!("({})", spec.name) } else { keys.join(between) }
}

fn markdown_table(keymap: &Keymap, menu: Menu) -> String {
    let mut out = format!("### {}\n\n| key | action | what it does |\n|---|---|---|\n", menu.title());
    for spec in menu.specs() {
        let keys: Vec<String> = keymap.keys(spec.action).iter().map(|keys| format!("`{keys}`")).collect();
        out += &format!("| {} | {} | {} |\n", keys.join(" "), spec.name, spec.about).replace("`|`", "`\\|`");
    }
    out + "\n"
}

const PROSE: &str = include_str!("manual/prose.md");
/// Stands where the tables go.
const TABLES: &str = "{{tables}}";
/// Columns for keys.
const KEYS: usize = 24;
/// Below this, what a key does stands behind it.
const NARROW: usize = 56;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keymap::Preset;

    #[test]
    fn the_manual_is_up_to_date_and_names_only_what_there_is() {
        let made = markdown(&Keymap::default());
        crate::assets::check("manual.md", &made);
        assert!(!made.contains('{'), "the prose names an action that there is not");
        let length = made.lines().count();
        assert!((120..=250).contains(&length), "{length} lines");
    }

    #[test]
    fn it_fits_any_width_and_tells_the_keys_in_force() {
        let (vi, _) = Keymap::new(Preset::Vi, "", "copy = []");
        for width in [30, 34, 70] {
            let lines = lines(&vi, width);
            assert!(lines.iter().all(|(line, _)| columns(line) <= width), "{width}");
            let whole: Vec<&str> = lines.iter().map(|(line, _)| line.as_str()).collect();
            let whole = whole.join("\n");
            assert!(whole.contains("g g or Home") && whole.contains("(copy)") && !whole.contains("F5 go"), "{whole}");
        }
    }
}
