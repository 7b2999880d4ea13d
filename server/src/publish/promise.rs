//! Space promised to a file before it has a name: how much it will take beyond what it replaces, and the
//! promise itself.

use std::sync::Arc;

use wire::Fault;

use crate::catalog::{CatalogError, ReservationId, TrashState};
use crate::tenant::Tenant;
use crate::vault::Stamp;

/// What an account holds more once a file stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    /// Bytes.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

impl Growth {
    /// Of a file of `size` bytes in the place of another, or of none.
    pub fn of(size: u64, replaced: Option<Stamp>) -> Self {
        Self { bytes: size.saturating_sub(replaced.map_or(0, |old| old.size)), files: u64::from(replaced.is_none()) }
    }

    /// What this is above another.
    pub(super) fn beyond(self, other: Self) -> Self {
        Self { bytes: self.bytes.saturating_sub(other.bytes), files: self.files.saturating_sub(other.files) }
    }
}

impl std::iter::Sum for Growth {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            bytes: sum.bytes.saturating_add(one.bytes),
            files: sum.files.saturating_add(one.files),
        })
    }
}

/// Promised space, given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    tenant: Arc<Tenant>,
    pub(super) id: ReservationId,
}

impl Reservation {
    /// Promises space in one atomic step, or names what is missing.
    pub async fn take(tenant: &Arc<Tenant>, growth: Growth) -> Result<Self, Fault> {
        tenant.make_good().await?;
        let id = match tenant.catalog.reserve(tenant.id, growth.bytes, growth.files).await {
            Err(error @ CatalogError::OverQuota { .. }) => return Err(over_quota(tenant, error).await),
            reserved => reserved?,
        };
        Ok(Self { tenant: Arc::clone(tenant), id })
    }
}

/// Names what emptying the trash would bring: it is no secret of the server's where the space went.
async fn over_quota(tenant: &Tenant, error: CatalogError) -> Fault {
    let mut fault = Fault::from(error);
    if let Ok(TrashState { days: Some(_), bytes: bytes @ 1.., .. }) = tenant.catalog.trash_state(tenant.id).await {
        fault.message = format!("{}; the trash holds {}", fault.message, wire::size::show(bytes));
    }
    fault
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // It may have ended with the settling already: then there is nothing left to strike out.
        self.tenant.catalog.release(self.id);
    }
}
