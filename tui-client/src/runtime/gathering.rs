//! From pages to the rows of a directory: takes pages as they come, has them sorted beside, and shows
//! what there is now and then, so that neither the sender of pages nor the screen ever waits.

use std::time::Duration;

use futures_util::future::OptionFuture;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until};
use wire::Fault;
use wire::message::Entry;

use super::disk;
use super::reading::{Pulse, panicked};
use crate::app::rows::{Listing, Rows};
use crate::entries::{Entries, Heirs, Known};
use crate::update::Msg;

/// Pages of a directory, until the first fault.
pub(super) type Pages = mpsc::Receiver<Result<Vec<Entry>, Fault>>;

/// A read under way.
pub(super) struct Gathering {
    generation: u64,
    inbox: mpsc::Sender<Msg>,
    pulse: Pulse,
    /// Rows that stay on the screen until all is read; without them, parts are shown.
    shown: Option<Rows>,
    /// What they take of memory is not taken again.
    known: Known,
    free: Option<u64>,
    /// What came.
    entries: Entries,
    /// As much of it as was sorted.
    rows: Rows,
    /// When rows are shown next; set by the first page.
    due: Option<Instant>,
}

/// Rows that are being sorted, since when.
struct Sorting {
    begun: Instant,
    task: JoinHandle<Rows>,
}

impl Gathering {
    /// A read into `rows`, of which there are none yet.
    pub(super) fn new(generation: u64, rows: Rows, shown: Option<Rows>, inbox: mpsc::Sender<Msg>) -> Self {
        let (entries, pulse) = (Entries::default(), Pulse::new(inbox.clone()));
        Self { generation, inbox, pulse, shown, known: Known::default(), free: None, entries, rows, due: None }
    }

    /// The same with what is known of the disk.
    pub(super) fn with_free(self, free: Option<u64>) -> Self {
        Self { free, ..self }
    }

    /// Takes all pages; the whole list.
    pub(super) async fn run(mut self, mut pages: Pages) -> Result<Listing, Fault> {
        if let Some(shown) = self.shown.clone() {
            self.known = spawn_blocking(move || Known::of(shown.entries())).await.map_err(panicked)?;
        }
        let mut sorting: Option<Sorting> = None;
        loop {
            let due = self.due.filter(|_| sorting.is_none() && self.has_news());
            tokio::select! {
                page = pages.recv() => match page {
                    Some(page) => self.take(page?),
                    None => break,
                },
                Some(rows) = OptionFuture::from(sorting.as_mut().map(|sorting| &mut sorting.task)) => {
                    self.show(rows.map_err(panicked)?, sorting.take());
                }
                Some(()) = OptionFuture::from(due.map(sleep_until)) => sorting = Some(self.sort()),
            }
        }
        if let Some(Sorting { task, .. }) = sorting {
            self.rows = task.await.map_err(panicked)?;
        }
        self.whole().await
    }

    fn take(&mut self, page: Vec<Entry>) {
        // A row whose name is no name could not be acted on.
        let names = page.iter().filter(|entry| is_name(&entry.name.0));
        names.for_each(|entry| self.entries.push_sharing(entry, &self.known));
        let (generation, found) = (self.generation, self.entries.len() as u64);
        self.pulse.beat(|| Msg::Reading { generation, found });
        self.due.get_or_insert_with(|| Instant::now() + FIRST);
    }

    fn has_news(&self) -> bool {
        self.shown.is_none() && self.entries.len() > self.rows.entries().len()
    }

    fn sort(&self) -> Sorting {
        let (rows, entries) = (self.rows.clone(), self.entries.clone());
        Sorting { begun: Instant::now(), task: spawn_blocking(move || rows.grown(entries)) }
    }

    fn show(&mut self, rows: Rows, sorting: Option<Sorting>) {
        self.rows = rows.clone();
        let listing = Listing { rows, heirs: None, free: self.free, at: disk::now() };
        // A full inbox has newer things to tell, and more rows come.
        let _ = self.inbox.try_send(Msg::Partly { generation: self.generation, listing });
        let took = sorting.map_or(Duration::ZERO, |sorting| sorting.begun.elapsed());
        self.due = Some(Instant::now() + PAUSE.max(took * 2));
    }

    async fn whole(self) -> Result<Listing, Fault> {
        let Self { rows, entries, shown, free, .. } = self;
        let sorted = spawn_blocking(move || {
            let rows = rows.grown(entries);
            let heirs = shown.map(|shown| Heirs::of(shown.entries(), rows.entries()));
            Listing { rows, heirs, free, at: disk::now() }
        });
        sorted.await.map_err(panicked)
    }
}

