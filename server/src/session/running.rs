//! The large transfers of a session that run just now, by their numbers, for its other lanes to assist. A
//! number means nothing beyond its session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use wire::{Code, Fault};

/// Transfers of one kind. Each belongs to its own lane: none is kept alive from here.
#[derive(Debug)]
pub(crate) struct Running<T>(Mutex<HashMap<u64, Weak<T>>>);

impl<T> Default for Running<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Running<T> {
    /// From now on others may assist.
    pub(crate) fn enter(&self, transfer: u64, running: &Arc<T>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, running| running.strong_count() > 0);
        known.insert(transfer, Arc::downgrade(running));
    }

    /// The transfer of a number, while it runs.
    pub(crate) fn find(&self, transfer: u64) -> Result<Arc<T>, Fault> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(&transfer).and_then(Weak::upgrade);
        found.ok_or_else(|| Fault::new(Code::NotFound, "no such transfer runs in this session"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_is_found_while_it_runs() {
        let (running, upload) = (Running::default(), Arc::new("upload"));
        running.enter(1, &upload);
        assert_eq!(running.find(1).as_deref(), Ok(&"upload"));
        assert_eq!(running.find(2).map_err(|fault| fault.code), Err(Code::NotFound));
        drop(upload);
        assert_eq!(running.find(1).map_err(|fault| fault.code), Err(Code::NotFound));
        running.enter(3, &Arc::new("over at once"));
        assert_eq!(running.0.lock().expect("whole").len(), 1, "what is over is forgotten");
    }
}
