//! The only part of the full-screen client that acts: owns the terminal, the tasks and the channels,
//! and performs what `update` wants done.

mod bulk;
mod choices;
mod details;
mod disk;
pub(crate) use disk::copy as copy_here;
mod doer;
mod editing;
mod finale;
mod finding;
mod gathering;
mod hotlist;
mod looks;
mod past;
mod port;
mod reading;
mod saved;
mod space;
mod starts;
mod syncing;
mod telling;
mod terminal;
mod turn;
mod undoing;
mod viewing;
mod watching;
mod work;

use std::io;
use std::path::PathBuf;

use crossterm::event::EventStream;
use directories::UserDirs;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use wire::message::Secret;

pub use looks::Looks;
pub(crate) use telling::SCREEN;
pub use turn::TurnError;
#[cfg(test)]
pub(crate) use viewing::looked_through;

use crate::app::dialog::Login;
use crate::app::{App, Opening};
use crate::config::OnEnd;
use crate::engine::status::IfExists;
use crate::engine::{Accept, Keyring, KnownServers, Options, Refused, Target};
use crate::update::{self, Msg};
use doer::Doer;
use hotlist::Hotlist;
use port::Harbour;
use saved::Saved;
use terminal::FullScreen;
use turn::{Perform, Stage, turn};

/// What the full-screen client is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the local pane opens, absolute.
    pub local: PathBuf,
    /// Where to connect to at once.
    pub target: Option<Target>,
    /// The password, where it need not be asked for.
    pub password: Option<Secret>,
    /// Keys to log in with, at whatever server.
    pub keys: Option<Keyring>,
    /// What to do with a server that is not known yet.
    pub accept: Accept,
    /// Servers met before.
    pub known: KnownServers,
    /// For the list of servers used before.
    pub state: PathBuf,
    /// How the engine works.
    pub options: Options,
    /// For every copy.
    pub if_exists: IfExists,
    /// Keys and colours.
    pub looks: Looks,
    /// What happens when the queue ends.
    pub on_end: OnEnd,
    /// Whether names with a dot in front are left out at first.
    pub hide_dots: bool,
}

/// Why the full-screen client did not run, or ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No terminal.
    #[error("no terminal to draw on ({0}); the one-shot commands need none, see --help")]
    Terminal(#[source] io::Error),
    /// The terminal failed later.
    #[error(transparent)]
    Turn(#[from] TurnError),
    /// Signals cannot be caught.
    #[error("signals cannot be caught: {0}")]
    Signals(#[source] io::Error),
}

/// Runs the full-screen client until the person leaves it. The terminal is given back on every way out.
pub async fn run(settings: Settings) -> Result<(), RunError> {
    let looks = settings.looks.open();
    let saved = Saved::at(&settings.state);
    let mut app = App::new(Opening {
        local: settings.local,
        home: UserDirs::new().map(|user| user.home_dir().to_owned()),
        saved: saved.read(),
        zone: TimeZone::system(),
        size: crossterm::terminal::size().map_err(RunError::Terminal)?,
        if_exists: settings.if_exists,
        hide_dots: settings.hide_dots,
        hotlist: Hotlist::at(&settings.state).read(),
        has_keys: settings.keys.is_some(),
    });
    (app.chrome, app.keymap) = (looks.chrome, looks.keymap);
    terminal::set_mouse(app.chrome.mouse);
    let (sender, inbox) = mpsc::channel(INBOX);
    forward_signals(&sender).map_err(RunError::Signals)?;
    let edits = settings.state.join("edits");
    // Here a person is there to be asked.
    let options = Options { refused: Refused::Waits, ..settings.options };
    let harbour = Harbour {
        known: settings.known,
        accept: settings.accept,
        keys: settings.keys,
        options,
        saved,
        state: settings.state,
        on_end: settings.on_end,
    };
    let mut doer = Doer::new(FullScreen::enter().map_err(RunError::Terminal)?, harbour, edits, sender);
    let mut effects = update::update(&mut app, Msg::Clock(disk::now()));
    effects.extend(update::open(&mut app));
    // Without a password it is by key.
    let password = settings.password.or_else(|| app.has_keys.then(|| Secret(String::new())));
    match (settings.target, password) {
        (Some(target), Some(password)) => {
            let login = Login { address: target.to_string(), password, trust: None };
            effects.extend(update::connect(&mut app, login));
        }
        (target, _) => {
            let first = target.map(|target| target.to_string()).or_else(|| app.saved.first().cloned());
            update::ask_for_server(&mut app, &first.unwrap_or_default());
        }
    }
    update::complain(&mut app, looks.complaints);
    effects.into_iter().for_each(|effect| doer.perform(effect));
    let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout())).map_err(RunError::Terminal)?;
    let stage = Stage { terminal: &mut terminal, app: &mut app };
    let ended = turn(stage, EventStream::new, inbox, &mut doer).await;
    doer.finish().await;
    Ok(ended?)
}

/// What ends other programs ends this one in good order.
fn forward_signals(inbox: &mpsc::Sender<Msg>) -> io::Result<()> {
    let kinds = [
        (SignalKind::terminate(), Msg::Terminate),
        (SignalKind::hangup(), Msg::Terminate),
        (SignalKind::interrupt(), Msg::Interrupt),
        (SignalKind::quit(), Msg::Interrupt),
    ];
    for (kind, msg) in kinds {
        let (mut signals, inbox) = (signal(kind)?, inbox.clone());
        // Ends with the program.
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                let _ = inbox.send(msg.clone()).await;
            }
        });
    }
    Ok(())
}

/// Whoever fills it faster than the screen takes it waits.
const INBOX: usize = 256;
