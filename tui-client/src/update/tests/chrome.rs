//! Menus, palette, manual, themes, presets: keys, and what came of them.

use crossterm::event::{KeyEvent, KeyEventKind, ModifierKeyCode};

use super::*;
use crate::action::{Action, Menu, Spec};
use crate::app::menu::{BAR, Pulled, Sheet};
use crate::keymap::{Keymap, Preset};

fn front(app: &App) -> Option<&Kind> {
    app.dialogs.last().map(|dialog| &dialog.kind)
}

fn after(script: &str) -> (App, Vec<Effect>) {
    let mut app = sample::app();
    let effects = run(&mut app, script);
    (app, effects)
}

fn pulled(script: &str) -> Option<(usize, usize)> {
    after(script).0.chrome.menu.map(|pulled| (pulled.menu, pulled.row))
}

#[test]
fn menus_are_walked_by_keys() {
    let last = Menu::File.specs().len() - 1;
    for (script, expected) in [
        ("<F9>", Some((0, 0))),
        ("<F9><F9>", None),
        ("<F9><Esc>", None),
        ("<F9><Right><Down>", Some((1, 1))),
        ("<F9><Down><Right>", Some((1, 0))),
        ("<F9><Left>", Some((BAR.len() - 1, 0))),
        ("<F9><Up>", Some((0, last))),
        ("<F9><End><Down>", Some((0, 0))),
        ("<F9><End>", Some((0, last))),
        ("<F9>~", Some((0, 0))),
        ("<Esc>9", Some((0, 0))),
    ] {
        assert_eq!(pulled(script), expected, "{script}");
    }
}

#[test]
fn a_line_of_a_menu_does_what_its_key_does() {
    let (app, effects) = after("<F9><End><Enter>");
    assert_eq!((effects, app.chrome.menu), (vec![Effect::Quit], None));
    let (app, _) = after("<F9><Right>i");
    assert_eq!((app.left.marks.len(), app.chrome.menu), (3, None), "the letter of `Invert marks`");
    // What cannot be used here says why and does nothing.
    let (app, effects) = after("<F9>c");
    assert_eq!((effects, app.dialogs.len(), app.note.text.as_str()), (vec![], 0, "Copy: nothing marked"));
    let (app, _) = after("<Down><F9>c");
    assert!(matches!(front(&app), Some(Kind::Prompt(..))));
    assert_eq!(update(&mut after("<F9>").0, Msg::Paste("q".into())), [], "pasted text runs nothing");
}

#[test]
fn every_menu_has_lines_with_letters_of_their_own() {
    let app = sample::app();
    for (menu, name) in BAR.iter().enumerate() {
        let sheet = Sheet::of(&app, Pulled { menu, row: 0 });
        let letters: Vec<char> = sheet.lines.iter().filter_map(|line| line.letter).collect();
        let distinct: std::collections::HashSet<&char> = letters.iter().collect();
        assert_eq!((letters.len(), distinct.len()), (sheet.lines.len(), letters.len()), "{name:?}");
    }
}

#[test]
fn menus_are_used_with_the_mouse() {
    const LEFT: MouseEventKind = MouseEventKind::Down(MouseButton::Left);
    let mut app = sample::app();
    let word = crate::app::layout::bar_slots(80)[8].0;
    mouse(&mut app, LEFT, word, 23, 0);
    assert_eq!(app.chrome.menu, Some(Pulled::default()), "F9 in the key bar");
    let sheet = Sheet::of(&app, Pulled::default());
    mouse(&mut app, LEFT, sheet.titles[1].0.x + 1, 0, 10);
    assert_eq!(app.chrome.menu, Some(Pulled { menu: 1, row: 0 }));
    mouse(&mut app, MouseEventKind::ScrollDown, 1, 1, 20);
    assert_eq!(app.chrome.menu, Some(Pulled { menu: 1, row: 1 }));
    let sheet = Sheet::of(&app, Pulled { menu: 1, row: 1 });
    let row = sheet.lines.iter().position(|line| line.spec.action == Action::InvertMarks).unwrap();
    mouse(&mut app, LEFT, sheet.frame.x + 2, sheet.frame.y + 1 + u16::try_from(row).unwrap(), 30);
    assert_eq!((app.left.marks.len(), app.chrome.menu), (3, None));
    run(&mut app, "<F9>");
    mouse(&mut app, LEFT, 70, 15, 40);
    assert_eq!((app.chrome.menu, app.active), (None, Side::Left), "a click beside it only closes it");
}

