//! A large file that several lanes carry, and which of its blocks are whose.
//!
//! The file's own lane goes from the front to the end as if it were alone, and waits for nobody. A lane with
//! nothing else to do takes single blocks from the back of what is left, each of them once. Only what such a
//! lane has proven (stored, says the server; in the part file, up to here) the own lane leaves out when it
//! comes there. So a lane that fails, stalls or turns away has nothing to give back: its blocks were never
//! proven, and the own lane sends them.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio_util::sync::{CancellationToken, DropGuard};
use wire::staging::Building;
use wire::{BLOCK, Cv, block};

use super::local::Source;
use super::progress::Live;

/// A file that other lanes may assist, while its own lane is at it.
#[derive(Debug)]
pub(crate) struct Spread {
    /// Its number in the session.
    pub(crate) transfer: u64,
    /// Bytes of the file.
    pub(crate) size: u64,
    pub(crate) body: Body,
    /// Blocks that a lane has under way for it, at most.
    pub(crate) window: usize,
    /// Cancelled when its own lane is through with it, or must stop.
    pub(crate) over: CancellationToken,
    live: Arc<Live>,
    shares: Mutex<Shares>,
}

/// Where its blocks come from, or go to.
#[derive(Debug)]
pub(crate) enum Body {
    Up(Arc<Source>),
    /// Its own lane alone keeps the part file open, and so locked.
    Down(Weak<Part>),
}

/// A part file that is being written.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) file: File,
    pub(crate) building: Building,
}

/// Which blocks are whose. Plain data.
#[derive(Debug)]
struct Shares {
    /// The own lane is past all before this.
    front: u64,
    /// All from here on were taken, or were not to be had.
    back: u64,
    /// For each block, whether the receiver has nothing at its place. What it has something of is the own
    /// lane's, which compares.
    missing: Vec<bool>,
    /// Brought over, and not passed yet.
    proven: BTreeMap<u64, Cv>,
    /// Of those, what the own lane has not been told.
    news: Vec<(u64, Cv)>,
    /// No more is taken.
    alone: bool,
}

impl Spread {
    /// Takes the last block that is left, for a lane that has `in_flight` of them already; none when the own
    /// lane would be there first.
    pub(crate) fn take(&self, in_flight: usize) -> Option<u64> {
        if self.over.is_cancelled() || in_flight >= self.window {
            return None;
        }
        self.shares().take(in_flight)
    }

    /// Whether there is a block to take.
    pub(crate) fn has_room(&self) -> bool {
        !self.over.is_cancelled() && self.shares().last(0).is_some()
    }

    /// A block is proven and stored. It travelled, if the own lane has not sent it meanwhile.
    pub(crate) fn prove(&self, index: u64, cv: Cv) {
        if self.shares().prove(index, cv)
            && let Some(span) = block::span(self.size, index)
        {
            self.live.brought(span.len as u64);
        }
    }

    /// Assisting leads to nothing: the rest is the own lane's.
    pub(crate) fn leave_alone(&self) {
        self.shares().alone = true;
    }

    fn shares(&self) -> MutexGuard<'_, Shares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shares {
    fn new(front: u64, missing: Vec<bool>) -> Self {
        let back = missing.len() as u64;
        Self { front, back, missing, proven: BTreeMap::new(), news: Vec::new(), alone: false }
    }

    fn take(&mut self, in_flight: usize) -> Option<u64> {
        self.back = self.last(in_flight)?;
        Some(self.back)
    }

    /// The last block that is left, if at least as many lie before it as the own lane may carry until it has
    /// gone the way of all that is in flight before it.
    fn last(&self, in_flight: usize) -> Option<u64> {
        let is_missing = |index: &u64| usize::try_from(*index).ok().and_then(|at| self.missing.get(at)) == Some(&true);
        let mut left = (self.front..self.back).rev().filter(is_missing);
        let last = left.next().filter(|_| !self.alone)?;
        let enough = in_flight + LEAD;
        (left.take(enough).count() == enough).then_some(last)
    }

    fn prove(&mut self, index: u64, cv: Cv) -> bool {
        let is_news = index >= self.front && !self.proven.contains_key(&index);
        if is_news {
            self.proven.insert(index, cv);
            self.news.push((index, cv));
        }
        is_news
    }

    fn pass(&mut self, index: u64) -> Option<Cv> {
        self.front = self.front.max(index + 1);
        self.proven.remove(&index)
    }
}

/// What a file's own lane knows of its way, and of those who assist. They leave off when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Way {
    /// The next block it will come to.
    pub(crate) next: u64,
    /// The values of all blocks, where they had to be computed before; else none.
    known: Vec<Cv>,
    /// When it carried its first block, and how many since.
    since: Option<(Instant, u64)>,
    spread: Option<(Arc<Spread>, DropGuard)>,
}