fn is_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.contains(&b'/') && !name.contains(&0)
}

/// From the first page to the first rows on the screen. Most directories are whole by then.
const FIRST: Duration = Duration::from_millis(20);
/// From then on rows are shown at most ten times a second, and sorting takes no more than a third of the time.
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::sample::{file, rows};
    use crate::entries::TOUCHED;

    /// A read that pages can be sent to, with what it tells the screen and what it ends with.
    struct Read {
        pages: mpsc::Sender<Result<Vec<Entry>, Fault>>,
        told: mpsc::Receiver<Msg>,
        ended: JoinHandle<Result<Listing, Fault>>,
    }

    fn read(shown: Option<Rows>) -> Read {
        let (pages, reading) = mpsc::channel(1);
        let (inbox, told) = mpsc::channel(16);
        let ended = tokio::spawn(Gathering::new(1, Rows::default(), shown, inbox).run(reading));
        Read { pages, told, ended }
    }

    impl Read {
        async fn page(&self, numbers: std::ops::Range<u32>) {
            let page = numbers.rev().map(|n| file(&n.to_string(), 0, 0)).collect();
            assert!(self.pages.send(Ok(page)).await.is_ok());
        }

        /// The next rows it shows.
        async fn rows(&mut self) -> Rows {
            loop {
                if let Msg::Partly { listing, .. } = self.told.recv().await.expect("it goes on") {
                    return listing.rows;
                }
            }
        }
    }

    fn numbers(rows: &Rows) -> Vec<u32> {
        let name = |row| String::from_utf8_lossy(rows.get(row).unwrap().name).parse().unwrap();
        (0..rows.len()).map(name).collect()
    }

    #[tokio::test]
    async fn rows_are_shown_while_others_come() {
        let mut read = read(None);
        read.page(5..10).await;
        assert_eq!(numbers(&read.rows().await), [5, 6, 7, 8, 9]);
        read.page(0..5).await;
        assert_eq!(numbers(&read.rows().await), (0..10).collect::<Vec<_>>());
        assert!(read.pages.send(Ok(vec![file("..", 0, 0), file("a/b", 0, 0), file("", 0, 0)])).await.is_ok());
        read.page(10..12).await;
        drop(read.pages);
        let listing = read.ended.await.unwrap().unwrap();
        assert_eq!((numbers(&listing.rows), listing.heirs), ((0..12).collect(), None));
    }

    #[tokio::test]
    async fn rows_that_stay_are_replaced_by_all_at_once() {
        let shown = rows(&[file("3", 0, 0), file("gone", 0, 0)]);
        let mut read = read(Some(shown.clone()));
        // Long after rows would have been shown.
        let mut figures = 0;
        for n in 0.. {
            read.page(n..n + 1).await;
            match read.told.try_recv() {
                Ok(Msg::Reading { .. }) => figures += 1,
                Ok(other) => panic!("{other:?}"),
                Err(_) => {}
            }
            if figures == 2 {
                break;
            }
        }
        drop(read.pages);
        let listing = read.ended.await.unwrap().unwrap();
        let heirs = listing.heirs.unwrap();
        let heir = |id| heirs.get(id).map(|id| listing.rows.entries().name(id));
        assert_eq!((heir(0), heir(1)), (Some(b"3".as_slice()), None));
    }

    #[tokio::test]
    async fn it_begins_on_the_screen_thread_and_looks_at_nothing_there() {
        let shown = rows(&(0..2000).map(|n| file(&n.to_string(), 0, 0)).collect::<Vec<_>>());
        let before = TOUCHED.get();
        let gathering = Gathering::new(1, Rows::default(), Some(shown), mpsc::channel(1).0);
        assert_eq!(TOUCHED.get(), before);
        let (pages, reading) = mpsc::channel(1);
        drop(pages);
        assert!(gathering.run(reading).await.is_ok());
        assert_eq!(TOUCHED.get(), before, "nor on the one that takes the pages");
    }

    #[tokio::test]
    async fn a_fault_ends_it_and_nobody_there_stops_the_pages() {
        let failing = read(None);
        failing.page(0..3).await;
        let fault = Fault::new(wire::Code::Io, "a bad disk");
        assert!(failing.pages.send(Err(fault.clone())).await.is_ok());
        assert_eq!(failing.ended.await.unwrap(), Err(fault));
        let left = read(None);
        left.page(0..3).await;
        left.ended.abort();
        left.pages.closed().await;
    }
}