#[test]
fn the_palette_finds_by_letters_and_runs() {
    let (app, effects) = after("<Ctrl-P>quit<Enter>");
    assert_eq!((effects, app.dialogs.len()), (vec![Effect::Quit], 0));
    let (app, _) = after("<Ctrl-P>inv mk<Enter>");
    assert_eq!(app.left.marks.len(), 3);
    let (app, _) = after("<Ctrl-P>mkdir<Backspace><Backspace><Backspace><Backspace><Backspace>make dir<Enter>");
    assert!(matches!(front(&app), Some(Kind::Prompt(crate::app::dialog::Prompt::MakeDirectory(_), _))));
    let (app, effects) = after("<Ctrl-P>zzzz<Enter>");
    assert_eq!((effects, app.dialogs.len()), (vec![], 1), "nothing is called so");
    let (app, effects) = after("<Ctrl-P>pause<Enter>");
    assert_eq!((effects, app.note.text.as_str()), (vec![], "Pause item: in the queue"));
    let (app, _) = after("<Ctrl-P><Up><Up>q<Esc>");
    assert!(app.dialogs.is_empty());
    // Down goes to the next that was found, typing back to the best.
    let first = |script: &str| after(script).0.dialogs.last().map(|dialog| dialog.focus);
    assert_eq!((first("<Ctrl-P>sort<Down><Down>"), first("<Ctrl-P>sor<Down><Down>t")), (Some(3), Some(1)));
}

