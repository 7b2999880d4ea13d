//! The threads that hold the connections. The writer runs what waits in its queue in one
//! transaction, each operation in a savepoint of its own so that one failing hurts no other, and
//! answers all when it is durable: many small operations share one sync of the disk.

use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{CatalogError, Released, schema};
use crate::metrics::Histogram;

/// An operation in a queue. A closure, because an enum would only repeat each method's arguments
/// and answer.
pub(super) type Job = Box<dyn FnOnce(Result<&Connection, CatalogError>) -> Outcome + Send>;

/// What became of an operation, and the answer that waits for the transaction.
pub(super) struct Outcome {
    failed: Option<CatalogError>,
    answer: Answer,
}

type Answer = Box<dyn FnOnce(Result<(), CatalogError>)>;

/// Packs an operation and the way back to its asker, who may be gone by then.
pub(super) fn job<T: Send + 'static>(
    operation: impl FnOnce(&Connection) -> Result<T, CatalogError> + Send + 'static,
    reply: oneshot::Sender<Result<T, CatalogError>>,
) -> Job {
    Box::new(move |connection| {
        let result = connection.and_then(operation);
        let failed = result.as_ref().err().cloned();
        let answer = move |committed: Result<(), CatalogError>| drop(reply.send(committed.and(result)));
        Outcome { failed, answer: Box::new(answer) }
    })
}

/// The writer's life: until the last handle is gone.
pub(super) fn run(mut connection: Connection, mut jobs: mpsc::Receiver<Job>, released: &Released, timed: &Histogram) {
    let mut locked_out = false;
    while let Some(first) = jobs.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(job) = jobs.try_recv()
        {
            batch.push(job);
        }
        // After the batch is drawn: whoever released before asking is answered accordingly.
        strike(&connection, released);
        let mut answers = Vec::with_capacity(batch.len());
        let start = Instant::now();
        let fate = run_batch(&mut connection, batch, &mut answers);
        timed.since(start);
        // All have waited for the lock: those who come next need not wait as long, one after another.
        let is_locked_out = matches!(fate, Err(CatalogError::Busy));
        if is_locked_out != locked_out
            && let Ok(()) = connection.busy_timeout(if is_locked_out { AGAIN } else { schema::PATIENCE })
        {
            locked_out = is_locked_out;
        }
        answers.into_iter().for_each(|answer| answer(fate.clone()));
    }
}

/// The reader's life: one operation after another, each on the newest snapshot.
pub(super) fn run_reader(connection: &Connection, mut jobs: mpsc::Receiver<Job>) {
    while let Some(job) = jobs.blocking_recv() {
        (job(Ok(connection)).answer)(Ok(()));
    }
}

fn strike(connection: &Connection, released: &Released) {
    for id in released.take() {
        if let Err(error) = super::ledger::end_reservation(connection, id) {
            tracing::error!(%error, "a reservation could not be released");
        }
    }
}

/// Runs and commits a batch. Every job has left its answer when this returns, whatever became of it.
fn run_batch(connection: &mut Connection, batch: Vec<Job>, answers: &mut Vec<Answer>) -> Result<(), CatalogError> {
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(CatalogError::from);
    let mut transaction = match begun {
        Ok(transaction) => transaction,
        Err(error) => {
            answers.extend(batch.into_iter().map(|job| job(Err(error.clone())).answer));
            return Err(error);
        }
    };
    let mut fate = Ok(());
    for job in batch {
        let outcome = match &fate {
            Ok(()) => run_one(&mut transaction, job, &mut fate),
            Err(error) => job(Err(CatalogError::clone(error))),
        };
        answers.push(outcome.answer);
    }
    fate?;
    Ok(transaction.commit()?)
}

fn run_one(transaction: &mut Transaction<'_>, job: Job, fate: &mut Result<(), CatalogError>) -> Outcome {
    let savepoint = match transaction.savepoint() {
        Ok(savepoint) => savepoint,
        Err(error) => {
            let error = CatalogError::from(error);
            *fate = Err(error.clone());
            return job(Err(error));
        }
    };
    let outcome = job(Ok(&savepoint));
    let ended = if outcome.failed.is_none() { savepoint.commit() } else { savepoint.finish() };
    if let Err(error) = ended {
        *fate = Err(error.into());
    } else if transaction.is_autocommit() {
        // A full disk or a failing one makes SQLite roll back the whole transaction by itself: all in it
        // are told the reason.
        *fate = Err(outcome.failed.clone().unwrap_or_else(|| {
            let rolled_back = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK);
            rusqlite::Error::SqliteFailure(rolled_back, None).into()
        }));
    }
    outcome
}

/// How long to wait for another process's transaction that was waited for in vain.
const AGAIN: Duration = Duration::from_millis(250);
/// Operations in one transaction, at the most: bounds how long the first waits for the last.
const BATCH: usize = 256;
