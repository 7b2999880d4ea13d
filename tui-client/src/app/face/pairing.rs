//! What the dialogs say before, while and after two panes are compared.

use wire::size;

use super::{Draft, Press};
use crate::app::pairing::{Pairing, Purpose};
use crate::app::place::Place;
use crate::app::text::{self, grouped};
use crate::app::{App, Tone};
use crate::sync::ground::Removal;
use crate::sync::orders::{Sum, Totals};
use crate::sync::scan::Progress;

pub(super) fn pairing(app: &App, pairing: &Pairing) -> Draft {
    let (title, word) = match pairing.purpose {
        Purpose::Compare => ("Compare the panes", "Compare"),
        Purpose::Synchronise => ("Synchronise", "Show plan"),
    };
    let mut draft = Draft::new(app, title);
    if pairing.purpose == Purpose::Compare {
        draft = draft.text("Marks in both panes what differs or is missing, by");
    }
    for pick in pairing.picks() {
        draft = draft.choice(pairing.line(app, pick), Press::Pick(pick));
    }
    if pairing.purpose == Purpose::Synchronise {
        draft = draft.text("Nothing is changed before you saw the plan and said yes.");
    }
    draft.close_with(word)
}

pub(super) fn comparing(app: &App, progress: &Progress) -> Draft {
    let draft = Draft::new(app, "Comparing").text(&format!("{} looked at", text::count(progress.found, "entry")));
    let draft = match progress.to_compare {
        0 => draft,
        all => {
            let contents = text::count(all, "content");
            draft.text(&format!("{} of {contents} compared", grouped(progress.compared)))
        }
    };
    draft.button("Cancel", Press::Close)
}

/// The last question before anything is done. What cannot be taken back stands out, and then the keys are on `Back`.
pub(super) fn carry(app: &App, totals: &Totals, removal: Removal) -> Draft {
    let mut draft = Draft::new(app, "Synchronise now?");
    let ways = [("→ to the right", totals.right), ("← to the left", totals.left)];
    for (way, Sum { files, directories, bytes }) in ways.into_iter().filter(|(_, sum)| *sum != Sum::default()) {
        let made = match directories {
            0 => String::new(),
            number => format!(", {} made", text::count(number, "directory")),
        };
        draft = draft.text(&format!("{way}: {}, {}{made}", text::count(files, "file"), size::show(bytes)));
    }
    let (left, right) = app.lists.checklist.as_ref().map_or((false, false), |list| {
        let trashes = |place: &Place| removal == Removal::ToTrash && !place.is_local();
        (trashes(&list.left), trashes(&list.right))
    });
    let mut is_dangerous = totals.newer_replaced > 0;
    for (side, number, trashes) in [("left", totals.deleted_left, left), ("right", totals.deleted_right, right)] {
        let things = text::count(number, "thing");
        match (number, trashes) {
            (0, _) => {}
            (_, true) => draft = draft.text(&format!("to the trash on the {side}: {things}")),
            (_, false) => {
                is_dangerous = true;
                draft = draft.toned(&format!("DELETED on the {side}: {things}"), Tone::Bad);
            }
        }
    }
    if totals.newer_replaced > 0 {
        let newer = text::count(totals.newer_replaced, "newer file");
        draft = draft.toned(&format!("REPLACED by older ones: {newer}"), Tone::Bad);
    }
    if totals.undecided > 0 {
        draft = draft.text(&format!("left as it is: {}", text::count(totals.undecided, "conflict")));
    }
    let draft = draft.text("").text("Deleted is only what is still as it was seen; what changed meanwhile stays.");
    if is_dangerous {
        draft.dangerous().button("Back", Press::Close).button("Synchronise", Press::Accept)
    } else {
        draft.button("Synchronise", Press::Accept).button("Back", Press::Close)
    }
}
