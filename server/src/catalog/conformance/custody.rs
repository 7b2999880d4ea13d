//! What every catalog must keep for the custody of stored files.

use super::*;

pub(super) async fn findings_belong_to_their_records(catalog: &Catalog) {
    let ada = user(catalog, "ada", None, None).await;
    let all = async || catalog.recorded(&Round::first(Scope::One(ada)), 100).await.expect("read");
    for at in ["a/x", "a/y", "b"] {
        catalog.put_record(ada, &path(at), record(2 << 20, 5)).await.expect("put");
    }
    let damaged =
        async |at: &str| matches!(catalog.known(ada, vec![path(at)]).await.expect("read")[0], Known::Damaged(_));
    let note = async |at: &str, what| {
        catalog.note_finding(&RecordKey::home(ada, &path(at)), record(2 << 20, 5).stamp, what).await.expect("noted");
    };
    note("a/x", What::Damaged).await;
    note("b", What::Changed).await;
    note("nothing", What::Missing).await;
    catalog.note_finding(&RecordKey::home(ada, &path("a/y")), record(1, 9).stamp, What::Damaged).await.expect("none");
    let found: Vec<_> = all().await.into_iter().map(|it| it.found).collect();
    assert_eq!(found, [Some(What::Changed), Some(What::Damaged), None], "the home first");
    assert!(damaged("a/x").await && !damaged("a/y").await && !damaged("b").await);
    assert_eq!(catalog.record(ada, &path("a/x")).await.expect("read"), None, "it vouches for nothing");
    let listed = catalog.records_in(ada, &path("a"), vec![b"x".to_vec(), b"y".to_vec()]).await.expect("read");
    assert_eq!(listed.into_keys().collect::<Vec<_>>(), [b"y".to_vec()]);
    assert_eq!(catalog.stamps(ada, vec![path("a/x")]).await.expect("read")[0].1, record(2 << 20, 5).stamp);

    // Whoever reads other bytes of the same size and time has not read a newer file.
    for inode in [5, 6] {
        let stamp = Stamp { inode, root: Root([77; 32]), ..record(2 << 20, 5).stamp };
        for at in ["a/x", "a/y"] {
            catalog.put_record(ada, &path(at), Record { stamp, cvs: Vec::new() }).await.expect("passed over");
        }
    }
    assert!(damaged("a/x").await);
    assert_eq!(catalog.record(ada, &path("a/y")).await.expect("read"), Some(record(2 << 20, 5)));

    // To other names and to the trash and back.
    let change = async |records| {
        let change = catalog.begin_change(ada, mark()).await.expect("begun");
        catalog.settle_change(change, Change { records, ..Change::default() }).await.expect("settled");
    };
    change(RecordChange::Moved { from: path("a"), to: path("c") }).await;
    assert!(damaged("c/x").await && !damaged("a/x").await);
    let (moved, id) = catalog.begin_trash(ada, &path("c"), 0).await.expect("begun");
    let records = RecordChange::Trashed { path: path("c"), id };
    catalog.settle_change(moved, Change { records, ..Change::default() }).await.expect("settled");
    let trashed: Vec<_> = all().await.into_iter().map(|it| (it.place, it.found)).collect();
    let place = |name: &str| Place::Trash(path(format!("{id}/{name}")));
    let expected = [(place("x"), Some(What::Damaged)), (place("y"), None)];
    assert_eq!(trashed, [&[(Place::Home(path("b")), Some(What::Changed))], expected.as_slice()].concat());
    change(RecordChange::Restored { id, path: path("c") }).await;
    assert!(damaged("c/x").await);

    // New content, or a proof, ends it.
    publish(catalog, ada, "c/x", 7, Some(2 << 20)).await;
    assert!(!damaged("c/x").await);
    let key = RecordKey::home(ada, &path("b"));
    catalog.note_proof(&key, record(2 << 20, 5).stamp, 77).await.expect("noted");
    let proven = catalog.record(ada, &path("b")).await.expect("read").expect("it holds again");
    assert_eq!((proven.stamp.inode, all().await.iter().all(|it| it.found.is_none())), (77, true));
    catalog.forget_records(vec![key]).await.expect("forgotten");
    assert_eq!(all().await.len(), 2);
}

