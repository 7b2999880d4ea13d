//! Room at both ends: which local file systems are measured while downloads run, and the warning before
//! something does not fit.

use std::path::PathBuf;

use super::Effect;
use crate::app::place::Place;
use crate::app::space::{self, Disk};
use crate::app::{App, Side, Tone};
use crate::engine::status::Direction;

/// While downloads are not over, their file systems and those of the panes are measured; else none is.
pub(super) fn follow(app: &mut App, out: &mut Vec<Effect>) {
    let mut wanted: Vec<PathBuf> = Vec::new();
    for item in space::unfinished(&app.status, Direction::Down) {
        let target = space::target_directory(item).filter(|target| !wanted.iter().any(|dir| dir == target));
        wanted.extend(target.map(PathBuf::from));
        if wanted.len() >= MOST_WATCHED {
            break;
        }
    }
    if !wanted.is_empty() {
        for side in [Side::Left, Side::Right] {
            if let Place::Local(dir) = &app.pane(side).place
                && !wanted.contains(dir)
            {
                wanted.push(dir.clone());
            }
        }
    }
    if wanted != app.space.watched {
        app.space.disks.retain(|(dir, _)| wanted.contains(dir));
        app.space.watched.clone_from(&wanted);
        out.push(Effect::WatchSpace(wanted));
    }
    warn(app);
}

/// Takes up what was measured.
pub(super) fn measured(app: &mut App, disks: Vec<(PathBuf, Disk)>) {
    app.space.disks = disks.into_iter().filter(|(dir, _)| app.space.watched.contains(dir)).collect();
    warn(app);
}

/// Tells once when the queue would not fit, and again when it would have fitted in between.
fn warn(app: &mut App) {
    let over = app.status.usage.and_then(|usage| {
        let uploads = space::uploads(&app.status);
        space::unfinished(&app.status, Direction::Up).next()?;
        space::over_quota(&usage, &uploads)
    });
    if let Some(missing) = over.as_ref().filter(|_| !app.space.told.0) {
        app.tell(Tone::Bad, format!("The uploads need {missing} more than is free at the server"));
    }
    let full = app.space.disks.iter().find_map(|(dir, disk)| {
        let coming = space::downloads(app, dir);
        let missing = coming.bytes.checked_sub(disk.free).filter(|missing| *missing > 0)?;
        Some(format!("{}{}", coming.sign(), wire::size::show(missing)))
    });
    if let Some(missing) = full.as_ref().filter(|_| !app.space.told.1) {
        app.tell(Tone::Bad, format!("The downloads need {missing} more than is free on this machine"));
    }
    app.space.told = (over.is_some(), full.is_some());
}

/// Downloads to more places than these are not told of.
const MOST_WATCHED: usize = 16;
