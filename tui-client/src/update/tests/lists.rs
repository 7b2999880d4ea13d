//! Comparing, the checklist and looking for names: keys in, plans and effects out.

use super::*;
use crate::app::dialog::Kind;
use crate::app::pairing::{Pairing, Purpose};
use crate::sync::carry::Carried;
use crate::sync::ground::Removal;
use crate::sync::mode::{By, Mode, Toward};
use crate::sync::orders::{Act, End, Seen, Task};
use crate::sync::plan::Action as Planned;
use crate::sync::sample::plan;
use crate::sync::scan::Progress;

const LEFT: &str = "a 1@100, b 2@200, d/, d/x 3@100, d/y 4@100, same 5@100";
const RIGHT: &str = "b 9@100, c 7@100, d 1@1, same 5@100";

/// The checklist of two trees, after its scan.
fn checklist(mode: Mode) -> App {
    let mut app = sample::app();
    run(&mut app, "<Ctrl-Y>");
    if let Some(Kind::Pairing(pairing)) = app.dialogs.last_mut().map(|dialog| &mut dialog.kind) {
        *pairing = Pairing { purpose: Purpose::Synchronise, mode };
    }
    let effects = run(&mut app, "<Enter>");
    let [Effect::Scan { serial, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let told = Compared::Whole(plan(LEFT, RIGHT, mode), Progress::default());
    update(&mut app, Msg::Scanned { serial: *serial, told });
    app
}

/// What is shown, as `path action`, the cursor's in brackets.
fn shown(app: &App) -> String {
    let list = app.lists.checklist.as_ref().unwrap();
    let row = |place: usize| {
        let (index, row) = list.at(place).unwrap();
        let mark = if list.is_marked(index) { "√" } else { "" };
        let text = format!("{mark}{} {}", wire::path::escape(list.plan.path(row)), list.action(index).word());
        if place == list.cursor { format!("[{text}]") } else { text }
    };
    (0..list.len()).map(row).collect::<Vec<_>>().join(", ")
}

fn check_list(script: &str, expected: &str) {
    let mut app = checklist(Mode { deletions: true, ..Mode::default() });
    assert_eq!(run(&mut app, script), [], "{script}");
    assert_eq!(shown(&app), expected, "{script}");
}

#[test]
fn the_dialog_chooses_the_way() {
    let scanned = |script: &str| {
        let mut app = sample::app();
        let effects = run(&mut app, script);
        match effects.as_slice() {
            [Effect::Scan { mode, left: Place::Local(_), right: Place::Remote(_), .. }] => *mode,
            other => panic!("{script}: {other:?}"),
        }
    };
    let mode = Mode::default();
    let down = |times: usize| "<Down>".repeat(times);
    let accept = down(9);
    assert_eq!(scanned("<Ctrl-Y><Enter>"), mode);
    // The choices follow the last button.
    assert_eq!(
        scanned(&format!("<Ctrl-Y><Tab><Tab><Down><Space>{accept}<Enter>")),
        Mode { toward: Toward::Left, ..mode }
    );
    let both = Mode { toward: Toward::Both, by: By::Content, ..mode };
    assert_eq!(scanned(&format!("<Ctrl-Y><Tab><Tab>{}<Space>{}<Enter>{accept}<Enter>", down(2), down(4))), both);
    let deleting = Mode { deletions: true, deep: false, ..mode };
    assert_eq!(scanned(&format!("<Ctrl-Y><Tab><Tab>{}<Space>{}<Space>{accept}<Enter>", down(3), down(4))), deleting);
    let compare = Mode { toward: Toward::Both, deep: false, ..mode };
    for key in ["<Shift-F2>", "<F12>", "<F14>"] {
        assert_eq!(scanned(&format!("{key}<Enter>")), compare);
    }
    let mut app = sample::app();
    assert_eq!(run(&mut app, "<Ctrl-Y><Esc>"), []);
    app.session = Session::Offline;
    assert_eq!(run(&mut app, "<Ctrl-Y>"), []);
    assert!(app.dialogs.is_empty() && app.note.tone == Tone::Bad);
    app.right.place = local("/home/ada");
    run(&mut app, "<Ctrl-Y>");
    assert!(app.dialogs.is_empty() && app.note.text.contains("lies in the other"), "{}", app.note.text);
}

#[test]
fn rows_and_what_keys_make_of_them() {
    let conflict = "d skip, d/x skip, d/y skip";
    check_list("", &format!("[a copy-right], b copy-right, c delete-right, {conflict}"));
    check_list("s", &format!("a skip, [b copy-right], c delete-right, {conflict}"));
    check_list("<Down><Left>", &format!("a copy-right, b copy-left, [c delete-right], {conflict}"));
    check_list("<Down><Down><Left>", "a copy-right, b copy-right, c copy-left, [d skip], d/x skip, d/y skip");
    check_list("<Down><Left><Up>u", &format!("a copy-right, b copy-right, [c delete-right], {conflict}"));
    check_list("r", &format!("[a copy-right], b copy-right, c delete-right, {conflict}"));
    check_list("*s", "[√a skip], √b skip, √c skip, √d skip, √d/x skip, √d/y skip");
    check_list("<Space><Space>l", &format!("√a delete-left, √b delete-left, [c delete-right], {conflict}"));
    // A directory takes what is below it along.
    check_list(
        "<Down><Down><Down>l",
        "a copy-right, b copy-right, c delete-right, [d delete-left], d/x delete-left, d/y delete-left",
    );
    check_list("f", "[d skip], d/x skip, d/y skip");
    check_list("<End>f", "d skip, d/x skip, [d/y skip]");
    check_list("ff", "a copy-right, b copy-right, c delete-right, [d skip], d/x skip, d/y skip, same skip");
}

#[test]
fn nothing_runs_before_somebody_said_yes_to_the_sums() {
    let mut app = checklist(Mode { deletions: true, ..Mode::default() });
    let totals = app.lists.checklist.as_ref().unwrap().totals;
    assert_eq!((totals.right.files, totals.right.bytes, totals.deleted_right, totals.undecided), (2, 3, 1, 3));
    // Something is deleted: the keys are on Back.
    assert_eq!(run(&mut app, "<F10><Enter>"), []);
    assert!(app.lists.checklist.is_some());
    let effects = run(&mut app, "<Enter><Right><Enter>");
    let [Effect::Carry { actions, left, right, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((left, right), (&local("/home/ada/Downloads"), &remote("/photos/2026")));
    let skip = Planned::Skip;
    assert_eq!(**actions, [Planned::CopyRight, Planned::CopyRight, Planned::DeleteRight, skip, skip, skip, skip]);
    assert_eq!((app.focus, app.working, app.lists.checklist.is_some()), (Scope::Panes, 1, false));
    let seen = Seen { kind: wire::message::Kind::File, size: 7, mtime: Default::default() };
    let task = Task { end: End::Right, path: b"c".to_vec(), act: Act::Delete(seen) };
    let carried = Carried { failed: vec![(task, Fault::new(Code::Changed, "changed"))], ..Carried::default() };
    let serial = app.serial;
    update(&mut app, Msg::Carrying { serial, done: 1, all: 2000 });
    assert_eq!(app.note.text, "Synchronising: 1 of 2,000 changes, Esc stops");
    let carried = |serial| Msg::Carried { serial, carried: Ok((carried.clone(), 2)) };
    assert_eq!(update(&mut app, carried(serial + 1)), []);
    assert_eq!(update(&mut app, carried(serial)), [Effect::RereadLater]);
    assert_eq!((app.working, app.note.tone), (0, Tone::Bad));
    assert_eq!(app.note.text, "Synchronising: 2 files in the queue; 1 thing not done, the first c: changed");
    // To the trash is no danger, either.
    let mut app = checklist(Mode { deletions: true, ..Mode::default() });
    app.undo.trash = Some(crate::engine::Trash { days: 30, items: 0, bytes: 0 });
    let effects = run(&mut app, "<Enter><Enter>");
    assert!(matches!(effects.as_slice(), [Effect::Carry { removal: Removal::ToTrash, .. }]), "{effects:?}");
    let trashed = vec![(RemotePath::parse(b"/photos/2026/c").unwrap(), 7)];
    let carried = Carried { done: 2, deleted: 2, trashed, failed: vec![] };
    let serial = app.serial;
    let effects = update(&mut app, Msg::Carried { serial, carried: Ok((carried, 0)) });
    assert_eq!(effects, [Effect::Trash(Wish::State), Effect::RereadLater]);
    assert_eq!(app.note.text, "Synchronising: 2 things deleted (1 in the trash)");
    // Without a deletion the keys are on the button that does it.
    let mut app = checklist(Mode::default());
    assert!(matches!(run(&mut app, "<Enter><Enter>").as_slice(), [Effect::Carry { .. }]));
    // Esc stops what is not in the queue.
    let serial = app.serial;
    run(&mut app, "<Esc>");
    let stopped = update(&mut app, Msg::EscapeWaited(serial + 1));
    assert_eq!((stopped, app.working), (vec![Effect::StopRead(serial), Effect::RereadLater], 0));
    update(&mut app, Msg::Carrying { serial, done: 1, all: 2 });
    assert!(app.note.text.starts_with("Stopped"));
}

#[test]
fn rows_come_while_the_scan_goes_on_and_esc_stops_it_first() {
    let mut app = sample::app();
    run(&mut app, &("<Ctrl-Y>".to_owned() + &"<Down>".repeat(9) + "<Enter>"));
    let partly = |left, right| Compared::Partly(plan(left, right, Mode::default()), Progress::default());
    update(&mut app, Msg::Scanned { serial: 1, told: partly("m 1@1, n 1@1", "") });
    run(&mut app, "<Down><Space><Up><Down>s");
    assert_eq!(shown(&app), "m copy-right, [√n skip]");
    assert_eq!(run(&mut app, "<Enter>"), [], "not while it goes on");
    assert!(app.dialogs.is_empty());
    // The same entries under the same numbers, and others between them.
    update(&mut app, Msg::Scanned { serial: 1, told: partly("m 1@1, n 1@1, a 1@1", "") });
    assert_eq!(shown(&app), "a copy-right, m copy-right, [√n skip]");
    update(&mut app, Msg::Scanned { serial: 9, told: partly("", "") });
    assert_eq!(shown(&app), "a copy-right, m copy-right, [√n skip]", "of another scan");
    let leave = |app: &mut App| {
        let serial = app.serial + 1;
        let mut effects = run(app, "<Esc>");
        effects.extend(update(app, Msg::EscapeWaited(serial)));
        effects
    };
    assert_eq!(leave(&mut app), [Effect::WaitEscape(2), Effect::StopRead(1)]);
    assert!(app.lists.checklist.as_ref().unwrap().partial);
    assert_eq!(leave(&mut app), [Effect::WaitEscape(3)]);
    assert_eq!((app.focus, app.lists.checklist.is_some()), (Scope::Panes, false));
    let mut app = checklist(Mode::default());
    assert!(matches!(run(&mut app, "<Ctrl-R>").as_slice(), [Effect::Scan { .. }]));
    assert_eq!(run(&mut app, "<Ctrl-C>"), [Effect::Quit]);
}

#[test]
fn comparing_marks_in_both_panes() {
    let mut app = sample::app();
    app.left.toggle_mark();
    run(&mut app, &("<F12>".to_owned() + &"<Down>".repeat(9) + "<Enter>"));
    assert!(matches!(app.dialogs.last().map(|dialog| &dialog.kind), Some(Kind::Comparing { .. })));
    let both = Mode { toward: Toward::Both, ..Mode::default() };
    let (left, right) = ("albums/, albums/x 1@1, notes.md 1@1", "albums/, notes.md 2@1, raw/, index.html 1@1");
    let told = Compared::Whole(plan(left, right, both), Progress::default());
    update(&mut app, Msg::Scanned { serial: 1, told });
    assert!(app.dialogs.is_empty());
    let marked = |pane: &Pane| if pane.marks.is_empty() { vec![] } else { sample::names(&pane.selection()) };
    assert_eq!(
        (marked(&app.left), marked(&app.right)),
        (vec!["albums".into(), "notes.md".into()], vec!["raw".into(), "index.html".into()])
    );
    run(&mut app, &("<F12>".to_owned() + &"<Down>".repeat(9) + "<Enter>"));
    assert_eq!(run(&mut app, "<Esc>"), [Effect::StopRead(2)]);
    update(&mut app, Msg::Scanned { serial: 2, told: Compared::Failed(Fault::new(Code::Io, "late")) });
    assert_ne!(app.note.text, "Cannot compare: late");
}

#[test]
fn names_are_found_gone_to_and_acted_on() {
    let mut app = sample::app();
    let found = |serial, place, pattern: &str| Effect::Find { serial, place, pattern: pattern.into() };
    assert_eq!(run(&mut app, "<Tab><Alt-?><Enter>"), [], "nothing was typed");
    assert_eq!(run(&mut app, "[<Enter>"), [], "and that is no pattern");
    assert_eq!(run(&mut app, "<Backspace>*.tif<Enter>"), [found(1, remote("/photos/2026"), "*.tif")]);
    let page = |names: &[&str]| Hit::Page(names.iter().map(|name| file(name, 5, 0)).collect());
    update(&mut app, Msg::Found { serial: 1, told: page(&["raw/a.tif", "../up.tif", "b.tif"]) });
    update(&mut app, Msg::Found { serial: 7, told: page(&["other.tif"]) });
    update(&mut app, Msg::Found { serial: 1, told: page(&["deep/er/c.tif"]) });
    assert_eq!(app.lists.hits.as_ref().unwrap().len(), 3);
    let copies = run(&mut app, "<Space><Down><Space><F5><Enter>");
    let down = |path: &str, name: &str| NewItem {
        job: Job::Down {
            source: RemotePath::parse(path.as_bytes()).unwrap(),
            target: PathBuf::from("/home/ada/Downloads").join(name),
        },
        if_exists: IfExists::Ask,
        source: AfterCopy::Keep,
    };
    let items = vec![down("/photos/2026/raw/a.tif", "a.tif"), down("/photos/2026/deep/er/c.tif", "c.tif")];
    assert_eq!(copies, [Effect::Enqueue(items)]);
    update(&mut app, Msg::Found { serial: 1, told: Hit::Over(Ok(2)) });
    let viewed = run(&mut app, "<End><F3>");
    assert_eq!(
        viewed.first(),
        Some(&Effect::Look(Ask::Check { viewer: 2, place: remote("/photos/2026/deep/er/c.tif") }))
    );
    run(&mut app, "<F3>");
    assert_eq!((app.focus, app.viewer.is_some()), (Scope::Hits, false));
    assert_eq!(app.lists.hits.as_ref().unwrap().remark, "2 directories could not be read");
    assert_eq!(run(&mut app, "<End><Enter>"), [read(3, remote("/photos/2026/deep/er"))]);
    assert_eq!((app.focus, app.lists.hits.is_some()), (Scope::Panes, false));
    let land = app.right.loading.as_ref().and_then(|loading| loading.land.clone());
    assert_eq!(land.as_deref(), Some(b"c.tif".as_slice()));
}

#[test]
fn very_many_hits_are_taken_in_portions() {
    let mut app = sample::app();
    run(&mut app, "<Tab><Alt-F7>x<Enter>");
    let all: Vec<_> = (0..12_345).map(|n| file(&format!("x/{n}"), 1, 0)).collect();
    update(&mut app, Msg::Found { serial: 1, told: Hit::Page(all) });
    run(&mut app, "*");
    for (expected, rest) in [(10_000, "; 2,345 more are still marked"), (2_345, "")] {
        let effects = run(&mut app, "<F5><Enter>");
        let [Effect::Enqueue(items)] = effects.as_slice() else { panic!("{} effects", effects.len()) };
        assert_eq!(items.len(), expected);
        assert!(app.note.text.ends_with(&format!("to copy{rest}")), "{}", app.note.text);
    }
    assert!(app.lists.hits.as_ref().is_some_and(|hits| hits.marks.is_empty()));
}

#[test]
fn esc_ends_a_search_and_then_leaves_it() {
    let mut app = sample::app();
    run(&mut app, "<Alt-F7>x<Enter>");
    assert_eq!(run(&mut app, "<Esc>"), [Effect::WaitEscape(2)]);
    assert_eq!(update(&mut app, Msg::EscapeWaited(2)), [Effect::StopRead(1)]);
    assert!(!app.lists.hits.as_ref().unwrap().searching);
    run(&mut app, "<Esc>");
    assert_eq!(update(&mut app, Msg::EscapeWaited(3)), []);
    assert!(app.lists.hits.is_none() && app.focus == Scope::Panes);
}
