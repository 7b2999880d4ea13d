//! A program in a pseudo-terminal, with a terminal emulator at the other end: keys in, a screen out.
//! Nothing here waits for a fixed time; everything waits for what it wants to see.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use vt100::{Parser, Screen};

use crate::line::PATIENCE;

/// A program that believes it runs in a terminal.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    display: Arc<Display>,
}

struct Display {
    shown: Mutex<Shown>,
    changed: Condvar,
    /// What the person and the terminal itself send to the program.
    keyboard: Mutex<Box<dyn Write + Send>>,
    keys: Keys,
}

/// How much the terminal tells of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// What terminals always told.
    Plain,
    /// As kitty does, when asked to.
    Kitty,
}

struct Shown {
    parser: Parser,
    /// Everything that was written, for what a screen does not remember.
    written: Vec<u8>,
    over: bool,
}

/// Keys that are not one character.
pub mod key {
    /// Enter.
    pub const ENTER: &str = "\r";
    /// Tab.
    pub const TAB: &str = "\t";
    /// Escape.
    pub const ESC: &str = "\x1b";
    /// Backspace.
    pub const BACKSPACE: &str = "\x7f";
    /// Arrow up.
    pub const UP: &str = "\x1b[A";
    /// Arrow down.
    pub const DOWN: &str = "\x1b[B";
    /// Home.
    pub const HOME: &str = "\x1b[H";
    /// End.
    pub const END: &str = "\x1b[F";
    /// Insert.
    pub const INSERT: &str = "\x1b[2~";
    /// F1.
    pub const F1: &str = "\x1bOP";
    /// F2.
    pub const F2: &str = "\x1bOQ";
    /// F3.
    pub const F3: &str = "\x1bOR";
    /// F4.
    pub const F4: &str = "\x1bOS";
    /// F5.
    pub const F5: &str = "\x1b[15~";
    /// F6.
    pub const F6: &str = "\x1b[17~";
    /// F7.
    pub const F7: &str = "\x1b[18~";
    /// F8.
    pub const F8: &str = "\x1b[19~";
    /// F10.
    pub const F10: &str = "\x1b[21~";
    /// Ctrl-C.
    pub const CTRL_C: &str = "\x03";
    /// Ctrl-R.
    pub const CTRL_R: &str = "\x12";
    /// Ctrl-Z.
    pub const CTRL_Z: &str = "\x1a";
}

impl Terminal {
    /// Starts a program in a terminal of so many columns and rows. `home` becomes its home directory,
    /// so that it neither reads nor writes the tester's own files.
    pub fn start(program: &Path, args: &[&str], home: &Path, size: (u16, u16)) -> Result<Self> {
        Self::start_with(Keys::Plain, program, args, home, size)
    }

