//! The end of the queue: when it has come, and what is told of it.

use super::Effect;
use crate::engine::status::{State, Status};

/// What became of everything, for whoever is told that the queue has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finale {
    /// Items that are done.
    pub done: usize,
    /// Items that failed.
    pub failed: usize,
    /// Items that wait for the person.
    pub needs_you: usize,
    /// Payload bytes that travelled, of all of them.
    pub sent: u64,
}

/// Tells when the last item has come to its end, or waits for the person; not when somebody stopped the last one.
pub(super) fn tell(before: &Status, now: &Status, out: &mut Vec<Effect>) {
    let works = |status: &Status| status.items.iter().any(|item| is_at_work(&item.state));
    if !works(before) || works(now) {
        return;
    }
    let ended_by_itself = now.items.iter().any(|item| {
        let ended = matches!(item.state, State::Done | State::Failed(_) | State::NeedsYou);
        ended && before.items.iter().any(|old| old.id == item.id && is_at_work(&old.state))
    });
    if ended_by_itself {
        out.push(Effect::QueueEnded(sum(now)));
    }
}

fn is_at_work(state: &State) -> bool {
    matches!(state, State::Running | State::Waiting | State::Retrying { .. })
}

fn sum(status: &Status) -> Finale {
    status.items.iter().fold(Finale::default(), |sum, item| Finale {
        done: sum.done + usize::from(item.state == State::Done),
        failed: sum.failed + usize::from(matches!(item.state, State::Failed(_))),
        needs_you: sum.needs_you + usize::from(item.state == State::NeedsYou),
        sent: sum.sent.saturating_add(item.sent),
    })
}
