//! Working on the queue: order, priority, several at once, the whole screen, what is looked for.

use wire::message::Time;

use super::queue::with_status;
use super::*;
use crate::engine::status::{Priority, Shift};
use crate::update::Finale;

/// A queue of five that wait, or as `states` say.
fn app(states: &[State]) -> App {
    let mut app = sample::app();
    with_status(&mut app, |status| {
        status.questions.clear();
        let one = status.items[0].clone();
        status.items = (1_u64..).zip(states).map(|(id, state)| sample::item(id, state.clone(), &one)).collect();
        for item in &mut status.items {
            item.name = format!("file-{}", item.id.0);
        }
    });
    app
}

fn waiting() -> App {
    app(&[State::Waiting, State::Waiting, State::Waiting, State::Waiting, State::Waiting])
}

fn commands(ids: &[u64], command: Command) -> Vec<Effect> {
    ids.iter().map(|id| Effect::Queue(ItemId(*id), command)).collect()
}

fn shifted(ids: &[u64], shift: Shift) -> Vec<Effect> {
    vec![Effect::Shift(ids.iter().copied().map(ItemId).collect(), shift)]
}

#[test]
fn keys_for_one_for_the_marked_and_for_all() {
    for (script, effects) in [
        ("u", shifted(&[1], Shift::Earlier)),
        ("<Down><Ctrl-Down>", shifted(&[2], Shift::Later)),
        ("<Down>t", shifted(&[2], Shift::First)),
        ("<Space><Down><Space>b", shifted(&[1, 3], Shift::Last)),
        ("+", commands(&[1], Command::Priority(Priority::High))),
        ("<Insert><Insert>-", commands(&[1, 2], Command::Priority(Priority::Low))),
        ("*p", commands(&[1, 2, 3, 4, 5], Command::Pause)),
        ("<Space>*p", commands(&[2, 3, 4, 5], Command::Pause)),
        ("<Space><Up><Space>p", commands(&[2], Command::Pause)),
        ("P", commands(&[1, 2, 3, 4, 5], Command::Pause)),
        ("R", vec![]),
        // Stopping asks; the safe answer has the keys.
        ("c<Enter>", commands(&[1], Command::Resume)),
        ("c<Right><Enter>", commands(&[1], Command::Pause)),
        ("c<Right><Right><Enter>", commands(&[1], Command::Cancel)),
        ("d<Right><Right><Right><Enter>", commands(&[1], Command::Discard)),
        ("c<Esc>", vec![]),
        ("<Space><Space>c<Right><Right><Enter>", commands(&[1, 2], Command::Cancel)),
        ("C<Right><Right><Enter>", commands(&[1, 2, 3, 4, 5], Command::Cancel)),
        ("C<Esc>", vec![]),
    ] {
        let mut app = waiting();
        assert_eq!(run(&mut app, &format!("<F2>{script}")), effects, "{script}");
        assert!(app.dialogs.is_empty(), "{script}");
    }
}

#[test]
fn what_is_over_is_tried_again_and_forgotten() {
    let fault = || State::Failed(Fault::new(Code::Quota, "full"));
    let states = [fault(), State::Done, fault(), State::Cancelled, State::Paused];
    for (script, effects) in [
        ("R", commands(&[1, 3], Command::Retry)),
        ("P", commands(&[5], Command::Resume)),
        ("*r", commands(&[1, 3], Command::Retry)),
        ("*<Delete>", commands(&[1, 2, 3, 4], Command::Forget)),
        // The paused one stands first.
        ("<Down>d", commands(&[1], Command::Discard)),
        ("<Down>c", vec![]),
        ("<End>d", commands(&[4], Command::Discard)),
        ("<End>u", vec![]),
    ] {
        let mut app = app(&states);
        assert_eq!(run(&mut app, &format!("<F2>{script}")), effects, "{script}");
    }
}

#[test]
fn the_whole_screen_and_back() {
    for (script, open, focus) in [
        ("<Ctrl-O>", true, Scope::Queue),
        ("<F2><Ctrl-O>", true, Scope::Queue),
        ("<Ctrl-O><Ctrl-O>", false, Scope::Panes),
        ("<Ctrl-O><F2>", false, Scope::Panes),
        ("<Ctrl-O><Tab>", false, Scope::Panes),
        ("<F2>/", true, Scope::Queue),
    ] {
        let mut app = waiting();
        run(&mut app, script);
        assert_eq!((app.board.open, app.focus), (open, focus), "{script}");
    }
    let mut app = waiting();
    run(&mut app, "<F2><Down><Ctrl-O>");
    assert_eq!(app.queue.selected, Some(ItemId(2)), "what was selected stays so");
    run(&mut app, "<Ctrl-O>");
    assert_eq!(app.note.text, "", "the queue's keys are no longer told of");
    run(&mut app, "<Ctrl-O>");
    assert_eq!(app.queue.selected, Some(ItemId(1)), "from the panes it begins at the top");
    let mut app = sample::app();
    run(&mut app, "<Ctrl-O>");
    assert!(app.board.is_full(app.focus), "an empty queue has it as well");
    with_status(&mut app, |status| status.items.clear());
    assert!(app.board.is_full(app.focus));
}

