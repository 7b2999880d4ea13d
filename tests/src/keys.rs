//! How soon a key is on the screen while transfers run, and what a client at rest costs: measured on the real
//! program in a pseudo-terminal.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::Pid;

use crate::terminal::{Terminal, key};

/// What was measured while transfers ran.
#[derive(Clone, Copy, Debug)]
pub struct Typing {
    /// Keys.
    pub count: usize,
    /// From a key to the screen that shows it.
    pub median: Duration,
    /// 99 of 100 were sooner.
    pub late: Duration,
    /// Whether transfers ran until the last key.
    pub busy: bool,
}

/// What a program does that has nothing to do.
#[derive(Clone, Copy, Debug)]
pub struct Rest {
    /// Times that any of its threads waited for something and was woken, per second.
    pub wakeups: f64,
    /// Part of one processor.
    pub cpu: f64,
}

/// Transfers at once.
pub const TRANSFERS: usize = 4;
/// Rows to go up and down in.
const ROWS: usize = 100;

/// Makes what [`typing`] needs in the machine's `Downloads`: four files to copy, of holes, and a directory.
pub fn prepare(machine: &Path, bytes: u64) -> Result<()> {
    let downloads = machine.join("Downloads");
    fs::create_dir_all(downloads.join("rows"))?;
    for number in 0..ROWS {
        File::create(downloads.join(format!("rows/row-{number:02}")))?;
    }
    for number in 0..TRANSFERS {
        File::create(downloads.join(format!("transfer-{number}")))?.set_len(bytes)?;
    }
    let config = machine.join(".config/catamaran");
    fs::create_dir_all(&config)?;
    Ok(fs::write(config.join("client.toml"), format!("lanes = {TRANSFERS}\n"))?)
}

/// Presses keys in a client that is logged in, while it copies. The cursor is in `Downloads`, as prepared.
pub fn typing(terminal: &mut Terminal, count: usize) -> Result<Typing> {
    terminal.press("+")?;
    terminal.until_shown("transfer-0")?;
    terminal.press("\x01\x0btransfer-*")?;
    terminal.press(key::ENTER)?;
    terminal.until_shown(&format!("{TRANSFERS} marked"))?;
    terminal.press(key::F5)?;
    terminal.until_shown("Copy to the server")?;
    terminal.press(key::ENTER)?;
    terminal.until_shown(" running")?;
    terminal.press(&format!("{}{}{}", key::HOME, key::DOWN, key::ENTER))?;
    terminal.until_shown("row-01")?;
    terminal.press(key::HOME)?;
    let mut taken = Vec::with_capacity(count);
    for number in 0..count {
        // From the row above them down through all, up again, and so on.
        let place = number % (2 * (ROWS - 1));
        let (row, down) =
            if place < ROWS { (place, place > 0 || number == 0) } else { (2 * (ROWS - 1) - place, false) };
        let press = if down { key::DOWN } else { key::UP };
        let name = format!("row-{row:02}");
        let begun = Instant::now();
        terminal.press(press)?;
        // Under the cursor a name is in the list and in the foot.
        terminal.until(&name, |screen| screen.contents().matches(&name).count() == 2)?;
        taken.push(begun.elapsed());
    }
    let busy = terminal.look(|screen| screen.contents().contains("running"));
    taken.sort_unstable();
    let at = |part: usize| taken.get(taken.len() * part / 100).copied().context("no keys");
    Ok(Typing { count, median: at(50)?, late: at(99)?, busy })
}

/// Watches a process for a while.
pub fn rest(process: Pid, time: Duration) -> Result<Rest> {
    let before = (switches(process)?, ticks(process)?);
    std::thread::sleep(time);
    // A thread that ended takes its count with it.
    let (switches, ticks) = (switches(process)?.saturating_sub(before.0), ticks(process)?.saturating_sub(before.1));
    let seconds = time.as_secs_f64();
    Ok(Rest { wakeups: switches as f64 / seconds, cpu: ticks as f64 / TICKS / seconds })
}

fn switches(process: Pid) -> Result<u64> {
    let mut all = 0;
    for task in fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero()))? {
        // A thread may have ended.
        let status = fs::read_to_string(task?.path().join("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        all += line.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(all)
}

fn ticks(process: Pid) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()))?;
    let (_, fields) = stat.rsplit_once(") ").context("a name in brackets")?;
    let fields: Vec<u64> = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    Ok(fields.iter().sum())
}

/// A second, in the kernel's ticks for `/proc`: 100 on every Linux of today.
const TICKS: f64 = 100.0;
