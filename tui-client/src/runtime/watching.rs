//! Watches the directories of this machine that are shown and says when one of them changed: not at once but
//! when the first of the changes have settled, and not again before a pause is over. Sleeps while nothing changes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;

use crate::app::watched::Watched;
use crate::update::Msg;

/// By its path what is told of a change in a directory; read by the thread that hears of changes.
type Ears = Arc<Mutex<HashMap<PathBuf, Arc<Ear>>>>;

#[derive(Default)]
struct Ear {
    changed: Notify,
    /// The directory itself went away; another one may be in its place.
    gone: Notify,
}

/// A directory under watch. Dropping it ends the telling.
struct Telling {
    ear: Arc<Ear>,
    pause: watch::Sender<Duration>,
    task: JoinHandle<()>,
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Watches what is wanted until nobody wants anything any more.
pub(super) async fn follow(mut wanted: watch::Receiver<Vec<Watched>>, inbox: mpsc::Sender<Msg>) {
    let ears = Ears::default();
    let mut watcher = Watching { ears: ears.clone(), watcher: None };
    let mut tellings: HashMap<PathBuf, Telling> = HashMap::new();
    let (lost, mut again) = mpsc::channel(8);
    loop {
        let mut change = Change::default();
        tokio::select! {
            more = wanted.changed() => if more.is_err() { return },
            Some(path) = again.recv() => change.add.push(path),
        }
        let list = wanted.borrow_and_update().clone();
        change.remove = tellings.keys().filter(|path| list.iter().all(|one| one.path != **path)).cloned().collect();
        tellings.retain(|path, _| !change.remove.contains(path));
        change.add.retain(|path| tellings.contains_key(path));
        for Watched { path, pause } in list {
            match tellings.get(&path) {
                Some(telling) => drop(telling.pause.send_replace(pause)),
                None => {
                    tellings.insert(path.clone(), Telling::new(&path, pause, &lost, &inbox));
                    change.add.push(path);
                }
            }
        }
        let now = tellings.iter().map(|(path, telling)| (path.clone(), telling.ear.clone())).collect();
        *ears.lock().unwrap_or_else(PoisonError::into_inner) = now;
        let Ok((back, failed)) = spawn_blocking(move || watcher.take_up(change)).await else { return };
        watcher = back;
        for (path, reason) in failed {
            let _ = inbox.send(Msg::NotWatched { path, reason }).await;
        }
    }
}

/// What is to be watched no more, and what from now on.
#[derive(Default)]
struct Change {
    remove: Vec<PathBuf>,
    add: Vec<PathBuf>,
}

struct Watching {
    ears: Ears,
    /// Made with the first directory.
    watcher: Option<RecommendedWatcher>,
}

impl Watching {
    /// Blocks as long as the directories do.
    fn take_up(mut self, change: Change) -> (Self, Vec<(PathBuf, String)>) {
        let mut failed = Vec::new();
        for path in change.remove {
            // One that is gone is watched no more anyway.
            let _ = self.watcher.as_mut().map(|watcher| watcher.unwatch(&path));
        }
        for path in change.add {
            if let Err(error) = self.add(&path) {
                failed.push((path, reason(&error)));
            } else if changed_lately(&path)
                && let Some(ear) = self.ears.lock().unwrap_or_else(PoisonError::into_inner).get(&path)
            {
                ear.changed.notify_one();
            }
        }
        (self, failed)
    }

    fn add(&mut self, path: &Path) -> notify::Result<()> {
        let watcher = match &mut self.watcher {
            Some(watcher) => watcher,
            none => {
                let ears = self.ears.clone();
                none.insert(notify::recommended_watcher(move |event| hear(&ears, event))?)
            }
        };
        match watcher.watch(path, RecursiveMode::NonRecursive) {
            // The pane will find out by itself.
            Err(error) if matches!(error.kind, notify::ErrorKind::PathNotFound) => Ok(()),
            result => result,
        }
    }
}

impl Telling {
    fn new(path: &Path, pause: Duration, lost: &mpsc::Sender<PathBuf>, inbox: &mpsc::Sender<Msg>) -> Self {
        let ear = Arc::new(Ear::default());
        let (pause, pauses) = watch::channel(pause);
        let task = tokio::spawn(tell(path.to_owned(), ear.clone(), pauses, lost.clone(), inbox.clone()));
        Self { ear, pause, task }
    }
}

async fn tell(
    path: PathBuf,
    ear: Arc<Ear>,
    pause: watch::Receiver<Duration>,
    lost: mpsc::Sender<PathBuf>,
    inbox: mpsc::Sender<Msg>,
) {
    loop {
        ear.changed.notified().await;
        sleep(SETTLE).await;
        // What came meanwhile is told of with it.
        let _ = ear.changed.notified().now_or_never();
        if ear.gone.notified().now_or_never().is_some() {
            let _ = lost.send(path.clone()).await;
        }
        if inbox.send(Msg::ChangedHere(path.clone())).await.is_err() {
            return;
        }
        let pause = *pause.borrow();
        sleep(pause).await;
    }
}

/// Runs on the thread of the watcher: wakes whoever tells of the directories that an event is about.
fn hear(ears: &Ears, event: notify::Result<Event>) {
    let ears = ears.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(event) = event.inspect_err(|error| tracing::warn!(%error, "watching directories")) else { return };
    if event.need_rescan() {
        return ears.values().for_each(|ear| ear.changed.notify_one());
    }
    // That somebody looks is no change.
    if matches!(event.kind, EventKind::Access(_)) {
        return;
    }
    for path in &event.paths {
        if let Some(ear) = ears.get(path) {
            if matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))) {
                ear.gone.notify_one();
            }
            ear.changed.notify_one();
        }
        if let Some(ear) = path.parent().and_then(|parent| ears.get(parent)) {
            ear.changed.notify_one();
        }
    }
}

