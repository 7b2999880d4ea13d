//! The rows of the viewer: a table of its own, for there keys mean what they mean in pagers.

use super::{Action, Look, Scope, Spec};

const fn row(
    look: Look,
    name: &'static str,
    keys: &'static [&'static str],
    label: Option<&'static str>,
    about: &'static str,
) -> Spec {
    Spec { action: Action::Look(look), name, scopes: &[Scope::Viewer], keys, label, about }
}

pub(super) const VIEWER: &[Spec] = &[
    row(Look::Wrap, "view_wrap", &["F2", "w"], Some("Wrap"), "break long lines, or scroll them"),
    row(Look::Hex, "view_hex", &["F4", "h"], Some("Hex"), "figures, or text again"),
    row(Look::GoTo, "view_go_to", &["F5", ":"], Some("GoTo"), "to a line (120), a share (50%), a byte (@4096, 0x1000)"),
    row(Look::Find, "view_search", &["F7", "/"], Some("Search"), "search; small letters find large ones, too"),
    row(Look::FindBack, "view_search_back", &["?"], None, "search backwards"),
    row(Look::Next, "view_next", &["n", "Shift-F7", "F17"], None, "search on the same way"),
    row(Look::Previous, "view_previous", &["N"], None, "search the other way"),
    row(Look::Up, "view_up", &["Up", "k"], None, "one row up"),
    row(Look::Down, "view_down", &["Down", "j", "Enter"], None, "one row down"),
    row(Look::PageUp, "view_page_up", &["PageUp", "b"], None, "one screen up"),
    row(Look::PageDown, "view_page_down", &["PageDown", "Space"], None, "one screen down"),
    row(Look::HalfUp, "view_half_up", &["u"], None, "half a screen up"),
    row(Look::HalfDown, "view_half_down", &["d"], None, "half a screen down"),
    row(Look::First, "view_first", &["Home", "g"], None, "to the beginning"),
    row(Look::Last, "view_last", &["End", "G"], None, "to the end, at once"),
    row(Look::Left, "view_left", &["Left"], None, "to the left, where lines do not wrap"),
    row(Look::Right, "view_right", &["Right"], None, "to the right"),
    row(Look::Reread, "view_reread", &["r", "Ctrl-R"], None, "read the file again"),
    row(Look::Leave, "view_leave", &["F3", "F10", "q"], Some("Leave"), "back to the panes"),
    row(Look::Quit, "view_quit", &["Ctrl-C"], None, "quit the program"),
];
