//! Pictures of the queue in the whole screen.

use wire::message::Time;

use super::*;
use crate::engine::status::Priority;

/// Something in every group, in every size.
fn full(width: u16, height: u16) -> App {
    let mut app = sized(width, height);
    let mut status = sample::status();
    let one = status.items[0].clone();
    let more = [
        sample::item(5, State::Waiting, &ItemStatus { priority: Priority::High, bytes_done: 0, ..one.clone() }),
        sample::item(6, State::Paused, &ItemStatus { limit: Some(2 << 20), source: AfterCopy::Remove, ..one.clone() }),
        sample::item(7, State::Failed(Fault::new(Code::Quota, "1.2 GiB too little")), &one),
        sample::item(8, State::Waiting, &ItemStatus { priority: Priority::Low, bytes_done: 0, ..one.clone() }),
        sample::item(9, State::Done, &ItemStatus { source: AfterCopy::Remove, ..one.clone() }),
    ];
    status.items.extend(more);
    status.items[1].eta = Some(Duration::from_secs(3 * 3600 + 65));
    status.limit = Some(300 << 20);
    update(&mut app, Msg::Status(Arc::new(status)));
    app.dialogs.clear();
    for (second, (tone, text)) in (0_i64..).zip([
        (Tone::Plain, "Queued debian-12.iso"),
        (Tone::Good, "Copied boat-plans.pdf: proven, 14.2 MiB, 0.2 s"),
        (Tone::Plain, "Retrying"),
        (Tone::Bad, "Connection lost: the server at harbour does not answer any more, and it is tried again and again"),
        (Tone::Good, "Connected to ada@harbour"),
    ]) {
        update(&mut app, Msg::Clock(Time { secs: NOW.secs + second, nanos: 0 }));
        app.tell(tone, text);
    }
    update(&mut app, Msg::Key(KeyEvent::new(KeyCode::Char('o'), KeyModifiers::CONTROL)));
    app
}

#[test]
fn the_queue_in_the_whole_screen() {
    let mut shown = String::new();
    for (width, height) in [(80, 24), (120, 40), (40, 12)] {
        let mut app = full(width, height);
        press(&mut app, KeyCode::Down);
        press(&mut app, KeyCode::Insert);
        shown += &format!("{width}x{height}\n{}\n", picture(&app));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_search_in_it_and_its_end() {
    let mut app = full(80, 12);
    for c in ['/', 'r', 'a', 'w'] {
        press(&mut app, KeyCode::Char(c));
    }
    let found = picture(&app);
    press(&mut app, KeyCode::Char('x'));
    insta::assert_snapshot!(found + "\n" + &picture(&app));
}

#[test]
fn an_empty_queue_with_an_empty_log() {
    let mut app = sized(80, 24);
    update(&mut app, Msg::Key(KeyEvent::new(KeyCode::Char('o'), KeyModifiers::CONTROL)));
    insta::assert_snapshot!(picture(&app));
}
