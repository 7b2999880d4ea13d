//! Directories that come bit by bit: what is shown when, and where cursor and marks stay.

use super::*;
use crate::app::rows::{Listing, Rows};
use crate::entries::Entries;

/// A large directory as it comes: entries in the order of the disk, sorted as far as they came.
struct Large {
    entries: Entries,
    rows: Rows,
}

impl Large {
    fn new() -> Self {
        Self { entries: Entries::default(), rows: Rows::default() }
    }

    /// The listing with these names more.
    fn more(&mut self, names: &str) -> Listing {
        names.split(' ').for_each(|name| self.entries.push(&file(name, 1, 0)));
        self.rows = self.rows.grown(self.entries.clone());
        Listing { rows: self.rows.clone(), ..listing(vec![]) }
    }
}

fn partly(app: &mut App, generation: u64, listing: Listing) {
    assert_eq!(update(app, Msg::Partly { generation, listing }), []);
}

fn whole(app: &mut App, generation: u64, listing: Listing) -> Vec<Effect> {
    update(app, Msg::Read { generation, result: Ok(listing) })
}

#[test]
fn the_old_list_stays_until_there_are_rows_of_the_new_one() {
    let (mut app, mut large) = (sample::app(), Large::new());
    run(&mut app, "<Down><Enter>");
    update(&mut app, Msg::Reading { generation: 1, found: 12_000 });
    assert_eq!((app.left.rows.len(), app.left.loading.as_ref().map(|loading| loading.found)), (5, Some(12_000)));
    partly(&mut app, 99, listing(vec![]));
    assert_eq!(app.left.rows.len(), 5, "rows of another read are dropped");
    partly(&mut app, 1, large.more("m t"));
    assert_eq!((&app.left.place, app.left.partial, app.left.cursor), (&local("/home/ada/Downloads/albums"), true, 0));
    assert_eq!(
        (all_names(&app.left).as_str(), &app.local_place),
        ("m t", &PathBuf::from("/home/ada/Downloads/albums"))
    );
    assert!(app.left.loading.is_some(), "it goes on");
    assert_eq!(whole(&mut app, 1, large.more("a z")), []);
    assert_eq!((all_names(&app.left).as_str(), app.left.partial, app.left.cursor), ("a m t z", false, 0));
    assert_eq!(app.left.loading, None);
}

#[test]
fn a_reread_is_shown_when_it_is_whole() {
    let mut app = sample::app();
    run(&mut app, "<Down><Down><Insert><Insert><End><Ctrl-R>");
    let listing = reread_of(&app.left, vec![directory("iso"), file("a", 9, 0), file("notes.md", 1, 0)]);
    assert_eq!(whole(&mut app, 1, listing), []);
    assert_eq!((all_names(&app.left).as_str(), app.left.current_name()), ("iso a notes.md", b"notes.md".as_slice()));
    assert_eq!(sample::names(&app.left.selection()), ["iso"]);
}

/// After `first` rows, the keys, and the rest: the name under the cursor, and the marked ones.
fn check_merge(first: &str, script: &str, rest: &str, cursor: &str, marked: &str) {
    let (mut app, mut large) = (sample::app(), Large::new());
    run(&mut app, "<Down><Enter>");
    partly(&mut app, 1, large.more(first));
    run(&mut app, script);
    let listing = large.more(rest);
    partly(&mut app, 1, listing.clone());
    whole(&mut app, 1, listing);
    let marks = if app.left.marks.is_empty() { vec![] } else { sample::names(&app.left.selection()) };
    let at = String::from_utf8_lossy(app.left.current_name()).into_owned();
    assert_eq!((at.as_str(), marks.join(" ").as_str()), (cursor, marked), "{first} {script} {rest}");
}

#[test]
fn cursor_and_marks_stay_on_their_entries_while_others_come() {
    check_merge("m t", "", "a z", "", "");
    check_merge("m t", "<Down>", "a z", "m", "");
    check_merge("m t", "<End>", "a z", "t", "");
    check_merge("m t", "<Down><Insert>", "a z n", "t", "m");
    check_merge("m t", "<Ctrl-S>t<Esc>", "a ta z", "t", "");
    check_merge("m t", "*", "a z", "", "m t");
    check_merge("m t", "+t*<Enter><End>", "a ta z", "t", "t");
}

