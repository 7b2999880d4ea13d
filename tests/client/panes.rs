//! Panes of the real program: what others change shows up by itself, on either side, and nothing is lost by it.

use tests::client::Machine;
use tui_client::engine::Options;
use wire::RemotePath;

use super::*;

const ALT_DOT: &str = "\x1b.";
const ALT_LEFT: &str = "\x1b[1;3D";
const CTRL_SPACE: &str = "\0";
const CTRL_BACKSLASH: &str = "\x1c";

#[tokio::test(flavor = "multi_thread")]
async fn local_changes_show_up_and_leave_cursor_and_marks_alone() {
    let scene = Scene::set().await;
    let mut terminal = scene.logged_in(100, 30);
    go_to(&mut terminal, "from-here");
    press(&mut terminal, &[key::INSERT]);
    terminal.until_shown("1 marked").expect("marked");
    fs::write(scene.local("a-new-one"), "x").expect("written");
    terminal.until_shown("a-new-one").expect("it shows up");
    terminal.until_shown("1 marked  2.0 MiB").expect("the mark stays");
    fs::write(scene.local("from-here"), "shorter").expect("written");
    terminal.until_shown("1 marked  7 B").expect("what is marked is what is there");
    fs::remove_file(scene.local("a-new-one")).expect("removed");
    terminal.until_gone("a-new-one").expect("it goes");
    // A directory whose watched one is gone is left upwards.
    press(&mut terminal, &[key::F7, "sub", key::ENTER]);
    terminal.until_shown("║ sub ").expect("made");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("Downloads/sub").expect("entered");
    fs::remove_dir(scene.local("sub")).expect("removed");
    terminal.until_gone("Downloads/sub").expect("left");
    quit(terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_session_changes_at_the_server_shows_up() {
    let scene = Scene::set().await;
    let terminal = scene.logged_in(100, 30);
    let machine = Machine::new().expect("a machine");
    let other = machine.connect(scene.host.address, "ada", Options::default()).await.expect("connected");
    let path = |name: &str| RemotePath::parse(name.as_bytes()).expect("a path");
    other.engine.mkdir(&path("/made-elsewhere"), false).await.expect("made");
    terminal.until_shown("made-elsewhere").expect("it shows up");
    other.engine.rename(&path("/made-elsewhere"), &path("/renamed-elsewhere"), false).await.expect("renamed");
    terminal.until_shown("renamed-elsewhere").expect("it shows up");
    terminal.until_gone("made-elsewhere").expect("it is gone");
    other.engine.remove(&path("/renamed-elsewhere"), true).await.expect("removed");
    terminal.until_gone("renamed-elsewhere").expect("it is gone");
    quit(terminal);
}

#[tokio::test(flavor = "multi_thread")]
async fn filter_sizes_history_and_hotlist() {
    let scene = Scene::set().await;
    fs::create_dir(scene.local("album")).expect("made");
    files::write(&scene.local("album/picture"), "picture", 3 * MIB).expect("written");
    fs::write(scene.local(".hidden"), "").expect("written");
    files::write(&scene.remote("photos/other"), "other", MIB).expect("written");
    let mut terminal = scene.logged_in(100, 30);
    terminal.until_shown(".hidden").expect("all is shown");
    press(&mut terminal, &[ALT_DOT]);
    terminal.until_shown("1 hidden").expect("it is told");
    press(&mut terminal, &["/alb"]);
    terminal.until_shown("/alb_  1 of 2").expect("filtered");
    assert!(!terminal.look(Screen::contents).contains("from-here"));
    press(&mut terminal, &[CTRL_SPACE]);
    terminal.until_shown("3.0M").expect("its size");
    press(&mut terminal, &[key::ENTER, key::ENTER]);
    terminal.until_shown("picture").expect("entered");
    press(&mut terminal, &[CTRL_BACKSLASH]);
    terminal.until_shown("Hotlist").expect("opened");
    press(&mut terminal, &[key::INSERT]);
    terminal.until_shown("~/Downloads/album ").expect("added");
    press(&mut terminal, &[key::ESC]);
    terminal.until_gone("Hotlist").expect("left");
    press(&mut terminal, &[ALT_LEFT]);
    terminal.until_shown("from-here").expect("back");
    // The same with what is at the server, by another program.
    press(&mut terminal, &[key::TAB]);
    go_to(&mut terminal, "photos");
    press(&mut terminal, &[CTRL_SPACE]);
    terminal.until_shown("1.0M").expect("its size");
    quit(terminal);
    let mut terminal = scene.logged_in(100, 30);
    press(&mut terminal, &[CTRL_BACKSLASH]);
    terminal.until_shown("~/Downloads/album ").expect("it was kept");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("picture").expect("gone there");
    quit(terminal);
}
