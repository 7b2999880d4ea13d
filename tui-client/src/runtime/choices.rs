//! What was chosen on the screen and counts at the next start as well, in a small file of the state directory:
//! `client.toml` is the person's own, is never written, and goes before it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::saved::write_whole;

/// The file.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    file: PathBuf,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Chosen {
    theme: Option<String>,
}

impl Choices {
    pub(super) fn at(state: &Path) -> Self {
        Self { file: state.join("choices.toml") }
    }

    /// The theme that was chosen last; in a file that is missing or not understood there is none.
    pub(super) fn theme(&self) -> Option<String> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        toml::from_str::<Chosen>(&text).unwrap_or_default().theme
    }

    /// Keeps a theme by its name.
    pub(super) fn keep_theme(&self, name: &str) -> io::Result<()> {
        let text = toml::to_string(&Chosen { theme: Some(name.to_owned()) }).map_err(io::Error::other)?;
        write_whole(&self.file, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let choices = Choices::at(&directory.path().join("state"));
        assert_eq!(choices.theme(), None);
        choices.keep_theme("light").unwrap();
        choices.keep_theme("my \"own\"").unwrap();
        assert_eq!(choices.theme().as_deref(), Some("my \"own\""));
        fs::write(&choices.file, "theme = 7").unwrap();
        assert_eq!(choices.theme(), None);
    }
}