#[test]
fn what_the_message_line_told_stays_in_the_log_with_its_time() {
    let mut app = app(&[State::Done]);
    let before = app.log.told();
    let told = |app: &App| {
        app.log.since(before).map(|line| (line.at.secs, line.note.tone, line.note.text.clone())).collect::<Vec<_>>()
    };
    assert_eq!(told(&app), []);
    for (secs, script) in [(10, "<Ctrl-O>R"), (20, "<Ctrl-O><Ctrl-O>c"), (30, "<Ctrl-O>")] {
        assert_eq!(update(&mut app, Msg::Clock(Time { secs, nanos: 0 })), []);
        run(&mut app, script);
    }
    let nothing = "Nothing there that this could be done to";
    let lines = [(10, nothing), (20, "Nothing to cancel")].map(|(at, text)| (at, Tone::Plain, text.to_owned()));
    assert_eq!(told(&app), lines);
}

#[test]
fn a_click_on_the_log_selects_nothing() {
    let mut app = waiting();
    run(&mut app, "<Ctrl-O>");
    let area = crate::app::layout::Layout::of(&app).unwrap().queue;
    let list = crate::app::layout::queue_rows(&app, area);
    assert!(area.bottom() - list.bottom() > 3, "there is a log");
    for row in list.y..area.bottom() {
        let before = app.queue.selected;
        let down = MouseEventKind::Down(MouseButton::Left);
        let click = MouseEvent { kind: down, column: 5, row, modifiers: KeyModifiers::NONE };
        update(&mut app, Msg::Mouse(click, u64::from(row) * 1000));
        assert!(row < list.bottom() || app.queue.selected == before, "{row}");
    }
}

#[test]
fn what_is_looked_for_is_all_that_is_shown_and_done_to() {
    let mut app = waiting();
    assert_eq!(run(&mut app, "<Ctrl-O>/E-3<Enter>"), []);
    assert_eq!((app.board.wanted.as_str(), app.queue.selected), ("E-3", Some(ItemId(3))));
    assert_eq!(run(&mut app, "<Down><Down>p"), commands(&[3], Command::Pause));
    assert_eq!(run(&mut app, "*p"), commands(&[3], Command::Pause), "marks are set on what is shown");
    run(&mut app, "<Esc>");
    let waited = app.escape.unwrap_or_default();
    update(&mut app, Msg::EscapeWaited(waited));
    assert!(app.board.wanted.is_empty() && app.board.open, "Esc shows all before it leaves");
    // Pasted text is looked for and never run.
    run(&mut app, "/");
    assert_eq!(update(&mut app, Msg::Paste("C\rp\n".into())), []);
    assert_eq!((app.board.wanted.as_str(), app.dialogs.len()), ("Cp", 0));
}

#[test]
fn the_end_of_the_queue_is_told_once_and_not_when_somebody_stops_it() {
    let end = |app: &mut App, states: &[State]| {
        let effects = with_status(app, |status| {
            status.questions.clear();
            let one = status.items[0].clone();
            status.items = (1_u64..).zip(states).map(|(id, state)| sample::item(id, state.clone(), &one)).collect();
        });
        effects.into_iter().find_map(|effect| match effect {
            Effect::QueueEnded(finale) => Some(finale),
            _ => None,
        })
    };
    let fault = State::Failed(Fault::new(Code::Quota, "full"));
    let sent = sample::status().items[0].sent;
    let mut app = waiting();
    assert_eq!(end(&mut app, &[State::Done, State::Running]), None);
    let finale = Finale { done: 1, failed: 1, needs_you: 0, sent: 2 * sent };
    assert_eq!(end(&mut app, &[State::Done, fault.clone()]), Some(finale));
    assert_eq!(end(&mut app, &[State::Done, fault]), None);
    let mut app = waiting();
    assert_eq!(end(&mut app, &[State::Paused, State::Cancelled]), None);
    let mut app = waiting();
    let waits = Finale { done: 0, failed: 0, needs_you: 1, sent: 2 * sent };
    assert_eq!(end(&mut app, &[State::NeedsYou, State::Paused]), Some(waits));
}
