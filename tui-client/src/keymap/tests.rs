//! Presets, own keys, and what is said about them.

use super::*;
use crossterm::event::{KeyCode, KeyEvent};

#[test]
fn every_key_of_the_table_is_told_as_it_is_written_and_means_one_thing() {
    let keymap = Keymap::default();
    for spec in specs() {
        let told: Vec<String> = keymap.keys(spec.action).iter().map(Keys::to_string).collect();
        assert_eq!(told, spec.keys, "{}: a key of it is no key, or another action has it", spec.name);
    }
}

fn keymap(preset: Preset, text: &str) -> (Keymap, Vec<String>) {
    let (keymap, complaints) = Keymap::new(preset, "keys.toml", text);
    (keymap, complaints.iter().map(Complaint::to_string).collect())
}

#[test]
fn own_keys_replace_those_of_their_action() {
    let (keymap, told) = keymap(Preset::Commander, "copy = \"c\"\nmove = [\"m\", \"Ctrl-X M\"]\nswap_panes = []");
    assert_eq!(told, [""; 0]);
    let does = |key: &str| keymap.action(Scope::Panes, key.parse().unwrap());
    assert_eq!(
        (does("c"), does("F5"), does("m"), does("Ctrl-U")),
        (Some(Action::Copy), None, Some(Action::Move), None)
    );
    let (begin, end) = ("Ctrl-X".parse().unwrap(), "m".parse().unwrap());
    assert_eq!(keymap.meet(Scope::Panes, None, begin), Met::Begins);
    assert_eq!(keymap.meet(Scope::Panes, Some(begin), "M".parse().unwrap()), Met::Action(Action::Move));
    assert_eq!(keymap.meet(Scope::Panes, Some(begin), end), Met::Nothing);
    assert_eq!(keymap.key(Action::Move), "m");
}

#[test]
fn mistakes_are_told_by_file_and_line_and_the_rest_counts() {
    let text = "\n# mine\ncopi = \"c\"\ndelete = [\"F8\", \"Hyper-x\"]\nquit = 3\nhelp = \"F1\"\n";
    let (keys, told) = keymap(Preset::Commander, text);
    assert_eq!(
        told,
        [
            "keys.toml:3: no action is called `copi`; copy?".to_owned(),
            format!("keys.toml:4: {}", "Hyper-x".parse::<Chord>().unwrap_err()),
            "keys.toml:5: quit takes a key in quotes, or several in brackets".to_owned(),
        ]
    );
    assert_eq!(keys.action(Scope::Panes, Chord::function(8, KeyModifiers::NONE)), Some(Action::Delete));
    let (keys, told) = keymap(Preset::Commander, "copy = \"c\"\nmove = ");
    assert!(told.len() == 1 && told[0].starts_with("keys.toml:2: "), "{told:?}");
    assert_eq!(keys.key(Action::Copy), "F5");
}

#[test]
fn clashes_are_told() {
    for (text, told) in [
        ("copy = \"c\"\nmove = \"c\"", "keys.toml:2: c is given to move and, in line 1, to copy, which has it"),
        ("copy = \"F6\"", "keys.toml:1: F6 is given to copy; move had it before (`move = []` says that it is meant)"),
        (
            "\nswap_panes = \"Tab x\"",
            "keys.toml:2: Tab is given to swap_panes; other_pane had it before (`other_pane = []` says that it is meant)",
        ),
        ("copy = \"F6\"\nmove = \"F5\"", ""),
        ("copy = \"F6\"\nmove = []", ""),
        // Where both are never valid in one place, one key can mean both.
        ("copy = \"p\"", ""),
    ] {
        assert_eq!(keymap(Preset::Commander, text).1.join("\n"), told, "{text}");
    }
}

#[test]
fn the_preset_vi_is_whole_and_leaves_every_action_a_key() {
    assert_eq!(Own::read("vi.toml", VI).1, []);
    let (vi, told) = keymap(Preset::Vi, "");
    assert_eq!(told, [""; 0]);
    for spec in specs().filter(|spec| !spec.keys.is_empty()) {
        assert!(!vi.keys(spec.action).is_empty(), "{} has no key in vi", spec.name);
    }
    let does = |key: &str| vi.action(Scope::Panes, key.parse().unwrap());
    assert_eq!((does("j"), does("h"), does("G")), (Some(Action::Down), Some(Action::Leave), Some(Action::Last)));
    let g: Chord = "g".parse().unwrap();
    assert_eq!(vi.meet(Scope::Panes, Some(g), g), Met::Action(Action::First));
    // An own key wins over a preset's, as over the table's.
    let (vi, told) = keymap(Preset::Vi, "copy = \"j\"\ndown = \"Down\"");
    assert_eq!((vi.action(Scope::Panes, "j".parse().unwrap()), told), (Some(Action::Copy), vec![]));
}

#[test]
fn key_bar_words() {
    let bar = |scope, held| (1..=10).map(|n| Keymap::default().label(scope, n, held)).collect::<Vec<_>>().join(" ");
    let panes = bar(Scope::Panes, KeyModifiers::NONE);
    assert!(panes.starts_with("Help Queue ") && panes.ends_with(" Copy Move MkDir Delete Menu Quit"), "{panes}");
    assert!(bar(Scope::Queue, KeyModifiers::NONE).starts_with("Help Panes "));
    assert!(bar(Scope::Panes, KeyModifiers::CONTROL).contains("Name Ext Time Size"));
    assert!(bar(Scope::Panes, KeyModifiers::SHIFT).contains("New"));
}

#[test]
fn the_file_of_all_keys_changes_nothing_and_is_up_to_date() {
    let file = keys_file();
    crate::assets::check("keys/keys.toml", &file);
    let lines =
        file.lines().map(|line| line.strip_prefix("# ").filter(|line| line.contains(" = [")).unwrap_or_default());
    let (keys, told) = keymap(Preset::Commander, &lines.collect::<Vec<_>>().join("\n"));
    assert_eq!(told, [""; 0]);
    for spec in specs() {
        assert_eq!(keys.keys(spec.action), Keymap::default().keys(spec.action), "{}", spec.name);
    }
    let escape = KeyEvent::from(KeyCode::Esc);
    assert_eq!(keys.action(Scope::Panes, escape.into()), Some(Action::Escape));
}
