//! The front dialog: its keys, its controls, and what leaving it means.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    Edit, Effect, decisions, details, editing, help, jumps, menu, prompts, queue, server, transfers, undo, work,
};
use crate::action::{Action, Scope};
use crate::app::dialog::{Dialog, Kind};
use crate::app::face::{Face, Press};
use crate::app::field::Field;
use crate::app::palette::Palette;
use crate::app::{App, Tone};

pub(super) fn press(app: &mut App, key: KeyEvent, out: &mut Vec<Effect>) {
    if help::press(app, key) {
        return;
    }
    let Some(dialog) = app.dialogs.last_mut() else { return };
    if dialog.field_mut().is_some_and(|field| field.press(key)) {
        return typed(app);
    }
    press_plain(app, as_arrow(app, key), out);
    settle(app);
}

/// Text came into the field of the front dialog.
pub(super) fn typed(app: &mut App) {
    match app.dialogs.last_mut() {
        Some(Dialog { kind: Kind::Palette(_), focus, scroll }) => (*focus, *scroll) = (1, 0),
        Some(Dialog { kind: Kind::Help(_), .. }) => help::typed(app),
        _ => {}
    }
}

/// A letter that moves the cursor in the panes does so in a dialog.
fn as_arrow(app: &App, key: KeyEvent) -> KeyEvent {
    match (key.code, app.keymap.action(Scope::Panes, key.into())) {
        (KeyCode::Char(' '), _) => key,
        (KeyCode::Char(_), Some(Action::Up)) => KeyCode::Up.into(),
        (KeyCode::Char(_), Some(Action::Down)) => KeyCode::Down.into(),
        (KeyCode::Char(_), Some(Action::PageUp)) => KeyCode::PageUp.into(),
        (KeyCode::Char(_), Some(Action::PageDown)) => KeyCode::PageDown.into(),
        (KeyCode::Char(_), Some(Action::Last)) => KeyCode::End.into(),
        _ => key,
    }
}

/// After a key or a click: the palette's keys stay on what was found, and the theme that is pointed at is shown.
pub(super) fn settle(app: &mut App) {
    let Some(dialog) = app.dialogs.last() else { return };
    match dialog.kind {
        Kind::Palette(_) => {
            let last = Face::of(app, dialog).controls.len().saturating_sub(1);
            let focus = dialog.focus.clamp(1.min(last), last);
            app.dialogs.last_mut().into_iter().for_each(|dialog| dialog.focus = focus);
        }
        Kind::Themes { .. } => {
            let name = app.chrome.gallery.names().nth(dialog.focus).map(str::to_owned);
            if let Some(name) = name {
                app.chrome.gallery.choose(&name);
            }
        }
        _ => {}
    }
}

/// The palette, with nothing typed.
pub(super) fn palette() -> Dialog {
    Dialog { focus: 1, ..Dialog::new(Kind::Palette(Palette::default())) }
}

/// The choice of themes, with the keys on the one that is shown.
pub(super) fn choose_theme(app: &mut App) {
    let gallery = &app.chrome.gallery;
    let focus = gallery.names().position(|name| name == gallery.name()).unwrap_or_default();
    let before = gallery.name().to_owned();
    app.dialogs.push(Dialog { focus, ..Dialog::new(Kind::Themes { before }) });
}

/// What is shown stays.
fn keep_theme(app: &mut App, out: &mut Vec<Effect>) {
    app.dialogs.pop();
    let name = app.chrome.gallery.name().to_owned();
    let told = match &app.chrome.before_choice {
        Some(first) => format!("Theme {name}, for now: at the next start {first} goes first"),
        None => format!("Theme {name}, from now on"),
    };
    app.tell(Tone::Plain, told);
    out.push(Effect::KeepTheme(name));
}

