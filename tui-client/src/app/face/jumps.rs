//! What a list of places says.

use super::{Draft, Press};
use crate::app::atlas::{Jump, List};
use crate::app::{App, Side};

pub(super) fn draft(app: &App, jump: &Jump) -> Draft {
    let pane = if jump.side == Side::Left { "left" } else { "right" };
    let title = match jump.list {
        List::Places => format!("Show in the {pane} pane"),
        List::Hotlist => "Hotlist".to_owned(),
        List::Trail => "Where this pane has been".to_owned(),
    };
    let mut draft = Draft::new(app, title);
    for row in &jump.rows {
        draft = match jump.list {
            List::Hotlist => draft.choice(row.text.clone(), Press::Accept),
            List::Places | List::Trail => draft.choice(format!("{:<7}{}", row.word, row.text), Press::Accept),
        };
    }
    match jump.list {
        List::Places if app.atlas.starts.is_empty() => draft.text("looking for disks…").button("Close", Press::Close),
        List::Places | List::Trail => draft.button("Close", Press::Close),
        List::Hotlist => {
            let draft = if jump.rows.is_empty() { draft.text("Nothing is on it yet.") } else { draft };
            let draft = draft.text("").text("Ins: add this directory, Del: take off, F6: name it");
            draft.button("Add this directory", Press::AddToHotlist).button("Close", Press::Close)
        }
    }
}
