//! A directory of a million entries: no key makes the screen's thread go through them.

use std::sync::LazyLock;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::app::pane::finding::longest;
use crate::app::pane::marking::Marking;
use crate::app::rows::{Listing, Rows};
use crate::entries::{Entries, Heirs, Picked, TOUCHED};
use crate::sync::mode::Mode;
use crate::sync::plan::{Content, Plan, Walked};
use crate::sync::scan::Progress;

const MANY: u32 = 1_000_000;
/// Looks at entries that a key may cost, its picture included: a screen of them, some times over.
const FEW: usize = 1_000;

/// Ten directories, then files of a byte.
fn million() -> App {
    static ROWS: LazyLock<Rows> = LazyLock::new(|| {
        let mut entries = Entries::default();
        (0..10).for_each(|n| entries.push(&directory(&format!("directory-{n}"))));
        (10..MANY).for_each(|n| entries.push(&file(&format!("entry-number-{n:07}"), 1, 0)));
        Rows::new(entries, Order::default())
    });
    let mut app = sample::app();
    app.left.rows = ROWS.clone();
    app
}

/// What the message leads to, and that it and the picture after it looked at few entries.
fn cheaply(app: &mut App, what: &str, msg: Msg) -> Vec<Effect> {
    let before = TOUCHED.get();
    let effects = update(app, msg);
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| crate::view::draw(app, app.chrome.gallery.shown(), frame)).unwrap();
    let looks = TOUCHED.get() - before;
    assert!(looks < FEW, "{what}: {looks} looks at entries");
    effects
}

/// Presses keys, each of them cheaply.
fn press(app: &mut App, script: &str) -> Vec<Effect> {
    keys(script).into_iter().flat_map(|key| cheaply(app, script, Msg::Key(key))).collect()
}

/// Does beside what is to be marked, and takes it up cheaply; tells what was marked.
fn marked(app: &mut App, effects: &[Effect]) -> Vec<Marking> {
    let mut all = Vec::new();
    for effect in effects {
        let Effect::Mark { generation, rows, marks, markings } = effect else { panic!("{effect:?}") };
        let done = markings.iter().fold(marks.clone(), |marks, marking| marking.apply(rows, &marks));
        let (generation, rows, before) = (*generation, rows.clone(), marks.clone());
        assert_eq!(cheaply(app, "taken up", Msg::Marked { generation, rows, before, marks: done }), []);
        all.extend(markings.clone());
    }
    all
}

#[test]
fn marks_are_set_beside_the_screen_and_esc_leaves_them() {
    let mut app = million();
    let effects = press(&mut app, "<End><Shift-Home>");
    assert!(matches!(marked(&mut app, &effects).as_slice(), [Marking::Stretch(_)]));
    assert_eq!((app.left.marks.len(), app.note.text.as_str()), (MANY as usize, "Marked 1,000,000 names"));
    let effects = press(&mut app, "*");
    marked(&mut app, &effects);
    assert_eq!((app.left.marks.len(), app.left.marks.bytes()), (10, 0), "the directories");
    let effects = press(&mut app, "+*7<Enter>");
    assert!(app.left.marking.is_some() && app.note.text.starts_with("Marking…, Esc leaves"), "{}", app.note.text);
    press(&mut app, "<Esc>");
    let waited = Msg::EscapeWaited(app.serial);
    cheaply(&mut app, "Esc", waited);
    assert_eq!((app.left.marking.is_some(), app.note.text.as_str()), (false, "Not marked"));
    marked(&mut app, &effects);
    assert_eq!(app.left.marks.len(), 10, "what comes late is not wanted");
    // Keys go on one after another, each on what the one before left.
    let all = press(&mut app, "<Shift-End><Shift-Home>");
    marked(&mut app, &all[1..]);
    assert!(app.left.marks.is_empty(), "{} of all that were marked", app.left.marks.len());
}

/// Does beside what is to be searched, and takes it up cheaply.
fn sought(app: &mut App, effects: &[Effect]) {
    for effect in effects {
        let Effect::Seek { serial, rows, from, text } = effect else {
            assert!(matches!(effect, Effect::StopRead(_)), "{effect:?}");
            continue;
        };
        let (serial, rows, found) = (*serial, rows.clone(), longest(rows, *from, text, || true));
        assert_eq!(cheaply(app, text, Msg::Sought { serial, rows, text: text.clone(), found }), []);
    }
}

