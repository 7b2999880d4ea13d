//! Reads what became of past transfers.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::engine::keep::history::History;
use crate::update::Msg;

/// Reads the history of a state directory for the list named `serial`.
pub(super) async fn read(state: PathBuf, serial: u64, inbox: mpsc::Sender<Msg>) {
    let read = spawn_blocking(move || History::at(&state).read()).await;
    let result = match read {
        Ok(Ok(past)) => Ok(Arc::new(past)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    // Refused only when the loop is over.
    let _ = inbox.send(Msg::Past { serial, result }).await;
}