impl Way {
    /// Of a file whose values are `known`, or none of them.
    pub(crate) fn new(known: Vec<Cv>) -> Self {
        Self { known, ..Self::default() }
    }

    /// The value of a block, if it was computed before.
    pub(crate) fn known(&self, index: u64) -> Option<Cv> {
        self.known.get(usize::try_from(index).ok()?).copied()
    }

    /// Comes to a block: its value, if another lane has brought it over.
    pub(crate) fn pass(&mut self, index: u64) -> Option<Cv> {
        self.next = self.next.max(index + 1);
        self.spread.as_ref().and_then(|(spread, _)| spread.shares().pass(index))
    }

    /// The own lane carries a block.
    pub(crate) fn carry(&mut self, now: Instant) {
        let (_, blocks) = self.since.get_or_insert((now, 0));
        *blocks += 1;
    }

    /// What other lanes have brought over and this was not told of: the newest, which it would come to first.
    pub(crate) fn news(&self) -> Vec<(u64, Cv)> {
        let Some((spread, _)) = &self.spread else { return Vec::new() };
        let news = &mut spread.shares().news;
        news.split_off(news.len().saturating_sub(NEWS))
    }

    /// How many blocks a lane that assists should have under way: what this one carries in a second. `None`
    /// while it is not worth it, because this lane has only begun, will soon be through, or is held back by the
    /// `limit` of all lanes; and once somebody was asked.
    pub(crate) fn wants_help(&self, size: u64, now: Instant, limit: Option<u64>) -> Option<usize> {
        let (began, blocks) = self.since.filter(|_| self.spread.is_none())?;
        let spent = now.saturating_duration_since(began);
        if spent < WORTH_IT {
            return None;
        }
        let a_second = blocks as f64 / spent.as_secs_f64();
        let left = block::count(size).saturating_sub(self.next);
        let is_long = left as f64 > a_second * WORTH_IT.as_secs_f64();
        let is_held_back = limit.is_some_and(|limit| (limit as f64) < a_second * BLOCK as f64 * NEAR_LIMIT);
        (is_long && !is_held_back).then_some((a_second as usize).clamp(LEAST_WINDOW, WINDOW))
    }

    /// Lets others assist. `missing`: for each block, whether the receiver has nothing at its place.
    pub(crate) fn share(
        &mut self,
        (transfer, size, window): (u64, u64, usize),
        body: Body,
        missing: Vec<bool>,
        (live, stop): (&Arc<Live>, &CancellationToken),
    ) -> Arc<Spread> {
        let (over, live) = (stop.child_token(), live.clone());
        let shares = Mutex::new(Shares::new(self.next, missing));
        let guard = over.clone().drop_guard();
        let spread = Arc::new(Spread { transfer, size, body, window, over, live, shares });
        self.spread = Some((spread.clone(), guard));
        spread
    }
}

