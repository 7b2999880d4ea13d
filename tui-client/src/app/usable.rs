//! Whether an action can be used in this place, and if not, why: for menus and palette.

use super::pane::Row;
use super::{App, Session};
use crate::action::{Action, Spec};

/// What stands in the way, in a few words; `None` when nothing does.
pub fn obstacle(app: &App, spec: &Spec) -> Option<&'static str> {
    if !spec.scopes.contains(&app.focus) {
        return spec.scopes.first().map(|scope| scope.word());
    }
    let offline = !matches!(app.session, Session::Online(_));
    let remote = [app.here(), app.there()].iter().any(|pane| !pane.place.is_local());
    let nothing = app.here().marks.is_empty() && !matches!(app.here().current(), Row::Entry(_));
    match spec.action {
        Action::Copy | Action::Move | Action::Delete if nothing => Some("nothing marked"),
        Action::Copy if offline && remote => Some("not connected"),
        Action::Leave if app.here().place.parent().is_none() => Some("at the top"),
        Action::FocusQueue if app.status.items.is_empty() => Some("empty"),
        Action::SearchAgain if app.chrome.sought.is_empty() => Some("nothing sought"),
        _ => None,
    }
}
