//! Load for a while, with faults: `soak SERVER MINUTES [--seed SEED]`, with the path of the server's program. Prints a report;
//! exit code 1 with what must not be.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use tests::crash::soak::{Round, run};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (server, minutes, seed) = match arguments.as_slice() {
        [server, minutes] => (server, minutes, fastrand::u64(..)),
        [server, minutes, "--seed", seed] => (server, minutes, seed.parse()?),
        _ => bail!("use: soak SERVER MINUTES [--seed SEED]"),
    };
    let lasts = Duration::try_from_secs_f64(60.0 * minutes.parse::<f64>()?)?;
    let tell = |round: &Round| {
        let peak = round.memory.iter().max().copied().unwrap_or_default();
        say(&format!("{} s of work, {} at most, nothing lost", round.lasted.as_secs(), wire::size::show(peak)));
    };
    say(&format!("seed {seed}"));
    let report = run(Path::new(server), lasts, seed, tell).await?;
    say(&format!("\n{report}"));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn say(line: &str) {
    println!("{line}");
}
