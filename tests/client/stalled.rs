//! A local disk that never answers: a file system whose server reads no request, mounted in a name space of its own,
//! which needs no privileges where the system lets users have these. Where it does not, this says so and shows nothing.

use std::io::Write;
use std::process::Command;

use super::*;

/// `$1` the place of the dead disk, `$2` the program, then its arguments. Nobody reads what the kernel asks of the disk.
const SCRIPT: &str = r#"
exec 3<>/dev/fuse && mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead "$1" || exit 90
shift
exec "$@"
"#;

/// Whether this system lets its users mount such a disk.
fn may_mount(dead: &Path) -> bool {
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", SCRIPT, "sh"]).arg(dead).arg("true");
    let may = command.output().is_ok_and(|output| output.status.success());
    if !may {
        // Past the capture of a test's output: it must not look as if it had been shown.
        writeln!(std::io::stderr(), "not shown: this system lets nobody mount a disk of their own").expect("told");
    }
    may
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_disk_stops_neither_the_screen_nor_the_other_pane_nor_a_transfer() {
    let scene = Scene::set().await;
    let disks = scene.local("disks");
    (0..5).for_each(|n| fs::create_dir_all(disks.join(format!("disk-{n}"))).expect("made"));
    // The last that a listing tells: the others are told before it.
    let listed = fs::read_dir(&disks).expect("read").map(|row| row.expect("a row").path());
    let dead = listed.last().expect("five");
    std::os::unix::fs::symlink(&dead, scene.local("way-in")).expect("made");
    if !may_mount(&dead) {
        return;
    }
    let target = format!("ada@{}", scene.proxy.address);
    let client = env!("CARGO_BIN_EXE_tui-client");
    let place = dead.to_str().expect("text");
    let arguments = ["-rm", "sh", "-c", SCRIPT, "sh", place, client, "--local", "Downloads", "--accept-new", &target];
    let program = Path::new("unshare");
    let mut terminal = Terminal::start(program, &arguments, scene.machine.path(), (100, 30)).expect("started");
    terminal.until_shown("password").expect("it asks");
    press(&mut terminal, &[PASSWORD, key::ENTER]);
    terminal.until_shown("photos").expect("the server's pane is read");
    terminal.until_shown("way-in").expect("and the local one");
    // The directory that it lies in: what it is is not known, and all that came before it is shown.
    go_to(&mut terminal, "disks");
    press(&mut terminal, &[key::ENTER]);
    let is_alive = |number: &usize| !dead.ends_with(format!("disk-{number}"));
    for number in (0..5).filter(is_alive) {
        terminal.until_shown(&format!("disk-{number}")).expect("it is shown");
    }
    press(&mut terminal, &[key::ESC]);
    terminal.until_shown("Stopped reading: not all of ~/Downloads/disks is shown").expect("Esc leaves it");
    press(&mut terminal, &[key::BACKSPACE]);
    terminal.until_shown("way-in").expect("back");

    // Into the dead disk.
    go_to(&mut terminal, "way");
    press(&mut terminal, &[key::ENTER]);
    press(&mut terminal, &[key::TAB]);
    go_to(&mut terminal, "from-server");
    press(&mut terminal, &[key::F5]);
    terminal.until_shown("Copy to this machine").expect("asked");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("Copied from-server: proven").expect("the other pane and the queue work");
    assert_eq!(root(&scene.local("from-server")).expect("there"), root(&scene.remote("from-server")).expect("there"));
    press(&mut terminal, &[key::TAB, key::ESC]);
    terminal.until_shown("No longer reading ~/Downloads/way-in").expect("Esc leaves it");

    // A copy from there waits, and keeps nobody from leaving.
    press(&mut terminal, &[key::F5]);
    terminal.until_shown("Copy to the server").expect("asked");
    press(&mut terminal, &[key::ENTER]);
    terminal.until_shown("Queued 1 item").expect("queued");
    press(&mut terminal, &[key::F10]);
    terminal.until_shown("1 transfer").expect("asked");
    press(&mut terminal, &[key::F10]);
    assert_eq!(terminal.ended().expect("it ends").exit_code(), 0);
    restored(&terminal);
}
