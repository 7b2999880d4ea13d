//! The server's real program as a child process, with a data directory of its own: it can be killed,
//! ended politely, started again at the same port, and weighed.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
pub use rustix::process::Signal;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, kill_process, prlimit};
use tempfile::TempDir;

use crate::host::PASSWORD;
use crate::line::PATIENCE;
use crate::session::Session;

/// A running server program.
#[derive(Debug)]
pub struct Daemon {
    /// Where it listens, also after a restart.
    pub address: SocketAddr,
    binary: PathBuf,
    place: TempDir,
    child: Child,
}

impl Daemon {
    /// Starts `binary` and waits until it says that it listens.
    pub fn start(binary: &Path) -> Result<Self> {
        Self::with_config(binary, "")
    }

    /// Starts `binary` with a configuration file.
    pub fn with_config(binary: &Path, config: &str) -> Result<Self> {
        let place = tempfile::tempdir()?;
        fs::write(place.path().join("server.toml"), config)?;
        let (child, address) = spawn(binary, place.path(), "127.0.0.1:0")?;
        Ok(Self { address, binary: binary.to_owned(), place, child })
    }

    /// Makes an account with [`PASSWORD`] by the account flags.
    pub fn add_user(&self, name: &str, quota: &str) -> Result<()> {
        self.run(&["--add-user", name, "--quota", quota, "--password-stdin"], PASSWORD).map(drop)
    }

    /// Runs the program on the same data directory, with `input` on its standard input; fails when it does.
    pub fn run(&self, flags: &[&str], input: &str) -> Result<Output> {
        self.flags().run(flags, input)
    }

    /// The same from elsewhere, whatever becomes of the daemon.
    pub fn flags(&self) -> Flags {
        Flags { binary: self.binary.clone(), data_dir: self.data_dir() }
    }

    /// The program on the same data directory and configuration, not started yet.
    pub fn command(&self, flags: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(self.place.path().join("server.toml"));
        command.arg("--data-dir").arg(self.data_dir()).args(flags);
        command
    }

    /// Runs it to its end, whatever it exits with.
    pub fn try_run(&self, flags: &[&str]) -> Result<Output> {
        Ok(self.command(flags).stdin(Stdio::null()).output()?)
    }

    /// Ends it without a warning, as a power cut would (but for the disk's caches).
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end, and waits.
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            ensure!(start.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends it a signal, and does not wait.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Puts another configuration file in the place of its own, as an editor does it, and has it read anew.
    pub fn reload(&self, config: &str) -> Result<()> {
        let (file, new) = (self.place.path().join("server.toml"), self.place.path().join("server.toml.new"));
        fs::write(&new, config)?;
        fs::rename(new, file)?;
        self.signal(Signal::HUP)
    }

    /// Where its configuration and its log lie.
    pub fn place(&self) -> &Path {
        self.place.path()
    }

    /// Stops it for `time`, as a machine without a processor to spare would.
    pub fn pause(&self, time: Duration) -> Result<()> {
        self.signal(Signal::STOP)?;
        std::thread::sleep(time);
        self.signal(Signal::CONT)
    }

    /// Starts it again, on the same data and at the same port.
    pub fn restart(&mut self) -> Result<()> {
        // Reaped already or not: one that still runs would keep the port.
        let _ = self.kill();
        let (child, address) = spawn(&self.binary, self.place.path(), &self.address.to_string())?;
        (self.child, self.address) = (child, address);
        Ok(())
    }

    /// Starts it again and kills it after `time`, whatever it is at by then.
    pub fn restart_and_kill(&mut self, time: Duration) -> Result<()> {
        let _ = self.kill();
        self.child = command(&self.binary, self.place.path(), &self.address.to_string())?.spawn()?;
        std::thread::sleep(time);
        self.kill()
    }

    /// Logs in with [`PASSWORD`].
    pub async fn login(&self, name: &str) -> Result<Session> {
        Session::login(self.address, name, PASSWORD).await
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.place.path().join("data")
    }

    /// Where a user's files lie.
    pub fn home(&self, name: &str) -> PathBuf {
        self.data_dir().join("users").join(name).join("files")
    }

    /// Where a user's unfinished uploads lie.
    pub fn staging(&self, name: &str) -> PathBuf {
        self.data_dir().join("users").join(name).join("staging")
    }

    /// Where what a user deleted lies.
    pub fn trash(&self, name: &str) -> PathBuf {
        self.data_dir().join("users").join(name).join("trash")
    }

    /// Files, sockets and the like that it has open now.
    pub fn descriptors(&self) -> Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }

    /// Bytes of memory that it occupies now.
    pub fn resident(&self) -> Result<u64> {
        self.weigh("VmRSS:")
    }

    /// The same as soon as it is below `bytes`, or after a while of patience.
    pub async fn resident_when_below(&self, bytes: u64) -> u64 {
        let start = Instant::now();
        loop {
            match self.resident() {
                Ok(now) if now >= bytes && start.elapsed() < PATIENCE / 2 => {}
                now => return now.unwrap_or(u64::MAX),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The most that it has occupied so far.
    pub fn peak(&self) -> Result<u64> {
        self.weigh("VmHWM:")
    }

    fn weigh(&self, what: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(what)).context("a figure")?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1024)
    }

    /// From now on it cannot open more than so many.
    pub fn limit_descriptors(&self, most: u64) -> Result<()> {
        let limit = Rlimit { current: Some(most), ..getrlimit(Resource::Nofile) };
        prlimit(Some(Pid::from_child(&self.child)), Resource::Nofile, limit)?;
        Ok(())
    }

    /// What it has logged so far.
    pub fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(self.place.path().join("log"))?)
    }
}

/// The account flags of a data directory.
#[derive(Clone, Debug)]
pub struct Flags {
    binary: PathBuf,
    data_dir: PathBuf,
}

impl Flags {
    /// Runs the program with `input` on its standard input; fails when it does.
    pub fn run(&self, flags: &[&str], input: &str) -> Result<Output> {
        let mut command = Command::new(&self.binary);
        command.arg("--data-dir").arg(&self.data_dir).args(flags);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn()?;
        child.stdin.take().context("a pipe")?.write_all(input.as_bytes())?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "{flags:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(output)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Gone already: fine.
        let _ = self.kill();
    }
}

fn command(binary: &Path, place: &Path, listen: &str) -> Result<Command> {
    let log = File::options().create(true).append(true).open(place.join("log"))?;
    let mut command = Command::new(binary);
    command.arg("--config").arg(place.join("server.toml"));
    command.arg("--data-dir").arg(place.join("data")).args(["--listen", listen]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    Ok(command)
}

fn spawn(binary: &Path, place: &Path, listen: &str) -> Result<(Child, SocketAddr)> {
    let mut child = command(binary, place, listen)?.spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("a pipe")?).read_line(&mut line)?;
    match line.trim().strip_prefix("listening on ") {
        Some(address) => Ok((child, address.parse()?)),
        None => {
            let _ = child.kill();
            bail!("it said `{}`; {}", line.trim(), fs::read_to_string(place.join("log"))?)
        }
    }
}
