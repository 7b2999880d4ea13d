//! Rates over a sliding window, time left, and the counters of a file under way. Knows no queue.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::status::Pace;

/// Bytes a second over the last [`WINDOW`].
#[derive(Debug, Default)]
pub(crate) struct Meter {
    samples: VecDeque<(Instant, u64)>,
}

impl Meter {
    /// Notes that `total` bytes have moved by `now`, and tells the rate.
    pub(crate) fn record(&mut self, now: Instant, total: u64) -> u64 {
        self.samples.push_back((now, total));
        // One sample older than the window stays, so that the window is always spanned.
        while self.samples.get(1).is_some_and(|(at, _)| now.saturating_duration_since(*at) >= WINDOW) {
            self.samples.pop_front();
        }
        let Some((first, start)) = self.samples.front() else { return 0 };
        let passed = now.saturating_duration_since(*first).as_secs_f64();
        if passed < SHORTEST.as_secs_f64() { 0 } else { (total.saturating_sub(*start) as f64 / passed).round() as u64 }
    }

    /// Forgets: what comes next is not a part of what was.
    pub(crate) fn clear(&mut self) {
        self.samples.clear();
    }
}

/// The rate of the last minutes, a value for each second.
#[derive(Debug)]
pub(crate) struct Trail {
    start: Instant,
    /// Seconds from the start to behind the last value.
    end: u64,
    seconds: VecDeque<u64>,
    shown: Pace,
}

impl Trail {
    /// One that begins now.
    pub(crate) fn new(start: Instant) -> Self {
        Self { start, end: 0, seconds: VecDeque::new(), shown: Pace::default() }
    }

    /// Notes the rate of now; a second may be told of several times. Where nothing moves, nothing is noted.
    pub(crate) fn record(&mut self, now: Instant, rate: u64) -> Pace {
        let last = self.seconds.back().copied().unwrap_or_default();
        if rate == 0 && last == 0 {
            return self.shown.clone();
        }
        let end = now.saturating_duration_since(self.start).as_secs() + 1;
        if self.seconds.is_empty() {
            self.end = end - 1;
        }
        // Seconds of which nobody told were a pause, unless it is the one just before.
        let passed = end.saturating_sub(self.end);
        let gap = usize::try_from(passed.saturating_sub(1)).unwrap_or(MINUTES).min(MINUTES);
        self.seconds.extend(std::iter::repeat_n(0, gap));
        match self.seconds.back_mut().filter(|_| passed == 0) {
            Some(second) => *second = rate,
            None => self.seconds.push_back(rate),
        }
        let over = self.seconds.len().saturating_sub(MINUTES);
        self.seconds.drain(..over);
        self.end = end;
        self.shown = Pace { seconds: self.seconds.iter().copied().collect() };
        self.shown.clone()
    }
}

/// Time left for `bytes` at `rate`.
pub(crate) fn eta(bytes: u64, rate: u64) -> Option<Duration> {
    (rate > 0).then(|| Duration::from_secs(bytes.div_ceil(rate)))
}

/// Counters of one file under way: a lane writes them, the sampler reads them.
#[derive(Debug, Default)]
pub(crate) struct Live {
    sent: AtomicU64,
    held: AtomicU64,
    /// What has passed on the lane when the last block was settled; `None` for small files.
    mark: AtomicU64,
    flow: Option<Arc<AtomicU64>>,
}

impl Live {
    /// Counters that also show the part of a block that is on its way, by the lane's own count.
    pub(crate) fn following(flow: Arc<AtomicU64>) -> Self {
        let mark = AtomicU64::new(flow.load(Ordering::Relaxed));
        Self { mark, flow: Some(flow), ..Self::default() }
    }