/// Typed fast after Enter on a directory, before anything of it is there.
#[test]
fn what_is_typed_before_the_names_come_is_for_them() {
    let (mut app, mut large) = (sample::app(), Large::new());
    run(&mut app, "<Down><Enter><Ctrl-S>bo");
    assert_eq!((app.left.current_name(), app.left.search.as_deref()), (&b"albums"[..], Some("bo")), "boat-plans stays");
    partly(&mut app, 1, large.more("a t"));
    assert_eq!((app.left.cursor, app.left.search.as_deref()), (0, Some("bo")));
    run(&mut app, "l");
    partly(&mut app, 1, large.more("bold b"));
    assert_eq!(app.left.current_name(), b"bold");
    run(&mut app, "lx");
    assert_eq!(app.left.search.as_deref(), Some("bollx"), "more may come");
    whole(&mut app, 1, large.more("bolls"));
    assert_eq!((app.left.current_name(), app.left.search.as_deref()), (&b"bolls"[..], Some("boll")));

    // The same with a filter, and where nothing comes.
    let mut app = sample::app();
    run(&mut app, "<Down><Enter>/no");
    assert_eq!(app.left.rows.len(), 5, "the old names are not filtered");
    whole(&mut app, 1, Large::new().more("note a"));
    run(&mut app, "t");
    assert_eq!((all_names(&app.left).as_str(), app.left.sieve.text.as_str()), ("note", "not"));
    for script in ["/a", "<Ctrl-S>a"] {
        let mut app = sample::app();
        run(&mut app, &("<Down><Down><Enter>".to_owned() + script));
        update(&mut app, Msg::Read { generation: 1, result: Err(Fault::new(Code::Denied, "no")) });
        assert_eq!((all_names(&app.left), app.left.current_name()), (all_names(&sample::app().left), &b"iso"[..]));
        assert!(app.left.search.is_none() && !app.left.sifting);
    }
}

#[test]
fn the_cursor_keeps_its_height_while_rows_come_above() {
    let (mut app, mut large) = (sample::app(), Large::new());
    run(&mut app, "<Down><Enter>");
    let names = |from: u32| (from..from + 100).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
    partly(&mut app, 1, large.more(&names(1000)));
    run(&mut app, "<End><Up><Up>");
    let height = |app: &App| app.left.cursor - app.left.top;
    let before = height(&app);
    for from in [500, 100, 2000] {
        partly(&mut app, 1, large.more(&names(from)));
        assert_eq!((app.left.current_name(), height(&app)), (b"1097".as_slice(), before));
    }
}

#[test]
fn a_home_stays_at_its_top_until_the_cursor_is_moved() {
    let (mut app, mut large) = (sample::app(), Large::new());
    run(&mut app, "<Tab><Backspace>");
    whole(&mut app, 1, listing(vec![]));
    run(&mut app, "<Backspace>");
    partly(&mut app, 2, Listing { rows: large.more("m").rows, ..listing(vec![]) });
    partly(&mut app, 2, large.more("g"));
    assert_eq!((app.right.has_up(), app.right.current_name()), (false, b"g".as_slice()));
    run(&mut app, "<Down>");
    partly(&mut app, 2, large.more("a"));
    assert_eq!(app.right.current_name(), b"m");
}

#[test]
fn the_cursor_lands_on_the_directory_just_left_when_it_comes() {
    let (mut app, mut large) = (sample::app(), Large::new());
    run(&mut app, "<Backspace>");
    partly(&mut app, 1, large.more("a z"));
    assert_eq!(app.left.current(), Row::Up);
    partly(&mut app, 1, large.more("Downloads b"));
    assert_eq!(app.left.current_name(), b"Downloads");
    whole(&mut app, 1, large.more("c"));
    assert_eq!(app.left.current_name(), b"Downloads");
    // Not when somebody moved it meanwhile.
    let (mut app, mut large) = (sample::app(), Large::new());
    run(&mut app, "<Backspace>");
    partly(&mut app, 1, large.more("a z"));
    run(&mut app, "<End>");
    whole(&mut app, 1, large.more("Downloads b"));
    assert_eq!(app.left.current_name(), b"z");
}

