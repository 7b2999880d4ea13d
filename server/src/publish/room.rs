//! Room on the disk itself, whatever a quota says: a part of it is kept free, and what runs has its room set aside.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wire::fault::Detail;
use wire::{Code, Fault, size};

use crate::tenant::Tenant;
use crate::vault::DiskSpace;

/// The disks that homes lie on, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Disks(Mutex<HashMap<u64, Arc<AtomicU64>>>);

impl Disks {
    /// Bytes that are set aside on a disk and not written yet.
    pub(crate) fn of(&self, device: u64) -> Arc<AtomicU64> {
        Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(device).or_default())
    }
}

/// Bytes set aside for a file, until they are written or it is given up.
#[derive(Debug)]
pub struct Room {
    disk: Arc<AtomicU64>,
    left: AtomicU64,
}

impl Room {
    /// Sets bytes aside, or says how many are missing: what is kept free, what others have set aside and this do not
    /// fit together.
    pub fn take(tenant: &Tenant, bytes: u64, space: DiskSpace) -> Result<Self, Fault> {
        let room = Self { disk: Arc::clone(&tenant.disk), left: AtomicU64::new(bytes) };
        let others = room.disk.fetch_add(bytes, Ordering::Relaxed);
        let Some(floor) = tenant.commons.live.now().min_free.of(space.total) else { return Ok(room) };
        match others.saturating_add(bytes).saturating_add(floor).saturating_sub(space.free) {
            0 => Ok(room),
            missing => Err(disk_full(missing, floor)),
        }
    }

    /// So many more of them are on the disk now.
    pub fn filled(&self, bytes: u64) {
        let fill = |left: u64| Some(left.saturating_sub(bytes));
        // It never says no.
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fill).unwrap_or_default();
        self.disk.fetch_sub(bytes.min(left), Ordering::Relaxed);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.disk.fetch_sub(*self.left.get_mut(), Ordering::Relaxed);
    }
}

fn disk_full(missing: u64, floor: u64) -> Fault {
    let (missing_shown, floor) = (size::show(missing), size::show(floor));
    let message = format!(
        "the server's disk has too little room: {missing_shown} more would have to be free, for {floor} of it are kept \
         free; this is not your quota"
    );
    Fault::new(Code::NoSpace, message).with(Detail::Shortfall(missing))
}