#[test]
fn a_search_that_goes_far_goes_on_beside_the_screen() {
    let mut app = million();
    let find = |app: &App| (String::from_utf8_lossy(app.left.current_name()).into_owned(), app.left.search.clone());
    let effects = press(&mut app, "<Ctrl-S>entry-number-09");
    assert_eq!(find(&app), ("entry-number-0000010".to_owned(), Some("entry-number-09".to_owned())));
    sought(&mut app, &effects);
    assert_eq!(find(&app), ("entry-number-0900000".to_owned(), Some("entry-number-09".to_owned())));
    let effects = press(&mut app, "zz<Backspace>");
    sought(&mut app, &effects);
    assert_eq!(find(&app), ("entry-number-0900000".to_owned(), Some("entry-number-09".to_owned())));
    // Who moves on does not wait for it.
    let effects = press(&mut app, "x<Down>");
    sought(&mut app, &effects);
    assert_eq!(find(&app), ("entry-number-0900001".to_owned(), None));
}

#[test]
fn directories_among_them_are_counted_without_a_look_at_the_files() {
    let mut app = million();
    let effects = press(&mut app, "<Ctrl-Space>");
    assert!(matches!(effects.as_slice(), [Effect::Count { .. }]), "{effects:?}");
    assert_eq!(app.left.sizes.under_way().map(|(_, waiting)| waiting), Some(9));
    let mut app = all_marked(true);
    assert!(matches!(press(&mut app, "<Ctrl-Space>").as_slice(), [Effect::Count { .. }]));
}

#[test]
fn a_comparison_marks_beside_the_screen() {
    let mut app = million();
    let walked =
        |entries: Entries| Walked { order: entries.ids().collect(), entries, whole: true, ..Walked::default() };
    let left = app.left.rows.entries().clone();
    // What is looked at while the plan is made is not the screen's.
    let plan = Plan::of(&walked(left), &walked(Entries::default()), Mode::default(), |_| Content::Unknown);
    run(&mut app, &("<F12>".to_owned() + &"<Down>".repeat(9) + "<Enter>"));
    let serial = app.serial;
    let told = Compared::Whole(plan, Progress::default());
    let effects = cheaply(&mut app, "compared", Msg::Scanned { serial, told });
    assert!(app.dialogs.is_empty() && app.left.marking.is_some() && app.right.marking.is_some());
    marked(&mut app, &effects);
    assert_eq!(app.note.text, "Marked 1,000,000 names that differ");
}

/// With everything marked but the directories, or with them.
fn all_marked(directories: bool) -> App {
    let mut app = million();
    let effects = press(&mut app, if directories { "<End><Shift-Home>" } else { "*" });
    marked(&mut app, &effects);
    app
}

#[test]
fn a_copy_of_them_all_is_one_item() {
    let mut app = all_marked(true);
    let effects = press(&mut app, "<F5>");
    assert!(matches!(effects.as_slice(), [Effect::Count { places, .. }] if places.len() == 10), "of the directories");
    let effects = press(&mut app, "<Enter>");
    let [Effect::EnqueuePicked(item, picked), Effect::StopCount(_)] = effects.as_slice() else {
        panic!("{} effects", effects.len())
    };
    let job = Job::Up { source: "/home/ada/Downloads".into(), target: RemotePath::parse(b"/photos/2026").unwrap() };
    assert_eq!(*item, NewItem { job, if_exists: IfExists::Ask, source: AfterCopy::Keep });
    assert_eq!((picked.len(), app.left.marks.len()), (MANY as usize, 0));
    assert_eq!(app.note.text, "Queued 1,000,000 names to copy as one item");
    let mut app = all_marked(false);
    let effects = press(&mut app, "<F6><Enter>");
    let [Effect::EnqueuePicked(NewItem { source: AfterCopy::Remove, .. }, picked)] = effects.as_slice() else {
        panic!("{} effects", effects.len())
    };
    assert_eq!(picked.len(), MANY as usize - 10);
}

#[test]
fn what_a_filter_hides_of_them_is_left_alone() {
    let mut app = all_marked(false);
    app.left.reorder(app.left.rows.clone().sifted(Sieve { hides_dots: false, text: "number-0000".into() }));
    let effects = press(&mut app, "<F5><Enter>");
    let [Effect::EnqueuePicked(_, picked)] = effects.as_slice() else { panic!("{} effects", effects.len()) };
    assert_eq!(picked.len(), 990);
}

