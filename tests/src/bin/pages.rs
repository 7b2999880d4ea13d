//! Writes manual pages and completions: `pages ASSETS`, as `just pages` does.

use std::path::PathBuf;

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let assets = PathBuf::from(std::env::args_os().nth(1).context("the directory of the assets")?);
    for page in tests::pages::pages()? {
        let path = assets.join(page.path);
        std::fs::create_dir_all(path.parent().context("a directory")?)?;
        std::fs::write(path, page.text)?;
    }
    Ok(())
}
