//! How a pane takes up what was read: where its cursor and its marks stay.

use super::{Loading, Pane};
use crate::app::rows::{Listing, Rows};
use crate::app::trail::Spot;

impl Pane {
    /// Takes up what the read under way has brought so far. In the same directory the cursor and the marks stay
    /// on their names; in another the cursor stays at the top until the name comes that it is to land on.
    pub fn settle(&mut self, listing: Listing) {
        let Some(mut loading) = self.loading.take() else { return };
        let here = self.current_id();
        let kept = match listing.heirs {
            _ if loading.shown => here.filter(|_| loading.follows),
            Some(heirs) if loading.place == self.place => {
                self.marks = self.marks.inherited(&heirs, listing.rows.entries());
                self.sizes = self.sizes.inherited(&heirs);
                here.and_then(|id| heirs.get(id))
            }
            _ => {
                *self = self.elsewhere(&loading);
                loading.follows = false;
                None
            }
        };
        let seen = if loading.shown { self.rows.entries().len() } else { 0 };
        (self.rows, self.free, self.read_at) = (listing.rows, listing.free, listing.at);
        (self.partial, self.sorting, loading.shown) = (true, None, true);
        loading.found = loading.found.max(self.rows.entries().len() as u64);
        self.keep_cursor(kept);
        let land = loading.land.as_deref().and_then(|name| self.rows.entries().find(name, seen));
        if let Some(row) = land.and_then(|id| self.rows.row_of(id)) {
            self.cursor = row + self.offset();
            (loading.land, loading.follows) = (None, true);
        }
        self.loading = Some(loading);
    }

    /// The read under way has brought all there is.
    pub fn complete(&mut self) {
        (self.loading, self.partial) = (None, false);
    }

    /// Takes up the same rows in another order or behind another sieve. Where the entry under the cursor is not shown any
    /// more, the cursor goes to the first that is.
    pub fn reorder(&mut self, rows: Rows) {
        let here = self.current_id();
        (self.rows, self.sorting) = (rows, None);
        if here.is_none_or(|id| self.rows.row_of(id).is_none()) && !self.rows.sieve().text.is_empty() {
            self.move_to(self.offset());
        }
        self.keep_cursor(here);
    }

    /// What stays of a pane when it shows another directory. A search or a filter that is open was opened on the way.
    fn elsewhere(&self, loading: &Loading) -> Self {
        let (place, mut trail) = (loading.place.clone(), self.trail.clone());
        if place != self.place {
            trail.moved(loading.step, Spot { place: self.place.clone(), name: self.current_name().to_vec() });
        }
        Self {
            order: self.order,
            sieve: if self.sifting { self.sieve.clone() } else { self.sieve.elsewhere() },
            sifting: self.sifting,
            search: self.search.clone(),
            seeking: self.seeking,
            stale: self.stale,
            trail,
            sizes: self.sizes.elsewhere(),
            ..Self::new(place)
        }
    }

    /// Leaves the cursor on an entry wherever that stands now, at the same height of the screen; where it is
    /// gone, the cursor keeps its row.
    fn keep_cursor(&mut self, id: Option<u32>) {
        let row = id.and_then(|id| self.rows.row_of(id)).map_or(self.cursor, |row| row + self.offset());
        let row = row.min(self.row_count().saturating_sub(1));
        self.top = (self.top + row).saturating_sub(self.cursor);
        self.cursor = row;
    }
}
