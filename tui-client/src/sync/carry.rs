//! What a synchronisation does beside the queue: directories made, things deleted, copies within one side. Every
//! task is done by itself; one that fails stops no other.

use futures_util::stream::{self, StreamExt};
use tokio_util::sync::CancellationToken;
use wire::message::Kind;
use wire::{Code, Fault};

use super::ground::{Ground, Removal, Trashed, below, blocking};
use super::orders::{Act, End, Seen, Task};
use super::path::depth;
use super::walk::place;
use crate::runtime::copy_here;

/// What came of tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// How many were done.
    pub done: u64,
    /// How many of these were deletions.
    pub deleted: u64,
    /// What of that is in the trash.
    pub trashed: Vec<Trashed>,
    /// Those that were not, each with the reason.
    pub failed: Vec<(Task, Fault)>,
}

/// Does all tasks, telling of each as it ends. Directories are made first and deleted last, the deepest before those
/// that hold them.
pub async fn run(
    tasks: Vec<Task>,
    (left, right): (&Ground, &Ground),
    removal: Removal,
    token: &CancellationToken,
    mut told: impl FnMut(&Carried),
) -> Carried {
    let mut stages = std::collections::BTreeMap::<usize, Vec<Task>>::new();
    tasks.into_iter().for_each(|task| stages.entry(stage(&task)).or_default().push(task));
    let mut carried = Carried::default();
    for tasks in stages.into_values() {
        let one = |task: Task| async move {
            let (ground, other) = if task.end == End::Left { (left, right) } else { (right, left) };
            let result =
                if token.is_cancelled() { Err(stopped()) } else { one(&task, ground, other, removal, token).await };
            (task, result)
        };
        let mut ended = std::pin::pin!(stream::iter(tasks).map(one).buffer_unordered(AT_ONCE));
        while let Some((task, result)) = ended.next().await {
            match result {
                Ok(kept) => {
                    carried.trashed.extend(kept);
                    carried.done += 1;
                    carried.deleted += u64::from(matches!(task.act, Act::Delete(_)));
                }
                Err(fault) => carried.failed.push((task, fault)),
            }
            told(&carried);
        }
    }
    carried
}

/// Tasks of one stage may be done at once.
fn stage(task: &Task) -> usize {
    match task.act {
        Act::MakeDirectory => 0,
        Act::Copy { .. } => 1,
        Act::Delete(Seen { kind: Kind::Directory, .. }) => usize::MAX - depth(&task.path),
        Act::Delete(_) => 2,
    }
}

async fn one(
    task: &Task,
    ground: &Ground,
    other: &Ground,
    removal: Removal,
    token: &CancellationToken,
) -> Result<Option<Trashed>, Fault> {
    match task.act {
        Act::MakeDirectory => ground.make_directory(&task.path).await.map(|()| None),
        Act::Copy { seen } => {
            check(ground, &task.path, seen).await?;
            let copied = token.run_until_cancelled(copy(other, ground, &task.path, seen.is_some(), token)).await;
            copied.unwrap_or_else(|| Err(stopped())).map(|()| None)
        }
        Act::Delete(seen) => {
            // Gone is as good as deleted.
            if ground.stat(&task.path).await?.is_none() {
                return Ok(None);
            }
            check(ground, &task.path, Some(seen)).await?;
            ground.remove(&task.path, seen.kind, removal).await
        }
    }
}

/// Whether a name still means what was seen. Directories have the time of what was last put into them, and go only
/// when they are empty.
async fn check(ground: &Ground, path: &[u8], seen: Option<Seen>) -> Result<(), Fault> {
    let now = ground.stat(path).await?.map(|now| Seen { kind: now.kind, size: now.size, mtime: now.mtime });
    let is_same = match (seen, now) {
        (Some(Seen { kind: Kind::Directory, .. }), Some(now)) => now.kind == Kind::Directory,
        (seen, now) => seen == now,
    };
    if is_same { Ok(()) } else { Err(Fault::new(Code::Changed, "changed since it was seen: left as it is")) }
}

async fn copy(
    from: &Ground,
    onto: &Ground,
    path: &[u8],
    replace: Replace,
    token: &CancellationToken,
) -> Result<(), Fault> {
    match (from, onto) {
        (Ground::Here(source), Ground::Here(target)) => {
            let (source, target, token) = (place(source, path), place(target, path), token.clone());
            blocking(move || copy_here(&source, &target, replace, &token)).await
        }
        (Ground::There(engine, source), Ground::There(_, target)) => {
            let (source, target) = (below(source, path)?, below(target, path)?);
            engine.mkdir(&target.parent(), true).await?;
            engine.copy(&source, &target, replace).await
        }
        _ => Err(Fault::new(Code::Internal, "between the two sides only the queue copies")),
    }
}

/// Whether a target that exists may go.
type Replace = bool;

fn stopped() -> Fault {
    Fault::new(Code::Cancelled, "stopped")
}

/// The server takes 64 requests of a session at once: some are left for others.
const AT_ONCE: usize = 32;