fn press_plain(app: &mut App, key: KeyEvent, out: &mut Vec<Effect>) {
    if jumps::press(app, key, out) {
        return;
    }
    let Some(face) = app.dialogs.last().map(|dialog| Face::of(app, dialog)) else { return };
    let focus = app.dialogs.last().map_or(0, |dialog| dialog.focus);
    let page = face.window.1.saturating_sub(1).max(1);
    if decisions::press(app, key, &face, out) {
        return;
    }
    match key.code {
        KeyCode::Esc => close(app, out),
        KeyCode::Enter => press_control(app, &face, focus, out),
        KeyCode::Char(' ') => press_control(app, &face, focus, out),
        KeyCode::Tab if !key.modifiers.contains(KeyModifiers::SHIFT) => step(app, &face, 1),
        KeyCode::Tab | KeyCode::BackTab => step(app, &face, face.controls.len().saturating_sub(1)),
        KeyCode::Right => step_button(app, &face, 1),
        KeyCode::Left => step_button(app, &face, -1),
        KeyCode::Down => step_line(app, &face, 1),
        KeyCode::Up => step_line(app, &face, -1),
        KeyCode::PageDown => scroll(app, &face, isize::try_from(page).unwrap_or(1)),
        KeyCode::PageUp => scroll(app, &face, -isize::try_from(page).unwrap_or(1)),
        KeyCode::Home => scroll(app, &face, isize::MIN),
        KeyCode::End => scroll(app, &face, isize::MAX),
        _ => {}
    }
}

/// Presses a control of the front dialog.
pub(super) fn press_control(app: &mut App, face: &Face, index: usize, out: &mut Vec<Effect>) {
    let Some(control) = face.controls.get(index) else { return };
    let Some(dialog) = app.dialogs.last_mut() else { return };
    match control.press {
        Press::Close => close(app, out),
        Press::Accept => accept(app, out),
        Press::AddToHotlist => jumps::add(app, out),
        Press::SkipOne => skip_one(app, out),
        Press::Decision(id) => decisions::open_one(app, id),
        Press::Deed(deed) => decisions::act(app, deed, out),
        Press::ToggleForAll => {
            if let Kind::Decide { for_all, .. } = &mut dialog.kind {
                *for_all = !*for_all;
            }
        }
        Press::Transfers(choice) => transfers::choose(app, choice, out),
        Press::Pick(pick) => {
            if let Kind::Pairing(pairing) = &mut dialog.kind {
                pairing.pick(pick);
            }
        }
        Press::Run(action) => {
            app.dialogs.pop();
            menu::run(app, action, out);
        }
        Press::Saved(index) => {
            if let (Kind::Connect { address, .. }, Some(saved)) = (&mut dialog.kind, app.saved.get(index)) {
                *address = Field::new(saved.as_str());
                dialog.focus = 1;
            }
        }
    }
}

/// Leaves the front dialog without doing what it is for.
pub(super) fn close(app: &mut App, out: &mut Vec<Effect>) {
    let Some(mut dialog) = app.dialogs.pop() else { return };
    prompts::stop_count(&mut dialog.kind, out);
    match dialog.kind {
        Kind::Delete(deletion) if deletion.tally.is_some() => out.push(Effect::StopCount(deletion.serial)),
        Kind::Details(details) => details::leave(&details, out),
        Kind::Comparing { serial, .. } => out.push(Effect::StopRead(serial)),
        Kind::Themes { before } => {
            app.chrome.gallery.choose(&before);
        }
        Kind::Fetching { serial, .. } => out.push(Effect::Edit(Edit::Stop(serial))),
        Kind::Connecting(_) => {
            app.session = crate::app::Session::Offline;
            out.push(Effect::StopConnect);
        }
        _ => {}
    }
}

