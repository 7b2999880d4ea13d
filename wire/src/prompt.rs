//! Asking for a password on a terminal. Here because both programs do it and neither sees the other;
//! it must not know what the password is for.

use std::fs::File;
use std::io::{self, Read, Write};

use rpassword::ConfigBuilder;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// Asks on the terminal of this process and reads a line that is not shown.
///
/// The terminal is silent before the question appears, so that an answer typed at once stays unseen too,
/// and is as it was before when Ctrl-C ends the program.
///
/// # Errors
/// There is no terminal, it went away, or Ctrl-C was pressed and the program goes on.
pub fn password(question: &str) -> io::Result<String> {
    let terminal = Silent::new(File::options().read(true).write(true).open("/dev/tty")?)?;
    let mut shown = &terminal.terminal;
    shown.write_all(question.as_bytes())?;
    let after = shown.try_clone()?;
    let answer =
        rpassword::read_password_with_config(ConfigBuilder::new().input_reader(terminal).output_discard().build());
    (&after).write_all(b"\n")?;
    answer
}

/// A terminal that shows nothing of what is typed and gives it on byte by byte, until dropped.
struct Silent {
    terminal: File,
    before: Termios,
}

impl Silent {
    fn new(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&terminal, OptionalActions::Now, &silent)?;
        Ok(Self { terminal, before })
    }

    fn restore(&self) -> io::Result<()> {
        Ok(tcsetattr(&self.terminal, OptionalActions::Now, &self.before)?)
    }
}

impl Read for Silent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.terminal.read(buffer)?;
        // The reader of the line answers Ctrl-C with a signal that may end the process at once.
        if buffer.get(..count).is_some_and(|typed| typed.contains(&CTRL_C)) {
            self.restore()?;
        }
        Ok(count)
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = self.restore();
    }
}

const CTRL_C: u8 = 3;
