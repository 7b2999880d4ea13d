//! The event loop: takes what happened, lets `update` change the state, draws, and hands on what is to
//! be done. Sleeps while nothing happens. Knows no file and no connection.

use std::collections::VecDeque;
use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crossterm::event::{Event, MouseEventKind};
use futures_util::{Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::Rect;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::disk::now;
use super::telling::write_down;
use crate::app::App;
use crate::app::edit::Errand;
use crate::update::{Edit, Edited, Effect, Msg, update};
use crate::view::draw;

/// Whatever does what `update` wants done: the real one, and one for tests.
pub(super) trait Perform {
    /// Begins to do it and returns at once; what comes of it arrives as messages.
    fn perform(&mut self, effect: Effect);

    /// Whether what comes from the keyboard is text: asked before each picture.
    fn typing(&mut self, text: bool);

    /// Looks at what is shown now.
    fn follow(&mut self, app: &App);

    /// Gives the terminal to the shell; returns when the program was told to go on.
    fn suspend(&mut self) -> io::Result<()>;

    /// Gives the terminal to an editor.
    fn lend(&mut self, errand: &Errand) -> Lent;

    /// Takes the terminal back from it.
    fn take_back(&mut self) -> io::Result<()>;
}

/// Ends with the program that has the terminal: how that ended where it did not end well.
pub(super) type Lent = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Why the loop ended early.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The terminal does not take what is drawn.
    #[error("the terminal cannot be drawn on: {0}")]
    Draw(Box<dyn Error + Send + Sync>),
    /// The terminal gives no more keys.
    #[error("the terminal cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The program could not be stopped or did not get its terminal back.
    #[error("the terminal was not given back: {0}")]
    Suspend(#[source] io::Error),
}

/// The state with the screen it is drawn on.
pub(super) struct Stage<'a, B: Backend> {
    pub(super) terminal: &'a mut Terminal<B>,
    pub(super) app: &'a mut App,
}

/// Runs until the person quits or the terminal is gone. Keys come from what `keys` makes; while an editor has the
/// terminal there is none of it.
pub(super) async fn turn<B, S, P>(
    mut stage: Stage<'_, B>,
    mut keys: impl FnMut() -> S,
    mut inbox: mpsc::Receiver<Msg>,
    performer: &mut P,
) -> Result<(), TurnError>
where
    B: Backend<Error: Send + Sync + 'static>,
    S: Stream<Item = io::Result<Event>>,
    P: Perform,
{
    let mut events = Box::pin(keys());
    let start = Instant::now();
    let mut drawn = start;
    let mut pace = Pace::Now;
    // Lines of the log that are in its file.
    let mut written = 0;
    // When an editor gave the terminal back.
    let mut back: Option<Instant> = None;
    loop {
        if pace == Pace::Now || (pace == Pace::Soon && drawn.elapsed() >= FRAME) {
            stage.draw()?;
            performer.typing(stage.app.takes_text());
            performer.follow(stage.app);
            (drawn, pace) = (Instant::now(), Pace::Idle);
        }
        let first = tokio::select! {
            biased;
            event = events.next() => Input::Event(event),
            Some(msg) = inbox.recv() => Input::Msg(msg),
            () = sleep_until(drawn + FRAME), if pace == Pace::Soon => continue,
        };
        update(stage.app, Msg::Clock(now()));
        let deadline = Instant::now() + DRAIN;
        let mut next = Some(first);
        while let Some(input) = next {
            let (msg, wanted) = match input {
                Input::Event(None) => return Ok(()),
                Input::Event(Some(event)) => (from_event(event.map_err(TurnError::Read)?, start), Pace::Now),
                // The editor died of it, and the terminal told both.
                Input::Msg(Msg::Interrupt) if back.is_some_and(|back| back.elapsed() < ECHO) => (None, Pace::Soon),
                Input::Msg(msg) => (Some(msg), Pace::Soon),
            };
            if let Some(msg) = msg {
                pace = pace.max(wanted);
                for effect in update(stage.app, msg) {
                    match effect {
                        Effect::Quit => return Ok(()),
                        Effect::Suspend => {
                            performer.suspend().map_err(TurnError::Suspend)?;
                            stage.redraw()?;
                        }
                        Effect::Edit(Edit::Open(errand)) => {
                            // It would take keys from the editor.
                            drop(events);
                            if away(&mut stage, errand, &mut inbox, performer).await? == After::Quit {
                                return Ok(());
                            }
                            events = Box::pin(keys());
                            back = Some(Instant::now());
                            stage.redraw()?;
                        }
                        other => performer.perform(other),
                    }
                }
            }
            next = if Instant::now() < deadline { ready(&mut events, &mut inbox).await } else { None };
        }
        written = write_down(stage.app, written);
    }
}