    /// A block travelled.
    pub(crate) fn sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
        if let Some(flow) = &self.flow {
            self.mark.store(flow.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    /// A block travelled on another lane, whatever is on its way on this one.
    pub(crate) fn brought(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The receiver had a block.
    pub(crate) fn held(&self, bytes: u64) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Payload that travelled, all blocks whole.
    pub(crate) fn travelled(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Bytes of a file of `size` that are settled: those of whole blocks.
    pub(crate) fn settled(&self, size: u64) -> u64 {
        (self.travelled() + self.held.load(Ordering::Relaxed)).min(size)
    }

    /// Bytes to show as travelled and as held, of a file of `size`.
    pub(crate) fn shown(&self, size: u64) -> (u64, u64) {
        let (sent, held) = (self.sent.load(Ordering::Relaxed), self.held.load(Ordering::Relaxed));
        let begun = self.flow.as_ref().map_or(0, |flow| {
            flow.load(Ordering::Relaxed).saturating_sub(self.mark.load(Ordering::Relaxed)).min(wire::BLOCK as u64)
        });
        let held = held.min(size);
        ((sent + begun).min(size - held), held)
    }
}

/// Seconds of a trail.
const MINUTES: usize = 300;
/// Long enough to be calm, short enough to be true.
const WINDOW: Duration = Duration::from_secs(5);
/// A rate over less than this is noise.
const SHORTEST: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_follows_the_window() {
        let mut meter = Meter::default();
        let start = Instant::now();
        let at = |tenths: u64| start + Duration::from_millis(tenths * 100);
        assert_eq!(meter.record(at(0), 0), 0);
        for tenth in 1..=100 {
            assert_eq!(meter.record(at(tenth), tenth * 100), 1000, "{tenth}");
        }
        // Stalled: it fades to nothing within the window.
        assert!(meter.record(at(125), 10_000) < 600);
        assert_eq!(meter.record(at(160), 10_000), 0);
        assert_eq!((eta(1500, 1000), eta(1, 0)), (Some(Duration::from_secs(2)), None));
    }

    #[test]
    fn what_is_on_its_way_is_shown_and_not_settled() {
        let flow = Arc::new(AtomicU64::new(7));
        let live = Live::following(flow.clone());
        flow.store(206, Ordering::Relaxed);
        assert_eq!((live.shown(400), live.settled(400)), ((199, 0), 0), "a refused request took some bytes, too");
        live.sent(100);
        live.held(250);
        flow.store(216, Ordering::Relaxed);
        assert_eq!((live.shown(400), live.settled(400)), ((110, 250), 350));
    }

    #[test]
    fn a_trail_of_seconds_with_their_pauses() {
        let start = Instant::now();
        let mut trail = Trail::new(start);
        let mut at = |tenths: u64, rate| trail.record(start + Duration::from_millis(tenths * 100), rate);
        assert_eq!(at(5, 0), Pace::default());
        assert_eq!(&*at(32, 10).seconds, [10]);
        assert_eq!(&*at(35, 20).seconds, [20]);
        assert_eq!(&*at(41, 30).seconds, [20, 30]);
        assert_eq!(&*at(49, 0).seconds, [20, 0]);
        let pace = at(80, 40);
        assert_eq!((&*pace.seconds, pace.average(), pace.peak()), ([20, 0, 0, 0, 0, 40].as_slice(), 30, 40));
        assert_eq!(at(100_000, 5).seconds.len(), MINUTES);
    }

    #[test]
    fn a_block_on_its_way_is_shown_and_never_too_much() {
        let flow = Arc::new(AtomicU64::new(500));
        let live = Live::following(flow.clone());
        flow.fetch_add(300, Ordering::Relaxed);
        assert_eq!((live.shown(1000), live.travelled()), ((300, 0), 0));
        live.brought(5);
        assert_eq!(live.shown(1000), (305, 0), "what is on its way is shown as before");
        live.sent(295);
        live.held(600);
        flow.fetch_add(999, Ordering::Relaxed);
        assert_eq!(live.shown(1000), (400, 600));
    }
}
