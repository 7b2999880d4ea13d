//! `keys CLIENT [COUNT]`: how soon a key is on the screen while four transfers run, and what a client at rest costs, as one
//! line of JSON. Both ends and the files share the temporary directory (`TMPDIR`).

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tests::host::{Host, PASSWORD};
use tests::keys::{prepare, rest, typing};
use tests::terminal::{Terminal, key};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the answer")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let client = arguments.next().context("which client?")?;
    let count = arguments.next().map_or(Ok(500), |count| count.parse())?;
    let host = Host::start().await?;
    host.add_user("ada", None).await?;
    let machine = tempfile::tempdir()?;
    prepare(machine.path(), 2 << 30)?;
    let target = format!("ada@{}", host.address);
    let arguments = ["--local", "Downloads", "--accept-new", &target];
    let mut terminal = Terminal::start(Path::new(&client), &arguments, machine.path(), (120, 40))?;
    terminal.until_shown("password")?;
    terminal.press(PASSWORD)?;
    terminal.press(key::ENTER)?;
    terminal.until_shown("quota")?;
    // What the login stirred up has settled.
    rest(terminal.process()?, Duration::from_secs(5))?;
    let rest = rest(terminal.process()?, Duration::from_secs(10))?;
    let typing = typing(&mut terminal, count)?;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        r#"{{"keys":{},"median_ms":{:.2},"p99_ms":{:.2},"busy":{},"wakeups_per_second":{:.2},"idle_cpu":{:.4}}}"#,
        typing.count,
        milliseconds(typing.median),
        milliseconds(typing.late),
        typing.busy,
        rest.wakeups,
        rest.cpu
    );
    Ok(())
}
