//! Kills the server's program over and over in the middle of work, and checks after each kill that nothing is lost:
//!
//! `crash SERVER KILLS [--seed SEED]`, with the path of the server's program. Exit code 1 with what must not be.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};
use tests::crash::{Figures, Plan, run};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (server, kills, seed) = match arguments.as_slice() {
        [server, kills] => (server, kills, fastrand::u64(..)),
        [server, kills, "--seed", seed] => (server, kills, seed.parse()?),
        _ => bail!("use: crash SERVER KILLS [--seed SEED]"),
    };
    let plan = Plan { kills: kills.parse()?, seed };
    say(&format!("seed {seed}"));
    let begun = Instant::now();
    let tell = |figures: &Figures| say(&format!("{} kills, {} s", figures.kills, begun.elapsed().as_secs()));
    let figures = run(Path::new(server), plan, tell).await?;
    say(&format!("{figures}\nnothing was lost in {} s", begun.elapsed().as_secs()));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn say(line: &str) {
    println!("{line}");
}
