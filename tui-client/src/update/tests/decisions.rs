//! Decisions: when they show, what keys do about one, about several, and about a whole copy.

use wire::fault::Detail;

use super::*;
use crate::app::decisions::number;
use crate::engine::status::{About, Remedy};

fn asked(app: &App) -> Option<QuestionId> {
    match app.dialogs.last().map(|dialog| &dialog.kind) {
        Some(Kind::Decide { question: Question { id, .. }, .. }) => Some(*id),
        _ => None,
    }
}

fn is_list(app: &App) -> bool {
    matches!(app.dialogs.last().map(|dialog| &dialog.kind), Some(Kind::Decisions))
}

/// A refusal that a person can do something about.
fn refused() -> About {
    let fault = Fault::new(Code::Quota, "over quota: 1.2 GiB more than is free");
    About::Refused(fault.with(Detail::Shortfall(1_288_490_189)))
}

/// Questions with these names, of these items; those above 10 are refusals.
fn asking(status: &mut Status, ids: &[(u64, u64)]) {
    let like = status.questions[0].clone();
    let question = |(id, item): &(u64, u64)| Question {
        id: QuestionId(*id),
        item: ItemId(*item),
        about: if *id > 10 { refused() } else { like.about.clone() },
        ..like.clone()
    };
    status.questions = ids.iter().map(question).collect();
    status.open_questions = ids.len() as u64;
}

fn app_asking(ids: &[(u64, u64)]) -> App {
    let mut app = sample::app();
    with_status(&mut app, |status| asking(status, ids));
    app
}

fn reply(id: u64, answer: IfExists, for_all: bool) -> Effect {
    Effect::Answer(QuestionId(id), Reply { answer, for_all })
}

/// What the keys want done, beside the comparing of contents, which has a test of its own.
fn run(app: &mut App, script: &str) -> Vec<Effect> {
    let effects = super::run(app, script).into_iter();
    effects.filter(|effect| !matches!(effect, Effect::Hash { .. } | Effect::StopCount(_))).collect()
}

#[test]
fn a_question_never_opens_by_itself_and_is_told_of() {
    let mut app = sample::app();
    run(&mut app, "<F7>ne");
    with_status(&mut app, |_| {});
    assert_eq!(app.note.text, "1 decision waits: Ctrl-D");
    assert_eq!(run(&mut app, "w<Enter>"), [Effect::Work(Work::MakeDirectory(local("/home/ada/Downloads/new")))]);
    assert!(app.dialogs.is_empty(), "the prompt is gone and nothing took its place");
    run(&mut app, "<Ctrl-D>");
    assert!(is_list(&app));
    assert_eq!(run(&mut app, "<Esc>"), []);
    assert!(app.dialogs.is_empty());
    assert_eq!(number(&app), 1, "put off is not decided");
    run(&mut app, "<F2><Enter>");
    assert_eq!(asked(&app), Some(QuestionId(1)), "the queue opens that of its item");
    let mut app = sample::app();
    run(&mut app, "<Ctrl-D>");
    assert_eq!((app.dialogs.len(), app.note.text.as_str()), (0, "Nothing waits for a decision"));
}

#[test]
fn one_decision() {
    for (script, answer, for_all) in [
        ("u", IfExists::Update, false),
        ("<Down><Right><Enter>", IfExists::Update, false),
        ("<Down><Right><Right><Enter>", IfExists::Overwrite, false),
        ("<Space>n", IfExists::Newer, true),
        ("<Tab><Tab><Tab><Tab><Tab><Space>", IfExists::Skip, false),
        ("<Space>r", IfExists::Rename, true),
    ] {
        let mut app = app_asking(&[(1, 3)]);
        run(&mut app, "<Ctrl-D><Enter>");
        assert_eq!(run(&mut app, script), [reply(1, answer, for_all)], "{script}");
        with_status(&mut app, |_| {});
        assert!(app.dialogs.is_empty() && number(&app) == 0, "not again before the engine has taken it up: {script}");
    }
    let mut app = app_asking(&[(1, 3)]);
    run(&mut app, "<Ctrl-D><Enter>");
    with_status(&mut app, |status| asking(status, &[]));
    assert!(app.dialogs.is_empty(), "a question that is gone takes its dialogs along");
}

