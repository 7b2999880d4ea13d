//! Transfers of the last time, and leaving them for the next one.

use super::queue::with_status;
use super::*;
use crate::engine::Restored;
use crate::engine::status::Keep;

fn command(id: u64, command: Command) -> Effect {
    Effect::Queue(ItemId(id), command)
}

fn restored() -> App {
    let mut app = sample::app();
    with_status(&mut app, |status| {
        status.questions.clear();
        status.items.iter_mut().for_each(|item| item.state = State::Paused);
    });
    update(&mut app, Msg::Restored(Restored { items: vec![ItemId(1), ItemId(2)], told: None }));
    app
}

#[test]
fn what_was_left_over_goes_on_waits_or_goes() {
    for (script, effects) in [
        ("<Enter>", vec![command(1, Command::Resume), command(2, Command::Resume)]),
        ("<Right><Enter>", vec![]),
        ("<Esc>", vec![]),
        ("<Right><Right><Enter><Enter>", vec![]),
        (
            "<Right><Right><Enter><Right><Enter>",
            vec![
                command(1, Command::Cancel),
                command(1, Command::Forget),
                command(2, Command::Cancel),
                command(2, Command::Forget),
            ],
        ),
    ] {
        let mut app = restored();
        assert_eq!(run(&mut app, script), effects, "{script}");
        assert!(app.dialogs.is_empty(), "{script}");
    }
    let mut app = restored();
    run(&mut app, "<Right><Enter>");
    assert_eq!(app.focus, Scope::Queue, "a review is in the queue");
}

#[test]
fn nothing_left_over_asks_nothing_and_damage_is_told() {
    let mut app = sample::app();
    let told = Some("The kept queue could not be read".to_owned());
    update(&mut app, Msg::Restored(Restored { items: vec![], told: told.clone() }));
    assert!(app.dialogs.is_empty());
    assert_eq!((Some(app.note.text.clone()), app.note.tone), (told, Tone::Bad));
}

#[test]
fn quitting_leaves_the_queue_or_drops_it() {
    let busy = || {
        let mut app = sample::app();
        with_status(&mut app, |status| status.questions.clear());
        app
    };
    assert_eq!(run(&mut busy(), "<F10><Right><Enter>"), [Effect::Quit]);
    let mut dropped = run(&mut busy(), "<F10><Right><Right><Enter><Right><Enter>");
    assert_eq!(dropped.pop(), Some(Effect::Quit));
    let ids = [1, 2, 3].into_iter().flat_map(|id| [command(id, Command::Cancel), command(id, Command::Forget)]);
    assert_eq!(dropped, ids.collect::<Vec<_>>());
    assert_eq!(run(&mut busy(), "<F10><Right><Right><Enter><Enter>"), [], "the safe button has the keys");
    // A queue that cannot be kept is not promised.
    let mut app = sample::app();
    with_status(&mut app, |status| {
        status.questions.clear();
        status.keep = Keep::Failed("no space".into());
    });
    assert_eq!(run(&mut app, "<F10><Right><Right><Enter>"), [Effect::Quit], "there is no third button");
}
