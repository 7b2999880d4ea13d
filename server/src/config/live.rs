//! The configuration in force: what is looked at whenever it matters can be exchanged while the server runs.

use std::sync::{Arc, PoisonError, RwLock};

use super::Config;

/// A cheap handle on the settings in force.
#[derive(Clone, Debug)]
pub struct Live(Arc<RwLock<Arc<Config>>>);

impl Live {
    /// These, from the start on.
    pub fn new(config: Config) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(config))))
    }

    /// Those in force just now. Not to be kept: the next look may find others.
    pub fn now(&self) -> Arc<Config> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Others from now on, for whoever looks.
    pub fn set(&self, config: Config) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }
}
