//! Draws the pictures of the README: the real client in a pseudo-terminal, on a real server, in the
//! middle of work. `screenshot CLIENT DIRECTORY`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tests::files;
use tests::host::{Host, PASSWORD};
use tests::picture;
use tests::terminal::{Terminal, key};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let usage = "usage: screenshot CLIENT DIRECTORY";
    let (client, output) = (arguments.next().context(usage)?, arguments.next().context(usage)?);
    let client = client.canonicalize()?;
    let host = Host::start().await?;
    furnish(&host)?;
    // Takes up what lies in the home.
    host.add_user("ada", Some(768 << 20)).await?;
    tokio::task::block_in_place(|| draw(&client, &host, &output))
}

fn furnish(host: &Host) -> Result<()> {
    let local = host.scratch().join("home/Downloads");
    for (name, mib) in [("boat-plans.pdf", 14), ("debian-13.iso", 320), ("index.html", 0), ("日本語のファイル.txt", 0)]
    {
        files::write(&local.join(name), name, (mib << 20) + 4211)?;
    }
    fs::write(local.join("notes.md"), NOTES)?;
    files::write(&local.join("index.html"), "another", 12_288)?;
    fs::create_dir_all(local.join("albums"))?;
    // Slow enough to be met in the middle.
    let config = host.scratch().join("home/.config/catamaran");
    fs::create_dir_all(&config)?;
    fs::write(config.join("client.toml"), "limit = \"48MiB\"\n")?;
    let home = host.home("ada");
    for (name, mib) in [("harbour-001.tif", 48), ("harbour-002.tif", 47), ("index.html", 0)] {
        files::write(&home.join(name), &format!("{name} there"), (mib << 20) + 12_288)?;
    }
    for name in ["raw", "selected"] {
        fs::create_dir_all(home.join(name))?;
    }
    Ok(())
}

fn draw(client: &Path, host: &Host, output: &Path) -> Result<()> {
    let home = host.scratch().join("home");
    let target = format!("ada@{}", host.address);
    let arguments = ["--fingerprint", &host.fingerprint, "--local", "Downloads", &target];
    let mut terminal = Terminal::start(client, &arguments, &home, (100, 26))?;
    let save = |terminal: &Terminal, name: &str| -> Result<()> {
        Ok(fs::write(output.join(name).with_extension("svg"), terminal.look(picture::svg))?)
    };
    terminal.until_shown("password")?;
    terminal.press(PASSWORD)?;
    terminal.press(key::ENTER)?;
    terminal.until_shown("harbour-001.tif")?;
    // What exists waits for an answer.
    copy(&mut terminal, &["index.html"])?;
    terminal.until_shown("1 decision waits")?;
    // Two files marked, and a copy of them under way.
    copy(&mut terminal, &["boat-plans.pdf", "debian-13.iso"])?;
    terminal.until("a third of it copied", |screen| {
        let row = screen.contents().lines().find(|row| row.contains("↑ debian")).map(str::to_owned);
        let before = row.as_deref().and_then(|row| row.split_once('%')).map(|(before, _)| before);
        let percent = before.and_then(|before| before.split_whitespace().last()?.parse::<u32>().ok());
        percent.is_some_and(|percent| percent >= 33)
    })?;
    save(&terminal, "screen")?;
    terminal.press("\x0f")?;
    terminal.until_shown("peak")?;
    // Drawn to its end.
    terminal.until_gone("notes.md")?;
    save(&terminal, "queue")?;
    terminal.press("\x0f")?;
    terminal.until_shown("harbour-001.tif")?;
    terminal.press("\x04")?;
    terminal.until_shown("other content")?;
    save(&terminal, "decisions")?;
    terminal.press("o")?;
    terminal.until_gone("other content")?;
    to(&mut terminal, "notes.md")?;
    terminal.press(key::F3)?;
    terminal.until_shown("Provisions")?;
    save(&terminal, "viewer")?;
    terminal.press("q")?;
    terminal.until_shown("harbour-001.tif")?;
    terminal.until_shown("Copied debian-13.iso: proven")?;
    terminal.press("\x19")?;
    terminal.until_shown("Synchronise")?;
    terminal.press(key::ENTER)?;
    terminal.until_shown("harbour-002.tif")?;
    save(&terminal, "synchronise")
}

/// Marks these and copies them.
fn copy(terminal: &mut Terminal, names: &[&str]) -> Result<()> {
    for name in names {
        to(terminal, name)?;
        terminal.press(key::INSERT)?;
    }
    terminal.until_shown(&format!("{} marked", names.len()))?;
    terminal.press(key::F5)?;
    terminal.until_shown("Copy to the server")?;
    terminal.press(key::ENTER)?;
    terminal.until_gone("Copy to the server")
}

/// Puts the cursor on a name.
fn to(terminal: &mut Terminal, name: &str) -> Result<()> {
    terminal.press(&format!("\x13{name}"))?;
    terminal.until_shown(&format!("find: {name}_"))?;
    terminal.press(key::ESC)?;
    terminal.until_gone("find: ")
}

const NOTES: &str = "\
# Round the islands

Leave with the ebb, at four. The wind will be west, five at most; the glass is falling slowly.

## Provisions
- bread, cheese, apples, coffee
- 40 l of water, and a spare can of diesel

## Papers
The plans lie on the server, and so do the charts: `boat-plans.pdf`, `charts/`.
";