pub(super) async fn marks_say_what_a_change_is_about(catalog: &Catalog) {
    let ada = user(catalog, "ada", None, None).await;
    let home = |at: &str| Place::Home(path(at));
    let moved = Mark { from: home("a/b"), to: Some(home("c")) };
    let restored = Mark { from: Place::trash(7), to: Some(home("d")) };
    let all = [moved, restored, Mark { from: home("e"), to: None }];
    for mark in &all {
        catalog.begin_change(ada, mark.clone()).await.expect("begun");
    }
    let (_, id) = catalog.begin_trash(ada, &path("f"), 1).await.expect("begun");
    catalog.begin_erase(ada, id).await.expect("begun").expect("it is there");
    let trashed = Mark { from: home("f"), to: Some(Place::trash(id)) };
    let erased = Mark { from: Place::trash(id), to: None };
    let marks = catalog.marks(ada).await.expect("read");
    assert_eq!(marks, [all.as_slice(), &[trashed, erased]].concat());

    for at in ["d", "d!", "d/1", "d/2/3", "d0", "e"] {
        catalog.put_record(ada, &path(at), record(1, 1)).await.expect("put");
    }
    let below = async |place: &Place, after| {
        let found = catalog.recorded_below(ada, place, after, 2).await.expect("read");
        found.into_iter().map(|it| (it.place, it.key)).collect::<Vec<_>>()
    };
    let first = below(&home("d"), None).await;
    let rest = below(&home("d"), first.last().map(|(_, key)| key.clone())).await;
    let places: Vec<_> = first.into_iter().chain(rest).map(|(place, _)| place).collect();
    assert_eq!(places, [home("d"), home("d/1"), home("d/2/3")]);
    catalog.follow(ada, &home("d"), &Place::trash(9)).await.expect("followed");
    let places: Vec<_> = below(&Place::trash(9), None).await.into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, [Place::trash(9), Place::Trash(path("9/1"))]);
    assert!(below(&home("d"), None).await.is_empty());
}

pub(super) async fn a_record_stands_still_or_says_that_it_may_not(catalog: &Catalog) {
    let ada = user(catalog, "ada", None, None).await;
    publish(catalog, ada, "a", 7, None).await;
    let (key, stamp) = (RecordKey::home(ada, &path("a")), record(7, 9).stamp);
    let standing = async |stamp| catalog.standing(&key, stamp).await.expect("read");
    assert_eq!(standing(stamp).await, Standing::Same);
    assert_eq!(standing(record(8, 9).stamp).await, Standing::Other);
    let other = begin(catalog, ada, "b", 1).await;
    assert_eq!(standing(stamp).await, Standing::Same, "another file");
    let intent = begin(catalog, ada, "a", 8).await;
    assert_eq!(standing(stamp).await, Standing::Unsettled);
    assert_eq!(catalog.ledger(ada).await.expect("read"), (7, 1, true));
    for intent in [other, intent] {
        catalog.abandon_publish(intent).await.expect("abandoned");
    }
    assert_eq!(catalog.ledger(ada).await.expect("read"), (7, 1, false));
    let change = catalog.begin_change(ada, mark()).await.expect("begun");
    assert_eq!(standing(stamp).await, Standing::Unsettled);
    let records = RecordChange::Removed(path("a"));
    catalog.settle_change(change, Change { records, ..Change::default() }).await.expect("settled");
    assert_eq!(standing(stamp).await, Standing::Other);
}

