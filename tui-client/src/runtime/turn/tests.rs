//! Key scripts through the real loop: a stream of keys, a picture, and a world that answers from memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use crossterm::event::KeyEvent;
use futures_util::stream;
use ratatui::backend::TestBackend;

use super::*;
use crate::app::place::Place;
use crate::app::rows::Listing;
use crate::app::sample::{NOW, all_names, app, directory, file, keys, listing};
use crate::update::Work;

/// Directories by their text, with the names in them.
struct World {
    directories: BTreeMap<String, Vec<String>>,
    seen: Vec<Effect>,
    suspended: usize,
    /// What was given to the editor, and how often the terminal came back.
    lent: (Vec<Errand>, usize),
    inbox: mpsc::Sender<Msg>,
}

impl World {
    fn new(inbox: mpsc::Sender<Msg>) -> Self {
        let rows = [
            ("/home/ada", "Downloads/"),
            ("/home/ada/Downloads", "albums/ notes.md"),
            ("/home/ada/Downloads/albums", "one two"),
        ];
        let split = |names: &str| names.split(' ').map(str::to_owned).collect();
        let directories = rows.into_iter().map(|(path, names)| (path.to_owned(), split(names))).collect();
        Self { directories, seen: Vec::new(), suspended: 0, lent: (Vec::new(), 0), inbox }
    }

    fn list(&self, place: &Place) -> Result<Listing, wire::Fault> {
        let missing = || wire::Fault::new(wire::Code::NotFound, "it is not there");
        let names = self.directories.get(&place.text()).ok_or_else(missing)?;
        let entry = |name: &String| match name.strip_suffix('/') {
            Some(name) => directory(name),
            None => file(name, 1, NOW.secs),
        };
        Ok(listing(names.iter().map(entry).collect()))
    }
}

impl Perform for World {
    fn follow(&mut self, _: &App) {}

    fn perform(&mut self, effect: Effect) {
        let answer = match &effect {
            Effect::Read { generation, place, .. } => {
                Some(Msg::Read { generation: *generation, result: self.list(place) })
            }
            Effect::Work(work @ Work::MakeDirectory(place)) => {
                let parent = place.parent().unwrap().text();
                let name = String::from_utf8(place.name().to_vec()).unwrap() + "/";
                self.directories.entry(parent).or_default().push(name);
                Some(Msg::Worked { work: work.clone(), done: 1, fault: None })
            }
            _ => None,
        };
        self.seen.push(effect);
        if let Some(answer) = answer {
            self.inbox.try_send(answer).unwrap();
        }
    }

    fn typing(&mut self, _: bool) {}

    fn suspend(&mut self) -> io::Result<()> {
        self.suspended += 1;
        Ok(())
    }

    /// An editor that is interrupted, and ends after the loop has heard of that.
    fn lend(&mut self, errand: &Errand) -> Lent {
        self.lent.0.push(errand.clone());
        let inbox = self.inbox.clone();
        Box::pin(async move {
            inbox.send(Msg::Interrupt).await.map_err(|error| error.to_string())?;
            while inbox.capacity() < inbox.max_capacity() {
                tokio::task::yield_now().await;
            }
            Ok(())
        })
    }

    fn take_back(&mut self) -> io::Result<()> {
        self.lent.1 += 1;
        Ok(())
    }
}

/// One key after the other, each when everything before it was answered: the loop asks for an event only
/// after it has looked at its inbox, so being asked in vain some times means that nothing is left there.
fn slowly(keys: Vec<KeyEvent>) -> impl Stream<Item = io::Result<Event>> {
    let mut keys = keys.into_iter();
    let mut asked = 0;
    stream::poll_fn(move |context| {
        asked += 1;
        if asked % 10 != 0 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(keys.next().map(|key| Ok(Event::Key(key))))
    })
}

/// The same keys go on whoever asks for them.
fn shared<S>(keys: S) -> impl FnMut() -> Pin<Box<dyn Stream<Item = S::Item>>>
where
    S: Stream<Item = io::Result<Event>> + 'static,
{
    let keys = Rc::new(RefCell::new(Box::pin(keys)));
    move || {
        let keys = keys.clone();
        Box::pin(stream::poll_fn(move |context| keys.borrow_mut().as_mut().poll_next(context)))
    }
}