#[test]
fn another_name_keeps_both() {
    let mut app = app_asking(&[(1, 3)]);
    run(&mut app, "<Ctrl-D>r");
    assert_eq!(run(&mut app, "<Enter>"), []);
    assert_eq!(app.note.text, "harbour-001.tif is the name that exists: type another one");
    assert_eq!(run(&mut app, "<Ctrl-U>a/b<Enter>"), []);
    assert_eq!(app.note.text, "Type a single name");
    let named = Effect::Remedy(QuestionId(1), Remedy::Name(b"new.tif".to_vec()));
    assert_eq!(run(&mut app, "<Ctrl-U>new.tif<Enter>"), [named]);
    assert!(app.dialogs.is_empty());
}

#[test]
fn what_was_refused_is_tried_again_left_or_cancelled() {
    let remedy = |remedy| [Effect::Remedy(QuestionId(11), remedy)];
    let check = |script: &str, effects: &[Effect]| {
        let mut app = app_asking(&[(11, 3)]);
        run(&mut app, "<Ctrl-D>");
        assert_eq!(run(&mut app, script), effects, "{script}");
    };
    check("t", &remedy(Remedy::Again { all: false }));
    check("s", &remedy(Remedy::Leave { all: false }));
    check("<Enter><Space>t", &remedy(Remedy::Again { all: true }));
    check("<Tab><Right><Enter>", &remedy(Remedy::Leave { all: false }));
    check("c", &[Effect::Queue(ItemId(3), Command::Cancel)]);
    check("o", &[]);
    check("<Enter>", &[]);
}

#[test]
fn several_are_marked_and_decided_together() {
    let mut app = app_asking(&[(1, 3), (2, 3), (11, 2), (12, 2)]);
    run(&mut app, "<Ctrl-D><Space><Down><Space>");
    assert_eq!(app.decisions.marks.len(), 2);
    // Each takes what makes sense for it: a conflict cannot be tried again.
    assert_eq!(run(&mut app, "t"), [Effect::Remedy(QuestionId(11), Remedy::Again { all: false })]);
    assert_eq!((number(&app), app.note.text.as_str()), (3, "Decided, 3 decisions wait: Ctrl-D"));
    assert!(is_list(&app));
    let all = [
        reply(1, IfExists::Skip, false),
        reply(2, IfExists::Skip, false),
        Effect::Remedy(QuestionId(12), Remedy::Leave { all: false }),
    ];
    assert_eq!(run(&mut app, "*s"), all);
    assert!(app.dialogs.is_empty(), "nothing is left in it");
}

#[test]
fn the_cursor_stays_on_its_decision_while_others_come_and_go() {
    let mut app = app_asking(&[(1, 3), (2, 3), (3, 3)]);
    run(&mut app, "<Ctrl-D><Down>");
    let under = |app: &App| app.decisions.cursor.map(|(id, _)| id);
    assert_eq!(under(&app), Some(QuestionId(2)));
    with_status(&mut app, |status| asking(status, &[(2, 3), (3, 3), (4, 3)]));
    assert_eq!((under(&app), app.dialogs[0].focus), (Some(QuestionId(2)), 0));
    // The keys stay on their button, too.
    run(&mut app, "<Tab><Tab>");
    assert_eq!(app.dialogs[0].focus, 4);
    with_status(&mut app, |status| asking(status, &[(2, 3), (4, 3)]));
    assert_eq!((under(&app), app.dialogs[0].focus), (Some(QuestionId(2)), 3));
    assert_eq!(run(&mut app, "<Enter>"), [reply(2, IfExists::Overwrite, false)]);
    assert_eq!(under(&app), Some(QuestionId(4)), "the next one is under it");
}

