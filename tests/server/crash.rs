//! The real server program under many clients, killed some twenty times. `just crash 500` does the same for longer.

#![cfg(test)]

use std::path::Path;
use std::time::Duration;

use tests::crash::{Plan, run, soak};

#[tokio::test(flavor = "multi_thread")]
async fn killed_over_and_over_it_loses_nothing_that_was_acknowledged() {
    let plan = Plan { kills: 20, seed: 7 };
    let figures = run(Path::new(env!("CARGO_BIN_EXE_server")), plan, |_| {}).await.expect("nothing is lost");
    // A run in which nothing was done would show nothing.
    let done = |what: &str| figures.steps.get(what).map_or(0, |count| count.done);
    for what in ["groups of small files", "large files", "moves to the trash", "renames"] {
        assert!(done(what) > 0, "no {what}: {figures}");
    }
    assert!(figures.kills == 20 && figures.cut_off.len() > 3, "{figures}");
}

/// One round of what `just soak` does for longer.
#[tokio::test(flavor = "multi_thread")]
async fn under_load_with_faults_and_hostile_peers_nothing_is_lost() {
    let server = Path::new(env!("CARGO_BIN_EXE_server"));
    let report = soak::run(server, Duration::from_secs(1), 3, |_| {}).await.expect("nothing is lost");
    let hostile: u64 = report.faults.iter().filter(|(kind, _)| kind.contains("connections")).map(|(_, n)| n).sum();
    assert!(report.sailed.transfers > 0 && hostile > 10 && report.rounds.len() == 1, "{report}");
}
