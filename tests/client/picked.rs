//! Entries of a directory that are one item of the queue: copied, moved, paused, taken up again.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use tests::files::{content, paths};
use tui_client::engine::Options;
use tui_client::engine::status::{AfterCopy, IfExists, Job, NewItem, Reply, State};
use tui_client::entries::{Entries, Picked};
use wire::RemotePath;
use wire::message::{Entry, Kind, RawPath, Time};

use crate::bench::{Bench, MIB, remote};

/// All that a directory holds, but for what is named `other`.
fn picked(directory: &Path) -> Picked {
    let mut entries = Entries::default();
    for found in fs::read_dir(directory).expect("there") {
        let found = found.expect("a row");
        let meta = found.metadata().expect("there");
        let kind = match meta.file_type() {
            kind if kind.is_dir() => Kind::Directory,
            kind if kind.is_symlink() => Kind::Link,
            _ => Kind::File,
        };
        let mtime = Time { secs: meta.mtime(), nanos: u32::try_from(meta.mtime_nsec()).expect("below a second") };
        let name = RawPath(found.file_name().as_bytes().to_vec());
        let size = if kind == Kind::File { meta.len() } else { 0 };
        if name.0 != b"other" {
            entries.push(&Entry { name, kind, size, mtime, executable: false, root: None });
        }
    }
    Picked::all(entries)
}

/// Names below a directory, with their contents.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = paths(directory).expect("walked").into_iter().filter(|path| !path.is_symlink());
    files
        .map(|path| (path.strip_prefix(directory).expect("below").to_owned(), fs::read(&path).expect("read")))
        .collect()
}

fn plant(directory: &Path) {
    for index in 0..900 {
        let path = directory.join(if index % 9 == 0 { format!("sub/{index}") } else { index.to_string() });
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(path, content(&index.to_string(), index)).expect("written");
    }
    fs::create_dir(directory.join("empty")).expect("made");
    fs::write(directory.join("other"), "not picked").expect("written");
}

fn item(source: &Path, target: &str, after: AfterCopy) -> NewItem {
    let target = if target.is_empty() { RemotePath::home() } else { remote(target) };
    NewItem { job: Job::Up { source: source.to_owned(), target }, if_exists: IfExists::Ask, source: after }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_picked_goes_both_ways_and_nothing_else() {
    let mut bench = Bench::new().await;
    let (here, home) = (bench.path("here"), bench.host.home("ada"));
    plant(&here);
    symlink(here.join("1"), here.join("link")).expect("made");
    let mut expected = contents(&here);
    // Two names are there already, with other contents: one answer for all is one for both, whenever they come.
    fs::create_dir(home.join("there")).expect("made");
    for name in ["5", "800"] {
        fs::write(home.join("there").join(name), "another").expect("written");
    }
    let id = bench.engine.enqueue_picked(item(&here, "there", AfterCopy::Keep), picked(&here));
    let asked = bench.until("a question", |status| !status.questions.is_empty()).await;
    assert!(["/there/5", "/there/800"].contains(&asked.questions[0].target.as_str()));
    let reply = Reply { answer: IfExists::Overwrite, for_all: true };
    bench.engine.answer(asked.questions[0].id, reply);
    let done = bench.done(id).await;
    assert_eq!((done.name.as_str(), done.files, done.files_done), ("marks in here/", 901, 901));
    assert!(!home.join("there/other").exists());
    // What a link leads to was named with it.
    assert_eq!(fs::read(home.join("there/link")).expect("there"), content("1", 1));
    fs::remove_file(home.join("there/link")).expect("removed");
    expected.retain(|path, _| path != Path::new("other") && path != Path::new("link"));
    assert_eq!(contents(&home.join("there")), expected);

    // Back, as a move: the directory itself stays, with what was not picked.
    fs::write(home.join("there/other"), "not picked").expect("written");
    let job = Job::Down { source: remote("there"), target: bench.path("back") };
    let new = NewItem { job, if_exists: IfExists::Ask, source: AfterCopy::Remove };
    let id = bench.engine.enqueue_picked(new, picked(&home.join("there")));
    let done = bench.done(id).await;
    assert_eq!((done.files_done, done.directories_left), (900, 0));
    assert_eq!(contents(&bench.path("back")), expected);
    let left: Vec<_> =
        fs::read_dir(home.join("there")).expect("it stays").map(|row| row.expect("a row").file_name()).collect();
    assert_eq!(left, ["other"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_was_left_goes_on_with_what_is_left() {
    let mut bench = Bench::with(Options { limit: Some(MIB / 8), ..Options::default() }).await;
    let (here, state) = (bench.path("here"), bench.path("state"));
    plant(&here);
    let expected = {
        let mut all = contents(&here);
        all.retain(|path, _| path != Path::new("other"));
        all
    };
    bench.engine.keep(state.clone(), "ada@h:1".into()).await.expect("kept");
    let id = bench.engine.enqueue_picked(item(&here, "", AfterCopy::Remove), picked(&here));
    bench.item(id, "some of it", |item| item.files_done > 50).await;
    bench.engine.pause(id);
    bench.item(id, "paused", |item| item.state == State::Paused && item.rate == 0).await;
    bench.engine.shutdown(std::time::Duration::from_secs(10)).await;
    assert!(here.join("sub").exists(), "not all is gone");

    let port = bench.proxy.address.port();
    bench.engine = crate::bench::connect(port, bench.place.path(), tests::host::PASSWORD, Options::default())
        .await
        .expect("connected");
    bench.status = bench.engine.status();
    let restored = bench.engine.keep(state, "ada@h:1".into()).await.expect("kept");
    let [id] = restored.items.as_slice() else { panic!("{restored:?}") };
    bench.engine.resume(*id);
    bench.done(*id).await;
    assert_eq!(contents(&bench.host.home("ada")), expected);
    let left: Vec<_> = fs::read_dir(&here).expect("it stays").map(|row| row.expect("a row").file_name()).collect();
    assert_eq!(left, ["other"]);
}