pub(super) async fn rounds_go_on_where_they_were(catalog: &Catalog) {
    let (ada, bob) = (user(catalog, "ada", None, None).await, user(catalog, "bob", None, None).await);
    for (owner, at) in [(ada, "a"), (ada, "a/b"), (ada, "\u{1}"), (bob, "z"), (bob, "y/y")] {
        catalog.put_record(owner, &path(at), record(1, 1)).await.expect("put");
    }
    let walk = async |scope, anew, most: usize| {
        let mut round = catalog.begin_round(scope, anew).await.expect("begun");
        let mut seen = Vec::new();
        while seen.len() < most {
            let page = catalog.recorded(&round, 1).await.expect("read");
            let Some(next) = page.into_iter().next() else { break };
            let Place::Home(at) = next.place else { panic!("{:?}", next.place) };
            seen.push(format!("{}{at}", next.name));
            (round.at, round.files) = (next.key, round.files + 1);
        }
        catalog.save_round(&round, seen.len() < most).await.expect("saved");
        (seen, round.files)
    };
    let all = ["ada/\\x01", "ada/a", "ada/a/b", "bob/z", "bob/y/y"].map(str::to_owned).to_vec();
    let is_due = async |days| catalog.round_is_due(Scope::Clock, days).await.expect("read");
    assert!(is_due(1).await, "there was none");
    assert_eq!(walk(Scope::Clock, false, 2).await, (all[..2].to_vec(), 2));
    assert!(is_due(1).await, "it was cut off");
    assert_eq!(walk(Scope::All, false, 1).await, (all[..1].to_vec(), 1), "each scope has its own");
    assert_eq!(walk(Scope::Clock, false, 9).await, (all[2..].to_vec(), 5));
    assert!(!is_due(1).await && is_due(0).await);
    assert_eq!(walk(Scope::All, true, 9).await, (all.clone(), 5));
    assert_eq!(walk(Scope::All, false, 9).await, (all.clone(), 5), "the last one was over");
    assert_eq!(walk(Scope::One(bob), false, 9).await, (all[3..].to_vec(), 2));
    assert_eq!(walk(Scope::One(ada), false, 9).await, (all[..3].to_vec(), 3));

    // What a round that was cut off had found, and nothing beyond that or from before it.
    let mut round = catalog.begin_round(Scope::All, true).await.expect("begun");
    let records = catalog.recorded(&round, 9).await.expect("read");
    for at in [1, 3] {
        catalog.note_finding(&records[at].key, records[at].stamp, What::Missing).await.expect("noted");
    }
    round.at = records[2].key.clone();
    let found = catalog.found(&round).await.expect("read");
    assert_eq!(found.into_iter().map(|it| it.key).collect::<Vec<_>>(), [records[1].key.clone()]);
    assert!(catalog.found(&Round { started: i64::MAX, ..round.clone() }).await.expect("read").is_empty());
    assert!(catalog.found(&Round { scope: Scope::One(bob), ..round }).await.expect("read").is_empty());
}

pub(super) async fn rescans_are_asked_for_and_answered(catalog: &Catalog) {
    let ada = user(catalog, "ada", None, None).await;
    assert!(matches!(catalog.rescan_answer(ada).await, Err(CatalogError::UserGone)));
    catalog.ask_rescan(ada).await.expect("asked");
    assert_eq!(catalog.asked_rescans().await.expect("read"), [(ada, name("ada"))]);
    assert_eq!(catalog.rescan_answer(ada).await.expect("read"), None);
    let done = Rescanned { before: (1, 2), after: (3, 4), taken: 5, ..Rescanned::default() };
    for answer in [Ok(done), Err("the disk failed".to_owned())] {
        catalog.answer_rescan(ada, &answer).await.expect("answered");
        assert_eq!(catalog.asked_rescans().await.expect("read"), []);
        assert_eq!(catalog.rescan_answer(ada).await.expect("read"), Some(answer));
    }
    catalog.ask_rescan(ada).await.expect("asked again");
    assert_eq!(catalog.rescan_answer(ada).await.expect("read"), None);
    catalog.withdraw_rescan(ada).await.expect("withdrawn");
    assert_eq!(catalog.asked_rescans().await.expect("read"), []);
}