/// Whether something may have happened between the read of a directory and its watch. One that is gone has changed.
fn changed_lately(path: &Path) -> bool {
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified());
    changed.map_or(true, |changed| changed.elapsed().map_or(true, |since| since < LATELY))
}

fn reason(error: &notify::Error) -> String {
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => "too much is watched on this machine".to_owned(),
        notify::ErrorKind::Io(error) => error.to_string(),
        _ => error.to_string(),
    }
}

/// Longer than it takes to begin a watch.
const LATELY: Duration = Duration::from_secs(2);
/// Files come in groups; the first of them wait this long for the others.
const SETTLE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    struct Scene {
        home: tempfile::TempDir,
        wanted: watch::Sender<Vec<Watched>>,
        told: mpsc::Receiver<Msg>,
    }

    impl Scene {
        fn new() -> Self {
            let (wanted, list) = watch::channel(Vec::new());
            let (inbox, told) = mpsc::channel(64);
            tokio::spawn(follow(list, inbox));
            Self { home: tempfile::tempdir().unwrap(), wanted, told }
        }

        fn want(&self, pause: Duration) -> PathBuf {
            let path = self.home.path().join("d");
            fs::create_dir_all(&path).unwrap();
            self.wanted.send_replace(vec![Watched { path: path.clone(), pause }]);
            path
        }

        /// Does something until a change of the directory is told of: when the watch begins is not told.
        async fn until_told(&mut self, path: &Path, mut act: impl FnMut(usize)) {
            for n in 0..1000 {
                act(n);
                match tokio::time::timeout(Duration::from_millis(100), self.told.recv()).await {
                    Ok(Some(Msg::ChangedHere(told))) if told == path => return,
                    Ok(other) => panic!("{other:?}"),
                    Err(_) => {}
                }
            }
            panic!("never told");
        }
    }

    #[tokio::test]
    async fn changes_are_told_and_looking_is_none() {
        let mut scene = Scene::new();
        let path = scene.want(Duration::ZERO);
        let file = path.join("f");
        scene.until_told(&path, |n| fs::write(&file, n.to_string()).unwrap()).await;
        // Whatever is still under way of that is told, and then nothing for reading it.
        while tokio::time::timeout(SETTLE * 4, scene.told.recv()).await.is_ok() {}
        assert_eq!((fs::read_dir(&path).unwrap().count(), fs::read(&file).is_ok()), (1, true));
        assert!(tokio::time::timeout(SETTLE * 4, scene.told.recv()).await.is_err());
        fs::remove_file(&file).unwrap();
        assert!(matches!(scene.told.recv().await, Some(Msg::ChangedHere(told)) if told == path));
    }

    #[tokio::test]
    async fn many_changes_are_told_once_in_a_pause() {
        let mut scene = Scene::new();
        let path = scene.want(Duration::from_secs(3600));
        scene.until_told(&path, |n| fs::write(path.join(n.to_string()), "").unwrap()).await;
        (0..100).for_each(|n| fs::write(path.join(format!("more-{n}")), "").unwrap());
        assert!(tokio::time::timeout(SETTLE * 5, scene.told.recv()).await.is_err());
    }

    #[tokio::test]
    async fn another_directory_in_its_place_is_watched() {
        let mut scene = Scene::new();
        let path = scene.want(Duration::ZERO);
        scene.until_told(&path, |n| fs::write(path.join(n.to_string()), "").unwrap()).await;
        fs::remove_dir_all(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(scene.told.recv().await, Some(Msg::ChangedHere(_))));
        while tokio::time::timeout(SETTLE * 4, scene.told.recv()).await.is_ok() {}
        scene.until_told(&path, |n| fs::write(path.join(n.to_string()), "").unwrap()).await;
    }

    #[tokio::test]
    async fn one_that_went_before_it_was_watched_is_told() {
        let mut scene = Scene::new();
        let path = scene.home.path().join("none");
        scene.wanted.send_replace(vec![Watched { path: path.clone(), pause: Duration::ZERO }]);
        assert!(matches!(scene.told.recv().await, Some(Msg::ChangedHere(told)) if told == path));
    }

    #[tokio::test]
    async fn what_cannot_be_watched_is_told() {
        let mut scene = Scene::new();
        let denied = PathBuf::from("a\0b");
        scene.wanted.send_replace(vec![Watched { path: denied.clone(), pause: Duration::ZERO }]);
        assert!(matches!(scene.told.recv().await, Some(Msg::NotWatched { path, .. }) if path == denied));
    }
}
