//! Blocks of an upload that another lane of the session has begun. They are proven, written and noted like
//! those of its own lane, and the client is told of each, so that its own lane leaves them out. Nothing
//! here outlives the upload: once that is sealed, taken over, given up or lost, a block meets a fault, which
//! ends the assistance and nothing else.

use wire::message::Lane;

use super::receive::Receiving;

impl Receiving {
    /// From now on this lane takes blocks of the upload too; one at a time is assisted.
    pub(super) async fn assist(&mut self, transfer: u64) {
        self.settle_storing().await;
        match self.session.uploads.find(transfer) {
            Ok(_) => (self.assisted, self.ignored) = (Some(transfer), 0),
            Err(fault) => self.say(Lane::Fault { transfer, fault }).await,
        }
    }

    /// Whether the upload is another lane's.
    pub(super) fn assists(&self, transfer: u64) -> bool {
        self.assisted == Some(transfer) && !self.uploads.contains_key(&transfer)
    }
}
