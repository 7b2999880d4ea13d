//! The terminal's modes: taken at the start, given back on every way out. Knows nothing of what is drawn.

use std::io::{self, Write, stdin, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::Print;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, supports_keyboard_enhancement,
};
use crossterm::{cursor, event, execute};
use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// Holds the terminal in full-screen mode; dropping it gives the terminal back.
#[derive(Debug, Default)]
pub(super) struct FullScreen {
    /// The modes of the terminal when it was lent.
    lent: Option<Termios>,
}

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
        // Asked before anybody else reads the terminal. One that answers nothing at all is waited for two seconds.
        let tells = std::env::var("TERM").is_ok_and(|term| term != "dumb" && term != "linux");
        KEYBOARD.store(tells && supports_keyboard_enhancement().unwrap_or(false), Ordering::SeqCst);
        take()?;
        Ok(Self::default())
    }

    /// Stops the whole job, as Ctrl-Z does where nothing catches it; the shell's `fg` ends the call.
    pub(super) fn suspend(&self) -> io::Result<()> {
        give_back();
        // Not SIGSTOP: without a shell that could say `fg`, this one is ignored.
        kill_current_process_group(Signal::TSTP)?;
        take()
    }
}

impl FullScreen {
    /// Lets another program have the terminal. The stream of events must be gone.
    pub(super) fn lend(&mut self) {
        // Its end wakes whoever waits for events next, and that wake would hide a key from the next stream: it is
        // taken up here, with keys that were meant for nobody.
        for _ in 0..MOST_KEYS {
            if !matches!(event::poll(WAKE), Ok(true)) || event::read().is_err() {
                break;
            }
        }
        give_back();
        self.lent = tcgetattr(stdin()).ok();
    }

    /// Takes it back, in whatever modes that program left it.
    pub(super) fn take_back(&mut self) -> io::Result<()> {
        if let Some(modes) = self.lent.take() {
            tcsetattr(stdin(), OptionalActions::Now, &modes)?;
        }
        execute!(stdout(), Print(AS_IT_WAS))?;
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
    let mouse = if MOUSE.load(Ordering::SeqCst) { MOUSE_ON } else { MOUSE_OFF };
    let keys = if KEYBOARD.load(Ordering::SeqCst) { KEYS_TAKEN } else { "" };
    let taken = execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, Print(mouse), Print(keys), cursor::Hide);
    TYPING.store(true, Ordering::SeqCst);
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
    let keys = if KEYBOARD.load(Ordering::SeqCst) { KEYS_GIVEN_BACK } else { "" };
    let _ = execute!(out, Print(keys), Print(MOUSE_OFF), DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    let _ = out.flush();
    let _ = disable_raw_mode();
}

/// Whether the terminal is to tell what the mouse does, now and whenever it is taken again.
pub(super) fn set_mouse(wanted: bool) {
    MOUSE.store(wanted, Ordering::SeqCst);
    if TAKEN.load(Ordering::SeqCst) {
        // A terminal that is gone ends the program by itself.
        let _ = execute!(stdout(), Print(if wanted { MOUSE_ON } else { MOUSE_OFF }));
    }
}

/// Whether what comes is text. Then the terminal composes it, with dead keys and all; else it tells of every
/// key, of Shift, Alt and Ctrl alone too, where it can.
pub(super) fn set_typing(typing: bool) {
    if TYPING.swap(typing, Ordering::SeqCst) != typing
        && KEYBOARD.load(Ordering::SeqCst)
        && TAKEN.load(Ordering::SeqCst)
    {
        let _ = execute!(stdout(), Print(if typing { KEYS_AS_TEXT } else { KEYS_AS_EVENTS }));
    }
}

/// Whether the terminal speaks the keyboard protocol of kitty.
static KEYBOARD: AtomicBool = AtomicBool::new(false);
/// Whether it was last told that text is typed.
static TYPING: AtomicBool = AtomicBool::new(true);

/// Whether mouse events are wanted.
static MOUSE: AtomicBool = AtomicBool::new(true);

/// Long enough for a thread that waits for events to hear that its stream is gone.
const WAKE: Duration = Duration::from_millis(20);
/// Keys typed ahead that are looked through for it.
const MOST_KEYS: usize = 64;
/// Whether the terminal is in full-screen mode: asked by the panic hook, which can hold no value.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Buttons and the wheel, in the encoding without a limit of columns; not the mere movement, which would
/// wake the program all the time.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
/// Undoes what a program that was killed did to the terminal: keys, colours, the region that scrolls, reports of
/// the mouse and of the focus.
const AS_IT_WAS: &str = "\x1b[?1l\x1b>\x1b[0m\x1b[r\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?25h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";
/// The flags are of the kitty keyboard protocol: 1 tells Esc from the beginning of a sequence, 2 tells releases, 4 the
/// character that Shift makes, 8 sends every key in that form. They lie on a stack in the terminal.
const KEYS_TAKEN: &str = "\x1b[>1u";
const KEYS_GIVEN_BACK: &str = "\x1b[<u";
const KEYS_AS_TEXT: &str = "\x1b[=1;1u";
const KEYS_AS_EVENTS: &str = "\x1b[=15;1u";
