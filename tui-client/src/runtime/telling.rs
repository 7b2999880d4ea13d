//! What the message line told, in the log file.

use crate::app::{App, Tone};

/// Hands on what was told after the line of this number; the number of the last line. The file is written beside
/// the screen.
pub(super) fn write_down(app: &App, written: u64) -> u64 {
    for line in app.log.since(written) {
        match line.note.tone {
            Tone::Bad => tracing::warn!(target: SCREEN, "{}", line.note.text),
            Tone::Plain | Tone::Good => tracing::info!(target: SCREEN, "{}", line.note.text),
        }
    }
    app.log.told()
}

/// Where these lines come from, as the file says it.
pub(crate) const SCREEN: &str = "screen";
