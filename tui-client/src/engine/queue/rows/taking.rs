//! What a lane is given, and what it may not have.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use wire::BLOCK;

use super::super::super::item::{Active, File, Item, Wish};
use super::super::super::limit::Limit;
use super::super::super::progress::Live;
use super::super::super::spread::Spread;
use super::super::super::status::{ItemId, Job};
use super::super::{Appetite, Taken, Work};
use super::Rows;

impl Rows {
    /// When a lane may have something to do. At once while something is looked into: what is found there
    /// then need not wait for a connection.
    pub(in super::super) fn next_due(&self, now: Instant) -> Option<Instant> {
        let is_scanning = |item: &Item| item.wish == Wish::Run && item.scanning > 0;
        if self.items.iter().any(|item| is_scanning(item) || item.spreads().any(|spread| spread.has_room())) {
            return Some(now);
        }
        let files = self.items.iter().flat_map(|item| item.pending.iter().filter(|file| may_run(item.wish, file)));
        files.map(|file| due(file, now).unwrap_or(now)).min()
    }

    pub(in super::super) fn take(&mut self, appetite: Appetite, flow: &Arc<AtomicU64>, now: Instant) -> Taken {
        let mut small: Vec<Work> = Vec::new();
        let (mut bytes, mut direction, mut soonest) = (0, appetite.direction, None);
        let lane = appetite.lane;
        let here: Vec<(ItemId, bool)> =
            self.items.iter().filter(|item| item.is_on(lane)).map(|item| (item.id, item.is_limited())).collect();
        'items: for item in &mut self.items {
            match turn(item, lane, &here, now) {
                Turn::Now => {}
                Turn::Alone if small.is_empty() => {}
                Turn::Alone => break 'items,
                Turn::Elsewhere => continue,
                Turn::AfterOthers => break 'items,
            }
            let mut at = 0;
            while let Some(file) = item.pending.get(at) {
                if !may_run(item.wish, file) || direction.is_some_and(|direction| direction != file.direction()) {
                    break;
                }
                if let Some(until) = due(file, now) {
                    soonest = Some(soonest.map_or(until, |soonest: Instant| soonest.min(until)));
                    at += 1;
                    continue;
                }
                if is_large(file) {
                    if small.is_empty()
                        && appetite.large
                        && let Some(file) = item.pending.remove(at)
                    {
                        return Taken::Large(Box::new(begin(item, file, lane, Live::following(flow.clone()), now)));
                    }
                    // In order: what comes after a large file waits for it to be taken.
                    break 'items;
                }
                bytes += file.source.size;
                if small.len() >= appetite.files || bytes > appetite.bytes {
                    break 'items;
                }
                direction = Some(file.direction());
                let Some(file) = item.pending.remove(at) else { break };
                small.push(begin(item, file, lane, Live::default(), now));
            }
            if item.is_limited() && !small.is_empty() {
                break 'items;
            }
        }
        if small.is_empty() { Taken::Nothing(soonest) } else { Taken::Small(small) }
    }

    /// A block of a file that is on another lane, of the file of which `in_flight` blocks are under way
    /// already, if it is any. With the limit of its item, should it get one.
    pub(in super::super) fn assist(&self, at: Option<(&Arc<Spread>, usize)>) -> Option<(Arc<Spread>, u64, Arc<Limit>)> {
        let spreads = self.items.iter().flat_map(|item| item.spreads().map(|spread| (spread, &item.limit)));
        spreads.filter(|(spread, _)| at.is_none_or(|(here, _)| Arc::ptr_eq(here, spread))).find_map(
            |(spread, limit)| {
                let index = spread.take(at.map_or(0, |(_, in_flight)| in_flight))?;
                Some((spread.clone(), index, limit.clone()))
            },
        )
    }
}

fn begin(item: &mut Item, file: File, lane: u16, live: Live, now: Instant) -> Work {
    let live = Arc::new(live);
    let shown = match &file.job {
        Job::Up { target, .. } => wire::path::escape(target.name()),
        Job::Down { source, .. } => wire::path::escape(source.name()),
    };
    let File { travelled, done, .. } = file;
    item.active.push_back(Active {
        lane,
        live: live.clone(),
        size: file.source.size,
        travelled,
        done,
        shown,
        spread: None,
    });
    item.tick(now);
    Work { policy: file.choice.unwrap_or(item.if_exists), stop: item.stop.clone(), live, file }
}

/// Whether a lane may take files of an item.
enum Turn {
    Now,
    /// If no other files go with them.
    Alone,
    Elsewhere,
    /// When the lane has nothing else any more.
    AfterOthers,
}

/// A limited item is on one lane at a time, and alone there until it has no more files: what is held
/// back on it would hold up the files of others. `here`: what the lane has, and whether it is limited.
fn turn(item: &Item, lane: u16, here: &[(ItemId, bool)], now: Instant) -> Turn {
    let others = |limited| here.iter().any(|(id, is_limited)| *id != item.id && (*is_limited || limited));
    if !item.is_limited() {
        return if others(false) { Turn::Elsewhere } else { Turn::Now };
    }
    let is_ready = item.pending.iter().any(|file| may_run(item.wish, file) && due(file, now).is_none());
    if !is_ready {
        // Nothing is taken; when to look again is told all the same.
        return Turn::Now;
    }
    if item.active.iter().any(|active| active.lane != lane) {
        return Turn::Elsewhere;
    }
    if others(true) { Turn::AfterOthers } else { Turn::Alone }
}

fn may_run(wish: Wish, file: &File) -> bool {
    wish == Wish::Run || (file.discard && matches!(wish, Wish::Cancel { .. }))
}

fn is_large(file: &File) -> bool {
    file.source.size > BLOCK as u64 || file.discard
}

/// Until when a file waits, if it does.
fn due(file: &File, now: Instant) -> Option<Instant> {
    file.waits.as_ref().map(|(until, _)| *until).filter(|until| *until > now)
}