#[test]
fn one_answer_for_all_that_was_copied_together() {
    let mut app = sample::app();
    let effects = run(&mut app, "<End><Insert><Up><Insert><F5><Enter>");
    let [Effect::Enqueue(items)] = effects.as_slice() else { panic!("{effects:?}") };
    let jobs: Vec<Job> = items.iter().map(|item| item.job.clone()).collect();
    // Those of item 3 are about something else.
    let ask = |status: &mut Status, ids: &[(u64, u64)]| {
        status.items[0].job = jobs[0].clone();
        status.items[1].job = jobs[1].clone();
        asking(status, ids);
    };
    with_status(&mut app, |status| ask(status, &[(1, 1), (3, 3), (11, 1), (12, 2), (13, 3)]));
    assert_eq!(run(&mut app, "<Ctrl-D><Enter><Space>u"), [reply(1, IfExists::Update, true)]);
    assert!(is_list(&app) && number(&app) == 4);
    let later = with_status(&mut app, |status| ask(status, &[(2, 2), (3, 3), (11, 1), (12, 2), (13, 3)]));
    assert_eq!(later, [reply(2, IfExists::Update, true)]);
    let again = |id| Effect::Remedy(QuestionId(id), Remedy::Again { all: true });
    assert_eq!(run(&mut app, "<Down><Enter><Space>t"), [again(11), again(12)]);
    assert_eq!(number(&app), 2);
}

#[test]
fn what_the_engine_has_compared_before_it_asked_is_not_compared_again() {
    let mut app = sample::app();
    with_status(&mut app, |status| {
        let there = *status.questions[0].existing().unwrap();
        status.questions[0].about =
            About::Exists(crate::engine::status::Side { root: Some(wire::Root([1; 32])), ..there });
    });
    assert_eq!(super::run(&mut app, "<Ctrl-D>"), []);
    let question = crate::app::decisions::find(&app, QuestionId(1)).unwrap();
    assert_eq!(crate::app::decisions::contents(&app, question), "other content");
}

#[test]
fn contents_of_equal_size_are_compared_behind_the_decision_that_is_looked_at() {
    use wire::Root;
    let mut app = app_asking(&[(1, 3), (2, 3)]);
    let hash = |serial, place| Effect::Hash { serial, place };
    let (here, there) = (local("/home/ada/Downloads/harbour-001.tif"), remote("/photos/harbour-001.tif"));
    assert_eq!(super::run(&mut app, "<Ctrl-D>"), [hash(1, here.clone()), hash(2, there.clone())]);
    let told =
        |app: &App, id| crate::app::decisions::contents(app, crate::app::decisions::find(app, QuestionId(id)).unwrap());
    update(&mut app, Msg::Hashing { serial: 1, done: 3 << 20 });
    assert_eq!((told(&app, 1).as_str(), told(&app, 2).as_str()), ("comparing… 3.0 MiB", ""));
    // Another one is looked at: the first comparison stops.
    let moved = super::run(&mut app, "<Down>");
    assert_eq!(moved, [Effect::StopCount(1), Effect::StopCount(2), hash(3, here), hash(4, there)]);
    update(&mut app, Msg::Hashed { serial: 2, result: Ok(Root([1; 32])) });
    update(&mut app, Msg::Hashed { serial: 4, result: Ok(Root([1; 32])) });
    assert_eq!(told(&app, 2), "comparing…");
    update(&mut app, Msg::Hashed { serial: 3, result: Ok(Root([1; 32])) });
    assert_eq!(told(&app, 2), "same content");
    assert_eq!(super::run(&mut app, "<Enter>"), [], "it is known by now");
    super::run(&mut app, "<Esc><Up>");
    assert_eq!(super::run(&mut app, "<Esc>"), [Effect::StopCount(5), Effect::StopCount(6)]);
}
