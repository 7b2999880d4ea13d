//! What is taken, retried, asked and told, by the clock that is passed in.

use super::super::super::item::{Again, Kept, Leave};
use super::super::super::status::{AfterCopy, Direction, IfExists, Remedy, Reply};
use std::sync::Arc;

use super::super::{Appetite, Taken};
use super::*;
use wire::RemotePath;
use wire::transfer::Tally;

fn up(name: &str) -> Job {
    Job::Up { source: name.into(), target: RemotePath::parse(name.as_bytes()).expect("a path") }
}

/// A running item with a file of each size, and its outcomes.
fn rows(if_exists: IfExists, sizes: &[u64]) -> (Rows, mpsc::UnboundedReceiver<Outcome>) {
    rows_of(NewItem { job: up("tree"), if_exists, source: AfterCopy::Keep }, sizes)
}

fn rows_of(new: NewItem, sizes: &[u64]) -> (Rows, mpsc::UnboundedReceiver<Outcome>) {
    let mut rows = Rows::default();
    let outcomes = rows.listen();
    let id = rows.add(new);
    let (_, scan, _) = rows.next_scan(Instant::now()).expect("the item itself");
    for (index, size) in sizes.iter().enumerate() {
        let side = Side { size: *size, mtime: Default::default(), root: None };
        let file = File::new(id, up(&format!("tree/{index}")), 1, side, Target::Unknown);
        rows.with(id, |item| item.pending.push_back(file));
    }
    rows.scanned(id, scan, Ok(()), Instant::now());
    (rows, outcomes)
}

const ALL: Appetite = Appetite { lane: 0, direction: None, files: 10, bytes: 1000, large: true };

fn names(taken: Taken) -> Vec<String> {
    match taken {
        Taken::Small(works) => works.iter().map(|work| work.file.shown_target()).collect(),
        Taken::Large(work) => vec![format!("large {}", work.file.shown_target())],
        Taken::Nothing(_) => Vec::new(),
    }
}

fn one(rows: &mut Rows, now: Instant) -> File {
    match rows.take(ALL, &Arc::default(), now) {
        Taken::Small(mut works) if works.len() == 1 => works.remove(0).file,
        other => panic!("not one file: {other:?}"),
    }
}

#[test]
fn a_limited_item_has_one_lane_and_nobody_beside_it() {
    let (now, flow) = (Instant::now(), Arc::default());
    let (mut rows, _outcomes) = rows(IfExists::Ask, &[1; 4]);
    let free = rows.add(NewItem { job: up("free"), if_exists: IfExists::Ask, source: AfterCopy::Keep });
    for name in ["free/0", "free/1", "free/2"] {
        let side = Side { size: 1, mtime: Default::default(), root: None };
        let file = File::new(free, up(name), 1, side, Target::Unknown);
        rows.with(free, |item| item.pending.push_back(file));
    }
    let on = |lane, files| Appetite { lane, files, ..ALL };
    let take = |rows: &mut Rows, lane, files| names(rows.take(on(lane, files), &flow, now));
    assert_eq!(take(&mut rows, 0, 1), ["/tree/0"]);
    rows.items[0].limit.set(Some(1000));
    assert_eq!(take(&mut rows, 0, 1), ["/tree/1"], "it stays on its lane");
    assert_eq!(take(&mut rows, 1, 1), ["/free/0"], "which others pass by");
    rows.items[0].active.clear();
    assert!(take(&mut rows, 1, 10).is_empty(), "a lane with others is emptied first");
    assert_eq!(take(&mut rows, 0, 10), ["/tree/2", "/tree/3"], "and not filled up with others");
    assert!(take(&mut rows, 0, 10).is_empty());
    rows.items[0].limit.set(None);
    assert_eq!(take(&mut rows, 0, 1), ["/free/1"]);
}

#[test]
fn small_files_go_together_and_large_ones_alone_in_order() {
    let (now, flow) = (Instant::now(), Arc::default());
    let (mut rows, _outcomes) = rows(IfExists::Ask, &[1, 999, 1, 5 << 20, 2]);
    assert_eq!(names(rows.take(ALL, &flow, now)), ["/tree/0", "/tree/1"]);
    let other_way = Appetite { direction: Some(Direction::Down), ..ALL };
    assert!(names(rows.take(other_way, &flow, now)).is_empty());
    assert_eq!(names(rows.take(ALL, &flow, now)), ["/tree/2"]);
    assert!(names(rows.take(Appetite { large: false, ..ALL }, &flow, now)).is_empty());
    assert_eq!(names(rows.take(ALL, &flow, now)), ["large /tree/3"]);
    assert_eq!(names(rows.take(ALL, &flow, now)), ["/tree/4"]);
}

