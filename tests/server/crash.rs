//! The real server program under many clients, killed some twenty times. `just crash 500` does the same for longer.

#![cfg(test)]

use std::path::Path;

use tests::crash::{Plan, run};

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
