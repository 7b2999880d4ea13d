//! Marks on many rows: at once where the list is short, beside the screen where it is long.

use super::reads::AT_ONCE;
use super::{Effect, Tone};
use crate::app::marks::Marks;
use crate::app::pane::marking::{Marking, Pending, Turn, Which};
use crate::app::pane::{Pane, Row};
use crate::app::rows::Rows;
use crate::app::text::count;
use crate::app::{App, Side};
use wire::message::Kind;

/// Marks or unmarks in the active pane.
pub(super) fn mark(app: &mut App, which: Which, turn: Turn, out: &mut Vec<Effect>) {
    let marking = Marking { which, turn };
    let pane = app.here_mut();
    if pane.marking.is_none() && pane.rows.len() <= AT_ONCE {
        let marks = marking.apply(&pane.rows, &pane.marks);
        let before = std::mem::replace(&mut pane.marks, marks);
        return tell(app, app.active, &before);
    }
    let mut markings = pane.marking.take().map(|pending| pending.markings).unwrap_or_default();
    markings.push(marking);
    begin(app, app.active, markings, out);
    app.tell(Tone::Plain, "Marking…");
}

/// As the file under the cursor: the same extension; on a directory, all directories.
pub(super) fn mark_like(app: &mut App, turn: Turn, out: &mut Vec<Effect>) {
    let which = match app.here().current() {
        Row::Entry(entry) if entry.kind == Kind::Directory => Which::Directories,
        Row::Entry(entry) => Which::Extension(crate::app::order::extension(entry.name).to_vec()),
        Row::Up | Row::Nothing => return app.tell(Tone::Plain, "Put the cursor on a name first"),
    };
    mark(app, which, turn, out);
}

/// Marks that were set beside. Where rows or marks changed meanwhile, all is done again on what there is now.
pub(super) fn ended(app: &mut App, generation: u64, rows: &Rows, before: &Marks, marks: Marks, out: &mut Vec<Effect>) {
    let is_it = |pane: &Pane| pane.marking.as_ref().is_some_and(|pending| pending.generation == generation);
    let Some(side) = [Side::Left, Side::Right].into_iter().find(|side| is_it(app.pane(*side))) else { return };
    let pane = app.pane_mut(side);
    let Some(pending) = pane.marking.take() else { return };
    if !pane.rows.are(rows) || pane.marks != *before {
        return begin(app, side, pending.markings, out);
    }
    pane.marks = marks;
    tell(app, side, before);
}

/// Forgets what is under way; tells whether there was something.
pub(super) fn leave(app: &mut App) -> bool {
    let was = app.here_mut().marking.take().is_some();
    if was {
        app.tell(Tone::Plain, "Not marked");
    }
    was
}

fn begin(app: &mut App, side: Side, markings: Vec<Marking>, out: &mut Vec<Effect>) {
    let generation = app.next_serial();
    let pane = app.pane_mut(side);
    pane.marking = Some(Pending { generation, markings: markings.clone() });
    out.push(Effect::Mark { generation, rows: pane.rows.clone(), marks: pane.marks.clone(), markings });
}

fn tell(app: &mut App, side: Side, before: &Marks) {
    let pane = app.pane(side);
    let (was, is) = (before.len(), pane.marks.len());
    let of_these = if pane.partial { " of those read so far" } else { "" };
    let text = match is.checked_sub(was) {
        Some(0) => format!("{} marked{of_these}", count(is as u64, "name")),
        Some(more) => format!("Marked {}{of_these}", count(more as u64, "name")),
        None => format!("Unmarked {}{of_these}", count((was - is) as u64, "name")),
    };
    app.tell(Tone::Plain, text);
}