/// Does what the front dialog is for. A prompt stays open while its text makes no sense.
fn accept(app: &mut App, out: &mut Vec<Effect>) {
    let Some(dialog) = app.dialogs.last() else { return };
    match dialog.kind.clone() {
        Kind::Prompt(prompt, field) => prompts::accept(app, prompt, field.text(), out),
        Kind::Delete(deletion) => {
            close(app, out);
            prompts::delete_now(app, deletion, out);
        }
        Kind::EmptyTrash => {
            close(app, out);
            undo::empty(app, out);
        }
        Kind::Exists { work, .. } => {
            close(app, out);
            work::begin(app, work.replacing(), "", out);
        }
        Kind::Limits { item, own, all } => queue::set_limits(app, item, &own, &all, out),
        Kind::Connect { address, password, .. } => prompts::connect(app, &address, &password, out),
        Kind::Unknown { login, fingerprint } => {
            close(app, out);
            server::connect(app, crate::app::dialog::Login { trust: Some(fingerprint), ..login }, out);
        }
        Kind::Comparing { .. } => {}
        Kind::Pairing(pairing) => super::sync::begin(app, pairing, out),
        Kind::Carry(_, removal) => super::sync::carry(app, removal, out),
        Kind::EditLarge { place, .. } => {
            close(app, out);
            editing::open(app, place, out);
        }
        Kind::Kept { copy, .. } => {
            close(app, out);
            editing::send_again(app, copy, out);
        }
        Kind::Quit => out.push(Effect::Quit),
        Kind::Restored(_) | Kind::Stop(_) | Kind::Drop { .. } => {}
        Kind::Details(_) => details::compute(app, out),
        Kind::Themes { .. } => keep_theme(app, out),
        Kind::Palette(_)
        | Kind::Complaints(_)
        | Kind::Help(_)
        | Kind::Decisions
        | Kind::Decide { .. }
        | Kind::Connecting(_)
        | Kind::Fetching { .. }
        | Kind::Changed { .. }
        | Kind::Past(_)
        | Kind::Item(_) => {}
        Kind::Jump(_) => jumps::accept(app, out),
    }
}

fn skip_one(app: &mut App, out: &mut Vec<Effect>) {
    if let Some(Dialog { kind: Kind::Exists { work, .. }, .. }) = app.dialogs.pop() {
        work::begin(app, work.rest(1), "", out);
    }
}

/// To the next control, round and round.
fn step(app: &mut App, face: &Face, by: usize) {
    if let Some(dialog) = app.dialogs.last_mut() {
        dialog.focus = (dialog.focus + by).checked_rem(face.controls.len()).unwrap_or_default();
    }
}

/// To the next button, when a button has the keys.
fn step_button(app: &mut App, face: &Face, by: isize) {
    let Some(dialog) = app.dialogs.last_mut() else { return };
    let next = dialog.focus.saturating_add_signed(by);
    let is_button = |index: usize| face.controls.get(index).is_some_and(|control| control.line.is_none());
    if is_button(dialog.focus) && is_button(next) {
        dialog.focus = next;
    }
}

/// To the control on another line; the buttons count as one. Without any the text scrolls.
fn step_line(app: &mut App, face: &Face, by: isize) {
    let first_button = face.controls.iter().position(|control| control.line.is_none()).unwrap_or(face.controls.len());
    if first_button == 0 {
        return scroll(app, face, by);
    }
    if let Some(dialog) = app.dialogs.last_mut() {
        dialog.focus = dialog.focus.min(first_button).saturating_add_signed(by).min(first_button);
    }
}

fn scroll(app: &mut App, face: &Face, by: isize) {
    if let Some(dialog) = app.dialogs.last_mut() {
        let last = face.lines.len().saturating_sub(face.window.1);
        dialog.scroll = face.window.0.saturating_add_signed(by).min(last);
    }
}

/// The wheel over the front dialog: its text where that has more lines than are seen, else its choices.
pub(super) fn scroll_front(app: &mut App, rows: isize, out: &mut Vec<Effect>) {
    let Some(face) = app.dialogs.last().map(|dialog| Face::of(app, dialog)) else { return };
    if face.controls.first().is_none_or(|control| control.line.is_none()) {
        return scroll(app, &face, rows);
    }
    press_plain(app, if rows > 0 { KeyCode::Down } else { KeyCode::Up }.into(), out);
    settle(app);
}
