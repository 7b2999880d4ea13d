//! Draws the picture of the README: the real client in a pseudo-terminal, on a real server, in the
//! middle of work. `screenshot CLIENT OUTPUT.svg`.

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
    let usage = "usage: screenshot CLIENT OUTPUT.svg";
    let (client, output) = (arguments.next().context(usage)?, arguments.next().context(usage)?);
    let client = client.canonicalize()?;
    let host = Host::start().await?;
    furnish(&host)?;
    // Takes up what lies in the home.
    host.add_user("ada", Some(768 << 20)).await?;
    let drawn = tokio::task::block_in_place(|| draw(&client, &host))?;
    Ok(fs::write(output, drawn)?)
}

fn furnish(host: &Host) -> Result<()> {
    let local = host.scratch().join("home/Downloads");
    for (name, mib) in [("boat-plans.pdf", 14), ("debian-13.iso", 320), ("notes.md", 0), ("日本語のファイル.txt", 0)]
    {
        files::write(&local.join(name), name, (mib << 20) + 4211)?;
    }
    fs::create_dir_all(local.join("albums"))?;
    // Slow enough to be met in the middle.
    let config = host.scratch().join("home/.config/catamaran");
    fs::create_dir_all(&config)?;
    fs::write(config.join("client.toml"), "limit = \"96MiB\"\n")?;
    let home = host.home("ada");
    for (name, mib) in [("harbour-001.tif", 48), ("harbour-002.tif", 47), ("index.html", 0)] {
        files::write(&home.join(name), name, (mib << 20) + 12_288)?;
    }
    for name in ["raw", "selected"] {
        fs::create_dir_all(home.join(name))?;
    }
    Ok(())
}

fn draw(client: &Path, host: &Host) -> Result<String> {
    let home = host.scratch().join("home");
    let target = format!("ada@{}", host.address);
    let arguments = ["--fingerprint", &host.fingerprint, "--local", "Downloads", &target];
    let mut terminal = Terminal::start(client, &arguments, &home, (100, 24))?;
    terminal.until_shown("password")?;
    terminal.press(PASSWORD)?;
    terminal.press(key::ENTER)?;
    terminal.until_shown("harbour-001.tif")?;
    // Two files marked, and a copy of them under way.
    terminal.press(&key::DOWN.repeat(2))?;
    terminal.press(key::INSERT)?;
    terminal.press(key::INSERT)?;
    terminal.press(key::F5)?;
    terminal.until_shown("Copy")?;
    terminal.press(key::ENTER)?;
    terminal.until("half of it copied", |screen| {
        let row = screen.contents().lines().find(|row| row.contains("↑ debian")).map(str::to_owned);
        let before = row.as_deref().and_then(|row| row.split_once('%')).map(|(before, _)| before);
        let percent = before.and_then(|before| before.split_whitespace().last()?.parse::<u32>().ok());
        percent.is_some_and(|percent| percent >= 45)
    })?;
    Ok(terminal.look(picture::svg))
}
