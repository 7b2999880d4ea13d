//! A person's own theme: what it changes of another one, and everything that can be wrong in it, by file and
//! line.

use toml::de::DeTable;

use super::Theme;
use crate::keymap::{Complaint, nearest};

/// Reads own themes.
pub(super) struct Own;

impl Own {
    /// The theme of a file: that of its `base` (else commander), with the parts that the file names.
    pub(super) fn read(file: &str, text: &str) -> (Theme, Vec<Complaint>) {
        let mut theme = Theme::named("commander").unwrap_or_default();
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                return (theme, vec![Complaint::at(file, text, at, error.message().trim_end())]);
            }
        };
        let mut wrong = Vec::new();
        let mut complain = |at: usize, what: String| wrong.push(Complaint::at(file, text, at, what));
        if let Some(base) = table.get_ref().get("base") {
            match Theme::named(base.get_ref().as_str().unwrap_or_default()) {
                Ok(base) => theme = base,
                Err(error) => complain(base.span().start, error.to_string()),
            }
        }
        for (name, value) in table.get_ref().iter().filter(|(name, _)| name.get_ref() != "base") {
            let Some(part) = theme.part_mut(name.get_ref()) else {
                let near = nearest(name.get_ref(), Theme::PARTS).map(|near| format!("; {near}?")).unwrap_or_default();
                complain(name.span().start, format!("no part of a theme is called `{}`{near}", name.get_ref()));
                continue;
            };
            match value.get_ref().as_str().map(str::parse) {
                Some(Ok(look)) => *part = look,
                Some(Err(error)) => complain(value.span().start, error.to_string()),
                None => complain(value.span().start, format!("{} takes a style in quotes", name.get_ref())),
            }
        }
        wrong.sort_by_key(|complaint| complaint.line);
        (theme, wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_that_of_the_base_and_mistakes_are_told_by_line() {
        let (theme, told) = Own::read("mine.toml", "base = \"mono\"\ncursor = \"bold\"");
        let mono = Theme::named("mono").unwrap();
        assert_eq!((theme.pane, theme.cursor, told), (mono.pane, "bold".parse().unwrap(), vec![]));
        let (theme, told) = Own::read("mine.toml", "pane = \"rde\"\ncurser = \"bold\"\n\nbad = 3\nbase = \"pink\"");
        let told: Vec<String> = told.iter().map(Complaint::to_string).collect();
        assert_eq!(told.len(), 4);
        for (told, start) in told.iter().zip([
            "mine.toml:1: `rde`",
            "mine.toml:2: no part of a theme is called `curser`; cursor?",
            "mine.toml:4: bad takes",
            "mine.toml:5: no theme",
        ]) {
            assert!(told.starts_with(start), "{told}");
        }
        assert_eq!(theme, Theme::named("commander").unwrap());
        assert!(Own::read("mine.toml", "pane = ").1[0].to_string().starts_with("mine.toml:1: "));
    }
}