/// Whether the program goes on.
#[derive(PartialEq, Eq)]
enum After {
    GoOn,
    Quit,
}

/// While an editor has the terminal: everything goes on but drawing and keys.
async fn away<B: Backend, P: Perform>(
    stage: &mut Stage<'_, B>,
    errand: Errand,
    inbox: &mut mpsc::Receiver<Msg>,
    performer: &mut P,
) -> Result<After, TurnError> {
    let mut errands = VecDeque::from([errand]);
    while let Some(errand) = errands.pop_front() {
        let mut editor = performer.lend(&errand);
        loop {
            let (msg, over) = tokio::select! {
                result = &mut editor => (Msg::Edited(Edited::Closed { errand: errand.clone(), result }), true),
                Some(msg) = inbox.recv() => (msg, false),
            };
            if over {
                performer.take_back().map_err(TurnError::Suspend)?;
            }
            update(stage.app, Msg::Clock(now()));
            // Ctrl-C goes to all who share the terminal, and was meant for the editor.
            let effects = if matches!(msg, Msg::Interrupt) { Vec::new() } else { update(stage.app, msg) };
            for effect in effects {
                match effect {
                    Effect::Quit => return Ok(After::Quit),
                    Effect::Edit(Edit::Open(next)) => errands.push_back(next),
                    other => performer.perform(other),
                }
            }
            if over {
                break;
            }
        }
    }
    Ok(After::GoOn)
}

/// When to draw next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pace {
    /// Nothing changed.
    Idle,
    /// At the next frame.
    Soon,
    /// At once: somebody pressed a key.
    Now,
}

enum Input {
    Event(Option<io::Result<Event>>),
    Msg(Msg),
}

/// What can be had without waiting.
async fn ready<S>(events: &mut S, inbox: &mut mpsc::Receiver<Msg>) -> Option<Input>
where
    S: Stream<Item = io::Result<Event>> + Unpin,
{
    poll_fn(|context| {
        if let Poll::Ready(event) = events.poll_next_unpin(context) {
            return Poll::Ready(Some(Input::Event(event)));
        }
        match inbox.poll_recv(context) {
            Poll::Ready(msg) => Poll::Ready(msg.map(Input::Msg)),
            Poll::Pending => Poll::Ready(None),
        }
    })
    .await
}

impl<B: Backend<Error: Send + Sync + 'static>> Stage<'_, B> {
    fn draw(&mut self) -> Result<(), TurnError> {
        let size = self.terminal.size().map_err(draw_error)?;
        if (size.width, size.height) != self.app.size {
            // Resizes nothing but the picture, so there is nothing to be done.
            update(self.app, Msg::Resize(size.width, size.height));
        }
        let app = &*self.app;
        self.terminal.draw(|frame| draw(app, app.chrome.gallery.shown(), frame)).map_err(draw_error)?;
        Ok(())
    }

    /// Draws every cell anew: somebody else wrote on the terminal.
    fn redraw(&mut self) -> Result<(), TurnError> {
        let size = self.terminal.size().map_err(draw_error)?;
        self.terminal.resize(Rect::new(0, 0, size.width, size.height)).map_err(draw_error)?;
        self.draw()
    }
}

fn draw_error(error: impl Error + Send + Sync + 'static) -> TurnError {
    TurnError::Draw(Box::new(error))
}

fn from_event(event: Event, start: Instant) -> Option<Msg> {
    match event {
        Event::Key(key) => Some(Msg::Key(key)),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Resize(width, height) => Some(Msg::Resize(width, height)),
        Event::Mouse(event) => {
            let moved = matches!(event.kind, MouseEventKind::Moved | MouseEventKind::Drag(_) | MouseEventKind::Up(_));
            let at = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
            (!moved).then_some(Msg::Mouse(event, at))
        }
        Event::FocusGained | Event::FocusLost => None,
    }
}

/// 30 frames a second while no key is pressed.
const FRAME: Duration = Duration::from_millis(33);
/// A signal to both may be heard after the editor has died of it.
const ECHO: Duration = Duration::from_secs(1);
/// However much arrives, the screen is drawn after this.
const DRAIN: Duration = Duration::from_millis(8);

#[cfg(test)]
mod tests;