#[test]
fn a_read_can_be_left_while_rows_come() {
    let begin = |script| {
        let (mut app, mut large) = (sample::app(), Large::new());
        run(&mut app, "<Down><Enter>");
        partly(&mut app, 1, large.more("m t"));
        let effects = run(&mut app, script);
        (app, large, effects)
    };
    let (app, _, effects) = begin("<Backspace>");
    assert_eq!(effects, [Effect::StopRead(1), read(2, local("/home/ada/Downloads"))]);
    assert_eq!(all_names(&app.left), "m t", "shown until there are rows of the other");
    let (app, _, effects) = begin("<Tab><Down>");
    assert_eq!((effects, app.right.current_name()), (vec![], b"raw".as_slice()), "the other pane goes on reading");
    let (mut app, mut large, _) = begin("<Down><Insert><Esc>");
    assert_eq!(update(&mut app, Msg::EscapeWaited(2)), [Effect::StopRead(1)]);
    assert_eq!(app.note.text, "Stopped reading: not all of ~/Downloads/albums is shown");
    partly(&mut app, 1, large.more("a z"));
    assert_eq!((all_names(&app.left).as_str(), app.left.partial), ("m t", true));
    // Reading again keeps that until all is there.
    let expected = [reread(3, &app.left)];
    assert_eq!(run(&mut app, "<Ctrl-R>"), expected);
    let listing = reread_of(&app.left, vec![file("a", 1, 0), file("m", 1, 0), file("t", 1, 0)]);
    whole(&mut app, 3, listing);
    assert_eq!((app.left.partial, app.left.current_name()), (false, b"t".as_slice()));
    assert_eq!(sample::names(&app.left.selection()), ["m"]);
}

#[test]
fn a_read_that_fails_half_way_keeps_what_came_and_says_so() {
    let (mut app, mut large) = (sample::app(), Large::new());
    run(&mut app, "<Down><Enter>");
    partly(&mut app, 1, large.more("m t"));
    let lost = Fault::new(Code::Timeout, "the connection is lost");
    assert_eq!(update(&mut app, Msg::Read { generation: 1, result: Err(lost) }), []);
    assert_eq!((all_names(&app.left).as_str(), app.left.partial), ("m t", true));
    assert_eq!(app.note.text, "Cannot read all of ~/Downloads/albums: the connection is lost");
    run(&mut app, "*");
    assert_eq!(app.note.text, "Marked 2 names of those read so far");
    run(&mut app, "-*<Enter>");
    assert_eq!(app.note.text, "Unmarked 2 names of those read so far");
}

#[test]
fn what_is_acted_on_is_what_the_question_named() {
    let (mut app, mut large) = (sample::app(), Large::new());
    run(&mut app, "<Down><Enter>");
    partly(&mut app, 1, large.more("m t"));
    run(&mut app, "<Down><F8>");
    whole(&mut app, 1, large.more("a b c"));
    let removed = Work::Remove(vec![local("/home/ada/Downloads/albums/m")]);
    assert_eq!(run(&mut app, "<Right><Enter>"), [Effect::Work(removed)]);
}

#[test]
fn sorting_needs_no_read() {
    let mut app = sample::app();
    let by_size = Order { by: By::Size, reverse: false };
    let rows = app.left.rows.clone();
    run(&mut app, "<End><Insert>");
    assert_eq!(
        run(&mut app, "<Alt-S>"),
        [Effect::Sort { generation: 1, rows: rows.clone(), order: by_size, sieve: Sieve::default() }]
    );
    let turned = Order { by: By::Size, reverse: true };
    assert_eq!(
        run(&mut app, "<Alt-S>"),
        [Effect::Sort { generation: 2, rows: rows.clone(), order: turned, sieve: Sieve::default() }]
    );
    update(&mut app, Msg::Sorted { generation: 1, rows: rows.arranged(by_size, Sieve::default()) });
    assert_eq!(app.left.rows.order(), Order::default(), "asked for another order since");
    update(&mut app, Msg::Sorted { generation: 2, rows: rows.arranged(turned, Sieve::default()) });
    assert_eq!(all_names(&app.left), "iso albums notes.md boat-plans.pdf debian-12.iso");
    assert_eq!((app.left.current_name(), app.left.marks.len()), (b"notes.md".as_slice(), 1));
    // While a directory is read, at its end.
    let (mut app, mut large) = (sample::app(), Large::new());
    run(&mut app, "<Down><Enter>");
    partly(&mut app, 1, large.more("m t"));
    assert_eq!(run(&mut app, "<Alt-S>"), []);
    let listing = large.more("a");
    let rows = listing.rows.clone();
    assert_eq!(
        whole(&mut app, 1, listing),
        [Effect::Sort { generation: 2, rows, order: by_size, sieve: Sieve::default() }]
    );
    // A read that ends later brings its own order, and the sorting is void.
    let mut app = sample::app();
    let rows = app.left.rows.clone();
    run(&mut app, "<Alt-S><Ctrl-R>");
    let listing = reread_of(&app.left, vec![file("a", 1, 0)]);
    whole(&mut app, 2, Listing { rows: listing.rows.arranged(by_size, Sieve::default()), ..listing });
    update(&mut app, Msg::Sorted { generation: 1, rows });
    assert_eq!(all_names(&app.left), "a");
}