/// The least time the own lane must have been at it, and must still have before it.
const WORTH_IT: Duration = Duration::from_secs(1);
/// A lane this near to the limit of all has nothing to gain.
const NEAR_LIMIT: f64 = 1.25;
/// Blocks that the own lane may be ahead of what is known of it here: what lies in sockets and queues.
const LEAD: usize = 12;
/// Blocks under way of a lane that assists: a gigabit link with a round trip of 100 ms.
const WINDOW: usize = 16;
/// Told for each block of its own: far more than come meanwhile, and fewer than a server lets wait.
const NEWS: usize = 64;
/// One on its way and one behind it, however slow it is.
const LEAST_WINDOW: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BLOCKS: u64 = 40;

    fn cv(index: u64) -> Cv {
        Cv([index as u8; 32])
    }

    fn shares() -> Shares {
        Shares::new(0, vec![true; BLOCKS as usize])
    }

    #[test]
    fn blocks_are_taken_from_the_back_while_the_own_lane_is_far() {
        let mut shares = shares();
        assert_eq!([shares.take(0), shares.take(1), shares.take(2)], [39, 38, 37].map(Some));
        // Two more lanes, and the own one on its way: 20 to 36 are left.
        (0..20).for_each(|index| assert_eq!(shares.pass(index), None));
        assert_eq!([shares.take(4), shares.take(4), shares.take(4)], [Some(36), None, None]);
        assert_eq!([3, 1, 0, 0].map(|in_flight| shares.take(in_flight)), [35, 34, 33, 32].map(Some));
        assert_eq!(shares.take(0), None, "the own lane would be there first");
    }

    #[test]
    fn the_own_lane_leaves_out_what_is_proven_and_nothing_else() {
        let mut shares = shares();
        let taken: Vec<u64> = (0..4).filter_map(|_| shares.take(0)).collect();
        assert_eq!(taken, [39, 38, 37, 36]);
        // 38 was never proven: its lane broke. 36 comes when the own lane has sent it.
        assert!(shares.prove(39, cv(39)) && shares.prove(37, cv(37)));
        assert!(!shares.prove(39, cv(39)), "once");
        let passed: Vec<Option<Cv>> = (0..BLOCKS).map(|index| shares.pass(index)).collect();
        assert_eq!(passed[36..], [None, Some(cv(37)), None, Some(cv(39))]);
        assert!(passed[..36].iter().all(Option::is_none));
        assert!(!shares.prove(36, cv(36)), "too late to count");
        assert_eq!(std::mem::take(&mut shares.news), [(39, cv(39)), (37, cv(37))]);
    }

    #[test]
    fn what_the_receiver_has_something_of_is_not_taken() {
        let missing = (0..BLOCKS).map(|index| (15..30).contains(&index)).collect();
        let mut shares = Shares::new(5, missing);
        assert_eq!([shares.take(0), shares.take(1), shares.take(2)], [Some(29), Some(28), None]);
        shares.alone = true;
        assert_eq!(shares.take(0), None);
    }

    #[test]
    fn help_is_wanted_for_what_is_long_under_way_and_long_before_its_end() {
        let begin = Instant::now();
        let after = |tenths: u32| begin + Duration::from_millis(100) * tenths;
        let mib = 1 << 20;
        let mut way = Way::default();
        assert_eq!(way.wants_help(100 * mib, after(50), None), None, "nothing was carried yet");
        for index in 0..8 {
            way.pass(index);
            way.carry(begin);
        }
        let table = [(100, 9, None), (100, 10, Some(8)), (100, 20, Some(4)), (100, 90, Some(2)), (16, 10, None)];
        for (blocks, tenths, window) in table {
            assert_eq!(way.wants_help(blocks * mib, after(tenths), None), window, "{blocks} blocks, {tenths}");
        }
        for (limit, window) in [(7, None), (9, None), (11, Some(8))] {
            assert_eq!(way.wants_help(100 * mib, after(10), Some(limit * mib)), window, "{limit} MiB/s");
        }
        let stop = CancellationToken::new();
        let source = Body::Down(Weak::new());
        let spread = way.share((1, 100 * mib, 4), source, vec![true; 100], (&Arc::default(), &stop));
        assert_eq!(way.wants_help(100 * mib, after(20), None), None, "asked once");
        assert_eq!([spread.take(0), spread.take(3), spread.take(4)], [Some(99), Some(98), None]);
        spread.prove(99, cv(99));
        assert!(spread.has_room());
        assert_eq!((way.news(), way.news()), (vec![(99, cv(99))], Vec::new()));
        (20..99).rev().for_each(|index| spread.prove(index, cv(index)));
        let (first, then) = (way.news(), way.news());
        assert_eq!((first.len(), first.last(), then.len()), (NEWS, Some(&(20, cv(20))), 79 - NEWS));
        assert_eq!([way.pass(99), way.pass(98), way.pass(99)], [Some(cv(99)), Some(cv(98)), None]);
        drop(way);
        assert!(!spread.has_room() && spread.take(0).is_none() && spread.over.is_cancelled());
        assert!(!stop.is_cancelled());
    }

    proptest! {
        /// Whoever takes, proves, fails or comes late: every block goes over, and the own lane leaves out
        /// just what was proven before it came there.
        #[test]
        fn nothing_is_lost_whatever_the_lanes_do(steps in prop::collection::vec((0u8..4, 0usize..8), 0..200)) {
            let mut shares = shares();
            let (mut flight, mut there, mut own) = (Vec::new(), vec![0; BLOCKS as usize], 0);
            let pass = |shares: &mut Shares, there: &mut Vec<u32>, own: &mut u64| {
                if shares.pass(*own).is_none() {
                    there[*own as usize] += 1;
                }
                *own += 1;
            };
            for (what, which) in steps {
                match what {
                    0 if own < BLOCKS => pass(&mut shares, &mut there, &mut own),
                    1 => if let Some(index) = shares.take(flight.len()) {
                        prop_assert!(index >= own && !flight.contains(&index));
                        flight.push(index);
                    },
                    2 if which < flight.len() => {
                        let index = flight.remove(which);
                        if shares.prove(index, cv(index)) {
                            there[index as usize] += 1;
                        }
                    }
                    3 if which < flight.len() => drop(flight.remove(which)),
                    _ => {}
                }
            }
            while own < BLOCKS {
                pass(&mut shares, &mut there, &mut own);
            }
            prop_assert!(there.iter().all(|times| *times == 1), "{there:?}");
        }
    }
}