#[test]
fn faults_heal_or_are_final() {
    let now = Instant::now();
    let (mut rows, mut outcomes) = rows(IfExists::Ask, &[1]);
    let mut file = one(&mut rows, now);
    let mut later = now;
    for _ in 0..MOST_CHANGES {
        rows.faulted(file, Fault::new(Code::Changed, "changed"), later);
        let Taken::Nothing(Some(until)) = rows.take(ALL, &Arc::default(), later) else { panic!("it waits") };
        later = until;
        file = one(&mut rows, later);
    }
    rows.faulted(file, Fault::new(Code::Changed, "changed"), later);
    assert!(
        matches!(outcomes.try_recv().map(|outcome| outcome.end), Ok(End::Failed(fault)) if fault.code == Code::Changed)
    );

    rows.with(ItemId(1), Item::retry);
    let file = one(&mut rows, later);
    rows.faulted(file, Fault::new(Code::Quota, "full").with(Detail::Shortfall(3)), later);
    assert!(
        matches!(outcomes.try_recv().map(|outcome| outcome.end), Ok(End::Failed(fault)) if fault.code == Code::Quota)
    );
    assert_eq!(rows.next_due(later), None);
}

#[test]
fn an_existing_target_is_looked_at_again_and_so_is_a_taken_number() {
    let now = Instant::now();
    let (mut rows, _outcomes) = rows(IfExists::Ask, &[1]);
    let file = one(&mut rows, now);
    let detail = Detail::Existing { size: 7, mtime: Default::default(), root: None };
    let exists = Fault::new(Code::Exists, "exists").with(detail);
    rows.faulted(file, exists.clone(), now);
    let mut file = one(&mut rows, now);
    assert!(matches!(file.target, Target::There(Side { size: 7, .. })));
    file.renames = 1;
    rows.faulted(file, exists, now);
    let file = one(&mut rows, now);
    assert!(matches!(file.target, Target::There(_)), "it may be the same file, sent before");
    assert_eq!(file.shown_target(), "/tree/0 (1)");
}

#[test]
fn an_answer_for_all_also_counts_for_what_comes() {
    let now = Instant::now();
    let (mut rows, mut outcomes) = rows(IfExists::Ask, &[1, 2, 3]);
    let Taken::Small(works) = rows.take(ALL, &Arc::default(), now) else { panic!("three files") };
    let side = works[0].file.source;
    let mut files: Vec<File> = works.into_iter().map(|work| work.file).collect();
    let last = files.pop().expect("three files");
    files.into_iter().for_each(|file| rows.ask(file, side));
    let (questions, _) = rows.questions();
    assert_eq!(questions.len(), 2);
    rows.answer(questions[1].id, Reply { answer: IfExists::Skip, for_all: true });
    rows.ask(last, side);
    assert_eq!(rows.questions(), (Vec::new(), 0));
    let Taken::Small(works) = rows.take(ALL, &Arc::default(), now) else { panic!("three files") };
    assert!(works.len() == 3 && works.iter().all(|work| work.policy == IfExists::Skip));
    assert!(outcomes.try_recv().is_err());
}

#[test]
fn a_cancelled_item_drops_what_has_not_begun_and_discards_the_rest() {
    let now = Instant::now();
    let (mut rows, mut outcomes) = rows(IfExists::Ask, &[1, 2]);
    let mut file = match rows.take(Appetite { files: 1, ..ALL }, &Arc::default(), now) {
        Taken::Small(mut works) => works.remove(0).file,
        other => panic!("{other:?}"),
    };
    file.begun = true;
    rows.put_back(file);
    rows.with(ItemId(1), |item| item.cancel(false));
    let Taken::Large(work) = rows.take(ALL, &Arc::default(), now) else { panic!("a file to discard") };
    assert!(work.file.discard);
    rows.put_back(work.file);
    assert!(rows.next_due(now).is_none() && outcomes.try_recv().is_err());
}

