//! Marks on many rows: at once where the list is short, beside the screen where it is long.

use super::reads::AT_ONCE;
use super::{Effect, Tone};
use crate::app::marks::Marks;
use crate::app::pane::marking::{Differing, Marking, Pending, Turn, Which};
use crate::app::pane::{Pane, Row};
use crate::app::place::Place;
use crate::app::rows::{Listing, Rows};
use crate::app::text::count;
use crate::app::{App, Side};
use crate::entries::Picked;
use crate::sync::plan::Plan;
use wire::message::Kind;

/// Marks or unmarks in the active pane.
pub(super) fn mark(app: &mut App, which: Which, turn: Turn, out: &mut Vec<Effect>) {
    take_up(app, Marking::Like(which, turn), out);
}

/// Marks or unmarks everything from the cursor to the first row or to the last, and goes there.
pub(super) fn mark_to_end(app: &mut App, last: bool, out: &mut Vec<Effect>) {
    let stretch = app.here_mut().stretch_to_end(last);
    take_up(app, Marking::Stretch(stretch), out);
}

/// Marks in both panes what a comparison found to differ, and nothing else.
pub(super) fn mark_differing(app: &mut App, plan: &Plan, unread: u64, out: &mut Vec<Effect>) {
    let markings = SIDES.map(|side| (side, Marking::Differing(Differing { plan: plan.clone(), side, unread })));
    let is_long = markings.iter().any(|(side, marking)| marking.reach(&app.pane(*side).rows) > AT_ONCE);
    for (side, marking) in markings {
        let pane = app.pane_mut(side);
        // It takes the place of what is being marked.
        pane.marking = None;
        if is_long {
            begin(app, side, vec![marking], out);
        } else {
            pane.marks = marking.apply(&pane.rows, &pane.marks);
        }
    }
    if is_long { app.tell(Tone::Plain, MARKING) } else { tell_differing(app, unread) }
}

/// Takes the marks off what was done of a directory.
pub(super) fn done(app: &mut App, place: &Place, done: Picked, out: &mut Vec<Effect>) {
    let is_marked = |side: &Side| app.pane(*side).place == *place && !app.pane(*side).marks.is_empty();
    for side in SIDES.into_iter().filter(is_marked).collect::<Vec<_>>() {
        take_up_in(app, side, Marking::Done(done.clone()), out);
    }
}

fn take_up(app: &mut App, marking: Marking, out: &mut Vec<Effect>) {
    if take_up_in(app, app.active, marking, out) {
        app.tell(Tone::Plain, MARKING);
    }
}

/// Tells whether it is done beside the screen.
fn take_up_in(app: &mut App, side: Side, marking: Marking, out: &mut Vec<Effect>) -> bool {
    let pane = app.pane_mut(side);
    if pane.marking.is_none() && marking.reach(&pane.rows) <= AT_ONCE {
        let marks = marking.apply(&pane.rows, &pane.marks);
        let before = std::mem::replace(&mut pane.marks, marks);
        tell(app, side, &marking, &before);
        return false;
    }
    let mut markings = pane.marking.take().map(|pending| pending.markings).unwrap_or_default();
    markings.push(marking);
    begin(app, side, markings, out);
    true
}

/// Takes very many marks off a list that another one of the same directory takes the place of now.
pub(super) fn bequeath(pane: &mut Pane, listing: &Listing) -> Option<Marking> {
    let is_reread = pane.loading.as_ref().is_some_and(|loading| !loading.shown && loading.place == pane.place);
    let heirs = listing.heirs.clone().filter(|_| is_reread && pane.marks.len() > AT_ONCE)?;
    Some(Marking::Inherited(heirs, std::mem::take(&mut pane.marks)))
}

/// Has them set on the new list beside the screen; what was being marked is marked after that.
pub(super) fn inherit(app: &mut App, side: Side, inherited: Marking, out: &mut Vec<Effect>) {
    let others = app.pane_mut(side).marking.take().map(|pending| pending.markings).unwrap_or_default();
    begin(app, side, [inherited].into_iter().chain(others).collect(), out);
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
    let Some(side) = SIDES.into_iter().find(|side| is_it(app.pane(*side))) else { return };
    let pane = app.pane_mut(side);
    let Some(pending) = pane.marking.take() else { return };
    if !pane.rows.are(rows) || pane.marks != *before {
        return begin(app, side, pending.markings, out);
    }
    pane.marks = marks;
    if let Some(last) = pending.markings.last() {
        tell(app, side, last, before);
    }
}

/// Forgets what is under way in both panes; tells whether there was something.
pub(super) fn leave(app: &mut App) -> bool {
    let was = SIDES.map(|side| app.pane_mut(side).marking.take().is_some()).contains(&true);
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

fn tell(app: &mut App, side: Side, marking: &Marking, before: &Marks) {
    let pane = app.pane(side);
    let (was, is) = (before.len(), pane.marks.len());
    let of_these = if pane.partial { " of those read so far" } else { "" };
    let text = match (marking, is.checked_sub(was)) {
        (Marking::Differing(differing), _) => return tell_differing(app, differing.unread),
        (Marking::Inherited(..) | Marking::Done(_), _) => return,
        (_, Some(0)) => format!("{} marked{of_these}", count(is as u64, "name")),
        (_, Some(more)) => format!("Marked {}{of_these}", count(more as u64, "name")),
        (_, None) => format!("Unmarked {}{of_these}", count((was - is) as u64, "name")),
    };
    app.tell(Tone::Plain, text);
}

/// Once both panes have their marks.
fn tell_differing(app: &mut App, unread: u64) {
    if SIDES.iter().any(|side| app.pane(*side).marking.is_some()) {
        return;
    }
    let unread = match unread {
        0 => String::new(),
        number => format!("; {} could not be read", count(number, "directory")),
    };
    match app.left.marks.len() + app.right.marks.len() {
        0 => app.tell(Tone::Good, format!("No differences{unread}")),
        number => app.tell(Tone::Plain, format!("Marked {} that differ{unread}", count(number as u64, "name"))),
    }
}

const SIDES: [Side; 2] = [Side::Left, Side::Right];
const MARKING: &str = "Marking…, Esc leaves the marks as they were";
