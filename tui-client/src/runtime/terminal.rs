//! The terminal's modes: taken at the start, given back on every way out. Knows nothing of what is drawn.

use std::io::{self, Write, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::Print;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute};
use rustix::process::{Signal, kill_current_process_group};

/// Holds the terminal in full-screen mode; dropping it gives the terminal back.
#[derive(Debug)]
pub(super) struct FullScreen;

impl FullScreen {
    /// Takes the terminal. A panic of this thread gives it back before its message is printed.
    pub(super) fn enter() -> io::Result<Self> {
        let screen = thread::current().id();
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // A task that panics leaves the screen standing; its message would only tear it.
            if thread::current().id() == screen {
                give_back();
                print(panic);
            } else {
                tracing::error!(%panic, "a task panicked");
            }
        }));
        take()?;
        Ok(Self)
    }

    /// Stops the whole job, as Ctrl-Z does where nothing catches it; the shell's `fg` ends the call.
    pub(super) fn suspend(&self) -> io::Result<()> {
        give_back();
        // Not SIGSTOP: without a shell that could say `fg`, this one is ignored.
        kill_current_process_group(Signal::TSTP)?;
        take()
    }
}

impl Drop for FullScreen {
    fn drop(&mut self) {
        give_back();
        // The hook that gives back what is given back already can go.
        if !thread::panicking() {
            drop(panic::take_hook());
        }
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let taken = execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, Print(MOUSE_ON), cursor::Hide);
    if taken.is_err() {
        give_back();
    }
    taken
}

/// Gives back as much as can be given back, once: a second time would put the cursor into what was printed
/// since. There is nobody left to tell of an error.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = stdout();
    let _ = execute!(out, Print(MOUSE_OFF), DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    let _ = out.flush();
    let _ = disable_raw_mode();
}

/// Whether the terminal is in full-screen mode: asked by the panic hook, which can hold no value.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Buttons and the wheel, in the encoding without a limit of columns; not the mere movement, which would
/// wake the program all the time.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";