#[test]
fn a_moved_file_is_told_when_its_source_is_gone_and_tried_until_then() {
    let now = Instant::now();
    let new = NewItem { job: up("tree"), if_exists: IfExists::Ask, source: AfterCopy::Remove };
    let (mut rows, mut outcomes) = rows_of(new, &[1, 1]);
    let Taken::Small(works) = rows.take(ALL, &Arc::default(), now) else { panic!("two files") };
    let done = Finish::Done { root: wire::Root([7; 32]), tally: Tally { sent: 1, held: 0 } };
    for work in works {
        rows.with(ItemId(1), |item| item.end(&work.live));
        rows.settle(&work.file, done);
    }
    assert!(outcomes.try_recv().is_err() && !rows.items[0].is_over(), "proven is not moved");
    let Some((id, Leave::Files(mut files))) = rows.next_leave(false, now) else { panic!("two sources") };
    let lost = Kept { fault: Fault::new(Code::Timeout, "lost"), again: Again::Remove };
    let (second, first) = (files.pop().expect("two"), files.pop().expect("two"));
    rows.left(id, vec![(first, Ok(())), (second, Err(lost.clone()))], now);
    assert_eq!(outcomes.try_recv().map(|outcome| outcome.end), Ok(End::Done));
    assert!(outcomes.try_recv().is_err() && rows.next_leave(true, now).is_none() && rows.has_waiting_leaves());
    let later = now + LONGEST_PAUSE;
    let Some((_, Leave::Files(files))) = rows.next_leave(true, later) else { panic!("tried again") };
    // Whoever cancels now keeps it at both ends.
    rows.with(id, |item| item.cancel(true));
    rows.left(id, files.into_iter().map(|file| (file, Err(lost.clone()))).collect(), later);
    assert!(rows.items[0].is_over() && rows.next_leave(true, later + LONGEST_PAUSE).is_none());
    assert!(outcomes.try_recv().is_err());
}

#[test]
fn what_was_refused_waits_for_a_person_and_the_rest_goes_on() {
    let now = Instant::now();
    let (mut rows, mut outcomes) = rows(IfExists::Ask, &[1, 2, 3, 4]);
    rows.refused = Refused::Waits;
    let Taken::Small(works) = rows.take(ALL, &Arc::default(), now) else { panic!("four files") };
    let fault = |code| Fault::new(code, "refused");
    let codes = [Code::Quota, Code::Denied, Code::Quota, Code::NotFound];
    for (work, code) in works.into_iter().zip(codes) {
        rows.with(ItemId(1), |item| item.end(&work.live));
        rows.faulted(work.file, fault(code), now);
    }
    // Nobody can bring back a source that is gone.
    assert!(
        matches!(outcomes.try_recv().map(|outcome| outcome.end), Ok(End::Failed(fault)) if fault.code == Code::NotFound)
    );
    assert!(outcomes.try_recv().is_err() && names(rows.take(ALL, &Arc::default(), now)).is_empty());
    let (questions, open) = rows.questions();
    assert_eq!((questions.len(), open, rows.items[0].is_over()), (3, 3, false));
    assert_eq!(questions[1].refusal(), Some(&fault(Code::Denied)));
    rows.remedy(questions[0].id, Remedy::Again { all: true });
    assert_eq!(names(rows.take(ALL, &Arc::default(), now)), ["/tree/0", "/tree/2"]);
    rows.remedy(questions[1].id, Remedy::Leave { all: false });
    assert!(
        matches!(outcomes.try_recv().map(|outcome| outcome.end), Ok(End::Failed(fault)) if fault.code == Code::Denied)
    );
    assert_eq!((rows.questions().1, rows.items[0].failed.len()), (0, 2));
}

#[test]
fn both_are_kept_under_a_name_of_choice() {
    let now = Instant::now();
    let (mut rows, _outcomes) = rows(IfExists::Ask, &[1]);
    let file = one(&mut rows, now);
    let side = file.source;
    rows.ask(file, side);
    let id = rows.questions().0[0].id;
    for bad in [b"a/b".as_slice(), b"..", b""] {
        rows.remedy(id, Remedy::Name(bad.to_vec()));
        assert_eq!(rows.questions().1, 1, "{bad:?}");
    }
    rows.remedy(id, Remedy::Name(b"new".to_vec()));
    let file = one(&mut rows, now);
    assert_eq!((file.shown_target().as_str(), file.target, file.choice), ("/tree/new", Target::Unknown, None));
}

#[test]
fn what_waits_for_a_person_ends_the_looking_and_an_answer_for_all_takes_it_up_again() {
    let now = Instant::now();
    let (mut rows, _outcomes) = rows(IfExists::Ask, &[]);
    let id = ItemId(1);
    rows.with(id, |item| item.scans.push(Scan { depth: 1, is_root: false, ..Scan::new(up("tree/sub")) }));
    let side = Side { size: 1, mtime: Default::default(), root: None };
    for number in 0..10_000 {
        rows.ask(File::new(id, up(&format!("tree/{number}")), 1, side, Target::Unknown), side);
    }
    assert!(rows.next_scan(now).is_none());
    let first = rows.questions().0[0].id;
    rows.answer(first, Reply { answer: IfExists::Skip, for_all: true });
    rows.with(id, |item| item.pending.clear());
    assert!(rows.next_scan(now).is_some());
}