struct After {
    app: App,
    world: World,
    picture: String,
    ended: Result<(), TurnError>,
}

fn play(script: &str) -> After {
    play_events(slowly(keys(script)))
}

fn play_events(events: impl Stream<Item = io::Result<Event>> + 'static) -> After {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (sender, inbox) = mpsc::channel(16);
        let mut world = World::new(sender);
        let mut app = app();
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        let stage = Stage { terminal: &mut terminal, app: &mut app };
        let ended = turn(stage, shared(events), inbox, &mut world).await;
        terminal.draw(|frame| draw(&app, app.chrome.gallery.shown(), frame)).unwrap();
        let picture = terminal.backend().to_string();
        After { app, world, picture, ended }
    })
}

#[test]
fn walking_in_and_out() {
    let after = play("<Down><Enter>");
    assert_eq!(after.app.left.place, Place::Local(PathBuf::from("/home/ada/Downloads/albums")));
    assert_eq!(all_names(&after.app.left), "one two");
    assert!(after.picture.contains("~/Downloads/albums"), "{}", after.picture);
    let after = play("<Down><Enter><Backspace><Backspace>");
    assert_eq!(after.app.left.place, Place::Local(PathBuf::from("/home/ada")));
    assert_eq!(after.app.left.current_name(), b"Downloads");
    let after = play("<Down><Down><Enter><Tab>");
    assert_eq!(after.app.left.place, Place::Local(PathBuf::from("/home/ada/Downloads")));
    assert!(after.app.note.text.contains("Cannot read"), "iso is on the screen but gone: {}", after.app.note.text);
}

#[test]
fn what_is_made_has_the_cursor() {
    let after = play("<F7>fresh<Enter>");
    assert_eq!(after.app.left.current_name(), b"fresh");
    assert!(after.picture.contains("Made fresh") && after.picture.contains("║ fresh"), "{}", after.picture);
}

#[test]
fn quitting_ends_the_loop_and_what_follows_is_not_read() {
    let after = play("<F10><F7>x<Enter>");
    assert!(after.ended.is_ok() && after.world.seen.is_empty(), "{:?}", after.world.seen);
    assert!(after.app.dialogs.is_empty());
}

#[test]
fn suspending_draws_everything_anew() {
    let after = play("<Ctrl-Z><F7>");
    assert_eq!((after.world.suspended, after.app.dialogs.len()), (1, 1));
    assert!(after.picture.contains("Make a directory") && after.picture.contains("1Help"), "{}", after.picture);
}

#[test]
fn the_terminal_comes_back_from_the_editor_and_keys_go_on() {
    let after = play("<End><F4><F7>");
    let notes = Errand::Here(PathBuf::from("/home/ada/Downloads/notes.md"));
    assert_eq!((after.world.lent, after.app.dialogs.len()), ((vec![notes], 1), 1));
    assert!(after.picture.contains("Make a directory") && after.ended.is_ok(), "{}", after.picture);
    assert_eq!(after.app.note.text, "notes.md: back from the editor");
}

#[test]
fn a_terminal_that_is_gone_ends_the_loop() {
    assert!(play_events(stream::iter([])).ended.is_ok());
    let broken = stream::iter([Err(io::Error::from(io::ErrorKind::BrokenPipe))]);
    assert!(matches!(play_events(broken).ended, Err(TurnError::Read(_))));
}

#[test]
fn nothing_is_drawn_and_nobody_wakes_while_nothing_happens() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.unwrap().block_on(async {
        let (sender, inbox) = mpsc::channel(16);
        let (mut world, mut app) = (World::new(sender), app());
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        let mut polls = 0;
        let quiet = stream::poll_fn(|_| {
            polls += 1;
            Poll::Pending
        });
        let mut quiet = Some(quiet);
        let stage = Stage { terminal: &mut terminal, app: &mut app };
        // Ten frames' time.
        let silence = FRAME * 10;
        assert!(
            tokio::time::timeout(silence, turn(stage, || quiet.take().expect("asked once"), inbox, &mut world))
                .await
                .is_err()
        );
        assert!(polls <= 2, "silence woke the loop {polls} times");
    });
}
