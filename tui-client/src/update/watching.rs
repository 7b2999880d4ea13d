//! Changes of this machine's directories that nobody told the program of.

use std::path::{Path, PathBuf};

use super::{Effect, reads};
use crate::app::place::Place;
use crate::app::{App, Tone};

/// Something in a directory changed.
pub(super) fn changed(app: &mut App, path: &Path, out: &mut Vec<Effect>) {
    reads::out_of_date(app, |place| matches!(place, Place::Local(shown) if shown == path), out);
}

/// It is told once: the other directories will not be watched for the same reason.
pub(super) fn failed(app: &mut App, path: PathBuf, reason: &str) {
    if !std::mem::replace(&mut app.atlas.told_unwatched, true) {
        let place = Place::Local(path).short_text(app.home.as_deref());
        app.tell(Tone::Plain, format!("Changes in {place} do not show by themselves ({reason}); Ctrl-R reads again"));
    }
}
