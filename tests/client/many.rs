//! Very many marked names in the real program: one item of the queue, also after a kill, and a deletion that tells how
//! far it is.

use std::time::Duration;

use super::*;

/// More than are items of their own.
const MANY: usize = 600;
const SHIFT_END: &str = "\x1b[1;2F";
const CTRL_T: &str = "\x14";
const ALT_Z: &str = "\x1bz";

#[tokio::test(flavor = "multi_thread")]
async fn many_are_one_item_that_is_taken_up_again_and_go_as_one() {
    let scene = Scene::set().await;
    for number in 0..MANY {
        files::write(&scene.local(&format!("many/{number:04}")), &number.to_string(), 10_000).expect("written");
    }
    files::write(&scene.local("many/sub/deep"), "deep", 10_000).expect("written");
    scene.slow("1MiB");
    let mut terminal = scene.logged_in(100, 30);
    go_to(&mut terminal, "many");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("║ 0001").expect("read");
    press(&mut terminal, &[SHIFT_END]);
    terminal.until_shown("601 marked").expect("marked");
    press(&mut terminal, &[key::F5]);
    terminal.until_shown("601 marked, 1 directory among them").expect("asked");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("marks in many/").expect("one item");
    terminal.until("some of it sent", |_| scene.proxy.passed(Way::Up) > MIB).expect("it runs");
    terminal.kill().expect("killed");
    drop(terminal);
    assert!(!scene.remote("0599").exists(), "not all was sent");

    scene.slow("none");
    let mut terminal = scene.client(100, 30);
    terminal.until_shown("password").expect("it asks");
    press(&mut terminal, &[PASSWORD, key::ENTER]);
    terminal.until_shown("1 transfer").expect("it asks");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("601 files proven").expect("all of it is there");
    for number in 0..MANY {
        let name = format!("{number:04}");
        let (here, there) = (fs::read(scene.local("many").join(&name)), fs::read(scene.remote(&name)));
        assert!(here.expect("here") == there.expect("there"), "{name}");
    }
    assert!(scene.remote("sub/deep").exists());

    go_to(&mut terminal, "many");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("║ 0001").expect("read");
    press(&mut terminal, &[SHIFT_END]);
    terminal.until_shown("601 marked").expect("marked");
    press(&mut terminal, &[key::F8]);
    terminal.until_shown("Delete 601 things on this machine?").expect("asked");
    press(&mut terminal, &[key::TAB, key::ENTER]);
    terminal.until_shown("Deleted 601 things").expect("deleted");
    assert_eq!(fs::read_dir(scene.local("many")).expect("it stays").count(), 0);
    quit(terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_moves_at_a_far_server_and_their_undoing_go_together() {
    let scene = Scene::set().await;
    fs::create_dir(scene.remote("far")).expect("made");
    for number in 0..1000 {
        fs::write(scene.remote("far").join(format!("{number:04}")), "").expect("written");
    }
    let mut terminal = scene.logged_in(100, 30);
    press(&mut terminal, &[CTRL_T]);
    terminal
        .until("both panes at the server", |screen| screen.contents().matches("from-server").count() == 2)
        .expect("read");
    press(&mut terminal, &[key::TAB]);
    go_to(&mut terminal, "far");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("║ 0001").expect("read");
    press(&mut terminal, &[SHIFT_END]);
    terminal.until_shown("1,000 marked").expect("marked");
    // One after another they would take two minutes there and five back.
    [Way::Up, Way::Down].into_iter().for_each(|way| scene.proxy.delay(way, Duration::from_millis(50)));
    press(&mut terminal, &[key::F6]);
    terminal.until_shown("1,000 marked").expect("asked");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("Moved 1,000 things").expect("moved");
    assert!(scene.remote("0000").exists() && scene.remote("0999").exists());
    press(&mut terminal, &[ALT_Z]);
    terminal.until_shown("Taken back: 1,000 things").expect("back");
    assert_eq!(fs::read_dir(scene.remote("far")).expect("read").count(), 1000);
    quit(terminal);
}
