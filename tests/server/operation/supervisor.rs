//! What systemd hears of the server, on the socket that it names in the environment.

use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tests::line::PATIENCE;

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // Gone already: fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_says_that_it_is_ready_alive_reloading_and_going_down() {
    let dir = tempfile::tempdir().expect("a directory");
    let socket = UnixDatagram::bind(dir.path().join("notify")).expect("bound");
    socket.set_read_timeout(Some(PATIENCE)).expect("set");
    let heard = || {
        let mut message = [0; 500];
        let len = socket.recv(&mut message).expect("something is said");
        String::from_utf8_lossy(&message[..len]).into_owned()
    };
    let until = |wanted: &str| while !heard().lines().any(|line| line == wanted) {};
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    command
        .args(["--listen", "127.0.0.1:0", "--config"])
        .arg(dir.path().join("server.toml"))
        .arg("--data-dir")
        .arg(dir.path().join("data"))
        .env("NOTIFY_SOCKET", dir.path().join("notify"))
        .env("WATCHDOG_USEC", Duration::from_millis(100).as_micros().to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    std::fs::write(dir.path().join("server.toml"), "").expect("written");
    let mut child = Ended(command.spawn().expect("started"));
    let pid = Pid::from_child(&child.0);
    assert_eq!(heard().lines().next(), Some("READY=1"), "nothing is said before that");
    until("WATCHDOG=1");
    until("WATCHDOG=1");
    kill_process(pid, Signal::HUP).expect("sent");
    until("RELOADING=1");
    until("READY=1");
    kill_process(pid, Signal::TERM).expect("sent");
    until("STOPPING=1");
    assert!(child.0.wait().expect("ended").success());
}
