//! What is known of places beside those on the screen: the hotlist, and where one may begin.

use std::path::PathBuf;

use wire::RemotePath;
use wire::path::escape;

use super::field::Field;
use super::pane::Pane;
use super::place::Place;
use super::trail::Step;
use super::{App, Session, Side};

/// The places of the program, whatever the panes show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Atlas {
    /// Directories that the person wants at hand.
    pub hotlist: Vec<Landmark>,
    /// Where to begin on this machine: home, downloads, disks. Looked for when somebody wants to see them.
    pub starts: Vec<PathBuf>,
    /// The server that the remote places of the panes belong to.
    pub server: Option<String>,
    /// Where to go as soon as that server is connected.
    pub bound: Option<(Side, Landmark)>,
    /// That something cannot be watched was told.
    pub told_unwatched: bool,
}

/// A directory with the server it is at, if it is at one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landmark {
    /// What the person calls it; may be empty.
    pub name: String,
    /// `user@host:port`; none on this machine.
    pub server: Option<String>,
    /// The directory.
    pub place: Place,
}

/// A change of the hotlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HotChange {
    /// One more, unless it is there.
    Add(Landmark),
    /// One less.
    Remove(Landmark),
    /// The same under another name.
    Rename(Landmark, String),
}

/// A list of places to go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jump {
    /// Which list.
    pub list: List,
    /// The pane that goes.
    pub side: Side,
    /// The rows as they are shown.
    pub rows: Vec<JumpRow>,
}

/// The lists there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// All there is.
    Places,
    /// What the person put there.
    Hotlist,
    /// Where the pane has been.
    Trail,
}

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JumpRow {
    /// What kind it is of, in a short word.
    pub word: &'static str,
    /// What it says.
    pub text: String,
    /// Where it leads.
    pub to: To,
}

/// Where a row leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// To a directory, on this machine or at a server.
    Landmark(Landmark),
    /// Along the pane's own way.
    Step(Step),
    /// To another server.
    Login(String),
}

impl Landmark {
    /// Whether it is the same directory, whatever it is called.
    pub fn is_where(&self, other: &Self) -> bool {
        self.server == other.server && self.place == other.place
    }

    /// The directory that a pane shows.
    pub fn of(pane: &Pane, server: Option<&str>) -> Option<Self> {
        let server = match pane.place {
            Place::Local(_) => None,
            Place::Remote(_) => Some(server?.to_owned()),
        };
        Some(Self { name: String::new(), server, place: pane.place.clone() })
    }

    fn here(path: PathBuf) -> To {
        To::Landmark(Self { name: String::new(), server: None, place: Place::Local(path) })
    }
}

impl Jump {
    /// The list as it is now.
    pub fn new(app: &App, list: List, side: Side) -> Self {
        let rows = match list {
            List::Places => places(app),
            List::Hotlist => app.atlas.hotlist.iter().map(|one| hot(app, one)).collect(),
            List::Trail => trail(app, side),
        };
        Self { list, side, rows }
    }
}

impl App {
    /// `user@host:port` of the server that is connected.
    pub fn server(&self) -> Option<&str> {
        match &self.session {
            Session::Online(label) => Some(label),
            Session::Offline | Session::Connecting(_) => None,
        }
    }

    /// A directory in words, with its server where that is not the one connected.
    pub fn landmark_text(&self, one: &Landmark) -> String {
        let path = one.place.short_text(self.home.as_deref());
        match &one.server {
            Some(server) => format!("{}:{path}", escape(server.as_bytes())),
            None => path,
        }
    }

    /// A field to name a landmark in.
    pub fn name_field(one: &Landmark) -> Field {
        Field::new(one.name.clone())
    }
}

fn places(app: &App) -> Vec<JumpRow> {
    let mut rows: Vec<JumpRow> = Vec::new();
    for path in &app.atlas.starts {
        let text = Place::Local(path.clone()).short_text(app.home.as_deref());
        rows.push(JumpRow { word: "here", text, to: Landmark::here(path.clone()) });
    }
    if let Some(server) = app.server() {
        let (text, place) = (format!("home of {}", escape(server.as_bytes())), Place::Remote(RemotePath::home()));
        let home = Landmark { name: String::new(), server: Some(server.to_owned()), place };
        rows.push(JumpRow { word: "server", text, to: To::Landmark(home) });
    }
    let others = app.saved.iter().filter(|saved| Some(saved.as_str()) != app.server());
    rows.extend(others.map(|saved| JumpRow {
        word: "log in",
        text: escape(saved.as_bytes()),
        to: To::Login(saved.clone()),
    }));
    rows.extend(app.atlas.hotlist.iter().map(|one| hot(app, one)));
    rows
}

fn hot(app: &App, one: &Landmark) -> JumpRow {
    let path = app.landmark_text(one);
    let text = if one.name.is_empty() { path } else { format!("{}  {path}", escape(one.name.as_bytes())) };
    JumpRow { word: "hot", text, to: To::Landmark(one.clone()) }
}

fn trail(app: &App, side: Side) -> Vec<JumpRow> {
    let row = |(step, spot): (Step, &super::trail::Spot)| {
        let word = if matches!(step, Step::Ahead(_)) { "ahead" } else { "back" };
        let text = match spot.place {
            Place::Local(_) => spot.place.short_text(app.home.as_deref()),
            Place::Remote(_) => format!("server:{}", spot.place.text()),
        };
        JumpRow { word, text, to: To::Step(step) }
    };
    app.pane(side).trail.steps().map(row).collect()
}