    /// The same, in a terminal with such keys.
    pub fn start_with(
        keys: Keys,
        program: &Path,
        args: &[&str],
        home: &Path,
        (columns, rows): (u16, u16),
    ) -> Result<Self> {
        let pair = native_pty_system().openpty(size(columns, rows)).map_err(|error| anyhow!(error))?;
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(home);
        command.env("HOME", home);
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env("TZ", "UTC");
        for variable in
            ["SSH_AUTH_SOCK", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_DOWNLOAD_DIR", "NO_COLOR"]
        {
            command.env_remove(variable);
        }
        let child = pair.slave.spawn_command(command).map_err(|error| anyhow!(error))?;
        drop(pair.slave);
        let reader = pair.master.try_clone_reader().map_err(|error| anyhow!(error))?;
        let keyboard = pair.master.take_writer().map_err(|error| anyhow!(error))?;
        let parser = Parser::new(nonzero(rows)?, nonzero(columns)?, 0);
        let shown = Mutex::new(Shown { parser, written: Vec::new(), over: false });
        let display = Arc::new(Display { shown, changed: Condvar::new(), keyboard: Mutex::new(keyboard), keys });
        let theirs = Arc::clone(&display);
        std::thread::spawn(move || theirs.show(reader));
        Ok(Self { child, master: pair.master, display })
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) -> Result<()> {
        Ok(self.display.send(keys)?)
    }

    /// Waits until the screen shows what is wanted.
    pub fn until(&self, what: &str, mut is_so: impl FnMut(&Screen) -> bool) -> Result<()> {
        let start = Instant::now();
        let mut shown = self.display.lock();
        while !is_so(shown.parser.screen()) {
            let left = PATIENCE.checked_sub(start.elapsed()).filter(|_| !shown.over);
            let Some(left) = left else {
                bail!("never seen: {what}; the screen shows\n{}", shown.parser.screen().contents())
            };
            shown = self.display.changed.wait_timeout(shown, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Waits until `text` is somewhere on the screen.
    pub fn until_shown(&self, text: &str) -> Result<()> {
        self.until(&format!("`{text}`"), |screen| screen.contents().contains(text))
    }

    /// Waits until `text` is nowhere on the screen.
    pub fn until_gone(&self, text: &str) -> Result<()> {
        self.until(&format!("the end of `{text}`"), |screen| !screen.contents().contains(text))
    }

    /// Looks at the screen as it is.
    pub fn look<T>(&self, at: impl FnOnce(&Screen) -> T) -> T {
        at(self.display.lock().parser.screen())
    }

    /// All bytes that the program has written.
    pub fn written(&self) -> Vec<u8> {
        self.display.lock().written.clone()
    }

    /// Changes the size of the window: first what is shown, then the program hears of it, which may draw at once.
    pub fn resize(&self, columns: u16, rows: u16) -> Result<()> {
        self.display.lock().parser.set_size(nonzero(rows)?, nonzero(columns)?);
        self.master.resize(size(columns, rows)).map_err(|error| anyhow!(error))
    }

    /// Whether the line discipline is as a shell wants it: lines, echo.
    pub fn is_cooked(&self) -> Result<bool> {
        let modes = self.master.get_termios().context("a terminal has modes")?;
        let (canonical, echo) = (0o2, 0o10);
        Ok(modes.local_flags.bits() & (canonical | echo) == canonical | echo)
    }

    /// The number of the process.
    pub fn process(&self) -> Result<rustix::process::Pid> {
        let id = i32::try_from(self.child.process_id().context("it runs")?)?;
        rustix::process::Pid::from_raw(id).context("no such number")
    }

    /// Ends the program without a warning.
    pub fn kill(&mut self) -> Result<()> {
        rustix::process::kill_process(self.process()?, rustix::process::Signal::KILL)?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits for the program to end by itself, and for the last of what it has to show.
    pub fn ended(&mut self) -> Result<ExitStatus> {
        let start = Instant::now();
        let mut shown = self.display.lock();
        while !shown.over {
            let left = PATIENCE.checked_sub(start.elapsed());
            let Some(left) = left else {
                bail!("the program does not end; the screen shows\n{}", shown.parser.screen().contents())
            };
            shown = self.display.changed.wait_timeout(shown, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(shown);
        Ok(self.child.wait()?)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Ended already: fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Display {
    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, keys: &str) -> std::io::Result<()> {
        let mut keyboard = self.keyboard.lock().unwrap_or_else(PoisonError::into_inner);
        keyboard.write_all(keys.as_bytes())?;
        keyboard.flush()
    }

    /// Answers like a terminal when the program asks what it is.
    fn answer(&self, written: &[u8]) {
        let asks = |what: &[u8]| written.windows(what.len()).any(|bytes| bytes == what);
        let keys = if self.keys == Keys::Kitty && asks(b"\x1b[?u") { "\x1b[?0u" } else { "" };
        if asks(b"\x1b[c") {
            // A program that is gone needs no answer.
            let _ = self.send(&format!("{keys}\x1b[?62c"));
        }
    }

    /// Shows what is written until the program has let go of its terminal.
    fn show(&self, mut reader: Box<dyn Read + Send>) {
        let mut buffer = [0; 8192];
        loop {
            let read = reader.read(&mut buffer).unwrap_or(0);
            let mut shown = self.lock();
            match buffer.get(..read).filter(|bytes| !bytes.is_empty()) {
                Some(bytes) => {
                    shown.parser.process(bytes);
                    shown.written.extend_from_slice(bytes);
                    self.answer(bytes);
                }
                None => shown.over = true,
            }
            self.changed.notify_all();
            if shown.over {
                return;
            }
        }
    }
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn nonzero(number: u16) -> Result<NonZeroU16> {
    NonZeroU16::new(number).context("a terminal has at least one row and one column")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_in_and_a_screen_comes_out() {
        let home = tempfile::tempdir().expect("a directory");
        let script = "printf '\\033[?1049h\\033[31mready'; read -r line; printf \"got $line\"; read -r line; exit 7";
        let mut terminal =
            Terminal::start(Path::new("/bin/sh"), &["-c", script], home.path(), (40, 5)).expect("started");
        terminal.until_shown("ready").expect("shown");
        assert!(terminal.look(Screen::alternate_screen) && terminal.is_cooked().expect("modes"));
        terminal.press("hello\r").expect("pressed");
        terminal.until_shown("got hello").expect("shown");
        terminal.press("\r").expect("pressed");
        assert_eq!(terminal.ended().expect("ended").exit_code(), 7);
        assert!(String::from_utf8_lossy(&terminal.written()).contains("\x1b[31m"));
    }
}