#[test]
fn the_manual_is_searched() {
    let at = |script: &str| {
        let (app, _) = after(script);
        let Some(Kind::Help(help)) = front(&app) else { panic!("{script}") };
        let face = crate::app::face::Face::of(&app, app.dialogs.last().unwrap());
        help.hit.map(|hit| match &face.lines[hit + face.pinned] {
            crate::app::face::Line::Text(text, _) => text.clone(),
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(at("<F1>/"), None);
    assert_eq!(at("<F1>/the queue").as_deref(), Some("The queue"));
    let next = at("<F1>/QUEUE<Enter>n").unwrap();
    assert!(next.to_lowercase().contains("queue"));
    assert_eq!(at("<F1>/QUEUE<Enter>nN"), at("<F1>/queue"));
    assert_eq!(at("<F1>/zzzz<Enter>n"), None);
    assert_eq!(at("<F1>/queue<Esc>"), None);
    assert!(after("<F1>/queue<Enter><Esc>").0.dialogs.is_empty());
}

#[test]
fn a_theme_is_seen_while_it_is_chosen() {
    let name = |script: &str| after(script).0.chrome.gallery.name().to_owned();
    let open = "<Ctrl-P>theme<Enter>";
    assert_eq!(name(open), "commander");
    assert_eq!(name(&format!("{open}<Down>")), "dark");
    assert_eq!(name(&format!("{open}<Down><Down><Esc>")), "commander");
    assert_eq!(name(&format!("{open}<Down><Down><Enter>")), "light");
    let (app, effects) = after(&format!("{open}<Down><Enter>"));
    assert!(app.dialogs.is_empty());
    assert_eq!((effects, app.note.text.as_str()), (vec![Effect::KeepTheme("dark".into())], "Theme dark, from now on"));
    assert_eq!(after(&format!("{open}<Down><Esc>")).1, []);
    let mut app = sample::app();
    app.chrome.before_choice = Some("NO_COLOR".into());
    run(&mut app, &format!("{open}<Down><Enter>"));
    assert_eq!(app.note.text, "Theme dark, for now: at the next start NO_COLOR goes first");
}

#[test]
fn the_mouse_can_be_switched_off() {
    let (mut app, effects) = after("<Ctrl-P>mouse<Enter>");
    assert_eq!(effects, [Effect::Mouse(false)]);
    mouse(&mut app, MouseEventKind::Down(MouseButton::Left), 50, 3, 0);
    assert_eq!(app.active, Side::Left);
    assert_eq!(run(&mut app, "<Ctrl-P>mouse<Enter>"), [Effect::Mouse(true)]);
}

#[test]
fn the_keys_of_vi() {
    let vi = |script: &str| {
        let mut app = sample::app();
        (app.keymap, _) = Keymap::new(Preset::Vi, "", "");
        let effects = run(&mut app, script);
        (app, effects)
    };
    for (script, cursor) in
        [("jj", "iso"), ("G", "notes.md"), ("Ggg", ".."), ("gj", ".."), ("gjj", "albums"), ("/bo", "boat-plans.pdf")]
    {
        let at = match vi(script).0.here().current() {
            Row::Up => "..".to_owned(),
            Row::Entry(entry) => wire::path::escape(entry.name),
            Row::Nothing => String::new(),
        };
        assert_eq!(at, cursor, "{script}");
    }
    assert_eq!(vi("jvv").0.left.marks.len(), 2);
    assert_eq!(vi("jl").1, [read(1, local("/home/ada/Downloads/albums"))]);
    assert!(matches!(front(&vi("jyy").0), Some(Kind::Prompt(crate::app::dialog::Prompt::Copy { .. }, _))));
    assert!(matches!(front(&vi("jdd").0), Some(Kind::Delete(_))));
    assert!(vi("jdj").0.dialogs.is_empty());
    assert_eq!(vi("ZZ").1, [Effect::Quit]);
    // Letters go where text is typed, and move in dialogs without.
    let (app, _) = vi("ojk");
    assert!(matches!(front(&app), Some(Kind::Prompt(_, field)) if field.text() == "jk"));
    let (app, _) = vi("<F1>jj");
    assert_eq!(app.dialogs.last().map(|dialog| dialog.scroll), Some(2));
    assert_eq!(vi(":quit<Enter>").1, [Effect::Quit]);
}

#[test]
fn the_key_bar_follows_what_is_held() {
    let mut app = sample::app();
    let control = KeyCode::Modifier(ModifierKeyCode::LeftControl);
    let tell = |app: &mut App, code, kind| {
        update(app, Msg::Key(KeyEvent::new_with_kind(code, KeyModifiers::NONE, kind)));
        app.chrome.held
    };
    assert_eq!(tell(&mut app, control, KeyEventKind::Press), KeyModifiers::CONTROL);
    mouse(&mut app, MouseEventKind::Down(MouseButton::Left), crate::app::layout::bar_slots(80)[5].0, 23, 0);
    assert_eq!(app.left.order.by, By::Size, "Ctrl-F6 in the bar");
    assert_eq!(tell(&mut app, control, KeyEventKind::Release), KeyModifiers::NONE);
    // A release that went elsewhere is made up for by the next key.
    tell(&mut app, KeyCode::Modifier(ModifierKeyCode::RightShift), KeyEventKind::Press);
    assert_eq!(tell(&mut app, KeyCode::Down, KeyEventKind::Press), KeyModifiers::NONE);
    assert_eq!(app.left.cursor, 1);
    assert_eq!(tell(&mut app, KeyCode::Down, KeyEventKind::Release), KeyModifiers::NONE);
    assert_eq!(app.left.cursor, 1, "a release moves nothing");
}

#[test]
fn the_terminal_composes_text_where_text_is_typed() {
    for (script, text) in [("", false), ("<F7>", true), ("<F7><Esc>", false), ("<Ctrl-S>", true), ("<F9>", false)] {
        assert_eq!(after(script).0.takes_text(), text, "{script}");
    }
}

#[test]
fn no_action_is_without_its_row() {
    for key in ["F1", "F9", "Ctrl-P", "F10"] {
        let key: KeyEvent = key.parse::<crate::keymap::Chord>().unwrap().into();
        let action = Keymap::default().action(Scope::Panes, key.into()).unwrap();
        assert!(Spec::of(action).is_some());
    }
}
