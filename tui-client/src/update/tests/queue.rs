//! The queue, its questions, and quitting while it runs.

use super::*;

/// Takes up a changed sample; what it wants measured is looked at in tests of its own.
pub(super) fn with_status(app: &mut App, change: impl FnOnce(&mut Status)) -> Vec<Effect> {
    let mut status = sample::status();
    change(&mut status);
    status.open_questions = status.questions.len() as u64;
    let effects = update(app, Msg::Status(Arc::new(status)));
    effects.into_iter().filter(|effect| !matches!(effect, Effect::WatchSpace(_))).collect()
}

#[test]
fn the_queue_has_the_keys() {
    let check = |script: &str, effects: &[Effect]| {
        let mut app = sample::app();
        with_status(&mut app, |status| status.questions.clear());
        assert_eq!(run(&mut app, &format!("<F2>{script}")), effects, "{script}");
    };
    // In the order of the screen: 3 needs a person, 1 and 2 run, 4 is done.
    let command = |id, command| [Effect::Queue(ItemId(id), command)];
    check("p", &command(3, Command::Pause));
    check("<Down>p", &command(1, Command::Pause));
    check("<End><Delete>", &command(4, Command::Forget));
    check("<End>p", &[]);
    check("<End>r", &[]);
    check("<Delete>", &[]);
    check("x", &command(4, Command::Forget));
    check("<F2><Ctrl-R>", &[reread(1, &sample::app().left)]);
    check("<Esc>p", &[Effect::WaitEscape(1)]);
    let mut app = sample::app();
    with_status(&mut app, |status| {
        status.questions.clear();
        status.items.truncate(1);
        status.items[0].state = State::Paused;
    });
    assert_eq!(run(&mut app, "<F2>p"), command(1, Command::Resume));
    with_status(&mut app, |status| status.items.clear());
    assert_eq!(app.focus, Scope::Panes, "an empty queue gives the keys back");
}

#[test]
fn limits_are_typed_for_one_transfer_and_for_all() {
    let limits = |own, all| [Effect::Queue(ItemId(3), Command::Limit(own)), Effect::Limit(all)];
    let mut app = sample::app();
    with_status(&mut app, |status| {
        status.questions.clear();
        status.items[2].limit = Some(3 << 19);
        status.limit = Some(5_000_000);
    });
    for (script, own, all) in [
        ("<Enter>", Some(3 << 19), Some(5_000_000)),
        ("2M<Enter>", Some(2 << 20), Some(5_000_000)),
        ("none<Tab>1.5M<Enter>", None, Some(3 << 19)),
        ("<Down> NONE <Tab><Space>", Some(3 << 19), None),
    ] {
        assert_eq!(run(&mut app, &format!("<F2>l{script}")), limits(own, all), "{script}");
        assert!(app.dialogs.is_empty());
        app.focus = Scope::Panes;
    }
    assert_eq!(run(&mut app, "<F2>l<Tab>fast<Tab><Enter>"), []);
    assert!(app.note.tone == Tone::Bad && app.note.text.starts_with("`fast` is not a size"), "{}", app.note.text);
    assert_eq!(app.dialogs.last().map(|dialog| dialog.focus), Some(1), "back in the field that is wrong");
    assert_eq!(run(&mut app, "<Ctrl-U>0<Enter>"), []);
    assert!(app.note.text.starts_with("a limit below 8K"), "{}", app.note.text);
    assert_eq!(run(&mut app, "<Ctrl-U>8K<Enter>"), limits(Some(3 << 19), Some(8 << 10)));
    assert_eq!(run(&mut app, "l<Esc>"), []);
    assert!(app.dialogs.is_empty());
}

#[test]
fn the_selection_follows_its_item() {
    let mut app = sample::app();
    with_status(&mut app, |status| status.questions.clear());
    run(&mut app, "<F2><Down>");
    assert_eq!(app.queue.selected, Some(ItemId(1)));
    with_status(&mut app, |status| {
        status.questions.clear();
        status.items[0].state = State::Done;
    });
    assert_eq!(app.queue.selected, Some(ItemId(1)));
    with_status(&mut app, |status| {
        status.questions.clear();
        status.items.remove(0);
    });
    assert!(app.queue.selected.is_some_and(|id| id != ItemId(1)));
}

#[test]
fn ends_are_told_and_shown() {
    let mut app = sample::app();
    with_status(&mut app, |status| status.questions.clear());
    let effects = with_status(&mut app, |status| {
        status.questions.clear();
        status.items[1].state = State::Done;
    });
    assert_eq!(effects, [Effect::RereadLater]);
    assert_eq!(app.note.text, "Copied raw/: 340 files proven, 7.6 GiB, 4.0 s, 5.0 MiB were there already");
    assert!(app.left.stale && !app.right.stale);
    with_status(&mut app, |status| {
        status.questions.clear();
        status.items[0].state = State::Failed(Fault::new(Code::Quota, "1.2 GiB more than is free"));
    });
    assert_eq!(
        (app.note.text.as_str(), app.note.tone),
        ("debian-12.iso over quota: 1.2 GiB more than is free", Tone::Bad)
    );
}

#[test]
fn quitting_asks_while_transfers_run() {
    let mut app = sample::app();
    with_status(&mut app, |status| status.questions.clear());
    assert_eq!(run(&mut app, "<F10><Enter>"), [], "the safe button has the keys");
    assert!(app.dialogs.is_empty());
    assert_eq!(run(&mut app, "<F10><Right><Enter>"), [Effect::Quit]);
    let mut app = sample::app();
    with_status(&mut app, |status| status.questions.clear());
    assert_eq!(run(&mut app, "<Ctrl-C><Ctrl-C>"), [Effect::Quit]);
    assert_eq!(update(&mut app, Msg::Terminate), [Effect::Quit]);
}

#[test]
fn quitting_asks_also_when_the_engine_has_not_told_of_a_copy_yet() {
    let mut app = sample::app();
    let idle = |status: &mut Status| (status.questions.clear(), status.items.clear());
    with_status(&mut app, |status| _ = idle(status));
    let effects = run(&mut app, "<End><F5><Enter>");
    let [Effect::Enqueue(items)] = &effects[..] else { panic!("{effects:?}") };
    let job = items[0].job.clone();
    // What was true before it.
    with_status(&mut app, |status| _ = idle(status));
    assert_eq!(run(&mut app, "<F10><Enter>"), [], "it asks, and the safe button has the keys");
    // It came and is over.
    let mut status = sample::status();
    status.questions.clear();
    status.items.truncate(1);
    (status.items[0].job, status.items[0].state) = (job, State::Done);
    update(&mut app, Msg::Status(Arc::new(status)));
    assert_eq!(run(&mut app, "<F10>"), [Effect::Quit]);
}