#[test]
fn deleting_them_all_tells_how_far_it_is_and_can_be_left() {
    let mut app = all_marked(false);
    let effects = press(&mut app, "<F8><Right><Enter>");
    let [Effect::Bulk { serial, bulk }] = effects.as_slice() else { panic!("{} effects", effects.len()) };
    assert_eq!((bulk.act.clone(), bulk.picked.len(), app.working), (Act::Remove, MANY as usize - 10, 1));
    cheaply(&mut app, "progress", Msg::BulkGoesOn { serial: *serial, done: 5_000 });
    assert_eq!(app.note.text, "Deleting 5,000 of 999,990 things, Esc stops");
    assert!(!app.log.since(0).any(|line| line.note.text.contains("5,000")), "the log tells the end alone");
    assert_eq!(press(&mut app, "<F8><Right><Enter>"), [], "one at a time");
    // What is deleted changes the list, which is read again meanwhile.
    press(&mut app, "<Ctrl-R><Esc>");
    let waited = Msg::EscapeWaited(app.serial);
    assert_eq!(cheaply(&mut app, "Esc", waited), [Effect::StopBulk(*serial)]);
    let first = Some(("x".to_owned(), Fault::new(Code::Denied, "no permission for x")));
    let ids = bulk.picked.range(0..6_000).map(|one| one.id).collect();
    let done = Picked::new(bulk.picked.entries().clone(), Arc::new(ids));
    let ended = Ended { done, refused: 2, first, stopped: true };
    let mut effects = cheaply(&mut app, "the end", Msg::BulkEnded { serial: *serial, ended });
    let reads = effects.split_off(effects.len() - 2);
    assert!(matches!(reads.as_slice(), [Effect::StopRead(_), Effect::Read { .. }]), "{} effects", reads.len());
    assert_eq!(
        (app.note.text.as_str(), app.working),
        ("Deleted 6,000 things; not 2, the first x: no permission for x; stopped before 993,988 more", 0)
    );
    marked(&mut app, &effects);
    assert_eq!(app.left.marks.len(), MANY as usize - 6_010, "what was not done stays marked");
}

#[test]
fn a_target_that_was_typed_is_not_lost_to_other_work() {
    let mut app = all_marked(false);
    app.right.place = local("/elsewhere");
    assert!(matches!(press(&mut app, "<F8><Right><Enter>").as_slice(), [Effect::Bulk { .. }]));
    assert_eq!(press(&mut app, "<F5>x<Enter>"), []);
    let Some(Kind::Prompt(_, field)) = app.dialogs.last().map(|dialog| &dialog.kind) else { panic!("it is open") };
    assert_eq!((field.text(), app.left.marks.len()), ("x", MANY as usize - 10));
    assert!(app.note.text.starts_with("Many things are being changed already"), "{}", app.note.text);
}

#[test]
fn marks_pass_to_a_list_that_is_read_again_beside_the_screen() {
    let mut app = all_marked(false);
    press(&mut app, "<Ctrl-R>");
    let heirs = Heirs::of(app.left.rows.entries(), app.left.rows.entries());
    let listing = Listing { rows: app.left.rows.clone(), heirs: Some(heirs), free: None, at: sample::NOW };
    let read = Msg::Read { generation: app.serial, result: Ok(listing) };
    let effects = cheaply(&mut app, "read", read);
    assert_eq!(press(&mut app, "<F8>"), [], "not while it is open what is marked");
    assert!(matches!(marked(&mut app, &effects).as_slice(), [Marking::Inherited(..)]));
    assert_eq!(app.left.marks.len(), MANY as usize - 10);
}

#[test]
fn a_long_list_is_not_read_again_for_every_change_at_the_server() {
    let mut app = million();
    app.right.rows = app.left.rows.clone();
    update(&mut app, Msg::Clock(wire::message::Time { secs: sample::NOW.secs + 5, nanos: 0 }));
    let path = RemotePath::parse(b"/photos/2026").unwrap();
    assert_eq!(update(&mut app, Msg::Changed(path)), [Effect::RereadLater]);
    assert_eq!(update(&mut app, Msg::RereadStale), [Effect::RereadLater], "a minute is not over");
    update(&mut app, Msg::Clock(wire::message::Time { secs: sample::NOW.secs + 61, nanos: 0 }));
    assert!(matches!(update(&mut app, Msg::RereadStale).as_slice(), [Effect::Read { .. }]));
}
