//! The gauges in the lower borders of the panes: space of this machine, and the quota of the home.

use std::path::Path;

use wire::message::Usage;
use wire::size;

use super::gauge::gauge;
use crate::app::pane::Pane;
use crate::app::place::Place;
use crate::app::space::{self, Coming};
use crate::app::text::columns;
use crate::app::{App, Session};

/// What fits of it in `room` columns.
pub(super) fn words(app: &App, pane: &Pane, room: usize) -> String {
    let options = match (&pane.place, app.status.usage) {
        (Place::Local(dir), _) => local(app, pane, dir),
        (Place::Remote(_), Some(usage)) if app.session != Session::Offline => {
            quota(&usage, &space::uploads(&app.status))
        }
        (Place::Remote(_), _) => Vec::new(),
    };
    options.into_iter().find(|text| columns(text) <= room).unwrap_or_default()
}

/// What is free, and what downloads will take of it.
fn local(app: &App, pane: &Pane, dir: &Path) -> Vec<String> {
    let Some(free) = space::disk(app, dir).map(|disk| disk.free).or(pane.free) else { return Vec::new() };
    let coming = space::downloads(app, dir);
    let missing = coming.bytes.saturating_sub(free);
    let free = format!("{} free", size::show(free));
    if missing > 0 {
        let missing = format!("{}{}", coming.sign(), size::show(missing));
        return vec![format!("needs {missing} more than is free"), format!("{missing} too little"), free];
    }
    if coming.bytes == 0 && !coming.least {
        return vec![free];
    }
    vec![format!("{free}, {} coming", coming.words()), free]
}

/// What is used, then what uploads will add, from the longest way of saying it to the shortest.
fn quota(usage: &Usage, coming: &Coming) -> Vec<String> {
    if let Some(missing) = space::over_quota(usage, coming) {
        return vec![
            format!("quota: needs {missing} more than is free"),
            format!("quota: {missing} too little"),
            "over quota".to_owned(),
        ];
    }
    let used = size::show(usage.used);
    let adds = coming.bytes > 0 || coming.least;
    let more = if adds { format!(", {} coming", coming.words()) } else { String::new() };
    let Some(quota) = usage.quota else { return vec![format!("{used} used, no quota{more}"), used] };
    let whole = size::show(quota);
    let unit = |text: &str| text.split_once(' ').map(|(_, unit)| unit.to_owned());
    let number = used.split_once(' ').map_or(used.as_str(), |(number, _)| number);
    let figures =
        if unit(&used) == unit(&whole) { format!("{number} of {whole}") } else { format!("{used} of {whole}") };
    let free = size::show(quota.saturating_sub(usage.used).saturating_sub(coming.bytes));
    let longest = gauge(usage.used, coming.bytes, quota, WIDE_CELLS);
    let gauges = QUOTA_CELLS.map(|cells| format!("quota {} {figures}", gauge(usage.used, coming.bytes, quota, cells)));
    let long = [format!("quota {longest} {figures}{more}, {free} free"), format!("quota {longest} {figures}{more}")];
    long.into_iter().chain(gauges).chain([format!("quota {figures}"), figures]).collect()
}

/// Where there is room for words, too.
const WIDE_CELLS: usize = 10;
/// Enough to see a tenth, or less where there is less room.
const QUOTA_CELLS: [usize; 3] = [10, 8, 6];
