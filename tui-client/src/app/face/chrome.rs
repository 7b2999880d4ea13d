//! What the manual, the palette, the choice of themes and complaints about configuration say.

use super::{Draft, Line, Press};
use crate::app::dialog::Help;
use crate::app::palette::{Hit, Palette};
use crate::app::text::{columns, fit};
use crate::app::{App, Tone};
use crate::manual;

pub(super) fn help(app: &App, help: &Help) -> Draft {
    let mut draft = Draft::new(app, "Manual: / looks for a word");
    if let Some(find) = &help.find {
        let (text, column) = find.visible(draft.width);
        draft.lines.push(Line::Field(text, column, find.is_fresh()));
        draft.pinned = 1;
        draft.title = if help.typing {
            "Look for; Enter, then n: the next".to_owned()
        } else {
            "Manual: n the next, N the one before".to_owned()
        };
    }
    for (index, (line, tone)) in manual::lines(&app.keymap, draft.width).into_iter().enumerate() {
        let tone = if help.hit == Some(index) { Tone::Bad } else { tone };
        draft.lines.push(Line::Text(line, tone));
    }
    draft.button("Close", Press::Close)
}

pub(super) fn palette(app: &App, palette: &Palette) -> Draft {
    let mut draft = Draft::new(app, "Run").field(&palette.field);
    draft.pinned = 1;
    let hits = palette.hits(app);
    for hit in &hits {
        let line = hit_line(app, hit, draft.width);
        draft = draft.choice(line, Press::Run(hit.spec.action));
    }
    if hits.is_empty() {
        draft = draft.text("nothing is called so");
    }
    // The frame keeps its place while one types.
    draft.lines.resize(draft.lines.len().max(LINES), Line::Text(String::new(), Tone::Plain));
    draft
}

/// Title, keys, and what it does as far as there is room.
fn hit_line(app: &App, hit: &Hit, width: usize) -> String {
    let keys = app.keymap.key(hit.spec.action);
    let right = hit.obstacle.map_or(keys, |reason| format!("({reason})"));
    let title = hit.spec.title();
    if width < NARROW {
        return fit(&title, width.saturating_sub(columns(&right))) + &right;
    }
    format!("{} {} {}", fit(&title, 20), fit(&right, 16), hit.spec.about)
}

pub(super) fn themes(app: &App) -> Draft {
    let mut draft = Draft::new(app, "Theme");
    draft.width = draft.width.min(34);
    for name in app.chrome.gallery.names() {
        let shown = if name == app.chrome.gallery.name() { '√' } else { ' ' };
        draft = draft.choice(format!("{shown} {name}"), Press::Accept);
    }
    if let Some(first) = &app.chrome.before_choice {
        draft = draft.text("").text(&format!("At the next start {first} goes first"));
    }
    draft.button("Keep", Press::Accept).button("Back", Press::Close)
}

pub(super) fn complaints(app: &App, complaints: &[String]) -> Draft {
    let draft = Draft::new(app, "In the configuration");
    let draft = complaints.iter().fold(draft, |draft, complaint| draft.toned(complaint, Tone::Bad));
    draft.text("").text("The rest of it counts.").button("Close", Press::Close)
}

/// Lines of the palette, where there is room for them.
const LINES: usize = 14;
/// Columns below which only title and key are shown.
const NARROW: usize = 56;
